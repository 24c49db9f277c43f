//! What containers wait for before they start.

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::document::Container;
use crate::task_definition::path::steps;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a dependency with condition SUCCESS or COMPLETE on an essential container",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        source: "boto/boto3#2436",
        code: Code::InvalidValue,
        find: ends_with_the_task,
    },
    Rule {
        name: "a dependency with condition HEALTHY on a container without a health check",
        certainty: Certainty::Documented,
        severity: Severity::Error,
        words: "HEALTHY: this requires that the dependent container has health checks configured in the task definition.",
        source: "ECS API reference, ContainerDependency",
        code: Code::InvalidValue,
        find: never_healthy,
    },
    Rule {
        name: "containers that wait for each other",
        certainty: Certainty::Documented,
        severity: Severity::Error,
        words: "dependsOn: a container starts when what it depends on has; a circle never does.",
        source: "ECS Developer Guide, container dependencies",
        code: Code::InvalidValue,
        find: in_a_circle,
    },
];

/// Each dependency: who waits, for whom, on which condition, and where in its list.
fn dependencies<'v>(task: &Task<'v>) -> impl Iterator<Item = (Container<'v>, Container<'v>, &'v str, usize)> {
    let waiting = task.containers.iter().copied();
    waiting.flat_map(move |c| {
        let entries = c.list("dependsOn").enumerate();
        let found = entries.filter_map(|(place, entry)| {
            let on = task.container(entry.get("containerName").and_then(Value::as_str)?)?;
            Some((c, on, entry.get("condition").and_then(Value::as_str)?, place))
        });
        found.collect::<Vec<_>>()
    })
}

fn ends_with_the_task(task: &Task<'_>) -> Vec<Breach> {
    let breach = |(c, on, condition, place): (Container<'_>, Container<'_>, &str, usize)| {
        let is_refused = matches!(condition, "SUCCESS" | "COMPLETE") && on.is_essential();
        let (name, on) = (name_of(&c), name_of(&on));
        let path = steps!["containerDefinitions", c.index, "dependsOn", place, "condition"];
        let summary =
            format!("container `{name}` waits for the end of `{on}`, which is essential: the task ends with it");
        is_refused.then(|| Breach::new(path, summary).hint(format!("write \"essential\": false at container `{on}`")))
    };
    dependencies(task).filter_map(breach).collect()
}

fn never_healthy(task: &Task<'_>) -> Vec<Breach> {
    let breach = |(c, on, condition, place): (Container<'_>, Container<'_>, &str, usize)| {
        let is_checked = on.value.get("healthCheck").is_some_and(|check| !check.is_null());
        let (name, on) = (name_of(&c), name_of(&on));
        let path = steps!["containerDefinitions", c.index, "dependsOn", place, "condition"];
        let summary = format!("container `{name}` waits until `{on}` is healthy, which has no health check");
        (condition == "HEALTHY" && !is_checked)
            .then(|| Breach::new(path, summary).hint(format!("give container `{on}` a `healthCheck`")))
    };
    dependencies(task).filter_map(breach).collect()
}

/// Containers that can start are taken away until none can; those that are left wait for each other.
fn in_a_circle(task: &Task<'_>) -> Vec<Breach> {
    let edges: Vec<(usize, usize)> = dependencies(task).map(|(c, on, ..)| (c.index, on.index)).collect();
    let mut left: Vec<usize> = task.containers.iter().map(|c| c.index).collect();
    loop {
        let waits = |c: &usize| edges.iter().any(|(from, on)| from == c && left.contains(on));
        let still: Vec<usize> = left.iter().copied().filter(waits).collect();
        if still.len() == left.len() {
            break;
        }
        left = still;
    }
    let Some(&first) = left.first() else {
        return Vec::new();
    };
    let of = |index: &usize| task.containers.get(*index).map_or("?", |c| name_of(c));
    let names: Vec<String> = left.iter().map(|index| format!("`{}`", of(index))).collect();
    let path = steps!["containerDefinitions", first, "dependsOn"];
    vec![Breach::new(
        path,
        format!(
            "containers wait for each other, so that none starts: {}",
            names.join(", ")
        ),
    )]
}
