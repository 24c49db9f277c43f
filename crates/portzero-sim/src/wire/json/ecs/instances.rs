//! ListContainerInstances, DescribeContainerInstances, UpdateContainerInstancesState.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{arn_of, extend, failure, seconds, structure};
use crate::model::state::{Cluster, ContainerInstance, Task};
use crate::model::status::TaskStatus;
use crate::wire::json::members::Members;
use crate::wire::page::page;
use crate::wire::{Output, Reply};
use crate::world::World;

/// Source: the words of AWS's refusal of more, `instanceIds can have at most 100 items.`
const INSTANCES_PER_CALL: usize = 100;

/// Source: the API reference of UpdateContainerInstancesState.
const INSTANCES_PER_UPDATE: usize = 10;

/// What every container instance keeps for itself, in the order in which AWS lists it: ssh, the Docker daemon with and
/// without TLS, the agent's introspection and credentials. Source: recorded answers.
const RESERVED_PORTS: [u16; 5] = [22, 2376, 2375, 51678, 51679];

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let states = [
        "ACTIVE",
        "DRAINING",
        "REGISTERING",
        "DEREGISTERING",
        "REGISTRATION_FAILED",
    ];
    let status = members.one_of("status", &states)?;
    let arns = cluster
        .instances
        .values()
        .filter(|instance| status.is_none_or(|wanted| wanted == instance.status.as_str()))
        .map(|instance| instance.arn.clone())
        .collect();
    let page = page(members, 100, arns)?;
    let filter = members.text("filter")?;
    Ok(Output {
        document: structure([
            ("containerInstanceArns", Some(json!(page.items))),
            ("nextToken", page.next.map(Value::from)),
        ]),
        note: filter.map(|_| "ecs:ListContainerInstances: not modelled, ignored: filter".to_owned()),
    })
}

pub(super) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let references = members.references(
        "containerInstances",
        INSTANCES_PER_CALL,
        "Container Instances",
        "instanceIds",
    )?;
    let with_tags = members.includes("TAGS")?;
    let with_health = members.includes("CONTAINER_INSTANCE_HEALTH")?;
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match cluster
            .instances
            .get(world.account().id_of(&cluster.name, "container-instance", reference)?)
        {
            Some(instance) => {
                let mut document = document(world, cluster, instance);
                let tags = json!(world.tags_of(&instance.arn));
                let members = [
                    ("healthStatus", with_health.then(|| health(instance))),
                    ("tags", Some(tags).filter(|_| with_tags)),
                ];
                extend(&mut document, members);
                instances.push(document);
            }
            None => failures.push(failure(
                arn_of(world, cluster, "container-instance", reference),
                "MISSING",
            )),
        }
    }
    Ok(json!({"containerInstances": instances, "failures": failures}).into())
}

pub(super) fn update_state(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?.name.clone();
    let references = members.references(
        "containerInstances",
        INSTANCES_PER_UPDATE,
        "Container Instances",
        "instanceIds",
    )?;
    let status = members.required("status")?;
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        let id = world.account().id_of(&cluster, "container-instance", reference)?;
        let updated = world.set_instance_status(&cluster, id, status)?;
        let home = world.cluster(Some(&cluster))?;
        match updated {
            Some(instance) => instances.push(document(world, home, &instance)),
            None => failures.push(failure(arn_of(world, home, "container-instance", reference), "MISSING")),
        }
    }
    Ok(json!({"containerInstances": instances, "failures": failures}).into())
}

