//! Where a run is told besides the log: stdout, the report file, the runner's files, annotations, the pull request.
//! None of them changes how the run ends, but for stdout or a report that does not take what was asked for.

use std::path::Path;

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::time::{Moment, human};
use portzero_core::plan::Plan;
use portzero_core::plan::survey::Survey;
use portzero_core::port::RequestCounts;

use crate::adapters::github::Context;
use crate::adapters::{file, signals};
use crate::app::announce::github_channel::{End, Told};
use crate::app::deploy;
use crate::app::deploy::ServiceRun;
use crate::cli::ci::actions;
use crate::cli::ci::actions::Runner;
use crate::cli::github_channel::GitHub;
use crate::cli::options::{Format, Hiding, Output, Telling};
use crate::cli::requests::DeployRequests;
use crate::cli::stop::Stop;
use crate::cli::streams::Document;
use crate::cli::{github_channel, streams};
use crate::report;
use crate::report::outputs::Outputs;
use crate::report::page::{Link, Setting, Stage};
use crate::report::{internal_error, outputs, page};

/// What the run has come to, for those who hear of it at the end only.
#[derive(Debug)]
pub struct Ending<'a> {
    pub runs: &'a [ServiceRun],
    pub counts: &'a RequestCounts,
    pub started_at: Moment,
    pub ended_at: Moment,
}

#[derive(Debug)]
pub struct RunOutputs<'o> {
    output: &'o Output,
    pub setting: Setting,
    runner: Runner,
    github_channel: Option<GitHub>,
}

/// Sets what this run hides, before it says anything, and finds out where on GitHub it is.
pub(super) fn ci_context(telling: &Telling) -> Option<Context> {
    let mut context = actions::context();
    if let Some(context) = &mut context {
        context.origin.given = telling.pull_request;
    }
    // Where nothing says that the repository is private, strangers may read along.
    let is_public = context.as_ref().is_some_and(|c| c.origin.is_private != Some(true));
    streams::hide(telling.hiding.hide_account_ids.unwrap_or(is_public), telling.token());
    context
}

/// The same where there are no flags, or not yet: the variable alone decides.
pub(super) fn surroundings_by_variable() {
    ci_context(&Telling {
        hiding: Hiding::of_variable(),
        ..Telling::default()
    });
}

impl<'o> RunOutputs<'o> {
    pub fn open(output: &'o Output, requests: &DeployRequests, context: Option<&Context>, is_rehearsal: bool) -> Self {
        let runner = Runner::of_environment();
        let mut outputs = Self {
            output,
            setting: setting(requests, context, is_rehearsal),
            github_channel: None,
            runner,
        };
        let names = outputs.names(requests);
        match github_channel::open(&output.telling, context, names, is_rehearsal) {
            Ok(github_channel) => outputs.github_channel = github_channel,
            Err(warning) => {
                crate::cli::streams::warn(std::slice::from_ref(&warning));
                outputs.setting.warnings.push(warning);
            }
        }
        outputs
    }

    pub fn is_quiet(&self) -> bool {
        self.output.quiet
    }

    /// Plans, and nothing will follow them.
    ///
    /// # Errors
    /// stdout does not take them.
    pub async fn planned(&mut self, plans: &[Plan]) -> Result<(), Stop> {
        let stage = Stage::Planned(plans);
        let filed = self.file(|| plans_json(plans), stage);
        let is_refused = plans.iter().any(Plan::is_refused);
        let end = if is_refused { End::Refused } else { End::Planned };
        let found = plans.iter().flat_map(|plan| &plan.findings);
        self.step(found, outputs::of_plans(plans), stage);
        self.conclude(stage, end, None).await;
        match self.output.format {
            Format::Text => {
                for plan in plans {
                    streams::hand_over(&report::plan::text(plan))?;
                }
            }
            Format::Json => streams::hand_over_document(&plans_json(plans))?,
            Format::Markdown => streams::hand_over_page(&self.page(stage, usize::MAX))?,
        }
        filed
    }

    /// The plans are about to be executed.
    pub fn begin(&mut self, plans: &[(Plan, Survey)]) {
        if self.github_channel.is_none() {
            return;
        }
        let plans: Vec<Plan> = plans.iter().map(|(plan, _)| plan.clone()).collect();
        let page = self.page(Stage::Deploying(&plans), page::COMMENT_CHARS_MAX);
        let longest = plans
            .iter()
            .map(|plan| plan.forecast.drained.likely)
            .max()
            .unwrap_or_default();
        let description = format!("deploying, about {}", human(longest));
        if let Some(github_channel) = &mut self.github_channel {
            github_channel.begin(page, description);
        }
    }

    /// # Errors
    /// The document was asked for on stdout, and is lost.
    pub async fn ended(&mut self, ending: &Ending<'_>) -> Result<(), Stop> {
        let stage = Stage::Ended(ending.runs, ending.counts);
        let filed = self.file(|| result_json(ending), stage);
        let end = End::of(deploy::overall(ending.runs));
        let address = ending.runs.iter().find_map(ServiceRun::url);
        let found = ending.runs.iter().flat_map(findings);
        self.step(found, outputs::of_runs(ending.runs), stage);
        self.conclude(stage, end, address).await;
        let given = match self.output.format {
            Format::Text => Ok(()),
            Format::Json => streams::leave_document(&result_json(ending)),
            Format::Markdown => streams::leave_page(&self.page(stage, usize::MAX)),
        };
        given.and(filed)
    }

