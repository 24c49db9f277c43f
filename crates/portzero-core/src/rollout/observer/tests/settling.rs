//! What must last until it counts: health without a break, and the drain of what is old.

use super::events::{observer_after, with};
use super::*;
use crate::aws_model::task::HealthStatus;
use crate::rollout::cause::container_facts::ContainerFacts;
use crate::rollout::scope::Needs;

fn target(state: TargetState) -> Snapshot {
    shown(RolloutState::Completed, &[("10.0.0.1", state)])
}

/// The warning on flapping of a run that saw the states, two seconds apart, and then good health.
fn flapped(states: &[TargetState]) -> Option<String> {
    let mut observer = observer();
    let mut seconds = 0;
    for state in states {
        see(&mut observer, seconds, target(state.clone()));
        seconds += 2;
    }
    see(&mut observer, seconds, healthy());
    let Next::Done(outcome) = see(&mut observer, seconds + 10, healthy()).next else {
        panic!("it has settled")
    };
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    let warning = outcome
        .findings
        .into_iter()
        .find(|finding| finding.code == Code::TargetFlapping);
    warning.map(|finding| finding.summary)
}

#[test]
fn targets_that_were_healthy_and_then_were_not_are_counted() {
    use TargetState::{Draining, Healthy, Initial, Unhealthy, Unused};
    assert_eq!(
        flapped(&[Initial, Unhealthy, Healthy]),
        None,
        "it was not healthy before"
    );
    let once = Some("the new targets of `web` were all healthy and then were not, once".to_owned());
    for state in [Unhealthy, Draining, Unused] {
        assert_eq!(flapped(&[Healthy, state.clone(), state]), once);
    }
    let twice = "the new targets of `web` were all healthy and then were not, 2 times";
    assert_eq!(
        flapped(&[Healthy, Unhealthy, Healthy, Unhealthy]).as_deref(),
        Some(twice)
    );
    // Nobody here knows what it means, or nothing is out of service.
    assert_eq!(flapped(&[Healthy, TargetState::Unknown("radiant".into())]), None);
    assert_eq!(flapped(&[Healthy, Initial]), None);
}

#[test]
fn another_task_that_is_not_healthy_yet_is_no_flapping() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    let mut joined = shown(
        RolloutState::InProgress,
        &[("10.0.0.1", TargetState::Healthy), ("10.0.0.2", TargetState::Unhealthy)],
    );
    joined.service.as_mut().unwrap().desired_count = 2;
    see(&mut observer, 2, joined);
    see(&mut observer, 4, healthy());
    let Next::Done(outcome) = see(&mut observer, 14, healthy()).next else {
        panic!("it has settled")
    };
    assert_eq!(outcome.findings, []);
}

#[test]
fn a_wait_is_reported_again_when_it_changes_or_has_lasted() {
    let registering = WaitingOn::Targets {
        healthy: 0,
        wanted: 1,
        others: vec![("initial".into(), 1)],
    };
    let mut observer = observer();
    let mut said = |seconds, state: TargetState| {
        let snapshot = shown(RolloutState::InProgress, &[("10.0.0.1", state)]);
        waiting(&see(&mut observer, seconds, snapshot))
    };
    assert!(said(0, TargetState::Initial).is_some());
    assert_eq!(said(29, TargetState::Initial), None);
    assert!(said(30, TargetState::Initial).is_some());
    assert!(said(32, TargetState::Unhealthy).is_some());
    // One more thing to wait for is another wait, whatever it begins with.
    observer.reported.waiting = Some((at(40), vec![registering.clone()]));
    let mut more = vec![registering.clone()];
    assert!(!observer.reported.is_wait_due(&more, at(41)));
    more.push(WaitingOn::DeferredCleanUp);
    assert!(observer.reported.is_wait_due(&more, at(41)));
}

