//! What the observer remembers from look to look, on snapshots made by hand.

mod bounded;
mod ends;
mod events;
mod history;
mod holding;
mod late;
pub(crate) mod rolling_back;
mod settling;
mod stages;
mod steps;
mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::aws_model::api_error::ApiErrorKind;
use crate::aws_model::service::{
    CircuitBreaker, Deployment, DeploymentConfiguration, DeploymentStatus, LoadBalancerBinding, RolloutState, Service,
    ServiceDeployment, ServiceDeploymentStatus, ServiceEvent,
};
use crate::aws_model::target::{TargetGroup, TargetHealth, TargetState};
use crate::aws_model::task::{Container, Task, TaskStatus};
use crate::base::finding::Code;
use crate::base::id::TargetGroupArn;
use crate::rollout::observer::unknown_value::UnknownValue;
use crate::rollout::rollback::{Leaves, Way};
use crate::rollout::scope::Until;

const OURS: &str = "ecs-svc/2";
const OLD: &str = "ecs-svc/1";
const GROUP: &str = "targetgroup/web/1";
const BUDGET: Duration = Duration::from_secs(100);

fn at(seconds: i64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

/// One task behind one target group of addresses; the targets are to stay healthy for ten seconds.
fn scope() -> Scope {
    let group = TargetGroup {
        arn: GROUP.into(),
        ..TargetGroup::plain()
    };
    Scope {
        bindings: vec![LoadBalancerBinding::plain()],
        target_groups: BTreeMap::from([(GROUP.into(), group)]),
        settle: Duration::from_secs(10),
        wait_budget: BUDGET,
        ..Scope::plain()
    }
}

/// Of a rollout that found the deployment `OLD`.
fn observer() -> Observer {
    observer_of(scope())
}

fn observer_of(scope: Scope) -> Observer {
    let baseline = Baseline {
        deployments: BTreeSet::from([OLD.into()]),
        ..Baseline::default()
    };
    Observer::new(scope, baseline, &Snapshot::default(), at(0))
}

fn row(id: &str, status: DeploymentStatus, state: RolloutState) -> Deployment {
    Deployment {
        id: id.into(),
        status,
        task_definition: id.replace("ecs-svc/", "task-definition/web:").into(),
        rollout_state: Some(state),
        ..Deployment::plain()
    }
}

fn task(ip: &str, deployment: &str) -> Task {
    Task {
        arn: format!("task/{ip}").as_str().into(),
        started_by: Some(deployment.into()),
        containers: vec![Container::at(ip)],
        ..Task::plain()
    }
}

/// Our deployment, and its tasks by address with the state of their targets.
fn shown(state: RolloutState, rows: &[(&str, TargetState)]) -> Snapshot {
    let targets = rows.iter().map(|(ip, state)| TargetHealth::plain(ip, state.clone()));
    Snapshot {
        service: Some(Service {
            deployments: vec![row(OURS, DeploymentStatus::Primary, state)],
            ..Service::plain()
        }),
        tasks: rows.iter().map(|(ip, _)| task(ip, OURS)).collect(),
        targets: BTreeMap::from([(TargetGroupArn::from(GROUP), targets.collect())]),
        ..Snapshot::default()
    }
}

fn healthy() -> Snapshot {
    shown(RolloutState::Completed, &[("10.0.0.1", TargetState::Healthy)])
}

fn starting() -> Snapshot {
    shown(RolloutState::InProgress, &[("10.0.0.1", TargetState::Initial)])
}

/// What a service deployment of ours would add to it.
fn called(mut snapshot: Snapshot, status: ServiceDeploymentStatus) -> Snapshot {
    snapshot.service_deployment = Some(record(status));
    snapshot
}

fn record(status: ServiceDeploymentStatus) -> ServiceDeployment {
    ServiceDeployment {
        status,
        target_revision: Some("2".into()),
        ..ServiceDeployment::plain()
    }
}

/// Another deployment is PRIMARY, and ours is not listed.
fn behind(id: &str, state: RolloutState) -> Snapshot {
    let mut snapshot = shown(state.clone(), &[]);
    if let Some(service) = &mut snapshot.service {
        service.deployments = vec![row(id, DeploymentStatus::Primary, state)];
    }
    snapshot
}

fn see(observer: &mut Observer, seconds: i64, snapshot: Snapshot) -> Step {
    observer.step(at(seconds), Input::Seen(Box::new(snapshot)))
}

fn miss(observer: &mut Observer, seconds: i64, kind: ApiErrorKind) -> Step {
    let error = ApiError {
        kind,
        action: "ecs:DescribeServices",
        resource: None,
        code: None,
        message: "no answer in time".into(),
        request_id: None,
        status: None,
    };
    observer.step(at(seconds), Input::Unreadable(error))
}

fn verdict(step: &Step) -> Option<Verdict> {
    match &step.next {
        Next::Done(outcome) => Some(outcome.verdict),
        Next::PollAt(_) => None,
    }
}

fn waiting(step: &Step) -> Option<Vec<WaitingOn>> {
    step.events.iter().find_map(|event| match event {
        RolloutEvent::Waiting { on } => Some(on.clone()),
        _ => None,
    })
}

fn settling(seconds: u64) -> Option<Vec<WaitingOn>> {
    let left = Duration::from_secs(seconds);
    Some(vec![WaitingOn::Settle { left }])
}

#[test]
fn success_comes_when_the_targets_have_settled_and_no_look_earlier() {
    let mut observer = observer();
    let first = see(&mut observer, 0, healthy());
    assert_eq!((verdict(&first), waiting(&first)), (None, settling(10)));
    // The same wait goes on: it is not said at each look.
    let second = see(&mut observer, 9, healthy());
    assert_eq!((verdict(&second), waiting(&second)), (None, None));
    assert_eq!(verdict(&see(&mut observer, 10, healthy())), Some(Verdict::Succeeded));
}

#[test]
fn another_healthy_target_settles_anew() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    let other = shown(RolloutState::Completed, &[("10.0.0.2", TargetState::Healthy)]);
    assert_eq!(verdict(&see(&mut observer, 9, other.clone())), None);
    assert_eq!(verdict(&see(&mut observer, 18, other.clone())), None);
    assert_eq!(verdict(&see(&mut observer, 19, other)), Some(Verdict::Succeeded));
}

