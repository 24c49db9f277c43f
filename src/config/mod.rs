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
mod secrets;
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

pub use model::{Accounts, Config, Dependency, Probe, ServiceConfig, TaskDefinitionSource};
pub use portzero_core::rollout::Until;
pub use reach::{Flags, Reaching};
pub use settings::{Said, Settings, duration, keep_revisions, poll_interval};

pub use portzero_file::Given;

/// Reads a configuration for all of its services. `read_for` says what the arguments are.
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
    let given = Given {
        lookup,
        vars,
        environment,
        branch: git_ref_branch,
        services: &[],
    };
    read_for(text, file, &given)
}

/// Reads a configuration. `file` is the name that messages say.
///
/// # Errors
/// Everything that is wrong with the file, each with its line and column. What a service lacks that is not asked for is
/// no error.
pub fn read_for(text: &str, file: &str, given: &Given<'_>) -> Result<Config, Vec<Finding>> {
    portzero_file::read(text, file, given)
}
