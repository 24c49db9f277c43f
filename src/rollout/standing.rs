//! What has become of our deployment: is it still the one that ECS is rolling out?

use crate::id::DeploymentId;
use crate::rollout::baseline::Baseline;
use crate::rollout::scope::Scope;
use crate::rollout::snapshot::Snapshot;
use crate::service::{Deployment, RolloutState, ServiceDeploymentStatus, ServiceStatus};

#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// PRIMARY, or not listed yet by an answer that is older than our update.
    Ours,
    /// An earlier deployment is PRIMARY and ours is not listed, although it has been: gone, or an old answer.
    Absent { primary: Option<Deployment> },
    /// ECS goes back to an earlier deployment.
    RollingBack { to: Deployment },
    /// Ours is PRIMARY and FAILED: ECS starts no more tasks of it.
    Failed { reason: Option<String> },
    /// The rollback itself has failed.
    RollbackFailed { reason: Option<String> },
    /// Somebody asked for it to be stopped.
    StopRequested { status: ServiceDeploymentStatus },
    /// A deployment that is neither ours nor older is PRIMARY.
    Superseded { by: Deployment },
    /// The service is being deleted, or is gone.
    ServiceLost { status: Option<ServiceStatus> },
}

impl Standing {
    /// `was_listed`: an earlier snapshot has shown our deployment, so that an answer without it needs an explanation.
    pub fn of(snapshot: &Snapshot, scope: &Scope, baseline: &Baseline, was_listed: bool) -> Self {
        let Some(service) = &snapshot.service else {
            return Self::ServiceLost { status: None };
        };
        if matches!(service.status, ServiceStatus::Draining | ServiceStatus::Inactive) {
            return Self::ServiceLost {
                status: Some(service.status.clone()),
            };
        }
        let ours = service.deployment(&scope.deployment);
        let primary = service.primary();
        let is_older = |id: &DeploymentId| baseline.deployments.contains(id);
        if let Some(primary) = primary.filter(|p| p.id != scope.deployment) {
            if !is_older(&primary.id) {
                return Self::Superseded { by: primary.clone() };
            }
            return match ours {
                // An answer that lists ours beside an older PRIMARY is no old answer: before our update ours was not there.
                Some(_) => Self::RollingBack { to: primary.clone() },
                None if says_rollback(primary) => Self::RollingBack { to: primary.clone() },
                None if was_listed => Self::Absent {
                    primary: Some(primary.clone()),
                },
                None => Self::Ours,
            };
        }
        // FAILED says more than the service deployment's STOPPED, which a breaker without rollback leaves behind as well.
        let failed = ours.filter(|d| d.rollout_state == Some(RolloutState::Failed));
        if let Some(failed) = failed.filter(|_| !is_rolling_back(snapshot)) {
            return Self::Failed {
                reason: failed.rollout_state_reason.clone(),
            };
        }
        Self::of_service_deployment(snapshot).unwrap_or(match ours {
            Some(_) => Self::Ours,
            None if was_listed => Self::Absent { primary: None },
            None => Self::Ours,
        })
    }

    fn of_service_deployment(snapshot: &Snapshot) -> Option<Self> {
        let deployment = snapshot.service_deployment.as_ref()?;
        match &deployment.status {
            ServiceDeploymentStatus::RollbackFailed => Some(Self::RollbackFailed {
                reason: deployment.status_reason.clone(),
            }),
            status @ (ServiceDeploymentStatus::StopRequested
            | ServiceDeploymentStatus::Stopped
            | ServiceDeploymentStatus::RollbackRequested
            | ServiceDeploymentStatus::RollbackInProgress
            | ServiceDeploymentStatus::RollbackSuccessful) => Some(Self::StopRequested { status: status.clone() }),
            _ => None,
        }
    }
}

fn is_rolling_back(snapshot: &Snapshot) -> bool {
    let status = snapshot.service_deployment.as_ref().map(|d| d.status.as_str());
    status.is_some_and(|s| s.starts_with("ROLLBACK"))
}

fn says_rollback(primary: &Deployment) -> bool {
    let reason = primary.rollout_state_reason.as_deref().unwrap_or_default();
    primary.rollout_state == Some(RolloutState::InProgress) && reason.contains("rolling back")
}
