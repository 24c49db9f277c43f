//! How a rollout can end.

use crate::aws_model::service::not_followed;
use crate::base::finding::Finding;
use crate::rollout::scope::{Scope, Until};
use crate::rollout::view::{View, container_health};
use crate::rollout::words::{managed, verdict};

/// The verdicts, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Everything that was asked for was seen.
    Succeeded,
    /// The service wants no task, so nothing could be verified. Exit code 0, but never called healthy.
    NothingToVerify,
    /// Rolled back, or failed and left.
    Failed,
    /// Nothing that runs was changed: by the checks before the first change, or by AWS. At most an unused revision is
    /// registered, and the finding's state says so.
    Refused,
    /// Time was up before it was.
    TimedOut,
    /// Somebody else's deployment has taken over.
    Superseded,
    /// AWS could not be read for too long.
    CouldNotObserve,
    /// A signal ended the run.
    Interrupted,
}

impl Verdict {
    /// As it is printed, and as scripts match it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::NothingToVerify => "nothing-to-verify",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TimedOut => "timed-out",
            Self::Superseded => "superseded",
            Self::CouldNotObserve => "could-not-observe",
            Self::Interrupted => "interrupted",
        }
    }

    /// What the process ends with.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Succeeded | Self::NothingToVerify => 0,
            Self::Failed => 1,
            Self::Refused => 3,
            Self::TimedOut => 4,
            Self::Superseded => 5,
            Self::CouldNotObserve => 6,
            Self::Interrupted => 130,
        }
    }

    /// The pipeline may go on.
    pub fn is_success(self) -> bool {
        self.exit_code() == 0
    }
}

/// The verdict with its reasons; the first finding is the cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Why, the cause first; and what else is worth knowing.
    pub findings: Vec<Finding>,
    /// ECS goes, or has gone, back to an earlier deployment.
    pub is_rolled_back: bool,
}

impl Outcome {
    /// An end in which nothing was rolled back.
    pub fn new(verdict: Verdict, findings: Vec<Finding>) -> Self {
        Self {
            verdict,
            findings,
            is_rolled_back: false,
        }
    }
}

/// The verdict where everything that was asked for is there, with what could not be verified.
pub(crate) fn success(view: &View, scope: &Scope) -> (Verdict, Vec<Finding>) {
    if view.desired == 0 {
        return (Verdict::NothingToVerify, vec![verdict::no_task_wanted(scope)]);
    }
    let mut findings = Vec::new();
    findings.extend(
        view.other_ways
            .iter()
            .map(|way| verdict::way_not_checked(scope.service.as_str(), *way)),
    );
    findings.extend(
        not_followed(&scope.bindings, view.ways)
            .into_iter()
            .map(|group| managed::not_followed(scope.service.as_str(), group)),
    );
    if scope.places_per_task() == 0 && view.other_ways.is_empty() {
        findings.push(verdict::no_target_group(scope, container_health::healthy(view, scope)));
    }
    if view.unverifiable() > 0 && scope.until > Until::Registered {
        findings.push(verdict::checks_disabled(scope));
    }
    if view.is_join_missing {
        findings.push(verdict::join_missing(view.is_join_unanswered));
    }
    (Verdict::Succeeded, findings)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::aws_model::service::Service;
    use crate::aws_model::target::{TargetHealth, TargetState};
    use crate::base::id::TargetKey;
    use crate::rollout::view::baseline::Baseline;
    use crate::rollout::view::snapshot::Snapshot;

    #[test]
    fn checks_that_are_switched_off_matter_where_health_was_asked_for() {
        let row = TargetHealth {
            key: TargetKey::new("i-1", 80),
            state: TargetState::Unavailable,
            reason: Some("Target.HealthCheckDisabled".into()),
            description: None,
        };
        let snapshot = Snapshot {
            service: Some(Service::plain()),
            ..Snapshot::default()
        };
        let warned = |until| {
            let scope = Scope {
                until,
                ..Scope::plain()
            };
            let mut view = View::of(&snapshot, &scope, &Baseline::default(), &BTreeSet::new());
            view.new_targets = BTreeMap::from([(("targetgroup/web/1".into(), row.key.clone()), Some(&row))]);
            let (verdict, findings) = success(&view, &scope);
            assert_eq!(verdict, Verdict::Succeeded);
            findings.iter().any(|finding| finding.summary.contains("switched off"))
        };
        assert!(warned(Until::Healthy) && warned(Until::Drained));
        assert!(!warned(Until::Registered));
    }
}
