//! `portzero status`: how services stand, once.

use clap::{Args, ValueEnum};
use portzero_core::aws_model::target::Address;
use portzero_core::base::id::DeploymentId;
use portzero_core::plan::Wish;
use portzero_core::port::Clock;
use portzero_core::rollout::Verdict;
use portzero_core::rollout::attach::Ours;
use portzero_core::rollout::observer::status_view::Picture;

use crate::adapters::clock::SystemClock;
use crate::app::survey::Sighting;
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
        outputs::surroundings(&Telling {
            hiding: self.hiding,
            ..Telling::default()
        });
        let wishes = requests::watched(&self.which, &Waiting::default())?;
        let aws = match connect(wishes.region.clone(), identity::web_identity(&self.identity)).await? {
            Ok(aws) => aws,
            Err(finding) => {
                streams::tell(report::finding::render(&finding).trim_end());
                return Ok(Verdict::CouldNotObserve.exit_code());
            }
        };
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for wish in wishes.wishes {
            let place = (&wish.cluster, &wish.service);
            match survey::sight(&aws, &SystemClock, place, None, wish.url.is_none()).await {
                Ok(sighting) => read.push(Look::of(wish, sighting)),
                Err(finding) => unread.push((wish.cluster.to_string(), wish.service.to_string(), finding)),
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
    sighting: Sighting,
    picture: Picture,
    address: Option<Address>,
}

impl Look {
    fn of(wish: Wish, sighting: Sighting) -> Self {
        let survey = &sighting.survey;
        let primary = survey.service.primary();
        let ours = Ours {
            deployment: primary.map_or_else(|| DeploymentId::from(""), |p| p.id.clone()),
            task_definition: primary.map(|p| p.task_definition.clone()),
            previous: None,
        };
        let document = survey.running.as_ref().map(|(_, document)| document);
        let scope = deploy::scope_of_found(&wish, survey, &ours, document);
        let picture = Picture::of(&survey.service, &survey.snapshot, &scope, SystemClock.now());
        let configured = wish.url.as_ref().map(Address::configured);
        let address = configured.or_else(|| survey.address.clone());
        Self {
            sighting,
            picture,
            address,
        }
    }

    fn status(&self) -> Status<'_> {
        let survey = &self.sighting.survey;
        Status {
            service: &survey.service,
            picture: self.picture.clone(),
            groups: survey.target_groups.values().collect(),
            service_deployment: self.sighting.history.as_ref().and_then(|history| history.first()),
            address: self.address.as_ref(),
            not_checked: &survey.not_checked,
        }
    }
}
