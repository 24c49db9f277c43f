//! Values to begin with, for the tests: each test names what it is about, and takes the rest from here.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::service::{
    Balancer, Deployment, DeploymentConfiguration, DeploymentController, DeploymentStatus, HookDetail, HookStatus,
    HookTargetType, ListenerRules, LoadBalancerBinding, ManagedWays, Progress, SchedulingStrategy, Service,
    ServiceDeployment, ServiceDeploymentStatus, ServiceStatus,
};
use crate::aws_model::target::{HealthCheck, TargetGroup, TargetHealth, TargetState, TargetType};
use crate::aws_model::task::{Container, ContainerInstance, Resources, Task, TaskStatus};
use crate::base::id::TargetKey;
use crate::rollout::scope::{Needs, Scope, Until};

impl Service {
    /// `web` in cluster `c` with nothing in it.
    pub(crate) fn plain() -> Self {
        Self {
            cluster: "c".into(),
            name: "web".into(),
            arn: String::new(),
            status: ServiceStatus::Active,
            desired_count: 1,
            running_count: 1,
            pending_count: 0,
            task_definition: None,
            deployments: Vec::new(),
            events: Vec::new(),
            load_balancers: Vec::new(),
            rules: ListenerRules::default(),
            other_ways: Vec::new(),
            names_revisions: false,
            named_parts: Vec::new(),
            managed: ManagedWays::default(),
            controller: DeploymentController::Ecs,
            scheduling: SchedulingStrategy::Replica,
            configuration: DeploymentConfiguration::default(),
            launch_type: None,
            has_capacity_providers: false,
            health_check_grace_period: None,
            role_arn: None,
        }
    }
}

impl Task {
    /// A running task of a deployment, at an address.
    pub(crate) fn of(id: &str, deployment: &str, ip: &str) -> Self {
        Self {
            arn: format!("task/{id}").as_str().into(),
            started_by: Some(deployment.into()),
            containers: vec![Container::at(ip)],
            ..Self::plain()
        }
    }

    /// A running task of the deployment `ecs-svc/2`.
    pub(crate) fn plain() -> Self {
        Self {
            arn: "task/1".into(),
            started_by: Some("ecs-svc/2".into()),
            group: None,
            task_definition: "task-definition/web:2".into(),
            last_status: TaskStatus::Running,
            desired_status: TaskStatus::Running,
            container_instance: None,
            capacity_provider: None,
            zone: None,
            containers: Vec::new(),
            attached_addresses: Vec::new(),
            health_status: None,
            stop_code: None,
            stopped_reason: None,
            created_at: None,
            started_at: None,
            stopping_at: None,
            stopped_at: None,
        }
    }
}

impl TargetGroup {
    /// The group `web` of addresses, checked as nobody has said.
    pub(crate) fn plain() -> Self {
        Self {
            arn: "targetgroup/web/1".into(),
            name: "web".into(),
            target_type: TargetType::Ip,
            ip_address_type: None,
            port: None,
            vpc_id: None,
            health_check: HealthCheck::default(),
            load_balancers: Vec::new(),
            deregistration_delay: None,
        }
    }
}

impl Scope {
    /// The deployment `ecs-svc/2` of `web:2`, behind nothing.
    pub(crate) fn plain() -> Self {
        Self {
            cluster: "c".into(),
            service: "web".into(),
            deployment: "ecs-svc/2".into(),
            task_definition: "task-definition/web:2".into(),
            previous: None,
            good: None,
            bindings: Vec::new(),
            target_groups: BTreeMap::new(),
            managed: ManagedWays::default(),
            is_host_network: false,
            needs: Needs::default(),
            until: Until::Drained,
            settle: Duration::ZERO,
            wait_budget: Duration::from_secs(600),
        }
    }
}

impl Deployment {
    /// The PRIMARY deployment `ecs-svc/2` of `web:2`, with its one task running and no state yet.
    pub(crate) fn plain() -> Self {
        Self {
            id: "ecs-svc/2".into(),
            status: DeploymentStatus::Primary,
            task_definition: "task-definition/web:2".into(),
            desired_count: 1,
            running_count: 1,
            pending_count: 0,
            failed_tasks: None,
            rollout_state: None,
            rollout_state_reason: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl ServiceDeployment {
    /// One that is in progress, and of which nothing else is shown.
    pub(crate) fn plain() -> Self {
        Self {
            arn: "service-deployment/2".into(),
            status: ServiceDeploymentStatus::InProgress,
            status_reason: None,
            target_revision: None,
            breaker: None,
            rollback_reason: None,
            progress: Progress::default(),
            source_revisions: Vec::new(),
            created_at: None,
        }
    }
}

impl HookDetail {
    /// A function that has been called.
    pub(crate) fn plain() -> Self {
        Self {
            id: "h-1".into(),
            target_type: HookTargetType::Lambda,
            target_arn: None,
            status: HookStatus::InProgress,
            expires_at: None,
            timeout_action: None,
        }
    }
}

impl LoadBalancerBinding {
    /// Port 80 of the container `web`, in the target group of [`TargetGroup::plain`].
    pub(crate) fn plain() -> Self {
        Self {
            balancer: Balancer::TargetGroup("targetgroup/web/1".into()),
            container_name: "web".into(),
            container_port: 80,
            alternate: None,
        }
    }
}

impl TargetHealth {
    /// The port 80 of an address or an instance, without a reason.
    pub(crate) fn plain(id: &str, state: TargetState) -> Self {
        Self {
            key: TargetKey::new(id, 80),
            state,
            reason: None,
            description: None,
        }
    }
}

impl Container {
    /// The container `web` at an address of its own.
    pub(crate) fn at(ip: &str) -> Self {
        Self {
            name: "web".into(),
            addresses: vec![ip.into()],
            ..Self::default()
        }
    }
}

impl ContainerInstance {
    /// The instance `i-1`, open for tasks, with nothing known of its size.
    pub(crate) fn plain() -> Self {
        Self {
            arn: "container-instance/1".into(),
            ec2_instance_id: Some("i-1".into()),
            status: "ACTIVE".into(),
            vpc: None,
            agent_connected: true,
            remaining: Resources::default(),
            registered: Resources::default(),
        }
    }
}
