//! The decisions: what a look means for the verdict. Everything that can end a rollout ends it here.

use super::state::Rollback;
use super::traffic::Led;
use super::{Ending, Observer};
use crate::aws_model::service::{Deployment, RolloutState, ServiceDeploymentStatus};
use crate::aws_model::task::TaskStatus;
use crate::base::finding::Finding;
use crate::base::time::Moment;
use crate::rollout::cause::placement;
use crate::rollout::event::RolloutEvent;
use crate::rollout::observer::unknown_value;
use crate::rollout::timeouts;
use crate::rollout::verdict::{Verdict, success};
use crate::rollout::view::deployment_status::DeploymentState;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, deployment_status};
use crate::rollout::words::last_look::GoingBack;
use crate::rollout::words::verdict::EndOfTries;
use crate::rollout::words::{managed, stage, verdict};

impl Observer {
    pub(super) fn judge(
        &mut self,
        snapshot: &Snapshot,
        view: &View,
        waiting: &[WaitingOn],
        now: Moment,
        events: &mut Vec<RolloutEvent>,
    ) -> Option<Ending> {
        // An answer may be older than our update for a while, but not for ever.
        // Whose tasks run is not gone.
        let is_over_time = now.since(self.pace.started_at) > timeouts::UNLISTED_MAX && view.new_tasks.is_empty();
        let must_be_listed = self.sight.was_listed || is_over_time;
        let standing = DeploymentState::of(snapshot, &self.scope, &self.baseline, must_be_listed);
        self.course.standing = Some(standing.clone());
        if !matches!(
            standing,
            DeploymentState::Absent { .. } | DeploymentState::ServiceLost { status: None }
        ) {
            self.course.absent_since = None;
        }
        if !matches!(standing, DeploymentState::StopRequested { .. }) {
            self.course.stop_seen_at = None;
        }
        if standing == DeploymentState::Ours {
            self.note_complete(view, waiting, now);
        }
        let ending = self.judge_standing(standing, snapshot, view, now, events);
        if ending.is_some() {
            return ending;
        }
        let is_late = now >= self.deadline();
        if self.course.rollback.is_some() {
            return is_late.then(|| self.end_rollback(GoingBack::GoesOn));
        }
        if self.course.failed_since.is_some() {
            return is_late.then(|| self.end_failed(None, snapshot.rolls_back()));
        }
        let is_ours = self.course.absent_since.is_none() && self.course.stop_seen_at.is_none();
        let is_doubtful = self.is_doubtful(view);
        if waiting.is_empty() && is_doubtful {
            self.sight.look.waiting.push(WaitingOn::Registration);
        }
        if waiting.is_empty() && is_ours && !is_doubtful {
            return self.judge_done(snapshot, view, now);
        }
        self.judge_hopeless(snapshot, view, now)
            .or_else(|| is_late.then(|| self.time_out()))
    }

    /// Nothing is missing but, perhaps, the traffic.
    fn judge_done(&mut self, snapshot: &Snapshot, view: &View, now: Moment) -> Option<Ending> {
        let led = self.led(snapshot, view, now);
        self.traffic.is_wanted = matches!(led, Led::NotAsked);
        match led {
            Led::NotYet => return None,
            Led::Elsewhere(ending) => return Some(ending),
            Led::Here | Led::NotAsked | Led::NotChecked(_) => {}
        }
        let (verdict, mut findings) = self.success(view);
        if let Led::NotChecked(finding) = led {
            findings.push(finding);
        }
        let stage = self.settling.memory.stage.as_ref();
        findings.extend(stage::goes_on(view, &self.scope, stage, &self.sight.look, now));
        let by_revision = self.reported.told_by_revision;
        findings.extend(by_revision.then(|| verdict::told_by_revision(&self.scope)));
        findings.extend(stage::cannot_tell_apart(view, &self.scope, &self.old_places));
        Some((verdict, findings))
    }

    /// Where targets cannot be told apart, ECS's word that it could not register one is the only word on that.
    pub(super) fn is_doubtful(&self, view: &View) -> bool {
        view.is_join_missing && self.evidence.was_refused_a_target()
    }

