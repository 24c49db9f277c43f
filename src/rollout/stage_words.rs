//! The findings about strategies: what ended a deployment beyond its tasks (alarms, hooks), a rollback that failed, and
//! what goes on after a run that ends at a stage.

use crate::finding::{Code, Finding};
use crate::id::TaskDefinitionArn;
use crate::rollout::advice::WAIT_LONGER;
use crate::rollout::phase::{WaitingOn, plural};
use crate::rollout::scope::{Scope, Until};
use crate::rollout::snapshot::Snapshot;
use crate::rollout::stage::{self, SeenStage};
use crate::rollout::view::View;
use crate::rollout::words::LastLook;
use crate::service::{ServiceDeployment, Stage};
use crate::target::{TargetHealth, TargetState};
use crate::task::Task;
use crate::time::{Timestamp, human};

/// The hook that the service deployment names as the cause of its end.
pub fn cause(scope: &Scope, deployment: &ServiceDeployment) -> Option<Finding> {
    let revision = scope.task_definition.short();
    let reason = deployment
        .status_reason
        .clone()
        .or_else(|| deployment.rollback_reason.clone());
    let told = |finding: Finding| match &reason {
        Some(reason) => finding.evidence("ecs", reason.clone()),
        None => finding,
    };
    if !reason.as_deref().unwrap_or_default().contains("lifecycle hook") {
        return None;
    }
    let ended = deployment
        .progress
        .hooks
        .iter()
        .rev()
        .find(|hook| !hook.is_open() && hook.status != "SUCCEEDED");
    let what = match ended {
        Some(hook) if hook.target_type == "PAUSE" && hook.status == "FAILED" => {
            "somebody ended its pause with a rollback".to_owned()
        }
        Some(hook) if hook.target_type == "PAUSE" => "nobody continued its pause in time".to_owned(),
        Some(hook) => format!(
            "its lifecycle hook {} answered {}",
            hook.target_arn.as_deref().unwrap_or(&hook.id),
            hook.status
        ),
        None => "a lifecycle hook failed".to_owned(),
    };
    let summary = format!("the deployment of {revision} was ended: {what}");
    Some(told(Finding::error(Code::HookFailed, summary)))
}

/// ECS could not go back either. This is as bad as it gets, so what still serves comes with figures.
pub fn rollback_failed(
    scope: &Scope,
    snapshot: &Snapshot,
    view: &View,
    look: &LastLook,
    reason: Option<String>,
    cause: Option<Finding>,
) -> Vec<Finding> {
    let old = scope.previous_name();
    let new = scope.task_definition.short();
    let mut finding = Finding::error(
        Code::RollbackFailed,
        format!(
            "the rollback of `{}` failed: ECS has given up on {new} and on {old}",
            scope.service
        ),
    );
    if let Some(reason) = reason {
        finding.evidence.push(("ecs".into(), reason));
    }
    if let Some(stopped) = last_old_failure(scope, snapshot) {
        finding.evidence.push((old.to_owned(), stopped));
    }
    if let Some(share) = view.deployment.and_then(|d| d.progress.production_traffic) {
        finding.evidence.push((
            "traffic".into(),
            format!("{} of the production traffic on {new}", stage::percent(share)),
        ));
    }
    let is_healthy = |row: &&TargetHealth| row.state == TargetState::Healthy;
    let healthy_old = view.old_targets.values().copied().filter(is_healthy).count();
    let healthy_new = view
        .new_targets
        .values()
        .filter_map(|row| *row)
        .filter(is_healthy)
        .count();
    let serving = match (healthy_old + healthy_new, scope.places_per_task()) {
        (_, 0) => look.serving_line(),
        (0, _) => format!(
            "nothing serves: no target of `{}` is healthy ({})",
            scope.service,
            look.serving_line()
        ),
        (n, _) => {
            let of = format!("{n} healthy {}", plural(u32::try_from(n).unwrap_or(u32::MAX), "target"));
            format!(
                "what still serves: {of} ({healthy_old} of {old}, {healthy_new} of {new}), and {} tasks are wanted",
                view.desired
            )
        }
    };
    finding = finding
        .state(format!("{serving}; ECS does not try again by itself"))
        .hint("deploy a revision that is known to start: `--task-definition FAMILY:REVISION`");
    std::iter::once(finding).chain(cause).collect()
}

