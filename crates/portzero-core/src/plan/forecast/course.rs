//! One course that a rolling update may take: what ECS's scheduler does at each of its looks, by the rules of the
//! Developer Guide, with lengths drawn from what is known of them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::plan::forecast::chance::Chance;
use crate::plan::forecast::room::Room;
use crate::plan::forecast::spans::{
    CADENCE, COMPLETION, DEPROVISION, DEREGISTRATION, DRAIN_SLACK, FIRST_ACTION, NOTICED, Span, Start, TOLD_TO_STOP,
    TRUSTED,
};

/// A course that is not over by then comes to no end.
const HORIZON: Duration = Duration::from_secs(24 * 3600);
/// Where ECS stops a task to make room, it looks again at once.
const ROOM_MADE: Duration = Duration::from_millis(850);

/// All that decides how a rollout goes.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    pub(super) desired: usize,
    pub(super) lower: usize,
    pub(super) upper: usize,
    /// The place of each old task, where it is known.
    pub(super) old: Vec<Option<usize>>,
    pub(super) start: Start,
    /// The check of each target group; `None` where nobody checks.
    pub(super) checks: Vec<Option<Span>>,
    /// The container health check's first result.
    pub(super) own_check: Option<Duration>,
    /// The deregistration delay; `None` where there is no target.
    pub(super) delay: Option<Duration>,
    pub(super) stop: Span,
    pub(super) has_interface: bool,
    /// How many healthy new tasks are enough (early success criteria).
    pub(super) enough: Option<usize>,
    /// The completion does not wait for the old tasks (early success criteria, DEFERRED).
    pub(super) defers_clean_up: bool,
    pub(super) bake: Option<Span>,
    pub(super) room: Option<Room>,
}

/// When what was there, counted from UpdateService.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// The first new task was registered.
    pub(super) started: Duration,
    pub(super) switched: Duration,
    pub(super) drained: Duration,
    /// Looks at which ECS started tasks.
    pub(super) waves: usize,
}

/// A task of the new revision.
#[derive(Clone, Copy, Debug)]
struct NewTask {
    registered: Duration,
    /// It runs, and its targets are healthy.
    serves: Duration,
    /// ECS counts it as healthy.
    counts: Duration,
}

/// An old task that ECS has stopped.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    place: Option<usize>,
    deregistered: Duration,
    ended: Duration,
}

#[derive(Debug)]
pub(super) struct Course<'r> {
    rollout: &'r Rollout,
    chance: Chance,
    now: Duration,
    looks: BTreeSet<Duration>,
    new: Vec<NewTask>,
    old: Vec<Option<usize>>,
    leaving: Vec<Leaving>,
    room: Option<Room>,
    last_action: Duration,
    waves: usize,
}

impl<'r> Course<'r> {
    pub(super) fn new(rollout: &'r Rollout, chance: Chance) -> Self {
        Self {
            rollout,
            chance,
            now: Duration::ZERO,
            looks: BTreeSet::new(),
            new: Vec::new(),
            old: rollout.old.clone(),
            leaving: Vec::new(),
            room: rollout.room.clone(),
            last_action: Duration::ZERO,
            waves: 0,
        }
    }

    /// Plays it to its end. `None`: it has none.
    pub(super) fn play(mut self) -> Option<Times> {
        let first = self.chance.draw(FIRST_ACTION);
        let mut regular = first + self.chance.look(CADENCE, true);
        self.looks.insert(first);
        self.looks.insert(regular);
        while let Some(at) = self.looks.pop_first() {
            if at > HORIZON {
                return None;
            }
            if at == regular {
                regular += self.chance.look(CADENCE, false);
                self.looks.insert(regular);
            }
            self.now = at;
            self.look();
            if let Some(completed) = self.completion() {
                return Some(self.times(completed));
            }
        }
        None
    }

    fn look(&mut self) {
        self.give_ports_free();
        let (lower, upper, desired) = (self.rollout.lower, self.rollout.upper, self.rollout.desired);
        let healthy = self.healthy();
        let kept = if self.rollout.enough.is_some_and(|enough| healthy >= enough) {
            0
        } else {
            desired.saturating_sub(healthy)
        };
        let spare = (healthy + self.old.len()).saturating_sub(lower);
        self.stop(self.old.len().saturating_sub(kept).min(spare));
        let missing = desired.saturating_sub(self.new.len());
        let allowed = missing.min(upper.saturating_sub(self.new.len() + self.old.len()));
        let started = self.start(allowed);
        if started < missing {
            let spare = (healthy + self.old.len()).saturating_sub(lower);
            let going = spare.min(missing - started).min(self.old.len());
            self.stop(going);
            if going > 0 {
                self.looks.insert(self.now + ROOM_MADE);
            }
        }
    }

