//! When the observer asks for the next poll, what it asks to be read, and what it says of the end.

use super::events::{observer_after, with};
use super::*;
use crate::rollout::cause::container_facts::ContainerFacts;
use crate::rollout::scope::Needs;

/// After how many milliseconds the next poll is asked for; `None` at an end.
fn pause(observer: &mut Observer, millis: i64, snapshot: Snapshot) -> Option<u64> {
    let now = Moment::from_millis(millis);
    match observer.step(now, Input::Seen(Box::new(snapshot))).next {
        Next::PollAt(at) => u64::try_from(at.since(now).as_millis()).ok(),
        Next::Done(_) => None,
    }
}

#[test]
fn polls_come_close_while_something_moves_and_the_last_one_at_the_end_of_the_time() {
    let mut observer = observer();
    let mut after = |millis, snapshot| pause(&mut observer, millis, snapshot);
    assert_eq!(after(0, starting()), Some(2000));
    assert_eq!(after(19_000, starting()), Some(2000));
    assert_eq!(after(20_000, starting()), Some(5000));
    let unhealthy = || shown(RolloutState::InProgress, &[("10.0.0.1", TargetState::Unhealthy)]);
    assert_eq!(after(40_000, unhealthy()), Some(2000), "a target has moved");
    assert_eq!(after(60_000, unhealthy()), Some(5000));
    assert_eq!(after(96_000, unhealthy()), Some(4000));
    assert_eq!(after(99_950, unhealthy()), Some(100), "and not at once again");
    assert_eq!(after(100_050, unhealthy()), None);
}

#[test]
fn the_pace_that_a_user_asks_for_is_kept() {
    let mut observer = observer().polling_every(Some(Duration::from_secs(7)));
    assert_eq!(pause(&mut observer, 0, starting()), Some(7000));
    assert_eq!(pause(&mut observer, 60_000, starting()), Some(7000));
}

fn is_rolling_back(step: &Step) -> bool {
    let is_news = |event: &RolloutEvent| matches!(event, RolloutEvent::RollingBack { .. });
    step.events.iter().any(is_news)
}

#[test]
fn no_end_rests_on_what_is_remembered() {
    let remembered = |mut snapshot: Snapshot| {
        snapshot.is_partly_remembered = true;
        snapshot
    };
    let mut observer = observer();
    see(&mut observer, 0, remembered(healthy()));
    assert!(!observer.wants_everything(), "it has yet to settle");
    let near = see(&mut observer, 10, remembered(healthy()));
    assert!(matches!(near.next, Next::PollAt(next) if next == at(10)), "{near:?}");
    assert!(observer.wants_everything());
    // What cannot be read now is not asked for at once again.
    let blind = miss(&mut observer, 11, ApiErrorKind::Throttled);
    assert!(matches!(blind.next, Next::PollAt(next) if next > at(11)), "{blind:?}");
    see(&mut observer, 12, healthy());
    assert!(!observer.wants_everything());
    assert_eq!(verdict(&see(&mut observer, 22, healthy())), Some(Verdict::Succeeded));
}

#[test]
fn a_rollback_that_was_seen_in_what_is_remembered_is_reported_when_it_is_sure() {
    use RolloutState::Completed;
    use ServiceDeploymentStatus::RollbackSuccessful;
    let mut observer = observer();
    see(&mut observer, 0, starting());
    let over = back_to(OLD, Completed, RollbackSuccessful);
    let mut remembered = over.clone();
    remembered.is_partly_remembered = true;
    let unsure = see(&mut observer, 2, remembered);
    assert_eq!((verdict(&unsure), is_rolling_back(&unsure)), (None, false));
    assert!(!observer.is_back());
    let sure = see(&mut observer, 2, over);
    assert_eq!((verdict(&sure), is_rolling_back(&sure)), (Some(Verdict::Failed), true));
}

/// How the run ends at this step, and whether the service is said to be rolled back.
fn end(step: &Step) -> Option<(Verdict, bool)> {
    match &step.next {
        Next::Done(outcome) => Some((outcome.verdict, outcome.is_rolled_back)),
        Next::PollAt(_) => None,
    }
}

#[test]
fn rolled_back_is_said_only_where_ecs_went_back_and_nothing_came_between() {
    use RolloutState::{Completed, InProgress};
    use ServiceDeploymentStatus::{RollbackFailed, RollbackInProgress, RollbackSuccessful};
    assert_eq!(
        end(&see(&mut observer(), 0, failed(false))),
        Some((Verdict::Failed, false))
    );
    let going_back = || {
        let mut observer = observer();
        see(&mut observer, 0, starting());
        see(&mut observer, 2, back_to(OLD, InProgress, RollbackInProgress));
        observer
    };
    let then = |snapshot| end(&see(&mut going_back(), 4, snapshot));
    assert_eq!(
        then(back_to(OLD, Completed, RollbackSuccessful)),
        Some((Verdict::Failed, true))
    );
    assert_eq!(
        then(back_to(OLD, InProgress, RollbackFailed)),
        Some((Verdict::Failed, false))
    );
    assert_eq!(then(behind("ecs-svc/3", InProgress)), Some((Verdict::Failed, false)));
    let interrupted = going_back().step(at(4), Input::Interrupted);
    assert_eq!(end(&interrupted), Some((Verdict::Interrupted, false)));
}

