//! Where each service of a run stands.

use crate::deploy::busy::Busy;
use crate::deploy::going_back::Back;
use crate::deploy::last_words::Wanted;
use crate::deploy::{ServiceRun, words};
use crate::id::TaskDefinitionArn;
use crate::plan::Plan;
use crate::preflight::Survey;
use crate::rollout::{Observer, Outcome, Snapshot, Verdict};
use crate::survey::Watch;
use crate::time::Timestamp;

/// One service of the run.
pub(super) struct Member {
    /// The places of the services that it depends on.
    pub needs: Vec<usize>,
    pub stage: Stage,
    /// What it leaves so far.
    pub run: ServiceRun,
    /// What the service ran well before this run: where a way back may lead.
    pub good: Option<TaskDefinitionArn>,
    /// Whose log may explain the outcome.
    pub last_words: Option<Wanted>,
}

/// The states of a service, in their order. Each turn of the loop takes a service at most from one to the next.
pub(super) enum Stage {
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
    pub look_at: Timestamp,
    /// What was seen last, where the run may have to go back from it.
    pub seen: Option<Snapshot>,
    /// Set where the service is taken back to what ran before.
    pub back: Option<Box<Back>>,
}

impl Member {
    pub(super) fn planned(plan: Plan, survey: Survey, needs: Vec<usize>, at: Timestamp) -> Self {
        let run = ServiceRun::refused(plan.wish.clone(), Some(plan.clone()), Vec::new(), at);
        Self {
            needs,
            stage: Stage::Waiting(Box::new((plan, survey))),
            run,
            good: None,
            last_words: None,
        }
    }

    pub(super) fn followed(run: ServiceRun, observer: Observer, at: Timestamp) -> Self {
        Self {
            needs: Vec::new(),
            stage: Stage::following(observer, at),
            run,
            good: None,
            last_words: None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_))
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// What the next look is to show.
    pub(super) fn watch(&self) -> Option<Watch> {
        match &self.stage {
            Stage::Following(following) => Some(following.watch()),
            // One that is busy is looked at apart.
            Stage::Busy(_) | Stage::Waiting(_) | Stage::Done => None,
        }
    }

    /// When the loop must come back to it at the latest.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Busy(busy) => Some(busy.look_at),
            Stage::Following(following) => Some(following.look_at),
            Stage::Waiting(_) | Stage::Done => None,
        }
    }
}

impl Following {
    pub(super) fn watch(&self) -> Watch {
        let scope = self.observer.scope();
        Watch {
            cluster: scope.cluster.clone(),
            service: scope.service.clone(),
            groups: scope.target_groups.keys().cloned().collect(),
            ours: Some(scope.deployment.clone()),
            wants_capacity: self.observer.wants_capacity(),
            wants_everything: self.observer.wants_everything(),
        }
    }
}

impl Stage {
    pub(super) fn following(observer: Observer, look_at: Timestamp) -> Self {
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
        let failed = needs().find(|need| need.is_done() && !need.run.outcome.verdict.is_success());
        match failed {
            // Where the run is asked to end, that is the reason, and not what became of the others by it.
            Some(failed) if failed.run.outcome.verdict == Verdict::Interrupted => {
                Self::Never(words::interrupted_before_its_turn(&member.run.wish))
            }
            Some(failed) => Self::Never(words::left(&member.run.wish, &failed.run)),
            None if needs().all(Member::is_done) => Self::Begin,
            None => Self::NotYet,
        }
    }
}
