//! How a request is read, and how it is refused.

use serde_json::Value;

use crate::model::refusal::Refusal;

pub(super) fn refused(message: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal::new("ClientException", message))
}

/// Up to 255 letters, digits, hyphens and underscores.
pub(super) fn is_name(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.len() <= 255 && name.chars().all(is_legal)
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn is_given(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|given| !given.is_null())
}

/// Absent means essential.
pub(super) fn is_essential(container: &Value) -> bool {
    container.get("essential").and_then(Value::as_bool).unwrap_or(true)
}
