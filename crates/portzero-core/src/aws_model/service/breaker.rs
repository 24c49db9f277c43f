//! ECS's deployment circuit breaker: how it counts failures, and when it fires.

/// The circuit breaker as the service has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// It ends deployments whose tasks keep failing.
    pub enable: bool,
    /// And then goes back to the deployment that was completed last.
    pub rollback: bool,
    /// `resetOnHealthyTask: false`: failures add up, whatever becomes healthy between them.
    pub adds_up: bool,
    /// When it fires.
    pub threshold: BreakerThreshold,
}

/// `thresholdConfiguration`: the failures after which the circuit breaker fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerThreshold {
    /// COUNT: so many.
    Count(u32),
    /// BOUNDED_PERCENT: percent of the desired count, at least 3 and at most 200.
    BoundedPercent(u32),
    /// UNBOUNDED_PERCENT: percent of the desired count.
    UnboundedPercent(u32),
    /// Of a type that this version does not know.
    Unknown,
}

impl Default for BreakerThreshold {
    /// Source: API reference of ThresholdConfiguration, 2026.
    fn default() -> Self {
        Self::BoundedPercent(50)
    }
}

impl BreakerThreshold {
    /// As AWS spells the type, with its value.
    pub fn read(kind: &str, value: u32) -> Self {
        match kind {
            "COUNT" => Self::Count(value),
            "BOUNDED_PERCENT" => Self::BoundedPercent(value),
            "UNBOUNDED_PERCENT" => Self::UnboundedPercent(value),
            _ => Self::Unknown,
        }
    }

    /// The failures at which it fires with such a desired count; `None` where nobody can say.
    /// Source: ECS Developer Guide, "deployment circuit breaker", 2026: a share is rounded up.
    pub fn failures(self, desired: u32) -> Option<u32> {
        let share = |percent: u32| {
            let exact = (u64::from(desired) * u64::from(percent)).div_ceil(100);
            u32::try_from(exact).unwrap_or(u32::MAX)
        };
        match self {
            Self::Count(count) => Some(count),
            Self::BoundedPercent(percent) => Some(share(percent).clamp(3, 200)),
            Self::UnboundedPercent(percent) => Some(share(percent)),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_threshold_follows_the_published_table() {
        let usual = BreakerThreshold::default();
        let found = [1, 25, 400, 800].map(|desired| usual.failures(desired));
        assert_eq!(found, [Some(3), Some(13), Some(200), Some(200)]);
    }

    #[test]
    fn t09_a_threshold_of_its_own_is_computed_from_its_type() {
        let of = |kind: &str, value, desired| BreakerThreshold::read(kind, value).failures(desired);
        assert_eq!(of("COUNT", 10, 2), Some(10));
        assert_eq!(of("BOUNDED_PERCENT", 10, 100), Some(10));
        assert_eq!(of("BOUNDED_PERCENT", 10, 2), Some(3));
        assert_eq!(of("UNBOUNDED_PERCENT", 10, 11), Some(2));
        assert_eq!(of("UNBOUNDED_PERCENT", 100, 800), Some(800));
        assert_eq!(of("BY_THE_MOON", 10, 2), None);
    }
}
