//! Where a run is told besides the log: stdout, the report file, the runner's files, annotations, the pull request.
//! None of them changes how the run ends, but for stdout that does not take what was asked for.

use std::path::Path;

use crate::cli::Stop;
use crate::cli::options::{Format, Output};
use crate::cli::streams::{self, Document};
use crate::cli::wishes::Wishes;
use crate::deploy::ServiceRun;
use crate::plan::Plan;
use crate::port::RequestCounts;
use crate::preflight::Survey;
use crate::report::page::{self, Setting, Stage};
use crate::report::redact::Redaction;
use crate::report::{self, outputs};
use crate::time::Timestamp;

/// What the run has come to, for those who hear of it at the end only.
#[derive(Debug)]
pub struct Ending<'a> {
    pub runs: &'a [ServiceRun],
    pub counts: &'a RequestCounts,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
}

#[derive(Debug)]
pub struct Surfaces<'o> {
    output: &'o Output,
    pub setting: Setting,
    redaction: Redaction,
}

impl<'o> Surfaces<'o> {
    pub fn open(output: &'o Output, wishes: &Wishes, is_rehearsal: bool) -> Self {
        let setting = Setting {
            environment: wishes.environment.clone(),
            region: wishes.region.clone(),
            is_rehearsal,
            warnings: wishes.warnings.clone(),
            ..Setting::default()
        };
        Self {
            output,
            setting,
            redaction: Redaction::default(),
        }
    }

    /// Plans, and nothing will follow them.
    ///
    /// # Errors
    /// stdout does not take them.
    pub async fn planned(&mut self, plans: &[Plan]) -> Result<(), Stop> {
        let stage = Stage::Planned(plans);
        self.file(|| plans_json(plans), stage);
        match self.output.format {
            Format::Text => {
                for plan in plans {
                    streams::hand_over(&report::plan::text(plan))?;
                }
                Ok(())
            }
            Format::Json => streams::hand_over_document(&plans_json(plans)),
            Format::Markdown => streams::hand_over(&self.page(stage, usize::MAX)),
        }
    }

    /// The plans are about to be executed.
    pub fn begin(&mut self, _plans: &[(Plan, Survey)]) {}

    pub fn is_quiet(&self) -> bool {
        self.output.quiet
    }

    /// # Errors
    /// The document was asked for on stdout, and is lost.
    pub async fn ended(&mut self, ending: &Ending<'_>) -> Result<(), Stop> {
        let stage = Stage::Ended(ending.runs, ending.counts);
        self.file(|| result_json(ending), stage);
        let _ = outputs::of_runs(ending.runs);
        match self.output.format {
            Format::Text => Ok(()),
            Format::Json => streams::hand_over_document(&result_json(ending)),
            Format::Markdown => streams::hand_over(&self.page(stage, usize::MAX)),
        }
    }

    fn page(&self, stage: Stage<'_>, chars_max: usize) -> String {
        page::render(stage, &self.setting, &self.redaction, chars_max)
    }

    /// A report that cannot be written is a warning: the verdict stands.
    fn file(&self, json: impl Fn() -> Document, stage: Stage<'_>) {
        let Some(path) = &self.output.report else { return };
        let text = if is_markdown(path) {
            self.page(stage, usize::MAX)
        } else {
            format!("{}\n", json().as_str())
        };
        if let Err(error) = std::fs::write(path, text) {
            let path = path.display();
            streams::tell(&format!("warning: the report could not be written to {path}: {error}"));
        }
    }
}

pub fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn plans_json(plans: &[Plan]) -> Document {
    let all: Vec<_> = plans.iter().map(report::plan::json).collect();
    Document::compact(serde_json::json!({ "version": 1, "plans": all }))
}

fn result_json(ending: &Ending<'_>) -> Document {
    let document = report::result::document(ending.runs, ending.counts, ending.started_at, ending.ended_at);
    Document::pretty(serde_json::to_value(document).unwrap_or_default())
}
