//! What has changed from one look to the next, as typed happenings: the words are the reporters' business.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::api_error::ApiError;
use crate::aws_model::target::{TargetHealth, TargetState};
use crate::aws_model::task::{Task, TaskStatus};
use crate::base::id::{TaskArn, TaskDefinitionArn};
use crate::rollout::observer::unknown_value::UnknownValue;
use crate::rollout::view::View;
use crate::rollout::view::phase::Phase;
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::waiting::WaitingOn;

/// Whether a task or target is of the deployment that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// It is.
    New,
    /// It was there before.
    Old,
}

impl Generation {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
        }
    }
}

/// What an observer reports of a rollout, each thing once.
#[derive(Clone, Debug, PartialEq)]
pub enum RolloutEvent {
    /// The rollout has come into another phase.
    Phase(Phase),
    /// A task has another status.
    Task {
        /// The task.
        task: TaskArn,
        /// Of which side it is.
        generation: Generation,
        /// The revision that it runs.
        task_definition: TaskDefinitionArn,
        /// The status that it has now.
        status: TaskStatus,
        /// The EC2 instance, where there is one.
        instance: Option<String>,
        /// Why it stopped.
        reason: Option<String>,
    },
    /// A target has come, has another state, or has gone.
    Target {
        /// The target group, and the target in it.
        place: Place,
        /// Of which side it is.
        generation: Generation,
        /// The state before; absent where it is new.
        from: Option<TargetState>,
        /// `None`: no longer listed, which for a draining target means drained.
        to: Option<TargetState>,
        /// AWS's code for the state.
        reason: Option<String>,
        /// AWS's sentence on the state.
        description: Option<String>,
    },
    /// The service deployment has come to another stage, or the traffic to another step.
    Stage {
        /// As AWS spells it.
        stage: String,
        /// In tenths of a percent.
        production: Option<u32>,
        /// The revision that gets the traffic.
        revision: TaskDefinitionArn,
    },
    /// Somebody, autoscaling mostly, wants another number of tasks.
    Desired {
        /// How many before.
        from: u32,
        /// How many now.
        to: u32,
    },
    /// The circuit breaker's counter has moved.
    Breaker {
        /// Tasks that have failed so far.
        failures: u32,
        /// The failures at which the breaker fires, where that is known.
        threshold: Option<u32>,
        /// It goes back then, and does not only stop.
        rolls_back: bool,
    },
    /// A service event that is not part of an ordinary rollout.
    EcsSays {
        /// The event's text, as ECS wrote it.
        message: String,
    },
    /// ECS runs the revision on another processor architecture than its task definition says.
    OtherArchitecture {
        /// As AWS spells it.
        architecture: String,
    },
    /// ECS has begun to roll back.
    RollingBack {
        /// It is complete already: a run that joins late sees no more of it.
        is_over: bool,
        /// The revision that ECS goes back to.
        to: TaskDefinitionArn,
        /// ECS's sentence on why.
        reason: Option<String>,
    },
    /// What is waited for now.
    Waiting {
        /// All that is missing, in the order in which a reader wants it.
        on: Vec<WaitingOn>,
    },
    /// No task names its deployment in `startedBy`: they are told apart by their revision.
    ToldByRevision,
    /// A value that this version does not know: it counts as not done.
    Unknown(UnknownValue),
    /// Reads fail; said when it begins or becomes another trouble, and in between every so often.
    ReadOutage {
        /// `None`: it is as it was said before.
        error: Option<ApiError>,
        /// Looks in a row without an answer.
        misses: u32,
        /// For how long.
        blind_for: Duration,
        /// For how long it is still borne.
        left: Duration,
    },
    /// It can be read again.
    SeesAgain {
        /// Looks in a row that had no answer.
        misses: u32,
        /// For how long.
        blind_for: Duration,
    },
}

/// What the last look has shown, for comparison.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    tasks: BTreeMap<TaskArn, TaskStatus>,
    targets: BTreeMap<Place, (Generation, TargetState)>,
}

impl Seen {
    /// The state before the deployment: nothing of it is news.
    pub(crate) fn at_start(view: &View) -> Self {
        let mut seen = Self::default();
        seen.changes(view, &Snapshot::default());
        seen
    }

    /// Compares, remembers, and says what is new.
    pub(crate) fn changes(&mut self, view: &View, snapshot: &Snapshot) -> Vec<RolloutEvent> {
        let mut events = self.task_changes(view, snapshot);
        events.extend(self.target_changes(view, snapshot));
        events
    }

    fn task_changes(&mut self, view: &View, snapshot: &Snapshot) -> Vec<RolloutEvent> {
        let mut events = Vec::new();
        let new = view
            .new_tasks
            .values()
            .chain(view.ended_tasks.values())
            .map(|t| (Generation::New, *t));
        let old = view.old_tasks.values().map(|t| (Generation::Old, *t));
        let mut current: BTreeMap<TaskArn, (Generation, &Task)> = new
            .chain(old)
            .map(|(generation, task)| (task.arn.clone(), (generation, task)))
            .collect();
        // Old tasks leave the view when they stop; their end is news as well.
        for task in snapshot
            .tasks
            .iter()
            .filter(|t| t.is_stopped() && self.tasks.contains_key(&t.arn))
        {
            current.entry(task.arn.clone()).or_insert((Generation::Old, task));
        }
        for (arn, (generation, task)) in current {
            if self.tasks.get(&arn) != Some(&task.last_status) {
                self.tasks.insert(arn, task.last_status.clone());
                events.push(task_happening(task, generation, snapshot));
            }
        }
        events
    }

