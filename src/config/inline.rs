//! The task definition that deployfish's keys of a service describe, as the body of RegisterTaskDefinition.

use portzero_core::base::finding::Code;
use serde_json::{Map, Value, json};

use super::container::{self, container, pairs, put, put_list};
use super::read::{Fields, Item, Problems};
use super::secrets::{Owner, secrets};

/// The keys of a service that belong to its task definition.
pub(super) const KEYS: &[&str] = &[
    "family",
    "network_mode",
    "cpu",
    "memory",
    "task_role_arn",
    "execution_role",
    "runtime_platform",
    "readonly_root_filesystem",
    "volumes",
    "placementConstraints",
    "containers",
];

/// What the service says beside it.
pub(super) struct Around<'a> {
    pub launch_type: Option<&'a str>,
    /// What deployfish adds to each container that has an environment.
    pub extra_environment: Vec<(String, String)>,
    pub owner: Owner<'a>,
}

/// Reads the task definition.
pub(super) fn task_definition(fields: &Fields<'_>, around: Around<'_>, problems: &mut Problems) -> Value {
    let Around {
        launch_type,
        extra_environment,
        owner,
    } = around;
    let is_fargate = launch_type == Some("FARGATE");
    let mut json = Map::new();
    let family = fields.require("family", problems).and_then(|item| item.name(problems));
    put(&mut json, "family", family);
    let text = |key: &str, problems: &mut Problems| fields.get(key).and_then(|item| item.name(problems));
    put(&mut json, "taskRoleArn", text("task_role_arn", problems));
    put(&mut json, "executionRoleArn", text("execution_role", problems));
    put(
        &mut json,
        "networkMode",
        Some(network_mode(fields, is_fargate, problems)),
    );
    let around = container::Around {
        is_fargate,
        has_task_memory: fields.has("memory"),
        readonly_root_filesystem: fields
            .get("readonly_root_filesystem")
            .and_then(|item| item.boolean(problems)),
        extra_environment,
        secrets: match fields.has("containers") {
            true => secrets(fields, &owner, problems),
            false => Vec::new(),
        },
    };
    let mut volumes = volumes(fields, problems);
    let containers = fields.require("containers", problems);
    let items = containers.as_ref().map(|item| item.list(problems)).unwrap_or_default();
    if let Some(item) = &containers
        && item.is_list()
        && items.is_empty()
    {
        item.invalid("a task needs a container", problems);
    }
    let definitions: Vec<Value> = items
        .iter()
        .filter_map(|item| container(item, &around, &mut volumes, problems))
        .collect();
    put(&mut json, "containerDefinitions", Some(definitions));
    put_list(&mut json, "volumes", volumes);
    put_list(
        &mut json,
        "placementConstraints",
        placement_constraints(fields, problems),
    );
    put_list(&mut json, "requiresCompatibilities", launch_type.into_iter().collect());
    sizes(fields, is_fargate, &mut json, problems);
    put(&mut json, "runtimePlatform", runtime_platform(fields, problems));
    Value::Object(json)
}

/// The size of the task.
fn sizes(fields: &Fields<'_>, is_fargate: bool, json: &mut Map<String, Value>, problems: &mut Problems) {
    for key in ["cpu", "memory"] {
        // The API takes the task's size as text.
        let size = fields.get(key).and_then(|item| item.whole(u32::MAX, problems));
        put(json, key, size.map(|size| size.to_string()));
        if is_fargate && !fields.has(key) {
            let summary = format!(
                "{}: `{key}` is missing: Fargate wants the size of the task",
                fields.path
            );
            problems.error(Code::MissingKey, fields.place, summary);
        }
    }
}

/// deployfish's default is bridge; Fargate has only awsvpc.
fn network_mode(fields: &Fields<'_>, is_fargate: bool, problems: &mut Problems) -> String {
    const MODES: [&str; 4] = ["bridge", "host", "awsvpc", "none"];
    let default = if is_fargate { "awsvpc" } else { "bridge" };
    let Some(item) = fields.get("network_mode") else {
        return default.to_owned();
    };
    match item.text(problems) {
        Some(mode) if MODES.contains(&mode) => mode.to_owned(),
        Some(_) => {
            item.expected(&format!("one of {}", MODES.join(", ")), problems);
            default.to_owned()
        }
        None => default.to_owned(),
    }
}

