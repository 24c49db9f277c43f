//! An ECS service and its deployments, as DescribeServices shows them, and the scheduler's published arithmetic.

mod breaker;
mod managed;
mod strategy;

use std::time::Duration;

use crate::aws_model::aws_enum::aws_enum;
use crate::base::id::{ClusterName, DeploymentId, ServiceName, TargetGroupArn, TaskDefinitionArn};
use crate::base::time::Timestamp;

pub use breaker::{BreakerThreshold, CircuitBreaker};
pub(crate) use managed::not_followed;
pub use managed::{ManagedGroup, ManagedWay, ManagedWays, RevisionReading, WayStatus};
pub use strategy::{
    AlarmWatch, DeploymentStrategy, Hook, HookDetail, HookStatus, HookTargetType, Progress, ServiceRevision, Stage,
    TrafficSteps, WHOLE,
};

aws_enum! {
    /// The status of a service. Only an ACTIVE one can be updated.
    ServiceStatus { Active = "ACTIVE", Draining = "DRAINING", Inactive = "INACTIVE" }
}

aws_enum! {
    /// The status of a deployment. Anything but PRIMARY is an old one to us.
    DeploymentStatus { Primary = "PRIMARY", Active = "ACTIVE", Inactive = "INACTIVE", Draining = "DRAINING" }
}

aws_enum! {
    /// How far ECS calls a deployment.
    RolloutState { InProgress = "IN_PROGRESS", Completed = "COMPLETED", Failed = "FAILED" }
}

aws_enum! {
    /// Who rolls out the deployments of a service.
    DeploymentController { Ecs = "ECS", CodeDeploy = "CODE_DEPLOY", External = "EXTERNAL" }
}

aws_enum! {
    /// So many tasks, or one on each instance.
    SchedulingStrategy { Replica = "REPLICA", Daemon = "DAEMON" }
}

aws_enum! {
    /// What the tasks of a service run on.
    LaunchType {
        Ec2 = "EC2",
        Fargate = "FARGATE",
        External = "EXTERNAL",
        ManagedInstances = "MANAGED_INSTANCES",
    }
}

aws_enum! {
    /// The status of a service deployment (the API of 2024).
    ServiceDeploymentStatus {
        Pending = "PENDING",
        InProgress = "IN_PROGRESS",
        Successful = "SUCCESSFUL",
        StopRequested = "STOP_REQUESTED",
        Stopped = "STOPPED",
        RollbackRequested = "ROLLBACK_REQUESTED",
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        RollbackSuccessful = "ROLLBACK_SUCCESSFUL",
        RollbackFailed = "ROLLBACK_FAILED",
    }
}

impl ServiceDeploymentStatus {
    /// ECS goes back from the deployment, or has done so, or could not. A status that this version does not know counts
    /// by its spelling.
    pub fn is_rollback(&self) -> bool {
        self.as_str().starts_with("ROLLBACK")
    }
}

/// A part of the task definition that a setting of the service names: each revision has to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedPart {
    /// `volumeConfigurations`: a volume that is configured at launch.
    Volume(String),
    /// `serviceConnectConfiguration`: the name of a port mapping.
    Port(String),
}

/// One service, as one answer of DescribeServices or UpdateService shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The cluster's short name.
    pub cluster: ClusterName,
    /// The service's short name.
    pub name: ServiceName,
    /// The service's full ARN; old ones lack the cluster.
    pub arn: String,
    /// Whether it can be updated at all.
    pub status: ServiceStatus,
    /// How many tasks the service is to run.
    pub desired_count: u32,
    /// How many run, of all deployments together.
    pub running_count: u32,
    /// How many are on their way to run.
    pub pending_count: u32,
    /// Absent for services whose controller is EXTERNAL.
    pub task_definition: Option<TaskDefinitionArn>,
    /// The PRIMARY one and those that it replaces, in no particular order.
    pub deployments: Vec<Deployment>,
    /// Newest first, at most 100; for people, never for decisions about who is ours.
    pub events: Vec<ServiceEvent>,
    /// What connects its containers with load balancers, in the order in which the service lists them.
    pub load_balancers: Vec<LoadBalancerBinding>,
    /// The listener rules between which ECS shifts the traffic.
    pub rules: ListenerRules,
    /// Ways to it besides its load balancers.
    pub other_ways: Vec<OtherWay>,
    /// DescribeServices names the revisions that it runs (`currentServiceRevisions`). Without one, ECS manages no target
    /// group of a service that has load balancers.
    pub names_revisions: bool,
    /// What its settings name of its task definition, besides containers and their ports.
    pub named_parts: Vec<NamedPart>,
    /// What ECS manages of its ingress, where that has been read: `load_balancers` and `rules` have it too then.
    pub managed: ManagedWays,
    /// Who deploys it: ECS itself, CodeDeploy, or somebody else.
    pub controller: DeploymentController,
    /// REPLICA or DAEMON, which decides what the percentages default to.
    pub scheduling: SchedulingStrategy,
    /// How ECS replaces its tasks.
    pub configuration: DeploymentConfiguration,
    /// Absent where a capacity provider strategy is used.
    pub launch_type: Option<LaunchType>,
    /// Its tasks run on capacity that ECS picks by a capacity provider strategy.
    pub has_capacity_providers: bool,
    /// For how long ECS ignores health checks after a task has started.
    pub health_check_grace_period: Option<Duration>,
    /// The role that ECS uses towards the load balancer: its service-linked one, or one that the service names.
    pub role_arn: Option<String>,
}

