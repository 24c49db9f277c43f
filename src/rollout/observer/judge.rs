//! The decisions: what a look means for the verdict. Everything that can end a rollout ends it here.

use super::{Ending, Observer, Rollback};
use crate::rollout::change::Happening;
use crate::rollout::patience;
use crate::rollout::phase::WaitingOn;
use crate::rollout::placement;
use crate::rollout::snapshot::Snapshot;
use crate::rollout::standing::Standing;
use crate::rollout::verdict::{Verdict, success};
use crate::rollout::view::View;
use crate::rollout::words;
use crate::service::{Deployment, RolloutState};
use crate::task::TaskStatus;
use crate::time::Timestamp;

impl Observer {
    pub(super) fn judge(
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
}
