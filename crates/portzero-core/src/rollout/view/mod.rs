//! A snapshot read with the question "new or old?": the one place where tasks and targets are sorted.

pub(crate) mod baseline;
pub(crate) mod container_health;
pub(crate) mod deployment_stage;
pub(crate) mod deployment_status;
pub(crate) mod join;
pub(crate) mod limits;
pub mod phase;
pub(crate) mod snapshot;
pub mod success;
pub mod traffic;
pub(crate) mod unseen;
pub mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws_model::service::{
    Deployment, DeploymentConfiguration, ManagedWay, OtherWay, RolloutState, ServiceDeployment,
    ServiceDeploymentStatus, ServiceStatus, WHOLE,
};
use crate::aws_model::target::{TargetHealth, TargetType};
use crate::aws_model::task::{Task, TaskStatus};
use crate::base::id::TaskArn;
use crate::rollout::scope::Scope;
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::snapshot::{Place, Snapshot};

/// What a snapshot says about our rollout. A pure function of the snapshot, the scope and the places known to be old.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// How many tasks the service wants.
    pub desired: u32,
    /// Our deployment's row, where DescribeServices lists it.
    pub ours: Option<&'a Deployment>,
    /// Tasks of ours that run or will run, by ARN.
    pub new_tasks: BTreeMap<&'a TaskArn, &'a Task>,
    /// Tasks of ours that are to stop or have stopped.
    pub ended_tasks: BTreeMap<&'a TaskArn, &'a Task>,
    /// Tasks of any other deployment that have not stopped.
    pub old_tasks: BTreeMap<&'a TaskArn, &'a Task>,
    /// The places of our running tasks, each with the row that stands there.
    pub new_targets: BTreeMap<Place, Option<&'a TargetHealth>>,
    /// The places of our running tasks cannot all be told.
    pub is_join_missing: bool,
    /// Running tasks of ours without an address that their target group could list.
    pub unaddressed: Vec<&'a TaskArn>,
    /// The same, and no permission would help.
    pub is_join_unanswered: bool,
    /// Targets of our own tasks that have ended: only to be told, they decide nothing.
    pub ended_targets: BTreeMap<Place, &'a TargetHealth>,
    /// Targets of any other deployment that are still there.
    pub old_targets: BTreeMap<Place, &'a TargetHealth>,
    /// ECS calls our deployment completed.
    pub is_completed: bool,
    /// How the service deploys.
    pub configuration: Option<&'a DeploymentConfiguration>,
    /// The service deployment of ours, where it may be read.
    pub deployment: Option<&'a ServiceDeployment>,
    /// Ways to the service that are not followed.
    pub other_ways: &'a [OtherWay],
    /// What ECS manages of our revision's ingress.
    pub ways: &'a [ManagedWay],
    /// Traffic shifts in stages, and the old tasks stay beside the new ones meanwhile.
    pub is_staged: bool,
}

impl<'a> View<'a> {
    /// `old_places`: the baseline's, and what earlier snapshots have shown of other deployments' tasks.
    pub fn of(snapshot: &'a Snapshot, scope: &Scope, baseline: &Baseline, old_places: &BTreeSet<Place>) -> Self {
        let mut view = Self::sort_tasks(snapshot, scope);
        view.place_new(snapshot, scope, baseline);
        view.find_old(snapshot, old_places);
        view.find_ended(snapshot, scope);
        view
    }