#[test]
fn what_nobody_saw_is_not_counted_as_settled() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    assert_eq!(verdict(&miss(&mut observer, 5, ApiErrorKind::Throttled)), None);
    let seen = see(&mut observer, 12, healthy());
    let again = RolloutEvent::SeesAgain {
        misses: 1,
        blind_for: Duration::from_secs(7),
    };
    assert_eq!(seen.events.first(), Some(&again));
    assert_eq!(verdict(&seen), None);
    assert_eq!(verdict(&see(&mut observer, 22, healthy())), Some(Verdict::Succeeded));
}

#[test]
fn a_trouble_comes_with_its_error_once() {
    let mut observer = observer();
    see(&mut observer, 0, starting());
    let told = |step: Step| match step.events.as_slice() {
        [
            RolloutEvent::ReadOutage {
                error, misses, left, ..
            },
        ] => Some((error.is_some(), *misses, left.as_secs())),
        _ => None,
    };
    // The budget ends before the patience with an outage does.
    assert_eq!(
        told(miss(&mut observer, 2, ApiErrorKind::Throttled)),
        Some((true, 1, 98))
    );
    assert_eq!(told(miss(&mut observer, 4, ApiErrorKind::Throttled)), None);
    assert_eq!(
        told(miss(&mut observer, 32, ApiErrorKind::Throttled)),
        Some((false, 3, 68))
    );
}

/// The verdict where nothing can be read from `since` on, when the budget ends.
fn blind_at_the_end(was_seen: bool, since: i64, kind: ApiErrorKind) -> Option<Verdict> {
    let mut observer = observer();
    if was_seen {
        see(&mut observer, 0, starting());
    }
    assert_eq!(verdict(&miss(&mut observer, since, kind)), None);
    verdict(&miss(&mut observer, 100, kind))
}

#[test]
fn a_short_blindness_at_the_very_end_is_a_time_out() {
    use ApiErrorKind::{Denied, Throttled};
    assert_eq!(blind_at_the_end(true, 71, Throttled), Some(Verdict::TimedOut));
    assert_eq!(blind_at_the_end(true, 71, Denied), Some(Verdict::TimedOut));
    // Nobody knows any more where the rollout stands.
    assert_eq!(blind_at_the_end(true, 70, Throttled), Some(Verdict::CouldNotObserve));
    assert_eq!(blind_at_the_end(true, 40, Throttled), Some(Verdict::CouldNotObserve));
    assert_eq!(blind_at_the_end(false, 71, Throttled), Some(Verdict::CouldNotObserve));
}

#[test]
fn a_denial_is_not_borne_until_the_budget_ends() {
    let mut observer = observer();
    see(&mut observer, 0, starting());
    assert_eq!(verdict(&miss(&mut observer, 2, ApiErrorKind::Denied)), None);
    assert_eq!(verdict(&miss(&mut observer, 31, ApiErrorKind::Denied)), None);
    let ended = miss(&mut observer, 32, ApiErrorKind::Denied);
    assert_eq!(verdict(&ended), Some(Verdict::CouldNotObserve));
}

