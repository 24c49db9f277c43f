//! The state machine around the pure functions: what must be remembered from one look to the next.

mod gone;
mod judge;
pub mod read_outage;
mod replaced;
mod rolling_back;
mod state;
pub mod status_view;
mod traffic;
pub(crate) mod unknown_value;
mod unserved;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::aws_model::api_error::ApiError;
use crate::aws_model::task::LogStream;
use crate::base::finding::Finding;
use crate::base::time::Moment;
use crate::rollout::cause::diagnose::{BreakerCount, Evidence};
use crate::rollout::cause::service_event;
use crate::rollout::event::{RolloutEvent, Seen};
use crate::rollout::history::{History, PhaseSpan, TargetHistory};
use crate::rollout::observer::read_outage::{LastSeen, ReadOutage, Tolerance, Unfinished};
use crate::rollout::observer::state::{Course, Pace, Reported, Settling, Sight, TrafficWatch};
use crate::rollout::observer::unknown_value::unknown_values;
use crate::rollout::observer::unserved::Unserved;
use crate::rollout::scope::Scope;
use crate::rollout::timeouts;
use crate::rollout::verdict::{Outcome, Verdict};
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::phase::{OwnEnd, Phase};
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::success::waiting_on;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, deployment_stage, join, unseen};
use crate::rollout::words::gone::Gone;
use crate::rollout::words::last_look::LastLook;
use crate::rollout::words::verdict;

/// One reading of the world.
#[derive(Clone, Debug)]
pub enum Input {
    /// One look at the world.
    Seen(Box<Snapshot>),
    /// The world could not be read this time.
    Unreadable(ApiError),
    /// The time is over in the middle of a poll.
    OutOfTime(Unfinished),
    /// The run is asked to end.
    Interrupted,
}

/// What one reading means.
#[derive(Clone, Debug)]
pub struct Step {
    /// What has happened since the reading before, in the order to report it.
    pub events: Vec<RolloutEvent>,
    /// Whether to look again.
    pub next: Next,
}

/// What the caller does next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Look again at this time.
    PollAt(Moment),
    /// The rollout has come to its end, or the run to its.
    Done(Outcome),
}

/// Follows one deployment.
#[derive(Clone, Debug)]
pub struct Observer {
    scope: Scope,
    baseline: Baseline,
    /// Where old targets are: those of the beginning, and those that old tasks have shown since.
    old_places: BTreeSet<Place>,
    story: History,
    evidence: Evidence,
    course: Course,
    reported: Reported,
    settling: Settling,
    sight: Sight,
    pace: Pace,
    traffic: TrafficWatch,
    unserved: Unserved,
}

impl Observer {
    /// `before`: the snapshot that the baseline was made of; its tasks and targets are no news.
    pub fn new(scope: Scope, baseline: Baseline, before: &Snapshot, now: Moment) -> Self {
        let old_places = baseline.places.clone();
        let view = View::of(before, &scope, &baseline, &old_places);
        let seen = Seen::at_start(&view);
        let mut story = History::default();
        story.begin(&view, &join::owners(before, &scope), now);
        let reported = Reported {
            seen,
            events: baseline.events.clone(),
            event_texts: BTreeSet::new(),
            desired: before.service.as_ref().map(|service| service.desired_count),
            breaker_failures: 0,
            architecture: false,
            waiting: None,
            stage: None,
            unknown: BTreeSet::new(),
            told_by_revision: false,
        };
        let mut unserved = Unserved::default();
        unserved.note(before, &scope, now);
        Self {
            scope,
            baseline,
            old_places,
            story,
            evidence: Evidence::default(),
            course: Course::default(),
            reported,
            settling: Settling::default(),
            sight: Sight::default(),
            pace: Pace::begin(now),
            traffic: TrafficWatch::default(),
            unserved,
        }
    }

    /// Looks again after this time, in place of a pace that follows what happens.
    pub fn polling_every(mut self, interval: Option<Duration>) -> Self {
        self.pace.poll_interval = interval;
        self
    }

    /// What is followed, with its settings.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The phases so far, in their order.
    pub fn phases(&self) -> Vec<PhaseSpan> {
        self.story.phases()
    }