    fn sort_tasks(snapshot: &'a Snapshot, scope: &Scope) -> Self {
        let service = snapshot.service.as_ref();
        let ours = service.and_then(|s| s.deployment(&scope.deployment));
        let mut view = Self {
            desired: service.map_or(0, |s| s.desired_count),
            ours,
            new_tasks: BTreeMap::new(),
            ended_tasks: BTreeMap::new(),
            old_tasks: BTreeMap::new(),
            new_targets: BTreeMap::new(),
            is_join_missing: false,
            unaddressed: Vec::new(),
            is_join_unanswered: snapshot.are_instances_unanswered,
            ended_targets: BTreeMap::new(),
            old_targets: BTreeMap::new(),
            is_completed: is_completed(snapshot, scope, ours),
            configuration: service.map(|s| &s.configuration),
            deployment: snapshot.service_deployment.as_ref(),
            other_ways: service.map_or(&[], |s| s.other_ways.as_slice()),
            ways: snapshot
                .revision
                .as_ref()
                .map_or(&[], |revision| revision.ways.as_slice()),
            is_staged: service.is_some_and(|s| s.configuration.is_staged()),
        };
        for task in &snapshot.tasks {
            let is_ours = task.started_by.as_ref() == Some(&scope.deployment);
            if is_ours && task.desired_status == TaskStatus::Running && !task.is_stopped() {
                view.new_tasks.insert(&task.arn, task);
            } else if is_ours {
                view.ended_tasks.insert(&task.arn, task);
            } else if !task.is_stopped() {
                view.old_tasks.insert(&task.arn, task);
            }
        }
        view
    }

    fn place_new(&mut self, snapshot: &'a Snapshot, scope: &Scope, baseline: &Baseline) {
        if snapshot.instances.is_none() && scope.target_groups.values().any(|g| g.target_type != TargetType::Ip) {
            // Without container instances nothing can be joined: whatever was not there before is taken for new, and
            // once every old task has stopped, whatever does not drain.
            self.is_join_missing = true;
            let is_old_stopped = self.old_tasks.is_empty();
            for (group, rows) in &snapshot.targets {
                for row in rows {
                    let place = (group.clone(), row.key.clone());
                    let is_draining = row.state.is_draining();
                    if !baseline.places.contains(&place) || (is_old_stopped && !is_draining) {
                        self.new_targets.insert(place, Some(row));
                    }
                }
            }
            return;
        }
        let rows = rows(snapshot);
        for task in self.new_tasks.values() {
            let places = join::places(task, snapshot, scope);
            if places.is_none() && task.last_status == TaskStatus::Running && join::lacks_address(task, scope) {
                self.unaddressed.push(&task.arn);
            }
            for place in places.into_iter().flatten() {
                let row = rows.get(&place).copied();
                self.new_targets.insert(place, row);
            }
        }
    }

    fn find_old(&mut self, snapshot: &'a Snapshot, old_places: &BTreeSet<Place>) {
        for (place, row) in rows(snapshot) {
            if old_places.contains(&place) && !self.new_targets.contains_key(&place) {
                self.old_targets.insert(place, row);
            }
        }
    }

    fn find_ended(&mut self, snapshot: &'a Snapshot, scope: &Scope) {
        let rows = rows(snapshot);
        for task in self.ended_tasks.values() {
            for place in join::places(task, snapshot, scope).into_iter().flatten() {
                let is_taken = self.new_targets.contains_key(&place) || self.old_targets.contains_key(&place);
                if let Some(row) = rows.get(&place).filter(|_| !is_taken) {
                    self.ended_targets.insert(place, row);
                }
            }
        }
    }
}

/// Our deployment is PRIMARY and COMPLETED, and its service deployment SUCCESSFUL where that may be read. Services that
/// have no rollout state (classic load balancers) count as completed when one deployment is left with all it wants.
fn is_completed(snapshot: &Snapshot, scope: &Scope, ours: Option<&Deployment>) -> bool {
    let (Some(service), Some(ours)) = (&snapshot.service, ours) else {
        return false;
    };
    if service.status != ServiceStatus::Active || service.primary().map(|p| &p.id) != Some(&scope.deployment) {
        return false;
    }
    let by_state = match &ours.rollout_state {
        Some(state) => *state == RolloutState::Completed,
        None => service.deployments.len() == 1 && service.running_count == service.desired_count,
    };
    let by_service_deployment = snapshot.service_deployment.as_ref().is_none_or(is_successful);
    by_state && by_service_deployment
}

/// Traffic that is not all there is no success, whatever the status says.
pub(crate) fn is_successful(deployment: &ServiceDeployment) -> bool {
    let is_whole = deployment
        .progress
        .production_traffic
        .is_none_or(|share| share == WHOLE);
    deployment.status == ServiceDeploymentStatus::Successful && is_whole
}

