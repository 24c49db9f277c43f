//! Each event as one line of text.

use portzero_core::base::finding::{Code, Severity};
use portzero_core::base::time::human;
use portzero_core::event::{Attached, EventKind, RunEvent};
use portzero_core::plan::Plan;
use portzero_core::policy::{Obstacle, Purge};
use portzero_core::rollout::Outcome;
use portzero_core::task_definition::DiffLine;

use crate::report::rollout_event;
use crate::report::text::clean;

/// The lines of an event, without time and service; none where the event is told elsewhere (the end).
pub fn render(event: &RunEvent) -> Vec<String> {
    let lines = match &event.kind {
        EventKind::Planned { plan, is_anew } => planned(plan, *is_anew),
        EventKind::Ended(_) => Vec::new(),
        kind => vec![one(kind)],
    };
    lines.iter().map(|line| clean(line)).collect()
}

/// A plan, a line for each of its parts; of one that was made again, what it leads to.
fn planned(plan: &Plan, is_anew: bool) -> Vec<String> {
    let mut lines = vec![plan.revisions()];
    if !is_anew {
        lines.extend(plan.changes.iter().map(ToString::to_string));
        let differs = |line: &DiffLine| format!("differs from what runs: {line}");
        // What a change says already is not said again.
        let is_said = |line: &&DiffLine| plan.changes.iter().any(|change| change.says(line));
        lines.extend(plan.diff.iter().filter(|line| !is_said(line)).map(differs));
        lines.extend(plan.steps());
        lines.push(format!("expected: {}", plan.forecast.sentence()));
    }
    lines.into_iter().map(|line| format!("plan: {line}")).collect()
}

/// Those that are a line each.
fn one(kind: &EventKind) -> String {
    match kind {
        EventKind::Revision { arn, is_reused: false } => format!("registered {}", arn.short()),
        EventKind::Revision { arn, is_reused: true } => format!("reusing {}: the content is the same", arn.short()),
        EventKind::Updated {
            deployment,
            before,
            after,
        } => match before {
            Some(before) => format!(
                "updated the service: {} -> {}, deployment {deployment}",
                before.short(),
                after.short()
            ),
            None => format!("updated the service: {}, deployment {deployment}", after.short()),
        },
        EventKind::Attached(found) => attached(found),
        EventKind::Rollout(event) => rollout_event::line(event),
        EventKind::Busy { by, left } => {
            let comma = if matches!(by, Obstacle::Drain(_)) { ";" } else { "," };
            format!("waiting on {by}{comma} for at most {} more", human(*left))
        }
        EventKind::Free => "it has ended: planning anew".into(),
        EventKind::GoingBack { call, to } => {
            let to = to.as_ref().map_or("what ran before", |arn| arn.short());
            format!("going back to {to}: {call}")
        }
        EventKind::Purged(purge) => purged(purge),
        EventKind::Found(finding) => {
            let word = if finding.severity == Severity::Error {
                "error"
            } else {
                finding.severity.as_str()
            };
            format!("{word}[{}]: {}", finding.code, finding.summary)
        }
        EventKind::Planned { .. } | EventKind::Ended(_) => String::new(),
    }
}

fn purged(purge: &Purge) -> String {
    let names: Vec<&str> = purge.gone.iter().map(|arn| arn.short()).collect();
    let which = match names.as_slice() {
        [first, .., last] if names.len() > 3 => format!("{} revisions, {first} to {last}", names.len()),
        _ => names.join(", "),
    };
    format!(
        "deregistered {which}: the newest {} and what is needed are kept",
        purge.kept
    )
}

fn attached(found: &Attached) -> String {
    let after = found
        .after
        .as_ref()
        .map_or("a revision that is not shown", |arn| arn.short());
    let state = match &found.state {
        Some(state) => state.as_str(),
        // ECS shows none behind a classic load balancer, and some emulators show none at all.
        None if found.created_at.is_some() => "in a state that is not shown",
        None => "not listed",
    };
    let created = found.created_at.map(|at| format!(", created {at}")).unwrap_or_default();
    let deployment = &found.deployment;
    if found.is_at_rest {
        return format!("no rollout is in flight: deployment {deployment} of {after} is {state}{created}");
    }
    let revisions = match &found.before {
        Some(before) => format!("{} -> {after}", before.short()),
        None => after.to_owned(),
    };
    let budget = human(found.wait_budget);
    format!("attached to deployment {deployment}: {revisions}, {state}{created}; waiting for up to {budget}")
}

/// How a service ended, in one line: where there are several, the end of the log is far away.
pub fn ending(outcome: &Outcome) -> String {
    let verdict = outcome.verdict.as_str().replace('-', " ");
    match outcome.findings.first().filter(|_| !outcome.verdict.is_success()) {
        Some(cause) if cause.code == Code::NotTouched => clean(&cause.summary),
        Some(cause) => clean(&format!("{verdict}: {}", cause.summary)),
        None => verdict,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portzero_core::base::time::Timestamp;

    use super::*;

    #[test]
    fn a_deployment_without_a_state_is_not_said_to_be_missing() {
        let mut found = Attached {
            deployment: "ecs-svc/2".into(),
            before: None,
            after: Some("task-definition/web:2".into()),
            state: None,
            created_at: Some(Timestamp::from_millis(0)),
            is_at_rest: true,
            wait_budget: Duration::from_secs(60),
        };
        assert_eq!(
            attached(&found),
            "no rollout is in flight: deployment ecs-svc/2 of web:2 is in a state that is not shown, created 1970-01-01T00:00:00.000Z"
        );
        (found.created_at, found.is_at_rest) = (None, false);
        assert_eq!(
            attached(&found),
            "attached to deployment ecs-svc/2: web:2, not listed; waiting for up to 1m"
        );
    }
}
