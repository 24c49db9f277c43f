//! The state machine around the pure functions: what must be remembered from one look to the next.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api_error::ApiError;
use crate::rollout::blind::Blind;
use crate::rollout::change::{Happening, Seen};
use crate::rollout::diagnose::Evidence;
use crate::rollout::patience;
use crate::rollout::phase::{Memory, Phase, WaitingOn, waiting_on};
use crate::rollout::scope::Scope;
use crate::rollout::snapshot::{Baseline, Place, Snapshot};
use crate::rollout::standing::Standing;
use crate::rollout::story::{PhaseSpan, Story, TargetStory};
use crate::rollout::verdict::{Outcome, Verdict, success};
use crate::rollout::view::View;
use crate::rollout::words::{self, LastLook};
use crate::rollout::{join, placement, service_event};
use crate::service::{Deployment, RolloutState, breaker_threshold};
use crate::task::TaskStatus;
use crate::time::Timestamp;

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
    /// Which targets were healthy at the last look: another set is another settling.
    healthy_places: BTreeSet<Place>,
    flaps: u32,
    was_listed: bool,
    absent_since: Option<Timestamp>,
    failed_since: Option<Timestamp>,
    /// Set once a rollback has been seen; success is impossible from then on.
    rollback: Option<Rollback>,
    blind: Option<Blind>,
    stuck_since: Option<Timestamp>,
    moved_at: Timestamp,
    breaker_failures: u32,
    said: Option<(Timestamp, Vec<WaitingOn>)>,
    look: LastLook,
}

