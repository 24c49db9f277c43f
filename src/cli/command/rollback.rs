//! `portzero rollback`: back to what ran before. Where a deployment is in flight, ECS is asked to roll it back; else the
//! last revision that ran well is deployed, by the path of every deployment.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use portzero_core::aws_model::service::ServiceDeployment;
use portzero_core::base::finding::Finding;
use portzero_core::plan::Plan;
use portzero_core::plan::survey::Survey;
use portzero_core::port::Clock;

use crate::adapters::aws::Connection;
use crate::adapters::clock::SystemClock;
use crate::adapters::signals::Signals;
use crate::app::deploy::{Pace, Run};
use crate::app::ports::Ports;
use crate::app::rollback::Lead;
use crate::app::{deploy, rollback};
use crate::cli::connect::{seed, sign_in};
use crate::cli::options::{Following, Identity, Output, Selection, Waiting, Which};
use crate::cli::outputs::RunOutputs;
use crate::cli::requests::DeployRequests;
use crate::cli::run::Story;
use crate::cli::stop::Stop;
use crate::cli::streams::warn;
use crate::cli::{outputs, requests, run};
use crate::{config, report};

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The service: of the configuration, by name or alias; with --cluster by its name in ECS
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
    /// Service, by name; with --cluster no file is needed
    #[arg(id = "by_name", long = "service", value_name = "NAME", env = "PORTZERO_SERVICE")]
    by_name: Option<String>,
    /// The revision to go back to: `FAMILY:REVISION`, or its number in the service's family [default: the last good one]
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
    /// Configuration file [default: portzero.yml, else deployfish.yml, else none is needed]
    #[arg(long, value_name = "PATH", env = "PORTZERO_CONFIG")]
    config: Option<PathBuf>,
    /// One of the file's `environments:` [default: the one whose branch matches the ref]
    #[arg(long, value_name = "NAME", env = "PORTZERO_ENVIRONMENT")]
    environment: Option<String>,
    /// Cluster, by name
    #[arg(long, value_name = "NAME", env = "PORTZERO_CLUSTER")]
    cluster: Option<String>,
    /// AWS region [default: the file's, else the environment's]
    #[arg(long, value_name = "REGION", env = "PORTZERO_REGION")]
    region: Option<String>,
    /// Value for `${NAME}` in the configuration (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE")]
    vars: Vec<String>,
    /// How long to wait in all, with a unit [default: twice the forecast, at least 10m]
    #[arg(long, value_name = "DURATION", env = "PORTZERO_TIMEOUT", value_parser = config::duration)]
    timeout: Option<Duration>,
    /// Stop before the first change, and print where it would lead
    #[arg(long, env = "PORTZERO_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    output: Output,
}

impl Rollback {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        let context = outputs::ci_context(&self.output.telling);
        self.output.check()?;
        let requests = self.requests()?;
        let mut outputs = RunOutputs::open(&self.output, &requests, context.as_ref(), false);
        let signals = Signals::listen();
        let aws = sign_in(&requests, &self.identity, &signals, &mut outputs).await?;
        let ports = Ports {
            aws: &aws,
            clock: &SystemClock,
            interrupts: &signals,
        };
        let counts = || aws.request_counts();
        let started_at = SystemClock.now();
        let mut plans = run::plan_all(ports, &requests, &mut outputs, counts).await?;
        let (plan, survey) = plans.remove(0);
        let mut not_checked = Vec::new();
        let seeking = rollback::way(&aws, &plan.request, &survey, self.to.as_deref(), &mut not_checked);
        let way = ports.unless_interrupted(seeking).await;
        warn(&not_checked);
        let lead = match way {
            Some(Ok(lead)) => lead,
            Some(Err(finding)) => {
                return Err(run::refuse_all(&requests, &finding, &mut outputs, SystemClock.now()).await);
            }
            None => {
                let span = (started_at, SystemClock.now());
                let runs = deploy::interrupted(&requests.requests, span.1);
                return Err(run::interrupt(runs, &counts(), span, &mut outputs).await);
            }
        };
        let (request, note) = match lead {
            Lead::Stop(in_flight) => {
                let plan = Plan {
                    stops: in_flight.deployment_id(),
                    ..plan
                };
                if self.dry_run {
                    return run::show_plans(vec![(plan, survey)], &mut outputs).await;
                }
                return stop(ports, (plan, survey, *in_flight), &mut outputs).await;
            }
            Lead::Redeploy(to) => (rollback::redeployment(&plan.request, &to), None),
            Lead::Nowhere(note) => (rollback::check(&plan.request), Some(note)),
        };
        let requests = DeployRequests {
            requests: vec![request],
            ..requests
        };
        let mut plans = run::plan_all(ports, &requests, &mut outputs, counts).await?;
        for (plan, _) in &mut plans {
            plan.findings.extend(note.clone());
        }
        if self.dry_run {
            return run::show_plans(plans, &mut outputs).await;
        }
        run::execute(ports, Pace::jittered(seed()), plans, &mut outputs, counts).await
    }

    /// What the service runs is the beginning: nothing of the file goes into it.
    fn requests(&self) -> Result<DeployRequests, Stop> {
        let no_service = || Finding::usage("which service? name it: `portzero rollback SERVICE`, or --service NAME");
        let service = self.service.as_ref().or(self.by_name.as_ref()).ok_or_else(no_service)?;
        let selection = Selection {
            which: Which {
                services: vec![service.clone()],
                config: self.config.clone(),
                environment: self.environment.clone(),
                cluster: self.cluster.clone(),
                region: self.region.clone(),
                vars: self.vars.clone(),
                ..Which::default()
            },
            task_definition: Some("current".into()),
            ..Selection::default()
        };
        let following = Following {
            waiting: Waiting {
                timeout: self.timeout,
                ..Waiting::default()
            },
            ..Following::default()
        };
        let mut requests = requests::gather(&selection, &following)?;
        requests.warnings.clear();
        requests.requests = requests.requests.iter().map(rollback::as_it_is).collect();
        Ok(requests)
    }
}

/// A way out of the deployment in flight, told like a run.
async fn stop(
    ports: Ports<'_, Connection<SystemClock>, SystemClock, Signals>,
    (plan, survey, in_flight): (Plan, Survey, ServiceDeployment),
    outputs: &mut RunOutputs<'_>,
) -> Result<u8, Stop> {
    let started_at = ports.now();
    let mut story = Story::new(std::iter::once(&plan.request), outputs.is_quiet());
    let mut run = Run::new(ports, &mut story, Pace::jittered(seed()));
    let done = run.stop(plan, survey, in_flight).await;
    story.print(&report::log::closing(&done));
    let span = (started_at, ports.now());
    run::conclude(&[done], story, &ports.aws.request_counts(), span, outputs).await
}
