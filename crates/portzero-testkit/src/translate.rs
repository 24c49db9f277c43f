//! The simulated account in the domain's types.

use std::collections::BTreeSet;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::service::{
    AlarmWatch, Balancer, BreakerState, BreakerThreshold, CircuitBreaker, Deployment, DeploymentConfiguration, Hook,
    HookDetail, ListenerRules, LoadBalancerBinding, ManagedGroup, ManagedWay, OtherWay, Progress, Service,
    ServiceDeployment, ServiceEvent, TrafficSteps,
};
use portzero_core::aws_model::target::{
    HealthCheck, InstanceHealth, Route, RouteCondition, Rule, TargetGroup, TargetHealth,
};
use portzero_core::aws_model::task::{Container, ContainerInstance, NetworkBinding, Resources, Task};
use portzero_core::base::id::{
    ClusterName, ContainerInstanceArn, DeploymentId, ServiceName, TargetGroupArn, TargetKey, TaskArn,
    TaskDefinitionArn, last_segment,
};
use portzero_core::base::time::Timestamp;
use portzero_sim::ShownAddresses;
use portzero_sim::balancer::classic;
use portzero_sim::model::load_balancer::{Action, Condition};
use portzero_sim::model::state;
use portzero_sim::model::state::ClassicBalancer;
use portzero_sim::model::status;
use portzero_sim::scenario::strategy::{Kind, Strategy};
use portzero_sim::world::log_output::{has_run, runtime_id};

/// A moment of virtual time as the domain writes it.
pub fn time(at: portzero_sim::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis())
}

/// A moment of the domain's as the simulator writes it.
pub fn moment(at: Timestamp) -> portzero_sim::Timestamp {
    portzero_sim::Timestamp::from_millis(at.as_millis())
}

pub(crate) fn service(cluster: &state::Cluster, service: &state::Service) -> Service {
    let classic = service.load_balancers.iter().any(|b| b.load_balancer_name.is_some());
    let deployments: Vec<Deployment> = service.deployments.iter().map(|d| deployment(d, classic)).collect();
    let own = cluster
        .tasks
        .values()
        .filter(|t| t.service == service.name && t.desired_status == status::TaskStatus::Running);
    let (running, pending): (Vec<_>, Vec<_>) = own.partition(|t| t.last_status == status::TaskStatus::Running);
    Service {
        cluster: ClusterName::from(cluster.name.as_str()),
        name: ServiceName::from(service.name.as_str()),
        arn: service.arn.clone(),
        status: service.status.as_str().into(),
        desired_count: service.desired_count,
        running_count: u32::try_from(running.len()).unwrap_or(u32::MAX),
        pending_count: u32::try_from(pending.len()).unwrap_or(u32::MAX),
        task_definition: Some(TaskDefinitionArn::from(service.task_definition.as_str()))
            .filter(|_| service.deployment_controller != "EXTERNAL"),
        deployments,
        events: service
            .events
            .iter()
            .map(|event| ServiceEvent {
                id: event.id.clone(),
                created_at: Some(time(event.created_at)),
                message: event.message.clone(),
            })
            .collect(),
        load_balancers: shown(service).map(binding).collect(),
        rules: rules(service),
        other_ways: other_ways(service),
        names_revisions: !service.deployments.is_empty(),
        named_parts: Vec::new(),
        managed: Default::default(),
        controller: service.deployment_controller.as_str().into(),
        scheduling: service.scheduling_strategy.as_str().into(),
        configuration: DeploymentConfiguration {
            minimum_healthy_percent: Some(service.minimum_healthy_percent),
            maximum_percent: Some(service.maximum_percent),
            circuit_breaker: service.circuit_breaker.map(circuit_breaker),
            strategy: Some(service.strategy.kind.as_str().into()),
            bake_time: Some(service.strategy.bake_time.unwrap_or_default()),
            steps: steps(&service.strategy),
            hooks: service.strategy.hooks.iter().map(hook).collect(),
            alarms: service.strategy.alarms.as_ref().map(|watch| AlarmWatch {
                names: watch.names.clone(),
                enable: watch.enable,
                rollback: watch.rollback,
            }),
            early_success: service.strategy.early_success.as_ref().map(|e| e.healthy_percent),
            defers_clean_up: service.strategy.early_success.as_ref().is_some_and(|e| e.is_deferred()),
        },
        launch_type: Some(service.launch_type.as_str().into()).filter(|_| provider(service).is_none()),
        has_capacity_providers: provider(service).is_some(),
        health_check_grace_period: service.health_check_grace_period,
        role_arn: Some(service.role_arn.clone()).filter(|arn| !arn.is_empty()),
    }
}

