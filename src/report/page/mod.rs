//! A run as one page of Markdown: the same for the pull request's comment, the step summary and `--format markdown`.
//!
//! * `headline`: the verdict in one line, and where it comes from
//! * `table`: a row a service
//! * `finding`: cause, evidence, state and next move, set off from the rest
//! * `gantt`: phases and targets as a picture
//! * `detail`: what is folded away: the task definition's difference, targets, requests, the log
//! * `fit`: what goes first where there is not enough room

mod detail;
mod finding;
mod fit;
mod gantt;
mod headline;
mod table;

use fit::Block;
use portzero_core::base::finding::Finding;
use portzero_core::plan::{Plan, Wish};
use portzero_core::port::RequestCounts;

use crate::app::deploy::ServiceRun;
use crate::report::markdown::Markdown;
use crate::report::redact::Redaction;

pub use table::reached;

/// GitHub takes 65,536 characters in a comment. The rest is left for the marks around the page, and because nobody says
/// what GitHub counts as a character.
pub const COMMENT_CHARS_MAX: usize = 60_000;

/// How far the run is.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// Nothing is changed, and nothing will be.
    Planned(&'a [Plan]),
    /// These plans are being executed.
    Deploying(&'a [Plan]),
    Ended(&'a [ServiceRun], &'a RequestCounts),
    /// It ended before there was a plan.
    Stopped(&'a [Finding]),
}

/// Where the run happens, and for whom.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    pub environment: Option<String>,
    pub region: Option<String>,
    pub is_rehearsal: bool,
    /// What is deployed: the commit's short name and its page.
    pub commit: Option<Link>,
    /// The workflow run.
    pub run: Option<Link>,
    /// What the configuration had to be warned of.
    pub warnings: Vec<Finding>,
    /// The lines of the log.
    pub log: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub label: String,
    pub url: String,
}

/// The page. Where it would be longer than `chars_max`, the least important parts are left out, and it says so.
pub fn render(stage: Stage<'_>, setting: &Setting, redaction: &Redaction, chars_max: usize) -> String {
    let md = Markdown::new(redaction);
    let mut blocks = vec![Block::must(headline::render(stage, setting, md))];
    match stage {
        Stage::Planned(plans) | Stage::Deploying(plans) => of_plans(&mut blocks, plans, stage, setting, md),
        Stage::Ended(runs, counts) => of_runs(&mut blocks, runs, counts, setting, md),
        Stage::Stopped(findings) => blocks.extend(findings.iter().map(|f| Block::cause(finding::render(f, md)))),
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
            .flat_map(|p| p.findings.iter().map(|f| (name(&p.wish, plans.len()), f)));
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
        let service = name(&run.wish, runs.len());
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
            .map(|f| (name(&run.wish, runs.len()), f))
    });
    blocks.extend(detail::caveats(
        of_plans.chain(setting.warnings.iter().map(|f| (None, f))),
        md,
    ));
    blocks.extend(detail::requests(counts, md));
    blocks.extend(detail::log(&setting.log, md));
}

/// Which service it is, where there are several.
fn name(wish: &Wish, services: usize) -> Option<&str> {
    (services > 1).then_some(wish.service.as_str())
}

/// Our own sentences quote names with backticks: what stands between two of them becomes a code span.
fn prose(text: &str, md: Markdown<'_>) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|part| part.is_empty()) {
        return md.text(text);
    }
    let parts = parts
        .iter()
        .enumerate()
        .map(|(index, part)| match (index % 2, part.is_empty()) {
            (_, true) => String::new(),
            (0, _) => spaced(part, &md.text(part)),
            _ => md.code(part),
        });
    parts.collect()
}

/// Blanks at the ends of a part separate it from its neighbours, and an escape may trim them.
fn spaced(part: &str, escaped: &str) -> String {
    let before = if part.starts_with(' ') { " " } else { "" };
    let after = if part.len() > 1 && part.ends_with(' ') { " " } else { "" };
    format!("{before}{}{after}", escaped.trim())
}
