//! Tasks and the container instances that they run on.

use crate::aws_model::aws_enum::aws_enum;
use crate::base::id::{ContainerInstanceArn, DeploymentId, ServiceName, TaskArn, TaskDefinitionArn};
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

/// One task, as DescribeTasks shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The task's full ARN.
    pub arn: TaskArn,
    /// The deployment that started it: this alone tells old from new.
    pub started_by: Option<DeploymentId>,
    /// `service:NAME` for the tasks of a service; absent in old answers.
    pub group: Option<String>,
    /// The revision that it runs.
    pub task_definition: TaskDefinitionArn,
    /// Where it is in its life.
    pub last_status: TaskStatus,
    /// RUNNING or STOPPED; a task that drains is already STOPPED here.
    pub desired_status: TaskStatus,
    /// Absent on Fargate.
    pub container_instance: Option<ContainerInstanceArn>,
    /// The capacity provider that it was started by; absent where none was.
    pub capacity_provider: Option<String>,
    /// The Availability Zone.
    pub zone: Option<String>,
    /// Its containers, in no particular order.
    pub containers: Vec<Container>,
    /// The addresses of the network interfaces among its attachments (awsvpc).
    pub attached_addresses: Vec<String>,
    /// Absent in answers from before container health checks.
    pub health_status: Option<HealthStatus>,
    /// AWS's code for why it stopped, for example `EssentialContainerExited`.
    pub stop_code: Option<String>,
    /// ECS's sentence on why it stopped.
    pub stopped_reason: Option<String>,
    /// When ECS took it in hand.
    pub created_at: Option<Timestamp>,
    /// When its containers ran.
    pub started_at: Option<Timestamp>,
    /// When ECS began to stop it.
    pub stopping_at: Option<Timestamp>,
    /// When it had stopped.
    pub stopped_at: Option<Timestamp>,
}

impl Task {
    /// It is over, whether AWS still lists it as stopped or is about to forget it.
    pub fn is_stopped(&self) -> bool {
        matches!(self.last_status, TaskStatus::Stopped | TaskStatus::Deleted)
    }

    /// It says that it is of another service. ECS lists none of those among a service's tasks, emulators do.
    pub(crate) fn is_of_another(&self, service: &ServiceName) -> bool {
        let named = self.group.as_deref().and_then(|group| group.strip_prefix("service:"));
        named.is_some_and(|name| name != service.as_str())
    }

    /// Every address of its network interfaces, IPv4 and IPv6, whichever place shows it.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &String> {
        let of_containers = self.containers.iter().flat_map(|container| &container.addresses);
        of_containers.chain(&self.attached_addresses)
    }

    /// The container with this name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|c| c.name == name)
    }
}

/// A container of a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// The name from the task definition.
    pub name: String,
    /// The image as the task definition names it.
    pub image: Option<String>,
    /// `PENDING`, `RUNNING` or `STOPPED`.
    pub last_status: Option<String>,
    /// What its process ended with; absent where it never ran or still runs.
    pub exit_code: Option<i32>,
    /// Why it stopped: pull errors and out-of-memory kills stand here.
    pub reason: Option<String>,
    /// The id that the container runtime gave it.
    pub runtime_id: Option<String>,
    /// Host ports that it got (bridge and host mode).
    pub network_bindings: Vec<NetworkBinding>,
    /// The addresses of the network interfaces that it is shown with (awsvpc).
    pub addresses: Vec<String>,
}

/// A port of a container, and the port of the instance that leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkBinding {
    /// The container's own port.
    pub container_port: u16,
    /// The instance's port, picked by ECS or asked for.
    pub host_port: u16,
}

aws_enum! {
    /// Whether an instance takes tasks. Source: API reference of `ContainerInstance`.
    InstanceStatus {
        Active = "ACTIVE",
        Draining = "DRAINING",
        Registering = "REGISTERING",
        Deregistering = "DEREGISTERING",
        RegistrationFailed = "REGISTRATION_FAILED",
        Inactive = "INACTIVE",
    }
}

/// An instance of the cluster, as DescribeContainerInstances shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerInstance {
    /// The full ARN.
    pub arn: ContainerInstanceArn,
    /// The EC2 instance; absent where it is none.
    pub ec2_instance_id: Option<String>,
    /// Only one that is ACTIVE gets tasks.
    pub status: InstanceStatus,
    /// From the attribute `ecs.vpc-id`.
    pub vpc: Option<String>,
    /// ECS hears from its agent, so that it can be given tasks.
    pub agent_connected: bool,
    /// What no task has reserved.
    pub remaining: Resources,
    /// What it has in all.
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
    /// The log group.
    pub group: String,
    /// The log stream.
    pub name: String,
    /// Another region than the service's own, where the task definition names one.
    pub region: Option<String>,
}

impl std::fmt::Display for LogStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "log group {}, stream {}", self.group, self.name)
    }
}
