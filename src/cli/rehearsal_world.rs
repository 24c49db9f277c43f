//! The world of a rehearsal: the wished-for services as they might run today, on a cluster with room for the rollout.

use std::collections::BTreeMap;

use portzero_core::aws_model::service::{Balancer, LoadBalancerBinding};
use portzero_core::base::id::TargetGroupArn;
use portzero_core::plan::{DefinitionSource, DeployRequest, needs};
use portzero_core::task_definition::image::with_tag;
use portzero_core::task_definition::{Document, NetworkMode};
use portzero_sim::CircuitBreaker;
use portzero_sim::scenario::{InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};
use serde_json::{Value, json};

use crate::cli::requests::DeployRequests;
use crate::config::ServiceConfig;

/// The tag that the images carry in the simulated running revision, so that there is something to ship.
const PREVIOUS_TAG: &str = "previous";

/// What a scenario file has for an environment value.
const PLACEHOLDER: &str = "placeholder";

/// A scenario in which every wish can be rehearsed.
pub(super) fn scenario(requests: &DeployRequests) -> Scenario {
    let mut scenario = Scenario {
        description: "made from the configuration".into(),
        region: requests.region.clone().unwrap_or_else(|| "us-east-1".into()),
        ..Scenario::default()
    };
    for (request, stanza) in requests.requests.iter().zip(&requests.stanzas) {
        add(&mut scenario, request, stanza.as_ref());
    }
    scenario
}

/// A scenario is a file that is kept and shared: it has placeholders in place of environment values. `hide` is for other
/// texts, which may hold what came from a variable; names and images stay, for the world is made of them.
pub(super) fn without_values(scenario: &mut Scenario, hide: impl Fn(&str) -> String) {
    for service in &mut scenario.services {
        hide_texts(&mut service.task_definition, "", &hide);
    }
}

