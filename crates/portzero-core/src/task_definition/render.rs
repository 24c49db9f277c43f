//! From the user's document to the one that is registered: what was asked for, and nothing else, is changed.

use serde_json::{Map, Value};

use super::document::{Container, Document, container_maps};
use super::host_port::{DynamicPorts, LoadBalancedPort};
use super::image::ImageChange;
use super::{empty_choice, host_port, image};
use crate::base::finding::{Code, Finding, Severity};
use crate::task_definition::change::{Change, EnvironmentChange};
use crate::task_definition::check::model::Model;
use crate::task_definition::check::{placeholder, port_rules, refusals};

/// What the document is to be changed in before it is registered.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions<'a> {
    /// Images of containers.
    pub images: &'a [ImageChange],
    /// Environment variables of containers.
    pub environment: &'a [EnvironmentChange],
    /// Which host ports ECS is to pick.
    pub dynamic_ports: DynamicPorts,
    /// The ports that load balancers lead to.
    pub load_balanced: &'a [LoadBalancedPort],
}

/// A task definition ready to be registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// What is registered.
    pub document: Value,
    /// Every difference to what the user wrote, in the order in which it was made.
    pub changes: Vec<Change>,
    /// Warnings and notes about what will be registered.
    pub findings: Vec<Finding>,
}

/// Puts in images and environment values, drops output-only keys and nulls, and makes host ports dynamic.
///
/// Errors are refusals: an image or a load-balanced port without a container, a placeholder that is left in an image, and
/// whatever AWS would refuse of the result.
pub fn render(document: &Document, options: &RenderOptions<'_>) -> Result<Rendered, Vec<Finding>> {
    let Some(root) = document.value.as_object() else {
        let summary = format!("`{}` is no task definition", document.file);
        return Err(vec![Finding::error(Code::NotATaskDefinition, summary)]);
    };
    let mut errors = port_rules::check(document);
    errors.extend(host_port::check_load_balanced(document, options.load_balanced));
    errors.extend(check_environment(document, options.environment));
    let images = image::assign(document, options.images).unwrap_or_else(|findings| {
        errors.extend(findings);
        Vec::new()
    });
    if !errors.is_empty() {
        return Err(errors);
    }

    let mut root = root.clone();
    let mut changes = drop_keys(&mut root);
    let mut value = Value::Object(root);
    changes.extend(empty_choice::drop_all(&mut value).into_iter().map(|path| Change {
        path,
        what: "dropped: it is empty, which means the same as an absent key".to_owned(),
    }));
    changes.extend(drop_nulls(&mut value));
    changes.extend(image::apply(&mut value, &images));
    changes.extend(set_environment(&mut value, options.environment));
    changes.extend(host_port::apply(
        &mut value,
        options.dynamic_ports,
        options.load_balanced,
    ));

    let mut findings = placeholder::check_rendered(document, &value);
    findings.extend(refusals::check(document, &value));
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    findings.extend(port_rules::notes(&value, options.load_balanced, document));
    Ok(Rendered {
        document: value,
        changes,
        findings,
    })
}

/// Output-only keys, and keys that say nothing and that AWS refuses.
fn drop_keys(root: &mut Map<String, Value>) -> Vec<Change> {
    let output_only = Model::bundled().output_only();
    let mut changes = Vec::new();
    root.retain(|key, value| {
        let reason = match value {
            Value::Null => return true,
            _ if output_only.contains(key) => "AWS writes it, and does not take it back",
            Value::Array(list) if key == "tags" && list.is_empty() => "it holds no tag",
            Value::String(text) if text.is_empty() && (key == "taskRoleArn" || key == "executionRoleArn") => {
                "it names no role"
            }
            _ => return true,
        };
        changes.push(Change {
            path: key.clone(),
            what: format!("dropped: {reason}"),
        });
        false
    });
    changes
}

/// A null is an absent key. In a list it would be an element, so there it stays (and the check refuses it).
fn drop_nulls(value: &mut Value) -> Option<Change> {
    fn count(value: &mut Value) -> usize {
        match value {
            Value::Object(map) => {
                let before = map.len();
                map.retain(|_, member| !member.is_null());
                before - map.len() + map.values_mut().map(count).sum::<usize>()
            }
            Value::Array(items) => items.iter_mut().map(count).sum(),
            _ => 0,
        }
    }
    let dropped = count(value);
    let what = match dropped {
        0 => return None,
        1 => "dropped: 1 null, which means the same as an absent key".to_owned(),
        _ => format!("dropped: {dropped} nulls, which mean the same as absent keys"),
    };
    Some(Change {
        path: String::new(),
        what,
    })
}

fn check_environment(document: &Document, changes: &[EnvironmentChange]) -> Vec<Finding> {
    let containers = document.containers();
    let check = |change: &EnvironmentChange| {
        let Some(container) = containers.iter().find(|c| c.name() == Some(&change.container)) else {
            return Some(image::unknown_container(&containers, &change.container));
        };
        is_secret(container, &change.name).then(|| {
            Finding::error(
                Code::InvalidValue,
                format!(
                    "`{}` of container `{}` is a secret already",
                    change.name, change.container
                ),
            )
            .evidence("AWS", "a name is either in `environment` or in `secrets`")
        })
    };
    changes.iter().filter_map(check).collect()
}

fn is_secret(container: &Container<'_>, name: &str) -> bool {
    container
        .list("secrets")
        .any(|secret| secret.get("name").and_then(Value::as_str) == Some(name))
}

fn set_environment(root: &mut Value, wanted: &[EnvironmentChange]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (_, container) in container_maps(root) {
        let Some(container_name) = container.get("name").and_then(Value::as_str).map(str::to_owned) else {
            continue;
        };
        for change in wanted.iter().filter(|change| change.container == container_name) {
            let list = container
                .entry("environment")
                .or_insert_with(|| Value::Array(Vec::new()));
            let Some(list) = list.as_array_mut() else { continue };
            if let Some(what) = set_variable(list, change) {
                changes.push(Change {
                    path: format!("containerDefinitions[{container_name}].environment[{}]", change.name),
                    what: format!("{what} (value hidden)"),
                });
            }
        }
    }
    changes
}

fn set_variable(list: &mut Vec<Value>, change: &EnvironmentChange) -> Option<&'static str> {
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str) == Some(&change.name);
    // The last one of a name is the one that counts.
    match list
        .iter_mut()
        .rev()
        .find(|entry| name(entry))
        .and_then(Value::as_object_mut)
    {
        Some(entry) => {
            let value = Value::from(change.value.as_str());
            (entry.insert("value".to_owned(), value.clone()) != Some(value)).then_some("changed")
        }
        None => {
            list.push(serde_json::json!({"name": change.name, "value": change.value}));
            Some("added")
        }
    }
}
