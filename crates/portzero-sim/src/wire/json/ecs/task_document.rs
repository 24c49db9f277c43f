//! A task as DescribeTasks, RunTask and StopTask show it.

use crate::model::status::TaskStatus;
use serde_json::{Value, json};

use super::service_document::LATEST_PLATFORM;
use super::{extend, number, seconds, structure};
use crate::model::state::{Cluster, Container, Task, group};
use crate::scenario::switches::ShownAddresses;
use crate::scheduler::standalone_task::shown_overrides;
use crate::wire::identity;
use crate::world::World;
use crate::world::log_output::{has_run, runtime_id};

pub(super) fn document(world: &World, cluster: &Cluster, task: &Task) -> Value {
    let is_fargate = task.launch_type == "FARGATE";
    let version = task
        .request
        .platform_version
        .as_deref()
        .filter(|version| *version != "LATEST");
    let executes = task.request.enable_execute_command || service_says(cluster, task, "enableExecuteCommand");
    let mut document = structure([
        ("attachments", Some(attachments(world, cluster, task))),
        (
            "attributes",
            Some(json!([{"name": "ecs.cpu-architecture", "value": "x86_64"}])),
        ),
        ("availabilityZone", Some(json!(task.availability_zone))),
        ("capacityProviderName", capacity_provider(cluster, task)),
        ("clusterArn", Some(json!(task.cluster_arn))),
        ("containerInstanceArn", instance_arn(cluster, task)),
        (
            "containers",
            Some(
                task.containers
                    .iter()
                    .map(|c| container(world, cluster, task, c))
                    .collect(),
            ),
        ),
        ("cpu", Some(json!(task.cpu.to_string()))),
        ("desiredStatus", Some(json!(task.desired_status))),
        ("enableExecuteCommand", Some(json!(executes))),
        ("group", Some(json!(group(task)))),
        ("healthStatus", Some(json!(task.health_status))),
        ("lastStatus", Some(json!(task.last_status))),
        ("launchType", Some(json!(task.launch_type))),
        ("memory", Some(json!(task.memory.to_string()))),
        ("overrides", Some(shown_overrides(task))),
        (
            "platformVersion",
            is_fargate.then(|| json!(version.unwrap_or(LATEST_PLATFORM))),
        ),
        ("platformFamily", is_fargate.then(|| json!("Linux"))),
        (
            "startedBy",
            Some(json!(task.shown_started_by(&world.account().switches))).filter(|_| !task.started_by.is_empty()),
        ),
        ("stopCode", task.stop_code.as_ref().map(|code| json!(code))),
        (
            "stoppedReason",
            task.stopped_reason.as_ref().map(|reason| json!(reason)),
        ),
        ("taskArn", Some(json!(task.arn))),
        ("taskDefinitionArn", Some(json!(task.task_definition))),
        ("version", Some(json!(task.version))),
        ("ephemeralStorage", is_fargate.then(|| json!({"sizeInGiB": 20}))),
    ]);
    extend(&mut document, times(task));
    document
}

fn service_says(cluster: &Cluster, task: &Task, name: &str) -> bool {
    let service = cluster.services.get(&task.service);
    service.is_some_and(|service| service.settings.get(name) == Some(&json!(true)))
}

