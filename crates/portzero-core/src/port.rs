//! The ports: what the application needs of the world, in domain types only. The AWS adapters implement them over
//! the network, the simulator directly; nothing above this line knows which.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use crate::aws_model::service::{Service, ServiceDeployment, ServiceRevision, ServiceUpdate};
use crate::aws_model::target::{InstanceHealth, Routing, TargetGroup, TargetHealth};
use crate::aws_model::task::{ContainerInstance, LogStream, Task};
use crate::base::id::{ClusterName, ContainerInstanceArn, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn};
use crate::base::time::Moment;
use crate::event::RunEvent;
use crate::pull_request::{Comment, CommitStatus, DeploymentStatus, NewDeployment, PullRequest, RecordedDeployment};

pub use crate::aws_model::api_error::{ApiError, ApiErrorKind};

/// What a port answers.
pub type ApiResult<T> = Result<T, ApiError>;

/// A task definition as AWS holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredTaskDefinition {
    /// The revision that the document has become.
    pub arn: TaskDefinitionArn,
    /// The raw `taskDefinition` object of the answer, with the `tags` beside it carried in: keys that this version's
    /// model lacks are still there.
    pub document: serde_json::Value,
}

/// What RegisterTaskDefinition has made.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// What AWS kept of the document that was sent.
    pub revision: RegisteredTaskDefinition,
    /// How often it was sent before and nobody knows what came of it. Each of them may have made a revision too.
    pub unanswered: u32,
}

/// Services that were found, and the references of those that were not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedServices {
    /// The services that exist, in any order.
    pub services: Vec<Service>,
    /// The names of those that do not.
    pub missing: Vec<String>,
}

/// Amazon ECS, as far as a deployment needs it. Implementations page through lists and split batches themselves.
pub trait Ecs {
    /// The clusters of the account and region.
    fn list_clusters(&self) -> impl Future<Output = ApiResult<Vec<ClusterName>>>;
    /// The services of a cluster.
    fn list_services(&self, cluster: &ClusterName) -> impl Future<Output = ApiResult<Vec<ServiceName>>>;
    /// Several services of one cluster, with deployments and events.
    fn describe_services(
        &self,
        cluster: &ClusterName,
        names: &[ServiceName],
    ) -> impl Future<Output = ApiResult<DescribedServices>>;
    /// `reference`: an ARN, `family` (its newest ACTIVE revision) or `family:revision`.
    fn describe_task_definition(&self, reference: &str) -> impl Future<Output = ApiResult<RegisteredTaskDefinition>>;
    /// The document is sent as it is: it is the body of the request.
    fn register_task_definition(&self, document: &serde_json::Value) -> impl Future<Output = ApiResult<Registration>>;
    /// The answer's PRIMARY deployment is the one that the call has made.
    fn update_service(&self, update: &ServiceUpdate) -> impl Future<Output = ApiResult<Service>>;
    /// Every task of the service: those that run or will, and those that are stopping or have stopped (visible for an hour).
    fn list_tasks(&self, cluster: &ClusterName, service: &ServiceName)
    -> impl Future<Output = ApiResult<Vec<TaskArn>>>;
    /// Tasks that no longer exist are left out.
    fn describe_tasks(&self, cluster: &ClusterName, tasks: &[TaskArn]) -> impl Future<Output = ApiResult<Vec<Task>>>;
    /// All container instances of a cluster.
    fn list_container_instances(
        &self,
        cluster: &ClusterName,
    ) -> impl Future<Output = ApiResult<Vec<ContainerInstanceArn>>>;
    /// Instances with their status and what they have left.
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
    /// StopServiceDeployment with ROLLBACK, by the service deployment's ARN: ECS goes back to what it completed last.
    /// Asking twice is asking once.
    fn roll_back(&self, service_deployment: &str) -> impl Future<Output = ApiResult<()>>;
    /// The ACTIVE revisions of a family, the newest first.
    fn active_revisions(&self, family: &str) -> impl Future<Output = ApiResult<Vec<TaskDefinitionArn>>>;
    /// Makes a revision INACTIVE: what runs of it goes on, and nothing is deployed from it any more.
    fn deregister_task_definition(&self, revision: &TaskDefinitionArn) -> impl Future<Output = ApiResult<()>>;
    /// What deployments were made of, by the ARNs of their service revisions; optional for us. Those that ECS has
    /// forgotten are left out.
    fn service_revisions(&self, arns: &[String]) -> impl Future<Output = ApiResult<Vec<ServiceRevision>>>;
    /// Service deployments that are known by ARN, of any services; those that no longer exist are left out.
    fn describe_service_deployments(&self, arns: &[String]) -> impl Future<Output = ApiResult<Vec<ServiceDeployment>>>;
}

