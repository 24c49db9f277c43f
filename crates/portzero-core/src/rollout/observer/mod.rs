//! The state machine around the pure functions: what must be remembered from one look to the next.

mod judge;
pub mod read_outage;
pub(crate) mod rolling_back;
pub mod status_view;
pub mod unknown_value;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::aws_model::api_error::ApiError;
use crate::aws_model::service::{Deployment, breaker_threshold};
use crate::aws_model::target::TargetState;
use crate::aws_model::task::LogStream;
use crate::base::finding::Finding;
use crate::base::time::Timestamp;
use crate::rollout::cause::diagnose::{BreakerCount, Evidence};
use crate::rollout::cause::service_event;
use crate::rollout::event::{Happening, Seen};
use crate::rollout::history::{PhaseSpan, Story, TargetStory};
use crate::rollout::observer::read_outage::{Blind, Borne, LastSeen};
use crate::rollout::observer::unknown_value::{UnknownValue, unknown_values};
use crate::rollout::scope::Scope;
use crate::rollout::timeouts;
use crate::rollout::verdict::{Outcome, Verdict};
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::deployment_stage::SeenStage;
use crate::rollout::view::deployment_status::Standing;
use crate::rollout::view::phase::{Memory, Phase, waiting_on};
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, deployment_stage, join};
use crate::rollout::words::last_look::LastLook;
use crate::rollout::words::verdict;

/// One reading of the world.
#[derive(Clone, Debug)]
pub enum Input {
    Seen(Box<Snapshot>),
    /// The world could not be read this time.
    Unreadable(ApiError),
    /// The run is asked to end.
    Interrupted,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub happenings: Vec<Happening>,
    pub next: Next,
}

#[derive(Clone, Debug)]
pub enum Next {
    PollAt(Timestamp),
    Done(Outcome),
}

/// Follows one deployment.
#[derive(Clone, Debug)]
pub struct Observer {
    scope: Scope,
    baseline: Baseline,
    started_at: Timestamp,
    old_places: BTreeSet<Place>,
    memory: Memory,
    seen: Seen,
    story: Story,
    evidence: Evidence,
    events_known: BTreeSet<String>,
    /// What ECS has been quoted with: it repeats itself for every task.
    told_events: BTreeSet<String>,
    /// Which targets there were at the last look: another set is another settling.
    healthy_places: BTreeSet<Place>,
    /// How often the new targets were all healthy and then were not.
    flaps: u32,
    was_listed: bool,
    course: Course,
    blind: Option<Blind>,
    stuck_since: Option<Timestamp>,
    moved_at: Timestamp,
    /// How many tasks the service wanted at the last look.
    desired: Option<u32>,
    breaker_failures: u32,
    said: Option<(Timestamp, Vec<WaitingOn>)>,
    told_stage: Option<(Option<String>, Option<u32>)>,
    look: LastLook,
    seen_at: Option<Timestamp>,
    /// What the last look has shown that nobody here knows.
    unknown: BTreeSet<UnknownValue>,
    told_unknown: BTreeSet<UnknownValue>,
    known: rolling_back::Known,
    poll_interval: Option<Duration>,
    /// It would have ended on a snapshot with remembered parts.
    wants_everything: bool,
}

/// What has become of the deployment, as far as it was judged. A look that may not be judged by leaves it as it was.
#[derive(Clone, Debug, Default)]
struct Course {
    /// By the last look.
    standing: Option<Standing>,
    absent_since: Option<Timestamp>,
    failed_since: Option<Timestamp>,
    /// Since when the service deployment of ours is being stopped without a word on why.
    stop_seen_at: Option<Timestamp>,
    /// Set once a rollback has been seen; success is impossible from then on.
    rollback: Option<Rollback>,
    /// The rollback has failed too: nothing is rolled back then.
    has_rollback_failed: bool,
    /// The deployment that has taken over: `ecs-svc/3 (web:3)`.
    replaced_by: Option<String>,
}

#[derive(Clone, Debug)]
struct Rollback {
    to: Option<Deployment>,
    is_over: bool,
}

