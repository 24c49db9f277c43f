//! For how long a load balancer had no healthy target for the service while it rolled out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::target::{TargetHealth, TargetState};
use crate::base::finding::{Code, Finding};
use crate::base::id::TargetGroupArn;
use crate::base::time::{Moment, human};
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::limits::Limits;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::view::traffic::answers;

/// By the target group of each load balancer entry; where traffic shifts, the alternate one counts with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Unserved {
    spans: BTreeMap<TargetGroupArn, Span>,
    limits: Option<Limits>,
}

/// What was seen of one of them. Before its first healthy target nothing was interrupted.
#[derive(Clone, Debug, Default)]
struct Span {
    since: Option<Moment>,
    total: Duration,
}

impl Unserved {
    pub(super) fn note(&mut self, snapshot: &Snapshot, scope: &Scope, now: Moment) {
        // Of a state that nobody here knows nobody can say that it is no healthy one.
        let may_answer = |row: &TargetHealth| answers(row) || matches!(row.state, TargetState::Unknown(_));
        let is_answering = |group: &TargetGroupArn| {
            let rows = snapshot.targets.get(group).into_iter().flatten();
            rows.into_iter().any(may_answer)
        };
        self.limits = snapshot
            .service
            .as_ref()
            .map(|service| Limits::of(service, service.desired_count));
        let is_wanted = self.limits.is_some_and(|limits| limits.desired > 0);
        for binding in &scope.bindings {
            let group = binding.group();
            if is_answering(&group) || binding.alternate.as_ref().is_some_and(is_answering) {
                let span = self.spans.entry(group).or_default();
                span.total += span.since.take().map(|since| now.since(since)).unwrap_or_default();
            } else if let Some(span) = self.spans.get_mut(&group).filter(|_| is_wanted) {
                span.since.get_or_insert(now);
            }
        }
    }

    /// A warning where there was such a time; it is over.
    pub(super) fn finding(&self, view: &View, service: &str) -> Option<Finding> {
        let longest = self.spans.values().map(|span| span.total).max()?;
        if longest.is_zero() {
            return None;
        }
        let summary = format!(
            "`{service}` had no healthy target for {} while it rolled out",
            human(longest)
        );
        let mut finding = Finding::warning(Code::NoHealthyTarget, summary);
        for (group, span) in self.spans.iter().filter(|(_, span)| !span.total.is_zero()) {
            finding = finding.evidence(
                "without",
                format!("target group {}: {}", group.name(), human(span.total)),
            );
        }
        if let Some(limits) = self.limits.filter(|limits| limits.may_empty() && !view.is_staged) {
            finding.evidence.extend(limits.sums());
        }
        Some(finding)
    }
}
