//! A scenario as the text of a file, with comments for the person who edits it. Reading it gives the same scenario.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::scenario::breaker::CircuitBreaker;
use crate::scenario::specs::HealthCheckSpec;
use crate::scenario::{GroupAddresses, InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};

/// The JSON Schema of scenario files.
pub const SCHEMA: &str = include_str!("scenario.schema.json");

impl Scenario {
    /// The text of a file for a world that was made from a configuration: such a one has neither timings nor faults of
    /// its own, and none are written.
    pub fn to_yaml(&self) -> String {
        let mut page = Page::default();
        page.line(
            0,
            "# A world for `portzero rehearse --scenario FILE` and `portzero simulate --scenario FILE`.",
        );
        page.line(
            0,
            "# docs/simulator.md tells every key and every fault; `portzero simulate --schema` prints the schema.",
        );
        page.text(0, "description", &self.description);
        page.line(0, "# The same file and the same seed give the same run.");
        page.plain(0, "seed", self.seed);
        if let Some(start) = &self.start {
            page.text(0, "start", start);
        }
        page.text(0, "region", &self.region);
        page.text(0, "account", &self.account);
        page.line(0, "# The cluster of the instances, and of services that name none.");
        page.text(0, "cluster", &self.cluster);
        if !self.clusters.is_empty() {
            page.plain(0, "clusters", list(&self.clusters));
        }
        page.gap();
        page.list("instances", &self.instances, instance);
        page.list("target_groups", &self.target_groups, target_group);
        page.list("services", &self.services, service);
        page.line(
            0,
            "# What goes wrong, and when: `portzero rehearse --help` lists the faults. For example:",
        );
        page.line(0, "#   - { fault: unhealthy, code: 502, for: 2m }");
        page.line(
            0,
            "#   - { fault: server-error, action: ecs:DescribeServices, at: 30s, for: 1m }",
        );
        page.plain(0, "faults", "[]");
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "{:indent$}{text}", "");
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn plain(&mut self, indent: usize, key: &str, value: impl std::fmt::Display) {
        self.line(indent, &format!("{key}: {value}"));
    }

    fn text(&mut self, indent: usize, key: &str, value: &str) {
        self.plain(indent, key, scalar(value));
    }

    fn option(&mut self, indent: usize, key: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(indent, key, value);
        }
    }

    fn span(&mut self, indent: usize, key: &str, value: Duration) {
        self.plain(indent, key, humantime::format_duration(value));
    }

    /// A list of mappings, each of which begins with its dash.
    fn list<T>(&mut self, key: &str, items: &[T], write: fn(&mut Page, &T)) {
        if items.is_empty() {
            self.plain(0, key, "[]");
        } else {
            self.line(0, &format!("{key}:"));
            for item in items {
                let mut page = Page::default();
                write(&mut page, item);
                self.0.push_str(&dashed(&page.0));
            }
        }
        self.gap();
    }
}

/// Puts a dash ahead of the first line of a mapping that is indented by four.
fn dashed(block: &str) -> String {
    match block.strip_prefix("    ") {
        Some(rest) => format!("  - {rest}"),
        None => block.to_owned(),
    }
}

fn instance(page: &mut Page, spec: &InstanceSpec) {
    page.plain(4, "cpu", format_args!("{} # in units of 1/1024 vCPU", spec.cpu));
    page.plain(4, "memory", format_args!("{} # MiB", spec.memory));
    page.plain(4, "count", spec.count);
    page.option(4, "id", spec.id.as_ref());
    page.option(4, "cluster", spec.cluster.as_ref());
    page.option(4, "zone", spec.zone.as_ref());
}

fn target_group(page: &mut Page, spec: &TargetGroupSpec) {
    page.text(4, "name", &spec.name);
    page.option(4, "arn", spec.arn.as_ref());
    page.plain(4, "port", spec.port);
    page.text(4, "protocol", &spec.protocol);
    page.option(4, "target_type", spec.target_type.as_ref());
    if spec.ip_address_type != GroupAddresses::Ipv4 {
        page.text(4, "ip_address_type", spec.ip_address_type.as_str());
    }
    page.line(
        4,
        "# Set these to what your target group has: they decide how long a rollout takes.",
    );
    page.span(4, "deregistration_delay", spec.deregistration_delay);
    page.line(4, "health_check:");
    health_check(page, &spec.health_check);
    page.plain(
        4,
        "attached",
        format_args!("{} # a listener forwards to it", spec.attached),
    );
}

