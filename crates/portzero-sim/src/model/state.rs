//! The simulated account as it is at one moment: what the API shows, and a little more. Only `World` changes it.

use crate::model::status::{
    DeploymentStatus, HealthStatus, InstanceStatus, RolloutState, ServiceDeploymentStatus, ServiceStatus, TargetState,
    TaskStatus,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::scenario::strategy::{AdvancedConfiguration, Strategy};
use crate::timestamp::Timestamp;

pub use super::load_balancer::{Listener, LoadBalancer};

/// Everything in the simulated account and region. Keys are short names or ids; ARNs are made from them.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub id: String,
    pub region: String,
    pub clusters: BTreeMap<String, Cluster>,
    /// family -> revisions, oldest first; revision N stands at index N-1.
    pub task_definitions: BTreeMap<String, Vec<TaskDefinition>>,
    /// By ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// By ARN.
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    /// By the ARN of what is tagged; task definitions carry their own.
    pub tags: BTreeMap<String, Vec<Value>>,
    /// Until when tasks are protected, by task id.
    pub protections: BTreeMap<String, Timestamp>,
    /// What RunTask was asked for and which tasks it made, by client token.
    pub run_tokens: BTreeMap<String, (TaskRun, Vec<String>)>,
    /// By the ARN of a listener rule (of a Network Load Balancer: of a listener) whose traffic ECS shifts: the shares of
    /// its target groups, in tenths of a percent. `World::forward_weights` gives them as weights.
    pub traffic: BTreeMap<String, Vec<(String, u32)>>,
    /// The deployments whose tasks are registered in the alternate target groups of their service.
    pub on_alternate: BTreeSet<String>,
    /// By name.
    pub classic_balancers: BTreeMap<String, ClassicBalancer>,
    /// Elastic Load Balancing's tags: by ARN, in the order of their setting.
    pub balancing_tags: BTreeMap<String, Vec<(String, String)>>,
    /// By resource id: `service/CLUSTER/SERVICE`.
    pub scalable_targets: BTreeMap<String, ScalableTarget>,
}

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub name: String,
    pub arn: String,
    /// ACTIVE or INACTIVE.
    pub status: String,
    /// By instance id without the ARN's head.
    pub instances: BTreeMap<String, ContainerInstance>,
    pub services: BTreeMap<String, Service>,
    /// By task id without the ARN's head. Stopped tasks stay for an hour.
    pub tasks: BTreeMap<String, Task>,
    /// CreateCluster's members without effect on the model, by name.
    pub settings: Settings,
}

