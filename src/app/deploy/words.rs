//! What a run says of a service that it did not follow to an end.

use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::failed_call;
use portzero_core::aws_model::service::{RolloutState, Service, ServiceUpdate};
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use portzero_core::base::text::counted;
use portzero_core::base::text::shell;
use portzero_core::base::time::{Moment, human};
use portzero_core::plan::{DeployRequest, Plan, Revision};
use portzero_core::policy::Obstacle;
use portzero_core::rollout::observer::read_outage;
use portzero_core::rollout::observer::read_outage::ReadOutage;
use portzero_core::rollout::{Outcome, Scope, Verdict, observe_command};

use crate::app::deploy::service_run::{SeenAfter, ServiceRun};
use crate::app::survey;

/// Whether ECS calls what the service points to completed.
pub(super) fn is_complete(service: &Service) -> bool {
    match service.primary().and_then(|p| p.rollout_state.as_ref()) {
        Some(state) => *state == RolloutState::Completed,
        // Behind a classic load balancer there is no such word.
        None => service.deployments.len() == 1,
    }
}

/// No rollout was asked for, and none was needed.
pub(super) fn unchanged(run: &ServiceRun) -> Finding {
    let service = &run.request.service;
    let revision = run.after.as_ref().map_or("its revision", |arn| arn.short());
    let summary = format!(
        "unchanged: `{service}` already runs {revision}, and no new deployment was asked for; what runs was checked"
    );
    Finding::note(Code::NoRollout, summary)
}

/// No rollout was asked for, and the service points to the revision already, but a deployment that failed leaves the
/// pointer behind.
pub(super) fn points_there_already(plan: &Plan, arn: &TaskDefinitionArn) -> Outcome {
    let service = &plan.request.service;
    let primary = plan.service.primary();
    let mut finding = Finding::error(
        Code::DeploymentFailed,
        format!(
            "`{service}` points to {} already, but its deployment of it is not complete",
            arn.short()
        ),
    )
    .state("nothing was changed");
    if let Some(primary) = primary {
        let state = primary.rollout_state.as_ref().map_or("unknown", |s| s.as_str());
        let counts = format!(
            "{state}, {} of {} tasks running",
            primary.running_count, primary.desired_count
        );
        finding = finding.evidence("deployment", format!("{}: {counts}", primary.id));
    }
    Outcome::new(
        Verdict::Failed,
        vec![finding.hint("force a new deployment of it: leave out --force-new-deployment=false")],
    )
}

pub(super) fn not_registered(error: ApiError, plan: &Plan) -> Outcome {
    if error.kind != ApiErrorKind::Transient {
        let state = "nothing was changed: no revision registered, service as it was";
        return Outcome::new(Verdict::Refused, vec![survey::api(error).state(state)]);
    }
    let family = plan
        .document
        .get("family")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("the family");
    let state = format!(
        "a new revision of {family} may have been registered (no answer came); service `{}` is as it was",
        plan.request.service
    );
    let request = &plan.request;
    let finding = survey::api(error)
        .evidence("last seen", format!("{}, before that", newest(&plan.service)))
        .state(state)
        .hint(format!(
            "look at the service: portzero status --cluster {} --service {}",
            shell(&request.cluster),
            shell(&request.service)
        ))
        .hint(format!(
            "deploy again: at worst one more revision of {family} is left, which no service uses"
        ));
    Outcome::new(Verdict::CouldNotObserve, vec![finding])
}

/// RegisterTaskDefinition was sent again, and the first may have worked.
pub(super) fn sent_again(arn: &TaskDefinitionArn) -> Finding {
    let summary = format!(
        "what came of an earlier RegisterTaskDefinition is not known: beside {} there may be another new revision of \
         {}, which no service uses",
        arn.short(),
        arn.family()
    );
    Finding::note(Code::Api, summary)
}

