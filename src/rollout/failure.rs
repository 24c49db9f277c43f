//! Why a task of ours stopped, read from what ECS says of it.

use crate::id::{TargetGroupArn, TaskArn};
use crate::task::{Container, Task};

/// One stopped task and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFailure {
    pub task: TaskArn,
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    ImagePull {
        container: String,
        image: Option<String>,
        message: String,
        is_final: bool,
    },
    Resources {
        message: String,
    },
    OutOfMemory {
        container: String,
    },
    PortInUse {
        message: String,
    },
    TargetUnhealthy {
        group: TargetGroupArn,
    },
    ContainerUnhealthy,
    Exit {
        container: String,
        code: Option<i32>,
        message: Option<String>,
    },
    Other {
        message: String,
    },
}

impl Cause {
    /// Failures of one kind are counted together, whatever the task.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ImagePull { .. } => "image-pull",
            Self::Resources { .. } => "resources",
            Self::OutOfMemory { .. } => "out-of-memory",
            Self::PortInUse { .. } => "port-in-use",
            Self::TargetUnhealthy { .. } => "target-unhealthy",
            Self::ContainerUnhealthy => "container-unhealthy",
            Self::Exit { .. } => "exit",
            Self::Other { .. } => "other",
        }
    }
}

/// The failure behind a stopped (or stopping) task; `None` where it was simply no longer wanted, or where the
/// infrastructure took it away, which is not the new revision's fault.
pub fn read(task: &Task) -> Option<TaskFailure> {
    let cause = cause(task)?;
    Some(TaskFailure {
        task: task.arn.clone(),
        cause,
    })
}

fn cause(task: &Task) -> Option<Cause> {
    let reason = task.stopped_reason.clone().unwrap_or_default();
    let code = task.stop_code.as_deref().unwrap_or_default();
    for container in &task.containers {
        if let Some(cause) = container_cause(container, &reason) {
            return Some(cause);
        }
    }
    if contains(&reason, "ResourceInitializationError") {
        return Some(Cause::Resources { message: reason });
    }
    if let Some(group) = group_of(&reason) {
        return Some(Cause::TargetUnhealthy { group });
    }
    if contains(&reason, "failed container health checks") {
        return Some(Cause::ContainerUnhealthy);
    }
    if is_wanted_stop(code, &reason) {
        return None;
    }
    let failed = || {
        task.containers
            .iter()
            .filter(|c| c.exit_code.is_some_and(|code| code != 0))
    };
    // When one container ends, ECS stops the others: their SIGTERM and SIGKILL are no cause.
    let own = failed().find(|c| !matches!(c.exit_code, Some(137 | 143)));
    if let Some(container) = own.or_else(|| failed().next()) {
        return Some(exit(container));
    }
    if code == "EssentialContainerExited" {
        return task.containers.iter().find(|c| c.exit_code.is_some()).map(exit);
    }
    (!reason.is_empty()).then_some(Cause::Other { message: reason })
}

fn container_cause(container: &Container, task_reason: &str) -> Option<Cause> {
    // The task's reason repeats the container's where only one of them is filled in.
    let own = container.reason.as_deref().unwrap_or_default();
    let message = if own.is_empty() { task_reason } else { own };
    if contains(message, "CannotPullContainerError") || contains(message, "CannotPullImageManifestError") {
        return Some(Cause::ImagePull {
            container: container.name.clone(),
            image: container.image.clone(),
            message: message.to_owned(),
            is_final: is_final_pull_error(message),
        });
    }
    if contains(own, "OutOfMemory") {
        return Some(Cause::OutOfMemory {
            container: container.name.clone(),
        });
    }
    if contains(own, "port is already allocated") || contains(own, "address already in use") {
        return Some(Cause::PortInUse {
            message: own.to_owned(),
        });
    }
    None
}

fn exit(container: &Container) -> Cause {
    Cause::Exit {
        container: container.name.clone(),
        code: container.exit_code,
        message: container.reason.clone(),
    }
}

