//! The result document, version 1: own types, additive.

use std::collections::BTreeMap;

use portzero_core::base::time::Moment;
use portzero_core::port::RequestCounts;
use serde::Serialize;

use crate::app::deploy;
use crate::app::deploy::ServiceRun;
use crate::report::plan;

#[derive(Debug, Serialize)]
pub struct ResultDocument {
    version: u32,
    /// The worst verdict of all services.
    verdict: &'static str,
    started_at: String,
    duration_s: f64,
    services: Vec<ServiceResult>,
    requests: Requests,
}

#[derive(Debug, Serialize)]
struct ServiceResult {
    name: String,
    cluster: String,
    /// Where the service is reached, if that is known and a browser can go there.
    url: Option<String>,
    verdict: &'static str,
    /// Whether the service was taken back to what ran before, by ECS or by the run.
    rolled_back: bool,
    task_definition: TaskDefinitionResult,
    deployment_id: Option<String>,
    phases: Vec<PhaseResult>,
    targets: Vec<TargetResult>,
    forecast: Option<ForecastResult>,
    findings: Vec<serde_json::Value>,
}

#[derive(Debug, Serialize)]
struct TaskDefinitionResult {
    before: Option<String>,
    after: Option<String>,
    changed: bool,
    diff: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PhaseResult {
    phase: &'static str,
    started_at: String,
    duration_s: f64,
}

#[derive(Debug, Serialize)]
struct TargetResult {
    target_group: String,
    id: String,
    port: u16,
    /// The key is part of the result document, which others read.
    #[serde(rename = "whose")]
    generation: &'static str,
    task: Option<String>,
    states: Vec<StateResult>,
}

#[derive(Debug, Serialize)]
struct StateResult {
    state: String,
    reason: Option<String>,
    at: String,
}

#[derive(Debug, Serialize)]
struct ForecastResult {
    switched_s: u64,
    switched_between_s: [u64; 2],
    drained_s: u64,
    drained_between_s: [u64; 2],
    waves: usize,
}

#[derive(Debug, Serialize)]
struct Requests {
    total: u64,
    by_action: BTreeMap<String, u64>,
    throttled: u64,
    retried: u64,
}

pub fn document(runs: &[ServiceRun], counts: &RequestCounts, started_at: Moment, ended_at: Moment) -> ResultDocument {
    ResultDocument {
        version: 1,
        verdict: deploy::overall(runs).as_str(),
        started_at: started_at.to_string(),
        duration_s: ended_at.since(started_at).as_secs_f64(),
        services: runs.iter().map(service).collect(),
        requests: Requests {
            total: counts.total(),
            by_action: counts.by_action.clone(),
            throttled: counts.throttled,
            retried: counts.retried,
        },
    }
}

fn service(run: &ServiceRun) -> ServiceResult {
    ServiceResult {
        name: run.request.service.to_string(),
        cluster: run.request.cluster.to_string(),
        url: run.url(),
        verdict: run.verdict().as_str(),
        rolled_back: run.is_rolled_back(),
        task_definition: TaskDefinitionResult {
            before: run.before.as_ref().map(ToString::to_string),
            after: run.after.as_ref().map(ToString::to_string),
            changed: run.is_changed(),
            diff: run
                .plan
                .iter()
                .flat_map(|p| p.diff.iter().map(ToString::to_string))
                .collect(),
        },
        deployment_id: run.deployment.as_ref().map(ToString::to_string),
        phases: run
            .phases
            .iter()
            .map(|p| PhaseResult {
                phase: p.phase.as_str(),
                started_at: p.started_at.to_string(),
                duration_s: p.duration.as_secs_f64(),
            })
            .collect(),
        targets: run.targets.iter().map(target).collect(),
        forecast: run.plan.as_ref().map(|p| ForecastResult {
            switched_s: p.forecast.switched.likely.as_secs(),
            switched_between_s: plan::between(p.forecast.switched),
            drained_s: p.forecast.drained.likely.as_secs(),
            drained_between_s: plan::between(p.forecast.drained),
            waves: p.forecast.waves,
        }),
        findings: plan::findings(run.findings()),
    }
}

fn target(story: &portzero_core::rollout::TargetHistory) -> TargetResult {
    let state = |(state, reason, at): &(String, Option<String>, Moment)| StateResult {
        state: state.clone(),
        reason: reason.clone(),
        at: at.to_string(),
    };
    TargetResult {
        target_group: story.place.0.to_string(),
        id: story.place.1.id.clone(),
        port: story.place.1.port,
        generation: story.generation.as_str(),
        task: story.task.clone(),
        states: story.states.iter().map(state).collect(),
    }
}
