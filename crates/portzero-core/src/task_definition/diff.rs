//! What differs between two task definitions, by container name and port, without AWS's filled-in defaults and without
//! values that may be credentials.

use std::collections::HashMap;

use serde_json::Value;

use super::normal::normal;
use super::path::element_name;
use super::redact::redact;

/// One difference. Values are JSON in one line, strings without quotes; hidden ones say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// `containerDefinitions[web].portMappings[5000/tcp].hostPort`
    pub path: String,
    /// None where it was not there before.
    pub before: Option<String>,
    /// None where it is gone.
    pub after: Option<String>,
}

impl std::fmt::Display for DiffLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before == after => write!(f, "~ {}: changed, values hidden", self.path),
            (Some(before), Some(after)) => write!(f, "~ {}: {before} -> {after}", self.path),
            (Some(before), None) => write!(f, "- {}: {before}", self.path),
            (None, Some(after)) => write!(f, "+ {}: {after}", self.path),
            (None, None) => f.write_str(&self.path),
        }
    }
}

/// The differences between two task definitions that mean something to AWS, in the order of the second one.
/// `shows_values`: with commands, labels, options and tags.
pub fn diff(before: &Value, after: &Value, shows_values: bool) -> Vec<DiffLine> {
    let (before, after) = (normal(before), normal(after));
    let (before_shown, after_shown) = (redact(&before, shows_values), redact(&after, shows_values));
    let mut lines = Vec::new();
    compare(
        "",
        "",
        Side::new(&before, &before_shown),
        Side::new(&after, &after_shown),
        &mut lines,
    );
    lines
}

/// Whether registering `after` would make a revision that means the same as `before`.
pub fn is_same_content(before: &Value, after: &Value) -> bool {
    normal(before) == normal(after)
}

/// A value, and what may be shown of it.
#[derive(Clone, Copy)]
struct Side<'v> {
    value: &'v Value,
    shown: &'v Value,
}

impl<'v> Side<'v> {
    fn new(value: &'v Value, shown: &'v Value) -> Self {
        Self { value, shown }
    }

    fn member(&self, key: &str) -> Option<Self> {
        Some(Self::new(self.value.get(key)?, self.shown.get(key)?))
    }

    /// The elements with what they are called; the second of one name is called `NAME#2`.
    fn elements(&self, list: &str) -> Vec<(String, Self)> {
        let (Value::Array(values), Value::Array(shown)) = (self.value, self.shown) else {
            return Vec::new();
        };
        let mut counts: HashMap<String, usize> = HashMap::new();
        let named = values.iter().zip(shown).enumerate().map(|(index, (value, shown))| {
            let name = element_name(list, value).unwrap_or_else(|| index.to_string());
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            let name = if *count == 1 { name } else { format!("{name}#{count}") };
            (name, Self::new(value, shown))
        });
        named.collect()
    }

    fn text(&self) -> String {
        match self.shown {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

fn compare(path: &str, list: &str, before: Side<'_>, after: Side<'_>, lines: &mut Vec<DiffLine>) {
    if before.value == after.value {
        return;
    }
    match (before.value, after.value) {
        (Value::Object(old), Value::Object(new)) => {
            let removed = old.keys().filter(|key| !new.contains_key(*key));
            for key in new.keys().chain(removed) {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                pair(&path, key, before.member(key), after.member(key), lines);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.iter().chain(new).all(Value::is_object) => {
            let (old, new) = (before.elements(list), after.elements(list));
            let mut rest: HashMap<&str, Side<'_>> = old.iter().map(|(name, side)| (name.as_str(), *side)).collect();
            for (name, after) in &new {
                pair(
                    &format!("{path}[{name}]"),
                    "",
                    rest.remove(name.as_str()),
                    Some(*after),
                    lines,
                );
            }
            for (name, before) in old.iter().filter(|(name, _)| rest.contains_key(name.as_str())) {
                pair(&format!("{path}[{name}]"), "", Some(*before), None, lines);
            }
        }
        _ => lines.push(DiffLine {
            path: path.to_owned(),
            before: Some(before.text()),
            after: Some(after.text()),
        }),
    }
}

fn pair(path: &str, list: &str, before: Option<Side<'_>>, after: Option<Side<'_>>, lines: &mut Vec<DiffLine>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, list, before, after, lines),
        (before, after) => lines.push(DiffLine {
            path: path.to_owned(),
            before: before.map(|side| side.text()),
            after: after.map(|side| side.text()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_definition::redact::HIDDEN;
    use serde_json::json;

    fn web(container: Value) -> Value {
        json!({"family": "web", "containerDefinitions": [container]})
    }

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        diff(before, after, false).iter().map(DiffLine::to_string).collect()
    }

    #[test]
    fn what_aws_fills_in_is_no_difference() {
        let mine =
            web(json!({"name": "web", "image": "web:1", "portMappings": [{"containerPort": 5000}], "links": null}));
        let mut theirs = web(json!({
            "name": "web", "image": "web:1", "cpu": 0, "essential": true, "environment": [], "mountPoints": [],
            "volumesFrom": [], "systemControls": [],
            "portMappings": [{"containerPort": 5000, "hostPort": 0, "protocol": "tcp"}]
        }));
        theirs["revision"] = json!(7);
        theirs["volumes"] = json!([]);
        theirs["networkMode"] = json!("bridge");
        assert_eq!(lines(&mine, &theirs), Vec::<String>::new());
        assert!(is_same_content(&mine, &theirs));
    }

    #[test]
    fn a_host_port_that_is_absent_means_zero_in_bridge_and_the_container_port_in_awsvpc() {
        let mut with = web(json!({"name": "web", "portMappings": [{"containerPort": 80, "hostPort": 80}]}));
        let mut without = web(json!({"name": "web", "portMappings": [{"containerPort": 80}]}));
        assert_eq!(
            lines(&with, &without),
            ["~ containerDefinitions[web].portMappings[80/tcp].hostPort: 80 -> 0"]
        );
        for document in [&mut with, &mut without] {
            document["networkMode"] = json!("awsvpc");
        }
        assert!(is_same_content(&with, &without));
    }

    #[test]
    fn changed_secrets_are_seen_and_not_shown() {
        let variable = |value: &str| web(json!({"name": "web", "environment": [{"name": "KEY", "value": value}]}));
        let path = "containerDefinitions[web].environment[KEY].value";
        assert_eq!(
            lines(&variable("a"), &variable("b")),
            [format!("~ {path}: changed, values hidden")]
        );
        let none = web(json!({"name": "web", "environment": [{"name": "OTHER", "value": ""}]}));
        let added = lines(&none, &variable("hunter2")).join("\n");
        assert!(
            added.contains("[KEY]") && added.contains(HIDDEN) && !added.contains("hunter2"),
            "{added}"
        );
    }
}