#[test]
fn instances_are_asked_for_once_a_placement_has_failed() {
    let mut observer = observer();
    see(&mut observer, 0, starting());
    assert!(!observer.wants_capacity());
    see(&mut observer, 2, stuck(1, 2, 100, "ROLLING"));
    assert!(observer.wants_capacity());
}

#[test]
fn instances_are_asked_for_where_a_task_has_ended_without_a_word() {
    let mut observer = observer();
    let mut ended = starting();
    ended.tasks.push(Task {
        last_status: TaskStatus::Stopped,
        desired_status: TaskStatus::Stopped,
        container_instance: Some("container-instance/1".into()),
        ..task("10.0.0.9", OURS)
    });
    see(&mut observer, 0, ended);
    assert!(observer.wants_capacity());
}

#[test]
fn the_log_of_the_container_that_failed_is_the_one_to_read() {
    let document = serde_json::json!({"containerDefinitions": [{
        "name": "web", "image": "example/web:2",
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "w"}},
    }]});
    let needs = Needs {
        containers: ContainerFacts::of(&document),
        ..Needs::default()
    };
    let mut observer = observer_of(Scope { needs, ..scope() });
    let mut crashed = starting();
    crashed.tasks[0].last_status = TaskStatus::Stopped;
    crashed.tasks[0].desired_status = TaskStatus::Stopped;
    crashed.tasks[0].stop_code = Some("EssentialContainerExited".into());
    crashed.tasks[0].stopped_reason = Some("Essential container in task exited".into());
    crashed.tasks[0].containers[0].exit_code = Some(1);
    see(&mut observer, 0, crashed.clone());
    let ended = see(&mut observer, 100, crashed);
    let Next::Done(outcome) = ended.next else {
        panic!("the time is over")
    };
    let stream = observer.last_words(&outcome.findings[0]);
    assert_eq!(stream.map(|stream| stream.name.as_str()), Some("w/web/10.0.0.1"));
    let other = Finding::error(Code::Superseded, "somebody else deployed");
    assert_eq!(observer.last_words(&other), None);
}

#[test]
fn an_old_task_that_showed_up_late_is_waited_for_as_well() {
    use TargetState::{Draining, Healthy};
    let (late, new) = ("10.0.1.2", "10.0.0.1");
    let mut observer = observer_after(&with(&[]));
    see(&mut observer, 2, with(&[(late, OLD, Healthy), (new, OURS, Healthy)]));
    let mut draining = with(&[(new, OURS, Healthy), (late, OLD, Draining)]);
    draining.tasks.pop();
    let waits = waiting(&see(&mut observer, 4, draining));
    assert!(
        matches!(waits.as_deref(), Some([WaitingOn::OldTargets { left: 1, .. }, ..])),
        "{waits:?}"
    );
}

fn service(snapshot: &mut Snapshot) -> &mut Service {
    snapshot.service.as_mut().unwrap()
}

#[test]
fn another_number_of_tasks_is_reported_when_it_is_wanted() {
    let mut before = with(&[]);
    service(&mut before).desired_count = 2;
    let mut observer = observer_after(&before);
    let mut desired = |seconds, count| {
        let mut snapshot = starting();
        service(&mut snapshot).desired_count = count;
        let step = see(&mut observer, seconds, snapshot);
        let news = step.events.into_iter().find_map(|event| match event {
            RolloutEvent::Desired { from, to } => Some((from, to)),
            _ => None,
        });
        (news, step.next)
    };
    assert_eq!(desired(2, 2).0, None);
    assert_eq!(desired(4, 3).0, Some((2, 3)));
    assert_eq!(desired(6, 3).0, None);
}

