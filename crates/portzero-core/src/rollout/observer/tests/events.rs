//! What is reported of tasks and targets from poll to poll, each thing once.

use super::*;

/// What the events say of tasks and targets, a line each.
fn lines(step: &Step) -> Vec<String> {
    let name = |state: &Option<TargetState>| state.as_ref().map_or("none", |state| state.as_str()).to_owned();
    let line = |event: &RolloutEvent| match event {
        RolloutEvent::Task {
            task,
            generation,
            status,
            ..
        } => Some(format!(
            "{} task {} {}",
            generation.as_str(),
            task.short(),
            status.as_str()
        )),
        RolloutEvent::Target {
            place,
            generation,
            from,
            to,
            ..
        } => Some(format!(
            "{} target {}: {} -> {}",
            generation.as_str(),
            place.1.id,
            name(from),
            name(to)
        )),
        _ => None,
    };
    step.events.iter().filter_map(line).collect()
}

/// An observer of a rollout that found what the snapshot shows.
pub(super) fn observer_after(before: &Snapshot) -> Observer {
    let baseline = Baseline::of(before, &scope());
    Observer::new(scope(), baseline, before, at(0))
}

/// Tasks by address, with their deployment and the state of their target.
pub(super) fn with(rows: &[(&str, &str, TargetState)]) -> Snapshot {
    let places: Vec<_> = rows.iter().map(|(ip, _, state)| (*ip, state.clone())).collect();
    Snapshot {
        tasks: rows.iter().map(|(ip, by, _)| task(ip, by)).collect(),
        instances: Some(BTreeMap::new()),
        ..shown(RolloutState::InProgress, &places)
    }
}

#[test]
fn each_change_of_a_task_and_a_target_is_reported_once() {
    use TargetState::{Draining, Healthy, Initial};
    let (old, new) = ("10.0.1.1", "10.0.0.1");
    let mut observer = observer_after(&with(&[(old, OLD, Healthy)]));
    let mut reported = |snapshot: &Snapshot| lines(&see(&mut observer, 2, snapshot.clone()));

    let begun = with(&[(old, OLD, Healthy), (new, OURS, Initial)]);
    // What was there before the deployment is no news.
    assert_eq!(
        reported(&begun),
        ["new task 10.0.0.1 RUNNING", "new target 10.0.0.1: none -> initial"]
    );
    assert_eq!(reported(&begun), [""; 0]);
    // An old answer about tasks does not make a target go that is still listed.
    let mut stale = begun.clone();
    stale.tasks.pop();
    assert_eq!(reported(&stale), [""; 0]);
    let mut going = with(&[(old, OLD, Draining), (new, OURS, Healthy)]);
    assert_eq!(
        reported(&going),
        [
            "new target 10.0.0.1: initial -> healthy",
            "old target 10.0.1.1: healthy -> draining"
        ]
    );
    // A task that had stopped before anybody looked is not of this rollout.
    let stopped = |ip: &str| Task {
        last_status: TaskStatus::Stopped,
        desired_status: TaskStatus::Stopped,
        ..task(ip, OLD)
    };
    going.tasks[0] = stopped(old);
    going.tasks.push(stopped("10.0.1.9"));
    assert_eq!(reported(&going), ["old task 10.0.1.1 STOPPED"]);
    let gone = with(&[(new, OURS, Healthy)]);
    assert_eq!(reported(&gone), ["old target 10.0.1.1: draining -> none"]);
    assert_eq!(reported(&gone), [""; 0]);
}

#[test]
fn an_address_that_passes_to_a_new_task_begins_anew() {
    use TargetState::{Healthy, Initial};
    let mut observer = observer_after(&with(&[("10.0.0.1", OLD, Healthy)]));
    let mut taken = with(&[("10.0.0.1", OURS, Initial)]);
    taken.tasks[0].arn = "task/next".into();
    assert_eq!(
        lines(&see(&mut observer, 2, taken)),
        ["new task next RUNNING", "new target 10.0.0.1: none -> initial"]
    );
}
