//! How a service stands, once, as text and as JSON.

use std::fmt::Write as _;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::aws_model::service::{Deployment, Service, ServiceDeployment};
use portzero_core::aws_model::target::{Address, TargetGroup};
use portzero_core::base::finding::Finding;
use portzero_core::base::time::human;
use portzero_core::rollout::observer::status_view::{Crew, Row, StatusView};
use serde_json::{Value, json};

use crate::report::plan;
use crate::report::text::clean;

/// What the deployment of a task rests on where the task does not name it.
const BY_REVISION: &str =
    "which deployment started a task: `startedBy` of none names one, so they are told apart by revision and age";

/// Everything that is shown of one service.
#[derive(Clone, Debug)]
pub struct Status<'a> {
    pub service: &'a Service,
    pub status_view: StatusView,
    /// What the containers of the revision run, as (container, image).
    pub images: Vec<(String, String)>,
    pub groups: Vec<&'a TargetGroup>,
    /// The newest.
    pub service_deployment: Option<&'a ServiceDeployment>,
    pub address: Option<&'a Address>,
    pub not_checked: &'a [ApiError],
}

pub fn text(status: &Status) -> String {
    let service = status.service;
    let mut lines = Lines::default();
    let revision = service
        .task_definition
        .as_ref()
        .map_or("no revision", |arn| arn.short());
    let mut head = format!(
        "{} in {}: {revision}, {} wanted, {} running",
        service.name, service.cluster, service.desired_count, service.running_count
    );
    if service.pending_count > 0 {
        let _ = write!(head, ", {} pending", service.pending_count);
    }
    if service.status.as_str() != "ACTIVE" {
        let _ = write!(head, "; the service is {}", service.status.as_str());
    }
    lines.text.push_str(&format!("{}\n", clean(&head)));
    let image = |(container, image): &(String, String)| format!("{container}  {image}");
    lines.add("image", status.images.iter().map(image));
    lines.add("address", status.address.map(ToString::to_string));
    lines.add("deployments", service.deployments.iter().map(deployment));
    lines.add("last rollout", status.service_deployment.map(service_deployment));
    lines.add("tasks", status.status_view.tasks.iter().map(crew));
    for (arn, rows) in &status.status_view.groups {
        let group = status.groups.iter().find(|g| g.arn == *arn);
        let head = group.map_or_else(|| arn.name().to_owned(), |g| plan::target_group(g));
        let none = rows.is_empty().then(|| "  no target".to_owned());
        let rows = rows.iter().map(row);
        lines.add("targets", std::iter::once(head).chain(rows).chain(none));
    }
    let events = status.status_view.events.iter().map(|event| match event.created_at {
        Some(at) => format!("{at} {}", event.message),
        None => event.message.clone(),
    });
    lines.add("ecs said", events);
    let by_revision = status.status_view.is_told_by_revision.then_some(BY_REVISION);
    let actions = status.not_checked.iter();
    let actions = actions.map(|error| format!("{}: {}", error.action, error.message));
    lines.add("not checked", actions.chain(by_revision.map(str::to_owned)));
    lines.text
}

/// Lines with a label in front of the first of each kind.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, label: &str, lines: impl IntoIterator<Item = String>) {
        for (index, line) in lines.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(self.text, "  {label:<12}  {}", clean(&line));
        }
    }
}

fn deployment(deployment: &Deployment) -> String {
    let mut line = format!(
        "{}  {:<8}  {}",
        deployment.id,
        deployment.status.as_str(),
        deployment.task_definition.short()
    );
    if let Some(state) = &deployment.rollout_state {
        let _ = write!(line, "  {}", state.as_str());
    }
    let _ = write!(
        line,
        ": {} of {} running",
        deployment.running_count, deployment.desired_count
    );
    if deployment.pending_count > 0 {
        let _ = write!(line, ", {} pending", deployment.pending_count);
    }
    if let Some(failed) = deployment.failed_tasks.filter(|n| *n > 0) {
        let _ = write!(line, ", {failed} failed");
    }
    if let Some(at) = deployment.created_at {
        let _ = write!(line, ", created {at}");
    }
    line
}

fn service_deployment(found: &ServiceDeployment) -> String {
    let id = found
        .deployment_id()
        .map_or_else(|| found.arn.clone(), |id| id.to_string());
    let mut line = format!("{id}  {}", found.status.as_str());
    if let Some(reason) = found.rollback_reason.as_ref().or(found.status_reason.as_ref()) {
        let _ = write!(line, ": {reason}");
    }
    if let Some(breaker) = &found.breaker {
        let (count, threshold) = (breaker.failure_count, breaker.threshold);
        let _ = write!(
            line,
            "; circuit breaker {}, {count} of {threshold} failures",
            breaker.status
        );
    }
    line
}

fn crew(crew: &Crew) -> String {
    let counts: Vec<String> = crew
        .statuses
        .iter()
        .map(|(status, n)| format!("{n} {status}"))
        .collect();
    let by = crew
        .deployment
        .as_ref()
        .map(|id| format!("  ({id})"))
        .unwrap_or_default();
    format!("{}: {}{by}", crew.task_definition.short(), counts.join(", "))
}

