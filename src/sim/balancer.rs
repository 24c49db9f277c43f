//! The load balancer: registration, health checks, draining (aws-facts 4).

use std::collections::BTreeMap;
use std::time::Duration;

use super::events;
use super::faults::Answer;
use super::scenario::Spread;
use super::state::{Target, TargetGroup};
use super::world::{Happening, Stage, World};
use crate::time::Timestamp;

const EARLY_DEREGISTRATION: Duration = Duration::from_millis(1_300);

impl World {
    /// Registers the tasks' load-balanced ports as targets, and says so once per target group.
    pub(super) fn register_targets(&mut self, cluster: &str, tasks: &[String]) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut service = String::new();
        for id in tasks {
            let targets = self.targets_of(cluster, id);
            service = self.task(cluster, id).map(|t| t.service.clone()).unwrap_or_default();
            let zone = self
                .task(cluster, id)
                .filter(|t| t.private_ip.is_some())
                .map(|t| t.availability_zone.clone());
            let home = self
                .task(cluster, id)
                .map(|t| t.availability_zone.clone())
                .unwrap_or_default();
            for (group, address, port, _) in &targets {
                let now = self.now;
                let is_served = self.serves(group, &home);
                if self.is_in_another_vpc(cluster, &service, group, address) {
                    continue;
                }
                if let Some(group) = self.account.target_groups.get_mut(group) {
                    register(group, address, *port, zone.clone(), id, now);
                    if !is_served {
                        leave_unused(group, address, *port);
                    }
                    *counts.entry(group.arn.clone()).or_default() += 1;
                }
            }
            self.lives.entry(id.clone()).or_default().targets = targets;
        }
        for (group, count) in counts {
            self.say(cluster, &service, events::registered(&service, count, &group));
        }
    }

    /// Whether a load balancer of the group takes traffic to that availability zone; a group without one has its own
    /// trouble.
    fn serves(&self, group: &str, zone: &str) -> bool {
        let balancers = self
            .account
            .target_groups
            .get(group)
            .map(|g| g.load_balancer_arns.as_slice())
            .unwrap_or_default();
        let mut known = balancers
            .iter()
            .filter_map(|arn| self.account.load_balancers.get(arn))
            .peekable();
        known.peek().is_none() || known.any(|balancer| balancer.availability_zones.iter().any(|one| one == zone))
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
        for binding in self.bindings_of(cluster, task) {
            let Some(group) = self.group_of(binding, &task.started_by) else {
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
            match (&task.private_ip, instance, host_port) {
                (Some(ip), _, _) => found.push((
                    group.clone(),
                    ip.clone(),
                    binding.container_port,
                    binding.container_port,
                )),
                (None, Some(home), Some(port)) => {
                    let by_address = self
                        .account
                        .target_groups
                        .get(group)
                        .is_some_and(|g| g.target_type == "ip");
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

    /// Puts the first health check of each of the tasks' targets on the queue.
    pub(super) fn begin_checks(&mut self, tasks: &[String]) {
        for id in tasks {
            let targets = self.lives.get(id).map(|life| life.targets.clone()).unwrap_or_default();
            for (arn, address, port, _) in targets {
                let Some(group) = self.account.target_groups.get(&arn) else {
                    continue;
                };
                let found = group.targets.iter().find(|t| t.id == address && t.port == port);
                let Some(registered_at) = found
                    .filter(|t| is_checked(group) && t.state != "unused")
                    .map(|t| t.registered_at)
                else {
                    continue;
                };
                // The balancer's nodes check on their own beat, so the first check comes at any point of the interval.
                let first = self.draw(Spread {
                    low: Duration::from_millis(1_200),
                    high: group.health_check.interval,
                });
                self.after(
                    first,
                    Happening::Check {
                        group: arn,
                        id: address,
                        port,
                        registered_at,
                    },
                );
            }
        }
    }

    /// One health check of one registration; the next one follows an interval later.
    pub(super) fn check_target(&mut self, arn: &str, id: &str, port: u16, registered_at: Timestamp) {
        let Some(group) = self.account.target_groups.get(arn) else {
            return;
        };
        let same = |t: &&Target| t.id == id && t.port == port && t.registered_at == registered_at;
        let Some(target) = group
            .targets
            .iter()
            .find(same)
            .filter(|t| t.state != "draining" && t.state != "unused")
        else {
            return;
        };
        let interval = group.health_check.interval;
        if is_checked(group) {
            let answer = self.answer(arn, target);
            if let Some(group) = self.account.target_groups.get_mut(arn) {
                let (check, matcher) = (group.health_check.clone(), group.health_check.matcher.clone());
                if let Some(target) = group.targets.iter_mut().find(|t| same(&&**t)) {
                    judge(
                        target,
                        answer,
                        &matcher,
                        check.healthy_threshold,
                        check.unhealthy_threshold,
                    );
                }
            }
        }
        let next = Happening::Check {
            group: arn.to_owned(),
            id: id.to_owned(),
            port,
            registered_at,
        };
        self.after(interval, next);
    }

    pub(super) fn target_gone(&mut self, arn: &str, id: &str, port: u16, registered_at: Timestamp) {
        if let Some(group) = self.account.target_groups.get_mut(arn) {
            group.targets.retain(|t| {
                !(t.state == "draining" && t.id == id && t.port == port && t.registered_at == registered_at)
            });
        }
    }

    /// Puts the deregistration of the tasks' targets on the queue: it comes at the scheduler's next beat.
    pub(super) fn deregister_soon(&mut self, cluster: &str, service: &str, tasks: &[String], for_health: bool) {
        if tasks.is_empty() {
            return;
        }
        self.mind(cluster, service).deregistering += 1;
        let early = self.timings.early_port_reuse;
        // The shortest recorded gap, so that the target drains before its port is taken again.
        let later = if early {
            EARLY_DEREGISTRATION
        } else {
            // The event of a stop for health is 36 to 150 ms late; what is recorded is the time from that event on.
            let Spread { low, high } = self.timings.deregistration;
            let late = |millis: u64| Duration::from_millis(if for_health { millis } else { 0 });
            self.draw(Spread {
                low: low + late(150),
                high: (high + late(36)).max(low + late(150)),
            })
        };
        let deregister = Happening::Deregister {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            tasks: tasks.to_vec(),
            for_health,
        };
        self.after(later, deregister);
        if early {
            for task in tasks {
                let stopped = super::task_life::stage(cluster, task, Stage::Stopped);
                self.after(later + Duration::from_millis(200), stopped);
            }
        }
    }

    pub(super) fn deregister_tasks(&mut self, cluster: &str, service: &str, tasks: &[String], for_health: bool) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut drained: BTreeMap<String, usize> = BTreeMap::new();
        let mut longest = Duration::ZERO;
        for id in tasks {
            let owned = self.owned_targets(id);
            if !owned.is_empty()
                && let Some(task) = self.task(cluster, id)
            {
                *drained.entry(task.started_by.clone()).or_default() += 1;
            }
            for (arn, address, port) in owned {
                longest = longest.max(self.drain(&arn, &address, port));
                *counts.entry(arn).or_default() += 1;
            }
        }
        for (group, count) in &counts {
            self.say(cluster, service, events::deregistered(service, *count, group));
            if for_health {
                // Seen in each stop for health reasons: the same line again, some 80 ms later.
                self.say_after(
                    cluster,
                    service,
                    events::deregistered(service, *count, group),
                    Duration::from_millis(81),
                );
            }
        }
        let gap = self.draw(Spread::millis(3, 24));
        for (deployment, count) in drained {
            self.say_after(cluster, service, events::draining(service, &deployment, count), gap);
        }
        let slack = self.draw(self.timings.drain_slack);
        let stop = Happening::Stage {
            cluster: cluster.to_owned(),
            tasks: tasks.to_vec(),
            stage: Stage::Stop,
        };
        self.after(longest + slack, stop);
        let now = self.now;
        let mind = self.mind(cluster, service);
        mind.deregistering = mind.deregistering.saturating_sub(1);
        mind.last_action = now;
        self.watch_completion(cluster, service);
    }

    /// Begins to drain one target, for the whole deregistration delay; returns that delay.
    fn drain(&mut self, arn: &str, id: &str, port: u16) -> Duration {
        let now = self.now;
        let Some(group) = self.account.target_groups.get_mut(arn) else {
            return Duration::ZERO;
        };
        let delay = group.deregistration_delay;
        let found = group
            .targets
            .iter_mut()
            .find(|t| t.id == id && t.port == port && t.state != "draining");
        let Some(target) = found else {
            return delay;
        };
        target.state = "draining".into();
        target.reason = Some("Target.DeregistrationInProgress".into());
        target.description = Some("Target deregistration is in progress".into());
        target.drained_at = Some(now + delay);
        let registered_at = target.registered_at;
        self.after(
            delay,
            Happening::Gone {
                group: arn.to_owned(),
                id: id.to_owned(),
                port,
                registered_at,
            },
        );
        delay
    }
}

/// Whether the balancer checks the targets of the group at all.
fn is_checked(group: &TargetGroup) -> bool {
    group.health_check.enabled && !group.load_balancer_arns.is_empty()
}

/// A target where the load balancer has no node: it never gets a check.
fn leave_unused(group: &mut TargetGroup, id: &str, port: u16) {
    for target in group.targets.iter_mut().filter(|t| t.id == id && t.port == port) {
        target.state = "unused".into();
        target.reason = Some("Target.NotInUse".into());
        target.description = Some("Target is in an Availability Zone that is not enabled for the load balancer".into());
    }
}

/// Registers (or registers again, which ends a drain) one target.
fn register(group: &mut TargetGroup, id: &str, port: u16, zone: Option<String>, task: &str, now: Timestamp) {
    let (state, reason, description) = if group.load_balancer_arns.is_empty() {
        let words = "Target group is not configured to receive traffic from the load balancer";
        ("unused", "Target.NotInUse", words)
    } else if !group.health_check.enabled {
        (
            "unavailable",
            "Target.HealthCheckDisabled",
            "Health checks are disabled",
        )
    } else {
        (
            "initial",
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
        )
    };
    let target = Target {
        id: id.to_owned(),
        port,
        availability_zone: zone,
        state: state.into(),
        reason: Some(reason.into()),
        description: Some(description.into()),
        registered_at: now,
        drained_at: None,
        task: Some(task.to_owned()),
        streak: 0,
    };
    match group.targets.iter_mut().find(|t| t.id == id && t.port == port) {
        Some(place) => *place = target,
        None => group.targets.push(target),
    }
}

/// One check's result. A new target is healthy after one passing check, whatever the threshold; that is for recovery.
fn judge(target: &mut Target, answer: Answer, matcher: &str, healthy_threshold: u32, unhealthy_threshold: u32) {
    let failure = match answer {
        Answer::Ok => None,
        Answer::Code(code) if matches(matcher, code) => None,
        Answer::Code(code) => Some((
            "Target.ResponseCodeMismatch",
            format!("Health checks failed with these codes: [{code}]"),
        )),
        Answer::Nothing => Some(("Target.Timeout", "Request timed out".to_owned())),
        Answer::Refused => Some(("Target.FailedHealthChecks", "Health checks failed".to_owned())),
    };
    let row = i32::try_from(if failure.is_some() {
        unhealthy_threshold
    } else {
        healthy_threshold
    })
    .unwrap_or(i32::MAX);
    match failure {
        None => {
            target.streak = target.streak.max(0).saturating_add(1);
            if target.state == "initial" || target.streak >= row {
                target.state = "healthy".into();
                target.reason = None;
                target.description = None;
            }
        }
        Some((reason, description)) => {
            target.streak = target.streak.min(0).saturating_sub(1);
            if target.state == "unhealthy" || target.streak <= -row {
                target.state = "unhealthy".into();
                target.reason = Some(reason.into());
                target.description = Some(description);
            }
        }
    }
    if target.state == "initial" {
        target.reason = Some("Elb.InitialHealthChecking".into());
        target.description = Some("Initial health checks in progress".into());
    }
}

/// `200`, `200,202`, `200-299`.
fn matches(matcher: &str, code: u16) -> bool {
    matcher.split(',').any(|part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let bound = |text: &str| text.trim().parse::<u16>().ok();
        bound(low).is_some_and(|low| low <= code) && bound(high).is_some_and(|high| code <= high)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_takes_lists_and_ranges() {
        assert!(matches("200,300-399", 302));
        assert!(!matches("200-299", 404));
    }
}
