//! Service revisions: what a service deploys beside its task definition, as it was at one deployment.

use serde_json::Value;

use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancerBinding, Service, ServiceRevision, Settings, Task};
use crate::timestamp::Timestamp;
use crate::world::World;

/// Those of a service's settings whose change is a deployment. Source: UpdateService's description of each parameter.
const DEPLOYED: [&str; 10] = [
    "capacityProviderStrategy",
    "expressConfiguration",
    "gatewayConnectors",
    "networkConfiguration",
    "overrides",
    "platformVersion",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

impl Service {
    /// What a deployment of the service would deploy at this moment.
    pub(crate) fn revision(&self, created_at: Timestamp) -> ServiceRevision {
        let is_deployed =
            |(name, value): (&String, &Value)| DEPLOYED.contains(&name.as_str()).then(|| (name.clone(), value.clone()));
        ServiceRevision {
            created_at,
            task_definition: self.task_definition.clone(),
            launch_type: self.launch_type.clone(),
            load_balancers: self.load_balancers.clone(),
            settings: self.settings.iter().filter_map(is_deployed).collect(),
        }
    }

    /// The revision of a deployment, `ecs-svc/NUMBER`.
    pub(crate) fn revision_of(&self, deployment: &str) -> Option<&ServiceRevision> {
        self.revisions.get(number(deployment))
    }
}

impl World {
    /// Keeps what the PRIMARY deployment deploys.
    pub(crate) fn note_revision(&mut self, cluster: &str, name: &str) {
        let now = self.now;
        let failure = self.route_failure(cluster, name);
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let managed = service.load_balancers.iter_mut().filter_map(|b| b.managed.as_mut());
        for managed in managed {
            managed.failure.clone_from(&failure);
        }
        let revision = service.revision(now);
        if let Some(primary) = crate::model::state::primary(service).map(|d| number(&d.id).to_owned()) {
            service.revisions.insert(primary, revision);
        }
    }

    /// A rollback takes back whatever the failed deployment changed, not only the task definition.
    pub(crate) fn restore_revision(&mut self, cluster: &str, name: &str, deployment: &str) {
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        if let Some(revision) = service.revision_of(deployment).cloned() {
            service.load_balancers = revision.load_balancers;
            service.launch_type = revision.launch_type;
            service.settings.retain(|name, _| !DEPLOYED.contains(&name.as_str()));
            service.settings.extend(revision.settings);
        }
    }

    /// Where the tasks of a task's own deployment are registered; the service may be bound elsewhere by now.
    pub(crate) fn bindings_of(&self, cluster: &str, task: &Task) -> &[LoadBalancerBinding] {
        self.service(cluster, &task.service).map_or(&[], |service| {
            let own = service.revision_of(&task.started_by);
            own.map_or(&service.load_balancers, |revision| &revision.load_balancers)
        })
    }
}

/// Whether a new strategy needs a new deployment to be said. Source: AWS's refusal, recorded.
pub(crate) fn check_capacity_providers(before: &Settings, after: &Settings, forced: bool) -> Result<(), Refusal> {
    let strategy = |settings: &Settings| settings.get("capacityProviderStrategy").cloned();
    if forced || strategy(before) == strategy(after) {
        return Ok(());
    }
    Err(Refusal::new(
        "InvalidParameterException",
        "When switching from launch type to capacity provider strategy on an existing service, or making a change to a \
         capacity provider strategy on a service that is already using one, you must force a new deployment.",
    ))
}

fn number(deployment: &str) -> &str {
    deployment.rsplit('/').next().unwrap_or(deployment)
}
