//! The truth about a deployment: what an observer ought to find out, read off the world itself.

use std::collections::BTreeSet;
use std::time::Duration;

use super::strategy::WHOLE;
use super::world::World;
use crate::model::state::{Deployment, LoadBalancerBinding, Service, Task};
use crate::model::status::{DeploymentStatus, RolloutState, TargetState, TaskStatus};
use crate::timestamp::Timestamp;

/// How a deployment really stands at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroundTruth {
    /// The deployment is the service's PRIMARY one.
    pub is_primary: bool,
    /// Its rollout state is COMPLETED.
    pub is_completed: bool,
    /// Tasks of the deployment that run and are wanted to.
    pub new_running: u32,
    /// The service's desired count.
    pub desired: u32,
    /// Every load-balanced port of every running new task is a registered target of that very task, in whatever state
    /// but draining.
    pub new_targets_registered: bool,
    /// The same, and it is healthy; where nobody checks health it is `unavailable`, and takes its traffic.
    pub new_targets_healthy: bool,
    /// Targets in the service's groups that belong to no task of the deployment, draining ones included. Those of other
    /// services' tasks, which may share a group, are none of them.
    pub old_targets_left: usize,
    /// Tasks of other deployments that are not STOPPED.
    pub old_tasks_left: usize,
    /// The deployment has failed and an older one has taken its place, or is about to.
    pub rolled_back: bool,
    /// The share of the production traffic that it gets, in tenths of a percent; `None` where no traffic shifts.
    pub traffic: Option<u32>,
    /// The stage that it is in, of those that traffic shifts have.
    pub stage: Option<String>,
    /// The listeners' rules send the production traffic to its healthy targets, and none of it to where nobody answers.
    pub routed: bool,
    /// The id of a pause that waits for somebody.
    pub paused_at: Option<String>,
    /// Another deployment was made after it.
    pub superseded: bool,
    /// When a task of the deployment last ended by itself after it was RUNNING: an essential container ended, or failed
    /// its container health check. That ECS, somebody or the infrastructure stops a task is none of that.
    pub last_own_end: Option<Timestamp>,
    /// The longest that such a task was RUNNING.
    pub longest_life: Duration,
}

impl GroundTruth {
    /// The rollout is over and good: the new tasks serve alone. There may be one too many for a moment, when a task
    /// recovers whose replacement has been started already: the scheduler stops the surplus at its next look.
    pub fn is_done(&self) -> bool {
        self.is_complete() && self.old_targets_left == 0 && self.old_tasks_left == 0
    }

    /// The new tasks serve as they are to, and ECS calls the deployment completed: what is left is at most a drain. Whoever
    /// deploys from here on takes over from a rollout that was good.
    pub fn is_complete(&self) -> bool {
        self.is_primary
            && self.is_completed
            && self.desired > 0
            && self.new_running >= self.desired
            && self.traffic.is_none_or(|share| share == WHOLE)
            && self.routed
            && self.new_targets_healthy
    }

    /// No task has ended by itself for this long, nor for as long as the longest of those lived: until then nothing
    /// tells the tasks that run from those that have ended.
    pub fn is_quiet(&self, settle: Duration, now: Timestamp) -> bool {
        let span = settle.max(self.longest_life);
        self.last_own_end.is_none_or(|at| now.since(at) >= span)
    }
}

