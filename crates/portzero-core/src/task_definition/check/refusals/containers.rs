//! What each container needs, and what of it must differ from the others.

use std::collections::HashSet;

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::placeholder;
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::check::task_rules::{cpu_units, memory_mib};
use crate::task_definition::document::Container;
use crate::task_definition::image_reference;
use crate::task_definition::path::steps;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a container without an image",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Container.image should not be null or empty.",
        source: "aws-actions/amazon-ecs-render-task-definition#87",
        code: Code::MissingKey,
        find: without_image,
    },
    Rule {
        name: "an image with other characters than those of image references",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Container.image contains invalid characters.",
        source: "aws-actions/amazon-ecs-render-task-definition#49",
        code: Code::InvalidValue,
        find: foreign_characters,
    },
    Rule {
        name: "an image that is no image reference, so that no registry has it",
        certainty: Certainty::Documented,
        severity: Severity::Error,
        words: "Images are specified with either repository-url/image:tag or repository-url/image@digest.",
        source: "ECS API reference, ContainerDefinition; the grammar of the distribution project",
        code: Code::InvalidValue,
        find: no_reference,
    },
    Rule {
        name: "a container name with other characters than letters, digits, hyphens and underscores",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Container.name contains invalid characters.",
        source: "hashicorp/terraform-provider-aws#5950",
        code: Code::InvalidValue,
        find: invalid_name,
    },
    Rule {
        name: "two containers of one name",
        certainty: Certainty::Documented,
        severity: Severity::Error,
        words: "Container names are unique within a task definition.",
        source: "ECS Developer Guide, task definition parameters",
        code: Code::InvalidValue,
        find: name_twice,
    },
    Rule {
        name: "no essential container",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "Task definition doesn't have any essential container.",
        source: "eagletmt/hako#68; cfn-lint E3042",
        code: Code::InvalidValue,
        find: none_essential,
    },
    Rule {
        name: "more memory for a container than for its task",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "The 'memory' setting for container is greater than for the task.",
        source: "pulumi/pulumi-awsx#1220",
        code: Code::InvalidValue,
        find: more_than_the_task,
    },
    Rule {
        name: "more CPU for the containers than for their task",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        source: "klothoplatform/klotho#892",
        code: Code::InvalidValue,
        find: more_cpu_than_the_task,
    },
    Rule {
        name: "one name both in environment and in secrets",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "The secret name must be unique and not shared with any new or existing environment variables set on the container",
        source: "compose-x/ecs_composex#707",
        code: Code::InvalidValue,
        find: secret_and_variable,
    },
    Rule {
        name: "a health check command that does not begin with CMD or CMD-SHELL",
        certainty: Certainty::Documented,
        severity: Severity::Error,
        words: "The string array must start with CMD to run the command arguments directly, or CMD-SHELL.",
        source: "ECS API reference, HealthCheck",
        code: Code::InvalidValue,
        find: health_check_command,
    },
];

fn without_image(task: &Task<'_>) -> Vec<Breach> {
    // An image of another type has been refused as such.
    let has_other =
        |c: &&Container<'_>| !c.value.is_object() || c.value.get("image").is_some_and(|image| !image.is_null());
    let lacks = |c: &&Container<'_>| c.image().map_or_else(|| !has_other(c), str::is_empty);
    let breach = |c: &Container<'_>| {
        let name = name_of(c);
        let path = steps!["containerDefinitions", c.index, "image"];
        Breach::new(path, format!("`image` is missing: containerDefinitions[{name}]"))
            .hint(format!("name it in the file, or give --image {name}=REPOSITORY:TAG"))
    };
    task.containers.iter().filter(lacks).map(breach).collect()
}

/// The characters that AWS takes in an image. Source: ECS API reference, ContainerDefinition.
fn has_foreign_characters(image: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-_:./#@".contains(c);
    !image.chars().all(is_known)
}

fn foreign_characters(task: &Task<'_>) -> Vec<Breach> {
    invalid_images(task, has_foreign_characters)
}

fn no_reference(task: &Task<'_>) -> Vec<Breach> {
    invalid_images(task, |image| !has_foreign_characters(image))
}

/// A placeholder that is left in an image is told as one.
fn invalid_images(task: &Task<'_>, is_meant: impl Fn(&str) -> bool) -> Vec<Breach> {
    let breach = |c: &Container<'_>| {
        let image = c.image().filter(|image| !image.is_empty() && is_meant(image))?;
        if !placeholder::names_in(image).is_empty() || image.contains("%s") {
            return None;
        }
        let why = image_reference::check(image).err()?;
        let path = steps!["containerDefinitions", c.index, "image"];
        let summary = format!("`{image}` is no image reference (container `{}`): {why}", name_of(c));
        Some(Breach::new(path, summary))
    };
    task.containers.iter().filter_map(breach).collect()
}

