//! What a run waits for, from the first task to the end of the clean-up, in each strategy.

use super::events::{observer_after, with};
use super::*;
use crate::aws_model::service::{HookDetail, Stage, TrafficSteps};
use crate::rollout::view::waiting::StageWait;

const SHIFT: &str = "PRODUCTION_TRAFFIC_SHIFT";

fn blue_green() -> DeploymentConfiguration {
    DeploymentConfiguration {
        strategy: Some("BLUE_GREEN".into()),
        bake_time: Some(Duration::from_secs(600)),
        steps: Some(TrafficSteps {
            share: 100,
            bake: Duration::from_secs(60),
        }),
        ..DeploymentConfiguration::default()
    }
}

/// All new targets are healthy, an old one is there, and the deployment is in this stage.
fn staged(stage: &str, share: u32) -> Snapshot {
    let rows = [
        ("10.0.0.1", OURS, TargetState::Healthy),
        ("10.0.1.1", OLD, TargetState::Healthy),
    ];
    let mut snapshot = called(with(&rows), ServiceDeploymentStatus::InProgress);
    let progress = &mut snapshot.service_deployment.as_mut().unwrap().progress;
    (progress.stage, progress.production_traffic) = (Some(stage.into()), Some(share));
    snapshot.service.as_mut().unwrap().configuration = blue_green();
    snapshot
}

/// An observer that knows the old target.
fn staged_observer(until: Until) -> Observer {
    let before = with(&[("10.0.1.1", OLD, TargetState::Healthy)]);
    let scope = Scope { until, ..scope() };
    Observer::new(scope.clone(), Baseline::of(&before, &scope), &before, at(0))
}

