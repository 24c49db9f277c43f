//! ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions, StopServiceDeployment,
//! ContinueServiceDeployment.

use serde_json::{Value, json};

use super::managed::document::managed_resources;
use super::service_document::{
    capacity, deployment_configuration, load_balancers, platform, revision_arn, revision_summary,
};
use super::task_document::image_digest;
use super::{extend, failure, seconds, strategy, structure};
use crate::model::refusal::Refusal;
use crate::model::state::{Deployment, Service, ServiceDeployment};
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::wire::page::page;
use crate::world::World;

/// Source: the API reference of DescribeServiceDeployments and DescribeServiceRevisions.
const ARNS_PER_CALL: usize = 20;

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let name = world
        .account()
        .id_of(&cluster.name, "service", members.required("service")?)?;
    let service = cluster
        .services
        .get(name)
        .ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))?;
    let statuses = members.texts("status")?;
    let bounds = created_at(members)?;
    let arns = service
        .service_deployments
        .iter()
        .filter(|deployment| statuses.is_empty() || statuses.contains(&deployment.status.as_str()))
        .filter(|deployment| bounds.holds(deployment.created_at.as_secs_f64()))
        .map(|deployment| deployment.arn.clone())
        .collect();
    let page = page(members, 20, arns)?;
    let briefs: Vec<Value> = page
        .items
        .iter()
        .filter_map(|arn| {
            service
                .service_deployments
                .iter()
                .find(|deployment| deployment.arn == *arn)
        })
        .map(|deployment| brief(service, deployment))
        .collect();
    Ok(structure([
        ("serviceDeployments", Some(json!(briefs))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub(super) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    describe_each(body, "serviceDeploymentArns", "serviceDeployments", |arn| {
        services(world).find_map(|service| {
            let deployment = service
                .service_deployments
                .iter()
                .find(|deployment| deployment.arn == arn)?;
            Some(document(world, service, deployment))
        })
    })
}

pub(super) fn describe_revisions(world: &mut World, body: &Value) -> Reply<Value> {
    describe_each(body, "serviceRevisionArns", "serviceRevisions", |arn| {
        services(world).find_map(|service| revision(world, service, arn))
    })
}

pub(super) fn stop(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let is_rollback = members.one_of("stopType", &["ABORT", "ROLLBACK"])? != Some("ABORT");
    let arn = world.stop_service_deployment(members.required("serviceDeploymentArn")?, is_rollback)?;
    Ok(json!({"serviceDeploymentArn": arn}).into())
}

pub(super) fn resume(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let (arn, hook) = (members.required("serviceDeploymentArn")?, members.required("hookId")?);
    let arn = world.continue_service_deployment(arn, Some(hook), members.text("action")?)?;
    Ok(json!({"serviceDeploymentArn": arn}).into())
}

fn describe_each(body: &Value, asked: &str, answered: &str, find: impl Fn(&str) -> Option<Value>) -> Reply<Value> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in Members::of(body)?.references(asked, ARNS_PER_CALL, asked, asked)? {
        match find(arn) {
            Some(document) => found.push(document),
            None => failures.push(failure(arn, "MISSING")),
        }
    }
    Ok(json!({answered: found, "failures": failures}).into())
}

fn services(world: &World) -> impl Iterator<Item = &Service> {
    world
        .account()
        .clusters
        .values()
        .flat_map(|cluster| cluster.services.values())
}

/// ListServiceDeployments' parameter `createdAt`, in seconds.
struct Bounds {
    after: f64,
    before: f64,
}

impl Bounds {
    fn holds(&self, at: f64) -> bool {
        self.after <= at && at <= self.before
    }
}

fn created_at(members: Members<'_>) -> Result<Bounds, Refusal> {
    let given = members.structure("createdAt")?;
    let bound = |name| given.map_or(Ok(None), |given| given.timestamp(name));
    Ok(Bounds {
        after: bound("after")?.unwrap_or(f64::NEG_INFINITY),
        before: bound("before")?.unwrap_or(f64::INFINITY),
    })
}

fn brief(service: &Service, deployment: &ServiceDeployment) -> Value {
    structure([
        ("serviceDeploymentArn", Some(json!(deployment.arn))),
        ("serviceArn", Some(json!(service.arn))),
        ("clusterArn", Some(json!(service.cluster_arn))),
        ("startedAt", deployment.started_at.map(seconds)),
        ("createdAt", Some(seconds(deployment.created_at))),
        ("finishedAt", deployment.finished_at.map(seconds)),
        ("targetServiceRevisionArn", Some(json!(deployment.target_revision))),
        ("status", Some(json!(deployment.status))),
        (
            "statusReason",
            deployment.status_reason.as_ref().map(|reason| json!(reason)),
        ),
    ])
}

fn document(world: &World, service: &Service, deployment: &ServiceDeployment) -> Value {
    let summary = |arn: &String| {
        let mut summary = revision_summary(arn, deployment_of(service, arn));
        let number = arn.rsplit('/').next().unwrap_or_default();
        extend(
            &mut summary,
            strategy::weights(world, service, &format!("ecs-svc/{number}")),
        );
        summary
    };
    let rollback = deployment.rollback.as_ref().map(|rollback| {
        json!({
            "reason": rollback.reason,
            "startedAt": seconds(rollback.started_at),
            "serviceRevisionArn": rollback.revision,
        })
    });
    let mut document = structure([
        ("serviceDeploymentArn", Some(json!(deployment.arn))),
        ("serviceArn", Some(json!(service.arn))),
        ("clusterArn", Some(json!(service.cluster_arn))),
        ("createdAt", Some(seconds(deployment.created_at))),
        ("startedAt", deployment.started_at.map(seconds)),
        ("finishedAt", deployment.finished_at.map(seconds)),
        ("updatedAt", Some(seconds(deployment.updated_at))),
        (
            "sourceServiceRevisions",
            Some(deployment.source_revisions.iter().map(summary).collect()),
        ),
        ("targetServiceRevision", Some(summary(&deployment.target_revision))),
        ("status", Some(json!(deployment.status))),
        (
            "statusReason",
            deployment.status_reason.as_ref().map(|reason| json!(reason)),
        ),
        ("deploymentConfiguration", Some(deployment_configuration(service))),
        ("rollback", rollback),
        (
            "deploymentCircuitBreaker",
            Some(json!({
                "status": deployment.breaker_status,
                "failureCount": deployment.failure_count,
                "threshold": deployment.threshold,
            })),
        ),
    ]);
    extend(&mut document, strategy::progress(deployment));
    document
}

fn deployment_of<'a>(service: &'a Service, revision: &str) -> Option<&'a Deployment> {
    service
        .deployments
        .iter()
        .find(|deployment| revision_arn(service, &deployment.id) == revision)
}

