//! A service as DescribeServices, CreateService, UpdateService and DeleteService show it.

use crate::model::status::TaskStatus;
use serde_json::{Value, json};

use super::{extend, seconds, structure};
use crate::model::state::{Cluster, Deployment, LoadBalancerBinding, Service, Settings, Task};
use crate::scenario::breaker::CircuitBreaker;
use crate::world::World;

/// What LATEST stands for on Linux.
pub(super) const LATEST_PLATFORM: &str = "1.4.0";

pub(super) fn document(world: &World, service: &Service) -> Value {
    let cluster = world.cluster(Some(&service.cluster_arn)).ok();
    let own: Vec<&Task> = cluster.map_or_else(Vec::new, |home| wanted_tasks(home, service));
    let running = own
        .iter()
        .filter(|task| task.last_status == TaskStatus::Running)
        .count();
    let is_fargate = service.launch_type == "FARGATE";
    let kept = |name: &str| service.settings.get(name).cloned();
    let mut document = structure([
        ("serviceArn", Some(json!(service.arn))),
        ("serviceName", Some(json!(service.name))),
        ("clusterArn", Some(json!(service.cluster_arn))),
        ("loadBalancers", Some(load_balancers(&service.load_balancers))),
        (
            "serviceRegistries",
            kept("serviceRegistries").or_else(|| Some(json!([]))),
        ),
        ("status", Some(json!(service.status))),
        ("desiredCount", Some(json!(service.desired_count))),
        ("runningCount", Some(json!(running))),
        ("pendingCount", Some(json!(own.len() - running))),
    ]);
    extend(&mut document, capacity(&service.settings, &service.launch_type));
    extend(
        &mut document,
        [
            (
                "platformVersion",
                kept("platformVersion").or_else(|| is_fargate.then(|| json!("LATEST"))),
            ),
            ("platformFamily", is_fargate.then(|| json!("Linux"))),
            ("taskDefinition", said(&service.task_definition)),
            ("deploymentConfiguration", Some(deployment_configuration(service))),
            ("taskSets", task_sets(service, &own)),
            ("deployments", Some(deployments(service))),
            ("roleArn", said(&service.role_arn)),
            ("events", Some(events(service))),
            ("createdAt", Some(seconds(service.created_at))),
        ],
    );
    extend(&mut document, current_rollout(service));
    extend(&mut document, settings(service));
    document
}

/// The service's tasks that ECS wants to run.
fn wanted_tasks<'a>(cluster: &'a Cluster, service: &Service) -> Vec<&'a Task> {
    let tasks = cluster.tasks.values();
    tasks
        .filter(|task| task.service == service.name && task.desired_status == TaskStatus::Running)
        .collect()
}

/// What services with another deployment controller have in place of deployments.
fn task_sets(service: &Service, tasks: &[&Task]) -> Option<Value> {
    if service.deployment_controller == "ECS" {
        return None;
    }
    let (number, revision) = service.revisions.last_key_value()?;
    let id = format!("ecs-svc/{number}");
    let head = service.arn.replacen(":service/", ":task-set/", 1);
    let running = tasks
        .iter()
        .filter(|task| task.last_status == TaskStatus::Running)
        .count();
    let kept = |name: &str| revision.settings.get(name).cloned();
    let mut set = structure([
        ("id", Some(json!(id))),
        ("taskSetArn", Some(json!(format!("{head}/{id}")))),
        ("serviceArn", Some(json!(service.arn))),
        ("clusterArn", Some(json!(service.cluster_arn))),
        ("status", Some(json!("PRIMARY"))),
        ("taskDefinition", Some(json!(revision.task_definition))),
        ("computedDesiredCount", Some(json!(service.desired_count))),
        ("pendingCount", Some(json!(tasks.len() - running))),
        ("runningCount", Some(json!(running))),
        ("createdAt", Some(seconds(revision.created_at))),
        ("updatedAt", Some(seconds(revision.created_at))),
    ]);
    extend(&mut set, capacity(&revision.settings, &revision.launch_type));
    extend(&mut set, platform(&revision.settings, &revision.launch_type));
    extend(
        &mut set,
        [
            ("networkConfiguration", kept("networkConfiguration")),
            ("loadBalancers", Some(load_balancers(&revision.load_balancers))),
            (
                "serviceRegistries",
                kept("serviceRegistries").or_else(|| Some(json!([]))),
            ),
            ("scale", Some(json!({"value": 100.0, "unit": "PERCENT"}))),
            ("stabilityStatus", Some(json!("STEADY_STATE"))),
            ("stabilityStatusAt", Some(seconds(revision.created_at))),
            ("tags", Some(json!([]))),
        ],
    );
    Some(json!([set]))
}

