//! `portzero render`: the task definition that would be registered, without asking AWS.

use clap::Args;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::plan;
use portzero_core::plan::DefinitionSource;

use crate::app::deploy;
use crate::cli::options::{Following, Selection};
use crate::cli::stop::Stop;
use crate::cli::{outputs, requests, streams};
use crate::report;

#[derive(Debug, Args)]
pub(crate) struct Render {
    #[command(flatten)]
    selection: Selection,
}

impl Render {
    pub(crate) fn run(self) -> Result<u8, Stop> {
        outputs::surroundings_by_variable();
        let mut selection = self.selection;
        // A render needs no service: a file alone is enough.
        if selection.task_definition.is_some()
            && selection.which.config.is_none()
            && selection.which.services.is_empty()
        {
            selection.which.service.get_or_insert_with(|| "rendered".into());
            selection.which.cluster.get_or_insert_with(|| "none".into());
        }
        let requests = requests::gather(&selection, &Following::default())?;
        crate::cli::streams::warn(&requests.warnings);
        for request in &requests.requests {
            let DefinitionSource::Document(document) = &request.base else {
                let finding = Finding::error(
                    Code::MissingKey,
                    format!(
                        "the task definition of `{}` is in AWS: nothing to render without it",
                        request.service
                    ),
                )
                .hint("name a file with --task-definition, or use `portzero plan`");
                return Err(finding.into());
            };
            let rendered = plan::render(request, document, &[], None).map_err(|findings| {
                let is_single = requests.requests.len() == 1;
                Stop::usage(deploy::of_service(findings, &request.service, is_single))
            })?;
            for change in &rendered.changes {
                streams::tell(&report::text::clean(&change.to_string()));
            }
            crate::cli::streams::warn(&rendered.findings);
            let open = plan::ports_left_open(request, &rendered.document);
            crate::cli::streams::warn(open.as_slice());
            let document = streams::Document::of_the_user(rendered.document);
            streams::hand_over_document(&document)?;
        }
        Ok(0)
    }
}
