//! `portzero plan`: everything before the first change.

use clap::Args;
use portzero_core::plan::Plan;
use portzero_core::plan::survey::Survey;
use portzero_core::port::Clock;

use crate::adapters::aws::Connection;
use crate::adapters::clock::SystemClock;
use crate::adapters::signals::Signals;
use crate::app::ports::Ports;
use crate::cli::ci::identity;
use crate::cli::connect::sign_in;
use crate::cli::options::{Following, Identity, Output, Selection};
use crate::cli::outputs::RunOutputs;
use crate::cli::stop::Stop;
use crate::cli::streams::warn;
use crate::cli::trust::TrustBase;
use crate::cli::{outputs, requests, run};

/// The exit code of a plan that would change what runs, where that is asked for.
const CHANGES: u8 = 10;

/// `portzero plan`, as it stands on the command line.
#[derive(Debug, Args)]
pub(crate) struct PlanAlone {
    #[command(flatten)]
    plan: PlanCommand,
    /// Exit with 10 instead of 0 where the definition of a service would change
    #[arg(long)]
    detailed_exit_code: bool,
}

impl PlanAlone {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        let Prepared { plans, mut outputs, .. } = self.plan.prepare().await?;
        let changes = plans.iter().any(|(plan, _)| plan.changes_what_runs());
        let code = run::show_plans(plans, &mut outputs).await?;
        Ok(if code == 0 && changes && self.detailed_exit_code {
            CHANGES
        } else {
            code
        })
    }
}

/// What a deployment begins with as well.
#[derive(Debug, Args)]
pub(crate) struct PlanCommand {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    following: Following,
    #[command(flatten)]
    trust: TrustBase,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    pub output: Output,
}

impl PlanCommand {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        let Prepared { plans, mut outputs, .. } = self.prepare().await?;
        run::show_plans(plans, &mut outputs).await
    }

    /// A deployment begins with the same.
    pub(crate) async fn prepare(&self) -> Result<Prepared<'_>, Stop> {
        let context = outputs::ci_context(&self.output.telling);
        self.output.check()?;
        self.trust.hold(&self.selection, &self.output.telling).await?;
        let requests = requests::gather(&self.selection, &self.following)?;
        warn(&requests.warnings);
        let mut outputs = RunOutputs::open(&self.output, &requests, context.as_ref(), false);
        let end = identity::credentials_end(&self.identity).unwrap_or_else(|ignored| {
            warn(&[ignored]);
            None
        });
        let signals = Signals::listen();
        let aws = sign_in(&requests, &self.identity, &signals, &mut outputs).await?;
        let ports = Ports {
            aws: &aws,
            clock: &SystemClock,
            interrupts: &signals,
        };
        let mut plans = run::plan_all(ports, &requests, &mut outputs, || aws.request_counts()).await?;
        if let Some(end) = end {
            identity::check_credentials(&mut plans, end, SystemClock.now());
        }
        Ok(Prepared {
            aws,
            signals,
            plans,
            outputs,
        })
    }
}

/// The plans, the AWS that they were made for, and who listens since before that.
pub(crate) struct Prepared<'o> {
    pub aws: Connection<SystemClock>,
    pub signals: Signals,
    pub plans: Vec<(Plan, Survey)>,
    pub outputs: RunOutputs<'o>,
}
