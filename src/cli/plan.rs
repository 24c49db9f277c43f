//! `portzero plan`: everything before the first change.

use clap::Args;

use crate::aws::Connection;
use crate::cli::deploy::{connect, warn};
use crate::cli::options::{Following, Output, Selection};
use crate::cli::surfaces::Surfaces;
use crate::cli::{Stop, run, wishes};
use crate::clock::SystemClock;
use crate::plan::Plan;
use crate::preflight::Survey;

#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    following: Following,
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
        self.output.check()?;
        let wishes = wishes::gather(&self.selection, &self.following)?;
        warn(&wishes.warnings);
        let mut surfaces = Surfaces::open(&self.output, &wishes, false);
        let aws = connect(wishes.region.clone()).await?;
        let plans = run::plan_all(&aws, &SystemClock, &wishes, &mut surfaces).await?;
        Ok((aws, plans, surfaces))
    }
}