fn row(row: &Row) -> String {
    let mut line = format!("  {}  {}", row.key, row.state.as_str());
    if let Some(left) = row.left {
        let _ = write!(line, ", about {} more", human(left));
    }
    if let Some(reason) = &row.reason {
        let words = row.description.as_ref().map(|d| format!(": {d}")).unwrap_or_default();
        let _ = write!(line, " ({reason}{words})");
    }
    match (&row.task, &row.task_definition) {
        (Some(task), Some(revision)) => {
            let id: String = task.short().chars().take(8).collect();
            let old = if row.is_old { "old " } else { "" };
            let _ = write!(line, "  {old}task {id} of {}", revision.short());
        }
        _ => line.push_str("  of no task of this service that is shown"),
    }
    line
}

/// Of all services. `unread`: those that could not be read, with why.
pub fn document(read: &[Status], unread: &[(String, String, Finding)]) -> Value {
    let unread: Vec<Value> = unread
        .iter()
        .map(|(cluster, name, finding)| {
            json!({ "name": name, "cluster": cluster, "findings": plan::findings(std::slice::from_ref(finding)) })
        })
        .collect();
    json!({ "version": 1, "services": read.iter().map(service_json).collect::<Vec<_>>(), "unread": unread })
}

fn service_json(status: &Status) -> Value {
    let service = status.service;
    json!({
        "name": service.name.as_str(),
        "cluster": service.cluster.as_str(),
        "status": service.status.as_str(),
        "url": status.address.filter(|a| a.is_web()).map(Address::url),
        "task_definition": service.task_definition.as_ref().map(|arn| arn.as_str()),
        "images": status.images.iter().map(|(container, image)| (container.clone(), Value::from(image.as_str()))).collect::<serde_json::Map<_, _>>(),
        "desired": service.desired_count,
        "running": service.running_count,
        "pending": service.pending_count,
        "deployments": service.deployments.iter().map(deployment_json).collect::<Vec<_>>(),
        "service_deployment": status.service_deployment.map(service_deployment_json),
        "tasks": status.status_view.tasks.iter().map(|crew| json!({
            "deployment": crew.deployment.as_ref().map(|id| id.as_str()),
            "task_definition": crew.task_definition.as_str(),
            "statuses": crew.statuses,
        })).collect::<Vec<_>>(),
        "target_groups": status.status_view.groups.iter().map(|(arn, rows)| {
            let group = status.groups.iter().find(|g| g.arn == *arn);
            json!({
                "arn": arn.as_str(),
                "name": arn.name(),
                "deregistration_delay_s": group.and_then(|g| g.deregistration_delay).map(|d| d.as_secs()),
                "targets": rows.iter().map(row_json).collect::<Vec<_>>(),
            })
        }).collect::<Vec<_>>(),
        "events": status.status_view.events.iter().map(|event| json!({
            "at": event.created_at.map(|at| at.to_string()),
            "message": event.message,
        })).collect::<Vec<_>>(),
        "is_told_by_revision": status.status_view.is_told_by_revision,
        "not_checked": status.not_checked.iter().map(|error| error.action).collect::<Vec<_>>(),
    })
}

fn deployment_json(deployment: &Deployment) -> Value {
    json!({
        "id": deployment.id.as_str(),
        "status": deployment.status.as_str(),
        "task_definition": deployment.task_definition.as_str(),
        "rollout_state": deployment.rollout_state.as_ref().map(|s| s.as_str()),
        "rollout_state_reason": deployment.rollout_state_reason,
        "desired": deployment.desired_count,
        "running": deployment.running_count,
        "pending": deployment.pending_count,
        "failed": deployment.failed_tasks,
        "created_at": deployment.created_at.map(|at| at.to_string()),
        "updated_at": deployment.updated_at.map(|at| at.to_string()),
    })
}

fn service_deployment_json(found: &ServiceDeployment) -> Value {
    json!({
        "arn": found.arn,
        "deployment": found.deployment_id().map(|id| id.to_string()),
        "status": found.status.as_str(),
        "status_reason": found.status_reason,
        "rollback_reason": found.rollback_reason,
        "circuit_breaker": found.breaker.as_ref().map(|b| json!({
            "status": b.status.as_str(), "failures": b.failure_count, "threshold": b.threshold,
        })),
        "created_at": found.created_at.map(|at| at.to_string()),
    })
}

fn row_json(row: &Row) -> Value {
    json!({
        "id": row.key.id,
        "port": row.key.port,
        "state": row.state.as_str(),
        "reason": row.reason,
        "description": row.description,
        "task": row.task.as_ref().map(|task| task.as_str()),
        "task_definition": row.task_definition.as_ref().map(|arn| arn.as_str()),
        "deployment": row.deployment.as_ref().map(|id| id.as_str()),
        "drains_for_about_s": row.left.map(|left| left.as_secs()),
    })
}