    /// What was seen of each target.
    pub fn targets(&self) -> Vec<&TargetHistory> {
        self.story.targets()
    }

    /// Whether the next snapshot should carry the instances with their free capacity: a placement has failed, or a task
    /// of ours has ended whose instance may say why.
    pub fn wants_capacity(&self) -> bool {
        self.pace.stuck_since.is_some() || self.evidence.wants_instances()
    }

    /// Where the container whose failure the finding tells of has logged.
    pub fn last_words(&self, finding: &Finding) -> Option<&LogStream> {
        self.evidence.last_words(finding)
    }

    /// Whether the next snapshot must be all fresh: an end is near, and it rests on nothing remembered.
    pub fn wants_everything(&self) -> bool {
        self.sight.wants_everything
    }

    /// Takes in one reading of the world, as it is at `now`.
    pub fn step(&mut self, now: Moment, input: Input) -> Step {
        let mut events = Vec::new();
        let outcome = match input {
            Input::Seen(snapshot) => {
                events.extend(self.see_again(now));
                self.look_at(&snapshot, now, &mut events)
            }
            Input::Unreadable(error) => self.miss(error, now, &mut events),
            Input::OutOfTime(poll) => Some(self.run_out_of_time(&poll, now)),
            Input::Interrupted => {
                let is_rolling_back = self.course.rollback.is_some();
                let finding = verdict::interrupted(&self.scope, &self.waiting(), is_rolling_back, &self.sight.look);
                Some((Verdict::Interrupted, vec![finding]))
            }
        };
        let next = match outcome {
            Some((verdict, mut findings)) => {
                findings.extend(self.evidence.untold_ends(&findings, &self.scope));
                findings.extend(self.evidence.died_beside(&self.scope));
                let course = &self.course;
                let is_given_up = course.has_rollback_failed || course.replaced_by.is_some();
                let is_going_back = course.rollback.is_some() && !is_given_up;
                let is_rolled_back = is_going_back && verdict == Verdict::Failed;
                Next::Done(Outcome {
                    verdict,
                    findings,
                    is_rolled_back,
                })
            }
            None => Next::PollAt(self.next_poll(now)),
        };
        Step { events, next }
    }

    /// When its time is over.
    pub fn deadline(&self) -> Moment {
        self.pace.started_at + self.scope.wait_budget
    }

    fn next_poll(&self, now: Moment) -> Moment {
        if self.sight.wants_everything && self.sight.outage.is_none() && self.sight.gone_since.is_none() {
            return if self.sight.is_kept_waiting {
                now + timeouts::POLL_FAST
            } else {
                now
            };
        }
        let waiting = &self.sight.look.waiting;
        let is_slow = deployment_stage::is_slow(waiting) && self.course.rollback.is_none();
        let pause = self.pace.pause(waiting, is_slow, now);
        (now + pause).min(self.deadline().max(now + Duration::from_millis(100)))
    }

    fn miss(&mut self, error: ApiError, now: Moment, events: &mut Vec<RolloutEvent>) -> Option<Ending> {
        let deadline = self.deadline();
        if let Some(gone) = Gone::of(&error) {
            return self.miss_what_is_gone(gone, &error, now);
        }
        let blind = self.sight.outage.get_or_insert_with(|| ReadOutage::begin(now));
        match blind.tolerate(&error, now, deadline) {
            Tolerance::Silently => return None,
            Tolerance::Telling(told) => {
                events.push(told);
                return None;
            }
            Tolerance::NoLonger => {}
        }
        let is_brief = now.since(blind.since) < timeouts::HEARTBEAT && !blind.left(now).is_zero();
        let (look, at) = (&self.sight.look, self.sight.seen_at);
        let finding = read_outage::could_not_observe(&self.scope, &error, blind, LastSeen { look, at }, now);
        if let Some(known) = self.known_failure() {
            return Some(known);
        }
        // A passing miss at the very end takes nothing from what was seen right before it.
        if is_brief && self.has_seen_what_is_missing() {
            return Some(self.time_out());
        }
        Some((Verdict::CouldNotObserve, vec![finding]))
    }

