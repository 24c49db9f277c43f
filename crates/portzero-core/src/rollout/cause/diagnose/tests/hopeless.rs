//! When ECS still tries and waiting is of no use all the same.

use super::*;

/// The code of the failure that is certain after these looks, at the last of them.
fn certain(looks: &[(i64, &Snapshot)], has_breaker: bool) -> Option<Code> {
    let mut evidence = Evidence::default();
    for (second, look) in looks {
        collect(&mut evidence, at(*second), look);
    }
    let (second, last) = looks.last().expect("a look");
    let scope = scope();
    let old = BTreeSet::new();
    let view = View::of(last, &scope, &Baseline::default(), &old);
    let found = evidence.certain_failure(&scope, &view, has_breaker, at(*second));
    found.map(|finding| finding.code)
}

fn wanting(desired: u32, tasks: Vec<Task>, rows: Vec<TargetHealth>) -> Snapshot {
    let mut look = snapshot(tasks, rows);
    look.service.as_mut().unwrap().desired_count = desired;
    look
}

fn crashes(count: usize) -> Vec<Task> {
    (0..count).map(|n| crashed(&format!("dead-{n}"))).collect()
}

#[test]
fn more_like_failures_than_a_batch_has_tasks_are_hopeless_without_a_breaker() {
    let after = |desired, count| certain(&[(0, &wanting(desired, crashes(count), Vec::new()))], false);
    assert_eq!(after(1, 2), None);
    assert_eq!(after(1, 3), Some(Code::ContainerExit));
    assert_eq!(after(4, 4), None, "they may have been started together");
    assert_eq!(after(4, 5), Some(Code::ContainerExit));
    let many = wanting(1, crashes(9), Vec::new());
    assert_eq!(
        certain(&[(0, &many)], true),
        None,
        "the breaker's word is worth the wait"
    );
}

#[test]
fn what_the_rollout_has_overcome_is_not_counted_again() {
    let passes = |count: usize| {
        let mut tasks = crashes(count);
        tasks.push(task("new", OURS, 32_769));
        wanting(2, tasks, vec![row(32_769, TargetState::Healthy, "", "")])
    };
    let early = wanting(2, crashes(3), Vec::new());
    let after = |count| certain(&[(0, &early), (2, &passes(3)), (4, &passes(count))], false);
    assert_eq!(after(3), None);
    assert_eq!(after(5), None);
    assert_eq!(after(6), Some(Code::ContainerExit));
}

#[test]
fn a_port_may_be_free_when_the_old_task_has_stopped() {
    let in_use = |id: &str| {
        let mut task = ended(id, "TaskFailedToStart", "", None);
        task.containers[0].reason = Some("bind: address already in use".into());
        task
    };
    let failed = || vec![in_use("a"), in_use("b"), in_use("c")];
    let alone = wanting(1, failed(), Vec::new());
    assert_eq!(certain(&[(0, &alone)], false), Some(Code::PortInUse));
    let mut tasks = failed();
    tasks.push(task("old", OLD, 80));
    assert_eq!(certain(&[(0, &wanting(1, tasks, Vec::new()))], false), None);
}

/// What cannot be reached now may be reached a moment later.
fn unreached(id: &str) -> Task {
    let words = "ResourceInitializationError: unable to pull secrets: request send failed, timeout";
    ended(id, "TaskFailedToStart", words, None)
}

#[test]
fn what_cannot_be_reached_is_tried_for_five_minutes_and_more_than_once() {
    let one = wanting(2, vec![unreached("a")], Vec::new());
    let two = wanting(2, vec![unreached("a"), unreached("b")], Vec::new());
    assert_eq!(certain(&[(0, &one), (299, &two)], true), None);
    assert_eq!(certain(&[(0, &one), (300, &two)], true), Some(Code::Resources));
    assert_eq!(certain(&[(0, &one), (300, &one)], true), None, "it may be an accident");
}

#[test]
fn a_task_that_runs_shows_that_the_way_is_open() {
    let two = wanting(2, vec![unreached("a"), unreached("b")], Vec::new());
    let mut running = two.clone();
    running.tasks.push(task("new", OURS, 32_769));
    let looks = |last| [(0, &two), (100, &running), (110, &two), (last, &two)];
    assert_eq!(certain(&looks(300), true), None);
    assert_eq!(certain(&looks(409), true), None);
    assert_eq!(certain(&looks(410), true), Some(Code::Resources));
}
