//! To which revision a run goes back, by which call, and what is said of it.

use super::*;
use crate::aws_model::service::Deployment;
use crate::base::finding::{Hint, HintKind, Severity};

fn failed() -> Outcome {
    let cause = Finding::error(Code::TargetUnhealthy, "it does not work").state("web:1 runs 2 tasks");
    Outcome::new(Verdict::TimedOut, vec![cause])
}

fn told(back: RollbackReport) -> Outcome {
    conclude(failed(), &"web".into(), &"task-definition/web:2".into(), back)
}

fn states(outcome: &Outcome) -> Vec<(&str, &str)> {
    let findings = outcome.findings.iter();
    findings
        .map(|f| (f.code.as_str(), f.state.as_deref().unwrap_or_default()))
        .collect()
}

/// Deployments as (id, revision, state), the PRIMARY first.
fn service(deployments: &[(&str, u32, Option<&str>)]) -> Service {
    let deployment = |(index, (id, revision, state)): (usize, &(&str, u32, Option<&str>))| Deployment {
        id: (*id).into(),
        status: if index == 0 { "PRIMARY" } else { "ACTIVE" }.into(),
        task_definition: format!("task-definition/web:{revision}").into(),
        desired_count: 2,
        running_count: 2,
        rollout_state: state.map(Into::into),
        ..Deployment::plain()
    };
    Service {
        desired_count: 2,
        running_count: 2,
        deployments: deployments.iter().enumerate().map(deployment).collect(),
        ..Service::plain()
    }
}

fn good(service: &Service) -> Option<String> {
    last_good(service).map(|arn| arn.short().to_owned())
}

#[test]
fn only_what_ecs_calls_completed_is_good() {
    let (done, open, failed) = (Some("COMPLETED"), Some("IN_PROGRESS"), Some("FAILED"));
    assert_eq!(
        good(&service(&[("b", 2, done), ("a", 1, done)])).as_deref(),
        Some("web:2")
    );
    assert_eq!(
        good(&service(&[("b", 2, open), ("a", 1, done)])).as_deref(),
        Some("web:1")
    );
    assert_eq!(
        good(&service(&[("b", 2, failed), ("a", 1, done)])).as_deref(),
        Some("web:1")
    );
    assert_eq!(good(&service(&[("b", 2, open)])), None, "nothing has ever run well");
    // Behind a classic load balancer ECS gives no state.
    assert_eq!(good(&service(&[("a", 1, None)])).as_deref(), Some("web:1"));
    assert_eq!(good(&service(&[("b", 2, None), ("a", 1, None)])), None);
}

#[test]
fn a_rollback_by_hand_leads_to_another_revision_that_ran_well() {
    let arn = |n: u32| TaskDefinitionArn::new(format!("task-definition/web:{n}"));
    let to = |way: Option<Way>| match way {
        Some(Way::Redeploy { to }) => to.short().to_owned(),
        other => format!("{other:?}"),
    };
    let steady = service(&[("c", 3, Some("COMPLETED"))]);
    assert_eq!(
        to(destination(&steady, None, &[arn(3), arn(3), arn(2), arn(1)])),
        "web:2"
    );
    assert_eq!(destination(&steady, None, &[arn(3)]), None);
    let failed = service(&[("c", 3, Some("FAILED")), ("b", 2, Some("COMPLETED"))]);
    assert_eq!(to(destination(&failed, None, &[])), "web:2", "it still runs");
}

#[test]
fn t12_what_ecs_has_rolled_back_last_is_back_already() {
    use ServiceDeploymentStatus::{InProgress, RollbackInProgress, RollbackSuccessful, Successful};
    let record = |number: &str, at: i64, status: ServiceDeploymentStatus| ServiceDeployment {
        status,
        target_revision: Some(format!("service-revision/c/web/{number}")),
        created_at: Some(crate::base::time::Timestamp::from_millis(at)),
        ..ServiceDeployment::plain()
    };
    let id_of = |number: &str| crate::base::id::DeploymentId::of_revision(number).to_string();
    let back = |state: &str, newest: ServiceDeploymentStatus| {
        let shown = service(&[(id_of("1").as_str(), 1, Some(state))]);
        let listed = [record("1", 1, Successful), record("2", 2, newest)];
        rolled_back_already(&shown, &listed).map(|from| back_already(&shown, from).summary)
    };
    assert_eq!(
        back("COMPLETED", RollbackSuccessful).as_deref(),
        Some("`web` is already back at web:1: ECS rolled back its last deployment")
    );
    assert_eq!(back("IN_PROGRESS", RollbackSuccessful), None);
    for other in [InProgress, RollbackInProgress, Successful] {
        assert_eq!(back("COMPLETED", other), None);
    }
    // A good deployment since is what a rollback leaves.
    let shown = service(&[(id_of("3").as_str(), 3, Some("COMPLETED"))]);
    let listed = [record("2", 2, RollbackSuccessful), record("3", 3, Successful)];
    assert_eq!(rolled_back_already(&shown, &listed), None);
}

