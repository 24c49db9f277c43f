//! The evidence beside a cause, and what is no part of it.

use super::*;

const SCALING: &str = "Scaling activity initiated by (deployment ecs-svc/2)";

/// An old task that has ended, with this reason and exit code of its container.
fn old_ended(id: &str, reason: &str, exit_code: i32) -> Task {
    Task {
        started_by: Some(OLD.into()),
        task_definition: "web:41".into(),
        stopping_at: Some(at(10).wall()),
        stopped_at: Some(at(40).wall()),
        ..ended(id, "ServiceSchedulerInitiated", reason, Some(exit_code))
    }
}

/// The notes on old tasks that ran, and then ended as given.
fn besides(scope: &Scope, ended: Vec<Task>) -> Vec<Finding> {
    let running = ended.iter().map(|task| Task {
        last_status: TaskStatus::Running,
        desired_status: TaskStatus::Running,
        stopped_reason: None,
        ..task.clone()
    });
    let looks = [snapshot(running.collect(), Vec::new()), snapshot(ended, Vec::new())];
    seen(&looks).besides(scope)
}

#[test]
fn an_old_task_that_has_to_be_killed_is_noted_with_what_that_costs() {
    let mut patient = scope();
    patient.needs.containers[0].stop_timeout = Some(std::time::Duration::from_secs(120));
    let tasks = || vec![old_ended("a", SCALING, 137), old_ended("b", SCALING, 143)];
    let notes = besides(&patient, tasks());
    let [note] = notes.as_slice() else { panic!("{notes:#?}") };
    assert_eq!(
        note.summary,
        "container `web` of web:41 does not end on SIGTERM and is killed, which makes every rollout of `web` slower"
    );
    let evidence = "1 of 2 old tasks: exit 137, 30s from SIGTERM to its end";
    assert_eq!(text(note, "tasks"), Some(evidence));
    assert_eq!(note.hints[1], "or lower `stopTimeout` of the container (now 2m)");
    let notes = besides(&scope(), tasks());
    let unset = "or lower `stopTimeout` of the container (not set: 30s unless the instance's agent says otherwise)";
    assert_eq!(notes[0].hints[1], unset);
}

#[test]
fn who_ends_for_another_reason_does_not_ignore_sigterm() {
    assert_eq!(besides(&scope(), vec![old_ended("a", SCALING, 143)]), []);
    let crash = "Essential container in task exited";
    assert_eq!(besides(&scope(), vec![old_ended("a", crash, 137)]), []);
    let mut killed_for_memory = old_ended("a", SCALING, 137);
    killed_for_memory.containers[0].reason = Some("OutOfMemoryError: container killed".into());
    assert_eq!(besides(&scope(), vec![killed_for_memory]), []);
    // Of a task that had ended before anybody looked, nobody knows which rollout it ended for.
    let before = snapshot(vec![old_ended("a", SCALING, 137)], Vec::new());
    assert_eq!(seen(&[before]).besides(&scope()), []);
    // The new revision is another story.
    let ours = Task {
        started_by: Some(OURS.into()),
        ..old_ended("a", SCALING, 137)
    };
    let running = task("a", OURS, 32_768);
    let looks = [snapshot(vec![running], Vec::new()), snapshot(vec![ours], Vec::new())];
    assert_eq!(seen(&looks).besides(&scope()), []);
}

fn unhealthy(port: u16) -> TargetHealth {
    let words = "Health checks failed with these codes: [503]";
    row(port, TargetState::Unhealthy, "Target.ResponseCodeMismatch", words)
}

fn stopped_for_its_check(id: &str) -> Task {
    let reason = format!("Task failed ELB health checks in (target-group {GROUP})");
    ended(id, "ServiceSchedulerInitiated", &reason, Some(143))
}

#[test]
fn a_failing_check_is_told_once_whether_ecs_stopped_a_task_for_it_or_not() {
    let overcome = snapshot(
        vec![
            stopped_for_its_check("a"),
            task("b", OURS, 32_768),
            task("c", OURS, 32_769),
        ],
        vec![row(32_768, TargetState::Healthy, "", ""), unhealthy(32_769)],
    );
    let failing = snapshot(
        vec![stopped_for_its_check("a"), task("c", OURS, 32_769)],
        vec![unhealthy(32_769)],
    );
    for look in [overcome, failing] {
        let cause = seen(&[look]).likely_cause(&scope()).expect("a cause");
        assert_eq!((cause.code, text(&cause, "also")), (Code::TargetUnhealthy, None));
    }
}

#[test]
fn a_breaker_that_has_counted_nothing_is_no_evidence() {
    let breaker = |failures| {
        let mut evidence = seen(&[snapshot(vec![crashed("a")], Vec::new())]);
        evidence.count_breaker(BreakerCount {
            failures,
            threshold: Some(3),
            rolls_back: false,
        });
        let cause = evidence.likely_cause(&scope()).expect("a cause");
        text(&cause, "breaker").map(str::to_owned)
    };
    assert_eq!(breaker(0), None);
    assert_eq!(
        breaker(2).as_deref(),
        Some("2 of 3 failures, then ECS stops and does not roll back")
    );
    assert_eq!(
        breaker(3).as_deref(),
        Some("3 failures, the threshold is 3: ECS stops and does not roll back")
    );
}

