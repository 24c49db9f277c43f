//! The CI runner that this process is a step of: its files, its workspace, its annotations. Where there is none, nothing
//! of this happens.

use std::path::{Path, PathBuf};

use portzero_core::base::finding::{Finding, Location};

use crate::adapters::github;
use crate::adapters::github::{Base, Context};
use crate::cli::ci::files;
use crate::cli::streams;
use crate::report::annotation::Annotation;
use crate::report::outputs::Outputs;

/// The text of the event that the workflow runs for.
pub(crate) fn event() -> Option<String> {
    std::fs::read_to_string(variable("GITHUB_EVENT_PATH")?).ok()
}

/// Where on GitHub the run is.
pub(crate) fn context() -> Option<Context> {
    Context::read(&variable, event().as_deref())
}

/// The branch that the run is about, where that is known.
pub(crate) fn branch() -> Option<String> {
    github::branch(&variable, event().as_deref())
}

/// Whose files the run's configuration is to be held against.
pub(crate) fn base() -> Base {
    github::base(&variable, event().as_deref())
}

/// The folder that the repository is checked out in, by GitHub's word.
pub(crate) fn workspace() -> Option<PathBuf> {
    variable("GITHUB_WORKSPACE").map(PathBuf::from)
}

/// The folder that the action has entered, as its input names it.
pub(crate) fn working_directory() -> Option<PathBuf> {
    variable("PORTZERO_WORKING_DIRECTORY").map(|folder| PathBuf::from(folder.trim()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

#[derive(Clone, Debug)]
pub(crate) struct Runner {
    /// Whether GitHub's runner reads what is printed.
    takes_commands: bool,
    output: Option<PathBuf>,
    summary: Option<PathBuf>,
    workspace: Option<PathBuf>,
    /// What relative paths of the user's are relative to.
    folder: PathBuf,
}

impl Runner {
    pub(crate) fn of_environment() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|text| !text.is_empty())
                .map(PathBuf::from)
        };
        Self {
            takes_commands: std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true"),
            output: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY"),
            workspace: path("GITHUB_WORKSPACE"),
            folder: std::env::current_dir().unwrap_or_default(),
        }
    }

    pub(crate) fn has_summary(&self) -> bool {
        self.summary.is_some()
    }

    /// Marks the findings in the workflow run, and in the files that they point into.
    pub(crate) fn annotate<'f>(&self, findings: impl Iterator<Item = &'f Finding>) {
        if !self.takes_commands {
            return;
        }
        let annotations: Vec<Annotation> = findings
            .map(|finding| Annotation {
                location: finding.location.as_ref().map(|place| Location {
                    file: self.in_repository(&place.file),
                    ..place.clone()
                }),
                ..Annotation::from(finding)
            })
            .collect();
        streams::annotate(&annotations);
    }

    /// GitHub knows files by their path in the repository; a message names them as the user did.
    pub(crate) fn in_repository(&self, file: &str) -> String {
        let path = self.folder.join(file);
        let relative = |root: &Path| {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
            let parts: Vec<_> = path
                .strip_prefix(root)
                .ok()?
                .iter()
                .map(|part| part.to_string_lossy())
                .collect();
            Some(parts.join("/"))
        };
        self.workspace
            .as_deref()
            .and_then(relative)
            .unwrap_or_else(|| file.to_owned())
    }

    pub(crate) fn write_outputs(&self, outputs: &Outputs) {
        if let Some(path) = &self.output {
            warn_of("the outputs of this step", files::append_outputs(path, outputs));
        }
    }

    pub(crate) fn write_summary(&self, page: &str) {
        if let Some(path) = &self.summary {
            warn_of("the step summary", files::append_summary(path, page));
        }
    }
}

/// What cannot be told is a warning: the verdict stands.
fn warn_of(what: &str, written: std::io::Result<()>) {
    if let Err(error) = written {
        streams::tell(&format!("warning: {what} could not be written: {error}"));
    }
}
