//! `portzero simulate`: the simulator for any AWS client, on 127.0.0.1.

use std::cell::Cell;

use clap::Args;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::text::shell;
use portzero_core::base::time::Moment;
use portzero_core::port::{Clock, Interrupts};
use portzero_sim::scenario::Scenario;
use portzero_sim::wire::{TimeSource, server};
use portzero_sim::world::World;

use crate::adapters::clock::SystemClock;
use crate::adapters::signals::Signals;
use crate::cli::command::rehearse::{Speed, WorldOptions, faults_help, open_world, speed};
use crate::cli::options::{Following, Selection};
use crate::cli::stop::Stop;
use crate::cli::{rehearsal_world, requests, simulator, streams};
use crate::report::text::clean;

/// What is served where neither a scenario nor a configuration is named: a service of two tasks that rolls out one
/// task at a time, so that every state of a rollout can be seen.
const DEMO: &str = include_str!("demo.yml");

#[derive(Debug, Args)]
#[command(after_help = faults_help())]
pub(crate) struct Simulate {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    world: WorldOptions,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// How fast time goes
    #[arg(long, value_name = "FACTORx", default_value = "1x", value_parser = speed)]
    speed: Speed,
    /// When its time begins, such as 2026-01-01T12:00:00Z [default: the scenario's `start`, else now]
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Print the JSON Schema of scenario files, and do nothing else
    #[arg(long)]
    schema: bool,
}

impl Simulate {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        if self.schema {
            streams::hand_over(portzero_sim::SCHEMA)?;
            return Ok(0);
        }
        let mut scenario = self.scenario()?;
        self.world.apply(&mut scenario)?;
        // Its clients have a real clock, and would take an age of months off any other beginning.
        scenario.start = Some(match (self.start.clone(), scenario.start.take()) {
            (Some(start), _) | (None, Some(start)) => start,
            (None, None) => SystemClock.now().to_string(),
        });
        streams::warn(&simulator::warnings(&scenario.ineffective_faults(None)));
        let world = open_world(&scenario)?;
        let cannot = |error: std::io::Error| {
            Stop::from(Finding::error(
                Code::Config,
                format!("the simulator cannot listen on port {}: {error}", self.port),
            ))
        };
        let listener = server::bind(self.port).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        // Whoever reads the address may signal at once.
        let signals = Signals::listen();
        tokio::task::yield_now().await;
        streams::hand_over(&instructions(&format!("http://{address}"), &scenario))?;
        let clockwork = Clockwork::new(self.speed, world.borrow().now());
        tokio::select! {
            served = server::serve(listener, world, clockwork, streams::tell) => served.map_err(cannot)?,
            () = signals.interrupted() => {}
        }
        Ok(0)
    }

    fn scenario(&self) -> Result<Scenario, Stop> {
        let which = &self.selection.which;
        let given = match self.world.read()? {
            None if which.names().is_empty() && which.config.is_none() && which.environment.is_none() => Some(demo()?),
            given => given,
        };
        if let Some(mut scenario) = given {
            scenario.region = which.region.clone().unwrap_or(scenario.region);
            return Ok(scenario);
        }
        let requests = requests::gather(&self.selection, &Following::default())?;
        streams::warn(&requests.warnings);
        Ok(rehearsal_world::scenario(&requests))
    }
}

fn demo() -> Result<Scenario, Stop> {
    simulator::read(DEMO, "demo").map_err(Stop::usage)
}

/// Binds virtual time to the wall's.
struct Clockwork {
    /// A moment of the wall's, the virtual one that it was, and virtual seconds in a real one since then.
    pace: Cell<(Moment, portzero_sim::Timestamp, f64)>,
}

impl Clockwork {
    fn new(speed: Speed, start: portzero_sim::Timestamp) -> Self {
        let factor = if speed.factor() > 0.0 { speed.factor() } else { 1.0 };
        Self {
            pace: Cell::new((SystemClock.now(), start, factor)),
        }
    }
}

impl TimeSource for Clockwork {
    fn tick(&self, world: &mut World) {
        let (real, virtual_then, factor) = self.pace.get();
        let now = SystemClock.now();
        world.set_clients_now(simulator::moment(now.wall()));
        world.advance(virtual_then + now.since(real).mul_f64(factor));
    }

    fn speed(&self) -> Option<f64> {
        Some(self.pace.get().2)
    }

    fn set_speed(&self, world: &mut World, factor: f64) -> bool {
        self.tick(world);
        self.pace.set((SystemClock.now(), world.now(), factor));
        true
    }

    fn rebase(&self, world: &World) {
        self.pace.set((SystemClock.now(), world.now(), self.pace.get().2));
    }
}

/// What to paste into another shell, and what is there to deploy to.
fn instructions(endpoint: &str, scenario: &Scenario) -> String {
    let region = shell(&scenario.region);
    // boto3 and version 1 of the AWS CLI read the second name of the region alone, the SDKs the first.
    let mut text = format!(
        "export AWS_ENDPOINT_URL={endpoint}\n\
         export AWS_ACCESS_KEY_ID=portzero AWS_SECRET_ACCESS_KEY=portzero\n\
         export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n"
    );
    text.push_str(&format!(
        "# {}\n",
        clean(&portzero_sim::describe_network(&scenario.region))
    ));
    for service in &scenario.services {
        let cluster = service.cluster.as_ref().unwrap_or(&scenario.cluster);
        text.push_str(&format!(
            "# cluster {}, service {} with {} tasks\n",
            clean(cluster),
            clean(&service.name),
            service.desired_count
        ));
    }
    text
}