    fn target_changes(&mut self, view: &View, snapshot: &Snapshot) -> Vec<RolloutEvent> {
        let ended = view
            .ended_targets
            .iter()
            .map(|(place, row)| (place, (Generation::New, *row)));
        let new = view
            .new_targets
            .iter()
            .filter_map(|(place, row)| Some((place, (Generation::New, (*row)?))));
        let old = view
            .old_targets
            .iter()
            .map(|(place, row)| (place, (Generation::Old, *row)));
        let current: BTreeMap<&Place, (Generation, &TargetHealth)> = ended.chain(new).chain(old).collect();
        let mut events = Vec::new();
        for (place, (generation, row)) in &current {
            let before = self.targets.get(*place);
            if before != Some(&(*generation, row.state.clone())) {
                // A place that has passed from an old task to a new one starts a new story.
                let from = before
                    .filter(|(owner, _)| owner == generation)
                    .map(|(_, state)| state.clone());
                events.push(target_happening(place, *generation, from, Some(row)));
            }
        }
        // A stale answer about its task takes a target out of the view while it is listed as before: it is not gone.
        let is_listed = |(group, key): &Place| {
            let rows = snapshot.targets.get(group);
            rows.is_some_and(|rows| rows.iter().any(|row| row.key == *key))
        };
        let missing = std::mem::take(&mut self.targets).into_iter();
        let (kept, gone): (Vec<_>, Vec<_>) = missing
            .filter(|(place, _)| !current.contains_key(place))
            .partition(|(place, _)| is_listed(place));
        for (place, (generation, state)) in gone {
            events.push(target_happening(&place, generation, Some(state), None));
        }
        self.targets = current
            .into_iter()
            .map(|(place, (generation, row))| (place.clone(), (generation, row.state.clone())))
            .chain(kept)
            .collect();
        events
    }
}

fn task_happening(task: &Task, generation: Generation, snapshot: &Snapshot) -> RolloutEvent {
    let instance = task.container_instance.as_ref().and_then(|arn| {
        let instance = snapshot.instances.as_ref()?.get(arn)?;
        instance.ec2_instance_id.clone()
    });
    let container = task.containers.iter().find_map(|c| match (c.exit_code, &c.reason) {
        (Some(code), Some(reason)) if code != 0 => Some(format!("{} exit {code}: {reason}", c.name)),
        (Some(code), None) if code != 0 => Some(format!("{} exit {code}", c.name)),
        (None, Some(reason)) => Some(reason.clone()),
        _ => None,
    });
    // That ECS stops a task because it is no longer wanted is the rollout itself, and no news.
    let stopped_reason = task
        .stopped_reason
        .as_ref()
        .filter(|r| !r.contains("Scaling activity initiated by"));
    let container = container.filter(|_| stopped_reason.is_some() || task.stopped_reason.is_none());
    let reason = match (stopped_reason, container) {
        (Some(reason), Some(container)) if !reason.contains(&container) => Some(format!("{reason} ({container})")),
        (Some(reason), _) => Some(reason.clone()),
        (None, container) => container,
    };
    RolloutEvent::Task {
        task: task.arn.clone(),
        generation,
        task_definition: task.task_definition.clone(),
        status: task.last_status.clone(),
        instance,
        reason: reason.filter(|_| task.desired_status == TaskStatus::Stopped),
    }
}

fn target_happening(
    place: &Place,
    generation: Generation,
    from: Option<TargetState>,
    row: Option<&TargetHealth>,
) -> RolloutEvent {
    RolloutEvent::Target {
        place: place.clone(),
        generation,
        from,
        to: row.map(|r| r.state.clone()),
        reason: row.and_then(|r| r.reason.clone()),
        description: row.and_then(|r| r.description.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::task::Container;

    /// Why a task is told to have stopped.
    fn reason(stopped_reason: Option<&str>, exit_code: Option<i32>, words: Option<&str>) -> Option<String> {
        let task = Task {
            desired_status: TaskStatus::Stopped,
            stopped_reason: stopped_reason.map(str::to_owned),
            containers: vec![Container {
                name: "web".into(),
                exit_code,
                reason: words.map(str::to_owned),
                ..Container::default()
            }],
            ..Task::plain()
        };
        match task_happening(&task, Generation::New, &Snapshot::default()) {
            RolloutEvent::Task { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_task_that_stopped_is_told_with_what_its_container_adds() {
        let told = |stopped, code, words| reason(stopped, code, words).unwrap_or_default();
        let exited = Some("Essential container in task exited");
        assert_eq!(
            told(exited, Some(1), None),
            "Essential container in task exited (web exit 1)"
        );
        assert_eq!(told(None, Some(1), Some("oom")), "web exit 1: oom");
        // A good end is no reason.
        assert_eq!(told(exited, Some(0), None), "Essential container in task exited");
        assert_eq!(told(None, Some(0), Some("done")), "");
        let said = Some("Task failed to start: no image");
        assert_eq!(told(said, None, Some("no image")), "Task failed to start: no image");
        assert_eq!(
            told(said, None, Some("no disk")),
            "Task failed to start: no image (no disk)"
        );
        let unwanted = Some("Scaling activity initiated by (deployment ecs-svc/2)");
        assert_eq!(told(unwanted, Some(143), None), "");
    }
}
