//! The `PORTZERO_…` variables: an empty one counts as not given, and a mistake in one is told with its name.

use std::ffi::OsStr;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

/// Forgets the variables that are empty: CI systems set one to nothing where its source has no value.
pub(super) fn without_empty(command: Command) -> Command {
    let without = |arg| if is_empty(&arg) { unset(arg) } else { arg };
    command
        .mut_args(without)
        .mut_subcommands(|subcommand| subcommand.mut_args(without))
}

fn is_empty(arg: &Arg) -> bool {
    arg.get_env()
        .and_then(std::env::var_os)
        .is_some_and(|value| value.to_str().is_some_and(|text| text.trim().is_empty()))
}

fn unset(arg: Arg) -> Arg {
    arg.env(Resettable::Reset)
}

/// The variable that a wrong value came from, where it did not come from the command line.
pub(super) fn at_fault(command: &Command, error: &clap::Error) -> Option<String> {
    let given: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    behind(command, &given, error)
}

/// The same for a command line that this program has made itself.
pub(super) fn behind<S: AsRef<str>>(command: &Command, line: &[S], error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let flag = text(ContextKind::InvalidArg)?.split([' ', '=', '[']).next()?;
    let value = text(ContextKind::InvalidValue)?;
    if line
        .iter()
        .any(|argument| argument.as_ref().split('=').next() == Some(flag))
    {
        return None;
    }
    let subcommands = command.get_subcommands().flat_map(Command::get_arguments);
    let variables = command.get_arguments().chain(subcommands).filter(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        long.as_deref() == Some(flag)
    });
    variables
        .filter_map(Arg::get_env)
        .find(|name| std::env::var_os(name).as_deref() == Some(OsStr::new(value)))
        .map(|name| name.to_string_lossy().into_owned())
}
