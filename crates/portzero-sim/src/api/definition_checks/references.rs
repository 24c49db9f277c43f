//! Names that must be there: containers that others depend on, volumes that are mounted. Not AWS's words but for those of
//! essential dependencies and unknown volumes.

use serde_json::Value;

use crate::api::definition_checks::members::{is_essential, is_given, list, refused, text};
use crate::model::refusal::Refusal;

pub(super) fn check(body: &Value, containers: &[Value]) -> Result<(), Refusal> {
    for container in containers {
        for dependency in list(container, "dependsOn") {
            check_dependency(dependency, containers)?;
        }
        for source in list(container, "volumesFrom") {
            named(containers, text(source, "sourceContainer").unwrap_or_default())?;
        }
        for link in list(container, "links").iter().filter_map(Value::as_str) {
            named(containers, link.split(':').next().unwrap_or_default())?;
        }
        for mount in list(container, "mountPoints") {
            let volume = text(mount, "sourceVolume").unwrap_or_default();
            let is_there = list(body, "volumes")
                .iter()
                .any(|known| text(known, "name") == Some(volume));
            if !volume.is_empty() && !is_there {
                return refused(format!("Unknown volume '{volume}'."));
            }
        }
    }
    check_order(containers)
}

fn named<'v>(containers: &'v [Value], name: &str) -> Result<&'v Value, Refusal> {
    let found = containers
        .iter()
        .find(|container| text(container, "name") == Some(name));
    found.ok_or_else(|| Refusal::new("ClientException", format!("Unknown container '{name}'.")))
}

fn check_dependency(dependency: &Value, containers: &[Value]) -> Result<(), Refusal> {
    let on = named(containers, text(dependency, "containerName").unwrap_or_default())?;
    match text(dependency, "condition") {
        Some("SUCCESS" | "COMPLETE") if is_essential(on) => {
            refused("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
        }
        Some("HEALTHY") if !is_given(on, "healthCheck") => {
            refused("A dependency container with HEALTHY condition must have a health check.")
        }
        _ => Ok(()),
    }
}

/// Containers that can be started one after the other are taken away until none is left.
fn check_order(containers: &[Value]) -> Result<(), Refusal> {
    let mut left: Vec<&Value> = containers.iter().collect();
    loop {
        let names: Vec<&str> = left.iter().filter_map(|container| text(container, "name")).collect();
        let waits = |container: &Value| {
            let mut on = list(container, "dependsOn").iter();
            on.any(|dependency| text(dependency, "containerName").is_some_and(|name| names.contains(&name)))
        };
        let before = left.len();
        left.retain(|container| waits(container));
        if left.is_empty() {
            return Ok(());
        }
        if left.len() == before {
            return refused("The containers of the task definition depend on each other in a circle.");
        }
    }
}
