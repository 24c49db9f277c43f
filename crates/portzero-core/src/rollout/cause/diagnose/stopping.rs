//! Old tasks that do not end when they are asked to: each costs the rollout its stop timeout.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::aws_model::task::Task;
use crate::base::finding::{Code, Finding};
use crate::base::id::TaskArn;
use crate::base::text::{contains, plural};
use crate::base::time::human;
use crate::rollout::scope::Scope;
use crate::rollout::view::snapshot::Snapshot;

/// Docker kills with SIGKILL what is still there when the stop timeout is over.
const SIGKILL: i32 = 137;

#[derive(Clone, Debug, Default)]
pub(super) struct Kills {
    /// Old tasks that were seen alive.
    alive: BTreeSet<TaskArn>,
    ended: BTreeSet<TaskArn>,
    killed: BTreeMap<TaskArn, Kill>,
}

#[derive(Clone, Debug)]
struct Kill {
    revision: String,
    container: String,
    /// From the moment at which ECS stopped it, by AWS's own clock.
    took: Option<Duration>,
}

impl Kills {
    pub(super) fn collect(&mut self, snapshot: &Snapshot, scope: &Scope) {
        let old = snapshot
            .tasks
            .iter()
            .filter(|t| t.started_by.as_ref() != Some(&scope.deployment));
        for task in old {
            if !task.is_stopped() {
                self.alive.insert(task.arn.clone());
            } else if self.alive.contains(&task.arn) && self.ended.insert(task.arn.clone()) {
                self.killed.extend(kill(task).map(|kill| (task.arn.clone(), kill)));
            }
        }
    }

    pub(super) fn finding(&self, scope: &Scope) -> Option<Finding> {
        let first = self.killed.values().next()?;
        let took = self.killed.values().filter_map(|kill| kill.took).max();
        let mut containers: Vec<String> = self
            .killed
            .values()
            .map(|kill| format!("`{}`", kill.container))
            .collect();
        containers.sort();
        containers.dedup();
        let containers = containers.join(", ");
        let summary = format!(
            "container {containers} of {} does not end on SIGTERM and is killed, which makes every rollout of `{}` slower",
            first.revision, scope.service
        );
        let (killed, ended) = (self.killed.len(), self.ended.len());
        let lost = took.map_or_else(String::new, |took| format!(", {} from SIGTERM to its end", human(took)));
        let finding = Finding::note(Code::SigtermIgnored, summary).evidence(
            "tasks",
            format!(
                "{killed} of {ended} old {}: exit {SIGKILL}{lost}",
                plural(ended, "task")
            ),
        );
        let timeout = first_timeout(scope, &first.container);
        Some(
            finding
                .hint("let the application handle SIGTERM (as process 1 it gets no default: `exec` in the entry point, or `initProcessEnabled`)")
                .hint(format!("or lower `stopTimeout` of the container ({timeout})")),
        )
    }
}

fn first_timeout(scope: &Scope, container: &str) -> String {
    let set = scope.needs.container(container).and_then(|facts| facts.stop_timeout);
    set.map_or_else(
        || "not set: 30s unless the instance's agent says otherwise".to_owned(),
        |timeout| format!("now {}", human(timeout)),
    )
}

/// A task that ECS stopped because it was no longer wanted, and whose container was killed for it.
fn kill(task: &Task) -> Option<Kill> {
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    if !contains(reason, "Scaling activity initiated by") {
        return None;
    }
    let is_killed = |reason: Option<&str>| !reason.is_some_and(|reason| contains(reason, "OutOfMemory"));
    let container = task
        .containers
        .iter()
        .find(|c| c.exit_code == Some(SIGKILL) && is_killed(c.reason.as_deref()))?;
    Some(Kill {
        revision: task.task_definition.short().to_owned(),
        container: container.name.clone(),
        took: task.stopping_at.zip(task.stopped_at).map(|(from, to)| to.since(from)),
    })
}
