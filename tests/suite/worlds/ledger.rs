//! What a run could have seen, held against what it told: no change of a task or a target may be lost, made up, or told
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use portzero_core::aws_model::target::{TargetHealth, TargetState};
use portzero_core::aws_model::task::{Task, TaskStatus};
use portzero_core::port::ApiErrorKind;
use portzero_core::rollout::{Generation, RolloutEvent};
use portzero_testkit::Answer;

/// Target group, target id, port.
type Place = (String, String, u16);

/// What one thing looked like over time, and what was told of it.
#[derive(Debug)]
struct Life<S> {
    /// Each with whether it had to be told: where a read of the look failed, the look may have come to nothing.
    shown: Vec<(S, bool)>,
    told: Vec<S>,
}

impl<S> Default for Life<S> {
    fn default() -> Self {
        Self {
            shown: Vec::new(),
            told: Vec::new(),
        }
    }
}

#[derive(Debug, Default)]
pub struct Ledger {
    ours: Option<String>,
    /// Answers may be some seconds old.
    is_stale: bool,
    /// As the last answer about each has it.
    known_tasks: BTreeMap<String, (TaskStatus, bool)>,
    known_targets: BTreeMap<String, BTreeMap<Place, TargetState>>,
    /// Before the update, whose changes are no news.
    before: BTreeMap<String, TaskStatus>,
    tasks: BTreeMap<String, Life<TaskStatus>>,
    /// New targets, from the first word about them on; `None`: not listed.
    targets: BTreeMap<Place, Life<Option<TargetState>>>,
    /// Places that old and new tasks shared: their story is that of both together, and not followed here.
    shared: Vec<Place>,
}

impl Ledger {
    /// The update has been answered: from here on every change is news.
    pub fn begin(&mut self, ours: &str, is_stale: bool) {
        self.ours = Some(ours.to_owned());
        self.is_stale = is_stale;
        let known = self.known_tasks.iter();
        self.before = known.map(|(arn, (status, _))| (arn.clone(), status.clone())).collect();
        self.tasks.clear();
        self.targets.clear();
    }

    /// The answers between two sleeps. Each look begins with the services.
    pub fn look(&mut self, answers: &[Answer]) {
        let begins = |(_, answer): &(usize, &Answer)| matches!(answer, Answer::Services);
        let mut cuts: Vec<usize> = answers.iter().enumerate().filter(begins).map(|(at, _)| at).collect();
        cuts.push(answers.len());
        let mut from = 0;
        for cut in cuts {
            if cut > from {
                self.one_look(&answers[from..cut]);
            }
            from = cut;
        }
    }

    fn one_look(&mut self, answers: &[Answer]) {
        for answer in answers {
            match answer {
                Answer::Tasks(tasks) => tasks.iter().for_each(|task| self.learn_task(task)),
                Answer::Targets(group, rows) => self.learn_targets(group.as_str(), rows),
                Answer::Services | Answer::Failed(_) => {}
            }
        }
        let is_failure = |answer: &Answer| matches!(answer, Answer::Failed(kind) if !matches!(kind, ApiErrorKind::Denied | ApiErrorKind::Unsupported));
        let is_clean = !answers.iter().any(is_failure) && matches!(answers.first(), Some(Answer::Services));
        for (arn, (status, is_ours)) in &self.known_tasks {
            let life = self.tasks.entry(arn.clone()).or_default();
            // A task of others that has come and gone between two looks is nobody's news.
            let is_news = *is_ours || *status != TaskStatus::Stopped || life.shown.iter().any(|(_, had_to)| *had_to);
            // An old list may lack a task that has been described already.
            life.shown.push((status.clone(), is_clean && is_news && !self.is_stale));
        }
        for (place, life) in &mut self.targets {
            let state = self.known_targets.get(&place.0).and_then(|rows| rows.get(place));
            // Where the task is shown as it was, its target may be nobody's for that look.
            life.shown.push((state.cloned(), is_clean && !self.is_stale));
        }
    }

