//! A service with its past: the survey of a deployment, and what became of the deployments before.

use std::collections::BTreeMap;

use portzero_core::aws_model::service::{ServiceDeployment, ServiceDeploymentStatus, ServiceRevision};
use portzero_core::base::finding::Finding;
use portzero_core::base::id::{ClusterName, DeploymentId, ServiceName, TaskDefinitionArn};
use portzero_core::plan::survey::Survey;
use portzero_core::port::{ApiResult, Clock, Ecs, LoadBalancing};
use portzero_core::rollout::attach::AttachEvidence;

use crate::app::survey::calls::api;
use crate::app::survey::optional::optionally;
use crate::app::survey::reading::survey;

/// What one look shows to somebody who was not there before.
#[derive(Clone, Debug)]
pub struct Discovery {
    pub survey: Survey,
    /// The service deployments, newest first; `None` where they may not be read.
    pub history: Option<Vec<ServiceDeployment>>,
    /// Revisions of deployments that no list shows any more.
    pub revisions: BTreeMap<DeploymentId, TaskDefinitionArn>,
}

impl Discovery {
    pub fn attach_evidence(&self) -> AttachEvidence<'_> {
        AttachEvidence {
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
    wants_routing: bool,
) -> Result<Discovery, Finding> {
    let mut survey = survey(aws, clock, cluster, name, wants_routing).await?;
    // One moment for all that is compared.
    if let Some(service) = &survey.snapshot.service {
        survey.service = service.clone();
    }
    let read = async || aws.service_deployments(cluster, name).await;
    let history = optionally(clock, &mut survey.not_checked, read).await.map_err(api)?;
    let mut discovery = Discovery {
        survey,
        history,
        revisions: BTreeMap::new(),
    };
    let unknown = discovery.attach_evidence().unknown(wanted);
    if !unknown.is_empty() {
        let service = &discovery.survey.service;
        let arns: Vec<String> = unknown.iter().map(|id| service.revision_arn(id)).collect();
        let read = async || aws.service_revisions(&arns).await;
        let found = optionally(clock, &mut discovery.survey.not_checked, read).await;
        discovery.revisions = by_deployment(&unknown, &arns, &found.map_err(api)?.unwrap_or_default());
    }
    Ok(discovery)
}

fn by_deployment(
    ids: &[DeploymentId],
    arns: &[String],
    found: &[ServiceRevision],
) -> BTreeMap<DeploymentId, TaskDefinitionArn> {
    let definition = |arn: &String| found.iter().find(|r| r.arn == *arn)?.task_definition.clone();
    let known = ids.iter().zip(arns);
    known
        .filter_map(|(id, arn)| Some((id.clone(), definition(arn)?)))
        .collect()
}

/// What the service ran well before goes no further back than this many deployments: what is older is nobody's idea of
/// going back.
const GOOD_MAX: usize = 20;

/// The task definitions of the SUCCESSFUL ones among a service's deployments, the newest first.
pub async fn good_revisions<A: Ecs>(aws: &A, listed: &[ServiceDeployment]) -> ApiResult<Vec<TaskDefinitionArn>> {
    let good = listed
        .iter()
        .filter(|d| d.status == ServiceDeploymentStatus::Successful);
    let mut good: Vec<&ServiceDeployment> = good.collect();
    good.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_at));
    let mut arns: Vec<String> = good.iter().filter_map(|d| d.target_revision.clone()).collect();
    arns.dedup();
    arns.truncate(GOOD_MAX);
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let found = aws.service_revisions(&arns).await?;
    let definition = |arn: &String| found.iter().find(|r| r.arn == *arn)?.task_definition.clone();
    Ok(arns.iter().filter_map(definition).collect())
}
