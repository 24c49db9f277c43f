//! Names inside a task definition that must be there: links, dependencies, volumes, the proxy's container.

use serde_json::Value;

use super::document::{Document, list};
use super::path::{Step, steps};
use crate::base::finding::{Code, Finding};
use crate::base::text::most_alike;
use crate::task_definition::document::at;

pub(super) fn check(document: &Document) -> Vec<Finding> {
    let containers: Vec<&str> = document.containers().iter().filter_map(|c| c.name()).collect();
    let volumes: Vec<&str> = list(&document.value, "volumes")
        .iter()
        .filter_map(|volume| volume.get("name")?.as_str())
        .collect();
    let mut findings = Vec::new();
    let mut look = |path: Vec<Step>, name: &str, what: &str, names: &[&str]| {
        if !names.contains(&name) {
            findings.push(dangling(document, &path, name, what, names));
        }
    };
    for container in document.containers() {
        let base = steps!["containerDefinitions", container.index];
        for (index, link) in container.list("links").enumerate() {
            if let Some(link) = link.as_str() {
                let name = link.split_once(':').map_or(link, |(name, _)| name);
                look(below(&base, &steps!["links", index]), name, "container", &containers);
            }
        }
        for (key, field, what) in REFERENCES {
            let names = if *what == "volume" { &volumes } else { &containers };
            for (index, entry) in container.list(key).enumerate() {
                if let Some(name) = entry.get(*field).and_then(Value::as_str) {
                    look(below(&base, &steps![*key, index, *field]), name, what, names);
                }
            }
        }
    }
    let proxy = document
        .value
        .get("proxyConfiguration")
        .and_then(|proxy| proxy.get("containerName"));
    if let Some(name) = proxy.and_then(Value::as_str) {
        look(
            steps!["proxyConfiguration", "containerName"].to_vec(),
            name,
            "container",
            &containers,
        );
    }
    findings
}

/// List of a container, key in its entries, what that key names.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("dependsOn", "containerName", "container"),
    ("volumesFrom", "sourceContainer", "container"),
    ("mountPoints", "sourceVolume", "volume"),
];

fn below(base: &[Step], rest: &[Step]) -> Vec<Step> {
    [base, rest].concat()
}

fn dangling(document: &Document, path: &[Step], name: &str, what: &str, names: &[&str]) -> Finding {
    let summary = format!("there is no {what} `{name}`: {}", document.describe(path));
    let finding = Finding::error(Code::DanglingReference, summary);
    let finding = match most_alike(name, names.iter().copied()) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => finding.evidence(format!("{what}s"), "none"),
        None => finding.evidence(format!("{what}s"), names.join(", ")),
    };
    at(finding, document.value_location(path))
}
