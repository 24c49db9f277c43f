//! How a deployment stood in truth when another one took over from it, and what a run may say of that.

use std::cell::Cell;
use std::time::Duration;

use portzero_core::base::time::Timestamp;
use portzero_core::rollout::{Until, Verdict};
use portzero_sim::GroundTruth;

use super::generate::Case;
use super::play::GRAIN;

/// The moment at which another deployment took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// For how long this one had been complete then, without a break; its last such stretch.
    pub complete_for: Duration,
    /// How long before that moment the stretch ended; `None`: it was never complete.
    pub age: Option<Duration>,
    /// The longest that a task lived of those that ended by themselves: a run waits for so long anew.
    pub longest_life: Duration,
}

/// What a judge notes on the way there.
#[derive(Debug, Default)]
pub struct Stretch {
    is_complete: Cell<bool>,
    /// From when to when it was complete last.
    last: Cell<Option<(Timestamp, Timestamp)>>,
    pub replaced: Cell<Option<Replaced>>,
}

impl Stretch {
    pub fn judge(&self, truth: &GroundTruth, now: Timestamp) {
        let is_complete = truth.is_complete();
        if is_complete && !self.is_complete.replace(is_complete) {
            self.last.set(Some((now, now)));
        }
        self.is_complete.set(is_complete);
        self.lasts(now);
        if truth.superseded && self.replaced.get().is_none() {
            let last = self.last.get();
            self.replaced.set(Some(Replaced {
                complete_for: last.map_or(Duration::ZERO, |(since, until)| until.since(since)),
                age: last.map(|(_, until)| now.since(until)),
                longest_life: truth.longest_life,
            }));
        }
    }

    /// Nothing has happened until now.
    pub fn lasts(&self, now: Timestamp) {
        if self.is_complete.get() {
            self.last.set(self.last.get().map(|(since, _)| (since, now)));
        }
    }
}

/// The longest time between two looks of the case's run.
fn between_looks(case: &Case) -> Duration {
    // The slowest pace that a run takes by itself.
    let own = Duration::from_secs(10);
    case.poll_interval.unwrap_or(own).max(own) + case.lag
}

/// Whether a run that follows its drain may say that it has succeeded, although the drain went on under another
/// deployment: its own was complete at the look before that.
pub fn may_succeed(case: &Case, until: Until, replaced: Option<Replaced>) -> bool {
    let tolerance = case.misbehaviour.staleness + between_looks(case) + GRAIN;
    let age = replaced.and_then(|replaced| replaced.age);
    until == Until::Drained && age.is_some_and(|age| age <= tolerance)
}

/// Whether a run can know that its rollout is complete: the addresses of tasks are shown, and no new target has to wait in the place
/// of an old one until that has drained.
pub fn is_knowable(case: &Case) -> bool {
    let definition = &case.scenario.services[0].task_definition;
    let mappings = definition["containerDefinitions"][0]["portMappings"].as_array();
    let has_fixed_port = mappings
        .into_iter()
        .flatten()
        .any(|m| m["hostPort"].as_u64().unwrap_or(0) > 0);
    let shares_places = has_fixed_port && definition["networkMode"] != "awsvpc";
    case.scenario.switches.addresses != portzero_sim::ShownAddresses::Nowhere && !shares_places
}

/// Called superseded, and it had been complete for so long that every run that could read has seen it settle.
pub fn false_alarm(case: &Case, until: Until, verdict: Verdict, replaced: Option<Replaced>) -> Option<String> {
    let has_trouble = case.outage.is_some() || case.misbehaviour.is_reading_impaired();
    let replaced = replaced
        .filter(|_| until == Until::Drained && verdict == Verdict::Superseded && !has_trouble && is_knowable(case))?;
    let enough = case.settle.max(replaced.longest_life) + between_looks(case) * 3;
    let was_complete = replaced.age == Some(Duration::ZERO) && replaced.complete_for > enough;
    was_complete.then(|| {
        format!(
            "false alarm: superseded, and it had been complete for {:?} when another deployment began",
            replaced.complete_for
        )
    })
}
