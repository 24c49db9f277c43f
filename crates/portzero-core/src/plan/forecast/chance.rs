//! Numbers that look drawn, and are the same every time: the same plan has the same forecast.

use std::time::Duration;

use crate::plan::forecast::spans::Span;

/// What a course draws from.
#[derive(Clone, Debug)]
pub(super) enum Chance {
    /// Whatever a span may be, half of the draws at or below what is likely.
    Any(u64),
    /// The shortest that each span may be, and ECS looks at the service all the time.
    Shortest,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self::Any(seed)
    }

    /// From 0 up to 1. The generator is SplitMix64 (Steele, Lea, Flood 2014).
    fn unit(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// One length of a span.
    pub(super) fn draw(&mut self, span: Span) -> Duration {
        match self {
            Self::Shortest => span.least,
            Self::Any(state) => {
                let unit = Self::unit(state) * 2.0;
                if unit < 1.0 {
                    span.least + (span.likely - span.least).mul_f64(unit)
                } else {
                    span.likely + (span.most - span.likely).mul_f64(unit - 1.0)
                }
            }
        }
    }

    /// How long until ECS looks at the service for the first time after its first action, and between two looks.
    pub(super) fn look(&mut self, cadence: Span, is_first: bool) -> Duration {
        match self {
            Self::Shortest => Duration::from_millis(500),
            Self::Any(state) if is_first => cadence.most.mul_f64(Self::unit(state)),
            Self::Any(_) => self.draw(cadence),
        }
    }
}
