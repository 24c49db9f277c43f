//! What success asks for, and its arithmetic: pure functions of one view. Nothing else decides what is missing.

use std::collections::BTreeMap;

use crate::aws_model::service::{ManagedWay, RolloutState, Stage, WayStatus};
use crate::aws_model::target::{TargetHealth, TargetState};
use crate::aws_model::task::{Task, TaskStatus};
use crate::base::time::Moment;
use crate::rollout::scope::{Scope, Until};
use crate::rollout::view::phase::Memory;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, container_health, deployment_stage};

/// What success asks for. docs/success.md has the same table, and is held against this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// As many new tasks run as the service wants.
    Running,
    /// All of them are registered in all their target groups.
    Registered,
    /// All their targets are healthy.
    Healthy,
    /// What ECS manages of the ingress is ACTIVE.
    Ways,
    /// Their container health checks are HEALTHY.
    ContainerChecks,
    /// The stages of a traffic shift are behind.
    Stages,
    /// No old task and no old target is left.
    OldGone,
    /// ECS calls the deployment completed.
    Completed,
    /// All of that has lasted.
    Settled,
    /// The load balancers send the production traffic to the new targets.
    Traffic,
}

impl Asked {
    /// In the order in which a run asks.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Registered,
        Self::Healthy,
        Self::Ways,
        Self::ContainerChecks,
        Self::Stages,
        Self::OldGone,
        Self::Completed,
        Self::Settled,
        Self::Traffic,
    ];

    /// Whether a run that follows until there asks for it.
    pub fn is_asked(self, until: Until) -> bool {
        match self {
            Self::Running | Self::Registered => true,
            Self::Healthy | Self::Ways | Self::ContainerChecks | Self::Stages | Self::Settled => {
                until != Until::Registered
            }
            Self::OldGone => until == Until::Drained,
            Self::Completed => matches!(until, Until::Healthy | Until::Drained),
            // Before that stage the traffic is not meant to be there.
            Self::Traffic => match until {
                Until::Registered => false,
                Until::Stage(goal) => goal >= Stage::PostProductionTrafficShift,
                Until::Healthy | Until::Drained => true,
            },
        }
    }
}

/// Whether success asks where the requests go: where a load balancer sends any, and they are meant to be there.
pub(crate) fn asks_for_traffic(scope: &Scope) -> bool {
    Asked::Traffic.is_asked(scope.until) && !scope.load_balancers().is_empty()
}

impl View<'_> {
    /// How many new tasks run and are to go on running.
    pub fn running(&self) -> u32 {
        count(self.new_tasks.values().filter(|t| t.last_status == TaskStatus::Running))
    }

    /// New targets that the load balancer calls healthy.
    pub fn healthy(&self) -> u32 {
        count(
            self.new_targets
                .values()
                .filter(|row| row.is_some_and(|r| r.state == TargetState::Healthy)),
        )
    }

    /// New targets whose health checks are switched off: nobody can say whether they are healthy.
    pub(crate) fn unverifiable(&self) -> u32 {
        count(self.new_targets.values().filter(|row| row.is_some_and(is_unverifiable)))
    }

    /// New targets that the load balancer lists at all.
    pub fn registered(&self) -> u32 {
        let is_in = |row: &&&TargetHealth| {
            use TargetState::{Healthy, Initial, Unavailable, Unhealthy};
            matches!(row.state, Initial | Healthy | Unhealthy | Unavailable)
        };
        count(self.new_targets.values().flatten().filter(is_in))
    }

    /// How many targets the rollout wants in the end.
    pub fn wanted(&self, scope: &Scope) -> u32 {
        self.desired
            .saturating_mul(u32::try_from(scope.places_per_task()).unwrap_or(u32::MAX))
    }

    pub(crate) fn all_running(&self) -> bool {
        self.running() >= self.desired
    }

    /// Every running task of ours has all its targets, each of them healthy (or not verifiable, by configuration).
    pub(crate) fn all_healthy(&self, scope: &Scope) -> bool {
        let good = self.healthy() + self.unverifiable();
        self.all_running() && good >= self.wanted(scope) && good as usize == self.new_targets.len()
    }

    /// Every running task of ours, one too many included, has all its targets.
    pub(crate) fn all_registered(&self, scope: &Scope) -> bool {
        let registered = self.registered();
        self.all_running() && registered >= self.wanted(scope) && registered as usize == self.new_targets.len()
    }

    /// No old task has been told to stop, and no old target drains.
    pub(crate) fn is_nothing_old_leaving(&self) -> bool {
        let is_draining = |row: &&TargetHealth| row.state.is_draining();
        let is_stopping = |task: &&Task| task.desired_status == TaskStatus::Stopped;
        !self.old_targets.values().copied().any(|row| is_draining(&row))
            && !self.old_tasks.values().copied().any(|task| is_stopping(&task))
    }

    pub(crate) fn is_old_gone(&self) -> bool {
        self.old_targets.is_empty() && self.old_tasks.is_empty()
    }
}

