//! The options of the log driver `awslogs`.

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::document::Container;
use crate::task_definition::path::steps;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "the log driver awslogs without the options awslogs-region and awslogs-group",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Log driver awslogs requires options: awslogs-region, awslogs-group",
        source: "aws-cloudformation/cfn-lint#1787",
        code: Code::MissingKey,
        find: missing_options,
    },
    Rule {
        name: "an empty awslogs-region or awslogs-group",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Log driver awslogs option 'awslogs-group' should not be null or empty.",
        source: "terraform-aws-modules/terraform-aws-ecs#206",
        code: Code::InvalidValue,
        find: empty_options,
    },
    Rule {
        name: "awslogs-create-group with another value than true",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else omit option.",
        source: "terraform-linters/tflint-ruleset-aws#348",
        code: Code::InvalidValue,
        find: create_group,
    },
    Rule {
        name: "on Fargate, the log driver awslogs without awslogs-stream-prefix",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
        source: "aws/aws-cdk#1422",
        code: Code::MissingKey,
        find: stream_prefix,
    },
    Rule {
        name: "an option that the log driver awslogs does not have",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "Log driver awslogs disallows options that it does not know.",
        source: "aws-samples/amazon-ecs-firelens-examples#83; cfn-lint E3046",
        code: Code::UnknownKey,
        find: unknown_options,
    },
];

const REQUIRED: [&str; 2] = ["awslogs-region", "awslogs-group"];

/// Source: ECS Developer Guide, "awslogs log driver options", and cfn-lint 1.58, E3046.
const KNOWN: &[&str] = &[
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
];

pub(super) fn driver<'v>(container: &Container<'v>) -> Option<&'v str> {
    container.value.get("logConfiguration")?.get("logDriver")?.as_str()
}

/// The containers that log with it, and their options.
fn loggers<'t, 'v>(task: &'t Task<'v>) -> impl Iterator<Item = (&'t Container<'v>, &'v Value)> {
    let loggers = task.containers.iter().filter(|c| driver(c) == Some("awslogs"));
    loggers.map(|c| (c, c.value.pointer("/logConfiguration/options").unwrap_or(&Value::Null)))
}

fn missing_options(task: &Task<'_>) -> Vec<Breach> {
    let breach = |(c, options): (&Container<'_>, &Value)| {
        let missing: Vec<String> = REQUIRED
            .into_iter()
            .filter(|name| options.get(name).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        let path = steps!["containerDefinitions", c.index, "logConfiguration", "options"];
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let summary = format!(
            "{} {verb} missing in the log options of container `{}`",
            missing.join(" and "),
            name_of(c)
        );
        (!missing.is_empty()).then(|| Breach::new(path, summary))
    };
    loggers(task).filter_map(breach).collect()
}

fn empty_options(task: &Task<'_>) -> Vec<Breach> {
    let breaches = |(c, options): (&Container<'_>, &Value)| {
        let empty = REQUIRED
            .into_iter()
            .filter(|name| options.get(name).is_some_and(|value| value == ""));
        let breach = |name| {
            let path = steps!["containerDefinitions", c.index, "logConfiguration", "options", name];
            Breach::new(path, format!("`{name}` of container `{}` is empty", name_of(c)))
        };
        empty.map(breach).collect::<Vec<_>>()
    };
    loggers(task).flat_map(breaches).collect()
}

fn create_group(task: &Task<'_>) -> Vec<Breach> {
    let name = "awslogs-create-group";
    // AWS's own examples write `True`.
    let is_true = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let is_wrong = |options: &Value| options.get(name).is_some_and(|value| !is_true(value));
    let breach = |(c, _): (&Container<'_>, &Value)| {
        let path = steps!["containerDefinitions", c.index, "logConfiguration", "options", name];
        let summary = format!("`{name}` of container `{}` is not \"true\"", name_of(c));
        Breach::new(path, summary).hint(format!("write \"true\", or leave `{name}` out"))
    };
    loggers(task)
        .filter(|(_, options)| is_wrong(options))
        .map(breach)
        .collect()
}

fn stream_prefix(task: &Task<'_>) -> Vec<Breach> {
    let name = "awslogs-stream-prefix";
    let breach = |(c, _): (&Container<'_>, &Value)| {
        let path = steps!["containerDefinitions", c.index, "logConfiguration", "options"];
        let summary = format!(
            "`{name}` is missing in the log options of container `{}`, and Fargate needs it",
            name_of(c)
        );
        Breach::new(path, summary)
    };
    let lacks = |options: &Value| task.is_fargate && options.get(name).is_none();
    loggers(task)
        .filter(|(_, options)| lacks(options))
        .map(breach)
        .collect()
}

fn unknown_options(task: &Task<'_>) -> Vec<Breach> {
    let breaches = |(c, options): (&Container<'_>, &Value)| {
        let names = options.as_object().into_iter().flat_map(|options| options.keys());
        let unknown = names.filter(|name| !KNOWN.contains(&name.as_str()));
        let breach = |name: &String| {
            let path = steps![
                "containerDefinitions",
                c.index,
                "logConfiguration",
                "options",
                name.as_str()
            ];
            let summary = format!(
                "the log driver awslogs has no option `{name}` (container `{}`)",
                name_of(c)
            );
            Breach::new(path, summary)
        };
        unknown.map(breach).collect::<Vec<_>>()
    };
    loggers(task).flat_map(breaches).collect()
}
