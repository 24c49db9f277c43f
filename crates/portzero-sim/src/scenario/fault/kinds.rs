//! The faults, each with the data that it alone has. What they do stands in `faults` for the world, and in
//! `wire/misbehaviour` for the wire.

use std::time::Duration;

use serde::Deserialize;

/// What goes wrong. Durations and numbers that a scenario leaves out have their defaults here already.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The image does not exist in its registry.
    ImagePull {
        /// The registry's words; absent: `not found`.
        message: Option<String>,
    },
    /// The essential container exits by itself.
    CrashLoop {
        /// What it exits with.
        exit_code: i32,
        /// How long after its start.
        after: Duration,
        /// What it prints before, line by line.
        log: Option<String>,
    },
    /// The container health check fails.
    ContainerUnhealthy {
        /// What the container prints, line by line.
        log: Option<String>,
    },
    /// The kernel kills the container for its memory.
    OutOfMemory {
        /// How long after its start.
        after: Duration,
        /// What it prints before, line by line.
        log: Option<String>,
    },
    /// A secret of the task definition cannot be read.
    Secrets {
        /// The agent's words; absent: access denied.
        message: Option<String>,
    },
    /// Containers run on after SIGTERM until they are killed.
    IgnoresSigterm {
        /// How long until SIGKILL.
        killed_after: Duration,
    },
    /// The target answers its health check with another code than the matcher wants.
    Unhealthy {
        /// The HTTP status of the answer.
        code: u16,
        /// What the container prints, line by line.
        log: Option<String>,
    },
    /// The target does not answer its health check in time.
    HealthTimeout,
    /// The target is healthy, then unhealthy, then healthy.
    Flapping {
        /// How long it is healthy first.
        after: Duration,
    },
    /// The target answers its health check late after its start.
    SlowStart {
        /// How long it needs.
        takes: Duration,
    },
    /// No listener forwards to the target groups.
    NotInUse,
    /// The load balancer is not enabled in a zone.
    AzNotEnabled {
        /// Which Availability Zone; absent: those of the service's tasks.
        zone: Option<String>,
    },
    /// The target groups have no health check.
    ChecksDisabled,
    /// ECS cannot make the way into the next revision that it manages: a gateway route, an ingress path.
    RouteFailed {
        /// ECS's words; absent: that a quota is reached.
        message: Option<String>,
    },
    /// New targets are in another VPC than their target group.
    WrongVpc,
    /// The production traffic goes to the other target group, or to an empty one.
    WeightsDrift,
    /// The target groups are deleted.
    TargetGroupDeleted,
    /// No container instance can take one more task.
    NoCapacity {
        /// What is lacking; absent: CPU and memory, for a task may reserve no CPU.
        lack: Option<Lack>,
    },
    /// Something else listens on the fixed host port.
    PortClash,
    /// A container instance is terminated.
    InstanceLoss {
        /// Its EC2 instance id; absent: the first that runs a task of the service.
        instance: Option<String>,
    },
    /// A container instance is set to DRAINING.
    InstanceDrain {
        /// Its EC2 instance id; absent: the first that runs a task of the service.
        instance: Option<String>,
    },
    /// ECS finds the host of a container instance unhealthy.
    InstanceImpaired {
        /// Its EC2 instance id; absent: the first that runs a task of the service.
        instance: Option<String>,
    },
    /// A Spot instance gets its notice and is gone two minutes later.
    SpotInterruption {
        /// Its EC2 instance id; absent: the first that runs a task of the service.
        instance: Option<String>,
    },
    /// The ECS agent of a container instance is disconnected: what runs there goes on, and nothing starts or stops.
    AgentDisconnected {
        /// Its EC2 instance id; absent: the first that runs a task of the service.
        instance: Option<String>,
    },
    /// New tasks wait for the instance that their capacity provider launches.
    CapacityProviderSlow,
    /// Somebody else deploys the service.
    OtherDeployment,
    /// Somebody else's deployment is in progress already.
    DeploymentInProgress,
    /// The desired count changes.
    Autoscaling {
        /// The new one; absent: twice the old one.
        desired_count: Option<u32>,
    },
    /// The desired count is 0.
    DesiredZero,
    /// The old tasks are protected against scaling in.
    TaskProtection,
    /// Somebody deletes the service.
    ServiceDeleted,
    /// The token buckets that AWS publishes hold.
    AwsThrottling,
    /// Calls are refused with ThrottlingException.
    Throttled {
        /// So many calls a second pass; absent: none.
        rate: Option<f64>,
        /// So many pass at once; absent: one second's.
        burst: Option<u32>,
    },
    /// Calls are answered with a failure of the server.
    ServerError {
        /// The HTTP status.
        status: u16,
        /// Whether the answer has AWS's body, or none.
        has_body: bool,
    },
    /// A proxy's page answers.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// Answers are cut off in the middle.
    Truncated,
    /// Connections are closed without an answer.
    Reset {
        /// Before the call has its effect, or after.
        when: Moment,
    },
    /// Answers come late.
    Slow {
        /// How late.
        by: Duration,
    },
    /// Reads show what was.
    Stale {
        /// How old.
        age: Duration,
    },
    /// A new deployment is not listed at first.
    Unlisted {
        /// For how long.
        age: Duration,
    },
    /// The caller's credentials have expired.
    ExpiredCredentials,
    /// IAM refuses the call.
    Denied {
        /// The caller's ARN in AWS's sentence.
        role: Option<String>,
    },
    /// The caller's clock is wrong.
    ClockSkew {
        /// By how much.
        by: Duration,
        /// To which side.
        side: Side,
    },
    /// Somebody else registers the same family at the same time.
    ConcurrentRegistration,
    /// ECS cannot assume the service role.
    ServiceRole {
        /// ECS's words; absent: those about the listeners.
        message: Option<String>,
    },
    /// A status has a value that no published model has.
    UnknownEnum {
        /// Which one.
        of: StatusKind,
    },
    /// Events, reasons and descriptions hold commands, markup and secrets.
    HostileText,
}

