//! What AWS refuses of a task definition (aws-facts 1.2; the words are those of public reports). What its documentation rules
//! out, and nobody has shown a refusal of, is taken as AWS may take it.

mod containers;
mod fargate;
mod logging;
mod members;
mod network;
mod references;

use serde_json::Value;

use crate::api::definition_checks::members::{is_name, list, refused, text};
use crate::model::refusal::Refusal;

/// What AWS takes of one request, in bytes.
const LENGTH_MAX: usize = 65_536;

/// The most containers of one task (ECS's service quotas, which for this one cannot be raised).
const CONTAINERS_MAX: usize = 10;

pub(crate) fn check(body: &Value) -> Result<(), Refusal> {
    let length = body.to_string().len();
    if length > LENGTH_MAX {
        return refused(format!(
            "Actual length: '{length}'. Max allowed length is '{LENGTH_MAX}' bytes."
        ));
    }
    check_family(body)?;
    let containers = list(body, "containerDefinitions");
    if containers.is_empty() {
        return refused("Container list cannot be empty.");
    }
    if containers.len() > CONTAINERS_MAX {
        return refused("Too many containers.");
    }
    let mode = text(body, "networkMode").unwrap_or("bridge");
    if !["bridge", "host", "awsvpc", "none"].contains(&mode) {
        return refused(format!("Invalid network mode '{mode}'."));
    }
    fargate::check(body, containers, mode)?;
    containers::check(body, containers)?;
    network::check(containers, mode)?;
    logging::check(containers)?;
    references::check(body, containers)?;
    check_tags(body)
}

fn check_family(body: &Value) -> Result<(), Refusal> {
    let family = text(body, "family").unwrap_or_default();
    if family.is_empty() {
        return refused("Family should not be null or empty.");
    }
    if !is_name(family) {
        return refused("Family contains invalid characters.");
    }
    Ok(())
}

fn check_tags(body: &Value) -> Result<(), Refusal> {
    let mut keys = list(body, "tags").iter().filter_map(|tag| text(tag, "key"));
    if keys.any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return refused("Tag key must not start with aws:");
    }
    Ok(())
}
