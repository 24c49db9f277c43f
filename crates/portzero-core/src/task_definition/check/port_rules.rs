//! What AWS refuses about ports, and what the ports that will be registered mean for a rolling update.

use serde_json::Value;

use crate::base::finding::{Code, Finding, Location};
use crate::task_definition::document::{Container, Document, NetworkMode, PortMapping, at, containers, network_mode};
use crate::task_definition::host_port::LoadBalancedPort;
use crate::task_definition::path::steps;

/// Ports of an instance that are taken by ssh, Docker and the ECS agent.
const RESERVED: &[u16] = &[22, 2375, 2376, 51_678, 51_679, 51_680];

/// From here on an instance hands out ports itself (Amazon Linux, `ip_local_port_range`), up to 60999.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// What AWS refuses whatever is rendered: ports that differ where they must be equal, ports where there is no network.
pub(crate) fn check(document: &Document) -> Vec<Finding> {
    let mode = document.network_mode();
    let mut findings = Vec::new();
    for container in document.containers() {
        for mapping in container.port_mappings() {
            findings.extend(out_of_range(document, container, mapping));
            findings.extend(match mode {
                NetworkMode::Awsvpc | NetworkMode::Host => mismatch(document, &mode, container, mapping),
                NetworkMode::None if mapping.index == 0 => Some(without_network(document, container)),
                _ => None,
            });
        }
    }
    findings
}

fn out_of_range(document: &Document, container: Container<'_>, mapping: PortMapping<'_>) -> Option<Finding> {
    let (key, port) = [("containerPort", 1), ("hostPort", 0)]
        .into_iter()
        .find_map(|(key, least)| {
            let port = mapping.value.get(key)?.as_i64()?;
            (!(least..=i64::from(u16::MAX)).contains(&port)).then_some((key, port))
        })?;
    let name = container.name().unwrap_or("?");
    let finding = Finding::error(
        Code::InvalidValue,
        format!("`{key}` {port} of container `{name}` is no port"),
    )
    .evidence("ports", "1 to 65535; as `hostPort` also 0, which makes it dynamic");
    let path = steps![
        "containerDefinitions",
        container.index,
        "portMappings",
        mapping.index,
        key
    ];
    Some(at(finding, document.value_location(&path)))
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

/// What the ports of the rendered document mean for a rolling update. `locate` finds a mapping in the user's file.
pub(crate) fn notes(rendered: &Value, balanced: &[LoadBalancedPort], document: &Document) -> Vec<Finding> {
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
            let senders = balanced
                .iter()
                .filter(|b| b.container == name && Some(b.port) == mapping.container_port());
            let senders: Vec<&LoadBalancedPort> = senders.collect();
            findings.extend(match mode {
                NetworkMode::Host => Some(host_mode(name, port, location)),
                NetworkMode::Bridge if port != 0 => fixed_port(name, port, &senders, !balanced.is_empty(), location),
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

/// `is_balanced`: a load balancer leads to the task, here or elsewhere.
fn fixed_port(
    name: &str,
    port: u16,
    senders: &[&LoadBalancedPort],
    is_balanced: bool,
    location: Option<Location>,
) -> Option<Finding> {
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
    } else if senders.iter().any(|sender| sender.classic) {
        Finding::note(
            Code::HostPortStatic,
            format!(
                "host port {port} of container `{name}` stays, because a classic load balancer wants a fixed one: old and \
                 new tasks cannot share an instance"
            ),
        )
    } else if !senders.is_empty() {
        Finding::note(
            Code::HostPortStatic,
            format!("host port {port} of container `{name}` is fixed: old and new tasks cannot share an instance"),
        )
    } else if is_balanced {
        Finding::warning(
            Code::HostPortStatic,
            format!("host port {port} of container `{name}` is fixed: old and new tasks cannot share an instance"),
        )
        .hint("give --dynamic-ports all, or leave `hostPort` out where nobody needs this very port")
    } else {
        return None;
    };
    Some(at(finding, location))
}
