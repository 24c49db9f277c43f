//! What the last look at a rollout showed, as its findings report it.

use std::collections::BTreeMap;

use crate::aws_model::task::TaskStatus;
use crate::base::text::plural;
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::waiting::WaitingOn;

/// The figures of the last look, kept because the verdict may come when nothing can be read any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastLook {
    pub running: u32,
    pub desired: u32,
    pub healthy: u32,
    pub wanted: u32,
    /// Tasks that are to go on running, by revision, ours and others'.
    pub serving: BTreeMap<String, u32>,
    pub waiting: Vec<WaitingOn>,
    /// The id of a running new task whose address is not shown.
    pub unaddressed: Option<String>,
}

/// How far ECS has come with its rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoingBack<'a> {
    Over,
    GoesOn,
    /// Another deployment has taken over before it was complete.
    Replaced(&'a str),
}

pub(crate) fn waiting_line(on: &[WaitingOn]) -> String {
    let parts: Vec<String> = on.iter().map(ToString::to_string).collect();
    parts.join("; ")
}

impl LastLook {
    pub(crate) fn of(view: &View, scope: &Scope, waiting: &[WaitingOn]) -> Self {
        let mut serving = BTreeMap::new();
        for task in view.new_tasks.values().chain(view.old_tasks.values()) {
            if task.last_status == TaskStatus::Running && task.desired_status == TaskStatus::Running {
                *serving.entry(task.task_definition.short().to_owned()).or_default() += 1;
            }
        }
        Self {
            running: view.running(),
            desired: view.desired,
            healthy: view.healthy(),
            wanted: view.wanted(scope),
            serving,
            waiting: waiting.to_vec(),
            unaddressed: view.unaddressed.first().map(|arn| arn.short().to_owned()),
        }
    }

    pub(crate) fn progress(&self) -> String {
        crate::rollout::words::last_look::progress(self.running, self.desired, self.healthy, self.wanted)
    }

    pub(crate) fn waiting_line(&self) -> String {
        waiting_line(&self.waiting)
    }

    /// What it means that the service has gone back to a revision: `web:41 serves all traffic with 2 tasks`.
    pub(crate) fn back_at(&self, revision: &str, scope: &Scope) -> String {
        let tasks = self
            .serving
            .get(revision)
            .map(|n| format!("{n} {}", plural(*n, "task")));
        match tasks {
            _ if self.desired == 0 => format!("the service points to {revision} and wants no task"),
            None => format!("the service points to {revision}; {}", self.serving_line()),
            Some(tasks) if scope.bindings.is_empty() => format!("nothing but {revision} runs, with {tasks}"),
            Some(tasks) => format!("{revision} serves all traffic with {tasks}"),
        }
    }

    /// `web:41 runs 2 tasks`.
    pub(crate) fn serving_line(&self) -> String {
        if self.serving.is_empty() {
            return "no task of the service is running".to_owned();
        }
        let parts: Vec<String> = self
            .serving
            .iter()
            .map(|(revision, n)| format!("{revision} runs {n} {}", plural(*n, "task")))
            .collect();
        parts.join(", ")
    }
}

/// `2 of 3 tasks run, 1 of 3 targets healthy`, for the lines of a verdict that is no success.
pub(crate) fn progress(running: u32, desired: u32, healthy: u32, wanted: u32) -> String {
    if wanted == 0 {
        return format!("{running} of {desired} {} running", plural(desired, "task"));
    }
    format!("{running} of {desired} tasks running, {healthy} of {wanted} targets healthy")
}
