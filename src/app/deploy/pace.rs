//! When the loop looks again: as the observers ask, a little earlier or later than others, and later while AWS throttles.

use std::time::Duration;

use portzero_core::base::backoff::Backoff;
use portzero_core::base::time::Moment;

/// The part of a pause that is left to chance. Runs that begin together (a merge to a branch with fifty services) would
/// otherwise look together for minutes. It only ever shortens a pause, so that no look comes later than promised.
const JITTER_SHARE: f64 = 0.2;
/// While AWS throttles, pauses double up to this. It is half of what a log may be silent for.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// AWS's buckets refill within seconds, so one throttled look says little: the second in a row stretches the pauses.
const STRAIN_MAX: u32 = 3;

/// Chance as an input: the same seed gives the same pauses.
#[derive(Debug)]
pub struct Pace {
    chance: Option<fastrand::Rng>,
    /// Looks in a row at which AWS has turned something away for its rate.
    strain: u32,
}

impl Pace {
    /// Exactly as asked for: where nobody else is on the road, as in a rehearsal.
    pub fn even() -> Self {
        Self {
            chance: None,
            strain: 0,
        }
    }

    pub fn jittered(seed: u64) -> Self {
        Self {
            chance: Some(fastrand::Rng::with_seed(seed)),
            strain: 0,
        }
    }

    /// What the last look has met.
    pub fn note(&mut self, is_throttled: bool) {
        self.strain = if is_throttled {
            (self.strain + 1).min(STRAIN_MAX)
        } else {
            0
        };
    }

    /// How long to pause where the next look is due at that time.
    pub fn pause(&mut self, now: Moment, due_at: Moment) -> Duration {
        let asked = due_at.since(now);
        let stretched = Backoff::doubling(asked, PAUSE_MAX).wait(self.strain);
        // A poll interval of the user's may be longer.
        let pause = asked.max(stretched);
        match &mut self.chance {
            Some(chance) => pause.mul_f64(1.0 - JITTER_SHARE * chance.f64()),
            None => pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis(1_000_000);

    fn pauses(pace: &mut Pace, seconds: u64) -> Vec<f64> {
        let due_at = NOW + Duration::from_secs(seconds);
        (0..100).map(|_| pace.pause(NOW, due_at).as_secs_f64()).collect()
    }

    #[test]
    fn chance_shortens_a_pause_and_never_stretches_it() {
        let all = pauses(&mut Pace::jittered(1), 5);
        assert!(all.iter().all(|pause| (4.0..=5.0).contains(pause)), "{all:?}");
        assert!(all.iter().any(|pause| *pause < 4.3) && all.iter().any(|pause| *pause > 4.7));
        assert_eq!(all, pauses(&mut Pace::jittered(1), 5));
        assert_ne!(all, pauses(&mut Pace::jittered(2), 5));
        assert_eq!(pauses(&mut Pace::even(), 5)[0], 5.0);
    }

    #[test]
    fn pauses_double_while_aws_throttles_and_no_longer() {
        let mut pace = Pace::even();
        let mut next = |is_throttled, seconds| {
            pace.note(is_throttled);
            pace.pause(NOW, NOW + Duration::from_secs(seconds)).as_secs()
        };
        assert_eq!(
            [next(true, 2), next(true, 2), next(true, 2), next(true, 2)],
            [2, 4, 8, 8]
        );
        assert_eq!(next(true, 5), 15);
        assert_eq!(
            next(true, 60),
            60,
            "a poll interval of the user's is no reason to hurry"
        );
        assert_eq!(next(false, 2), 2);
    }

    #[test]
    fn what_is_due_is_not_held_up() {
        let mut pace = Pace::jittered(7);
        pace.note(true);
        assert_eq!(pace.pause(NOW, NOW), Duration::ZERO);
    }
}
