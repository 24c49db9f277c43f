//! Where a rollout stands, and what it is waiting on: pure functions of one view.

use std::collections::BTreeMap;

use crate::aws_model::service::{RolloutState, Stage};
use crate::base::time::Timestamp;
use crate::rollout::scope::{Scope, Until};
use crate::rollout::view::deployment_stage::SeenStage;
use crate::rollout::view::snapshot::Place;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, container_health, deployment_stage};

/// The phases, in the order in which a rollout without batches goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not all new tasks run yet.
    Starting,
    /// They run; their targets are not all healthy yet.
    Registering,
    /// They are healthy, and traffic has yet to shift to them in stages.
    Shifting,
    /// They take all traffic, and the old tasks wait out the bake time.
    Baking,
    /// The new targets take the traffic; old targets or old tasks are left.
    Draining,
    /// Nothing old is left.
    Steady,
}

impl Phase {
    /// The phase that a snapshot shows.
    pub fn of(view: &View, scope: &Scope) -> Self {
        if !view.all_running() {
            Self::Starting
        } else if !view.all_healthy(scope) {
            Self::Registering
        } else if deployment_stage::is_shifting(view) {
            Self::Shifting
        } else if deployment_stage::of(view) == Some(Stage::BakeTime) {
            Self::Baking
        } else if !view.is_old_gone() {
            Self::Draining
        } else {
            Self::Steady
        }
    }

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Registering => "registering",
            Self::Shifting => "shifting",
            Self::Baking => "baking",
            Self::Draining => "draining",
            Self::Steady => "steady",
        }
    }
}

/// What the observer remembers that one snapshot does not show.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When each old target was first seen draining.
    pub draining_since: BTreeMap<Place, Timestamp>,
    /// Since when all new targets have been healthy without a break.
    pub healthy_since: Option<Timestamp>,
    /// The stage of the service deployment, and since when it has been seen.
    pub(crate) stage: Option<SeenStage>,
}

/// Everything that is still missing for success, in the order in which a reader wants it. Empty: done.
pub fn waiting_on(view: &View, scope: &Scope, memory: &Memory, now: Timestamp) -> Vec<WaitingOn> {
    let mut reasons = Vec::new();
    if view.ours.is_none() {
        return vec![WaitingOn::Listing];
    }
    if view.desired > 0 && view.new_tasks.is_empty() && view.ended_tasks.is_empty() {
        let hooks = deployment_stage::hooks(view, now);
        return if hooks.is_empty() {
            vec![WaitingOn::FirstTask]
        } else {
            hooks
        };
    }
    if !view.all_running() {
        reasons.push(tasks(view));
    }
    let is_registered = view.all_registered(scope);
    if scope.until == Until::Registered {
        if view.all_running() && !is_registered {
            reasons.push(targets(view, scope));
        }
        return reasons;
    }
    if !view.all_healthy(scope) {
        // While nothing is registered and tasks are still missing, the targets say nothing that the tasks do not.
        if view.all_running() || view.registered() > 0 {
            reasons.push(targets(view, scope));
        }
    }
    if view.all_running() {
        reasons.extend(container_health::waiting_on(view, scope));
    }
    if reasons.is_empty() {
        reasons.extend(deployment_stage::missing(view, scope, memory.stage.as_ref(), now));
    }
    // While new tasks or targets are missing, the old ones are meant to be there: no need to say so each time.
    if scope.until == Until::Drained && reasons.is_empty() {
        reasons.extend(old(view, scope, memory, now));
        let is_deferred = view.is_completed && view.configuration.is_some_and(|c| c.defers_clean_up);
        if is_deferred && !reasons.is_empty() {
            reasons.push(WaitingOn::DeferredCleanUp);
        }
    }
    let wants_completion = !matches!(scope.until, Until::Stage(_));
    if wants_completion && !view.is_completed && reasons.is_empty() {
        reasons.push(WaitingOn::Completion {
            // COMPLETED is no reason to wait: something else of the answer is not what it must be.
            state: view
                .ours
                .and_then(|d| d.rollout_state.as_ref())
                .filter(|state| **state != RolloutState::Completed)
                .map(|s| s.as_str().to_owned()),
        });
        reasons.extend(alarms(view));
    }
    if reasons.is_empty() {
        reasons.extend(settle(view, scope, memory, now));
    }
    reasons
}

fn tasks(view: &View) -> WaitingOn {
    let others = view
        .new_tasks
        .values()
        .map(|t| t.last_status.as_str())
        .filter(|s| *s != "RUNNING");
    WaitingOn::Tasks {
        running: view.running(),
        desired: view.desired,
        others: tally(others),
    }
}

fn targets(view: &View, scope: &Scope) -> WaitingOn {
    let others = view
        .new_targets
        .values()
        .map(|row| row.map_or("not registered", |r| r.state.as_str()))
        .filter(|state| *state != "healthy");
    WaitingOn::Targets {
        healthy: view.healthy(),
        wanted: view.wanted(scope),
        others: tally(others),
    }
}

