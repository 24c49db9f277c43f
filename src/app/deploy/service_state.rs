//! Where each service of a run stands.

use std::time::Duration;

use portzero_core::base::id::TaskDefinitionArn;
use portzero_core::base::time::{Moment, human};
use portzero_core::event::EventKind;
use portzero_core::plan::Plan;
use portzero_core::plan::survey::Survey;
use portzero_core::policy::{IfBusy, Obstacle};
use portzero_core::rollout::observer::read_outage::ReadOutage;
use portzero_core::rollout::rollback::RollbackReport;
use portzero_core::rollout::{Neighbour, Observer, Outcome, Snapshot, Verdict};

use crate::app::deploy::last_words::Wanted;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::words;
use crate::app::survey::{Patience, Poller, Watch};

/// One service of the run.
pub(super) struct Member {
    /// The places of the services that it depends on.
    pub needs: Vec<usize>,
    pub stage: ServiceState,
    /// What it leaves so far.
    pub run: ServiceRun,
    /// What the service ran well before this run: where a way back may lead.
    pub good: Option<TaskDefinitionArn>,
    /// Whose log may explain the outcome.
    pub last_words: Option<Wanted>,
}

/// The states of a service, in their order. Each turn of the loop takes a service at most from one to the next.
pub(super) enum ServiceState {
    /// Planned, and not begun: it is not known yet that everything that it depends on has succeeded.
    Waiting(Box<(Plan, Survey)>),
    /// Its turn has come, and another deployment of it is in progress.
    Busy(Box<Busy>),
    /// ECS rolls out, or goes back, and the observer follows.
    Following(Box<Following>),
    Done,
}

pub(super) struct Following {
    pub observer: Observer,
    /// When to look next.
    pub look_at: Moment,
    /// What was seen last, where the run may have to go back from it.
    pub seen: Option<Snapshot>,
    /// Set where the service is taken back to what ran before.
    pub back: Option<Box<RollbackInProgress>>,
}

impl Member {
    pub(super) fn planned(plan: Plan, survey: Survey, needs: Vec<usize>, at: Moment) -> Self {
        let run = ServiceRun::begun(plan.request.clone(), Some(plan.clone()), at);
        Self {
            needs,
            stage: ServiceState::Waiting(Box::new((plan, survey))),
            run,
            good: None,
            last_words: None,
        }
    }

    pub(super) fn followed(run: ServiceRun, observer: Observer, at: Moment) -> Self {
        Self {
            needs: Vec::new(),
            stage: ServiceState::following(observer, at),
            run,
            good: None,
            last_words: None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, ServiceState::Waiting(_))
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, ServiceState::Done)
    }

    /// What the next look is to show.
    pub(super) fn watch(&self, now: Moment) -> Option<Watch> {
        match &self.stage {
            ServiceState::Following(following) => Some(following.watch(now)),
            // One that is busy is looked at apart.
            ServiceState::Busy(_) | ServiceState::Waiting(_) | ServiceState::Done => None,
        }
    }

    /// When a poll that began then is over for it, complete or not.
    pub(super) fn look_ends_at(&self, begun: Moment) -> Option<Moment> {
        match &self.stage {
            ServiceState::Following(following) => Some(look_ends_at(begun, following.observer.deadline())),
            // One that is busy is looked at apart.
            ServiceState::Busy(_) | ServiceState::Waiting(_) | ServiceState::Done => None,
        }
    }

    /// When the loop must come back to it at the latest.
    pub(super) fn due_at(&self) -> Option<Moment> {
        match &self.stage {
            ServiceState::Busy(busy) => Some(busy.look_at),
            ServiceState::Following(following) => Some(following.look_at),
            ServiceState::Waiting(_) | ServiceState::Done => None,
        }
    }
}

impl Following {
    pub(super) fn watch(&self, now: Moment) -> Watch {
        let scope = self.observer.scope();
        Watch {
            cluster: scope.cluster.clone(),
            service: scope.service.clone(),
            groups: scope.target_groups.keys().cloned().collect(),
            balancers: if self.observer.wants_routing() {
                scope.load_balancers()
            } else {
                Vec::new()
            },
            managed: scope.managed.clone(),
            ours: Some(scope.deployment.clone()),
            wants_capacity: self.observer.wants_capacity(),
            wants_everything: self.observer.wants_everything(),
            patience: if now >= self.observer.deadline() {
                Patience::Last
            } else {
                Patience::Following
            },
        }
    }
}

impl ServiceState {
    pub(super) fn following(observer: Observer, look_at: Moment) -> Self {
        Self::Following(Box::new(Following {
            observer,
            look_at,
            seen: None,
            back: None,
        }))
    }
}

/// What may be done for a service that waits.
#[derive(Clone, Debug)]
pub(super) enum Turn {
    /// Something that it depends on is not done.
    NotYet,
    Begin,
    /// Something that it depends on did not succeed.
    Never(Outcome),
}

