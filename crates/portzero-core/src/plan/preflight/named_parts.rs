//! What the settings of the service name of its task definition has to be in the one that is deployed.

use serde_json::Value;

use crate::aws_model::service::{NamedPart, Service};
use crate::base::finding::{Code, Finding};

/// What ECS would refuse once the revision is registered.
pub(super) fn named_parts(service: &Service, document: &Value) -> Vec<Finding> {
    let mut findings: Vec<Finding> = service
        .named_parts
        .iter()
        .filter_map(|part| match part {
            NamedPart::Volume(name) => missing_volume(service, document, name),
            NamedPart::Port(name) => missing_port(service, document, name),
        })
        .collect();
    findings.extend(unconfigured_volumes(service, document));
    findings
}

fn names<'v>(items: impl Iterator<Item = &'v Value>) -> Vec<&'v str> {
    items.filter_map(|item| item.get("name")?.as_str()).collect()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The volumes that are configured when a task is launched.
fn configured_at_launch(document: &Value) -> Vec<&str> {
    let is_open = |volume: &&Value| volume.get("configuredAtLaunch") == Some(&Value::Bool(true));
    names(list(document, "volumes").filter(is_open))
}

fn missing_volume(service: &Service, document: &Value, name: &str) -> Option<Finding> {
    let volumes = configured_at_launch(document);
    (!volumes.contains(&name)).then(|| {
        let summary = format!(
            "service `{}` configures volume `{name}` at launch, and the task definition has no such volume",
            service.name
        );
        missing(
            summary,
            "Volume configuration provided but no matching configuredAtLaunch volume found in task definition.",
            &volumes,
        )
        .hint(format!(
            "declare it in `volumes`: {{\"name\": \"{name}\", \"configuredAtLaunch\": true}}"
        ))
    })
}

fn missing_port(service: &Service, document: &Value, name: &str) -> Option<Finding> {
    let containers = list(document, "containerDefinitions");
    let ports = names(containers.flat_map(|container| list(container, "portMappings")));
    (!ports.contains(&name)).then(|| {
        let summary = format!(
            "Service Connect of service `{}` leads to port `{name}`, and no port mapping of the task definition has that name",
            service.name
        );
        missing(
            summary,
            "ServiceConnect configuration is invalid: the port name does not exist in the task definition",
            &ports,
        )
        .hint(format!("write \"name\": \"{name}\" at the port mapping that is meant"))
    })
}

fn missing(summary: String, words: &str, there: &[&str]) -> Finding {
    let there = if there.is_empty() {
        "none".to_owned()
    } else {
        there.join(", ")
    };
    Finding::error(Code::DanglingReference, summary)
        .evidence("AWS", words)
        .evidence("there are", there)
        .state("nothing was changed")
}

/// A volume that nobody configures: AWS's documentation wants one configuration for it.
fn unconfigured_volumes(service: &Service, document: &Value) -> Vec<Finding> {
    let is_configured = |volume: &str| {
        let mut parts = service.named_parts.iter();
        parts.any(|part| matches!(part, NamedPart::Volume(name) if name == volume))
    };
    let open = configured_at_launch(document)
        .into_iter()
        .filter(|volume| !is_configured(volume));
    open.map(|volume| {
        let summary = format!(
            "volume `{volume}` is configured at launch, and service `{}` configures it not",
            service.name
        );
        Finding::warning(Code::DanglingReference, summary)
            .hint("give the service a volume configuration of that name first (`volumeConfigurations`)")
    })
    .collect()
}
