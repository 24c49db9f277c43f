//! One entry of `services:`. It is the same in portzero.yml and in deployfish's files: the keys are deployfish's where
//! deployfish has one.

use std::time::Duration;

use portzero_core::aws_model::service::{Balancer, LoadBalancerBinding, SchedulingStrategy};
use portzero_core::base::id::{ClusterName, ServiceName, TargetGroupArn};

use super::read::{Fields, Item, Problems};
use super::secrets::Owner;
use super::settings::{Said, Settings, duration, keep_revisions, poll_interval};
use super::{Dependency, Probe, ServiceConfig, TaskDefinitionSource, inline};

const KEYS: &[&str] = &[
    "name",
    "cluster",
    "environment",
    "count",
    "scheduling_strategy",
    "maximum_percent",
    "minimum_healthy_percent",
    "launch_type",
    "load_balancer",
    "healthCheckGracePeriodSeconds",
    "task_definition",
    "template_values",
    "images",
    "depends_on",
    "probes",
    "url",
    "config",
];

/// deployfish's keys for what an infrastructure tool looks after.
pub(super) const IGNORED: &[&str] = &[
    "capacity_provider_strategy",
    "service_role_arn",
    "vpc_configuration",
    "placement_constraints",
    "placement_strategy",
    "propagateTags",
    "enable_exec",
    "autoscalinggroup_name",
    "application_scaling",
    "service_discovery",
    "env_file",
    "requires_compatibilities",
    "tasks",
    "ssh",
];

/// Values that nobody looks at: what is ignored, and what deployfish alone puts into Parameter Store.
pub(super) fn unfilled() -> Vec<&'static str> {
    [IGNORED, &["config"]].concat()
}

pub(super) const SETTINGS: &[&str] = &[
    "until",
    "timeout",
    "settle",
    "poll_interval",
    "if_busy",
    "on_failure",
    "on_cancel",
    "dynamic_ports",
    "force_new_deployment",
    "keep_revisions",
];

/// Reads one service. `None` where it has no name; what else is wrong stands in `problems`.
pub(super) fn service(
    item: &Item<'_>,
    is_deployfish: bool,
    of_environment: Option<&ClusterName>,
    problems: &mut Problems,
) -> Option<ServiceConfig> {
    let fields = item.map(problems)?;
    let known = [KEYS, SETTINGS, inline::KEYS].concat();
    fields.check_keys(&known, IGNORED, problems);
    let name = fields.require("name", problems).and_then(|item| item.name(problems));
    let text = |key: &str, problems: &mut Problems| {
        let item = fields.get(key)?;
        item.name(problems).map(str::to_owned)
    };
    let number = |key: &str, problems: &mut Problems| fields.get(key)?.whole(NUMBER_MAX, problems);
    let alias = text("environment", problems);
    let cluster = text("cluster", problems).map(|cluster| ClusterName::from_reference(&cluster));
    let launch_type = word(&fields, "launch_type", &["EC2", "FARGATE", "EXTERNAL"], problems);
    let scheduling = word(&fields, "scheduling_strategy", &["REPLICA", "DAEMON"], problems);
    let added = match is_deployfish {
        true => deployfish_environment(name, alias.as_deref(), cluster.as_ref()),
        false => Vec::new(),
    };
    let around = inline::Around {
        launch_type: launch_type.as_deref(),
        extra_environment: added,
        owner: Owner {
            cluster: cluster.as_ref().or(of_environment).map(ClusterName::as_str),
            service: name,
            has_execution_role: fields.has("execution_role"),
        },
    };
    let source = source(&fields, around, problems);
    let grace = number("healthCheckGracePeriodSeconds", problems);
    Some(ServiceConfig {
        name: ServiceName::from(name?),
        alias,
        cluster,
        count: number("count", problems),
        source,
        images: images(&fields, problems),
        template_values: texts(&fields, "template_values", problems),
        load_balancers: load_balancers(&fields, problems),
        settings: settings(&fields, problems),
        depends_on: dependencies(&fields, problems),
        probes: probes(&fields, problems),
        url: fields
            .get("url")
            .and_then(|item| web_url(&item, problems))
            .map(str::to_owned),
        minimum_healthy_percent: number("minimum_healthy_percent", problems),
        maximum_percent: number("maximum_percent", problems),
        launch_type,
        scheduling: scheduling.map_or(SchedulingStrategy::Replica, |word| {
            SchedulingStrategy::from(word.as_str())
        }),
        health_check_grace_period: grace.map(|seconds| Duration::from_secs(seconds.into())),
        location: problems.locate(item.place()),
    })
}