/// Elastic Load Balancing, both versions.
pub trait LoadBalancing {
    /// Target groups; their deregistration delays need not be in it.
    fn describe_target_groups(&self, arns: &[TargetGroupArn]) -> impl Future<Output = ApiResult<Vec<TargetGroup>>>;
    /// The targets of one group, with their health.
    fn describe_target_health(&self, arn: &TargetGroupArn) -> impl Future<Output = ApiResult<Vec<TargetHealth>>>;
    /// The listeners and the rules of load balancers, by their ARNs: where requests go. Without a load balancer there
    /// is nothing to read.
    fn routing(&self, load_balancers: &[String]) -> impl Future<Output = ApiResult<Routing>>;
    /// From the attributes of a target group, or of a classic load balancer; `None`: they name none. Optional for us: without
    /// it the forecast is poorer.
    fn deregistration_delay(&self, group: &TargetGroupArn) -> impl Future<Output = ApiResult<Option<Duration>>>;
    /// Classic load balancers in the shape of target groups, each under the name that stands for it.
    fn describe_classic_load_balancers(&self, names: &[String]) -> impl Future<Output = ApiResult<Vec<TargetGroup>>>;
    /// The instances that are registered in a classic load balancer.
    fn describe_instance_health(&self, balancer: &str) -> impl Future<Output = ApiResult<Vec<InstanceHealth>>>;
}

/// CloudWatch Logs. Optional: what a container has printed makes a story richer, and decides nothing.
pub trait Logs {
    /// The last lines of a stream, oldest first, at most `limit`.
    fn last_lines(&self, stream: &LogStream, limit: u16) -> impl Future<Output = ApiResult<Vec<String>>>;
}

/// A repository on GitHub, as far as a run speaks there. Nothing here is needed for a deployment.
///
/// An implementation may repeat what is the same when it is done twice (reads, edits, deletions). What creates something
/// is sent once: only where GitHub has turned it away unseen (a rate limit) is it sent again. A failure of the kind
/// `Transient` therefore means that nobody knows whether it was created.
pub trait PullRequests {
    /// From here on nothing is waited for, and nothing repeated, beyond this time; with little left of it no answer is
    /// waited for long.
    fn give_up_at(&self, deadline: Moment);
    /// The pull requests that GitHub associates with a commit: merged ones and open ones, in no useful order.
    fn pull_requests_of(&self, commit: &str) -> impl Future<Output = ApiResult<Vec<PullRequest>>>;
    /// One pull request by its number.
    fn pull_request(&self, number: u64) -> impl Future<Output = ApiResult<PullRequest>>;
    /// The login that comments of this token carry.
    fn own_login(&self) -> impl Future<Output = ApiResult<String>>;
    /// All comments of the pull request, oldest first.
    fn comments(&self, number: u64) -> impl Future<Output = ApiResult<Vec<Comment>>>;
    /// A new comment at the end of the conversation.
    fn create_comment(&self, number: u64, body: &str) -> impl Future<Output = ApiResult<Comment>>;
    /// Replaces the text of a comment.
    fn edit_comment(&self, id: u64, body: &str) -> impl Future<Output = ApiResult<Comment>>;
    /// Removes a comment.
    fn delete_comment(&self, id: u64) -> impl Future<Output = ApiResult<()>>;
    /// The deployments of a commit to an environment, newest first.
    fn deployments(&self, commit: &str, environment: &str) -> impl Future<Output = ApiResult<Vec<RecordedDeployment>>>;
    /// A deployment on the repository's page, without a status yet.
    fn create_deployment(&self, deployment: &NewDeployment) -> impl Future<Output = ApiResult<RecordedDeployment>>;
    /// The newest status of a deployment is the one that counts.
    fn set_deployment_status(&self, id: u64, status: &DeploymentStatus) -> impl Future<Output = ApiResult<()>>;
    /// The newest status of a context is the one that counts.
    fn set_commit_status(&self, commit: &str, status: &CommitStatus) -> impl Future<Output = ApiResult<()>>;
}

/// Time. In a rehearsal it is virtual and moves when somebody sleeps.
pub trait Clock {
    /// The time.
    fn now(&self) -> Moment;
    /// Waits; a clock of a test moves instead.
    fn sleep(&self, span: Duration) -> impl Future<Output = ()>;
    /// Comes back at that time, while something else goes on beside it. Time that nobody moves is asked for whenever that
    /// other thing has come a step further, so a virtual clock need not do anything for it.
    fn reached(&self, at: Moment) -> impl Future<Output = ()> {
        poll_fn(move |_| match self.now() >= at {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    }
}

/// Ears for SIGINT and SIGTERM.
pub trait Interrupts {
    /// Comes back once the run has been asked to end, and at once from then on.
    fn interrupted(&self) -> impl Future<Output = ()>;
    /// Comes back a moment later, when a run that was asked to end must not wait for any answer any more.
    fn out_of_time(&self) -> impl Future<Output = ()>;
}

/// Nobody interrupts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverInterrupted;

impl Interrupts for NeverInterrupted {
    async fn interrupted(&self) {
        std::future::pending().await
    }

    async fn out_of_time(&self) {
        std::future::pending().await
    }
}

/// Takes the story of the run as it happens. A reporter that fails keeps that to itself: it never fails a deployment.
pub trait Report {
    /// Takes in one event. A reporter that fails keeps that to itself.
    fn event(&mut self, event: &RunEvent);
}

/// How many requests the run has sent, by action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// `DescribeServices` -> how often it was sent, retries included.
    pub by_action: BTreeMap<String, u64>,
    /// Calls that AWS throttled.
    pub throttled: u64,
    /// Calls that were sent again, for whatever reason.
    pub retried: u64,
}

impl RequestCounts {
    /// All calls that were sent.
    pub fn total(&self) -> u64 {
        self.by_action.values().sum()
    }
}
