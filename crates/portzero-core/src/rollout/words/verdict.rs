//! The findings that end a rollout, put together from the last look at it.

use std::time::Duration;

use crate::aws_model::service::{Deployment, OtherWay, RevisionReading};
use crate::base::finding::{Code, Finding, Hint};
use crate::base::text::shell;
use crate::base::time::human;
use crate::rollout::cause::diagnose::Hold;
use crate::rollout::scope::Scope;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::words::advice::{follow_again, go_back, wait_longer};
use crate::rollout::words::last_look::{GoingBack, LastLook, waiting_line};
use crate::rollout::words::stage;

/// The cause, or failing that the bare fact, of a rollback that has been seen.
pub(crate) fn rolled_back(
    scope: &Scope,
    cause: Option<Finding>,
    to: Option<&Deployment>,
    end: GoingBack,
    look: &LastLook,
) -> Finding {
    let back_to = to.map(|d| d.task_definition.short().to_owned()).or_else(|| {
        scope
            .good
            .as_ref()
            .or(scope.previous.as_ref())
            .map(|p| p.short().to_owned())
    });
    let revision = back_to.clone().unwrap_or_else(|| "the earlier revision".into());
    let mut finding = cause.unwrap_or_else(|| {
        Finding::error(
            Code::RolledBack,
            format!("ECS rolled `{}` back to {revision}", scope.service),
        )
    });
    if let Some(reason) = to
        .and_then(|d| d.rollout_state_reason.as_ref())
        .filter(|_| end != GoingBack::Over)
    {
        finding.evidence.push(("ecs".into(), reason.clone()));
    }
    let same = back_to.as_deref() == Some(scope.task_definition.short());
    // The revision tells nothing where it is the same: it is the deployment that was taken back.
    let stays = if same {
        format!("; deployment {}, of the same revision, was given up", scope.deployment)
    } else {
        format!("; {} stays registered", scope.task_definition.short())
    };
    let serving = look.serving_line();
    finding.state = Some(match end {
        GoingBack::Over => format!("rolled back: {}{stays}", look.back_at(&revision, scope)),
        GoingBack::GoesOn => {
            format!("ECS is rolling back to {revision} and goes on without this run ({serving}){stays}")
        }
        GoingBack::Replaced(by) => {
            format!("ECS was rolling back to {revision} when {by} took over ({serving}){stays}")
        }
    });
    finding
}

/// Failed, and no rollback has been seen.
pub(crate) fn failed(
    scope: &Scope,
    cause: Option<Finding>,
    reason: Option<String>,
    rolls_back: bool,
    look: &LastLook,
) -> Finding {
    let ours = scope.task_definition.short();
    let mut finding =
        cause.unwrap_or_else(|| Finding::error(Code::DeploymentFailed, format!("the deployment of {ours} failed")));
    let then = what_follows(reason.as_deref(), rolls_back, scope.good.is_some());
    if let Some(reason) = reason {
        finding.evidence.push(("ecs".into(), reason));
    }
    finding.state = Some(format!(
        "{}; ECS starts no more tasks of {ours}, and {then}",
        look.serving_line()
    ));
    finding
}

/// Only the circuit breaker's settings are read. A failure of another kind, an alarm's for example, may be rolled back by
/// what was not looked at.
fn what_follows(reason: Option<&str>, rolls_back: bool, has_good: bool) -> &'static str {
    if rolls_back && !has_good {
        "no earlier completed deployment is shown that it could roll back to"
    } else if rolls_back {
        "a rollback is due, and none has begun so far"
    } else if reason.is_some_and(|words| words.contains("circuit breaker")) {
        "it does not roll back (the circuit breaker's rollback is off)"
    } else {
        "no rollback has been seen (not checked: whether a CloudWatch alarm rolls back)"
    }
}

/// What ends ECS's tries where a run has given up on a rollout before ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndOfTries {
    /// The circuit breaker rolls back.
    RollsBack,
    /// The circuit breaker stops the deployment at its threshold, and that is all.
    Stops,
    /// The circuit breaker would roll back, and no deployment was ever completed.
    NothingToGoBackTo,
    /// There is no circuit breaker that does.
    NextDeployment,
    /// There is one, and it does not count these failures.
    NotCounted,
    /// There is one, and ECS has called the deployment completed.
    NotWatched,
}

