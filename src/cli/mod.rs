//! The command line: one file per subcommand. The environment is read here and nowhere below.
#![allow(
    clippy::disallowed_methods,
    reason = "the environment enters the program in this module"
)]
#![deny(
    clippy::print_stderr,
    reason = "these macros panic where a stream is full; see streams.rs"
)]

mod change_targets;
pub mod ci;
pub mod command;
pub mod connect;
mod diagnostics;
mod files;
mod github_channel;
mod options;
mod outputs;
mod rehearsal_world;
mod requests;
mod run;
mod simulator;
mod stop;
pub mod streams;
mod trust;
mod variables;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cli::stop::EXIT_USAGE;
use crate::report;

/// Ships a container to an Amazon ECS service behind a load balancer, and does not say done until the load balancer agrees.
#[derive(Debug, Parser)]
#[command(name = "portzero", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    diagnostics: diagnostics::Diagnostics,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render, plan, register, update, observe, report (changes AWS)
    Deploy(Box<command::deploy::Deploy>),
    /// Everything before the first change (reads AWS)
    Plan(Box<command::plan::PlanAlone>),
    /// The same deployment on the embedded simulator (touches nothing, needs no credentials)
    Rehearse(Box<command::rehearse::Rehearse>),
    /// Join the rollout in flight, whoever began it, and follow it to its verdict (reads AWS)
    Observe(Box<command::observe::Observe>),
    /// Revision, deployments, tasks, targets and address, once (reads AWS)
    Status(Box<command::status::StatusCommand>),
    /// Back to what ran before: out of the deployment in flight, else the last good revision (changes AWS)
    Rollback(Box<command::rollback::Rollback>),
    /// Print the task definition that would be registered
    Render(Box<command::render::Render>),
    /// Write a file to begin with: a scenario from the configuration
    Init(Box<command::init::Init>),
    /// Serve the simulator on 127.0.0.1, for any AWS client
    Simulate(Box<command::simulate::Simulate>),
    /// What the GitHub Action runs: its inputs come as variables
    #[command(hide = true)]
    Action(ci::inputs::Action),
}

/// Parses the arguments, runs, and gives the exit code.
pub fn main() -> ExitCode {
    diagnostics::crash::arm();
    let command = variables::without_empty(Cli::command());
    let parsed = command.clone().try_get_matches();
    let parsed = parsed.inspect(diagnostics::crash::remember);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            print(&error);
            if let Some(name) = variables::at_fault(&command, &error) {
                streams::tell(&format!("note: the value is that of the environment variable {name}"));
            }
            return ExitCode::from(if error.use_stderr() { EXIT_USAGE } else { 0 });
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            streams::tell(&format!("error: the program could not start its event loop: {error}"));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    // A task of the server may outlive the command: nobody waits for it.
    let code = tokio::task::LocalSet::new().block_on(&runtime, cli.run());
    runtime.shutdown_background();
    streams::settle();
    ExitCode::from(code)
}

/// Help is what was asked for; a slip is told.
fn print(error: &clap::Error) {
    let text = error.render().to_string();
    if error.use_stderr() {
        streams::tell(text.trim_end());
    } else {
        // There is nothing to lose but the help, and stderr has been told.
        let _ = streams::hand_over(&text);
    }
}

impl Cli {
    async fn run(self) -> u8 {
        let listening = self.diagnostics.listen();
        let code = self.command.run().await;
        listening.into_iter().for_each(diagnostics::Summary::tell);
        code
    }
}

impl Command {
    async fn run(self) -> u8 {
        let result = match self {
            Self::Deploy(command) => command.run().await,
            Self::Plan(command) => command.run().await,
            Self::Rehearse(command) => command.run().await,
            Self::Rollback(command) => command.run().await,
            Self::Observe(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::Render(command) => command.run(),
            Self::Init(command) => command.run(),
            Self::Simulate(command) => command.run().await,
            Self::Action(action) => match action.command::<Cli>() {
                Ok(command) => return Box::pin(command.run()).await,
                Err(stop) => Err(stop),
            },
        };
        result.unwrap_or_else(|stop| {
            for finding in &stop.findings {
                streams::tell(&report::finding::render(finding));
            }
            if !stop.is_told {
                outputs::stopped(&stop.findings);
            }
            stop.code
        })
    }
}
