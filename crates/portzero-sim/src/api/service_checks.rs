//! What AWS refuses of CreateService and UpdateService, in its words (aws-facts 1.2, 3.5, 6.3).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::container::{Needs, containers, mappings};
use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancerBinding, Service, ServiceChange, ServiceCreation, TaskDefinition};
use crate::world::World;

/// The most target groups of one service.
const TARGET_GROUPS: usize = 5;

/// The most tasks of one service (ECS's service quotas, which for this one cannot be raised). Its words are not known.
const TASKS_PER_SERVICE: u32 = 5_000;

/// The names of services. Not AWS's words, which are not known; the rule is the documented one.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_legal) {
        return Err(Refusal::invalid_parameter(format!(
            "Invalid service name '{name}'. Up to 255 letters (uppercase and lowercase), numbers, hyphens, and \
             underscores are allowed."
        )));
    }
    Ok(())
}

/// What is wrong with CreateService's parameters among themselves.
pub(crate) fn check_creation(creation: &ServiceCreation) -> Result<(), Refusal> {
    let wanted = &creation.service;
    if creation.launch_type.is_some() && wanted.settings.contains_key("capacityProviderStrategy") {
        return Err(Refusal::invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if creation.scheduling_strategy.as_deref() == Some("DAEMON") {
        return Err(Refusal::new(
            "UnsupportedFeatureException",
            "The simulator does not model the scheduling strategy DAEMON.",
        ));
    }
    let controller = creation.deployment_controller.as_deref().unwrap_or("ECS");
    if controller != "ECS" && (controller != "EXTERNAL" || wanted.task_definition.is_none()) {
        return Err(Refusal::new(
            "UnsupportedFeatureException",
            format!("The simulator does not model the creation of services with a {controller} deployment controller."),
        ));
    }
    if controller == "EXTERNAL" && wanted.task_definition.is_some() {
        return Err(Refusal::invalid_parameter("TaskDefinition must be blank"));
    }
    if wanted.task_definition.is_none() {
        return Err(Refusal::invalid_parameter("TaskDefinition can not be blank."));
    }
    if wanted.desired_count.is_none() {
        return Err(Refusal::invalid_parameter("DesiredCount can not be blank."));
    }
    Ok(())
}

impl World {
    /// Whether the service as it would be after the change can be.
    pub(crate) fn check_service(
        &self,
        service: &Service,
        change: &ServiceChange,
        definition: &TaskDefinition,
    ) -> Result<(), Refusal> {
        check_limits(service, change)?;
        if let Some(bindings) = &change.load_balancers {
            self.check_attached(bindings)?;
        }
        if change.load_balancers.is_some() || change.task_definition.is_some() {
            self.check_load_balancers(service, definition)?;
            check_network(service, definition)?;
            check_volumes(service, definition)?;
            check_service_connect(service, definition)?;
        }
        Ok(())
    }

    /// Whether the list of load balancers is one that a service can have.
    fn check_attached(&self, bindings: &[LoadBalancerBinding]) -> Result<(), Refusal> {
        if bindings.len() > TARGET_GROUPS {
            return Err(Refusal::invalid_parameter(format!(
                "load balancers can have at most {TARGET_GROUPS} items."
            )));
        }
        if bindings
            .iter()
            .any(|b| b.target_group_arn.is_some() == b.load_balancer_name.is_some())
        {
            return Err(Refusal::invalid_parameter(
                "All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining \
                 targetGroupArn)",
            ));
        }
        let mut seen = BTreeSet::new();
        for binding in bindings {
            let Some(arn) = &binding.target_group_arn else {
                continue;
            };
            if !seen.insert((arn, &binding.container_name, binding.container_port)) {
                return Err(Refusal::invalid_parameter(format!(
                    "Duplicate targetGroupArn found: {arn}"
                )));
            }
            let group = self.account.target_groups.get(arn);
            if group.is_some_and(|group| group.load_balancer_arns.is_empty()) {
                return Err(Refusal::invalid_parameter(format!(
                    "The target group with targetGroupArn {arn} does not have an associated load balancer."
                )));
            }
        }
        self.check_advanced(bindings)
    }

    /// Whether the service's load balancers can reach a container of the task definition.
    fn check_load_balancers(&self, service: &Service, definition: &TaskDefinition) -> Result<(), Refusal> {
        let document = &definition.document;
        let mode = document.get("networkMode").and_then(Value::as_str).unwrap_or("bridge");
        let mappings = mappings(document);
        for binding in &service.load_balancers {
            let (container, port) = (&binding.container_name, binding.container_port);
            if !containers(document)
                .iter()
                .any(|c| c.get("name").and_then(Value::as_str) == Some(container))
            {
                return Err(Refusal::invalid_parameter(format!(
                    "The container {container} does not exist in the task definition."
                )));
            }
            let Some(mapping) = mappings
                .iter()
                .find(|m| &m.container == container && m.container_port == port)
            else {
                return Err(Refusal::invalid_parameter(format!(
                    "The container {container} did not have a container port {port} defined."
                )));
            };
            self.check_binding(binding, mode, mode == "bridge" && mapping.host_port == 0)?;
        }
        Ok(())
    }

    fn check_binding(&self, binding: &LoadBalancerBinding, mode: &str, is_dynamic: bool) -> Result<(), Refusal> {
        let Some(arn) = &binding.target_group_arn else {
            // A classic load balancer.
            if is_dynamic {
                return Err(Refusal::invalid_parameter(format!(
                    "A host port mapping for the container port {} is required.",
                    binding.container_port
                )));
            }
            return Ok(());
        };
        let alternate = binding.advanced.as_ref().map(|one| &one.alternate_target_group_arn);
        std::iter::once(arn)
            .chain(alternate)
            .try_for_each(|arn| self.check_group(arn, mode, is_dynamic))
    }

    fn check_group(&self, arn: &str, mode: &str, is_dynamic: bool) -> Result<(), Refusal> {
        let Some(group) = self.account.target_groups.get(arn) else {
            return Err(Refusal::invalid_parameter(
                "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service \
                 role being passed has the proper permissions.",
            ));
        };
        let wanted = if mode == "awsvpc" { "ip" } else { "instance" };
        if group.target_type != wanted {
            return Err(Refusal::invalid_parameter(format!(
                "The provided target group {arn} has target type {}, which is incompatible with the {mode} network mode \
                 specified in the task definition.",
                group.target_type
            )));
        }
        if is_dynamic && group.health_check.port != "traffic-port" {
            return Err(Refusal::invalid_parameter(format!(
                "The task definition is configured to use a dynamic host port, but the target group with targetGroupArn \
                 {arn} has a health check port specified."
            )));
        }
        Ok(())
    }
}

fn check_limits(service: &Service, change: &ServiceChange) -> Result<(), Refusal> {
    let is_changed = change.minimum_healthy_percent.is_some() || change.maximum_percent.is_some();
    if is_changed && service.minimum_healthy_percent == 100 && service.maximum_percent == 100 {
        return Err(Refusal::invalid_parameter(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    // The rules are documented (API reference, DeploymentEarlySuccessCriteria), the words are not.
    let early = change.strategy.as_ref().and_then(|strategy| {
        let early = strategy.early_success.as_ref()?;
        Some((early.healthy_percent, strategy.is_rolling()))
    });
    match early {
        Some((_, false)) => {
            return Err(Refusal::invalid_parameter(
                "earlySuccessCriteria is only supported with the ROLLING deployment strategy.",
            ));
        }
        Some((percent, true)) if percent > 100 || percent < service.minimum_healthy_percent => {
            return Err(Refusal::invalid_parameter(
                "healthyPercent must be between 0 and 100, and at least minimumHealthyPercent.",
            ));
        }
        _ => {}
    }
    let is_shifting = change.strategy.as_ref().is_some_and(|strategy| !strategy.is_rolling());
    if is_shifting && service.load_balancers.iter().any(|b| b.advanced.is_none()) {
        return Err(Refusal::invalid_parameter(
            "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy",
        ));
    }
    if change.desired_count.is_some_and(|count| count > TASKS_PER_SERVICE) {
        return Err(Refusal::invalid_parameter(format!(
            "DesiredCount must be between 0 and {TASKS_PER_SERVICE}."
        )));
    }
    let is_balanced = !service.load_balancers.is_empty() || service.settings.contains_key("gatewayConnectors");
    if change.health_check_grace_period.is_some() && !is_balanced {
        return Err(Refusal::invalid_parameter(
            "Health check grace period is only valid for services configured to use load balancers",
        ));
    }
    Ok(())
}

/// Launch type, network mode and network configuration have to go together.
fn listed<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn check_volumes(service: &Service, definition: &TaskDefinition) -> Result<(), Refusal> {
    let Some(configured) = service.settings.get("volumeConfigurations").and_then(Value::as_array) else {
        return Ok(());
    };
    let is_open = |name: &Value| {
        let mut volumes = listed(&definition.document, "volumes");
        volumes.any(|volume| volume.get("name") == Some(name) && volume.get("configuredAtLaunch") == Some(&true.into()))
    };
    if configured.iter().filter_map(|one| one.get("name")).all(is_open) {
        return Ok(());
    }
    Err(Refusal::invalid_parameter(
        "Volume configuration provided but no matching configuredAtLaunch volume found in task definition.",
    ))
}

fn check_service_connect(service: &Service, definition: &TaskDefinition) -> Result<(), Refusal> {
    let connect = service.settings.get("serviceConnectConfiguration");
    let connect = connect.filter(|connect| connect.get("enabled") == Some(&true.into()));
    let ports = connect.into_iter().flat_map(|connect| listed(connect, "services"));
    for name in ports.filter_map(|service| service.get("portName")?.as_str()) {
        let containers = listed(&definition.document, "containerDefinitions");
        let mut mappings = containers.flat_map(|container| listed(container, "portMappings"));
        if !mappings.any(|mapping| mapping.get("name").and_then(Value::as_str) == Some(name)) {
            return Err(Refusal::invalid_parameter(format!(
                "ServiceConnect configuration is invalid: portName({name}) does not exist in the task definition"
            )));
        }
    }
    Ok(())
}

fn check_network(service: &Service, definition: &TaskDefinition) -> Result<(), Refusal> {
    let needs = Needs::of(&definition.document);
    let has_network = service.settings.contains_key("networkConfiguration");
    if needs.awsvpc && !has_network {
        return Err(Refusal::invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    if has_network && !needs.awsvpc {
        return Err(Refusal::invalid_parameter(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ));
    }
    let compatible = definition.document.get("compatibilities").and_then(Value::as_array);
    let is_compatible = compatible.is_some_and(|all| all.iter().any(|one| one == "FARGATE"));
    if service.launch_type == "FARGATE" && !is_compatible {
        return Err(Refusal::invalid_parameter(
            "Task definition does not support launch_type FARGATE.",
        ));
    }
    Ok(())
}
