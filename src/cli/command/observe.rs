//! `portzero observe`: joins the rollout in flight, whoever began it, and follows it to its verdict.

use clap::Args;
use portzero_core::base::finding::Finding;
use portzero_core::base::id::DeploymentId;
use portzero_core::plan::DeployRequest;
use portzero_core::port::{Clock, Interrupts, RequestCounts};
use portzero_core::rollout::{Outcome, Verdict};

use crate::adapters::clock::SystemClock;
use crate::adapters::signals::Signals;
use crate::app::deploy;
use crate::app::deploy::{Pace, Run, ServiceRun, Watch};
use crate::app::ports::{Aws, Ports, unless_interrupted};
use crate::cli::ci::identity;
use crate::cli::connect::{connect, seed};
use crate::cli::options::{Identity, Output, Waiting, Which};
use crate::cli::outputs::RunOutputs;
use crate::cli::requests::DeployRequests;
use crate::cli::run::Story;
use crate::cli::stop::Stop;
use crate::cli::{outputs, requests, run};
use crate::report;

#[derive(Debug, Args)]
#[command(after_help = "Reads AWS, and needs nothing else: no file, and no memory of the run that began the rollout.")]
pub(crate) struct Observe {
    #[command(flatten)]
    which: Which,
    /// The deployment to follow, by any id of it that AWS or portzero shows, such as `ecs-svc/NUMBER` [default: the one in
    /// flight, else the last one]
    #[arg(long, value_name = "ID", env = "PORTZERO_DEPLOYMENT", value_parser = deployment)]
    deployment: Option<DeploymentId>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    output: Output,
}

impl Observe {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        let context = outputs::ci_context(&self.output.telling);
        self.output.check()?;
        let requests = requests::watched(&self.which, &self.waiting)?;
        let watches = self.watches(&requests)?;
        let mut outputs = RunOutputs::open(&self.output, &requests, context.as_ref(), false);
        let signals = Signals::listen();
        let connecting = connect(&requests, identity::web_identity(&self.identity));
        let Some(connected) = unless_interrupted(&signals, connecting).await else {
            let now = SystemClock.now();
            let requests = requests.requests.into_iter();
            let runs = requests.map(|request| {
                let outcome = deploy::interrupted_before_a_look(&request);
                ServiceRun::begun(request, None, now).ended(outcome)
            });
            return Err(run::refuse(runs.collect(), &mut outputs, now).await);
        };
        let aws = match connected? {
            Ok(aws) => aws,
            Err(finding) => {
                return Err(run::refuse(unseen(&requests, &finding), &mut outputs, SystemClock.now()).await);
            }
        };
        let ports = Ports {
            aws: &aws,
            clock: &SystemClock,
            interrupts: &signals,
        };
        watch(ports, watches, &mut outputs, || aws.request_counts()).await
    }

    fn watches(&self, requests: &DeployRequests) -> Result<Vec<Watch>, Stop> {
        if self.deployment.is_some() && requests.requests.len() > 1 {
            let finding = Finding::usage("--deployment is of one service, and there are several");
            return Err(finding.hint("name the service as well").into());
        }
        let watch = |request: &DeployRequest| Watch {
            request: request.clone(),
            deployment: self.deployment.clone(),
            settle: self.waiting.settle,
        };
        Ok(requests.requests.iter().map(watch).collect())
    }
}

/// Whatever stands for one deployment. Which one that is, AWS's answers say: an emulator's ids have forms of their own.
fn deployment(text: &str) -> Result<DeploymentId, String> {
    // As the log prints it, with the revision behind it.
    let id = text.trim().split(" (").next().unwrap_or_default();
    if id.is_empty() || id.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the id of a deployment is wanted, such as ecs-svc/ and a number".into());
    }
    Ok(DeploymentId::new(id))
}

/// Nobody could be looked at, all for the same reason.
fn unseen(requests: &DeployRequests, finding: &Finding) -> Vec<ServiceRun> {
    let unseen = |request: &DeployRequest| {
        let outcome = Outcome::new(Verdict::CouldNotObserve, vec![finding.clone()]);
        ServiceRun::begun(request.clone(), None, SystemClock.now()).ended(outcome)
    };
    requests.requests.iter().map(unseen).collect()
}

/// Follows what is there to follow, and tells how it went.
async fn watch<A: Aws, C: Clock, I: Interrupts>(
    ports: Ports<'_, A, C, I>,
    watches: Vec<Watch>,
    outputs: &mut RunOutputs<'_>,
    counts: impl Fn() -> RequestCounts,
) -> Result<u8, Stop> {
    let started_at = ports.now();
    let mut story = Story::new(watches.iter().map(|watch| &watch.request), outputs.is_quiet());
    let mut run = Run::new(ports, &mut story, Pace::jittered(seed()));
    let runs = match run.attach(watches).await {
        Ok(runs) => runs,
        Err(refused) => return Err(run::refuse(refused, outputs, started_at).await),
    };
    for run in &runs {
        if run.deployment.is_some() {
            story.print(&report::log::closing(run));
        } else {
            // Nothing was found that could be told of.
            let found = run.findings().iter().map(report::finding::render);
            story.print(&found.collect::<Vec<_>>().join("\n"));
        }
    }
    run::conclude(&runs, story, &counts(), (started_at, ports.now()), outputs).await
}
