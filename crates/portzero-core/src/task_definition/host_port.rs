//! Host ports: which ones may be dynamic, which ones become so, and what AWS refuses.
//!
//! Source of the rules: the API's `PortMapping`, and the ECS Developer Guide, "task definition parameters", 2026.

use serde_json::{Map, Value};

use super::document::{Container, Document, NetworkMode, PortMapping, container_maps, containers, network_mode};
use super::path::steps;
use crate::base::choice::choice;
use crate::base::finding::{Code, Finding};
use crate::base::text::most_alike;
use crate::task_definition::change::Change;
use crate::task_definition::document::at;

/// Which host ports of a task definition in bridge mode become dynamic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DynamicPorts {
    /// Those that a load balancer sends to.
    #[default]
    LoadBalanced,
    /// Every port of a container that is mapped.
    All,
    /// None: they stay as they are written.
    Keep,
}

impl DynamicPorts {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LoadBalanced, Self::All, Self::Keep];

    /// As it is written in flags and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoadBalanced => "load-balanced",
            Self::All => "all",
            Self::Keep => "keep",
        }
    }
}

choice! { DynamicPorts: pub(crate) DYNAMIC_PORTS = LoadBalanced "load-balanced", All "all", Keep "keep" }

/// A container's port that a load balancer sends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancedPort {
    /// The container's name.
    pub container: String,
    /// Its port.
    pub port: u16,
    /// A classic load balancer knows one fixed port per instance, so its port cannot be dynamic.
    pub classic: bool,
}

/// Every load-balanced port must be there, and a classic load balancer's must be fixed.
pub(super) fn check_load_balanced(document: &Document, ports: &[LoadBalancedPort]) -> Vec<Finding> {
    ports.iter().filter_map(|port| check_one(document, port)).collect()
}

fn check_one(document: &Document, wanted: &LoadBalancedPort) -> Option<Finding> {
    let LoadBalancedPort {
        container: name,
        port,
        classic,
    } = wanted;
    let Some(container) = document.container(name) else {
        let all = containers(&document.value);
        let names: Vec<&str> = all.iter().filter_map(Container::name).collect();
        let finding = Finding::error(
            Code::LoadBalancerMismatch,
            format!("the load balancer sends to container `{name}`, which the task definition does not have"),
        )
        .evidence("containers", names.join(", "));
        let finding = match most_alike(name, names) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding,
        };
        return Some(at(finding, document.location(&steps!["containerDefinitions"])));
    };
    let mappings = container.port_mappings();
    let Some(mapping) = mappings.iter().find(|mapping| mapping.container_port() == Some(*port)) else {
        return Some(without_port(document, container, *port));
    };
    let is_dynamic = mapping.host_port().unwrap_or(0) == 0;
    if *classic && is_dynamic && network_mode(&document.value) == NetworkMode::Bridge {
        let finding = Finding::error(
            Code::HostPortStatic,
            format!(
                "port {port} of container `{name}` is dynamic, and a classic load balancer needs a fixed host port"
            ),
        )
        .hint("write a `hostPort`, or move the service to an Application Load Balancer's target group");
        let base = steps![
            "containerDefinitions",
            container.index,
            "portMappings",
            mapping.index,
            "hostPort"
        ];
        let location = document
            .location(&base)
            .or_else(|| document.value_location(&base[..base.len() - 1]));
        return Some(at(finding, location));
    }
    None
}

fn without_port(document: &Document, container: Container<'_>, port: u16) -> Finding {
    let mappings = container.port_mappings();
    let mut ports: Vec<u16> = mappings.iter().filter_map(PortMapping::container_port).collect();
    ports.sort_by_key(|known| known.abs_diff(port));
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let name = container.name().unwrap_or("?");
    let finding = Finding::error(
        Code::LoadBalancerMismatch,
        format!("the load balancer sends to port {port} of container `{name}`, which maps no such port"),
    )
    .evidence(
        "ports",
        if ports.is_empty() {
            "none".to_owned()
        } else {
            ports.join(", ")
        },
    );
    let finding = match ports.first() {
        Some(near) => finding.hint(format!("did you mean port {near}?")),
        None => finding.hint(format!("add {{\"containerPort\": {port}}} to `portMappings`")),
    };
    let base = steps!["containerDefinitions", container.index, "portMappings"];
    let location = document
        .location(&base)
        .or_else(|| document.value_location(&base[..base.len() - 1]));
    at(finding, location)
}

/// Makes host ports dynamic where the network mode and the choice allow it.
pub(super) fn apply(root: &mut Value, choice: DynamicPorts, balanced: &[LoadBalancedPort]) -> Vec<Change> {
    let mode = network_mode(root);
    let mut changes = Vec::new();
    for (_, container) in container_maps(root) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
        let mappings = container.get_mut("portMappings").and_then(Value::as_array_mut);
        for mapping in mappings.into_iter().flatten().filter_map(Value::as_object_mut) {
            let change = match mode {
                NetworkMode::Bridge if is_chosen(&name, mapping, choice, balanced) => make_dynamic(mapping),
                NetworkMode::Awsvpc => remove_zero(mapping),
                _ => None,
            };
            changes.extend(change.map(|what| Change {
                path: port_path(&name, mapping),
                what,
            }));
        }
    }
    changes
}

fn port_path(container: &str, mapping: &Map<String, Value>) -> String {
    let port = mapping.get("containerPort").and_then(Value::as_u64).unwrap_or_default();
    let protocol = mapping.get("protocol").and_then(Value::as_str).unwrap_or("tcp");
    format!("containerDefinitions[{container}].portMappings[{port}/{protocol}].hostPort")
}

fn is_chosen(name: &str, mapping: &Map<String, Value>, choice: DynamicPorts, balanced: &[LoadBalancedPort]) -> bool {
    // A mapping of a range takes no hostPort at all.
    let Some(port) = mapping.get("containerPort").and_then(Value::as_u64) else {
        return false;
    };
    let mut senders = balanced
        .iter()
        .filter(|b| b.container == name && u64::from(b.port) == port);
    match choice {
        DynamicPorts::Keep => false,
        // One classic load balancer among the senders keeps the port fixed.
        DynamicPorts::LoadBalanced => senders.clone().next().is_some() && senders.all(|sender| !sender.classic),
        DynamicPorts::All => senders.all(|sender| !sender.classic),
    }
}

fn make_dynamic(mapping: &mut Map<String, Value>) -> Option<String> {
    let fixed = mapping
        .get("hostPort")
        .and_then(Value::as_u64)
        .filter(|port| *port != 0)?;
    mapping.insert("hostPort".to_owned(), Value::from(0));
    Some(format!(
        "hostPort {fixed} -> 0: ECS picks a free port, so old and new tasks share an instance"
    ))
}

fn remove_zero(mapping: &mut Map<String, Value>) -> Option<String> {
    if mapping.get("hostPort").and_then(Value::as_u64) != Some(0) {
        return None;
    }
    mapping.shift_remove("hostPort");
    Some("hostPort 0 removed: in network mode `awsvpc` it is always the container port".to_owned())
}
