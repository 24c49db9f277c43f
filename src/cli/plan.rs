//! `portzero plan`: everything before the first change.

use clap::Args;

use crate::aws::Connection;
use crate::cli::deploy::{connect, warn};
use crate::cli::options::{Following, Identity, Output, Selection};
use crate::cli::surfaces::{self, Surfaces};
use crate::cli::{Stop, identity, run, wishes};
use crate::clock::SystemClock;
use crate::plan::Plan;
use crate::port::Clock;
use crate::preflight::Survey;

#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    following: Following,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    pub output: Output,
}

impl PlanCommand {
    pub async fn run(self) -> Result<u8, Stop> {
        let (_, plans, mut surfaces) = self.prepare().await?;
        run::show_plans(plans, &mut surfaces).await
    }

    /// The plans, and the AWS that they were made for: a deployment begins with the same.
    pub async fn prepare(&self) -> Result<(Connection<SystemClock>, Vec<(Plan, Survey)>, Surfaces<'_>), Stop> {
        let context = surfaces::surroundings(&self.output.telling);
        self.output.check()?;
        let wishes = wishes::gather(&self.selection, &self.following)?;
        warn(&wishes.warnings);
        let mut surfaces = Surfaces::open(&self.output, &wishes, context.as_ref(), false);
        let end = identity::credentials_end(&self.identity).unwrap_or_else(|ignored| {
            warn(&[ignored]);
            None
        });
        let aws = connect(wishes.region.clone(), identity::web_identity(&self.identity)).await?;
        if let Err(finding) = aws.sign_in().await {
            return Err(run::refuse_all(&wishes, &finding, &mut surfaces, SystemClock.now()).await);
        }
        let mut plans = run::plan_all(&aws, &SystemClock, &wishes, &mut surfaces).await?;
        if let Some(end) = end {
            identity::check_credentials(&mut plans, end, SystemClock.now());
        }
        Ok((aws, plans, surfaces))
    }
}
