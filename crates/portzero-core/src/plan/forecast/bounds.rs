//! A length with its bounds.

use std::time::Duration;

use crate::base::time::human;

/// How much further than the outermost of the courses that were played the bounds are, measured from the median. The last
/// of many checks is seldom early, so the few courses in which it is lie far out.
const FURTHER_BELOW: f64 = 2.0;
const FURTHER_ABOVE: f64 = 1.5;

/// What is likely, and between what it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// It is not shorter.
    pub least: Duration,
    /// Half of the courses are at most so long.
    pub likely: Duration,
    /// It is not longer, where nothing fails.
    pub most: Duration,
}

impl Bounds {
    /// From courses that were played, and from one in which everything is as short as it may be.
    pub(super) fn of(mut all: Vec<Duration>, shortest: Option<Duration>) -> Self {
        all.sort_unstable();
        let (Some(least), Some(most)) = (all.first(), all.last()) else {
            return Self::default();
        };
        let likely = all[all.len() / 2];
        let below = likely.saturating_sub((likely - *least).mul_f64(FURTHER_BELOW));
        Self {
            least: below.max(shortest.unwrap_or_default()).min(likely),
            likely,
            most: likely + (*most - likely).mul_f64(FURTHER_ABOVE),
        }
    }

    /// So much longer.
    pub(super) fn plus(self, span: Duration) -> Self {
        Self {
            least: self.least + span,
            likely: self.likely + span,
            most: self.most + span,
        }
    }

    /// So much shorter.
    pub(super) fn minus(self, span: Duration) -> Self {
        Self {
            least: self.least.saturating_sub(span),
            likely: self.likely.saturating_sub(span),
            most: self.most.saturating_sub(span),
        }
    }

    /// Whether a length lies within the bounds.
    pub fn hold(&self, span: Duration) -> bool {
        self.least <= span && span <= self.most
    }

    /// `1m 05s (50s to 1m 30s)`
    pub fn text(&self) -> String {
        format!("{} ({} to {})", human(self.likely), human(self.least), human(self.most))
    }
}