/// Why tasks of other revisions stopped of late, in ECS's words.
fn last_old_failure(scope: &Scope, snapshot: &Snapshot) -> Option<String> {
    let is_old = |task: &&Task| task.started_by.as_ref() != Some(&scope.deployment) && task.is_stopped();
    let is_unwanted = |task: &&Task| {
        task.stopped_reason
            .as_deref()
            .is_some_and(|r| r.contains("Scaling activity"))
    };
    let stopped = snapshot.tasks.iter().filter(is_old).filter(|task| !is_unwanted(task));
    let newest = stopped.max_by_key(|task| task.stopped_at.or(task.created_at))?;
    let container = newest.containers.iter().find_map(|c| match (&c.reason, c.exit_code) {
        (Some(reason), _) => Some(reason.clone()),
        (None, Some(code)) => Some(format!("{} exit {code}", c.name)),
        (None, None) => None,
    });
    let reason = newest.stopped_reason.clone();
    match (reason, container) {
        (Some(reason), Some(container)) if !reason.contains(&container) => Some(format!("{reason} ({container})")),
        (reason, container) => reason.or(container),
    }
}

/// What goes on in AWS after a run that ended at the stage it was asked for.
pub fn goes_on(
    view: &View,
    scope: &Scope,
    seen: Option<&SeenStage>,
    look: &LastLook,
    now: Timestamp,
) -> Option<Finding> {
    if !matches!(scope.until, Until::Stage(_)) || view.is_completed {
        return None;
    }
    let stage = stage::of(view)?;
    let old = scope.previous_name();
    let left = stage::left(view, seen, now);
    let stands = match (stage, left) {
        (Stage::BakeTime, Some(left)) => format!("the bake time has at most {} left", human(left)),
        (stage, _) => format!("ECS is in stage {}", stage.as_str()),
    };
    let bake = view
        .configuration
        .and_then(|c| c.bake_time)
        .filter(|bake| !bake.is_zero());
    let then = match bake.filter(|_| stage < Stage::BakeTime) {
        Some(bake) => format!(
            "a bake time of {} comes, and then ECS stops the tasks of {old}",
            human(bake)
        ),
        None => format!("ECS stops the tasks of {old}"),
    };
    let summary = format!(
        "`{}` is not finished, and goes on without this run: {stands}",
        scope.service
    );
    let mut finding = Finding::note(Code::GoesOn, summary).evidence("then", then);
    let rolls_back = rolls_back_by(view);
    if !rolls_back.is_empty() {
        finding = finding.evidence("rolls back", format!("if {}", rolls_back.join(", or if ")));
    }
    let traffic = view.deployment.and_then(|d| d.progress.production_traffic);
    let traffic = traffic.map(|share| {
        format!(
            "{} of the production traffic on {}; ",
            stage::percent(share),
            scope.task_definition.short()
        )
    });
    Some(finding.state(format!("{}{}", traffic.unwrap_or_default(), look.serving_line())))
}

/// What would still make ECS go back.
fn rolls_back_by(view: &View) -> Vec<String> {
    let Some(configuration) = view.configuration else {
        return Vec::new();
    };
    let mut by = Vec::new();
    let watch = configuration
        .alarms
        .as_ref()
        .filter(|watch| watch.enable && watch.rollback);
    let is_monitoring = view.deployment.is_some_and(|d| d.progress.is_monitoring);
    if let Some(watch) = watch.filter(|_| is_monitoring) {
        by.push(format!("CloudWatch alarm `{}` goes off", watch.names.join("` or `")));
    }
    let now = stage::of(view);
    let is_ahead = |name: &String| Stage::named(name).zip(now).is_none_or(|(hook, now)| hook >= now);
    if configuration.hooks.iter().any(|hook| hook.stages.iter().any(is_ahead)) {
        by.push("a lifecycle hook that is still to come fails".into());
    }
    if configuration.circuit_breaker.is_some_and(|b| b.enable && b.rollback) {
        by.push("the circuit breaker fires".into());
    }
    by
}

