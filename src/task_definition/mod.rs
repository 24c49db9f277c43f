//! Task definitions: the user's JSON, lossless, and everything portzero knows about it without asking AWS.
//!
//! A file is read (`Document::read`), checked against the bundled model of the API (`check`), rendered into what will be
//! registered (`render`: images, host ports, output-only keys out), and compared with what runs (`diff`).

pub mod change;
mod check;
mod container_rules;
mod diff;
mod document;
mod host_port;
pub mod image;
mod model;
mod normal;
pub mod parsed;
mod path;
mod place;
mod placeholder;
mod port_rules;
mod read;
mod read_json;
mod read_yaml;
mod redact;
mod reference;
mod render;
mod suggest;
mod task_rules;
pub mod yaml_node;
mod yaml_value;

pub use change::{Change, EnvironmentChange};
pub use check::check;
pub use diff::{DiffLine, diff, is_same_content};
pub use document::{Container, Document, NetworkMode, PortMapping};
pub use host_port::{DynamicPorts, LoadBalancedPort};
pub use image::ImageChange;
pub use parsed::Format;
pub use path::{Step, describe};
pub use redact::redact;
pub use render::{RenderOptions, Rendered, render};

/// The nine keys of DescribeTaskDefinition's answer that RegisterTaskDefinition does not take.
pub fn output_only_keys() -> &'static [String] {
    model::Model::bundled().output_only()
}

/// A definition as AWS holds it, without the keys that it does not take back.
pub fn without_output_only(value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !output_only_keys().contains(key));
    }
    value
}
