//! The one path of deploy, plan and rehearse: plan every service, then execute the plans one after the other.

use crate::cli::options::{Format, Output};
use crate::cli::wishes::Wishes;
use crate::cli::{Stop, recipients, streams};
use crate::deploy::{self, Run, ServiceRun};
use crate::event::EventKind;
use crate::finding::{Code, Finding};
use crate::plan::Plan;
use crate::port::{Clock, Ecs, Interrupts, LoadBalancing, Report, RequestCounts};
use crate::preflight::Survey;
use crate::report;
use crate::report::log::Log;
use crate::rollout::Verdict;
use crate::time::Timestamp;

/// Plans all services, or stops with everything that is wrong. Nothing has been changed then.
pub async fn plan_all<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    wishes: &Wishes,
    output: &Output,
) -> Result<Vec<(Plan, Survey)>, Stop> {
    let mut plans = Vec::new();
    let mut refused = Vec::new();
    for wish in &wishes.wishes {
        match deploy::plan(aws, clock, wish.clone()).await {
            Ok(planned) => plans.push(planned),
            Err((wish, findings)) => {
                let findings = recipients::with_service(findings, &wish.service, wishes.wishes.len() == 1);
                refused.push(ServiceRun::refused(wish, None, findings, clock.now()));
            }
        }
    }
    if refused.is_empty() {
        Ok(plans)
    } else {
        Err(refuse(refused, output, clock.now()))
    }
}

/// Nothing was changed: the result document says so, and the findings are printed, the cause first.
pub fn refuse(runs: Vec<ServiceRun>, output: &Output, now: Timestamp) -> Stop {
    let document = report::result::document(&runs, &RequestCounts::default(), now, now);
    // A document that is lost has been told of, and the refusal is the graver end.
    let _ = write_result(&document, output);
    let mut findings: Vec<Finding> = runs.into_iter().flat_map(|run| run.outcome.findings).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Stop::refused(findings)
}

/// Prints plans; the exit code says whether they would be refused.
pub fn print_plans(plans: &[(Plan, Survey)], output: &Output) -> Result<u8, Stop> {
    match output.format {
        Format::Text => {
            for (plan, _) in plans {
                streams::hand_over(&report::plan::text(plan))?;
            }
        }
        Format::Json => {
            let all: Vec<_> = plans.iter().map(|(plan, _)| report::plan::json(plan)).collect();
            streams::hand_over(&serde_json::json!({ "version": 1, "plans": all }).to_string())?;
        }
    }
    let is_refused = plans.iter().any(|(plan, _)| plan.is_refused());
    Ok(if is_refused { Verdict::Refused.exit_code() } else { 0 })
}

