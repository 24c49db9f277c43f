//! Why a task of ours stopped, read from what ECS says of it.

use crate::aws_model::task::{Container, Task};
use crate::base::id::{TargetGroupArn, TaskArn};
use crate::base::text::contains;
use crate::rollout::cause::container_facts::ContainerFacts;
use crate::rollout::cause::culprit::culprits;
use crate::rollout::cause::resource::{Resource, ResourceTrouble};

/// One stopped task and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFailure {
    /// The task that ended.
    pub task: TaskArn,
    /// Why, as far as AWS's words tell.
    pub cause: Cause,
}

/// Why a task ended, by AWS's codes and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An image could not be pulled.
    ImagePull {
        /// The container whose image it is.
        container: String,
        /// The image, where AWS names it.
        image: Option<String>,
        /// AWS's words.
        message: String,
        /// What kept it from being pulled.
        pull: Pull,
    },
    /// Something that a task needs before its containers start could not be had.
    Resource(ResourceTrouble),
    /// The container used more memory than it may.
    OutOfMemory {
        /// Which one.
        container: String,
    },
    /// A host port of its own was taken.
    PortInUse {
        /// AWS's words.
        message: String,
    },
    /// Fargate, or AWS itself, had no room or no network interface for it.
    NoCapacity {
        /// AWS's words.
        message: String,
    },
    /// The container could not be created or started.
    CannotStart {
        /// Which one.
        container: String,
        /// AWS's words.
        message: String,
    },
    /// An essential container has ended.
    Exit {
        /// Which one.
        container: String,
        /// Its exit code, where AWS shows one.
        code: Option<i32>,
        /// AWS's words beside the code.
        message: Option<String>,
    },
    /// A container health check failed.
    ContainerUnhealthy,
    /// A target group's health check failed, and ECS stopped the task for it.
    TargetUnhealthy {
        /// The target group.
        group: TargetGroupArn,
    },
    /// Behind a classic load balancer.
    ClassicUnhealthy {
        /// The classic load balancer's name.
        balancer: String,
    },
    /// None of those that are known here.
    Other {
        /// AWS's words.
        message: String,
    },
}

/// Why an image did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// The registry has no such image.
    Missing,
    /// The registry does not let it be pulled.
    Denied,
    /// It is there for another operating system or processor.
    Platform,
    /// The registry has had enough for a while.
    RateLimited,
    /// The instance has no room for it.
    DiskFull,
    /// The registry was not reached.
    Unreachable,
    /// The image's name is none.
    Invalid,
    /// AWS's words tell nothing of that.
    Unknown,
}

impl Pull {
    fn read(message: &str) -> Self {
        let is = |words: &[&str]| words.iter().any(|word| contains(message, word));
        if is(&["toomanyrequests", "rate limit"]) {
            Self::RateLimited
        } else if is(&["no space left on device"]) {
            Self::DiskFull
        } else if is(&["invalid reference"]) {
            Self::Invalid
        } else if is(&["matching platform", "no matching manifest for"]) {
            Self::Platform
        } else if is(&["pull access denied"]) {
            // Docker Hub does not tell a repository that is missing from one that is private.
            Self::Denied
        } else if is(&["not found", "manifest unknown", "does not exist"]) {
            Self::Missing
        } else if is(&["denied", "no basic auth credentials", "not authorized", "403 Forbidden"]) {
            Self::Denied
        } else if is(&[
            "timeout",
            "timed out",
            "request canceled",
            "connection",
            "no such host",
            "EOF",
        ]) {
            Self::Unreachable
        } else {
            Self::Unknown
        }
    }

    /// Whether the registry has answered that it will not: asking again cannot help. Time-outs, rate limits and full
    /// disks may pass.
    fn is_final(self) -> bool {
        matches!(self, Self::Missing | Self::Denied | Self::Platform | Self::Invalid)
    }
}