    /// The verdict of a rollout that is good, with what is worth knowing of it.
    pub(super) fn success(&self, view: &View) -> Ending {
        let (verdict, mut findings) = success(view, &self.scope);
        if verdict.is_success() {
            findings.extend(self.unserved.finding(view, self.scope.service.as_str()));
            findings.extend((self.settling.flaps > 0).then(|| verdict::flapped(&self.scope, self.settling.flaps)));
            findings.extend(self.evidence.besides(&self.scope));
        }
        (verdict, findings)
    }

    /// The budget is spent. The cause of a failure is told only where something new is missing: what once went wrong
    /// does not explain a long drain.
    pub(super) fn time_out(&self) -> Ending {
        let is_new_missing = self.sight.look.waiting.iter().any(|w| {
            matches!(
                w,
                WaitingOn::FirstTask
                    | WaitingOn::Tasks { .. }
                    | WaitingOn::Targets { .. }
                    | WaitingOn::Way { .. }
                    | WaitingOn::ContainerChecks { .. }
                    | WaitingOn::Outlive { .. }
            )
        });
        // ECS calls nothing completed while it cannot put back what an instance took along.
        let is_incomplete = self
            .sight
            .look
            .waiting
            .iter()
            .any(|w| matches!(w, WaitingOn::Completion { .. }));
        let is_short = self.evidence.live_placement().is_some() || self.evidence.has_lost_instances();
        let is_explained = is_new_missing || is_incomplete && is_short;
        let cause = self.evidence.likely_cause(&self.scope).filter(|_| is_explained);
        let hold = self.evidence.hold(&self.scope, &self.sight.look.waiting);
        let mut findings = verdict::timed_out(&self.scope, cause, hold, &self.sight.look);
        if let Some(first) = findings.first_mut() {
            unknown_value::explain(first, &self.sight.unknown);
        }
        (Verdict::TimedOut, findings)
    }

    /// What is known to have failed stays failed, whatever keeps the run from seeing its end.
    pub(super) fn known_failure(&self) -> Option<Ending> {
        if self.course.rollback.is_some() {
            return Some(self.end_rollback(GoingBack::GoesOn));
        }
        self.course.failed_since.map(|_| self.end_failed(None, true))
    }

    fn end_failed(&self, reason: Option<String>, rolls_back: bool) -> Ending {
        let cause = self.evidence.likely_cause(&self.scope);
        (
            Verdict::Failed,
            vec![verdict::failed(
                &self.scope,
                cause,
                reason,
                rolls_back,
                &self.sight.look,
            )],
        )
    }

    fn judge_standing(
        &mut self,
        standing: DeploymentState,
        snapshot: &Snapshot,
        view: &View,
        now: Moment,
        events: &mut Vec<RolloutEvent>,
    ) -> Option<Ending> {
        match standing {
            DeploymentState::Ours => {
                self.course.failed_since = None;
                None
            }
            DeploymentState::Superseded { by } => Some(self.give_way(&by, snapshot, view, now)),
            DeploymentState::ServiceLost { status: Some(status) } => Some((
                Verdict::Failed,
                vec![verdict::service_lost(&self.scope, Some(status.as_str()))],
            )),
            DeploymentState::ServiceLost { status: None } => self
                .is_absent_for_good(now)
                .then(|| (Verdict::Failed, vec![verdict::service_lost(&self.scope, None)])),
            DeploymentState::RollingBack { to } => self.roll_back(Some(to), snapshot, view, now, events),
            DeploymentState::StopRequested { .. } if deployment_status::is_rolling_back(snapshot) => {
                self.roll_back(None, snapshot, view, now, events)
            }
            DeploymentState::StopRequested { status } => {
                let since = *self.course.stop_seen_at.get_or_insert(now);
                (now.since(since) >= timeouts::STOP_EXPLAINS_ITSELF_WITHIN).then(|| {
                    (
                        Verdict::Failed,
                        vec![verdict::stopped(&self.scope, status.as_str(), &self.sight.look)],
                    )
                })
            }
            DeploymentState::Absent { primary } if self.course.rollback.is_some() => {
                self.roll_back(primary, snapshot, view, now, events)
            }
            DeploymentState::Absent { primary } => self.is_absent_for_good(now).then(|| {
                let cause = self.evidence.likely_cause(&self.scope);
                let finding = verdict::deployment_gone(&self.scope, primary.as_ref(), cause, &self.sight.look);
                (Verdict::Failed, vec![finding])
            }),
            DeploymentState::Failed { reason } => {
                let since = *self.course.failed_since.get_or_insert(now);
                let rolls_back = snapshot.rolls_back() || self.course.rollback.is_some();
                let is_patient = rolls_back && now.since(since) < timeouts::ROLLBACK_BEGINS_WITHIN;
                (!is_patient).then(|| self.end_failed(reason, rolls_back))
            }
            DeploymentState::RollbackFailed { reason } => Some(self.fail_rollback(reason, snapshot, view)),
        }
    }

