//! What is told beside the comment: the record of a deployment, and a status on the commit.

use serde_json::Value;

/// As long as GitHub lets the description of a status be, in characters.
const DESCRIPTION_LENGTH_MAX: usize = 140;

/// A deployment that GitHub is to record. It is made for a commit that is there, by a run that has already begun: nothing is
/// merged for it and no check is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeployment {
    /// The commit that is deployed.
    pub commit: String,
    /// The environment's name, as GitHub lists it.
    pub environment: String,
    /// A sentence beside it.
    pub description: String,
    /// Says which run made it, so that it is found again where the answer was lost.
    pub payload: Value,
}

/// A deployment as GitHub keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedDeployment {
    /// GitHub's id of the deployment.
    pub id: u64,
    /// What the creator has stored with it.
    pub payload: Value,
}

/// How a deployment on GitHub stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentState {
    /// It is under way.
    InProgress,
    /// It has succeeded.
    Success,
    /// It has failed.
    Failure,
    /// It is not known how it ended.
    Error,
}

impl DeploymentState {
    /// As GitHub's API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// A change of a deployment's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// The new state.
    pub state: DeploymentState,
    /// Where the run can be read.
    pub log_url: Option<String>,
    /// Where the environment can be used.
    pub environment_url: Option<String>,
    /// A sentence beside it; [`short`] makes one that GitHub takes.
    pub description: String,
}

/// How the check of a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusState {
    /// It is under way.
    Pending,
    /// It has succeeded.
    Success,
    /// It has failed.
    Failure,
    /// It is not known how it ended.
    Error,
}

impl StatusState {
    /// As GitHub's API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// The check that a run sets on a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// How it stands.
    pub state: StatusState,
    /// Statuses of one context replace each other: `portzero/staging/portzero.yml`.
    pub context: String,
    /// Where the details are: the page of the workflow run.
    pub target_url: Option<String>,
    /// A sentence beside it; [`short`] makes one that GitHub takes.
    pub description: String,
}

/// A description that GitHub takes: one line of at most 140 characters.
pub fn short(description: &str) -> String {
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= DESCRIPTION_LENGTH_MAX {
        return line;
    }
    let start: String = line.chars().take(DESCRIPTION_LENGTH_MAX - 1).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_one_line_that_github_takes() {
        assert_eq!(short("web\n is  done"), "web is done");
        assert_eq!(short(&"é".repeat(140)), "é".repeat(140));
        let cut = short(&"é".repeat(141));
        assert_eq!((cut.chars().count(), cut.chars().last()), (140, Some('…')));
    }
}