impl World {
    /// The truth about one deployment of a service; all zero where there is no such service.
    pub fn ground_truth(&self, cluster: &str, service: &str, deployment_id: &str) -> GroundTruth {
        let Some(found) = self.service(cluster, service) else {
            return GroundTruth::default();
        };
        let own = found.deployments.iter().find(|d| d.id == deployment_id);
        let is_primary = own.is_some_and(|d| d.status == DeploymentStatus::Primary);
        let tasks: Vec<&Task> = self.tasks_of(cluster, service).collect();
        let is_new = |task: &&&Task| task.started_by == deployment_id;
        let running: Vec<&&Task> = tasks
            .iter()
            .filter(is_new)
            .filter(|t| t.last_status == TaskStatus::Running && t.desired_status == TaskStatus::Running)
            .collect();
        let groups = groups_of(found);
        let targets = || groups.iter().filter_map(|arn| self.group(arn)).flat_map(|g| &g.targets);
        let is_of_new = |task: &Option<String>| tasks.iter().filter(is_new).any(|t| Some(&t.id) == task.as_ref());
        let is_foreign = |task: &Option<String>| self.is_foreign(cluster, service, task.as_deref());
        let service_deployment = found
            .service_deployments
            .iter()
            .position(|d| d.deployment_id == deployment_id);
        let went_back =
            service_deployment.is_some_and(|place| found.service_deployments[place].status.is_of_rollback());
        let progress = service_deployment.map(|place| &found.service_deployments[place].progress);
        let own_ends = || tasks.iter().filter(is_new).filter_map(|task| self.own_end(task));
        GroundTruth {
            is_primary,
            is_completed: own.is_some_and(|d: &Deployment| d.rollout_state == RolloutState::Completed),
            new_running: u32::try_from(running.len()).unwrap_or(u32::MAX),
            desired: found.desired_count,
            new_targets_registered: running
                .iter()
                .all(|task| self.has_targets(cluster, task, |state| *state != TargetState::Draining)),
            new_targets_healthy: running
                .iter()
                .all(|task| self.has_targets(cluster, task, TargetState::counts_as_healthy)),
            old_targets_left: targets()
                .filter(|target| !is_of_new(&target.task) && !is_foreign(&target.task))
                .count(),
            old_tasks_left: tasks
                .iter()
                .filter(|t| t.started_by != deployment_id && t.last_status != TaskStatus::Stopped)
                .count(),
            rolled_back: went_back,
            traffic: self.production_share(found, deployment_id),
            routed: self.is_routed(cluster, found, deployment_id),
            stage: progress.and_then(|progress| progress.stage.clone()),
            paused_at: progress.and_then(|progress| {
                let paused = progress.hooks.iter().find(|hook| hook.status == "AWAITING_ACTION");
                paused.map(|hook| hook.id.clone())
            }),
            superseded: service_deployment.is_some_and(|place| place > 0),
            last_own_end: own_ends().map(|(at, _)| at).max(),
            longest_life: own_ends().map(|(_, life)| life).max().unwrap_or_default(),
        }
    }

    /// When a task that was RUNNING ended by itself, and how long it had been.
    fn own_end(&self, task: &Task) -> Option<(Timestamp, Duration)> {
        let at = self.task_runtimes.get(&task.id)?.ended_itself_at?;
        Some((at, at.since(task.started_at?)))
    }

    /// Whether a target belongs to a task of another service.
    fn is_foreign(&self, cluster: &str, service: &str, task: Option<&str>) -> bool {
        let Some(id) = task else { return false };
        let is_others = |home: &str, task: &Task| home != cluster || task.service != service;
        let mut homes = self.account.clusters.iter();
        homes.any(|(home, found)| found.tasks.get(id).is_some_and(|task| is_others(home, task)))
    }

    fn has_targets(&self, cluster: &str, task: &Task, is_such: impl Fn(&TargetState) -> bool) -> bool {
        let bindings = self.bindings_of(cluster, task).iter();
        let wanted = bindings.filter_map(LoadBalancerBinding::key);
        let registered = self
            .task_runtimes
            .get(&task.id)
            .map(|runtime| runtime.targets.as_slice())
            .unwrap_or_default();
        registered.len() >= wanted.count()
            && registered.iter().all(|(arn, id, port, _)| {
                self.group(arn).is_some_and(|group| {
                    group.targets.iter().any(|t| {
                        &t.id == id && t.port == *port && is_such(&t.state) && t.task.as_deref() == Some(&task.id)
                    })
                })
            })
    }
}

/// The keys of the service's groups. Of a service whose traffic shifts both groups: what drains in the one is as old as
/// what drains in the other.
fn groups_of(service: &Service) -> BTreeSet<String> {
    let both = |binding: &LoadBalancerBinding| {
        let advanced = binding.advanced.as_ref();
        [
            binding.key(),
            advanced.map(|advanced| advanced.alternate_target_group_arn.clone()),
        ]
    };
    service.load_balancers.iter().flat_map(both).flatten().collect()
}
