//! DescribeServices, ListServices, UpdateService.

use std::time::Duration;

use serde_json::{Value, json};

use super::{arn_of, extend, failure, id_in, seconds, structure};
use crate::sim::state::{CircuitBreaker, Deployment, LoadBalancerBinding, Refusal, Service, ServiceChange};
use crate::sim::wire::members::Members;
use crate::sim::wire::page::page;
use crate::sim::wire::{Answer, Reply};
use crate::sim::world::World;

/// Source: the words of AWS's refusal of more, `service names can have at most 10 items.`
const SERVICES_PER_CALL: usize = 10;

/// UpdateService's parameters that [`ServiceChange`] carries.
const MODELLED: [&str; 7] = [
    "cluster",
    "service",
    "taskDefinition",
    "desiredCount",
    "forceNewDeployment",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
];

pub fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let references = members.references("services", SERVICES_PER_CALL, "Services", "service names")?;
    let with_tags = members.includes("TAGS")?;
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match id_in(cluster, reference).and_then(|name| cluster.services.get(name)) {
            Some(service) => {
                let mut service = document(service);
                extend(&mut service, [("tags", with_tags.then(|| json!([])))]);
                services.push(service);
            }
            None => failures.push(failure(arn_of(world, cluster, "service", reference), "MISSING")),
        }
    }
    Ok(json!({"services": services, "failures": failures}).into())
}

