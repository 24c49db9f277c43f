//! Revisions that nobody needs any more.

use std::collections::BTreeSet;

use crate::aws_model::api_error::{ApiError, ApiErrorKind};
use crate::base::finding::{Code, Finding};
use crate::base::id::TaskDefinitionArn;

/// AWS lets one revision a second go, shared with registering, so that a family with years behind it would hold the run
/// up for long: the rest goes with the next runs.
const PURGED_MAX: usize = 50;

/// Which of the ACTIVE revisions of a family may go, the oldest first: all beyond the newest `keep`, but for those that
/// are `needed`.
pub fn superfluous(
    active: &[TaskDefinitionArn],
    keep: u32,
    needed: &BTreeSet<TaskDefinitionArn>,
) -> Vec<TaskDefinitionArn> {
    let mut newest: Vec<&TaskDefinitionArn> = active.iter().collect();
    newest.sort_by_key(|arn| std::cmp::Reverse(arn.revision()));
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let beyond = newest.into_iter().skip(keep).rev();
    beyond
        .filter(|arn| !needed.contains(arn))
        .take(PURGED_MAX)
        .cloned()
        .collect()
}

/// What has become of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// The revisions that were deregistered.
    pub gone: Vec<TaskDefinitionArn>,
    /// How many of the newest were to stay.
    pub kept: u32,
}

impl Purge {
    /// It costs a warning and nothing else: the deployment has succeeded.
    pub fn trouble(what: &str, error: Option<&ApiError>) -> Finding {
        let summary = format!("older revisions were not all deregistered: {what}");
        let finding = Finding::warning(Code::Api, summary);
        match error {
            Some(error) if error.kind == ApiErrorKind::Denied => finding
                .evidence("answer", error.to_string())
                .hint(format!("allow {} to the role of this run", error.action)),
            Some(error) => finding.evidence("answer", error.to_string()),
            None => finding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arns(numbers: impl IntoIterator<Item = u64>) -> Vec<TaskDefinitionArn> {
        let arn = |n| TaskDefinitionArn::new(format!("arn:aws:ecs:r:1:task-definition/web:{n}"));
        numbers.into_iter().map(arn).collect()
    }

    #[test]
    fn the_newest_stay_and_so_does_whatever_is_needed() {
        let active = arns([9, 10, 3, 4, 7]);
        let needed = arns([3]).into_iter().collect();
        assert_eq!(superfluous(&active, 2, &needed), arns([4, 7]));
        assert_eq!(superfluous(&active, 5, &needed), arns([]));
        assert_eq!(superfluous(&active, 0, &needed), arns([4, 7, 9, 10]));
        let many = superfluous(&arns(1..=200), 1, &needed);
        assert_eq!((many.len(), many[0].revision()), (PURGED_MAX, Some(1)));
    }
}
