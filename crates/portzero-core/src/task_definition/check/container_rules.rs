//! Rules on containers that the API's model does not state and the service enforces.

use std::collections::HashSet;

use serde_json::Value;

use crate::base::finding::{Code, Finding};
use crate::task_definition::document::{Container, Document, at};
use crate::task_definition::path::{Step, steps};

pub(crate) fn check(document: &Document) -> Vec<Finding> {
    let mut findings: Vec<Finding> = no_container(document).into_iter().collect();
    // What is no object has been refused as such, and lacks everything else.
    for container in document.containers() {
        if !container.value.is_object() {
            continue;
        }
        findings.extend(below_zero(document, container));
        findings.extend(memory(document, container));
        findings.extend(environment(document, container));
    }
    findings
}

fn no_container(document: &Document) -> Option<Finding> {
    let is_empty = document.value.get("containerDefinitions")?.as_array()?.is_empty();
    let finding = Finding::error(
        Code::InvalidValue,
        "`containerDefinitions` is empty: a task needs a container",
    );
    let path = steps!["containerDefinitions"];
    is_empty.then(|| at(finding, document.value_location(&path)))
}

fn below_zero(document: &Document, container: Container<'_>) -> Vec<Finding> {
    let name = container.name().unwrap_or("?");
    let sizes = ["cpu", "memory", "memoryReservation"].into_iter();
    let found = sizes.filter_map(|key| {
        let size = container.value.get(key)?.as_i64().filter(|size| *size < 0)?;
        let finding = Finding::error(
            Code::InvalidValue,
            format!("`{key}` of container `{name}` is below zero: {size}"),
        );
        let path = steps!["containerDefinitions", container.index, key];
        Some(at(finding, document.value_location(&path)))
    });
    found.collect()
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

/// A name that comes twice; an entry without a value.
fn environment(document: &Document, container: Container<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for list in ["environment", "secrets"] {
        let mut seen: HashSet<&str> = HashSet::new();
        for (index, entry) in container.list(list).enumerate() {
            let path = steps!["containerDefinitions", container.index, list, index];
            let Some(name) = entry.get("name").and_then(Value::as_str) else {
                continue;
            };
            findings.extend(without_value(document, entry, list, &path));
            if !seen.insert(name) {
                let finding = Finding::warning(Code::InvalidValue, format!("`{name}` is twice in `{list}`"));
                findings.push(at(finding, document.value_location(&path)));
            }
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
