//! What placement and networking read from the containers of a task definition.

use serde_json::Value;

/// What a task definition asks of the place where it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Needs {
    pub cpu: i64,
    pub memory: i64,
    /// The host ports that it asks for by number.
    pub fixed_ports: Vec<u16>,
    pub awsvpc: bool,
    pub fargate: bool,
}

/// One port mapping of a container. Host port 0 is a dynamic one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapping {
    pub container: String,
    pub container_port: u16,
    pub host_port: u16,
    pub protocol: String,
}

impl Needs {
    pub(crate) fn of(document: &Value) -> Needs {
        let containers = containers(document);
        let sum = |keys: [&str; 2]| -> i64 {
            containers
                .iter()
                .map(|c| {
                    keys.iter()
                        .find_map(|key| c.get(*key).and_then(Value::as_i64))
                        .unwrap_or(0)
                })
                .fold(0, i64::saturating_add)
        };
        let mode = document.get("networkMode").and_then(Value::as_str).unwrap_or("bridge");
        let awsvpc = mode == "awsvpc";
        let fixed = mappings(document)
            .into_iter()
            .map(|m| m.host_port)
            .filter(|port| *port != 0 && !awsvpc);
        let requires = document.get("requiresCompatibilities").and_then(Value::as_array);
        Needs {
            cpu: size(document.get("cpu")).unwrap_or_else(|| sum(["cpu", "cpu"])),
            // ECS places by the reservation where there is one.
            memory: size(document.get("memory")).unwrap_or_else(|| sum(["memoryReservation", "memory"])),
            fixed_ports: fixed.collect(),
            awsvpc,
            fargate: requires.is_some_and(|all| all.iter().any(|one| one == "FARGATE")),
        }
    }
}

pub(crate) fn containers(document: &Value) -> Vec<&Value> {
    document
        .get("containerDefinitions")
        .and_then(Value::as_array)
        .map(|all| all.iter().collect())
        .unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A container that the document does not mark is essential.
pub(crate) fn is_essential(document: &Value, name: &str) -> bool {
    let all = containers(document);
    let own = all.iter().find(|container| text(container, "name") == name);
    own.and_then(|container| container.get("essential")?.as_bool())
        .unwrap_or(true)
}

/// The first container that a task cannot do without: its name and its image.
pub(crate) fn first_essential(document: &Value) -> (String, String) {
    let all = containers(document);
    let first = all
        .iter()
        .find(|container| is_essential(document, text(container, "name")));
    let first = first.map(|container| (text(container, "name").to_owned(), text(container, "image").to_owned()));
    first.unwrap_or_default()
}

/// Who waits for a container in vain: one that never runs, or ends with this code. Source: the API reference of
/// ContainerDependency.
pub(crate) fn waits_in_vain(document: &Value, name: &str, exit_code: Option<i32>) -> Option<String> {
    let is_vain = |on: &&Value| {
        let needs_success = text(on, "condition") == "SUCCESS" && exit_code != Some(0);
        text(on, "containerName") == name && (exit_code.is_none() || needs_success)
    };
    let waits = |container: &&&Value| {
        let on = container.get("dependsOn").and_then(Value::as_array);
        on.is_some_and(|all| all.iter().any(|on| is_vain(&on)))
    };
    let all = containers(document);
    all.iter()
        .find(waits)
        .map(|container| text(container, "name").to_owned())
}

pub(crate) fn mappings(document: &Value) -> Vec<Mapping> {
    let host = document.get("networkMode").and_then(Value::as_str) == Some("host");
    let mut found = Vec::new();
    for container in containers(document) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        let ports = container.get("portMappings").and_then(Value::as_array);
        for mapping in ports.into_iter().flatten() {
            let number = |key: &str| {
                mapping
                    .get(key)
                    .and_then(Value::as_u64)
                    .and_then(|port| u16::try_from(port).ok())
            };
            let container_port = number("containerPort").unwrap_or(0);
            found.push(Mapping {
                container: name.to_owned(),
                container_port,
                host_port: number("hostPort").unwrap_or(if host { container_port } else { 0 }),
                protocol: mapping
                    .get("protocol")
                    .and_then(Value::as_str)
                    .unwrap_or("tcp")
                    .to_owned(),
            });
        }
    }
    found
}

/// A task size: `"1024"`, or a number.
pub(crate) fn size(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64(),
    }
}