/// Certain to fail, said before ECS gives up.
pub(crate) fn failed_early(scope: &Scope, mut finding: Finding, end: EndOfTries, look: &LastLook) -> Finding {
    let until = match end {
        EndOfTries::RollsBack => "its circuit breaker rolls back",
        EndOfTries::Stops => "its circuit breaker's threshold: then ECS stops and does not roll back",
        // Source: the Developer Guide's page on the circuit breaker: a rollback needs a deployment that was completed.
        EndOfTries::NothingToGoBackTo => {
            "its circuit breaker's threshold: then ECS stops (no earlier completed deployment is shown to roll back to)"
        }
        EndOfTries::NextDeployment => "the next deployment: no circuit breaker rolls it back",
        // Source: the Developer Guide's page on the circuit breaker: a healthy task resets the count.
        EndOfTries::NotCounted => "the next deployment: its circuit breaker counts anew after each healthy task",
        EndOfTries::NotWatched => "the next deployment: its circuit breaker watches no completed deployment",
    };
    finding.state = Some(format!(
        "{}; ECS goes on trying {} until {until}",
        look.serving_line(),
        scope.task_definition.short()
    ));
    let goes_back = end == EndOfTries::RollsBack;
    match go_back(scope).filter(|_| !goes_back && finding.hints.len() < 2) {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

/// Another deployment took over from one that was complete. `left`: what was to drain then, and how long before that was
/// seen.
pub(crate) fn replaced_when_complete(
    scope: &Scope,
    by: &Deployment,
    left: Option<(&str, Duration)>,
    look: &LastLook,
) -> Finding {
    let ours = scope.task_definition.short();
    let only = left.map_or("", |_| ": only its drain was left");
    let summary = format!(
        "{ours} was complete when another deployment of `{}` took over{only}",
        scope.service
    );
    let mut finding = Finding::note(Code::Superseded, summary).evidence("by", newer(by));
    if let Some((left, before)) = left {
        finding = finding.evidence("left", format!("{left} (seen {} before)", human(before)));
    }
    let serving = look.serving_line();
    finding.state(format!("{serving}; ECS rolls out {}", by.task_definition.short()))
}

/// `ecs-svc/3 (web:3), created 2026-01-01T00:01:02Z`.
fn newer(by: &Deployment) -> String {
    let when = by.created_at.map(|at| format!(", created {at}")).unwrap_or_default();
    format!("{} ({}){when}", by.id, by.task_definition.short())
}

pub(crate) fn superseded(scope: &Scope, by: &Deployment, look: &LastLook) -> Finding {
    Finding::error(
        Code::Superseded,
        format!("another deployment of `{}` took over", scope.service),
    )
    .evidence("by", newer(by))
    .evidence(
        "ours",
        format!(
            "{} ({}): {}",
            scope.deployment,
            scope.task_definition.short(),
            look.progress()
        ),
    )
    .state(format!(
        "{}; ECS rolls out {}; {} stays registered",
        look.serving_line(),
        by.task_definition.short(),
        scope.task_definition.short()
    ))
    .hint("look at the run that started the newer deployment; serialise deployments with a concurrency group")
}

pub(crate) fn service_lost(scope: &Scope, status: Option<&str>) -> Finding {
    let what = status.map_or_else(|| "is gone".to_owned(), |s| format!("is {s}"));
    Finding::error(
        Code::ServiceNotActive,
        format!("service `{}` {what}: somebody deletes it", scope.service),
    )
    .state(format!("{} stays registered", scope.task_definition.short()))
}

pub(crate) fn deployment_gone(
    scope: &Scope,
    primary: Option<&Deployment>,
    cause: Option<Finding>,
    look: &LastLook,
) -> Finding {
    let mut finding = cause.unwrap_or_else(|| {
        Finding::error(
            Code::DeploymentGone,
            format!("the deployment of {} is gone", scope.task_definition.short()),
        )
    });
    if let Some(primary) = primary {
        finding.evidence.push((
            "primary".into(),
            format!("{} ({})", primary.id, primary.task_definition.short()),
        ));
    }
    let is_ours_running = look.serving.contains_key(scope.task_definition.short());
    let guess = if is_ours_running {
        "what became of it is not known"
    } else {
        "rolled back, most likely"
    };
    finding.state(format!("{guess}: {}", look.serving_line()))
}

/// `hold`: what keeps the rollout from that for which it waits.
pub(crate) fn timed_out(scope: &Scope, cause: Option<Finding>, hold: Hold, look: &LastLook) -> Vec<Finding> {
    let budget = human(scope.wait_budget);
    let mut finding = Finding::error(
        Code::TimedOut,
        format!(
            "`{}` did not finish rolling out within {budget}: waiting on {}",
            scope.service,
            look.waiting_line()
        ),
    )
    .evidence("new", format!("{} {}", scope.task_definition.short(), look.progress()))
    .state(format!(
        "{}; the rollout continues without this run",
        look.serving_line()
    ));
    finding.evidence.extend(hold.evidence);
    if let Some(task) = &look.unaddressed {
        // More time would not show it.
        finding = unaddressed(finding, task, scope);
    } else {
        let hint = stage::hint(look, scope).or(hold.hint);
        let hint = hint.or_else(|| leaving(look)).or_else(|| {
            let is_slow = cause.is_none();
            is_slow.then(|| wait_longer(" if the rollout is only slow"))
        });
        finding.hints.extend(hint);
    }
    finding = finding.hint(follow_again(scope));
    // The cause comes first: that the time is over is what follows from it.
    cause.into_iter().chain([finding]).collect()
}

/// What makes it shorter, where only old targets or old tasks are waited for: what each waits for itself.
fn leaving(look: &LastLook) -> Option<Hint> {
    look.waiting.iter().find_map(|on| match on {
        WaitingOn::OldTargets { .. } => Some(wait_longer(", or lower the target group's deregistration delay")),
        WaitingOn::OldTasks { statuses, .. } => {
            let is_any = |word: &str| statuses.iter().any(|(status, _)| status == word);
            let more = if is_any("DEACTIVATING") {
                ", or lower the target group's deregistration delay"
            } else if is_any("STOPPING") {
                ", or lower `stopTimeout` of the containers"
            } else {
                " if the rollout is only slow"
            };
            Some(wait_longer(more))
        }
        _ => None,
    })
}

fn unaddressed(finding: Finding, task: &str, scope: &Scope) -> Finding {
    finding
        .evidence(
            "not known",
            "the address of a running new task, so its target was not found, healthy or not",
        )
        .hint(format!(
            "look for an address that the target group can list, in `networkInterfaces` and `attachments`: aws ecs \
             describe-tasks --cluster {} --tasks {}",
            shell(&scope.cluster),
            shell(task)
        ))
}

pub(crate) fn interrupted(scope: &Scope, waiting: &[WaitingOn], is_rolling_back: bool, look: &LastLook) -> Finding {
    let (end, goes_on) = if is_rolling_back {
        ("was rolled back", "ECS is rolling back, and goes on with it")
    } else {
        ("had finished rolling out", "the rollout goes on in AWS")
    };
    Finding::error(
        Code::Interrupted,
        format!("interrupted before `{}` {end}", scope.service),
    )
    .evidence("new", format!("{} {}", scope.task_definition.short(), look.progress()))
    .evidence("waiting", waiting_line(waiting))
    .state(format!("{}; {goes_on}", look.serving_line()))
    .hint(follow_again(scope))
}

/// Somebody, or something, ended our service deployment, and neither a rollback nor a newer one followed.
pub(crate) fn stopped(scope: &Scope, status: &str, look: &LastLook) -> Finding {
    Finding::error(
        Code::DeploymentFailed,
        format!(
            "the deployment of {} was stopped before it was done",
            scope.task_definition.short()
        ),
    )
    .evidence("status", status)
    .evidence("new", look.progress())
    .state(look.serving_line())
}

pub(crate) fn no_task_wanted(scope: &Scope) -> Finding {
    Finding::warning(
        Code::NothingToVerify,
        format!("`{}` wants no task (desired count 0): nothing to verify", scope.service),
    )
    .state(format!("the service points to {}", scope.task_definition.short()))
}

/// `own`: how many tasks pass a container health check, where there is one.
pub(crate) fn no_target_group(scope: &Scope, own: Option<u32>) -> Finding {
    let service = &scope.service;
    let has_none = if scope.managed.reading == RevisionReading::Refused {
        format!("`{service}` names no target group, and whether ECS manages one was not checked")
    } else {
        format!("`{service}` has no target group")
    };
    let Some(count) = own else {
        let summary = format!("{has_none}: only ECS's own word says that it works");
        return Finding::note(Code::NothingToVerify, summary);
    };
    let pass = if count == 1 { "task passes" } else { "tasks pass" };
    let summary = format!("{has_none}: {count} {pass} the container health check, and nothing else was checked");
    Finding::note(Code::NothingToVerify, summary)
}

/// Only ECS's own word counts for it.
pub(crate) fn way_not_checked(service: &str, way: OtherWay) -> Finding {
    let what = way.as_str();
    Finding::warning(
        Code::NotChecked,
        format!("not checked: {what} of `{service}`; only ECS's own word counts for it"),
    )
}

/// It ended well, and not at the first try.
pub(crate) fn flapped(scope: &Scope, flaps: u32) -> Finding {
    let times = if flaps == 1 {
        "once".to_owned()
    } else {
        format!("{flaps} times")
    };
    Finding::warning(
        Code::TargetFlapping,
        format!("the new targets of `{}` were all healthy and then were not, {times}", scope.service),
    )
    .hint("look at the application's first minute: a health check that passes before it is ready lets traffic in too early")
}

pub(crate) fn checks_disabled(scope: &Scope) -> Finding {
    Finding::warning(
        Code::NothingToVerify,
        format!(
            "health checks of `{}` are switched off in its target group: not verifiable",
            scope.service
        ),
    )
}

pub(crate) fn told_by_revision(scope: &Scope) -> Finding {
    Finding::note(
        Code::NotChecked,
        format!("not checked: which deployment started a task of `{}`", scope.service),
    )
    .evidence("why", "`startedBy` of no task names a deployment")
    .evidence(
        "counted",
        format!(
            "the tasks of {} that were created after the deployment as new, and all others as old",
            scope.task_definition.short()
        ),
    )
}

/// `is_unanswered`: the read is allowed, and got no usable answer.
pub(crate) fn join_missing(is_unanswered: bool) -> Finding {
    let why = if is_unanswered {
        "got no usable answer"
    } else {
        "may not be read"
    };
    let summary = format!(
        "not checked: which target belongs to which task (ecs:DescribeContainerInstances {why}); every target that is \
         newer than the deployment was taken for a new one"
    );
    let finding = Finding::warning(Code::NotChecked, summary);
    if is_unanswered {
        return finding;
    }
    finding.hint("allow ecs:DescribeContainerInstances to the role of this run")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{Balancer, LoadBalancerBinding};
    use std::collections::BTreeMap;

    #[test]
    fn traffic_is_spoken_of_only_where_a_load_balancer_gives_it() {
        let look = LastLook {
            desired: 2,
            serving: BTreeMap::from([("web:41".to_owned(), 2)]),
            ..LastLook::default()
        };
        let alone = Scope::plain();
        assert_eq!(look.back_at("web:41", &alone), "nothing but web:41 runs, with 2 tasks");
        let behind_one = Scope {
            bindings: vec![LoadBalancerBinding {
                balancer: Balancer::TargetGroup("web".into()),
                ..LoadBalancerBinding::plain()
            }],
            ..Scope::plain()
        };
        assert_eq!(
            look.back_at("web:41", &behind_one),
            "web:41 serves all traffic with 2 tasks"
        );
    }

    #[test]
    fn only_the_circuit_breaker_is_said_to_be_off() {
        let breaker = Some("ECS deployment circuit breaker: tasks failed to start.");
        assert!(what_follows(breaker, false, true).contains("circuit breaker's rollback is off"));
        assert!(what_follows(Some("ECS deployment failed: alarm detected."), false, true).contains("not checked"));
        assert!(what_follows(breaker, true, true).contains("is due"));
        // The first deployment of all.
        assert!(what_follows(breaker, true, false).starts_with("no earlier completed deployment"));
    }
}
