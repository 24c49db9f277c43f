//! Services as data: their deployments, service deployments, events, and the requests that change them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::managed::{Managed, Manager};
use crate::model::status::{DeploymentStatus, RolloutState, ServiceDeploymentStatus, ServiceStatus};
use crate::model::target_group::key;
use crate::scenario::TaskAddresses;
use crate::scenario::breaker::CircuitBreaker;
use crate::scenario::strategy::{AdvancedConfiguration, Strategy};
use crate::timestamp::Timestamp;

/// A service as DescribeServices shows it, and a little more.
#[derive(Clone, Debug)]
pub struct Service {
    /// `serviceName`.
    pub name: String,
    /// `serviceArn`.
    pub arn: String,
    /// `clusterArn`.
    pub cluster_arn: String,
    /// `status`.
    pub status: ServiceStatus,
    /// `desiredCount`.
    pub desired_count: u32,
    /// ARN.
    pub task_definition: String,
    /// `loadBalancers`.
    pub load_balancers: Vec<LoadBalancerBinding>,
    /// EC2 or FARGATE.
    pub launch_type: String,
    /// REPLICA or DAEMON.
    pub scheduling_strategy: String,
    /// ECS, CODE_DEPLOY or EXTERNAL.
    pub deployment_controller: String,
    /// `deploymentConfiguration.minimumHealthyPercent`.
    pub minimum_healthy_percent: u32,
    /// `deploymentConfiguration.maximumPercent`.
    pub maximum_percent: u32,
    /// `deploymentConfiguration.deploymentCircuitBreaker`.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// `healthCheckGracePeriodSeconds`.
    pub health_check_grace_period: Option<Duration>,
    /// The rest of `deploymentConfiguration`.
    pub strategy: Strategy,
    /// As AWS lists them: PRIMARY first.
    pub deployments: Vec<Deployment>,
    /// Newest first, at most 100.
    pub events: Vec<ServiceEvent>,
    /// Newest first.
    pub service_deployments: Vec<ServiceDeployment>,
    /// `createdAt`.
    pub created_at: Timestamp,
    /// `createdBy`: an ARN.
    pub created_by: String,
    /// `roleArn`: the service-linked role.
    pub role_arn: String,
    /// Which addresses its subnets give; `None`: what its target groups want.
    pub ip_addresses: Option<TaskAddresses>,
    /// What the scheduler does not look at.
    pub settings: Settings,
    /// What each deployment deploys, by the number of its id.
    pub revisions: BTreeMap<String, ServiceRevision>,
    /// The request that made the service, where it was one: a repetition is answered with what it made.
    pub created_from: Option<Box<ServiceCreation>>,
}

/// One entry of a service's `loadBalancers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerBinding {
    /// `targetGroupArn`; absent for a classic load balancer.
    pub target_group_arn: Option<String>,
    /// `loadBalancerName`, of a classic load balancer.
    pub load_balancer_name: Option<String>,
    /// `containerName`.
    pub container_name: String,
    /// `containerPort`.
    pub container_port: u16,
    /// `advancedConfiguration`, where the strategy shifts traffic.
    pub advanced: Option<AdvancedConfiguration>,
    /// Where ECS manages the target group itself: then `loadBalancers` does not show the entry.
    pub managed: Option<Managed>,
}

impl LoadBalancerBinding {
    /// Under what [`crate::world::World::group`] finds whom the binding registers with.
    pub fn key(&self) -> Option<String> {
        let classic = self.load_balancer_name.as_deref().map(key);
        self.target_group_arn.clone().or(classic)
    }
}

/// One entry of a service's `deployments`.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `ecs-svc/NUMBER`.
    pub id: String,
    /// `status`.
    pub status: DeploymentStatus,
    /// `taskDefinition`, an ARN.
    pub task_definition: String,
    /// `desiredCount`: the tasks that ECS wants of this deployment by now.
    pub desired_count: u32,
    /// `pendingCount`.
    pub pending_count: u32,
    /// `runningCount`.
    pub running_count: u32,
    /// `failedTasks`: what the circuit breaker counts.
    pub failed_tasks: u32,
    /// `createdAt`.
    pub created_at: Timestamp,
    /// `updatedAt`.
    pub updated_at: Timestamp,
    /// `rolloutState`.
    pub rollout_state: RolloutState,
    /// `rolloutStateReason`.
    pub rollout_state_reason: String,
}

/// One entry of a service's `events`.
#[derive(Clone, Debug)]
pub struct ServiceEvent {
    /// `id`, a UUID.
    pub id: String,
    /// `createdAt`.
    pub created_at: Timestamp,
    /// `message`.
    pub message: String,
}