fn volumes(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Value> {
    let items = fields
        .get("volumes")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    items.iter().filter_map(|item| volume(item, problems)).collect()
}

fn volume(item: &Item<'_>, problems: &mut Problems) -> Option<Value> {
    const KINDS: [&str; 3] = ["path", "config", "efs_config"];
    let map = item.map(problems)?;
    map.check_keys(&["name", "path", "config", "efs_config"], &[], problems);
    let mut json = Map::new();
    let name = map.require("name", problems).and_then(|item| item.name(problems));
    put(&mut json, "name", name);
    if KINDS.iter().filter(|kind| map.has(kind)).count() > 1 {
        item.invalid("only one of path, config and efs_config can be given", problems);
    }
    if let Some(path) = map.get("path").and_then(|item| item.name(problems)) {
        put(&mut json, "host", Some(json!({"sourcePath": path})));
    }
    if let Some(config) = map.get("config").and_then(|item| item.map(problems)) {
        put(
            &mut json,
            "dockerVolumeConfiguration",
            Some(docker_volume(&config, problems)),
        );
    }
    if let Some(efs) = map.get("efs_config").and_then(|item| item.map(problems)) {
        efs.check_keys(&["file_system_id", "root_directory"], &[], problems);
        let mut inner = Map::new();
        let id = efs
            .require("file_system_id", problems)
            .and_then(|item| item.name(problems));
        put(&mut inner, "fileSystemId", id);
        let root = efs.get("root_directory").and_then(|item| item.name(problems));
        put(&mut inner, "rootDirectory", root);
        put(&mut json, "efsVolumeConfiguration", Some(inner));
    }
    Some(Value::Object(json))
}

fn docker_volume(config: &Fields<'_>, problems: &mut Problems) -> Value {
    config.check_keys(
        &["scope", "autoprovision", "driver", "driverOpts", "labels"],
        &[],
        problems,
    );
    let mut json = Map::new();
    for key in ["scope", "driver"] {
        put(&mut json, key, config.get(key).and_then(|item| item.name(problems)));
    }
    let autoprovision = config.get("autoprovision").and_then(|item| item.boolean(problems));
    put(&mut json, "autoprovision", autoprovision);
    for key in ["driverOpts", "labels"] {
        let map = config.get(key).map(|item| pairs(&item, problems));
        let map: Option<Map<String, Value>> = map.map(|pairs| pairs.into_iter().map(|(k, v)| (k, v.into())).collect());
        put(&mut json, key, map);
    }
    Value::Object(json)
}

fn placement_constraints(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Value> {
    let items = fields
        .get("placementConstraints")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    let mut constraints = Vec::new();
    for item in &items {
        let Some(map) = item.map(problems) else { continue };
        map.check_keys(&["type", "expression"], &[], problems);
        let mut json = Map::new();
        put(
            &mut json,
            "type",
            map.require("type", problems).and_then(|item| item.name(problems)),
        );
        put(
            &mut json,
            "expression",
            map.get("expression").and_then(|item| item.name(problems)),
        );
        constraints.push(Value::Object(json));
    }
    constraints
}

fn runtime_platform(fields: &Fields<'_>, problems: &mut Problems) -> Option<Value> {
    let map = fields.get("runtime_platform")?.map(problems)?;
    map.check_keys(&["cpu_architecture", "operating_system_family"], &[], problems);
    let mut text = |key: &str, default: &str| {
        map.get(key)
            .and_then(|item| item.name(problems))
            .unwrap_or(default)
            .to_owned()
    };
    let (cpu, system) = (
        text("cpu_architecture", "X86_64"),
        text("operating_system_family", "LINUX"),
    );
    Some(json!({"cpuArchitecture": cpu, "operatingSystemFamily": system}))
}