    /// The last word on GitHub, after all that cannot hang. A signal ends the wait for it.
    async fn conclude(&mut self, stage: Stage<'_>, end: End, address: Option<String>) {
        let page = self.page(stage, page::COMMENT_CHARS_MAX);
        let description = streams::redaction_on_github().line(&page::description(stage, &self.setting));
        let Some(github_channel) = &mut self.github_channel else {
            return;
        };
        let told = tokio::select! {
            told = github_channel.end(&page, end, &description, address) => told,
            () = signals::next_signal() => Told::default(),
        };
        crate::cli::streams::warn(&told.findings);
        self.runner.annotate(told.findings.iter());
        self.runner
            .write_outputs(&vec![("comment-url", told.comment_url.unwrap_or_default())]);
    }

    /// What the step leaves to the workflow.
    fn step<'f>(&'f self, found: impl Iterator<Item = &'f Finding>, mut outputs: Outputs, stage: Stage<'_>) {
        // What is denied on the way and does not matter is in the log and in the summary, where it does not alarm.
        let worth_it = |finding: &&Finding| finding.code != Code::NotChecked;
        self.runner
            .annotate(found.chain(&self.setting.warnings).filter(worth_it));
        let report = self.output.report.as_deref();
        let report = report.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        outputs.push((
            "report",
            report.map(|path| path.display().to_string()).unwrap_or_default(),
        ));
        self.runner.write_outputs(&outputs);
        if self.runner.has_summary() {
            self.runner.write_summary(&self.page(stage, usize::MAX));
        }
    }

    fn page(&self, stage: Stage<'_>, chars_max: usize) -> String {
        page::render(stage, &self.setting, &streams::redaction_on_github(), chars_max)
    }

    /// The comment's key and the environment's name: what the file says, else what the flags say.
    fn names(&self, requests: &DeployRequests) -> (String, String) {
        let first = requests.requests.first();
        let cluster = first.map(|request| request.cluster.to_string()).unwrap_or_default();
        let environment = requests.environment.clone().unwrap_or(cluster);
        let what = match &requests.file {
            Some(file) => self.runner.in_repository(&file.display().to_string()),
            None => first.map(|request| request.service.to_string()).unwrap_or_default(),
        };
        // Runs about different services of one file, and rehearsals, do not speak over each other.
        let services = requests.named.iter().map(|name| format!("/{name}")).collect::<String>();
        let rehearsal = if self.setting.is_rehearsal { "/rehearsal" } else { "" };
        (format!("{environment}/{what}{services}{rehearsal}"), environment)
    }

    /// A report that cannot be written is a warning. The verdict stands, and is no success for who wanted a report.
    fn file(&self, json: impl Fn() -> Document, stage: Stage<'_>) -> Result<(), Stop> {
        let Some(path) = &self.output.report else { return Ok(()) };
        let text = if is_markdown(path) {
            self.page(stage, usize::MAX)
        } else {
            format!("{}\n", json().as_str())
        };
        file_report(path, text)
    }
}

/// There was nothing to do, and later steps can tell.
pub(super) fn skipped() {
    Runner::of_environment().write_outputs(&outputs::skipped());
}

/// What stopped a command before there was anything to tell: usage, configuration.
pub(super) fn stopped(findings: &[Finding]) {
    let runner = Runner::of_environment();
    runner.annotate(findings.iter());
    runner.write_outputs(&outputs::not_started());
    if runner.has_summary() {
        let page = page::render(
            Stage::Stopped(findings),
            &Setting::default(),
            &streams::redaction_on_github(),
            usize::MAX,
        );
        runner.write_summary(&page);
    }
}

fn file_report(path: &Path, text: String) -> Result<(), Stop> {
    let path_said = path.display();
    match file::write(path, text) {
        Ok(None) => Ok(()),
        Ok(Some(place)) => {
            let place = place.display();
            streams::tell(&format!(
                "note: {path_said} is a link, and the report is in {place}, where it leads"
            ));
            Ok(())
        }
        Err(error) => {
            streams::tell(&format!(
                "warning: the report could not be written to {path_said}: {error}"
            ));
            Err(Stop::lost())
        }
    }
}

/// A panic ends the run: on every surface that needs no waiting.
pub(super) fn broken(finding: &Finding, report: Option<&Path>) {
    let stage = Stage::Broken(finding);
    let page = || page::render(stage, &Setting::default(), &streams::redaction_on_github(), usize::MAX);
    if let Some(path) = report {
        let text = if is_markdown(path) {
            page()
        } else {
            format!("{}\n", Document::pretty(internal_error::json(finding)).as_str())
        };
        // The run has an exit code of its own.
        let _ = file_report(path, text);
    }
    let runner = Runner::of_environment();
    runner.annotate(std::iter::once(finding));
    let report = report.map(|path| path.display().to_string());
    runner.write_outputs(&internal_error::outputs(report.unwrap_or_default()));
    if runner.has_summary() {
        runner.write_summary(&page());
    }
}

fn setting(requests: &DeployRequests, context: Option<&Context>, is_rehearsal: bool) -> Setting {
    let commit = context.filter(|c| !c.origin.sha.is_empty()).map(|c| Link {
        label: c.origin.sha.chars().take(7).collect(),
        url: format!(
            "{}/{}/{}/commit/{}",
            c.server_url, c.repository.owner, c.repository.name, c.origin.sha
        ),
    });
    let run = context.and_then(|c| c.run_url.clone().map(|url| (c.origin.run_id, url)));
    Setting {
        environment: requests.environment.clone(),
        region: requests.region.clone(),
        is_rehearsal,
        commit,
        run: run.map(|(id, url)| Link {
            label: id.to_string(),
            url,
        }),
        warnings: requests.warnings.clone(),
        ..Setting::default()
    }
}

/// The findings that end a run, and those that its plan had.
fn findings(run: &ServiceRun) -> impl Iterator<Item = &Finding> {
    let planned = run.plan.iter().flat_map(|plan| &plan.findings);
    run.findings().iter().chain(planned)
}

fn is_markdown(path: &Path) -> bool {
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
