//! Points in time and spans. Nothing here reads a clock: time is an input of the domain.
//!
//! A [`Timestamp`] is what some clock shows: AWS's, GitHub's. An [`Moment`] is a time of this run. They are two types
//! because clocks differ and step, so that no duration of a run may come from what a clock shows.

use std::fmt;
use std::time::Duration;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z (the resolution of ECS's timestamps).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Of milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// A time in UTC as AWS writes it: `2026-01-01T12:00:00Z`, `20260101T120000Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// Seconds since the epoch, as ECS sends them: a number with a fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The span since `earlier`, which the same clock has shown; zero where `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        span(earlier.0, self.0)
    }

    /// How long ago it was, where the clock that showed it agrees with that of this machine; `None` where it is still
    /// to come.
    pub fn ago(self, now: Moment) -> Option<Duration> {
        (self <= now.wall()).then(|| now.wall().since(self))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, span: Duration) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

/// A point in time of this run, on a clock that never steps. It shows as the time that it was where this machine's clock
/// was right when the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// A run's time `elapsed` after the machine's clock has shown `begun`. That is read once, so that a step of the
    /// clock afterwards is no step of the run's time.
    pub fn after(begun: Timestamp, elapsed: Duration) -> Self {
        Self((begun + elapsed).0)
    }

    /// That shows as these milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// What it shows as: for people, and to be compared with what other clocks show.
    pub const fn wall(self) -> Timestamp {
        Timestamp(self.0)
    }

    /// The span since `earlier`; zero where `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        span(earlier.0, self.0)
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, span: Duration) -> Moment {
        Moment((self.wall() + span).0)
    }
}

impl std::ops::Sub<Duration> for Moment {
    type Output = Moment;

    fn sub(self, span: Duration) -> Moment {
        Moment(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wall().fmt(f)
    }
}

fn span(from: i64, to: i64) -> Duration {
    Duration::from_millis(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}

/// A span as people say it, in whole seconds: `0s`, `45s`, `2m 10s`, `1h 05m`.
pub fn human(span: Duration) -> String {
    // Half seconds round up, so that a wait that has begun never reads as shorter than it was by a whole second.
    let seconds = (span.as_millis() + 500) / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        let said: Vec<String> = [0, 45, 60, 130, 3900].map(|s| human(Duration::from_secs(s))).into();
        assert_eq!(said, ["0s", "45s", "1m", "2m 10s", "1h 05m"]);
    }

    #[test]
    fn a_timestamp_prints_as_rfc_3339() {
        assert_eq!(
            Timestamp::from_millis(1_783_015_901_417).to_string(),
            "2026-07-02T18:11:41.417Z"
        );
    }

    #[test]
    fn a_time_is_read_with_dashes_and_without() {
        let noon = Timestamp::from_millis(1_767_268_800_000);
        assert_eq!(Timestamp::parse("2026-01-01T12:00:00Z"), Some(noon));
        assert_eq!(Timestamp::parse("20260101T120000Z"), Some(noon));
        assert_eq!(Timestamp::parse("noon"), None);
    }

    #[test]
    fn a_span_never_runs_backwards() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(3_500));
        assert_eq!(late.since(early), Duration::from_millis(2_500));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn s01_the_time_of_a_run_shows_as_the_clock_did_at_its_begin() {
        let begun = Timestamp::from_millis(1_767_268_800_000);
        let later = Moment::after(begun, Duration::from_secs(90));
        assert_eq!(later.to_string(), "2026-01-01T12:01:30.000Z");
        assert_eq!(later.since(later - Duration::from_secs(20)), Duration::from_secs(20));
    }

    #[test]
    fn what_another_clock_has_shown_was_so_long_ago_or_is_still_to_come() {
        let now = Moment::from_millis(60_000);
        assert_eq!(Timestamp::from_millis(45_000).ago(now), Some(Duration::from_secs(15)));
        assert_eq!(Timestamp::from_millis(60_001).ago(now), None);
    }
}