impl Fault {
    /// As a scenario file calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ImagePull { .. } => "image-pull",
            Self::CrashLoop { .. } => "crash-loop",
            Self::ContainerUnhealthy { .. } => "container-unhealthy",
            Self::OutOfMemory { .. } => "out-of-memory",
            Self::Secrets { .. } => "secrets",
            Self::IgnoresSigterm { .. } => "ignores-sigterm",
            Self::Unhealthy { .. } => "unhealthy",
            Self::HealthTimeout => "health-timeout",
            Self::Flapping { .. } => "flapping",
            Self::SlowStart { .. } => "slow-start",
            Self::NotInUse => "not-in-use",
            Self::AzNotEnabled { .. } => "az-not-enabled",
            Self::ChecksDisabled => "checks-disabled",
            Self::RouteFailed { .. } => "route-failed",
            Self::WrongVpc => "wrong-vpc",
            Self::WeightsDrift => "weights-drift",
            Self::TargetGroupDeleted => "target-group-deleted",
            Self::NoCapacity { .. } => "no-capacity",
            Self::PortClash => "port-clash",
            Self::InstanceLoss { .. } => "instance-loss",
            Self::InstanceDrain { .. } => "instance-drain",
            Self::InstanceImpaired { .. } => "instance-impaired",
            Self::SpotInterruption { .. } => "spot-interruption",
            Self::AgentDisconnected { .. } => "agent-disconnected",
            Self::CapacityProviderSlow => "capacity-provider-slow",
            Self::OtherDeployment => "other-deployment",
            Self::DeploymentInProgress => "deployment-in-progress",
            Self::Autoscaling { .. } => "autoscaling",
            Self::DesiredZero => "desired-zero",
            Self::TaskProtection => "task-protection",
            Self::ServiceDeleted => "service-deleted",
            Self::AwsThrottling => "aws-throttling",
            Self::Throttled { .. } => "throttled",
            Self::ServerError { .. } => "server-error",
            Self::Html { .. } => "html",
            Self::Truncated => "truncated",
            Self::Reset { .. } => "reset",
            Self::Slow { .. } => "slow",
            Self::Stale { .. } => "stale",
            Self::Unlisted { .. } => "unlisted",
            Self::ExpiredCredentials => "expired-credentials",
            Self::Denied { .. } => "denied",
            Self::ClockSkew { .. } => "clock-skew",
            Self::ConcurrentRegistration => "concurrent-registration",
            Self::ServiceRole { .. } => "service-role",
            Self::UnknownEnum { .. } => "unknown-enum",
            Self::HostileText => "hostile-text",
        }
    }

    /// What the container of a task that is struck prints, line by line.
    pub(crate) fn log(&self) -> Option<&str> {
        match self {
            Self::CrashLoop { log, .. }
            | Self::ContainerUnhealthy { log }
            | Self::OutOfMemory { log, .. }
            | Self::Unhealthy { log, .. } => log.as_deref(),
            _ => None,
        }
    }

    /// The EC2 instance that is meant.
    pub(crate) fn instance(&self) -> Option<&str> {
        match self {
            Self::InstanceLoss { instance }
            | Self::InstanceDrain { instance }
            | Self::InstanceImpaired { instance }
            | Self::SpotInterruption { instance }
            | Self::AgentDisconnected { instance } => instance.as_deref(),
            _ => None,
        }
    }

    /// Whether it is done at one moment; everything else holds for a while.
    pub(crate) fn is_one_shot(&self) -> bool {
        matches!(
            self,
            Self::OtherDeployment
                | Self::Autoscaling { .. }
                | Self::InstanceLoss { .. }
                | Self::InstanceDrain { .. }
                | Self::InstanceImpaired { .. }
                | Self::SpotInterruption { .. }
                | Self::AgentDisconnected { .. }
                | Self::ServiceDeleted
                | Self::DesiredZero
        ) || self.can_stand()
    }

    /// Of the former, what can be there at the world's start, before anybody can look.
    pub(crate) fn can_stand(&self) -> bool {
        matches!(
            self,
            Self::NotInUse
                | Self::ChecksDisabled
                | Self::AzNotEnabled { .. }
                | Self::WeightsDrift
                | Self::TargetGroupDeleted
                | Self::DeploymentInProgress
        )
    }

    /// Whether a read shows something else than the account as it is.
    pub(crate) fn changes_what_is_shown(&self) -> bool {
        matches!(
            self,
            Self::Stale { .. } | Self::Unlisted { .. } | Self::UnknownEnum { .. } | Self::HostileText
        )
    }
}

