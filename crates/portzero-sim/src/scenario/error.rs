//! What is wrong with a scenario or with a fault, as data; the caller words it.

use std::fmt;

/// Where in a scenario file something is wrong. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// As the reader of the file called it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A mistake in a scenario file or in the text of a fault. Nothing is simulated then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioError {
    /// What is wrong, in lower case and without a period.
    pub message: String,
    /// The file, where no place in it is known.
    pub file: Option<String>,
    /// Where it stands.
    pub place: Option<FilePlace>,
    /// What to write instead.
    pub hint: Option<String>,
}

impl ScenarioError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            file: None,
            place: None,
            hint: None,
        }
    }

    pub(crate) fn at(self, place: FilePlace) -> Self {
        Self {
            place: Some(place),
            ..self
        }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, &self.file) {
            (Some(at), _) => write!(f, "{}:{}:{}: ", at.file, at.line, at.column)?,
            (None, Some(file)) => write!(f, "{file}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

/// A fault that is read and does less than was asked for. The simulation goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultWarning {
    /// Keys that this fault does not read.
    IgnoredKeys {
        /// The fault's name.
        fault: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// Nothing in this world can be struck by it.
    NoEffect {
        /// The fault's name.
        fault: String,
        /// What keeps it from any effect.
        why: String,
        /// A task definition that is deployed later may be struck.
        is_of_what_runs: bool,
    },
}

impl fmt::Display for FaultWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IgnoredKeys { fault, keys } => write!(f, "the fault `{fault}` does not read `{}`", keys.join("`, `")),
            Self::NoEffect {
                fault,
                why,
                is_of_what_runs,
            } => {
                let place = if *is_of_what_runs { "on what runs" } else { "here" };
                write!(f, "the fault `{fault}` has no effect {place}: {why}")
            }
        }
    }
}