#[test]
fn the_whole_log_is_offered_where_a_container_ended_by_itself() {
    let offers = |task: Task| {
        let cause = seen(&[snapshot(vec![task], Vec::new())])
            .likely_cause(&scope())
            .expect("a cause");
        let is_it = |hint: &&Hint| hint.text.starts_with("read all that it printed");
        assert!(text(&cause, "logs").is_some());
        cause.hints.iter().filter(is_it).count()
    };
    assert_eq!(offers(crashed("a")), 1);
    assert_eq!(offers(stopped_for_its_check("a")), 0);
    let unhealthy = ended(
        "a",
        "ServiceSchedulerInitiated",
        "Task failed container health checks",
        Some(143),
    );
    assert_eq!(offers(unhealthy), 0);
}

#[test]
fn a_limit_of_memory_is_named_where_the_container_was_killed() {
    let names_limit = |code| {
        let mut task = crashed("a");
        task.containers[0].exit_code = Some(code);
        let cause = seen(&[snapshot(vec![task], Vec::new())])
            .likely_cause(&scope())
            .expect("a cause");
        cause
            .hints
            .iter()
            .any(|hint| hint.text.contains("its limit of 256 MiB"))
    };
    assert!(names_limit(137) && !names_limit(1));
}

#[test]
fn what_an_instance_took_along_is_measured_without_quoting_ecs_twice() {
    let lost = ended(
        "a",
        "TerminationNotice",
        "Host EC2 (instance i-0abc) terminated.",
        Some(137),
    );
    let mut look = snapshot(vec![lost], Vec::new());
    look.capacity = Some(vec![home()]);
    let mut evidence = seen(&[look]);
    evidence.hear(&event(
        "(service web) was unable to place a task because no container instance met all of its requirements. The closest \
         matching (container-instance home) has insufficient CPU units available.",
    ));
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert_eq!(cause.code, Code::InstanceLost);
    assert_eq!(text(&cause, "cpu"), Some("a task needs 0 units, most free 0 on i-0abc"));
    assert_eq!(text(&cause, "ecs"), None);
}

#[test]
fn several_lost_instances_are_named_in_one_line() {
    let lost = |id: &str, instance: &str| {
        let reason = format!("Host EC2 (instance {instance}) terminated.");
        ended(id, "TerminationNotice", &reason, Some(137))
    };
    let said = |tasks| seen(&[snapshot(tasks, Vec::new())]).besides(&scope()).remove(0).summary;
    assert_eq!(
        said(vec![lost("a", "i-1")]),
        "infrastructure: instance i-1 was lost while `web` rolled out"
    );
    assert_eq!(
        said(vec![lost("a", "i-1"), lost("b", "i-2")]),
        "infrastructure: instance i-1, instance i-2 were lost while `web` rolled out"
    );
}

#[test]
fn instances_are_looked_up_for_an_end_that_nothing_explains_in_the_newest_deployment() {
    let wants = |task: Task, status: &str| {
        let mut look = snapshot(vec![task], Vec::new());
        look.service.as_mut().unwrap().deployments[0].status = status.into();
        seen(&[look]).wants_instances()
    };
    let quiet = || ended("a", "ServiceSchedulerInitiated", SCALING, Some(143));
    assert!(wants(quiet(), "PRIMARY"));
    assert!(!wants(quiet(), "ACTIVE"), "ECS ends what was replaced");
    assert!(!wants(crashed("a"), "PRIMARY"));
    let taken = ended(
        "a",
        "SpotInterruption",
        "Host EC2 (instance i-0abc) terminated.",
        Some(137),
    );
    assert!(!wants(taken, "PRIMARY"));
}

#[test]
fn an_alarm_is_heard_in_the_events_of_the_service() {
    let mut evidence = seen(&[snapshot(Vec::new(), Vec::new())]);
    let words = "(service web) (deployment ecs-svc/2) deployment failed: alarm detected.";
    evidence.hear(&event(words));
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert_eq!((cause.code, text(&cause, "ecs")), (Code::Alarm, Some(words)));
}

#[test]
fn a_target_in_an_unserved_zone_has_the_zone_enabled() {
    let words = "Target is in an Availability Zone that is not enabled for the load balancer";
    let unused = |words: &str| row(32_769, TargetState::Unused, "Target.NotInUse", words);
    let hint = |words: &str| {
        let look = || snapshot(vec![task("new", OURS, 32_769)], vec![unused(words)]);
        let cause = seen(&[look(), look()]).likely_cause(&scope()).expect("a cause");
        cause.hints[0].text.clone()
    };
    assert!(hint(words).starts_with("enable us-east-1a on the load balancer"));
    let no_listener = "Target group is not configured to receive traffic from the load balancer";
    assert!(hint(no_listener).starts_with("forward to target group `web`"));
}

