//! Which targets there are, and which of them a load balancer takes into account: registration, by ECS and by hand, and
//! what the listeners forward to (aws-facts 4.1).

use std::collections::BTreeMap;

use super::classic;
use crate::model::state::{LoadBalancerBinding, Target, TargetGroup};
use crate::model::status::TargetState;
use crate::world::{World, service_event};

/// A target's state while no check has said anything.
#[derive(Clone)]
struct Standing {
    state: TargetState,
    reason: &'static str,
    description: &'static str,
}

const NO_LISTENER: Standing = Standing {
    state: TargetState::Unused,
    reason: "Target.NotInUse",
    description: "Target group is not configured to receive traffic from the load balancer",
};
const NO_NODE: Standing = Standing {
    state: TargetState::Unused,
    reason: "Target.NotInUse",
    description: "Target is in an Availability Zone that is not enabled for the load balancer",
};
const UNCHECKED: Standing = Standing {
    state: TargetState::Unavailable,
    reason: "Target.HealthCheckDisabled",
    description: "Health checks are disabled",
};
const REGISTERING: Standing = Standing {
    state: TargetState::Initial,
    reason: "Elb.RegistrationInProgress",
    description: "Target registration is in progress",
};

impl World {
    /// The target group of that ARN, or the group of the classic load balancer of that key.
    pub fn group(&self, key: &str) -> Option<&TargetGroup> {
        match crate::model::state::name_in(key) {
            Some(name) => self.account.classic_balancers.get(name).map(|balancer| &balancer.group),
            None => self.account.target_groups.get(key),
        }
    }

    pub(crate) fn group_mut(&mut self, key: &str) -> Option<&mut TargetGroup> {
        match crate::model::state::name_in(key) {
            Some(name) => self
                .account
                .classic_balancers
                .get_mut(name)
                .map(|balancer| &mut balancer.group),
            None => self.account.target_groups.get_mut(key),
        }
    }

