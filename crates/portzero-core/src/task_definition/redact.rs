//! Hiding what may be a credential, for everything that is printed.
//!
//! Hidden: environment values, where secrets come from, values under telling names, credentials in URLs and in commands.
//! Hiding too much costs a line of a diff, hiding too little costs a password.

use serde_json::Value;

pub(super) const HIDDEN: &str = "(value hidden)";

/// The document for printing; keys, names and lists stay as they are.
pub fn redact(value: &Value) -> Value {
    redact_member(value, "")
}

fn redact_member(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(map) => {
            let members = map.iter().map(|(key, member)| (key.clone(), redact_entry(key, member)));
            Value::Object(members.collect())
        }
        Value::Array(items) => redact_list(items, key),
        Value::String(text) => Value::String(redact_text(text)),
        other => other.clone(),
    }
}

fn redact_entry(key: &str, member: &Value) -> Value {
    let is_scalar = !matches!(member, Value::Object(_) | Value::Array(_) | Value::Null);
    if is_scalar && is_telling(key) {
        return HIDDEN.into();
    }
    redact_member(member, key)
}

fn redact_list(items: &[Value], key: &str) -> Value {
    let hidden_members: &[&str] = match key {
        "environment" => &["value", "valueFrom"],
        "secrets" | "secretOptions" => &["valueFrom"],
        _ => &[],
    };
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
                        redact_entry(key, member)
                    };
                    (key.clone(), member)
                });
                Value::Object(members.collect())
            }
            other => redact_member(other, key),
        }
    });
    Value::Array(items.collect())
}

/// Whether a name says that its value is a credential.
fn is_telling(name: &str) -> bool {
    let name: String = name.to_lowercase().chars().filter(|c| !"-_.".contains(*c)).collect();
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
    ]
    .iter()
    .any(|word| name.contains(word))
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

    #[test]
    fn no_credential_is_left() {
        let document = json!({"containerDefinitions": [{
            "name": "web",
            "environment": [{"name": "PASSWORD", "value": "hunter2"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:hunter2"}],
            "command": ["serve", "--password", "hunter2", "--token=hunter2", "--db", "postgres://u:hunter2@db/x"],
            "entryPoint": ["sh", "-c", "curl -H 'Authorization: Bearer hunter2' http://u:hun/hunter2@host/"],
            "logConfiguration": {"options": {"splunk-token": "hunter2", "splunk-url": "https://splunk:8088"}},
            "cpu": 10
        }]});
        let redacted = redact(&document).to_string();
        assert!(!redacted.contains("hunter2"), "{redacted}");
        for kept in ["PASSWORD", "KEY", "serve", "@db/x", "https://splunk:8088", "\"cpu\":10"] {
            assert!(redacted.contains(kept), "{kept}: {redacted}");
        }
    }
}
