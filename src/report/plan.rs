//! A plan as text and as JSON.

use std::fmt::Write as _;

use portzero_core::aws_model::target::TargetGroup;
use portzero_core::base::finding::{Finding, Hint};
use portzero_core::base::time::human;
use portzero_core::plan::Plan;
use portzero_core::plan::forecast::Bounds;
use serde_json::json;

use crate::report::finding;
use crate::report::text::clean;
use crate::report::timeline;

pub fn text(plan: &Plan) -> String {
    let mut out = format!(
        "plan for {} in {}: {}\n",
        plan.request.service,
        plan.request.cluster,
        plan.revisions()
    );
    for found in &plan.findings {
        let _ = write!(out, "\n{}", finding::render(found));
    }
    if !plan.findings.is_empty() {
        out.push('\n');
    }
    for (index, step) in plan.steps().iter().enumerate() {
        let _ = writeln!(out, "  {}. {step}", index + 1);
    }
    let changes = plan.own_changes();
    if !changes.is_empty() {
        out.push_str("\nchanges to your definition\n");
        for change in changes {
            let _ = writeln!(out, "  {}", clean(&change.to_string()));
        }
    }
    out.push_str("\ndifference to what runs\n");
    if plan.diff.is_empty() {
        out.push_str("  none\n");
    }
    for line in &plan.diff {
        let _ = writeln!(out, "  {}", clean(&line.to_string()));
    }
    if !plan.target_groups.is_empty() {
        out.push_str("\ntarget groups\n");
        for group in plan.target_groups.values() {
            let _ = writeln!(out, "  {}", target_group(group));
        }
    }
    let _ = writeln!(out, "\nforecast: {}", plan.forecast.sentence());
    if plan.starts_rollout() {
        out.push_str(&timeline::draw(&plan.forecast));
    }
    let _ = writeln!(out, "timeout:  {}", human(plan.wait_budget()));
    if let Some(address) = &plan.address {
        let _ = writeln!(out, "address:  {}", clean(&address.to_string()));
    }
    out
}

pub fn json(plan: &Plan) -> serde_json::Value {
    json!({
        "service": plan.request.service.as_str(),
        "cluster": plan.request.cluster.as_str(),
        "before": plan.before.as_ref().map(|a| a.as_str()),
        "revisions": plan.revisions(),
        "steps": plan.steps(),
        "changes": plan.changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "diff": plan.diff.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "target_groups": plan.target_groups.keys().map(|a| a.as_str()).collect::<Vec<_>>(),
        "address": plan.address.as_ref().map(|a| json!({ "url": a.url(), "internal": a.is_internal() })),
        "forecast": {
            "switched_s": plan.forecast.switched.likely.as_secs(),
            "switched_between_s": between(plan.forecast.switched),
            "drained_s": plan.forecast.drained.likely.as_secs(),
            "drained_between_s": between(plan.forecast.drained),
            "waves": plan.forecast.waves,
        },
        "timeout_s": plan.wait_budget().as_secs(),
        "findings": findings(&plan.findings),
    })
}

/// The shortest and the longest, in seconds.
pub fn between(bounds: Bounds) -> [u64; 2] {
    [bounds.least.as_secs(), bounds.most.as_secs()]
}

pub fn findings(list: &[Finding]) -> Vec<serde_json::Value> {
    list.iter()
        .map(|f| {
            json!({
                "code": f.code.as_str(),
                "severity": f.severity.as_str(),
                "summary": f.summary,
                "location": f.location.as_ref().map(ToString::to_string),
                "evidence": f.evidence.iter().map(|(label, text)| json!({"label": label.as_str(), "text": text})).collect::<Vec<_>>(),
                "state": f.state,
                "hints": f.hints.iter().map(Hint::as_str).collect::<Vec<_>>(),
            })
        })
        .collect()
}

pub fn target_group(group: &TargetGroup) -> String {
    let check = &group.health_check;
    let what = match (&check.path, check.enabled) {
        (_, false) => "no health check".to_owned(),
        (Some(path), true) => format!(
            "{} {path} every {} wants {}",
            check.protocol.as_deref().unwrap_or("HTTP"),
            human(check.interval),
            check.matcher.as_deref().unwrap_or("200")
        ),
        (None, true) => format!(
            "{} every {}",
            check.protocol.as_deref().unwrap_or("TCP"),
            human(check.interval)
        ),
    };
    let delay = group.deregistration_delay.map_or_else(|| "not known".to_owned(), human);
    format!(
        "{} ({}): {what}; deregistration delay {delay}",
        group.name,
        group.target_type.as_str()
    )
}
