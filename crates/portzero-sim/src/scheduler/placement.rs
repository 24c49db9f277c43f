//! Placement: which instance takes a task, by what is reserved, and which host ports its containers get, by what is
//! really held there. The two differ while an old task drains: its reservation ends at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::container::{Mapping, Needs};
use crate::model::state::{ContainerInstance, NetworkBinding, Task};
use crate::model::status::{InstanceStatus, TaskStatus};
use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::{Fault, Lack};
use crate::world::World;

/// The dynamic port range of Amazon Linux: /proc/sys/net/ipv4/ip_local_port_range.
const FIRST_DYNAMIC_PORT: u16 = 32_768;
const LAST_DYNAMIC_PORT: u16 = 60_999;

/// (closest container instance, what it lacks), in the words of ECS's event.
pub(crate) type Obstacle = Option<(String, &'static str)>;

const PORT_IN_USE: &str = "is already using a port required by your task.";
const TOO_LITTLE_CPU: &str = "has insufficient CPU units available.";
/// The reason that StartTask gives (aws-facts 2.5), in the event's frame.
const NO_AGENT: &str = "encountered error \"AGENT\".";
const TOO_LITTLE_MEMORY: &str = "has insufficient memory available.";

/// What is reserved on an instance: by tasks that ECS wants to run, not by draining ones.
#[derive(Clone, Debug, Default)]
struct Booked {
    cpu: i64,
    memory: i64,
    ports: BTreeSet<u16>,
}

impl Booked {
    fn lack(&self, instance: &ContainerInstance, needs: &Needs) -> Option<&'static str> {
        if needs.fixed_ports.iter().any(|port| self.ports.contains(port)) {
            Some(PORT_IN_USE)
        } else if self.cpu.saturating_add(needs.cpu) > instance.cpu {
            Some(TOO_LITTLE_CPU)
        } else if self.memory.saturating_add(needs.memory) > instance.memory {
            Some(TOO_LITTLE_MEMORY)
        } else {
            None
        }
    }
}

impl World {
    /// The instance for one more task: in the Availability Zone with the fewest tasks of the service, among those with
    /// room the one with the fewest.
    pub(crate) fn place(&self, cluster: &str, service: &str, needs: &Needs) -> Result<String, Obstacle> {
        let Some(home) = self.account.clusters.get(cluster) else {
            return Err(None);
        };
        if self.has_no_instances(cluster, service) {
            return Err(None);
        }
        let mut here: BTreeMap<&str, usize> = BTreeMap::new();
        let mut in_zone: BTreeMap<&str, usize> = BTreeMap::new();
        for task in self
            .tasks_of(cluster, service)
            .filter(|t| t.desired_status == TaskStatus::Running)
        {
            *here.entry(task.instance.as_deref().unwrap_or_default()).or_default() += 1;
            *in_zone.entry(&task.availability_zone).or_default() += 1;
        }
        let reserved = self.reservations(cluster, !needs.fixed_ports.is_empty());
        let is_clashing =
            !needs.fixed_ports.is_empty() && self.is_in_force(cluster, service, |fault| *fault == Fault::PortClash);
        let by_fault = self.lack_by_fault(cluster, service);
        let mut closest: Obstacle = None;
        let mut best: Option<(usize, usize, &str)> = None;
        for instance in home.instances.values().filter(|i| i.status == InstanceStatus::Active) {
            if !instance.agent_connected {
                closest = closest.or(Some((instance.id.clone(), NO_AGENT)));
                continue;
            }
            let id = instance.id.as_str();
            let booked = reserved.get(id).cloned().unwrap_or_default();
            let lack = by_fault.or(if is_clashing {
                Some(PORT_IN_USE)
            } else {
                booked.lack(instance, needs)
            });
            if let Some(lack) = lack {
                closest = closest.or(Some((instance.id.clone(), lack)));
                continue;
            }
            let load = |of: &BTreeMap<&str, usize>, key: &str| of.get(key).copied().unwrap_or(0);
            let found = (load(&in_zone, &instance.availability_zone), load(&here, id), id);
            best = Some(best.map_or(found, |best| best.min(found)));
        }
        best.map(|(_, _, id)| id.to_owned()).ok_or(closest)
    }

    /// Whether the task has to leave its instance.
    pub(crate) fn is_on_draining_instance(&self, cluster: &str, task: &Task) -> bool {
        let home = self.account.clusters.get(cluster);
        home.and_then(|home| home.instances.get(task.instance.as_ref()?))
            .is_some_and(|instance| instance.status == InstanceStatus::Draining)
    }

    /// Every task of a cluster that is still shown, stopped ones too; none where there is no such cluster.
    pub(crate) fn tasks_in(&self, cluster: &str) -> impl Iterator<Item = &Task> {
        let cluster = self.account.clusters.get(cluster);
        cluster.into_iter().flat_map(|c| c.tasks.values())
    }

    /// CPU, memory and fixed ports that are reserved on an instance: what `registered` minus `remaining` is. What the
    /// faults in force take counts as if other tasks had reserved it.
    pub fn booked(&self, cluster: &str, instance: &str) -> (i64, i64, BTreeSet<u16>) {
        let booked = self.reservations(cluster, true).remove(instance).unwrap_or_default();
        (booked.cpu, booked.memory, booked.ports)
    }

