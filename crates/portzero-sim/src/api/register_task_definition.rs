//! RegisterTaskDefinition and its kin, and the defaults that AWS fills in (aws-facts 6.1).

use serde_json::{Map, Value, json};

use crate::api::fargate_sizes::in_units;
use crate::api::{definition_checks, fargate_sizes, task_definition_keys};
use crate::model::refusal::Refusal;
use crate::model::state::{TaskDefinition, short};
use crate::world::World;

impl World {
    /// Registers a revision: the number after the family's newest, also where that one is INACTIVE.
    pub fn register_task_definition(&mut self, body: &Value) -> Result<TaskDefinition, Refusal> {
        self.register_at(body, None)
    }

    /// The same under a given number, which leaves the numbers below it to revisions that are INACTIVE.
    pub(crate) fn register_at(&mut self, body: &Value, number: Option<u64>) -> Result<TaskDefinition, Refusal> {
        definition_checks::check(body)?;
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
