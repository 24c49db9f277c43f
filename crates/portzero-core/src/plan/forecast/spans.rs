//! How long the parts of a rollout take: what recorded rollouts show, what AWS documents, and what the service's own
//! tasks have taken.

use std::time::Duration;

use crate::aws_model::service::{LaunchType, Service};
use crate::aws_model::target::TargetGroup;
use crate::aws_model::task::Task;

/// A length that is not known exactly. Half of the time it is at most what is likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) least: Duration,
    pub(super) likely: Duration,
    pub(super) most: Duration,
}

impl Span {
    const fn millis(least: u64, likely: u64, most: u64) -> Self {
        Self {
            least: Duration::from_millis(least),
            likely: Duration::from_millis(likely),
            most: Duration::from_millis(most),
        }
    }
}

/// UpdateService to the scheduler's first action (recorded: 6.6 to 18.8 s; 21 s once, in 2017).
pub(super) const FIRST_ACTION: Span = Span::millis(6_000, 12_700, 21_000);
/// Between two looks of the scheduler at a service (recorded events are about ten seconds apart).
pub(super) const CADENCE: Span = Span::millis(9_500, 10_000, 10_500);
/// A task's creation until its targets are registered, on an instance with the image in its cache (recorded: 3 to 10 s).
const START_EC2: Span = Span::millis(3_000, 6_800, 11_000);
/// The same on Fargate (recorded: 21 to 51 s, most of it for the network interface and the image).
const START_FARGATE: Span = Span::millis(18_000, 28_000, 52_000);
/// Registration until the task is RUNNING (recorded: 1 to 9 s).
const ACTIVATION: Span = Span::millis(500, 1_700, 9_000);
/// ECS registers a target at one look and asks for its health at the next: no recording is faster.
pub(super) const NOTICED: Duration = Duration::from_secs(10);
/// A task that nothing checks counts as healthy this long after it runs (Developer Guide, deployment types).
pub(super) const TRUSTED: Duration = Duration::from_secs(40);
/// `has stopped` to `deregistered` (recorded: 9.4 to 10.9 s).
pub(super) const DEREGISTRATION: Span = Span::millis(9_000, 10_150, 11_500);
/// How much later than the deregistration delay ECS stops a drained task (recorded: 61 s for a delay of 300 s).
pub(super) const DRAIN_SLACK: Span = Span::millis(18_000, 40_000, 65_000);
/// A task without targets is told to stop at once.
pub(super) const TOLD_TO_STOP: Span = Span::millis(300, 600, 1_500);
/// The removal of a task's network interface (recorded: 10 to 23 s).
pub(super) const DEPROVISION: Span = Span::millis(9_000, 16_500, 25_000);
/// The last deregistration to `deployment completed` (recorded: 50.4 to 62.8 s).
pub(super) const COMPLETION: Span = Span::millis(49_500, 57_400, 64_000);
/// A stage in which ECS waits for nothing. No recording shows one.
pub(super) const STAGE: Span = Span::millis(5_000, 10_000, 15_000);
/// A rolling update that listens to alarms and has no bake time of its own (Developer Guide: "less than 5 minutes").
pub(super) const ALARM_BAKE: Span = Span::millis(175_000, 235_000, 300_000);
/// From the registration of a target to the first check, and its answer, in a group of a Network Load Balancer (recorded:
/// ECS saw it healthy after 30 to 40 s).
const NETWORK_CHECK: Span = Span::millis(28_000, 34_000, 41_000);
/// AWS's default, assumed where the attribute cannot be read.
pub(super) const DELAY_DEFAULT: Duration = Duration::from_secs(300);
/// SIGTERM to SIGKILL where a container names no `stopTimeout`.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// What most processes need after SIGTERM.
const STOP_LIKELY: Duration = Duration::from_millis(2_300);

/// The creation of a task until its targets are registered, and from there until it is RUNNING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) registered: Span,
    pub(super) running: Span,
}

impl Start {
    /// From the service's own tasks where AWS still shows when they began: the images and instances are theirs. What one
    /// task took, another may take half of, or half as much again.
    pub(super) fn of(service: &Service, tasks: &[Task]) -> Self {
        let usual = if service.launch_type == Some(LaunchType::Fargate) {
            START_FARGATE
        } else {
            START_EC2
        };
        let mut own: Vec<Duration> = tasks
            .iter()
            .filter_map(|task| Some(task.started_at?.since(task.created_at?)))
            .map(|whole| whole.saturating_sub(ACTIVATION.likely))
            .filter(|start| !start.is_zero())
            .collect();
        own.sort_unstable();
        let registered = match (own.first(), own.get(own.len() / 2), own.last()) {
            (Some(least), Some(likely), Some(most)) => Span {
                least: least.mul_f64(0.45),
                likely: *likely,
                most: most.mul_f64(1.5),
            },
            _ => usual,
        };
        Self {
            registered,
            running: ACTIVATION,
        }
    }

    /// How long a start is expected to take.
    pub(super) fn likely(&self) -> Duration {
        self.registered.likely + self.running.likely
    }
}

/// From SIGTERM to the end of the containers: from the service's own stopped tasks where AWS still shows some.
pub(super) fn stop(tasks: &[Task], stop_timeout: Option<Duration>) -> Span {
    let mut own: Vec<Duration> = tasks
        .iter()
        .filter(|task| task.is_stopped())
        .filter_map(|task| Some(task.stopped_at?.since(task.stopping_at?)))
        .collect();
    own.sort_unstable();
    let most = stop_timeout.unwrap_or(STOP_TIMEOUT);
    let likely = own.get(own.len() / 2).copied().unwrap_or(STOP_LIKELY.min(most));
    Span {
        least: Duration::ZERO,
        likely,
        most: most.max(likely),
    }
}

/// From the registration of a target to its first passing check. `None`: nobody checks.
pub(super) fn check(group: &TargetGroup) -> Option<Span> {
    if !group.health_check.enabled {
        return None;
    }
    let interval = group.health_check.interval;
    if group.arn.classic_name().is_some() {
        // A classic load balancer wants the whole row of a new instance too.
        let row = interval * group.health_check.healthy_threshold.saturating_sub(1);
        return Some(Span {
            least: row,
            likely: row + interval / 2,
            most: row + interval + Duration::from_secs(2),
        });
    }
    if group
        .load_balancers
        .iter()
        .any(|arn| arn.contains(":loadbalancer/net/"))
    {
        return Some(NETWORK_CHECK);
    }
    // The nodes check on a beat of their own, so the first check comes at any point of the interval.
    Some(Span {
        least: Duration::from_millis(500).min(interval),
        likely: (interval + Duration::from_secs(1)) / 2,
        most: interval + Duration::from_millis(500),
    })
}
