//! The load balancer: registration, health checks, draining (aws-facts 4).

pub mod classic;
pub(crate) mod health_check;
pub(crate) mod listeners;
mod reach;
pub(crate) mod registration;
pub(crate) mod routing;
pub(crate) mod rules;
pub(crate) mod target_groups;

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::{ScheduledEvent, TaskStage, World};
use crate::faults::behaviour::CheckAnswer;
use crate::model::state::{HealthCheck, Target, TargetGroup};
use crate::model::status::TargetState;
use crate::scenario::span::Spread;
use crate::timestamp::Timestamp;
use crate::world::service_event;

const EARLY_DEREGISTRATION: Duration = Duration::from_millis(1_300);

/// How long a Network Load Balancer takes over a registration before its nodes check the target. In eight of eight
/// recorded rollouts behind one, ECS saw the new target healthy 30 to 40 s after `registered` (recording 48).
const NETWORK_REGISTRATION: Spread = Spread::millis(29_000, 30_500);

/// The nodes of a Network Load Balancer check independently of each other, so the first result comes soon after that.
const NETWORK_FIRST_CHECK: Spread = Spread::millis(500, 8_500);

impl World {
    /// Puts the first health check of each of the tasks' targets on the queue.
    pub(crate) fn begin_checks(&mut self, tasks: &[String]) {
        for id in tasks {
            let targets = self
                .task_runtimes
                .get(id)
                .map(|runtime| runtime.targets.clone())
                .unwrap_or_default();
            for (key, address, port, _) in targets {
                self.begin_check(&key, &address, port);
            }
        }
    }

    /// Puts the first health check of one target on the queue, where it is to have any.
    pub(crate) fn begin_check(&mut self, key: &str, id: &str, port: u16) {
        let Some(group) = self.group(key).filter(|group| is_checked(group)) else {
            return;
        };
        let mut own = group.targets.iter().filter(|t| t.id == id && t.port == port);
        let Some(registered_at) = own.find(|t| t.state != TargetState::Unused).map(|t| t.registered_at) else {
            return;
        };
        let interval = group.health_check.interval;
        let balancers = group.load_balancer_arns.iter();
        let mut balancers = balancers
            .filter_map(|arn| self.account.load_balancers.get(arn))
            .peekable();
        let is_network = balancers.peek().is_some_and(|balancer| balancer.is_network());
        let active_at = balancers.map(|balancer| balancer.active_at).min();
        let first = if is_network {
            self.draw(NETWORK_REGISTRATION) + self.draw(NETWORK_FIRST_CHECK)
        } else {
            // The balancer's nodes check on their own beat, so the first check comes at any point of the interval.
            self.draw(Spread {
                low: Duration::from_millis(1_200),
                high: interval,
            })
        };
        let check = ScheduledEvent::Check {
            group: key.to_owned(),
            id: id.to_owned(),
            port,
            registered_at,
        };
        // A balancer that is still being set up has no nodes to check from.
        let nodes_from = active_at.map_or(self.now, |at| at.max(self.now));
        self.at(nodes_from + first, check);
    }

    /// One health check of one registration; the next one follows an interval later.
    pub(crate) fn check_target(&mut self, key: &str, id: &str, port: u16, registered_at: Timestamp) {
        let now = self.now;
        let Some(group) = self.group(key).filter(|group| is_checked(group)) else {
            return;
        };
        let same = |t: &&Target| t.id == id && t.port == port && t.registered_at == registered_at;
        let Some(target) = group
            .targets
            .iter()
            .find(same)
            .filter(|t| t.state != TargetState::Draining && t.state != TargetState::Unused)
        else {
            return;
        };
        let check = group.health_check.clone();
        // A classic load balancer wants the whole row of a new instance too.
        let is_patient = crate::model::state::name_in(key).is_some();
        let answer = self.answer(key, target);
        let group = self.group_mut(key);
        if let Some(target) = group.and_then(|group| group.targets.iter_mut().find(|t| same(&&**t))) {
            judge(target, answer, &check, is_patient);
            let is_healthy = target.state == TargetState::Healthy;
            target.healthy_since = target.healthy_since.or(Some(now)).filter(|_| is_healthy);
        }
        let next = ScheduledEvent::Check {
            group: key.to_owned(),
            id: id.to_owned(),
            port,
            registered_at,
        };
        self.after(check.interval, next);
    }

    pub(crate) fn target_gone(&mut self, key: &str, id: &str, port: u16, registered_at: Timestamp) {
        if let Some(group) = self.group_mut(key) {
            group.targets.retain(|t| {
                !(t.state == TargetState::Draining && t.id == id && t.port == port && t.registered_at == registered_at)
            });
        }
    }