/// The first of its strategy.
fn provider(service: &state::Service) -> Option<String> {
    let strategy = service.settings.get("capacityProviderStrategy")?.as_array()?;
    strategy.first()?.get("capacityProvider")?.as_str().map(str::to_owned)
}

fn other_ways(service: &state::Service) -> Vec<OtherWay> {
    let lattice = service.settings.get("vpcLatticeConfigurations");
    let is_there = lattice
        .and_then(|all| all.as_array())
        .is_some_and(|all| !all.is_empty());
    let managed = service
        .load_balancers
        .iter()
        .filter_map(|binding| binding.managed.as_ref());
    let is_express = managed.into_iter().any(|managed| managed.by == state::Manager::Express);
    let ways = [(is_there, OtherWay::VpcLattice), (is_express, OtherWay::ExpressMode)];
    let ways = ways.into_iter().filter(|(is_there, _)| *is_there);
    ways.map(|(_, way)| way).collect()
}

/// What DescribeServices shows: not what ECS manages itself.
fn shown(service: &state::Service) -> impl Iterator<Item = &state::LoadBalancerBinding> {
    service
        .load_balancers
        .iter()
        .filter(|binding| binding.managed.is_none())
}

fn rules(service: &state::Service) -> ListenerRules {
    let shifted = || shown(service).filter_map(|b| b.advanced.as_ref());
    ListenerRules {
        production: shifted().map(|a| a.production_listener_rule.clone()).collect(),
        test: shifted().filter_map(|a| a.test_listener_rule.clone()).collect(),
    }
}

fn binding(binding: &state::LoadBalancerBinding) -> LoadBalancerBinding {
    let balancer = match &binding.target_group_arn {
        Some(arn) => Balancer::TargetGroup(TargetGroupArn::from(arn.as_str())),
        None => Balancer::Classic(binding.load_balancer_name.clone().unwrap_or_default()),
    };
    LoadBalancerBinding {
        balancer,
        container_name: binding.container_name.clone(),
        container_port: binding.container_port,
        alternate: binding
            .advanced
            .as_ref()
            .map(|advanced| TargetGroupArn::from(advanced.alternate_target_group_arn.as_str())),
    }
}

fn steps(strategy: &Strategy) -> Option<TrafficSteps> {
    let (share, bake) = match strategy.kind {
        Kind::Linear => (strategy.linear.step, strategy.linear.bake),
        Kind::Canary => (strategy.canary.share, strategy.canary.bake),
        Kind::Rolling | Kind::BlueGreen => return None,
    };
    Some(TrafficSteps { share, bake })
}

fn hook(hook: &portzero_sim::scenario::strategy::Hook) -> Hook {
    Hook {
        target_type: hook.target_type.as_str().into(),
        stages: hook.stages.clone(),
    }
}

/// Services behind a classic load balancer show no rollout state.
fn deployment(deployment: &state::Deployment, classic: bool) -> Deployment {
    Deployment {
        id: DeploymentId::from(deployment.id.as_str()),
        status: deployment.status.as_str().into(),
        task_definition: TaskDefinitionArn::from(deployment.task_definition.as_str()),
        desired_count: deployment.desired_count,
        running_count: deployment.running_count,
        pending_count: deployment.pending_count,
        failed_tasks: Some(deployment.failed_tasks),
        rollout_state: (!classic).then(|| deployment.rollout_state.as_str().into()),
        rollout_state_reason: (!classic).then(|| deployment.rollout_state_reason.clone()),
        created_at: Some(time(deployment.created_at)),
        updated_at: Some(time(deployment.updated_at)),
    }
}

