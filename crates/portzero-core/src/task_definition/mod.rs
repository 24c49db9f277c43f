//! Task definitions: the user's JSON, lossless, and everything portzero knows about it without asking AWS.
//!
//! A file is read (`Document::read`), checked against the bundled model of the API (`check`), rendered into what will be
//! registered (`render`: images, host ports, output-only keys out), and compared with what runs (`diff`).

pub(crate) mod change;
mod check;
mod diff;
mod document;
mod empty_choice;
mod host_port;
pub mod image;
mod image_reference;
mod kept;
mod normal;
mod path;
mod read;
mod redact;
mod reference;
mod render;

pub use change::{Change, EnvironmentChange};
pub use check::check;
pub use check::refusals::{Certainty, Rule, rules};
pub(crate) use check::task_rules::{cpu_units, memory_mib};
pub use diff::{DiffLine, diff, is_same_content};
pub use document::{Container, Document, NetworkMode, PortMapping};
pub use host_port::{DynamicPorts, LoadBalancedPort};
pub use image::{ImageChange, vague_tag};
pub use kept::check_kept;
pub use path::{Step, describe};
pub use read::parsed::Format;
pub use redact::redact;
pub use render::{RenderOptions, Rendered, render};

/// The nine keys of DescribeTaskDefinition's answer that RegisterTaskDefinition does not take.
pub(crate) fn output_only_keys() -> &'static [String] {
    check::model::Model::bundled().output_only()
}

/// A definition as AWS holds it, without the keys that it does not take back.
pub fn without_output_only(value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !output_only_keys().contains(key));
    }
    value
}
