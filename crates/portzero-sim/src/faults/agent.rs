//! A container instance whose ECS agent is disconnected: what runs there goes on, and ECS learns nothing of it.

use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::Fault;
use crate::world::{ScheduledEvent, World};

impl World {
    /// The agent is disconnected while the fault holds, and connected again after that.
    pub(super) fn switch_agent(&mut self, index: usize, cluster: &str, service: &str, fault: &FaultSpec) {
        let first_update = self
            .scheduler_state_of(cluster, service)
            .and_then(|scheduler| scheduler.deployments.first_update);
        let is_over = !self.holds(fault, first_update);
        let id = self.struck_instance(cluster, service, fault).unwrap_or_default();
        let home = self.account.clusters.get_mut(cluster);
        let Some(instance) = home.and_then(|home| home.instances.get_mut(&id)) else {
            return;
        };
        instance.agent_connected = is_over;
        // Later it is this one that is meant.
        self.faults[index].fault = Fault::AgentDisconnected {
            instance: Some(instance.ec2_instance_id.clone()),
        };
        if let Some(span) = fault.timetable.lasts.filter(|_| !is_over) {
            let (cluster, service) = (cluster.to_owned(), service.to_owned());
            self.after(
                span,
                ScheduledEvent::Fault {
                    index,
                    cluster,
                    service,
                },
            );
        }
    }
}
