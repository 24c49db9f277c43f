//! Placeholders that a template left in, in any of the forms of `template.rs`.
//!
//! Where the API needs a real value one is an error. Where a value may rightly hold such text (an environment value, a
//! label, a shell command) it is at most a warning.

use serde_json::Value;

use super::model::Model;
pub(crate) use super::template::{at_start, names_in};
use crate::base::finding::{Code, Finding, Severity};
use crate::task_definition::document::Document;
use crate::task_definition::path::Step;

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
        names.retain(|name| !is_meant(value, path, text, name));
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
    let severity = severity(path, names);
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.replace('`', "\"")))
        .collect();
    let is_left = if names.len() == 1 { "is" } else { "are" };
    let place = crate::task_definition::path::describe(value, path);
    let finding = Finding::new(
        Code::UnfilledPlaceholder,
        severity,
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

/// A value that only the container reads may hold such text on purpose. Elsewhere the forms that no other text looks
/// like are errors, and all forms are where AWS needs a name of its own.
fn severity(path: &[Step], names: &[String]) -> Severity {
    let keys = keys(path);
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
        return Severity::Warning;
    }
    let needs_a_name = keys.last().is_some_and(|key| {
        ["image", "family", "valueFrom", "credentialsParameter"].contains(key) || key.ends_with("Arn")
    });
    if needs_a_name || names.iter().any(|name| is_unmistakable(name)) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

/// `${NAME}`, `<NAME>`, `{{name}}` and `%NAME%` are what nobody means in a name, a size or a path.
fn is_unmistakable(name: &str) -> bool {
    name.starts_with("${")
        || name.starts_with("{{")
        || name.starts_with('%')
        || (name.starts_with('<') && !name.contains(' '))
}

fn keys(path: &[Step]) -> Vec<&str> {
    path.iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect()
}

/// Whether such text is legal here: the shell, Docker and the log router fill it in when the container starts.
fn is_meant(value: &Value, path: &[Step], text: &str, name: &str) -> bool {
    let keys = keys(path);
    let is_docker = name.trim_start_matches(['{', ' ']).starts_with('.') && name.starts_with("{{");
    if ["command", "entryPoint", "healthCheck"]
        .iter()
        .any(|key| keys.contains(key))
    {
        let is_markup = name.starts_with('<') && (text.contains("</") || text.contains("<!"));
        let is_expression = name.starts_with("${{");
        return is_markup || is_docker || (name.starts_with(['$', '%', '#', '@', '_']) && !is_expression);
    }
    if keys.contains(&"options") {
        let is_tag = keys.last().is_some_and(|key| key.ends_with("tag")) && name.starts_with("{{");
        return is_docker || is_tag || (name.starts_with('$') && is_filled_by_the_log_router(value, path, name));
    }
    // A password may hold a dollar sign or two: of such short forms only a whole value is one, and nothing of it is shown.
    keys.contains(&"environment")
        && (name.starts_with("__") || name.starts_with('@') || is_bare(name))
        && name != text.trim()
}

/// `$NAME`, without brackets.
fn is_bare(name: &str) -> bool {
    name.strip_prefix('$').is_some_and(|rest| !rest.starts_with(['{', '(']))
}

/// FireLens knows `${ECS_TASK_ID}`, `$(ecs_task_id)` and `$TAG`; other variables are those of its container.
fn is_filled_by_the_log_router(value: &Value, path: &[Step], name: &str) -> bool {
    let [list, Step::Index(index), ..] = path else {
        return false;
    };
    let Step::Key(list) = list else { return false };
    let driver = value
        .get(list)
        .and_then(|containers| containers.get(*index))
        .and_then(|container| container.pointer("/logConfiguration/logDriver"));
    let known = ["${ECS_", "${AWS_", "${TASK_ID}", "${FLUENT_"];
    driver.and_then(Value::as_str) == Some("awsfirelens")
        && (!name.starts_with("${") || known.iter().any(|start| name.starts_with(start)))
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
    use serde_json::json;

    use super::*;

    fn severities(container: &Value) -> Vec<Severity> {
        let value = json!({"family": "web", "containerDefinitions": [container]});
        let document = Document::from_value(value.clone(), "web.json");
        let mut findings = check(&document);
        findings.extend(check_rendered(&document, &value));
        findings.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn p03_templates_in_an_image_are_errors() {
        for image in [
            "{{ must_env `IMAGE` }}",
            "{{.Image}}",
            "r/a:$TAG",
            "r/a:#{TAG}",
            "r/a:$(TAG)",
            "r/a:__TAG__",
            "r/a:@TAG@",
            "<%= image %>",
            "<your image>",
            "r/a:${{ github.sha }}",
        ] {
            assert_eq!(severities(&json!({"image": image})), [Severity::Error], "{image}");
        }
    }

    #[test]
    fn p03_templates_that_somebody_fills_in_later_are_legal() {
        for container in [
            json!({"command": ["/bin/sh -c \"echo '<html> <h1>$HOSTNAME ${X} $(date)</h1> </html>'\""]}),
            json!({"logConfiguration": {"logDriver": "syslog", "options": {"tag": "{{.Name}}/{{.ID}}"}}}),
            json!({"logConfiguration": {"logDriver": "awsfirelens",
                "options": {"log_stream_name": "${ECS_TASK_ID}/$(ecs_task_id)", "region": "${AWS_REGION}"}}}),
            json!({"environment": [{"name": "A", "value": "%%x%% a$WORD"}]}),
        ] {
            assert_eq!(severities(&container), [], "{container}");
        }
    }

    #[test]
    fn p03_templates_elsewhere_are_warnings() {
        for container in [
            json!({"environment": [{"name": "A", "value": "$TAG"}]}),
            json!({"environment": [{"name": "A", "value": "{{ must_env `A` }}"}]}),
            json!({"command": ["serve", "--name", "<name>"]}),
            json!({"workingDirectory": "/srv/$RELEASE"}),
        ] {
            assert_eq!(severities(&container), [Severity::Warning], "{container}");
        }
    }
}
