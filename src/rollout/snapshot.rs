//! One look at the world, as the observer gets it, and what was there before the deployment began.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ContainerInstanceArn, DeploymentId, TargetGroupArn, TargetKey};
use crate::rollout::join;
use crate::rollout::scope::Scope;
use crate::service::{Service, ServiceDeployment};
use crate::target::TargetHealth;
use crate::task::{ContainerInstance, Task};

/// A place in a target group. Instance and port alone do not name a target: the same pair may stand in two groups.
pub type Place = (TargetGroupArn, TargetKey);

/// Everything that one round of reads has shown. Lists may come in any order and mean the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// `None`: DescribeServices says that it is missing.
    pub service: Option<Service>,
    /// All tasks of the service that AWS still shows, stopped ones too.
    pub tasks: Vec<Task>,
    /// The container instances of those tasks; `None` where they may not be read, so that targets on instances cannot
    /// be joined to tasks.
    pub instances: Option<BTreeMap<ContainerInstanceArn, ContainerInstance>>,
    /// The rows of each target group of the service.
    pub targets: BTreeMap<TargetGroupArn, Vec<TargetHealth>>,
    /// The service deployment of *our* deployment, where that API may be read.
    pub service_deployment: Option<ServiceDeployment>,
    /// All instances of the cluster with what they have left; read only when a placement has failed.
    pub capacity: Option<Vec<ContainerInstance>>,
}

impl Snapshot {
    /// Whether ECS goes back by itself when the deployment fails.
    pub fn rolls_back(&self) -> bool {
        let breaker = self.service.as_ref().and_then(|s| s.configuration.circuit_breaker);
        breaker.is_some_and(|b| b.enable && b.rollback)
    }
}

/// What was there before UpdateService. Old targets are remembered as places, because the tasks behind them disappear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// Deployments that existed before ours: a PRIMARY that is neither ours nor one of these is somebody else's.
    pub deployments: BTreeSet<DeploymentId>,
    /// Events that were there before: only newer ones concern us. By id, not by time: clocks differ.
    pub events: BTreeSet<String>,
    /// Where the service's tasks were registered.
    pub places: BTreeSet<Place>,
    /// Targets that belong to no task of this service: registered by hand, or by another service.
    pub foreign: BTreeSet<Place>,
}

impl Baseline {
    pub fn of(snapshot: &Snapshot, scope: &Scope) -> Self {
        let service = snapshot.service.as_ref();
        let mut places = BTreeSet::new();
        for task in &snapshot.tasks {
            places.extend(join::places(task, snapshot, scope).into_iter().flatten());
        }
        let shown = snapshot
            .targets
            .iter()
            .flat_map(|(group, rows)| rows.iter().map(|row| (group.clone(), row.key.clone())));
        // Where instances may not be read, nothing can be joined: then every target that is there counts as old.
        let (places, foreign) = match &snapshot.instances {
            None => (shown.collect(), BTreeSet::new()),
            Some(_) => {
                let foreign = shown.filter(|place| !places.contains(place)).collect();
                (places, foreign)
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
            foreign,
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
