//! Pull requests and their comments, as far as a deployment speaks in them.
//!
//! * `origin`: where a run comes from; `occasion`: what it is about, and the command that this asks for
//! * `choose`: which pull request it belongs to
//! * `mark`: how a comment says whose it is; `sticky`: which comment is this run's, and whether it may be edited
//! * `status`: what is told beside the comment, where that is asked for
//! * `trouble`: what went wrong with GitHub, and what a reader can do about it

pub mod choose;
mod mark;
mod occasion;
mod origin;
mod status;
pub mod sticky;
mod trouble;

pub use mark::{Key, KeyError, Mark, RunStamp};
pub use occasion::{DefaultCommand, EventDetail, FollowedRun, Occasion};
pub use origin::Origin;
pub use status::{
    CommitStatus, DeploymentState, DeploymentStatus, NewDeployment, RecordedDeployment, StatusState, short,
};
pub use trouble::{Channels, Doing, Trouble};

use crate::base::time::Timestamp;

/// A pull request, as far as it takes to know whether a run belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// The number in the repository.
    pub number: u64,
    /// It is neither merged nor closed.
    pub is_open: bool,
    /// When it was merged; absent where it was not.
    pub merged_at: Option<Timestamp>,
    /// The commit that the merge has put on the base branch.
    pub merge_commit: Option<String>,
    /// The branch that it is, or was, to be merged into.
    pub base: String,
    /// The newest commit of its branch.
    pub head_commit: String,
}

/// A comment of a pull request's conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The id that an edit names.
    pub id: u64,
    /// The login of its author; `None` for one whose account is gone.
    pub author: Option<String>,
    /// The text as its author wrote it.
    pub body: String,
    /// Where people read it.
    pub url: String,
}
