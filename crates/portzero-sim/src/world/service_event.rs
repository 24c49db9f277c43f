//! Service events in AWS's words (aws-facts 2.6, recordings 48 to 53).

use std::time::Duration;

use crate::model::state::{Service, Task};
use crate::world::World;

/// AWS shows the newest hundred.
const SHOWN: usize = 100;
/// A message that stands already is not repeated before this has passed, or something else has been said.
const SUPPRESSED_FOR: Duration = Duration::from_secs(6 * 3600);

pub(crate) fn started(service: &str, tasks: &[String]) -> String {
    format!(
        "(service {service}) has started {} tasks: {}.",
        tasks.len(),
        listed(tasks)
    )
}

pub(crate) fn replaced(service: &str, tasks: &[String]) -> String {
    format!(
        "{} Amazon ECS replaced {} tasks due to an unhealthy status.",
        started(service, tasks),
        tasks.len()
    )
}

pub(crate) fn registered(service: &str, count: usize, group: &str) -> String {
    format!("(service {service}) registered {count} targets in (target-group {group})")
}

pub(crate) fn stopped(service: &str, tasks: &[String]) -> String {
    format!(
        "(service {service}) has stopped {} running tasks: {}.",
        tasks.len(),
        listed(tasks)
    )
}

pub(crate) fn stopped_pending(service: &str, count: usize) -> String {
    format!("(service {service}) stopped {count} pending tasks.")
}

pub(crate) fn deregistered(service: &str, count: usize, group: &str) -> String {
    format!("(service {service}) deregistered {count} targets in (target-group {group})")
}

pub(crate) fn draining(service: &str, deployment: &str, count: usize) -> String {
    format!("(service {service}, taskSet {deployment}) has begun draining connections on {count} tasks.")
}

pub(crate) fn completed(service: &str, deployment: &str) -> String {
    format!("(service {service}) (deployment {deployment}) deployment completed.")
}

pub(crate) fn steady(service: &str) -> String {
    format!("(service {service}) has reached a steady state.")
}

/// `why` ends with its full stop.
pub(crate) fn failed(service: &str, deployment: &str, why: &str) -> String {
    format!("(service {service}) (deployment {deployment}) deployment failed: {why}")
}

pub(crate) fn rolling_back(service: &str, deployment: &str) -> String {
    format!("(service {service}) rolling back to deployment {deployment}.")
}

pub(crate) fn unhealthy(service: &str, task: &str, port: u16, group: &str, reason: &str) -> String {
    format!(
        "(service {service}) (task {task}) (port {port}) is unhealthy in (target-group {group}) due to (reason {reason})."
    )
}

pub(crate) fn target_lost(service: &str, task: &Task, group: &str, what: &str) -> String {
    format!(
        "(service {service}) task set ({}) (task {}) is not healthy in target-group ({group}) due to {what}.",
        task.started_by, task.id
    )
}

pub(crate) fn failed_own_check(service: &str, task: &str) -> String {
    format!("(service {service}) (task {task}) failed container health checks.")
}

pub(crate) fn could_not_start(service: &str, reason: &str) -> String {
    format!("(service {service}) was unable to place a task. Reason: {reason}.")
}

pub(crate) fn could_not_place(service: &str, closest: &Option<(String, &'static str)>) -> String {
    let head = format!(
        "(service {service}) was unable to place a task because no container instance met all of its requirements."
    );
    let tail = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    match closest {
        Some((instance, why)) => {
            format!("{head} The closest matching (container-instance {instance}) {why} {tail}")
        }
        None => format!("{head} Reason: No Container Instances were found in your cluster. {tail}"),
    }
}

pub(crate) fn blocked(service: &str) -> String {
    format!(
        "(service {service}) was unable to stop or start tasks during a deployment because of the service deployment \
         configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
}

pub(crate) fn protected(service: &str, deployment: &str, count: usize) -> String {
    format!(
        "(service {service}) was unable to reach steady state because (taskSet {deployment}) was unable to scale in due to \
         (reason {count} tasks under protection)"
    )
}

pub(crate) fn failed_to_register(service: &str, group: &str, error: &str) -> String {
    format!("service {service} failed to register targets in target-group {group} with (error {error})")
}

pub(crate) fn inconsistent(service: &str) -> String {
    format!(
        "(service {service}) is unable to consistently start tasks successfully. For more information, see the \
         Troubleshooting section of the Amazon ECS Developer Guide."
    )
}

fn listed(tasks: &[String]) -> String {
    let named: Vec<String> = tasks.iter().map(|task| format!("(task {task})")).collect();
    named.join(" ")
}

impl World {
    /// Puts an event on top of the service's list.
    pub(crate) fn say(&mut self, cluster: &str, service: &str, message: String) {
        self.say_after(cluster, service, message, Duration::ZERO);
    }

    /// The same, some milliseconds later than now: AWS's events of one decision follow each other closely.
    pub(crate) fn say_after(&mut self, cluster: &str, service: &str, message: String, later: Duration) {
        let at = self.now + later;
        let id = self.uuid();
        let Some(service) = self.service_mut(cluster, service) else {
            return;
        };
        push(service, id, at, message);
    }

    /// An event that tells of a standing obstacle: said once until the cause is gone.
    pub(crate) fn complain(&mut self, cluster: &str, service: &str, message: String) {
        let now = self.now;
        let Some(found) = self.service(cluster, service) else {
            return;
        };
        let standing = found
            .events
            .iter()
            .take_while(|event| !resolves(&event.message))
            .any(|event| event.message == message && now.since(event.created_at) < SUPPRESSED_FOR);
        if !standing {
            self.say(cluster, service, message);
        }
    }
}

/// Whether an event shows that an obstacle before it is no longer in the way.
fn resolves(message: &str) -> bool {
    message.contains(") has started ") || message.contains("deployment completed") || message.contains("steady state")
}

fn push(service: &mut Service, id: String, at: crate::timestamp::Timestamp, message: String) {
    // Kept in order even where two decisions of one millisecond speak of slightly later moments.
    let place = service
        .events
        .iter()
        .position(|event| event.created_at <= at)
        .unwrap_or(service.events.len());
    service.events.insert(
        place,
        crate::model::state::ServiceEvent {
            id,
            created_at: at,
            message,
        },
    );
    service.events.truncate(SHOWN);
}
