//! The one path of deploy, plan and rehearse: plan every service, then execute the plans.

use portzero_core::base::finding::Finding;
use portzero_core::base::time::Timestamp;
use portzero_core::event::EventKind;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{Plan, Wish};
use portzero_core::port::{Clock, Ecs, Interrupts, LoadBalancing, Logs, Report, RequestCounts};
use portzero_core::rollout::Verdict;

use crate::app::deploy;
use crate::app::deploy::{Pace, Run, ServiceRun};
use crate::cli::surfaces::{Ending, Surfaces};
use crate::cli::wishes::Wishes;
use crate::cli::{Stop, recipients, streams};
use crate::report;
use crate::report::log::Log;

/// What the work comes to; `None` where a signal comes first. For work that changes nothing: it is dropped in the middle
/// of a call.
pub async fn unless_interrupted<T>(interrupts: &impl Interrupts, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = interrupts.interrupted() => None,
        done = work => Some(done),
    }
}

/// Plans all services, or stops with everything that is wrong, or at a signal. Nothing has been changed then.
pub async fn plan_all<A: Ecs + LoadBalancing, C: Clock, I: Interrupts>(
    (aws, clock, interrupts): (&A, &C, &I),
    wishes: &Wishes,
    surfaces: &mut Surfaces<'_>,
    counts: impl Fn() -> RequestCounts,
) -> Result<Vec<(Plan, Survey)>, Stop> {
    let started_at = clock.now();
    let planning = async {
        let (mut plans, mut refused) = (Vec::new(), Vec::new());
        for wish in &wishes.wishes {
            match deploy::plan(aws, clock, wish.clone()).await {
                Ok(planned) => plans.push(planned),
                Err((wish, findings)) => {
                    let findings = recipients::with_service(findings, &wish.service, wishes.wishes.len() == 1);
                    refused.push(ServiceRun::refused(wish, None, findings, clock.now()));
                }
            }
        }
        (plans, refused)
    };
    let Some((plans, refused)) = unless_interrupted(interrupts, planning).await else {
        return Err(interrupt(wishes, &counts(), (started_at, clock.now()), surfaces).await);
    };
    if refused.is_empty() {
        Ok(plans)
    } else {
        Err(refuse(refused, surfaces, clock.now()).await)
    }
}

/// A signal came before the first change: every surface says so of every service.
pub async fn interrupt(
    wishes: &Wishes,
    counts: &RequestCounts,
    span: (Timestamp, Timestamp),
    surfaces: &mut Surfaces<'_>,
) -> Stop {
    let interrupted = |wish: &Wish| {
        let outcome = deploy::interrupted_before_a_plan(wish);
        ServiceRun::begun(wish.clone(), None, span.1).ended(outcome)
    };
    let runs: Vec<ServiceRun> = wishes.wishes.iter().map(interrupted).collect();
    let mut story = Story::new(runs.iter().map(|run| &run.wish), surfaces.is_quiet());
    for run in &runs {
        story.print(&report::log::closing(run));
    }
    // A document that is lost has been told of, and the signal is the graver end.
    let _ = conclude(&runs, story, counts, span, surfaces).await;
    Stop::told(report::result::overall(&runs))
}

/// Nothing was changed: every surface says so, and the findings are printed, the cause first.
pub async fn refuse(runs: Vec<ServiceRun>, surfaces: &mut Surfaces<'_>, now: Timestamp) -> Stop {
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
    let _ = surfaces.ended(&ending).await;
    Stop::told(report::result::overall(&runs))
}

/// None of the services was even looked at, all for the same reason.
pub async fn refuse_all(wishes: &Wishes, finding: &Finding, surfaces: &mut Surfaces<'_>, now: Timestamp) -> Stop {
    let refused = |wish: &Wish| ServiceRun::refused(wish.clone(), None, vec![finding.clone()], now);
    refuse(wishes.wishes.iter().map(refused).collect(), surfaces, now).await
}

