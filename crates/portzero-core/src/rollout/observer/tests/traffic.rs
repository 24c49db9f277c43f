//! The rules of the load balancers, and what AWS no longer knows.

use super::*;
use crate::aws_model::target::{Routing, Rule};

const BALANCER: &str = "loadbalancer/app/shop/1";

fn behind_a_balancer(until: Until) -> Observer {
    let mut scope = Scope { until, ..scope() };
    for group in scope.target_groups.values_mut() {
        group.load_balancers = vec![BALANCER.into()];
    }
    observer_of(scope)
}

/// A look at which all is there, with rules that give the group this weight.
fn routed(weight: u32) -> Snapshot {
    let mut snapshot = healthy();
    for service in snapshot.service.iter_mut() {
        service.load_balancers = scope().bindings;
    }
    snapshot.routing = Some(Routing {
        rules: vec![Rule {
            arn: Some("rule/1".into()),
            listener: "listener/1".into(),
            groups: vec![(GROUP.into(), weight), ("targetgroup/empty/2".into(), 100 - weight)],
            ..Rule::default()
        }],
        answers: [("targetgroup/empty/2".into(), false)].into(),
        ..Routing::default()
    });
    snapshot
}

/// Seen healthy long enough, and asked for the rules.
fn asked() -> Observer {
    let mut observer = behind_a_balancer(Until::Drained);
    assert_eq!(verdict(&see(&mut observer, 0, healthy())), None);
    assert!(!observer.wants_routing(), "it still settles");
    let step = see(&mut observer, 20, healthy());
    assert!(
        matches!(step.next, Next::PollAt(now) if now == at(20)),
        "{:?}",
        step.next
    );
    assert!(observer.wants_routing() && observer.wants_everything());
    observer
}

#[test]
fn rules_that_lead_to_the_new_targets_are_asked_for_once() {
    let mut observer = asked();
    assert_eq!(verdict(&see(&mut observer, 20, routed(100))), Some(Verdict::Succeeded));
    assert!(!observer.wants_routing());
}

#[test]
fn rules_that_lead_elsewhere_fail_the_run_at_the_second_look() {
    let mut observer = asked();
    assert_eq!(verdict(&see(&mut observer, 20, routed(0))), None);
    assert_eq!(verdict(&see(&mut observer, 25, healthy())), None);
    assert!(!observer.wants_routing(), "not before ten seconds have passed");
    assert_eq!(verdict(&see(&mut observer, 30, healthy())), None);
    assert!(observer.wants_routing());
    let step = see(&mut observer, 30, routed(0));
    assert_eq!(
        (verdict(&step), cause(&step)),
        (Some(Verdict::Failed), Code::TrafficElsewhere)
    );
}

#[test]
fn an_old_answer_about_the_rules_fails_nobody() {
    let mut observer = asked();
    assert_eq!(verdict(&see(&mut observer, 20, routed(50))), None);
    assert_eq!(verdict(&see(&mut observer, 30, healthy())), None);
    assert_eq!(verdict(&see(&mut observer, 30, routed(100))), Some(Verdict::Succeeded));
}

#[test]
fn rules_that_may_not_be_read_are_said_and_fail_nobody() {
    let mut observer = asked();
    let step = see(&mut observer, 20, healthy());
    assert_eq!(
        (verdict(&step), cause(&step)),
        (Some(Verdict::Succeeded), Code::NotChecked)
    );
}

#[test]
fn targets_that_need_not_be_healthy_need_no_traffic() {
    let mut observer = behind_a_balancer(Until::Registered);
    assert_eq!(verdict(&see(&mut observer, 0, healthy())), Some(Verdict::Succeeded));
}

#[test]
fn what_is_gone_for_ten_seconds_is_a_failure_and_no_blindness() {
    let gone = ApiError {
        kind: ApiErrorKind::NotFound,
        action: "elasticloadbalancing:DescribeTargetHealth",
        resource: Some(GROUP.into()),
        code: Some("TargetGroupNotFound".into()),
        message: "One or more target groups not found".into(),
        request_id: None,
        status: Some(400),
    };
    let mut observer = observer();
    assert_eq!(verdict(&see(&mut observer, 0, starting())), None);
    let miss = |observer: &mut Observer, seconds| observer.step(at(seconds), Input::Unreadable(gone.clone()));
    assert_eq!(verdict(&miss(&mut observer, 5)), None);
    // An answer in between shows that it is there.
    assert_eq!(verdict(&see(&mut observer, 10, starting())), None);
    assert_eq!(verdict(&miss(&mut observer, 15)), None);
    let step = miss(&mut observer, 25);
    assert_eq!(
        (verdict(&step), cause(&step)),
        (Some(Verdict::Failed), Code::TargetGroupMissing)
    );
}