/// Everything that is still missing for success, in the order in which a reader wants it. Empty: done, but for the traffic,
/// which is asked for last and once (`observer/traffic.rs`).
pub fn waiting_on(view: &View, scope: &Scope, memory: &Memory, now: Moment) -> Vec<WaitingOn> {
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
    if !Asked::Healthy.is_asked(scope.until) {
        if view.all_running() && !is_registered {
            reasons.extend(addresses(view));
            reasons.push(targets(view, scope));
        }
        return reasons;
    }
    if !view.all_healthy(scope) {
        // While nothing is registered and tasks are still missing, the targets say nothing that the tasks do not.
        if view.all_running() || view.registered() > 0 {
            reasons.extend(addresses(view));
            reasons.push(targets(view, scope));
        }
    }
    if view.all_running() {
        reasons.extend(view.ways.iter().filter_map(way));
        reasons.extend(container_health::waiting_on(view, scope));
    }
    let early = early_success(view).filter(|_| !reasons.is_empty());
    reasons.extend(early);
    if reasons.is_empty() {
        reasons.extend(deployment_stage::missing(view, scope, memory.stage.as_ref(), now));
    }
    // While new tasks or targets are missing, the old ones are meant to be there: no need to say so each time.
    if Asked::OldGone.is_asked(scope.until) && reasons.is_empty() {
        reasons.extend(old(view, scope, memory, now));
        let is_deferred = view.is_completed && view.configuration.is_some_and(|c| c.defers_clean_up);
        if is_deferred && !reasons.is_empty() {
            reasons.push(WaitingOn::DeferredCleanUp);
        }
    }
    if Asked::Completed.is_asked(scope.until) && !view.is_completed && reasons.is_empty() {
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

fn addresses(view: &View) -> Option<WaitingOn> {
    let unknown = u32::try_from(view.unaddressed.len()).unwrap_or(u32::MAX);
    (unknown > 0).then_some(WaitingOn::Addresses { unknown })
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

fn way(way: &ManagedWay) -> Option<WaitingOn> {
    (way.status != WayStatus::Active).then(|| WaitingOn::Way {
        name: way.name(),
        what: way.what(),
        status: way.status.as_str().to_owned(),
    })
}

/// ECS calls the deployment successful already, at a share of its tasks.
fn early_success(view: &View) -> Option<WaitingOn> {
    let percent = view.configuration?.early_success.filter(|_| view.is_completed)?;
    Some(WaitingOn::EarlySuccess { percent })
}

/// What is left of the old targets and tasks.
pub(crate) fn old(view: &View, scope: &Scope, memory: &Memory, now: Moment) -> Vec<WaitingOn> {
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

/// What is left of the time for which the new targets must have been healthy.
pub(crate) fn settle(view: &View, scope: &Scope, memory: &Memory, now: Moment) -> Option<WaitingOn> {
    if let Some(end) = memory.own_end {
        let span = scope.settle.max(end.lived + end.poll);
        let left = span.saturating_sub(now.since(end.steady_since));
        if !left.is_zero() {
            let lived = end.lived;
            return Some(WaitingOn::Outlive { lived, left });
        }
    }
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

fn is_unverifiable(row: &TargetHealth) -> bool {
    row.state == TargetState::Unavailable && row.reason.as_deref() == Some("Target.HealthCheckDisabled")
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
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
        waiting_on(&view, &scope, &Memory::default(), Moment::from_millis(0))
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