/// Hands plans over; the exit code says whether they would be refused.
pub async fn show_plans(plans: Vec<(Plan, Survey)>, surfaces: &mut Surfaces<'_>) -> Result<u8, Stop> {
    let plans: Vec<Plan> = plans.into_iter().map(|(plan, _)| plan).collect();
    surfaces.planned(&plans).await?;
    let is_refused = plans.iter().any(Plan::is_refused);
    Ok(if is_refused { Verdict::Refused.exit_code() } else { 0 })
}

/// Executes the plans and tells how it went.
pub async fn execute<A, C, I>(
    (aws, clock, interrupts): (&A, &C, &I),
    pace: Pace,
    plans: Vec<(Plan, Survey)>,
    surfaces: &mut Surfaces<'_>,
    counts: impl Fn() -> RequestCounts,
) -> Result<u8, Stop>
where
    A: Ecs + LoadBalancing + Logs,
    C: Clock,
    I: Interrupts,
{
    let started_at = clock.now();
    let mut log = Story::new(plans.iter().map(|(plan, _)| &plan.wish), surfaces.is_quiet());
    if plans.iter().any(|(plan, _)| plan.is_refused()) {
        let refused = plans.into_iter().filter(|(plan, _)| plan.is_refused());
        let runs = refused.map(|(plan, _)| {
            let findings = plan.findings.clone();
            ServiceRun::refused(plan.wish.clone(), Some(plan), findings, started_at)
        });
        return Err(refuse(runs.collect(), surfaces, started_at).await);
    }
    let mut run = Run {
        aws,
        clock,
        interrupts,
        report: &mut log,
        started_at,
        pace,
    };
    for (plan, _) in &plans {
        tell_plan(&mut run, plan);
    }
    surfaces.begin(&plans);
    let runs = run.execute(plans).await;
    for run in &runs {
        log.print(&report::log::closing(run));
    }
    conclude(&runs, log, &counts(), (started_at, clock.now()), surfaces).await
}

/// The last words on the run, on every surface.
pub async fn conclude(
    runs: &[ServiceRun],
    mut story: Story,
    counts: &RequestCounts,
    (started_at, ended_at): (Timestamp, Timestamp),
    surfaces: &mut Surfaces<'_>,
) -> Result<u8, Stop> {
    story.print(&report::log::requests(counts));
    surfaces.setting.log = story.told;
    let verdict = report::result::overall(runs);
    let ending = Ending {
        runs,
        counts,
        started_at,
        ended_at,
    };
    match surfaces.ended(&ending).await {
        // Whoever reads stdout must not take nothing for success.
        Err(lost) if verdict.is_success() => Err(lost),
        _ => Ok(verdict.exit_code()),
    }
}

fn tell_plan<A, C, I, R>(run: &mut Run<'_, A, C, I, R>, plan: &Plan)
where
    A: Ecs + LoadBalancing + Logs,
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

/// The log, or with `--quiet` only what is printed at the end; and all of it for the surfaces that tell it later.
pub struct Story {
    log: Log<fn(&str)>,
    is_quiet: bool,
    pub told: String,
}

impl Story {
    pub fn new<'w>(wishes: impl Iterator<Item = &'w Wish>, is_quiet: bool) -> Self {
        let widths: Vec<usize> = wishes.map(|wish| wish.service.as_str().chars().count()).collect();
        let width = widths.iter().copied().max().unwrap_or(0);
        Self {
            log: Log::new(streams::story as fn(&str), width).telling_endings(widths.len() > 1),
            is_quiet,
            told: String::new(),
        }
    }

    /// Printed, and no part of the story.
    pub fn print(&mut self, text: &str) {
        self.log.print(text);
    }
}

impl Report for Story {
    fn event(&mut self, event: &portzero_core::event::RunEvent) {
        let Some(line) = self.log.line(event) else { return };
        if !self.is_quiet {
            self.log.print(&line);
        }
        self.told.push_str(&line);
    }
}
