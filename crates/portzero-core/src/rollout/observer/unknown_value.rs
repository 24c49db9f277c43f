//! Values of AWS's that this version does not know. They are shown, and they never count as success.

use std::collections::BTreeSet;
use std::fmt;

use crate::aws_model::service::{
    DeploymentStatus, DeploymentStrategy, HookStatus, HookTargetType, RolloutState, Service, ServiceDeployment,
    ServiceDeploymentStatus, ServiceStatus,
};
use crate::aws_model::target::TargetState;
use crate::aws_model::task::{HealthStatus, Task, TaskStatus};
use crate::base::finding::Finding;
use crate::rollout::view::snapshot::Snapshot;

/// One value, and what it is a value of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownValue {
    /// What it is a value of, in words: `task status`.
    pub field: &'static str,
    /// As AWS spells it.
    pub value: String,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.field, self.value)
    }
}

/// Everything in a snapshot that decides something and is spelled in a way that nobody here knows. The launch type is not
/// among it: the forecast alone looks at it.
pub(crate) fn unknown_values(snapshot: &Snapshot) -> BTreeSet<UnknownValue> {
    let mut found = BTreeSet::new();
    let mut add = |field: &'static str, value: &str| {
        found.insert(UnknownValue {
            field,
            value: value.to_owned(),
        });
    };
    if let Some(service) = &snapshot.service {
        of_service(service, &mut add);
    }
    for task in &snapshot.tasks {
        of_task(task, &mut add);
    }
    for row in snapshot.targets.values().flatten() {
        if let TargetState::Unknown(value) = &row.state {
            add("target state", value);
        }
    }
    if let Some(deployment) = &snapshot.service_deployment {
        of_service_deployment(deployment, &mut add);
    }
    found
}

fn of_service_deployment(deployment: &ServiceDeployment, add: &mut impl FnMut(&'static str, &str)) {
    if let ServiceDeploymentStatus::Unknown(value) = &deployment.status {
        add("service deployment status", value);
    }
    for hook in &deployment.progress.hooks {
        if let HookStatus::Unknown(value) = &hook.status {
            add("lifecycle hook status", value);
        }
        if let HookTargetType::Unknown(value) = &hook.target_type {
            add("lifecycle hook target type", value);
        }
    }
}

fn of_service(service: &Service, add: &mut impl FnMut(&'static str, &str)) {
    if let ServiceStatus::Unknown(value) = &service.status {
        add("service status", value);
    }
    if let Some(DeploymentStrategy::Unknown(value)) = &service.configuration.strategy {
        add("deployment strategy", value);
    }
    for deployment in &service.deployments {
        if let DeploymentStatus::Unknown(value) = &deployment.status {
            add("deployment status", value);
        }
        if let Some(RolloutState::Unknown(value)) = &deployment.rollout_state {
            add("rollout state", value);
        }
    }
}

fn of_task(task: &Task, add: &mut impl FnMut(&'static str, &str)) {
    if let TaskStatus::Unknown(value) = &task.last_status {
        add("task status", value);
    }
    if let TaskStatus::Unknown(value) = &task.desired_status {
        add("desired task status", value);
    }
    if let Some(HealthStatus::Unknown(value)) = &task.health_status {
        add("task health status", value);
    }
}

/// Says of a rollout that ran out of time what it was measured against in vain. More time would not have helped, so the
/// advice to take more goes.
pub(crate) fn explain(finding: &mut Finding, unknown: &BTreeSet<UnknownValue>) {
    let Some(first) = unknown.first() else { return };
    for value in unknown {
        finding.evidence.push(("unknown".into(), value.to_string()));
    }
    let hint = format!(
        "portzero does not know the {first}, so it does not count it as success: a newer version of portzero may know it"
    );
    finding.hints = vec![hint.into()];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{Deployment, DeploymentConfiguration, HookDetail, Progress};

    #[test]
    fn every_value_that_decides_something_is_looked_at() {
        let strange = || "NEW".to_owned();
        let snapshot = Snapshot {
            service: Some(Service {
                status: ServiceStatus::Unknown(strange()),
                deployments: vec![Deployment {
                    status: DeploymentStatus::Unknown(strange()),
                    rollout_state: Some(RolloutState::Unknown(strange())),
                    ..Deployment::plain()
                }],
                configuration: DeploymentConfiguration {
                    strategy: Some(DeploymentStrategy::Unknown(strange())),
                    ..DeploymentConfiguration::default()
                },
                ..Service::plain()
            }),
            tasks: vec![Task {
                last_status: TaskStatus::Unknown(strange()),
                desired_status: TaskStatus::Unknown(strange()),
                health_status: Some(HealthStatus::Unknown(strange())),
                ..Task::plain()
            }],
            service_deployment: Some(ServiceDeployment {
                arn: String::new(),
                status: ServiceDeploymentStatus::Unknown(strange()),
                progress: Progress {
                    hooks: vec![HookDetail {
                        target_type: HookTargetType::Unknown(strange()),
                        status: HookStatus::Unknown(strange()),
                        ..HookDetail::plain()
                    }],
                    ..Progress::default()
                },
                ..ServiceDeployment::plain()
            }),
            ..Snapshot::default()
        };
        let found: Vec<String> = unknown_values(&snapshot).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "deployment status `NEW`",
                "deployment strategy `NEW`",
                "desired task status `NEW`",
                "lifecycle hook status `NEW`",
                "lifecycle hook target type `NEW`",
                "rollout state `NEW`",
                "service deployment status `NEW`",
                "service status `NEW`",
                "task health status `NEW`",
                "task status `NEW`",
            ]
        );
    }
}
