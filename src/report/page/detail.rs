//! What is folded away: the task definition's difference, targets, requests, the log.

use portzero_core::base::finding::Finding;
use portzero_core::base::text::counted;
use portzero_core::base::time::human;
use portzero_core::plan::Plan;
use portzero_core::port::RequestCounts;
use portzero_core::task_definition::DiffLine;

use crate::app::deploy::ServiceRun;
use crate::report::markdown::Markdown;
use crate::report::page::fit::Block;
use crate::report::page::prose::prose;
use crate::report::page::{finding, fit};

/// The difference to what runs, and what was changed in the user's definition to get there.
pub(super) fn definition(plan: &Plan, services: usize, is_open: bool, md: Markdown<'_>) -> Option<Block> {
    if plan.diff.is_empty() && plan.changes.is_empty() {
        return None;
    }
    let lines: Vec<String> = plan.diff.iter().map(|line| diff_line(line, md)).collect();
    let mut body = md.fence("diff", &lines.join("\n"));
    let changes = plan.own_changes();
    if !changes.is_empty() {
        body.push_str("\nChanged in your definition:\n\n");
        for change in changes {
            body.push_str(&format!("- {}\n", md.code(&change.to_string())));
        }
    }
    let title = format!(
        "{}Task definition: {}",
        prefix(plan.request.service.as_str(), services),
        counted(plan.diff.len(), "difference")
    );
    let text = if is_open {
        format!("**{}**\n\n{body}", md.text(&title))
    } else {
        md.details(&title, &body)
    };
    Some(Block::may(fit::DEFINITION, "task definitions", text))
}

/// `+` and `-` lines, as a difference is read; a value that is hidden on both sides has changed all the same.
/// A value is one line: another one in it would be read as a difference of its own.
fn diff_line(line: &DiffLine, md: Markdown<'_>) -> String {
    let one = |value: &Option<String>| value.as_deref().map(|value| md.line(value));
    let path = md.line(&line.path);
    match (&one(&line.before), &one(&line.after)) {
        (Some(before), Some(after)) if before != after => {
            format!("- {path}: {before}\n+ {path}: {after}")
        }
        (Some(_), Some(_)) => format!("! {path}: changed, values hidden"),
        (Some(before), None) => format!("- {path}: {before}"),
        (None, Some(after)) => format!("+ {path}: {after}"),
        (None, None) => path,
    }
}

/// What the plan will do, and what it knows of the target groups.
pub(super) fn steps(plan: &Plan, services: usize, md: Markdown<'_>) -> Option<Block> {
    let mut body: String = plan
        .steps()
        .iter()
        .enumerate()
        .map(|(index, step)| format!("{}. {}\n", index + 1, prose(step, md)))
        .collect();
    for group in plan.target_groups.values() {
        body.push_str(&format!(
            "\nTarget group {}\n",
            md.text(&crate::report::plan::target_group(group))
        ));
    }
    body.push_str(&format!("\nForecast: {}\n", md.text(&plan.forecast.sentence())));
    let title = format!(
        "{}Steps and target groups",
        prefix(plan.request.service.as_str(), services)
    );
    Some(Block::may(fit::STEPS, "steps", md.details(&title, &body)))
}

/// The life of each target.
pub(super) fn targets(run: &ServiceRun, services: usize, md: Markdown<'_>) -> Option<Block> {
    if run.targets.is_empty() {
        return None;
    }
    let mut body = "| | Target | Group | Task | States |\n|---|---|---|---|---|\n".to_owned();
    for target in &run.targets {
        let ends = target.states.iter().skip(1).map(|(.., at)| Some(*at)).chain([None]);
        let states = target.states.iter().zip(ends).map(|((state, reason, at), end)| {
            let span = end.map_or_else(String::new, |end| format!(" {}", human(end.since(*at))));
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", md.text(reason)));
            format!("{}{span}{reason}", md.text(state))
        });
        let task = target
            .task
            .as_deref()
            .map_or("–".to_owned(), |task| md.code(&short(task)));
        body.push_str(&format!(
            "| {} | {} | {} | {task} | {} |\n",
            target.generation.as_str(),
            md.code(&target.place.1.to_string()),
            md.text(target.place.0.name()),
            states.collect::<Vec<_>>().join(" → "),
        ));
    }
    let title = format!(
        "{}Targets: {}",
        prefix(run.request.service.as_str(), services),
        run.targets.len()
    );
    Some(Block::may(fit::TARGETS, "targets", md.details(&title, &body)))
}

/// What was found before the first change and did not stop the run.
pub(super) fn caveats<'f>(
    found: impl Iterator<Item = (Option<&'f str>, &'f Finding)>,
    md: Markdown<'_>,
) -> Option<Block> {
    let all: Vec<String> = found.map(|(service, f)| finding::of_service(f, service, md)).collect();
    if all.is_empty() {
        return None;
    }
    let title = counted(all.len(), "finding");
    Some(Block::may(
        fit::STEPS,
        "findings",
        md.details(&title, &all.join("\n\n")),
    ))
}

pub(super) fn requests(counts: &RequestCounts, md: Markdown<'_>) -> Option<Block> {
    if counts.total() == 0 {
        return None;
    }
    let mut body = "| Action | Requests |\n|---|--:|\n".to_owned();
    for (action, count) in &counts.by_action {
        body.push_str(&format!("| {} | {count} |\n", md.code(action)));
    }
    if counts.throttled + counts.retried > 0 {
        body.push_str(&format!(
            "\n{} throttled, {} retried\n",
            counts.throttled, counts.retried
        ));
    }
    let title = format!("Requests to AWS: {}", counts.total());
    Some(Block::may(fit::REQUESTS, "requests", md.details(&title, &body)))
}

pub(super) fn log(log: &str, md: Markdown<'_>) -> Option<Block> {
    if log.trim().is_empty() {
        return None;
    }
    let title = format!("Log: {}", counted(log.lines().count(), "line"));
    Some(Block::may(fit::LOG, "log", md.details(&title, &md.fence("text", log))))
}

fn prefix(service: &str, services: usize) -> String {
    if services > 1 {
        format!("{service}: ")
    } else {
        String::new()
    }
}

/// The first part of a task's id, as the log shows it.
fn short(task: &str) -> String {
    task.chars().take(8).collect()
}
