//! What containers have printed, as the log driver awslogs hands it to CloudWatch Logs: one stream for each container
//! that has started. What they print is what their faults' `log` says.

use std::time::Duration;

use serde_json::Value;

use crate::model::container::containers;
use crate::model::refusal::Refusal;
use crate::model::state::{Container, Task};
use crate::timestamp::Timestamp;
use crate::wire::identity;
use crate::world::World;

/// One line of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// When it was printed.
    pub at: Timestamp,
    /// The line, without its end.
    pub line: String,
}

/// How far apart the lines of one container are.
const PACE: Duration = Duration::from_millis(10);

impl World {
    /// The lines of a log stream, oldest first.
    ///
    /// # Errors
    /// CloudWatch Logs' refusal where there is no such group or stream.
    pub fn printed(&self, group: &str, stream: &str) -> Result<Vec<Printed>, Refusal> {
        let missing = |what: &str| {
            let words = format!("The specified log {what} does not exist.");
            Refusal::new("ResourceNotFoundException", words)
        };
        let has_group = |document: &Value| {
            containers(document)
                .into_iter()
                .any(|c| option(c, "group") == Some(group))
        };
        let mut definitions = self.account.task_definitions.values().flatten();
        if !definitions.any(|definition| has_group(&definition.document)) {
            return Err(missing("group"));
        }
        for (cluster, home) in &self.account.clusters {
            for task in home.tasks.values() {
                if let Some(container) = self.printing_to(task, group, stream) {
                    return Ok(self.lines_of(cluster, task, container));
                }
            }
        }
        Err(missing("stream"))
    }

    /// The container of a task that prints to the stream.
    fn printing_to<'a>(&'a self, task: &'a Task, group: &str, stream: &str) -> Option<&'a Container> {
        self.task_runtimes.get(&task.id)?.running_since?;
        let document = &self.definition(&task.task_definition)?.document;
        let defined = containers(document).into_iter().find(|defined| {
            let name = defined["name"].as_str().unwrap_or_default();
            option(defined, "group") == Some(group) && stream_of(task, name, option(defined, "stream-prefix")) == stream
        })?;
        let name = defined["name"].as_str()?;
        task.containers.iter().find(|container| container.name == name)
    }

    fn lines_of(&self, cluster: &str, task: &Task, container: &Container) -> Vec<Printed> {
        let since = self
            .task_runtimes
            .get(&task.id)
            .and_then(|runtime| runtime.running_since);
        // Faults strike a task's first container.
        let is_struck = task
            .containers
            .first()
            .is_some_and(|first| first.name == container.name);
        let texts = self.faults_of(cluster, task).filter_map(|fault| fault.fault.log());
        let lines = texts.flat_map(str::lines).filter(|_| is_struck).zip(0_u32..);
        lines
            .map(|(line, number)| Printed {
                at: since.unwrap_or(task.created_at) + PACE * number,
                line: line.to_owned(),
            })
            .collect()
    }
}

/// `prefix/container/task`, or Docker's id of the container where the definition names no prefix (Developer Guide).
fn stream_of(task: &Task, container: &str, prefix: Option<&str>) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}/{container}/{}", task.id),
        None => runtime_id(task, container),
    }
}

fn option<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let log = container.get("logConfiguration")?;
    let is_awslogs = log.get("logDriver").and_then(Value::as_str) == Some("awslogs");
    let options = log.get("options").filter(|_| is_awslogs)?;
    options.get(format!("awslogs-{name}"))?.as_str()
}

/// Whether the container has been made, so that it has an id.
pub fn has_run(task: &Task, container: &Container) -> bool {
    !container.network_bindings.is_empty() || task.started_at.is_some()
}

/// Docker's id of a container: 64 hexadecimal digits.
pub fn runtime_id(task: &Task, container: &str) -> String {
    let part = |part| identity::hex(&format!("{} {container} {part}", task.id));
    (0..4).map(part).collect()
}