    fn learn_task(&mut self, task: &Task) {
        let is_ours = self.ours.is_some() && task.started_by.as_ref().map(|id| id.as_str()) == self.ours.as_deref();
        let status = task.last_status.clone();
        self.known_tasks.insert(task.arn.to_string(), (status, is_ours));
    }

    fn learn_targets(&mut self, group: &str, rows: &[TargetHealth]) {
        let place = |row: &TargetHealth| (group.to_owned(), row.key.id.clone(), row.key.port);
        let known = rows.iter().map(|row| (place(row), row.state.clone())).collect();
        self.known_targets.insert(group.to_owned(), known);
    }

    pub fn tell(&mut self, event: &RolloutEvent) {
        match event {
            RolloutEvent::Task { task, status, .. } => {
                let life = self.tasks.entry(task.to_string()).or_default();
                life.told.push(status.clone());
            }
            RolloutEvent::Target {
                place, generation, to, ..
            } => {
                let (group, target) = place;
                let key = (group.to_string(), target.id.clone(), target.port);
                match generation {
                    Generation::New => self.targets.entry(key).or_default().told.push(to.clone()),
                    Generation::Old => self.shared.push(key),
                }
            }
            _ => {}
        }
    }

    /// The first thing that was told wrongly, in words.
    pub fn broken(&self) -> Option<String> {
        // Without an update there was nothing to tell of.
        self.ours.as_ref()?;
        let task = |(arn, life): (&String, &Life<TaskStatus>)| life.broken(self.before.get(arn), arn);
        let mut own = self.targets.iter().filter(|(place, _)| !self.shared.contains(place));
        let target = |(place, life): (&Place, &Life<Option<TargetState>>)| {
            life.at_first_word().broken(None, &format!("{place:?}"))
        };
        self.tasks.iter().find_map(task).or_else(|| own.find_map(target))
    }

    /// Whether any answer has shown the targets of the group with this name.
    pub fn has_seen_group(&self, name: &str) -> bool {
        let part = format!("targetgroup/{name}/");
        self.known_targets.keys().any(|arn| arn.contains(&part))
    }

    /// How many places of new targets were told to be healthy at some time, or to be checked by nobody.
    pub fn places_ever_healthy(&self) -> usize {
        let was_healthy = |life: &&Life<Option<TargetState>>| {
            let states = life.told.iter().flatten();
            states
                .into_iter()
                .any(|state| matches!(state, TargetState::Healthy | TargetState::Unavailable))
        };
        self.targets.values().filter(was_healthy).count()
    }

    /// How many places of new targets were told to be healthy last, or to be checked by nobody.
    pub fn healthy_places(&self) -> usize {
        let is_healthy = |life: &&Life<Option<TargetState>>| {
            matches!(
                life.told.last(),
                Some(Some(TargetState::Healthy | TargetState::Unavailable))
            )
        };
        self.targets.values().filter(is_healthy).count()
    }
}

impl<S: Clone + PartialEq + std::fmt::Debug> Life<S> {
    fn at_first_word(&self) -> Self {
        let first = self.told.first();
        let later = self.shown.iter().skip_while(|(state, _)| Some(state) != first);
        Self {
            shown: later.cloned().collect(),
            told: self.told.clone(),
        }
    }

    /// Whether what was told can be what was seen: each look that had to be told was, and each other one may have been.
    fn broken(&self, before: Option<&S>, what: &str) -> Option<String> {
        // How much of it may have been told by now.
        let mut told = BTreeSet::from([0]);
        for (state, had_to) in &self.shown {
            let mut next = BTreeSet::new();
            for count in told {
                let last = if count == 0 { before } else { self.told.get(count - 1) };
                if last == Some(state) || !had_to {
                    next.insert(count);
                }
                if last != Some(state) && self.told.get(count) == Some(state) {
                    next.insert(count + 1);
                }
            }
            told = next;
        }
        (!told.contains(&self.told.len())).then(|| self.words(what))
    }

    fn words(&self, what: &str) -> String {
        let mut shown: Vec<&(S, bool)> = self.shown.iter().collect();
        shown.dedup();
        format!("lost event: {what} was shown as {shown:?} and told as {:?}", self.told)
    }
}
