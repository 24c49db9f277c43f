//! How much of something AWS takes, and between which numbers.

use std::collections::HashSet;

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::document::{Container, list};
use crate::task_definition::path::{Step, steps};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "more than 65536 bytes",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Max allowed length is '65536' bytes.",
        source: "awsdocs/amazon-ecs-developer-guide#149",
        code: Code::InvalidValue,
        find: length,
    },
    Rule {
        name: "more than ten containers",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Too many containers.",
        source: "aws/amazon-ecs-cli#184",
        code: Code::InvalidValue,
        find: containers,
    },
    Rule {
        name: "a tag whose key begins with aws:",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Tag key must not start with aws:",
        source: "aws/amazon-ecs-agent#1704",
        code: Code::InvalidValue,
        find: aws_tags,
    },
    Rule {
        name: "a tag key that comes twice",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "Tag keys must be unique per resource.",
        source: "ECS API reference, RegisterTaskDefinition",
        code: Code::InvalidValue,
        find: tag_twice,
    },
    Rule {
        name: "more than 50 tags",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "Maximum number of tags per resource: 50.",
        source: "ECS API reference, RegisterTaskDefinition",
        code: Code::InvalidValue,
        find: tags,
    },
    Rule {
        name: "a number of a health check outside of its range",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "interval 5 to 300 seconds, timeout 2 to 60, retries 1 to 10, startPeriod 0 to 300",
        source: "ECS API reference, HealthCheck",
        code: Code::InvalidValue,
        find: health_check,
    },
    Rule {
        name: "ephemeral storage outside of 21 to 200 GiB",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "The minimum supported value is 21 GiB and the maximum supported value is 200 GiB.",
        source: "ECS API reference, EphemeralStorage",
        code: Code::InvalidValue,
        find: ephemeral_storage,
    },
    Rule {
        name: "a `restartAttemptPeriod` outside of 60 to 1800 seconds",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "You can set a minimum restartAttemptPeriod of 60 seconds and a maximum of 1800 seconds.",
        source: "ECS API reference, ContainerRestartPolicy",
        code: Code::InvalidValue,
        find: restart_period,
    },
];

const LENGTH_MAX: usize = 65_536;
const CONTAINERS_MAX: usize = 10;
const TAGS_MAX: usize = 50;

fn length(task: &Task<'_>) -> Vec<Breach> {
    let length = task.value.to_string().len();
    let summary = || format!("the task definition is {length} bytes long");
    let breach = || Breach::new(Vec::new(), summary()).hint("move environment values into an `environmentFiles` entry");
    (length > LENGTH_MAX).then(breach).into_iter().collect()
}

fn containers(task: &Task<'_>) -> Vec<Breach> {
    let count = task.containers.len();
    let breach = || {
        Breach::new(
            steps!["containerDefinitions"],
            format!("the task has {count} containers"),
        )
    };
    (count > CONTAINERS_MAX).then(breach).into_iter().collect()
}

/// Each tag's key and place.
fn tag_keys<'v>(task: &Task<'v>) -> impl Iterator<Item = (&'v str, Vec<Step>)> {
    let tags = list(task.value, "tags").iter().enumerate();
    tags.filter_map(|(place, tag)| Some((tag.get("key")?.as_str()?, steps!["tags", place, "key"].to_vec())))
}

fn aws_tags(task: &Task<'_>) -> Vec<Breach> {
    let is_reserved = |key: &str| key.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws:"));
    let breach = |(key, path)| {
        Breach::new(path, format!("tag `{key}` has the prefix that AWS keeps for itself")).hint("remove the tag")
    };
    tag_keys(task).filter(|(key, _)| is_reserved(key)).map(breach).collect()
}

fn tag_twice(task: &Task<'_>) -> Vec<Breach> {
    let mut seen = HashSet::new();
    let breach = |(key, path)| Breach::new(path, format!("two tags are called `{key}`"));
    tag_keys(task)
        .filter(|(key, _)| !seen.insert(*key))
        .map(breach)
        .collect()
}

fn tags(task: &Task<'_>) -> Vec<Breach> {
    let count = list(task.value, "tags").len();
    let breach = || Breach::new(steps!["tags"], format!("the task definition has {count} tags"));
    (count > TAGS_MAX).then(breach).into_iter().collect()
}

/// Key, least, most.
const HEALTH_CHECK: [(&str, i64, i64); 4] = [
    ("interval", 5, 300),
    ("timeout", 2, 60),
    ("retries", 1, 10),
    ("startPeriod", 0, 300),
];

fn health_check(task: &Task<'_>) -> Vec<Breach> {
    let breaches = |c: &Container<'_>| {
        let check = c.value.get("healthCheck").unwrap_or(&Value::Null);
        let outside = HEALTH_CHECK.iter().filter_map(|(key, least, most)| {
            let number = check.get(*key)?.as_i64()?;
            (!(*least..=*most).contains(&number)).then(|| {
                let path = steps!["containerDefinitions", c.index, "healthCheck", *key];
                let name = name_of(c);
                let summary = format!(
                    "`{key}` {number} of the health check of container `{name}` is not within {least} to {most}"
                );
                Breach::new(path, summary)
            })
        });
        outside.collect::<Vec<_>>()
    };
    task.containers.iter().flat_map(breaches).collect()
}

fn ephemeral_storage(task: &Task<'_>) -> Vec<Breach> {
    let size = task
        .value
        .pointer("/ephemeralStorage/sizeInGiB")
        .and_then(Value::as_i64);
    let breach = |size| {
        let path = steps!["ephemeralStorage", "sizeInGiB"];
        Breach::new(path, format!("`sizeInGiB` {size} is not within 21 to 200"))
    };
    let outside = size.filter(|size| !(21..=200).contains(size));
    outside.map(breach).into_iter().collect()
}

fn restart_period(task: &Task<'_>) -> Vec<Breach> {
    let breach = |c: &Container<'_>| {
        let seconds = c.value.pointer("/restartPolicy/restartAttemptPeriod")?.as_i64()?;
        let path = steps!["containerDefinitions", c.index, "restartPolicy", "restartAttemptPeriod"];
        let summary = format!(
            "`restartAttemptPeriod` {seconds} of container `{}` is not within 60 to 1800",
            name_of(c)
        );
        (!(60..=1800).contains(&seconds)).then(|| Breach::new(path, summary))
    };
    task.containers.iter().filter_map(breach).collect()
}
