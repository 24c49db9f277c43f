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
