//! One look at a service, sorted for people: who runs, who is registered where, and what leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::service::{Deployment, Service, ServiceEvent};
use crate::aws_model::target::TargetState;
use crate::aws_model::task::Task;
use crate::base::id::{DeploymentId, TargetGroupArn, TargetKey, TaskArn, TaskDefinitionArn};
use crate::base::time::{Moment, Timestamp};
use crate::rollout::cause::service_event;
use crate::rollout::scope::Scope;
use crate::rollout::view::join;
use crate::rollout::view::snapshot::{Place, Snapshot};

/// How many unusual events are worth a look.
const EVENTS_MAX: usize = 5;

/// A service in one look, sorted for people.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusView {
    /// By revision and deployment, those that have not stopped.
    pub tasks: Vec<Crew>,
    /// The targets of each target group.
    pub groups: Vec<(TargetGroupArn, Vec<Row>)>,
    /// No task names its deployment in `startedBy`: tasks are told apart by their revision.
    pub is_told_by_revision: bool,
    /// Service events that an ordinary rollout does not have, newest first.
    pub events: Vec<ServiceEvent>,
}

/// The tasks of one deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Crew {
    /// The revision that they run.
    pub task_definition: TaskDefinitionArn,
    /// The deployment that started them; absent for tasks that no service runs.
    pub deployment: Option<DeploymentId>,
    /// (status, how many); a running task that is to stop counts as `RUNNING, to be stopped`.
    pub statuses: BTreeMap<String, u32>,
}

/// A row of a target group, with the task behind it where it can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Who is registered.
    pub key: TargetKey,
    /// What the load balancer holds of it.
    pub state: TargetState,
    /// AWS's code for the state.
    pub reason: Option<String>,
    /// AWS's sentence on the state.
    pub description: Option<String>,
    /// The task that stands behind it, where one is known.
    pub task: Option<TaskArn>,
    /// The revision of that task.
    pub task_definition: Option<TaskDefinitionArn>,
    /// The deployment of that task.
    pub deployment: Option<DeploymentId>,
    /// Its task is of another deployment than the PRIMARY one.
    pub is_old: bool,
    /// About how long a draining target can still take, where that can be told.
    pub left: Option<Duration>,
}

impl StatusView {
    /// Sorts one look; `now` is when it was taken.
    pub fn of(service: &Service, snapshot: &Snapshot, scope: &Scope, now: Moment) -> Self {
        let owners = owners(snapshot, scope);
        let draining_since = draining_since(service);
        let primary = service.primary().map(|d| d.id.clone());
        let groups = snapshot.targets.iter().map(|(group, rows)| {
            let rows = rows.iter().map(|row| {
                let owner = owners.get(&(group.clone(), row.key.clone()));
                let drains = row.state.is_draining() && owner.is_some();
                let delay = scope.deregistration_delay(group).filter(|_| drains);
                Row {
                    key: row.key.clone(),
                    state: row.state.clone(),
                    reason: row.reason.clone(),
                    description: row.description.clone(),
                    task: owner.map(|task| task.arn.clone()),
                    task_definition: owner.map(|task| task.task_definition.clone()),
                    deployment: owner.and_then(|task| task.started_by.clone()),
                    is_old: owner.is_some_and(|task| task.started_by != primary),
                    left: delay
                        .zip(draining_since)
                        .and_then(|(delay, since)| left(delay, since, now)),
                }
            });
            let mut rows: Vec<Row> = rows.collect();
            rows.sort_by(|a, b| (&a.state, &a.key).cmp(&(&b.state, &b.key)));
            (group.clone(), rows)
        });
        let since = events_since(service);
        let is_recent = |event: &&ServiceEvent| event.created_at.zip(since).is_none_or(|(at, since)| at >= since);
        let recent = service.events.iter().filter(is_recent);
        let unusual = recent.filter(|e| service_event::is_unusual(&e.message));
        Self {
            tasks: crews(service, snapshot),
            groups: groups.collect(),
            is_told_by_revision: snapshot.is_told_by_revision,
            events: unusual.take(EVENTS_MAX).cloned().collect(),
        }
    }
}

