//! `portzero deploy`.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::aws::{Connection, ConnectionOptions, WebIdentity};
use crate::cli::options::Identity;
use crate::cli::plan::{PlanCommand, Prepared};
use crate::cli::surfaces::Surfaces;
use crate::cli::wishes::Wishes;
use crate::cli::{Stop, identity, run, streams};
use crate::clock::SystemClock;
use crate::deploy::Pace;
use crate::finding::Finding;
use crate::port::{Clock, Interrupts, RequestCounts};
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
        let Prepared {
            aws,
            signals,
            plans,
            mut surfaces,
        } = self.plan.prepare().await?;
        let world = (&aws, &SystemClock, &signals);
        let pace = Pace::jittered(seed());
        run::execute(world, pace, plans, &mut surfaces, || aws.request_counts()).await
    }
}

/// The connection that the run's changes go through, signed in. A signal ends the wait for it.
pub async fn sign_in(
    wishes: &Wishes,
    identity: &Identity,
    interrupts: &impl Interrupts,
    surfaces: &mut Surfaces<'_>,
) -> Result<Connection<SystemClock>, Stop> {
    let started_at = SystemClock.now();
    let web_identity = identity::web_identity(identity);
    match run::unless_interrupted(interrupts, connect(wishes.region.clone(), web_identity)).await {
        Some(Ok(Ok(aws))) => Ok(aws),
        Some(Ok(Err(finding))) => Err(run::refuse_all(wishes, &finding, surfaces, SystemClock.now()).await),
        Some(Err(stop)) => Err(stop),
        None => {
            let span = (started_at, SystemClock.now());
            Err(run::interrupt(wishes, &RequestCounts::default(), span, surfaces).await)
        }
    }
}

/// Opens the connection and signs in. The inner error says why AWS does not let us in.
pub async fn connect(
    region: Option<String>,
    web_identity: Option<WebIdentity>,
) -> Result<Result<Connection<SystemClock>, Box<Finding>>, Stop> {
    let options = ConnectionOptions {
        region,
        web_identity,
        seed: seed(),
        profile: std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()),
        ..ConnectionOptions::default()
    };
    let aws = Connection::open(options, SystemClock)
        .await
        .map_err(|finding| Stop::from(*finding))?;
    Ok(aws.sign_in().await.map(|()| aws))
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