    fn fail_rollback(&mut self, reason: Option<String>, snapshot: &Snapshot, view: &View) -> Ending {
        self.course.has_rollback_failed = true;
        let cause = self.evidence.likely_cause(&self.scope);
        let found = stage::rollback_failed(&self.scope, snapshot, view, &self.sight.look, reason, cause);
        (Verdict::Failed, found)
    }

    fn is_absent_for_good(&mut self, now: Moment) -> bool {
        let since = *self.course.absent_since.get_or_insert(now);
        now.since(since) >= timeouts::ABSENT_MAX
    }

    /// Notes a rollback, says it once, and ends the run when the earlier deployment is complete again.
    fn roll_back(
        &mut self,
        to: Option<Deployment>,
        snapshot: &Snapshot,
        view: &View,
        now: Moment,
        events: &mut Vec<RolloutEvent>,
    ) -> Option<Ending> {
        let is_news = self.course.rollback.as_ref().is_none_or(|r| r.to.is_none());
        if let Some(to) = to.as_ref().filter(|_| is_news) {
            events.push(RolloutEvent::RollingBack {
                is_over: to.rollout_state == Some(RolloutState::Completed),
                to: to.task_definition.clone(),
                reason: to.rollout_state_reason.clone(),
            });
        }
        if let Some(failed) = to.as_ref().filter(|d| d.rollout_state == Some(RolloutState::Failed)) {
            return Some(self.fail_rollback(failed.rollout_state_reason.clone(), snapshot, view));
        }
        let known = self.course.rollback.take().and_then(|r| r.to);
        // Somebody else may deploy while ECS goes back: what the service is at then is not what was gone back to.
        if let (Some(known), Some(by)) = (&known, &to)
            && known.id != by.id
            && !by.is_rolling_back()
        {
            let (to, by) = (Some(known.clone()), by.clone());
            self.course.rollback = Some(Rollback { to, is_over: false });
            return Some(self.give_way(&by, snapshot, view, now));
        }
        let to = to.or(known);
        let is_complete = to
            .as_ref()
            .is_some_and(|d| d.rollout_state == Some(RolloutState::Completed));
        let is_called_so = snapshot.service_deployment.as_ref().map(|d| &d.status)
            == Some(&ServiceDeploymentStatus::RollbackSuccessful);
        let is_over = (is_complete || (is_called_so && to.is_some())) && view.new_tasks.is_empty();
        self.course.rollback = Some(Rollback { to, is_over });
        is_over.then(|| self.end_rollback(GoingBack::Over))
    }

    /// Another deployment has taken over. Where ECS was going back already, ours had failed before that.
    fn give_way(&mut self, by: &Deployment, snapshot: &Snapshot, view: &View, now: Moment) -> Ending {
        let name = format!("{} ({})", by.id, by.task_definition.short());
        self.course.replaced_by = Some(name.clone());
        if self.course.rollback.as_ref().is_some_and(|r| r.to.is_some()) {
            let (verdict, mut findings) = self.end_rollback(GoingBack::Replaced(&name));
            let newer = findings.iter_mut().take(1);
            newer.for_each(|finding| finding.evidence.push(("newer".into(), name.clone())));
            return (verdict, findings);
        }
        self.course.rollback = None;
        if let Some(ending) = self.replaced(by, snapshot, view, now) {
            return ending;
        }
        let finding = verdict::superseded(&self.scope, by, &self.sight.look);
        (Verdict::Superseded, vec![finding])
    }

    fn end_rollback(&self, end: GoingBack) -> Ending {
        let to = self.course.rollback.as_ref().and_then(|r| r.to.as_ref());
        let cause = self.evidence.likely_cause(&self.scope);
        (
            Verdict::Failed,
            vec![verdict::rolled_back(&self.scope, cause, to, end, &self.sight.look)],
        )
    }