fn rows(snapshot: &Snapshot) -> BTreeMap<Place, &TargetHealth> {
    let mut all = BTreeMap::new();
    for (group, rows) in &snapshot.targets {
        for row in rows {
            all.insert((group.clone(), row.key.clone()), row);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{DeploymentStatus, LoadBalancerBinding, Progress, Service};
    use crate::aws_model::target::{TargetGroup, TargetState, TargetType};
    use crate::aws_model::task::Container;
    use crate::base::id::TargetKey;

    const GROUP: &str = "targetgroup/web/1";

    fn row(port: u16, state: TargetState) -> TargetHealth {
        TargetHealth {
            key: TargetKey::new("i-1", port),
            state,
            reason: None,
            description: None,
        }
    }

    fn deployment() -> Deployment {
        Deployment {
            rollout_state: Some(RolloutState::Completed),
            ..Deployment::plain()
        }
    }

    fn service_deployment(status: ServiceDeploymentStatus, share: Option<u32>) -> ServiceDeployment {
        ServiceDeployment {
            status,
            progress: Progress {
                production_traffic: share,
                ..Progress::default()
            },
            ..ServiceDeployment::plain()
        }
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            service: Some(Service {
                deployments: vec![deployment()],
                ..Service::plain()
            }),
            ..Snapshot::default()
        }
    }

    fn is_completed(change: impl FnOnce(&mut Snapshot)) -> bool {
        let mut shown = snapshot();
        change(&mut shown);
        let (scope, baseline) = (Scope::plain(), Baseline::default());
        View::of(&shown, &scope, &baseline, &BTreeSet::new()).is_completed
    }

    #[test]
    fn completed_is_what_ecs_calls_so_in_every_place_where_it_says_so() {
        use ServiceDeploymentStatus::{InProgress, Successful};
        assert!(is_completed(|_| {}));
        let service = |change: fn(&mut Service)| is_completed(|shown| shown.service.iter_mut().for_each(change));
        assert!(!service(|s| s.status = ServiceStatus::Draining));
        assert!(!service(|s| s.deployments[0].status = DeploymentStatus::Active));
        assert!(!service(
            |s| s.deployments[0].rollout_state = Some(RolloutState::InProgress)
        ));
        let called = |status, share| is_completed(|s| s.service_deployment = Some(service_deployment(status, share)));
        assert!(called(Successful, Some(WHOLE)) && called(Successful, None));
        assert!(!called(InProgress, Some(WHOLE)) && !called(InProgress, None));
        assert!(!called(Successful, Some(900)), "traffic that is not all there");
    }

    #[test]
    fn without_a_rollout_state_one_deployment_with_all_its_tasks_is_completed() {
        let stateless = |change: fn(&mut Service)| {
            is_completed(|shown| {
                let service = shown.service.as_mut().unwrap();
                service.deployments[0].rollout_state = None;
                change(service);
            })
        };
        assert!(stateless(|_| {}));
        assert!(!stateless(|s| s.running_count = 0));
        assert!(!stateless(|s| {
            let mut old = deployment();
            (old.id, old.status) = ("ecs-svc/1".into(), DeploymentStatus::Active);
            s.deployments.push(old);
        }));
    }

    #[test]
    fn where_nothing_can_be_joined_what_was_not_there_before_is_new() {
        let group = TargetGroup {
            arn: GROUP.into(),
            target_type: TargetType::Instance,
            ..TargetGroup::plain()
        };
        let scope = Scope {
            target_groups: BTreeMap::from([(GROUP.into(), group)]),
            ..Scope::plain()
        };
        let was = BTreeSet::from([1, 2].map(|port| (GROUP.into(), TargetKey::new("i-1", port))));
        let baseline = Baseline {
            places: was.clone(),
            ..Baseline::default()
        };
        let mut shown = snapshot();
        let states = [TargetState::Healthy, TargetState::Draining, TargetState::Initial];
        let rows = (1..).zip(states).map(|(port, state)| row(port, state));
        shown.targets.insert(GROUP.into(), rows.collect());
        shown.tasks = vec![Task {
            started_by: Some("ecs-svc/1".into()),
            ..Task::plain()
        }];
        let new = |shown: &Snapshot| {
            let view = View::of(shown, &scope, &baseline, &was);
            assert!(view.is_join_missing);
            view.new_targets.keys().map(|(_, key)| key.port).collect::<Vec<_>>()
        };
        assert_eq!(new(&shown), [3]);
        // No old task is left: what still serves at an old place is a new one that has taken it.
        shown.tasks.clear();
        assert_eq!(new(&shown), [1, 3]);
    }

    #[test]
    fn a_target_counts_without_a_check_only_where_checks_are_switched_off() {
        let (scope, baseline) = (Scope::plain(), Baseline::default());
        let shown = snapshot();
        let mut view = View::of(&shown, &scope, &baseline, &BTreeSet::new());
        let with = |state, reason: &str| TargetHealth {
            reason: Some(reason.into()),
            ..row(1, state)
        };
        let rows = [
            with(TargetState::Unavailable, "Target.HealthCheckDisabled"),
            with(TargetState::Unavailable, "Elb.InternalError"),
            with(TargetState::Unused, "Target.HealthCheckDisabled"),
        ];
        let counted = rows.each_ref().map(|row| {
            let place = (GROUP.into(), row.key.clone());
            view.new_targets = BTreeMap::from([(place, Some(row))]);
            view.unverifiable()
        });
        assert_eq!(counted, [1, 0, 0]);
    }

    #[test]
    fn something_old_leaves_when_a_task_is_to_stop_or_a_target_drains() {
        let (scope, baseline) = (Scope::plain(), Baseline::default());
        let old = |desired_status| Task {
            started_by: Some("ecs-svc/1".into()),
            desired_status,
            ..Task::plain()
        };
        let is_nothing_leaving = |task: TaskStatus, target: TargetState| {
            let mut shown = snapshot();
            shown.tasks = vec![old(task)];
            shown.targets.insert(GROUP.into(), vec![row(1, target)]);
            let places = BTreeSet::from([(GROUP.into(), TargetKey::new("i-1", 1))]);
            View::of(&shown, &scope, &baseline, &places).is_nothing_old_leaving()
        };
        assert!(is_nothing_leaving(TaskStatus::Running, TargetState::Healthy));
        assert!(!is_nothing_leaving(TaskStatus::Stopped, TargetState::Healthy));
        assert!(!is_nothing_leaving(TaskStatus::Running, TargetState::Draining));
        assert!(!is_nothing_leaving(TaskStatus::Stopped, TargetState::Draining));
    }
    #[test]
    fn what_an_ended_task_of_ours_left_is_told_unless_somebody_else_has_it() {
        let scope = Scope {
            bindings: vec![LoadBalancerBinding::plain()],
            ..Scope::plain()
        };
        let baseline = Baseline::default();
        let mut ended = Task {
            last_status: TaskStatus::Stopped,
            ..Task::plain()
        };
        ended.containers.push(Container::at("10.0.0.1"));
        let target = TargetHealth {
            key: TargetKey::new("10.0.0.1", 80),
            ..row(80, TargetState::Draining)
        };
        let mut shown = snapshot();
        shown.tasks = vec![ended.clone()];
        shown.targets.insert(GROUP.into(), vec![target.clone()]);
        let told =
            |shown: &Snapshot, old: &BTreeSet<Place>| View::of(shown, &scope, &baseline, old).ended_targets.len();
        assert_eq!(told(&shown, &BTreeSet::new()), 1);
        let place = (GROUP.into(), target.key.clone());
        assert_eq!(told(&shown, &BTreeSet::from([place])), 0, "it is an old one's");
        shown.tasks.push(Task {
            arn: "task/2".into(),
            last_status: TaskStatus::Running,
            ..ended
        });
        assert_eq!(told(&shown, &BTreeSet::new()), 0, "it is a new one's");
    }
}