fn document(world: &World, cluster: &Cluster, instance: &ContainerInstance) -> Value {
    let placed: Vec<&Task> = tasks_on(cluster, instance).collect();
    let count = |status: TaskStatus| placed.iter().filter(|task| task.last_status == status).count();
    // The scheduler's own reservations: what it refuses a task for must be what is shown.
    let (cpu, memory, _) = world.booked(&cluster.name, &instance.id);
    let (cpu, memory) = (instance.cpu.saturating_sub(cpu), instance.memory.saturating_sub(memory));
    let taken: BTreeSet<u16> = placed.iter().flat_map(|task| static_ports(world, task)).collect();
    let ports: Vec<u16> = RESERVED_PORTS
        .into_iter()
        .chain(taken.into_iter().filter(|port| !RESERVED_PORTS.contains(port)))
        .collect();
    json!({
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": 6,
        "versionInfo": {"agentVersion": "1.98.0", "agentHash": "ae5dc4a0", "dockerVersion": "DockerVersion: 25.0.8"},
        "remainingResources": resources(cpu, memory, &ports),
        "registeredResources": resources(instance.cpu, instance.memory, &RESERVED_PORTS),
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": count(TaskStatus::Running),
        "pendingTasksCount": count(TaskStatus::Pending) + count(TaskStatus::Activating),
        "attributes": [
            {"name": "ecs.availability-zone", "value": instance.availability_zone},
            {"name": "ecs.cpu-architecture", "value": "x86_64"},
            {"name": "ecs.os-type", "value": "linux"},
            {"name": "ecs.vpc-id", "value": world.vpc_of_instances(&cluster.name)},
            {"name": "com.amazonaws.ecs.capability.task-iam-role"},
        ],
        "registeredAt": seconds(instance.registered_at),
        "attachments": [],
        "tags": [],
    })
}

/// The tasks that an instance's resources are reserved for: ECS counts those that are to run, and lets go of a stopping
/// task's share before the task has stopped.
fn tasks_on<'a>(cluster: &'a Cluster, instance: &'a ContainerInstance) -> impl Iterator<Item = &'a Task> {
    cluster.tasks.values().filter(|task| {
        task.instance.as_deref() == Some(instance.id.as_str())
            && task.desired_status == TaskStatus::Running
            && task.last_status != TaskStatus::Stopped
    })
}

/// The host ports that the task's definition asks for by number. Dynamic ones never show up among an instance's ports.
fn static_ports(world: &World, task: &Task) -> Vec<u16> {
    let Ok(definition) = world.describe_task_definition(&task.task_definition) else {
        return Vec::new();
    };
    let mode = definition.document["networkMode"].as_str().unwrap_or("bridge");
    if matches!(mode, "awsvpc" | "none") {
        return Vec::new();
    }
    let mappings = definition.document["containerDefinitions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|container| container["portMappings"].as_array())
        .flatten();
    mappings
        .filter(|mapping| mapping["protocol"].as_str() != Some("udp"))
        .filter_map(|mapping| match mapping["hostPort"].as_u64() {
            Some(0) | None if mode == "host" => mapping["containerPort"].as_u64(),
            port => port,
        })
        .filter_map(|port| u16::try_from(port).ok().filter(|port| *port != 0))
        .collect()
}

fn resources(cpu: i64, memory: i64, ports: &[u16]) -> Value {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    json!([
        {"name": "CPU", "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": cpu},
        {"name": "MEMORY", "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": memory},
        {"name": "PORTS", "type": "STRINGSET", "doubleValue": 0.0, "longValue": 0, "integerValue": 0, "stringSetValue": ports},
        {"name": "PORTS_UDP", "type": "STRINGSET", "doubleValue": 0.0, "longValue": 0, "integerValue": 0, "stringSetValue": []},
    ])
}

fn health(instance: &ContainerInstance) -> Value {
    json!({"overallStatus": if instance.agent_connected { "OK" } else { "IMPAIRED" }})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::describe;
    use crate::World;
    use crate::tests::bridge;

    /// (remaining CPU, remaining memory) of the only instance, as it is answered.
    fn free(world: &mut World) -> (i64, i64) {
        let instance = world.account().clusters["default"]
            .instances
            .keys()
            .next()
            .expect("one")
            .clone();
        let answer = describe(world, &json!({"containerInstances": [instance]})).expect("an answer");
        let remaining = &answer.document["containerInstances"][0]["remainingResources"];
        let amount = |place: usize| remaining[place]["integerValue"].as_i64().expect("a number");
        (amount(0), amount(1))
    }

    #[test]
    fn remaining_resources_are_what_the_scheduler_places_by() {
        let mut scenario = bridge(0, 2);
        let mut world = World::new(&scenario).expect("a world");
        assert_eq!(free(&mut world), (2048 - 2 * 64, 3904 - 2 * 128));
        scenario.add_fault("no-capacity").expect("a known fault");
        let mut world = World::new(&scenario).expect("a world");
        assert_eq!(free(&mut world), (0, 0));
    }
}