fn times(task: &Task) -> [(&'static str, Option<Value>); 9] {
    let is_connected = task.last_status != TaskStatus::Provisioning;
    let connected_at = task.pull_started_at.unwrap_or(task.created_at);
    [
        ("connectivity", is_connected.then(|| json!("CONNECTED"))),
        ("connectivityAt", is_connected.then(|| seconds(connected_at))),
        ("createdAt", Some(seconds(task.created_at))),
        ("pullStartedAt", task.pull_started_at.map(seconds)),
        ("pullStoppedAt", task.pull_stopped_at.map(seconds)),
        ("startedAt", task.started_at.map(seconds)),
        ("stoppingAt", task.stopping_at.map(seconds)),
        ("executionStoppedAt", task.execution_stopped_at.map(seconds)),
        ("stoppedAt", task.stopped_at.map(seconds)),
    ]
}

fn container(world: &World, cluster: &Cluster, task: &Task, container: &Container) -> Value {
    let account = world.account();
    let name = format!("{} {}", task.id, container.name);
    let arn = format!(
        "arn:aws:ecs:{}:{}:container/{}/{}/{}",
        account.region,
        account.id,
        cluster.name,
        task.id,
        identity::uuid(&name)
    );
    let has_run = has_run(task, container);
    let interfaces = match account.switches.addresses {
        ShownAddresses::Everywhere if task.has_interface() => json!([structure([
            ("attachmentId", Some(json!(attachment_id(task)))),
            ("privateIpv4Address", task.private_ip.as_ref().map(|ip| json!(ip))),
            ("ipv6Address", task.ipv6.as_ref().map(|ip| json!(ip))),
        ])]),
        _ => json!([]),
    };
    structure([
        ("containerArn", Some(json!(arn))),
        ("taskArn", Some(json!(task.arn))),
        ("name", Some(json!(container.name))),
        ("image", Some(json!(container.image))),
        ("imageDigest", has_run.then(|| json!(image_digest(&container.image)))),
        ("runtimeId", has_run.then(|| json!(runtime_id(task, &container.name)))),
        ("lastStatus", Some(json!(container.last_status))),
        ("exitCode", container.exit_code.map(|code| json!(code))),
        ("reason", container.reason.as_ref().map(|reason| json!(reason))),
        ("networkBindings", has_run.then(|| network_bindings(task, container))),
        ("networkInterfaces", Some(interfaces)),
        ("healthStatus", Some(json!(task.health_status))),
        ("cpu", number(Some(container.cpu))),
        ("memory", number(container.memory)),
        ("memoryReservation", number(container.memory_reservation)),
    ])
}

/// Tasks with an interface of their own bind no port of their instance.
fn network_bindings(task: &Task, container: &Container) -> Value {
    if task.has_interface() {
        return json!([]);
    }
    container
        .network_bindings
        .iter()
        .map(|binding| {
            json!({
                "bindIP": "0.0.0.0",
                "containerPort": binding.container_port,
                "hostPort": binding.host_port,
                "protocol": binding.protocol,
            })
        })
        .collect()
}

/// The interface of a task in awsvpc mode, in one of the subnets that it may be in.
fn attachments(world: &World, cluster: &Cluster, task: &Task) -> Value {
    if !task.has_interface() {
        return json!([]);
    }
    let is_hidden = world.account().switches.addresses == ShownAddresses::Nowhere;
    let shown = |address: &Option<String>| address.as_ref().filter(|_| !is_hidden).map(|ip| json!(ip));
    let status = match task.last_status {
        TaskStatus::Provisioning => "ATTACHING",
        TaskStatus::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    let hex = identity::hex(&task.id);
    let subnets = network(cluster, task).and_then(|network| network["awsvpcConfiguration"]["subnets"].as_array());
    let place = u64::from_str_radix(&hex, 16).unwrap_or(0);
    let subnet = subnets.filter(|all| !all.is_empty()).and_then(|all| {
        let count = u64::try_from(all.len()).ok()?;
        all.get(usize::try_from(place % count).ok()?).cloned()
    });
    let pairs: Vec<&str> = (0..5).filter_map(|pair| hex.get(2 * pair..2 * pair + 2)).collect();
    let details = [
        ("subnetId", subnet),
        ("networkInterfaceId", Some(json!(format!("eni-0{hex}")))),
        // The second bit says that the address is locally administered, as those of network interfaces in a VPC are.
        ("macAddress", Some(json!(format!("0a:{}", pairs.join(":"))))),
        ("privateIPv4Address", shown(&task.private_ip)),
        // The API reference names no IPv6 address here; this is the name in the network interfaces of containers.
        ("ipv6Address", shown(&task.ipv6)),
    ];
    let details: Value = details
        .into_iter()
        .filter_map(|(name, value)| Some(json!({"name": name, "value": value?})))
        .collect();
    json!([{"id": attachment_id(task), "type": "ElasticNetworkInterface", "status": status, "details": details}])
}

/// Where a task's interface may be: as RunTask was asked, or as the task's service revision has it.
fn network<'a>(cluster: &'a Cluster, task: &'a Task) -> Option<&'a Value> {
    task.request.network_configuration.as_ref().or_else(|| {
        let service = cluster.services.get(&task.service)?;
        service
            .revision_of(&task.started_by)?
            .settings
            .get("networkConfiguration")
    })
}

/// The capacity provider that a task was started by, where one was.
fn capacity_provider(cluster: &Cluster, task: &Task) -> Option<Value> {
    if let Some(name) = &task.request.capacity_provider {
        return Some(json!(name));
    }
    let revision = cluster.services.get(&task.service)?.revision_of(&task.started_by)?;
    let strategy = revision.settings.get("capacityProviderStrategy")?.as_array()?;
    strategy.first()?.get("capacityProvider").cloned()
}

fn attachment_id(task: &Task) -> String {
    identity::uuid(&format!("attachment of {}", task.id))
}

/// A digest in shape: the same image has the same one everywhere.
pub(super) fn image_digest(image: &str) -> String {
    let parts: String = (0..4)
        .map(|part| identity::hex(&format!("digest {image} {part}")))
        .collect();
    format!("sha256:{parts}")
}

fn instance_arn(cluster: &Cluster, task: &Task) -> Option<Value> {
    let instance = cluster.instances.get(task.instance.as_ref()?)?;
    Some(json!(instance.arn))
}
