//! Pull requests and their comments, as far as a deployment speaks in them.
//!
//! * `origin`: where a run comes from; `choose`: which pull request it belongs to
//! * `mark`: how a comment says whose it is; `sticky`: which comment is this run's, and whether it may be edited
//! * `status`: what is told beside the comment, where that is asked for
//! * `trouble`: what went wrong with GitHub, and what a reader can do about it

pub mod choose;
mod mark;
mod origin;
mod status;
pub mod sticky;
mod trouble;

pub use mark::{Key, KeyError, Mark, RunStamp};
pub use origin::Origin;
pub use status::{
    CommitStatus, DeploymentState, DeploymentStatus, NewDeployment, RecordedDeployment, StatusState, short,
};
pub use trouble::{Channels, Doing, Trouble};

use crate::base::time::Timestamp;

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
