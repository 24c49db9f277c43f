//! What a task definition for Fargate lacks, or has and may not.

use serde_json::Value;

use crate::api::definition_checks::members::{is_given, list, refused, text};
use crate::api::fargate_sizes;
use crate::model::refusal::Refusal;

pub(super) fn check(body: &Value, containers: &[Value], mode: &str) -> Result<(), Refusal> {
    if !list(body, "requiresCompatibilities").iter().any(|one| one == "FARGATE") {
        return Ok(());
    }
    if mode != "awsvpc" {
        return refused("Fargate only supports network mode ‘awsvpc’.");
    }
    if !is_given(body, "cpu") || !is_given(body, "memory") {
        return refused("Fargate requires that 'cpu' be defined at the task level.");
    }
    if let Some(words) = fargate_sizes::refusal(body) {
        return refused(words);
    }
    if text(body, "pidMode") == Some("host") {
        return refused(
            "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
        );
    }
    if text(body, "ipcMode").is_some_and(|mode| !mode.is_empty()) {
        return refused("Tasks using the Fargate launch type do not support ipcMode.");
    }
    let has_path = |volume: &Value| volume.get("host").and_then(|host| text(host, "sourcePath")).is_some();
    if list(body, "volumes").iter().any(has_path) {
        return refused("Fargate compatible task definitions do not support sourcePath");
    }
    containers
        .iter()
        .try_for_each(|container| check_container(body, container))
}

fn check_container(body: &Value, container: &Value) -> Result<(), Refusal> {
    let has_role = is_given(body, "executionRoleArn");
    if !has_role && is_in_ecr(text(container, "image").unwrap_or_default()) {
        return refused("Fargate requires task definition to have execution role ARN to support ECR images.");
    }
    let Some(log) = container.get("logConfiguration") else {
        return Ok(());
    };
    if text(log, "logDriver") != Some("awslogs") {
        return Ok(());
    }
    if !has_role {
        return refused("Fargate requires task definition to have execution role ARN to support log driver awslogs.");
    }
    if log
        .get("options")
        .is_none_or(|options| !is_given(options, "awslogs-stream-prefix"))
    {
        return refused(
            "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
        );
    }
    Ok(())
}

/// `111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1`: a private registry of ECR.
fn is_in_ecr(image: &str) -> bool {
    let host = image.split('/').next().unwrap_or_default();
    let mut labels = host.split('.');
    let is_account = |label: &str| label.len() == 12 && label.bytes().all(|b| b.is_ascii_digit());
    labels.next().is_some_and(is_account) && labels.next() == Some("dkr") && labels.next() == Some("ecr")
}