/// ECS's numbers are 32-bit and signed.
const NUMBER_MAX: u32 = i32::MAX.unsigned_abs();

/// Reads the settings of a service or of `defaults:`.
pub(super) fn settings(fields: &Fields<'_>, problems: &mut Problems) -> Settings {
    let span = |key: &str, problems: &mut Problems| {
        let item = fields.get(key)?;
        let value = item.word(duration, problems)?;
        let at = problems.locate(item.place());
        Some(Said { value, at })
    };
    let timeout = span("timeout", problems);
    if let (
        Some(Said {
            value: Duration::ZERO, ..
        }),
        Some(item),
    ) = (&timeout, fields.get("timeout"))
    {
        item.invalid("a rollout takes longer than no time at all", problems);
    }
    Settings {
        until: parsed(fields, "until", problems),
        timeout,
        settle: span("settle", problems),
        poll_interval: fields
            .get("poll_interval")
            .and_then(|item| item.word(poll_interval, problems)),
        if_busy: parsed(fields, "if_busy", problems),
        on_failure: parsed(fields, "on_failure", problems),
        on_cancel: parsed(fields, "on_cancel", problems),
        dynamic_ports: parsed(fields, "dynamic_ports", problems),
        force_new_deployment: fields
            .get("force_new_deployment")
            .and_then(|item| item.boolean(problems)),
        keep_revisions: fields
            .get("keep_revisions")
            .and_then(|item| item.whole(NUMBER_MAX, problems).map(|_| item))
            .and_then(|item| item.word(keep_revisions, problems)),
    }
}

fn parsed<T>(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    fields.get(key)?.word(str::parse::<T>, problems)
}

fn word(fields: &Fields<'_>, key: &str, words: &[&str], problems: &mut Problems) -> Option<String> {
    let item = fields.get(key)?;
    let text = item.text(problems)?;
    if words.contains(&text) {
        return Some(text.to_owned());
    }
    item.expected(&format!("one of {}", words.join(", ")), problems);
    None
}

