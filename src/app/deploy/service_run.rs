//! What a run leaves of one service, and what several of them come to.

use std::time::Duration;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::aws_model::service::Service;
use portzero_core::aws_model::target::Address;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Moment;
use portzero_core::plan::{DeployRequest, Plan};
use portzero_core::rollout::{Outcome, PhaseSpan, TargetHistory, Verdict};

/// What a run leaves of one service.
#[derive(Clone, Debug)]
pub struct ServiceRun {
    pub plan: Option<Plan>,
    pub request: DeployRequest,
    /// `None` until the run has an end.
    pub outcome: Option<Outcome>,
    pub started_at: Moment,
    pub duration: Duration,
    pub before: Option<TaskDefinitionArn>,
    pub after: Option<TaskDefinitionArn>,
    /// Where a rollback has led, which need not be where the service pointed before: that may have been failing.
    pub back_to: Option<TaskDefinitionArn>,
    pub deployment: Option<DeploymentId>,
    pub phases: Vec<PhaseSpan>,
    pub targets: Vec<TargetHistory>,
    /// The task definition that a run without a plan follows, where it may be read.
    pub document: Option<serde_json::Value>,
    /// What a run without a plan has told of before it began to follow.
    pub(super) said: Vec<Finding>,
}

impl ServiceRun {
    /// Nothing has been done yet, and nothing has been decided.
    pub fn begun(request: DeployRequest, plan: Option<Plan>, at: Moment) -> Self {
        Self {
            before: plan.as_ref().and_then(|p| p.before.clone()),
            plan,
            request,
            outcome: None,
            started_at: at,
            duration: Duration::ZERO,
            after: None,
            back_to: None,
            deployment: None,
            phases: Vec::new(),
            targets: Vec::new(),
            document: None,
            said: Vec::new(),
        }
    }

    /// Stopped before the first change.
    pub fn refused(request: DeployRequest, plan: Option<Plan>, findings: Vec<Finding>, at: Moment) -> Self {
        let begun = Self::begun(request, plan, at);
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
        planned.or_else(|| self.request.url.as_ref().map(Address::configured))
    }

    /// Where a browser can go.
    pub fn url(&self) -> Option<String> {
        let address = self.address().filter(Address::is_web)?;
        Some(address.url())
    }

    /// Whether the plan, or what came in its place, has told of it already.
    pub(super) fn has_said(&self, finding: &Finding) -> bool {
        let planned = self.plan.iter().flat_map(|plan| &plan.findings);
        planned
            .chain(&self.said)
            .any(|said| said.code == finding.code && said.summary == finding.summary)
    }
}

/// What the reads after an UpdateService without an answer have shown.
#[derive(Debug, Default)]
pub(super) struct SeenAfter {
    /// Those that were answered.
    pub reads: u32,
    /// When the first and the last of these were.
    pub span: Option<(Moment, Moment)>,
    pub service: Option<Service>,
    /// The last one that failed.
    pub error: Option<ApiError>,
}

impl SeenAfter {
    pub(super) fn note(&mut self, service: Option<Service>, now: Moment) {
        self.reads += 1;
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        self.service = service;
        self.error = None;
    }
}

/// The services that did not succeed; those that were left alone because of others are no cause of anything.
pub fn causes(runs: &[ServiceRun]) -> impl Iterator<Item = &ServiceRun> {
    runs.iter().filter(|run| !run.verdict().is_success() && !run.is_left())
}

/// The first verdict that is no success, else the first: a run is as good as its worst service.
pub fn overall(runs: &[ServiceRun]) -> Verdict {
    let worst = causes(runs)
        .next()
        .or(runs.first())
        .map_or(Verdict::Succeeded, |run| run.verdict());
    // A refused service may have left a revision that nobody uses.
    let was_refused = |run: &ServiceRun| run.verdict() == Verdict::Refused;
    let has_changed = |run: &ServiceRun| run.deployment.is_some() || !was_refused(run) && run.is_changed();
    if worst != Verdict::Refused || !runs.iter().any(has_changed) {
        return worst;
    }
    // Refused means that nothing that runs was changed, and that is true of one service only.
    let mut findings = runs.iter().flat_map(|run| run.findings());
    if findings.any(|finding| finding.code == Code::Superseded) {
        Verdict::Superseded
    } else {
        Verdict::Failed
    }
}

#[cfg(test)]
mod tests {
    use portzero_core::plan::DefinitionSource;
    use portzero_core::rollout::Until;

    use super::*;

    fn run(verdict: Verdict, deployed: bool, code: Code) -> ServiceRun {
        let request = DeployRequest {
            cluster: "shop".into(),
            service: "web".into(),
            base: DefinitionSource::Running,
            images: Vec::new(),
            environment: Vec::new(),
            dynamic_ports: Default::default(),
            allow_unknown_keys: false,
            shows_values: false,
            load_balancers: Vec::new(),
            force_new_deployment: true,
            until: Until::Drained,
            settle: Default::default(),
            timeout: None,
            poll_interval: None,
            fail_on: portzero_core::base::finding::Severity::Error,
            allowed: Vec::new(),
            url: None,
            depends_on: Vec::new(),
            policy: Default::default(),
        };
        let mut run = ServiceRun::begun(request, None, Moment::from_millis(0))
            .ended(Outcome::new(verdict, vec![Finding::error(code, "why")]));
        run.deployment = deployed.then(|| DeploymentId::new("ecs-svc/1"));
        run
    }

    #[test]
    fn what_has_no_end_is_no_success() {
        let mut begun = run(Verdict::Succeeded, true, Code::NothingToVerify);
        begun.outcome = None;
        assert_eq!(overall(&[begun]), Verdict::CouldNotObserve);
    }

    #[test]
    fn a_run_that_changed_a_service_was_not_refused() {
        let done = || run(Verdict::Succeeded, true, Code::NothingToVerify);
        let refused = |code| run(Verdict::Refused, false, code);
        assert_eq!(overall(&[refused(Code::Api)]), Verdict::Refused);
        assert_eq!(overall(&[done(), refused(Code::Api)]), Verdict::Failed);
        assert_eq!(overall(&[done(), refused(Code::Superseded)]), Verdict::Superseded);
        assert_eq!(overall(&[done(), done()]), Verdict::Succeeded);
    }
}
