//! One look at the world, as the observer gets it.

use std::collections::BTreeMap;

use crate::id::{ContainerInstanceArn, TargetGroupArn, TargetKey};
use crate::service::{Service, ServiceDeployment};
use crate::target::TargetHealth;
use crate::task::{ContainerInstance, Task};

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
    /// All instances of the cluster with what they have left; read only when a placement has failed.
    pub capacity: Option<Vec<ContainerInstance>>,
}

impl Snapshot {
    /// Whether ECS goes back by itself when the deployment fails.
    pub fn rolls_back(&self) -> bool {
        let breaker = self.service.as_ref().and_then(|s| s.configuration.circuit_breaker);
        breaker.is_some_and(|b| b.enable && b.rollback)
    }
}
