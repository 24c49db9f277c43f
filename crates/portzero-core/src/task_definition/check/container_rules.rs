//! Rules on containers that the API's model does not state and the service enforces.

use std::collections::HashMap;

use serde_json::Value;

use crate::base::finding::{Code, Finding, Severity};
use crate::task_definition::document::{Container, Document, NetworkMode, at};
use crate::task_definition::path::{Step, steps};

pub(crate) fn check(document: &Document) -> Vec<Finding> {
    let mut findings = duplicate_names(document);
    for container in document.containers() {
        findings.extend(memory(document, container));
        findings.extend(links(document, container));
        findings.extend(environment(document, container));
    }
    findings.extend(secrets_without_role(document));
    findings
}

fn duplicate_names(document: &Document) -> Vec<Finding> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut findings = Vec::new();
    for container in document.containers() {
        let Some(name) = container.name() else { continue };
        if seen.insert(name, container.index).is_some() {
            let finding = Finding::error(Code::InvalidValue, format!("two containers are called `{name}`"));
            let path = steps!["containerDefinitions", container.index, "name"];
            findings.push(at(finding, document.value_location(&path)));
        }
    }
    findings
}

fn memory(document: &Document, container: Container<'_>) -> Option<Finding> {
    let name = container.name().unwrap_or("?");
    let base = steps!["containerDefinitions", container.index];
    let is_set = |value: &Value, key: &str| value.get(key).is_some_and(|value| !value.is_null());
    if !is_set(container.value, "memory")
        && !is_set(container.value, "memoryReservation")
        && !is_set(&document.value, "memory")
    {
        let finding = Finding::error(Code::MissingKey, format!("container `{name}` has no memory")).evidence(
            "AWS",
            format!(
                "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
            ),
        );
        return Some(at(finding, document.value_location(&base)));
    }
    let (hard, soft) = (container.memory()?, container.memory_reservation()?);
    if hard > soft {
        return None;
    }
    let summary = format!("`memory` of container `{name}` must be greater than `memoryReservation`: {hard} and {soft}");
    let finding = if hard == soft {
        Finding::warning(Code::InvalidValue, summary).hint("leave `memoryReservation` out where both are the same")
    } else {
        Finding::error(Code::InvalidValue, summary)
    };
    let path = [&base[..], &steps!["memoryReservation"]].concat();
    Some(at(finding, document.value_location(&path)))
}

fn links(document: &Document, container: Container<'_>) -> Option<Finding> {
    let mode = document.network_mode();
    if mode == NetworkMode::Bridge || container.list("links").next().is_none() {
        return None;
    }
    let finding = Finding::error(
        Code::InvalidValue,
        format!(
            "`links` work in network mode `bridge` only, and this one is `{}`",
            mode.as_str()
        ),
    )
    .hint("remove `links`: in this mode the task's containers reach one another on localhost");
    let path = steps!["containerDefinitions", container.index, "links"];
    Some(at(finding, document.location(&path)))
}

/// A name that comes twice, or that is a secret as well; an entry without a value.
fn environment(document: &Document, container: Container<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for list in ["environment", "secrets"] {
        for (index, entry) in container.list(list).enumerate() {
            let path = steps!["containerDefinitions", container.index, list, index];
            let Some(name) = entry.get("name").and_then(Value::as_str) else {
                continue;
            };
            findings.extend(without_value(document, entry, list, &path));
            let finding = match seen.insert(name, list) {
                None => continue,
                Some(first) if first != list => Finding::error(
                    Code::InvalidValue,
                    format!("`{name}` is both in `environment` and in `secrets`"),
                )
                .hint("keep one of them"),
                Some(_) => Finding::warning(Code::InvalidValue, format!("`{name}` is twice in `{list}`")),
            };
            findings.push(at(finding, document.value_location(&path)));
        }
    }
    findings
}

fn without_value(document: &Document, entry: &Value, list: &str, path: &[Step]) -> Option<Finding> {
    let is_valueless = list == "environment"
        && entry.get("value").is_none_or(Value::is_null)
        && entry.get("valueFrom").is_none_or(Value::is_null);
    is_valueless.then(|| {
        let finding = Finding::warning(
            Code::MissingKey,
            format!("there is no `value`: {}", document.describe(path)),
        )
        .hint("write \"\" where it is meant to be empty");
        at(finding, document.value_location(path))
    })
}

fn secrets_without_role(document: &Document) -> Option<Finding> {
    let role = document.value.get("executionRoleArn").and_then(Value::as_str);
    if role.is_some_and(|role| !role.is_empty()) {
        return None;
    }
    let container = document
        .containers()
        .into_iter()
        .find(|c| c.list("secrets").next().is_some())?;
    // On instances it is only known from AWS's message, not from the model, so a file without it is not refused there.
    let severity = if document.requires_fargate() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let name = container.name().unwrap_or("?");
    let finding = Finding::new(
        Code::MissingKey,
        severity,
        format!("`executionRoleArn` is missing: container `{name}` has `secrets`"),
    )
    .evidence(
        "AWS",
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'",
    );
    let path = steps!["containerDefinitions", container.index, "secrets"];
    Some(at(finding, document.location(&path)))
}
