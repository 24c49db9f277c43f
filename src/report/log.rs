//! The story of a run for logs: one line a transition, never a redraw, and a short block at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portzero_core::base::time::human;
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::port::{Report, RequestCounts};
use portzero_core::rollout::{Phase, Verdict};

use crate::app::deploy::ServiceRun;
use crate::report::text::clean;
use crate::report::{finding, line};

/// Gives each event as a line to `out`, which cannot fail: reporting never fails a deployment.
pub struct Log<F> {
    out: F,
    /// The widest service name, so that lines stand under each other.
    width: usize,
    tells_endings: bool,
}

impl<F: FnMut(&str)> Log<F> {
    pub fn new(out: F, width: usize) -> Self {
        Self {
            out,
            width,
            tells_endings: false,
        }
    }

    /// Tells of each service's end when it comes, and not at the end of the run alone.
    pub fn telling_endings(mut self, tells_endings: bool) -> Self {
        self.tells_endings = tells_endings;
        self
    }

    /// The lines of an event; empty where it is told elsewhere.
    pub fn lines(&self, event: &RunEvent) -> String {
        let texts = match &event.kind {
            EventKind::Ended(outcome) if self.tells_endings => vec![line::ending(outcome)],
            _ => line::render(event),
        };
        let (elapsed, width) = (human(event.elapsed), self.width);
        let line = |text: &String| format!("{elapsed:>7}  {:<width$}  {text}\n", event.service);
        texts.iter().map(line).collect()
    }

    pub fn print(&mut self, text: &str) {
        (self.out)(text);
    }
}

impl<F: FnMut(&str)> Report for Log<F> {
    fn event(&mut self, event: &RunEvent) {
        let lines = self.lines(event);
        if !lines.is_empty() {
            self.print(&lines);
        }
    }
}

/// The closing words on one service: the findings, the verdict, and the figures of the rollout.
pub fn closing(run: &ServiceRun) -> String {
    let mut out = String::from("\n");
    for found in run.findings() {
        let _ = writeln!(out, "{}", finding::render(found));
    }
    let _ = writeln!(out, "{}", headline(run));
    if let Some(deployment) = &run.deployment {
        let _ = writeln!(out, "  deployment  {deployment}");
    }
    if let Some(address) = run.address() {
        let _ = writeln!(out, "  address     {}", clean(&address.to_string()));
    }
    let phases = phases(run);
    if !phases.is_empty() {
        let _ = writeln!(out, "  phases      {phases}");
    }
    for (index, target) in run.targets.iter().enumerate() {
        let label = if index == 0 { "targets" } else { "" };
        let task = target
            .task
            .as_ref()
            .map(|t| format!("  task {}", &t[..t.len().min(8)]))
            .unwrap_or_default();
        let states: Vec<String> = states(target).into_iter().map(|(s, d)| format!("{s}{d}")).collect();
        let _ = writeln!(
            out,
            "  {label:<10}  {}  {} in {}: {}{task}",
            target.generation.as_str(),
            target.place.1,
            target.place.0.name(),
            states.join(" -> ")
        );
    }
    out
}

/// How many requests the run has sent; a line of its own, because all services share them. `names_calls`: how many of
/// each, which is for whoever looks into the calls.
pub fn requests(counts: &RequestCounts, names_calls: bool) -> String {
    let mut line = format!("  requests    {}", counts.total());
    if names_calls {
        let parts = counts.by_action.iter().map(|(action, n)| format!("{action} {n}"));
        let parts: Vec<String> = parts.collect();
        let _ = write!(line, " ({})", parts.join(", "));
    }
    if counts.throttled + counts.retried > 0 {
        let _ = write!(line, ", {} throttled, {} retried", counts.throttled, counts.retried);
    }
    line.push('\n');
    line
}

fn headline(run: &ServiceRun) -> String {
    let verdict = match run.verdict() {
        _ if run.is_left() => "not touched",
        Verdict::Failed if run.is_rolled_back() => "failed (rolled back)",
        Verdict::NothingToVerify => "nothing to verify",
        Verdict::TimedOut => "timed out",
        Verdict::CouldNotObserve => "could not observe",
        other => other.as_str(),
    };
    let before = run.before.as_ref().map_or("nothing", |arn| arn.short());
    let revisions = match &run.after {
        // What runs was not read, or not to its end.
        None if run.before.is_none() => "as it was".to_owned(),
        _ if run.verdict() == Verdict::Refused => format!("{before} stays"),
        Some(after) if Some(after) == run.before.as_ref() => format!("{before} (unchanged)"),
        Some(after) if run.is_rolled_back() => {
            let back_to = run.back_to.as_ref().map_or(before, |arn| arn.short());
            format!("{before} -> {} -> {back_to}", after.short())
        }
        Some(after) => format!("{before} -> {}", after.short()),
        None => format!("{before} stays"),
    };
    format!(
        "{verdict}: {}  {revisions}  in {}",
        run.request.service,
        human(run.duration)
    )
}

/// `starting 45s, registering 12s, draining 6m 02s`, each phase with all its stays added up.
fn phases(run: &ServiceRun) -> String {
    let mut sums = BTreeMap::<Phase, std::time::Duration>::new();
    for span in &run.phases {
        *sums.entry(span.phase).or_default() += span.duration;
    }
    let parts: Vec<String> = sums
        .iter()
        .map(|(phase, span)| format!("{} {}", phase.as_str(), human(*span)))
        .collect();
    parts.join(", ")
}

/// Each state with how long it lasted; the last one has no end.
fn states(target: &portzero_core::rollout::TargetHistory) -> Vec<(String, String)> {
    let ends = target
        .states
        .iter()
        .skip(1)
        .map(|(_, _, at)| Some(*at))
        .chain(std::iter::once(None));
    target
        .states
        .iter()
        .zip(ends)
        .map(|((state, _, at), end)| {
            (
                state.clone(),
                end.map(|e| format!(" {}", human(e.since(*at)))).unwrap_or_default(),
            )
        })
        .collect()
}