    /// Where nothing was missing at the last poll, its last parts were remembered, and a whole one was never had.
    fn has_seen_what_is_missing(&self) -> bool {
        self.sight.was_listed && !self.sight.look.waiting.is_empty()
    }

    /// What was seen right before still counts; what is older says nothing of how it stands now.
    fn run_out_of_time(&self, poll: &Unfinished, now: Moment) -> Ending {
        if let Some(known) = self.known_failure() {
            return known;
        }
        let is_recent = self.sight.seen_at.is_some_and(|at| now.since(at) < timeouts::HEARTBEAT);
        if is_recent && self.has_seen_what_is_missing() {
            return self.time_out();
        }
        let (look, at) = (&self.sight.look, self.sight.seen_at);
        let finding = read_outage::out_of_time(&self.scope, poll, LastSeen { look, at }, now);
        (Verdict::CouldNotObserve, vec![finding])
    }

    fn see_again(&mut self, now: Moment) -> Option<RolloutEvent> {
        let blind = self.sight.outage.take()?;
        // A miss is no sign of anything; only what is long enough for a flap may have hidden one.
        let is_bridged = self
            .sight
            .seen_at
            .is_some_and(|at| now.since(at) <= unseen::longest(&self.scope));
        if !is_bridged {
            self.settling.memory.healthy_since = None;
        }
        Some(RolloutEvent::SeesAgain {
            misses: blind.misses,
            blind_for: now.since(blind.since),
        })
    }

    fn look_at(&mut self, snapshot: &Snapshot, now: Moment, events: &mut Vec<RolloutEvent>) -> Option<Ending> {
        self.begin_traffic();
        self.sight.gone_since = None;
        self.learn_places(snapshot);
        let view = View::of(snapshot, &self.scope, &self.baseline, &self.old_places);
        self.settling.note(&view, &self.scope, now);
        self.unserved.note(snapshot, &self.scope, now);
        self.sight.was_listed |= view.ours.is_some();
        self.evidence.collect(now, snapshot, &view, &self.scope);
        self.settling.memory.own_end = self.evidence.last_own_end().map(|(steady_since, lived)| OwnEnd {
            steady_since,
            lived,
            poll: self.pace.poll_interval.unwrap_or(timeouts::POLL_SLOW),
        });
        if snapshot.is_told_by_revision && !std::mem::replace(&mut self.reported.told_by_revision, true) {
            events.push(RolloutEvent::ToldByRevision);
        }
        let changes = self.reported.seen.changes(&view, snapshot);
        if !changes.is_empty() {
            self.pace.moved_at = now;
        }
        self.story.note(&changes, &join::owners(snapshot, &self.scope), now);
        events.extend(changes);
        events.extend(self.stage_news(&view));
        events.extend(self.news(snapshot, &view, now));
        let waiting = waiting_on(&view, &self.scope, &self.settling.memory, now);
        self.sight.look = LastLook::of(&view, &self.scope, &waiting);
        self.sight.seen_at = Some(now);
        events.extend(self.unknowns(snapshot));
        self.sight.known.note(snapshot, &view);
        let (course, told) = (self.course.clone(), events.len());
        let ending = self.judge(snapshot, &view, &waiting, now, events);
        let is_asked_again = std::mem::take(&mut self.sight.wants_everything);
        let is_whole = !snapshot.is_partly_remembered && !self.traffic.is_wanted;
        self.sight.wants_everything = ending.is_some() && !is_whole;
        self.sight.is_kept_waiting = is_asked_again && self.sight.wants_everything;
        let ending = ending.filter(|_| !self.sight.wants_everything);
        if self.sight.wants_everything {
            self.course = course;
            events.truncate(told);
        }
        if self.course.rollback.is_none() {
            let phase = Phase::of(&view, &self.scope);
            if view.ours.is_some() && self.story.note_phase(phase, now) {
                events.push(RolloutEvent::Phase(phase));
            }
        }
        if ending.is_none() {
            self.say_waiting(now, events);
        }
        ending
    }

    /// What is spelled in a way that nobody here knows, each once.
    fn unknowns(&mut self, snapshot: &Snapshot) -> Vec<RolloutEvent> {
        self.sight.unknown = unknown_values(snapshot);
        let news = self
            .sight
            .unknown
            .iter()
            .filter(|value| self.reported.unknown.insert((*value).clone()));
        news.cloned().map(RolloutEvent::Unknown).collect()
    }

