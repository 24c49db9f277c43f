//! A panic is an end like any other: it has a finding, a report, outputs, a summary and an exit code of its own.
//!
//! All of that happens in the hook, because the released program is built without unwinding: after the hook there is
//! nothing. So a panic on any thread, caught or not, ends the process here, and debug builds do the same.

use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, TryLockError};

use clap::ArgMatches;

use crate::cli::{outputs, streams};
use crate::report;
use crate::report::internal_error;

/// `EX_SOFTWARE` of sysexits.
const EXIT_INTERNAL: i32 = 70;

/// Where the user wants the report.
static REPORT: Mutex<Option<PathBuf>> = Mutex::new(None);
/// Whether the command is one that changes AWS.
static CHANGES_AWS: AtomicBool = AtomicBool::new(false);
/// The commands that change AWS.
const CHANGING: [&str; 2] = ["deploy", "rollback"];

/// From now on a panic is told.
pub(crate) fn arm() {
    std::panic::set_hook(Box::new(|info| {
        end(info);
    }));
}

/// Keeps what the end of a panic has to know, as soon as the flags are read.
pub(crate) fn remember(matches: &ArgMatches) {
    let Some((command, flags)) = matches.subcommand() else {
        return;
    };
    CHANGES_AWS.store(CHANGING.contains(&command), Ordering::Relaxed);
    let path = flags.try_get_one::<PathBuf>("report").ok().flatten();
    if let (Some(path), Ok(mut report)) = (path, REPORT.lock()) {
        *report = Some(std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    }
}

#[allow(clippy::exit, reason = "behind the hook there is only the abort")]
fn end(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|place| (place.file(), place.line()));
    let literal = info.payload().downcast_ref::<&'static str>().copied();
    let formatted = info.payload().downcast_ref::<String>().map(String::as_str);
    let finding = internal_error::finding(place, literal, formatted, CHANGES_AWS.load(Ordering::Relaxed));
    streams::tell(&report::finding::render(&finding));
    // Not waited for: whoever holds it may be the one that panics.
    let path = match REPORT.try_lock() {
        Ok(path) => path.clone(),
        Err(TryLockError::Poisoned(path)) => path.into_inner().clone(),
        Err(TryLockError::WouldBlock) => None,
    };
    outputs::broken(&finding, path.as_deref());
    std::process::exit(EXIT_INTERNAL);
}

/// Something to test this with, in builds for development alone.
#[cfg(debug_assertions)]
pub(crate) fn rehearse(moment: &str) {
    if std::env::var("PORTZERO_TEST_PANIC").is_ok_and(|wanted| wanted == moment) {
        panic!("a panic was asked for: {moment}");
    }
}

#[cfg(not(debug_assertions))]
pub(crate) fn rehearse(_moment: &str) {}