#[test]
fn a_way_back_that_is_complete_is_told_by_the_cause() {
    let outcome = told(RollbackReport::Complete {
        to: "web:1".into(),
        now: "web:1 serves all traffic with 2 tasks".into(),
        is_empty: false,
    });
    assert_eq!((outcome.verdict, outcome.is_rolled_back), (Verdict::Failed, true));
    let state = "rolled back by this run: web:1 serves all traffic with 2 tasks; web:2 stays registered";
    assert_eq!(states(&outcome), [("target-unhealthy", state)]);
}

#[test]
fn a_way_back_that_is_refused_stands_before_the_cause_and_takes_nothing_from_it() {
    let outcome = told(RollbackReport::Refused {
        to: Some("web:1".into()),
        because: Finding::error(Code::Api, "it is not allowed"),
    });
    assert_eq!((outcome.verdict, outcome.is_rolled_back), (Verdict::Failed, false));
    let (loud, cause) = (&outcome.findings[0], &outcome.findings[1]);
    assert_eq!((loud.code, loud.severity), (Code::RollbackFailed, Severity::Error));
    assert_eq!(
        cause.state.as_deref(),
        Some("web:1 runs 2 tasks; AWS did not let this run go back to web:1")
    );
}

#[test]
fn where_there_is_no_way_the_verdict_stays() {
    let outcome = told(RollbackReport::None { why: "so it is".into() });
    assert_eq!(outcome.verdict, Verdict::TimedOut);
    let state = "web:1 runs 2 tasks; not rolled back by this run: so it is";
    assert_eq!(states(&outcome), [("target-unhealthy", state)]);
}

#[test]
fn a_cancelled_run_does_not_call_its_rollback_failed_for_not_waiting() {
    let mut first = failed();
    first.verdict = Verdict::Interrupted;
    let back = RollbackReport::UnderWay {
        call: "StopServiceDeployment",
        to: None,
        serving: "web:1 runs 2 tasks".into(),
        because: None,
    };
    let outcome = conclude(first, &"web".into(), &"task-definition/web:2".into(), back);
    assert_eq!(outcome.verdict, Verdict::Interrupted);
    assert_eq!(outcome.findings.len(), 1);
}

#[test]
fn behind_a_classic_load_balancer_a_deployment_with_all_its_tasks_is_good() {
    let mut alone = service(&[("a", 1, None)]);
    alone.deployments[0].running_count = 3;
    assert_eq!(good(&alone).as_deref(), Some("web:1"), "it may have more for a while");
    alone.deployments[0].running_count = 1;
    assert_eq!(good(&alone), None);
    // Where ECS gives a state, the number of tasks is no substitute for it.
    assert_eq!(good(&service(&[("a", 1, Some("FAILED"))])), None);
}

#[test]
fn ecs_is_asked_to_stop_what_has_not_come_to_its_end() {
    use ServiceDeploymentStatus::{InProgress, Pending, RollbackInProgress, StopRequested, Successful};
    let failed = service(&[("c", 3, Some("IN_PROGRESS")), ("b", 2, Some("COMPLETED"))]);
    let by = |status| {
        let running = ServiceDeployment {
            status,
            ..ServiceDeployment::plain()
        };
        destination(&failed, Some(&running), &[]).map(|way| way.call())
    };
    let (stop, update) = (Some("StopServiceDeployment"), Some("UpdateService"));
    assert_eq!([Pending, InProgress].map(by), [stop, stop]);
    assert_eq!([StopRequested, RollbackInProgress, Successful].map(by), [update; 3]);
}

fn complete() -> RollbackReport {
    RollbackReport::Complete {
        to: "web:1".into(),
        now: "web:1 serves all traffic with 2 tasks".into(),
        is_empty: false,
    }
}

fn under_way(to: Option<&str>, because: Option<&str>) -> RollbackReport {
    RollbackReport::UnderWay {
        call: "StopServiceDeployment",
        to: to.map(Into::into),
        serving: "web:2 runs 1 task".into(),
        because: because.map(Into::into),
    }
}

fn replaced() -> RollbackReport {
    RollbackReport::Replaced {
        call: "UpdateService",
        to: Some("web:1".into()),
        by: "ecs-svc/3 (web:3)".into(),
        serving: "web:2 runs 1 task".into(),
    }
}

fn unanswered(answer: Option<&str>) -> RollbackReport {
    RollbackReport::Unanswered {
        call: "UpdateService",
        to: Some("web:1".into()),
        answer: answer.map(Into::into),
    }
}

fn ended_badly() -> RollbackReport {
    let because = Finding::error(Code::TargetUnhealthy, "it does not work either").state("web:1 runs 1 task");
    RollbackReport::Failed {
        to: Some("web:1".into()),
        because,
    }
}