fn revision(world: &World, service: &Service, arn: &str) -> Option<Value> {
    let number = arn
        .strip_prefix(&revision_arn(service, ""))
        .filter(|number| !number.is_empty())?;
    let revision = service.revisions.get(number)?;
    let kept = |name: &str| revision.settings.get(name).cloned();
    let mut document = structure([
        ("serviceRevisionArn", Some(json!(arn))),
        ("serviceArn", Some(json!(service.arn))),
        ("clusterArn", Some(json!(service.cluster_arn))),
        ("taskDefinition", Some(json!(revision.task_definition))),
    ]);
    extend(&mut document, capacity(&revision.settings, &revision.launch_type));
    extend(&mut document, platform(&revision.settings, &revision.launch_type));
    let connect = kept("serviceConnectConfiguration").unwrap_or_else(|| json!({"enabled": false}));
    extend(
        &mut document,
        [
            ("loadBalancers", Some(load_balancers(&revision.load_balancers))),
            ("serviceRegistries", kept("serviceRegistries")),
            ("networkConfiguration", kept("networkConfiguration")),
            (
                "containerImages",
                Some(container_images(world, &revision.task_definition)),
            ),
            ("guardDutyEnabled", Some(json!(false))),
            ("serviceConnectConfiguration", Some(connect)),
            ("volumeConfigurations", kept("volumeConfigurations")),
            ("createdAt", Some(seconds(revision.created_at))),
            ("vpcLatticeConfigurations", kept("vpcLatticeConfigurations")),
            ("overrides", kept("overrides")),
            ("gatewayConnectors", kept("gatewayConnectors")),
            (
                "ecsManagedResources",
                managed_resources(world, &revision.load_balancers, revision.created_at),
            ),
            (
                "resolvedConfiguration",
                strategy::resolved(world, service, &format!("ecs-svc/{number}")),
            ),
        ],
    );
    Some(document)
}

fn container_images(world: &World, task_definition: &str) -> Value {
    let Ok(definition) = world.describe_task_definition(task_definition) else {
        return json!([]);
    };
    definition.document["containerDefinitions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|container| {
            let image = container["image"].as_str().unwrap_or_default();
            json!({"containerName": container["name"], "imageDigest": image_digest(image), "image": image})
        })
        .collect()
}
