//! New tasks that end by themselves after they had been RUNNING.

use super::*;

/// A task that crashed after so many seconds of RUNNING.
fn lived(id: &str, seconds: i64) -> Task {
    let mut task = crashed(id);
    (task.started_at, task.stopping_at) = (Some(at(1000).wall()), Some(at(1000 + seconds).wall()));
    task
}

fn counted(looks: &[(i64, Snapshot)], failures: u32) -> Evidence {
    let mut evidence = Evidence::default();
    for (second, look) in looks {
        collect(&mut evidence, at(*second), look);
    }
    evidence.count_breaker(BreakerCount {
        failures,
        threshold: Some(3),
        rolls_back: true,
    });
    evidence
}

/// What is told of a loop with so many ends, of which the breaker has counted some. One task is wanted.
fn looping(ends: i64, counted_failures: u32) -> Option<Finding> {
    let mut look = snapshot(
        (0..ends).map(|n| lived(&format!("dead-{n}"), 60 + n)).collect(),
        Vec::new(),
    );
    look.service.as_mut().expect("a service").desired_count = 1;
    let before = snapshot(Vec::new(), Vec::new());
    let evidence = counted(&[(0, before), (1, look.clone())], counted_failures);
    let (scope, old) = (scope(), BTreeSet::new());
    let view = View::of(&look, &scope, &Baseline::default(), &old);
    evidence.unending_loop(&scope, &view)
}

#[test]
fn a_loop_that_the_breaker_does_not_count_is_unending() {
    assert_eq!(looping(2, 0), None);
    assert_eq!(looping(3, 0).map(|finding| finding.code), Some(Code::ContainerExit));
    assert_eq!(looping(4, 2), None, "the breaker's word is worth the wait");
    assert_eq!(looping(5, 2).map(|finding| finding.code), Some(Code::ContainerExit));
}

#[test]
fn what_had_ended_before_anybody_looked_does_not_go_on() {
    let looped = |ends: i64| (0..ends).map(|n| lived(&format!("dead-{n}"), 60)).collect();
    let is_unending = |looks: &[(i64, Snapshot)]| {
        let evidence = counted(looks, 0);
        let (look, scope, old) = (&looks[looks.len() - 1].1, scope(), BTreeSet::new());
        let view = View::of(look, &scope, &Baseline::default(), &old);
        evidence.unending_loop(&scope, &view).is_some()
    };
    let of = |ends| {
        let mut look = snapshot(looped(ends), Vec::new());
        look.service.as_mut().expect("a service").desired_count = 1;
        look
    };
    assert!(!is_unending(&[(0, of(3)), (9, of(3))]));
    assert!(is_unending(&[(0, of(3)), (9, of(4))]));
}

#[test]
fn an_end_that_another_finding_tells_of_is_not_told_again() {
    let mut look = snapshot(vec![lived("a", 60)], Vec::new());
    look.service.as_mut().expect("a service").desired_count = 1;
    let evidence = counted(&[(0, look)], 0);
    let untold = |finding: Finding| evidence.untold_ends(&[finding], &scope()).len();
    assert_eq!(untold(Finding::error(Code::TimedOut, "late")), 1);
    assert_eq!(untold(Finding::error(Code::ContainerExit, "it")), 0);
    let alarm = Finding::error(Code::Alarm, "an alarm");
    assert_eq!(untold(alarm.evidence("also", "1 of 1 new task: `web` exit 1")), 0);
}

#[test]
fn only_what_ended_by_itself_after_it_was_running_counts() {
    let last = |task: Task| counted(&[(5, snapshot(vec![task], Vec::new()))], 0).last_own_end();
    assert_eq!(last(lived("a", 60)), Some((at(5), Duration::from_secs(60))));
    // Without a start it never ran.
    assert_eq!(last(crashed("a")), None);
    let stopped = |code: &str, reason: &str| {
        let mut task = lived("a", 60);
        (task.stop_code, task.stopped_reason) = (Some(code.into()), Some(reason.into()));
        task
    };
    let scaling = "Scaling activity initiated by (deployment ecs-svc/2)";
    assert_eq!(last(stopped("ServiceSchedulerInitiated", scaling)), None);
    assert_eq!(last(stopped("UserInitiated", "Task stopped by user")), None);
    assert_eq!(
        last(stopped("TerminationNotice", "Host EC2 (instance i-1) terminated.")),
        None
    );
    assert_eq!(
        last(stopped("TaskFailedToStart", "Essential container in task exited")),
        None
    );
    let check = stopped("ServiceSchedulerInitiated", "Task failed container health checks");
    assert!(last(check).is_some());
    // A life of hours is no crash at the start.
    assert_eq!(last(lived("a", 7200)), Some((at(5), Duration::ZERO)));
}

#[test]
fn a_task_that_comes_to_run_later_must_prove_itself_from_then_on() {
    let mut running = task("new", OURS, 32_769);
    running.last_status = TaskStatus::Running;
    let of = |tasks: Vec<Task>| {
        let mut look = snapshot(tasks, Vec::new());
        look.service.as_mut().expect("a service").desired_count = 1;
        look
    };
    let both = || vec![lived("a", 60), running.clone()];
    let looks = [(0, of(vec![lived("a", 60)])), (9, of(both())), (20, of(both()))];
    assert_eq!(
        counted(&looks, 0).last_own_end(),
        Some((at(9), Duration::from_secs(60)))
    );
}

#[test]
fn what_ended_once_is_a_warning_with_how_long_it_lived() {
    let mut look = snapshot(
        vec![task("a", OURS, 32_768)],
        vec![row(32_768, TargetState::Healthy, "", "")],
    );
    let healthy = look.clone();
    look.tasks = vec![lived("a", 60)];
    let found = counted(&[(0, healthy), (2, look)], 0).besides(&scope());
    let [warning] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (warning.code, warning.severity),
        (Code::ContainerExit, Severity::Warning)
    );
    assert_eq!(
        warning.summary,
        "1 new task of `web` ended by itself after RUNNING: `web` exit 1"
    );
    assert!(
        warning.evidence.contains(&("ended".into(), "1m after RUNNING".into())),
        "{warning:?}"
    );
}
