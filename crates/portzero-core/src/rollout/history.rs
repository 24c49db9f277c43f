//! What a rollout leaves behind for the report: how long each phase took, and the life of each target.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::time::Moment;
use crate::rollout::event::{Generation, RolloutEvent};
use crate::rollout::view::View;
use crate::rollout::view::phase::Phase;
use crate::rollout::view::snapshot::Place;

/// One stay in a phase. A rollout in batches comes back to earlier phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseSpan {
    /// Which phase.
    pub phase: Phase,
    /// When it began.
    pub started_at: Moment,
    /// How long it lasted.
    pub duration: Duration,
}

/// The states that one target went through, as far as they were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHistory {
    /// The target group, and the target in it.
    pub place: Place,
    /// Of which side it is.
    pub generation: Generation,
    /// The id of the task behind it, where it could be joined.
    pub task: Option<String>,
    /// (state, reason, when first seen); the state `gone` ends a story.
    pub states: Vec<(String, Option<String>, Moment)>,
}

/// Collects both while the rollout goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    phases: Vec<(Phase, Moment)>,
    ended_at: Option<Moment>,
    targets: BTreeMap<(Generation, Place), TargetHistory>,
}

impl History {
    /// Notes the phase; says whether it is a new one.
    pub(crate) fn note_phase(&mut self, phase: Phase, now: Moment) -> bool {
        self.ended_at = Some(now);
        if self.phases.last().is_some_and(|(last, _)| *last == phase) {
            return false;
        }
        self.phases.push((phase, now));
        true
    }

    /// The targets that are there before the deployment begins.
    pub(crate) fn begin(&mut self, view: &View, tasks: &BTreeMap<Place, String>, now: Moment) {
        for (place, row) in &view.old_targets {
            let story = TargetHistory {
                place: place.clone(),
                generation: Generation::Old,
                task: tasks.get(place).cloned(),
                states: vec![(row.state.as_str().to_owned(), row.reason.clone(), now)],
            };
            self.targets.insert((Generation::Old, place.clone()), story);
        }
    }

    pub(crate) fn note(&mut self, events: &[RolloutEvent], tasks: &BTreeMap<Place, String>, now: Moment) {
        for event in events {
            if let RolloutEvent::Target {
                place,
                generation,
                to,
                reason,
                ..
            } = event
            {
                if *generation == Generation::New && !self.targets.contains_key(&(Generation::New, place.clone())) {
                    self.end_at(place, now);
                }
                let story = self
                    .targets
                    .entry((*generation, place.clone()))
                    .or_insert_with(|| TargetHistory {
                        place: place.clone(),
                        generation: *generation,
                        task: None,
                        states: Vec::new(),
                    });
                story.task = story.task.take().or_else(|| tasks.get(place).cloned());
                let state = to.as_ref().map_or("gone", |s| s.as_str());
                story.states.push((state.to_owned(), reason.clone(), now));
            }
        }
    }

    /// A new task has taken the place of an old target, whose own end can no longer be seen.
    fn end_at(&mut self, place: &Place, now: Moment) {
        if let Some(old) = self.targets.get_mut(&(Generation::Old, place.clone()))
            && old.states.last().is_some_and(|(state, ..)| state != "gone")
        {
            old.states.push(("replaced by a new target".into(), None, now));
        }
    }

    pub(crate) fn phases(&self) -> Vec<PhaseSpan> {
        let ends = self.phases.iter().skip(1).map(|(_, at)| *at).chain(self.ended_at);
        let spans = self.phases.iter().zip(ends);
        spans
            .map(|((phase, at), end)| PhaseSpan {
                phase: *phase,
                started_at: *at,
                duration: end.since(*at),
            })
            .collect()
    }

    pub(crate) fn targets(&self) -> Vec<&TargetHistory> {
        self.targets.values().collect()
    }
}