fn health_check(page: &mut Page, check: &HealthCheckSpec) {
    page.text(6, "path", &check.path);
    page.text(6, "port", &check.port);
    page.span(6, "interval", check.interval);
    page.span(6, "timeout", check.timeout);
    page.plain(6, "healthy_threshold", check.healthy_threshold);
    page.plain(6, "unhealthy_threshold", check.unhealthy_threshold);
    page.plain(6, "matcher", quoted(&check.matcher));
    page.plain(6, "enabled", check.enabled);
}

fn circuit_breaker(breaker: &CircuitBreaker) -> String {
    let mut flow = format!("enable: {}, rollback: {}", breaker.enable, breaker.rollback);
    if let Some(resets) = breaker.reset_on_healthy_task {
        flow.push_str(&format!(", reset_on_healthy_task: {resets}"));
    }
    if let Some(threshold) = breaker.threshold {
        let (kind, value) = (threshold.kind.as_str(), threshold.value);
        flow.push_str(&format!(", threshold: {{ type: {kind}, value: {value} }}"));
    }
    format!("{{ {flow} }}")
}

fn service(page: &mut Page, spec: &ServiceSpec) {
    page.text(4, "name", &spec.name);
    page.option(4, "cluster", spec.cluster.as_ref());
    page.plain(4, "desired_count", spec.desired_count);
    page.plain(4, "minimum_healthy_percent", spec.minimum_healthy_percent);
    page.plain(4, "maximum_percent", spec.maximum_percent);
    if let Some(breaker) = &spec.circuit_breaker {
        page.plain(4, "circuit_breaker", circuit_breaker(breaker));
    }
    if let Some(span) = spec.health_check_grace_period {
        page.span(4, "health_check_grace_period", span);
    }
    page.option(4, "launch_type", spec.launch_type.as_ref());
    page.option(4, "cpu_architecture", spec.cpu_architecture.as_ref());
    page.text(4, "status", &spec.status);
    page.text(4, "deployment_controller", &spec.deployment_controller);
    page.text(4, "scheduling_strategy", &spec.scheduling_strategy);
    if !spec.load_balancers.is_empty() {
        page.line(4, "load_balancers:");
        for binding in &spec.load_balancers {
            page.line(6, &format!("- {}", load_balancer(binding)));
        }
    }
    page.line(
        4,
        "# What runs before the deployment: the body of a RegisterTaskDefinition.",
    );
    page.plain(4, "revision", spec.revision);
    node(page, 4, "task_definition", &spec.task_definition);
}

fn load_balancer(binding: &LoadBalancerSpec) -> String {
    let named = |key: &str, value: &Option<String>| value.as_ref().map(|v| format!("{key}: {}, ", scalar(v)));
    format!(
        "{{ {}{}{}container_name: {}, container_port: {} }}",
        named("target_group", &binding.target_group).unwrap_or_default(),
        named("load_balancer_name", &binding.load_balancer_name).unwrap_or_default(),
        named("managed_by", &binding.managed_by.map(|by| by.as_str().to_owned())).unwrap_or_default(),
        scalar(&binding.container_name),
        binding.container_port
    )
}

/// One member of a document, in block style; what is empty or a scalar stays in its line.
fn node(page: &mut Page, indent: usize, key: &str, value: &Value) {
    let key = scalar(key);
    match value {
        Value::Object(members) if !members.is_empty() => {
            page.line(indent, &format!("{key}:"));
            for (name, value) in members {
                node(page, indent + 2, name, value);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            page.line(indent, &format!("{key}:"));
            for item in items {
                element(page, indent + 2, item);
            }
        }
        other => page.line(indent, &format!("{key}: {}", flow(other))),
    }
}

fn element(page: &mut Page, indent: usize, item: &Value) {
    let Some(members) = item.as_object().filter(|members| !members.is_empty()) else {
        return page.line(indent, &format!("- {}", flow(item)));
    };
    let mut inner = Page::default();
    for (name, value) in members {
        node(&mut inner, indent + 2, name, value);
    }
    let head = " ".repeat(indent);
    let rest = inner.0.strip_prefix(&" ".repeat(indent + 2)).unwrap_or(&inner.0);
    page.0.push_str(&format!("{head}- {rest}"));
}

/// In one line: JSON is YAML.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

fn list(texts: &[String]) -> String {
    let all: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", all.join(", "))
}

/// A text as it is where nobody could take it for anything else, and quoted where somebody could.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    let lower = text.to_ascii_lowercase();
    let means_more = matches!(
        lower.as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n" | "nan" | "inf"
    );
    if is_word && !means_more {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// JSON's quotes are YAML's double quotes.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
