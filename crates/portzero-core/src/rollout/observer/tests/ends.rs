//! What is said at each end, word by word.

use super::*;
use crate::aws_model::service::RevisionReading;
use crate::rollout::words::last_look::{GoingBack, LastLook};
use crate::rollout::words::verdict as words;
use crate::rollout::words::verdict::EndOfTries;

#[test]
fn each_verdict_has_the_exit_code_of_the_documentation() {
    use Verdict::*;
    let all = [
        (Succeeded, "succeeded", 0),
        (NothingToVerify, "nothing-to-verify", 0),
        (Failed, "failed", 1),
        (Refused, "refused", 3),
        (TimedOut, "timed-out", 4),
        (Superseded, "superseded", 5),
        (CouldNotObserve, "could-not-observe", 6),
        (Interrupted, "interrupted", 130),
    ];
    for (verdict, name, code) in all {
        assert_eq!((verdict.as_str(), verdict.exit_code()), (name, code));
        assert_eq!(verdict.is_success(), code == 0, "{name}");
    }
}

fn finding(step: Step) -> Finding {
    match step.next {
        Next::Done(mut outcome) => outcome.findings.swap_remove(0),
        Next::PollAt(_) => panic!("no verdict"),
    }
}

fn evidence<'a>(finding: &'a Finding, label: &str) -> Option<&'a str> {
    let found = finding.evidence.iter().find(|(of, _)| of == label);
    found.map(|(_, text)| text.as_str())
}

#[test]
fn an_interrupted_run_says_how_far_it_was() {
    let mut observer = observer();
    let mut two = shown(
        RolloutState::InProgress,
        &[("10.0.0.1", TargetState::Healthy), ("10.0.0.2", TargetState::Initial)],
    );
    two.service.as_mut().unwrap().desired_count = 2;
    // One that is about to stop serves no longer.
    two.tasks.push(Task {
        desired_status: TaskStatus::Stopped,
        task_definition: "task-definition/web:1".into(),
        ..task("10.0.1.1", OLD)
    });
    two.tasks.push(Task {
        last_status: TaskStatus::Pending,
        task_definition: "task-definition/web:1".into(),
        ..task("10.0.1.2", OLD)
    });
    see(&mut observer, 0, two);
    let said = finding(observer.step(at(2), Input::Interrupted));
    assert_eq!(said.summary, "interrupted before `web` had finished rolling out");
    assert_eq!(
        evidence(&said, "new"),
        Some("web:2 2 of 2 tasks running, 1 of 2 targets healthy")
    );
    assert_eq!(
        evidence(&said, "waiting"),
        Some("new targets: 1 of 2 healthy (1 initial)")
    );
    let state = "web:2 runs 2 tasks; the rollout goes on in AWS";
    assert_eq!(said.state.as_deref(), Some(state));
}

#[test]
fn where_nothing_balances_only_the_tasks_are_counted() {
    let alone = Scope {
        bindings: Vec::new(),
        ..scope()
    };
    let mut observer = observer_of(alone);
    let mut two = shown(RolloutState::InProgress, &[]);
    two.service.as_mut().unwrap().desired_count = 2;
    two.tasks = vec![task("10.0.0.1", OURS)];
    see(&mut observer, 0, two.clone());
    let said = finding(see(&mut observer, 100, two));
    assert_eq!(
        said.summary,
        "`web` did not finish rolling out within 1m 40s: waiting on new tasks: 1 of 2 running"
    );
    assert_eq!(evidence(&said, "new"), Some("web:2 1 of 2 tasks running"));
}