impl Service {
    /// The deployment that is rolled out, or was last.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|d| d.status == DeploymentStatus::Primary)
    }

    /// The deployment with this id, as far as it is still listed.
    pub fn deployment(&self, id: &DeploymentId) -> Option<&Deployment> {
        self.deployments.iter().find(|d| &d.id == id)
    }

    /// Takes in what DescribeServices does not show.
    pub fn adopt(&mut self, managed: &ManagedWays) {
        self.load_balancers.extend(managed.bindings.iter().cloned());
        self.rules.production.extend(managed.rules.production.iter().cloned());
        self.rules.test.extend(managed.rules.test.iter().cloned());
        if !managed.bindings.is_empty() {
            self.other_ways.retain(|way| *way != OtherWay::ExpressMode);
        }
        self.managed = managed.clone();
    }

    /// Whether ECS may manage target groups of it that DescribeServices does not show: a gateway may stand beside load
    /// balancers of its own.
    pub fn may_be_managed(&self) -> bool {
        self.names_revisions || self.load_balancers.is_empty() || self.is_in_express_mode()
    }

    /// Whether ECS manages a load balancer of it that is not known yet.
    pub fn is_in_express_mode(&self) -> bool {
        self.other_ways.contains(&OtherWay::ExpressMode)
    }

    /// The ARN of the service revision of a deployment. Old ARNs of services lack the cluster, those of revisions never do.
    pub fn revision_arn(&self, deployment: &DeploymentId) -> String {
        let head = self.arn.split(":service/").next().unwrap_or_default();
        let number = deployment.number();
        format!("{head}:service-revision/{}/{}/{number}", self.cluster, self.name)
    }

    /// Whether a load balancer entry names two target groups.
    pub fn has_alternates(&self) -> bool {
        self.load_balancers.iter().any(|b| b.alternate.is_some())
    }

    /// Whether the group is one of two between which ECS shifts the traffic.
    pub fn has_alternate(&self, group: &TargetGroupArn) -> bool {
        let mut shifted = self.load_balancers.iter().filter(|b| b.alternate.is_some());
        shifted.any(|b| b.alternate.as_ref() == Some(group) || b.target_group() == Some(group))
    }

    /// The target groups (and classic load balancers) that the service's tasks register in, now or after the next
    /// deployment, without repetition.
    pub fn target_groups(&self) -> Vec<TargetGroupArn> {
        let both = |b: &LoadBalancerBinding| [Some(b.group()), b.alternate.clone()];
        let mut arns: Vec<TargetGroupArn> = self.load_balancers.iter().flat_map(both).flatten().collect();
        arns.sort();
        arns.dedup();
        arns
    }
}

/// A way to a service besides the load balancers that it names. Nobody here follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherWay {
    /// VPC Lattice has targets of the service.
    VpcLattice,
    /// ECS Express Mode: ECS itself makes and owns the load balancer.
    ExpressMode,
}

impl OtherWay {
    /// Completes `not checked: `.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VpcLattice => "the health of targets in VPC Lattice",
            Self::ExpressMode => "the health of targets in the target groups that ECS manages (Express Mode)",
        }
    }
}

/// The listener rules whose weights ECS shifts, by their ARNs; of a Network Load Balancer the listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerRules {
    /// Those of the production traffic.
    pub production: Vec<String>,
    /// Those of the test traffic.
    pub test: Vec<String>,
}

