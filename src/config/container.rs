//! One of deployfish's `containers:`, made into a container definition of RegisterTaskDefinition.

use portzero_core::base::finding::Code;
use serde_json::{Map, Value, json};

use super::ports::port_mapping;
use super::read::{Fields, Item, Problems};
use super::words;

const KEYS: &[&str] = &[
    "name",
    "image",
    "essential",
    "cpu",
    "memory",
    "memoryReservation",
    "ports",
    "command",
    "entrypoint",
    "environment",
    "links",
    "volumes",
    "dockerLabels",
    "labels",
    "ulimits",
    "logging",
    "extra_hosts",
    "cap_add",
    "cap_drop",
    "tmpfs",
];

/// deployfish's default on EC2, in units of 1/1024 vCPU.
const CPU_ON_EC2: u32 = 256;

/// What the stanza around the container says about all of them.
pub(super) struct Around {
    pub is_fargate: bool,
    pub has_task_memory: bool,
    pub readonly_root_filesystem: Option<bool>,
    /// What deployfish adds to every environment that is there at all.
    pub extra_environment: Vec<(String, String)>,
    /// Of `config:`.
    pub secrets: Vec<Value>,
}

/// Reads one container. Host paths that it mounts become volumes of the task, put into `volumes`.
pub(super) fn container(
    item: &Item<'_>,
    around: &Around,
    volumes: &mut Vec<Value>,
    problems: &mut Problems,
) -> Option<Value> {
    let fields = item.map(problems)?;
    fields.check_keys(KEYS, &[], problems);
    let mut json = Map::new();
    for key in ["name", "image"] {
        let text = fields.require(key, problems).and_then(|item| item.name(problems));
        put(&mut json, key, text);
    }
    resources(&fields, around, &mut json, problems);
    put_list(&mut json, "links", texts(&fields, "links", problems));
    put_list(&mut json, "portMappings", ports(&fields, problems));
    let essential = fields.get("essential").and_then(|item| item.boolean(problems));
    put(&mut json, "essential", Some(essential.unwrap_or(true)));
    put(&mut json, "entryPoint", command(&fields, "entrypoint", problems));
    put(&mut json, "command", command(&fields, "command", problems));
    environment(&fields, around, &mut json, problems);
    put_list(&mut json, "secrets", around.secrets.clone());
    put_list(&mut json, "mountPoints", mount_points(&fields, volumes, problems));
    labels(&fields, &mut json, problems);
    put_list(&mut json, "ulimits", ulimits(&fields, problems));
    put(&mut json, "logConfiguration", logging(&fields, problems));
    put_list(&mut json, "extraHosts", extra_hosts(&fields, problems));
    put(&mut json, "linuxParameters", linux_parameters(&fields, problems));
    put(&mut json, "readonlyRootFilesystem", around.readonly_root_filesystem);
    Some(Value::Object(json))
}

pub(super) fn put(json: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        json.insert(key.to_owned(), value.into());
    }
}

pub(super) fn put_list(json: &mut Map<String, Value>, key: &str, values: Vec<impl Into<Value>>) {
    if !values.is_empty() {
        json.insert(key.to_owned(), values.into_iter().map(Into::into).collect());
    }
}

