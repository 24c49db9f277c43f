//! What a rule is, and what it is held against.

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::document::{Container, NetworkMode, containers, network_mode, requires};
use crate::task_definition::path::Step;

/// How it is known that AWS refuses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Its refusal is on public record.
    Recorded,
    /// Its documentation rules it out.
    Documented,
}

impl Certainty {
    /// As the page of the rules has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Documented => "documented",
        }
    }

    /// What AWS's words stand behind.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Recorded => "AWS",
            Self::Documented => "documentation",
        }
    }
}

/// One thing that AWS refuses.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What it is called on the page of the rules.
    pub name: &'static str,
    /// How it is known.
    pub certainty: Certainty,
    /// AWS's words: of its refusal, else of its documentation.
    pub words: &'static str,
    /// Where these words were found.
    pub source: &'static str,
    /// An error where it is sure that AWS refuses it, a warning where it may.
    pub severity: Severity,
    pub(super) code: Code,
    pub(super) find: fn(&Task<'_>) -> Vec<Breach>,
}

/// A task definition as it will be registered.
pub(super) struct Task<'v> {
    pub value: &'v Value,
    pub containers: Vec<Container<'v>>,
    pub mode: NetworkMode,
    pub is_fargate: bool,
}

impl<'v> Task<'v> {
    pub(super) fn of(value: &'v Value) -> Self {
        Self {
            value,
            containers: containers(value),
            mode: network_mode(value),
            is_fargate: requires(value, "FARGATE"),
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&'v str> {
        self.value.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn container(&self, name: &str) -> Option<Container<'v>> {
        self.containers.iter().find(|c| c.name() == Some(name)).copied()
    }
}

/// One place that breaks a rule.
pub(super) struct Breach {
    pub path: Vec<Step>,
    pub summary: String,
    pub hint: Option<String>,
}

impl Breach {
    pub(super) fn new(path: impl Into<Vec<Step>>, summary: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            summary: summary.into(),
            hint: None,
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// The name of a container in messages.
pub(super) fn name_of<'v>(container: &Container<'v>) -> &'v str {
    container.name().unwrap_or("?")
}
