//! Tasks as data, and the requests that start and list them.

use std::net::IpAddr;

use serde_json::Value;

use crate::model::status::{HealthStatus, TaskStatus};
use crate::model::target_group::TargetGroup;
use crate::scenario::switches::Switches;
use crate::timestamp::Timestamp;

/// A task as DescribeTasks shows it.
#[derive(Clone, Debug)]
pub struct Task {
    /// The last segment of the ARN: 32 hexadecimal digits.
    pub id: String,
    /// `taskArn`.
    pub arn: String,
    /// `clusterArn`.
    pub cluster_arn: String,
    /// The service's name; empty for tasks that somebody ran by hand.
    pub service: String,
    /// The deployment's id.
    pub started_by: String,
    /// `taskDefinitionArn`.
    pub task_definition: String,
    /// `lastStatus`.
    pub last_status: TaskStatus,
    /// `desiredStatus`: RUNNING or STOPPED.
    pub desired_status: TaskStatus,
    /// The id of the container instance; `None` on Fargate.
    pub instance: Option<String>,
    /// `availabilityZone`.
    pub availability_zone: String,
    /// `launchType`: EC2 or FARGATE.
    pub launch_type: String,
    /// `containers`, in the order of the task definition.
    pub containers: Vec<Container>,
    /// `healthStatus`.
    pub health_status: HealthStatus,
    /// What is reserved, in units of 1/1024 vCPU.
    pub cpu: i64,
    /// What is reserved, in MiB.
    pub memory: i64,
    /// The IPv4 address of the task's own network interface (awsvpc).
    pub private_ip: Option<String>,
    /// Its IPv6 address.
    pub ipv6: Option<String>,
    /// `createdAt`.
    pub created_at: Timestamp,
    /// `pullStartedAt`.
    pub pull_started_at: Option<Timestamp>,
    /// `pullStoppedAt`.
    pub pull_stopped_at: Option<Timestamp>,
    /// `startedAt`: when it became RUNNING.
    pub started_at: Option<Timestamp>,
    /// `stoppingAt`.
    pub stopping_at: Option<Timestamp>,
    /// `executionStoppedAt`: when its containers ended.
    pub execution_stopped_at: Option<Timestamp>,
    /// `stoppedAt`.
    pub stopped_at: Option<Timestamp>,
    /// `stopCode`.
    pub stop_code: Option<String>,
    /// `stoppedReason`.
    pub stopped_reason: Option<String>,
    /// `version`: it counts the changes.
    pub version: u64,
    /// What RunTask was given beside the task definition.
    pub request: TaskRequest,
}

/// One container of a task.
#[derive(Clone, Debug)]
pub struct Container {
    /// `name`.
    pub name: String,
    /// `image`.
    pub image: String,
    /// `lastStatus`: PENDING, RUNNING or STOPPED.
    pub last_status: TaskStatus,
    /// `exitCode`, where the container has run.
    pub exit_code: Option<i32>,
    /// `reason` of its end.
    pub reason: Option<String>,
    /// Present once the container has run; stays on a stopped one.
    pub network_bindings: Vec<NetworkBinding>,
    /// What is reserved, in units of 1/1024 vCPU.
    pub cpu: i64,
    /// The hard limit, in MiB.
    pub memory: Option<i64>,
    /// The soft limit, in MiB.
    pub memory_reservation: Option<i64>,
}

/// A container port that is published on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkBinding {
    /// `containerPort`.
    pub container_port: u16,
    /// `hostPort`.
    pub host_port: u16,
    /// `protocol`: tcp or udp.
    pub protocol: String,
}

/// ListTasks' filters.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// The cluster's name or ARN.
    pub cluster: String,
    /// `serviceName`.
    pub service: Option<String>,
    /// `family` of the task definition.
    pub family: Option<String>,
    /// `startedBy`.
    pub started_by: Option<String>,
    /// `containerInstance`: an id or an ARN.
    pub container_instance: Option<String>,
    /// RUNNING unless said otherwise.
    pub desired_status: Option<String>,
    /// `launchType`.
    pub launch_type: Option<String>,
}

/// RunTask's parameters beside the task definition. Tasks of a service have none of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskRequest {
    /// `group`.
    pub group: Option<String>,
    /// As it was given.
    pub overrides: Option<Value>,
    /// `networkConfiguration`, as it was given.
    pub network_configuration: Option<Value>,
    /// The first of `capacityProviderStrategy`. It is shown and changes nothing.
    pub capacity_provider: Option<String>,
    /// `platformVersion`, on Fargate.
    pub platform_version: Option<String>,
    /// `enableExecuteCommand`.
    pub enable_execute_command: bool,
}

/// RunTask's parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskRun {
    /// The cluster's name or ARN.
    pub cluster: String,
    /// An ARN, a family or family:revision.
    pub task_definition: String,
    /// `count`.
    pub count: u32,
    /// EC2 or FARGATE.
    pub launch_type: Option<String>,
    /// `startedBy`; empty where it was not given.
    pub started_by: String,
    /// What the tasks keep of the request.
    pub request: TaskRequest,
    /// `{key, value}` each.
    pub tags: Vec<Value>,
    /// `clientToken`: a repetition with the same one starts nothing.
    pub client_token: Option<String>,
}

impl Task {
    /// It runs in awsvpc mode.
    pub fn has_interface(&self) -> bool {
        self.private_ip.is_some() || self.ipv6.is_some()
    }

    /// Whether it has this address, however that is written.
    pub fn is_at(&self, address: &str) -> bool {
        let is_it = |own: &String| own == address || address.parse::<IpAddr>().ok() == own.parse().ok();
        self.private_ip.iter().chain(&self.ipv6).any(is_it)
    }

    /// What it is registered with in a group of addresses.
    pub(crate) fn address_in(&self, group: Option<&TargetGroup>) -> Option<&String> {
        match group {
            Some(group) if group.ip_address_type == "ipv6" => self.ipv6.as_ref(),
            _ => self.private_ip.as_ref(),
        }
    }

    /// `startedBy` as DescribeTasks shows it.
    pub fn shown_started_by(&self, switches: &Switches) -> &str {
        if switches.started_by_service && !self.service.is_empty() {
            &self.service
        } else {
            &self.started_by
        }
    }
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

/// The last segment of an ARN, or the name itself.
pub(crate) fn short(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}
