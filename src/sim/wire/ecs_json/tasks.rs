//! ListTasks, DescribeTasks, StopTask.

use serde_json::{Value, json};

use super::{arn_of, extend, failure, id_in, number, seconds, structure};
use crate::id::TaskDefinitionArn;
use crate::sim::state::{Cluster, Container, Task, TaskFilter};
use crate::sim::wire::members::Members;
use crate::sim::wire::page::page;
use crate::sim::wire::{Reply, identity};
use crate::sim::world::World;

/// Source: the words of AWS's refusal of more, `taskIds can have at most 100 items.`
const TASKS_PER_CALL: usize = 100;

pub fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let own = |name| Ok::<_, crate::sim::state::Refusal>(members.text(name)?.map(str::to_owned));
    let filter = TaskFilter {
        cluster: own("cluster")?.unwrap_or_else(|| "default".to_owned()),
        service: own("serviceName")?,
        family: own("family")?,
        started_by: own("startedBy")?,
        container_instance: own("containerInstance")?,
        desired_status: own("desiredStatus")?,
        launch_type: own("launchType")?,
    };
    let page = page(members, 100, world.list_tasks(&filter)?)?;
    Ok(structure([
        ("taskArns", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let references = members.references("tasks", TASKS_PER_CALL, "Tasks", "taskIds")?;
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match id_in(cluster, reference).and_then(|id| cluster.tasks.get(id)) {
            Some(task) => {
                let mut task = document(world, cluster, task);
                // Answers of today have the member without `include: TAGS` too, only never anything in it.
                extend(&mut task, [("tags", Some(json!([])))]);
                tasks.push(task);
            }
            None => failures.push(failure(arn_of(world, cluster, "task", reference), "MISSING")),
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}).into())
}

pub fn stop(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = members.text("cluster")?;
    let reason = members.text("reason")?.unwrap_or("Task stopped by user");
    let task = world.stop_task(cluster, members.required("task")?, reason)?;
    let document = document(world, world.cluster(cluster)?, &task);
    Ok(json!({"task": document}).into())
}

fn document(world: &World, cluster: &Cluster, task: &Task) -> Value {
    let is_fargate = task.launch_type == "FARGATE";
    let overrides: Value = task
        .containers
        .iter()
        .map(|container| json!({"name": container.name}))
        .collect();
    let mut document = structure([
        ("attachments", Some(attachments(task))),
        (
            "attributes",
            Some(json!([{"name": "ecs.cpu-architecture", "value": "x86_64"}])),
        ),
        ("availabilityZone", Some(json!(task.availability_zone))),
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
        ("enableExecuteCommand", Some(json!(false))),
        ("group", Some(json!(group(task)))),
        ("healthStatus", Some(json!(task.health_status))),
        ("lastStatus", Some(json!(task.last_status))),
        ("launchType", Some(json!(task.launch_type))),
        ("memory", Some(json!(task.memory.to_string()))),
        (
            "overrides",
            Some(json!({"containerOverrides": overrides, "inferenceAcceleratorOverrides": []})),
        ),
        ("platformVersion", is_fargate.then(|| json!("1.4.0"))),
        ("platformFamily", is_fargate.then(|| json!("Linux"))),
        (
            "startedBy",
            Some(json!(task.started_by)).filter(|_| !task.started_by.is_empty()),
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

fn times(task: &Task) -> [(&'static str, Option<Value>); 9] {
    let is_connected = task.last_status != "PROVISIONING";
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
    let has_run = !container.network_bindings.is_empty() || task.started_at.is_some();
    let interfaces: Value = task
        .private_ip
        .iter()
        .map(|ip| json!({"attachmentId": attachment_id(task), "privateIpv4Address": ip}))
        .collect();
    structure([
        ("containerArn", Some(json!(arn))),
        ("taskArn", Some(json!(task.arn))),
        ("name", Some(json!(container.name))),
        ("image", Some(json!(container.image))),
        ("runtimeId", has_run.then(|| json!(runtime_id(&name)))),
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
    if task.private_ip.is_some() {
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

fn attachments(task: &Task) -> Value {
    let Some(ip) = &task.private_ip else {
        return json!([]);
    };
    let status = match task.last_status.as_str() {
        "PROVISIONING" => "ATTACHING",
        "STOPPED" => "DELETED",
        _ => "ATTACHED",
    };
    let interface = format!("eni-0{}", identity::hex(&task.id));
    json!([{
        "id": attachment_id(task),
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            {"name": "networkInterfaceId", "value": interface},
            {"name": "privateIPv4Address", "value": ip},
        ],
    }])
}

fn attachment_id(task: &Task) -> String {
    identity::uuid(&format!("attachment of {}", task.id))
}

/// Docker's id of a container: 64 hexadecimal digits.
fn runtime_id(name: &str) -> String {
    (0..4).map(|part| identity::hex(&format!("{name} {part}"))).collect()
}

fn instance_arn(cluster: &Cluster, task: &Task) -> Option<Value> {
    let instance = cluster.instances.get(task.instance.as_ref()?)?;
    Some(json!(instance.arn))
}

fn group(task: &Task) -> String {
    if task.service.is_empty() {
        let definition = TaskDefinitionArn::from(task.task_definition.as_str());
        return format!("family:{}", definition.family());
    }
    format!("service:{}", task.service)
}
