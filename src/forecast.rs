//! How long a rollout takes, from its settings. First version: one figure for each milestone, to choose a wait budget
//! and to say beforehand what to expect; the measured gaps behind the constants are recorded ones.

use std::time::Duration;

use crate::service::Service;
use crate::target::TargetGroup;
use crate::time::human;

/// UpdateService -> first action of the scheduler (recorded: 6.6-18.8 s).
const DETECT: Duration = Duration::from_secs(15);
/// Starting a task with its image in the instance's cache, or on Fargate (recorded: 21-31 s to registration).
const START_EC2: Duration = Duration::from_secs(15);
const START_FARGATE: Duration = Duration::from_secs(35);
/// The scheduler's pace, paid once for noticing a healthy target and once for deregistering the old one.
const TICK: Duration = Duration::from_secs(10);
/// Recorded: 361 s for a delay of 300 s.
const DRAIN_SLACK: Duration = Duration::from_secs(60);
/// Docker's grace before SIGKILL.
const STOP: Duration = Duration::from_secs(30);
/// Recorded: 50-63 s between the last deregistration and `deployment completed`.
const COMPLETE: Duration = Duration::from_secs(60);
/// AWS's default, assumed where the attribute cannot be read.
const DELAY_DEFAULT: Duration = Duration::from_secs(300);
/// A wait shorter than this is more often a mistake than a wish.
const BUDGET_MIN: Duration = Duration::from_secs(600);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// From the update until the new targets take all new connections.
    pub switched: Duration,
    /// From the update until nothing old is left.
    pub drained: Duration,
    /// The deregistration delay in it.
    pub drain: Duration,
}

impl Forecast {
    pub fn of<'a>(service: &Service, groups: impl Iterator<Item = &'a TargetGroup>) -> Self {
        let groups: Vec<&TargetGroup> = groups.collect();
        let interval = groups.iter().map(|g| g.health_check.interval).max().unwrap_or_default();
        let drain = groups
            .iter()
            .map(|g| g.deregistration_delay.unwrap_or(DELAY_DEFAULT))
            .max()
            .unwrap_or_default();
        let start = if service.launch_type.as_deref() == Some("FARGATE") {
            START_FARGATE
        } else {
            START_EC2
        };
        let batch = start + interval + TICK + TICK;
        let switched = DETECT + batch * batches(service);
        let slack = if groups.is_empty() { Duration::ZERO } else { DRAIN_SLACK };
        let drained = switched + (drain + slack + STOP).max(COMPLETE);
        Self {
            switched,
            drained,
            drain,
        }
    }

    /// Twice what is expected, and never less than ten minutes.
    pub fn wait_budget(&self) -> Duration {
        (self.drained * 2).max(BUDGET_MIN)
    }

    pub fn sentence(&self) -> String {
        let share = self.drain.as_secs() * 100 / self.drained.as_secs().max(1);
        let drain = if self.drain.is_zero() {
            String::new()
        } else {
            format!("; {} of it ({share} %) is the deregistration delay", human(self.drain))
        };
        format!(
            "about {} until the new targets serve, {} until the old ones are drained{drain}",
            human(self.switched),
            human(self.drained)
        )
    }
}

fn batches(service: &Service) -> u32 {
    let desired = service.desired_count.max(1);
    let lower = service.configuration.lower_limit(&service.scheduling, desired);
    let upper = service.configuration.upper_limit(&service.scheduling, desired);
    let size = if upper > desired {
        upper - desired
    } else {
        desired.saturating_sub(lower)
    };
    desired.div_ceil(size.max(1))
}