/// AWS refused the update, so nothing that runs was changed.
pub(super) fn not_updated(error: &ApiError, plan: &Plan, update: &ServiceUpdate) -> Outcome {
    let finding = failed_call::of_update(error, update.service.as_str(), plan.service.role_arn.as_deref());
    let state = format!("{}; service `{}` is as it was", revision(plan, update), update.service);
    Outcome::new(Verdict::Refused, vec![finding.state(state)])
}

fn revision(plan: &Plan, update: &ServiceUpdate) -> String {
    match plan.revision {
        Revision::Register => format!("{} is registered", update.task_definition.short()),
        Revision::Reuse(_) => "no revision was registered".to_owned(),
    }
}

/// UpdateService got no usable answer, and nothing that was read since decides.
pub(super) fn update_not_known(error: &ApiError, plan: &Plan, update: &ServiceUpdate, seen: &SeenAfter) -> Outcome {
    let short = update.task_definition.short();
    let mut finding = failed_call::of_update(error, update.service.as_str(), plan.service.role_arn.as_deref());
    let last_seen = match (&seen.service, seen.span) {
        (_, None) => format!("{}, before the update", newest(&plan.service)),
        (None, Some((_, at))) => format!("no service of that name, at {at}"),
        (Some(service), Some((from, at))) => format!(
            "{}, at {at}; {} in {} show no new deployment of {short}",
            newest(service),
            counted(seen.reads, "poll"),
            human(at.since(from))
        ),
    };
    finding = finding.evidence("last seen", last_seen);
    if let Some(error) = &seen.error {
        finding = finding.evidence("then", error.to_string());
    }
    let state = format!("{}; whether ECS took the update is not known", revision(plan, update));
    let command = observe_command(&update.cluster, &update.service, None);
    finding = finding
        .state(state)
        .hint(format!("look again: {command}"))
        .hint(format!("deploy again if that shows no deployment of {short}"));
    Outcome::new(Verdict::CouldNotObserve, vec![finding])
}

/// `ecs-svc/1 (web:41) COMPLETED, 2 of 2 tasks running`.
pub(super) fn newest(service: &Service) -> String {
    let Some(primary) = service.primary() else {
        return "no deployment".to_owned();
    };
    let state = primary
        .rollout_state
        .as_ref()
        .map(|state| format!(" {}", state.as_str()));
    format!(
        "{} ({}){}, {} of {} running",
        primary.id,
        primary.task_definition.short(),
        state.unwrap_or_default(),
        primary.running_count,
        counted(primary.desired_count, "task")
    )
}

/// UpdateService got no usable answer, and ECS has made a deployment all the same. `is_ours_alone`: nobody else knows of
/// its revision.
pub(super) fn taken_without_an_answer(
    error: &ApiError,
    update: &ServiceUpdate,
    made: &DeploymentId,
    is_ours_alone: bool,
) -> Finding {
    let short = update.task_definition.short();
    let which = if is_ours_alone {
        format!("ECS has made deployment {made} of {short}, which is followed")
    } else {
        format!("deployment {made} of {short} was not there before, and is followed as this run's")
    };
    Finding::note(Code::Api, format!("UpdateService got no usable answer; {which}"))
        .evidence("answer", failed_call::answer(error))
}

pub(super) fn interrupted_before_update(plan: &Plan, arn: &TaskDefinitionArn) -> Finding {
    Finding::error(
        Code::Interrupted,
        format!("interrupted before `{}` was updated", plan.request.service),
    )
    .state(format!(
        "{} is registered; service `{}` is as it was",
        arn.short(),
        plan.request.service
    ))
}

/// The signal came in the middle of the call.
pub(super) fn interrupted_while_registering(plan: &Plan) -> Outcome {
    let service = &plan.request.service;
    let family = plan.document.get("family").and_then(serde_json::Value::as_str);
    let family = family.unwrap_or("the family");
    let finding = Finding::error(
        Code::Interrupted,
        format!("interrupted while a revision for `{service}` was being registered"),
    )
    .state(format!(
        "RegisterTaskDefinition was sent and has not been answered, so a new revision of {family} may be there; service \
         `{service}` is as it was"
    ));
    Outcome::new(Verdict::Interrupted, vec![finding])
}