impl Cause {
    /// In a few words. Failures with the same ones are counted together, whatever the task.
    pub fn label(&self) -> String {
        match self {
            Self::ImagePull { container, .. } => format!("the image of `{container}` cannot be pulled"),
            Self::Resource(trouble) => match trouble.kind {
                Resource::Secret => "a secret cannot be read".into(),
                Resource::RegistryLogin => "no login at the image's registry".into(),
                Resource::LogGroup => "the log group cannot be used".into(),
                Resource::Volume => "a volume cannot be mounted".into(),
                Resource::Role => "a role cannot be assumed".into(),
                Resource::EnvironmentFile => "an environment file cannot be read".into(),
                Resource::Other => "ResourceInitializationError".into(),
            },
            Self::OutOfMemory { container } => format!("`{container}` killed for its memory"),
            Self::PortInUse { .. } => "the host port is taken".into(),
            Self::NoCapacity { .. } => "no capacity".into(),
            Self::CannotStart { container, .. } => format!("`{container}` cannot be started"),
            Self::Exit {
                container,
                code: Some(code),
                ..
            } => format!("`{container}` exit {code}"),
            Self::Exit { container, .. } => format!("`{container}` ended"),
            Self::ContainerUnhealthy => "failed the container health check".into(),
            Self::TargetUnhealthy { group } => format!("stopped by ECS for failing the check of `{}`", group.name()),
            Self::ClassicUnhealthy { balancer } => format!("stopped by ECS for failing the check of `{balancer}`"),
            Self::Other { message } => message.clone(),
        }
    }

    /// The container that it is about.
    pub(crate) fn container(&self) -> Option<&str> {
        match self {
            Self::ImagePull { container, .. }
            | Self::OutOfMemory { container }
            | Self::CannotStart { container, .. }
            | Self::Exit { container, .. } => Some(container),
            _ => None,
        }
    }

    /// Where two kinds came up equally often, the one that says more comes first: what kept a task from starting, then
    /// how it ended by itself, then who lost patience with it.
    pub fn weight(&self) -> u8 {
        match self {
            Self::ImagePull { .. } | Self::Resource(_) | Self::OutOfMemory { .. } => 4,
            Self::PortInUse { .. } | Self::CannotStart { .. } | Self::NoCapacity { .. } => 3,
            Self::Exit { .. } => 2,
            Self::ContainerUnhealthy | Self::TargetUnhealthy { .. } | Self::ClassicUnhealthy { .. } => 1,
            Self::Other { .. } => 0,
        }
    }

    /// Whether the next task is bound to fail in the same way.
    pub fn is_final(&self) -> bool {
        match self {
            Self::ImagePull { pull, .. } => pull.is_final(),
            Self::Resource(trouble) => trouble.is_final(),
            _ => false,
        }
    }

    /// Whether it keeps tasks from starting at all, for reasons outside the container.
    pub(crate) fn is_before_start(&self) -> bool {
        matches!(
            self,
            Self::ImagePull { .. } | Self::Resource(_) | Self::NoCapacity { .. }
        )
    }
}

/// The failure behind a stopped (or stopping) task; `None` where it was simply no longer wanted, or where the
/// infrastructure took it away, which is not the new revision's fault.
///
/// `defined`: the containers of the task's definition, as far as known: what ends no task is no cause.
pub fn read(task: &Task, defined: &[ContainerFacts]) -> Option<TaskFailure> {
    let cause = cause(task, defined)?;
    Some(TaskFailure {
        task: task.arn.clone(),
        cause,
    })
}

fn cause(task: &Task, defined: &[ContainerFacts]) -> Option<Cause> {
    let reason = task.stopped_reason.clone().unwrap_or_default();
    let code = task.stop_code.as_deref().unwrap_or_default();
    // What the instance took with it is no word about the containers.
    if is_taken_away(code, &reason) {
        return None;
    }
    let culprits = culprits(task, defined);
    let own = |container: &&Container| container_cause(container, container.reason.as_deref()?);
    if let Some(cause) = culprits.iter().find_map(own) {
        return Some(cause);
    }
    // Where only the task has a reason, it names the image where it is about one.
    let is_named = |c: &&Container| c.image.as_deref().is_some_and(|image| contains(&reason, image));
    let meant = task.containers.iter().find(is_named).or(culprits.first().copied());
    if let Some(cause) = meant.and_then(|container| container_cause(container, &reason)) {
        return Some(cause);
    }
    if let Some(cause) = task_cause(&reason) {
        return Some(cause);
    }
    if is_wanted_stop(code, &reason) {
        return None;
    }
    let failed = || culprits.iter().filter(|c| c.exit_code.is_some_and(|code| code != 0));
    // When one container ends, ECS stops the others: their SIGTERM and SIGKILL are no cause.
    let own = failed().find(|c| !matches!(c.exit_code, Some(137 | 143)));
    if let Some(container) = own.or_else(|| failed().next()) {
        return Some(exit(container));
    }
    let ended = culprits.iter().find(|c| c.exit_code.is_some());
    if let Some(container) = ended.filter(|_| code == "EssentialContainerExited") {
        return Some(exit(container));
    }
    (!reason.is_empty()).then_some(Cause::Other { message: reason })
}

