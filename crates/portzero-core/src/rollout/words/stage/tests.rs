use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::aws_model::service::{AlarmWatch, CircuitBreaker, Hook, HookDetail, LoadBalancerBinding, Progress, Service};
use crate::aws_model::task::{Container, TaskStatus};
use crate::base::id::TargetKey;
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::waiting::HookWait;

fn deployment(stage: Option<&str>) -> ServiceDeployment {
    ServiceDeployment {
        progress: Progress {
            stage: stage.map(str::to_owned),
            ..Progress::default()
        },
        ..ServiceDeployment::plain()
    }
}

fn hook(target_type: &str, status: &str) -> HookDetail {
    HookDetail {
        target_type: target_type.into(),
        status: status.into(),
        ..HookDetail::plain()
    }
}

#[test]
fn the_hook_that_ended_a_deployment_is_told_by_its_kind_and_its_answer() {
    let told = |hooks: Vec<HookDetail>| {
        let mut ended = deployment(None);
        ended.status_reason = Some("a lifecycle hook failed".into());
        ended.progress.hooks = hooks;
        cause(&Scope::plain(), &ended).map(|finding| finding.summary)
    };
    let ended = |what: &str| Some(format!("the deployment of web:2 was ended: {what}"));
    assert_eq!(
        told(vec![hook("PAUSE", "FAILED")]),
        ended("somebody ended its pause with a rollback")
    );
    assert_eq!(
        told(vec![hook("PAUSE", "TIMED_OUT")]),
        ended("nobody continued its pause in time")
    );
    let answered = ended("its lifecycle hook h-1 answered FAILED");
    assert_eq!(told(vec![hook("AWS_LAMBDA", "FAILED")]), answered);
    // The last that did not succeed; one that is still open has ended nothing.
    let all = ["FAILED", "SUCCEEDED", "IN_PROGRESS"].map(|status| hook("AWS_LAMBDA", status));
    assert_eq!(told(all.to_vec()), answered);
    assert_eq!(told(Vec::new()), ended("a lifecycle hook failed"));
    assert_eq!(cause(&Scope::plain(), &deployment(None)), None);
}

fn seen<T>(snapshot: &Snapshot, old: &BTreeSet<crate::rollout::Place>, of: impl FnOnce(&View) -> T) -> T {
    of(&View::of(snapshot, &scope(), &Baseline::default(), old))
}

fn scope() -> Scope {
    Scope {
        previous: Some("task-definition/web:1".into()),
        good: Some("task-definition/web:1".into()),
        bindings: vec![LoadBalancerBinding::plain()],
        until: Until::Stage(Stage::ProductionTrafficShift),
        ..Scope::plain()
    }
}

fn task(ip: &str, started_by: &str) -> Task {
    Task {
        arn: format!("task/{ip}").as_str().into(),
        started_by: Some(started_by.into()),
        containers: vec![Container::at(ip)],
        ..Task::plain()
    }
}

#[test]
fn what_still_serves_after_a_failed_rollback_is_counted_on_both_sides() {
    let rows = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|ip| TargetHealth::plain(ip, TargetState::Healthy));
    let old = ["10.0.0.1", "10.0.0.2"].map(|ip| ("targetgroup/web/1".into(), TargetKey::new(ip, 80)));
    let snapshot = Snapshot {
        service: Some(Service::plain()),
        tasks: vec![task("10.0.0.3", "ecs-svc/2")],
        targets: BTreeMap::from([("targetgroup/web/1".into(), rows.to_vec())]),
        ..Snapshot::default()
    };
    let told = seen(&snapshot, &BTreeSet::from(old), |view| {
        rollback_failed(&scope(), &snapshot, view, &LastLook::default(), None, None)
    });
    let state = told[0].state.as_deref().unwrap();
    assert!(
        state.starts_with("what still serves: 3 healthy targets (2 of web:1, 1 of web:2)"),
        "{state}"
    );
}