/// The service deployment API's object for one deployment.
#[derive(Clone, Debug)]
pub struct ServiceDeployment {
    /// `serviceDeploymentArn`.
    pub arn: String,
    /// The id of the deployment that it belongs to. The API shows it only as the number in the target revision.
    pub deployment_id: String,
    /// `status`.
    pub status: ServiceDeploymentStatus,
    /// `statusReason`.
    pub status_reason: Option<String>,
    /// `createdAt`.
    pub created_at: Timestamp,
    /// `startedAt`.
    pub started_at: Option<Timestamp>,
    /// `finishedAt`.
    pub finished_at: Option<Timestamp>,
    /// `updatedAt`.
    pub updated_at: Timestamp,
    /// Revision ARNs, whose last segment is the number of the deployment id.
    pub source_revisions: Vec<String>,
    /// The ARN of the revision that is deployed.
    pub target_revision: String,
    /// MONITORING, MONITORING_COMPLETE, TRIGGERED or DISABLED.
    pub breaker_status: String,
    /// `deploymentCircuitBreaker.failureCount`.
    pub failure_count: u32,
    /// `deploymentCircuitBreaker.threshold`.
    pub threshold: u32,
    /// `rollback`, once it has begun.
    pub rollback: Option<Rollback>,
    /// Stage, hooks and alarms.
    pub progress: Progress,
}

/// The rollback of a service deployment.
#[derive(Clone, Debug)]
pub struct Rollback {
    /// `reason`.
    pub reason: String,
    /// `startedAt`.
    pub started_at: Timestamp,
    /// `serviceRevisionArn`: the revision that it goes back to.
    pub revision: String,
}

/// UpdateService's parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceChange {
    /// The cluster's name or ARN.
    pub cluster: String,
    /// The service's name or ARN.
    pub service: String,
    /// ARN, family or family:revision.
    pub task_definition: Option<String>,
    /// `desiredCount`.
    pub desired_count: Option<u32>,
    /// `forceNewDeployment`.
    pub force_new_deployment: bool,
    /// `deploymentConfiguration.minimumHealthyPercent`.
    pub minimum_healthy_percent: Option<u32>,
    /// `deploymentConfiguration.maximumPercent`.
    pub maximum_percent: Option<u32>,
    /// `deploymentConfiguration.deploymentCircuitBreaker`.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// `healthCheckGracePeriodSeconds`.
    pub health_check_grace_period: Option<Duration>,
    /// The rest of `deploymentConfiguration`.
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
    /// `launchType`: EC2 or FARGATE; absent: what the capacity providers want, else EC2.
    pub launch_type: Option<String>,
    /// `schedulingStrategy`: REPLICA is the only one that is modelled.
    pub scheduling_strategy: Option<String>,
    /// `deploymentController.type`: ECS unless it is given.
    pub deployment_controller: Option<String>,
    /// `{key, value}` each.
    pub tags: Vec<Value>,
}

/// Members of a service (or cluster) that change nothing in the model, by AWS's name, as they were given.
pub type Settings = Map<String, Value>;

/// What AWS calls a service revision.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRevision {
    /// `createdAt`.
    pub created_at: Timestamp,
    /// `taskDefinition`, an ARN.
    pub task_definition: String,
    /// `launchType`.
    pub launch_type: String,
    /// `loadBalancers`.
    pub load_balancers: Vec<LoadBalancerBinding>,
    /// What changes nothing in the model, as the service had it then.
    pub settings: Settings,
}

impl Service {
    /// Whether ECS manages its ingress (Express Mode).
    pub(crate) fn is_express(&self) -> bool {
        let managed = self
            .load_balancers
            .iter()
            .filter_map(|binding| binding.managed.as_ref());
        managed.into_iter().any(|managed| managed.by == Manager::Express)
    }

    /// The failures after which the breaker fires: of the latest desired count.
    pub(crate) fn breaker_threshold(&self) -> u32 {
        let threshold = self.circuit_breaker.and_then(|breaker| breaker.threshold);
        threshold.unwrap_or_default().failures(self.desired_count)
    }
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
    /// `lifecycleHookDetails`.
    pub hooks: Vec<HookDetail>,
    /// MONITORING, MONITORING_COMPLETE, TRIGGERED; empty for DISABLED.
    pub alarm_status: String,
    /// `alarms.alarmNames`: those that the deployment listens to.
    pub alarms: Vec<String>,
    /// `alarms.triggeredAlarmNames`.
    pub triggered: Vec<String>,
    /// `stoppedAt`.
    pub stopped_at: Option<Timestamp>,
}

/// One hook of one stage of a running service deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct HookDetail {
    /// `hookId`.
    pub id: String,
    /// `targetType`: AWS_LAMBDA or PAUSE.
    pub target_type: String,
    /// `targetArn`, of a function.
    pub target_arn: Option<String>,
    /// AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT.
    pub status: String,
    /// `expiresAt`: when ECS takes the time-out's action.
    pub expires_at: Timestamp,
    /// `timeoutAction`: CONTINUE or ROLLBACK.
    pub timeout_action: String,
}
