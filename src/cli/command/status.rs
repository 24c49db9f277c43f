//! `portzero status`: how services stand, once or until somebody has seen enough.

use std::time::Duration;

use clap::{Args, ValueEnum};
use portzero_core::aws_model::target::Address;
use portzero_core::base::id::DeploymentId;
use portzero_core::base::time::Moment;
use portzero_core::plan::DeployRequest;
use portzero_core::port::Clock;
use portzero_core::rollout::Verdict;
use portzero_core::rollout::attach::AttachDecision;
use portzero_core::rollout::observer::status_view::StatusView;
use portzero_core::task_definition::{Container, Document as TaskDefinition};
use serde_json::Value;

use crate::adapters::aws::Connection;
use crate::adapters::clock::SystemClock;
use crate::adapters::signals::Signals;
use crate::app::ports::Ports;
use crate::app::survey::Discovery;
use crate::app::{deploy, survey};
use crate::cli::ci::identity;
use crate::cli::connect::connect;
use crate::cli::options::{Hiding, Identity, Telling, Waiting, Which};
use crate::cli::stop::Stop;
use crate::cli::streams::Document;
use crate::cli::{outputs, requests, streams};
use crate::report::status::Status;
use crate::{config, report};

#[derive(Debug, Args)]
#[command(after_help = "Reads AWS and changes nothing.")]
pub(crate) struct StatusCommand {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    identity: Identity,
    /// What goes to stdout
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// Print it anew whenever it has changed, until Ctrl-C; looks so often [default: 5s]
    #[arg(long, value_name = "SPAN", num_args = 0..=1, require_equals = true, default_missing_value = "5s",
          value_parser = config::poll_interval)]
    watch: Option<Duration>,
    #[command(flatten)]
    hiding: Hiding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

impl StatusCommand {
    pub(crate) async fn run(self) -> Result<u8, Stop> {
        outputs::ci_context(&Telling {
            hiding: self.hiding,
            ..Telling::default()
        });
        let requests = requests::watched(&self.which, &Waiting::default())?;
        let aws = match connect(&requests, identity::web_identity(&self.identity)).await? {
            Ok(aws) => aws,
            Err(finding) => {
                streams::tell(report::finding::render(&finding).trim_end());
                return Ok(Verdict::CouldNotObserve.exit_code());
            }
        };
        let Some(every) = self.watch else {
            let (text, code) = self.look(&aws, &requests.requests).await;
            text.print()?;
            return Ok(code);
        };
        let signals = Signals::listen();
        let ports = Ports {
            aws: &aws,
            clock: &SystemClock,
            interrupts: &signals,
        };
        let (mut last, mut code) = (None, 0);
        while let Some((shown, ended)) = ports.unless_interrupted(self.look(&aws, &requests.requests)).await {
            if last.as_ref() != Some(&shown) {
                shown.at(SystemClock.now()).print()?;
                last = Some(shown);
            }
            code = ended;
            ports.sleep(every).await;
        }
        Ok(code)
    }

    /// All services once: what is shown of them, and the exit code. What cannot be read is said on stderr.
    async fn look(&self, aws: &Connection<SystemClock>, requests: &[DeployRequest]) -> (Shown, u8) {
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for request in requests {
            let place = (&request.cluster, &request.service);
            match survey::sight(aws, &SystemClock, place, None, request.url.is_none()).await {
                Ok(discovery) => read.push(Look::of(request, discovery)),
                Err(finding) => unread.push((request.cluster.to_string(), request.service.to_string(), finding)),
            }
        }
        for (_, _, finding) in &unread {
            streams::tell(report::finding::render(finding).trim_end());
        }
        let status: Vec<Status> = read.iter().map(Look::status).collect();
        let shown = match self.format {
            Form::Text => {
                let texts: Vec<String> = status.iter().map(report::status::text).collect();
                Shown::Text(texts.join("\n"))
            }
            Form::Json => Shown::Document(report::status::document(&status, &unread)),
        };
        let verdicts = unread.iter().map(|(_, _, finding)| deploy::unseen(finding));
        (shown, verdicts.map(Verdict::exit_code).max().unwrap_or(0))
    }
}

/// What one look puts on stdout.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Text(String),
    Document(Value),
}

impl Shown {
    /// One of several looks, with its time.
    fn at(&self, now: Moment) -> Self {
        match self {
            Self::Text(text) => Self::Text(format!("at {now}\n{text}\n")),
            Self::Document(_) => self.clone(),
        }
    }

    fn print(self) -> Result<(), Stop> {
        match self {
            Self::Text(text) if text.is_empty() => Ok(()),
            Self::Text(text) => streams::hand_over(&text),
            Self::Document(document) => streams::hand_over_document(&Document::pretty(document)),
        }
    }
}

/// One service, read.
struct Look {
    discovery: Discovery,
    status_view: StatusView,
    address: Option<Address>,
}

impl Look {
    fn of(request: &DeployRequest, discovery: Discovery) -> Self {
        let survey = &discovery.survey;
        let primary = survey.service.primary();
        let ours = AttachDecision {
            deployment: primary.map_or_else(|| DeploymentId::from(""), |p| p.id.clone()),
            task_definition: primary.map(|p| p.task_definition.clone()),
            previous: None,
            good: None,
        };
        let document = survey.running.as_ref().map(|(_, document)| document);
        let scope = deploy::scope_of_found(request, survey, &ours, document);
        let status_view = StatusView::of(&survey.service, &survey.snapshot, &scope, SystemClock.now());
        let configured = request.url.as_ref().map(Address::configured);
        let address = configured.or_else(|| survey.address.clone());
        Self {
            discovery,
            status_view,
            address,
        }
    }

    fn status(&self) -> Status<'_> {
        let survey = &self.discovery.survey;
        Status {
            service: &survey.service,
            status_view: self.status_view.clone(),
            images: survey
                .running
                .iter()
                .flat_map(|(_, document)| images(document))
                .collect(),
            groups: survey.target_groups.values().collect(),
            service_deployment: self.discovery.history.as_ref().and_then(|history| history.first()),
            address: self.address.as_ref(),
            not_checked: &survey.not_checked,
        }
    }
}

/// What each container of a task definition runs, in its order.
fn images(document: &Value) -> Vec<(String, String)> {
    let document = TaskDefinition::from_value(document.clone(), "");
    let containers = document.containers();
    let image = |container: &Container<'_>| Some((container.name()?.to_owned(), container.image()?.to_owned()));
    containers.iter().filter_map(image).collect()
}
