//! Phases and targets as a picture, in Mermaid's language, which GitHub draws.
//!
//! Times are counted from the start of the run and written as a time of the day, because Mermaid knows no other axis. It
//! reads and shows them in the reader's own time zone, so the digits come out as they went in.

use std::fmt::Write as _;
use std::time::Duration;

use portzero_core::base::time::{Moment, human};
use portzero_core::rollout::{Generation, TargetHistory};

use crate::app::deploy::ServiceRun;
use crate::report::markdown::Markdown;
use crate::report::page::fit;
use crate::report::page::fit::Block;

/// More rows are no picture any more.
const ROWS_MAX: usize = 14;
/// Labels on the axis that do not run into each other.
const TICKS_MAX: u64 = 10;
/// Characters that fit into the whole length, at the size in which GitHub shows a comment.
const CHARS_MAX: u64 = 105;
/// A bar that is shorter than this share of the picture cannot be seen.
const VISIBLE_SHARE: u64 = 200;

pub(super) fn render(runs: &[ServiceRun], md: Markdown<'_>) -> Option<Block> {
    let shown: Vec<&ServiceRun> = runs.iter().filter(|run| !run.phases.is_empty()).collect();
    let start = shown.iter().map(|run| run.started_at).min()?;
    let forecast = |run: &&ServiceRun| run.plan.as_ref().map_or(Duration::ZERO, |p| p.forecast.drained.likely);
    let end = |run: &&ServiceRun| run.started_at.since(start) + run.duration.max(forecast(run));
    let length = shown.iter().map(end).max()?.as_secs().max(1);
    let mut chart = Chart {
        start,
        length,
        least: (length / VISIBLE_SHARE).max(1),
        out: preamble(length),
        rows: 0,
        md,
    };
    match shown.as_slice() {
        [only] => chart.one(only),
        many => many
            .iter()
            .for_each(|run| chart.phases(run.request.service.as_str(), run)),
    }
    let text = format!("```mermaid\n{}```", chart.out);
    Some(Block::may(fit::PICTURE, "picture", text))
}

struct Chart<'r> {
    start: Moment,
    /// All of it, in seconds.
    length: u64,
    /// The shortest bar, in seconds.
    least: u64,
    out: String,
    rows: usize,
    md: Markdown<'r>,
}

impl Chart<'_> {
    /// Forecast, phases, and the targets.
    fn one(&mut self, run: &ServiceRun) {
        if let Some(plan) = &run.plan {
            let (switched, drained) = (plan.forecast.switched.likely, plan.forecast.drained.likely);
            self.section("forecast");
            self.bar("until serving", switched, "done", Duration::ZERO, switched);
            let rest = drained.saturating_sub(switched);
            self.bar("until drained", drained, "done", switched, rest);
        }
        self.phases("phases", run);
        let more = run.targets.len().saturating_sub(ROWS_MAX);
        for target in run.targets.iter().take(ROWS_MAX) {
            self.target(run, target);
        }
        if more > 0 {
            self.section(&format!("and {more} more targets"));
        }
    }

    fn phases(&mut self, name: &str, run: &ServiceRun) {
        self.section(name);
        for span in run.phases.iter().filter(|span| !span.duration.is_zero()) {
            let offset = span.started_at.since(self.start);
            self.bar(span.phase.as_str(), span.duration, "active", offset, span.duration);
        }
        self.rollback(run);
        if !run.verdict().is_success() {
            let at = run.started_at.since(self.start) + run.duration;
            let _ = writeln!(
                self.out,
                "    {} :milestone, crit, {}, 0s",
                run.verdict().as_str(),
                clock(at)
            );
        }
    }

    fn target(&mut self, run: &ServiceRun, target: &TargetHistory) {
        let side = if target.generation == Generation::New {
            "new"
        } else {
            "old"
        };
        self.section(&format!("{side} {}", target.place.1.port));
        let end = run.started_at + run.duration;
        let ends = target.states.iter().skip(1).map(|(.., at)| *at).chain([end]);
        for ((state, _, at), end) in target.states.iter().zip(ends) {
            let span = end.since(*at);
            if span.is_zero() || state == "gone" {
                continue;
            }
            let kind = match state.as_str() {
                "healthy" => "active",
                "initial" | "draining" => "done",
                _ => "crit",
            };
            self.bar(state, span, kind, at.since(self.start), span);
        }
    }

    fn section(&mut self, name: &str) {
        self.rows += 1;
        let _ = writeln!(self.out, "    section {}", self.md.mermaid(name));
    }

    /// From the last look at our own tasks to the end.
    fn rollback(&mut self, run: &ServiceRun) {
        let Some(last) = run.phases.last().filter(|_| run.is_rolled_back()) else {
            return;
        };
        let (begin, end) = (last.started_at + last.duration, run.started_at + run.duration);
        let span = end.since(begin);
        if !span.is_zero() {
            self.bar("rolling back", span, "crit", begin.since(self.start), span);
        }
    }

    /// `told` is the span that the label says, where there is room for it.
    fn bar(&mut self, name: &str, told: Duration, kind: &str, offset: Duration, span: Duration) {
        let seconds = span.as_secs().max(self.least);
        let room = seconds * CHARS_MAX / self.length;
        let name = self.md.mermaid(name);
        let labels = [format!("{name} {}", human(told)), name, human(told)];
        // Mermaid writes what does not fit beside the bar, over the next one.
        let label = labels.iter().find(|label| label.chars().count() as u64 <= room);
        let label = label.map_or("·", String::as_str);
        let _ = writeln!(self.out, "    {label} :{kind}, {}, {seconds}s", clock(offset));
    }
}

fn preamble(length: u64) -> String {
    let format = if length < 3600 { "%M:%S" } else { "%H:%M:%S" };
    format!(
        "---\ndisplayMode: compact\n---\ngantt\n    dateFormat YYYY-MM-DD HH:mm:ss\n    axisFormat {format}\n    tickInterval {}\n",
        tick(length)
    )
}

/// The shortest round interval with few enough labels.
fn tick(length: u64) -> String {
    let seconds = [5, 10, 15, 30].map(|s| (s, format!("{s}second")));
    let minutes = [1, 2, 5, 10, 15, 30].map(|m| (m * 60, format!("{m}minute")));
    let mut all = seconds.into_iter().chain(minutes);
    let fits = all.find(|(span, _)| length / span < TICKS_MAX);
    fits.map_or_else(|| "1hour".to_owned(), |(_, name)| name)
}

/// Midnight is the start; a day is the longest that anybody waits.
fn clock(offset: Duration) -> String {
    let seconds = offset.as_secs().min(86_399);
    format!(
        "2000-01-01 {:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