/// The same, where it matters more.
pub(super) fn interrupted_while_updating(update: &ServiceUpdate) -> Outcome {
    let (service, revision) = (&update.service, update.task_definition.short());
    let finding = Finding::error(
        Code::Interrupted,
        format!("interrupted while `{service}` was being updated"),
    )
    .state(format!(
        "UpdateService to {revision} was sent and has not been answered: whether ECS rolls it out is not known"
    ));
    Outcome::new(Verdict::Interrupted, vec![finding])
}

/// The signal came while another deployment was waited for.
pub(super) fn interrupted_while_busy(request: &DeployRequest, by: &Obstacle) -> Outcome {
    let finding = Finding::error(
        Code::Interrupted,
        format!("interrupted before `{}` was touched", request.service),
    )
    .evidence("waiting", format!("on {by}"))
    .state("nothing was changed for it");
    Outcome::new(Verdict::Interrupted, vec![finding])
}

/// Another deployment was waited for, and AWS has not let this run see it for too long.
pub(super) fn could_not_see_it_end(
    request: &DeployRequest,
    by: &Obstacle,
    error: &ApiError,
    blind: &ReadOutage,
    now: Moment,
) -> Finding {
    let mut finding = Finding::error(
        Code::CouldNotObserve,
        format!(
            "whether the deployment of `{}` that was there before this run has ended could not be seen: {}",
            request.service,
            read_outage::why(error.kind)
        ),
    )
    .evidence("error", error.to_string())
    .evidence("blind", blind.spell(now))
    .evidence("last seen", by.name());
    if let Some(id) = &error.request_id {
        finding = finding.evidence("request", id.clone());
    }
    finding = finding.state("nothing was changed by this run; what becomes of the other deployment is not known");
    let deployment = match by {
        Obstacle::Rollout(by) => &by.deployment,
        Obstacle::Drain(drain) => &drain.deployment,
    };
    let command = observe_command(&request.cluster, &request.service, Some(deployment));
    finding = finding.hint(format!("look again: {command}"));
    match read_outage::cure(error) {
        Some(cure) => finding.hint(cure),
        None => finding.hint("deploy again once AWS can be read"),
    }
}

/// A signal came before it was this service's turn.
pub(super) fn interrupted_before_its_turn(request: &DeployRequest) -> Outcome {
    let finding = Finding::error(
        Code::Interrupted,
        format!("interrupted before `{}` was touched", request.service),
    )
    .state("nothing was changed for it");
    Outcome::new(Verdict::Interrupted, vec![finding])
}

/// A signal came before there was a plan.
pub(super) fn interrupted_before_a_plan(request: &DeployRequest) -> Outcome {
    let summary = format!("interrupted before `{}` was touched", request.service);
    let finding = Finding::error(Code::Interrupted, summary).state("nothing was changed");
    Outcome::new(Verdict::Interrupted, vec![finding])
}

/// The plan is not there, and the time for it is over.
pub(super) fn not_planned_in_time(request: &DeployRequest, within: Duration) -> Outcome {
    let summary = format!("`{}` could not be planned within {}", request.service, human(within));
    let finding = Finding::error(Code::TimedOut, summary)
        .state("nothing was changed")
        .hint("see with `-vv` which call to AWS takes so long, and run it again");
    Outcome::new(Verdict::TimedOut, vec![finding])
}

/// `portzero rollback` found a deployment in flight, and ECS lists none that it could be.
pub(super) fn nothing_in_flight(request: &DeployRequest) -> Outcome {
    let summary = format!("ECS lists no deployment of `{}` to go back from", request.service);
    let finding = Finding::error(Code::NoWayBack, summary)
        .state("nothing was changed")
        .hint("name the revision to go back to: --to REVISION");
    Outcome::new(Verdict::Refused, vec![finding])
}

/// The answer to UpdateService is no use.
pub(super) fn no_primary() -> ApiError {
    unusable("ecs:UpdateService", "the answer shows no PRIMARY deployment")
}

