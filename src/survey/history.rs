//! A service with its past: the survey of a deployment, and what became of the deployments before.

use std::collections::BTreeMap;

use super::{api, is_optional_refusal, patiently, survey};
use crate::api_error::ApiError;
use crate::finding::Finding;
use crate::id::{ClusterName, DeploymentId, ServiceName, TaskDefinitionArn};
use crate::port::{Clock, Ecs, LoadBalancing};
use crate::preflight::Survey;
use crate::rollout::attach::Traces;
use crate::service::ServiceDeployment;

/// What one look shows to somebody who was not there before.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub survey: Survey,
    /// The service deployments, newest first; `None` where they may not be read.
    pub history: Option<Vec<ServiceDeployment>>,
    /// Revisions of deployments that no list shows any more.
    pub revisions: BTreeMap<DeploymentId, TaskDefinitionArn>,
}

impl Sighting {
    pub fn traces(&self) -> Traces<'_> {
        Traces {
            service: &self.survey.service,
            snapshot: &self.survey.snapshot,
            history: self.history.as_deref(),
            revisions: &self.revisions,
        }
    }
}

/// Looks once. `wanted`: the deployment whose fate matters besides the newest one's.
pub async fn sight<A: Ecs + LoadBalancing>(
    aws: &A,
    clock: &impl Clock,
    (cluster, name): (&ClusterName, &ServiceName),
    wanted: Option<&DeploymentId>,
    wants_address: bool,
) -> Result<Sighting, Finding> {
    let mut survey = survey(aws, clock, cluster, name, wants_address).await?;
    // One moment for all that is compared.
    if let Some(service) = &survey.snapshot.service {
        survey.service = service.clone();
    }
    let read = patiently(clock, async || aws.service_deployments(cluster, name).await).await;
    let history = optional(read, &mut survey.not_checked)?;
    let mut sighting = Sighting {
        survey,
        history,
        revisions: BTreeMap::new(),
    };
    let unknown = sighting.traces().unknown(wanted);
    if !unknown.is_empty() {
        let service = &sighting.survey.service;
        let read = patiently(clock, async || aws.service_revisions(service, &unknown).await).await;
        sighting.revisions = optional(read, &mut sighting.survey.not_checked)?.unwrap_or_default();
    }
    Ok(sighting)
}

/// What was refused for good is done without, and said.
fn optional<T>(read: Result<T, ApiError>, not_checked: &mut Vec<ApiError>) -> Result<Option<T>, Finding> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_optional_refusal(&error) => {
            not_checked.push(error);
            Ok(None)
        }
        Err(error) => Err(api(error)),
    }
}
