//! The ports: what the application needs of the world, in domain types only. The AWS adapters implement them over
//! the network, the simulator directly; nothing above this line knows which.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::event::RunEvent;
use crate::id::{ClusterName, ContainerInstanceArn, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn};
use crate::service::{Service, ServiceDeployment, ServiceUpdate};
use crate::target::{TargetGroup, TargetHealth};
use crate::task::{ContainerInstance, Task};
use crate::time::Timestamp;

pub type ApiResult<T> = Result<T, ApiError>;

/// A task definition as AWS holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredTaskDefinition {
    pub arn: TaskDefinitionArn,
    /// The raw `taskDefinition` object of the answer, with the `tags` beside it carried in: keys that this version's
    /// model lacks are still there.
    pub document: serde_json::Value,
}

/// Services that were found, and the references of those that were not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedServices {
    pub services: Vec<Service>,
    pub missing: Vec<String>,
}

/// Amazon ECS, as far as a deployment needs it. Implementations page through lists and split batches themselves.
pub trait Ecs {
    /// Whether the cluster is there and ACTIVE.
    fn cluster_exists(&self, cluster: &ClusterName) -> impl Future<Output = ApiResult<bool>>;
    fn list_clusters(&self) -> impl Future<Output = ApiResult<Vec<ClusterName>>>;
    fn list_services(&self, cluster: &ClusterName) -> impl Future<Output = ApiResult<Vec<ServiceName>>>;
    fn describe_services(
        &self,
        cluster: &ClusterName,
        names: &[ServiceName],
    ) -> impl Future<Output = ApiResult<DescribedServices>>;
    /// `reference`: an ARN, `family` (its newest ACTIVE revision) or `family:revision`.
    fn describe_task_definition(&self, reference: &str) -> impl Future<Output = ApiResult<RegisteredTaskDefinition>>;
    /// The document is sent as it is: it is the body of the request.
    fn register_task_definition(
        &self,
        document: &serde_json::Value,
    ) -> impl Future<Output = ApiResult<TaskDefinitionArn>>;
    /// The answer's PRIMARY deployment is the one that the call has made.
    fn update_service(&self, update: &ServiceUpdate) -> impl Future<Output = ApiResult<Service>>;
    /// Every task of the service: those that run or will, and those that are stopping or have stopped (visible for an hour).
    fn list_tasks(&self, cluster: &ClusterName, service: &ServiceName)
    -> impl Future<Output = ApiResult<Vec<TaskArn>>>;
    /// Tasks that no longer exist are left out.
    fn describe_tasks(&self, cluster: &ClusterName, tasks: &[TaskArn]) -> impl Future<Output = ApiResult<Vec<Task>>>;
    fn list_container_instances(
        &self,
        cluster: &ClusterName,
    ) -> impl Future<Output = ApiResult<Vec<ContainerInstanceArn>>>;
    fn describe_container_instances(
        &self,
        cluster: &ClusterName,
        instances: &[ContainerInstanceArn],
    ) -> impl Future<Output = ApiResult<Vec<ContainerInstance>>>;
    /// The newest service deployment first; optional for us, so a denial only makes the story poorer.
    fn service_deployments(
        &self,
        cluster: &ClusterName,
        service: &ServiceName,
    ) -> impl Future<Output = ApiResult<Vec<ServiceDeployment>>>;
}

/// Elastic Load Balancing, version 2.
pub trait LoadBalancing {
    /// With the deregistration delay from DescribeTargetGroupAttributes, where that may be read.
    fn describe_target_groups(&self, arns: &[TargetGroupArn]) -> impl Future<Output = ApiResult<Vec<TargetGroup>>>;
    fn describe_target_health(&self, arn: &TargetGroupArn) -> impl Future<Output = ApiResult<Vec<TargetHealth>>>;
}

/// Time. In a rehearsal it is virtual and moves when somebody sleeps.
pub trait Clock {
    fn now(&self) -> Timestamp;
    fn sleep(&self, span: Duration) -> impl Future<Output = ()>;
}

/// Takes the story of the run as it happens. A reporter that fails keeps that to itself: it never fails a deployment.
pub trait Report {
    fn event(&mut self, event: &RunEvent);
}

/// What kind of failure an answer is, which is all that decides what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiErrorKind {
    /// The credentials may not do this.
    Denied,
    /// The credentials have expired, are missing or are not valid.
    Credentials,
    Throttled,
    /// 5xx, reset, time-out, an answer that could not be read: the next try may work.
    Transient,
    /// The thing does not exist.
    NotFound,
    /// The service knows no such operation (a stand-in for AWS that lacks it).
    Unsupported,
    /// AWS refuses the request as it is.
    Refused,
}

/// A failed call: which action on which resource, in whose words, under which request id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ApiError {
    pub kind: ApiErrorKind,
    /// `ecs:UpdateService`, spelled as IAM does.
    pub action: &'static str,
    pub resource: Option<String>,
    /// AWS's code, for example `ClusterNotFoundException`.
    pub code: Option<String>,
    pub message: String,
    pub request_id: Option<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)?;
        if let Some(resource) = &self.resource {
            write!(f, " on {resource}")?;
        }
        match &self.code {
            Some(code) => write!(f, ": {code}: {}", self.message),
            None => write!(f, ": {}", self.message),
        }
    }
}

impl ApiError {
    /// Whether asking again, unchanged, may be answered.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ApiErrorKind::Throttled | ApiErrorKind::Transient)
    }
}

/// How many requests the run has sent, by action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// `DescribeServices` -> how often it was sent, retries included.
    pub by_action: std::collections::BTreeMap<String, u64>,
    pub throttled: u64,
    pub retried: u64,
}

impl RequestCounts {
    pub fn total(&self) -> u64 {
        self.by_action.values().sum()
    }
}
