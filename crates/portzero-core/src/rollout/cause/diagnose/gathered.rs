//! What the evidence of a rollout is made of, by what it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::aws_model::service::{ServiceDeployment, ServiceEvent};
use crate::aws_model::task::{ContainerInstance, LogStream, Task};
use crate::base::id::TaskArn;
use crate::base::text::contains;
use crate::base::time::Moment;
use crate::rollout::cause::failure;
use crate::rollout::cause::failure::{Cause, TaskFailure};
use crate::rollout::cause::placement::{self, PlacementTrouble};
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::limits::Limits;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::words::advice::STOPS;

/// The circuit breaker's counter, as it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BreakerCount {
    pub failures: u32,
    /// `None` where nobody can say at how many it fires.
    pub threshold: Option<u32>,
    pub rolls_back: bool,
}

impl fmt::Display for BreakerCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            failures, threshold, ..
        } = self;
        let then = if self.rolls_back { "ECS rolls back" } else { STOPS };
        match threshold {
            Some(threshold) if failures < threshold => write!(f, "{failures} of {threshold} failures, then {then}"),
            Some(threshold) => write!(f, "{failures} failures, the threshold is {threshold}: {then}"),
            None => write!(f, "{failures} failures, the threshold is not known; at it {then}"),
        }
    }
}

/// What became of our tasks.
#[derive(Clone, Debug, Default)]
pub(super) struct TaskEvidence {
    /// All that were ever seen.
    pub started: BTreeSet<TaskArn>,
    /// Those that failed, by ARN, so that each counts once.
    pub failures: BTreeMap<TaskArn, TaskFailure>,
    /// Since when a kind that keeps tasks from starting has been seen, and nothing of ours running.
    pub not_starting_since: Option<Moment>,
    /// Where their containers have logged.
    streams: BTreeMap<(TaskArn, String), LogStream>,
    /// The most new targets that were healthy at once; without a load balancer the most tasks that ran.
    healthy_max: u32,
    /// How many failures were known when that was: they did not keep the rollout from moving on.
    pub overcome: usize,
    /// How many were known while an old task was still there: it may have held the very port that was missing.
    pub beside_old: usize,
}

impl TaskEvidence {
    pub(super) fn collect(&mut self, now: Moment, view: &View, scope: &Scope) {
        for task in view.new_tasks.values().chain(view.ended_tasks.values()) {
            self.started.insert(task.arn.clone());
            self.learn_streams(task, scope);
        }
        for task in view.ended_tasks.values() {
            if let Some(failure) = failure::read(task, &scope.needs.containers) {
                self.failures.insert(task.arn.clone(), failure);
            }
        }
        self.note_starts(now, view);
        // Where nobody checks health, to run is all that a task can do.
        let in_service = if scope.places_per_task() == 0 {
            view.running()
        } else {
            view.healthy()
        };
        if in_service > self.healthy_max {
            self.healthy_max = in_service;
            self.overcome = self.failures.len();
        }
        if !view.old_tasks.is_empty() {
            self.beside_old = self.failures.len();
        }
    }

    fn learn_streams(&mut self, task: &Task, scope: &Scope) {
        for container in &task.containers {
            let log = scope
                .needs
                .container(&container.name)
                .and_then(|facts| facts.log.as_ref());
            if let Some(stream) = log.and_then(|log| log.stream(container, &task.arn)) {
                self.streams.insert((task.arn.clone(), container.name.clone()), stream);
            }
        }
    }

    fn note_starts(&mut self, now: Moment, view: &View) {
        let is_kept_from_starting = self.failures.values().any(|f| f.cause.is_before_start());
        if view.running() > 0 || !is_kept_from_starting {
            self.not_starting_since = None;
        } else {
            self.not_starting_since.get_or_insert(now);
        }
    }

    /// Failures by kind: the most frequent first, and of two alike the one that says more.
    pub(super) fn kinds(&self) -> Vec<Vec<&TaskFailure>> {
        let mut kinds = BTreeMap::<String, Vec<&TaskFailure>>::new();
        for failure in self.failures.values() {
            kinds.entry(failure.cause.label()).or_default().push(failure);
        }
        let mut kinds: Vec<_> = kinds.into_values().collect();
        kinds.sort_by_key(|kind| {
            let weight = kind.first().map_or(0, |failure| failure.cause.weight());
            std::cmp::Reverse((kind.len(), weight))
        });
        kinds
    }

    pub(crate) fn stream_of(&self, failure: &TaskFailure) -> Option<&LogStream> {
        match &failure.cause {
            Cause::Exit { container, .. } | Cause::OutOfMemory { container } => {
                self.streams.get(&(failure.task.clone(), container.clone()))
            }
            Cause::ContainerUnhealthy | Cause::TargetUnhealthy { .. } => self.any_stream(&failure.task),
            _ => None,
        }
    }

    /// A task with one container that logs leaves no doubt which one it is.
    pub(crate) fn any_stream(&self, task: &TaskArn) -> Option<&LogStream> {
        let mut streams = self
            .streams
            .iter()
            .filter(|((of, _), _)| of == task)
            .map(|(_, stream)| stream);
        let first = streams.next()?;
        streams.next().is_none().then_some(first)
    }
}

/// CloudWatch alarms that ended the deployment.
#[derive(Clone, Debug, Default)]
pub(super) struct AlarmEvidence {
    pub names: Vec<String>,
    /// ECS's words where it says so.
    pub words: Option<String>,
}

impl AlarmEvidence {
    pub(super) fn collect(&mut self, snapshot: &Snapshot, view: &View) {
        let deployment = snapshot.service_deployment.as_ref();
        if let Some(found) = deployment.filter(|d| !d.progress.triggered_alarms.is_empty()) {
            self.names.clone_from(&found.progress.triggered_alarms);
        }
        let reasons = [
            deployment.and_then(|d| d.status_reason.as_deref()),
            deployment.and_then(|d| d.rollback_reason.as_deref()),
            view.ours.and_then(|d| d.rollout_state_reason.as_deref()),
        ];
        let mut reasons = reasons.into_iter().flatten();
        if let Some(words) = reasons.find(|reason| contains(reason, "alarm")) {
            self.words.get_or_insert_with(|| words.to_owned());
        }
    }

    pub(super) fn hear(&mut self, event: &ServiceEvent) {
        if contains(&event.message, "deployment failed: alarm detected") {
            self.words.get_or_insert_with(|| event.message.clone());
        }
    }
}

/// Whether there is room for the tasks.
#[derive(Clone, Debug, Default)]
pub(super) struct PlacementEvidence {
    /// ECS's last word on placement, and how many tasks of ours there had been by then.
    pub last_word: Option<(PlacementTrouble, usize)>,
    /// The instances with what they have left, as they were last read.
    pub capacity: Option<Vec<ContainerInstance>>,
    pub limits: Option<Limits>,
}

impl PlacementEvidence {
    /// Whether the event is about placement. `started`: how many tasks of ours there have been.
    pub(super) fn hear(&mut self, event: &ServiceEvent, started: usize) -> bool {
        let Some(trouble) = placement::read(event) else {
            return false;
        };
        self.last_word = Some((trouble, started));
        true
    }
}

/// What the service itself has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceEvidence {
    /// The health check grace period.
    pub grace: Duration,
    pub breaker: Option<BreakerCount>,
    /// Our service deployment as it was last seen: it names hooks.
    pub deployment: Option<ServiceDeployment>,
}
