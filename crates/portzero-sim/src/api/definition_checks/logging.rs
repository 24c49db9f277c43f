//! The options of the log driver `awslogs`.

use serde_json::Value;

use crate::api::definition_checks::members::{refused, text};
use crate::model::refusal::Refusal;

const REQUIRED: [&str; 2] = ["awslogs-region", "awslogs-group"];

pub(super) fn check(containers: &[Value]) -> Result<(), Refusal> {
    let logs = containers
        .iter()
        .filter_map(|container| container.get("logConfiguration"));
    logs.filter(|log| text(log, "logDriver") == Some("awslogs"))
        .try_for_each(|log| check_options(log.get("options").unwrap_or(&Value::Null)))
}

fn check_options(options: &Value) -> Result<(), Refusal> {
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|name| options.get(name).is_none())
        .collect();
    if !missing.is_empty() {
        return refused(format!("Log driver awslogs requires options: {}", missing.join(", ")));
    }
    if let Some(name) = REQUIRED.into_iter().find(|name| text(options, name) == Some("")) {
        return refused(format!(
            "Log driver awslogs option '{name}' should not be null or empty."
        ));
    }
    let creates = text(options, "awslogs-create-group");
    if creates.is_some_and(|creates| !creates.eq_ignore_ascii_case("true")) {
        return refused(
            "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else omit option.",
        );
    }
    Ok(())
}