#[test]
fn unusual_words_of_ecs_are_quoted_once_the_older_first() {
    let event = |id: &str, message: &str| ServiceEvent {
        id: id.into(),
        created_at: None,
        message: message.into(),
    };
    let unable = "(service web) was unable to place a task.";
    let mut before = with(&[]);
    service(&mut before).events = vec![event("1", "(service web) is having a bad day.")];
    let mut observer = observer_after(&before);
    let mut quoted = |events: &[ServiceEvent]| {
        let mut snapshot = starting();
        service(&mut snapshot).events = events.to_vec();
        let step = see(&mut observer, 2, snapshot);
        let words = step.events.into_iter().filter_map(|event| match event {
            RolloutEvent::EcsSays { message } => Some(message),
            _ => None,
        });
        words.collect::<Vec<_>>()
    };
    let mut all = vec![
        event("4", "(service web) has reached a steady state."),
        event("3", "(service web) was throttled."),
        event("2", unable),
        before.service.unwrap().events.remove(0),
    ];
    assert_eq!(quoted(&all), [unable, "(service web) was throttled."]);
    assert_eq!(quoted(&all), [""; 0]);
    // ECS says the same of every task.
    all.insert(0, event("5", unable));
    assert_eq!(quoted(&all), [""; 0]);
}

#[test]
fn the_breaker_is_reported_at_each_further_failure_and_not_during_a_rollback() {
    let breaker = |failures: u32, state| {
        let mut snapshot = shown(state, &[("10.0.0.1", TargetState::Initial)]);
        let service = service(&mut snapshot);
        service.configuration.circuit_breaker = Some(CircuitBreaker {
            enable: true,
            rollback: true,
            ..CircuitBreaker::default()
        });
        service.deployments[0].failed_tasks = Some(failures);
        snapshot
    };
    let mut observer = observer_of(Scope {
        good: Some("task-definition/web:1".into()),
        ..scope()
    });
    let mut reported = |seconds, snapshot| {
        let step = see(&mut observer, seconds, snapshot);
        let counts = step.events.into_iter().filter_map(|event| match event {
            RolloutEvent::Breaker {
                failures,
                threshold,
                rolls_back,
            } => Some((failures, threshold, rolls_back)),
            _ => None,
        });
        counts.collect::<Vec<_>>()
    };
    let open = RolloutState::InProgress;
    assert_eq!(reported(2, breaker(0, open.clone())), []);
    assert_eq!(reported(4, breaker(1, open.clone())), [(1, Some(3), true)]);
    assert_eq!(reported(6, breaker(1, open.clone())), []);
    // An old answer may count fewer.
    assert_eq!(reported(8, breaker(0, open.clone())), []);
    assert_eq!(reported(10, breaker(3, open)), [(3, Some(3), true)]);
    let mut off = starting();
    service(&mut off).configuration.circuit_breaker = Some(CircuitBreaker {
        enable: false,
        rollback: true,
        ..CircuitBreaker::default()
    });
    service(&mut off).deployments[0].failed_tasks = Some(4);
    assert_eq!(reported(12, off), []);
    let going_back = |failures| {
        let (open, status) = (RolloutState::InProgress, ServiceDeploymentStatus::RollbackInProgress);
        let mut snapshot = back_to(OLD, open, status);
        service(&mut snapshot).configuration.circuit_breaker = Some(CircuitBreaker {
            enable: true,
            rollback: true,
            ..CircuitBreaker::default()
        });
        service(&mut snapshot).deployments.push(Deployment {
            failed_tasks: Some(failures),
            ..row(OURS, DeploymentStatus::Active, RolloutState::Failed)
        });
        snapshot
    };
    reported(14, going_back(4));
    assert_eq!(reported(16, going_back(5)), []);
}

#[test]
fn a_stage_and_a_step_of_the_traffic_are_reported_when_they_begin() {
    let staged = |stage: &str, share: u32| {
        let mut snapshot = called(starting(), ServiceDeploymentStatus::InProgress);
        let progress = &mut snapshot.service_deployment.as_mut().unwrap().progress;
        (progress.stage, progress.production_traffic) = (Some(stage.into()), Some(share));
        snapshot
    };
    let mut observer = observer();
    let mut reported = |seconds, stage, share| {
        let step = see(&mut observer, seconds, staged(stage, share));
        step.events.into_iter().find_map(|event| match event {
            RolloutEvent::Stage { stage, production, .. } => Some((stage, production)),
            _ => None,
        })
    };
    let shift = "PRODUCTION_TRAFFIC_SHIFT";
    assert_eq!(reported(2, shift, 0), Some((shift.into(), Some(0))));
    assert_eq!(reported(4, shift, 0), None);
    assert_eq!(reported(6, shift, 500), Some((shift.into(), Some(500))));
    assert_eq!(reported(8, "BAKE_TIME", 500), Some(("BAKE_TIME".into(), Some(500))));
}

#[test]
fn a_wait_for_nothing_is_not_reported() {
    let registered = Scope {
        until: Until::Registered,
        ..scope()
    };
    let stopping = called(healthy(), ServiceDeploymentStatus::StopRequested);
    let step = see(&mut observer_of(registered), 0, stopping);
    assert_eq!((verdict(&step), waiting(&step)), (None, None));
}