/// Executes the plans in order. The first service that does not succeed keeps the later ones from being touched.
pub async fn execute<A, C, I>(
    (aws, clock, interrupts): (&A, &C, &I),
    plans: Vec<(Plan, Survey)>,
    output: &Output,
    counts: impl Fn() -> RequestCounts,
) -> Result<u8, Stop>
where
    A: Ecs + LoadBalancing,
    C: Clock,
    I: Interrupts,
{
    let started_at = clock.now();
    let width = plans
        .iter()
        .map(|(p, _)| p.wish.service.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let mut log = Story {
        log: Log::new(std::io::stderr(), width),
        is_quiet: output.quiet,
    };
    if plans.iter().any(|(plan, _)| plan.is_refused()) {
        let refused = plans.into_iter().filter(|(plan, _)| plan.is_refused());
        let runs = refused.map(|(plan, _)| {
            let findings = plan.findings.clone();
            ServiceRun::refused(plan.wish.clone(), Some(plan), findings, started_at)
        });
        return Err(refuse(runs.collect(), output, started_at));
    }
    let mut run = Run {
        aws,
        clock,
        interrupts,
        report: &mut log,
        started_at,
    };
    for (plan, _) in &plans {
        tell_plan(&mut run, plan);
    }
    let mut runs: Vec<ServiceRun> = Vec::new();
    let mut left = Vec::new();
    for (plan, survey) in plans {
        if runs.last().is_some_and(|r| !r.outcome.verdict.is_success()) {
            left.push(plan.wish.service.to_string());
            continue;
        }
        let done = match fresh(aws, clock, plan, survey, runs.is_empty()).await {
            Ok((plan, survey)) => run.execute(plan, survey).await,
            Err(refused) => *refused,
        };
        run.report.log.print(&report::log::closing(&done));
        runs.push(done);
    }
    let counts = counts();
    log.log.print(&report::log::requests(&counts));
    if !left.is_empty() {
        let finding = Finding::warning(
            Code::DeploymentFailed,
            format!("not touched after that: {}", left.join(", ")),
        );
        log.log.print(&format!("\n{}", report::finding::render(&finding)));
    }
    let document = report::result::document(&runs, &counts, started_at, clock.now());
    let verdict = report::result::overall(&runs);
    match write_result(&document, output) {
        // Whoever reads stdout must not take nothing for success.
        Err(lost) if verdict.is_success() => Err(lost),
        _ => Ok(verdict.exit_code()),
    }
}

fn tell_plan<A, C, I, R>(run: &mut Run<'_, A, C, I, R>, plan: &Plan)
where
    A: Ecs + LoadBalancing,
    C: Clock,
    I: Interrupts,
    R: Report,
{
    let wish = &plan.wish;
    run.tell(wish, EventKind::Planned { line: plan.revisions() });
    for change in &plan.changes {
        run.tell(
            wish,
            EventKind::Planned {
                line: change.to_string(),
            },
        );
    }
    for difference in &plan.diff {
        let line = format!("differs from what runs: {difference}");
        run.tell(wish, EventKind::Planned { line });
    }
    for step in plan.steps() {
        run.tell(wish, EventKind::Planned { line: step });
    }
    run.tell(
        wish,
        EventKind::Planned {
            line: format!("expected: {}", plan.forecast.sentence()),
        },
    );
    for finding in &plan.findings {
        run.tell(wish, EventKind::Found(finding.clone()));
    }
}

/// A report that cannot be written is a warning: the verdict stands.
///
/// # Errors
/// The document was asked for on stdout, and is lost.
fn write_result(document: &report::result::ResultDocument, output: &Output) -> Result<(), Stop> {
    let Ok(mut json) = serde_json::to_string_pretty(document) else {
        return Ok(());
    };
    json.push('\n');
    if let Some(path) = &output.report
        && let Err(error) = std::fs::write(path, &json)
    {
        let path = path.display();
        streams::tell(&format!("warning: the report could not be written to {path}: {error}"));
    }
    match output.format {
        Format::Json => streams::hand_over(&json),
        Format::Text => Ok(()),
    }
}

/// The log, or with `--quiet` only what is printed at the end.
struct Story {
    log: Log<std::io::Stderr>,
    is_quiet: bool,
}

impl Report for Story {
    fn event(&mut self, event: &crate::event::RunEvent) {
        if !self.is_quiet {
            self.log.event(event);
        }
    }
}

/// All services are planned together, and deployed one after the other: minutes later a plan may be out of date. It is
/// made anew then, and given up where somebody has deployed in the meantime.
async fn fresh<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    plan: Plan,
    survey: Survey,
    is_first: bool,
) -> Result<(Plan, Survey), Box<ServiceRun>> {
    if is_first {
        return Ok((plan, survey));
    }
    let (again, survey) = match deploy::plan(aws, clock, plan.wish.clone()).await {
        Ok(planned) => planned,
        Err((wish, findings)) => return Err(Box::new(ServiceRun::refused(wish, None, findings, clock.now()))),
    };
    let has_moved = again.before != plan.before;
    if !has_moved && !again.is_refused() {
        return Ok((again, survey));
    }
    let mut findings = again.findings.clone();
    if has_moved {
        let name = |plan: &Plan| plan.before.as_ref().map_or("nothing", |arn| arn.short()).to_owned();
        let summary = format!(
            "somebody deployed `{}` after this run had planned it",
            again.wish.service
        );
        let moved = format!("{} -> {}", name(&plan), name(&again));
        let finding = Finding::error(Code::Superseded, summary).evidence("revision", moved);
        findings.insert(0, finding.state("nothing was changed"));
    }
    Err(Box::new(ServiceRun::refused(
        again.wish.clone(),
        Some(again),
        findings,
        clock.now(),
    )))
}