/// What connects a container's port with a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerBinding {
    /// Where the traffic comes from.
    pub balancer: Balancer,
    /// The container that gets it, by its name in the task definition.
    pub container_name: String,
    /// The container's own port.
    pub container_port: u16,
    /// The second target group of a service whose traffic shifts. Each deployment takes the one that is not in use, so
    /// either may be the live one.
    pub alternate: Option<TargetGroupArn>,
}

impl LoadBalancerBinding {
    /// Whether both mean the same load balancer. A file names one target group, and that may be either of the two.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let either =
            |one: &Self, two: &Self| one.balancer == two.balancer || two.alternate.as_ref() == one.target_group();
        let is_same_port = (&self.container_name, self.container_port) == (&other.container_name, other.container_port);
        is_same_port && (either(self, other) || either(other, self))
    }

    /// The target group, or what stands for a classic load balancer.
    pub fn group(&self) -> TargetGroupArn {
        match &self.balancer {
            Balancer::TargetGroup(arn) => arn.clone(),
            Balancer::Classic(name) => TargetGroupArn::of_classic(name),
        }
    }

    /// The target group, where it is one.
    pub fn target_group(&self) -> Option<&TargetGroupArn> {
        match &self.balancer {
            Balancer::TargetGroup(arn) => Some(arn),
            Balancer::Classic(_) => None,
        }
    }
}

/// A load balancer, as a service names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balancer {
    /// An Application or Network Load Balancer, by target group.
    TargetGroup(TargetGroupArn),
    /// A classic load balancer, by name. It knows whole instances and one fixed port.
    Classic(String),
}

/// One deployment of a service, as DescribeServices lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// `ecs-svc/NUMBER`.
    pub id: DeploymentId,
    /// PRIMARY for the newest; everything else gives way to it.
    pub status: DeploymentStatus,
    /// The revision that it runs.
    pub task_definition: TaskDefinitionArn,
    /// How many tasks it is to run.
    pub desired_count: u32,
    /// How many of its tasks run.
    pub running_count: u32,
    /// How many of its tasks are on their way to run.
    pub pending_count: u32,
    /// Absent in answers from before 2020-12.
    pub failed_tasks: Option<u32>,
    /// Absent for services behind a classic load balancer, and before 2020-12.
    pub rollout_state: Option<RolloutState>,
    /// ECS's sentence on the state.
    pub rollout_state_reason: Option<String>,
    /// After a rollback this is the original one of the deployment that was rolled back to, so it orders nothing.
    pub created_at: Option<Timestamp>,
    /// When ECS last changed anything about it.
    pub updated_at: Option<Timestamp>,
}

impl Deployment {
    /// The deployment is what ECS goes back to, and has not come to its end.
    pub(crate) fn is_rolling_back(&self) -> bool {
        self.rollout_state == Some(RolloutState::InProgress) && self.began_as_rollback()
    }

    /// ECS's own words say that it goes back to this deployment, whatever has become of it since.
    pub(crate) fn began_as_rollback(&self) -> bool {
        let reason = self.rollout_state_reason.as_deref().unwrap_or_default();
        reason.contains("rolling back")
    }
}

/// A line of the service's event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEvent {
    /// ECS's id of the event, by which an event that was seen is known again.
    pub id: String,
    /// When ECS wrote it.
    pub created_at: Option<Timestamp>,
    /// A sentence for people. Its wording changes over the years.
    pub message: String,
}

/// How ECS replaces tasks: DescribeServices' `deploymentConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentConfiguration {
    /// In percent of the desired count; absent means the default of the scheduling strategy.
    pub minimum_healthy_percent: Option<u32>,
    /// In percent of the desired count; absent means the default of the scheduling strategy.
    pub maximum_percent: Option<u32>,
    /// Absent where none is configured, which means that it is off.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Absent means ROLLING.
    pub strategy: Option<DeploymentStrategy>,
    /// How long both revisions run after the production traffic has shifted; with alarms also in rolling updates.
    pub bake_time: Option<Duration>,
    /// Of LINEAR and CANARY.
    pub steps: Option<TrafficSteps>,
    /// Functions and pauses between the stages.
    pub hooks: Vec<Hook>,
    /// CloudWatch alarms that may end a deployment.
    pub alarms: Option<AlarmWatch>,
    /// Early success criteria: from how many percent of healthy tasks on ECS calls a rolling update successful.
    pub early_success: Option<u32>,
    /// Early success criteria leave the old tasks for later (DEFERRED): SUCCESSFUL comes before they are gone.
    pub defers_clean_up: bool,
}

