//! deployfish's `config:` as `secrets` of the containers: deployfish keeps `KEY=VALUE` of a service as the parameter
//! `CLUSTER.SERVICE.KEY` in Parameter Store, and each container gets it under the name KEY. The value is deployfish's to
//! write there; it is not looked at here.

use portzero_core::base::finding::{Code, Finding};
use serde_json::{Value, json};

use super::read::{Fields, Item, Problems};

/// Whose parameters they are.
pub(super) struct Owner<'a> {
    pub cluster: Option<&'a str>,
    pub service: Option<&'a str>,
    /// Without one ECS could not read them, and deployfish leaves them out.
    pub has_execution_role: bool,
}

/// The `secrets` of each container of the service.
pub(super) fn secrets(fields: &Fields<'_>, owner: &Owner<'_>, problems: &mut Problems) -> Vec<Value> {
    let Some(item) = fields.get("config") else {
        return Vec::new();
    };
    if !owner.has_execution_role {
        problems.ignore(
            &item,
            "it has no `execution_role`, which ECS reads secrets with; deployfish leaves them out as well",
        );
        return Vec::new();
    }
    let entries = item.clone().secret().list(problems);
    let mut keys: Vec<&str> = Vec::new();
    for entry in &entries {
        let Some(key) = key(entry, problems) else { continue };
        match keys.contains(&key) {
            true => entry.invalid(&format!("{key} is there twice"), problems),
            false => keys.push(key),
        }
    }
    let (Some(cluster), Some(service)) = (owner.cluster, owner.service) else {
        if owner.cluster.is_none() {
            item.invalid(
                "its parameters are named after the cluster, and the service has no `cluster`",
                problems,
            );
        }
        return Vec::new();
    };
    let parameter = |key: &&str| json!({"name": key, "valueFrom": format!("{cluster}.{service}.{key}")});
    keys.iter().map(parameter).collect()
}

/// `KEY=VALUE`, `KEY:secure=VALUE` or `KEY:secure:arn:…=VALUE`.
fn key<'a>(entry: &Item<'a>, problems: &mut Problems) -> Option<&'a str> {
    let text = entry.text(problems)?;
    let Some((identifier, _)) = text.split_once('=').filter(|_| !text.contains(":external")) else {
        let names = text.split(['=', ':']).next().unwrap_or_default();
        let what = if is_name(names.trim_end_matches('*')) {
            format!(" `{names}`")
        } else {
            String::new()
        };
        let summary = format!(
            "{}: the external parameter{what} cannot be rendered: deployfish looks such names up in AWS",
            entry.path
        );
        let finding = Finding::error(Code::InvalidValue, summary).at(problems.locate(entry.place()));
        problems.errors.push(finding.hint(
            "put the task definition in a file, with the names in `secrets`, and name the file in `task_definition`",
        ));
        return None;
    };
    let key = identifier.split(':').next().unwrap_or_default();
    if is_name(key) {
        return Some(key);
    }
    // What stands there may be half of somebody's password, so it is not repeated.
    let why = match key.is_empty() {
        true => "the name before the `=` is empty",
        false => "the name before the `=` is none that Parameter Store takes: letters, digits, `_`, `-`, `.` and `/`",
    };
    entry.invalid(why, problems);
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
}
