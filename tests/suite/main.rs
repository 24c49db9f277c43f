//! The tests of the whole: through the public interface, and with other people's programs.
// A test's file stands beside the folder with its parts, so that the list of tests is the list of files.
#![allow(clippy::self_named_module_files)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests start programs, read their environment, wait for them, and stop where they meet what they did not expect"
)]

#[cfg(unix)]
mod action;
#[cfg(unix)]
mod action_agreement;
#[cfg(unix)]
mod action_bootstrap;
mod adapters;
mod address;
mod aws_environment;
mod aws_model;
mod bad_files;
mod bounded_reads;
mod chaos;
mod classic;
mod clients;
mod config;
mod control;
mod corpus;
mod diagnostics;
mod differential;
mod emulators_page;
mod events_page;
mod files_as_people_have_them;
mod findings_page;
mod flags;
mod github;
mod github_interleavings;
mod github_oracle;
mod github_records;
mod github_seeking;
mod github_wire;
mod init;
mod injection;
mod internal_error;
mod many;
mod ministack;
mod misbehaviour;
mod moto;
mod moto_deploy;
mod other_clients;
mod permissions;
mod readme;
mod reattach;
mod recorded_causes;
mod recorded_sequences;
mod recordings;
mod refusals;
mod rollback;
mod scenario_index;
mod scenario_schema;
mod security_page;
mod served;
#[cfg(unix)]
mod signals;
mod simulate;
mod simulator_page;
mod success_page;
mod supply_chain;
mod support;
mod task_definition_files;
mod task_definition_keys;
mod task_definition_properties;
#[cfg(unix)]
mod telling;
mod throttling;
mod trust_base;
mod two_processes;
mod values;
mod values_program;
mod web_identity;
mod wire;
mod worlds;