/// `weights`: the shares of the production and of the test traffic that the target revision is to get.
pub(crate) fn service_deployment(
    found: &state::ServiceDeployment,
    weights: (Option<u32>, Option<u32>),
) -> ServiceDeployment {
    ServiceDeployment {
        arn: found.arn.clone(),
        status: found.status.as_str().into(),
        status_reason: found.status_reason.clone(),
        target_revision: Some(found.target_revision.clone()),
        breaker: Some(BreakerState {
            status: found.breaker_status.as_str().into(),
            failure_count: found.failure_count,
            threshold: found.threshold,
        }),
        rollback_reason: found.rollback.as_ref().map(|rollback| rollback.reason.clone()),
        progress: Progress {
            stage: found.progress.stage.clone(),
            production_traffic: weights.0,
            test_traffic: weights.1,
            hooks: found.progress.hooks.iter().map(hook_detail).collect(),
            triggered_alarms: found.progress.triggered.clone(),
            is_monitoring: found.progress.alarm_status == "MONITORING",
        },
        source_revisions: found
            .source_revisions
            .iter()
            .map(|arn| last_segment(arn).to_owned())
            .collect(),
        created_at: Some(time(found.created_at)),
    }
}

fn hook_detail(found: &portzero_sim::model::state::HookDetail) -> HookDetail {
    HookDetail {
        id: found.id.clone(),
        target_type: found.target_type.as_str().into(),
        target_arn: found.target_arn.clone(),
        status: found.status.as_str().into(),
        expires_at: Some(time(found.expires_at)),
        timeout_action: Some(found.timeout_action.clone()),
    }
}

pub(crate) fn task(account: &state::Account, cluster: &state::Cluster, task: &state::Task) -> Task {
    let switches = &account.switches;
    let addresses: Vec<String> = task.private_ip.iter().chain(&task.ipv6).cloned().collect();
    let shown = |is_shown: bool| addresses.iter().filter(|_| is_shown).cloned().collect::<Vec<_>>();
    let own = shown(switches.addresses == ShownAddresses::Everywhere);
    let instance = task.instance.as_ref().map(|id| {
        // A lost instance is no longer in the cluster, but its tasks still name it.
        let head = cluster.arn.replacen(":cluster/", ":container-instance/", 1);
        ContainerInstanceArn::new(format!("{head}/{id}"))
    });
    Task {
        arn: TaskArn::from(task.arn.as_str()),
        started_by: Some(DeploymentId::from(task.shown_started_by(switches))).filter(|_| !task.started_by.is_empty()),
        group: Some(format!("service:{}", task.service)).filter(|_| !task.service.is_empty()),
        task_definition: TaskDefinitionArn::from(task.task_definition.as_str()),
        last_status: task.last_status.as_str().into(),
        desired_status: task.desired_status.as_str().into(),
        container_instance: instance,
        capacity_provider: cluster
            .services
            .get(&task.service)
            .and_then(provider)
            .filter(|_| task.launch_type != "FARGATE"),
        zone: Some(task.availability_zone.clone()),
        containers: task.containers.iter().map(|c| container(c, task, &own)).collect(),
        attached_addresses: shown(switches.addresses != ShownAddresses::Nowhere),
        health_status: Some(task.health_status.as_str().into()),
        stop_code: task.stop_code.clone(),
        stopped_reason: task.stopped_reason.clone(),
        created_at: Some(time(task.created_at)),
        started_at: task.started_at.map(time),
        stopping_at: task.stopping_at.map(time),
        stopped_at: task.stopped_at.map(time),
    }
}

