//! What a run does besides deploying and waiting, as its user wants it: where another deployment is in progress, after a
//! failure, when it is cancelled, and with the revisions that nobody needs any more.

mod busy;
mod revisions;

pub use busy::{Failing, InProgress, Obstacle};
pub use revisions::{Purge, superfluous};

use crate::base::choice::choice;

/// The user's choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Where another deployment is in progress.
    pub if_busy: IfBusy,
    /// After a failure of the rollout.
    pub on_failure: Leftover,
    /// After a signal.
    pub on_cancel: Leftover,
    /// How many ACTIVE revisions of the family stay after a success; `None`: all.
    pub keep_revisions: Option<u32>,
}

/// What to do where another deployment of the service is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfBusy {
    /// Let it end first.
    #[default]
    Wait,
    /// Refuse.
    Fail,
    /// Deploy over it.
    Replace,
}

/// What becomes of a deployment that failed or was cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leftover {
    /// It stays as it is, and the report says how that is.
    #[default]
    Leave,
    /// The service goes back to the revision from before.
    Rollback,
}

choice! { IfBusy: pub IF_BUSY = Wait "wait", Fail "fail", Replace "replace" }
choice! { Leftover: pub LEFTOVER = Leave "leave", Rollback "rollback" }
