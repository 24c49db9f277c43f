//! What has become of our deployment: is it still the one that ECS is rolling out?

use crate::aws_model::service::{Deployment, RolloutState, ServiceDeploymentStatus, ServiceStatus};
use crate::rollout::scope::Scope;
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::snapshot::Snapshot;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DeploymentState {
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

impl DeploymentState {
    /// `was_listed`: an earlier snapshot has shown our deployment, so that an answer without it needs an explanation.
    pub(crate) fn of(snapshot: &Snapshot, scope: &Scope, baseline: &Baseline, was_listed: bool) -> Self {
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
            Some(primary) => Self::behind(primary, ours, snapshot, scope, baseline, was_listed),
            None => Self::in_front(ours, snapshot, was_listed),
        }
    }

    /// Another deployment is PRIMARY.
    fn behind(
        primary: &Deployment,
        ours: Option<&Deployment>,
        snapshot: &Snapshot,
        scope: &Scope,
        baseline: &Baseline,
        was_listed: bool,
    ) -> Self {
        let to = primary.clone();
        // ECS goes back to a deployment that was there before ours, or makes one anew of what ran then. What else has come
        // after ours is somebody's.
        let mut known = scope.previous.iter().chain(&scope.good);
        let may_be_back = primary.is_rolling_back() || known.any(|arn| *arn == primary.task_definition);
        if !may_be_back && is_newer(primary, snapshot, ours) {
            return Self::Superseded { by: to };
        }
        if is_rolling_back(snapshot) {
            return Self::RollingBack { to };
        }
        let is_listed = ours.is_some();
        let is_older = baseline.deployments.contains(&primary.id);
        // A rollback may go to a deployment that was no longer listed when ours began.
        if primary.is_rolling_back() && (is_listed || !baseline.was_rolling_back) {
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

/// Whether a deployment was made after ours, as far as both their times are known.
fn is_newer(other: &Deployment, snapshot: &Snapshot, ours: Option<&Deployment>) -> bool {
    let record = || snapshot.service_deployment.as_ref()?.created_at;
    let own = ours.and_then(|d| d.created_at).or_else(record);
    matches!((other.created_at, own), (Some(theirs), Some(own)) if theirs > own)
}

/// The service deployment of ours says that ECS goes back.
pub(crate) fn is_rolling_back(snapshot: &Snapshot) -> bool {
    snapshot
        .service_deployment
        .as_ref()
        .is_some_and(|d| d.status.is_rollback())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::aws_model::service::{DeploymentStatus, Service, ServiceDeployment};
    use crate::base::id::DeploymentId;
    use crate::base::time::Timestamp;

    const OURS: &str = "ecs-svc/2";
    const OLD: &str = "ecs-svc/1";

    fn scope() -> Scope {
        Scope::plain()
    }

    fn deployment(id: &str, status: DeploymentStatus, state: RolloutState, reason: &str) -> Deployment {
        Deployment {
            id: id.into(),
            status,
            task_definition: "task-definition/web:1".into(),
            rollout_state: Some(state),
            rollout_state_reason: Some(reason.into()),
            ..Deployment::plain()
        }
    }

    fn snapshot(deployments: Vec<Deployment>, service_deployment: Option<ServiceDeploymentStatus>) -> Snapshot {
        let service = Service {
            deployments,
            ..Service::plain()
        };
        let service_deployment = service_deployment.map(|status| ServiceDeployment {
            arn: String::new(),
            status,
            ..ServiceDeployment::plain()
        });
        Snapshot {
            service: Some(service),
            service_deployment,
            ..Snapshot::default()
        }
    }

    fn baseline(was_rolling_back: bool) -> Baseline {
        Baseline {
            deployments: BTreeSet::from([DeploymentId::from(OLD)]),
            was_rolling_back,
            ..Baseline::default()
        }
    }

    fn rolling_back_to(id: &str) -> Deployment {
        let reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {id}.");
        deployment(id, DeploymentStatus::Primary, RolloutState::InProgress, &reason)
    }

    #[test]
    fn an_old_answer_about_an_earlier_rollback_is_not_ours() {
        let stale = snapshot(vec![rolling_back_to(OLD)], None);
        assert_eq!(
            DeploymentState::of(&stale, &scope(), &baseline(true), false),
            DeploymentState::Ours
        );
        let told = DeploymentState::of(&stale, &scope(), &baseline(false), true);
        assert!(matches!(told, DeploymentState::RollingBack { .. }), "{told:?}");
    }

    #[test]
    fn a_rollback_may_go_to_a_deployment_that_was_no_longer_listed() {
        let shown = snapshot(vec![rolling_back_to("ecs-svc/0")], None);
        let told = DeploymentState::of(&shown, &scope(), &baseline(false), true);
        assert!(matches!(told, DeploymentState::RollingBack { .. }), "{told:?}");
    }

    #[test]
    fn a_stop_request_is_no_rollback_before_the_primary_says_so() {
        let ours = deployment(OURS, DeploymentStatus::Primary, RolloutState::InProgress, "");
        let shown = snapshot(vec![ours], Some(ServiceDeploymentStatus::StopRequested));
        let told = DeploymentState::of(&shown, &scope(), &baseline(false), true);
        assert!(matches!(told, DeploymentState::StopRequested { .. }), "{told:?}");
        assert!(!is_rolling_back(&shown));
    }

    #[test]
    fn a_rollback_that_fails_is_seen_behind_the_primary() {
        let shown = snapshot(
            vec![rolling_back_to(OLD)],
            Some(ServiceDeploymentStatus::RollbackFailed),
        );
        let told = DeploymentState::of(&shown, &scope(), &baseline(false), true);
        assert!(matches!(told, DeploymentState::RollbackFailed { .. }), "{told:?}");
    }

    /// A deployment that was made so many seconds after the epoch; ours was at ten.
    fn made_at(seconds: i64, id: &str, task_definition: &str) -> Deployment {
        Deployment {
            task_definition: task_definition.into(),
            created_at: Some(Timestamp::from_millis(seconds * 1000)),
            ..deployment(id, DeploymentStatus::Primary, RolloutState::InProgress, "")
        }
    }

    #[test]
    fn a_newer_deployment_during_a_rollback_is_what_is_gone_back_to_only_with_the_earlier_revision() {
        let scope = Scope {
            previous: Some("task-definition/web:1".into()),
            good: Some("task-definition/web:1".into()),
            ..scope()
        };
        let told = |primary: Deployment| {
            let ours = Deployment {
                status: DeploymentStatus::Active,
                ..made_at(10, OURS, "task-definition/web:2")
            };
            let status = Some(ServiceDeploymentStatus::RollbackInProgress);
            DeploymentState::of(&snapshot(vec![primary, ours], status), &scope, &baseline(false), true)
        };
        let again = made_at(11, "ecs-svc/3", "task-definition/web:1");
        assert_eq!(told(again.clone()), DeploymentState::RollingBack { to: again });
        let newer = made_at(11, "ecs-svc/3", "task-definition/web:3");
        assert_eq!(told(newer.clone()), DeploymentState::Superseded { by: newer });
        let older = made_at(9, OLD, "task-definition/web:0");
        assert_eq!(told(older.clone()), DeploymentState::RollingBack { to: older });
    }

    #[test]
    fn a_service_without_any_deployment_has_lost_ours_only_where_it_was_seen() {
        let nothing = snapshot(Vec::new(), None);
        assert_eq!(
            DeploymentState::of(&nothing, &scope(), &baseline(false), false),
            DeploymentState::Ours
        );
        let told = DeploymentState::of(&nothing, &scope(), &baseline(false), true);
        assert_eq!(told, DeploymentState::Absent { primary: None });
    }

    #[test]
    fn a_failure_that_ecs_goes_back_from_is_a_rollback() {
        let failed = || deployment(OURS, DeploymentStatus::Primary, RolloutState::Failed, "broken");
        let told = |status| {
            DeploymentState::of(
                &snapshot(vec![failed()], Some(status)),
                &scope(),
                &baseline(false),
                true,
            )
        };
        let reason = Some("broken".to_owned());
        assert_eq!(
            told(ServiceDeploymentStatus::Stopped),
            DeploymentState::Failed { reason }
        );
        let status = ServiceDeploymentStatus::RollbackInProgress;
        assert_eq!(told(status.clone()), DeploymentState::StopRequested { status });
    }
}