    fn healthy(&self) -> usize {
        self.new.iter().filter(|task| task.counts <= self.now).count()
    }

    fn give_ports_free(&mut self) {
        let Some(room) = &mut self.room else { return };
        for task in self.leaving.iter_mut().filter(|task| task.ended <= self.now) {
            if let Some(place) = task.place.take() {
                room.end(place);
            }
        }
    }

    /// Starts so many tasks together, as far as there is room. How many it were.
    fn start(&mut self, count: usize) -> usize {
        let placed = match &mut self.room {
            Some(room) => (0..count).take_while(|_| room.take()).count(),
            None => count,
        };
        if placed == 0 {
            return 0;
        }
        self.waves += 1;
        self.last_action = self.now;
        let registered = self.now + self.chance.draw(self.rollout.start.registered);
        let running = registered + self.chance.draw(self.rollout.start.running);
        for _ in 0..placed {
            let mut serves = running;
            for check in self.rollout.checks.iter().flatten() {
                serves = serves.max(registered + self.chance.draw(*check));
            }
            let noticed = match (self.rollout.own_check, self.rollout.delay) {
                (None, None) => running + TRUSTED,
                (own, Some(_)) => (registered + NOTICED).max(running + own.unwrap_or_default()),
                (Some(own), None) => running + own,
            };
            self.new.push(NewTask {
                registered,
                serves,
                counts: serves.max(noticed),
            });
        }
        placed
    }

    /// Stops the oldest of the old tasks.
    fn stop(&mut self, count: usize) {
        let going: Vec<Option<usize>> = self.old.drain(..count.min(self.old.len())).collect();
        if going.is_empty() {
            return;
        }
        let (deregistered, told) = match self.rollout.delay {
            Some(delay) => {
                let deregistered = self.now + self.chance.draw(DEREGISTRATION);
                (deregistered, deregistered + delay + self.chance.draw(DRAIN_SLACK))
            }
            None => (self.now, self.now + self.chance.draw(TOLD_TO_STOP)),
        };
        let mut ended = told + self.chance.draw(self.rollout.stop);
        if self.rollout.has_interface {
            ended += self.chance.draw(DEPROVISION);
        }
        self.last_action = self.last_action.max(deregistered);
        for place in going {
            if let (Some(room), Some(place)) = (&mut self.room, place) {
                room.leave(place);
            }
            self.leaving.push(Leaving {
                place,
                deregistered,
                ended,
            });
        }
    }

    /// When ECS calls the deployment completed, once nothing is left to do for it.
    fn completion(&mut self) -> Option<Duration> {
        let healthy = self.healthy();
        let is_enough = self.rollout.enough.is_some_and(|enough| healthy >= enough);
        let is_whole = self.new.len() == self.rollout.desired && healthy == self.rollout.desired;
        let is_there = if self.rollout.enough.is_some() {
            is_enough
        } else {
            is_whole
        };
        let waits_for_old = !(is_enough && self.rollout.defers_clean_up);
        if !is_there || waits_for_old && !self.old.is_empty() {
            return None;
        }
        // Of an early success, what is still to come of its tasks is not waited for; but it decides when they all serve.
        if !is_whole {
            return None;
        }
        let gone = self.leaving.iter().map(|task| task.deregistered).max();
        let settled = gone.unwrap_or_default().max(self.now);
        let completed = (self.last_action + self.chance.draw(COMPLETION)).max(settled + Duration::from_secs(1));
        let bake = self.rollout.bake.map(|bake| self.chance.draw(bake));
        Some(completed + bake.unwrap_or_default())
    }

    fn times(&self, completed: Duration) -> Times {
        let ended = self.leaving.iter().map(|task| task.ended).max();
        let switched = self.new.iter().map(|task| task.serves).max().unwrap_or_default();
        Times {
            started: self.new.iter().map(|task| task.registered).min().unwrap_or_default(),
            switched,
            drained: completed.max(ended.unwrap_or_default()).max(switched),
            waves: self.waves,
        }
    }
}