    fn learn_places(&mut self, snapshot: &Snapshot) {
        for task in &snapshot.tasks {
            if task.started_by.as_ref() != Some(&self.scope.deployment) {
                self.old_places.extend(join::old_places(task, snapshot, &self.scope));
            }
        }
    }

    /// Service events that are no part of an ordinary rollout, and the circuit breaker's counter.
    fn news(&mut self, snapshot: &Snapshot, view: &View, now: Moment) -> Vec<RolloutEvent> {
        let mut news = Vec::new();
        let Some(service) = &snapshot.service else { return news };
        let to = service.desired_count;
        if let Some(from) = self.reported.desired.replace(to).filter(|from| *from != to) {
            news.push(RolloutEvent::Desired { from, to });
        }
        // AWS lists them newest first; people read them in the order in which they happened.
        for event in service.events.iter().rev() {
            if !self.reported.events.insert(event.id.clone()) {
                continue;
            }
            if self.evidence.hear(event) {
                self.pace.stuck_since.get_or_insert(now);
            }
            if service_event::is_unusual(&event.message) && self.reported.event_texts.insert(event.message.clone()) {
                news.push(RolloutEvent::EcsSays {
                    message: event.message.clone(),
                });
            }
        }
        let runs_on = snapshot.revision.as_ref().and_then(|r| r.cpu_architecture.clone());
        if let Some(architecture) = runs_on.filter(|_| !self.reported.architecture) {
            self.reported.architecture = true;
            news.push(RolloutEvent::OtherArchitecture { architecture });
        }
        if let Some(breaker) = service.configuration.circuit_breaker.filter(|b| b.enable) {
            let known = snapshot.service_deployment.as_ref().and_then(|d| d.breaker.as_ref());
            let failures = known
                .map(|b| b.failure_count)
                .or(view.ours.and_then(|d| d.failed_tasks))
                .unwrap_or(0);
            let shown = known.map(|b| b.threshold).filter(|threshold| *threshold > 0);
            let threshold = shown.or_else(|| breaker.threshold.failures(view.desired));
            // Where nothing was ever completed, there is nothing to roll back to.
            let rolls_back = breaker.rollback && self.scope.good.is_some();
            if failures > self.reported.breaker_failures && self.course.rollback.is_none() {
                news.push(RolloutEvent::Breaker {
                    failures,
                    threshold,
                    rolls_back,
                });
            }
            self.reported.breaker_failures = failures;
            if self.course.rollback.is_none() {
                self.evidence.count_breaker(BreakerCount {
                    failures,
                    threshold,
                    rolls_back,
                });
            }
        }
        news
    }

    /// A stage, or a step of the traffic, that has begun.
    fn stage_news(&mut self, view: &View) -> Option<RolloutEvent> {
        let told = self
            .settling
            .memory
            .stage
            .as_ref()
            .map(|seen| (seen.stage.clone(), seen.production));
        if told == self.reported.stage {
            return None;
        }
        self.reported.stage = told;
        let progress = &view.deployment?.progress;
        Some(RolloutEvent::Stage {
            stage: progress.stage.clone()?,
            production: progress.production_traffic,
            revision: self.scope.task_definition.clone(),
        })
    }

    /// What the run waits for.
    fn waiting(&self) -> Vec<WaitingOn> {
        match &self.course.rollback {
            Some(r) => vec![WaitingOn::Rollback {
                to: r.to.as_ref().map(|d| d.task_definition.short().to_owned()),
            }],
            None => self.sight.look.waiting.clone(),
        }
    }

    fn say_waiting(&mut self, now: Moment, events: &mut Vec<RolloutEvent>) {
        let on = self.waiting();
        if !on.is_empty() && self.reported.is_wait_due(&on, now) {
            self.reported.waiting = Some((now, on.clone()));
            events.push(RolloutEvent::Waiting { on });
        }
    }
}

type Ending = (Verdict, Vec<Finding>);

#[cfg(test)]
mod tests;
