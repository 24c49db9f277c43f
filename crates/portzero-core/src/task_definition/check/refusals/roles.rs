//! What the agent does for a task before it runs, and needs the execution role for.

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::refusals::logging::driver;
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::document::Container;
use crate::task_definition::path::steps;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "secrets without an execution role",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'",
        source: "fabfuel/ecs-deploy#87",
        code: Code::MissingKey,
        find: secrets,
    },
    Rule {
        name: "credentials for a private registry without an execution role",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Private repository authentication requires that the task definition specify a value for executionRoleArn.",
        source: "sil-org/ecs-deploy#188",
        code: Code::MissingKey,
        find: repository_credentials,
    },
    Rule {
        name: "on Fargate, an image in ECR without an execution role",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Fargate requires task definition to have execution role ARN to support ECR images.",
        source: "hashicorp/terraform-provider-aws#3051",
        code: Code::MissingKey,
        find: ecr_image,
    },
    Rule {
        name: "on Fargate, the log driver awslogs without an execution role",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        source: "virtual-kubelet/virtual-kubelet#193",
        code: Code::MissingKey,
        find: log_driver,
    },
];

/// A breach at `key` of each container that needs the role which the task lacks.
fn needs_role(task: &Task<'_>, key: &str, what: &str, needs: impl Fn(&Container<'_>) -> bool) -> Vec<Breach> {
    if task.text("executionRoleArn").is_some() {
        return Vec::new();
    }
    let breach = |c: &Container<'_>| {
        let path = steps!["containerDefinitions", c.index, key];
        let summary = format!("`executionRoleArn` is missing: container `{}` has {what}", name_of(c));
        Breach::new(path, summary)
            .hint("name a role that the ECS agent may use, in `executionRoleArn` of the task definition")
    };
    task.containers.iter().filter(|c| needs(c)).map(breach).collect()
}

fn secrets(task: &Task<'_>) -> Vec<Breach> {
    needs_role(task, "secrets", "`secrets`", |c| c.list("secrets").next().is_some())
}

fn repository_credentials(task: &Task<'_>) -> Vec<Breach> {
    needs_role(task, "repositoryCredentials", "credentials for its registry", |c| {
        c.value
            .get("repositoryCredentials")
            .is_some_and(|given| !given.is_null())
    })
}

fn ecr_image(task: &Task<'_>) -> Vec<Breach> {
    needs_role(
        task,
        "image",
        "an image in ECR, and Fargate needs the role to pull it",
        |c| task.is_fargate && c.image().is_some_and(is_in_ecr),
    )
}

fn log_driver(task: &Task<'_>) -> Vec<Breach> {
    let what = "the log driver awslogs, and Fargate needs the role to send what it logs";
    needs_role(task, "logConfiguration", what, |c| {
        task.is_fargate && driver(c) == Some("awslogs")
    })
}

/// `111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1`, or its kin in other partitions.
fn is_in_ecr(image: &str) -> bool {
    let Some((host, _)) = image.split_once('/') else {
        return false;
    };
    let Some((account, rest)) = host.split_once('.') else {
        return false;
    };
    account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with("dkr.ecr.")
}
