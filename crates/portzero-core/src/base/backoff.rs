//! How long to wait before something is tried again.

use std::time::Duration;

/// Waits that grow by a factor, from the first one to a longest.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    factor: u32,
    longest: Duration,
}

impl Backoff {
    /// Each wait is twice the one before it, and never above `longest`.
    pub const fn doubling(first: Duration, longest: Duration) -> Self {
        Self::growing(first, 2, longest)
    }

    /// Each wait is `factor` times the one before it, and never above `longest`.
    pub const fn growing(first: Duration, factor: u32, longest: Duration) -> Self {
        Self { first, factor, longest }
    }

    /// The wait after that many failures in a row.
    pub fn wait(&self, failures: u32) -> Duration {
        let grown = self.factor.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(grown).min(self.longest)
    }

    /// The same with its upper half left to chance (from 0 to 1), so that runs that failed together do not come back
    /// together.
    pub fn jittered(&self, failures: u32, chance: f64) -> Duration {
        self.wait(failures).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let doubling = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(8));
        let waits: Vec<u128> = (0..=7).map(|n| doubling.wait(n).as_millis()).collect();
        assert_eq!(waits, [500, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(doubling.wait(u32::MAX), Duration::from_secs(8));
        let steep = Backoff::growing(Duration::from_secs(1), 4, Duration::from_secs(4));
        assert_eq!([steep.wait(1), steep.wait(2)], [1, 4].map(Duration::from_secs));
    }

    #[test]
    fn chance_takes_at_most_half_of_a_wait() {
        let backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(8));
        let waits = [-1.0, 0.0, 0.5, 1.0, 2.0].map(|chance| backoff.jittered(1, chance).as_millis());
        assert_eq!(waits, [250, 250, 375, 500, 500]);
    }
}
