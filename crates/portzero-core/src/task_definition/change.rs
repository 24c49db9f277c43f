//! One difference between two task definitions.

use crate::task_definition::diff::DiffLine;

/// A new value of an environment variable. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvironmentChange {
    /// The container's name.
    pub container: String,
    /// The variable's name.
    pub name: String,
    /// Its new value. It is never printed.
    pub value: String,
}

impl std::fmt::Debug for EnvironmentChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}=(value hidden)", self.container, self.name)
    }
}

/// One difference between the user's document and the rendered one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `containerDefinitions[web].portMappings[5000/tcp].hostPort`; empty where the change is about the whole document.
    pub path: String,
    /// `hostPort 80 -> 0: ECS picks a free port, so old and new tasks share an instance`
    pub what: String,
}

impl Change {
    /// Whether it is the very difference to what runs.
    pub fn says(&self, line: &DiffLine) -> bool {
        self.told_by(line).is_some_and(|told| self.what.contains(&told))
    }

    /// Whether it says no word more than the difference to what runs.
    pub fn only_repeats(&self, line: &DiffLine) -> bool {
        self.told_by(line).is_some_and(|told| self.what.ends_with(&told))
    }

    fn told_by(&self, line: &DiffLine) -> Option<String> {
        let (before, after) = (line.before.as_ref()?, line.after.as_ref()?);
        (self.path == line.path).then(|| format!("{before} -> {after}"))
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.what);
        }
        write!(f, "{}: {}", self.path, self.what)
    }
}
