//! What has become of our deployment: is it still the one that ECS is rolling out?

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
    /// ECS has begun to end it: a rollback, a newer deployment, or somebody's wish. The PRIMARY will tell which.
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
            let status = Some(service.status.clone());
            return Self::ServiceLost { status };
        }
        if let Some(deployment) = &snapshot.service_deployment
            && deployment.status == ServiceDeploymentStatus::RollbackFailed
        {
            let reason = deployment.status_reason.clone();
            return Self::RollbackFailed { reason };
        }
        let ours = service.deployment(&scope.deployment);
        match service.primary().filter(|primary| primary.id != scope.deployment) {
            Some(primary) => Self::behind(primary, ours.is_some(), snapshot, baseline, was_listed),
            None => Self::in_front(ours, snapshot, was_listed),
        }
    }

    /// Another deployment is PRIMARY.
    fn behind(
        primary: &Deployment,
        is_listed: bool,
        snapshot: &Snapshot,
        baseline: &Baseline,
        was_listed: bool,
    ) -> Self {
        let to = primary.clone();
        if is_rolling_back(snapshot) {
            return Self::RollingBack { to };
        }
        let is_older = baseline.deployments.contains(&primary.id);
        // A rollback may go to a deployment that was no longer listed when ours began.
        if says_rollback(primary) && (is_listed || !baseline.was_rolling_back) {
            return Self::RollingBack { to };
        }
        if !is_older {
            return Self::Superseded { by: to };
        }
        match (is_listed, was_listed) {
            // An answer that lists ours beside an older PRIMARY is no old answer: before our update ours was not there.
            (true, _) => Self::RollingBack { to },
            (false, true) => Self::Absent { primary: Some(to) },
            (false, false) => Self::Ours,
        }
    }

    /// Ours is PRIMARY, or nothing is.
    fn in_front(ours: Option<&Deployment>, snapshot: &Snapshot, was_listed: bool) -> Self {
        // FAILED says more than the service deployment's STOPPED, which a breaker without rollback leaves behind as well.
        let failed = ours.filter(|d| d.rollout_state == Some(RolloutState::Failed));
        if let Some(failed) = failed.filter(|_| !is_rolling_back(snapshot)) {
            let reason = failed.rollout_state_reason.clone();
            return Self::Failed { reason };
        }
        Self::of_service_deployment(snapshot).unwrap_or(match ours {
            Some(_) => Self::Ours,
            None if was_listed => Self::Absent { primary: None },
            None => Self::Ours,
        })
    }

    fn of_service_deployment(snapshot: &Snapshot) -> Option<Self> {
        let status = &snapshot.service_deployment.as_ref()?.status;
        let is_ending = matches!(
            status,
            ServiceDeploymentStatus::StopRequested | ServiceDeploymentStatus::Stopped
        );
        (is_ending || is_rolling_back(snapshot)).then(|| Self::StopRequested { status: status.clone() })
    }
}

/// The service deployment of ours says that ECS goes back.
pub fn is_rolling_back(snapshot: &Snapshot) -> bool {
    let status = snapshot.service_deployment.as_ref().map(|d| d.status.as_str());
    status.is_some_and(|s| s.starts_with("ROLLBACK"))
}

/// The deployment says that it is what ECS goes back to.
pub fn says_rollback(primary: &Deployment) -> bool {
    let reason = primary.rollout_state_reason.as_deref().unwrap_or_default();
    primary.rollout_state == Some(RolloutState::InProgress) && reason.contains("rolling back")
}
