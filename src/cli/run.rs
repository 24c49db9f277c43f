//! The one path of deploy, plan and rehearse: plan every service, then execute the plans.

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::time::Moment;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DeployRequest, Plan};
use portzero_core::port::{Clock, Ecs, Interrupts, LoadBalancing, Report, RequestCounts};
use portzero_core::rollout::Verdict;

use crate::app::deploy;
use crate::app::deploy::{Pace, Run, ServiceRun, Unplanned};
use crate::app::ports::{Aws, Ports};
use crate::cli::diagnostics;
use crate::cli::diagnostics::crash;
use crate::cli::outputs::{Ending, RunOutputs};
use crate::cli::requests::DeployRequests;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::report;
use crate::report::log::Log;

/// Plans all services, or stops with everything that is wrong, or at a signal. Nothing has been changed then.
pub(super) async fn plan_all<A: Ecs + LoadBalancing, C: Clock, I: Interrupts>(
    ports: Ports<'_, A, C, I>,
    requests: &DeployRequests,
    outputs: &mut RunOutputs<'_>,
    counts: impl Fn() -> RequestCounts,
) -> Result<Vec<(Plan, Survey)>, Stop> {
    let started_at = ports.now();
    match deploy::plan_all(ports, &requests.requests).await {
        Ok(plans) => Ok(plans),
        Err(Unplanned::Refused(refused)) => Err(refuse(refused, outputs, ports.now()).await),
        Err(Unplanned::Interrupted(runs) | Unplanned::TimedOut(runs)) => {
            Err(interrupt(runs, &counts(), (started_at, ports.now()), outputs).await)
        }
    }
}

/// A signal, or the end of the timeout, came before the first change: every surface says so of every service.
pub(super) async fn interrupt(
    runs: Vec<ServiceRun>,
    counts: &RequestCounts,
    span: (Moment, Moment),
    outputs: &mut RunOutputs<'_>,
) -> Stop {
    let mut story = Story::new(runs.iter().map(|run| &run.request), outputs.is_quiet());
    for run in &runs {
        story.print(&report::log::closing(run));
    }
    // A document that is lost has been told of, and that is the graver end.
    let _ = conclude(&runs, story, counts, span, outputs).await;
    Stop::told(deploy::overall(&runs))
}

/// Nothing was changed: every surface says so, and the findings are printed, the cause first.
pub(super) async fn refuse(runs: Vec<ServiceRun>, outputs: &mut RunOutputs<'_>, now: Moment) -> Stop {
    let ending = Ending {
        runs: &runs,
        counts: &RequestCounts::default(),
        started_at: now,
        ended_at: now,
    };
    let mut findings: Vec<&Finding> = runs.iter().flat_map(|run| run.findings()).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    // One cause for all services is told once.
    findings.dedup();
    for finding in findings {
        streams::tell(&report::finding::render(finding));
    }
    // A document that is lost has been told of, and the refusal is the graver end.
    let _ = outputs.ended(&ending).await;
    Stop::told(deploy::overall(&runs))
}

/// None of the services was even looked at, all for the same reason.
pub(super) async fn refuse_all(
    requests: &DeployRequests,
    finding: &Finding,
    outputs: &mut RunOutputs<'_>,
    now: Moment,
) -> Stop {
    let refused = |request: &DeployRequest| ServiceRun::refused(request.clone(), None, vec![finding.clone()], now);
    refuse(requests.requests.iter().map(refused).collect(), outputs, now).await
}

/// Hands plans over; the exit code says whether they would be refused.
pub(super) async fn show_plans(plans: Vec<(Plan, Survey)>, outputs: &mut RunOutputs<'_>) -> Result<u8, Stop> {
    let plans: Vec<Plan> = plans.into_iter().map(|(plan, _)| plan).collect();
    outputs.planned(&plans).await?;
    let is_refused = plans.iter().any(Plan::is_refused);
    Ok(if is_refused { Verdict::Refused.exit_code() } else { 0 })
}

/// Executes the plans and tells how it went.
pub(super) async fn execute<A: Aws, C: Clock, I: Interrupts>(
    ports: Ports<'_, A, C, I>,
    pace: Pace,
    plans: Vec<(Plan, Survey)>,
    outputs: &mut RunOutputs<'_>,
    counts: impl Fn() -> RequestCounts,
) -> Result<u8, Stop> {
    let started_at = ports.now();
    let mut story = Story::new(plans.iter().map(|(plan, _)| &plan.request), outputs.is_quiet());
    let mut run = Run::new(ports, &mut story, pace);
    if let Err(refused) = run.accept(&plans) {
        return Err(refuse(refused, outputs, started_at).await);
    }
    outputs.begin(&plans);
    let mut runs = run.execute(plans).await;
    if outputs.setting.is_rehearsal {
        runs.iter_mut().for_each(ends_with_the_program);
    }
    for run in &runs {
        story.print(&report::log::closing(run));
    }
    conclude(&runs, story, &counts(), (started_at, ports.now()), outputs).await
}

/// Nothing goes on in AWS after an interrupted rehearsal, and nobody can wait for it.
fn ends_with_the_program(run: &mut ServiceRun) {
    let findings = run.outcome.iter_mut().flat_map(|outcome| &mut outcome.findings);
    for finding in findings.filter(|finding| finding.code == Code::Interrupted) {
        let went_on = finding.state.as_ref().and_then(|state| state.rsplit_once("; "));
        // Without that, nothing had begun.
        if let Some((serving, _)) = went_on {
            finding.state = Some(format!("{serving}; the simulated rollout ends with this program"));
            finding.hints.clear();
        }
    }
}

/// The last words on the run, on every surface.
pub(super) async fn conclude(
    runs: &[ServiceRun],
    mut story: Story,
    counts: &RequestCounts,
    (started_at, ended_at): (Moment, Moment),
    outputs: &mut RunOutputs<'_>,
) -> Result<u8, Stop> {
    story.print(&report::log::requests(counts, diagnostics::tells_calls()));
    outputs.setting.log = story.told;
    let verdict = deploy::overall(runs);
    let ending = Ending {
        runs,
        counts,
        started_at,
        ended_at,
    };
    match outputs.ended(&ending).await {
        // Whoever reads stdout must not take nothing for success.
        Err(lost) if verdict.is_success() => Err(lost),
        _ => Ok(verdict.exit_code()),
    }
}

/// The log, or with `--quiet` only what is printed at the end; and all of it for the surfaces that tell it later.
pub(super) struct Story {
    log: Log<fn(&str)>,
    is_quiet: bool,
    pub told: String,
}

impl Story {
    pub(super) fn new<'w>(requests: impl Iterator<Item = &'w DeployRequest>, is_quiet: bool) -> Self {
        let widths: Vec<usize> = requests
            .map(|request| request.service.as_str().chars().count())
            .collect();
        let width = widths.iter().copied().max().unwrap_or(0);
        Self {
            log: Log::new(streams::story as fn(&str), width).telling_endings(widths.len() > 1),
            is_quiet,
            told: String::new(),
        }
    }

    /// Printed, and no part of the story.
    pub(super) fn print(&mut self, text: &str) {
        self.log.print(text);
    }
}

impl Report for Story {
    fn event(&mut self, event: &portzero_core::event::RunEvent) {
        crash::rehearse("event");
        let lines = self.log.lines(event);
        if !self.is_quiet && !lines.is_empty() {
            self.log.print(&lines);
        }
        self.told.push_str(&lines);
    }
}
