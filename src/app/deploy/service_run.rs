//! What a run leaves of one service, and what several of them come to.

use std::time::Duration;

use portzero_core::aws_model::target::Address;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Timestamp;
use portzero_core::plan::{Plan, Wish};
use portzero_core::rollout::{Outcome, PhaseSpan, TargetStory, Verdict};

/// What a run leaves of one service.
#[derive(Clone, Debug)]
pub struct ServiceRun {
    pub plan: Option<Plan>,
    pub wish: Wish,
    /// `None` until the run has an end.
    pub outcome: Option<Outcome>,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub before: Option<TaskDefinitionArn>,
    pub after: Option<TaskDefinitionArn>,
    /// Where a rollback has led, which need not be where the service pointed before: that may have been failing.
    pub back_to: Option<TaskDefinitionArn>,
    pub deployment: Option<DeploymentId>,
    pub phases: Vec<PhaseSpan>,
    pub targets: Vec<TargetStory>,
    /// The task definition that a run without a plan follows, where it may be read.
    pub document: Option<serde_json::Value>,
}

impl ServiceRun {
    /// Nothing has been done yet, and nothing has been decided.
    pub fn begun(wish: Wish, plan: Option<Plan>, at: Timestamp) -> Self {
        Self {
            before: plan.as_ref().and_then(|p| p.before.clone()),
            plan,
            wish,
            outcome: None,
            started_at: at,
            duration: Duration::ZERO,
            after: None,
            back_to: None,
            deployment: None,
            phases: Vec::new(),
            targets: Vec::new(),
            document: None,
        }
    }

    /// Stopped before the first change.
    pub fn refused(wish: Wish, plan: Option<Plan>, findings: Vec<Finding>, at: Timestamp) -> Self {
        let begun = Self::begun(wish, plan, at);
        begun.ended(Outcome::new(Verdict::Refused, findings))
    }

    pub fn ended(self, outcome: Outcome) -> Self {
        Self {
            outcome: Some(outcome),
            ..self
        }
    }

    /// Of a run without an end nobody knows how the service fares, and that is never success.
    pub fn verdict(&self) -> Verdict {
        self.outcome
            .as_ref()
            .map_or(Verdict::CouldNotObserve, |outcome| outcome.verdict)
    }

    /// Those of the end, the cause first.
    pub fn findings(&self) -> &[Finding] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.findings)
    }

    /// Whether the service was taken back to what ran before, by ECS or by the run.
    pub fn is_rolled_back(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.is_rolled_back)
    }

    /// Whether another revision than the one before is there for the service.
    pub fn is_changed(&self) -> bool {
        self.after.is_some() && self.after != self.before
    }

    /// Whether nothing was done for the service because of another one that it depends on.
    pub fn is_left(&self) -> bool {
        self.findings().first().is_some_and(|f| f.code == Code::NotTouched)
    }

    /// Where the service is reached, as far as it is known.
    pub fn address(&self) -> Option<Address> {
        let planned = self.plan.as_ref().and_then(|plan| plan.address.clone());
        planned.or_else(|| self.wish.url.as_ref().map(Address::configured))
    }

    /// Whether the plan has told of it already.
    pub(super) fn has_said(&self, finding: &Finding) -> bool {
        let planned = self.plan.iter().flat_map(|plan| &plan.findings);
        planned
            .into_iter()
            .any(|said| said.code == finding.code && said.summary == finding.summary)
    }
}