/// A map of texts, or a list of `NAME=VALUE`; the value's text is kept as it is. Values are never shown.
pub(super) fn pairs(item: &Item<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let item = item.clone().secret();
    if item.is_list() {
        let mut pairs = Vec::new();
        for entry in item.list(problems) {
            let Some(pair) = entry.text(problems) else { continue };
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name.trim().is_empty() {
                entry.invalid("the name before the `=` is empty", problems);
            }
            pairs.push((name.to_owned(), value.to_owned()));
        }
        return pairs;
    }
    let Some(fields) = item.map(problems) else {
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for (name, entry) in fields.items() {
        if name.trim().is_empty() {
            item.at(entry.node).invalid("a name in it is empty", problems);
        }
        let text = entry.text(problems).map(str::to_owned);
        pairs.extend(text.map(|text| (name.to_owned(), text)));
    }
    pairs
}

fn texts(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Vec<String> {
    fields.get(key).map(|item| item.texts(problems)).unwrap_or_default()
}

fn resources(fields: &Fields<'_>, around: &Around, json: &mut Map<String, Value>, problems: &mut Problems) {
    let mut number = |key: &str| fields.get(key).and_then(|item| item.whole(u32::MAX, problems));
    let (cpu, memory, reservation) = (number("cpu"), number("memory"), number("memoryReservation"));
    let default = (!around.is_fargate && !fields.has("cpu")).then_some(CPU_ON_EC2);
    put(json, "cpu", cpu.or(default));
    put(json, "memory", memory);
    put(json, "memoryReservation", reservation);
    let says_none = !fields.has("memory") && !fields.has("memoryReservation");
    if says_none && !around.is_fargate && !around.has_task_memory {
        let summary = format!(
            "{}: `memory` is missing (MiB; ECS wants it here or for the task)",
            fields.path
        );
        problems.error(Code::MissingKey, fields.place, summary);
    }
    if let (Some(memory), Some(reservation), Some(item)) = (memory, reservation, fields.get("memoryReservation"))
        && reservation >= memory
    {
        item.invalid(&format!("it must be below `memory`, which is {memory}"), problems);
    }
}

fn ports(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Value> {
    let items = fields.get("ports").map(|item| item.list(problems)).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.word(port_mapping, problems))
        .collect()
}

/// A list of words, or one text that is cut into words as a shell does.
fn command(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<Vec<String>> {
    let item = fields.get(key)?;
    if item.is_list() {
        return Some(item.texts(problems));
    }
    match words::split(item.text(problems)?) {
        Ok(words) => Some(words),
        Err(why) => {
            item.invalid(why, problems);
            None
        }
    }
}

fn environment(fields: &Fields<'_>, around: &Around, json: &mut Map<String, Value>, problems: &mut Problems) {
    let Some(item) = fields.get("environment") else {
        return;
    };
    let given = pairs(&item, problems);
    if let Some((name, _)) = repeated(&given) {
        item.invalid(&format!("{name} is there twice"), problems);
    }
    let extra = around
        .extra_environment
        .iter()
        .filter(|(name, _)| given.iter().all(|(other, _)| other != name));
    let entries: Vec<Value> = given
        .iter()
        .chain(extra)
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    put_list(json, "environment", entries);
}

fn repeated(pairs: &[(String, String)]) -> Option<&(String, String)> {
    pairs
        .iter()
        .enumerate()
        .find(|(index, (name, _))| pairs.iter().take(*index).any(|(other, _)| other == name))
        .map(|(_, pair)| pair)
}

/// `VOLUME:/in/container[:ro]` or `/on/the/host:/in/container[:ro]`.
fn mount_points(fields: &Fields<'_>, volumes: &mut Vec<Value>, problems: &mut Problems) -> Vec<Value> {
    let items = fields
        .get("volumes")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    let mut mounts = Vec::new();
    for item in &items {
        let Some(text) = item.text(problems) else { continue };
        let (source, path, read_only) = match text.split(':').collect::<Vec<_>>().as_slice() {
            [source, path] => (*source, *path, false),
            [source, path, "ro"] => (*source, *path, true),
            [source, path, "rw"] => (*source, *path, false),
            _ => ("", "", false),
        };
        if source.is_empty() || !path.starts_with('/') {
            item.expected(
                "VOLUME:/path/in/the/container, with `:ro` where it is read only",
                problems,
            );
            continue;
        }
        let name = match source.starts_with('/') {
            true => host_volume(source, volumes),
            false => source.to_owned(),
        };
        mounts.push(json!({"sourceVolume": name, "containerPath": path, "readOnly": read_only}));
    }
    mounts
}

/// The task's volume for a path of the host, named after it as deployfish does.
fn host_volume(path: &str, volumes: &mut Vec<Value>) -> String {
    let name: String = path
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
            _ => '_',
        })
        .collect();
    if volumes.iter().all(|volume| volume["name"] != name.as_str()) {
        volumes.push(json!({"name": name, "host": {"sourcePath": path}}));
    }
    name
}

fn labels(fields: &Fields<'_>, json: &mut Map<String, Value>, problems: &mut Problems) {
    if let Some(item) = fields.get("dockerLabels").or_else(|| fields.get("labels")) {
        let labels: Map<String, Value> = pairs(&item, problems)
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        put(json, "dockerLabels", Some(labels));
    }
}

fn ulimits(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Value> {
    let Some(map) = fields.get("ulimits").and_then(|item| item.map(problems)) else {
        return Vec::new();
    };
    let mut limits = Vec::new();
    for (name, item) in map.items() {
        let (soft, hard) = if item.is_map() {
            let Some(both) = item.map(problems) else { continue };
            both.check_keys(&["soft", "hard"], &[], problems);
            let mut limit = |key: &str| {
                both.require(key, problems)
                    .and_then(|item| item.whole(u32::MAX, problems))
            };
            (limit("soft"), limit("hard"))
        } else {
            let limit = item.whole(u32::MAX, problems);
            (limit, limit)
        };
        if let (Some(soft), Some(hard)) = (soft, hard) {
            limits.push(json!({"name": name, "softLimit": soft, "hardLimit": hard}));
        }
    }
    limits
}

fn logging(fields: &Fields<'_>, problems: &mut Problems) -> Option<Value> {
    let map = fields.get("logging")?.map(problems)?;
    map.check_keys(&["driver", "options"], &[], problems);
    let mut json = Map::new();
    let driver = map.require("driver", problems).and_then(|item| item.name(problems));
    put(&mut json, "logDriver", driver);
    if let Some(options) = map.get("options") {
        let options: Map<String, Value> = pairs(&options, problems)
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        put(&mut json, "options", Some(options));
    }
    Some(Value::Object(json))
}

fn extra_hosts(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Value> {
    let items = fields
        .get("extra_hosts")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    let mut hosts = Vec::new();
    for item in &items {
        match item.text(problems).map(|text| text.split_once(':')) {
            Some(Some((name, address))) if !name.is_empty() && !address.is_empty() => {
                hosts.push(json!({"hostname": name, "ipAddress": address}));
            }
            Some(_) => item.expected("HOST:ADDRESS", problems),
            None => {}
        }
    }
    hosts
}

fn linux_parameters(fields: &Fields<'_>, problems: &mut Problems) -> Option<Value> {
    let mut capabilities = Map::new();
    put_list(&mut capabilities, "add", texts(fields, "cap_add", problems));
    put_list(&mut capabilities, "drop", texts(fields, "cap_drop", problems));
    let mut json = Map::new();
    put(
        &mut json,
        "capabilities",
        (!capabilities.is_empty()).then_some(capabilities),
    );
    put_list(&mut json, "tmpfs", tmpfs(fields, problems));
    (!json.is_empty()).then_some(Value::Object(json))
}

fn tmpfs(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Value> {
    let items = fields.get("tmpfs").map(|item| item.list(problems)).unwrap_or_default();
    let mut mounts = Vec::new();
    for item in &items {
        let Some(map) = item.map(problems) else { continue };
        map.check_keys(&["container_path", "size", "mount_options"], &[], problems);
        let mut json = Map::new();
        let path = map
            .require("container_path", problems)
            .and_then(|item| item.name(problems));
        put(&mut json, "containerPath", path);
        let size = map
            .require("size", problems)
            .and_then(|item| item.whole(u32::MAX, problems));
        put(&mut json, "size", size);
        put_list(&mut json, "mountOptions", texts(&map, "mount_options", problems));
        mounts.push(Value::Object(json));
    }
    mounts
}
