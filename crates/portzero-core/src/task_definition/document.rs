//! A task definition as the user wrote it, with lenses for what portzero looks at.

use serde_json::{Map, Value};

use super::path;
use super::path::Step;
use crate::base::finding::{Finding, Location};
use crate::base::position::Position;
use crate::task_definition::read::place::Place;

/// How a task's containers reach the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkMode {
    /// Ports of the instance lead to those of the containers.
    Bridge,
    /// The containers use the instance's own ports.
    Host,
    /// Each task has a network interface of its own.
    Awsvpc,
    /// No network at all.
    None,
    /// A mode that this version does not know; its ports are left alone.
    Unknown(String),
}

impl NetworkMode {
    /// As the API spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::Awsvpc => "awsvpc",
            Self::None => "none",
            Self::Unknown(text) => text,
        }
    }
}

impl From<&str> for NetworkMode {
    fn from(text: &str) -> Self {
        match text {
            "bridge" => Self::Bridge,
            "host" => Self::Host,
            "awsvpc" => Self::Awsvpc,
            "none" => Self::None,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

/// A task definition: the user's JSON, lossless, and where each key stands in the file it came from.
///
/// Order, unknown keys and the digits of numbers (`1.50`, forty of them) stay. The one liberty: an exponent is spelt
/// `1e+3`, however the file spells it.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) file: String,
    pub(super) value: Value,
    /// Absent for documents that come from no file.
    pub(super) places: Option<Place>,
    /// What reading found and did not refuse.
    pub(super) warnings: Vec<Finding>,
}

impl Document {
    /// A document from AWS or from configuration: it has no positions. `origin` says where it comes from (`web:42`).
    pub fn from_value(value: Value, origin: &str) -> Self {
        Self {
            file: origin.to_owned(),
            value,
            places: None,
            warnings: Vec::new(),
        }
    }

    /// The document as JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The file, or where else the document comes from.
    pub fn origin(&self) -> &str {
        &self.file
    }

    /// The name under which its revisions are counted.
    pub fn family(&self) -> Option<&str> {
        self.value.get("family")?.as_str()
    }

    /// The network mode as AWS will see it: absent or null is `bridge`, and `awsvpc` where Fargate is required, because
    /// Fargate has no other.
    pub fn network_mode(&self) -> NetworkMode {
        network_mode(&self.value)
    }

    /// Whether the task definition is declared for Fargate.
    pub fn requires_fargate(&self) -> bool {
        requires(&self.value, "FARGATE")
    }

    /// All containers, in their order.
    pub fn containers(&self) -> Vec<Container<'_>> {
        containers(&self.value)
    }

    /// The container with this name.
    pub fn container(&self, name: &str) -> Option<Container<'_>> {
        self.containers().into_iter().find(|c| c.name() == Some(name))
    }

    /// Where the key at the end of `path` stands, or the value where it is an element of a list. None for documents that
    /// come from no file.
    pub fn location(&self, path: &[Step]) -> Option<Location> {
        let place = self.places.as_ref()?.find(path)?;
        Some(self.locate(place.key.unwrap_or(place.value)))
    }

    /// Where the value under `path` begins.
    pub(crate) fn value_location(&self, path: &[Step]) -> Option<Location> {
        let place = self.places.as_ref()?.find(path)?;
        Some(self.locate(place.value))
    }

    /// `path` as people read it, list elements by name.
    pub fn describe(&self, path: &[Step]) -> String {
        path::describe(&self.value, path)
    }

    fn locate(&self, position: Position) -> Location {
        position.in_file(&self.file)
    }
}

/// One container definition.
#[derive(Clone, Copy, Debug)]
pub struct Container<'v> {
    /// Its place in `containerDefinitions`.
    pub index: usize,
    /// Its object in the document.
    pub value: &'v Value,
}

impl<'v> Container<'v> {
    /// Its name, where it has one.
    pub fn name(&self) -> Option<&'v str> {
        self.text("name")
    }

    /// Its image, where it has one.
    pub fn image(&self) -> Option<&'v str> {
        self.text("image")
    }

    /// In units of 1/1024 vCPU.
    pub fn cpu(&self) -> Option<u64> {
        self.value.get("cpu")?.as_u64()
    }

    /// The hard limit in MiB.
    pub fn memory(&self) -> Option<u64> {
        self.value.get("memory")?.as_u64()
    }

    /// The soft limit in MiB.
    pub fn memory_reservation(&self) -> Option<u64> {
        self.value.get("memoryReservation")?.as_u64()
    }

    /// Absent is true.
    pub fn is_essential(&self) -> bool {
        self.value.get("essential").and_then(Value::as_bool).unwrap_or(true)
    }

    /// Its port mappings, in their order.
    pub fn port_mappings(&self) -> Vec<PortMapping<'v>> {
        self.list("portMappings")
            .enumerate()
            .map(|(index, value)| PortMapping { index, value })
            .collect()
    }

    /// The elements of one of its lists; nothing where it is absent or no list.
    pub(super) fn list(&self, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
        list(self.value, key).iter()
    }

    fn text(&self, key: &str) -> Option<&'v str> {
        self.value.get(key)?.as_str()
    }
}

/// One port mapping of a container.
#[derive(Clone, Copy, Debug)]
pub struct PortMapping<'v> {
    /// Its place in `portMappings`.
    pub index: usize,
    /// Its object in the document.
    pub value: &'v Value,
}

impl<'v> PortMapping<'v> {
    /// Absent where a range is mapped.
    pub fn container_port(&self) -> Option<u16> {
        port(self.value, "containerPort")
    }

    /// As it is written: None where it is absent or null.
    pub fn host_port(&self) -> Option<u16> {
        port(self.value, "hostPort")
    }

    /// `tcp` where it names none.
    pub fn protocol(&self) -> &'v str {
        self.value.get("protocol").and_then(Value::as_str).unwrap_or("tcp")
    }
}

pub(super) fn network_mode(value: &Value) -> NetworkMode {
    match value
        .get("networkMode")
        .and_then(Value::as_str)
        .filter(|mode| !mode.is_empty())
    {
        Some(mode) => NetworkMode::from(mode),
        None if requires(value, "FARGATE") => NetworkMode::Awsvpc,
        None => NetworkMode::Bridge,
    }
}

pub(super) fn requires(value: &Value, compatibility: &str) -> bool {
    list(value, "requiresCompatibilities")
        .iter()
        .any(|c| c == compatibility)
}

pub(super) fn containers(value: &Value) -> Vec<Container<'_>> {
    list(value, "containerDefinitions")
        .iter()
        .enumerate()
        .map(|(index, value)| Container { index, value })
        .collect()
}

/// The list under `key`; empty where it is absent or something else.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The containers for changing; empty where there is no such list.
pub(super) fn container_maps(value: &mut Value) -> impl Iterator<Item = (usize, &mut Map<String, Value>)> {
    value
        .get_mut("containerDefinitions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, container)| Some((index, container.as_object_mut()?)))
}

fn port(value: &Value, key: &str) -> Option<u16> {
    value.get(key)?.as_u64()?.try_into().ok()
}

/// A finding at a place in the document, in the document's words.
pub(crate) fn at(finding: Finding, location: Option<Location>) -> Finding {
    match location {
        Some(location) => finding.at(location),
        None => finding,
    }
}
