//! New tasks that ended by themselves after they had been RUNNING: the application starts well, and does not stay.
//!
//! ECS's circuit breaker does not stop such a rollout: it begins to count anew with each task that is healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::aws_model::target::TargetState;
use crate::aws_model::task::{Task, TaskStatus};
use crate::base::id::TaskArn;
use crate::base::text::contains;
use crate::base::time::{Moment, human};
use crate::rollout::cause::failure::{self, Cause, TaskFailure};
use crate::rollout::scope::Scope;
use crate::rollout::timeouts;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::Place;

#[derive(Clone, Debug, Default)]
pub(super) struct OwnEnds {
    ends: BTreeMap<TaskArn, OwnEnd>,
    /// Tasks of ours that were seen RUNNING.
    running: BTreeSet<TaskArn>,
    /// Those that were healthy; where nobody checks health, those that were RUNNING.
    in_service: BTreeSet<TaskArn>,
    /// Since when the same tasks run, and none has ended by itself.
    steady_since: Option<Moment>,
    /// How many had ended before the first look: history, and no word on whether it goes on.
    before: Option<usize>,
}

#[derive(Clone, Debug)]
struct OwnEnd {
    failure: TaskFailure,
    /// From RUNNING to its end, by AWS's own clock.
    life: Option<Duration>,
}

impl OwnEnds {
    pub(super) fn collect(&mut self, now: Moment, view: &View, owners: &BTreeMap<Place, &Task>, scope: &Scope) {
        let known = self.ends.len();
        for task in view.ended_tasks.values() {
            let was_running = task.started_at.is_some() || self.running.contains(&task.arn);
            if let Some(failure) = own_end(task, scope).filter(|_| was_running) {
                let life = life(task);
                self.ends.insert(task.arn.clone(), OwnEnd { failure, life });
            }
        }
        let mut is_news = self.ends.len() > known;
        for task in view.new_tasks.values() {
            if task.last_status == TaskStatus::Running {
                is_news |= self.running.insert(task.arn.clone());
            }
        }
        if is_news || !view.all_running() {
            self.steady_since = Some(now);
        }
        if scope.places_per_task() == 0 {
            self.in_service.extend(self.running.iter().cloned());
            self.in_service.extend(self.ends.keys().cloned());
        }
        let healthy = view.new_targets.iter().filter_map(|(place, row)| {
            let is_healthy = row.is_some_and(|row| row.state == TargetState::Healthy);
            owners.get(place).filter(|_| is_healthy)
        });
        self.in_service.extend(healthy.map(|task| task.arn.clone()));
        self.before.get_or_insert(self.ends.len());
    }

    /// Whether one has ended while somebody was looking.
    pub(super) fn go_on(&self) -> bool {
        self.ends.len() > self.before.unwrap_or_default()
    }

    /// Since when no task has ended by itself, and the longest that one of those lived. `None`: none ever has.
    pub(super) fn last(&self) -> Option<(Moment, Duration)> {
        let since = self.steady_since.filter(|_| !self.ends.is_empty())?;
        // What ended after hours is no word on whether the revision starts well, and no run could wait for as long.
        let lives = self.ends.values().filter_map(|end| end.life);
        let longest = lives.filter(|life| *life <= timeouts::OUTLIVE_MAX).max();
        Some((since, longest.unwrap_or_default()))
    }

    /// By kind, the most frequent first.
    pub(super) fn kinds(&self) -> Vec<Vec<&TaskFailure>> {
        let mut kinds = BTreeMap::<String, Vec<&TaskFailure>>::new();
        for end in self.ends.values() {
            kinds.entry(end.failure.cause.label()).or_default().push(&end.failure);
        }
        let mut kinds: Vec<_> = kinds.into_values().collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.len()));
        kinds
    }

    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// How long these lived, where they had been in service: `1m after RUNNING`, `58s to 1m 02s after RUNNING`.
    pub(super) fn lives(&self, failures: &[&TaskFailure]) -> Option<String> {
        let ends = failures.iter().filter_map(|failure| self.ends.get(&failure.task));
        let served = ends.filter(|end| self.in_service.contains(&end.failure.task));
        let lives: Vec<Duration> = served.filter_map(|end| end.life).collect();
        let (shortest, longest) = (human(*lives.iter().min()?), human(*lives.iter().max()?));
        Some(if shortest == longest {
            format!("{longest} after RUNNING")
        } else {
            format!("{shortest} to {longest} after RUNNING")
        })
    }
}

/// The failure of a task that nobody asked to end.
fn own_end(task: &Task, scope: &Scope) -> Option<TaskFailure> {
    let ended = task.stop_code.as_deref() == Some("EssentialContainerExited")
        || task.stop_code.is_none() && contains(task.stopped_reason.as_deref()?, "Essential container in task exited");
    failure::read(task, &scope.needs.containers).filter(|failure| match failure.cause {
        Cause::Exit { .. } | Cause::OutOfMemory { .. } => ended,
        Cause::ContainerUnhealthy => true,
        _ => false,
    })
}

fn life(task: &Task) -> Option<Duration> {
    let ended = task.stopping_at.or(task.stopped_at)?;
    Some(ended.since(task.started_at?))
}
