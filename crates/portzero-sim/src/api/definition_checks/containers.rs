//! Each container by itself, and against the size and the roles of its task.

use serde_json::Value;

use crate::api::definition_checks::members::{is_essential, is_given, is_name, list, refused, text};
use crate::api::fargate_sizes::in_units;
use crate::model::refusal::Refusal;

pub(super) fn check(body: &Value, containers: &[Value]) -> Result<(), Refusal> {
    let mut names: Vec<&str> = Vec::new();
    for container in containers {
        let name = text(container, "name").unwrap_or_default();
        check_identity(container, name)?;
        check_memory(body, container, name)?;
        check_roles(body, container)?;
        check_health_check(container)?;
        check_variables(container)?;
        if names.contains(&name) {
            return refused(format!("Container names must be unique: '{name}'."));
        }
        names.push(name);
    }
    if !containers.iter().any(is_essential) {
        return refused("Task definition doesn't have any essential container.");
    }
    check_cpu(body, containers)
}

fn check_identity(container: &Value, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return refused("Container.name should not be null or empty.");
    }
    if !is_name(name) {
        return refused("Container.name contains invalid characters.");
    }
    if text(container, "image").unwrap_or_default().is_empty() {
        return refused("Container.image should not be null or empty.");
    }
    let image = text(container, "image").unwrap_or_default();
    if image.len() > 255 {
        return refused("Container.image should be 255 characters or less");
    }
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b"-_:./#@".contains(&b);
    if !image.bytes().all(is_known) {
        return refused("Container.image contains invalid characters.");
    }
    Ok(())
}

fn check_variables(container: &Value) -> Result<(), Refusal> {
    let names = |key: &str| list(container, key).iter().filter_map(|entry| text(entry, "name"));
    let mut shared = names("secrets").filter(|secret| names("environment").any(|name| name == *secret));
    match shared.next() {
        Some(name) => refused(format!(
            "The secret name must be unique and not shared with any new or existing environment variables set on the \
             container, such as '{name}'."
        )),
        None => Ok(()),
    }
}

fn check_cpu(body: &Value, containers: &[Value]) -> Result<(), Refusal> {
    let of_task = body.get("cpu").map(|cpu| in_units(cpu, 1024.0, &["vcpu"]));
    let of_task: Option<u64> = of_task.and_then(|cpu| cpu.as_str()?.parse().ok());
    let sum: u64 = containers.iter().filter_map(|c| c.get("cpu")?.as_u64()).sum();
    if of_task.is_some_and(|of_task| sum > of_task) {
        return refused("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.");
    }
    Ok(())
}

fn check_memory(body: &Value, container: &Value, name: &str) -> Result<(), Refusal> {
    let is_bounded = is_given(container, "memory") || is_given(container, "memoryReservation");
    if !is_bounded && !is_given(body, "memory") {
        return refused(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        ));
    }
    let of_task = body.get("memory").map(|memory| in_units(memory, 1024.0, &["gb"]));
    let of_task: Option<u64> = of_task.and_then(|memory| memory.as_str()?.parse().ok());
    let own = container.get("memory").and_then(Value::as_u64);
    let soft = container.get("memoryReservation").and_then(Value::as_u64);
    if let (Some(own), Some(soft)) = (own, soft)
        && own < soft
    {
        // Not AWS's words, which are not known.
        return refused(format!(
            "Invalid setting for container '{name}'. 'memory' must be greater than 'memoryReservation'."
        ));
    }
    if let (Some(own), Some(of_task)) = (own, of_task)
        && own > of_task
    {
        return refused(format!(
            "The 'memory' setting for container '{name}' is greater than for the task."
        ));
    }
    Ok(())
}

fn check_roles(body: &Value, container: &Value) -> Result<(), Refusal> {
    if is_given(body, "executionRoleArn") {
        return Ok(());
    }
    if !list(container, "secrets").is_empty() {
        return refused(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        );
    }
    if is_given(container, "repositoryCredentials") {
        return refused(
            "Private repository authentication requires that the task definition specify a value for executionRoleArn.",
        );
    }
    Ok(())
}

/// Not AWS's words, which are not known.
fn check_health_check(container: &Value) -> Result<(), Refusal> {
    let Some(check) = container.get("healthCheck").filter(|check| !check.is_null()) else {
        return Ok(());
    };
    match list(check, "command").first().and_then(Value::as_str) {
        Some("CMD" | "CMD-SHELL") => Ok(()),
        _ => refused("Health check command must begin with CMD or CMD-SHELL."),
    }
}