/// Who stands at which place. A stopped task has a place only while nobody else has it.
fn owners<'a>(snapshot: &'a Snapshot, scope: &Scope) -> BTreeMap<Place, &'a Task> {
    let mut owners = BTreeMap::new();
    let (stopped, alive): (Vec<&Task>, Vec<&Task>) = snapshot.tasks.iter().partition(|t| t.is_stopped());
    for task in stopped.into_iter().chain(alive) {
        for place in join::places(task, snapshot, scope).into_iter().flatten() {
            owners.insert(place, task);
        }
    }
    owners
}

/// From when on events are about what the service is at: the beginning of the PRIMARY deployment. What ECS goes back to is
/// older than what it goes back from.
fn events_since(service: &Service) -> Option<Timestamp> {
    let goes_back = service.deployments.iter().any(Deployment::began_as_rollback);
    service.primary().filter(|_| !goes_back)?.created_at
}

/// What is left of the delay. The beginning is in AWS's time and now in the reader's, so this is for people and decides
/// nothing; where more than the delay seems to have passed, nothing is known.
fn left(delay: Duration, since: Timestamp, now: Moment) -> Option<Duration> {
    delay.checked_sub(since.ago(now)?)
}

/// When ECS last began to drain, by its events: every target that drains began then or before.
pub(crate) fn draining_since(service: &Service) -> Option<Timestamp> {
    let drains = |event: &&ServiceEvent| event.message.contains("has begun draining connections");
    service.events.iter().filter(drains).filter_map(|e| e.created_at).max()
}

