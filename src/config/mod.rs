//! The configuration: `portzero.yml`, and deployfish's `services:` files, read into one model.
//!
//! Nothing here touches a file or the environment: the caller hands over the text and a way to look variables up, and
//! paths stay as they are written (they are relative to the folder of the file).

mod container;
mod inline;
mod interpolate;
mod model;
mod ports;
mod portzero_file;
mod reach;
mod read;
mod service_stanza;
mod settings;
mod tree;
mod words;

use std::collections::BTreeMap;

use portzero_core::base::finding::Finding;

pub use portzero_core::base::choice::UnknownWord;
pub use portzero_core::policy::{IF_BUSY, LEFTOVER};
pub use portzero_core::task_definition::DynamicPorts;
pub use service_stanza::is_path;

pub use model::{Config, Dependency, Probe, ServiceConfig, TaskDefinitionSource};
pub use portzero_core::rollout::Until;
pub use reach::{Flags, Reaching};
pub use settings::{Settings, duration, keep_revisions, poll_interval};

/// Reads a configuration.
///
/// `file` is the name that messages say. `vars` (`--var`) come before the chosen environment's `vars:`, those before
/// the file's, and `lookup` (the process environment) comes last. `environment` is a name of `environments:`; without
/// it the one whose `branch` is `git_ref_branch` is chosen.
///
/// # Errors
/// Everything that is wrong with the file, each with its line and column.
pub fn read(
    text: &str,
    file: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    vars: &BTreeMap<String, String>,
    environment: Option<&str>,
    git_ref_branch: Option<&str>,
) -> Result<Config, Vec<Finding>> {
    let given = portzero_file::Given {
        lookup,
        vars,
        environment,
        branch: git_ref_branch,
    };
    portzero_file::read(text, file, &given)
}
