//! What keeps a task in its status although nothing is wrong with it: an agent that is not heard, an instance that is
//! still to come.

use std::time::Duration;

use crate::model::container::Needs;
use crate::model::state::ContainerInstance;
use crate::model::status::InstanceStatus;
use crate::scenario::fault::kinds::Fault;
use crate::world::{ScheduledEvent, TaskStage, World};

/// How long until a task that is held up is tried again.
const AGAIN: Duration = Duration::from_secs(10);

impl World {
    /// Whether the service's capacity provider brings no instance at present.
    pub(crate) fn waits_for_capacity(&self, cluster: &str, service: &str) -> bool {
        let found = self.service(cluster, service);
        // What runs at the start has found its instance long ago.
        self.now >= self.start
            && found.is_some_and(|found| found.settings.contains_key("capacityProviderStrategy"))
            && self.is_in_force(cluster, service, |fault| *fault == Fault::CapacityProviderSlow)
    }

    /// The tasks that nothing holds up on their way into a stage; the others are tried again later.
    pub(crate) fn not_held(&mut self, cluster: &str, tasks: Vec<String>, stage: TaskStage) -> Vec<String> {
        let (mut free, mut held) = (Vec::new(), Vec::new());
        for task in tasks {
            if self.is_held(cluster, &task, stage) {
                held.push(task);
            } else {
                free.push(task);
            }
        }
        if !held.is_empty() {
            let cluster = cluster.to_owned();
            self.after(
                AGAIN,
                ScheduledEvent::TaskStage {
                    cluster,
                    tasks: held,
                    stage,
                },
            );
        }
        free
    }

    fn is_held(&mut self, cluster: &str, id: &str, stage: TaskStage) -> bool {
        let Some(task) = self.task(cluster, id) else {
            return false;
        };
        let (service, is_on_instance) = (task.service.clone(), task.launch_type != "FARGATE");
        match (task.instance.clone(), stage) {
            (_, TaskStage::Deprovisioned | TaskStage::Forget) => false,
            (Some(instance), _) => {
                let home = self.account.clusters.get(cluster);
                home.and_then(|home| home.instances.get(&instance))
                    .is_some_and(|instance| !instance.agent_connected)
            }
            (None, TaskStage::Pull | TaskStage::Start | TaskStage::Run) if is_on_instance => {
                self.waits_for_capacity(cluster, &service) || !self.find_instance(cluster, id)
            }
            (None, _) => false,
        }
    }

    /// Gives a task that has waited for it an instance: one with room, else a new one like those that are there.
    fn find_instance(&mut self, cluster: &str, id: &str) -> bool {
        let Some(task) = self.task(cluster, id).cloned() else {
            return false;
        };
        let needs = self.definition(&task.task_definition).map(|d| Needs::of(&d.document));
        let Some(needs) = needs else { return false };
        let found = self.place(cluster, &task.service, &needs);
        let Some(instance) = found.ok().or_else(|| self.launch_instance(cluster)) else {
            return false;
        };
        let home = self.account.clusters.get(cluster);
        let zone = home
            .and_then(|home| home.instances.get(&instance))
            .map(|i| i.availability_zone.clone());
        if let Some(task) = self.task_mut(cluster, id) {
            task.instance = Some(instance);
            task.availability_zone = zone.unwrap_or_default();
        }
        true
    }

    fn launch_instance(&mut self, cluster: &str) -> Option<String> {
        let (id, ec2) = (self.hex(32), format!("i-{}", self.hex(17)));
        let now = self.now;
        let home = self.account.clusters.get_mut(cluster)?;
        let like = home.instances.values().next()?.clone();
        let arn = like.arn.replace(&like.id, &id);
        let number = home.instances.len();
        let instance = ContainerInstance {
            arn,
            id: id.clone(),
            ec2_instance_id: ec2,
            status: InstanceStatus::Active,
            agent_connected: true,
            private_ip: format!("10.0.9.{}", 10 + number),
            registered_at: now,
            ..like
        };
        home.instances.insert(id.clone(), instance);
        Some(id)
    }
}
