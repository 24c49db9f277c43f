//! `portzero status`: how services stand, once.

use clap::{Args, ValueEnum};
use portzero_core::aws_model::target::Address;
use portzero_core::base::id::DeploymentId;
use portzero_core::plan::DeployRequest;
use portzero_core::port::Clock;
use portzero_core::rollout::Verdict;
use portzero_core::rollout::attach::AttachDecision;
use portzero_core::rollout::observer::status_view::StatusView;

use crate::adapters::clock::SystemClock;
use crate::app::survey::Discovery;
use crate::app::{deploy, survey};
use crate::cli::ci::identity;
use crate::cli::connect::connect;
use crate::cli::options::{Hiding, Identity, Telling, Waiting, Which};
use crate::cli::stop::Stop;
use crate::cli::streams::Document;
use crate::cli::{outputs, requests, streams};
use crate::report;
use crate::report::status::Status;

#[derive(Debug, Args)]
#[command(after_help = "Reads AWS, once, and changes nothing.")]
pub(crate) struct StatusCommand {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    identity: Identity,
    /// What goes to stdout
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
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
        let aws = match connect(requests.region.clone(), identity::web_identity(&self.identity)).await? {
            Ok(aws) => aws,
            Err(finding) => {
                streams::tell(report::finding::render(&finding).trim_end());
                return Ok(Verdict::CouldNotObserve.exit_code());
            }
        };
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for request in requests.requests {
            let place = (&request.cluster, &request.service);
            match survey::sight(&aws, &SystemClock, place, None, request.url.is_none()).await {
                Ok(discovery) => read.push(Look::of(request, discovery)),
                Err(finding) => unread.push((request.cluster.to_string(), request.service.to_string(), finding)),
            }
        }
        for (_, _, finding) in &unread {
            streams::tell(report::finding::render(finding).trim_end());
        }
        let shown: Vec<Status> = read.iter().map(Look::status).collect();
        match self.format {
            Form::Text => {
                let texts: Vec<String> = shown.iter().map(report::status::text).collect();
                if !texts.is_empty() {
                    streams::hand_over(&texts.join("\n"))?;
                }
            }
            Form::Json => {
                streams::hand_over_document(&Document::pretty(report::status::document(&shown, &unread)))?;
            }
        }
        let verdicts = unread.iter().map(|(_, _, finding)| deploy::unseen(finding));
        Ok(verdicts.map(Verdict::exit_code).max().unwrap_or(0))
    }
}

/// One service, read.
struct Look {
    discovery: Discovery,
    status_view: StatusView,
    address: Option<Address>,
}

impl Look {
    fn of(request: DeployRequest, discovery: Discovery) -> Self {
        let survey = &discovery.survey;
        let primary = survey.service.primary();
        let ours = AttachDecision {
            deployment: primary.map_or_else(|| DeploymentId::from(""), |p| p.id.clone()),
            task_definition: primary.map(|p| p.task_definition.clone()),
            previous: None,
            good: None,
        };
        let document = survey.running.as_ref().map(|(_, document)| document);
        let scope = deploy::scope_of_found(&request, survey, &ours, document);
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
            groups: survey.target_groups.values().collect(),
            service_deployment: self.discovery.history.as_ref().and_then(|history| history.first()),
            address: self.address.as_ref(),
            not_checked: &survey.not_checked,
        }
    }
}
