//! RegisterTaskDefinition and its kin: AWS's validations (aws-facts 1.2) and the defaults that it fills in (6.1).

use serde_json::{Map, Value, json};

use crate::api::fargate_sizes::in_units;
use crate::api::{fargate_sizes, task_definition_keys};
use crate::model::refusal::Refusal;
use crate::model::state::{TaskDefinition, short};
use crate::world::World;

/// Ports that the ECS agent and Docker keep for themselves.
const RESERVED_PORTS: &[u64] = &[22, 2375, 2376, 51_678, 51_679, 51_680];

impl World {
    /// Registers a revision: the number after the family's newest, also where that one is INACTIVE.
    pub fn register_task_definition(&mut self, body: &Value) -> Result<TaskDefinition, Refusal> {
        self.register_at(body, None)
    }

    /// The same under a given number, which leaves the numbers below it to revisions that are INACTIVE.
    pub(crate) fn register_at(&mut self, body: &Value, number: Option<u64>) -> Result<TaskDefinition, Refusal> {
        validate(body)?;
        let family = body
            .get("family")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let head = format!(
            "arn:aws:ecs:{}:{}:task-definition/{family}",
            self.account.region, self.account.id
        );
        let now = self.now;
        let by = format!("arn:aws:iam::{}:user/example", self.account.id);
        let kept = task_definition_keys::kept(body, &self.newer_keys);
        let revisions = self.account.task_definitions.entry(family.clone()).or_default();
        let made = |revision: u64, status: &str| {
            let arn = format!("{head}:{revision}");
            TaskDefinition {
                document: filled_in(&kept, &arn, revision, status, now.as_secs_f64(), &by),
                arn,
                family: family.clone(),
                revision,
                status: status.to_owned(),
                tags: body.get("tags").and_then(Value::as_array).cloned().unwrap_or_default(),
                registered_at: now,
            }
        };
        let newest = u64::try_from(revisions.len()).unwrap_or(u64::MAX);
        let revision = number.unwrap_or(0).max(newest + 1);
        for earlier in newest + 1..revision {
            // The revisions before a service's first one are there, so that numbers mean what they say.
            revisions.push(made(earlier, "INACTIVE"));
        }
        let registered = made(revision, "ACTIVE");
        revisions.push(registered.clone());
        Ok(registered)
    }

    /// By ARN, `family:revision`, or `family` (the newest ACTIVE revision).
    pub fn describe_task_definition(&self, reference: &str) -> Result<&TaskDefinition, Refusal> {
        self.definition(reference)
            .ok_or_else(|| Refusal::new("ClientException", "Unable to describe task definition."))
    }

    /// Makes a revision INACTIVE: services that run it go on.
    pub fn deregister_task_definition(&mut self, reference: &str) -> Result<TaskDefinition, Refusal> {
        let missing = || Refusal::new("ClientException", "The specified task definition does not exist.");
        let (family, number) = short(reference)
            .rsplit_once(':')
            .ok_or_else(|| Refusal::new("ClientException", "Task definition must be specified with a revision."))?;
        let number: u64 = number.parse().map_err(|_| missing())?;
        let now = self.now.as_secs_f64();
        let revisions = self.account.task_definitions.get_mut(family).ok_or_else(missing)?;
        let found = revisions
            .iter_mut()
            .find(|d| d.revision == number)
            .ok_or_else(missing)?;
        found.status = "INACTIVE".into();
        if let Some(document) = found.document.as_object_mut() {
            document.insert("status".into(), "INACTIVE".into());
            document.insert("deregisteredAt".into(), json!(now));
        }
        Ok(found.clone())
    }

    pub(crate) fn definition(&self, reference: &str) -> Option<&TaskDefinition> {
        let name = short(reference);
        match name.rsplit_once(':') {
            Some((family, number)) => {
                let number: u64 = number.parse().ok()?;
                self.account
                    .task_definitions
                    .get(family)?
                    .iter()
                    .find(|d| d.revision == number)
            }
            None => self
                .account
                .task_definitions
                .get(name)?
                .iter()
                .rev()
                .find(|d| d.status == "ACTIVE"),
        }
    }
}

fn refused(message: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal::new("ClientException", message))
}

fn validate(body: &Value) -> Result<(), Refusal> {
    let family = body.get("family").and_then(Value::as_str).unwrap_or_default();
    if family.is_empty() {
        return refused("Family should not be null or empty.");
    }
    if family.len() > 255
        || !family
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    {
        return refused(format!(
            "Invalid family name '{family}'. Up to 255 letters (uppercase and lowercase), numbers, hyphens, and underscores are allowed."
        ));
    }
    let containers = body
        .get("containerDefinitions")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if containers.is_empty() {
        return refused("Container list cannot be empty.");
    }
    let mode = body.get("networkMode").and_then(Value::as_str).unwrap_or("bridge");
    if !["bridge", "host", "awsvpc", "none"].contains(&mode) {
        return refused(format!("Invalid network mode '{mode}'."));
    }
    let fargate = requires_fargate(body);
    if fargate && mode != "awsvpc" {
        return refused("Fargate only supports network mode ‘awsvpc’.");
    }
    if fargate && (body.get("cpu").is_none() || body.get("memory").is_none()) {
        return refused("Fargate requires that 'cpu' be defined at the task level.");
    }
    if let Some(words) = fargate_sizes::refusal(body).filter(|_| fargate) {
        return refused(words);
    }
    let mut names: Vec<&str> = Vec::new();
    let mut ports: Vec<(u64, &str, &str)> = Vec::new();
    for container in containers {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        validate_container(body, container, name)?;
        if names.contains(&name) {
            return refused(format!("Container names must be unique: '{name}'."));
        }
        names.push(name);
        validate_ports(container, name, mode, &mut ports)?;
    }
    if !containers
        .iter()
        .any(|c| c.get("essential").and_then(Value::as_bool).unwrap_or(true))
    {
        return refused("At least one container in the task definition must be essential.");
    }
    Ok(())
}

