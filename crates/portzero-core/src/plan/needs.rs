//! What one new task asks of an instance.

use serde_json::Value;

use crate::rollout::{ContainerFacts, FixedPort, Needs};
use crate::task_definition::{Container, Document, NetworkMode, cpu_units, memory_mib};

/// What one task takes of an instance: the task's own figures, else the sum over its containers.
pub fn needs(document: &Value) -> Needs {
    let document = Document::from_value(document.clone(), "");
    let sum = |of: fn(&Container<'_>) -> u64| -> i64 {
        i64::try_from(document.containers().iter().map(of).sum::<u64>()).unwrap_or(i64::MAX)
    };
    let task_level = |key: &str, in_units: fn(&str) -> Option<u64>| {
        let text = document.value().get(key).and_then(Value::as_str)?;
        i64::try_from(in_units(text)?).ok()
    };
    let mut needs = Needs {
        cpu: task_level("cpu", cpu_units).unwrap_or_else(|| sum(|c| c.cpu().unwrap_or(0))),
        // ECS reserves the soft limit where there is one.
        memory: task_level("memory", memory_mib)
            .unwrap_or_else(|| sum(|c| c.memory_reservation().or(c.memory()).unwrap_or(0))),
        containers: ContainerFacts::of(document.value()),
        execution_role: document
            .value()
            .get("executionRoleArn")
            .and_then(Value::as_str)
            .map(str::to_owned),
        constraints: constraints(document.value()),
        ..Needs::default()
    };
    for container in document.containers() {
        for mapping in container.port_mappings() {
            let port = mapping.host_port().filter(|p| *p > 0);
            let port = port.filter(|_| document.network_mode() != NetworkMode::Awsvpc);
            needs.fixed_ports.extend(port.map(|host_port| FixedPort {
                host_port,
                container: container.name().unwrap_or_default().to_owned(),
                container_port: mapping.container_port().unwrap_or_default(),
            }));
        }
    }
    needs
}

/// `memberOf(attribute:ecs.os-type == linux)`, for each placement constraint of the definition.
fn constraints(document: &Value) -> Vec<String> {
    let all = document.get("placementConstraints").and_then(Value::as_array);
    let text = |constraint: &Value, key: &str| constraint.get(key).and_then(Value::as_str).map(str::to_owned);
    all.into_iter()
        .flatten()
        .filter_map(|one| Some(format!("{}({})", text(one, "type")?, text(one, "expression")?)))
        .collect()
}
