//! Amazon ECS over AWS JSON 1.1: one operation per request, named in a header, with JSON in and out.

mod clusters;
mod instances;
mod managed;
mod run_task;
mod service_deployments;
mod service_document;
mod service_request;
mod services;
mod strategy;
mod tags;
mod task_definitions;
mod task_document;
mod task_protection;
mod tasks;

use serde_json::{Value, json};

use super::members::Members;
use crate::model::refusal::Refusal;
use crate::model::state::Cluster;
use crate::timestamp::Timestamp;
use crate::wire::{HttpResponse, Reply};
use crate::world::World;

const TARGET_PREFIX: &str = "AmazonEC2ContainerServiceV20141113.";

pub(crate) fn handle(world: &mut World, target: &str, body: &[u8]) -> HttpResponse {
    let Some(operation) = target.strip_prefix(TARGET_PREFIX) else {
        return unknown_operation(target);
    };
    let Some(serve) = operation_named(operation) else {
        return unknown_operation(&format!("ecs:{operation}"));
    };
    match read(body).and_then(|document| serve(world, &document)) {
        Ok(answer) => {
            let mut response = respond(200, &answer.document);
            response.note = answer.note;
            response
        }
        Err(refusal) => refuse(&refusal),
    }
}

pub(crate) type Operation = fn(&mut World, &Value) -> Reply<Value>;

/// Every operation that is served, by name.
pub(crate) const OPERATIONS: [(&str, Operation); 46] = [
    ("AssociateGatewayWithCluster", managed::gateways::associate),
    ("ContinueServiceDeployment", service_deployments::resume),
    ("CreateCluster", clusters::create),
    ("CreateExpressGatewayService", managed::express::create),
    ("CreateGateway", managed::gateways::create),
    ("CreateService", services::create),
    ("DeleteCluster", clusters::delete),
    ("DeleteExpressGatewayService", managed::express::delete),
    ("DeleteGateway", managed::gateways::delete),
    ("DeleteService", services::delete),
    ("DeleteTaskDefinitions", task_definitions::delete),
    ("DeregisterTaskDefinition", task_definitions::deregister),
    ("DescribeClusters", clusters::describe),
    ("DescribeContainerInstances", instances::describe),
    ("DescribeExpressGatewayService", managed::express::describe),
    ("DescribeGateway", managed::gateways::describe),
    ("DescribeGatewayResources", managed::gateways::describe_resources),
    ("DescribeGatewayRoute", managed::gateways::describe_route),
    ("DescribeServiceDeployments", service_deployments::describe),
    ("DescribeServiceRevisions", service_deployments::describe_revisions),
    ("DescribeServices", services::describe),
    ("DescribeTaskDefinition", task_definitions::describe),
    ("DescribeTasks", tasks::describe),
    ("DisassociateGatewayFromCluster", managed::gateways::disassociate),
    ("GetTaskProtection", task_protection::get),
    ("ListClusters", clusters::list),
    ("ListContainerInstances", instances::list),
    ("ListGatewayClusterAssociations", managed::gateways::list_associations),
    ("ListGatewayRoutes", managed::gateways::list_routes),
    ("ListGateways", managed::gateways::list),
    ("ListServiceDeployments", service_deployments::list),
    ("ListServices", services::list),
    ("ListTagsForResource", tags::list),
    ("ListTaskDefinitionFamilies", task_definitions::list_families),
    ("ListTaskDefinitions", task_definitions::list),
    ("ListTasks", tasks::list),
    ("RegisterTaskDefinition", task_definitions::register),
    ("RunTask", run_task::run),
    ("StopServiceDeployment", service_deployments::stop),
    ("StopTask", tasks::stop),
    ("TagResource", tags::tag),
    ("UntagResource", tags::untag),
    ("UpdateContainerInstancesState", instances::update_state),
    ("UpdateExpressGatewayService", managed::express::update),
    ("UpdateService", services::update),
    ("UpdateTaskProtection", task_protection::update),
];

fn operation_named(name: &str) -> Option<Operation> {
    OPERATIONS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, serve)| *serve)
}

pub(crate) fn read(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let document: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::new("SerializationException", format!("not JSON: {error}")))?;
    // Every operation takes a structure; this refuses anything else before one sees it.
    Members::of(&document)?;
    Ok(document)
}

/// AWS answers with the code alone, since it lacks nothing. Whoever calls the simulator has to know who lacks the operation.
fn unknown_operation(asked: &str) -> HttpResponse {
    let words = format!("the simulator does not serve {asked}");
    refuse(&Refusal::new("UnknownOperationException", words)).with_note(format!("not served: {asked}"))
}

pub(crate) fn refuse(refusal: &Refusal) -> HttpResponse {
    respond(
        refusal.status,
        &json!({"__type": refusal.code, "message": refusal.message}),
    )
}

pub(crate) fn respond(status: u16, document: &Value) -> HttpResponse {
    HttpResponse {
        status,
        content_type: "application/x-amz-json-1.1",
        headers: Vec::new(),
        body: document.to_string().into_bytes(),
        note: None,
    }
}

/// Seconds since the epoch with a fraction, in plain digits. AWS also sends `1.620282875304E9`: the same number.
pub(crate) fn seconds(at: Timestamp) -> Value {
    json!(at.as_secs_f64())
}

/// A document's members, where those without a value are left out instead of being null.
pub(crate) fn structure<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Adds `members` behind those that `document` has.
fn extend<const N: usize>(document: &mut Value, members: [(&str, Option<Value>); N]) {
    if let (Value::Object(all), Value::Object(more)) = (document, structure(members)) {
        all.extend(more);
    }
}

fn failure(arn: impl Into<String>, reason: &str) -> Value {
    json!({"arn": arn.into(), "reason": reason})
}

/// The ARN under which something that does not exist is reported missing.
fn arn_of(world: &World, cluster: &Cluster, kind: &str, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    let account = world.account();
    format!(
        "arn:aws:ecs:{}:{}:{kind}/{}/{reference}",
        account.region, account.id, cluster.name
    )
}

fn number(value: Option<i64>) -> Option<Value> {
    value.map(|number| json!(number.to_string()))
}
