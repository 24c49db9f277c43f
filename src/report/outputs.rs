//! What later steps of a workflow can read: the outputs of the action.
//!
//! A runner drops an output that holds a masked value, and account ids are often masked. So what can be said without an ARN
//! is in `services` as well.

use portzero_core::plan::{Plan, Revision};
use portzero_core::rollout::Generation;
use serde_json::json;

use crate::app::deploy::{ServiceRun, overall};
use crate::report::page;

/// The verdict of a plan that nothing speaks against.
const PLANNED: &str = "planned";
const REFUSED: &str = "refused";
const NOT_STARTED: &str = "not-started";
const SKIPPED: &str = "skipped";

pub type Outputs = Vec<(&'static str, String)>;

/// Of a run. What belongs to one service is empty where there are several: then `services` has it.
pub fn of_runs(runs: &[ServiceRun]) -> Outputs {
    let only = match runs {
        [only] => Some(only),
        _ => None,
    };
    let count =
        |generation, state| -> usize { runs.iter().map(|r| page::reached(&r.targets, generation, state)).sum() };
    let text = |value: Option<String>| value.unwrap_or_default();
    // They go beside each other: from the first beginning to the last end.
    let begun_at = runs.iter().map(|r| r.started_at).min();
    let ended_at = runs.iter().map(|r| r.started_at + r.duration).max();
    let seconds = begun_at.zip(ended_at).map_or(0, |(from, to)| to.since(from).as_secs());
    vec![
        ("verdict", overall(runs).as_str().to_owned()),
        (
            "task-definition-arn",
            text(only.and_then(|r| Some(r.after.as_ref()?.to_string()))),
        ),
        (
            "previous-task-definition-arn",
            text(only.and_then(|r| Some(r.before.as_ref()?.to_string()))),
        ),
        (
            "deployment-id",
            text(only.and_then(|r| Some(r.deployment.as_ref()?.to_string()))),
        ),
        ("changed", runs.iter().any(ServiceRun::is_changed).to_string()),
        ("healthy-targets", count(Generation::New, "healthy").to_string()),
        ("drained-targets", count(Generation::Old, "gone").to_string()),
        ("duration", seconds.to_string()),
        (
            "services",
            serde_json::Value::Array(runs.iter().map(service).collect()).to_string(),
        ),
        ("url", text(only.and_then(ServiceRun::url))),
    ]
}

/// Of a plan: what would be changed.
pub fn of_plans(plans: &[Plan]) -> Outputs {
    let is_refused = plans.iter().any(Plan::is_refused);
    let before = match plans {
        [only] => only.before.as_ref().map(ToString::to_string),
        _ => None,
    };
    let services = plans.iter().map(|plan| {
        json!({
            "name": plan.request.service.as_str(),
            "cluster": plan.request.cluster.as_str(),
            "verdict": if plan.is_refused() { REFUSED } else { PLANNED },
            "previous": plan.before.as_ref().map(|arn| arn.short()),
            "changed": plan.revision == Revision::Register,
            "forecast_s": plan.forecast.drained.likely.as_secs(),
        })
    });
    vec![
        ("verdict", if is_refused { REFUSED } else { PLANNED }.to_owned()),
        ("previous-task-definition-arn", before.unwrap_or_default()),
        (
            "changed",
            plans.iter().any(|plan| plan.revision == Revision::Register).to_string(),
        ),
        ("services", serde_json::Value::Array(services.collect()).to_string()),
    ]
}

/// Without ARNs.
fn service(run: &ServiceRun) -> serde_json::Value {
    json!({
        "name": run.request.service.as_str(),
        "cluster": run.request.cluster.as_str(),
        "verdict": run.verdict().as_str(),
        "revision": run.after.as_ref().map(|arn| arn.short()),
        "previous": run.before.as_ref().map(|arn| arn.short()),
        "changed": run.is_changed(),
        "rolled_back": run.is_rolled_back(),
        "deployment": run.deployment.as_ref().map(ToString::to_string),
        "healthy_targets": page::reached(&run.targets, Generation::New, "healthy"),
        "drained_targets": page::reached(&run.targets, Generation::Old, "gone"),
        "duration_s": run.duration.as_secs(),
        "url": run.url(),
        "causes": run.findings().iter().map(|f| f.code.as_str()).collect::<Vec<_>>(),
    })
}

/// Of a run that ended before there was a plan.
pub fn not_started() -> Outputs {
    vec![("verdict", NOT_STARTED.to_owned()), ("changed", false.to_string())]
}

/// Of a run that what it ran for leaves nothing to do for.
pub fn skipped() -> Outputs {
    vec![("verdict", SKIPPED.to_owned()), ("changed", false.to_string())]
}
