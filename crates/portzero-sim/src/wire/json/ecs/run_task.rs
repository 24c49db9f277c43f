//! RunTask.

use serde_json::{Value, json};

use super::service_request::{LAUNCH_TYPES, capacity_provider_strategy, network_configuration, tags};
use super::task_document::document;
use super::{failure, structure};
use crate::model::refusal::Refusal;
use crate::model::state::{TaskRequest, TaskRun};
use crate::wire::json::members::Members;
use crate::wire::{Output, Reply};
use crate::world::World;

/// Read, but nothing comes of them.
const WITHOUT_EFFECT: [&str; 3] = ["placementConstraints", "placementStrategy", "volumeConfigurations"];

pub(super) fn run(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let run = request(members)?;
    let started = world.run_task(&run)?;
    let cluster = world.cluster(Some(&run.cluster))?;
    let tasks: Vec<Value> = started
        .tasks
        .iter()
        .map(|task| document(world, cluster, task))
        .collect();
    let failures: Vec<Value> = started
        .failures
        .iter()
        .map(|(arn, reason)| failure(arn, reason))
        .collect();
    let idle: Vec<&str> = members.names().filter(|name| WITHOUT_EFFECT.contains(name)).collect();
    Ok(Output {
        document: json!({"tasks": tasks, "failures": failures}),
        note: (!idle.is_empty()).then(|| format!("ecs:RunTask: not modelled, ignored: {}", idle.join(", "))),
    })
}

fn request(members: Members<'_>) -> Result<TaskRun, Refusal> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let launch_type = members.one_of("launchType", &LAUNCH_TYPES)?;
    let strategy = capacity_provider_strategy(members, "capacityProviderStrategy")?;
    let provider = strategy
        .as_ref()
        .and_then(|all| own(all[0]["capacityProvider"].as_str()));
    if launch_type.is_some() && provider.is_some() {
        return Err(Refusal::invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if members.one_of("propagateTags", &["TASK_DEFINITION", "SERVICE", "NONE"])? == Some("SERVICE") {
        return Err(Refusal::invalid_parameter(
            "propagateTags cannot be SERVICE for a task that no service runs.",
        ));
    }
    let by_provider = provider.as_ref().map(|name| match name.starts_with("FARGATE") {
        true => "FARGATE".to_owned(),
        false => "EC2".to_owned(),
    });
    Ok(TaskRun {
        cluster: members.text("cluster")?.unwrap_or("default").to_owned(),
        task_definition: members.required("taskDefinition")?.to_owned(),
        count: members.count("count")?.unwrap_or(1),
        launch_type: own(launch_type).or(by_provider),
        started_by: members.text("startedBy")?.unwrap_or_default().to_owned(),
        request: TaskRequest {
            group: own(members.text("group")?),
            overrides: overrides(members)?,
            network_configuration: network_configuration(members)?,
            capacity_provider: provider,
            platform_version: own(members.text("platformVersion")?),
            enable_execute_command: members.boolean("enableExecuteCommand")?.unwrap_or(false),
        },
        tags: tags(members)?,
        client_token: own(members.text("clientToken")?),
    })
}

/// The overrides as they were given, as far as AWS knows their members.
fn overrides(members: Members<'_>) -> Result<Option<Value>, Refusal> {
    let Some(given) = members.structure("overrides")? else {
        return Ok(None);
    };
    let containers: Result<Vec<Value>, Refusal> = given
        .structures("containerOverrides")?
        .unwrap_or_default()
        .into_iter()
        .map(container_override)
        .collect();
    Ok(Some(structure([
        ("containerOverrides", Some(json!(containers?))),
        ("cpu", given.text("cpu")?.map(Value::from)),
        ("memory", given.text("memory")?.map(Value::from)),
        ("taskRoleArn", given.text("taskRoleArn")?.map(Value::from)),
        ("executionRoleArn", given.text("executionRoleArn")?.map(Value::from)),
        ("ephemeralStorage", given.document("ephemeralStorage")?),
        (
            "inferenceAcceleratorOverrides",
            given.documents("inferenceAcceleratorOverrides")?,
        ),
    ])))
}

fn container_override(one: Members<'_>) -> Result<Value, Refusal> {
    let command = one.texts("command")?;
    Ok(structure([
        ("name", one.text("name")?.map(Value::from)),
        ("command", (!command.is_empty()).then(|| json!(command))),
        ("environment", one.documents("environment")?),
        ("environmentFiles", one.documents("environmentFiles")?),
        ("cpu", one.integer("cpu")?.map(Value::from)),
        ("memory", one.integer("memory")?.map(Value::from)),
        ("memoryReservation", one.integer("memoryReservation")?.map(Value::from)),
        ("resourceRequirements", one.documents("resourceRequirements")?),
    ]))
}
