//! Pull requests and their comments, as far as a deployment speaks in them.

use crate::time::Timestamp;

/// A pull request, as far as it takes to know whether a run belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub is_open: bool,
    pub merged_at: Option<Timestamp>,
    /// The commit that the merge has put on the base branch.
    pub merge_commit: Option<String>,
    /// The branch that it is, or was, to be merged into.
    pub base: String,
    pub head_commit: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: u64,
    /// The login of its author; `None` for one whose account is gone.
    pub author: Option<String>,
    pub body: String,
    /// Where people read it.
    pub url: String,
}
