//! The operations that change services, deployments and tasks, and the list of tasks; AWS's refusals (aws-facts 6).

use super::revision::check_capacity_providers;
use crate::model::refusal::Refusal;
use crate::model::state::{Service, ServiceChange, ServiceDeployment, TaskDefinition};
use crate::model::status::{ServiceDeploymentStatus, ServiceStatus};
use crate::scenario::span::Spread;
use crate::world::{ScheduledEvent, World};

impl World {
    /// UpdateService. A change of what a service revision holds starts a deployment (task definition, load balancers,
    /// network configuration, …), and `force_new_deployment` does; nothing else does.
    pub fn update_service(&mut self, change: &ServiceChange) -> Result<Service, Refusal> {
        let cluster = self.cluster(named(&change.cluster))?.name.clone();
        let name = self.account.id_of(&cluster, "service", &change.service)?.to_owned();
        let service = self
            .service(&cluster, &name)
            .cloned()
            .ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))?;
        if service.status != ServiceStatus::Active {
            return Err(Refusal::new("ServiceNotActiveException", "Service was not ACTIVE."));
        }
        check_controller(&service, change)?;
        let mut wanted = service.clone();
        apply(&mut wanted, change);
        let reference = change.task_definition.as_ref().unwrap_or(&service.task_definition);
        let definition = match &change.task_definition {
            Some(reference) => self.deployable(reference)?,
            None => self.definition(reference).cloned().ok_or_else(no_definition)?,
        };
        wanted.task_definition.clone_from(&definition.arn);
        self.check_service(&wanted, change, &definition)?;
        check_capacity_providers(&service.settings, &wanted.settings, change.force_new_deployment)?;
        self.connect_gateways(&cluster, &mut wanted, &definition)?;
        let now = self.now;
        let is_deployed = change.force_new_deployment || wanted.revision(now) != service.revision(now);
        if let Some(found) = self.service_mut(&cluster, &name) {
            *found = wanted;
        }
        self.begin_traffic(&cluster, &name);
        if is_deployed {
            self.make_deployment(&cluster, &name, &definition.arn);
            self.note_revision(&cluster, &name);
            if self.scheduler_state(&cluster, &name).deployments.first_update.is_none() {
                self.scheduler_state(&cluster, &name).deployments.first_update = Some(now);
                self.schedule_faults(&cluster, &name, now, false);
            }
        }
        self.recount(&cluster, &name);
        self.service(&cluster, &name)
            .cloned()
            .ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))
    }

    pub(crate) fn deployable(&self, reference: &str) -> Result<TaskDefinition, Refusal> {
        let found = self.definition(reference).ok_or_else(no_definition)?;
        if found.status != "ACTIVE" {
            return Err(Refusal::new("ClientException", "TaskDefinition is inactive"));
        }
        Ok(found.clone())
    }

    /// StopServiceDeployment with stopType ROLLBACK (`rollback`) or ABORT; returns the ARN.
    pub fn stop_service_deployment(&mut self, arn: &str, rollback: bool) -> Result<String, Refusal> {
        let (cluster, name, found) = self.find_service_deployment(arn)?;
        let (deployment, status) = (found.deployment_id.clone(), found.status.clone());
        // Asked again, AWS allows it in these too (API reference); they are on their way already.
        if matches!(
            status,
            ServiceDeploymentStatus::StopRequested
                | ServiceDeploymentStatus::RollbackRequested
                | ServiceDeploymentStatus::RollbackInProgress
        ) {
            return Ok(arn.to_owned());
        }
        if !status.is_open() {
            let words = format!("The service deployment cannot be stopped in status {status}.");
            return Err(Refusal::new("ConflictException", words));
        }
        let now = self.now;
        if let Some(running) = self.running_deployment(&cluster, &name) {
            running.status = if rollback {
                "ROLLBACK_REQUESTED"
            } else {
                "STOP_REQUESTED"
            }
            .into();
            running.updated_at = now;
        }
        let later = self.draw(Spread::millis(300, 1_500));
        let stops = ScheduledEvent::UserStops {
            cluster,
            service: name,
            deployment,
            goes_back: rollback,
        };
        self.after(later, stops);
        Ok(arn.to_owned())
    }

    /// The cluster, the service and the service deployment of an ARN.
    pub(crate) fn find_service_deployment(&self, arn: &str) -> Result<(String, String, &ServiceDeployment), Refusal> {
        let found = self.account.clusters.iter().find_map(|(cluster, c)| {
            c.services.iter().find_map(|(name, service)| {
                let one = service.service_deployments.iter().find(|d| d.arn == arn)?;
                Some((cluster.clone(), name.clone(), one))
            })
        });
        found.ok_or_else(|| Refusal::new("ServiceDeploymentNotFoundException", "Service deployment not found."))
    }
}

pub(crate) fn named(cluster: &str) -> Option<&str> {
    Some(cluster).filter(|name| !name.is_empty())
}

fn check_controller(service: &Service, change: &ServiceChange) -> Result<(), Refusal> {
    let controller = service.deployment_controller.as_str();
    if controller == "ECS" {
        return Ok(());
    }
    let tail = match controller {
        "CODE_DEPLOY" => " Use AWS CodeDeploy to trigger a new deployment.",
        _ => "",
    };
    if change.task_definition.is_some() {
        return Err(Refusal::invalid_parameter(format!(
            "Unable to update task definition on services with a {controller} deployment controller.{tail}"
        )));
    }
    if change.force_new_deployment {
        return Err(Refusal::invalid_parameter(format!(
            "Cannot force a new deployment on services with a {controller} deployment controller.{tail}"
        )));
    }
    Ok(())
}

/// Writes what was asked for into the service, except for the task definition.
pub(crate) fn apply(service: &mut Service, change: &ServiceChange) {
    service.desired_count = change.desired_count.unwrap_or(service.desired_count);
    service.minimum_healthy_percent = change
        .minimum_healthy_percent
        .unwrap_or(service.minimum_healthy_percent);
    service.maximum_percent = change.maximum_percent.unwrap_or(service.maximum_percent);
    if change.circuit_breaker.is_some() {
        service.circuit_breaker = change.circuit_breaker;
    }
    if change.health_check_grace_period.is_some() {
        service.health_check_grace_period = change.health_check_grace_period;
    }
    if let Some(strategy) = &change.strategy {
        service.strategy = strategy.clone();
    }
    if let Some(bindings) = &change.load_balancers {
        // What ECS manages is not the caller's to replace.
        service.load_balancers.retain(|binding| binding.managed.is_some());
        service.load_balancers.splice(0..0, bindings.iter().cloned());
    }
    service.settings.extend(change.settings.clone());
}

fn no_definition() -> Refusal {
    Refusal::new("ClientException", "TaskDefinition not found.")
}
