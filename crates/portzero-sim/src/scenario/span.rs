//! Durations of a scenario file, and those that are drawn from a range.

use std::fmt;
use std::time::Duration;

use serde::de::Deserializer;
use serde::{Deserialize, de};

/// A span that the world draws anew each time, between two bounds: `10s` or `9s 400ms..10s 900ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The shortest.
    pub low: Duration,
    /// The longest.
    pub high: Duration,
}

impl Spread {
    /// Between two numbers of milliseconds.
    pub const fn millis(low: u64, high: u64) -> Self {
        Self {
            low: Duration::from_millis(low),
            high: Duration::from_millis(high),
        }
    }
}

impl<'de> Deserialize<'de> for Spread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (low, high) = text.split_once("..").unwrap_or((&text, &text));
        let spread = Self {
            low: parse_span(low)?,
            high: parse_span(high)?,
        };
        if spread.low > spread.high {
            return Err(de::Error::custom(format!("`{text}` ends before it begins")));
        }
        Ok(spread)
    }
}

pub(crate) fn parse_span<E: de::Error>(text: &str) -> Result<Duration, E> {
    let text = text.trim();
    humantime::parse_duration(text).map_err(|_| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        E::custom(match is_number {
            true => format!("expected a duration with a unit, such as `{text}s`"),
            false => "expected a duration such as `30s` or `1m 30s`".to_owned(),
        })
    })
}

/// A duration with a unit; a bare number is an error.
pub(crate) fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = Duration;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration with a unit, such as `30s`")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
            parse_span(text)
        }
    }
    deserializer.deserialize_str(Visitor)
}

pub(crate) fn optional_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    span(deserializer).map(Some)
}
