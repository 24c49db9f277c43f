//! A task definition file as its parser left it.

use std::path::Path;

use serde_json::Value;

use super::place::Place;
use crate::base::finding::Finding;

/// How a file is to be read. A `.json` file is never read as YAML: YAML would take most broken JSON for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON document.
    Json,
    /// A YAML document, as far as JSON can say the same.
    Yaml,
}

impl Format {
    /// By the file's name: `.yml` and `.yaml` (also before a template's ending, `web.yml.tmpl`) are YAML, all others JSON.
    pub fn of(path: impl AsRef<Path>) -> Self {
        let name = path
            .as_ref()
            .file_name()
            .map(|name| name.to_string_lossy().to_lowercase());
        let is_yaml = name.is_some_and(|name| {
            let mut endings = name.split('.').skip(1);
            !name.ends_with(".json") && endings.any(|ending| ending == "yml" || ending == "yaml")
        });
        if is_yaml { Self::Yaml } else { Self::Json }
    }

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }
}

/// A file as its format's reader hands it over.
pub(crate) struct Parsed {
    pub value: Value,
    pub places: Place,
    /// Positions are known to be complete only where this is true.
    pub has_places: bool,
    pub warnings: Vec<Finding>,
}
