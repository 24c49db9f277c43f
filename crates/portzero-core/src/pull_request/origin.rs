//! Where a run comes from, as the workflow's context and its event tell.

/// What is known of a run's beginnings. All of it may have been written by strangers, but for the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `push`, `pull_request`, `merge_group`, …; for a `workflow_run` that followed a push, `push`. Empty outside a workflow.
    pub event: String,
    /// The commit that people mean: the head of a pull request, not the trial merge that GitHub checks out for it.
    pub sha: String,
    /// The branch's or the tag's short name.
    pub ref_name: Option<String>,
    /// The branch that a pull request is to be merged into.
    pub base_ref: Option<String>,
    /// Grows from run to run within a repository; 0 outside a workflow.
    pub run_id: u64,
    /// Counts from 1 within a run.
    pub attempt: u64,
    /// The number that the user has named.
    pub given: Option<u64>,
    /// The event's own pull request, or its issue where that is one.
    pub event_pull_request: Option<u64>,
    /// `refs/heads/gh-readonly-queue/main/pr-7-…`.
    pub merge_group_ref: Option<String>,
    /// The message of the pushed head.
    pub head_message: Option<String>,
    /// The commits of a push, newest first.
    pub commits: Vec<String>,
    /// `None` where the event does not say.
    pub is_private: Option<bool>,
    /// The pull request comes from another repository, so the run's token can only read.
    pub is_from_fork: bool,
    /// Dependabot began the run, so its token can only read unless the workflow asks for more.
    pub is_dependabot: bool,
    /// Why the event could not be read, where it could not.
    pub event_error: Option<String>,
}

impl Origin {
    /// Whether the run deploys what has just reached a branch.
    pub fn is_push(&self) -> bool {
        self.event == "push"
    }

    /// Whether the commit is at the tip of something, so that the pull request that brought it can be looked for.
    pub fn has_arrived(&self) -> bool {
        // A run that somebody starts by hand deploys the tip of a branch once more.
        (self.is_push() || self.event == "workflow_dispatch") && !self.sha.is_empty()
    }
}
