//! How long a rollout takes, from its settings. First version: one figure for each milestone, to choose a wait budget
//! and to say beforehand what to expect; the measured gaps behind the constants are recorded ones.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::service::{LaunchType, Service, Stage};
use crate::aws_model::target::TargetGroup;
use crate::base::id::TargetGroupArn;
use crate::base::time::human;
use crate::rollout::Until;

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
/// What a stage takes in which ECS waits for nothing. No recording shows one; hooks run in them, and come on top.
const STAGE: Duration = Duration::from_secs(10);
/// The stages before all traffic has shifted, but for the ones that start tasks and shift traffic.
const STAGES: u32 = 6;
/// A rolling update that listens to alarms and has no bake time of its own (Developer Guide: "less than 5 minutes").
const ALARM_BAKE: Duration = Duration::from_secs(300);
/// A wait shorter than this is more often a mistake than a wish.
const BUDGET_MIN: Duration = Duration::from_secs(600);

/// For how long the new targets must stay healthy where nobody says: one round of ECS's scheduler, in which a target that
/// only just passed shows its second check. The budget, being twice what is expected, has room for it.
pub const SETTLE_DEFAULT: Duration = Duration::from_secs(10);

/// How long a rollout is expected to take, from the update on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// From the update until the new targets take all new connections.
    pub switched: Duration,
    /// From the update until nothing old is left.
    pub drained: Duration,
    /// The deregistration delay in it.
    pub drain: Duration,
    /// The bake time in it.
    pub bake: Duration,
    /// The waits between the steps of the traffic in `switched`.
    pub shift: Duration,
}

impl Forecast {
    /// From the settings of the service and of its target groups.
    pub fn of<'a>(service: &Service, groups: impl Iterator<Item = &'a TargetGroup>) -> Self {
        let groups: Vec<&TargetGroup> = groups.collect();
        let interval = groups.iter().map(|g| g.health_check.interval).max().unwrap_or_default();
        let drain = groups
            .iter()
            .map(|g| g.deregistration_delay.unwrap_or(DELAY_DEFAULT))
            .max()
            .unwrap_or_default();
        let start = if service.launch_type == Some(LaunchType::Fargate) {
            START_FARGATE
        } else {
            START_EC2
        };
        let batch = start + interval + TICK + TICK;
        let slack = if groups.is_empty() { Duration::ZERO } else { DRAIN_SLACK };
        let leave = drain + slack + STOP;
        let configuration = &service.configuration;
        if configuration.is_staged() {
            let (bake, shift) = (configuration.bake_time.unwrap_or_default(), configuration.shift_time());
            let switched = DETECT + batch + STAGE * STAGES + shift;
            return Self {
                switched,
                drained: switched + bake + leave.max(COMPLETE),
                drain,
                bake,
                shift,
            };
        }
        // The old tasks are gone, or drain, while a rolling update listens to its alarms.
        let bake = match configuration.watched_alarms() {
            [] => Duration::ZERO,
            _ => configuration.bake_time.filter(|b| !b.is_zero()).unwrap_or(ALARM_BAKE),
        };
        let switched = DETECT + batch * batches(service);
        Self {
            switched,
            drained: switched + leave.max(COMPLETE + bake),
            drain,
            bake,
            shift: Duration::ZERO,
        }
    }

    /// Twice what is expected, and never less than ten minutes. Timers that ECS keeps to are not doubled, and `settle` is
    /// added as far as it is longer than by default.
    pub fn wait_budget(&self, until: Until, settle: Duration) -> Duration {
        let expected = self.expected(match until {
            Until::Stage(_) => until,
            _ => Until::Drained,
        });
        let timers = match until {
            Until::Stage(stage) if stage <= Stage::BakeTime => self.shift,
            _ => self.shift + self.bake,
        };
        let budget = (expected.saturating_sub(timers) * 2 + timers).max(BUDGET_MIN);
        budget.saturating_add(settle.saturating_sub(SETTLE_DEFAULT))
    }

    /// How long it is expected to take until what `until` asks for is there.
    pub fn expected(&self, until: Until) -> Duration {
        match until {
            Until::Registered | Until::Healthy => self.switched,
            Until::Drained => self.drained,
            Until::Stage(Stage::CleanUp) => self.switched + self.bake,
            Until::Stage(stage) if stage < Stage::ProductionTrafficShift => self.switched.saturating_sub(self.shift),
            Until::Stage(_) => self.switched,
        }
    }

    /// In one line for people: until the new targets serve, and until the old ones are drained.
    pub fn sentence(&self) -> String {
        let share = self.drain.as_secs() * 100 / self.drained.as_secs().max(1);
        let drain = if self.drain.is_zero() {
            String::new()
        } else {
            format!("; {} of it ({share} %) is the deregistration delay", human(self.drain))
        };
        let shift = if self.shift.is_zero() {
            String::new()
        } else {
            format!(" ({} of it between steps of the traffic)", human(self.shift))
        };
        let bake = if self.bake.is_zero() {
            String::new()
        } else {
            format!(", with a bake time of {}", human(self.bake))
        };
        format!(
            "about {} until the new targets serve{shift}, {} until the old ones are drained{bake}{drain}",
            human(self.switched),
            human(self.drained)
        )
    }
}

