//! Where `portzero rollback` leads: out of the deployment in flight, else to a revision that ran well.

use portzero_core::aws_model::service::ServiceDeployment;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DefinitionSource, DeployRequest, preflight};
use portzero_core::policy::{IfBusy, InProgress, Policy};
use portzero_core::port::Ecs;
use portzero_core::rollout::rollback::{Way, back_already, destination, rolled_back_already};
use portzero_core::task_definition::DynamicPorts;

use crate::app::survey;

/// Where a rollback that somebody asks for leads.
#[derive(Clone, Debug)]
pub enum Lead {
    /// ECS is asked to stop that service deployment with a rollback.
    Stop(Box<ServiceDeployment>),
    /// That revision is deployed.
    Redeploy(String),
    /// Nowhere: the service is back already, as the note says.
    Nowhere(Finding),
}

/// Where it leads. `to`: the revision that was asked for. `not_checked` gets what
/// could not be read on the way.
///
/// # Errors
/// Why nothing can be gone back to. Nothing was changed.
pub async fn way<A: Ecs>(
    aws: &A,
    request: &DeployRequest,
    survey: &Survey,
    to: Option<&str>,
    not_checked: &mut Vec<Finding>,
) -> Result<Lead, Finding> {
    if let Some(to) = to {
        return Ok(Lead::Redeploy(wanted(to, survey)));
    }
    let in_progress = InProgress::of(&survey.service);
    if let Some(by) = in_progress.as_ref().filter(|by| by.is_rollback) {
        return Err(rolling_back_already(request, by));
    }
    let listed = aws.service_deployments(&request.cluster, &request.service).await;
    let listed = listed.unwrap_or_else(|error| {
        not_checked.push(preflight::not_checked(&error));
        Vec::new()
    });
    if let Some(from) = rolled_back_already(&survey.service, &listed) {
        return Ok(Lead::Nowhere(back_already(&survey.service, from)));
    }
    let good = survey::good_revisions(aws, &listed).await;
    let good = good.unwrap_or_else(|error| {
        not_checked.push(preflight::not_checked(&error));
        Vec::new()
    });
    let is_in_flight = |d: &ServiceDeployment| {
        let by = in_progress.as_ref().map(|by| &by.deployment);
        by.is_some() && d.deployment_id().as_ref() == by
    };
    let in_flight = listed.into_iter().find(is_in_flight);
    match (destination(&survey.service, in_flight.as_ref(), &good), in_flight) {
        (Some(Way::Stop { .. }), Some(in_flight)) => Ok(Lead::Stop(Box::new(in_flight))),
        (Some(Way::Redeploy { to }), _) => Ok(Lead::Redeploy(to.as_str().to_owned())),
        _ => Err(cannot_tell(request)),
    }
}

/// The revision that runs, untouched; a deployment in flight is what is to be got out of.
pub fn as_it_is(request: &DeployRequest) -> DeployRequest {
    DeployRequest {
        base: DefinitionSource::Running,
        images: Vec::new(),
        environment: Vec::new(),
        dynamic_ports: DynamicPorts::Keep,
        allow_unknown_keys: true,
        load_balancers: Vec::new(),
        force_new_deployment: true,
        policy: Policy {
            if_busy: IfBusy::Replace,
            ..Policy::default()
        },
        ..request.clone()
    }
}

/// What runs is checked, and nothing is changed.
pub fn check(request: &DeployRequest) -> DeployRequest {
    DeployRequest {
        force_new_deployment: false,
        ..as_it_is(request)
    }
}

/// Of that revision.
pub fn redeployment(request: &DeployRequest, to: &str) -> DeployRequest {
    DeployRequest {
        base: DefinitionSource::Registered(to.to_owned()),
        ..as_it_is(request)
    }
}

/// A bare number is one of the family that the service runs.
fn wanted(to: &str, survey: &Survey) -> String {
    let family = survey.running.as_ref().map(|(arn, _)| arn.family());
    match family {
        Some(family) if to.bytes().all(|b| b.is_ascii_digit()) => format!("{family}:{to}"),
        _ => to.to_owned(),
    }
}

fn rolling_back_already(request: &DeployRequest, by: &InProgress) -> Finding {
    Finding::error(
        Code::DeploymentInProgress,
        format!("ECS is rolling `{}` back already", request.service),
    )
    .evidence("deployment", format!("{} ({by})", by.deployment))
    .state("nothing was changed")
    .hint("wait for its end, or name a revision to deploy over it: --to REVISION")
}

fn cannot_tell(request: &DeployRequest) -> Finding {
    Finding::error(
        Code::NoWayBack,
        format!(
            "which other revision of `{}` ran well before cannot be told",
            request.service
        ),
    )
    .state("nothing was changed")
    .hint("name the revision to go back to: --to REVISION")
}
