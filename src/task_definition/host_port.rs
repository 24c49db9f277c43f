//! Host ports: which ones may be dynamic, which ones become so, and what AWS refuses.
//!
//! Source of the rules: the API's `PortMapping`, and the ECS Developer Guide, "task definition parameters", 2026.

use serde_json::{Map, Value};

use super::check::at;
use super::document::{Container, Document, NetworkMode, PortMapping, container_maps, containers, network_mode};
use super::path::steps;
use super::render::Change;
use super::suggest::nearest;
use crate::finding::{Code, Finding, Location};

/// Which host ports of a task definition in bridge mode become dynamic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DynamicPorts {
    /// Those that a load balancer sends to.
    #[default]
    LoadBalanced,
    All,
    /// None: they stay as they are written.
    Keep,
}

/// A container's port that a load balancer sends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancedPort {
    pub container: String,
    pub port: u16,
    /// A classic load balancer knows one fixed port per instance, so its port cannot be dynamic.
    pub classic: bool,
}

/// Ports of an instance that are taken by ssh, Docker and the ECS agent.
const RESERVED: &[u16] = &[22, 2375, 2376, 51_678, 51_679, 51_680];

/// From here on an instance hands out ports itself (Amazon Linux, `ip_local_port_range`), up to 60999.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// What AWS refuses whatever is rendered: ports that differ where they must be equal, ports where there is no network.
pub(super) fn check(document: &Document) -> Vec<Finding> {
    let mode = document.network_mode();
    let mut findings = Vec::new();
    for container in document.containers() {
        for mapping in container.port_mappings() {
            findings.extend(match mode {
                NetworkMode::Awsvpc | NetworkMode::Host => mismatch(document, &mode, container, mapping),
                NetworkMode::None => Some(without_network(document, container)),
                _ => None,
            });
        }
    }
    findings
}

fn mismatch(
    document: &Document,
    mode: &NetworkMode,
    container: Container<'_>,
    mapping: PortMapping<'_>,
) -> Option<Finding> {
    let (host, port) = (mapping.host_port()?, mapping.container_port()?);
    // 0 is dealt with when rendering: it is removed in awsvpc mode.
    if host == port || (host == 0 && *mode == NetworkMode::Awsvpc) {
        return None;
    }
    let mode = mode.as_str();
    let path = steps![
        "containerDefinitions",
        container.index,
        "portMappings",
        mapping.index,
        "hostPort"
    ];
    let finding = Finding::error(
        Code::HostPortMismatch,
        format!(
            "host port {host} of container `{}` is not its container port {port}",
            container.name().unwrap_or("?")
        ),
    )
    .evidence(
        "AWS",
        format!("When networkMode={mode}, the host ports and container ports in port mappings must match."),
    )
    .hint(format!(
        "drop `hostPort`: in network mode `{mode}` it is always the container port"
    ));
    Some(at(finding, document.location(&path)))
}

fn without_network(document: &Document, container: Container<'_>) -> Finding {
    let name = container.name().unwrap_or("?");
    let finding = Finding::error(
        Code::InvalidValue,
        format!("container `{name}` maps ports, and network mode `none` has no network"),
    );
    at(
        finding,
        document.location(&steps!["containerDefinitions", container.index, "portMappings"]),
    )
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
        let finding = match nearest(name, names) {
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

/// What the ports of the rendered document mean for a rolling update. `locate` finds a mapping in the user's file.
pub(super) fn notes(rendered: &Value, balanced: &[LoadBalancedPort], document: &Document) -> Vec<Finding> {
    let mode = network_mode(rendered);
    let mut findings = Vec::new();
    for container in containers(rendered) {
        for mapping in container.port_mappings() {
            let Some(port) = mapping
                .host_port()
                .or(mapping.container_port().filter(|_| mode == NetworkMode::Host))
            else {
                continue;
            };
            let path = steps!["containerDefinitions", container.index, "portMappings", mapping.index];
            let location = document
                .location(&[&path[..], &steps!["hostPort"]].concat())
                .or_else(|| document.value_location(&path));
            let name = container.name().unwrap_or("?");
            let is_balanced = balanced
                .iter()
                .any(|b| b.container == name && Some(b.port) == mapping.container_port());
            findings.extend(match mode {
                NetworkMode::Host => Some(host_mode(name, port, location)),
                NetworkMode::Bridge if port != 0 => fixed_port(name, port, is_balanced, location),
                _ => None,
            });
        }
    }
    findings
}

fn host_mode(name: &str, port: u16, location: Option<Location>) -> Finding {
    let finding = Finding::warning(
        Code::HostPortStatic,
        format!("port {port} of container `{name}` cannot be dynamic: the network mode is `host`"),
    )
    .evidence(
        "means",
        "one task per instance; a new one starts where no old one runs, or after it has stopped",
    )
    .hint("keep an instance free for the new task, or let ECS stop one first (minimum healthy percent below 100)");
    at(finding, location)
}

fn fixed_port(name: &str, port: u16, is_balanced: bool, location: Option<Location>) -> Option<Finding> {
    let finding = if RESERVED.contains(&port) {
        Finding::warning(
            Code::InvalidValue,
            format!("host port {port} of container `{name}` is reserved on container instances"),
        )
        .evidence(
            "reserved",
            "22 (ssh), 2375 and 2376 (Docker), 51678 to 51680 (ECS agent)",
        )
    } else if EPHEMERAL.contains(&port) {
        Finding::warning(
            Code::InvalidValue,
            format!(
                "host port {port} of container `{name}` may be taken: instances hand out 32768 to 60999 themselves"
            ),
        )
        .hint("choose a host port below 32768, or leave `hostPort` out for a dynamic one")
    } else if is_balanced {
        Finding::note(
            Code::HostPortStatic,
            format!("host port {port} of container `{name}` is fixed: old and new tasks cannot share an instance"),
        )
    } else {
        return None;
    };
    Some(at(finding, location))
}