fn container(container: &state::Container, task: &state::Task, addresses: &[String]) -> Container {
    let bindings = container.network_bindings.iter().map(|binding| NetworkBinding {
        container_port: binding.container_port,
        host_port: binding.host_port,
    });
    Container {
        name: container.name.clone(),
        image: Some(container.image.clone()),
        last_status: Some(container.last_status.to_string()),
        exit_code: container.exit_code,
        reason: container.reason.clone(),
        network_bindings: bindings.collect(),
        runtime_id: has_run(task, container).then(|| runtime_id(task, &container.name)),
        addresses: addresses.to_vec(),
    }
}

/// `booked`: CPU, memory and fixed ports that are reserved.
pub(crate) fn instance(
    found: &state::ContainerInstance,
    booked: (i64, i64, BTreeSet<u16>),
    vpc: &str,
) -> ContainerInstance {
    // What the agent and Docker listen on is reserved from the beginning.
    let agent = [22, 2375, 2376, 51_678, 51_679];
    let (cpu, memory, ports) = booked;
    ContainerInstance {
        arn: ContainerInstanceArn::from(found.arn.as_str()),
        ec2_instance_id: Some(found.ec2_instance_id.clone()),
        status: found.status.as_str().into(),
        vpc: Some(vpc.to_owned()),
        agent_connected: found.agent_connected,
        remaining: Resources {
            cpu: found.cpu.saturating_sub(cpu),
            memory: found.memory.saturating_sub(memory),
            reserved_ports: agent.into_iter().chain(ports).collect(),
        },
        registered: Resources {
            cpu: found.cpu,
            memory: found.memory,
            reserved_ports: agent.into(),
        },
    }
}

pub(crate) fn group(group: &state::TargetGroup) -> TargetGroup {
    let check = &group.health_check;
    TargetGroup {
        arn: TargetGroupArn::from(group.arn.as_str()),
        name: group.name.clone(),
        target_type: group.target_type.as_str().into(),
        ip_address_type: Some(group.ip_address_type.as_str().into()),
        port: Some(group.port),
        vpc_id: Some(group.vpc_id.clone()),
        health_check: HealthCheck {
            enabled: check.enabled,
            protocol: Some(check.protocol.clone()),
            port: Some(check.port.clone()),
            path: Some(check.path.clone()).filter(|_| check.protocol.starts_with("HTTP")),
            interval: check.interval,
            timeout: check.timeout,
            healthy_threshold: check.healthy_threshold,
            unhealthy_threshold: check.unhealthy_threshold,
            matcher: Some(check.matcher.clone()).filter(|_| check.protocol.starts_with("HTTP")),
        },
        load_balancers: group.load_balancer_arns.clone(),
        deregistration_delay: Some(group.deregistration_delay),
    }
}

/// A classic load balancer in the shape of a target group.
pub(crate) fn classic_balancer(balancer: &ClassicBalancer) -> TargetGroup {
    TargetGroup {
        arn: TargetGroupArn::of_classic(&balancer.name),
        load_balancers: vec![balancer.name.clone()],
        ..group(&balancer.group)
    }
}

pub(crate) fn instance_health(target: &state::Target) -> InstanceHealth {
    let classic::Health(state, reason_code, description) = classic::health(target);
    InstanceHealth {
        instance: target.id.clone(),
        state: state.into(),
        reason_code: reason_code.into(),
        description: description.into(),
    }
}

