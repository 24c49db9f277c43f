//! `portzero deploy`.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::aws::{Connection, ConnectionOptions, WebIdentity};
use crate::cli::plan::PlanCommand;
use crate::cli::signals::Signals;
use crate::cli::{Stop, run, streams};
use crate::clock::SystemClock;
use crate::deploy::Pace;
use crate::finding::Finding;
use crate::report;

#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    plan: PlanCommand,
    /// Stop before the first change (the same as `plan`)
    #[arg(long, env = "PORTZERO_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

impl Deploy {
    pub async fn run(self) -> Result<u8, Stop> {
        if self.dry_run {
            return self.plan.run().await;
        }
        let (aws, plans, mut surfaces) = self.plan.prepare().await?;
        // From here on AWS may be changed, so a signal must not end the program without a word.
        let signals = Signals::listen();
        let world = (&aws, &SystemClock, &signals);
        let pace = Pace::jittered(seed());
        run::execute(world, pace, plans, &mut surfaces, || aws.request_counts()).await
    }
}

pub async fn connect(
    region: Option<String>,
    web_identity: Option<WebIdentity>,
) -> Result<Connection<SystemClock>, Stop> {
    let options = ConnectionOptions {
        region,
        web_identity,
        seed: seed(),
        profile: std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()),
        ..ConnectionOptions::default()
    };
    Connection::open(options, SystemClock)
        .await
        .map_err(|finding| Stop::from(*finding))
}

/// For what is left to chance so that runs keep out of each other's way: another one in each process.
pub fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| std::process::id().into())
}

pub fn warn(warnings: &[Finding]) {
    for finding in warnings {
        streams::tell(report::finding::render(finding).trim_end());
    }
}