/// What the task's own reason says.
fn task_cause(reason: &str) -> Option<Cause> {
    if contains(reason, "failed ELB health checks") {
        return unhealthy_behind(reason);
    }
    if contains(reason, "failed container health checks") {
        return Some(Cause::ContainerUnhealthy);
    }
    let no_capacity = [
        "Capacity is unavailable",
        "Timeout waiting for network interface provisioning",
        "Timeout waiting for EC2",
        "Network interface provision failed",
        "no available IP addresses",
        "enough free addresses",
        "InsufficientFreeAddressesInSubnet",
        "reached the limit on the number of",
        "EMPTY CAPACITY PROVIDER",
    ];
    no_capacity
        .iter()
        .any(|words| contains(reason, words))
        .then(|| Cause::NoCapacity {
            message: reason.to_owned(),
        })
}

/// Why a container died, whatever became of its task.
pub(crate) fn of_container(container: &Container) -> Cause {
    let reason = container.reason.as_deref();
    reason
        .and_then(|words| container_cause(container, words))
        .unwrap_or_else(|| exit(container))
}

/// What words about a container say, its own or the task's.
fn container_cause(container: &Container, words: &str) -> Option<Cause> {
    let is = |any: &[&str]| any.iter().any(|part| contains(words, part));
    if is(&["CannotPull"]) {
        return Some(Cause::ImagePull {
            container: container.name.clone(),
            image: container.image.clone(),
            message: words.to_owned(),
            pull: Pull::read(words),
        });
    }
    if is(&["OutOfMemory"]) {
        return Some(Cause::OutOfMemory {
            container: container.name.clone(),
        });
    }
    if is(&["port is already allocated", "address already in use"]) {
        return Some(Cause::PortInUse {
            message: words.to_owned(),
        });
    }
    if let Some(trouble) = ResourceTrouble::read(words) {
        return Some(Cause::Resource(trouble));
    }
    let unstarted = [
        "CannotStartContainerError",
        "CannotCreateContainerError",
        "CannotInspectContainerError",
        "DockerTimeoutError",
        "ContainerRuntimeTimeoutError",
        "ContainerRuntimeError",
    ];
    is(&unstarted).then(|| Cause::CannotStart {
        container: container.name.clone(),
        message: words.to_owned(),
    })
}

fn exit(container: &Container) -> Cause {
    Cause::Exit {
        container: container.name.clone(),
        code: container.exit_code,
        message: container.reason.clone(),
    }
}

/// Its instance went away or was unhealthy, or its place on Spot capacity was taken.
fn is_taken_away(code: &str, reason: &str) -> bool {
    matches!(code, "SpotInterruption" | "TerminationNotice" | "InfrastructureHealth")
        || contains(reason, "Host EC2 (instance")
        || contains(reason, "Container instance deregistration forced")
}

/// Stopped because somebody wanted it: no word about the revision.
fn is_wanted_stop(code: &str, reason: &str) -> bool {
    matches!(code, "UserInitiated" | "ServiceSchedulerInitiated") || contains(reason, "Scaling activity initiated by")
}

/// `Task failed ELB health checks in (target-group ARN)`, or `in (elb NAME)`.
fn unhealthy_behind(reason: &str) -> Option<Cause> {
    let inside = |head: &str| reason.split(head).nth(1)?.split(')').next();
    match (inside("(target-group "), inside("(elb ")) {
        (Some(arn), _) => Some(Cause::TargetUnhealthy {
            group: TargetGroupArn::from(arn),
        }),
        (None, Some(name)) => Some(Cause::ClassicUnhealthy { balancer: name.into() }),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