    /// Puts the deregistration of the tasks' targets on the queue: it comes at the scheduler's next beat.
    pub(crate) fn deregister_soon(&mut self, cluster: &str, service: &str, tasks: &[String], for_health: bool) {
        if tasks.is_empty() {
            return;
        }
        self.scheduler_state(cluster, service).timing.deregistering += 1;
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
        let deregister = ScheduledEvent::Deregister {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            tasks: tasks.to_vec(),
            for_health,
        };
        self.after(later, deregister);
        if early {
            for task in tasks {
                let stopped = crate::scheduler::task_life::stage(cluster, task, TaskStage::Stopped);
                self.after(later + Duration::from_millis(200), stopped);
            }
        }
    }

    pub(crate) fn deregister_tasks(&mut self, cluster: &str, service: &str, tasks: &[String], for_health: bool) {
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
        for (key, count) in &counts {
            let words = match crate::model::state::name_in(key) {
                Some(name) => classic::deregistered(service, *count, name),
                None => service_event::deregistered(service, *count, key),
            };
            self.say(cluster, service, words.clone());
            if for_health {
                // Seen in each stop for health reasons: the same line again, some 80 ms later.
                self.say_after(cluster, service, words, Duration::from_millis(81));
            }
        }
        let gap = self.draw(Spread::millis(3, 24));
        for (deployment, count) in drained {
            self.say_after(
                cluster,
                service,
                service_event::draining(service, &deployment, count),
                gap,
            );
        }
        let slack = self.draw(self.timings.drain_slack);
        let stop = ScheduledEvent::TaskStage {
            cluster: cluster.to_owned(),
            tasks: tasks.to_vec(),
            stage: TaskStage::Stop,
        };
        self.after(longest + slack, stop);
        let now = self.now;
        let scheduler = self.scheduler_state(cluster, service);
        scheduler.timing.deregistering = scheduler.timing.deregistering.saturating_sub(1);
        scheduler.timing.last_action = now;
        self.watch_completion(cluster, service);
    }

    /// Begins to drain one target, for the whole deregistration delay; returns that delay.
    pub(crate) fn drain(&mut self, arn: &str, id: &str, port: u16) -> Duration {
        let now = self.now;
        let Some(group) = self.group_mut(arn) else {
            return Duration::ZERO;
        };
        let delay = group.deregistration_delay;
        let found = group
            .targets
            .iter_mut()
            .find(|t| t.id == id && t.port == port && t.state != TargetState::Draining);
        let Some(target) = found else {
            return delay;
        };
        target.state = TargetState::Draining;
        target.reason = Some("Target.DeregistrationInProgress".into());
        target.description = Some("Target deregistration is in progress".into());
        target.drained_at = Some(now + delay);
        target.healthy_since = None;
        let registered_at = target.registered_at;
        self.after(
            delay,
            ScheduledEvent::Gone {
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

/// One check's result. A new target is healthy after one passing check, whatever the threshold; the threshold is for recovery,
/// and for a balancer that is patient with new targets.
fn judge(target: &mut Target, answer: CheckAnswer, check: &HealthCheck, is_patient: bool) {
    let failure = match answer {
        CheckAnswer::Ok => None,
        CheckAnswer::Code(code) if matches(&check.matcher, code) => None,
        CheckAnswer::Code(code) => Some((
            "Target.ResponseCodeMismatch",
            format!("Health checks failed with these codes: [{code}]"),
        )),
        CheckAnswer::Timeout => Some(("Target.Timeout", "Request timed out".to_owned())),
        CheckAnswer::ConnectionRefused => Some(("Target.FailedHealthChecks", "Health checks failed".to_owned())),
    };
    let row = i32::try_from(if failure.is_some() {
        check.unhealthy_threshold
    } else {
        check.healthy_threshold
    })
    .unwrap_or(i32::MAX);
    match failure {
        None => {
            target.streak = target.streak.max(0).saturating_add(1);
            if (target.state == TargetState::Initial && !is_patient) || target.streak >= row {
                target.state = TargetState::Healthy;
                target.reason = None;
                target.description = None;
            }
        }
        Some((reason, description)) => {
            target.streak = target.streak.min(0).saturating_sub(1);
            if target.state == TargetState::Unhealthy || target.streak <= -row {
                target.state = TargetState::Unhealthy;
                target.reason = Some(reason.into());
                target.description = Some(description);
            }
        }
    }
    if target.state == TargetState::Initial {
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