/// For how long no target is healthy where every old task stops before a new one starts: its start, ECS's next look, and
/// the first health check. What the application takes to start comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Until the old task has freed the host port that the new one asks for too; zero where they need not share one.
    pub port: Duration,
    pub start: Duration,
    pub look: Duration,
    pub check: Duration,
}

impl Gap {
    pub(crate) fn of(service: &Service, groups: &BTreeMap<TargetGroupArn, TargetGroup>, shares_port: bool) -> Self {
        let delays = groups.values().map(|g| g.deregistration_delay.unwrap_or(DELAY_DEFAULT));
        let leave = delays.max().unwrap_or_default() + DRAIN_SLACK + STOP;
        Self {
            port: if shares_port { leave } else { Duration::ZERO },
            start: if service.launch_type == Some(LaunchType::Fargate) {
                START_FARGATE
            } else {
                START_EC2
            },
            look: TICK,
            check: groups
                .values()
                .map(|g| g.health_check.interval)
                .max()
                .unwrap_or_default(),
        }
    }

    pub(crate) fn total(&self) -> Duration {
        self.port + self.start + self.look + self.check
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

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(bake: u64, shift: u64) -> Forecast {
        let (bake, shift) = (Duration::from_secs(bake), Duration::from_secs(shift));
        Forecast {
            switched: Duration::from_secs(120) + shift,
            drained: Duration::from_secs(300) + shift + bake,
            drain: Duration::from_secs(60),
            bake,
            shift,
        }
    }

    #[test]
    fn a_bake_time_is_waited_for_once_and_not_twice() {
        let hours = forecast(6 * 3600, 0);
        let budget = |until| hours.wait_budget(until, SETTLE_DEFAULT);
        assert_eq!(budget(Until::Drained), Duration::from_secs(6 * 3600 + 600));
        assert_eq!(budget(Until::Stage(Stage::BakeTime)), BUDGET_MIN);
        assert_eq!(
            hours.expected(Until::Stage(Stage::CleanUp)),
            Duration::from_secs(6 * 3600 + 120)
        );
    }

    #[test]
    fn a_long_settle_span_is_waited_for_and_the_default_one_is_in_the_budget() {
        let short = forecast(0, 0);
        for settle in [Duration::ZERO, SETTLE_DEFAULT] {
            assert_eq!(short.wait_budget(Until::Healthy, settle), BUDGET_MIN);
        }
        let hour = Duration::from_secs(3600);
        assert_eq!(
            short.wait_budget(Until::Healthy, hour),
            BUDGET_MIN + hour - SETTLE_DEFAULT
        );
    }

    #[test]
    fn the_waits_between_steps_count_for_a_stage_that_comes_after_them() {
        let steps = forecast(0, 3600);
        let before = Until::Stage(Stage::PostTestTrafficShift);
        assert_eq!(steps.expected(before), Duration::from_secs(120));
        assert!(steps.wait_budget(Until::Stage(Stage::BakeTime), SETTLE_DEFAULT) > Duration::from_secs(3600));
    }
}
