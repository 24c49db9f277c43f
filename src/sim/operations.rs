//! The operations that change services, deployments and tasks, and the list of tasks; AWS's refusals (aws-facts 6).

use super::deployment::is_open;
use super::placement::mappings;
use super::state::{Refusal, Service, ServiceChange, Task, TaskDefinition, TaskFilter};
use super::world::{Happening, World, short};
use std::time::Duration;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

impl World {
    /// UpdateService. A new task definition or `force_new_deployment` starts a deployment; nothing else does.
    pub fn update_service(&mut self, change: &ServiceChange) -> Result<Service, Refusal> {
        let cluster = self.cluster(named(&change.cluster))?.name.clone();
        let name = short(&change.service).to_owned();
        let service = self
            .service(&cluster, &name)
            .cloned()
            .ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))?;
        if service.status != "ACTIVE" {
            return Err(Refusal::new("ServiceNotActiveException", "Service was not ACTIVE."));
        }
        check_controller(&service, change)?;
        check_configuration(&service, change)?;
        let definition = match &change.task_definition {
            Some(reference) => Some(self.deployable(reference)?),
            None => None,
        };
        if let Some(definition) = &definition {
            self.check_load_balancers(&service, definition)?;
        }
        let now = self.now;
        if let Some(found) = self.service_mut(&cluster, &name) {
            apply(found, change);
        }
        let arn = definition.map_or_else(|| service.task_definition.clone(), |definition| definition.arn);
        if change.force_new_deployment || arn != service.task_definition {
            self.make_deployment(&cluster, &name, &arn);
            if self.mind(&cluster, &name).first_update.is_none() {
                self.mind(&cluster, &name).first_update = Some(now);
                self.schedule_faults(&cluster, &name, now, false);
            }
        }
        self.recount(&cluster, &name);
        self.service(&cluster, &name)
            .cloned()
            .ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))
    }

    fn deployable(&self, reference: &str) -> Result<TaskDefinition, Refusal> {
        let found = self.definition(reference);
        let found = found.ok_or_else(|| Refusal::new("ClientException", "TaskDefinition not found."))?;
        if found.status != "ACTIVE" {
            return Err(Refusal::new("ClientException", "TaskDefinition is inactive"));
        }
        Ok(found.clone())
    }

    /// Whether the service's load balancers can reach a container of the task definition.
    fn check_load_balancers(&self, service: &Service, definition: &TaskDefinition) -> Result<(), Refusal> {
        let document = &definition.document;
        let mode = document
            .get("networkMode")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("bridge");
        let mappings = mappings(document);
        for binding in &service.load_balancers {
            let (container, port) = (&binding.container_name, binding.container_port);
            let containers = super::placement::containers(document);
            if !containers
                .iter()
                .any(|c| c.get("name").and_then(serde_json::Value::as_str) == Some(container))
            {
                return Err(invalid(format!(
                    "The container {container} does not exist in the task definition."
                )));
            }
            let Some(mapping) = mappings
                .iter()
                .find(|m| &m.container == container && m.container_port == port)
            else {
                return Err(invalid(format!(
                    "The container {container} did not have a container port {port} defined."
                )));
            };
            let is_dynamic = mode == "bridge" && mapping.host_port == 0;
            let Some(arn) = &binding.target_group_arn else {
                if is_dynamic {
                    return Err(invalid(format!(
                        "A host port mapping for the container port {port} is required."
                    )));
                }
                continue;
            };
            let Some(group) = self.account.target_groups.get(arn) else {
                return Err(invalid(
                    "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service \
                     role being passed has the proper permissions.",
                ));
            };
            let wanted = if mode == "awsvpc" { "ip" } else { "instance" };
            if group.target_type != wanted {
                return Err(invalid(format!(
                    "The provided target group {arn} has target type {}, which is incompatible with the {mode} network mode \
                     specified in the task definition.",
                    group.target_type
                )));
            }
            if is_dynamic && group.health_check.port != "traffic-port" {
                return Err(invalid(format!(
                    "The task definition is configured to use a dynamic host port, but the target group with targetGroupArn \
                     {arn} has a health check port specified."
                )));
            }
        }
        Ok(())
    }

    /// ListTasks: ARNs. The desired status is RUNNING unless the filter says otherwise, so draining tasks need asking.
    pub fn list_tasks(&self, filter: &TaskFilter) -> Result<Vec<String>, Refusal> {
        let cluster = self.cluster(named(&filter.cluster))?;
        if let Some(service) = &filter.service
            && !cluster.services.contains_key(short(service))
        {
            return Err(Refusal::new("ServiceNotFoundException", "Service not found."));
        }
        let others = [&filter.service, &filter.family, &filter.container_instance]
            .into_iter()
            .any(Option::is_some);
        if filter.started_by.is_some() && others {
            return Err(invalid("startedBy is not compatible with other filters."));
        }
        let wanted = filter.desired_status.as_deref().unwrap_or("RUNNING");
        let is_same =
            |filter: &Option<String>, value: &str| filter.as_deref().is_none_or(|wanted| short(wanted) == value);
        let mut tasks: Vec<&Task> = cluster
            .tasks
            .values()
            .filter(|task| task.desired_status == wanted)
            .filter(|task| is_same(&filter.service, &task.service))
            .filter(|task| filter.started_by.as_ref().is_none_or(|by| by == &task.started_by))
            .filter(|task| is_same(&filter.container_instance, task.instance.as_deref().unwrap_or_default()))
            .filter(|task| filter.launch_type.as_ref().is_none_or(|kind| kind == &task.launch_type))
            .filter(|task| {
                is_same(
                    &filter.family,
                    short(&task.task_definition).split(':').next().unwrap_or_default(),
                )
            })
            .collect();
        tasks.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(tasks.into_iter().map(|task| task.arn.clone()).collect())
    }

    /// StopTask, by id or ARN. A task of a service is replaced by the scheduler.
    pub fn stop_task(&mut self, cluster: Option<&str>, task: &str, reason: &str) -> Result<Task, Refusal> {
        let cluster = self.cluster(cluster)?.name.clone();
        let id = short(task).to_owned();
        let not_found = || invalid("The referenced task was not found.");
        let found = self.task(&cluster, &id).ok_or_else(not_found)?;
        if found.desired_status == "RUNNING" {
            let reason = if reason.is_empty() {
                "Task stopped by user"
            } else {
                reason
            };
            self.stop_tasks(&cluster, std::slice::from_ref(&id), "UserInitiated", reason, false);
        }
        self.task(&cluster, &id).cloned().ok_or_else(not_found)
    }

    /// StopServiceDeployment with stopType ROLLBACK (`rollback`) or ABORT; returns the ARN.
    pub fn stop_service_deployment(&mut self, arn: &str, rollback: bool) -> Result<String, Refusal> {
        let found = self.account.clusters.iter().find_map(|(cluster, c)| {
            c.services.iter().find_map(|(name, service)| {
                let one = service.service_deployments.iter().find(|d| d.arn == arn)?;
                Some((
                    cluster.clone(),
                    name.clone(),
                    one.deployment_id.clone(),
                    one.status.clone(),
                ))
            })
        });
        let missing = || Refusal::new("ServiceDeploymentNotFoundException", "Service deployment not found.");
        let (cluster, name, deployment, status) = found.ok_or_else(missing)?;
        if !is_open(&status) {
            let words = format!("The service deployment cannot be stopped in status {status}.");
            return Err(Refusal::new("ConflictException", words));
        }
        if status == "ROLLBACK_IN_PROGRESS" {
            return Ok(arn.to_owned());
        }
        let why = "Service deployment was stopped by the user.";
        self.fail_deployment(&cluster, &name, &deployment, "MONITORING_COMPLETE", rollback, why);
        self.after(Duration::from_millis(200), Happening::Look { cluster, service: name });
        Ok(arn.to_owned())
    }
}

