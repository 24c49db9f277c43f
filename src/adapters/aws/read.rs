//! Members of AWS's answers as the domain's types.

use std::time::Duration;

use aws_smithy_types::DateTime;
use portzero_core::base::time::Timestamp;

/// To the nearest millisecond: `1.620282875304E9` is read as a binary fraction, which falls a little short of .304.
pub(crate) fn time(at: Option<&DateTime>) -> Option<Timestamp> {
    let at = at?;
    let millis = i64::from(at.subsec_nanos()).saturating_add(500_000) / 1_000_000;
    Some(Timestamp::from_millis(
        at.secs().saturating_mul(1000).saturating_add(millis),
    ))
}

pub(crate) fn text(value: Option<&str>) -> &str {
    value.unwrap_or_default()
}

/// AWS's counts are never below zero.
pub(crate) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

pub(crate) fn minutes(number: i32) -> Duration {
    Duration::from_secs(u64::from(count(number)) * 60)
}

/// A port that is none reads as 0, which matches nothing.
pub(crate) fn port(number: i32) -> u16 {
    u16::try_from(number).unwrap_or(0)
}
