//! How many tasks ECS must keep, and may run, while it rolls out: the arithmetic of the minimum and the maximum percent.

use crate::aws_model::service::{SchedulingStrategy, Service};
use crate::base::finding::EvidenceLabel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub desired: u32,
    pub minimum_percent: u32,
    pub maximum_percent: u32,
    pub lower: u32,
    pub upper: u32,
}

impl Limits {
    /// `desired`: the count that the deployment has, which may not be the service's any more.
    pub(crate) fn of(service: &Service, desired: u32) -> Self {
        let configuration = &service.configuration;
        let (minimum, maximum) = if service.scheduling == SchedulingStrategy::Daemon {
            (0, 100)
        } else {
            (100, 200)
        };
        Self {
            desired,
            minimum_percent: configuration.minimum_healthy_percent.unwrap_or(minimum),
            maximum_percent: configuration.maximum_percent.unwrap_or(maximum),
            lower: configuration.lower_limit(&service.scheduling, desired),
            upper: configuration.upper_limit(&service.scheduling, desired),
        }
    }

    /// Whether ECS may neither stop an old task nor start a new one beside all of them.
    pub(crate) fn block(&self) -> bool {
        self.desired > 0 && self.upper <= self.desired && self.lower >= self.desired
    }

    /// Whether ECS may stop every old task, and starts no new one before it has stopped some.
    pub(crate) fn may_empty(&self) -> bool {
        self.desired > 0 && self.lower == 0 && self.upper <= self.desired
    }

    /// The two sums, as evidence.
    pub(crate) fn sums(&self) -> [(EvidenceLabel, String); 2] {
        let Self {
            desired,
            minimum_percent,
            maximum_percent,
            lower,
            upper,
        } = self;
        [
            (
                "lower".into(),
                format!("ceil({desired} x {minimum_percent} %) = {lower} tasks must stay healthy"),
            ),
            (
                "upper".into(),
                format!("floor({desired} x {maximum_percent} %) = {upper} tasks may run at once"),
            ),
        ]
    }

    /// `lower the minimum healthy percent to 66, so that ECS stops an old task first`.
    pub(crate) fn unblocking(&self) -> String {
        format!(
            "raise the maximum percent to 200, so that ECS starts new tasks first, or lower the minimum healthy percent to {}, \
             so that it stops an old one first",
            self.one_less()
        )
    }

    /// Advice to let one old task go first, where the present percentage keeps them all.
    pub(crate) fn stop_first(&self) -> Option<String> {
        (self.desired > 0 && self.lower >= self.desired).then(|| {
            format!(
                "let ECS stop an old task first: a minimum healthy percent of {} (now {}) leaves {} of {} serving meanwhile",
                self.one_less(),
                self.minimum_percent,
                self.desired - 1,
                self.desired
            )
        })
    }

    /// The percentage that lets one old task go.
    fn one_less(&self) -> u32 {
        self.desired.saturating_sub(1) * 100 / self.desired.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::DeploymentConfiguration;

    fn limits(desired: u32, minimum: u32, maximum: u32) -> Limits {
        let service = Service {
            configuration: DeploymentConfiguration {
                minimum_healthy_percent: Some(minimum),
                maximum_percent: Some(maximum),
                ..Default::default()
            },
            ..Service::plain()
        };
        Limits::of(&service, desired)
    }

    #[test]
    fn the_percentage_that_is_named_lets_one_task_go() {
        let named = |desired| limits(desired, 100, 200).stop_first().unwrap();
        assert!(named(1).contains("percent of 0 (now 100) leaves 0 of 1"));
        assert!(named(3).contains("percent of 66 (now 100) leaves 2 of 3"));
        // ceil(3 x 66 %) is 2: one may go.
        assert_eq!(limits(3, 66, 100).lower, 2);
        assert_eq!(limits(2, 50, 200).stop_first(), None);
        assert_eq!(limits(0, 100, 200).stop_first(), None);
        // One of one is half of nothing: 50 % keeps it as well.
        assert!(limits(1, 50, 100).unblocking().contains("percent to 0,"));
    }

    #[test]
    fn what_is_not_configured_is_what_the_scheduling_has() {
        let percents = |scheduling| {
            let service = Service {
                scheduling,
                ..Service::plain()
            };
            let limits = Limits::of(&service, 3);
            (limits.minimum_percent, limits.maximum_percent, limits.block())
        };
        assert_eq!(percents(SchedulingStrategy::Replica), (100, 200, false));
        assert_eq!(percents(SchedulingStrategy::Daemon), (0, 100, false));
    }

    #[test]
    fn t10_only_who_may_stop_all_and_starts_none_beside_them_may_be_empty() {
        assert!(limits(1, 0, 100).may_empty() && limits(3, 0, 100).may_empty() && limits(1, 0, 150).may_empty());
        assert!(!limits(1, 50, 100).may_empty() && !limits(1, 0, 200).may_empty() && !limits(0, 0, 100).may_empty());
    }

    #[test]
    fn what_blocks_is_told_with_its_arithmetic() {
        assert!(limits(3, 100, 125).block());
        assert!(!limits(4, 100, 125).block() && !limits(3, 66, 100).block() && !limits(0, 100, 100).block());
        assert_eq!(
            limits(3, 100, 125).sums()[1].1,
            "floor(3 x 125 %) = 3 tasks may run at once"
        );
    }
}
