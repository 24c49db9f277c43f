//! A row a service.

use std::collections::BTreeMap;
use std::time::Duration;

use portzero_core::base::time::human;
use portzero_core::plan::Plan;
use portzero_core::plan::forecast::Bounds;
use portzero_core::rollout::{Generation, TargetHistory, Verdict};

use crate::app::deploy::ServiceRun;
use crate::report::markdown::Markdown;
use crate::report::page::fit::Block;

/// Half of a comment, in bytes: the rows that fit, however long the names are.
const CHARS_MAX: usize = 30_000;
/// A cell that has nothing to say.
const NOTHING: &str = "–";

pub(super) fn plans(plans: &[Plan], md: Markdown<'_>) -> Block {
    let head = "| Service | Revision | New targets serve | Old ones drained | Wait budget |\n|---|---|---|---|---|";
    let rows = plans.iter().map(|plan| {
        format!(
            "| {} | {} | {} | {} | {} |",
            service(plan.request.service.as_str(), plan.request.cluster.as_str(), md),
            md.code(&plan.revisions()),
            bounds(plan.forecast.switched),
            bounds(plan.forecast.drained),
            span(plan.wait_budget()),
        )
    });
    table(head, rows.collect())
}

pub(super) fn runs(runs: &[ServiceRun], md: Markdown<'_>) -> Block {
    let addresses: Vec<Option<String>> = runs.iter().map(|run| address(run, md)).collect();
    let has_address = addresses.iter().any(Option::is_some);
    let mut head = "| | Service | Revision | New targets | Old targets | Took | Forecast |".to_owned();
    let mut rule = "|---|---|---|---|---|---|---|".to_owned();
    if has_address {
        head.push_str(" Address |");
        rule.push_str("---|");
    }
    let rows = runs.iter().zip(addresses).map(|(run, address)| {
        let mut row = format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            icon(run),
            service(run.request.service.as_str(), run.request.cluster.as_str(), md),
            revisions(run, md),
            states(&run.targets, Generation::New, md),
            states(&run.targets, Generation::Old, md),
            if run.deployment.is_some() {
                span(run.duration)
            } else {
                NOTHING.into()
            },
            forecast(run),
        );
        if has_address {
            row.push_str(&format!(" {} |", address.unwrap_or_else(|| NOTHING.into())));
        }
        row
    });
    table(&format!("{head}\n{rule}"), rows.collect())
}

fn table(head: &str, rows: Vec<String>) -> Block {
    let mut text = head.to_owned();
    let mut shown = 0;
    for row in &rows {
        if text.len() + row.len() > CHARS_MAX {
            break;
        }
        text.push('\n');
        text.push_str(row);
        shown += 1;
    }
    let more = rows.len() - shown;
    if more > 0 {
        text.push_str(&format!("\n\n… and {more} more services"));
    }
    Block::must(text)
}

fn service(name: &str, cluster: &str, md: Markdown<'_>) -> String {
    format!("**{}**<br>{}", md.text(name), md.text(cluster))
}

fn icon(run: &ServiceRun) -> &'static str {
    match run.verdict() {
        _ if run.is_left() => "⏸️",
        Verdict::Succeeded => "✅",
        Verdict::NothingToVerify => "☑️",
        Verdict::Failed if run.is_rolled_back() => "↩️",
        Verdict::Failed => "❌",
        Verdict::Refused => "⛔",
        Verdict::TimedOut => "⌛",
        Verdict::Superseded => "⏭️",
        Verdict::CouldNotObserve => "❔",
        Verdict::Interrupted => "✋",
    }
}

fn revisions(run: &ServiceRun, md: Markdown<'_>) -> String {
    let code = |arn: &portzero_core::base::id::TaskDefinitionArn| md.code(arn.short());
    let before = run.before.as_ref().map_or_else(|| "nothing".to_owned(), code);
    match &run.after {
        None if run.before.is_none() => "as it was".to_owned(),
        _ if run.verdict() == Verdict::Refused => format!("{before} stays"),
        None => format!("{before} stays"),
        Some(after) if Some(after) == run.before.as_ref() => format!("{before} again"),
        Some(after) if run.is_rolled_back() => {
            let back_to = run.back_to.as_ref().map_or_else(|| before.clone(), code);
            format!("{before} → {} → {back_to}", code(after))
        }
        Some(after) => format!("{before} → {}", code(after)),
    }
}

/// `2 healthy`, `1 healthy, 1 initial`: where the targets of one side have come to.
fn states(targets: &[TargetHistory], generation: Generation, md: Markdown<'_>) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for state in last_states(targets, generation) {
        let word = if state == "gone" { "drained" } else { state };
        *counts.entry(word).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {}", md.text(word)))
        .collect();
    if parts.is_empty() {
        NOTHING.into()
    } else {
        parts.join(", ")
    }
}

/// How many targets of one side have come to a state.
pub fn reached(targets: &[TargetHistory], generation: Generation, state: &str) -> usize {
    last_states(targets, generation).filter(|last| *last == state).count()
}

/// A new target that is gone is not counted: its task was replaced, and another one has taken its part.
fn last_states(targets: &[TargetHistory], generation: Generation) -> impl Iterator<Item = &str> {
    let stories = targets.iter().filter(move |story| story.generation == generation);
    let last = stories.filter_map(|story| Some(story.states.last()?.0.as_str()));
    last.filter(move |state| generation == Generation::Old || *state != "gone")
}

/// A span that stays on one line of a narrow column.
fn span(span: Duration) -> String {
    human(span).replace(' ', "\u{a0}")
}

/// What is likely, and between what it lies.
fn bounds(of: Bounds) -> String {
    format!("{} ({} to {})", span(of.likely), span(of.least), span(of.most))
}

fn forecast(run: &ServiceRun) -> String {
    run.plan.as_ref().map_or_else(
        || NOTHING.to_owned(),
        |plan| span(plan.forecast.expected(plan.request.until).likely),
    )
}

fn address(run: &ServiceRun, md: Markdown<'_>) -> Option<String> {
    let address = run.address()?;
    let url = address.url();
    let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let shown = if address.is_web() {
        md.link(host, &url)
    } else {
        md.code(&url)
    };
    Some(if address.is_internal() {
        format!("{shown} (internal)")
    } else {
        shown
    })
}
