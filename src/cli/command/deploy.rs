//! `portzero deploy`.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::adapters::clock::SystemClock;
use crate::app::deploy::Pace;
use crate::app::ports::Ports;
use crate::cli::command::plan::{PlanCommand, Prepared};
use crate::cli::connect::seed;
use crate::cli::run;
use crate::cli::stop::Stop;

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    plan: PlanCommand,
    /// Stop before the first change (the same as `plan`)
    #[arg(long, env = "PORTZERO_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

impl Deploy {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        if self.dry_run {
            return self.plan.run().await;
        }
        let Prepared {
            aws,
            signals,
            plans,
            mut outputs,
        } = self.plan.prepare().await?;
        let ports = Ports {
            aws: &aws,
            clock: &SystemClock,
            interrupts: &signals,
        };
        let pace = Pace::jittered(seed());
        run::execute(ports, pace, plans, &mut outputs, || aws.request_counts()).await
    }
}
