//! What was there before the deployment began.

use std::collections::BTreeSet;

use crate::aws_model::service::{Deployment, Service};
use crate::base::id::DeploymentId;
use crate::rollout::scope::Scope;
use crate::rollout::view::join;
use crate::rollout::view::snapshot::{Place, Snapshot};

/// What was there before UpdateService. Old targets are remembered as places, because the tasks behind them disappear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// Deployments that existed before ours: a PRIMARY that is neither ours nor one of these is somebody else's.
    pub deployments: BTreeSet<DeploymentId>,
    /// Events that were there before: only newer ones concern us. By id, not by time: clocks differ.
    pub events: BTreeSet<String>,
    /// Where the service's tasks were registered, and what drained. Other targets of nobody's (registered by hand, or by
    /// another service) are not among them, so that they are never waited for.
    pub places: BTreeSet<Place>,
    /// A rollback was under way already: an answer that speaks of one may be older than our deployment.
    pub was_rolling_back: bool,
}

impl Baseline {
    /// What the snapshot shows is what was there before.
    pub fn of(snapshot: &Snapshot, scope: &Scope) -> Self {
        let service = snapshot.service.as_ref();
        let joined = snapshot
            .tasks
            .iter()
            .flat_map(|task| join::old_places(task, snapshot, scope));
        // Where instances may not be read, nothing can be joined: then every target that is there counts as old.
        let is_join_missing = snapshot.instances.is_none();
        let rows = snapshot
            .targets
            .iter()
            .flat_map(|(group, rows)| rows.iter().map(move |row| (group, row)));
        // What drains when its task is long forgotten is left of a deployment before, on an instance that went away.
        let left = rows.filter(|(_, row)| is_join_missing || row.state.is_draining());
        let places = joined
            .chain(left.map(|(group, row)| (group.clone(), row.key.clone())))
            .collect();
        Self {
            deployments: service
                .into_iter()
                .flat_map(|s| s.deployments.iter().map(|d| d.id.clone()))
                .collect(),
            events: service
                .into_iter()
                .flat_map(|s| s.events.iter().map(|e| e.id.clone()))
                .collect(),
            places,
            was_rolling_back: service
                .and_then(|s| s.primary())
                .is_some_and(Deployment::is_rolling_back),
        }
    }

    /// Adds what UpdateService's own answer shows: deployments and events that the earlier read may have missed.
    pub fn with_answer(mut self, answer: &Service, ours: &DeploymentId) -> Self {
        self.deployments.extend(answer.deployments.iter().map(|d| d.id.clone()));
        self.deployments.remove(ours);
        self.events.extend(answer.events.iter().map(|e| e.id.clone()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{Deployment, DeploymentStatus, RolloutState, ServiceEvent};
    use crate::aws_model::target::{TargetHealth, TargetState};
    use crate::base::id::TargetKey;

    fn service(ids: &[&str]) -> Service {
        let deployment = |id: &&str| Deployment {
            id: (*id).into(),
            ..Deployment::plain()
        };
        let event = |id: &&str| ServiceEvent {
            id: format!("event of {id}"),
            created_at: None,
            message: String::new(),
        };
        Service {
            deployments: ids.iter().map(deployment).collect(),
            events: ids.iter().map(event).collect(),
            ..Service::plain()
        }
    }

    #[test]
    fn what_update_service_answers_was_there_before_but_for_our_deployment() {
        let before = Snapshot {
            service: Some(service(&["ecs-svc/1"])),
            ..Snapshot::default()
        };
        let answer = service(&["ecs-svc/3", "ecs-svc/2"]);
        let baseline = Baseline::of(&before, &Scope::plain()).with_answer(&answer, &"ecs-svc/3".into());
        let ids: Vec<&str> = baseline.deployments.iter().map(|id| id.as_str()).collect();
        assert_eq!(ids, ["ecs-svc/1", "ecs-svc/2"]);
        assert_eq!(baseline.events.len(), 3);
    }

    #[test]
    fn a_rollback_that_was_under_way_is_remembered() {
        let mut rolling_back = service(&["ecs-svc/1"]);
        rolling_back.deployments[0].status = DeploymentStatus::Primary;
        rolling_back.deployments[0].rollout_state = Some(RolloutState::InProgress);
        let was = |service: &Service| {
            let before = Snapshot {
                service: Some(service.clone()),
                ..Snapshot::default()
            };
            Baseline::of(&before, &Scope::plain()).was_rolling_back
        };
        assert!(!was(&rolling_back));
        rolling_back.deployments[0].rollout_state_reason =
            Some("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".into());
        assert!(was(&rolling_back));
    }

    #[test]
    fn where_instances_may_not_be_read_every_target_counts_as_old() {
        let row = TargetHealth::plain("i-1", TargetState::Healthy);
        let mut before = Snapshot::default();
        before.targets.insert("targetgroup/web/1".into(), vec![row]);
        let places = |before: &Snapshot| Baseline::of(before, &Scope::plain()).places;
        assert_eq!(
            places(&before).into_iter().map(|place| place.1).collect::<Vec<_>>(),
            [TargetKey::new("i-1", 80)]
        );
        before.instances = Some(std::collections::BTreeMap::new());
        assert!(places(&before).is_empty(), "no task of the service is known there");
    }
}