/// The model's listeners have no rules: each forwards all that comes to one group.
/// Every rule of a load balancer's listeners.
pub(crate) fn rules_of(balancer: &state::LoadBalancer) -> Vec<Rule> {
    let rule = |listener: &state::Listener, arn: &str, priority, conditions: &[Condition], actions: &[Action]| Rule {
        arn: Some(arn.to_owned()).filter(|_| !balancer.is_network()),
        listener: listener.arn.clone(),
        priority,
        route: Route {
            protocol: listener.protocol.clone(),
            port: listener.port,
            dns_name: balancer.dns_name.clone(),
            is_internal: balancer.scheme == "internal",
            conditions: conditions.iter().map(condition).collect(),
        },
        groups: actions
            .iter()
            .flat_map(|action| &action.groups)
            .map(|(arn, weight)| (TargetGroupArn::from(arn.as_str()), *weight))
            .collect(),
    };
    let mut found = Vec::new();
    for listener in &balancer.listeners {
        let own = listener.rules.iter();
        found.extend(own.map(|r| rule(listener, &r.arn, Some(r.priority), &r.conditions, &r.actions)));
        found.push(rule(listener, &listener.default_rule_arn, None, &[], &listener.actions));
    }
    found
}

fn condition(condition: &Condition) -> RouteCondition {
    RouteCondition {
        field: condition.field.clone(),
        values: condition.values.clone(),
    }
}

pub(crate) fn health(account: &state::Account, target: &state::Target) -> TargetHealth {
    TargetHealth {
        key: TargetKey::new(target.shown_id(&account.switches), target.port),
        state: target.state.as_str().into(),
        reason: target.reason.clone(),
        description: target.description.clone(),
    }
}

/// A refusal as the adapters would report it.
pub(crate) fn error(
    action: &'static str,
    resource: Option<&str>,
    refusal: portzero_sim::model::refusal::Refusal,
) -> ApiError {
    let kind = match refusal.code.as_str() {
        "ThrottlingException" | "Throttling" => ApiErrorKind::Throttled,
        "ServerException" => ApiErrorKind::Transient,
        "AccessDeniedException" | "AccessDenied" => ApiErrorKind::Denied,
        "ExpiredTokenException" | "ExpiredToken" => ApiErrorKind::Credentials,
        code if code.contains("NotFound") => ApiErrorKind::NotFound,
        _ => ApiErrorKind::Refused,
    };
    ApiError {
        kind,
        action,
        resource: resource.map(str::to_owned),
        code: Some(refusal.code),
        message: refusal.message,
        request_id: None,
        status: Some(refusal.status),
    }
}

fn circuit_breaker(found: portzero_sim::CircuitBreaker) -> CircuitBreaker {
    let threshold = found
        .threshold
        .map(|threshold| BreakerThreshold::read(threshold.kind.as_str(), threshold.value));
    CircuitBreaker {
        enable: found.enable,
        rollback: found.rollback,
        adds_up: found.reset_on_healthy_task == Some(false),
        threshold: threshold.unwrap_or_default(),
    }
}

/// What ECS manages of a revision's ingress.
pub(crate) fn way(world: &portzero_sim::World, binding: &state::LoadBalancerBinding) -> Option<ManagedWay> {
    let managed = binding.managed.as_ref()?;
    let (gateway, port_name) = match &managed.by {
        state::Manager::Express => (None, None),
        state::Manager::Gateway { gateway, port_name, .. } => (Some(gateway.clone()), Some(port_name.clone())),
    };
    let is_express = gateway.is_none();
    let first = binding.target_group_arn.as_ref().filter(|_| managed.failure.is_none());
    let advanced = binding.advanced.as_ref();
    let group = first.map(|first| ManagedGroup {
        arn: TargetGroupArn::from(first.as_str()),
        alternate: advanced.map(|a| TargetGroupArn::from(a.alternate_target_group_arn.as_str())),
        port: is_express.then_some(binding.container_port),
        rule: advanced.map(|a| a.production_listener_rule.clone()),
        test_rule: advanced.and_then(|a| a.test_listener_rule.clone()),
    });
    Some(ManagedWay {
        gateway,
        address: Some(managed.address.clone()),
        is_private: managed.access_type == "PRIVATE",
        status: managed.status(world.now()).into(),
        status_reason: managed.failure.clone().filter(|_| is_express),
        port_name,
        groups: group.into_iter().collect(),
    })
}
