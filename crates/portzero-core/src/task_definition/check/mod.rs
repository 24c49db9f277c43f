//! What can be known about a task definition without asking AWS.

pub(crate) mod container_rules;
pub(crate) mod model;
pub(crate) mod placeholder;
pub(crate) mod port_rules;
pub(crate) mod refusals;
pub(crate) mod suggest;
pub(crate) mod task_rules;
mod template;

use std::collections::HashSet;

use serde_json::Value;

use super::document::Document;
use super::path::Step;
use super::{path, reference};
use crate::base::finding::{Code, Finding, Severity};
use crate::base::text::most_alike;
use crate::task_definition::check::model::{Model, Type};
use crate::task_definition::document::at;

/// Checks a document before it is rendered; findings come in the order of the file.
///
/// `known_from_running` is the revision that runs: a key that it has is known even where the bundled model lacks it.
/// Another unknown key is an error where it looks like a slip, or a warning with `allow_unknown_keys`. Else AWS may be
/// newer than the model: it is a note, and what AWS keeps of it is seen in the answer (`check_kept`).
/// Images and environment values with placeholders are judged by `render`, which may replace them.
pub fn check(document: &Document, known_from_running: Option<&Value>, allow_unknown_keys: bool) -> Vec<Finding> {
    let mut findings = document.warnings.clone();
    let mut walk = Walk {
        document,
        model: Model::bundled(),
        known: known_from_running.map(key_paths).unwrap_or_default(),
        slip: if allow_unknown_keys {
            Severity::Warning
        } else {
            Severity::Error
        },
        path: Vec::new(),
        findings: Vec::new(),
    };
    walk.value(&document.value, &walk.model.root());
    findings.append(&mut walk.findings);
    findings.extend(placeholder::check(document));
    findings.extend(reference::check(document));
    findings.extend(task_rules::check(document));
    findings.extend(container_rules::check(document));
    findings.extend(port_rules::check(document));
    findings.sort_by_key(|finding| {
        let location = finding.location.as_ref();
        location.map_or((usize::MAX, 0), |at| (at.line, at.column))
    });
    findings
}

/// The paths of all keys of a document without the numbers of list elements.
fn key_paths(value: &Value) -> HashSet<String> {
    fn collect(value: &Value, path: &str, paths: &mut HashSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, member) in map {
                    let path = format!("{path}/{key}");
                    collect(member, &path, paths);
                    paths.insert(path);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, path, paths)),
            _ => {}
        }
    }
    let mut paths = HashSet::new();
    collect(value, "", &mut paths);
    paths
}

