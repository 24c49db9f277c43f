//! Hiding what may be a credential, for everything that is printed.
//!
//! Hidden: environment values, where secrets come from, commands, labels, options and tags, what stands under keys that
//! the API does not have, values under telling names. Hiding too much costs a line of a diff, hiding too little costs a
//! password.

use serde_json::Value;

use super::check::model::{Model, Type};
use crate::base::text::counted;
use crate::values::is_telling;

pub(super) const HIDDEN: &str = "(value hidden)";

/// Lists of words that a container runs: a password is often one of them.
const COMMANDS: [&str; 2] = ["command", "entryPoint"];
/// Options of a log driver that say where logs go, or how many are kept.
const PLAIN_OPTIONS: [&str; 8] = [
    "awslogs-group",
    "awslogs-region",
    "awslogs-stream-prefix",
    "awslogs-create-group",
    "mode",
    "max-buffer-size",
    "max-size",
    "max-file",
];

/// The document for printing; keys, names and lists stay as they are. `shows_values`: commands, labels, options and tags
/// stay as well, but for what looks like a credential.
pub fn redact(value: &Value, shows_values: bool) -> Value {
    Redactor {
        model: Model::bundled(),
        shows_values,
    }
    .member(value, "", &Model::bundled().root())
}

struct Redactor {
    model: &'static Model,
    shows_values: bool,
}

impl Redactor {
    fn member(&self, value: &Value, key: &str, kind: &Type) -> Value {
        match value {
            Value::Object(map) => {
                let members = map.iter().map(|(key, member)| {
                    let shown = self.entry(key, member, kind);
                    (key.clone(), shown)
                });
                Value::Object(members.collect())
            }
            Value::Array(items) if COMMANDS.contains(&key) && !self.shows_values => {
                let words = items.iter().filter_map(Value::as_str).flat_map(str::split_whitespace);
                Value::String(format!("({} hidden)", counted(words.count(), "word")))
            }
            Value::Array(items) => self.list(items, key, kind),
            Value::String(text) => Value::String(redact_text(text)),
            other => other.clone(),
        }
    }

    fn entry(&self, key: &str, member: &Value, kind: &Type) -> Value {
        let of = self.model.member(kind, key);
        let is_unknown =
            matches!(kind, Type::Shape(_)) && of == Type::Any && !self.model.output_only().iter().any(|k| k == key);
        let is_scalar = !matches!(member, Value::Object(_) | Value::Array(_) | Value::Null);
        // Labels and options: their names are the user's.
        let is_option = matches!(kind, Type::Map(_)) && !self.shows_values && !PLAIN_OPTIONS.contains(&key);
        if !member.is_null() && is_option || is_scalar && is_telling(key) {
            return HIDDEN.into();
        }
        if is_unknown {
            return without_texts(member);
        }
        self.member(member, key, &of)
    }

    fn list(&self, items: &[Value], key: &str, kind: &Type) -> Value {
        let hidden_members: &[&str] = match key {
            "environment" => &["value", "valueFrom"],
            "secrets" | "secretOptions" => &["valueFrom"],
            "tags" if !self.shows_values => &["value"],
            _ => &[],
        };
        let of = Model::item(kind);
        let mut hide_next = false;
        let items = items.iter().map(|item| {
            let hide = std::mem::replace(&mut hide_next, false);
            match item {
                Value::String(text) => {
                    hide_next = text.starts_with('-') && !text.contains('=') && is_telling(text);
                    if hide {
                        HIDDEN.into()
                    } else {
                        Value::String(redact_text(text))
                    }
                }
                Value::Object(map) if !hidden_members.is_empty() => {
                    let members = map.iter().map(|(key, member)| {
                        let hidden = hidden_members.contains(&key.as_str()) && !member.is_null();
                        let member = if hidden {
                            HIDDEN.into()
                        } else {
                            self.entry(key, member, &of)
                        };
                        (key.clone(), member)
                    });
                    Value::Object(members.collect())
                }
                other => self.member(other, key, &of),
            }
        });
        Value::Array(items.collect())
    }
}

/// What a key means that the API does not have is not known. It may be a slip.
fn without_texts(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let members = map.iter().map(|(key, member)| (key.clone(), without_texts(member)));
            Value::Object(members.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_texts).collect()),
        Value::String(_) => HIDDEN.into(),
        other => other.clone(),
    }
}

