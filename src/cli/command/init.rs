//! `portzero init`: files to begin with. So far the scenario of a configuration.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use portzero_core::base::finding::{Code, Finding};

use crate::cli::options::{Following, Selection};
use crate::cli::stop::Stop;
use crate::cli::{rehearsal_world, requests, streams};

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The world of a rehearsal, made from the configuration
    #[arg(long, required = true, action = ArgAction::SetTrue)]
    scenario: bool,
    #[command(flatten)]
    selection: Selection,
    /// File to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(crate) fn run(self) -> Result<u8, Stop> {
        let requests = requests::gather(&self.selection, &Following::default())?;
        crate::cli::streams::warn(&requests.warnings);
        let mut scenario = rehearsal_world::scenario(&requests);
        rehearsal_world::without_values(&mut scenario, |text| {
            streams::redaction_on_github().known.hide(text).into_owned()
        });
        for line in rehearsal_world::made_up_balancers(&requests, &scenario) {
            streams::tell(&line);
        }
        let text = scenario.to_yaml();
        match &self.output {
            None => streams::hand_over(&text)?,
            Some(path) => {
                write(path, &text, self.force)?;
                let path = path.display();
                streams::tell(&format!("written: {path}; rehearse on it with `--scenario {path}`"));
            }
        }
        Ok(0)
    }
}

/// Writes a new file; an old one only where that is meant.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Finding> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let name = path.display();
    let written = options
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Finding::error(Code::Config, format!("{name} is there already"))
            .state("nothing was written")
            .hint("write over it with --force, or name another file with --output"),
        _ => Finding::error(Code::Config, format!("{name} cannot be written: {error}")),
    })
}
