//! Containers that died and end no task: those that are not essential, and those that AWS adds. A note, and never a cause.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::finding::Finding;
use crate::base::id::TaskArn;
use crate::base::text::plural;
use crate::rollout::cause::culprit::{self, Aside};
use crate::rollout::cause::diagnose::explain;
use crate::rollout::cause::failure::{self, Cause};
use crate::rollout::scope::Scope;
use crate::rollout::view::View;

#[derive(Clone, Debug, Default)]
pub(super) struct Asides {
    /// By the container's name.
    died: BTreeMap<String, Died>,
}

#[derive(Clone, Debug)]
struct Died {
    cause: Cause,
    is_added: bool,
    /// AWS's words.
    reason: Option<String>,
    tasks: BTreeSet<TaskArn>,
}

impl Asides {
    pub(super) fn collect(&mut self, view: &View, scope: &Scope) {
        for task in view.new_tasks.values().chain(view.ended_tasks.values()) {
            for Aside { container, is_added } in culprit::asides(task, &scope.needs.containers) {
                let died = self.died.entry(container.name.clone()).or_insert_with(|| Died {
                    cause: failure::of_container(container),
                    is_added,
                    reason: container.reason.clone(),
                    tasks: BTreeSet::new(),
                });
                died.tasks.insert(task.arn.clone());
            }
        }
    }

    pub(super) fn notes(&self, scope: &Scope) -> Vec<Finding> {
        self.died.iter().map(|(name, died)| note(name, died, scope)).collect()
    }
}

fn note(name: &str, died: &Died, scope: &Scope) -> Finding {
    let whose = if died.is_added {
        "which AWS adds to the tasks,".to_owned()
    } else {
        format!("which is not essential in {},", scope.task_definition.short())
    };
    let never_ran = died.cause.is_before_start() || matches!(died.cause, Cause::CannotStart { .. });
    let end = if never_ran { "has not started" } else { "has died" };
    let summary = format!("container `{name}`, {whose} {end}: {}", died.cause.label());
    let count = died.tasks.len();
    let mut finding = Finding::note(explain::code(&died.cause), summary);
    if let Some(reason) = &died.reason {
        finding = finding.evidence("reason", reason.clone());
    }
    finding.evidence(
        "tasks",
        format!("{count} new {}; no task ends for it", plural(count, "task")),
    )
}
