//! What is deleted: clusters, services, task definitions; AWS's refusals, and what is left to see.

use crate::model::status::{ServiceDeploymentStatus, ServiceStatus, TaskStatus};
use serde_json::json;

use crate::model::refusal::Refusal;
use crate::model::state::{Cluster, Service, TaskDefinition, short};
use crate::world::{ScheduledEvent, World, service_event};

/// The states of a task that keep its service from being INACTIVE (API reference of DeleteService).
const BUSY: [TaskStatus; 5] = [
    TaskStatus::Provisioning,
    TaskStatus::Pending,
    TaskStatus::Activating,
    TaskStatus::Running,
    TaskStatus::Deactivating,
];

impl World {
    /// DeleteCluster: INACTIVE, and still described.
    pub(crate) fn delete_cluster(&mut self, reference: &str) -> Result<Cluster, Refusal> {
        let cluster = self.cluster(Some(reference))?;
        let refused = |code: &str, what: &str| {
            let words = format!("The Cluster cannot be deleted while {what}.");
            Err(Refusal::new(code, words))
        };
        if !cluster.instances.is_empty() {
            return refused(
                "ClusterContainsContainerInstancesException",
                "Container Instances are active or draining",
            );
        }
        if cluster.services.values().any(|s| s.status != ServiceStatus::Inactive) {
            return refused("ClusterContainsServicesException", "Services are active");
        }
        if cluster.tasks.values().any(|t| t.last_status != TaskStatus::Stopped) {
            return refused("ClusterContainsTasksException", "Tasks are active");
        }
        let name = cluster.name.clone();
        let Some(cluster) = self.account.clusters.get_mut(&name) else {
            return Err(Refusal::new("ClusterNotFoundException", "Cluster not found."));
        };
        cluster.status = "INACTIVE".into();
        Ok(cluster.clone())
    }

    /// DeleteService: DRAINING until no task of it serves any more, then INACTIVE.
    pub fn delete_service(&mut self, cluster: Option<&str>, service: &str, force: bool) -> Result<Service, Refusal> {
        let cluster = self.cluster(cluster)?.name.clone();
        let name = self.account.id_of(&cluster, "service", service)?.to_owned();
        let missing = || Refusal::new("ServiceNotFoundException", "Service not found.");
        let now = self.now;
        let found = self.service_mut(&cluster, &name).ok_or_else(missing)?;
        match found.status {
            ServiceStatus::Draining => return Ok(found.clone()),
            ServiceStatus::Inactive => return Err(missing()),
            _ => {}
        }
        if found.desired_count > 0 && !force {
            return Err(Refusal::invalid_parameter(
                "The service cannot be stopped while it is scaled above 0.",
            ));
        }
        found.status = "DRAINING".into();
        found.desired_count = 0;
        for deployment in &mut found.deployments {
            deployment.desired_count = 0;
            deployment.updated_at = now;
        }
        for open in found.service_deployments.iter_mut().filter(|d| d.status.is_open()) {
            open.status = ServiceDeploymentStatus::Stopped;
            open.finished_at = Some(now);
            open.updated_at = now;
        }
        let answer = found.clone();
        let span = self.draw(self.timings.first_action);
        self.scheduler_state(&cluster, &name).timing.acts_from = now;
        self.after(span, ScheduledEvent::Look { cluster, service: name });
        Ok(answer)
    }

    /// One look at a service that is being deleted; whether it is.
    pub(crate) fn wind_down(&mut self, cluster: &str, name: &str) -> bool {
        if self
            .service(cluster, name)
            .is_none_or(|s| s.status != ServiceStatus::Draining)
        {
            return false;
        }
        let going: Vec<String> = self
            .wanted_tasks(cluster, name)
            .into_iter()
            .map(|t| t.id.clone())
            .collect();
        if !going.is_empty() {
            self.stop_for_scaling(cluster, &going);
            self.say(cluster, name, service_event::stopped(name, &going));
        }
        let is_busy = self
            .tasks_in(cluster)
            .any(|t| t.service == name && BUSY.contains(&t.last_status));
        let was_shown = self.service(cluster, name).is_some_and(|s| !s.deployments.is_empty());
        if !is_busy
            && was_shown
            && let Some(service) = self.service_mut(cluster, name)
        {
            service.status = "INACTIVE".into();
            service.deployments.clear();
        }
        true
    }

    /// DeleteTaskDefinitions for one of them; why not, where it is not deleted.
    pub(crate) fn delete_task_definition(&mut self, reference: &str) -> Result<TaskDefinition, &'static str> {
        let (family, number) = short(reference)
            .rsplit_once(':')
            .ok_or("The specified task definition identifier is invalid. Specify a valid name or ARN and try again.")?;
        let missing =
            "The specified task definition does not exist. Specify a valid account, family, revision and try again.";
        let number: u64 = number.parse().map_err(|_| missing)?;
        let now = self.now.as_secs_f64();
        let revisions = self.account.task_definitions.get_mut(family).ok_or(missing)?;
        let found = revisions.iter_mut().find(|d| d.revision == number).ok_or(missing)?;
        if found.status == "ACTIVE" {
            return Err(
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            );
        }
        found.status = "DELETE_IN_PROGRESS".into();
        if let Some(document) = found.document.as_object_mut() {
            document.insert("status".into(), "DELETE_IN_PROGRESS".into());
            document.entry("deleteRequestedAt").or_insert_with(|| json!(now));
        }
        Ok(found.clone())
    }
}