#[derive(Clone, Debug)]
pub struct TaskDefinition {
    pub arn: String,
    pub family: String,
    pub revision: u64,
    /// ACTIVE or INACTIVE.
    pub status: String,
    /// The document as DescribeTaskDefinition shows it: what was registered, with AWS's defaults filled in and the
    /// output-only keys set. Keys that AWS does not know are not in it.
    pub document: Value,
    pub tags: Vec<Value>,
    pub registered_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ContainerInstance {
    pub id: String,
    pub arn: String,
    pub ec2_instance_id: String,
    pub status: InstanceStatus,
    pub agent_connected: bool,
    pub availability_zone: String,
    pub private_ip: String,
    /// In units of 1/1024 vCPU.
    pub cpu: i64,
    /// In MiB.
    pub memory: i64,
    pub registered_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    pub arn: String,
    pub cluster_arn: String,
    pub status: ServiceStatus,
    pub desired_count: u32,
    /// ARN.
    pub task_definition: String,
    pub load_balancers: Vec<LoadBalancerBinding>,
    /// EC2 or FARGATE.
    pub launch_type: String,
    /// REPLICA or DAEMON.
    pub scheduling_strategy: String,
    /// ECS, CODE_DEPLOY or EXTERNAL.
    pub deployment_controller: String,
    pub minimum_healthy_percent: u32,
    pub maximum_percent: u32,
    pub circuit_breaker: Option<CircuitBreaker>,
    pub health_check_grace_period: Option<Duration>,
    pub strategy: Strategy,
    /// As AWS lists them: PRIMARY first.
    pub deployments: Vec<Deployment>,
    /// Newest first, at most 100.
    pub events: Vec<ServiceEvent>,
    /// Newest first.
    pub service_deployments: Vec<ServiceDeployment>,
    pub created_at: Timestamp,
    pub created_by: String,
    pub role_arn: String,
    /// What the scheduler does not look at.
    pub settings: Settings,
    /// What each deployment deploys, by the number of its id.
    pub revisions: BTreeMap<String, ServiceRevision>,
    /// The request that made the service, where it was one: a repetition is answered with what it made.
    pub created_from: Option<Box<ServiceCreation>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    pub enable: bool,
    pub rollback: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerBinding {
    pub target_group_arn: Option<String>,
    pub load_balancer_name: Option<String>,
    pub container_name: String,
    pub container_port: u16,
    pub advanced: Option<AdvancedConfiguration>,
}

impl LoadBalancerBinding {
    /// Under what [`crate::world::World::group`] finds whom the binding registers with.
    pub fn key(&self) -> Option<String> {
        let classic = self.load_balancer_name.as_deref().map(crate::model::state::key);
        self.target_group_arn.clone().or(classic)
    }
}

#[derive(Clone, Debug)]
pub struct Deployment {
    /// `ecs-svc/NUMBER`.
    pub id: String,
    pub status: DeploymentStatus,
    pub task_definition: String,
    pub desired_count: u32,
    pub pending_count: u32,
    pub running_count: u32,
    pub failed_tasks: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub rollout_state: RolloutState,
    pub rollout_state_reason: String,
}

#[derive(Clone, Debug)]
pub struct ServiceEvent {
    pub id: String,
    pub created_at: Timestamp,
    pub message: String,
}

/// The service deployment API's object for one deployment.
#[derive(Clone, Debug)]
pub struct ServiceDeployment {
    pub arn: String,
    pub deployment_id: String,
    pub status: ServiceDeploymentStatus,
    pub status_reason: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// Revision ARNs, whose last segment is the number of the deployment id.
    pub source_revisions: Vec<String>,
    pub target_revision: String,
    /// MONITORING, MONITORING_COMPLETE, TRIGGERED or DISABLED.
    pub breaker_status: String,
    pub failure_count: u32,
    pub threshold: u32,
    pub rollback: Option<Rollback>,
    pub progress: Progress,
}

#[derive(Clone, Debug)]
pub struct Rollback {
    pub reason: String,
    pub started_at: Timestamp,
    pub revision: String,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub id: String,
    pub arn: String,
    pub cluster_arn: String,
    /// The service's name; empty for tasks that somebody ran by hand.
    pub service: String,
    /// The deployment's id.
    pub started_by: String,
    pub task_definition: String,
    pub last_status: TaskStatus,
    pub desired_status: TaskStatus,
    /// The id of the container instance; `None` on Fargate.
    pub instance: Option<String>,
    pub availability_zone: String,
    pub launch_type: String,
    pub containers: Vec<Container>,
    pub health_status: HealthStatus,
    pub cpu: i64,
    pub memory: i64,
    /// The address of the task's own network interface (awsvpc).
    pub private_ip: Option<String>,
    pub created_at: Timestamp,
    pub pull_started_at: Option<Timestamp>,
    pub pull_stopped_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub stopping_at: Option<Timestamp>,
    pub execution_stopped_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    pub stop_code: Option<String>,
    pub stopped_reason: Option<String>,
    pub version: u64,
    pub request: TaskRequest,
}

#[derive(Clone, Debug)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub last_status: TaskStatus,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    /// Present once the container has run; stays on a stopped one.
    pub network_bindings: Vec<NetworkBinding>,
    pub cpu: i64,
    pub memory: Option<i64>,
    pub memory_reservation: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkBinding {
    pub container_port: u16,
    pub host_port: u16,
    pub protocol: String,
}

#[derive(Clone, Debug)]
pub struct TargetGroup {
    pub arn: String,
    pub name: String,
    pub protocol: String,
    pub port: u16,
    pub vpc_id: String,
    /// instance or ip.
    pub target_type: String,
    pub health_check: HealthCheck,
    /// ARNs; empty where no listener forwards to the group.
    pub load_balancer_arns: Vec<String>,
    pub deregistration_delay: Duration,
    pub slow_start: Duration,
    /// What ModifyTargetGroupAttributes has set beside the two above; the rest has its defaults.
    pub attributes: BTreeMap<String, String>,
    /// In the order of registration.
    pub targets: Vec<Target>,
}

#[derive(Clone, Debug)]
pub struct HealthCheck {
    pub enabled: bool,
    pub protocol: String,
    /// `traffic-port` or a number.
    pub port: String,
    pub path: String,
    pub interval: Duration,
    pub timeout: Duration,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
    pub matcher: String,
}

#[derive(Clone, Debug)]
pub struct Target {
    /// EC2 instance id or IP address.
    pub id: String,
    pub port: u16,
    pub availability_zone: Option<String>,
    /// The zone that it is in, shown or not.
    pub home: String,
    pub state: TargetState,
    pub reason: Option<String>,
    pub description: Option<String>,
    /// When it was registered, or when its group came into use, whichever was later.
    pub registered_at: Timestamp,
    /// Since when it has been healthy without a break: what slow start counts from.
    pub healthy_since: Option<Timestamp>,
    /// Set while draining: when it disappears.
    pub drained_at: Option<Timestamp>,
    /// The task that was registered here last; the API does not show it, the truth of the simulator needs it.
    pub task: Option<String>,
    /// Health checks in a row, passed (> 0) or failed (< 0).
    pub streak: i32,
}

/// UpdateService's parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceChange {
    pub cluster: String,
    pub service: String,
    /// ARN, family or family:revision.
    pub task_definition: Option<String>,
    pub desired_count: Option<u32>,
    pub force_new_deployment: bool,
    pub minimum_healthy_percent: Option<u32>,
    pub maximum_percent: Option<u32>,
    pub circuit_breaker: Option<CircuitBreaker>,
    pub health_check_grace_period: Option<Duration>,
    pub strategy: Option<Strategy>,
    /// The whole list; an empty one takes the service out of its load balancers.
    pub load_balancers: Option<Vec<LoadBalancerBinding>>,
    /// Those that were given.
    pub settings: Settings,
}

/// CreateService's parameters: those of UpdateService, and what can only be said at the beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceCreation {
    /// Its `service` is the name of the new one.
    pub service: ServiceChange,
    pub launch_type: Option<String>,
    pub scheduling_strategy: Option<String>,
    pub deployment_controller: Option<String>,
    /// `{key, value}` each.
    pub tags: Vec<Value>,
}

