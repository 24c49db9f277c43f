//! The simulated account as it is at one moment: what the API shows, and a little more. Only `World` changes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use crate::model::status::InstanceStatus;
use crate::scenario::switches::Switches;
use crate::timestamp::Timestamp;

pub use crate::model::load_balancer::{Listener, LoadBalancer};
pub use crate::model::managed::{Gateway, Managed, Manager};
pub(crate) use crate::model::service::primary;
pub use crate::model::service::{
    Deployment, HookDetail, LoadBalancerBinding, Progress, Rollback, Service, ServiceChange, ServiceCreation,
    ServiceDeployment, ServiceEvent, ServiceRevision, Settings,
};
pub use crate::model::target_group::{ClassicBalancer, HealthCheck, Target, TargetGroup};
pub(crate) use crate::model::target_group::{key, name_in};
pub(crate) use crate::model::task::short;
pub use crate::model::task::{Container, NetworkBinding, Task, TaskFilter, TaskRequest, TaskRun, group};

/// Everything in the simulated account and region. Keys are short names or ids; ARNs are made from them.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The account number, twelve digits.
    pub id: String,
    /// The one region that is simulated.
    pub region: String,
    /// By name.
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
    /// By ARN.
    pub gateways: BTreeMap<String, Gateway>,
    /// By resource id: `service/CLUSTER/SERVICE`.
    pub scalable_targets: BTreeMap<String, ScalableTarget>,
    /// How the evidence leaves some of it to be shown.
    pub switches: Switches,
}

/// A cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// `clusterName`.
    pub name: String,
    /// `clusterArn`.
    pub arn: String,
    /// ACTIVE or INACTIVE.
    pub status: String,
    /// By instance id without the ARN's head.
    pub instances: BTreeMap<String, ContainerInstance>,
    /// By name, INACTIVE ones too.
    pub services: BTreeMap<String, Service>,
    /// By task id without the ARN's head. Stopped tasks stay for an hour.
    pub tasks: BTreeMap<String, Task>,
    /// CreateCluster's members without effect on the model, by name.
    pub settings: Settings,
}

/// One revision of a task definition.
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    /// `taskDefinitionArn`, with the revision.
    pub arn: String,
    /// `family`.
    pub family: String,
    /// `revision`, from 1.
    pub revision: u64,
    /// ACTIVE or INACTIVE.
    pub status: String,
    /// The document as DescribeTaskDefinition shows it: what was registered, with AWS's defaults filled in and the
    /// output-only keys set. Keys that AWS does not know are not in it.
    pub document: Value,
    /// `{key, value}` each.
    pub tags: Vec<Value>,
    /// `registeredAt`.
    pub registered_at: Timestamp,
}

/// An EC2 instance that is registered in a cluster.
#[derive(Clone, Debug)]
pub struct ContainerInstance {
    /// The last segment of the ARN.
    pub id: String,
    /// `containerInstanceArn`.
    pub arn: String,
    /// `ec2InstanceId`.
    pub ec2_instance_id: String,
    /// `status`: on a DRAINING one nothing is placed.
    pub status: InstanceStatus,
    /// `agentConnected`.
    pub agent_connected: bool,
    /// The `ecs.availability-zone` attribute.
    pub availability_zone: String,
    /// Its private IPv4 address.
    pub private_ip: String,
    /// In units of 1/1024 vCPU.
    pub cpu: i64,
    /// In MiB.
    pub memory: i64,
    /// `registeredAt`.
    pub registered_at: Timestamp,
}

/// A service that is registered as a scalable target.
#[derive(Clone, Debug)]
pub struct ScalableTarget {
    /// `service/CLUSTER/SERVICE`.
    pub resource_id: String,
    /// `ScalableTargetARN`.
    pub arn: String,
    /// `MinCapacity`.
    pub minimum: u32,
    /// `MaxCapacity`. One below the desired count waits for the end of a deployment: no recording shows it.
    pub maximum: u32,
    /// `RoleARN`.
    pub role_arn: String,
    /// `CreationTime`.
    pub created_at: Timestamp,
    /// `SuspendedState`.
    pub suspended: Suspended,
}

/// What may not happen to a scalable target at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    /// `DynamicScalingInSuspended`.
    pub scaling_in: bool,
    /// `DynamicScalingOutSuspended`.
    pub scaling_out: bool,
    /// `ScheduledScalingSuspended`.
    pub scheduled: bool,
}

/// The account as it was, oldest first, with the moment since which it was so. It is kept only where a fault asks for
/// it, and to the second.
#[derive(Clone, Default)]
pub(crate) struct Past(pub(crate) VecDeque<(Timestamp, Rc<Account>)>);
