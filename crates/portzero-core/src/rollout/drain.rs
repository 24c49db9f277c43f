//! The deployment that a service is at, as somebody sees it who wants to deploy after it: what is left of its drain, and
//! whether its tasks fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::aws_model::service::{Deployment, RolloutState, Service};
use crate::aws_model::target::TargetGroup;
use crate::base::id::{DeploymentId, TargetGroupArn, TaskDefinitionArn};
use crate::base::time::Moment;
use crate::rollout::cause::diagnose::Evidence;
use crate::rollout::observer::status_view::draining_since;
use crate::rollout::scope::{Needs, Scope, Until};
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::phase::Memory;
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, join, success};
use crate::rollout::words::last_look::waiting_line;

/// Somebody else's deployment of the service, looked at again and again.
#[derive(Clone, Debug, Default)]
pub struct Neighbour {
    target_groups: BTreeMap<TargetGroupArn, TargetGroup>,
    is_host_network: bool,
    /// Where the tasks that it replaces have been seen.
    old_places: BTreeSet<Place>,
    memory: Memory,
}

/// A deployment is complete, and what it replaced has not gone yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Drain {
    /// The deployment.
    pub deployment: DeploymentId,
    /// The revision that it has rolled out.
    pub revision: TaskDefinitionArn,
    /// What is left.
    pub left: Vec<WaitingOn>,
}

impl Neighbour {
    /// Of a service with those target groups.
    pub fn of(target_groups: &BTreeMap<TargetGroupArn, TargetGroup>, is_host_network: bool) -> Self {
        Self {
            target_groups: target_groups.clone(),
            is_host_network,
            ..Self::default()
        }
    }

    /// What is left to drain behind the PRIMARY deployment, where ECS calls that completed.
    pub fn drain(&mut self, snapshot: &Snapshot, now: Moment) -> Option<Drain> {
        let service = snapshot.service.as_ref()?;
        let primary = service.primary()?;
        let scope = self.scope(service, primary);
        for task in &snapshot.tasks {
            if task.started_by.as_ref() != Some(&primary.id) {
                self.old_places.extend(join::old_places(task, snapshot, &scope));
            }
        }
        let baseline = Baseline::default();
        let view = View::of(snapshot, &scope, &baseline, &self.old_places);
        if !view.is_completed {
            return None;
        }
        self.note_drains(&view, service, &scope, now);
        let left = success::old(&view, &scope, &self.memory, now);
        (!left.is_empty()).then(|| Drain {
            deployment: primary.id.clone(),
            revision: primary.task_definition.clone(),
            left,
        })
    }

    /// Since when each target drains: since it was seen first, or since ECS's events say so, where the clocks agree.
    fn note_drains(&mut self, view: &View, service: &Service, scope: &Scope, now: Moment) {
        self.memory
            .draining_since
            .retain(|place, _| view.old_targets.contains_key(place));
        let drains = view.old_targets.iter().filter(|(_, row)| row.state.is_draining());
        for (place, _) in drains {
            let delay = scope.deregistration_delay(&place.0).unwrap_or_default();
            let drained_for = draining_since(service).and_then(|since| since.ago(now));
            let since = now - drained_for.filter(|span| *span <= delay).unwrap_or_default();
            self.memory.draining_since.entry(place.clone()).or_insert(since);
        }
    }

    /// How many tasks of the PRIMARY deployment are known to have failed, and the likely cause in a sentence.
    pub fn failures(&self, snapshot: &Snapshot, now: Moment) -> Option<(u32, String)> {
        let service = snapshot.service.as_ref()?;
        let primary = service.primary()?;
        let scope = self.scope(service, primary);
        let view = View::of(snapshot, &scope, &Baseline::default(), &self.old_places);
        let mut evidence = Evidence::default();
        evidence.collect(now, snapshot, &view, &scope);
        let count = u32::try_from(evidence.failures()).unwrap_or(u32::MAX);
        let cause = evidence.likely_cause(&scope).filter(|_| count > 0)?;
        Some((count, cause.summary))
    }