fn invalid_name(task: &Task<'_>) -> Vec<Breach> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_wrong = |name: &str| name.is_empty() || name.len() > 255 || !name.chars().all(is_legal);
    let breach = |c: &Container<'_>| {
        let name = c
            .name()
            .filter(|name| is_wrong(name) && placeholder::names_in(name).is_empty())?;
        let path = steps!["containerDefinitions", c.index, "name"];
        let summary = format!("`{name}` is no name for a container");
        Some(Breach::new(path, summary).hint("write up to 255 letters, digits, hyphens and underscores"))
    };
    task.containers.iter().filter_map(breach).collect()
}

fn name_twice(task: &Task<'_>) -> Vec<Breach> {
    let mut seen = HashSet::new();
    let named = task.containers.iter().filter_map(|c| Some((c.index, c.name()?)));
    named
        .filter(|(_, name)| !seen.insert(*name))
        .map(|(index, name)| {
            let path = steps!["containerDefinitions", index, "name"];
            Breach::new(path, format!("two containers are called `{name}`"))
        })
        .collect()
}

fn none_essential(task: &Task<'_>) -> Vec<Breach> {
    if task.containers.is_empty() || task.containers.iter().any(Container::is_essential) {
        return Vec::new();
    }
    let breach = Breach::new(steps!["containerDefinitions"], "no container is essential");
    vec![breach.hint("leave `essential` out, or write true, where the task ends with the container")]
}

fn more_than_the_task(task: &Task<'_>) -> Vec<Breach> {
    let Some(of_task) = task.text("memory").and_then(memory_mib) else {
        return Vec::new();
    };
    let breach = |c: &Container<'_>| {
        let own = c.memory().filter(|own| *own > of_task)?;
        let path = steps!["containerDefinitions", c.index, "memory"];
        let name = name_of(c);
        Some(Breach::new(
            path,
            format!("container `{name}` has {own} MiB of memory, and its task {of_task}"),
        ))
    };
    task.containers.iter().filter_map(breach).collect()
}

fn more_cpu_than_the_task(task: &Task<'_>) -> Vec<Breach> {
    let Some(of_task) = task.text("cpu").and_then(cpu_units) else {
        return Vec::new();
    };
    let sum: u64 = task.containers.iter().filter_map(Container::cpu).sum();
    if sum <= of_task {
        return Vec::new();
    }
    let summary = format!("the containers have {sum} CPU units together, and their task {of_task}");
    vec![Breach::new(steps!["cpu"], summary)]
}

fn secret_and_variable(task: &Task<'_>) -> Vec<Breach> {
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str).map(str::to_owned);
    let breaches = |c: &Container<'_>| {
        let variables: HashSet<String> = c.list("environment").filter_map(name).collect();
        let shared = c.list("secrets").enumerate();
        let shared = shared.filter_map(|(place, entry)| Some((place, name(entry)?)));
        let breach = |(place, name): (usize, String)| {
            let path = steps!["containerDefinitions", c.index, "secrets", place];
            Breach::new(path, format!("`{name}` is both in `environment` and in `secrets`")).hint("keep one of them")
        };
        shared
            .filter(|(_, name)| variables.contains(name))
            .map(breach)
            .collect::<Vec<_>>()
    };
    task.containers.iter().flat_map(breaches).collect()
}

fn health_check_command(task: &Task<'_>) -> Vec<Breach> {
    let breach = |c: &Container<'_>| {
        let check = c.value.get("healthCheck").filter(|check| !check.is_null())?;
        let command = check.get("command").and_then(Value::as_array)?;
        let first = command.first().and_then(Value::as_str);
        if matches!(first, Some("CMD" | "CMD-SHELL")) {
            return None;
        }
        let path = steps!["containerDefinitions", c.index, "healthCheck", "command"];
        let name = name_of(c);
        let summary = format!("the health check command of container `{name}` begins with neither CMD nor CMD-SHELL");
        Some(
            Breach::new(path, summary)
                .hint("write [\"CMD-SHELL\", \"…\"] for a command line, or [\"CMD\", \"…\", \"…\"]"),
        )
    };
    task.containers.iter().filter_map(breach).collect()
}
