//! What the new revision's definition says of its containers, as far as a diagnosis asks for it. No value of an
//! environment variable or a secret is among it.

use std::time::Duration;

use serde_json::Value;

use crate::aws_model::task::{Container, LogStream};
use crate::base::id::TaskArn;

/// What a task definition says of one container, as far as a failure may be explained by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// The task ends with it, and its health is the task's.
    pub is_essential: bool,
    /// Its image, as the document names it.
    pub image: Option<String>,
    /// The hard limit, in MiB; `None` where only the task has one.
    pub memory: Option<i64>,
    /// Where it logs (awslogs).
    pub log: Option<LogPlace>,
    /// The secrets that it is given, in their order.
    pub secrets: Vec<Secret>,
    /// How long ECS waits between SIGTERM and SIGKILL; absent means its default.
    pub stop_timeout: Option<Duration>,
    /// Its container health check.
    pub health_check: Option<OwnCheck>,
    /// Those that it waits for (`dependsOn`).
    pub depends_on: Vec<Dependency>,
}

/// A container that another one waits for before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its name.
    pub container: String,
    /// `START`, `COMPLETE`, `SUCCESS` or `HEALTHY`.
    pub condition: String,
}

/// An awslogs configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// `awslogs-group`.
    pub group: String,
    /// `awslogs-stream-prefix`; absent where the definition sets none.
    pub stream_prefix: Option<String>,
    /// `awslogs-region`, where it is not the service's own.
    pub region: Option<String>,
}

/// A secret that a container reads: the variable that it fills, and the name or ARN of where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The environment variable that carries it.
    pub variable: String,
    /// Where it comes from: an ARN, or the name of a parameter.
    pub source: String,
}

/// A container health check of the task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCheck {
    /// How many words its command has. They are not kept: a password is often one of them.
    pub words: usize,
    /// The time between two checks.
    pub interval: Duration,
    /// The failures in a row that make the container unhealthy.
    pub retries: u64,
    /// For how long failures do not count after the start.
    pub start_period: Duration,
}

impl ContainerFacts {
    /// Of each container of a task definition.
    pub fn of(document: &Value) -> Vec<Self> {
        let containers = document.get("containerDefinitions").and_then(Value::as_array);
        containers.into_iter().flatten().map(Self::of_one).collect()
    }

    fn of_one(container: &Value) -> Self {
        let text = |key: &str| container.get(key).and_then(Value::as_str).map(str::to_owned);
        let seconds = |key: &str| container.get(key).and_then(Value::as_u64).map(Duration::from_secs);
        let list = |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten();
        Self {
            name: text("name").unwrap_or_default(),
            is_essential: container.get("essential").and_then(Value::as_bool).unwrap_or(true),
            image: text("image"),
            memory: container.get("memory").and_then(Value::as_i64),
            log: LogPlace::of(container),
            secrets: list("secrets").filter_map(Secret::of).collect(),
            stop_timeout: seconds("stopTimeout"),
            health_check: OwnCheck::of(container),
            depends_on: list("dependsOn").filter_map(Dependency::of).collect(),
        }
    }
}

impl Dependency {
    fn of(dependency: &Value) -> Option<Self> {
        let text = |key: &str| dependency.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            container: text("containerName")?,
            condition: text("condition")?,
        })
    }
}

impl LogPlace {
    fn of(container: &Value) -> Option<Self> {
        let log = container.get("logConfiguration")?;
        if log.get("logDriver").and_then(Value::as_str) != Some("awslogs") {
            return None;
        }
        let option = |name: &str| log.get("options")?.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            group: option("awslogs-group")?,
            stream_prefix: option("awslogs-stream-prefix"),
            region: option("awslogs-region"),
        })
    }

    /// `prefix/container/task`; without a prefix the stream has the id that Docker gave the container. Source: the
    /// Developer Guide's page on the awslogs log driver.
    pub fn stream(&self, container: &Container, task: &TaskArn) -> Option<LogStream> {
        let name = match &self.stream_prefix {
            Some(prefix) => format!("{prefix}/{}/{}", container.name, task.short()),
            None => container.runtime_id.clone()?,
        };
        Some(LogStream {
            group: self.group.clone(),
            name,
            region: self.region.clone(),
        })
    }
}

impl Secret {
    fn of(secret: &Value) -> Option<Self> {
        let text = |key: &str| secret.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            variable: text("name")?,
            source: text("valueFrom")?,
        })
    }
}

impl OwnCheck {
    /// The defaults are those of the API reference of HealthCheck.
    fn of(container: &Value) -> Option<Self> {
        let check = container.get("healthCheck")?;
        let number = |key: &str, default: u64| check.get(key).and_then(Value::as_u64).unwrap_or(default);
        let words = check.get("command").and_then(Value::as_array).into_iter().flatten();
        let words: Vec<&str> = words
            .filter_map(Value::as_str)
            .filter(|word| !matches!(*word, "CMD" | "CMD-SHELL"))
            .collect();
        // `NONE` switches off the check that the image has.
        if words == ["NONE"] {
            return None;
        }
        Some(Self {
            words: words.iter().flat_map(|word| word.split_whitespace()).count(),
            interval: Duration::from_secs(number("interval", 30)),
            retries: number("retries", 3),
            start_period: Duration::from_secs(number("startPeriod", 0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(container: serde_json::Value) -> ContainerFacts {
        let document = serde_json::json!({"containerDefinitions": [container]});
        ContainerFacts::of(&document).remove(0)
    }

    #[test]
    fn secrets_are_those_that_have_a_name_and_a_source() {
        let secrets = serde_json::json!([
            {"name": "TOKEN", "valueFrom": "/shop/token"}, {"name": "LOST"}, {"valueFrom": "/shop/nameless"},
        ]);
        let facts = of(serde_json::json!({"name": "web", "secrets": secrets}));
        let read: Vec<_> = facts
            .secrets
            .iter()
            .map(|it| (it.variable.as_str(), it.source.as_str()))
            .collect();
        assert_eq!(read, [("TOKEN", "/shop/token")]);
    }

    #[test]
    fn a_health_check_is_read_without_its_shell_and_with_the_defaults() {
        let check =
            |value: serde_json::Value| of(serde_json::json!({"name": "web", "healthCheck": value})).health_check;
        let own = check(serde_json::json!({"command": ["CMD-SHELL", "curl -f localhost"], "retries": 5})).unwrap();
        assert_eq!(own.words, 3);
        let seconds = [own.interval, own.start_period].map(|time| time.as_secs());
        assert_eq!((own.retries, seconds), (5, [30, 0]));
        assert!(
            check(serde_json::json!({"command": ["NONE"]})).is_none(),
            "it is switched off"
        );
        assert!(of(serde_json::json!({"name": "web"})).health_check.is_none());
    }
}