fn old(view: &View, scope: &Scope, memory: &Memory, now: Timestamp) -> Vec<WaitingOn> {
    let mut reasons = Vec::new();
    if !view.old_targets.is_empty() {
        let mut at_most = None;
        let mut delay_max = None;
        for place in view.old_targets.keys() {
            let delay = scope.deregistration_delay(&place.0);
            delay_max = delay_max.max(delay);
            if let (Some(since), Some(delay)) = (memory.draining_since.get(place), delay) {
                at_most = at_most.max(Some(delay.saturating_sub(now.since(*since))));
            }
        }
        let draining = view.old_targets.values().filter(|r| r.state.is_draining()).count();
        reasons.push(WaitingOn::OldTargets {
            left: u32::try_from(view.old_targets.len()).unwrap_or(u32::MAX),
            serving: u32::try_from(view.old_targets.len() - draining).unwrap_or(u32::MAX),
            at_most,
            delay: delay_max,
        });
    } else if !view.old_tasks.is_empty() {
        let statuses = tally(view.old_tasks.values().map(|t| t.last_status.as_str()));
        reasons.push(WaitingOn::OldTasks {
            left: u32::try_from(view.old_tasks.len()).unwrap_or(u32::MAX),
            statuses,
        });
    }
    reasons
}

fn settle(view: &View, scope: &Scope, memory: &Memory, now: Timestamp) -> Option<WaitingOn> {
    if view.wanted(scope) == 0 {
        return None;
    }
    let since = memory.healthy_since.unwrap_or(now);
    let left = scope.settle.saturating_sub(now.since(since));
    (!left.is_zero()).then_some(WaitingOn::Settle { left })
}

/// The alarms that a deployment still listens to.
fn alarms(view: &View) -> Option<WaitingOn> {
    let is_monitoring = view.deployment.is_some_and(|d| d.progress.is_monitoring);
    let names = view
        .configuration
        .map(|c| c.watched_alarms().to_vec())
        .unwrap_or_default();
    (is_monitoring && !names.is_empty()).then_some(WaitingOn::Alarms { names })
}

fn tally<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(String, u32)> {
    let mut counts = BTreeMap::<String, u32>::new();
    for word in words {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::aws_model::service::{AlarmWatch, Deployment, Progress, Service, ServiceDeployment};
    use crate::aws_model::task::Task;
    use crate::rollout::view::baseline::Baseline;
    use crate::rollout::view::snapshot::Snapshot;
    use std::time::Duration;

    /// What is waited for where all is there but ECS's word.
    fn unfinished(is_monitoring: bool, names: &[&str]) -> Vec<WaitingOn> {
        let mut service = Service::plain();
        service.configuration.alarms = Some(AlarmWatch {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            enable: true,
            rollback: false,
        });
        service.deployments = vec![Deployment {
            rollout_state: Some(RolloutState::InProgress),
            ..Deployment::plain()
        }];
        let snapshot = Snapshot {
            service: Some(service),
            tasks: vec![Task::plain()],
            service_deployment: Some(ServiceDeployment {
                progress: Progress {
                    is_monitoring,
                    ..Progress::default()
                },
                ..ServiceDeployment::plain()
            }),
            ..Snapshot::default()
        };
        let (scope, baseline) = (Scope::plain(), Baseline::default());
        let view = View::of(&snapshot, &scope, &baseline, &BTreeSet::new());
        waiting_on(&view, &scope, &Memory::default(), Timestamp::from_millis(0))
    }

    #[test]
    fn alarms_are_waited_for_while_ecs_listens_to_any() {
        let state = Some("IN_PROGRESS".to_owned());
        let completion = WaitingOn::Completion { state };
        let names = vec!["web-5xx".to_owned()];
        let alarms = WaitingOn::Alarms { names };
        assert_eq!(unfinished(true, &["web-5xx"]), [completion.clone(), alarms]);
        assert_eq!(unfinished(false, &["web-5xx"]), std::slice::from_ref(&completion));
        assert_eq!(unfinished(true, &[]), [completion]);
    }

    #[test]
    fn a_drain_is_said_with_what_is_left_of_it() {
        let said = |serving, at_most: Option<u64>, delay: Option<u64>| {
            let wait = WaitingOn::OldTargets {
                left: 2,
                serving,
                at_most: at_most.map(Duration::from_secs),
                delay: delay.map(Duration::from_secs),
            };
            wait.to_string()
        };
        assert_eq!(
            said(0, Some(90), Some(300)),
            "2 old targets to drain, at most 1m 30s more (deregistration delay 300 s)"
        );
        assert_eq!(
            said(0, Some(0), Some(300)),
            "2 old targets to drain: past the deregistration delay of 300 s"
        );
        assert_eq!(
            said(0, None, None),
            "2 old targets to drain (deregistration delay not known)"
        );
        assert_eq!(said(2, None, Some(300)), "2 old targets to be taken out of service");
        assert_eq!(
            said(1, Some(90), Some(300)),
            "2 old targets to go: 1 still serving, 1 draining"
        );
    }
}
