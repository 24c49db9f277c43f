//! A run as one page of Markdown: the same for the pull request's comment, the step summary and `--format markdown`.
//!
//! * `headline`: the verdict in one line, and where it comes from
//! * `table`: a row a service
//! * `finding`: cause, evidence, state and next move, set off from the rest
//! * `gantt`: phases and targets as a picture
//! * `detail`: what is folded away: the task definition's difference, targets, requests, the log
//! * `setting`: how far the run is, and where it happens; `prose`: our own sentences as Markdown
//! * `fit`: what goes first where there is not enough room

mod detail;
mod finding;
mod fit;
mod gantt;
mod headline;
mod prose;
mod setting;
mod table;

use fit::Block;
use portzero_core::plan::{DeployRequest, Plan};
use portzero_core::port::RequestCounts;

use crate::app::deploy::ServiceRun;
use crate::report::markdown::Markdown;
use crate::report::redact::Redaction;

pub use setting::{Link, Setting, Stage};
pub use table::reached;

/// GitHub takes 65,536 characters in a comment. The rest is left for the marks around the page, and because nobody says
/// what GitHub counts as a character.
pub const COMMENT_CHARS_MAX: usize = 60_000;

/// The page. Where it would be longer than `chars_max`, the least important parts are left out, and it says so.
pub fn render(stage: Stage<'_>, setting: &Setting, redaction: &Redaction, chars_max: usize) -> String {
    let md = Markdown::new(redaction);
    let mut blocks = vec![Block::must(headline::render(stage, setting, md))];
    match stage {
        Stage::Planned(plans) | Stage::Deploying(plans) => of_plans(&mut blocks, plans, stage, setting, md),
        Stage::Ended(runs, counts) => of_runs(&mut blocks, runs, counts, setting, md),
        Stage::Stopped(findings) => blocks.extend(findings.iter().map(|f| Block::cause(finding::render(f, md)))),
        Stage::Broken(finding) => blocks.push(Block::cause(finding::render(finding, md))),
    }
    blocks.push(Block::must(headline::footer(setting, md)));
    fit::join(blocks, chars_max)
}

/// The verdict in one line of plain text.
pub fn description(stage: Stage<'_>, setting: &Setting) -> String {
    headline::plain(stage, setting)
}

fn of_plans(blocks: &mut Vec<Block>, plans: &[Plan], stage: Stage<'_>, setting: &Setting, md: Markdown<'_>) {
    blocks.push(table::plans(plans, md));
    let is_plan = matches!(stage, Stage::Planned(_));
    let found = || {
        let of_plans = plans
            .iter()
            .flat_map(|p| p.findings.iter().map(|f| (name(&p.request, plans.len()), f)));
        of_plans.chain(setting.warnings.iter().map(|f| (None, f)))
    };
    if is_plan {
        blocks.extend(found().map(|(service, f)| Block::cause(finding::of_service(f, service, md))));
    }
    for plan in plans {
        blocks.extend(detail::definition(plan, plans.len(), is_plan && plans.len() == 1, md));
        blocks.extend(detail::steps(plan, plans.len(), md));
    }
    if !is_plan {
        blocks.extend(detail::caveats(found(), md));
    }
}

fn of_runs(blocks: &mut Vec<Block>, runs: &[ServiceRun], counts: &RequestCounts, setting: &Setting, md: Markdown<'_>) {
    blocks.push(table::runs(runs, md));
    for run in runs {
        let service = name(&run.request, runs.len());
        let findings = run.findings().iter();
        blocks.extend(findings.map(|f| Block::cause(finding::of_service(f, service, md))));
    }
    blocks.extend(gantt::render(runs, md));
    for run in runs {
        let plan = run.plan.iter();
        blocks.extend(plan.flat_map(|plan| detail::definition(plan, runs.len(), false, md)));
        blocks.extend(detail::targets(run, runs.len(), md));
    }
    let of_plans = runs.iter().flat_map(|run| {
        let findings = run.plan.iter().flat_map(|plan| &plan.findings);
        let told = run.findings();
        findings
            .filter(|f| !told.contains(f))
            .map(|f| (name(&run.request, runs.len()), f))
    });
    blocks.extend(detail::caveats(
        of_plans.chain(setting.warnings.iter().map(|f| (None, f))),
        md,
    ));
    blocks.extend(detail::requests(counts, md));
    blocks.extend(detail::log(&setting.log, md));
}

/// Which service it is, where there are several.
fn name(request: &DeployRequest, services: usize) -> Option<&str> {
    (services > 1).then_some(request.service.as_str())
}