#[test]
fn the_state_of_the_cause_says_how_far_the_rollback_has_come() {
    let state = |back| {
        told(back)
            .findings
            .pop()
            .and_then(|cause| cause.state)
            .unwrap_or_default()
    };
    assert_eq!(
        state(under_way(None, None)),
        "this run asked ECS to go back to what ran before (StopServiceDeployment); that was not complete when the run \
         ended, and goes on without it (last seen: web:2 runs 1 task); web:2 stays registered"
    );
    // ECS goes back by deployment, and the earlier one may have had the same revision.
    assert!(!state(under_way(Some("web:2"), None)).contains("stays registered"));
    assert_eq!(
        state(replaced()),
        "this run asked ECS to go back to web:1 (UpdateService), and ecs-svc/3 (web:3) took over before that was \
         complete (last seen: web:2 runs 1 task); web:2 stays registered"
    );
    assert_eq!(
        state(ended_badly()),
        "this run went back to web:1, and that failed: web:1 runs 1 task"
    );
    assert_eq!(
        state(unanswered(None)),
        "web:1 runs 2 tasks; UpdateService was sent to go back to web:1, and no answer has come: whether ECS goes back \
         is not known"
    );
}

#[test]
fn a_rollback_whose_end_was_not_seen_stands_before_the_cause() {
    let first = |back| told(back).findings.swap_remove(0);
    let open = first(under_way(Some("web:1"), Some("the time is over")));
    assert_eq!(open.summary, "the rollback of `web` to web:1 was not seen to its end");
    assert_eq!(open.state.as_deref(), Some("last seen: web:2 runs 1 task"));
    assert_eq!(open.evidence, [("because".into(), "the time is over".to_owned())]);
    assert_eq!(first(under_way(None, None)).evidence, []);
    let replaced = first(replaced());
    assert_eq!(
        (replaced.code, replaced.summary.as_str()),
        (
            Code::Superseded,
            "another deployment took over while `web` went back to web:1"
        )
    );
    let silent = first(unanswered(Some("the connection broke")));
    assert_eq!(
        silent.summary,
        "whether `web` is rolled back to web:1 is not known: UpdateService got no answer"
    );
    assert_eq!(silent.evidence, [("answer".into(), "the connection broke".to_owned())]);
    let failed = first(ended_badly());
    assert_eq!(failed.summary, "`web` could not be rolled back to web:1");
    assert_eq!(
        failed.evidence,
        [("because".into(), "it does not work either".to_owned())]
    );
    assert_eq!(failed.state.as_deref(), Some("web:1 runs 1 task"));
}

#[test]
fn advice_on_a_rollout_that_goes_on_is_dropped_once_the_run_has_gone_back() {
    let kinds = |back| {
        let cause = failed().findings.remove(0);
        let cause = cause
            .hint(Hint::new(HintKind::FollowAgain, "follow it"))
            .hint("read the log");
        let other = Finding::warning(Code::TargetFlapping, "it flapped").state("as it is");
        let first = Outcome::new(Verdict::TimedOut, vec![cause, other]);
        let ended = conclude(first, &"web".into(), &"task-definition/web:2".into(), back);
        let cause = ended
            .findings
            .iter()
            .find(|finding| finding.code == Code::TargetUnhealthy)
            .unwrap();
        let hints: Vec<String> = cause.hints.iter().map(|hint| hint.text.clone()).collect();
        let state = ended.findings.last().and_then(|other| other.state.clone());
        (hints, state.is_some())
    };
    let none = RollbackReport::None { why: "so it is".into() };
    assert_eq!(
        kinds(none),
        (vec!["follow it".to_owned(), "read the log".to_owned()], true)
    );
    for back in [complete(), under_way(None, None), unanswered(None)] {
        assert_eq!(kinds(back), (vec!["read the log".to_owned()], false));
    }
}

#[test]
fn who_asks_for_a_rollback_gets_its_end_as_the_verdict() {
    let ends = |back| {
        let outcome = asked_for(&"web".into(), back);
        (outcome.verdict, outcome.findings.first().map(|finding| finding.code))
    };
    assert_eq!(ends(complete()), (Verdict::Succeeded, None));
    assert_eq!(ends(replaced()), (Verdict::Superseded, Some(Code::Superseded)));
    assert_eq!(ends(ended_badly()), (Verdict::Failed, Some(Code::RollbackFailed)));
    assert_eq!(
        ends(under_way(None, None)),
        (Verdict::Failed, Some(Code::RollbackFailed))
    );
    let none = RollbackReport::None { why: "so it is".into() };
    assert_eq!(ends(none), (Verdict::Failed, Some(Code::NoWayBack)));
    let empty = RollbackReport::Complete {
        to: "web:1".into(),
        now: "nothing runs".into(),
        is_empty: true,
    };
    assert_eq!(ends(empty), (Verdict::NothingToVerify, Some(Code::NothingToVerify)));
}