/// What a container instance lacks, or Fargate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// CPU units.
    Cpu,
    /// Memory.
    Memory,
    /// The fixed host port.
    Ports,
    /// An attribute that the task definition requires.
    Attribute,
    /// What a placement constraint wants.
    Constraint,
    /// A connected agent.
    Agent,
    /// A network interface.
    Eni,
    /// There is no instance at all.
    Instances,
    /// Fargate has no capacity.
    Fargate,
}

/// Which status `unknown-enum` spells in a way that no model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusKind {
    /// `TargetHealth.State`, where it was `healthy`.
    TargetState,
    /// A task's `lastStatus`, where it was RUNNING.
    TaskStatus,
    /// A deployment's `rolloutState`.
    RolloutState,
    /// A deployment's `status`.
    DeploymentStatus,
    /// A service deployment's `status`.
    ServiceDeploymentStatus,
    /// A service's `status`.
    ServiceStatus,
}

/// To which side a clock is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It shows an earlier time.
    Behind,
    /// It shows a later time.
    Ahead,
}

/// On which side of a call's effect something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// The call has no effect.
    Before,
    /// The call has its effect.
    After,
}

/// What `kind` may say of `no-capacity`.
pub(crate) const LACKS: &[(&str, Lack)] = &[
    ("cpu", Lack::Cpu),
    ("memory", Lack::Memory),
    ("ports", Lack::Ports),
    ("attribute", Lack::Attribute),
    ("constraint", Lack::Constraint),
    ("agent", Lack::Agent),
    ("eni", Lack::Eni),
    ("instances", Lack::Instances),
    ("fargate", Lack::Fargate),
];
/// What `kind` may say of `unknown-enum`.
pub(crate) const ENUMS: &[(&str, StatusKind)] = &[
    ("target-state", StatusKind::TargetState),
    ("task-status", StatusKind::TaskStatus),
    ("rollout-state", StatusKind::RolloutState),
    ("deployment-status", StatusKind::DeploymentStatus),
    ("service-deployment-status", StatusKind::ServiceDeploymentStatus),
    ("service-status", StatusKind::ServiceStatus),
];
/// What `kind` may say of `clock-skew`.
pub(crate) const SIDES: &[(&str, Side)] = &[("behind", Side::Behind), ("ahead", Side::Ahead)];
