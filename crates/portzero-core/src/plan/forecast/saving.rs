//! The one setting that costs most, and what another value of it would save.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::target::TargetGroup;
use crate::base::id::TargetGroupArn;
use crate::base::time::human;
use crate::plan::forecast::course::Rollout;
use crate::plan::forecast::spans::check;

/// What AWS's own advice names for requests that are short.
const DELAY_SHORT: Duration = Duration::from_secs(30);
const INTERVAL_SHORT: Duration = Duration::from_secs(10);
/// Less than a fifth of the whole is not worth a word.
const WORTH: u32 = 5;

/// What one other setting would save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    /// The setting, its value, and what it costs.
    pub setting: String,
    /// The other value.
    pub instead: String,
    /// How long until nothing old is left, with it.
    pub drained: Duration,
}

impl Saving {
    /// The one that saves most, if it is worth a word.
    pub(super) fn find(
        rollout: &Rollout,
        groups: &BTreeMap<TargetGroupArn, TargetGroup>,
        drained: Duration,
        play: impl Fn(&Rollout) -> Option<Duration>,
    ) -> Option<Self> {
        let candidates = [shorter_delay(rollout), shorter_interval(rollout, groups)];
        let saves = |(setting, instead, changed): (String, String, Rollout)| {
            let with = play(&changed)?;
            let is_worth_it = drained.saturating_sub(with) * WORTH >= drained;
            is_worth_it.then_some(Self {
                setting,
                instead,
                drained: with,
            })
        };
        candidates
            .into_iter()
            .flatten()
            .filter_map(saves)
            .min_by_key(|saving| saving.drained)
    }
}

fn shorter_delay(rollout: &Rollout) -> Option<(String, String, Rollout)> {
    let delay = rollout.delay.filter(|delay| *delay > DELAY_SHORT)?;
    let changed = Rollout {
        delay: Some(DELAY_SHORT),
        ..rollout.clone()
    };
    Some((
        format!("deregistration delay of {}", human(delay)),
        human(DELAY_SHORT),
        changed,
    ))
}

fn shorter_interval(
    rollout: &Rollout,
    groups: &BTreeMap<TargetGroupArn, TargetGroup>,
) -> Option<(String, String, Rollout)> {
    let longest = groups.values().map(|group| group.health_check.interval).max()?;
    if longest <= INTERVAL_SHORT {
        return None;
    }
    let mut changed = rollout.clone();
    changed.checks = groups
        .values()
        .map(|group| {
            let mut group = group.clone();
            group.health_check.interval = group.health_check.interval.min(INTERVAL_SHORT);
            check(&group)
        })
        .collect();
    Some((
        format!("health check interval of {}", human(longest)),
        human(INTERVAL_SHORT),
        changed,
    ))
}