fn validate_container(body: &Value, container: &Value, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return refused("Container.name should not be null or empty.");
    }
    if container
        .get("image")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .is_empty()
    {
        return refused("Container.image should not be null or empty.");
    }
    let bounded = container.get("memory").is_some() || container.get("memoryReservation").is_some();
    if !bounded && body.get("memory").is_none() {
        return refused(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        ));
    }
    let has_secrets = container
        .get("secrets")
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty());
    if has_secrets && body.get("executionRoleArn").is_none() {
        return refused(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        );
    }
    Ok(())
}

fn validate_ports<'a>(
    container: &'a Value,
    name: &'a str,
    mode: &str,
    seen: &mut Vec<(u64, &'a str, &'a str)>,
) -> Result<(), Refusal> {
    let mappings = container
        .get("portMappings")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if mode == "none" && !mappings.is_empty() {
        return refused("When networkMode=none, port mappings cannot be specified.");
    }
    for mapping in mappings {
        let number = |key: &str| mapping.get(key).and_then(Value::as_i64);
        let protocol = mapping.get("protocol").and_then(Value::as_str).unwrap_or("tcp");
        if let Some(port) = number("hostPort") {
            if !(0..=65_535).contains(&port) {
                return refused("Host port must be between 0 and 65535.");
            }
            let equal = number("containerPort") == Some(port);
            if matches!(mode, "awsvpc" | "host") && !equal {
                return refused(format!(
                    "When networkMode={mode}, the host ports and container ports in port mappings must match."
                ));
            }
            let port = u64::try_from(port).unwrap_or(0);
            if mode == "bridge" && RESERVED_PORTS.contains(&port) {
                return refused(format!("Host port {port} is reserved."));
            }
            if port != 0 && seen.iter().any(|(other, _, same)| *other == port && *same == protocol) {
                return refused(format!(
                    "The {protocol} host port {port} is used multiple times in task."
                ));
            }
            seen.push((port, name, protocol));
        }
        if let Some(port) = number("containerPort")
            && !(1..=65_535).contains(&port)
        {
            return refused("Container port must be between 1 and 65535.");
        }
    }
    Ok(())
}

fn requires_fargate(body: &Value) -> bool {
    let required = body.get("requiresCompatibilities").and_then(Value::as_array);
    required.is_some_and(|all| all.iter().any(|one| one == "FARGATE"))
}

/// The document as DescribeTaskDefinition shows it; `body` has only keys that AWS keeps.
fn filled_in(body: &Value, arn: &str, revision: u64, status: &str, registered_at: f64, by: &str) -> Value {
    let mut document = Map::new();
    document.insert("taskDefinitionArn".into(), arn.into());
    let mode = body.get("networkMode").and_then(Value::as_str);
    let newer = body.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let known = task_definition_keys::top_level();
    for key in known.iter().copied().chain(newer.filter(|key| !known.contains(key))) {
        let Some(value) = body.get(key).filter(|value| !value.is_null()) else {
            continue;
        };
        let value = match key {
            "containerDefinitions" => {
                let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
                Value::Array(
                    all.iter()
                        .map(|container| container_filled_in(container, mode))
                        .collect(),
                )
            }
            "cpu" => in_units(value, 1024.0, &["vcpu"]),
            "memory" => in_units(value, 1024.0, &["gb"]),
            _ => value.clone(),
        };
        document.insert(key.into(), value);
    }
    document.insert("revision".into(), revision.into());
    document.insert("status".into(), status.into());
    for key in ["volumes", "placementConstraints"] {
        document.entry(key).or_insert_with(|| json!([]));
    }
    document.insert(
        "requiresAttributes".into(),
        json!([{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}]),
    );
    let has_size = body.get("cpu").is_some() && body.get("memory").is_some();
    let fargate = mode == Some("awsvpc") && has_size && fargate_sizes::refusal(body).is_none();
    document.insert(
        "compatibilities".into(),
        if fargate {
            json!(["EC2", "FARGATE"])
        } else {
            json!(["EC2"])
        },
    );
    document.insert("registeredAt".into(), json!(registered_at));
    document.insert("registeredBy".into(), by.into());
    Value::Object(document)
}

fn container_filled_in(container: &Value, mode: Option<&str>) -> Value {
    let mut filled = container.as_object().cloned().unwrap_or_default();
    let defaults = [
        ("cpu", json!(0)),
        ("portMappings", json!([])),
        ("essential", json!(true)),
        ("environment", json!([])),
        ("mountPoints", json!([])),
        ("volumesFrom", json!([])),
        ("systemControls", json!([])),
    ];
    for (key, value) in defaults {
        filled.entry(key).or_insert(value);
    }
    for mapping in filled
        .get_mut("portMappings")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Some(mapping) = mapping.as_object_mut() else {
            continue;
        };
        let container_port = mapping.get("containerPort").cloned();
        match (mode, container_port) {
            (Some("awsvpc" | "host"), Some(port)) => {
                mapping.entry("hostPort").or_insert(port);
            }
            (_, Some(_)) => {
                mapping.entry("hostPort").or_insert(json!(0));
            }
            _ => {}
        }
        mapping.entry("protocol").or_insert(json!("tcp"));
    }
    Value::Object(filled)
}