impl Turn {
    pub(super) fn of(member: &Member, all: &[Member]) -> Self {
        let needs = || member.needs.iter().filter_map(|index| all.get(*index));
        let failed = needs().find(|need| need.is_done() && !need.run.verdict().is_success());
        match failed {
            // Where the run is asked to end, that is the reason, and not what became of the others by it.
            Some(failed) if failed.run.verdict() == Verdict::Interrupted => {
                Self::Never(words::interrupted_before_its_turn(&member.run.request))
            }
            Some(failed) => Self::Never(words::left(&member.run.request, &failed.run)),
            None if needs().all(Member::is_done) => Self::Begin,
            None => Self::NotYet,
        }
    }
}

/// Half of the pace of ECS's own scheduler: more often there is nothing new.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The last poll of a run begins where its time is over, or a moment before. An ordinary one takes a fraction of this, and
/// what it shows is worth more than the moment.
pub(super) const LOOK_AT_LEAST: Duration = Duration::from_secs(2);

fn look_ends_at(begun: Moment, deadline: Moment) -> Moment {
    deadline.max(begun + LOOK_AT_LEAST)
}

/// A service whose turn has come, and which is not free.
pub(crate) struct Busy {
    pub(crate) plan: Plan,
    pub(crate) by: Obstacle,
    pub(crate) neighbour: Neighbour,
    pub(crate) poller: Poller,
    pub(crate) since: Moment,
    pub(crate) told_at: Moment,
    pub(crate) blind: Option<ReadOutage>,
    pub look_at: Moment,
}

impl Busy {
    /// What a plan has to wait for before anything is changed.
    pub(crate) fn of(plan: &Plan, survey: &Survey, now: Moment) -> Option<Box<Self>> {
        if plan.request.policy.if_busy != IfBusy::Wait {
            return None;
        }
        let (neighbour, obstacle) = survey.obstacle(plan.is_host_network);
        // Who changes nothing disturbs no drain, and waits for it where it is asked to.
        let by = obstacle.filter(|by| plan.starts_rollout() || matches!(by, Obstacle::Rollout(_)))?;
        Some(Box::new(Self {
            plan: plan.clone(),
            by,
            neighbour,
            poller: Poller::default(),
            since: now,
            told_at: now,
            blind: None,
            look_at: now + LOOK_EVERY,
        }))
    }

    pub(crate) fn told(&self, now: Moment) -> EventKind {
        EventKind::Busy {
            by: self.by.clone(),
            left: self.deadline().since(now),
        }
    }

    /// What a look at it is to show. `is_last`: whether the service begins may hang on it.
    pub(crate) fn watch(&self, is_last: bool) -> Watch {
        Watch {
            cluster: self.plan.request.cluster.clone(),
            service: self.plan.request.service.clone(),
            groups: self.plan.target_groups.keys().cloned().collect(),
            balancers: Vec::new(),
            managed: self.plan.service.managed.clone(),
            ours: None,
            wants_capacity: false,
            wants_everything: is_last,
            patience: Patience::Following,
        }
    }

    pub(super) fn look_ends_at(&self, begun: Moment) -> Moment {
        look_ends_at(begun, self.deadline())
    }

    /// The wait budget is the rollout's: it begins anew with the update.
    pub(crate) fn deadline(&self) -> Moment {
        self.since + self.plan.wait_budget()
    }
}

/// A service that is followed back.
pub(crate) struct RollbackInProgress {
    /// What it goes back from; `None` where going back is all that was asked for.
    pub(crate) first: Option<Outcome>,
    /// The revision that it leaves.
    pub(crate) from: TaskDefinitionArn,
    pub(crate) call: &'static str,
    /// Where it should lead; ECS knows where a rollback of its own does.
    pub(crate) to: Option<TaskDefinitionArn>,
    pub(crate) since: Moment,
}

impl RollbackInProgress {
    pub(crate) fn ending(&self, observer: &Observer, outcome: &Outcome, now: Moment) -> RollbackReport {
        let arrived = observer.back_to().or(self.to.as_ref());
        let to = arrived.map(|to| to.short().to_owned());
        // A redeployment that was complete when somebody else's took over is not what serves any more.
        let is_replaced = observer.replaced_by().is_some() && !observer.is_back();
        if let (Some(arrived), true, false) = (arrived, observer.is_back() || outcome.verdict.is_success(), is_replaced)
        {
            return RollbackReport::Complete {
                to: arrived.short().to_owned(),
                now: observer.back_at(arrived),
                is_empty: observer.wants_no_task(),
            };
        }
        if let Some(by) = observer.replaced_by() {
            return RollbackReport::Replaced {
                call: self.call,
                to,
                by: by.to_owned(),
                serving: observer.serving(),
            };
        }
        let is_of_a_redeployment =
            observer.back_to().is_none() && outcome.verdict == Verdict::Failed && !outcome.is_rolled_back;
        let failure = observer
            .rollback_failure()
            .or_else(|| outcome.findings.first().filter(|_| is_of_a_redeployment).cloned());
        match failure {
            Some(because) if outcome.verdict == Verdict::Failed => RollbackReport::Failed { to, because },
            _ => RollbackReport::UnderWay {
                call: self.call,
                to,
                serving: observer.serving(),
                because: Some(match observer.blind_for(now) {
                    Some(span) => format!("AWS could not be read for {}", human(span)),
                    None => format!("not complete after {}", human(now.since(self.since))),
                }),
            },
        }
    }
}
