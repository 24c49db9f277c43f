//! UpdateContainerInstancesState: instances that are drained, and taken back.

use crate::model::refusal::Refusal;
use crate::model::state::ContainerInstance;
use crate::model::status::{InstanceStatus, TaskStatus};
use crate::world::World;

/// The states of a task that does not run yet.
const WAITING: [TaskStatus; 3] = [TaskStatus::Provisioning, TaskStatus::Pending, TaskStatus::Activating];

impl World {
    /// Sets one container instance DRAINING or ACTIVE; `None` where there is none of the name.
    ///
    /// On a DRAINING one nothing is placed. Service tasks that do not run yet are stopped at once, those that run are
    /// replaced elsewhere within the limits of their deployment configuration; tasks of no service stay.
    pub(crate) fn set_instance_status(
        &mut self,
        cluster: &str,
        instance: &str,
        status: &str,
    ) -> Result<Option<ContainerInstance>, Refusal> {
        let status = InstanceStatus::from(status);
        if !matches!(status, InstanceStatus::Active | InstanceStatus::Draining) {
            return Err(Refusal::invalid_parameter(
                "Container instance status should be one of [ACTIVE, DRAINING]",
            ));
        }
        let id = instance.to_owned();
        let home = self.account.clusters.get_mut(cluster);
        let Some(found) = home.and_then(|home| home.instances.get_mut(&id)) else {
            return Ok(None);
        };
        found.status = status.clone();
        let answer = found.clone();
        if status == InstanceStatus::Draining {
            let waiting: Vec<String> = self
                .tasks_in(cluster)
                .filter(|t| t.instance.as_deref() == Some(&id) && !t.service.is_empty())
                .filter(|t| t.desired_status == TaskStatus::Running && WAITING.contains(&t.last_status))
                .map(|t| t.id.clone())
                .collect();
            for task in waiting {
                self.stop_for_scaling(cluster, &[task]);
            }
        }
        Ok(Some(answer))
    }
}
