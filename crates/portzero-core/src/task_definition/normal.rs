//! The normal form in which two task definitions are compared: what AWS fills in, leaves out or reorders is gone.
//!
//! Defaults as DescribeTaskDefinition returns them for a task definition that was registered without (observed, 2026).

use serde_json::{Map, Value, json};

use super::document::{NetworkMode, container_maps, network_mode};
use super::empty_choice;
use super::path::element_name;
use crate::task_definition::check::model::Model;
use crate::task_definition::check::task_rules::{cpu_units, memory_mib};

/// The normal form of a task definition. Lists whose order means nothing are sorted by what their elements are called.
pub(super) fn normal(document: &Value) -> Value {
    let mut value = plain(document);
    sort(&mut value, "");
    value
}

/// The same in the order of the document: every element of a list has its old place.
pub(super) fn plain(document: &Value) -> Value {
    let mode = network_mode(document);
    let mut value = document.clone();
    empty_choice::drop_all(&mut value);
    if let Some(root) = value.as_object_mut() {
        root.retain(|key, _| !Model::bundled().output_only().contains(key));
    }
    for (_, container) in container_maps(&mut value) {
        normalise_container(container, &mode);
    }
    if let Some(root) = value.as_object_mut() {
        normalise_task(root, &mode);
    }
    strip(&mut value);
    value
}

fn normalise_task(root: &mut Map<String, Value>, mode: &NetworkMode) {
    root.insert("networkMode".to_owned(), mode.as_str().into());
    for (key, read) in [("cpu", cpu_units as fn(&str) -> Option<u64>), ("memory", memory_mib)] {
        if let Some(size) = root.get(key).and_then(Value::as_str).and_then(read) {
            root.insert(key.to_owned(), size.to_string().into());
        }
    }
    drop_default(root, "enableFaultInjection", &json!(false));
    for key in ["taskRoleArn", "executionRoleArn"] {
        drop_default(root, key, &json!(""));
    }
    for volume in entries(root, "volumes") {
        drop_default(volume, "configuredAtLaunch", &json!(false));
        if let Some(efs) = volume.get_mut("efsVolumeConfiguration").and_then(Value::as_object_mut) {
            drop_default(efs, "rootDirectory", &json!("/"));
            drop_default(efs, "transitEncryption", &json!("DISABLED"));
        }
        if let Some(docker) = volume
            .get_mut("dockerVolumeConfiguration")
            .and_then(Value::as_object_mut)
        {
            drop_default(docker, "scope", &json!("task"));
        }
    }
}

fn normalise_container(container: &mut Map<String, Value>, mode: &NetworkMode) {
    drop_default(container, "essential", &json!(true));
    drop_default(container, "cpu", &json!(0));
    drop_default(container, "versionConsistency", &json!("enabled"));
    if let Some(check) = container.get_mut("healthCheck").and_then(Value::as_object_mut) {
        drop_default(check, "interval", &json!(30));
        drop_default(check, "timeout", &json!(5));
        drop_default(check, "retries", &json!(3));
    }
    for list in ["mountPoints", "volumesFrom"] {
        for mount in entries(container, list) {
            drop_default(mount, "readOnly", &json!(false));
        }
    }
    for mapping in entries(container, "portMappings") {
        drop_default(mapping, "protocol", &json!("tcp"));
        fill_host_port(mapping, mode);
    }
}

/// Filled in and not dropped, so that a difference shows both ports: `3030 -> 0`.
fn fill_host_port(mapping: &mut Map<String, Value>, mode: &NetworkMode) {
    let Some(port) = mapping.get("containerPort").cloned() else {
        return;
    };
    let host_port = mapping.get("hostPort");
    let is_absent = host_port.is_none_or(Value::is_null);
    match mode {
        NetworkMode::Awsvpc | NetworkMode::Host if is_absent || host_port == Some(&json!(0)) => {
            mapping.insert("hostPort".to_owned(), port);
        }
        _ if is_absent => {
            mapping.insert("hostPort".to_owned(), json!(0));
        }
        _ => {}
    }
}

fn entries<'m>(map: &'m mut Map<String, Value>, list: &str) -> impl Iterator<Item = &'m mut Map<String, Value>> {
    let items = map.get_mut(list).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// A key with the value that its absence means.
fn drop_default(map: &mut Map<String, Value>, key: &str, default: &Value) {
    if map.get(key) == Some(default) {
        map.shift_remove(key);
    }
}

/// Nulls, empty lists and empty objects mean what absence means.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(strip);
            map.retain(|_, member| !is_nothing(member));
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn sort(value: &mut Value, key: &str) {
    match value {
        Value::Object(map) => {
            for (key, member) in map.iter_mut() {
                sort(member, key);
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| sort(item, key));
            if key == "requiresCompatibilities" {
                items.sort_by_key(Value::to_string);
            } else {
                // Stable: of two elements with one name the first stays the first.
                items.sort_by_cached_key(|item| element_name(key, item));
            }
        }
        _ => {}
    }
}
