//! What faults do at their moment, once: to services, instances, load balancers and target groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::state::{LoadBalancerBinding, ServiceChange, TargetGroup, Task};
use crate::model::status::{InstanceStatus, TargetState, TaskStatus};
use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::Fault;
use crate::timestamp::Timestamp;
use crate::world::{ScheduledEvent, TaskStage, World};

/// AWS gives a Spot instance two minutes' notice.
const SPOT_NOTICE: Duration = Duration::from_secs(120);

impl World {
    /// Puts the timetable of the faults that count from the start on the queue.
    pub(crate) fn begin_faults(&mut self) {
        let services: Vec<(String, String)> = self.scheduler_states.keys().cloned().collect();
        for (cluster, service) in &services {
            self.schedule_faults(cluster, service, self.start, true);
        }
        for index in 0..self.faults.len() {
            for (cluster, service) in &services {
                let fault = &self.faults[index];
                if stands(fault) && fault.concerns(service) {
                    self.strike(index, cluster, service);
                }
            }
        }
    }

    /// Puts a service's timetabled faults on the queue, counted from `base`.
    pub(crate) fn schedule_faults(&mut self, cluster: &str, service: &str, base: Timestamp, from_start: bool) {
        for index in 0..self.faults.len() {
            let fault = &self.faults[index];
            let is_ours = fault.concerns(service) && fault.switched_on.is_none() && !stands(fault);
            if is_ours && fault.is_from_start() == from_start {
                self.schedule_strike(index, cluster, service, base);
            }
        }
    }

    fn schedule_strike(&mut self, index: usize, cluster: &str, service: &str, base: Timestamp) {
        let fault = &self.faults[index];
        if !fault.fault.is_one_shot() {
            return;
        }
        let at = base + fault.begins();
        let (cluster, service) = (cluster.to_owned(), service.to_owned());
        self.at(
            at,
            ScheduledEvent::Fault {
                index,
                cluster,
                service,
            },
        );
    }

    /// Switches a fault on while the world runs: its timetable counts from now. Returns its number.
    pub fn switch_on(&mut self, fault: FaultSpec) -> usize {
        let index = self.faults.len();
        let now = self.now;
        self.faults.push(FaultSpec {
            switched_on: Some(now),
            ..fault
        });
        let services: Vec<(String, String)> = self.scheduler_states.keys().cloned().collect();
        for (cluster, service) in services {
            if self.faults[index].concerns(&service) {
                self.schedule_strike(index, &cluster, &service, now);
            }
        }
        // What begins now has begun when the answer is read.
        self.advance(now);
        index
    }

    /// Switches a fault off. What it has done at its moment stays done. Whether there is such a fault that is still on.
    pub fn switch_off(&mut self, number: usize) -> bool {
        let on = self.faults.get_mut(number).filter(|fault| !fault.switched_off);
        on.map(|fault| fault.switched_off = true).is_some()
    }

    /// A fault of the timetable strikes.
    pub(crate) fn strike(&mut self, index: usize, cluster: &str, service: &str) {
        let on = self.faults.get(index).filter(|fault| !fault.switched_off);
        let Some(fault) = on.cloned() else { return };
        match &fault.fault {
            Fault::OtherDeployment => self.someone_else_deploys(cluster, service),
            Fault::Autoscaling { desired_count } => {
                if let Some(found) = self.service_mut(cluster, service) {
                    found.desired_count = desired_count.unwrap_or(found.desired_count.saturating_mul(2));
                }
            }
            Fault::DesiredZero => {
                if let Some(found) = self.service_mut(cluster, service) {
                    found.desired_count = 0;
                }
            }
            Fault::InstanceLoss { .. } => {
                if let Some(instance) = self.struck_instance(cluster, service, &fault) {
                    self.lose_instance(cluster, &instance, "TerminationNotice");
                }
            }
            Fault::InstanceImpaired { .. } => self.impair_instance(cluster, service, &fault),
            Fault::InstanceDrain { .. } => self.drain_instance(cluster, service, &fault),
            Fault::SpotInterruption { .. } => self.interrupt(index, cluster, service, &fault),
            Fault::AgentDisconnected { .. } => self.switch_agent(index, cluster, service, &fault),
            Fault::ServiceDeleted => {
                // Who deletes a service that is going already changes nothing.
                let _refused = self.delete_service(Some(cluster), service, true);
            }
            Fault::DeploymentInProgress => self.someone_is_deploying(cluster, service),
            Fault::NotInUse => self.unhook_groups(cluster, service, &fault),
            Fault::ChecksDisabled => self.disable_checks(cluster, service, &fault),
            Fault::AzNotEnabled { zone } => self.leave_zones(cluster, service, &fault, zone.as_ref()),
            Fault::WeightsDrift => self.drift_weights(cluster, service, &fault),
            Fault::TargetGroupDeleted => self.delete_groups(cluster, service, &fault),
            _ => {}
        }
    }

