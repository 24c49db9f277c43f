//! `portzero rehearse`: the deployment itself, through the real SDK and the real wire, against an in-process simulator
//! whose time moves when the program sleeps.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::path::PathBuf;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::text::counted;
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::port::Clock;
use portzero_core::rollout::Verdict;
use portzero_sim::scenario::Scenario;
use portzero_sim::wire::{TimeSource, server};
use portzero_sim::world::World;

use crate::adapters::aws::{Connection, ConnectionOptions, StaticCredentials};
use crate::adapters::clock::SystemClock;
use crate::adapters::signals::Signals;
use crate::app::deploy;
use crate::app::deploy::Pace;
use crate::app::ports::Ports;
use crate::cli::options::{Following, Output, Selection};
use crate::cli::outputs::RunOutputs;
use crate::cli::requests::DeployRequests;
use crate::cli::stop::Stop;
use crate::cli::trust::TrustBase;
use crate::cli::{files, outputs, rehearsal_world, requests, run, simulator, streams};

#[derive(Debug, Args)]
#[command(after_help = faults_help())]
pub(crate) struct Rehearse {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    following: Following,
    #[command(flatten)]
    trust: TrustBase,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    world: WorldOptions,
    /// How fast to watch it
    #[arg(long, value_name = "instant|1x|10x", default_value = "instant", value_parser = speed)]
    speed: Speed,
    /// Stop before the first change (the same as `plan`, on the simulator)
    #[arg(long, env = "PORTZERO_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

/// Which world, and what goes wrong in it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WorldOptions {
    /// Scenario file [default: made from the configuration]
    #[arg(long, value_name = "PATH")]
    pub scenario: Option<PathBuf>,
    /// Something that goes wrong (repeatable): one of the faults below, with the keys of a scenario file behind it
    #[arg(long = "fault", value_name = "NAME[,KEY=VALUE]")]
    pub faults: Vec<String>,
    /// Seed of the world's randomness: the same seed gives the same run
    #[arg(long)]
    pub seed: Option<u64>,
}

/// Virtual seconds in a real one; zero is as fast as it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Speed(f64);

pub(crate) fn speed(text: &str) -> Result<Speed, String> {
    if text == "instant" {
        return Ok(Speed(0.0));
    }
    let factor = text.strip_suffix('x').and_then(|number| number.parse::<f64>().ok());
    let factor = factor.filter(|f| f.is_finite() && *f > 0.0 && *f <= 100_000.0);
    factor
        .map(Speed)
        .ok_or_else(|| format!("expected `instant` or a factor such as `10x`, got {text:?}"))
}

impl Speed {
    pub(crate) fn factor(self) -> f64 {
        self.0
    }
}

impl Rehearse {
    pub(crate) async fn run(mut self) -> Result<u8, Stop> {
        let context = outputs::ci_context(&self.output.telling);
        self.output.check()?;
        let given = self.world.read()?;
        if let Some(scenario) = &given {
            fill_in(&mut self.selection, scenario);
        }
        self.trust.hold(&self.selection, &self.output.telling).await?;
        let requests = requests::gather(&self.selection, &self.following)?;
        streams::warn(&requests.warnings);
        let mut outputs = RunOutputs::open(&self.output, &requests, context.as_ref(), true);
        let mut is_staged = false;
        let mut scenario = match given {
            Some(mut scenario) => {
                scenario.region = self.selection.which.region.take().unwrap_or(scenario.region);
                scenario
            }
            None => {
                check(&requests, &mut outputs).await?;
                is_staged = true;
                rehearsal_world::scenario(&requests)
            }
        };
        self.world.apply(&mut scenario)?;
        let deployed = rehearsal_world::definitions(&requests);
        streams::warn(&simulator::warnings(&scenario.ineffective_faults(Some(&deployed))));
        let signals = Signals::listen();
        streams::tell(&introduction(&scenario));
        if is_staged {
            rehearsal_world::made_up_balancers(&requests, &scenario)
                .iter()
                .for_each(|line| streams::tell(line));
        }
        let world = open_world(&scenario)?;
        let clock = WorldClock::of(&world, self.speed);
        let endpoint = serve(world, clock.clone()).await?;
        let options = ConnectionOptions {
            region: Some(scenario.region.clone()),
            endpoint_url: Some(endpoint),
            credentials: Some(StaticCredentials::dummy()),
            seed: scenario.seed,
            on_secret: streams::secrets(),
            ..ConnectionOptions::default()
        };
        let aws = Connection::open(options, clock.clone())
            .await
            .map_err(|finding| Stop::from(*finding))?;
        let ports = Ports {
            aws: &aws,
            clock: &clock,
            interrupts: &signals,
        };
        let plans = run::plan_all(ports, &requests, &mut outputs, || aws.request_counts()).await?;
        if self.dry_run {
            return run::show_plans(plans, &mut outputs).await;
        }
        let code = run::execute(ports, Pace::even(), plans, &mut outputs, || aws.request_counts()).await?;
        if code == Verdict::Interrupted.exit_code() {
            streams::tell("(rehearsal: the simulated rollout ends with this program)");
        }
        Ok(code)
    }
}

impl WorldOptions {
    pub(crate) fn read(&self) -> Result<Option<Scenario>, Stop> {
        let Some(path) = &self.scenario else { return Ok(None) };
        let (text, name) = (files::read(path)?, path.display().to_string());
        simulator::read(&text, &name).map(Some).map_err(Stop::usage)
    }