fn left(observer: &mut Observer, seconds: i64, snapshot: Snapshot) -> Option<u64> {
    see(observer, seconds, snapshot);
    match observer.waiting().as_slice() {
        [WaitingOn::Stage(StageWait { left, .. })] => left.map(|left| left.as_secs()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_time_of_a_stage_is_counted_from_when_it_was_first_seen() {
    let mut observer = staged_observer(Until::Drained);
    let mut left = |seconds, snapshot| left(&mut observer, seconds, snapshot);
    assert_eq!(left(2, staged("SCALE_UP", 0)), None);
    assert_eq!(left(4, staged(SHIFT, 100)), Some(60));
    assert_eq!(left(34, staged(SHIFT, 100)), Some(30));
    assert_eq!(left(70, staged(SHIFT, 200)), Some(60), "another step");
    assert_eq!(left(72, staged(SHIFT, 1000)), None, "no step is left");
    assert_eq!(left(74, staged("BAKE_TIME", 1000)), Some(600));
    assert_eq!(left(90, staged("BAKE_TIME", 1000)), Some(584));
}

#[test]
fn a_bake_time_of_nothing_is_not_counted() {
    let mut snapshot = staged("BAKE_TIME", 1000);
    snapshot.service.as_mut().unwrap().configuration.bake_time = Some(Duration::ZERO);
    assert_eq!(left(&mut staged_observer(Until::Drained), 2, snapshot), None);
}

#[test]
fn while_only_a_stage_passes_the_polls_and_the_lines_are_rare() {
    let mut observer = staged_observer(Until::Drained);
    let mut poll = |seconds| {
        let step = see(&mut observer, seconds, staged("BAKE_TIME", 1000));
        let Next::PollAt(next) = step.next else {
            panic!("it bakes")
        };
        (next.since(at(seconds)).as_secs(), waiting(&step).is_some())
    };
    assert_eq!(poll(2), (2, true));
    assert_eq!(poll(30), (15, false));
    assert_eq!(poll(60), (15, false));
}

#[test]
fn a_run_ends_at_the_stage_that_was_asked_for_or_a_later_one() {
    let ends = |stage: &str| {
        let mut observer = staged_observer(Until::Stage(Stage::BakeTime));
        see(&mut observer, 2, staged(stage, 1000));
        verdict(&see(&mut observer, 12, staged(stage, 1000)))
    };
    assert_eq!(ends("PRODUCTION_TRAFFIC_SHIFT"), None);
    assert_eq!(ends("BAKE_TIME"), Some(Verdict::Succeeded));
    assert_eq!(ends("CLEAN_UP"), Some(Verdict::Succeeded));
    assert_eq!(ends("MOON_PHASE"), None);
}

#[test]
fn a_hook_that_holds_a_stage_up_stands_in_its_place() {
    let held = |mut snapshot: Snapshot| {
        let progress = &mut snapshot.service_deployment.as_mut().unwrap().progress;
        progress.hooks = vec![HookDetail::plain()];
        let mut observer = staged_observer(Until::Drained);
        see(&mut observer, 2, snapshot);
        let hook = |on: &WaitingOn| matches!(on, WaitingOn::Hook(hook) if hook.id == "h-1");
        observer.waiting().iter().map(hook).collect::<Vec<_>>()
    };
    assert_eq!(held(staged("PRE_SCALE_UP", 0)), [true]);
    // Before the first task there is nothing else to say.
    let mut early = staged("PRE_SCALE_UP", 0);
    early.tasks.remove(0);
    assert_eq!(held(early), [true]);
    let mut over = staged("PRE_SCALE_UP", 0);
    over.service_deployment.as_mut().unwrap().status = ServiceDeploymentStatus::StopRequested;
    assert_eq!(
        held(over),
        [false],
        "nobody answers for a deployment that is being stopped"
    );
}

#[test]
fn a_staged_rollout_has_its_phases() {
    let mut observer = staged_observer(Until::Drained);
    let mut phases = Vec::new();
    let draining = {
        let mut snapshot = staged("CLEAN_UP", 1000);
        snapshot.tasks[1].desired_status = TaskStatus::Stopped;
        snapshot
    };
    let looks = [
        staged("SCALE_UP", 0),
        staged(SHIFT, 500),
        staged("BAKE_TIME", 1000),
        draining,
    ];
    for (seconds, snapshot) in (2..).step_by(2).zip(looks) {
        let step = see(&mut observer, seconds, snapshot);
        phases.extend(step.events.iter().filter_map(|event| match event {
            RolloutEvent::Phase(phase) => Some(phase.as_str()),
            _ => None,
        }));
    }
    assert_eq!(phases, ["shifting", "baking", "draining"]);
}

fn others(words: &[(&str, u32)]) -> Vec<(String, u32)> {
    words.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}

/// What is waited for at the first look.
fn first(snapshot: Snapshot) -> Vec<WaitingOn> {
    let mut observer = observer_after(&with(&[("10.0.1.1", OLD, TargetState::Healthy)]));
    see(&mut observer, 2, snapshot);
    observer.waiting()
}

fn wanting(mut snapshot: Snapshot, count: u32) -> Snapshot {
    snapshot.service.as_mut().unwrap().desired_count = count;
    snapshot
}

#[test]
fn tasks_and_targets_are_waited_for_with_their_states() {
    let old = ("10.0.1.1", OLD, TargetState::Healthy);
    assert_eq!(first(with(std::slice::from_ref(&old))), [WaitingOn::FirstTask]);
    let mut starting = wanting(with(&[old.clone(), ("10.0.0.1", OURS, TargetState::Initial)]), 3);
    starting.targets.values_mut().for_each(|rows| rows.truncate(1));
    starting.tasks[1].last_status = TaskStatus::Pending;
    let mut second = task("10.0.0.2", OURS);
    second.last_status = TaskStatus::Pending;
    starting.tasks.push(second);
    starting.tasks.push(task("10.0.0.3", OURS));
    let tasks = WaitingOn::Tasks {
        running: 1,
        desired: 3,
        others: others(&[("PENDING", 2)]),
    };
    // While no target is registered, the tasks say it all.
    assert_eq!(first(starting.clone()), std::slice::from_ref(&tasks));
    let row = TargetHealth::plain("10.0.0.3", TargetState::Initial);
    starting.targets.values_mut().for_each(|rows| rows.push(row.clone()));
    let targets = WaitingOn::Targets {
        healthy: 0,
        wanted: 3,
        others: others(&[("initial", 1), ("not registered", 2)]),
    };
    assert_eq!(first(starting), [tasks, targets]);
    let line = WaitingOn::Tasks {
        running: 1,
        desired: 3,
        others: others(&[("PENDING", 1), ("PROVISIONING", 1)]),
    };
    assert_eq!(
        line.to_string(),
        "new tasks: 1 of 3 running (1 PENDING, 1 PROVISIONING)"
    );
}

#[test]
fn old_targets_are_counted_by_whether_they_serve() {
    let rows = [
        ("10.0.0.1", OURS, TargetState::Healthy),
        ("10.0.1.1", OLD, TargetState::Draining),
        ("10.0.1.2", OLD, TargetState::Healthy),
        ("10.0.1.3", OLD, TargetState::Healthy),
    ];
    let counts = first(with(&rows)).into_iter().find_map(|on| match on {
        WaitingOn::OldTargets { left, serving, .. } => Some((left, serving)),
        _ => None,
    });
    assert_eq!(counts, Some((3, 2)));
    // Once their targets are gone, the tasks themselves are waited for.
    let mut stopping = with(&rows);
    stopping.targets.values_mut().for_each(|rows| rows.truncate(1));
    let left = WaitingOn::OldTasks {
        left: 3,
        statuses: others(&[("RUNNING", 3)]),
    };
    assert_eq!(first(stopping)[0], left);
}

#[test]
fn who_waits_for_health_does_not_wait_for_the_drain() {
    let rows = [
        ("10.0.0.1", OURS, TargetState::Healthy),
        ("10.0.1.1", OLD, TargetState::Draining),
    ];
    let mut both = with(&rows);
    both.service.as_mut().unwrap().deployments[0].rollout_state = Some(RolloutState::Completed);
    let waits = |until, snapshot: &Snapshot| {
        let mut observer = staged_observer(until);
        see(&mut observer, 2, snapshot.clone());
        observer.waiting()
    };
    let settle = WaitingOn::Settle {
        left: Duration::from_secs(10),
    };
    assert_eq!(waits(Until::Healthy, &both), std::slice::from_ref(&settle));
    assert!(matches!(
        waits(Until::Drained, &both)[..],
        [WaitingOn::OldTargets { .. }]
    ));
    // ECS calls it completed, and leaves the old tasks for later.
    both.service.as_mut().unwrap().configuration.defers_clean_up = true;
    assert!(matches!(
        waits(Until::Drained, &both)[..],
        [WaitingOn::OldTargets { .. }, WaitingOn::DeferredCleanUp]
    ));
    both.tasks.pop();
    both.targets.values_mut().for_each(|rows| rows.truncate(1));
    assert_eq!(waits(Until::Drained, &both), [settle]);
    let mut open = with(&rows);
    open.service.as_mut().unwrap().configuration.defers_clean_up = true;
    assert!(matches!(
        waits(Until::Drained, &open)[..],
        [WaitingOn::OldTargets { .. }, ..]
    ));
    assert!(!waits(Until::Drained, &open).contains(&WaitingOn::DeferredCleanUp));
}

#[test]
fn a_service_that_wants_no_task_waits_for_none() {
    let mut nothing = wanting(with(&[]), 0);
    nothing.service.as_mut().unwrap().deployments[0].rollout_state = Some(RolloutState::Completed);
    assert_eq!(
        verdict(&see(&mut observer(), 0, nothing)),
        Some(Verdict::NothingToVerify)
    );
}

#[test]
fn registered_is_every_task_running_and_every_target_listed() {
    let ends = |desired: u32, rows: &[(&str, TargetState)], is_second_running: bool| {
        let mut snapshot = wanting(shown(RolloutState::InProgress, rows), desired);
        if !is_second_running {
            snapshot.tasks[1].last_status = TaskStatus::Pending;
        }
        let registered = Scope {
            until: Until::Registered,
            ..scope()
        };
        verdict(&see(&mut observer_of(registered), 0, snapshot))
    };
    use TargetState::{Draining, Initial, Unhealthy};
    let done = Some(Verdict::Succeeded);
    assert_eq!(ends(2, &[("10.0.0.1", Initial), ("10.0.0.2", Unhealthy)], true), done);
    assert_eq!(ends(2, &[("10.0.0.1", Initial), ("10.0.0.2", Draining)], true), None);
    assert_eq!(ends(2, &[("10.0.0.1", Initial), ("10.0.0.2", Initial)], false), None);
    assert_eq!(ends(1, &[("10.0.0.1", Draining)], true), None);
    // One too many runs for a moment, and is not registered.
    assert_eq!(ends(1, &[("10.0.0.1", Initial), ("10.0.0.2", Draining)], true), None);
}

#[test]
fn a_target_of_no_use_beside_healthy_ones_is_waited_for() {
    let waits = |rows: &[(&str, TargetState)], desired| {
        let mut snapshot = wanting(shown(RolloutState::Completed, rows), desired);
        for row in snapshot.targets.values_mut().flatten() {
            if row.state == TargetState::Unavailable {
                row.reason = Some("Target.HealthCheckDisabled".into());
            }
        }
        let mut observer = observer();
        see(&mut observer, 0, snapshot);
        matches!(observer.waiting()[..], [WaitingOn::Targets { .. }])
    };
    use TargetState::{Healthy, Unavailable, Unhealthy};
    assert!(!waits(&[("10.0.0.1", Healthy), ("10.0.0.2", Unavailable)], 2));
    assert!(waits(&[("10.0.0.1", Healthy), ("10.0.0.2", Unhealthy)], 1));
    assert!(waits(&[("10.0.0.1", Unhealthy)], 1));
}

#[test]
fn a_wait_is_the_same_step_while_only_time_passes() {
    let old = |left, serving, seconds| WaitingOn::OldTargets {
        left,
        serving,
        at_most: Some(Duration::from_secs(seconds)),
        delay: None,
    };
    assert!(old(2, 1, 60).is_same_step(&old(2, 1, 50)));
    assert!(!old(2, 1, 60).is_same_step(&old(2, 0, 60)) && !old(2, 1, 60).is_same_step(&old(1, 1, 60)));
    let hook = |id: &str, seconds| {
        let mut snapshot = staged("PRE_SCALE_UP", 0);
        let expires_at = Some(at(seconds).wall());
        let detail = HookDetail {
            id: id.into(),
            expires_at,
            ..HookDetail::plain()
        };
        snapshot.service_deployment.as_mut().unwrap().progress.hooks = vec![detail];
        let mut observer = staged_observer(Until::Drained);
        see(&mut observer, 2, snapshot);
        observer.waiting().remove(0)
    };
    assert!(hook("h-1", 60).is_same_step(&hook("h-1", 90)));
    assert!(!hook("h-1", 60).is_same_step(&hook("h-2", 60)));
    assert!(WaitingOn::FirstTask.is_same_step(&WaitingOn::FirstTask));
    assert!(!WaitingOn::FirstTask.is_same_step(&WaitingOn::Listing));
}