    /// Failures that are certain although ECS still tries.
    fn judge_hopeless(&mut self, snapshot: &Snapshot, view: &View, now: Moment) -> Option<Ending> {
        if let Some(way) = view.ways.iter().find(|way| way.status.is_failed()) {
            return Some((
                Verdict::Failed,
                vec![managed::failed(&self.scope, way, &self.sight.look)],
            ));
        }
        let service = snapshot.service.as_ref()?;
        let has_breaker = service.configuration.circuit_breaker.is_some_and(|b| b.enable);
        if has_breaker && let Some(finding) = self.evidence.unending_loop(&self.scope, view) {
            // With `resetOnHealthyTask: false` the failures add up, and the breaker may yet fire.
            let adds_up = service.configuration.circuit_breaker.is_some_and(|b| b.adds_up);
            let end = match (view.is_completed, adds_up, snapshot.rolls_back()) {
                (true, ..) => EndOfTries::NotWatched,
                (false, false, _) => EndOfTries::NotCounted,
                (false, true, true) => EndOfTries::RollsBack,
                (false, true, false) => EndOfTries::Stops,
            };
            let finding = verdict::failed_early(&self.scope, finding, end, &self.sight.look);
            return Some((Verdict::Failed, vec![finding]));
        }
        let finding = self
            .evidence
            .certain_failure(&self.scope, view, has_breaker, now)
            .or_else(|| self.cannot_place(snapshot, view, now))?;
        let end = if snapshot.rolls_back() && self.scope.good.is_none() {
            EndOfTries::NothingToGoBackTo
        } else if snapshot.rolls_back() {
            EndOfTries::RollsBack
        } else if has_breaker {
            EndOfTries::Stops
        } else {
            EndOfTries::NextDeployment
        };
        let finding = verdict::failed_early(&self.scope, finding, end, &self.sight.look);
        Some((Verdict::Failed, vec![finding]))
    }

    /// ECS says that it cannot place a task, nothing has moved since, and nothing can make room.
    fn cannot_place(&mut self, snapshot: &Snapshot, view: &View, now: Moment) -> Option<Finding> {
        let since = self.pace.stuck_since?;
        if view.all_running() || view.is_completed {
            // A task that autoscaling asks for later is no part of this deployment.
            self.pace.stuck_since = None;
            return None;
        }
        if self.can_still_move(snapshot, view) {
            self.pace.stuck_since = Some(now);
            return None;
        }
        let service = snapshot.service.as_ref()?;
        let trouble = self.evidence.live_placement().cloned()?;
        let has_room = snapshot
            .capacity
            .as_ref()
            .is_some_and(|c| placement::fits_somewhere(&self.scope.needs, c));
        // What the books do not show, they do not contradict.
        let is_doubtful = has_room && trouble.lack.is_in_the_books();
        let may_scale = service.has_capacity_providers || is_doubtful || trouble.lack.may_pass();
        let patience = if may_scale {
            timeouts::SCALING_PATIENCE
        } else {
            timeouts::PLACEMENT_PATIENCE
        };
        let is_spent = now.since(since.max(self.pace.moved_at)) >= patience;
        // Whoever took the instance may bring another one, and the new revision is not to blame: that is worth the budget.
        let is_infrastructure = self.evidence.has_lost_instances() && trouble.lack.is_of_instances();
        (is_spent && !is_infrastructure).then(|| self.evidence.cannot_place(&trouble, &self.scope))
    }

    /// Whether ECS may yet make room by itself: a new task is on its way, an old one stops, or may be stopped.
    fn can_still_move(&self, snapshot: &Snapshot, view: &View) -> bool {
        let Some(service) = &snapshot.service else { return true };
        let is_under_way = view.new_tasks.values().any(|t| t.last_status != TaskStatus::Running);
        let old_running = view
            .old_tasks
            .values()
            .filter(|t| t.desired_status == TaskStatus::Running)
            .count();
        let is_old_stopping = old_running < view.old_tasks.len();
        let lower = service.configuration.lower_limit(&service.scheduling, view.desired);
        let may_stop_old = old_running > 0 && view.running() as usize + old_running > lower as usize;
        // Blue stays whole until green has all its tasks.
        is_under_way || is_old_stopping || may_stop_old && !view.is_staged
    }
}