#[test]
fn why_old_tasks_stopped_is_told_without_saying_it_twice() {
    let mut stopped = task("10.0.0.1", "ecs-svc/1");
    stopped.last_status = TaskStatus::Stopped;
    stopped.stopped_reason = Some("Task failed to start: no image".into());
    let told = |task: &Task| {
        let snapshot = Snapshot {
            tasks: vec![task.clone()],
            ..Snapshot::default()
        };
        last_old_failure(&scope(), &snapshot)
    };
    stopped.containers[0].reason = Some("no image".into());
    assert_eq!(told(&stopped).as_deref(), Some("Task failed to start: no image"));
    stopped.containers[0].reason = Some("no disk".into());
    assert_eq!(
        told(&stopped).as_deref(),
        Some("Task failed to start: no image (no disk)")
    );
    stopped.stopped_reason = Some("Scaling activity initiated by (deployment ecs-svc/2)".into());
    assert_eq!(told(&stopped), None);
}

/// A service with a bake time, alarms, a hook and a breaker, in the stage.
fn in_stage(stage: &str) -> Snapshot {
    let mut service = Service::plain();
    let configuration = &mut service.configuration;
    configuration.strategy = Some("BLUE_GREEN".into());
    configuration.bake_time = Some(Duration::from_secs(600));
    configuration.alarms = Some(AlarmWatch {
        names: vec!["web-5xx".into()],
        enable: true,
        rollback: true,
    });
    configuration.hooks = vec![Hook {
        target_type: "AWS_LAMBDA".into(),
        stages: vec!["PRODUCTION_TRAFFIC_SHIFT".into()],
    }];
    configuration.circuit_breaker = Some(CircuitBreaker {
        enable: true,
        rollback: true,
        ..CircuitBreaker::default()
    });
    let mut deployment = deployment(Some(stage));
    deployment.progress.is_monitoring = true;
    Snapshot {
        service: Some(service),
        service_deployment: Some(deployment),
        ..Snapshot::default()
    }
}

fn told(snapshot: &Snapshot, label: &str) -> Option<String> {
    let at = Moment::from_millis(0);
    let finding = seen(snapshot, &BTreeSet::new(), |view| {
        goes_on(view, &scope(), None, &LastLook::default(), at)
    })?;
    let found = finding.evidence.into_iter().find(|(name, _)| name == label);
    found.map(|(_, text)| text)
}

#[test]
fn what_comes_after_the_stage_is_told_with_the_bake_time_where_one_comes() {
    let after = |stage, bake: u64| {
        let mut shown = in_stage(stage);
        shown.service.as_mut().unwrap().configuration.bake_time = Some(Duration::from_secs(bake));
        told(&shown, "then").unwrap()
    };
    let stops = "ECS stops the tasks of web:1";
    assert_eq!(
        after("PRODUCTION_TRAFFIC_SHIFT", 600),
        format!("a bake time of 10m comes, and then {stops}")
    );
    assert_eq!(after("PRODUCTION_TRAFFIC_SHIFT", 0), stops);
    assert_eq!(after("BAKE_TIME", 600), stops);
    assert_eq!(after("CLEAN_UP", 600), stops);
}

#[test]
fn only_a_run_to_a_stage_says_what_goes_on() {
    let shown = in_stage("BAKE_TIME");
    let of = |until| {
        let scope = Scope { until, ..scope() };
        let at = Moment::from_millis(0);
        seen(&shown, &BTreeSet::new(), |view| {
            goes_on(view, &scope, None, &LastLook::default(), at).is_some()
        })
    };
    assert!(of(Until::Stage(Stage::BakeTime)));
    assert!(!of(Until::Healthy));
}