/// Credentials inside of a text: in URLs, in `password=…`, after `--password` and `Bearer`.
fn redact_text(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut hide_next = false;
    for word in text.split_inclusive(|c: char| c.is_whitespace() || "&;,\"'".contains(c)) {
        let end = word
            .trim_end_matches(|c: char| c.is_whitespace() || "&;,\"'".contains(c))
            .len();
        let (word, separator) = word.split_at(end);
        if word.is_empty() {
            result.push_str(separator);
            continue;
        }
        let hide = std::mem::replace(&mut hide_next, false);
        hide_next = word.eq_ignore_ascii_case("bearer")
            || (word.starts_with('-') && !word.contains('=') && is_telling(word))
            || (word.ends_with(':') && is_telling(word));
        result.push_str(&if hide { "(hidden)".to_owned() } else { redact_word(word) });
        result.push_str(separator);
    }
    result
}

fn redact_word(word: &str) -> String {
    if let Some((name, value)) = word.split_once('=')
        && !value.is_empty()
        && is_telling(name)
    {
        return format!("{name}=(hidden)");
    }
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // A password may hold an unescaped slash: `user:pass/word@host`.
    let at = match authority.rfind('@') {
        None if authority.contains(':') => rest.rfind('@'),
        at => at,
    };
    match at {
        Some(at) => format!("{scheme}://(hidden){}", &rest[at..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({"containerDefinitions": [{
            "name": "web",
            "environment": [{"name": "PASSWORD", "value": "hunter2"}, {"name": "KEY", "valeu": "hunter2"}],
            "enviroment": [{"name": "KEY", "value": "hunter2"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:hunter2"}],
            "command": ["serve", "--password", "hunter2", "--token=hunter2", "--db", "postgres://u:hunter2@db/x"],
            "entryPoint": ["sh", "-c", "curl -H 'Authorization: Bearer hunter2' http://u:hun/hunter2@host/"],
            "logConfiguration": {"options": {"splunk-token": "hunter2", "splunk-url": "https://splunk:8088"}},
            "cpu": 10
        }]})
    }

    #[test]
    fn no_credential_is_left() {
        let redacted = redact(&document(), true).to_string();
        assert!(!redacted.contains("hunter2"), "{redacted}");
        for kept in ["PASSWORD", "KEY", "serve", "@db/x", "https://splunk:8088", "\"cpu\":10"] {
            assert!(redacted.contains(kept), "{kept}: {redacted}");
        }
    }

    #[test]
    fn s03_commands_labels_options_and_tags_are_hidden_unless_they_are_asked_for() {
        let document = json!({"tags": [{"key": "team", "value": "hunter2"}],
        "volumes": [{"name": "v", "dockerVolumeConfiguration": {
            "driverOpts": {"o": "hunter2"}, "labels": {"l": "hunter2"}}}],
        "containerDefinitions": [{
            "name": "web", "image": "web:1", "command": ["serve", "hunter2"], "entryPoint": ["sh -c", "hunter2"],
            "healthCheck": {"command": ["CMD-SHELL", "curl -u x:hunter2 localhost"], "interval": 7},
            "dockerLabels": {"traefik": "hunter2"},
            "firelensConfiguration": {"type": "fluentbit", "options": {"x": "hunter2"}},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/web", "x": "hunter2"}},
        }]});
        let hidden = redact(&document, false).to_string();
        assert!(!hidden.contains("hunter2"), "{hidden}");
        for kept in [
            "web:1",
            "(2 words hidden)",
            "(3 words hidden)",
            "(5 words hidden)",
            "traefik",
            "/web",
            "team",
            "7",
        ] {
            assert!(hidden.contains(kept), "{kept}: {hidden}");
        }
        let shown = redact(&document, true).to_string();
        assert_eq!(shown.matches("hunter2").count(), 9, "{shown}");
    }

    #[test]
    fn s12_what_stands_under_a_misspelt_key_is_hidden() {
        let shown = redact(&document(), true);
        let container = &shown["containerDefinitions"][0];
        assert_eq!(container["enviroment"], json!([{"name": HIDDEN, "value": HIDDEN}]));
        assert_eq!(container["environment"][1]["valeu"], HIDDEN);
    }
}
