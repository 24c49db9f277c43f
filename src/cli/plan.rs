//! `portzero plan`: everything before the first change.

use clap::Args;

use crate::cli::deploy::{connect, warn};
use crate::cli::options::{Following, Output, Selection};
use crate::cli::{Stop, run, wishes};
use crate::clock::SystemClock;

#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    following: Following,
    #[command(flatten)]
    output: Output,
}

impl PlanCommand {
    pub async fn run(self) -> Result<u8, Stop> {
        self.output.check()?;
        let wishes = wishes::gather(&self.selection, &self.following)?;
        warn(&wishes.warnings);
        let aws = connect(wishes.region.clone()).await?;
        let plans = run::plan_all(&aws, &SystemClock, &wishes, &self.output).await?;
        run::print_plans(&plans, &self.output)
    }
}