    /// Somebody registers a copy of what the service runs and deploys that.
    fn someone_else_deploys(&mut self, cluster: &str, service: &str) {
        let current = self.service(cluster, service).map(|s| s.task_definition.clone());
        let document = current.and_then(|arn| self.definition(&arn).map(|d| d.document.clone()));
        let Some(Ok(copy)) = document.map(|document| self.register_at(&document, None)) else {
            return;
        };
        let change = ServiceChange {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            task_definition: Some(copy.arn),
            force_new_deployment: true,
            ..ServiceChange::default()
        };
        // A service that takes no deployment takes none from anybody.
        let _refused = self.update_service(&change);
    }

    /// The same at the world's start. It does not count as the service's first update.
    fn someone_is_deploying(&mut self, cluster: &str, service: &str) {
        let (before, now) = (self.scheduler_state(cluster, service).clone(), self.now);
        self.scheduler_state(cluster, service).deployments.first_update = Some(now);
        self.someone_else_deploys(cluster, service);
        let scheduler = self.scheduler_state(cluster, service);
        scheduler.deployments.first_update = before.deployments.first_update;
        scheduler.deployments.next = before.deployments.next;
    }

    /// The instance that a fault names, else the first that runs a task of the service.
    pub(super) fn struck_instance(&self, cluster: &str, service: &str, fault: &FaultSpec) -> Option<String> {
        let home = self.account.clusters.get(cluster)?;
        let named = home
            .instances
            .values()
            .find(|i| fault.fault.instance() == Some(&i.ec2_instance_id));
        let used = || {
            let tasks = home.tasks.values();
            let mut own = tasks.filter(|t| t.service == service && t.desired_status == TaskStatus::Running);
            own.find_map(|t| home.instances.get(t.instance.as_ref()?))
        };
        named.or_else(used).map(|instance| instance.id.clone())
    }

    /// The instance takes no further task, and its tasks are replaced by others elsewhere.
    fn drain_instance(&mut self, cluster: &str, service: &str, fault: &FaultSpec) {
        let id = self.struck_instance(cluster, service, fault);
        let home = self.account.clusters.get_mut(cluster);
        if let Some(instance) = home.and_then(|home| home.instances.get_mut(&id?)) {
            instance.status = InstanceStatus::Draining;
        }
    }

    /// ECS has found the host unhealthy: it takes no further task, and those on it are stopped. The stop code is AWS's, no
    /// recording has the words.
    fn impair_instance(&mut self, cluster: &str, service: &str, fault: &FaultSpec) {
        self.drain_instance(cluster, service, fault);
        let Some(id) = self.struck_instance(cluster, service, fault) else {
            return;
        };
        let Some(home) = self.account.clusters.get(cluster) else {
            return;
        };
        let mut tasks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let is_on_it = |t: &&Task| t.instance.as_deref() == Some(&id) && t.desired_status == TaskStatus::Running;
        for task in home.tasks.values().filter(is_on_it) {
            tasks.entry(task.service.clone()).or_default().push(task.id.clone());
        }
        for ids in tasks.values() {
            let reason = "Task stopped because its container instance is unhealthy.";
            self.stop_tasks(cluster, ids, "InfrastructureHealth", reason, false);
        }
    }

    /// A Spot instance: DRAINING at the notice, as its agent may be told to set it, and gone when the notice is over.
    fn interrupt(&mut self, index: usize, cluster: &str, service: &str, fault: &FaultSpec) {
        let Some(id) = self.struck_instance(cluster, service, fault) else {
            return;
        };
        let home = self.account.clusters.get_mut(cluster);
        let Some(instance) = home.and_then(|home| home.instances.get_mut(&id)) else {
            return;
        };
        if instance.status == InstanceStatus::Draining {
            self.lose_instance(cluster, &id, "SpotInterruption");
            return;
        }
        instance.status = InstanceStatus::Draining;
        // The second time it is this one that is meant.
        self.faults[index].fault = Fault::SpotInterruption {
            instance: Some(instance.ec2_instance_id.clone()),
        };
        let (cluster, service) = (cluster.to_owned(), service.to_owned());
        self.after(
            SPOT_NOTICE,
            ScheduledEvent::Fault {
                index,
                cluster,
                service,
            },
        );
    }