    /// As if its deployment were followed to its end.
    fn scope(&self, service: &Service, primary: &Deployment) -> Scope {
        let completed = |d: &&Deployment| d.id != primary.id && d.rollout_state == Some(RolloutState::Completed);
        Scope {
            cluster: service.cluster.clone(),
            service: service.name.clone(),
            deployment: primary.id.clone(),
            task_definition: primary.task_definition.clone(),
            previous: service
                .deployments
                .iter()
                .find(completed)
                .map(|d| d.task_definition.clone()),
            good: None,
            bindings: service.load_balancers.clone(),
            managed: service.managed.clone(),
            target_groups: self.target_groups.clone(),
            is_host_network: self.is_host_network,
            needs: Needs::default(),
            until: Until::Drained,
            settle: Duration::ZERO,
            wait_budget: Duration::ZERO,
        }
    }
}

/// `2 old targets to drain, at most 4m 50s more (deregistration delay 300 s)`.
impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&waiting_line(&self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::LoadBalancerBinding;
    use crate::aws_model::target::{TargetHealth, TargetState};
    use crate::aws_model::task::{Task, TaskStatus};

    const GROUP: &str = "targetgroup/web/1";
    const OURS: &str = "ecs-svc/2";

    /// web:2 is complete with one task; one of web:1 leaves.
    fn draining(state: RolloutState) -> Snapshot {
        let deployment = Deployment {
            id: OURS.into(),
            rollout_state: Some(state),
            ..Deployment::plain()
        };
        let service = Service {
            deployments: vec![deployment],
            load_balancers: vec![LoadBalancerBinding::plain()],
            ..Service::plain()
        };
        let mut old = Task::of("b", "ecs-svc/1", "10.0.0.2");
        (old.last_status, old.desired_status) = (TaskStatus::Deactivating, TaskStatus::Stopped);
        let row = |ip: &str, state| TargetHealth::plain(ip, state);
        let rows = vec![
            row("10.0.0.1", TargetState::Healthy),
            row("10.0.0.2", TargetState::Draining),
        ];
        Snapshot {
            service: Some(service),
            tasks: vec![Task::of("a", OURS, "10.0.0.1"), old],
            targets: BTreeMap::from([(GROUP.into(), rows)]),
            ..Snapshot::default()
        }
    }

    fn neighbour() -> Neighbour {
        let group = TargetGroup {
            arn: GROUP.into(),
            deregistration_delay: Some(Duration::from_secs(300)),
            ..TargetGroup::plain()
        };
        Neighbour::of(&BTreeMap::from([(GROUP.into(), group)]), false)
    }

    fn at(second: i64) -> Moment {
        Moment::from_millis(second * 1000)
    }

    #[test]
    fn a_drain_lasts_until_the_last_old_task_has_stopped() {
        let (mut neighbour, mut shown) = (neighbour(), draining(RolloutState::Completed));
        let drain = neighbour.drain(&shown, at(0)).expect("a drain");
        assert_eq!(
            drain.to_string(),
            "1 old target to drain, at most 5m more (deregistration delay 300 s)"
        );
        let later = neighbour.drain(&shown, at(60)).expect("a drain");
        assert!(later.to_string().contains("at most 4m more"), "{later}");
        // The target has gone, and its task ends.
        shown.targets.clear();
        let left = neighbour.drain(&shown, at(310)).map(|drain| drain.to_string());
        assert!(left.is_some_and(|left| left.contains("1 old task")));
        shown.tasks[1].last_status = TaskStatus::Stopped;
        assert_eq!(neighbour.drain(&shown, at(320)), None);
    }

    #[test]
    fn only_a_completed_deployment_drains_and_none_that_goes_on_or_failed() {
        for state in [RolloutState::InProgress, RolloutState::Failed] {
            assert_eq!(neighbour().drain(&draining(state), at(0)), None);
        }
    }

    #[test]
    fn tasks_of_the_same_deployment_that_leave_are_no_drain() {
        let mut shown = draining(RolloutState::Completed);
        shown.tasks[1].started_by = Some(OURS.into());
        assert_eq!(neighbour().drain(&shown, at(0)), None);
    }
}