fn crews(service: &Service, snapshot: &Snapshot) -> Vec<Crew> {
    let mut crews = BTreeMap::<(Option<DeploymentId>, TaskDefinitionArn), BTreeMap<String, u32>>::new();
    for task in snapshot.tasks.iter().filter(|t| !t.is_stopped()) {
        let crew = crews.entry((task.started_by.clone(), task.task_definition.clone()));
        let status = task.last_status.as_str();
        let leaves = status == "RUNNING" && task.desired_status.as_str() == "STOPPED";
        let status = if leaves { "RUNNING, to be stopped" } else { status };
        *crew.or_default().entry(status.to_owned()).or_default() += 1;
    }
    let mut crews: Vec<Crew> = crews
        .into_iter()
        .map(|((deployment, task_definition), statuses)| Crew {
            task_definition,
            deployment,
            statuses,
        })
        .collect();
    // In the order in which ECS lists the deployments: the PRIMARY first.
    let place = |crew: &Crew| {
        let mut listed = service.deployments.iter();
        listed
            .position(|d| Some(&d.id) == crew.deployment.as_ref())
            .unwrap_or(usize::MAX)
    };
    crews.sort_by_key(place);
    crews
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{DeploymentStatus, LoadBalancerBinding, RolloutState};
    use crate::aws_model::target::{TargetGroup, TargetHealth};
    use crate::aws_model::task::TaskStatus;

    #[test]
    fn what_is_left_of_a_drain_is_told_only_where_the_clocks_agree() {
        let begun = Timestamp::from_millis(100_000);
        let left_at = |second: i64| left(Duration::from_secs(300), begun, Moment::from_millis(second * 1000));
        assert_eq!(left_at(130), Some(Duration::from_secs(270)));
        assert_eq!(left_at(90), None, "the beginning is in the future");
        assert_eq!(left_at(401), None, "it would be over");
    }
    const GROUP: &str = "targetgroup/web/1";

    fn scope() -> Scope {
        let group = TargetGroup {
            arn: GROUP.into(),
            deregistration_delay: Some(Duration::from_secs(300)),
            ..TargetGroup::plain()
        };
        Scope {
            bindings: vec![LoadBalancerBinding::plain()],
            target_groups: BTreeMap::from([(GROUP.into(), group)]),
            ..Scope::plain()
        }
    }

    fn deployment(id: &str, status: DeploymentStatus) -> Deployment {
        Deployment {
            id: id.into(),
            status,
            ..Deployment::plain()
        }
    }

    fn service(events: &[(&str, i64)]) -> Service {
        let event = |(message, second): &(&str, i64)| ServiceEvent {
            id: second.to_string(),
            created_at: Some(Timestamp::from_millis(second * 1000)),
            message: (*message).to_owned(),
        };
        Service {
            deployments: vec![
                deployment("ecs-svc/2", DeploymentStatus::Primary),
                deployment("ecs-svc/1", DeploymentStatus::Active),
            ],
            events: events.iter().map(event).collect(),
            ..Service::plain()
        }
    }

    #[test]
    fn events_from_before_the_deployment_are_shown_only_while_ecs_goes_back() {
        let unhappy =
            "(service web) was unable to place a task because no container instance met all of its requirements.";
        let mut shown = service(&[(unhappy, 150), (unhappy, 40)]);
        shown.deployments[0].created_at = Some(Timestamp::from_millis(100_000));
        let events = |service: &Service| {
            let view = StatusView::of(service, &Snapshot::default(), &scope(), Moment::from_millis(0));
            view.events.into_iter().map(|event| event.id).collect::<Vec<_>>()
        };
        assert_eq!(events(&shown), ["150"]);
        shown.deployments[0].rollout_state = Some(RolloutState::InProgress);
        shown.deployments[0].rollout_state_reason = Some("rolling back to deploymentId ecs-svc/2.".into());
        assert_eq!(events(&shown), ["150", "40"]);
    }

    #[test]
    fn tasks_are_counted_by_deployment_and_status_the_primary_first() {
        let mut tasks = vec![
            Task::of("a", "ecs-svc/1", "10.0.0.1"),
            Task::of("b", "ecs-svc/1", "10.0.0.2"),
            Task::of("c", "ecs-svc/1", "10.0.0.3"),
            Task::of("d", "ecs-svc/2", "10.0.0.4"),
            Task::of("e", "ecs-svc/2", "10.0.0.5"),
            Task::of("f", "ecs-svc/0", "10.0.0.6"),
        ];
        tasks[2].desired_status = TaskStatus::Stopped;
        tasks[3].last_status = TaskStatus::Pending;
        // One that never ran is no running task that leaves.
        (tasks[4].last_status, tasks[4].desired_status) = (TaskStatus::Pending, TaskStatus::Stopped);
        tasks[5].last_status = TaskStatus::Stopped;
        let snapshot = Snapshot {
            tasks,
            ..Snapshot::default()
        };
        let status_view = StatusView::of(&service(&[]), &snapshot, &scope(), Moment::from_millis(0));
        let told: Vec<_> = status_view
            .tasks
            .iter()
            .map(|crew| format!("{} {:?}", crew.deployment.as_ref().unwrap(), crew.statuses))
            .collect();
        assert_eq!(
            told,
            [
                r#"ecs-svc/2 {"PENDING": 2}"#,
                r#"ecs-svc/1 {"RUNNING": 2, "RUNNING, to be stopped": 1}"#
            ]
        );
    }

    #[test]
    fn a_row_is_told_with_who_stands_there_and_what_is_left_of_its_drain() {
        let row = |ip: &str, state| TargetHealth::plain(ip, state);
        let mut left_behind = Task::of("c", "ecs-svc/1", "10.0.0.2");
        left_behind.last_status = TaskStatus::Stopped;
        let snapshot = Snapshot {
            // In this order the stopped one would win if it were not told apart.
            tasks: vec![
                Task::of("a", "ecs-svc/2", "10.0.0.1"),
                Task::of("b", "ecs-svc/1", "10.0.0.2"),
                left_behind,
            ],
            targets: BTreeMap::from([(
                GROUP.into(),
                vec![
                    row("10.0.0.1", TargetState::Healthy),
                    row("10.0.0.2", TargetState::Draining),
                    row("10.0.0.9", TargetState::Draining),
                ],
            )]),
            ..Snapshot::default()
        };
        let service = service(&[
            ("(service web) has started 1 tasks: (task b).", 150),
            ("(service web) has begun draining connections on 1 tasks.", 100),
            ("(service web) has begun draining connections on 1 tasks.", 40),
        ]);
        let status_view = StatusView::of(&service, &snapshot, &scope(), Moment::from_millis(160_000));
        let told: Vec<_> = status_view.groups[0]
            .1
            .iter()
            .map(|row| {
                let task = row.task.as_ref().map_or("nobody", TaskArn::short);
                let left = row.left.map(|left| left.as_secs());
                format!("{} {task} {} {left:?}", row.key.id, row.is_old)
            })
            .collect();
        let mut told = told;
        told.sort();
        assert_eq!(
            told,
            [
                "10.0.0.1 a false None",
                "10.0.0.2 b true Some(240)",
                // Whose drain it is nobody knows, nor when it began.
                "10.0.0.9 nobody false None",
            ]
        );
        assert_eq!(status_view.events, []);
    }
}
