//! What is wrong with a scenario or a fault, in words for who wrote it: the readers of YAML and JSON speak of Rust's types.

use serde_saphyr::Error;

use crate::scenario::error::{FilePlace, ScenarioError};

/// A slip in a scenario file.
pub(super) fn of_yaml(error: &Error, text: &str, file: &str) -> ScenarioError {
    let error = error.without_snippet();
    let place = error.location().map(|at| FilePlace {
        file: file.to_owned(),
        line: usize::try_from(at.line()).unwrap_or(1),
        column: usize::try_from(at.column()).unwrap_or(1),
    });
    let slip = match &place {
        Some(place) => worded(error).with_key(text, place),
        None => worded(error),
    };
    ScenarioError { place, ..slip }
}

/// A slip in `--fault` or in a body of a control route, from serde's own words.
pub(crate) fn of_json(error: &serde_json::Error) -> ScenarioError {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown("key", &quoted(rest), &listed(rest));
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown("word", &quoted(rest), &listed(rest));
    }
    let is_of_type = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    match message.rsplit_once(", expected ") {
        Some((_, wanted)) if is_of_type => ScenarioError::new(format!("expected {}", kind(wanted))),
        _ => ScenarioError::new(message),
    }
}

/// The names between backticks behind the first one.
fn listed(text: &str) -> Vec<&str> {
    text.split('`').skip(3).step_by(2).collect()
}

fn worded(error: &Error) -> ScenarioError {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => unknown("word", variant, expected),
        Error::SerdeMissingField { field, .. } => ScenarioError::new(format!("`{field}` is missing")),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            ScenarioError::new(format!("expected {}", kind(expected)))
        }
        Error::InvalidScalar { ty, .. } => ScenarioError::new(format!("expected {}", kind(ty))),
        Error::Unexpected { expected, .. } => ScenarioError::new(format!("expected {}", kind(expected))),
        Error::InvalidBooleanStrict { .. } => ScenarioError::new("expected true or false"),
        Error::NullIntoString { .. } | Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            ScenarioError::new("expected a text")
        }
        Error::UnexpectedSequenceEnd { .. } | Error::UnexpectedMappingEnd { .. } | Error::Eof { .. } => {
            ScenarioError::new("a value is missing")
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            ScenarioError::new(format!("the key `{key}` is there twice in one map")).hint(format!("keep one `{key}`"))
        }
        Error::MultipleDocuments { .. } => {
            ScenarioError::new("the file holds more than one document").hint("keep one scenario in one file")
        }
        Error::Message { msg, .. } => ScenarioError::new(first_line(msg)),
        Error::AliasError { error, .. } => worded(error),
        _ => ScenarioError::new("the scenario cannot be read on from here"),
    }
}

/// A slip of a name: with the nearest one where there is one, else with all of them.
fn unknown(what: &str, name: &str, known: &[&str]) -> ScenarioError {
    let error = ScenarioError::new(format!("unknown {what} `{name}`"));
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known));
    match near.min().filter(|(distance, known)| *distance <= known.len() / 3) {
        Some((_, known)) => error.hint(format!("did you mean `{known}`?")),
        None => error.hint(format!("there are: {}", known.join(", "))),
    }
}

/// Rust's name of a type, as people say it.
fn kind(name: &str) -> String {
    let range = |most: &str| format!("a whole number from 0 to {most}");
    match name {
        "u8" => range("255"),
        "u16" => range("65535"),
        "u32" => range("4294967295"),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" | "boolean" | "bool" => "true or false".to_owned(),
        "a string" | "string" | "string scalar" | "scalar" | "str" => "a text".to_owned(),
        "a sequence" | "sequence start" | "sequence" => "a list".to_owned(),
        "a map" | "mapping start" | "mapping" => "a map".to_owned(),
        structure if structure.starts_with("struct ") => "a map".to_owned(),
        ours => ours.to_owned(),
    }
}

impl ScenarioError {
    /// Says which key's value is meant, and what stands there, where the line shows it.
    fn with_key(self, text: &str, place: &FilePlace) -> Self {
        let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
        let at = line.char_indices().nth(place.column.saturating_sub(1));
        let (before, value) = line.split_at(at.map_or(line.len(), |(at, _)| at));
        let value = value.split([',', '}', ']', '#']).next().unwrap_or_default().trim();
        // A key without a value is placed at its colon.
        let is_shown = !value.is_empty() && !value.starts_with([':', '{', '[', '&', '*', '|', '>']);
        let message = match self.message.starts_with("expected ") && is_shown {
            true => format!("{}, got {value}", self.message),
            false => self.message,
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let before = before.trim_end_matches(['"', '\'', ' ']);
        let key = before
            .strip_suffix(':')
            .or_else(|| value.starts_with(':').then_some(before));
        let key = key.map(|before| &before[before.trim_end_matches(is_name).len()..]);
        let message = match key.filter(|key| !key.is_empty()) {
            Some(key) => format!("{key}: {message}"),
            None => message,
        };
        Self { message, ..self }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches('.')
}