pub fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let launch_type = members.text("launchType")?;
    let strategy = members.text("schedulingStrategy")?;
    let arns = cluster
        .services
        .values()
        .filter(|service| launch_type.is_none_or(|wanted| wanted == service.launch_type))
        .filter(|service| strategy.is_none_or(|wanted| wanted == service.scheduling_strategy))
        .map(|service| service.arn.clone())
        .collect();
    let page = page(members, 10, arns)?;
    Ok(structure([
        ("serviceArns", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub fn update(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let service = world.update_service(&change(members)?)?;
    let ignored: Vec<&str> = members.names().filter(|name| !MODELLED.contains(name)).collect();
    let note =
        (!ignored.is_empty()).then(|| format!("ecs:UpdateService: not modelled, ignored: {}", ignored.join(", ")));
    Ok(Answer {
        document: json!({"service": document(&service)}),
        note,
    })
}

fn change(members: Members<'_>) -> Result<ServiceChange, Refusal> {
    let configuration = members.structure("deploymentConfiguration")?;
    let percent = |name| configuration.map_or(Ok(None), |configuration| configuration.count(name));
    let breaker = match configuration {
        Some(configuration) => configuration.structure("deploymentCircuitBreaker")?,
        None => None,
    };
    Ok(ServiceChange {
        cluster: members.text("cluster")?.unwrap_or("default").to_owned(),
        service: members.required("service")?.to_owned(),
        task_definition: members.text("taskDefinition")?.map(str::to_owned),
        desired_count: members.count("desiredCount")?,
        force_new_deployment: members.boolean("forceNewDeployment")?.unwrap_or(false),
        minimum_healthy_percent: percent("minimumHealthyPercent")?,
        maximum_percent: percent("maximumPercent")?,
        circuit_breaker: breaker.map(circuit_breaker).transpose()?,
        health_check_grace_period: members
            .count("healthCheckGracePeriodSeconds")?
            .map(|seconds| Duration::from_secs(u64::from(seconds))),
    })
}

fn circuit_breaker(members: Members<'_>) -> Result<CircuitBreaker, Refusal> {
    Ok(CircuitBreaker {
        enable: members.boolean("enable")?.unwrap_or(false),
        rollback: members.boolean("rollback")?.unwrap_or(false),
    })
}

fn document(service: &Service) -> Value {
    let total = |count: fn(&Deployment) -> u32| service.deployments.iter().map(count).sum::<u32>();
    let is_fargate = service.launch_type == "FARGATE";
    let mut document = structure([
        ("serviceArn", Some(json!(service.arn))),
        ("serviceName", Some(json!(service.name))),
        ("clusterArn", Some(json!(service.cluster_arn))),
        ("loadBalancers", Some(load_balancers(&service.load_balancers))),
        ("serviceRegistries", Some(json!([]))),
        ("status", Some(json!(service.status))),
        ("desiredCount", Some(json!(service.desired_count))),
        (
            "runningCount",
            Some(json!(total(|deployment| deployment.running_count))),
        ),
        (
            "pendingCount",
            Some(json!(total(|deployment| deployment.pending_count))),
        ),
        ("launchType", Some(json!(service.launch_type))),
        ("platformVersion", is_fargate.then(|| json!("LATEST"))),
        ("platformFamily", is_fargate.then(|| json!("Linux"))),
        ("taskDefinition", said(&service.task_definition)),
        ("deploymentConfiguration", Some(deployment_configuration(service))),
        ("deployments", Some(deployments(service))),
        ("roleArn", said(&service.role_arn)),
        ("events", Some(events(service))),
        ("createdAt", Some(seconds(service.created_at))),
    ]);
    extend(&mut document, current_rollout(service));
    extend(&mut document, settings(service));
    document
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

/// What the model does not vary.
fn settings(service: &Service) -> [(&'static str, Option<Value>); 11] {
    let grace = service.health_check_grace_period.map(|period| json!(period.as_secs()));
    [
        ("placementConstraints", Some(json!([]))),
        ("placementStrategy", Some(json!([]))),
        ("healthCheckGracePeriodSeconds", grace),
        ("schedulingStrategy", Some(json!(service.scheduling_strategy))),
        (
            "deploymentController",
            Some(json!({"type": service.deployment_controller})),
        ),
        ("createdBy", said(&service.created_by)),
        ("enableECSManagedTags", Some(json!(false))),
        ("propagateTags", Some(json!("NONE"))),
        ("enableExecuteCommand", Some(json!(false))),
        ("availabilityZoneRebalancing", Some(json!("DISABLED"))),
        ("resourceManagementType", Some(json!("CUSTOMER"))),
    ]
}

pub fn load_balancers(bindings: &[LoadBalancerBinding]) -> Value {
    bindings
        .iter()
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
            ])
        })
        .collect()
}

pub fn deployment_configuration(service: &Service) -> Value {
    let breaker = service.circuit_breaker.clone().unwrap_or(CircuitBreaker {
        enable: false,
        rollback: false,
    });
    json!({
        "deploymentCircuitBreaker": {"enable": breaker.enable, "rollback": breaker.rollback},
        "maximumPercent": service.maximum_percent,
        "minimumHealthyPercent": service.minimum_healthy_percent,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    })
}

fn deployments(service: &Service) -> Value {
    let is_fargate = service.launch_type == "FARGATE";
    service
        .deployments
        .iter()
        .map(|deployment| {
            structure([
                ("id", Some(json!(deployment.id))),
                ("status", Some(json!(deployment.status))),
                ("taskDefinition", Some(json!(deployment.task_definition))),
                ("desiredCount", Some(json!(deployment.desired_count))),
                ("pendingCount", Some(json!(deployment.pending_count))),
                ("runningCount", Some(json!(deployment.running_count))),
                ("failedTasks", Some(json!(deployment.failed_tasks))),
                ("createdAt", Some(seconds(deployment.created_at))),
                ("updatedAt", Some(seconds(deployment.updated_at))),
                ("launchType", Some(json!(service.launch_type))),
                ("platformVersion", is_fargate.then(|| json!("1.4.0"))),
                ("platformFamily", is_fargate.then(|| json!("Linux"))),
                ("rolloutState", said(&deployment.rollout_state)),
                ("rolloutStateReason", said(&deployment.rollout_state_reason)),
            ])
        })
        .collect()
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
pub fn revision_arn(service: &Service, deployment_id: &str) -> String {
    let number = deployment_id.rsplit('/').next().unwrap_or(deployment_id);
    format!(
        "{}/{number}",
        service.arn.replacen(":service/", ":service-revision/", 1)
    )
}

/// The counts of a revision; zeros for one whose deployment has gone.
pub fn revision_summary(arn: &str, deployment: Option<&Deployment>) -> Value {
    json!({
        "arn": arn,
        "requestedTaskCount": deployment.map_or(0, |deployment| deployment.desired_count),
        "runningTaskCount": deployment.map_or(0, |deployment| deployment.running_count),
        "pendingTaskCount": deployment.map_or(0, |deployment| deployment.pending_count),
    })
}