    /// The EC2 instance is terminated, and everything on it with it.
    fn lose_instance(&mut self, cluster: &str, instance: &str, code: &str) {
        let Some(home) = self.account.clusters.get_mut(cluster) else {
            return;
        };
        let Some(lost) = home.instances.remove(instance) else {
            return;
        };
        let tasks: Vec<(String, String)> = home
            .tasks
            .values()
            .filter(|t| t.instance.as_deref() == Some(&lost.id) && t.last_status != TaskStatus::Stopped)
            .map(|t| (t.id.clone(), t.service.clone()))
            .collect();
        let reason = format!("Host EC2 (instance {}) terminated.", lost.ec2_instance_id);
        for (task, service) in tasks {
            if let Some(task) = self.task_mut(cluster, &task) {
                task.desired_status = TaskStatus::Stopped;
                task.last_status = TaskStatus::Deactivating;
                task.stop_code = Some(code.to_owned());
                task.stopped_reason = Some(reason.clone());
                for container in &mut task.containers {
                    container.last_status = TaskStatus::Stopped;
                }
            }
            self.deregister_soon(cluster, &service, std::slice::from_ref(&task), false);
            self.after(
                Duration::from_secs(2),
                crate::scheduler::task_life::stage(cluster, &task, TaskStage::Stopped),
            );
            self.recount(cluster, &service);
        }
    }

    /// The ARNs of the service's target groups that the fault means.
    pub(super) fn struck_groups(&self, cluster: &str, service: &str, fault: &FaultSpec) -> Vec<String> {
        let bindings = self
            .service(cluster, service)
            .into_iter()
            .flat_map(|s| &s.load_balancers);
        let alternate = |b: &LoadBalancerBinding| b.advanced.as_ref().map(|a| a.alternate_target_group_arn.clone());
        let arns = bindings
            .flat_map(|b| [b.target_group_arn.clone(), alternate(b)])
            .flatten();
        let groups = arns.filter_map(|arn| self.account.target_groups.get(&arn));
        let meant: BTreeSet<String> = groups
            .filter(|group| fault.concerns_group(&group.name))
            .map(|group| group.arn.clone())
            .collect();
        meant.into_iter().collect()
    }

    /// The listeners no longer forward to the target groups.
    pub(super) fn unhook_groups(&mut self, cluster: &str, service: &str, fault: &FaultSpec) {
        let meant = self.struck_groups(cluster, service, fault);
        for balancer in self.account.load_balancers.values_mut() {
            balancer
                .listeners
                .retain(|listener| !meant.iter().any(|arn| listener.forwards_to(arn)));
        }
        self.rewire();
    }

    fn disable_checks(&mut self, cluster: &str, service: &str, fault: &FaultSpec) {
        for arn in self.struck_groups(cluster, service, fault) {
            if let Some(group) = self.account.target_groups.get_mut(&arn) {
                group.health_check.enabled = false;
                // Who gets no traffic is unused, whether anybody checks it or not.
                if group.load_balancer_arns.is_empty() {
                    continue;
                }
                let why = "Health checks are disabled";
                show_all(
                    group,
                    &TargetState::Unavailable,
                    "Target.HealthCheckDisabled",
                    why,
                    |_| true,
                );
            }
        }
    }

    /// The load balancers of the service leave availability zones: the one that is named, else those of its tasks.
    fn leave_zones(&mut self, cluster: &str, service: &str, fault: &FaultSpec, zone: Option<&String>) {
        let tasks = self.tasks_in(cluster).filter(|t| t.service == service);
        let homes: Vec<(String, String)> = tasks.map(|t| (t.id.clone(), t.availability_zone.clone())).collect();
        let zones: BTreeSet<String> = match zone {
            Some(zone) => BTreeSet::from([zone.clone()]),
            None => homes.iter().map(|(_, zone)| zone.clone()).collect(),
        };
        for arn in self.struck_groups(cluster, service, fault) {
            let Some(group) = self.account.target_groups.get_mut(&arn) else {
                continue;
            };
            for balancer in &group.load_balancer_arns {
                if let Some(balancer) = self.account.load_balancers.get_mut(balancer) {
                    balancer.availability_zones.retain(|zone| !zones.contains(zone));
                }
            }
            let why = "Target is in an Availability Zone that is not enabled for the load balancer";
            let is_there = |task: &str| homes.iter().any(|(id, zone)| id == task && zones.contains(zone));
            show_all(group, &TargetState::Unused, "Target.NotInUse", why, is_there);
        }
    }
}

/// Whether a fault has struck before anybody can look.
fn stands(fault: &FaultSpec) -> bool {
    fault.fault.can_stand() && fault.is_from_start() && fault.begins().is_zero()
}

/// Shows the targets of some tasks in another state; those that drain go on draining.
fn show_all(group: &mut TargetGroup, state: &TargetState, reason: &str, why: &str, of: impl Fn(&str) -> bool) {
    let targets = group.targets.iter_mut();
    for target in targets.filter(|t| t.state != TargetState::Draining && of(t.task.as_deref().unwrap_or_default())) {
        target.state = state.clone();
        target.reason = Some(reason.to_owned());
        target.description = Some(why.to_owned());
    }
}