impl Observer {
    /// `before`: the snapshot that the baseline was made of; its tasks and targets are no news.
    pub fn new(scope: Scope, baseline: Baseline, before: &Snapshot, now: Timestamp) -> Self {
        let old_places = baseline.places.clone();
        let view = View::of(before, &scope, &baseline, &old_places);
        let seen = Seen::at_start(&view);
        let mut story = Story::default();
        story.begin(&view, &join::owners(before, &scope), now);
        Self {
            events_known: baseline.events.clone(),
            scope,
            baseline,
            started_at: now,
            old_places,
            memory: Memory::default(),
            seen,
            story,
            evidence: Evidence::default(),
            told_events: BTreeSet::new(),
            healthy_places: BTreeSet::new(),
            flaps: 0,
            was_listed: false,
            course: Course::default(),
            blind: None,
            stuck_since: None,
            moved_at: now,
            desired: before.service.as_ref().map(|service| service.desired_count),
            breaker_failures: 0,
            said: None,
            told_stage: None,
            look: LastLook::default(),
            seen_at: None,
            unknown: BTreeSet::new(),
            told_unknown: BTreeSet::new(),
            known: rolling_back::Known::default(),
            poll_interval: None,
            wants_everything: false,
        }
    }

    /// Looks again after this time, in place of a pace that follows what happens.
    pub fn polling_every(mut self, interval: Option<Duration>) -> Self {
        self.poll_interval = interval;
        self
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn phases(&self) -> Vec<PhaseSpan> {
        self.story.phases()
    }

    pub fn targets(&self) -> Vec<&TargetStory> {
        self.story.targets()
    }

    /// Whether the next snapshot should carry the instances with their free capacity: a placement has failed, or a task
    /// of ours has ended whose instance may say why.
    pub fn wants_capacity(&self) -> bool {
        self.stuck_since.is_some() || self.evidence.wants_instances()
    }

    /// Where the container whose failure the finding tells of has logged.
    pub fn last_words(&self, finding: &Finding) -> Option<&LogStream> {
        self.evidence.last_words(finding)
    }

    /// Whether the next snapshot must be all fresh: an end is near, and it rests on nothing remembered.
    pub fn wants_everything(&self) -> bool {
        self.wants_everything
    }

    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        let mut happenings = Vec::new();
        let outcome = match input {
            Input::Seen(snapshot) => {
                happenings.extend(self.see_again(now));
                self.look_at(&snapshot, now, &mut happenings)
            }
            Input::Unreadable(error) => self.miss(error, now, &mut happenings),
            Input::Interrupted => {
                let is_rolling_back = self.course.rollback.is_some();
                let finding = verdict::interrupted(&self.scope, &self.waiting(), is_rolling_back, &self.look);
                Some((Verdict::Interrupted, vec![finding]))
            }
        };
        let next = match outcome {
            Some((verdict, findings)) => {
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
        Step { happenings, next }
    }

    fn deadline(&self) -> Timestamp {
        self.started_at + self.scope.wait_budget
    }

    fn next_poll(&self, now: Timestamp) -> Timestamp {
        if self.wants_everything && self.blind.is_none() {
            return now;
        }
        let pace = self.poll_interval.unwrap_or_else(|| self.pace(now));
        (now + pace).min(self.deadline().max(now + Duration::from_millis(100)))
    }

    fn pace(&self, now: Timestamp) -> Duration {
        if now.since(self.moved_at) < timeouts::MOVING_FOR {
            return timeouts::POLL_FAST;
        }
        if deployment_stage::is_slow(&self.look.waiting) && self.course.rollback.is_none() {
            return deployment_stage::POLL;
        }
        match self.look.waiting.as_slice() {
            // Near the end of the delay the looks come closer again.
            [
                WaitingOn::OldTargets {
                    serving: 0,
                    at_most: Some(left),
                    ..
                },
            ] if *left >= timeouts::POLL_DRAIN + timeouts::POLL_SLOW => timeouts::POLL_DRAIN,
            _ => timeouts::POLL_SLOW,
        }
    }

    fn miss(&mut self, error: ApiError, now: Timestamp, happenings: &mut Vec<Happening>) -> Option<Ending> {
        let deadline = self.deadline();
        let blind = self.blind.get_or_insert_with(|| Blind::begin(now));
        match blind.bear(&error, now, deadline) {
            Borne::Silently => return None,
            Borne::Telling(told) => {
                happenings.push(told);
                return None;
            }
            Borne::NoLonger => {}
        }
        let is_brief = now.since(blind.since) < timeouts::HEARTBEAT && !blind.left(now).is_zero();
        let (look, at) = (&self.look, self.seen_at);
        let finding = read_outage::could_not_observe(&self.scope, &error, blind, LastSeen { look, at }, now);
        if let Some(known) = self.known_failure() {
            return Some(known);
        }
        // A passing miss at the very end takes nothing from what was seen right before it.
        // Where nothing was missing there, its last parts were remembered, and a whole look was never had.
        if is_brief && self.was_listed && !self.look.waiting.is_empty() {
            return Some(self.time_out());
        }
        Some((Verdict::CouldNotObserve, vec![finding]))
    }

    fn see_again(&mut self, now: Timestamp) -> Option<Happening> {
        let blind = self.blind.take()?;
        // Nobody saw whether the new targets stayed healthy meanwhile.
        self.memory.healthy_since = None;
        Some(Happening::SeesAgain {
            misses: blind.misses,
            blind_for: now.since(blind.since),
        })
    }

    fn look_at(&mut self, snapshot: &Snapshot, now: Timestamp, happenings: &mut Vec<Happening>) -> Option<Ending> {
        self.learn_places(snapshot);
        let view = View::of(snapshot, &self.scope, &self.baseline, &self.old_places);
        self.remember(&view, now);
        self.evidence.collect(now, snapshot, &view, &self.scope);
        let changes = self.seen.changes(&view, snapshot);
        if !changes.is_empty() {
            self.moved_at = now;
        }
        self.story.note(&changes, &join::owners(snapshot, &self.scope), now);
        happenings.extend(changes);
        happenings.extend(self.stage_news(&view));
        happenings.extend(self.news(snapshot, &view, now));
        let waiting = waiting_on(&view, &self.scope, &self.memory, now);
        self.look = LastLook::of(&view, &self.scope, &waiting);
        self.seen_at = Some(now);
        happenings.extend(self.unknowns(snapshot));
        self.known.note(snapshot, &view);
        let (course, told) = (self.course.clone(), happenings.len());
        let ending = self.judge(snapshot, &view, &waiting, now, happenings);
        self.wants_everything = ending.is_some() && snapshot.is_partly_remembered;
        let ending = ending.filter(|_| !self.wants_everything);
        if self.wants_everything {
            self.course = course;
            happenings.truncate(told);
        }
        if self.course.rollback.is_none() {
            let phase = Phase::of(&view, &self.scope);
            if view.ours.is_some() && self.story.note_phase(phase, now) {
                happenings.push(Happening::Phase(phase));
            }
        }
        if ending.is_none() {
            self.say_waiting(now, happenings);
        }
        ending
    }

    /// What is spelled in a way that nobody here knows, each once.
    fn unknowns(&mut self, snapshot: &Snapshot) -> Vec<Happening> {
        self.unknown = unknown_values(snapshot);
        let news = self
            .unknown
            .iter()
            .filter(|value| self.told_unknown.insert((*value).clone()));
        news.cloned().map(Happening::Unknown).collect()
    }

    fn learn_places(&mut self, snapshot: &Snapshot) {
        for task in &snapshot.tasks {
            if task.started_by.as_ref() != Some(&self.scope.deployment) {
                self.old_places.extend(join::old_places(task, snapshot, &self.scope));
            }
        }
    }

    fn remember(&mut self, view: &View, now: Timestamp) {
        self.memory
            .draining_since
            .retain(|place, _| view.old_targets.contains_key(place));
        for (place, row) in &view.old_targets {
            if row.state.is_draining() {
                self.memory.draining_since.entry(place.clone()).or_insert(now);
            }
        }
        let places: BTreeSet<Place> = view.new_targets.keys().cloned().collect();
        if !view.all_healthy(&self.scope) {
            let were_healthy = self.memory.healthy_since.take().is_some();
            self.flaps += u32::from(were_healthy && self.has_flapped(view));
        } else if self.memory.healthy_since.is_none() || places != self.healthy_places {
            self.memory.healthy_since = Some(now);
        }
        self.healthy_places = places;
        self.memory.stage = SeenStage::after(self.memory.stage.take(), view, now);
        self.was_listed |= view.ours.is_some();
    }

    /// Whether a target that was there at the last look is out of service. That ECS wants more tasks now, or that an
    /// instance left and took its targets along, is no flapping; nor is a state whose meaning nobody knows here.
    fn has_flapped(&self, view: &View) -> bool {
        let stayed = view
            .new_targets
            .iter()
            .filter(|(place, _)| self.healthy_places.contains(*place));
        stayed.filter_map(|(_, row)| row.as_ref()).any(|row| {
            matches!(
                row.state,
                TargetState::Unhealthy | TargetState::UnhealthyDraining | TargetState::Draining | TargetState::Unused
            )
        })
    }

    /// Service events that are no part of an ordinary rollout, and the circuit breaker's counter.
    fn news(&mut self, snapshot: &Snapshot, view: &View, now: Timestamp) -> Vec<Happening> {
        let mut news = Vec::new();
        let Some(service) = &snapshot.service else { return news };
        let to = service.desired_count;
        if let Some(from) = self.desired.replace(to).filter(|from| *from != to) {
            news.push(Happening::Desired { from, to });
        }
        // AWS lists them newest first; people read them in the order in which they happened.
        for event in service.events.iter().rev() {
            if !self.events_known.insert(event.id.clone()) {
                continue;
            }
            if self.evidence.hear(event) {
                self.stuck_since.get_or_insert(now);
            }
            if service_event::is_unusual(&event.message) && self.told_events.insert(event.message.clone()) {
                news.push(Happening::EcsSays {
                    message: event.message.clone(),
                });
            }
        }
        if let Some(breaker) = service.configuration.circuit_breaker.filter(|b| b.enable) {
            let known = snapshot.service_deployment.as_ref().and_then(|d| d.breaker.as_ref());
            let failures = known
                .map(|b| b.failure_count)
                .or(view.ours.and_then(|d| d.failed_tasks))
                .unwrap_or(0);
            let threshold = known.map_or_else(|| breaker_threshold(view.desired), |b| b.threshold);
            if failures > self.breaker_failures && self.course.rollback.is_none() {
                news.push(Happening::Breaker {
                    failures,
                    threshold,
                    rolls_back: breaker.rollback,
                });
            }
            self.breaker_failures = failures;
            if self.course.rollback.is_none() {
                self.evidence.count_breaker(BreakerCount {
                    failures,
                    threshold,
                    rolls_back: breaker.rollback,
                });
            }
        }
        news
    }

    /// A stage, or a step of the traffic, that has begun.
    fn stage_news(&mut self, view: &View) -> Option<Happening> {
        let told = self
            .memory
            .stage
            .as_ref()
            .map(|seen| (seen.stage.clone(), seen.production));
        if told == self.told_stage {
            return None;
        }
        self.told_stage = told;
        let progress = &view.deployment?.progress;
        Some(Happening::Stage {
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
            None => self.look.waiting.clone(),
        }
    }

    fn say_waiting(&mut self, now: Timestamp, happenings: &mut Vec<Happening>) {
        let on = self.waiting();
        let is_due = match &self.said {
            None => true,
            Some((at, said)) => {
                let is_same = said.len() == on.len() && said.iter().zip(&on).all(|(a, b)| a.is_same_step(b));
                let heartbeat = if deployment_stage::is_slow(&on) {
                    deployment_stage::HEARTBEAT
                } else {
                    timeouts::HEARTBEAT
                };
                !is_same || now.since(*at) >= heartbeat
            }
        };
        if is_due && !on.is_empty() {
            self.said = Some((now, on.clone()));
            happenings.push(Happening::Waiting { on });
        }
    }
}

type Ending = (Verdict, Vec<Finding>);

#[cfg(test)]
mod tests;