/// ListTasks' filters.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    pub cluster: String,
    pub service: Option<String>,
    pub family: Option<String>,
    pub started_by: Option<String>,
    pub container_instance: Option<String>,
    /// RUNNING unless said otherwise.
    pub desired_status: Option<String>,
    pub launch_type: Option<String>,
}

/// RunTask's parameters beside the task definition. Tasks of a service have none of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskRequest {
    pub group: Option<String>,
    /// As it was given.
    pub overrides: Option<Value>,
    pub network_configuration: Option<Value>,
    pub capacity_provider: Option<String>,
    pub platform_version: Option<String>,
    pub enable_execute_command: bool,
}

/// RunTask's parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskRun {
    pub cluster: String,
    pub task_definition: String,
    pub count: u32,
    /// EC2 or FARGATE.
    pub launch_type: Option<String>,
    pub started_by: String,
    pub request: TaskRequest,
    pub tags: Vec<Value>,
    pub client_token: Option<String>,
}

/// The task group: the one that was asked for, the service's, or the family's.
pub fn group(task: &Task) -> String {
    if let Some(group) = &task.request.group {
        return group.clone();
    }
    if task.service.is_empty() {
        let name = short(&task.task_definition);
        return format!("family:{}", name.rsplit_once(':').map_or(name, |(family, _)| family));
    }
    format!("service:{}", task.service)
}

#[derive(Clone, Debug)]
pub struct ClassicBalancer {
    pub name: String,
    pub dns_name: String,
    pub scheme: String,
    pub vpc_id: String,
    pub availability_zones: Vec<String>,
    pub created_at: Timestamp,
    /// What clients connect to.
    pub port: u16,
    /// The registered instances as targets on the instance port; its deregistration delay is the connection draining.
    pub group: TargetGroup,
}

/// The key of a classic load balancer among the groups.
pub(crate) fn key(name: &str) -> String {
    format!("elb/{name}")
}

/// The name in such a key; `None` for the ARN of a target group.
pub(crate) fn name_in(key: &str) -> Option<&str> {
    key.strip_prefix("elb/")
}

/// Members of a service (or cluster) that change nothing in the model, by AWS's name, as they were given.
pub type Settings = Map<String, Value>;

/// What AWS calls a service revision.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRevision {
    pub created_at: Timestamp,
    pub task_definition: String,
    pub launch_type: String,
    pub load_balancers: Vec<LoadBalancerBinding>,
    pub settings: Settings,
}

/// A service that is registered as a scalable target.
#[derive(Clone, Debug)]
pub struct ScalableTarget {
    /// `service/CLUSTER/SERVICE`.
    pub resource_id: String,
    pub arn: String,
    pub minimum: u32,
    pub maximum: u32,
    pub role_arn: String,
    pub created_at: Timestamp,
    pub suspended: Suspended,
}

/// What may not happen to a scalable target at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    pub scaling_in: bool,
    pub scaling_out: bool,
    pub scheduled: bool,
}

pub(crate) fn primary(service: &Service) -> Option<&Deployment> {
    service
        .deployments
        .iter()
        .find(|d| d.status == DeploymentStatus::Primary)
}

/// How far a service deployment is, beyond its status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// `lifecycleStage`.
    pub stage: Option<String>,
    pub hooks: Vec<HookDetail>,
    /// MONITORING, MONITORING_COMPLETE, TRIGGERED; empty for DISABLED.
    pub alarm_status: String,
    pub alarms: Vec<String>,
    pub triggered: Vec<String>,
    pub stopped_at: Option<Timestamp>,
}

/// One hook of one stage of a running service deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct HookDetail {
    pub id: String,
    pub target_type: String,
    pub target_arn: Option<String>,
    /// AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT.
    pub status: String,
    pub expires_at: Timestamp,
    pub timeout_action: String,
}

/// The failures after which the breaker fires: half the desired count, at least 3, at most 200.
pub(crate) fn threshold(desired: u32) -> u32 {
    (desired / 2 + desired % 2).clamp(3, 200)
}

/// The last segment of an ARN, or the name itself.
pub(crate) fn short(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The account as it was, oldest first, with the moment since which it was so. It is kept only where a fault asks for
/// it, and to the second.
#[derive(Clone, Default)]
pub(crate) struct Past(pub(crate) VecDeque<(Timestamp, Rc<Account>)>);
