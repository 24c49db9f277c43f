//! Ports and names of hosts, by network mode.

use serde_json::Value;

use crate::api::definition_checks::members::{list, refused, text};
use crate::model::refusal::Refusal;

/// Ports that the ECS agent and Docker keep for themselves.
const RESERVED_PORTS: &[i64] = &[22, 2375, 2376, 51_678, 51_679, 51_680];

pub(super) fn check(containers: &[Value], mode: &str) -> Result<(), Refusal> {
    let mut taken: Vec<(i64, &str)> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for container in containers {
        if mode == "awsvpc" && text(container, "hostname").is_some_and(|name| !name.is_empty()) {
            return refused("hostname is not supported on container when networkMode=awsvpc.");
        }
        if mode != "bridge" && !list(container, "links").is_empty() {
            return refused(format!("Links are not supported when networkMode={mode}."));
        }
        let mappings = list(container, "portMappings");
        if mode == "none" && !mappings.is_empty() {
            return refused("When networkMode=none, port mappings cannot be specified.");
        }
        for mapping in mappings {
            check_range(mapping)?;
            check_host_port(mapping, mode, &mut taken)?;
            if let Some(name) = text(mapping, "name") {
                if names.contains(&name) {
                    return refused(format!("The port mapping name is already used: '{name}'."));
                }
                names.push(name);
            }
        }
    }
    Ok(())
}

fn check_range(mapping: &Value) -> Result<(), Refusal> {
    let number = |key: &str| mapping.get(key).and_then(Value::as_i64);
    if number("hostPort").is_some_and(|port| !(0..=65_535).contains(&port)) {
        return refused("Host port must be between 0 and 65535.");
    }
    if number("containerPort").is_some_and(|port| !(1..=65_535).contains(&port)) {
        return refused("Container port must be between 1 and 65535.");
    }
    Ok(())
}

/// `taken`: the host ports of the task so far, with their protocols.
fn check_host_port<'v>(mapping: &'v Value, mode: &str, taken: &mut Vec<(i64, &'v str)>) -> Result<(), Refusal> {
    let container_port = mapping.get("containerPort").and_then(Value::as_i64);
    let written = mapping.get("hostPort").and_then(Value::as_i64);
    let is_shared = matches!(mode, "awsvpc" | "host");
    if is_shared && written.is_some() && written != container_port {
        return refused(format!(
            "When networkMode={mode}, the host ports and container ports in port mappings must match."
        ));
    }
    let Some(port) = written.or(container_port.filter(|_| is_shared)) else {
        return Ok(());
    };
    if mode == "bridge" && RESERVED_PORTS.contains(&port) {
        return refused(format!("Host port {port} is reserved."));
    }
    let protocol = text(mapping, "protocol").unwrap_or("tcp");
    if port != 0 && taken.contains(&(port, protocol)) {
        let protocol = protocol.to_uppercase();
        return refused(format!(
            "{protocol} host port '{port}' is mapped multiple times in task."
        ));
    }
    taken.push((port, protocol));
    Ok(())
}
