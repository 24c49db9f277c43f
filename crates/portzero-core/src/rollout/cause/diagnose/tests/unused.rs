//! Targets that are not in use, and those that ECS cannot register, beside other causes.

use super::*;

fn idle(port: u16) -> TargetHealth {
    let words = "Target group is not configured to receive traffic from the load balancer";
    row(port, TargetState::Unused, "Target.NotInUse", words)
}

/// One of our tasks has crashed; the other is in the group.
fn look(target: TargetHealth) -> Snapshot {
    snapshot(vec![crashed("a"), task("new", OURS, 32_769)], vec![target])
}

fn refused(error: &str) -> ServiceEvent {
    event(&format!(
        "service web failed to register targets in target-group {GROUP} with (error {error})"
    ))
}

fn other_vpc() -> ServiceEvent {
    refused("InvalidTarget: The following targets are not in the target group VPC 'vpc-0a1b': 'i-0abc'")
}

fn cause(evidence: &Evidence) -> Finding {
    evidence.likely_cause(&scope()).expect("a cause")
}

#[test]
fn a_target_that_is_not_in_use_is_the_cause_when_it_is_seen_again() {
    let once = cause(&seen(&[look(idle(32_769))]));
    assert_eq!(once.code, Code::ContainerExit);
    let also = "targets of target group `web` are not in use";
    assert_eq!(text(&once, "also"), Some(also));
    let twice = cause(&seen(&[look(idle(32_769)), look(idle(32_769))]));
    assert_eq!(twice.code, Code::TargetGroupNotInUse);
    assert_eq!(text(&twice, "also"), Some("1 of 2 new tasks: `web` exit 1"));
}

#[test]
fn a_target_that_is_unused_for_another_reason_is_none_of_them() {
    let other = || look(row(32_769, TargetState::Unused, "Target.InvalidState", "stopped"));
    let told = cause(&seen(&[other(), other()]));
    assert_eq!((told.code, text(&told, "also")), (Code::ContainerExit, None));
    let starting = || look(row(32_769, TargetState::Initial, "Target.NotInUse", ""));
    let told = cause(&seen(&[starting(), starting()]));
    assert_eq!((told.code, text(&told, "also")), (Code::ContainerExit, None));
}

#[test]
fn old_targets_are_told_where_they_are_unused_as_well() {
    let told = |old: TargetHealth| {
        let tasks = || vec![task("old", OLD, 32_768), task("new", OURS, 32_769)];
        let look = || snapshot(tasks(), vec![old.clone(), idle(32_769)]);
        text(&cause(&seen(&[look(), look()])), "old").map(str::to_owned)
    };
    assert_eq!(told(row(32_768, TargetState::Healthy, "", "")), None);
    assert_eq!(told(idle(32_768)).as_deref(), Some("web:41: 1 target unused as well"));
}

#[test]
fn a_target_that_cannot_be_registered_is_certain_only_where_it_never_can_be() {
    let crash = || seen(&[snapshot(vec![crashed("a")], Vec::new())]);
    let mut denied = crash();
    assert!(!denied.was_refused_a_target());
    denied.hear(&refused("AccessDenied: not allowed"));
    assert!(denied.was_refused_a_target());
    let told = cause(&denied);
    assert_eq!(told.code, Code::ContainerExit);
    let also = "ECS cannot register targets in target group `web`";
    assert_eq!(text(&told, "also"), Some(also));
    let mut other = crash();
    other.hear(&other_vpc());
    assert_eq!(cause(&other).code, Code::RegistrationFailed);
}

#[test]
fn a_refusal_alone_is_told_as_what_it_is() {
    let mut evidence = Evidence::default();
    evidence.hear(&refused("AccessDenied: not allowed"));
    let told = cause(&evidence);
    assert_eq!(
        told.summary,
        "ECS cannot register new tasks of `web` in target group `web`"
    );
    assert_eq!(text(&told, "ecs"), Some("AccessDenied: not allowed"));
}

#[test]
fn a_refusal_is_hopeless_while_no_target_of_ours_is_there() {
    let scope = scope();
    let is_hopeless = |event: ServiceEvent, rows: Vec<TargetHealth>| {
        let look = snapshot(vec![task("new", OURS, 32_769)], rows);
        let mut evidence = seen(std::slice::from_ref(&look));
        evidence.hear(&event);
        let view = View::of(&look, &scope, &Baseline::default(), &BTreeSet::new());
        evidence.certain_failure(&scope, &view, true, at(2)).is_some()
    };
    assert!(is_hopeless(other_vpc(), Vec::new()));
    let registered = vec![row(32_769, TargetState::Initial, "", "")];
    assert!(!is_hopeless(other_vpc(), registered), "it could register one after all");
    assert!(!is_hopeless(refused("AccessDenied: not allowed"), Vec::new()));
}