#[derive(Clone, Debug)]
struct Rollback {
    to: Option<Deployment>,
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
            absent_since: None,
            failed_since: None,
            rollback: None,
            blind: None,
            stuck_since: None,
            moved_at: now,
            breaker_failures: 0,
            said: None,
            look: LastLook::default(),
        }
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

    /// How often the new targets were all healthy and then were not.
    pub fn flaps(&self) -> u32 {
        self.flaps
    }

    /// Whether the next snapshot should carry the instances' free capacity: a placement has failed.
    pub fn wants_capacity(&self) -> bool {
        self.stuck_since.is_some()
    }

    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        let mut happenings = Vec::new();
        let outcome = match input {
            Input::Seen(snapshot) => {
                happenings.extend(self.see_again(now));
                self.look_at(&snapshot, now, &mut happenings)
            }
            Input::Unreadable(error) => self.miss(error, now, &mut happenings),
            Input::Interrupted => Some((Verdict::Interrupted, vec![words::interrupted(&self.scope, &self.look)])),
        };
        let next = match outcome {
            Some((verdict, findings)) => {
                let is_rolled_back = self.rollback.is_some() && verdict == Verdict::Failed;
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
        let pace = if now.since(self.moved_at) < patience::MOVING_FOR {
            patience::POLL_FAST
        } else {
            patience::POLL_SLOW
        };
        (now + pace).min(self.deadline().max(now + Duration::from_millis(100)))
    }

    fn miss(&mut self, error: ApiError, now: Timestamp, happenings: &mut Vec<Happening>) -> Option<Ending> {
        let blind = self.blind.get_or_insert_with(|| {
            happenings.push(Happening::Blind { error: error.clone() });
            Blind::begin(now)
        });
        let is_hopeless = blind.miss(&error, now);
        let misses = blind.misses;
        let is_over = is_hopeless || now >= self.deadline();
        is_over.then(|| {
            (
                Verdict::CouldNotObserve,
                vec![words::could_not_observe(&self.scope, &error, misses, &self.look)],
            )
        })
    }

    fn see_again(&mut self, now: Timestamp) -> Option<Happening> {
        let blind = self.blind.take()?;
        Some(Happening::SeesAgain {
            misses: blind.misses,
            blind_for: now.since(blind.since),
        })
    }

    fn look_at(&mut self, snapshot: &Snapshot, now: Timestamp, happenings: &mut Vec<Happening>) -> Option<Ending> {
        self.learn_places(snapshot);
        let view = View::of(snapshot, &self.scope, &self.baseline, &self.old_places);
        self.remember(&view, now);
        self.evidence.collect(snapshot, &view);
        let changes = self.seen.changes(&view, snapshot);
        if !changes.is_empty() {
            self.moved_at = now;
        }
        self.story.note(&changes, &join::owners(snapshot, &self.scope), now);
        happenings.extend(changes);
        happenings.extend(self.news(snapshot, &view));
        let waiting = waiting_on(&view, &self.scope, &self.memory, now);
        self.look = LastLook::of(&view, &self.scope, &waiting);
        let ending = self.judge(snapshot, &view, &waiting, now, happenings);
        if self.rollback.is_none() {
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

    fn learn_places(&mut self, snapshot: &Snapshot) {
        for task in &snapshot.tasks {
            if task.started_by.as_ref() != Some(&self.scope.deployment) {
                self.old_places
                    .extend(join::places(task, snapshot, &self.scope).into_iter().flatten());
            }
        }
    }

    fn remember(&mut self, view: &View, now: Timestamp) {
        self.memory
            .draining_since
            .retain(|place, _| view.old_targets.contains_key(place));
        for (place, row) in &view.old_targets {
            if row.state.as_str().ends_with("draining") {
                self.memory.draining_since.entry(place.clone()).or_insert(now);
            }
        }
        let places: BTreeSet<Place> = view.new_targets.keys().cloned().collect();
        if !view.all_healthy(&self.scope) {
            self.flaps += u32::from(self.memory.healthy_since.take().is_some());
        } else if self.memory.healthy_since.is_none() || places != self.healthy_places {
            self.memory.healthy_since = Some(now);
        }
        self.healthy_places = places;
        self.was_listed |= view.ours.is_some();
    }

    /// Service events that are no part of an ordinary rollout, and the circuit breaker's counter.
    fn news(&mut self, snapshot: &Snapshot, view: &View) -> Vec<Happening> {
        let mut news = Vec::new();
        let Some(service) = &snapshot.service else { return news };
        // AWS lists them newest first; people read them in the order in which they happened.
        for event in service.events.iter().rev() {
            if !self.events_known.insert(event.id.clone()) {
                continue;
            }
            if let Some(trouble) = placement::read(event) {
                self.evidence.placement = Some(trouble);
                self.stuck_since = Some(self.moved_at);
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
            if failures > self.breaker_failures && self.rollback.is_none() {
                news.push(Happening::Breaker {
                    failures,
                    threshold,
                    rolls_back: breaker.rollback,
                });
            }
            self.breaker_failures = failures;
        }
        news
    }

    fn judge(
        &mut self,
        snapshot: &Snapshot,
        view: &View,
        waiting: &[WaitingOn],
        now: Timestamp,
        happenings: &mut Vec<Happening>,
    ) -> Option<Ending> {
        let standing = Standing::of(snapshot, &self.scope, &self.baseline, self.was_listed);
        if !matches!(
            standing,
            Standing::Absent { .. } | Standing::ServiceLost { status: None }
        ) {
            self.absent_since = None;
        }
        let ending = self.judge_standing(standing, snapshot, view, now, happenings);
        if ending.is_some() {
            return ending;
        }
        if self.rollback.is_some() {
            let late = now >= self.deadline();
            return late.then(|| self.end_rollback(false));
        }
        if waiting.is_empty() && self.absent_since.is_none() && self.failed_since.is_none() {
            return Some(success(view, &self.scope));
        }
        self.judge_hopeless(snapshot, view, now).or_else(|| {
            (now >= self.deadline()).then(|| {
                let cause = self.evidence.likely_cause(&self.scope);
                (Verdict::TimedOut, words::timed_out(&self.scope, cause, &self.look))
            })
        })
    }

    fn judge_standing(
        &mut self,
        standing: Standing,
        snapshot: &Snapshot,
        view: &View,
        now: Timestamp,
        happenings: &mut Vec<Happening>,
    ) -> Option<Ending> {
        match standing {
            Standing::Ours => {
                self.failed_since = None;
                None
            }
            Standing::Superseded { by } => {
                if self.rollback.is_some() {
                    return Some(self.end_rollback(false));
                }
                Some((
                    Verdict::Superseded,
                    vec![words::superseded(&self.scope, &by, &self.look)],
                ))
            }
            Standing::ServiceLost { status: Some(status) } => Some((
                Verdict::Failed,
                vec![words::service_lost(&self.scope, Some(status.as_str()))],
            )),
            Standing::ServiceLost { status: None } => self
                .is_absent_for_good(now)
                .then(|| (Verdict::Failed, vec![words::service_lost(&self.scope, None)])),
            Standing::RollingBack { to } => self.roll_back(Some(to), view, happenings),
            Standing::StopRequested { .. } => {
                let to = snapshot
                    .service
                    .as_ref()
                    .and_then(|s| s.primary())
                    .filter(|p| p.id != self.scope.deployment);
                self.roll_back(to.cloned(), view, happenings)
            }
            Standing::Absent { primary } if self.rollback.is_some() => self.roll_back(primary, view, happenings),
            Standing::Absent { primary } => self.is_absent_for_good(now).then(|| {
                let cause = self.evidence.likely_cause(&self.scope);
                let finding = words::deployment_gone(&self.scope, primary.as_ref(), cause, &self.look);
                (Verdict::Failed, vec![finding])
            }),
            Standing::Failed { reason } => {
                let since = *self.failed_since.get_or_insert(now);
                let rolls_back = snapshot.rolls_back() && now.since(since) < patience::ROLLBACK_BEGINS_WITHIN;
                (!rolls_back).then(|| {
                    let cause = self.evidence.likely_cause(&self.scope);
                    (
                        Verdict::Failed,
                        vec![words::failed(&self.scope, cause, reason, &self.look)],
                    )
                })
            }
            Standing::RollbackFailed { reason } => {
                let cause = self.evidence.likely_cause(&self.scope);
                let mut finding = words::failed(&self.scope, cause, reason, &self.look);
                finding.state = Some(format!("the rollback failed as well: {}", self.look.serving_line()));
                Some((Verdict::Failed, vec![finding]))
            }
        }
    }

    fn is_absent_for_good(&mut self, now: Timestamp) -> bool {
        let since = *self.absent_since.get_or_insert(now);
        now.since(since) >= patience::ABSENT_MAX
    }

    /// Notes a rollback, says it once, and ends the run when the earlier deployment is complete again.
    fn roll_back(&mut self, to: Option<Deployment>, view: &View, happenings: &mut Vec<Happening>) -> Option<Ending> {
        let is_news = self.rollback.as_ref().is_none_or(|r| r.to.is_none());
        if let Some(to) = to.as_ref().filter(|_| is_news) {
            happenings.push(Happening::RollingBack {
                to: to.task_definition.clone(),
                reason: to.rollout_state_reason.clone(),
            });
        }
        let to = to.or_else(|| self.rollback.take().and_then(|r| r.to));
        let is_over = to
            .as_ref()
            .is_some_and(|d| d.rollout_state == Some(RolloutState::Completed))
            && view.new_tasks.is_empty();
        self.rollback = Some(Rollback { to });
        is_over.then(|| self.end_rollback(true))
    }

    fn end_rollback(&self, is_over: bool) -> Ending {
        let to = self.rollback.as_ref().and_then(|r| r.to.as_ref());
        let cause = self.evidence.likely_cause(&self.scope);
        (
            Verdict::Failed,
            vec![words::rolled_back(&self.scope, cause, to, is_over, &self.look)],
        )
    }

    /// Failures that are certain although ECS still tries.
    fn judge_hopeless(&mut self, snapshot: &Snapshot, view: &View, now: Timestamp) -> Option<Ending> {
        let service = snapshot.service.as_ref()?;
        let has_breaker = service.configuration.circuit_breaker.is_some_and(|b| b.enable);
        if let Some(finding) = self.evidence.certain_failure(&self.scope, has_breaker) {
            return Some((
                Verdict::Failed,
                vec![words::failed_early(
                    &self.scope,
                    finding,
                    snapshot.rolls_back(),
                    &self.look,
                )],
            ));
        }
        let since = self.stuck_since?;
        if self.moved_at > since || self.can_still_move(snapshot, view) {
            self.stuck_since = (view.running() < view.desired).then_some(self.moved_at);
            return None;
        }
        let has_room = snapshot
            .capacity
            .as_ref()
            .is_some_and(|c| placement::fits_somewhere(&self.scope.needs, c));
        let patience = if service.has_capacity_providers || has_room {
            patience::SCALING_PATIENCE
        } else {
            patience::PLACEMENT_PATIENCE
        };
        let trouble = self
            .evidence
            .placement
            .clone()
            .filter(|_| now.since(self.moved_at) >= patience)?;
        let finding = self.evidence.cannot_place(&trouble, &self.scope);
        Some((
            Verdict::Failed,
            vec![words::failed_early(
                &self.scope,
                finding,
                snapshot.rolls_back(),
                &self.look,
            )],
        ))
    }

    /// Whether ECS may yet make room by itself: a new task is on its way, or an old one may be stopped.
    fn can_still_move(&self, snapshot: &Snapshot, view: &View) -> bool {
        let Some(service) = &snapshot.service else { return true };
        let is_under_way = view.new_tasks.values().any(|t| t.last_status != TaskStatus::Running);
        let old_running = view
            .old_tasks
            .values()
            .filter(|t| t.desired_status == TaskStatus::Running)
            .count();
        let lower = service.configuration.lower_limit(&service.scheduling, view.desired);
        let may_stop_old = old_running > 0 && view.running() as usize + old_running > lower as usize;
        is_under_way || may_stop_old
    }

    fn say_waiting(&mut self, now: Timestamp, happenings: &mut Vec<Happening>) {
        let on = match &self.rollback {
            Some(r) => vec![WaitingOn::Rollback {
                to: r.to.as_ref().map(|d| d.task_definition.short().to_owned()),
            }],
            None => self.look.waiting.clone(),
        };
        let is_due = match &self.said {
            None => true,
            Some((at, said)) => {
                let is_same = said.len() == on.len() && said.iter().zip(&on).all(|(a, b)| a.is_same_step(b));
                !is_same || now.since(*at) >= patience::HEARTBEAT
            }
        };
        if is_due && !on.is_empty() {
            self.said = Some((now, on.clone()));
            happenings.push(Happening::Waiting { on });
        }
    }
}

type Ending = (Verdict, Vec<crate::finding::Finding>);
