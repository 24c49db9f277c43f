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
    /// Where the service's tasks were registered. Targets of nobody's (registered by hand, or by another service) are
    /// not among them, so that they are never waited for.
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
        let places = match &snapshot.instances {
            Some(_) => joined.collect(),
            // Where instances may not be read, nothing can be joined: then every target that is there counts as old.
            None => {
                let rows = snapshot.targets.iter();
                rows.flat_map(|(group, rows)| rows.iter().map(|row| (group.clone(), row.key.clone())))
                    .collect()
            }
        };
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