    /// What is reserved on all instances of a cluster, in one pass over its tasks; the ports only on demand.
    fn reservations(&self, cluster: &str, with_ports: bool) -> BTreeMap<&str, Booked> {
        let mut reserved: BTreeMap<&str, Booked> = BTreeMap::new();
        let mut ports: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
        let holds = |task: &&Task| task.desired_status == TaskStatus::Running || self.drains_first(task);
        for task in self.tasks_in(cluster).filter(holds) {
            let Some(instance) = task.instance.as_deref() else {
                continue;
            };
            let booked = reserved.entry(instance).or_default();
            booked.cpu = booked.cpu.saturating_add(task.cpu);
            booked.memory = booked.memory.saturating_add(task.memory);
            if !with_ports {
                continue;
            }
            let fixed = ports.entry(&task.task_definition).or_insert_with(|| {
                let definition = self.definition(&task.task_definition);
                definition
                    .map(|d| Needs::of(&d.document).fixed_ports)
                    .unwrap_or_default()
            });
            booked.ports.extend(fixed.iter().copied());
        }
        let instances = self
            .account
            .clusters
            .get(cluster)
            .into_iter()
            .flat_map(|c| c.instances.values());
        for instance in instances {
            let booked = reserved.entry(&instance.id).or_default();
            self.take_by_faults(cluster, &instance.id, &mut booked.cpu, &mut booked.memory);
        }
        reserved
    }

    /// Behind a classic load balancer ECS lets a task drain before it stops it, so the task keeps what it has reserved.
    fn drains_first(&self, task: &Task) -> bool {
        let targets = self
            .task_runtimes
            .get(&task.id)
            .map(|runtime| runtime.targets.as_slice())
            .unwrap_or_default();
        task.last_status != TaskStatus::Stopped
            && targets
                .iter()
                .any(|(key, ..)| crate::model::state::name_in(key).is_some())
    }

    /// A no-capacity fault of any service of the cluster leaves nothing free: the instances are shared.
    fn take_by_faults(&self, cluster: &str, instance: &str, cpu: &mut i64, memory: &mut i64) {
        // Most worlds have none, and the reservations are asked for often.
        let is_lack = |fault: &FaultSpec| matches!(fault.fault, Fault::NoCapacity { .. });
        if !self.faults.iter().any(is_lack) {
            return;
        }
        let home = self.account.clusters.get(cluster);
        let Some((home, instance)) = home.and_then(|home| Some((home, home.instances.get(instance)?))) else {
            return;
        };
        let faults = home
            .services
            .keys()
            .flat_map(|service| self.faults_in_force(cluster, service));
        for fault in faults {
            let Fault::NoCapacity { lack } = fault.fault else {
                continue;
            };
            if matches!(lack, None | Some(Lack::Cpu)) {
                *cpu = (*cpu).max(instance.cpu);
            }
            if matches!(lack, None | Some(Lack::Memory)) {
                *memory = (*memory).max(instance.memory);
            }
        }
    }

    /// The host ports on which containers really listen.
    pub(crate) fn held_ports(&self, cluster: &str, instance: &str) -> BTreeSet<u16> {
        let tasks = self.tasks_in(cluster);
        tasks
            .filter(|task| task.instance.as_deref() == Some(instance))
            .flat_map(|task| &task.containers)
            .filter(|container| container.last_status == TaskStatus::Running)
            .flat_map(|container| container.network_bindings.iter().map(|binding| binding.host_port))
            .collect()
    }

    /// Binds a task's ports on its instance; the port that is taken, where one is.
    pub(crate) fn bind(
        &mut self,
        cluster: &str,
        instance: &str,
        wanted: &[Mapping],
    ) -> Result<Vec<(String, NetworkBinding)>, u16> {
        let mut held = self.held_ports(cluster, instance);
        let mut bound = Vec::new();
        for mapping in wanted {
            let port = match mapping.host_port {
                0 => self.next_free(instance, &held),
                fixed if held.contains(&fixed) => return Err(fixed),
                fixed => fixed,
            };
            held.insert(port);
            bound.push((
                mapping.container.clone(),
                NetworkBinding {
                    container_port: mapping.container_port,
                    host_port: port,
                    protocol: mapping.protocol.clone(),
                },
            ));
        }
        Ok(bound)
    }

    /// The next free port as Docker counts them: upwards, and from the start again behind the last one.
    fn next_free(&mut self, instance: &str, held: &BTreeSet<u16>) -> u16 {
        let early = self.timings.early_port_reuse;
        let next = self.next_ports.entry(instance.to_owned()).or_insert(FIRST_DYNAMIC_PORT);
        let mut port = if early { FIRST_DYNAMIC_PORT } else { *next };
        while held.contains(&port) && held.len() < usize::from(LAST_DYNAMIC_PORT - FIRST_DYNAMIC_PORT) {
            port = following(port);
        }
        *next = following(port);
        port
    }
}

fn following(port: u16) -> u16 {
    if port >= LAST_DYNAMIC_PORT {
        FIRST_DYNAMIC_PORT
    } else {
        port + 1
    }
}