fn named(cluster: &str) -> Option<&str> {
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
        return Err(invalid(format!(
            "Unable to update task definition on services with a {controller} deployment controller.{tail}"
        )));
    }
    if change.force_new_deployment {
        return Err(invalid(format!(
            "Cannot force a new deployment on services with a {controller} deployment controller.{tail}"
        )));
    }
    Ok(())
}

fn check_configuration(service: &Service, change: &ServiceChange) -> Result<(), Refusal> {
    let is_changed = change.minimum_healthy_percent.is_some() || change.maximum_percent.is_some();
    let least = change
        .minimum_healthy_percent
        .unwrap_or(service.minimum_healthy_percent);
    let most = change.maximum_percent.unwrap_or(service.maximum_percent);
    if is_changed && least == 100 && most == 100 {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    if change.health_check_grace_period.is_some() && service.load_balancers.is_empty() {
        return Err(invalid(
            "Health check grace period is only valid for services configured to use load balancers",
        ));
    }
    Ok(())
}

fn apply(service: &mut Service, change: &ServiceChange) {
    service.desired_count = change.desired_count.unwrap_or(service.desired_count);
    service.minimum_healthy_percent = change
        .minimum_healthy_percent
        .unwrap_or(service.minimum_healthy_percent);
    service.maximum_percent = change.maximum_percent.unwrap_or(service.maximum_percent);
    if change.circuit_breaker.is_some() {
        service.circuit_breaker = change.circuit_breaker.clone();
    }
    if change.health_check_grace_period.is_some() {
        service.health_check_grace_period = change.health_check_grace_period;
    }
}
