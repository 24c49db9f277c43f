//! The deployment circuit breaker of a service, and the failures after which it fires.

use serde::Deserialize;

/// `deploymentCircuitBreaker`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Whether it watches deployments.
    pub enable: bool,
    /// Whether it rolls back, or only fails the deployment.
    pub rollback: bool,
    /// `resetOnHealthyTask`; absent: a task that becomes healthy sets the count back to 0.
    pub reset_on_healthy_task: Option<bool>,
    /// `thresholdConfiguration`; absent: BOUNDED_PERCENT 50.
    pub threshold: Option<Threshold>,
}

impl CircuitBreaker {
    /// Whether a task that becomes healthy sets the count of failures back to 0.
    pub(crate) fn resets(&self) -> bool {
        self.reset_on_healthy_task.unwrap_or(true)
    }
}

/// `thresholdConfiguration`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// How the value is meant.
    #[serde(rename = "type")]
    pub kind: ThresholdType,
    /// A number of failures, or a percentage of the desired count.
    pub value: u32,
}

/// How the value of a threshold is meant.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum ThresholdType {
    /// So many failures.
    #[serde(rename = "COUNT")]
    Count,
    /// Percent of the desired count, at least 3 and at most 200 failures.
    #[serde(rename = "BOUNDED_PERCENT")]
    BoundedPercent,
    /// Percent of the desired count.
    #[serde(rename = "UNBOUNDED_PERCENT")]
    UnboundedPercent,
}

impl ThresholdType {
    pub(crate) const ALL: [ThresholdType; 3] = [Self::Count, Self::BoundedPercent, Self::UnboundedPercent];

    /// As AWS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::BoundedPercent => "BOUNDED_PERCENT",
            Self::UnboundedPercent => "UNBOUNDED_PERCENT",
        }
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self {
            kind: ThresholdType::BoundedPercent,
            value: 50,
        }
    }
}

impl Threshold {
    /// The failures after which the breaker fires. AWS publishes that shares are rounded up only for the default.
    pub fn failures(self, desired: u32) -> u32 {
        let share = (u64::from(desired) * u64::from(self.value)).div_ceil(100);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        match self.kind {
            ThresholdType::Count => self.value.max(1),
            ThresholdType::BoundedPercent => share.clamp(3, 200),
            ThresholdType::UnboundedPercent => share.max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_fires_after_half_the_desired_count_within_its_bounds() {
        let usual = |desired| Threshold::default().failures(desired);
        assert_eq!([0, 1, 6, 7, 25, 400, 800].map(usual), [3, 3, 3, 4, 13, 200, 200]);
    }

    #[test]
    fn t09_a_threshold_of_its_own_is_a_count_or_a_share_with_or_without_the_bounds() {
        let after = |kind, value| move |desired| Threshold { kind, value }.failures(desired);
        let (count, bounded, unbounded) = (
            ThresholdType::Count,
            ThresholdType::BoundedPercent,
            ThresholdType::UnboundedPercent,
        );
        assert_eq!([1, 100].map(after(count, 10)), [10, 10]);
        assert_eq!([1, 30, 5000].map(after(bounded, 10)), [3, 3, 200]);
        assert_eq!([1, 25, 5000].map(after(unbounded, 10)), [1, 3, 500]);
    }
}