#[test]
fn the_drain_of_an_old_target_is_counted_from_when_it_was_first_seen() {
    use TargetState::{Draining, Healthy};
    let (old, new) = ("10.0.1.1", "10.0.0.1");
    let group = TargetGroup {
        deregistration_delay: Some(Duration::from_secs(60)),
        ..scope().target_groups[&TargetGroupArn::from(GROUP)].clone()
    };
    let slow = Scope {
        target_groups: BTreeMap::from([(GROUP.into(), group)]),
        ..scope()
    };
    let before = with(&[(old, OLD, Healthy)]);
    let mut observer = Observer::new(slow.clone(), Baseline::of(&before, &slow), &before, at(0));
    let mut left = |seconds, state| {
        let step = see(&mut observer, seconds, with(&[(old, OLD, state), (new, OURS, Healthy)]));
        let pause = match step.next {
            Next::PollAt(next) => next.since(at(seconds)).as_secs(),
            Next::Done(_) => 0,
        };
        let waiting = observer.waiting().into_iter().find_map(|on| match on {
            WaitingOn::OldTargets { at_most, serving, .. } => Some((at_most.map(|left| left.as_secs()), serving)),
            _ => None,
        });
        (waiting, pause)
    };
    assert_eq!(left(2, Healthy), (Some((None, 1)), 2));
    assert_eq!(left(4, Draining), (Some((Some(60), 0)), 2));
    // Nothing else can be seen for a while; near the end the polls come closer again.
    assert_eq!(left(30, Draining), (Some((Some(34), 0)), 10));
    assert_eq!(left(49, Draining), (Some((Some(15), 0)), 10));
    assert_eq!(left(50, Draining), (Some((Some(14), 0)), 5));
}

#[test]
fn an_old_target_that_drains_again_later_has_all_its_time_again() {
    use TargetState::{Draining, Healthy};
    let (old, new) = ("10.0.1.1", "10.0.0.1");
    let mut observer = observer_after(&with(&[(old, OLD, Healthy)]));
    let mut since = |seconds, rows: &[(&str, &str, TargetState)]| {
        see(&mut observer, seconds, with(rows));
        observer
            .settling
            .memory
            .draining_since
            .values()
            .copied()
            .collect::<Vec<_>>()
    };
    let fine = (new, OURS, Healthy);
    assert_eq!(since(2, &[(old, OLD, Draining), fine.clone()]), [at(2)]);
    assert_eq!(since(4, &[(old, OLD, Draining), fine.clone()]), [at(2)]);
    assert_eq!(since(6, std::slice::from_ref(&fine)), []);
    assert_eq!(since(8, &[(old, OLD, Draining), fine]), [at(8)]);
}

#[test]
fn a_container_health_check_is_waited_for_in_every_task_that_is_wanted() {
    let document = serde_json::json!({"containerDefinitions": [{
        "name": "web", "image": "example/web:2", "healthCheck": {"command": ["CMD", "true"]},
    }]});
    let needs = Needs {
        containers: ContainerFacts::of(&document),
        ..Needs::default()
    };
    let scope = Scope {
        needs,
        settle: Duration::ZERO,
        ..scope()
    };
    let waits = |healths: [Option<HealthStatus>; 2]| {
        let rows = [("10.0.0.1", TargetState::Healthy), ("10.0.0.2", TargetState::Healthy)];
        let mut snapshot = shown(RolloutState::Completed, &rows);
        snapshot.service.as_mut().unwrap().desired_count = 2;
        for (task, health) in snapshot.tasks.iter_mut().zip(healths) {
            task.health_status = health;
        }
        waiting(&see(&mut observer_of(scope.clone()), 0, snapshot))
    };
    let checks = |healthy| Some(vec![WaitingOn::ContainerChecks { healthy, desired: 2 }]);
    assert_eq!(waits([None, Some(HealthStatus::Unhealthy)]), checks(0));
    assert_eq!(waits([Some(HealthStatus::Healthy), None]), checks(1));
    assert_eq!(waits([Some(HealthStatus::Healthy), Some(HealthStatus::Healthy)]), None);
    // Without a check of its own a task has no health to wait for.
    let unchecked = serde_json::json!({"containerDefinitions": [{"name": "web", "image": "example/web:2"}]});
    let needs = Needs {
        containers: ContainerFacts::of(&unchecked),
        ..Needs::default()
    };
    let scope = Scope { needs, ..scope };
    assert_eq!(waiting(&see(&mut observer_of(scope), 0, healthy())), None);
}