    /// Registers the tasks' load-balanced ports as targets, and says so once per target group.
    pub(crate) fn register_targets(&mut self, cluster: &str, tasks: &[String]) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut service = String::new();
        for id in tasks {
            let targets = self.targets_of(cluster, id);
            let Some(task) = self.task(cluster, id) else {
                continue;
            };
            service = task.service.clone();
            let home = task.availability_zone.clone();
            let shown = Some(&home).filter(|_| task.has_interface()).cloned();
            for (key, address, port, _) in &targets {
                if self.is_in_another_vpc(cluster, &service, key, address) {
                    continue;
                }
                if self.register_target(key, address, *port, &home, shown.clone(), Some(id.clone())) {
                    *counts.entry(key.clone()).or_default() += 1;
                } else {
                    let gone = "TargetGroupNotFound: One or more target groups not found";
                    let words = service_event::failed_to_register(&service, key, gone);
                    self.complain(cluster, &service, words);
                }
            }
            self.task_runtimes.entry(id.clone()).or_default().targets = targets;
        }
        for (key, count) in counts {
            let words = match crate::model::state::name_in(&key) {
                Some(name) => classic::registered(&service, count, name),
                None => service_event::registered(&service, count, &key),
            };
            self.say(cluster, &service, words);
        }
    }

    /// Registers one target, or registers it again, which ends a drain. Whether there is such a group.
    pub(crate) fn register_target(
        &mut self,
        key: &str,
        id: &str,
        port: u16,
        home: &str,
        shown_zone: Option<String>,
        task: Option<String>,
    ) -> bool {
        let now = self.now;
        let Some(standing) = self.group(key).map(|group| self.standing(group, home)) else {
            return false;
        };
        let target = Target {
            id: id.to_owned(),
            port,
            availability_zone: shown_zone,
            home: home.to_owned(),
            state: standing.state,
            reason: Some(standing.reason.into()),
            description: Some(standing.description.into()),
            registered_at: now,
            healthy_since: None,
            drained_at: None,
            task,
            streak: 0,
        };
        if let Some(group) = self.group_mut(key) {
            match group.targets.iter_mut().find(|t| t.id == id && t.port == port) {
                Some(place) => *place = target,
                None => group.targets.push(target),
            }
        }
        true
    }

    /// How a target begins that is registered now, or whose group comes into use now.
    fn standing(&self, group: &TargetGroup, home: &str) -> Standing {
        if group.load_balancer_arns.is_empty() {
            NO_LISTENER
        } else if !self.serves(group, home) {
            NO_NODE
        } else if !group.health_check.enabled {
            UNCHECKED
        } else {
            REGISTERING
        }
    }

    /// Whether a load balancer of the group takes traffic to that availability zone.
    fn serves(&self, group: &TargetGroup, zone: &str) -> bool {
        let zones = |arn: &String| match crate::model::state::name_in(arn) {
            Some(name) => self.account.classic_balancers.get(name).map(|b| &b.availability_zones),
            None => self.account.load_balancers.get(arn).map(|b| &b.availability_zones),
        };
        let mut known = group.load_balancer_arns.iter().filter_map(zones).peekable();
        known.peek().is_none() || known.any(|zones| zones.iter().any(|one| one == zone))
    }

    /// Brings every target group in step with what the listeners and rules now forward to: their targets come into use
    /// or fall out of it.
    pub(crate) fn rewire(&mut self) {
        let arns: Vec<String> = self.account.target_groups.keys().cloned().collect();
        for arn in arns {
            let balancers = self.account.load_balancers.values();
            let users: Vec<String> = balancers
                .filter(|balancer| balancer.forwards_to(&arn))
                .map(|balancer| balancer.arn.clone())
                .collect();
            if let Some(group) = self.account.target_groups.get_mut(&arn)
                && group.load_balancer_arns != users
            {
                group.load_balancer_arns = users;
                self.resettle(&arn);
            }
        }
    }

    /// After a change of a group's use or of its health check: targets that are no longer checked say why, and those
    /// that are checked again begin anew.
    pub(crate) fn resettle(&mut self, key: &str) {
        let now = self.now;
        let Some(group) = self.group(key) else { return };
        let changed: Vec<(usize, Standing)> = group
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.state != TargetState::Draining)
            .map(|(place, target)| (place, self.standing(group, &target.home)))
            .filter(|(place, standing)| {
                let is_idle = matches!(
                    group.targets[*place].state,
                    TargetState::Unused | TargetState::Unavailable
                );
                // A target whose checks go on keeps its state.
                standing.state != TargetState::Initial || is_idle
            })
            .collect();
        let mut anew = Vec::new();
        for (place, standing) in changed {
            let Some(target) = self.group_mut(key).and_then(|group| group.targets.get_mut(place)) else {
                continue;
            };
            target.state = standing.state.clone();
            target.reason = Some(standing.reason.into());
            target.description = Some(standing.description.into());
            target.healthy_since = None;
            target.streak = 0;
            if standing.state == TargetState::Initial {
                // A new beginning for the chain of checks, too: one that still stands in the queue is another's.
                target.registered_at = now;
                anew.push((target.id.clone(), target.port));
            }
        }
        for (id, port) in anew {
            self.begin_check(key, &id, port);
        }
    }

    /// Where a running task is reached: (target group, target id, port, container port).
    fn targets_of(&self, cluster: &str, id: &str) -> Vec<(String, String, u16, u16)> {
        let Some(task) = self.task(cluster, id) else {
            return Vec::new();
        };
        let instance = task
            .instance
            .as_ref()
            .and_then(|id| self.account.clusters.get(cluster)?.instances.get(id));
        let mut found = Vec::new();
        let is_there = |binding: &&LoadBalancerBinding| binding.managed.as_ref().is_none_or(|m| m.failure.is_none());
        for binding in self.bindings_of(cluster, task).iter().filter(is_there) {
            let group = self.group_of(binding, &task.started_by).cloned();
            let Some(group) = &group.or_else(|| binding.key()) else {
                continue;
            };
            let bound = task
                .containers
                .iter()
                .filter(|c| c.name == binding.container_name)
                .flat_map(|c| &c.network_bindings);
            let host_port = bound
                .filter(|b| b.container_port == binding.container_port)
                .map(|b| b.host_port)
                .next();
            let address = task.address_in(self.group(group));
            match (address, instance, host_port) {
                (Some(ip), _, _) => found.push((
                    group.clone(),
                    ip.clone(),
                    binding.container_port,
                    binding.container_port,
                )),
                (None, Some(home), Some(port)) => {
                    let by_address = self.group(group).is_some_and(|g| g.target_type == "ip");
                    let address = if by_address {
                        &home.private_ip
                    } else {
                        &home.ec2_instance_id
                    };
                    found.push((group.clone(), address.clone(), port, binding.container_port));
                }
                _ => {}
            }
        }
        found
    }
}