impl DeploymentConfiguration {
    /// The fewest tasks that must stay healthy: ceil(desired x minimum %). REPLICA's default is 100 %, DAEMON's 0 %.
    pub fn lower_limit(&self, scheduling: &SchedulingStrategy, desired: u32) -> u32 {
        let default = if *scheduling == SchedulingStrategy::Daemon {
            0
        } else {
            100
        };
        let percent = u64::from(self.minimum_healthy_percent.unwrap_or(default));
        u32::try_from((u64::from(desired) * percent).div_ceil(100)).unwrap_or(u32::MAX)
    }

    /// The most tasks that may run at once: floor(desired x maximum %). REPLICA's default is 200 %, DAEMON's 100 %.
    pub fn upper_limit(&self, scheduling: &SchedulingStrategy, desired: u32) -> u32 {
        let default = if *scheduling == SchedulingStrategy::Daemon {
            100
        } else {
            200
        };
        let percent = u64::from(self.maximum_percent.unwrap_or(default));
        u32::try_from(u64::from(desired) * percent / 100).unwrap_or(u32::MAX)
    }
}

/// A service deployment (ListServiceDeployments/DescribeServiceDeployments), the best source of truth where it may be read.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDeployment {
    /// The ARN of the service deployment itself.
    pub arn: String,
    /// How far it is, or how it ended.
    pub status: ServiceDeploymentStatus,
    /// ECS's sentence on the status.
    pub status_reason: Option<String>,
    /// The ARN of the target service revision; `ecs-svc/` in front of the number at its end gives the deployment id.
    pub target_revision: Option<String>,
    /// The circuit breaker's counter; absent where it may not be read.
    pub breaker: Option<BreakerState>,
    /// Why ECS went back from it.
    pub rollback_reason: Option<String>,
    /// Stages, traffic and hooks.
    pub progress: Progress,
    /// The numbers of the service revisions that it replaces.
    pub source_revisions: Vec<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
}

impl ServiceDeployment {
    /// The id of the deployment that DescribeServices lists for it.
    pub fn deployment_id(&self) -> Option<DeploymentId> {
        self.target_revision.as_deref().map(DeploymentId::of_revision)
    }
}

aws_enum! {
    /// What the circuit breaker of a deployment does. Source: API reference of `ServiceDeploymentCircuitBreaker`.
    BreakerStatus {
        Triggered = "TRIGGERED",
        Monitoring = "MONITORING",
        MonitoringComplete = "MONITORING_COMPLETE",
        Disabled = "DISABLED",
    }
}

/// The circuit breaker's counter, as AWS shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerState {
    /// Whether it still counts.
    pub status: BreakerStatus,
    /// Tasks that have failed so far.
    pub failure_count: u32,
    /// The failures at which it fires.
    pub threshold: u32,
}

/// The one change of a service that a deployment makes. Nothing else is ever sent: autoscaling owns the desired count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUpdate {
    /// The cluster's short name.
    pub cluster: ClusterName,
    /// The service's short name.
    pub service: ServiceName,
    /// The revision to run.
    pub task_definition: TaskDefinitionArn,
    /// Replace the tasks even where the revision is the one that runs.
    pub force_new_deployment: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(min: u32, max: u32, desired: u32) -> (u32, u32) {
        let configuration = DeploymentConfiguration {
            minimum_healthy_percent: Some(min),
            maximum_percent: Some(max),
            ..Default::default()
        };
        let replica = SchedulingStrategy::Replica;
        (
            configuration.lower_limit(&replica, desired),
            configuration.upper_limit(&replica, desired),
        )
    }

    #[test]
    fn the_limits_are_those_of_the_developer_guide() {
        assert_eq!(limits(50, 200, 4), (2, 8));
        assert_eq!(limits(75, 100, 2), (2, 2));
        assert_eq!(limits(100, 125, 3), (3, 3));
    }

    #[test]
    fn unknown_values_are_kept_to_be_shown() {
        let state = RolloutState::from("PAUSED");
        assert_eq!(state.as_str(), "PAUSED");
        assert_eq!(state, RolloutState::Unknown("PAUSED".into()));
    }
}