/// The registry has answered that the image is not there or not allowed: asking again cannot help. Time-outs and
/// registry errors may pass, so they are not in this list.
fn is_final_pull_error(message: &str) -> bool {
    [
        "not found",
        "manifest unknown",
        "does not exist",
        "access denied",
        "pull access denied",
        "invalid reference",
    ]
    .iter()
    .any(|words| contains(message, words))
}

/// Stopped because somebody wanted it or its instance went away: no word about the revision.
fn is_wanted_stop(code: &str, reason: &str) -> bool {
    matches!(code, "UserInitiated" | "SpotInterruption" | "TerminationNotice")
        || (code == "ServiceSchedulerInitiated")
        || contains(reason, "Scaling activity initiated by")
        || contains(reason, "Host EC2 (instance")
        || contains(reason, "Container instance deregistration forced")
}

fn group_of(reason: &str) -> Option<TargetGroupArn> {
    if !contains(reason, "failed ELB health checks") {
        return None;
    }
    let arn = reason.split("(target-group ").nth(1)?.split(')').next()?;
    Some(TargetGroupArn::from(arn))
}

/// AWS writes the same words in different cases in different years.
fn contains(text: &str, words: &str) -> bool {
    text.to_lowercase().contains(&words.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TaskDefinitionArn;
    use crate::task::TaskStatus;

    fn stopped(code: &str, reason: &str, containers: Vec<Container>) -> Task {
        Task {
            arn: TaskArn::from("arn:aws:ecs:us-east-1:111122223333:task/c/1"),
            started_by: None,
            task_definition: TaskDefinitionArn::from("web:1"),
            last_status: TaskStatus::Stopped,
            desired_status: TaskStatus::Stopped,
            container_instance: None,
            containers,
            health_status: None,
            stop_code: Some(code.into()),
            stopped_reason: Some(reason.into()),
            created_at: None,
            started_at: None,
            stopping_at: None,
            stopped_at: None,
        }
    }

    fn container(exit_code: Option<i32>, reason: Option<&str>) -> Container {
        Container {
            name: "web".into(),
            exit_code,
            reason: reason.map(str::to_owned),
            ..Container::default()
        }
    }

    fn kind(task: &Task) -> Option<&'static str> {
        read(task).map(|failure| failure.cause.kind())
    }

    #[test]
    fn aws_words_become_causes() {
        let pull = "CannotPullContainerError: Error response from daemon: manifest for web:9 not found";
        let cases = [
            (
                stopped(
                    "TaskFailedToStart",
                    "Task failed to start",
                    vec![container(None, Some(pull))],
                ),
                Some("image-pull"),
            ),
            (
                stopped(
                    "EssentialContainerExited",
                    "Essential container in task exited",
                    vec![container(Some(1), None)],
                ),
                Some("exit"),
            ),
            (
                stopped(
                    "EssentialContainerExited",
                    "",
                    vec![container(
                        Some(137),
                        Some("OutOfMemoryError: container killed due to memory usage"),
                    )],
                ),
                Some("out-of-memory"),
            ),
            (
                stopped(
                    "ServiceSchedulerInitiated",
                    "Task failed ELB health checks in (target-group arn:x)",
                    vec![container(Some(137), None)],
                ),
                Some("target-unhealthy"),
            ),
            (
                stopped(
                    "ServiceSchedulerInitiated",
                    "Scaling activity initiated by (deployment ecs-svc/1)",
                    vec![container(Some(143), None)],
                ),
                None,
            ),
            (
                stopped(
                    "",
                    "Host EC2 (instance i-1) stopped/terminated.",
                    vec![container(Some(1), None)],
                ),
                None,
            ),
        ];
        for (task, expected) in cases {
            assert_eq!(kind(&task), expected, "{:?}", task.stopped_reason);
        }
    }

    #[test]
    fn a_registry_that_cannot_be_reached_may_come_back() {
        let task = stopped(
            "TaskFailedToStart",
            "",
            vec![container(None, Some("CannotPullContainerError: i/o timeout"))],
        );
        assert!(matches!(
            read(&task).unwrap().cause,
            Cause::ImagePull { is_final: false, .. }
        ));
    }
}
