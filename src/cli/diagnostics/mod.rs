//! What this program tells of its own calls to AWS and GitHub, where it is asked to (`-v`, `-vv`, `PORTZERO_LOG`). Every
//! line goes through `streams`, and so through the same redaction as all else.
//!
//! The subscriber takes the events of this program's adapters alone. What the libraries below them trace is not theirs to
//! show: it has headers, bodies and signatures in it.
//!
//! * `crash`: what is told where the program itself fails

pub(super) mod crash;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{ArgAction, Args, ValueEnum};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::adapters::watch::{ATTEMPT, CALL};
use crate::cli::streams;
use crate::report::text::clean;

#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct Diagnostics {
    /// Tell of calls to AWS and GitHub that failed or were repeated; -vv of every attempt
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// The same by name: `calls` is -v, `attempts` is -vv
    #[arg(long, value_enum, value_name = "calls|attempts", env = "PORTZERO_LOG", global = true)]
    log: Option<Depth>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Depth {
    /// A line a call that failed or was repeated
    Calls,
    /// A line an attempt
    Attempts,
}

impl Diagnostics {
    /// Listens from now on. `None` where nothing is to be told, or where somebody listens already.
    pub(super) fn listen(self) -> Option<Summary> {
        let flag = match self.verbose {
            0 => None,
            1 => Some(Depth::Calls),
            _ => Some(Depth::Attempts),
        };
        let summary = Summary::default();
        let listener = Listener {
            depth: flag.max(self.log)?,
            counts: Arc::clone(&summary.0),
        };
        let listening = tracing::subscriber::set_global_default(listener);
        listening.ok().map(|()| summary)
    }
}

/// Whether `-v` or `--log` asks for more than how the run went.
pub(super) fn tells_calls() -> bool {
    tracing::event_enabled!(target: CALL, tracing::Level::INFO)
}

/// What all the calls of the run come to.
#[derive(Debug, Default)]
pub(super) struct Summary(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    calls: u64,
    failed: u64,
    repeated: u64,
    millis: u64,
    longest: Option<(u64, String)>,
}

impl Summary {
    pub(super) fn tell(self) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = format!(
            "calls: {}, of which {} failed and {} were repeated; {}ms in all",
            counts.calls, counts.failed, counts.repeated, counts.millis
        );
        if let Some((millis, action)) = &counts.longest {
            let _ = write!(line, ", {millis}ms in the longest ({action})");
        }
        streams::tell(&line);
    }
}

struct Listener {
    depth: Depth,
    counts: Arc<Mutex<Counts>>,
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && matches!(metadata.target(), ATTEMPT | CALL)
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::default();
        event.record(&mut told);
        let is_call = event.metadata().target() == CALL;
        if is_call {
            self.counts.lock().unwrap_or_else(PoisonError::into_inner).add(&told);
        }
        let is_shown = match self.depth {
            Depth::Calls => is_call && (told.is_failed || told.attempts > 1),
            Depth::Attempts => !is_call,
        };
        if is_shown {
            streams::tell(&told.line(is_call));
        }
    }

    // Spans are the libraries' and are not enabled.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Counts {
    fn add(&mut self, told: &Told) {
        self.calls += 1;
        self.failed += u64::from(told.is_failed);
        self.repeated += u64::from(told.attempts > 1);
        self.millis = self.millis.saturating_add(told.millis);
        if self.longest.as_ref().is_none_or(|(millis, _)| told.millis > *millis) {
            self.longest = Some((told.millis, told.words.get("action").cloned().unwrap_or_default()));
        }
    }
}

/// The fields of one event.
#[derive(Default)]
struct Told {
    attempts: u64,
    millis: u64,
    is_failed: bool,
    words: BTreeMap<&'static str, String>,
}

impl Told {
    /// `call: ecs:DescribeServices, attempt 1: answered in 34ms, request 0123`.
    fn line(&self, is_call: bool) -> String {
        let word = |name| self.words.get(name).map_or("", String::as_str);
        let plural = if self.attempts == 1 { "" } else { "s" };
        let which = match is_call {
            true => format!("{} attempt{plural}", self.attempts),
            false => format!("attempt {}", self.attempts),
        };
        let mut line = format!(
            "call: {}, {which}: {} in {}ms",
            word("action"),
            word("outcome"),
            self.millis
        );
        for (label, name) in [(", request ", "request_id"), (": ", "message")] {
            if !word(name).is_empty() {
                let _ = write!(line, "{label}{}", word(name));
            }
        }
        clean(&line)
    }
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "attempts" => self.attempts = value,
            "duration_ms" => self.millis = value,
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.is_failed |= value && field.name() == "is_failed";
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.words.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
