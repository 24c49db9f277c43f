//! How long a rollout takes: until the new targets serve, and until nothing old is left, each with its bounds.
//!
//! The forecast plays the rollout some hundred times, by the rules that the Developer Guide gives of ECS's scheduler, with
//! lengths between what recorded rollouts and the service's own tasks have shown. What is likely is the median; the
//! bounds are a little wider than all courses that were played.
//!
//! * `basis`: what it rests on; `spans`: how long the parts take; `room`: the instances
//! * `course`: one course of a rolling update; `staged`: one whose traffic shifts in stages; `chance`: what they draw from
//! * `gap`: for how long nothing serves; `words`: the forecast as a sentence

mod basis;
mod bounds;
mod chance;
mod course;
mod gap;
mod room;
mod saving;
mod spans;
mod staged;
mod words;

pub use basis::Basis;
pub use bounds::Bounds;
pub(crate) use gap::Gap;
pub use saving::Saving;

use std::time::Duration;

use crate::aws_model::service::Stage;
use crate::plan::forecast::chance::Chance;
use crate::plan::forecast::course::{Course, Rollout, Times};
use crate::rollout::Until;

/// A wait shorter than this is more often a mistake than a wish.
const BUDGET_MIN: Duration = Duration::from_secs(600);

/// For how long the new targets must stay healthy where nobody says: one round of ECS's scheduler, in which a target that
/// only just passed shows its second check. The budget, being twice what is expected, has room for it.
pub const SETTLE_DEFAULT: Duration = Duration::from_secs(10);

/// So many courses are played of a service of usual size. Of a large one the tasks themselves even out what is drawn.
const COURSES: u64 = 240;
const COURSES_OF_MANY_TASKS: u64 = 60;
const MANY_TASKS: usize = 100;

/// How long a rollout is expected to take, from the update on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// From the update until the first new target is registered.
    pub started: Bounds,
    /// From the update until the new targets take all new connections.
    pub switched: Bounds,
    /// From the update until nothing old is left.
    pub drained: Bounds,
    /// How often ECS starts tasks.
    pub waves: usize,
    /// The deregistration delay in it.
    pub drain: Duration,
    /// The bake time in it.
    pub bake: Duration,
    /// The waits between the steps of the traffic in `switched`.
    pub shift: Duration,
    /// What one other setting would save.
    pub saving: Option<Saving>,
    /// On the instances that are there, the rollout comes to no end: the figures are those with room enough.
    pub is_without_room: bool,
}

impl Forecast {
    /// From what is known of the service, its target groups, its tasks and its cluster.
    pub fn of(basis: &Basis<'_>) -> Self {
        let mut rollout = basis.rollout();
        let configuration = &basis.service.configuration;
        let is_staged = configuration.is_staged();
        let (shift, baked) = if is_staged {
            (configuration.shift_time(), configuration.bake_time.unwrap_or_default())
        } else {
            (Duration::ZERO, Duration::ZERO)
        };
        let play = |rollout: &Rollout| {
            if is_staged {
                Some(staged_courses(rollout, shift, baked))
            } else {
                courses(rollout)
            }
        };
        let with_room = play(&rollout);
        let is_without_room = with_room.is_none() && rollout.room.is_some();
        let played = with_room.or_else(|| {
            rollout.room = None;
            play(&rollout)
        });
        let played = played.unwrap_or_else(|| Played::of(&mut [blocked(&rollout)], None));
        let likely_drained = |rollout: &Rollout| play(rollout).map(|played| played.drained.likely);
        Self {
            started: played.started,
            switched: played.switched,
            drained: played.drained,
            waves: played.waves,
            drain: basis.delay().unwrap_or_default(),
            bake: if is_staged {
                baked
            } else {
                rollout.bake.map(|bake| bake.likely).unwrap_or_default()
            },
            shift,
            saving: Saving::find(&rollout, basis.groups, played.drained.likely, likely_drained),
            is_without_room,
        }
    }

    /// Twice what is expected, at least what may be, and never less than ten minutes. Timers that ECS keeps to are not
    /// doubled, and `settle` is added as far as it is longer than by default.
    pub fn wait_budget(&self, until: Until, settle: Duration) -> Duration {
        let until = match until {
            Until::Stage(_) => until,
            _ => Until::Drained,
        };
        let expected = self.expected(until);
        let timers = match until {
            Until::Stage(stage) if stage <= Stage::BakeTime => self.shift,
            _ => self.shift + self.bake,
        };
        let twice = expected.likely.saturating_sub(timers) * 2 + timers;
        let budget = twice.max(expected.most).max(BUDGET_MIN);
        budget.saturating_add(settle.saturating_sub(SETTLE_DEFAULT))
    }

    /// How long it is expected to take until what `until` asks for is there.
    pub fn expected(&self, until: Until) -> Bounds {
        match until {
            Until::Registered | Until::Healthy => self.switched,
            Until::Drained => self.drained,
            Until::Stage(Stage::CleanUp) => self.switched.plus(self.bake),
            Until::Stage(stage) if stage < Stage::ProductionTrafficShift => self.switched.minus(self.shift),
            Until::Stage(_) => self.switched,
        }
    }
}

/// What many courses have in common.
#[derive(Clone, Copy, Debug)]
struct Played {
    started: Bounds,
    switched: Bounds,
    drained: Bounds,
    waves: usize,
}

impl Played {
    fn of(all: &mut [Times], shortest: Option<Times>) -> Self {
        let bounds = |of: fn(&Times) -> Duration| Bounds::of(all.iter().map(of).collect(), shortest.as_ref().map(of));
        let (started, switched, drained) = (bounds(|t| t.started), bounds(|t| t.switched), bounds(|t| t.drained));
        all.sort_by_key(|times| times.waves);
        Self {
            started,
            switched,
            drained,
            waves: all.get(all.len() / 2).map_or(0, |times| times.waves),
        }
    }
}

fn how_many(rollout: &Rollout) -> u64 {
    if rollout.desired > MANY_TASKS {
        COURSES_OF_MANY_TASKS
    } else {
        COURSES
    }
}

/// `None`: a course comes to no end.
fn courses(rollout: &Rollout) -> Option<Played> {
    let play = |chance: Chance| Course::new(rollout, chance).play();
    let mut all: Vec<Times> = (0..how_many(rollout))
        .map(|seed| play(Chance::new(seed)))
        .collect::<Option<_>>()?;
    Some(Played::of(&mut all, play(Chance::Shortest)))
}

fn staged_courses(rollout: &Rollout, shift: Duration, bake: Duration) -> Played {
    let play = |chance: Chance| staged::play(rollout, shift, bake, chance);
    let mut all: Vec<Times> = (0..how_many(rollout)).map(|seed| play(Chance::new(seed))).collect();
    Played::of(&mut all, Some(play(Chance::Shortest)))
}

/// Where the minimum and the maximum percent leave nothing to do, ECS does nothing: what it would take otherwise.
fn blocked(rollout: &Rollout) -> Times {
    let free = Rollout {
        lower: 0,
        upper: rollout.desired.saturating_mul(2),
        room: None,
        ..rollout.clone()
    };
    let played = Course::new(&free, Chance::new(0)).play();
    played.unwrap_or(Times {
        started: Duration::ZERO,
        switched: Duration::ZERO,
        drained: Duration::ZERO,
        waves: 0,
    })
}

#[cfg(test)]
mod tests;
