//! Placeholders that a template left in: `<NAME>`, `${NAME}`, `{{name}}`, `%NAME%`.
//!
//! Where the API needs a real value one is an error. Where a value may rightly hold such text (an environment value, a
//! label, a shell command) it is at most a warning.

use serde_json::Value;

use super::model::Model;
use crate::base::finding::{Code, Finding, Severity};
use crate::task_definition::document::Document;
use crate::task_definition::path::Step;

/// More names than this help nobody, and longer ones are no names: both keep a hostile file from costing time.
const NAMES_MAX: usize = 50;
const NAME_BYTES_MAX: usize = 128;

/// The placeholders in `text`, in order, without repetition. `${NAME:-default}` is shown as `${NAME}`, because a default
/// may be a credential.
pub(crate) fn names_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    let mut before = None;
    while let Some(first) = rest.chars().next().filter(|_| names.len() < NAMES_MAX) {
        let length = match length_at(rest, before) {
            Some(length) => {
                let name = without_default(&rest[..length]);
                if !names.contains(&name) {
                    names.push(name);
                }
                length
            }
            None => first.len_utf8(),
        };
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    names
}

/// The placeholder that `text` starts with.
pub(crate) fn at_start(text: &str) -> Option<String> {
    Some(without_default(&text[..length_at(text, None)?]))
}

fn without_default(placeholder: &str) -> String {
    match placeholder.split_once(':') {
        Some((name, _)) if placeholder.starts_with("${") => format!("{name}}}"),
        _ => placeholder.to_owned(),
    }
}

/// The length in bytes of the placeholder at the start of `text`; `before` is the character in front of it.
fn length_at(text: &str, before: Option<char>) -> Option<usize> {
    let (open, close) = [("<", ">"), ("${", "}"), ("{{", "}}"), ("%", "%")]
        .into_iter()
        .find(|(open, _)| text.starts_with(open))?;
    let inside = &text[open.len()..];
    let end = inside
        .bytes()
        .take(NAME_BYTES_MAX)
        .position(|byte| close.as_bytes().first() == Some(&byte))?;
    let name = inside[end..].starts_with(close).then(|| &inside[..end])?;
    let is_name = match open {
        // `$${NAME}` is an escaped one.
        "${" => before != Some('$') && is_identifier(name.split_once(':').map_or(name, |(name, _)| name)),
        // `{{.Name}}` is Docker's log tag and no identifier.
        "{{" => is_identifier(name.trim()),
        // `%Y-%m-%d`, `%S` are date formats, `%C3%A9` is an escape in a URL: a name has three capitals or more.
        "%" => is_percent_name(name),
        _ => is_identifier(name),
    };
    is_name.then_some(open.len() + name.len() + close.len())
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

fn is_percent_name(name: &str) -> bool {
    name.len() >= 3
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Placeholders everywhere but in images and environment values, which rendering may still replace.
pub(crate) fn check(document: &Document) -> Vec<Finding> {
    find(document, &document.value, |path| {
        !is_rendered(path) && !is_dropped(path)
    })
}

/// Placeholders that are left in images and environment values of the document that was rendered from `document`.
pub(crate) fn check_rendered(document: &Document, rendered: &Value) -> Vec<Finding> {
    find(document, rendered, is_rendered)
}

fn is_rendered(path: &[Step]) -> bool {
    match path {
        [Step::Key(list), Step::Index(_), Step::Key(key), ..] => {
            list == "containerDefinitions" && (key == "image" || key == "environment")
        }
        _ => false,
    }
}

/// What AWS wrote is dropped before it is sent.
fn is_dropped(path: &[Step]) -> bool {
    matches!(path.first(), Some(Step::Key(key)) if Model::bundled().output_only().contains(key))
}

fn find(document: &Document, value: &Value, wanted: impl Fn(&[Step]) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut |path, text| {
        if !wanted(path) {
            return;
        }
        let mut names = names_in(text);
        names.retain(|name| !is_meant(path, name));
        // No image has a percent sign, so this is a positional template; elsewhere `%s` may be meant.
        if is_image(path) && text.contains("%s") {
            names.push("%s".to_owned());
        }
        if !names.is_empty() {
            found.push(report(document, value, path, &names));
        }
    });
    found
}

fn report(document: &Document, value: &Value, path: &[Step], names: &[String]) -> Finding {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let is_left = if names.len() == 1 { "is" } else { "are" };
    let place = crate::task_definition::path::describe(value, path);
    let finding = Finding::new(
        Code::UnfilledPlaceholder,
        severity(path),
        format!("{} {is_left} not filled in: {place}", names.join(", ")),
    );
    let finding = if is_image(path) {
        finding.hint("give the image: --image CONTAINER=IMAGE, or `images:` in portzero.yml")
    } else {
        finding
    };
    match document.value_location(path) {
        Some(location) => finding.at(location),
        None => finding,
    }
}

fn is_image(path: &[Step]) -> bool {
    is_rendered(path) && matches!(path.last(), Some(Step::Key(key)) if key == "image")
}

/// A value that only the container reads may hold such text on purpose.
fn severity(path: &[Step]) -> Severity {
    let keys: Vec<&str> = path
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    let free_text = [
        "environment",
        "command",
        "entryPoint",
        "dockerLabels",
        "healthCheck",
        "tags",
        "labels",
    ];
    let is_option = keys.contains(&"options") && keys.last().is_some_and(|key| !key.starts_with("awslogs-"));
    if is_option || keys.iter().any(|key| free_text.contains(key)) {
        Severity::Warning
    } else {
        Severity::Error
    }
}

/// `${NAME}` in a command is the shell's own, filled in when the container starts.
fn is_meant(path: &[Step], name: &str) -> bool {
    let is_command = path
        .iter()
        .any(|step| matches!(step, Step::Key(key) if key == "command" || key == "entryPoint" || key == "healthCheck"));
    is_command && (name.starts_with("${") || name.starts_with('%'))
}

fn walk(value: &Value, path: &mut Vec<Step>, visit: &mut impl FnMut(&[Step], &str)) {
    match value {
        Value::String(text) => visit(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.into());
                walk(item, path, visit);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, member) in map {
                path.push(key.as_str().into());
                walk(member, path, visit);
                path.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_all_four_kinds_are_seen() {
        let text = "arn:<region>:${container-port}/{{ecsTaskRoleArn}}:v_%BUILD_NUMBER%-${TAG:-latest} <region>";
        assert_eq!(
            names_in(text),
            [
                "<region>",
                "${container-port}",
                "{{ecsTaskRoleArn}}",
                "%BUILD_NUMBER%",
                "${TAG}"
            ]
        );
    }

    #[test]
    fn date_formats_log_tags_and_escapes_are_no_placeholders() {
        for text in [
            r"\[%Y-%m-%d %H:%M:%S\]",
            "{{.Name}}/{{.ID}}",
            "caf%C3%A9%20",
            "$${HOME}",
            "a < b > c",
            "100%",
        ] {
            assert_eq!(names_in(text), Vec::<String>::new(), "{text}");
        }
    }
}
