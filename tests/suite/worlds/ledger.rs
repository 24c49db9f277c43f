//! What a run could have seen, held against what it told: no change of a task or a target may be lost, nor told twice.

use std::collections::{BTreeMap, BTreeSet};

use portzero::port::ApiErrorKind;
use portzero::rollout::{Happening, Whose};
use portzero::sim::port::Answer;
use portzero::target::{TargetHealth, TargetState};
use portzero::task::{Task, TaskStatus};

/// Target group, target id, port.
type Place = (String, String, u16);

#[derive(Debug, Default)]
struct Life {
    is_ours: bool,
    /// The status before the update.
    before: Option<TaskStatus>,
    shown: Vec<TaskStatus>,
    told: Vec<TaskStatus>,
}

/// Looks count from 0; one that failed half-way counts for nothing.
#[derive(Debug, Default)]
pub struct Ledger {
    ours: Option<String>,
    looks: usize,
    tasks: BTreeMap<String, Life>,
    /// Tasks that a look has shown as stopped which then failed: nobody asks for them again.
    stopped: Vec<Task>,
    /// The states of each place, look by look.
    shown: BTreeMap<Place, BTreeMap<usize, TargetState>>,
    told: BTreeMap<Place, Vec<(usize, Whose, Option<TargetState>)>>,
}

impl Ledger {
    /// The update has been answered: from here on every change is news.
    pub fn begin(&mut self, ours: &str) {
        self.ours = Some(ours.to_owned());
        for life in self.tasks.values_mut() {
            life.before = life.shown.pop();
            life.shown.clear();
        }
        self.shown.clear();
        self.looks = 0;
    }

    /// The answers between two sleeps.
    pub fn look(&mut self, answers: &[Answer]) {
        let start = answers.iter().rposition(|answer| matches!(answer, Answer::Services));
        let Some(answers) = start.map(|start| &answers[start..]) else {
            return;
        };
        let is_broken = |answer: &Answer| matches!(answer, Answer::Failed(kind) if !matches!(kind, ApiErrorKind::Denied | ApiErrorKind::Unsupported));
        if answers.iter().any(is_broken) {
            let shown = answers.iter().filter_map(|answer| match answer {
                Answer::Tasks(tasks) => Some(tasks),
                _ => None,
            });
            let stopped = shown.flatten().filter(|task| task.is_stopped());
            self.stopped.extend(stopped.cloned());
            return;
        }
        for task in std::mem::take(&mut self.stopped) {
            self.show_task(&task);
        }
        for answer in answers {
            match answer {
                Answer::Tasks(tasks) => tasks.iter().for_each(|task| self.show_task(task)),
                Answer::Targets(group, rows) => rows.iter().for_each(|row| self.show_target(group.as_str(), row)),
                Answer::Services | Answer::Failed(_) => {}
            }
        }
        self.looks += 1;
    }

    fn show_task(&mut self, task: &Task) {
        let is_ours = task.started_by.as_ref().map(|id| id.as_str()) == self.ours.as_deref() && self.ours.is_some();
        let life = self.tasks.entry(task.arn.to_string()).or_default();
        life.is_ours = is_ours;
        if life.shown.last() != Some(&task.last_status) {
            life.shown.push(task.last_status.clone());
        }
    }

    fn show_target(&mut self, group: &str, row: &TargetHealth) {
        let place = (group.to_owned(), row.key.id.clone(), row.key.port);
        let states = self.shown.entry(place).or_default();
        states.insert(self.looks, row.state.clone());
    }

    pub fn tell(&mut self, happening: &Happening) {
        match happening {
            Happening::Task { task, status, .. } => {
                let life = self.tasks.entry(task.to_string()).or_default();
                life.told.push(status.clone());
            }
            Happening::Target { place, whose, to, .. } => {
                let (group, target) = place;
                let key = (group.to_string(), target.id.clone(), target.port);
                self.told.entry(key).or_default().push((self.looks, *whose, to.clone()));
            }
            _ => {}
        }
    }

    /// The first thing that was told wrongly, in words.
    pub fn broken(&self) -> Option<String> {
        // Without an update there was nothing to tell of.
        self.ours.as_ref()?;
        self.tasks
            .iter()
            .find_map(|(task, life)| life.broken(task))
            .or_else(|| {
                self.told
                    .iter()
                    .find_map(|(place, told)| self.broken_place(place, told))
            })
    }

    /// How many places of new targets were told to be healthy last, or to be checked by nobody.
    pub fn healthy_places(&self) -> usize {
        let last_new = |told: &Vec<(usize, Whose, Option<TargetState>)>| {
            let last = told.iter().rev().find(|(_, whose, _)| *whose == Whose::New);
            last.is_some_and(|(_, _, to)| matches!(to, Some(TargetState::Healthy | TargetState::Unavailable)))
        };
        self.told.values().filter(|told| last_new(told)).count()
    }

    /// A new target's states from the first that was told. Where old and new tasks shared the place, its story is theirs
    /// together, and not followed here.
    fn broken_place(&self, place: &Place, told: &[(usize, Whose, Option<TargetState>)]) -> Option<String> {
        let owners: BTreeSet<Whose> = told.iter().map(|(_, whose, _)| *whose).collect();
        let first = told.iter().map(|(look, ..)| *look).min()?;
        if owners.contains(&Whose::Old) {
            return None;
        }
        let states = self.shown.get(place);
        let mut expected: Vec<Option<TargetState>> = Vec::new();
        for look in first..self.looks {
            let state = states.and_then(|states| states.get(&look)).cloned();
            if expected.last() != Some(&state) {
                expected.push(state);
            }
        }
        let told: Vec<Option<TargetState>> = told.iter().map(|(_, _, to)| to.clone()).collect();
        (told != expected).then(|| format!("lost event: {place:?} was shown as {expected:?} and told as {told:?}"))
    }
}

impl Life {
    fn broken(&self, task: &str) -> Option<String> {
        let is_first_seen_stopped = self.before.is_none() && self.shown.first() == Some(&TaskStatus::Stopped);
        let mut expected = self.shown.clone();
        if self.before.is_some() && expected.first() == self.before.as_ref() {
            expected.remove(0);
        }
        // A task of others that has come and gone between two looks is nobody's news.
        if !self.is_ours && is_first_seen_stopped && self.told.is_empty() {
            return None;
        }
        (self.told != expected).then(|| {
            format!(
                "lost event: task {task} was shown as {expected:?} and told as {:?}",
                self.told
            )
        })
    }
}
