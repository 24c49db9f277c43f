//! Tasks and the container instances that they run on.

use crate::aws_model::aws_enum::aws_enum;
use crate::base::id::{ContainerInstanceArn, DeploymentId, TaskArn, TaskDefinitionArn};
use crate::base::time::Timestamp;

aws_enum! {
    /// A task's last status, in the order of its life.
    TaskStatus {
        Provisioning = "PROVISIONING",
        Pending = "PENDING",
        Activating = "ACTIVATING",
        Running = "RUNNING",
        Deactivating = "DEACTIVATING",
        Stopping = "STOPPING",
        Deprovisioning = "DEPROVISIONING",
        Stopped = "STOPPED",
        Deleted = "DELETED",
    }
}

aws_enum! {
    /// What the container health checks of a task's essential containers say of it.
    HealthStatus {
        Healthy = "HEALTHY",
        Unhealthy = "UNHEALTHY",
        /// AWS's own `UNKNOWN`: a check has not ended yet, or there is none.
        Unchecked = "UNKNOWN",
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub arn: TaskArn,
    /// The deployment that started it: this alone tells old from new.
    pub started_by: Option<DeploymentId>,
    pub task_definition: TaskDefinitionArn,
    pub last_status: TaskStatus,
    /// RUNNING or STOPPED; a task that drains is already STOPPED here.
    pub desired_status: TaskStatus,
    /// Absent on Fargate.
    pub container_instance: Option<ContainerInstanceArn>,
    /// The Availability Zone.
    pub zone: Option<String>,
    pub containers: Vec<Container>,
    pub health_status: Option<HealthStatus>,
    pub stop_code: Option<String>,
    pub stopped_reason: Option<String>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub stopping_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
}

impl Task {
    pub fn is_stopped(&self) -> bool {
        matches!(self.last_status, TaskStatus::Stopped | TaskStatus::Deleted)
    }

    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|c| c.name == name)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    pub name: String,
    pub image: Option<String>,
    pub last_status: Option<String>,
    pub exit_code: Option<i32>,
    /// Why it stopped: pull errors and out-of-memory kills stand here.
    pub reason: Option<String>,
    /// The id that the container runtime gave it.
    pub runtime_id: Option<String>,
    pub network_bindings: Vec<NetworkBinding>,
    /// The address of the task's network interface (awsvpc).
    pub private_ip: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkBinding {
    pub container_port: u16,
    pub host_port: u16,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ContainerInstance {
    pub arn: ContainerInstanceArn,
    pub ec2_instance_id: Option<String>,
    /// `ACTIVE`, `DRAINING`, …
    pub status: String,
    /// From the attribute `ecs.vpc-id`.
    pub vpc: Option<String>,
    pub agent_connected: bool,
    pub remaining: Resources,
    pub registered: Resources,
}

/// What an instance has, or has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// In units of 1/1024 vCPU.
    pub cpu: i64,
    /// In MiB.
    pub memory: i64,
    /// Host ports in use that were asked for by number (dynamic ones are not listed by AWS).
    pub reserved_ports: Vec<u16>,
}

/// Where CloudWatch Logs keeps what one container has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    pub group: String,
    pub name: String,
    /// Another region than the service's own, where the task definition names one.
    pub region: Option<String>,
}

impl std::fmt::Display for LogStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "log group {}, stream {}", self.group, self.name)
    }
}