    pub(crate) fn apply(&self, scenario: &mut Scenario) -> Result<(), Stop> {
        for fault in &self.faults {
            scenario.add_fault(fault).map_err(simulator::finding)?;
        }
        if let Some(seed) = self.seed {
            scenario.seed = seed;
        }
        Ok(())
    }
}

/// The simulated running revision is made from the user's own definition: without this, a mistake in it would seem to
/// run already.
async fn check(requests: &DeployRequests, outputs: &mut RunOutputs<'_>) -> Result<(), Stop> {
    // The time that the world would begin at: a rehearsal's report tells the same each time.
    let now = simulator::time(open_world(&Scenario::default())?.borrow().now());
    let now = Moment::after(now, Duration::ZERO);
    let refused = deploy::check_documents(&requests.requests, now);
    if refused.is_empty() {
        Ok(())
    } else {
        Err(run::refuse(refused, outputs, now).await)
    }
}

/// Every fault with what it does, for the end of a command's help.
pub(crate) fn faults_help() -> String {
    let mut text = String::from("Faults:\n");
    for (name, what) in portzero_sim::fault_names() {
        text.push_str(&format!("  {name:<20} {what}\n"));
    }
    text
}

/// What is rehearsed on, in one line: nobody shall take it for AWS.
fn introduction(scenario: &Scenario) -> String {
    let instances: u32 = scenario.instances.iter().map(|i| i.count).sum();
    let instances = counted(instances, "instance");
    let faults: Vec<&str> = scenario.faults.iter().map(|f| f.fault.name()).collect();
    let wrong = if faults.is_empty() {
        String::new()
    } else {
        format!(", with the fault {}", faults.join(" and "))
    };
    format!(
        "rehearsal on a simulated cluster `{}` of {instances}, seed {}{wrong}; AWS is not touched",
        scenario.cluster, scenario.seed
    )
}

/// A scenario with one service needs no `--cluster` and `--service`.
fn fill_in(selection: &mut Selection, scenario: &Scenario) {
    if selection.which.config.is_some() || !selection.which.services.is_empty() {
        return;
    }
    let only = match scenario.services.as_slice() {
        [only] => Some(only),
        services => services
            .iter()
            .find(|s| Some(&s.name) == selection.which.service.as_ref()),
    };
    if let Some(service) = only {
        selection.which.service.get_or_insert_with(|| service.name.clone());
        selection
            .which
            .cluster
            .get_or_insert_with(|| service.cluster.clone().unwrap_or_else(|| scenario.cluster.clone()));
    }
}

pub(crate) fn open_world(scenario: &Scenario) -> Result<Rc<RefCell<World>>, Stop> {
    let world = World::new(scenario).map_err(|why| {
        Stop::from(Finding::error(
            Code::Config,
            format!("the simulated world cannot begin: {why}"),
        ))
    })?;
    Ok(Rc::new(RefCell::new(world)))
}

/// Serves the world on a free loopback port, and gives its address.
async fn serve(world: Rc<RefCell<World>>, clock: WorldClock) -> Result<String, Stop> {
    let cannot = |error: std::io::Error| {
        Stop::from(Finding::error(
            Code::Config,
            format!("the simulator cannot listen on 127.0.0.1: {error}"),
        ))
    };
    let listener = server::bind(0).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    // Virtual time moves by the clock alone, so nothing happens before a request; what is not modelled is no news here.
    tokio::task::spawn_local(server::serve(listener, world, clock, |_| {}));
    Ok(format!("http://{address}"))
}

/// Virtual time: to sleep is to let the world go on.
#[derive(Clone)]
struct WorldClock {
    world: Rc<RefCell<World>>,
    /// What the caller's clock showed when the run began, and what time that was in the world.
    begun: (Timestamp, portzero_sim::Timestamp),
    speed: Speed,
    /// The time that something must be done by: no answer and no pause moves the world beyond it.
    until: Rc<Cell<Option<portzero_sim::Timestamp>>>,
}

impl WorldClock {
    fn of(world: &Rc<RefCell<World>>, speed: Speed) -> Self {
        let begun = world.borrow();
        Self {
            world: Rc::clone(world),
            begun: (simulator::time(begun.callers_time()), begun.now()),
            speed,
            until: Rc::default(),
        }
    }
}

impl TimeSource for WorldClock {
    fn tick(&self, _world: &mut World) {}

    fn client_waits_until(&self) -> Option<portzero_sim::Timestamp> {
        self.until.get()
    }
}

/// Holds a limit for as long as somebody waits for it.
struct Limit<'c>(&'c WorldClock);

impl Drop for Limit<'_> {
    fn drop(&mut self) {
        self.0.until.set(None);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Moment {
        let (shown, begun) = self.begun;
        Moment::after(shown, self.world.borrow().now().since(begun))
    }

    async fn sleep(&self, span: Duration) {
        let left = self.until.get().map(|until| until.since(self.world.borrow().now()));
        let slept = left.map_or(span, |left| left.min(span));
        if self.speed.0 > 0.0 {
            SystemClock.sleep(slept.div_f64(self.speed.0)).await;
        }
        let to = self.world.borrow().now() + slept;
        self.world.borrow_mut().advance(to);
        if slept < span {
            // Whoever set the limit is to see that it is reached, and drops this.
            tokio::task::yield_now().await;
            std::future::pending::<()>().await;
        }
    }

    async fn reached(&self, at: Moment) {
        let left = at.since(self.now());
        self.until.set(Some(self.world.borrow().now() + left));
        let _limit = Limit(self);
        let is_reached = move |_: &mut Context<'_>| match self.now() >= at {
            true => Poll::Ready(()),
            false => Poll::Pending,
        };
        poll_fn(is_reached).await;
    }
}
