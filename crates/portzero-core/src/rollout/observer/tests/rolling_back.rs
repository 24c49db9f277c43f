//! Whether an end leaves something to go back from, and what is told of the way back.

use super::*;
use crate::base::finding::EvidenceLabel;

#[test]
fn what_an_end_leaves_depends_on_what_was_seen_last() {
    use Verdict::{Failed, Interrupted, TimedOut};
    let seen = |snapshot| {
        let mut observer = observer();
        see(&mut observer, 0, snapshot);
        observer
    };
    // A signal before the first look: the update has been sent.
    assert_eq!(observer().leaves(Interrupted), Leaves::Something);
    assert_eq!(observer().leaves(Failed), Leaves::Nothing);
    assert_eq!(seen(starting()).leaves(Interrupted), Leaves::Something);
    assert_eq!(seen(failed(true)).leaves(Failed), Leaves::Something);
    assert_eq!(seen(starting()).leaves(TimedOut), Leaves::Something);
    assert!(matches!(seen(healthy()).leaves(TimedOut), Leaves::NothingBecause(_)));
    assert!(matches!(seen(healthy()).leaves(Interrupted), Leaves::NothingBecause(_)));
    // What ECS, or somebody else, takes away leaves nothing.
    let replaced = behind("ecs-svc/3", RolloutState::InProgress);
    assert_eq!(seen(replaced).leaves(Failed), Leaves::Nothing);
    let mut going_back = seen(starting());
    going_back.follow_rollback(at(2));
    assert_eq!(going_back.leaves(Failed), Leaves::Nothing);
}

#[test]
fn ecs_is_asked_for_a_rollback_by_what_is_known_of_the_deployment() {
    let mut observer = observer();
    let good = "task-definition/web:1".into();
    let redeploy = Some(Way::Redeploy {
        to: "task-definition/web:1".into(),
    });
    assert_eq!(observer.rollback_report(Some(&good)), redeploy);
    observer.note_service_deployment(record(ServiceDeploymentStatus::InProgress));
    let stop = Some(Way::Stop {
        service_deployment: "service-deployment/2".into(),
    });
    assert_eq!(observer.rollback_report(Some(&good)), stop);
    // A look without it takes nothing back.
    see(&mut observer, 0, starting());
    assert_eq!(observer.rollback_report(Some(&good)), stop);
    see(&mut observer, 2, called(starting(), ServiceDeploymentStatus::Stopped));
    assert_eq!(observer.rollback_report(Some(&good)), redeploy);
}

#[test]
fn what_is_told_of_a_way_back_is_what_was_seen() {
    let mut observer = observer();
    assert_eq!(observer.serving(), "no task of the service is running");
    assert_eq!(observer.rollback_failure(), None);
    see(&mut observer, 0, starting());
    assert_eq!(observer.serving(), "web:2 runs 1 task");
    assert_eq!((observer.back_to(), observer.blind_for(at(2))), (None, None));
    miss(&mut observer, 2, ApiErrorKind::Throttled);
    assert_eq!(observer.blind_for(at(9)), Some(Duration::from_secs(7)));
    assert_eq!(observer.rollback_failure(), None);
    let mut bad = called(starting(), ServiceDeploymentStatus::RollbackFailed);
    bad.service_deployment.as_mut().unwrap().status_reason = Some("no capacity".into());
    see(&mut observer, 12, bad);
    let told = observer.rollback_failure().expect("ECS says so");
    assert_eq!(told.evidence, [(EvidenceLabel::Ecs, "no capacity".to_owned())]);
    assert_eq!(told.state.as_deref(), Some("web:2 runs 1 task"));
}

#[test]
fn a_service_wants_no_task_only_where_it_was_seen_to() {
    let mut observer = observer();
    assert!(!observer.wants_no_task(), "nobody has looked");
    see(&mut observer, 0, starting());
    assert!(!observer.wants_no_task());
    let mut empty = starting();
    empty.service.as_mut().unwrap().desired_count = 0;
    see(&mut observer, 2, empty);
    assert!(observer.wants_no_task());
}

#[test]
fn during_a_rollback_an_answer_without_any_deployment_is_borne() {
    let mut observer = observer();
    see(&mut observer, 0, starting());
    let (state, status) = (RolloutState::InProgress, ServiceDeploymentStatus::RollbackInProgress);
    see(&mut observer, 2, back_to(OLD, state, status));
    let mut nothing = starting();
    nothing.service.as_mut().unwrap().deployments.clear();
    assert_eq!(ends_at(&mut observer, &[4, 24, 60], &nothing), None);
}

#[test]
fn a_rollback_has_ten_minutes_however_short_the_timeout_was() {
    assert_eq!(observer().way_back_budget(), Duration::from_secs(600));
    let patient = Scope {
        wait_budget: Duration::from_secs(900),
        ..scope()
    };
    let mut observer = observer_of(patient);
    assert_eq!(observer.way_back_budget(), Duration::from_secs(900));
    observer.follow_rollback(at(800));
    assert_eq!(
        verdict(&see(&mut observer, 1600, starting())),
        None,
        "it is counted anew"
    );
}

#[test]
fn who_took_over_is_known_by_deployment_and_revision() {
    let mut observer = observer();
    see(&mut observer, 0, starting());
    assert_eq!(observer.replaced_by(), None);
    see(&mut observer, 2, behind("ecs-svc/3", RolloutState::InProgress));
    assert_eq!(observer.replaced_by(), Some("ecs-svc/3 (web:3)"));
}

#[test]
fn being_back_is_said_with_what_runs() {
    let mut observer = observer();
    let mut back = back_to(
        OLD,
        RolloutState::Completed,
        ServiceDeploymentStatus::RollbackSuccessful,
    );
    back.tasks = vec![Task {
        task_definition: "task-definition/web:1".into(),
        ..task("10.0.1.1", OLD)
    }];
    see(&mut observer, 0, back);
    let said = observer.back_at(&"task-definition/web:1".into());
    assert_eq!(said, "web:1 serves all traffic with 1 task");
}