/// Either a launch type or a strategy, as it was asked for.
pub(super) fn capacity(settings: &Settings, launch_type: &str) -> [(&'static str, Option<Value>); 2] {
    let strategy = settings
        .get("capacityProviderStrategy")
        .filter(|strategy| strategy.as_array().is_some_and(|all| !all.is_empty()));
    [
        ("launchType", strategy.is_none().then(|| json!(launch_type))),
        ("capacityProviderStrategy", strategy.cloned()),
    ]
}

/// Source: answers of 2026. The revision's ARN ends in the number of the deployment's id.
fn current_rollout(service: &Service) -> [(&'static str, Option<Value>); 2] {
    let running = service
        .service_deployments
        .iter()
        .find(|deployment| deployment.finished_at.is_none());
    let revisions: Vec<Value> = service
        .deployments
        .iter()
        .map(|deployment| revision_summary(&revision_arn(service, &deployment.id), Some(deployment)))
        .collect();
    [
        (
            "currentServiceDeployment",
            running.map(|deployment| json!(deployment.arn)),
        ),
        (
            "currentServiceRevisions",
            Some(json!(revisions)).filter(|_| !revisions.is_empty()),
        ),
    ]
}

fn settings(service: &Service) -> [(&'static str, Option<Value>); 12] {
    let grace = service.health_check_grace_period.map(|period| json!(period.as_secs()));
    let kept = |name: &str, default: Value| Some(service.settings.get(name).cloned().unwrap_or(default));
    [
        ("placementConstraints", kept("placementConstraints", json!([]))),
        ("placementStrategy", kept("placementStrategy", json!([]))),
        (
            "networkConfiguration",
            service.settings.get("networkConfiguration").cloned(),
        ),
        // Answers of today have it on every service behind a load balancer.
        (
            "healthCheckGracePeriodSeconds",
            grace.or_else(|| (!service.load_balancers.is_empty()).then(|| json!(0))),
        ),
        ("schedulingStrategy", Some(json!(service.scheduling_strategy))),
        (
            "deploymentController",
            Some(json!({"type": service.deployment_controller})),
        ),
        ("createdBy", said(&service.created_by)),
        ("enableECSManagedTags", kept("enableECSManagedTags", json!(false))),
        ("propagateTags", kept("propagateTags", json!("NONE"))),
        ("enableExecuteCommand", kept("enableExecuteCommand", json!(false))),
        (
            "availabilityZoneRebalancing",
            kept("availabilityZoneRebalancing", json!("DISABLED")),
        ),
        (
            "resourceManagementType",
            Some(json!(if service.is_express() { "ECS" } else { "CUSTOMER" })),
        ),
    ]
}

pub(super) fn load_balancers(bindings: &[LoadBalancerBinding]) -> Value {
    bindings
        .iter()
        .filter(|binding| binding.managed.is_none())
        .map(|binding| {
            structure([
                (
                    "targetGroupArn",
                    binding.target_group_arn.as_ref().map(|arn| json!(arn)),
                ),
                (
                    "loadBalancerName",
                    binding.load_balancer_name.as_ref().map(|name| json!(name)),
                ),
                ("containerName", Some(json!(binding.container_name))),
                ("containerPort", Some(json!(binding.container_port))),
                (
                    "advancedConfiguration",
                    binding.advanced.as_ref().map(super::strategy::advanced),
                ),
            ])
        })
        .collect()
}

pub(super) fn deployment_configuration(service: &Service) -> Value {
    let breaker = service.circuit_breaker.unwrap_or_default();
    let mut document = json!({
        "deploymentCircuitBreaker": circuit_breaker(breaker),
        "maximumPercent": service.maximum_percent,
        "minimumHealthyPercent": service.minimum_healthy_percent,
        "alarms": {"alarmNames": [], "rollback": false, "enable": false},
    });
    extend(&mut document, super::strategy::document(&service.strategy));
    document
}

/// What is not said is left out, as in all answers from before these members were there.
fn circuit_breaker(breaker: CircuitBreaker) -> Value {
    let threshold = breaker
        .threshold
        .map(|threshold| json!({"type": threshold.kind.as_str(), "value": threshold.value}));
    structure([
        ("enable", Some(json!(breaker.enable))),
        ("rollback", Some(json!(breaker.rollback))),
        ("resetOnHealthyTask", breaker.reset_on_healthy_task.map(Value::from)),
        ("thresholdConfiguration", threshold),
    ])
}

fn deployments(service: &Service) -> Value {
    // Services behind a classic load balancer show no rollout state (recording 10).
    let is_classic = service
        .load_balancers
        .iter()
        .any(|binding| binding.load_balancer_name.is_some());
    service
        .deployments
        .iter()
        .map(|deployment| {
            let revision = service.revision_of(&deployment.id);
            let settings = revision.map_or(&service.settings, |revision| &revision.settings);
            let launch_type = revision.map_or(&service.launch_type, |revision| &revision.launch_type);
            let mut document = structure([
                ("id", Some(json!(deployment.id))),
                ("status", Some(json!(deployment.status))),
                ("taskDefinition", Some(json!(deployment.task_definition))),
                ("desiredCount", Some(json!(deployment.desired_count))),
                ("pendingCount", Some(json!(deployment.pending_count))),
                ("runningCount", Some(json!(deployment.running_count))),
                ("failedTasks", Some(json!(deployment.failed_tasks))),
                ("createdAt", Some(seconds(deployment.created_at))),
                ("updatedAt", Some(seconds(deployment.updated_at))),
            ]);
            extend(&mut document, capacity(settings, launch_type));
            extend(&mut document, platform(settings, launch_type));
            extend(
                &mut document,
                [
                    ("networkConfiguration", settings.get("networkConfiguration").cloned()),
                    (
                        "rolloutState",
                        said(deployment.rollout_state.as_str()).filter(|_| !is_classic),
                    ),
                    (
                        "rolloutStateReason",
                        said(&deployment.rollout_state_reason).filter(|_| !is_classic),
                    ),
                    (
                        "serviceConnectConfiguration",
                        settings.get("serviceConnectConfiguration").cloned(),
                    ),
                    ("volumeConfigurations", settings.get("volumeConfigurations").cloned()),
                    (
                        "vpcLatticeConfigurations",
                        settings.get("vpcLatticeConfigurations").cloned(),
                    ),
                ],
            );
            document
        })
        .collect()
}

/// Fargate only; a deployment's version is the resolved one where the service's says LATEST.
pub(super) fn platform(settings: &Settings, launch_type: &str) -> [(&'static str, Option<Value>); 2] {
    let is_fargate = launch_type == "FARGATE";
    let asked = settings.get("platformVersion").filter(|version| *version != "LATEST");
    let version = asked.cloned().unwrap_or_else(|| json!(LATEST_PLATFORM));
    [
        ("platformVersion", is_fargate.then_some(version)),
        ("platformFamily", is_fargate.then(|| json!("Linux"))),
    ]
}

fn events(service: &Service) -> Value {
    service
        .events
        .iter()
        .map(|event| json!({"id": event.id, "createdAt": seconds(event.created_at), "message": event.message}))
        .collect()
}

/// A member that AWS leaves out where there is nothing to say.
fn said(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!(text))
}

/// `…:service-revision/CLUSTER/SERVICE/NUMBER` for the deployment `ecs-svc/NUMBER`.
pub(super) fn revision_arn(service: &Service, deployment_id: &str) -> String {
    let number = deployment_id.rsplit('/').next().unwrap_or(deployment_id);
    format!(
        "{}/{number}",
        service.arn.replacen(":service/", ":service-revision/", 1)
    )
}

/// The counts of a revision; zeros for one whose deployment has gone.
pub(super) fn revision_summary(arn: &str, deployment: Option<&Deployment>) -> Value {
    json!({
        "arn": arn,
        "requestedTaskCount": deployment.map_or(0, |deployment| deployment.desired_count),
        "runningTaskCount": deployment.map_or(0, |deployment| deployment.running_count),
        "pendingTaskCount": deployment.map_or(0, |deployment| deployment.pending_count),
    })
}
