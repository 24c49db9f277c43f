//! Another deployment takes over when ours is complete, and nothing but a drain may be left of it: the rollout was good, and
//! the newer one is no reason to call it anything else.

use std::collections::BTreeSet;

use super::state::CompleteLook;
use super::{Ending, Observer};
use crate::aws_model::service::Deployment;
use crate::aws_model::target::TargetState;
use crate::base::id::TargetGroupArn;
use crate::base::time::Moment;
use crate::rollout::scope::Until;
use crate::rollout::timeouts;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::view::success::{asks_for_traffic, settle};
use crate::rollout::view::traffic::{Stray, answers, strays};
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, is_successful};
use crate::rollout::words::{traffic, verdict};

impl Observer {
    /// Remembers the look if nothing else is missing at it, and forgets an earlier one if something is.
    pub(super) fn note_complete(&mut self, view: &View, waiting: &[WaitingOn], now: Moment) {
        let is_no_fault_of_ours = |on: &WaitingOn| {
            matches!(
                on,
                WaitingOn::OldTargets { .. }
                    | WaitingOn::OldTasks { .. }
                    | WaitingOn::DeferredCleanUp
                    | WaitingOn::Completion { .. }
                    | WaitingOn::Alarms { .. }
            )
        };
        let is_nothing_missing = !waiting.is_empty() && waiting.iter().all(is_no_fault_of_ours);
        let is_settled = settle(view, &self.scope, &self.settling.memory, now).is_none();
        let is_complete =
            self.scope.until == Until::Drained && is_nothing_missing && is_settled && !self.is_doubtful(view);
        self.sight.complete = is_complete.then(|| {
            let (verdict, findings) = self.success(view);
            CompleteLook {
                at: now,
                groups: view.new_targets.keys().map(|(group, _)| group.clone()).collect(),
                verdict,
                findings,
                left: self.sight.look.waiting_line(),
                is_called_so: view.is_completed,
                failures: self.evidence.failures(),
            }
        });
    }

    /// The end of a run whose rollout was complete when it was seen last, and still shows nothing else.
    pub(super) fn replaced(
        &mut self,
        by: &Deployment,
        snapshot: &Snapshot,
        view: &View,
        now: Moment,
    ) -> Option<Ending> {
        let complete = self.sight.complete.as_ref()?;
        // ECS may have said it between two looks: the record of ours keeps what became of it.
        let is_on_record = snapshot.service_deployment.as_ref().is_some_and(is_successful);
        let longest = self.pace.poll_interval.unwrap_or(timeouts::POLL_DRAIN) + timeouts::LOOK_STANDS_FOR;
        let is_recent = now.since(complete.at) <= longest;
        let has_failed_since = self.evidence.failures() > complete.failures;
        // A newer deployment takes targets out of service, and makes none of them fail.
        let is_bad = |state: &TargetState| {
            !matches!(
                state,
                TargetState::Healthy | TargetState::Draining | TargetState::Unavailable
            )
        };
        let is_any_bad = view.new_targets.values().flatten().any(|row| is_bad(&row.state));
        if !(complete.is_called_so || is_on_record) || !is_recent || has_failed_since || is_any_bad {
            return None;
        }
        let left = complete
            .is_called_so
            .then_some((complete.left.as_str(), now.since(complete.at)));
        let note = verdict::replaced_when_complete(&self.scope, by, left, &self.sight.look);
        let mut findings = complete.findings.clone();
        findings.push(note);
        let verdict = complete.verdict;
        if asks_for_traffic(&self.scope) {
            if snapshot.routing.is_none() && !self.traffic.was_wanted {
                // Believed at the next look, which comes at once and has the rules.
                self.traffic.is_wanted = true;
            } else {
                match strays_from(&complete.groups, snapshot) {
                    Some(strays) if strays.is_empty() => {}
                    Some(_) => return None,
                    None => findings.push(traffic::not_checked(&self.scope)),
                }
            }
        }
        Some((verdict, findings))
    }
}

/// What strays from the groups in which our targets were healthy. That these answer no more is of the newer deployment's making.
fn strays_from(groups: &BTreeSet<TargetGroupArn>, snapshot: &Snapshot) -> Option<Vec<Stray>> {
    let (routing, service) = (snapshot.routing.as_ref()?, snapshot.service.as_ref()?);
    strays(routing, service, groups, |group| {
        groups.contains(group) || snapshot.targets.get(group).into_iter().flatten().any(answers)
    })
}
