//! How a deployment is to be run: what counts as done, how long to wait, what to do when it does not work out.

use std::ops::RangeInclusive;
use std::time::Duration;

use portzero_core::base::finding::Location;
use portzero_core::policy::{IfBusy, Leftover};
use portzero_core::rollout::Until;
use portzero_core::task_definition::DynamicPorts;

/// What the user may set under `defaults:`, at a service, or with a flag. `None` is "not said here".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub until: Option<Until>,
    pub timeout: Option<Said>,
    pub settle: Option<Said>,
    pub poll_interval: Option<Duration>,
    pub if_busy: Option<IfBusy>,
    pub on_failure: Option<Leftover>,
    pub on_cancel: Option<Leftover>,
    pub dynamic_ports: Option<DynamicPorts>,
    pub force_new_deployment: Option<bool>,
    pub keep_revisions: Option<u32>,
}

/// A duration, and where the file says it: several services may take it from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub value: Duration,
    pub at: Location,
}

impl Settings {
    /// What is said here, and what `fallback` says where nothing is.
    pub fn or(self, fallback: &Settings) -> Settings {
        Settings {
            until: self.until.or(fallback.until),
            timeout: self.timeout.or_else(|| fallback.timeout.clone()),
            settle: self.settle.or_else(|| fallback.settle.clone()),
            poll_interval: self.poll_interval.or(fallback.poll_interval),
            if_busy: self.if_busy.or(fallback.if_busy),
            on_failure: self.on_failure.or(fallback.on_failure),
            on_cancel: self.on_cancel.or(fallback.on_cancel),
            dynamic_ports: self.dynamic_ports.or(fallback.dynamic_ports),
            force_new_deployment: self.force_new_deployment.or(fallback.force_new_deployment),
            keep_revisions: self.keep_revisions.or(fallback.keep_revisions),
        }
    }
}

/// Reads a span with its unit: `15m`, `90s`, `1m 30s`. A bare number is refused, since nobody can know what it counts.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "expected a duration with a unit, got {text}; did you mean {text}m or {text}s?"
        ));
    }
    if let Some(unit) = units(text).find(|unit| CALENDAR_UNITS.contains(unit)) {
        return Err(format!(
            "`{unit}` stands for months or years here, and nobody waits that long; write `m` for minutes, `h` for hours: 15m, 2h"
        ));
    }
    let duration =
        humantime::parse_duration(text).map_err(|_| format!("expected a duration such as 15m or 90s, got {text:?}"))?;
    if duration > LONGEST {
        return Err(format!("expected at most 24h, got {text}"));
    }
    Ok(duration)
}

/// What humantime takes for months and years; `15M` is a slip.
const CALENDAR_UNITS: [&str; 7] = ["M", "month", "months", "y", "yr", "year", "years"];
/// No credentials, no runner and no rollout last longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The words between the numbers.
fn units(text: &str) -> impl Iterator<Item = &str> {
    let is_other = |c: char| !c.is_ascii_alphabetic();
    text.split(is_other).filter(|unit| !unit.is_empty())
}

/// A look more often than this shows nothing new, for ECS itself works in rounds of about ten seconds; and one more seldom
/// would make every verdict late.
const POLL_INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);

/// Reads the time between two polls.
pub fn poll_interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if POLL_INTERVAL.contains(&interval) {
        Ok(interval)
    } else {
        Err(format!("expected 1s to 1m between two polls, got {}", text.trim()))
    }
}

/// Reads how many ACTIVE revisions stay.
pub fn keep_revisions(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(0) => Err(
            "expected at least 1, got 0: no revision to go back to would be kept beyond what ran just before"
                .to_owned(),
        ),
        Ok(keep) => Ok(keep),
        Err(_) => Err(format!("expected a number of revisions, got {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portzero_core::aws_model::service::Stage;
    use portzero_core::base::text::nearest;

    #[test]
    fn p15_nobody_waits_for_months_or_for_more_than_a_day() {
        for text in ["15M", "1month", "2 months", "1y", "1h 1M"] {
            let refused = duration(text).unwrap_err();
            assert!(refused.contains("stands for months or years"), "{text}: {refused}");
        }
        assert_eq!(duration("25h"), Err("expected at most 24h, got 25h".to_owned()));
        assert_eq!(duration("24h"), Ok(LONGEST));
        assert_eq!(duration("1h 30min 5s"), Ok(Duration::from_secs(5405)));
    }

    #[test]
    fn a_bare_number_is_no_duration() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        let refused = duration("15").unwrap_err();
        assert!(refused.ends_with("did you mean 15m or 15s?"), "{refused}");
        assert!(duration("soon").is_err());
        assert!(duration("").is_err());
    }

    #[test]
    fn looks_are_a_second_to_a_minute_apart() {
        assert_eq!(poll_interval("30s"), Ok(Duration::from_secs(30)));
        for refused in ["0s", "500ms", "2m", "5"] {
            assert!(poll_interval(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_answered_with_the_word() {
        let refused = "draned".parse::<Until>().unwrap_err().to_string();
        assert!(refused.ends_with("did you mean `drained`?"), "{refused}");
        assert!("stage:".parse::<Until>().is_err());
        assert_eq!("stage:BAKE_TIME".parse(), Ok(Until::Stage(Stage::BakeTime)));
        let refused = "stage:bake-time".parse::<Until>().unwrap_err().to_string();
        assert!(refused.ends_with("did you mean `BAKE_TIME`?"), "{refused}");
        assert_eq!(
            nearest("Memory_Reservation", ["memoryReservation"]),
            Some("memoryReservation")
        );
        assert_eq!(nearest("db", ["web", "name"]), None);
    }
}