#[test]
fn an_unknown_value_is_told_once_and_named_when_time_is_up() {
    let radiant = || {
        let state = TargetState::Unknown("radiant".into());
        shown(RolloutState::InProgress, &[("10.0.0.1", state)])
    };
    let told = |step: &Step| {
        let is_it = |event: &&RolloutEvent| matches!(event, RolloutEvent::Unknown(_));
        step.events.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    let mut observer = observer();
    let value = UnknownValue {
        field: "target state",
        value: "radiant".into(),
    };
    assert_eq!(told(&see(&mut observer, 0, radiant())), [RolloutEvent::Unknown(value)]);
    assert_eq!(told(&see(&mut observer, 2, radiant())), []);
    let Next::Done(outcome) = see(&mut observer, 100, radiant()).next else {
        panic!("the budget is spent")
    };
    let named = ("unknown".into(), "target state `radiant`".to_owned());
    assert!(outcome.findings[0].evidence.contains(&named), "{outcome:?}");
}

/// Looks at the same thing at each of the times; gives the time of the verdict.
fn ends_at(observer: &mut Observer, times: &[i64], snapshot: &Snapshot) -> Option<(i64, Verdict)> {
    times.iter().find_map(|seconds| {
        let step = see(observer, *seconds, snapshot.clone());
        Some((*seconds, verdict(&step)?))
    })
}

fn cause(step: &Step) -> Code {
    match &step.next {
        Next::Done(outcome) => outcome.findings[0].code,
        Next::PollAt(_) => panic!("no verdict"),
    }
}

#[test]
fn an_answer_without_our_deployment_is_believed_after_a_while() {
    let old = behind(OLD, RolloutState::Completed);
    let looks = [0, 60, 61, 80, 81];
    assert_eq!(
        ends_at(&mut observer(), &looks, &old),
        Some((81, Verdict::Failed)),
        "a minute for the listing, and then twenty seconds as for any that is gone"
    );
    let mut seen_before = observer();
    see(&mut seen_before, 0, starting());
    assert_eq!(
        ends_at(&mut seen_before, &[2, 21, 22], &old),
        Some((22, Verdict::Failed))
    );
    let mut came_back = observer();
    see(&mut came_back, 0, starting());
    see(&mut came_back, 2, old.clone());
    see(&mut came_back, 10, starting());
    assert_eq!(
        ends_at(&mut came_back, &[12, 22, 31, 32], &old),
        Some((32, Verdict::Failed))
    );
}

#[test]
fn a_service_that_is_gone_may_be_an_old_answer() {
    let gone = Snapshot::default();
    assert_eq!(
        ends_at(&mut observer(), &[0, 19, 20], &gone),
        Some((20, Verdict::Failed))
    );
}

#[test]
fn a_stop_that_nothing_explains_ends_the_run_after_a_minute() {
    let stopping = called(starting(), ServiceDeploymentStatus::StopRequested);
    let times = [2, 61, 62];
    assert_eq!(ends_at(&mut observer(), &times, &stopping), Some((62, Verdict::Failed)));
    let mut goes_on = observer();
    see(&mut goes_on, 0, stopping.clone());
    see(&mut goes_on, 30, starting());
    assert_eq!(ends_at(&mut goes_on, &[40, 60, 99], &stopping), None);
    // Where it is a rollback that has been asked for, its end is worth the budget.
    let going_back = called(starting(), ServiceDeploymentStatus::RollbackInProgress);
    assert_eq!(
        ends_at(&mut observer(), &[2, 62, 99, 100], &going_back),
        Some((100, Verdict::Failed))
    );
}

#[test]
fn what_is_being_stopped_has_not_succeeded() {
    let registered = Scope {
        until: Until::Registered,
        ..scope()
    };
    let stopping = called(healthy(), ServiceDeploymentStatus::StopRequested);
    let mut observer = observer_of(registered);
    assert_eq!(verdict(&see(&mut observer, 0, stopping)), None);
    assert_eq!(verdict(&see(&mut observer, 2, healthy())), Some(Verdict::Succeeded));
}

/// FAILED, with a circuit breaker that rolls back or does not.
fn failed(rollback: bool) -> Snapshot {
    let mut snapshot = shown(RolloutState::Failed, &[]);
    if let Some(service) = &mut snapshot.service {
        service.configuration.circuit_breaker = Some(CircuitBreaker {
            enable: true,
            rollback,
            ..CircuitBreaker::default()
        });
    }
    snapshot
}

#[test]
fn a_failure_waits_for_the_rollback_that_is_due() {
    assert_eq!(
        ends_at(&mut observer(), &[0], &failed(false)),
        Some((0, Verdict::Failed))
    );
    let times = [0, 59, 60];
    assert_eq!(
        ends_at(&mut observer(), &times, &failed(true)),
        Some((60, Verdict::Failed))
    );
}

#[test]
fn what_has_failed_stays_failed_for_the_blind() {
    let mut observer = observer();
    see(&mut observer, 0, failed(true));
    see(&mut observer, 2, failed(true));
    miss(&mut observer, 4, ApiErrorKind::Denied);
    let ended = miss(&mut observer, 34, ApiErrorKind::Denied);
    assert_eq!(
        (verdict(&ended), cause(&ended)),
        (Some(Verdict::Failed), Code::DeploymentFailed)
    );
}

/// ECS goes back to the deployment.
fn back_to(id: &str, state: RolloutState, status: ServiceDeploymentStatus) -> Snapshot {
    called(behind(id, state), status)
}

#[test]
fn a_rollback_is_over_when_ecs_says_so_of_the_same_deployment() {
    use RolloutState::{Completed, InProgress};
    use ServiceDeploymentStatus::{RollbackInProgress, RollbackSuccessful};
    let ends = |last: Snapshot| {
        let mut observer = observer();
        see(&mut observer, 0, starting());
        let told = see(&mut observer, 2, back_to(OLD, InProgress, RollbackInProgress));
        let is_news = |event: &RolloutEvent| matches!(event, RolloutEvent::RollingBack { .. });
        assert!(told.events.iter().any(is_news));
        let to = observer.back_to().map(|arn| arn.short().to_owned());
        assert_eq!(to.as_deref(), Some("web:1"));
        let step = see(&mut observer, 4, last);
        assert!(!step.events.iter().any(is_news), "it is told once");
        (verdict(&step), observer.is_back())
    };
    let over = (Some(Verdict::Failed), true);
    assert_eq!(ends(back_to(OLD, Completed, RollbackInProgress)), over);
    assert_eq!(ends(back_to(OLD, InProgress, RollbackSuccessful)), over);
    assert_eq!(ends(back_to(OLD, InProgress, RollbackInProgress)), (None, false));
    // What somebody deploys meanwhile is not what was gone back to, and nobody goes back any more.
    assert_eq!(
        ends(back_to("ecs-svc/3", InProgress, RollbackSuccessful)),
        (Some(Verdict::Failed), false)
    );
    let mut with_task = back_to(OLD, Completed, RollbackSuccessful);
    with_task.tasks.push(task("10.0.0.1", OURS));
    assert_eq!(ends(with_task), (None, false), "a task of ours still runs");
}

/// ECS cannot place the second of two tasks, with as many running as given; the lower limit in percent.
fn stuck(new: usize, old: usize, minimum: u32, strategy: &str) -> Snapshot {
    let mut snapshot = starting();
    let service = snapshot.service.as_mut().unwrap();
    service.desired_count = 2;
    service.configuration = DeploymentConfiguration {
        minimum_healthy_percent: Some(minimum),
        strategy: Some(strategy.into()),
        ..DeploymentConfiguration::default()
    };
    service.events = vec![ServiceEvent {
        id: "1".into(),
        created_at: None,
        message: "(service web) was unable to place a task because no container instance met all of its \
                  requirements. The closest matching (container-instance 1) has insufficient CPU units available."
            .into(),
    }];
    let ours = (0..new).map(|n| task(&format!("10.0.0.{n}"), OURS));
    let others = (0..old).map(|n| task(&format!("10.0.1.{n}"), OLD));
    snapshot.tasks = ours.chain(others).collect();
    snapshot
}

#[test]
fn a_task_that_cannot_be_placed_fails_where_nothing_can_make_room() {
    let times = [0, 44, 45];
    let ends = |snapshot| ends_at(&mut observer(), &times, &snapshot);
    let hopeless = Some((45, Verdict::Failed));
    assert_eq!(ends(stuck(0, 2, 100, "ROLLING")), hopeless);
    assert_eq!(ends(stuck(1, 1, 100, "ROLLING")), hopeless);
    assert_eq!(
        ends(stuck(1, 0, 0, "ROLLING")),
        hopeless,
        "there is no old task to stop"
    );
    assert_eq!(ends(stuck(1, 2, 100, "ROLLING")), None, "ECS may stop an old task");
    assert_eq!(ends(stuck(1, 2, 100, "BLUE_GREEN")), hopeless, "blue stays whole");
    let mut stops = stuck(0, 2, 100, "ROLLING");
    stops.tasks[0].desired_status = TaskStatus::Stopped;
    assert_eq!(ends(stops), None, "an old task stops");
    let mut starts = stuck(1, 2, 100, "BLUE_GREEN");
    starts.tasks[0].last_status = TaskStatus::Pending;
    assert_eq!(ends(starts), None, "a new task is on its way");
}