fn hide_texts(value: &mut Value, key: &str, hide: &impl Fn(&str) -> String) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (key, name.as_str()) {
                    ("environment", "value") => *member = PLACEHOLDER.into(),
                    (_, "name" | "image" | "family") => {}
                    ("environment" | "secrets", _) => hide_texts(member, key, hide),
                    (_, other) => hide_texts(member, other, hide),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_texts(item, key, hide)),
        Value::String(text) => *text = hide(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A line for each service whose load balancer nobody has named: the rehearsal of one that has none would end otherwise.
pub(super) fn made_up_balancers(requests: &DeployRequests, scenario: &Scenario) -> Vec<String> {
    let services = requests.requests.iter().zip(&scenario.services);
    services
        .filter(|(request, _)| request.load_balancers.is_empty())
        .filter_map(|(request, service)| Some((request, service.load_balancers.first()?)))
        .map(|(request, balancer)| {
            format!(
                "no load balancer of `{}` is named: the rehearsal makes up a target group for port {} of container `{}`",
                request.service, balancer.container_port, balancer.container_name
            )
        })
        .collect()
}

fn add(scenario: &mut Scenario, request: &DeployRequest, stanza: Option<&ServiceConfig>) {
    let cluster = request.cluster.to_string();
    if scenario.services.is_empty() {
        scenario.cluster = cluster.clone();
    } else if scenario.cluster != cluster && !scenario.clusters.contains(&cluster) {
        scenario.clusters.push(cluster.clone());
    }
    let definition = match &request.base {
        DefinitionSource::Document(document) => previous(document, request),
        DefinitionSource::Running => made_up(request, request.service.as_str()),
        DefinitionSource::Registered(reference) => made_up(request, reference.split(':').next().unwrap_or(reference)),
    };
    let document = Document::from_value(definition.clone(), "the simulated service");
    let bindings = if request.load_balancers.is_empty() {
        guessed(request, &document, &scenario.region)
    } else {
        request.load_balancers.clone()
    };
    let load_balancers = bindings
        .iter()
        .map(|binding| load_balancer(scenario, binding))
        .collect::<Vec<_>>();
    let is_classic = load_balancers
        .iter()
        .any(|binding| binding.load_balancer_name.is_some());
    let spec = ServiceSpec {
        name: request.service.to_string(),
        cluster: Some(cluster.clone()),
        desired_count: stanza.and_then(|s| s.count).unwrap_or(1),
        minimum_healthy_percent: stanza.and_then(|s| s.minimum_healthy_percent).unwrap_or(100),
        maximum_percent: stanza.and_then(|s| s.maximum_percent).unwrap_or(200),
        // ECS has no circuit breaker for services behind a classic load balancer.
        circuit_breaker: (!is_classic).then_some(CircuitBreaker {
            enable: true,
            rollback: true,
            ..CircuitBreaker::default()
        }),
        load_balancers,
        health_check_grace_period: stanza.and_then(|s| s.health_check_grace_period),
        launch_type: stanza.and_then(|s| s.launch_type.clone()),
        scheduling_strategy: stanza.map_or("REPLICA", |s| s.scheduling.as_str()).to_owned(),
        task_definition: definition,
        ..ServiceSpec::default()
    };
    add_instances(scenario, &spec, &document, &cluster);
    scenario.services.push(spec);
}

/// The definitions that are at hand, by service: those of a file or of the configuration.
pub(super) fn definitions(requests: &DeployRequests) -> BTreeMap<String, Value> {
    let known = requests.requests.iter().filter_map(|request| match &request.base {
        DefinitionSource::Document(document) => Some((request.service.to_string(), document.value().clone())),
        DefinitionSource::Running | DefinitionSource::Registered(_) => None,
    });
    known.collect()
}

/// The user's own definition with the images that are about to be replaced set back to an earlier tag. Host ports stay
/// as they are written: a fixed one is what the rehearsal shows the end of.
fn previous(document: &Document, request: &DeployRequest) -> Value {
    let mut value = portzero_core::task_definition::without_output_only(document.value());
    let named: Vec<&str> = request.images.iter().filter_map(|i| i.container.as_deref()).collect();
    let balanced: Vec<&str> = request
        .load_balancers
        .iter()
        .map(|b| b.container_name.as_str())
        .collect();
    let shipped = if named.is_empty() { balanced } else { named };
    let containers = value.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    for (index, container) in containers.into_iter().flatten().enumerate() {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        let is_shipped = if shipped.is_empty() {
            index == 0
        } else {
            shipped.contains(&name)
        };
        let new = request
            .images
            .iter()
            .find(|i| i.container.as_deref() == Some(name))
            .map(|i| i.image.clone());
        let written = container
            .get("image")
            .and_then(Value::as_str)
            .filter(|image| !image.is_empty());
        // An image that the file leaves to --image ran before as well.
        let lacking = || new.clone().unwrap_or_else(|| format!("example/{name}"));
        let image = match written {
            Some(image) => is_shipped.then(|| new.clone().unwrap_or_else(|| image.to_owned())),
            None => Some(lacking()),
        };
        if let Some(image) = image {
            container["image"] = Value::String(with_tag(&image, PREVIOUS_TAG));
        }
    }
    value
}

/// A stand-in where the definition is in AWS and the rehearsal must do without it.
fn made_up(request: &DeployRequest, family: &str) -> Value {
    let binding = request.load_balancers.first();
    let named = request.images.iter().find_map(|i| i.container.clone());
    let name = named
        .or_else(|| binding.map(|b| b.container_name.clone()))
        .unwrap_or_else(|| "web".into());
    let port = binding.map_or(80, |b| b.container_port);
    // A classic load balancer knows one fixed port.
    let is_classic = binding.is_some_and(|b| matches!(b.balancer, Balancer::Classic(_)));
    let host_port = if is_classic { port } else { 0 };
    json!({
        "family": family,
        "networkMode": "bridge",
        "containerDefinitions": [{
            "name": name,
            "image": format!("example/{family}:{PREVIOUS_TAG}"),
            "cpu": 128,
            "memory": 128,
            "essential": true,
            "portMappings": [{ "containerPort": port, "hostPort": host_port, "protocol": "tcp" }],
        }],
    })
}

/// Where nothing says what is balanced, the first container that publishes a port is.
fn guessed(request: &DeployRequest, document: &Document, region: &str) -> Vec<LoadBalancerBinding> {
    let published = document.containers().iter().find_map(|c| {
        let port = c.port_mappings().first()?.container_port()?;
        Some((c.name()?.to_owned(), port))
    });
    published
        .map(|(container_name, container_port)| LoadBalancerBinding {
            balancer: Balancer::TargetGroup(TargetGroupArn::new(format!(
                "arn:aws:elasticloadbalancing:{region}:111122223333:targetgroup/{}/0123456789abcdef",
                request.service
            ))),
            container_name,
            container_port,
            alternate: None,
        })
        .into_iter()
        .collect()
}

fn load_balancer(scenario: &mut Scenario, binding: &LoadBalancerBinding) -> LoadBalancerSpec {
    let arn = match &binding.balancer {
        Balancer::TargetGroup(arn) => arn,
        Balancer::Classic(name) => {
            return LoadBalancerSpec {
                load_balancer_name: Some(name.clone()),
                container_name: binding.container_name.clone(),
                container_port: binding.container_port,
                ..LoadBalancerSpec::default()
            };
        }
    };
    if !scenario
        .target_groups
        .iter()
        .any(|g| g.arn.as_deref() == Some(arn.as_str()))
    {
        scenario.target_groups.push(TargetGroupSpec {
            name: arn.name().to_owned(),
            arn: Some(arn.to_string()),
            ..TargetGroupSpec::default()
        });
    }
    LoadBalancerSpec {
        target_group: Some(arn.name().to_owned()),
        container_name: binding.container_name.clone(),
        container_port: binding.container_port,
        ..LoadBalancerSpec::default()
    }
}

/// Enough instances for what runs and for what the rollout adds; a fixed host port wants an instance for each task.
fn add_instances(scenario: &mut Scenario, spec: &ServiceSpec, document: &Document, cluster: &str) {
    if document.network_mode() == NetworkMode::Awsvpc && document.requires_fargate() {
        return;
    }
    let has_fixed_port = document.containers().iter().any(|c| {
        c.port_mappings()
            .iter()
            .any(|m| m.host_port().is_some_and(|port| port > 0))
    });
    let tasks_max = i64::from(
        spec.desired_count
            .saturating_mul(spec.maximum_percent)
            .div_ceil(100)
            .max(1),
    );
    let count = if has_fixed_port { spec.desired_count.max(1) } else { 1 };
    // The size of the task, where it has one of its own, is what an instance must have room for.
    let needs = needs(document.value());
    let fallback = InstanceSpec::default();
    let ordinal = scenario.instances.len();
    scenario.instances.push(InstanceSpec {
        id: (count == 1).then(|| instance_id(ordinal)),
        cluster: Some(cluster.to_owned()),
        cpu: fallback.cpu.max(tasks_max.saturating_mul(needs.cpu)),
        memory: fallback.memory.max(tasks_max.saturating_mul(needs.memory)),
        count,
        ..fallback
    });
}

/// A readable instance id: it is shown in every line about a target.
fn instance_id(ordinal: usize) -> String {
    format!("i-{:017x}", 0x0abc_def0_1234_5678_u64 + ordinal as u64)
}

#[cfg(test)]
mod tests {
    use portzero_core::task_definition::image::with_tag;

    #[test]
    fn a_tag_is_replaced_and_a_registry_port_is_not() {
        assert_eq!(
            with_tag("registry:5000/team/web:v2@sha256:ab", "previous"),
            "registry:5000/team/web:previous"
        );
        assert_eq!(with_tag("nginx", "previous"), "nginx:previous");
    }
}
