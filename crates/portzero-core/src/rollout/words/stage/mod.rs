//! The findings about strategies: what ended a deployment beyond its tasks (alarms, hooks), a rollback that failed, and
//! what goes on after a run that ends at a stage.

use crate::aws_model::service::{HookStatus, ServiceDeployment, Stage};
use crate::aws_model::target::{TargetHealth, TargetState};
use crate::aws_model::task::Task;
use crate::base::finding::{Code, Finding, Hint};
use crate::base::id::TaskDefinitionArn;
use crate::base::text::plural;
use crate::base::text::shell;
use crate::base::time::{Moment, human};
use crate::rollout::scope::{Scope, Until};
use crate::rollout::view::deployment_stage::SeenStage;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, deployment_stage};
use crate::rollout::words::advice::wait_longer;
use crate::rollout::words::last_look::LastLook;

/// The hook that the service deployment names as the cause of its end.
pub(crate) fn cause(scope: &Scope, deployment: &ServiceDeployment) -> Option<Finding> {
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
        .find(|hook| !hook.is_open() && hook.status != HookStatus::Succeeded);
    let what = match ended {
        Some(hook) if hook.is_pause() && hook.status == HookStatus::Failed => {
            "somebody ended its pause with a rollback".to_owned()
        }
        Some(hook) if hook.is_pause() => "nobody continued its pause in time".to_owned(),
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
pub(crate) fn rollback_failed(
    scope: &Scope,
    snapshot: &Snapshot,
    view: &View,
    look: &LastLook,
    reason: Option<String>,
    cause: Option<Finding>,
) -> Vec<Finding> {
    let old = scope.good.as_ref().map_or(scope.previous_name(), |good| good.short());
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
        finding.evidence.push((old.into(), stopped));
    }
    if let Some(share) = view.deployment.and_then(|d| d.progress.production_traffic) {
        finding.evidence.push((
            "traffic".into(),
            format!(
                "{} of the production traffic on {new}",
                crate::rollout::view::waiting::percent(share)
            ),
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
            let of = format!("{n} healthy {}", plural(n, "target"));
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
pub(crate) fn goes_on(
    view: &View,
    scope: &Scope,
    seen: Option<&SeenStage>,
    look: &LastLook,
    now: Moment,
) -> Option<Finding> {
    if !matches!(scope.until, Until::Stage(_)) || view.is_completed {
        return None;
    }
    let stage = deployment_stage::of(view)?;
    let old = scope.previous_name();
    let left = deployment_stage::left(view, seen, now);
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
            crate::rollout::view::waiting::percent(share),
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
    let now = deployment_stage::of(view);
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
pub(crate) fn hint(look: &LastLook, scope: &Scope) -> Option<Hint> {
    look.waiting.iter().find_map(|reason| match reason {
        WaitingOn::Hook(hook) if hook.is_pause() => Some(Hint::from(format!(
            "continue it: aws ecs continue-service-deployment --service-deployment-arn {} --hook-id {}",
            shell(&hook.deployment),
            shell(&hook.id)
        ))),
        WaitingOn::Stage(_) | WaitingOn::Hook(_) if !matches!(scope.until, Until::Stage(_)) => {
            Some(wait_longer(", or end the run at a stage: `--until stage:BAKE_TIME`"))
        }
        WaitingOn::Stage(_) | WaitingOn::Hook(_) => Some(wait_longer("")),
        _ => None,
    })
}

/// Behind a classic load balancer some things cannot be known, where a new task has the place of an old one.
pub(crate) fn cannot_tell_apart(
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
mod tests;
