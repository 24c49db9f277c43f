//! One look at the world, as the observer gets it.

use std::collections::BTreeMap;

use crate::aws_model::service::{Service, ServiceDeployment, ServiceRevision};
use crate::aws_model::target::{Routing, TargetHealth};
use crate::aws_model::task::{ContainerInstance, Task};
use crate::base::id::{ContainerInstanceArn, TargetGroupArn, TargetKey};

/// A place in a target group. Instance and port alone do not name a target: the same pair may stand in two groups.
pub type Place = (TargetGroupArn, TargetKey);

/// Everything that one round of reads has shown. Lists may come in any order and mean the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// `None`: DescribeServices says that it is missing.
    pub service: Option<Service>,
    /// All tasks of the service that AWS still shows, stopped ones too.
    pub tasks: Vec<Task>,
    /// The container instances of those tasks; `None` where they may not be read, so that targets on instances cannot
    /// be joined to tasks.
    pub instances: Option<BTreeMap<ContainerInstanceArn, ContainerInstance>>,
    /// The rows of each target group of the service.
    pub targets: BTreeMap<TargetGroupArn, Vec<TargetHealth>>,
    /// The service deployment of *our* deployment, where that API may be read.
    pub service_deployment: Option<ServiceDeployment>,
    /// What our deployment was resolved to, where a service has two target groups for a load balancer and that API may be
    /// read.
    pub revision: Option<ServiceRevision>,
    /// Where the load balancers send the requests; read at the start, and once before a success.
    pub routing: Option<Routing>,
    /// All instances of the cluster with what they have left; read only when a placement has failed.
    pub capacity: Option<Vec<ContainerInstance>>,
    /// Not all of it was read at this look: some of it is what an earlier one has shown. No verdict rests on that.
    pub is_partly_remembered: bool,
}

impl Snapshot {
    /// Whether ECS goes back by itself when the deployment fails. Where an alarm has ended it, the alarms' own settings
    /// decide.
    pub fn rolls_back(&self) -> bool {
        let configuration = self.service.as_ref().map(|s| &s.configuration);
        let is_by_alarm = self
            .service_deployment
            .as_ref()
            .is_some_and(|d| !d.progress.triggered_alarms.is_empty());
        if let Some(watch) = configuration.and_then(|c| c.alarms.as_ref()).filter(|_| is_by_alarm) {
            return watch.rollback;
        }
        let breaker = configuration.and_then(|c| c.circuit_breaker);
        breaker.is_some_and(|b| b.enable && b.rollback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{AlarmWatch, CircuitBreaker, Progress};

    #[test]
    fn what_ended_a_deployment_decides_whether_ecs_goes_back() {
        let rolls_back = |breaker: bool, watch: bool, alarms: &[&str]| {
            let mut service = Service::plain();
            service.configuration.circuit_breaker = Some(CircuitBreaker {
                enable: true,
                rollback: breaker,
                ..CircuitBreaker::default()
            });
            service.configuration.alarms = Some(AlarmWatch {
                names: vec!["web-5xx".into()],
                enable: true,
                rollback: watch,
            });
            let deployment = ServiceDeployment {
                arn: String::new(),
                progress: Progress {
                    triggered_alarms: alarms.iter().map(|name| (*name).to_owned()).collect(),
                    ..Progress::default()
                },
                ..ServiceDeployment::plain()
            };
            let snapshot = Snapshot {
                service: Some(service),
                service_deployment: Some(deployment),
                ..Snapshot::default()
            };
            snapshot.rolls_back()
        };
        assert!(rolls_back(true, false, &[]) && !rolls_back(false, true, &[]));
        assert!(!rolls_back(true, false, &["web-5xx"]) && rolls_back(false, true, &["web-5xx"]));
    }
}
