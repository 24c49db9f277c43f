//! Executes plans and drives the observers: the only loop in the program.
//!
//! * `planning`: one service's plan, before anything is changed, and again for a service that had to wait
//! * `order`: which service waits for which (`depends_on`)
//! * `busy`: another deployment of the service that is in progress is waited for
//! * `change`: what is changed in AWS: a revision, and one UpdateService
//! * `going_back`: back to what ran before, after a failure, a signal, or on demand
//! * `revisions`: those that nobody needs any more
//! * `attach`: what is there to follow for a run that did not begin it
//! * `stage`: where each service of the run stands
//! * `pace`: when the loop looks again
//! * `turns`: the loop: begin what may begin, look, judge, sleep
//! * `last_words`: what a container printed before it failed
//! * `words`: the findings of this module
//!
//! There are no tasks beside each other. Each service is a small state machine, and one loop takes all of them a step
//! further: a virtual clock moves when somebody sleeps, so there is one sleeper.

mod attach;
mod busy;
mod change;
mod going_back;
mod last_words;
pub mod order;
mod pace;
mod planning;
mod revisions;
mod stage;
mod turns;
mod words;

use std::time::Duration;

use portzero_core::aws_model::target::Address;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Timestamp;
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{Plan, Wish};
use portzero_core::port::{Clock, Ecs, Interrupts, LoadBalancing, Logs, Report};
use portzero_core::rollout::{Observer, Outcome, PhaseSpan, TargetStory, Verdict};
use stage::Member;

pub use attach::{Watch, scope as scope_of_found, unseen};
pub use pace::Pace;
pub use planning::plan;

/// What a run leaves of one service.
#[derive(Clone, Debug)]
pub struct ServiceRun {
    pub plan: Option<Plan>,
    pub wish: Wish,
    pub outcome: Outcome,
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
    /// Whether the plan has told of it already.
    fn has_said(&self, finding: &Finding) -> bool {
        let planned = self.plan.iter().flat_map(|plan| &plan.findings);
        planned
            .into_iter()
            .any(|said| said.code == finding.code && said.summary == finding.summary)
    }

    /// Where the service is reached, as far as it is known.
    pub fn address(&self) -> Option<Address> {
        let planned = self.plan.as_ref().and_then(|plan| plan.address.clone());
        planned.or_else(|| self.wish.url.as_ref().map(Address::configured))
    }

    /// Stopped before the first change.
    pub fn refused(wish: Wish, plan: Option<Plan>, findings: Vec<Finding>, at: Timestamp) -> Self {
        Self {
            before: plan.as_ref().and_then(|p| p.before.clone()),
            plan,
            wish,
            outcome: Outcome::new(Verdict::Refused, findings),
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

    /// A signal came while the run was still reading what there is.
    pub fn interrupted(wish: Wish, at: Timestamp) -> Self {
        let outcome = words::interrupted_before_a_plan(&wish);
        Self {
            outcome,
            ..Self::refused(wish, None, Vec::new(), at)
        }
    }

    /// The same of a service that was only to be looked at.
    pub fn interrupted_before_a_look(wish: Wish, at: Timestamp) -> Self {
        let outcome = words::interrupted_before_a_look(&wish);
        Self {
            outcome,
            ..Self::refused(wish, None, Vec::new(), at)
        }
    }

    /// Whether nothing was done for the service because of another one that it depends on.
    pub fn is_left(&self) -> bool {
        self.outcome
            .findings
            .first()
            .is_some_and(|f| f.code == Code::NotTouched)
    }
}

/// The world that a run works in: AWS or the simulator, a clock, ears and a mouth.
pub struct Run<'a, A, C, I, R> {
    pub aws: &'a A,
    pub clock: &'a C,
    pub interrupts: &'a I,
    pub report: &'a mut R,
    pub started_at: Timestamp,
    pub pace: Pace,
}

impl<A, C, I, R> Run<'_, A, C, I, R>
where
    A: Ecs + LoadBalancing + Logs,
    C: Clock,
    I: Interrupts,
    R: Report,
{
    /// Registers, updates and follows each service to its verdict. Those that depend on none go at once; one that fails
    /// stops only those that depend on it. The runs come in the order of the plans.
    pub async fn execute(&mut self, plans: Vec<(Plan, Survey)>) -> Vec<ServiceRun> {
        let needs = order::needs(plans.iter().map(|(plan, _)| &plan.wish));
        let at = self.clock.now();
        let planned = plans.into_iter().zip(needs);
        let members = planned.map(|((plan, survey), needs)| Member::planned(plan, survey, needs, at));
        let mut runs = self.drive(members.collect()).await;
        self.purge(&mut runs).await;
        runs
    }

    /// Follows deployments that are there already. Nothing is changed.
    pub async fn follow(&mut self, followed: Vec<(ServiceRun, Observer)>) -> Vec<ServiceRun> {
        let at = self.clock.now();
        let followed = followed.into_iter();
        let members = followed.map(|(run, observer)| Member::followed(run, observer, at));
        self.drive(members.collect()).await
    }
}

impl<A, C: Clock, I, R: Report> Run<'_, A, C, I, R> {
    pub fn tell(&mut self, wish: &Wish, kind: EventKind) {
        let at = self.clock.now();
        let event = RunEvent {
            at,
            elapsed: at.since(self.started_at),
            service: wish.service.clone(),
            kind,
        };
        self.report.event(&event);
    }
}
