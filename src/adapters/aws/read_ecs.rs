//! ECS's answers in the domain's types. Nothing is invented: what is absent stays absent, unknown values keep their text.

use std::time::Duration;

use aws_sdk_ecs::types as sdk;
use portzero_core::aws_model::service::{
    Balancer, BreakerState, Deployment, DeploymentConfiguration, DeploymentController, ListenerRules,
    LoadBalancerBinding, NamedPart, OtherWay, Progress, SchedulingStrategy, Service, ServiceDeployment, ServiceEvent,
};
use portzero_core::aws_model::task::{Container, ContainerInstance, NetworkBinding, Resources, Task};
use portzero_core::base::id::{ClusterName, ServiceName, last_segment};

use super::read_strategy as strategy;
use crate::adapters::aws::read::{count, minutes, port, text, time};

pub(super) fn service(service: &sdk::Service) -> Service {
    Service {
        cluster: ClusterName::from_reference(text(service.cluster_arn())),
        name: ServiceName::from_reference(text(service.service_name())),
        arn: text(service.service_arn()).to_owned(),
        status: text(service.status()).into(),
        desired_count: count(service.desired_count()),
        running_count: count(service.running_count()),
        pending_count: count(service.pending_count()),
        task_definition: service.task_definition().map(Into::into),
        deployments: service.deployments().iter().map(deployment).collect(),
        events: service.events().iter().map(event).collect(),
        load_balancers: service.load_balancers().iter().filter_map(binding).collect(),
        rules: rules(service.load_balancers()),
        other_ways: other_ways(service),
        names_revisions: !service.current_service_revisions().is_empty(),
        named_parts: named_parts(service),
        managed: Default::default(),
        // Both keys are absent in answers from before the choice existed, which are those of ECS's own REPLICA services.
        controller: service
            .deployment_controller()
            .map_or(DeploymentController::Ecs, |c| c.r#type().as_str().into()),
        scheduling: service
            .scheduling_strategy()
            .map_or(SchedulingStrategy::Replica, |s| s.as_str().into()),
        configuration: service
            .deployment_configuration()
            .map(configuration)
            .unwrap_or_default(),
        launch_type: service.launch_type().map(|t| t.as_str().into()),
        has_capacity_providers: !service.capacity_provider_strategy().is_empty(),
        health_check_grace_period: service
            .health_check_grace_period_seconds()
            .map(|s| Duration::from_secs(u64::from(count(s)))),
        role_arn: service.role_arn().map(str::to_owned),
    }
}

fn deployment(deployment: &sdk::Deployment) -> Deployment {
    Deployment {
        id: text(deployment.id()).into(),
        status: text(deployment.status()).into(),
        task_definition: text(deployment.task_definition()).into(),
        desired_count: count(deployment.desired_count()),
        running_count: count(deployment.running_count()),
        pending_count: count(deployment.pending_count()),
        // The SDK reads an absent count as 0; the key came together with rolloutState.
        failed_tasks: (deployment.rollout_state().is_some() || deployment.failed_tasks() > 0)
            .then(|| count(deployment.failed_tasks())),
        rollout_state: deployment.rollout_state().map(|s| s.as_str().into()),
        rollout_state_reason: deployment.rollout_state_reason().map(str::to_owned),
        created_at: time(deployment.created_at()),
        updated_at: time(deployment.updated_at()),
    }
}

fn event(event: &sdk::ServiceEvent) -> ServiceEvent {
    ServiceEvent {
        id: text(event.id()).to_owned(),
        created_at: time(event.created_at()),
        message: text(event.message()).to_owned(),
    }
}

fn other_ways(service: &sdk::Service) -> Vec<OtherWay> {
    let mut deployments = service.deployments().iter();
    let lattice = deployments.any(|deployment| !deployment.vpc_lattice_configurations().is_empty());
    let express = service
        .resource_management_type()
        .is_some_and(|by| by.as_str() == "ECS");
    let ways = [(lattice, OtherWay::VpcLattice), (express, OtherWay::ExpressMode)];
    ways.into_iter()
        .filter(|(is_there, _)| *is_there)
        .map(|(_, way)| way)
        .collect()
}

/// Of the deployment that is rolled out or was last: the older ones are to go.
fn named_parts(service: &sdk::Service) -> Vec<NamedPart> {
    let mut deployments = service.deployments().iter();
    let Some(primary) = deployments.find(|deployment| deployment.status() == Some("PRIMARY")) else {
        return Vec::new();
    };
    let volumes = primary
        .volume_configurations()
        .iter()
        .map(sdk::ServiceVolumeConfiguration::name);
    let connect = primary
        .service_connect_configuration()
        .filter(|connect| connect.enabled());
    let ports = connect.into_iter().flat_map(sdk::ServiceConnectConfiguration::services);
    volumes
        .map(|name| NamedPart::Volume(name.to_owned()))
        .chain(ports.map(|service| NamedPart::Port(service.port_name().to_owned())))
        .collect()
}

fn rules(entries: &[sdk::LoadBalancer]) -> ListenerRules {
    let shifted = || entries.iter().filter_map(sdk::LoadBalancer::advanced_configuration);
    let production = shifted().filter_map(|a| a.production_listener_rule());
    let test = shifted().filter_map(|a| a.test_listener_rule());
    ListenerRules {
        production: production.map(str::to_owned).collect(),
        test: test.map(str::to_owned).collect(),
    }
}

/// `None` for an entry that names neither kind of load balancer.
fn binding(entry: &sdk::LoadBalancer) -> Option<LoadBalancerBinding> {
    let balancer = match (entry.target_group_arn(), entry.load_balancer_name()) {
        (Some(arn), _) => Balancer::TargetGroup(arn.into()),
        (None, Some(name)) => Balancer::Classic(name.to_owned()),
        (None, None) => return None,
    };
    Some(LoadBalancerBinding {
        balancer,
        container_name: text(entry.container_name()).to_owned(),
        container_port: entry.container_port().map(port).unwrap_or_default(),
        alternate: entry
            .advanced_configuration()
            .and_then(|a| a.alternate_target_group_arn())
            .map(Into::into),
    })
}

fn configuration(configuration: &sdk::DeploymentConfiguration) -> DeploymentConfiguration {
    DeploymentConfiguration {
        minimum_healthy_percent: configuration.minimum_healthy_percent().map(count),
        maximum_percent: configuration.maximum_percent().map(count),
        circuit_breaker: configuration
            .deployment_circuit_breaker()
            .map(strategy::circuit_breaker),
        strategy: configuration.strategy().map(|s| s.as_str().into()),
        bake_time: configuration.bake_time_in_minutes().map(minutes),
        steps: strategy::steps(configuration),
        hooks: configuration.lifecycle_hooks().iter().map(strategy::hook).collect(),
        alarms: configuration.alarms().map(strategy::alarms),
        early_success: strategy::early_success(configuration),
        defers_clean_up: strategy::defers_clean_up(configuration),
    }
}

pub(super) fn task(task: &sdk::Task) -> Task {
    Task {
        arn: text(task.task_arn()).into(),
        started_by: task.started_by().map(Into::into),
        group: task.group().map(str::to_owned),
        task_definition: text(task.task_definition_arn()).into(),
        last_status: text(task.last_status()).into(),
        desired_status: text(task.desired_status()).into(),
        container_instance: task.container_instance_arn().map(Into::into),
        capacity_provider: task.capacity_provider_name().map(str::to_owned),
        zone: task.availability_zone().map(str::to_owned),
        containers: task.containers().iter().map(container).collect(),
        attached_addresses: task.attachments().iter().flat_map(attached_addresses).collect(),
        health_status: task.health_status().map(|s| s.as_str().into()),
        stop_code: task.stop_code().map(|c| c.as_str().to_owned()),
        stopped_reason: task.stopped_reason().map(str::to_owned),
        created_at: time(task.created_at()),
        started_at: time(task.started_at()),
        stopping_at: time(task.stopping_at()),
        stopped_at: time(task.stopped_at()),
    }
}

fn container(container: &sdk::Container) -> Container {
    Container {
        name: text(container.name()).to_owned(),
        image: container.image().map(str::to_owned),
        last_status: container.last_status().map(str::to_owned),
        exit_code: container.exit_code(),
        reason: container.reason().map(str::to_owned),
        runtime_id: container.runtime_id().map(str::to_owned),
        network_bindings: container
            .network_bindings()
            .iter()
            .filter_map(network_binding)
            .collect(),
        addresses: container.network_interfaces().iter().flat_map(addresses).collect(),
    }
}

fn addresses(interface: &sdk::NetworkInterface) -> impl Iterator<Item = String> {
    let both = [interface.private_ipv4_address(), interface.ipv6_address()];
    both.into_iter().flatten().filter(|a| !a.is_empty()).map(str::to_owned)
}

/// The API reference names `privateIPv4Address` among the details of a network interface, and nothing of IPv6.
fn attached_addresses(attachment: &sdk::Attachment) -> impl Iterator<Item = String> {
    let is_address = |detail: &&sdk::KeyValuePair| {
        let name = text(detail.name()).to_ascii_lowercase();
        name.ends_with("ipv4address") || name.ends_with("ipv6address")
    };
    let values = attachment.details().iter().filter(is_address);
    values.filter_map(|detail| detail.value()).map(str::to_owned)
}

/// `None` for a binding of a port range, which no load balancer uses.
fn network_binding(binding: &sdk::NetworkBinding) -> Option<NetworkBinding> {
    Some(NetworkBinding {
        container_port: port(binding.container_port()?),
        host_port: port(binding.host_port()?),
    })
}

pub(super) fn container_instance(instance: &sdk::ContainerInstance) -> ContainerInstance {
    ContainerInstance {
        arn: text(instance.container_instance_arn()).into(),
        ec2_instance_id: instance.ec2_instance_id().map(str::to_owned),
        status: text(instance.status()).into(),
        vpc: instance
            .attributes()
            .iter()
            .find(|attribute| attribute.name() == "ecs.vpc-id")
            .and_then(|attribute| attribute.value())
            .map(str::to_owned),
        agent_connected: instance.agent_connected(),
        remaining: resources(instance.remaining_resources()),
        registered: resources(instance.registered_resources()),
    }
}

fn resources(list: &[sdk::Resource]) -> Resources {
    let find = |name: &str| list.iter().find(|r| r.name() == Some(name));
    let number = |name: &str| find(name).map_or(0, |r| i64::from(r.integer_value()));
    Resources {
        cpu: number("CPU"),
        memory: number("MEMORY"),
        reserved_ports: find("PORTS")
            .map(|r| r.string_set_value().iter().filter_map(|p| p.parse().ok()).collect())
            .unwrap_or_default(),
    }
}

pub(super) fn service_deployment(deployment: &sdk::ServiceDeployment) -> ServiceDeployment {
    ServiceDeployment {
        arn: text(deployment.service_deployment_arn()).to_owned(),
        status: deployment.status().map_or("", |s| s.as_str()).into(),
        status_reason: deployment.status_reason().map(str::to_owned),
        target_revision: deployment
            .target_service_revision()
            .and_then(|r| r.arn())
            .map(str::to_owned),
        breaker: deployment.deployment_circuit_breaker().map(|b| BreakerState {
            status: b.status().map_or("", |s| s.as_str()).into(),
            failure_count: count(b.failure_count()),
            threshold: count(b.threshold()),
        }),
        rollback_reason: deployment.rollback().and_then(|r| r.reason()).map(str::to_owned),
        progress: strategy::progress(deployment),
        source_revisions: deployment
            .source_service_revisions()
            .iter()
            .filter_map(|r| r.arn())
            .map(|arn| last_segment(arn).to_owned())
            .collect(),
        created_at: time(deployment.created_at()),
    }
}

/// What the list says of a deployment whose description could not be had.
pub(super) fn service_deployment_brief(brief: &sdk::ServiceDeploymentBrief) -> ServiceDeployment {
    ServiceDeployment {
        arn: text(brief.service_deployment_arn()).to_owned(),
        status: brief.status().map_or("", |s| s.as_str()).into(),
        status_reason: brief.status_reason().map(str::to_owned),
        target_revision: brief.target_service_revision_arn().map(str::to_owned),
        breaker: None,
        rollback_reason: None,
        progress: Progress::default(),
        source_revisions: Vec::new(),
        created_at: time(brief.created_at()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;
    use portzero_core::base::time::Timestamp;

    #[test]
    fn times_are_read_to_the_nearest_millisecond() {
        let at = DateTime::from_secs_f64(1.620_282_875_304E9);
        assert_eq!(time(Some(&at)), Some(Timestamp::from_millis(1_620_282_875_304)));
    }
}
