//! What Fargate does not have.

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::refusals::logging::driver;
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::document::{Container, list};
use crate::task_definition::path::steps;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "on Fargate, a volume with a path on the host",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Fargate compatible task definitions do not support sourcePath",
        source: "cloudposse/terraform-aws-ecs-alb-service-task#174",
        code: Code::InvalidValue,
        find: source_path,
    },
    Rule {
        name: "on Fargate, `pidMode` host",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
        source: "aws/aws-cdk#29619",
        code: Code::InvalidValue,
        find: pid_mode,
    },
    Rule {
        name: "on Fargate, `ipcMode`",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Tasks using the Fargate launch type do not support ipcMode.",
        source: "cn-terraform/terraform-aws-ecs-fargate#2",
        code: Code::InvalidValue,
        find: ipc_mode,
    },
    Rule {
        name: "on Fargate, placement constraints",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "Task placement constraints aren't supported for tasks run on Fargate.",
        source: "ECS API reference, TaskDefinition; cfn-lint E3048",
        code: Code::InvalidValue,
        find: placement_constraints,
    },
    Rule {
        name: "on Fargate, a privileged container",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "privileged: this parameter is not supported for tasks run on Fargate.",
        source: "ECS API reference, ContainerDefinition",
        code: Code::InvalidValue,
        find: privileged,
    },
    Rule {
        name: "on Fargate, another log driver than awslogs, splunk or awsfirelens",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "For tasks on Fargate, the supported log drivers are awslogs, splunk, and awsfirelens.",
        source: "ECS API reference, LogConfiguration; cfn-lint E3048, E3713",
        code: Code::InvalidValue,
        find: log_driver,
    },
    Rule {
        name: "on Fargate, a `stopTimeout` beyond 120 seconds",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "For tasks that use the Fargate launch type, the max value is 120 seconds.",
        source: "ECS API reference, ContainerDefinition",
        code: Code::InvalidValue,
        find: stop_timeout,
    },
];

/// A breach at `key` of each container of a Fargate task that `breaks` finds something wrong with.
fn of_containers(task: &Task<'_>, key: &str, breaks: impl Fn(&Container<'_>) -> Option<String>) -> Vec<Breach> {
    let containers = task.containers.iter().filter(|_| task.is_fargate);
    let breach = |c: &Container<'_>| {
        let path = steps!["containerDefinitions", c.index, key];
        Some(Breach::new(path, breaks(c)?))
    };
    containers.filter_map(breach).collect()
}

/// A breach at `key` of a Fargate task.
fn of_task(task: &Task<'_>, key: &str, summary: Option<String>) -> Vec<Breach> {
    let summary = summary.filter(|_| task.is_fargate);
    summary
        .into_iter()
        .map(|summary| Breach::new(steps![key], summary))
        .collect()
}

fn source_path(task: &Task<'_>) -> Vec<Breach> {
    let volumes = list(task.value, "volumes").iter().enumerate();
    let has_path = |volume: &Value| volume.pointer("/host/sourcePath").is_some_and(|path| !path.is_null());
    let breach = |(place, volume): (usize, &Value)| {
        let name = volume.get("name").and_then(Value::as_str).unwrap_or("?");
        let path = steps!["volumes", place, "host", "sourcePath"];
        Breach::new(
            path,
            format!("volume `{name}` is a path on the host, which Fargate does not have"),
        )
        .hint("leave `host` out for a volume that ends with the task, or use EFS")
    };
    let volumes = volumes.filter(|(_, volume)| task.is_fargate && has_path(volume));
    volumes.map(breach).collect()
}

fn pid_mode(task: &Task<'_>) -> Vec<Breach> {
    let is_host = task.text("pidMode") == Some("host");
    of_task(
        task,
        "pidMode",
        is_host.then(|| "`pidMode` is host, which Fargate does not have".to_owned()),
    )
}

fn ipc_mode(task: &Task<'_>) -> Vec<Breach> {
    let is_given = task.text("ipcMode").is_some();
    of_task(task, "ipcMode", is_given.then(|| "Fargate has no `ipcMode`".to_owned()))
}

fn placement_constraints(task: &Task<'_>) -> Vec<Breach> {
    let has_some = !list(task.value, "placementConstraints").is_empty();
    let summary = || "Fargate knows no placement constraints".to_owned();
    of_task(task, "placementConstraints", has_some.then(summary))
}

fn privileged(task: &Task<'_>) -> Vec<Breach> {
    of_containers(task, "privileged", |c| {
        let is_on = c.value.get("privileged") == Some(&Value::Bool(true));
        is_on.then(|| format!("container `{}` is privileged, which Fargate does not allow", name_of(c)))
    })
}

fn log_driver(task: &Task<'_>) -> Vec<Breach> {
    of_containers(task, "logConfiguration", |c| {
        let other = driver(c).filter(|driver| !["awslogs", "splunk", "awsfirelens"].contains(driver))?;
        Some(format!(
            "container `{}` logs with {other}, which Fargate does not have",
            name_of(c)
        ))
    })
}

fn stop_timeout(task: &Task<'_>) -> Vec<Breach> {
    of_containers(task, "stopTimeout", |c| {
        let seconds = c.value.get("stopTimeout")?.as_u64().filter(|seconds| *seconds > 120)?;
        Some(format!(
            "`stopTimeout` {seconds} of container `{}` is beyond what Fargate waits",
            name_of(c)
        ))
    })
}