#[test]
fn what_may_still_roll_back_is_what_is_switched_on_and_still_to_come() {
    let by = |change: fn(&mut Service)| {
        let mut shown = in_stage("PRODUCTION_TRAFFIC_SHIFT");
        change(shown.service.as_mut().unwrap());
        told(&shown, "rolls back").unwrap_or_default()
    };
    let (alarm, hook, breaker) = (
        "CloudWatch alarm `web-5xx` goes off",
        "a lifecycle hook that is still to come fails",
        "the circuit breaker fires",
    );
    assert_eq!(by(|_| {}), format!("if {alarm}, or if {hook}, or if {breaker}"));
    let alarms_left = format!("if {hook}, or if {breaker}");
    assert_eq!(
        by(|s| s.configuration.alarms.as_mut().unwrap().rollback = false),
        alarms_left
    );
    assert_eq!(
        by(|s| s.configuration.alarms.as_mut().unwrap().enable = false),
        alarms_left
    );
    let hooks_left = format!("if {alarm}, or if {breaker}");
    let early = |s: &mut Service| s.configuration.hooks[0].stages = vec!["SCALE_UP".into()];
    assert_eq!(by(early), hooks_left, "that hook has been");
    let late = |s: &mut Service| s.configuration.hooks[0].stages = vec!["BAKE_TIME".into()];
    assert_eq!(by(late), by(|_| {}));
    let breaker_off = |s: &mut Service| s.configuration.circuit_breaker.as_mut().unwrap().rollback = false;
    assert_eq!(by(breaker_off), format!("if {alarm}, or if {hook}"));
    let disabled = |s: &mut Service| s.configuration.circuit_breaker.as_mut().unwrap().enable = false;
    assert_eq!(by(disabled), format!("if {alarm}, or if {hook}"));
}

#[test]
fn who_ran_out_of_time_in_a_stage_is_told_what_ends_it() {
    let wait = |kind: &str| {
        WaitingOn::Hook(HookWait {
            id: "h-1".into(),
            kind: kind.into(),
            stage: None,
            expires: None,
            then: None,
            deployment: "service-deployment/2".into(),
        })
    };
    let hinted = |waiting, until| {
        let look = LastLook {
            waiting: vec![waiting],
            ..LastLook::default()
        };
        hint(&look, &Scope { until, ..scope() }).unwrap_or("".into())
    };
    let stage = Until::Stage(Stage::BakeTime);
    assert!(hinted(wait("PAUSE"), stage).starts_with("continue it: aws ecs continue-service-deployment"));
    assert_eq!(hinted(wait("AWS_LAMBDA"), stage), "set a longer `--timeout`");
    let longer = hinted(wait("AWS_LAMBDA"), Until::Drained);
    assert!(longer.contains("or end the run at a stage"), "{longer}");
    assert_eq!(hinted(WaitingOn::FirstTask, stage), "");
}

#[test]
fn only_old_tasks_that_have_stopped_say_why_they_did() {
    let mut ours = task("10.0.0.3", "ecs-svc/2");
    ours.last_status = TaskStatus::Stopped;
    ours.stopped_reason = Some("ours".into());
    let mut running = task("10.0.0.4", "ecs-svc/1");
    running.stopped_reason = Some("still there".into());
    let snapshot = Snapshot {
        tasks: vec![ours, running],
        ..Snapshot::default()
    };
    assert_eq!(last_old_failure(&scope(), &snapshot), None);
}

#[test]
fn behind_a_classic_load_balancer_a_shared_instance_is_named() {
    let place = |group: &str, id: &str| (group.into(), TargetKey::new(id, 0));
    let said = |group: &str, old: &[&str]| {
        let old = old.iter().map(|id| place(group, id)).collect();
        let snapshot = Snapshot::default();
        let mut view = View::of(&snapshot, &Scope::plain(), &Baseline::default(), &BTreeSet::new());
        view.new_targets = BTreeMap::from(["i-1", "i-2"].map(|id| (place(group, id), None)));
        cannot_tell_apart(&view, &scope(), &old)
    };
    let note = said("loadbalancer/front", &["i-2", "i-3"]).expect("a note");
    assert_eq!(
        note.summary,
        "not checked: which task answers on an instance that had one of web:1 before"
    );
    assert!(
        note.evidence.contains(&("instances".into(), "i-2".to_owned())),
        "{note:?}"
    );
    assert_eq!(said("loadbalancer/front", &["i-3"]), None);
    assert_eq!(
        said("targetgroup/web/1", &["i-1"]),
        None,
        "there each target has its port"
    );
}