struct Walk<'d> {
    document: &'d Document,
    model: &'static Model,
    known: HashSet<String>,
    slip: Severity,
    path: Vec<Step>,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, kind: &Type) {
        match (kind, value) {
            (Type::Any | Type::Answer, _) => {}
            (_, Value::Null) if !matches!(self.path.last(), Some(Step::Index(_))) => {}
            (Type::Shape(name), Value::Object(map)) => {
                let name = name.clone();
                for (key, member) in map {
                    self.path.push(key.as_str().into());
                    self.member(&name, key, member);
                    self.path.pop();
                }
                self.required(&name, value);
            }
            (Type::List(item), Value::Array(items)) => {
                for (index, member) in items.iter().enumerate() {
                    self.path.push(index.into());
                    self.value(member, item);
                    self.path.pop();
                }
            }
            (Type::Map(item), Value::Object(map)) => {
                for (key, member) in map {
                    self.path.push(key.as_str().into());
                    self.value(member, item);
                    self.path.pop();
                }
            }
            (Type::String(allowed), Value::String(text)) => self.listed(text, allowed),
            (Type::Boolean, Value::Bool(_)) => {}
            (Type::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {}
            _ => self.wrong_type(value, kind),
        }
    }

    fn member(&mut self, shape: &str, key: &str, value: &Value) {
        let known = self.model.shape(shape).and_then(|shape| shape.key(key));
        match known {
            Some(kind) => self.value(value, &kind.clone()),
            None if self.path.len() == 1 && self.model.output_only().iter().any(|known| known == key) => {}
            None if self.known.contains(&self.plain_path()) => {}
            None => self.unknown_key(shape, key),
        }
    }

    fn plain_path(&self) -> String {
        let keys = self.path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        keys.fold(String::new(), |path, key| path + "/" + key)
    }

    fn unknown_key(&mut self, shape: &str, key: &str) {
        let place = self.document.describe(&self.path);
        let list = self.path.iter().rev().skip(1).find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        let finding = match suggest::for_key(self.model, shape, list.unwrap_or(""), key) {
            Some(advice) => {
                let summary = format!("AWS knows no key `{key}` here: {place}");
                Finding::new(Code::UnknownKey, self.slip, summary).hint(advice)
            }
            None => {
                let summary = format!("portzero knows no key `{key}` here and sends it as it is: {place}");
                Finding::note(Code::UnknownKey, summary)
            }
        };
        self.findings.push(at(finding, self.document.location(&self.path)));
    }

    fn required(&mut self, shape: &str, value: &Value) {
        let mut required: Vec<&str> = self
            .model
            .shape(shape)
            .map(|shape| shape.required.iter().map(String::as_str).collect())
            .unwrap_or_default();
        if shape == crate::task_definition::check::model::CONTAINER {
            // The model does not say so; the service refuses a container without it, and without an image, which may still
            // be filled in.
            required.push("name");
        }
        for key in required {
            if value.get(key).is_none_or(Value::is_null) {
                let place = self.document.describe(&self.path);
                let place = if place.is_empty() {
                    "the task definition".to_owned()
                } else {
                    place
                };
                let finding = Finding::error(Code::MissingKey, format!("`{key}` is missing: {place}"));
                self.findings
                    .push(at(finding, self.document.value_location(&self.path)));
            }
        }
    }

    /// AWS adds values to its lists, so an unlisted one is only a warning; the network mode decides too much for that.
    fn listed(&mut self, text: &str, allowed: &[String]) {
        let is_placeholder = !placeholder::names_in(text).is_empty();
        // An empty one is left out.
        if allowed.is_empty() || text.is_empty() || is_placeholder || allowed.iter().any(|value| value == text) {
            return;
        }
        let is_network_mode = matches!(self.path.as_slice(), [Step::Key(key)] if key == "networkMode");
        let severity = if is_network_mode {
            Severity::Error
        } else {
            Severity::Warning
        };
        let summary = format!(
            "`{text}` is none of the values that AWS lists: {}",
            self.document.describe(&self.path)
        );
        let finding = Finding::new(Code::InvalidValue, severity, summary).evidence("values", allowed.join(", "));
        let finding = match most_alike(text, allowed.iter().map(String::as_str)) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding,
        };
        self.findings
            .push(at(finding, self.document.value_location(&self.path)));
    }

    fn wrong_type(&mut self, value: &Value, kind: &Type) {
        let place = path::describe(&self.document.value, &self.path);
        let place = if place.is_empty() {
            "the task definition".to_owned()
        } else {
            place
        };
        let wanted = match kind {
            Type::String(_) => "text",
            Type::Integer => "a whole number",
            Type::Boolean => "true or false",
            Type::List(_) => "a list",
            Type::Map(_) | Type::Shape(_) | Type::Answer | Type::Any => "an object",
        };
        let finding = Finding::error(
            Code::WrongType,
            format!("{place} must be {wanted}, and is {}", type_of(value)),
        );
        let finding = match (kind, value) {
            (Type::Integer, Value::String(text)) if text.parse::<i64>().is_ok() => {
                finding.hint(format!("write {text} without quotes"))
            }
            // Without the value: it may be an environment variable's.
            (Type::String(_), Value::Number(_) | Value::Bool(_)) => finding.hint("write it in quotes"),
            (Type::Boolean, Value::String(_)) => finding.hint("write true or false, without quotes"),
            _ => match self.form() {
                Some(form) => finding.hint(form),
                None => finding,
            },
        };
        self.findings
            .push(at(finding, self.document.value_location(&self.path)));
    }
}

impl Walk<'_> {
    /// How the key is written, for those that people write as other tools do.
    fn form(&self) -> Option<&'static str> {
        let keys = self.path.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        Some(match keys.into_iter().next()? {
            "command" | "entryPoint" => r#"write its words as a list: ["npm", "start"]"#,
            "environment" | "secrets" if self.is_in_a_container() => match self.path.get(2)? {
                Step::Key(key) if key == "secrets" => {
                    r#"write each one as {"name": "NAME", "valueFrom": "ARN"}, in a list"#
                }
                _ => r#"write each one as {"name": "NAME", "value": "VALUE"}, in a list"#,
            },
            "portMappings" => r#"write each one as {"containerPort": 80}, in a list"#,
            "containerDefinitions" => r#"write each container as {"name": "NAME", "image": "IMAGE"}, in a list"#,
            "logConfiguration" => r#"write it as {"logDriver": "awslogs", "options": {}}"#,
            "memory" | "memoryReservation" if self.is_in_a_container() => {
                "write the number of MiB, without quotes and unit"
            }
            "cpu" if self.is_in_a_container() => "write CPU units, of which a vCPU has 1024",
            _ => return None,
        })
    }

    fn is_in_a_container(&self) -> bool {
        matches!(self.path.first(), Some(Step::Key(key)) if key == "containerDefinitions") && self.path.len() > 2
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_i64() || number.is_u64() => "a number",
        Value::Number(_) => "a number that is not whole",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
