//! What a run is told whose budget is spent.

use super::*;

/// The task of ours has ended with its instance, or by itself, and left another in its place; at the end of the budget.
fn late(last: Snapshot, code: &str, reason: &str) -> Step {
    let mut ended = Task {
        last_status: TaskStatus::Stopped,
        desired_status: TaskStatus::Stopped,
        stop_code: Some(code.into()),
        stopped_reason: Some(reason.into()),
        ..task("10.0.0.9", OURS)
    };
    ended.containers[0].exit_code = Some(1);
    let with_it = |mut snapshot: Snapshot| {
        snapshot.tasks.push(ended.clone());
        snapshot
    };
    let mut observer = observer();
    assert_eq!(verdict(&see(&mut observer, 0, with_it(starting()))), None);
    assert_eq!(verdict(&see(&mut observer, 80, with_it(last.clone()))), None);
    let step = see(&mut observer, 100, with_it(last));
    assert_eq!(verdict(&step), Some(Verdict::TimedOut));
    step
}

#[test]
fn what_went_wrong_once_explains_no_time_out_unless_something_is_missing_for_it() {
    let (lost, host) = ("TerminationNotice", "Host EC2 (instance i-0abc) terminated.");
    let (exit, essential) = ("EssentialContainerExited", "Essential container in task exited");
    // ECS calls nothing completed while it cannot put back what the instance took along.
    let incomplete = || shown(RolloutState::InProgress, &[("10.0.0.1", TargetState::Healthy)]);
    assert_eq!(cause(&late(incomplete(), lost, host)), Code::InstanceLost);
    assert_eq!(cause(&late(incomplete(), exit, essential)), Code::TimedOut);
    // An old task that takes long to stop has nothing to do with it.
    let mut draining = incomplete();
    draining.tasks.push(task("10.0.1.1", OLD));
    assert_eq!(cause(&late(draining, lost, host)), Code::TimedOut);
    assert_eq!(cause(&late(starting(), exit, essential)), Code::ContainerExit);
}

#[test]
fn what_could_not_be_observed_says_what_was_waited_for() {
    let waits = |first: Option<Snapshot>| {
        let mut observer = observer();
        if let Some(first) = first {
            see(&mut observer, 0, first);
        }
        miss(&mut observer, 2, ApiErrorKind::Denied);
        let Next::Done(outcome) = miss(&mut observer, 32, ApiErrorKind::Denied).next else {
            panic!("a denial is tolerated for half a minute")
        };
        let found = outcome.findings[0]
            .evidence
            .iter()
            .find(|(label, _)| label == "waiting");
        found.map(|(_, words)| words.clone())
    };
    assert_eq!(
        waits(Some(starting())).as_deref(),
        Some("new targets: 0 of 1 healthy (1 initial)")
    );
    assert_eq!(waits(None), None);
}

/// Instances may not be read, so that no target can be joined to its task.
fn unjoined(events: &[&str]) -> Snapshot {
    let mut snapshot = healthy();
    snapshot.instances = None;
    snapshot.service.as_mut().unwrap().events = (1..)
        .zip(events)
        .map(|(id, message)| ServiceEvent {
            id: id.to_string(),
            created_at: None,
            message: (*message).into(),
        })
        .collect();
    snapshot
}

#[test]
fn a_refused_target_is_believed_where_targets_cannot_be_told_apart() {
    let group = TargetGroup {
        target_type: "instance".into(),
        ..scope().target_groups[&TargetGroupArn::from(GROUP)].clone()
    };
    let on_instances = Scope {
        target_groups: BTreeMap::from([(GROUP.into(), group)]),
        settle: Duration::ZERO,
        ..scope()
    };
    let refused = format!(
        "(service web) failed to register targets in target-group {GROUP} with (error TooManyTargets: no more room)"
    );
    let ends = |scope: &Scope, snapshot: Snapshot| {
        let mut observer = observer_of(scope.clone());
        let step = see(&mut observer, 0, snapshot);
        (verdict(&step), observer.waiting())
    };
    let done = (Some(Verdict::Succeeded), Vec::new());
    assert_eq!(ends(&on_instances, unjoined(&[])), done);
    assert_eq!(
        ends(&on_instances, unjoined(&[&refused])),
        (None, vec![WaitingOn::Registration])
    );
    // Where each target is known, its own state is the better word.
    let joined = Scope {
        settle: Duration::ZERO,
        ..scope()
    };
    assert_eq!(ends(&joined, unjoined(&[&refused])), done);
}

#[test]
fn a_success_without_flapping_has_no_warning() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    let Next::Done(outcome) = see(&mut observer, 10, healthy()).next else {
        panic!("it has settled")
    };
    assert_eq!((outcome.verdict, outcome.findings), (Verdict::Succeeded, Vec::new()));
}

#[test]
fn a_rollback_is_said_to_be_over_where_it_is() {
    use ServiceDeploymentStatus::{RollbackInProgress, RollbackSuccessful};
    let is_over = |state, status| {
        let mut observer = observer();
        see(&mut observer, 0, starting());
        let step = see(&mut observer, 2, back_to(OLD, state, status));
        step.events.into_iter().find_map(|event| match event {
            RolloutEvent::RollingBack { is_over, .. } => Some(is_over),
            _ => None,
        })
    };
    assert_eq!(is_over(RolloutState::Completed, RollbackSuccessful), Some(true));
    assert_eq!(is_over(RolloutState::InProgress, RollbackInProgress), Some(false));
}

#[test]
fn more_time_is_given_where_room_may_come() {
    let ends = |change: fn(&mut Snapshot)| {
        let mut snapshot = stuck(0, 2, 100, "ROLLING");
        change(&mut snapshot);
        let patient = Scope {
            wait_budget: Duration::from_secs(900),
            ..scope()
        };
        ends_at(&mut observer_of(patient), &[0, 45, 299, 300], &snapshot).map(|(at, _)| at)
    };
    assert_eq!(ends(|_| {}), Some(45));
    assert_eq!(
        ends(|s| s.service.as_mut().unwrap().has_capacity_providers = true),
        Some(300)
    );
    let agent = |snapshot: &mut Snapshot| {
        let event = &mut snapshot.service.as_mut().unwrap().events[0];
        event.message = event
            .message
            .replace("has insufficient CPU units available.", "encountered error \"AGENT\".");
    };
    assert_eq!(ends(agent), Some(300));
    // The books show room that ECS does not use.
    let room = |snapshot: &mut Snapshot| {
        let home = crate::aws_model::task::ContainerInstance::plain();
        snapshot.capacity = Some(vec![home]);
    };
    assert_eq!(ends(room), Some(300));
}

#[test]
fn what_autoscaling_asks_for_later_is_no_trouble_of_this_deployment() {
    let mut completed = stuck(1, 1, 100, "ROLLING");
    let service = completed.service.as_mut().unwrap();
    service.deployments[0].rollout_state = Some(RolloutState::Completed);
    assert_eq!(ends_at(&mut observer(), &[0, 45, 90], &completed), None);
    let mut all_there = stuck(2, 1, 100, "BLUE_GREEN");
    all_there.service.as_mut().unwrap().deployments[0].rollout_state = Some(RolloutState::InProgress);
    assert_eq!(ends_at(&mut observer(), &[0, 45, 90], &all_there), None);
}
