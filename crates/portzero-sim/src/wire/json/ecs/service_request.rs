//! The members of CreateService and UpdateService, read and brought into the form in which AWS gives them back.

use std::time::Duration;

use serde_json::{Value, json};

use super::structure;
use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancerBinding, ServiceChange, ServiceCreation, Settings};
use crate::scenario::breaker::{CircuitBreaker, Threshold, ThresholdType};
use crate::scenario::strategy::{AdvancedConfiguration, Strategy};
use crate::wire::json::members::Members;

type Read<T> = Result<T, Refusal>;

/// Kept and shown, but the model does not act upon them.
const WITHOUT_EFFECT: [&str; 10] = [
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "monitoring",
    "placementConstraints",
    "placementStrategy",
    "role",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

pub(super) const LAUNCH_TYPES: [&str; 4] = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"];

/// One line for the operator about members that change nothing here.
pub(super) fn note(operation: &str, members: Members<'_>) -> Option<String> {
    let idle: Vec<&str> = members.names().filter(|name| WITHOUT_EFFECT.contains(name)).collect();
    (!idle.is_empty()).then(|| format!("ecs:{operation}: kept and shown, without effect: {}", idle.join(", ")))
}

/// What both operations take; `name` is the member that names the service, `current` how it deploys so far.
pub(super) fn change(members: Members<'_>, name: &str, current: &Strategy) -> Read<ServiceChange> {
    let configuration = members.structure("deploymentConfiguration")?;
    let percent = |name| configuration.map_or(Ok(None), |configuration| configuration.count(name));
    let breaker = match configuration {
        Some(configuration) => configuration.structure("deploymentCircuitBreaker")?,
        None => None,
    };
    let bindings = members.structures("loadBalancers")?;
    Ok(ServiceChange {
        cluster: members.text("cluster")?.unwrap_or("default").to_owned(),
        service: members.required(name)?.to_owned(),
        task_definition: members.text("taskDefinition")?.map(str::to_owned),
        desired_count: members.count("desiredCount")?,
        force_new_deployment: members.boolean("forceNewDeployment")?.unwrap_or(false),
        minimum_healthy_percent: percent("minimumHealthyPercent")?,
        maximum_percent: percent("maximumPercent")?,
        strategy: configuration
            .map(|configuration| super::strategy::read(configuration, current))
            .transpose()?,
        circuit_breaker: breaker.map(circuit_breaker).transpose()?,
        health_check_grace_period: members
            .count("healthCheckGracePeriodSeconds")?
            .map(|seconds| Duration::from_secs(u64::from(seconds))),
        load_balancers: bindings
            .map(|all| all.into_iter().map(load_balancer).collect())
            .transpose()?,
        settings: settings(members)?,
    })
}

pub(super) fn creation(members: Members<'_>) -> Read<ServiceCreation> {
    let controller = match members.structure("deploymentController")? {
        Some(controller) => controller.one_of("type", &["ECS", "CODE_DEPLOY", "EXTERNAL"])?,
        None => None,
    };
    let own = |text: Option<&str>| text.map(str::to_owned);
    Ok(ServiceCreation {
        service: change(members, "serviceName", &Strategy::default())?,
        launch_type: own(members.one_of("launchType", &LAUNCH_TYPES)?),
        scheduling_strategy: own(members.one_of("schedulingStrategy", &["REPLICA", "DAEMON"])?),
        deployment_controller: own(controller),
        tags: tags(members)?,
    })
}

/// `{key, value}` each.
pub(super) fn tags(members: Members<'_>) -> Read<Vec<Value>> {
    let all = members.structures("tags")?.unwrap_or_default();
    all.into_iter()
        .map(|tag| {
            let (key, value) = (tag.text("key")?, tag.text("value")?);
            Ok(structure([
                ("key", key.map(Value::from)),
                ("value", value.map(Value::from)),
            ]))
        })
        .collect()
}

/// `awsvpcConfiguration` with AWS's defaults filled in.
pub(super) fn network_configuration(members: Members<'_>) -> Read<Option<Value>> {
    let awsvpc = match members.structure("networkConfiguration")? {
        Some(network) => network.structure("awsvpcConfiguration")?,
        None => None,
    };
    let Some(awsvpc) = awsvpc else {
        return Ok(None);
    };
    let subnets = awsvpc.texts("subnets")?;
    if subnets.is_empty() {
        return Err(Refusal::invalid_parameter("subnets can not be empty."));
    }
    Ok(Some(json!({"awsvpcConfiguration": {
        "subnets": subnets,
        "securityGroups": awsvpc.texts("securityGroups")?,
        "assignPublicIp": awsvpc.one_of("assignPublicIp", &["ENABLED", "DISABLED"])?.unwrap_or("DISABLED"),
    }})))
}

/// Each with its weight and base.
pub(super) fn capacity_provider_strategy(members: Members<'_>, name: &str) -> Read<Option<Value>> {
    let Some(all) = members.structures(name)? else {
        return Ok(None);
    };
    let items: Read<Value> = all
        .into_iter()
        .map(|one| {
            Ok(json!({
                "capacityProvider": one.required("capacityProvider")?,
                "weight": one.count("weight")?.unwrap_or(0),
                "base": one.count("base")?.unwrap_or(0),
            }))
        })
        .collect();
    items.map(Some)
}

fn circuit_breaker(members: Members<'_>) -> Read<CircuitBreaker> {
    let threshold = members.structure("thresholdConfiguration")?;
    Ok(CircuitBreaker {
        enable: members.boolean("enable")?.unwrap_or(false),
        rollback: members.boolean("rollback")?.unwrap_or(false),
        reset_on_healthy_task: members.boolean("resetOnHealthyTask")?,
        threshold: threshold.map(self::threshold).transpose()?,
    })
}

fn threshold(members: Members<'_>) -> Read<Threshold> {
    let spelt = ThresholdType::ALL.map(ThresholdType::as_str);
    let given = members.one_of("type", &spelt)?;
    let kind = ThresholdType::ALL.into_iter().find(|kind| Some(kind.as_str()) == given);
    let kind = kind.ok_or_else(|| Refusal::invalid_parameter("thresholdConfiguration.type is required."))?;
    let value = members
        .count("value")?
        .filter(|value| *value > 0)
        .ok_or_else(|| Refusal::invalid_parameter("thresholdConfiguration.value must be greater than 0."))?;
    Ok(Threshold { kind, value })
}

fn load_balancer(members: Members<'_>) -> Read<LoadBalancerBinding> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let port = members.integer("containerPort")?.unwrap_or(0);
    let advanced = members.structure("advancedConfiguration")?.map(advanced).transpose()?;
    Ok(LoadBalancerBinding {
        advanced,
        managed: None,
        target_group_arn: own(members.text("targetGroupArn")?),
        load_balancer_name: own(members.text("loadBalancerName")?),
        container_name: members.text("containerName")?.unwrap_or_default().to_owned(),
        container_port: u16::try_from(port)
            .map_err(|_| Refusal::invalid_parameter("Container port must be between 1 and 65535."))?,
    })
}

fn advanced(members: Members<'_>) -> Read<AdvancedConfiguration> {
    Ok(AdvancedConfiguration {
        alternate_target_group_arn: members.required("alternateTargetGroupArn")?.to_owned(),
        production_listener_rule: members.required("productionListenerRule")?.to_owned(),
        test_listener_rule: members.text("testListenerRule")?.map(str::to_owned),
        role_arn: members.required("roleArn")?.to_owned(),
    })
}

fn settings(members: Members<'_>) -> Read<Settings> {
    let said = |flag: Option<bool>| flag.map(Value::from);
    let chosen = |choice: Option<&str>| choice.map(Value::from);
    let document = structure([
        (
            "capacityProviderStrategy",
            capacity_provider_strategy(members, "capacityProviderStrategy")?,
        ),
        ("networkConfiguration", network_configuration(members)?),
        ("platformVersion", chosen(members.text("platformVersion")?)),
        ("serviceRegistries", service_registries(members)?),
        (
            "serviceConnectConfiguration",
            members.document("serviceConnectConfiguration")?,
        ),
        ("gatewayConnectors", gateway_connectors(members)?),
        ("monitoring", members.document("monitoring")?),
        ("volumeConfigurations", members.documents("volumeConfigurations")?),
        (
            "vpcLatticeConfigurations",
            members.documents("vpcLatticeConfigurations")?,
        ),
        (
            "placementConstraints",
            placement(members, "placementConstraints", "expression")?,
        ),
        ("placementStrategy", placement(members, "placementStrategy", "field")?),
        ("enableECSManagedTags", said(members.boolean("enableECSManagedTags")?)),
        ("enableExecuteCommand", said(members.boolean("enableExecuteCommand")?)),
        (
            "propagateTags",
            chosen(members.one_of("propagateTags", &["TASK_DEFINITION", "SERVICE", "NONE"])?),
        ),
        (
            "availabilityZoneRebalancing",
            chosen(members.one_of("availabilityZoneRebalancing", &["ENABLED", "DISABLED"])?),
        ),
    ]);
    match document {
        Value::Object(settings) => Ok(settings),
        _ => Ok(Settings::default()),
    }
}

/// As they were given; a revision shows them so.
fn gateway_connectors(members: Members<'_>) -> Read<Option<Value>> {
    for connector in members.structures("gatewayConnectors")?.unwrap_or_default() {
        connector.required("portName")?;
        let delay = match connector.structure("deregistrationDelay")? {
            Some(delay) => delay.count("timeoutSeconds")?,
            None => None,
        };
        if delay.is_some_and(|seconds| seconds > 3600) {
            return Err(Refusal::invalid_parameter(
                "deregistrationDelay.timeoutSeconds must be between 0 and 3600.",
            ));
        }
    }
    members.documents("gatewayConnectors")
}

fn service_registries(members: Members<'_>) -> Read<Option<Value>> {
    let Some(all) = members.structures("serviceRegistries")? else {
        return Ok(None);
    };
    let items: Read<Value> = all
        .into_iter()
        .map(|one| {
            Ok(structure([
                ("registryArn", one.text("registryArn")?.map(Value::from)),
                ("port", one.integer("port")?.map(Value::from)),
                ("containerName", one.text("containerName")?.map(Value::from)),
                ("containerPort", one.integer("containerPort")?.map(Value::from)),
            ]))
        })
        .collect();
    items.map(Some)
}

/// Constraints and strategies: a type, and what it is about.
fn placement(members: Members<'_>, name: &str, about: &str) -> Read<Option<Value>> {
    let Some(all) = members.structures(name)? else {
        return Ok(None);
    };
    let types: &[&str] = match about {
        "field" => &["random", "spread", "binpack"],
        _ => &["distinctInstance", "memberOf"],
    };
    let items: Read<Value> = all
        .into_iter()
        .map(|one| {
            Ok(structure([
                ("type", one.one_of("type", types)?.map(Value::from)),
                (about, one.text(about)?.map(Value::from)),
            ]))
        })
        .collect();
    items.map(Some)
}