/// What helps somebody whose time was up in the middle of the stages.
pub fn hint(look: &LastLook, scope: &Scope) -> Option<String> {
    look.waiting.iter().find_map(|reason| match reason {
        WaitingOn::Hook(hook) if hook.is_pause() => Some(format!(
            "continue it: aws ecs continue-service-deployment --service-deployment-arn {} --hook-id {}",
            hook.deployment, hook.id
        )),
        WaitingOn::Stage(_) | WaitingOn::Hook(_) if !matches!(scope.until, Until::Stage(_)) => Some(format!(
            "{WAIT_LONGER}, or end the run at a stage: `--until stage:BAKE_TIME`"
        )),
        WaitingOn::Stage(_) | WaitingOn::Hook(_) => Some(WAIT_LONGER.into()),
        _ => None,
    })
}

/// Behind a classic load balancer some things cannot be known, where a new task has the place of an old one.
pub fn cannot_tell_apart(
    view: &View,
    scope: &Scope,
    old_places: &std::collections::BTreeSet<crate::rollout::Place>,
) -> Option<Finding> {
    let shared: Vec<&crate::rollout::Place> = view
        .new_targets
        .keys()
        .filter(|place| place.0.classic_name().is_some() && old_places.contains(place))
        .collect();
    let balancer = shared.first()?.0.name();
    let instances: Vec<&str> = shared.iter().map(|place| place.1.id.as_str()).collect();
    let before = scope
        .previous
        .as_ref()
        .map_or("the old revision", TaskDefinitionArn::short);
    Some(
        Finding::note(
            Code::NotChecked,
            format!("not checked: which task answers on an instance that had one of {before} before"),
        )
        .evidence(
            "why",
            format!("classic load balancer `{balancer}` knows instances and one port of them, and no tasks"),
        )
        .evidence("instances", instances.join(", "))
        .evidence(
            "counted",
            "that ECS runs the new task there, and that the instance is InService",
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::*;
    use crate::id::TargetKey;
    use crate::rollout::baseline::Baseline;
    use crate::rollout::stage::HookWait;
    use crate::service::{
        AlarmWatch, Balancer, CircuitBreaker, Hook, HookDetail, LoadBalancerBinding, Progress, Service,
        ServiceDeploymentStatus,
    };
    use crate::task::{Container, TaskStatus};

    fn deployment(stage: Option<&str>) -> ServiceDeployment {
        ServiceDeployment {
            arn: "service-deployment/2".into(),
            status: ServiceDeploymentStatus::InProgress,
            status_reason: None,
            target_revision: None,
            breaker: None,
            rollback_reason: None,
            progress: Progress {
                stage: stage.map(str::to_owned),
                ..Progress::default()
            },
            source_revisions: Vec::new(),
            created_at: None,
        }
    }

    fn hook(target_type: &str, status: &str) -> HookDetail {
        HookDetail {
            id: "h-1".into(),
            target_type: target_type.into(),
            target_arn: None,
            status: status.into(),
            expires_at: None,
            timeout_action: None,
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
            bindings: vec![LoadBalancerBinding {
                balancer: Balancer::TargetGroup("targetgroup/web/1".into()),
                container_name: "web".into(),
                container_port: 80,
                alternate: None,
            }],
            until: Until::Stage(Stage::ProductionTrafficShift),
            ..Scope::plain()
        }
    }

    fn task(ip: &str, started_by: &str) -> Task {
        Task {
            arn: format!("task/{ip}").as_str().into(),
            started_by: Some(started_by.into()),
            containers: vec![Container {
                name: "web".into(),
                private_ip: Some(ip.into()),
                ..Container::default()
            }],
            ..Task::plain()
        }
    }

    #[test]
    fn what_still_serves_after_a_failed_rollback_is_counted_on_both_sides() {
        let rows = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|ip| TargetHealth {
            key: TargetKey::new(ip, 80),
            state: TargetState::Healthy,
            reason: None,
            description: None,
        });
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
        let at = Timestamp::from_millis(0);
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
            let at = Timestamp::from_millis(0);
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
            hint(&look, &Scope { until, ..scope() }).unwrap_or_default()
        };
        let stage = Until::Stage(Stage::BakeTime);
        assert!(hinted(wait("PAUSE"), stage).starts_with("continue it: aws ecs continue-service-deployment"));
        assert_eq!(hinted(wait("AWS_LAMBDA"), stage), "set a longer `--timeout`");
        let longer = hinted(wait("AWS_LAMBDA"), Until::Drained);
        assert!(longer.contains("or end the run at a stage"), "{longer}");
        assert_eq!(hinted(WaitingOn::FirstTask, stage), "");
    }
}