fn texts(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Vec<String> {
    fields.get(key).map(|item| item.texts(problems)).unwrap_or_default()
}

fn dependencies(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Dependency> {
    let items = fields
        .get("depends_on")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    let named = items.iter().filter_map(|item| {
        Some(Dependency {
            name: item.name(problems)?.to_owned(),
            location: problems.locate(item.place()),
        })
    });
    named.collect()
}

/// What deployfish puts into every container that has an `environment`; applications read it.
fn deployfish_environment(
    name: Option<&str>,
    alias: Option<&str>,
    cluster: Option<&ClusterName>,
) -> Vec<(String, String)> {
    [
        ("DEPLOYFISH_SERVICE_NAME", name),
        ("DEPLOYFISH_ENVIRONMENT", alias.or(Some("undefined"))),
        ("DEPLOYFISH_CLUSTER_NAME", cluster.map(ClusterName::as_str)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
    .collect()
}

fn source(fields: &Fields<'_>, around: inline::Around<'_>, problems: &mut Problems) -> Option<TaskDefinitionSource> {
    if let Some(item) = fields.get("config").filter(|_| !fields.has("containers")) {
        problems.ignore(&item, "there are no `containers` beside it that could get its secrets");
    }
    let inline_key = inline::KEYS.iter().find(|key| fields.has(key));
    match (fields.get("task_definition"), inline_key) {
        (None, None) => None,
        (None, Some(_)) => Some(TaskDefinitionSource::Inline(inline::task_definition(
            fields, around, problems,
        ))),
        (Some(item), Some(key)) => {
            item.invalid(
                &format!("it says where the task definition is, so `{key}` cannot stand beside it"),
                problems,
            );
            None
        }
        (Some(item), None) => {
            let text = item.name(problems)?;
            Some(if text == "current" {
                TaskDefinitionSource::Current
            } else if is_path(text) {
                TaskDefinitionSource::File {
                    path: text.to_owned(),
                    location: problems.locate(item.place()),
                }
            } else {
                TaskDefinitionSource::Family(text.to_owned())
            })
        }
    }
}

/// Whether a name of a task definition is a file's, by its text alone: a family has neither slashes nor dots, and an ARN
/// has slashes. What lies in the working folder does not change what a name means.
pub fn is_path(text: &str) -> bool {
    !text.starts_with("arn:") && text.contains(['/', '\\', '.'])
}

fn images(fields: &Fields<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let Some(item) = fields.get("images") else {
        return Vec::new();
    };
    let mut images = Vec::new();
    for (container, image) in item.map(problems).iter().flat_map(Fields::items) {
        if container.trim().is_empty() {
            item.at(image.node)
                .invalid("the name of a container in it is empty", problems);
        }
        let image = image.name(problems).map(str::to_owned);
        images.extend(image.map(|image| (container.to_owned(), image)));
    }
    images
}

fn load_balancers(fields: &Fields<'_>, problems: &mut Problems) -> Vec<LoadBalancerBinding> {
    let Some(map) = fields.get("load_balancer").and_then(|item| item.map(problems)) else {
        return Vec::new();
    };
    let flat = [
        "load_balancer_name",
        "target_group_arn",
        "container_name",
        "container_port",
    ];
    if let Some(groups) = map.get("target_groups") {
        // deployfish ignores the flat keys beside it, so they are named as ignored here.
        map.check_keys(
            &["target_groups"],
            &[&flat[..], &["service_role_arn"]].concat(),
            problems,
        );
        let items = groups.list(problems);
        return items
            .iter()
            .filter_map(|item| {
                let group = item.map(problems)?;
                group.check_keys(&flat[1..], &[], problems);
                binding(&group, problems)
            })
            .collect();
    }
    map.check_keys(
        &[&flat[..], &["target_groups"]].concat(),
        &["service_role_arn"],
        problems,
    );
    binding(&map, problems).into_iter().collect()
}

fn binding(map: &Fields<'_>, problems: &mut Problems) -> Option<LoadBalancerBinding> {
    let balancer = match (map.get("target_group_arn"), map.get("load_balancer_name")) {
        (Some(item), Some(_)) => {
            item.invalid(
                "give it or `load_balancer_name` (a classic load balancer), not both",
                problems,
            );
            None
        }
        (None, Some(item)) => item.name(problems).map(|name| Balancer::Classic(name.to_owned())),
        (None, None) => {
            map.require("target_group_arn", problems);
            None
        }
        (Some(item), None) => target_group(&item, problems),
    };
    let name = map
        .require("container_name", problems)
        .and_then(|item| item.name(problems));
    let port = map
        .require("container_port", problems)
        .and_then(|item| item.word(|text| super::ports::port(text, 1), problems));
    Some(LoadBalancerBinding {
        balancer: balancer?,
        container_name: name?.to_owned(),
        container_port: port?,
        alternate: None,
    })
}

fn target_group(item: &Item<'_>, problems: &mut Problems) -> Option<Balancer> {
    let text = item.name(problems)?;
    let is_arn = text.starts_with("arn:");
    if is_arn && text.contains(":targetgroup/") {
        return Some(Balancer::TargetGroup(TargetGroupArn::from(text)));
    }
    let wanted = "the ARN of a target group (arn:aws:elasticloadbalancing:…:targetgroup/NAME/ID)";
    let why = match text {
        _ if is_arn && text.contains(":loadbalancer/") => {
            format!("this is the ARN of a load balancer; it wants {wanted}")
        }
        _ if is_arn && text.contains(":listener") => format!("this is the ARN of a listener; it wants {wanted}"),
        _ => format!("expected {wanted}, got {}", item.node.shown()),
    };
    item.invalid(&why, problems);
    None
}

fn probes(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Probe> {
    let items = fields.get("probes").map(|item| item.list(problems)).unwrap_or_default();
    items.iter().filter_map(|item| probe(item, problems)).collect()
}

fn web_url<'a>(item: &Item<'a>, problems: &mut Problems) -> Option<&'a str> {
    let url = item.name(problems)?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let has_host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['));
    if !has_host || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        item.expected("an http or https URL", problems);
        return None;
    }
    Some(url)
}

fn probe(item: &Item<'_>, problems: &mut Problems) -> Option<Probe> {
    let map = item.map(problems)?;
    map.check_keys(&["name", "url", "expect"], &[], problems);
    let url_item = map.require("url", problems)?;
    let url = web_url(&url_item, problems)?.to_owned();
    let expect = match map.get("expect") {
        Some(item) => {
            let status = item.whole(599, problems)?;
            if status < 100 {
                item.expected("an HTTP status from 100 to 599", problems);
            }
            u16::try_from(status).ok()?
        }
        None => 200,
    };
    let name = map.get("name").and_then(|item| item.name(problems));
    Some(Probe {
        name: name.unwrap_or(&url).to_owned(),
        url: url.clone(),
        expect,
        location: problems.locate(item.place()),
    })
}
