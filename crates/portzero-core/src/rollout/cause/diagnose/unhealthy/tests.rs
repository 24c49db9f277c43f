use super::*;
use crate::aws_model::service::{Balancer, LoadBalancerBinding};
use crate::aws_model::target::{HealthCheck, TargetGroup};
use crate::base::id::TargetKey;
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::snapshot::Snapshot;

#[test]
fn the_recorded_descriptions_are_answers() {
    let row = |reason: &str, words: &str| TargetHealth {
        key: TargetKey::new("i-1", 32768),
        state: TargetState::Unhealthy,
        reason: Some(reason.into()),
        description: Some(words.into()),
    };
    let of = |reason, words| Answer::of(Some(&row(reason, words)));
    assert_eq!(
        of(
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]"
        ),
        Answer::Code(503)
    );
    assert_eq!(
        of(
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [301, 302]"
        ),
        Answer::Code(301)
    );
    assert_eq!(of("Target.Timeout", "Request timed out"), Answer::None);
    assert_eq!(of("Target.FailedHealthChecks", "Health checks failed"), Answer::Failed);
    assert_eq!(Answer::of(None), Answer::Failed);
}
fn group(name: &str) -> TargetGroupArn {
    format!("targetgroup/{name}/1").as_str().into()
}

fn failed(port: u16, words: &str) -> TargetHealth {
    TargetHealth {
        key: TargetKey::new("i-1", port),
        state: TargetState::Unhealthy,
        reason: Some("Target.ResponseCodeMismatch".into()),
        description: Some(words.into()),
    }
}

const NOT_FOUND: &str = "Health checks failed with these codes: [404]";
const BROKEN: &str = "Health checks failed with these codes: [500]";

/// Checks in which these targets fail: group, port and the description.
fn failing(rows: &[(&str, u16, &str)]) -> Checks {
    let mut checks = Checks::default();
    for (name, port, words) in rows {
        let place = (group(name), TargetKey::new("i-1", *port));
        checks.places.insert(place.clone());
        checks.unhealthy.insert(place, (failed(*port, words), None));
    }
    checks
}

fn scope(target_type: TargetType, check_port: Option<&str>) -> Scope {
    let settings = TargetGroup {
        arn: group("web"),
        target_type,
        health_check: HealthCheck {
            path: Some("/up".into()),
            port: check_port.map(str::to_owned),
            ..HealthCheck::default()
        },
        ..TargetGroup::plain()
    };
    Scope {
        previous: Some("task-definition/web:1".into()),
        good: Some("task-definition/web:1".into()),
        bindings: vec![LoadBalancerBinding {
            balancer: Balancer::TargetGroup(group("web")),
            container_port: 3000,
            ..LoadBalancerBinding::plain()
        }],
        target_groups: BTreeMap::from([(group("web"), settings)]),
        ..Scope::plain()
    }
}

#[test]
fn the_group_in_which_most_fail_is_the_one_that_is_told() {
    let checks = failing(&[("a", 1, BROKEN), ("a", 2, BROKEN), ("web", 3, BROKEN)]);
    assert_eq!(checks.line(), "3 new targets unhealthy in target group `a`");
    let one = failing(&[("web", 1, BROKEN)]);
    assert_eq!(one.line(), "1 new target unhealthy in target group `web`");
}

#[test]
fn the_answer_that_most_targets_give_is_the_one_that_is_told() {
    let rows = [("web", 1, NOT_FOUND), ("web", 2, NOT_FOUND), ("web", 3, BROKEN)];
    let told = failing(&rows).finding(None, &scope(TargetType::Instance, None), Duration::ZERO);
    assert!(told.summary.ends_with("target group `web`: 404"), "{}", told.summary);
}

#[test]
fn the_check_is_told_with_its_port_and_how_many_of_the_groups_targets_fail() {
    let line = |target_type: TargetType, check_port: Option<&str>, port: u16| {
        let mut checks = failing(&[("web", port, BROKEN)]);
        checks.places.insert((group("web"), TargetKey::new("i-2", port)));
        for other in 1..9 {
            checks.places.insert((group("other"), TargetKey::new("i-3", other)));
        }
        let told = checks.finding(None, &scope(target_type, check_port), Duration::ZERO);
        told.evidence[0].1.clone()
    };
    let told = |port: &str| {
        let reason = "Target.ResponseCodeMismatch";
        format!("GET /up on port {port} in target group `web` -> 500 ({reason}), 1 of 2 new targets")
    };
    let traffic = Some("traffic-port");
    assert_eq!(
        line(TargetType::Instance, traffic, 32_768),
        told("3000 (host port 32768)")
    );
    assert_eq!(line(TargetType::Ip, traffic, 3000), told("3000"));
    assert_eq!(line(TargetType::Ip, Some(""), 3000), told("3000"));
    assert_eq!(line(TargetType::Instance, Some("8080"), 32_768), told("8080"));
}

#[test]
fn what_passes_beside_it_is_told_and_what_fails_as_well_is_not() {
    let place = |name: &str| (group(name), TargetKey::new("i-1", 1));
    let mut checks = failing(&[("web", 1, BROKEN), ("bad", 1, BROKEN)]);
    checks.passed = BTreeSet::from([place("web"), place("bad"), place("good")]);
    let told = checks.neighbours(&group("web"), &scope(TargetType::Instance, None));
    let text = "the same tasks pass the check of target group `good`";
    assert_eq!(told, [("other".into(), text.to_owned())]);
}

#[test]
fn the_old_revision_counts_where_it_passes_what_the_new_one_does_not() {
    let old = |state| TargetHealth {
        state,
        ..failed(32_769, "")
    };
    let hints = |row: TargetHealth| {
        let snapshot = Snapshot {
            instances: Some(BTreeMap::new()),
            targets: BTreeMap::from([(group("web"), vec![row.clone()])]),
            ..Snapshot::default()
        };
        let scope = scope(TargetType::Instance, None);
        let places = BTreeSet::from([(group("web"), row.key.clone())]);
        let view = View::of(&snapshot, &scope, &Baseline::default(), &places);
        let mut checks = failing(&[("web", 32_768, NOT_FOUND)]);
        checks.collect(Moment::from_millis(0), &view, &BTreeMap::new());
        checks.finding(None, &scope, Duration::ZERO).hints
    };
    let passes = hints(old(TargetState::Healthy));
    assert!(passes[0].contains("see whether web:2 still serves /up"), "{passes:?}");
    let fails = hints(old(TargetState::Unhealthy));
    assert!(!fails[0].contains("still serves"), "{fails:?}");
}

#[test]
fn silence_on_an_address_is_never_about_dynamic_host_ports() {
    let hint = |target_type: TargetType, port: u16| {
        let row = TargetHealth {
            reason: Some("Target.Timeout".into()),
            ..failed(port, "Request timed out")
        };
        let scope = scope(target_type, None);
        failing(&[]).silence(&group("web"), Some(&row), &scope).remove(0)
    };
    assert!(hint(TargetType::Instance, 32_768).contains("ephemeral ports 32768-65535"));
    assert!(hint(TargetType::Instance, 80).ends_with("on port 80"));
    // An application may listen up there itself.
    assert!(hint(TargetType::Ip, 40_000).ends_with("on port 40000"));
    let mut checks = failing(&[]);
    checks.old_passes.insert(group("web"), BTreeSet::from([50_000]));
    let row = failed(40_000, "Request timed out");
    let told = checks.silence(&group("web"), Some(&row), &scope(TargetType::Ip, None));
    assert!(told[0].starts_with("open the tasks' security group"), "{told:?}");
}