#[test]
fn a_rollback_to_the_same_revision_says_which_deployment_was_given_up() {
    use RolloutState::Completed;
    use ServiceDeploymentStatus::RollbackSuccessful;
    let state = |revision: &str, desired| {
        let mut observer = observer();
        see(&mut observer, 0, starting());
        let mut back = back_to(OLD, Completed, RollbackSuccessful);
        let service = back.service.as_mut().unwrap();
        service.desired_count = desired;
        service.deployments[0].task_definition = format!("task-definition/{revision}").into();
        finding(see(&mut observer, 2, back)).state.unwrap_or_default()
    };
    assert_eq!(
        state("web:1", 0),
        "rolled back: the service points to web:1 and wants no task; web:2 stays registered"
    );
    assert_eq!(
        state("web:2", 1),
        "rolled back: the service points to web:2; no task of the service is running; deployment ecs-svc/2, of the \
         same revision, was given up"
    );
}

#[test]
fn ecs_is_quoted_on_a_rollback_that_goes_on() {
    let reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
    let to = Deployment {
        rollout_state_reason: Some(reason.into()),
        ..row(OLD, DeploymentStatus::Primary, RolloutState::InProgress)
    };
    let quoted = |end| {
        let said = words::rolled_back(&scope(), None, Some(&to), end, &LastLook::default());
        evidence(&said, "ecs").map(str::to_owned)
    };
    assert_eq!(quoted(GoingBack::GoesOn).as_deref(), Some(reason));
    assert_eq!(
        quoted(GoingBack::Replaced("ecs-svc/3 (web:3)")).as_deref(),
        Some(reason)
    );
    // Whoever reads of one that is over wants the cause, which is the finding itself.
    assert_eq!(quoted(GoingBack::Over), None);
}

#[test]
fn going_back_by_hand_is_advised_where_nothing_else_goes_back_and_there_is_room_for_it() {
    let before = Scope {
        good: Some("task-definition/web:1".into()),
        ..scope()
    };
    let hints = |scope: &Scope, hints: &[&str], end| {
        let start = Finding::error(Code::ImagePull, "the image cannot be pulled");
        let start = hints.iter().fold(start, |finding, hint| finding.hint(*hint));
        let said = words::failed_early(scope, start, end, &LastLook::default());
        let go_back = "to end that, go back to what ran: portzero rollback --cluster c --service web --to web:1";
        said.hints.iter().any(|hint| hint.text == go_back)
    };
    assert!(
        hints(&before, &[], EndOfTries::NextDeployment) && hints(&before, &["push it"], EndOfTries::NextDeployment)
    );
    assert!(!hints(&before, &["push it", "or another"], EndOfTries::NextDeployment));
    assert!(!hints(&before, &[], EndOfTries::RollsBack), "ECS does it");
    assert!(
        !hints(&scope(), &[], EndOfTries::NextDeployment),
        "nobody knows to what"
    );
}

#[test]
fn a_success_without_a_target_group_says_what_was_checked() {
    let said = |own| words::no_target_group(&scope(), own).summary;
    assert_eq!(
        said(None),
        "`web` has no target group: only ECS's own word says that it works"
    );
    assert_eq!(
        said(Some(1)),
        "`web` has no target group: 1 task passes the container health check, and nothing else was checked"
    );
    assert_eq!(
        said(Some(2)),
        "`web` has no target group: 2 tasks pass the container health check, and nothing else was checked"
    );
    let mut unread = scope();
    unread.managed.reading = RevisionReading::Refused;
    assert_eq!(
        words::no_target_group(&unread, None).summary,
        "`web` names no target group, and whether ECS manages one was not checked: only ECS's own word says that it works"
    );
    let ends = |scope: Scope| {
        let mut quick = shown(RolloutState::Completed, &[]);
        quick.tasks = vec![task("10.0.0.1", OURS)];
        if !scope.bindings.is_empty() {
            quick = healthy();
        }
        let scope = Scope {
            settle: Duration::ZERO,
            ..scope
        };
        match see(&mut observer_of(scope), 0, quick).next {
            Next::Done(outcome) => (outcome.verdict, outcome.findings.len()),
            Next::PollAt(_) => panic!("it is done"),
        }
    };
    assert_eq!(ends(scope()), (Verdict::Succeeded, 0));
    let alone = Scope {
        bindings: Vec::new(),
        ..scope()
    };
    assert_eq!(ends(alone), (Verdict::Succeeded, 1));
}