pub(super) fn not_registered_in_time() -> ApiError {
    unusable("ecs:RegisterTaskDefinition", "no answer came within the timeout")
}

fn unusable(action: &'static str, message: &str) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Transient,
        action,
        resource: None,
        code: None,
        message: message.to_owned(),
        request_id: None,
        status: None,
    }
}

/// Between the plan and the service's turn its revision has changed.
pub(super) fn moved(planned: &Plan, again: &Plan) -> Finding {
    let name = |plan: &Plan| plan.before.as_ref().map_or("nothing", |arn| arn.short()).to_owned();
    let summary = format!(
        "somebody deployed `{}` after this run had planned it",
        again.request.service
    );
    let moved = format!("{} -> {}", name(planned), name(again));
    Finding::error(Code::Superseded, summary)
        .evidence("revision", moved)
        .state("nothing was changed")
}

/// A service that this one depends on did not succeed, so this one is left alone.
pub(super) fn left(request: &DeployRequest, failed: &ServiceRun) -> Outcome {
    let other = &failed.request.service;
    let how = match failed.verdict() {
        _ if failed.is_left() => "was not touched either",
        Verdict::Succeeded | Verdict::NothingToVerify | Verdict::Failed => "failed",
        Verdict::Refused => "was refused",
        Verdict::TimedOut => "timed out",
        Verdict::Superseded => "was superseded by another deployment",
        Verdict::CouldNotObserve => "could not be observed to its end",
        Verdict::Interrupted => "was interrupted",
    };
    let finding = Finding::error(
        Code::NotTouched,
        format!(
            "`{}` was not touched: it depends on `{other}`, which {how}",
            request.service
        ),
    )
    .state("nothing was changed for it");
    Outcome::new(Verdict::Refused, vec![finding])
}

/// Services that wait for each other: the configuration refuses that, so only a caller with plans of its own gets here.
pub(super) fn circle(request: &DeployRequest) -> Outcome {
    let finding = Finding::error(
        Code::NotTouched,
        format!(
            "`{}` was not touched: what it depends on depends on it",
            request.service
        ),
    )
    .state("nothing was changed for it");
    Outcome::new(Verdict::Refused, vec![finding])
}

/// Nothing was in flight.
pub(super) fn at_rest(scope: &Scope) -> Finding {
    Finding::note(
        Code::NoRollout,
        format!(
            "no rollout of `{}` was in flight: what runs was checked once",
            scope.service
        ),
    )
    .evidence(
        "deployment",
        format!("{} ({})", scope.deployment, scope.task_definition.short()),
    )
}

pub fn interrupted_before_a_look(request: &DeployRequest) -> Outcome {
    let summary = format!("interrupted before `{}` was looked at", request.service);
    let finding = Finding::error(Code::Interrupted, summary).state("nothing was changed");
    Outcome::new(Verdict::Interrupted, vec![finding])
}

/// A service that was to be followed could not be read at all.
pub(super) fn unseen(finding: Finding, request: &DeployRequest, wanted: Option<&DeploymentId>) -> Finding {
    let command = observe_command(&request.cluster, &request.service, wanted);
    finding
        .evidence(
            "last seen",
            "nothing: this run changed nothing, and could not read the service",
        )
        .hint(format!("look again: {command}"))
}

pub(super) fn not_read_in_time(request: &DeployRequest, timeout: Duration) -> Finding {
    let summary = format!(
        "`{}` could not be read within {}: AWS answers too slowly",
        request.service,
        human(timeout)
    );
    Finding::error(Code::CouldNotObserve, summary)
}

/// Says which of several services a finding about its containers is about.
pub fn of_service(mut findings: Vec<Finding>, service: &ServiceName, is_single: bool) -> Vec<Finding> {
    for finding in findings
        .iter_mut()
        .filter(|f| f.code == Code::ImageTarget && !is_single)
    {
        finding.evidence.insert(0, ("service".into(), service.to_string()));
    }
    findings
}