#[test]
fn a_target_group_of_no_use_is_certain_at_the_second_look() {
    let words = "Target group is not configured to receive traffic from the load balancer";
    let idle = || row(32_769, TargetState::Unused, "Target.NotInUse", words);
    let look = snapshot(vec![task("new", OURS, 32_769)], vec![idle()]);
    let is_certain = |looks: usize| {
        let evidence = seen(&vec![look.clone(); looks]);
        let (scope, baseline) = (scope(), Baseline::default());
        let view = View::of(&look, &scope, &baseline, &BTreeSet::new());
        evidence
            .certain_failure(&scope, &view, true, at(9))
            .map(|finding| finding.code)
    };
    assert_eq!(is_certain(1), None);
    assert_eq!(is_certain(2), Some(Code::TargetGroupNotInUse));
}

#[test]
fn a_target_that_has_recovered_is_no_cause() {
    let tasks = || vec![task("a", OURS, 32_769)];
    let failing = snapshot(tasks(), vec![unhealthy(32_769)]);
    let fine = snapshot(tasks(), vec![row(32_769, TargetState::Healthy, "", "")]);
    assert!(seen(std::slice::from_ref(&failing)).likely_cause(&scope()).is_some());
    assert_eq!(seen(&[failing, fine]).likely_cause(&scope()), None);
}

#[test]
fn silence_is_told_with_how_long_tasks_ran_and_where_they_log() {
    let silent = || {
        row(
            32_769,
            TargetState::Unhealthy,
            "Target.FailedHealthChecks",
            "Health checks failed",
        )
    };
    let running = || snapshot(vec![task("new", OURS, 32_769)], vec![silent()]);
    let mut pending = running();
    pending.tasks[0].last_status = TaskStatus::Pending;
    let cause = |looks: &[Snapshot]| seen(looks).likely_cause(&scope()).expect("a cause");
    let told = cause(&[running(), running(), running()]);
    let start = "seen running for up to 4s without passing; health check grace period 0s";
    assert_eq!(text(&told, "start"), Some(start));
    assert_eq!(
        told.hints[0],
        "if the application needs longer to start, raise the health check grace period (now 0s) above its start-up time"
    );
    assert_eq!(
        told.hints[1],
        "or nothing listens there: read the container's log (log group /ecs/web)"
    );
    assert_eq!(text(&cause(&[running()]), "start"), None);
    assert_eq!(text(&cause(&[pending.clone(), pending]), "start"), None);
}

#[test]
fn how_long_an_answer_was_waited_for_is_said_where_it_is_known() {
    use crate::aws_model::target::{HealthCheck, TargetGroup};
    let silent = || row(32_769, TargetState::Unhealthy, "Target.Timeout", "Request timed out");
    let check = |timeout: u64| {
        let group = TargetGroup {
            arn: GROUP.into(),
            health_check: HealthCheck {
                timeout: std::time::Duration::from_secs(timeout),
                ..HealthCheck::default()
            },
            ..TargetGroup::plain()
        };
        let mut scope = scope();
        let look = || snapshot(vec![task("new", OURS, 32_769)], vec![silent()]);
        let evidence = seen(&[look()]);
        scope.target_groups.insert(GROUP.into(), group);
        let cause = evidence.likely_cause(&scope).expect("a cause");
        text(&cause, "check").unwrap_or_default().to_owned()
    };
    assert!(check(5).contains("-> no answer within 5s"), "{}", check(5));
    assert!(check(0).contains("-> no answer in time"), "{}", check(0));
}

#[test]
fn of_a_final_cause_all_that_are_alike_are_counted() {
    let unpulled = |id: &str| {
        let mut task = ended(id, "TaskFailedToStart", "Task failed to start", None);
        let words = "CannotPullContainerError: Error response from daemon: manifest for web:42 not found";
        task.containers[0].reason = Some(words.into());
        task
    };
    let look = snapshot(vec![unpulled("a"), unpulled("b"), crashed("c")], Vec::new());
    let evidence = seen(std::slice::from_ref(&look));
    let (scope, baseline) = (scope(), Baseline::default());
    let view = View::of(&look, &scope, &baseline, &BTreeSet::new());
    let certain = evidence
        .certain_failure(&scope, &view, true, at(2))
        .expect("an image that is not there");
    let line = "2 of 3 new tasks: the image of `web` cannot be pulled";
    assert_eq!((certain.code, text(&certain, "tasks")), (Code::ImagePull, Some(line)));
}

#[test]
fn a_secret_that_is_refused_is_final() {
    let mut task = ended("a", "TaskFailedToStart", "", None);
    let words = "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: \
                 invalid ssm parameters: /shop/db";
    task.stopped_reason = Some(words.into());
    let look = snapshot(vec![task], Vec::new());
    let evidence = seen(std::slice::from_ref(&look));
    let (scope, baseline) = (scope(), Baseline::default());
    let view = View::of(&look, &scope, &baseline, &BTreeSet::new());
    let certain = evidence.certain_failure(&scope, &view, true, at(2));
    assert_eq!(certain.map(|finding| finding.code), Some(Code::Secret));
}
