//! Ports and names of hosts, by network mode.

use std::collections::HashSet;

use serde_json::Value;

use crate::base::finding::{Code, Severity};
use crate::task_definition::check::refusals::rule::{Breach, Certainty, Rule, Task, name_of};
use crate::task_definition::document::{Container, NetworkMode, PortMapping};
use crate::task_definition::path::{Step, steps};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a host port that is mapped twice",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "TCP host port is mapped multiple times in task.",
        source: "aws/amazon-ecs-agent#1220",
        code: Code::InvalidValue,
        find: host_port_twice,
    },
    Rule {
        name: "two port mappings of one name",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "port mapping name is already used",
        source: "cdk-preflight, rules held against AWS",
        code: Code::InvalidValue,
        find: port_name_twice,
    },
    Rule {
        name: "`hostname` in network mode awsvpc",
        certainty: Certainty::Recorded,
        severity: Severity::Error,
        words: "hostname is not supported on container when networkMode=awsvpc.",
        source: "labd/ecs-deplojo#26",
        code: Code::InvalidValue,
        find: hostname,
    },
    Rule {
        name: "`links` in another network mode than bridge",
        certainty: Certainty::Documented,
        severity: Severity::Error,
        words: "links: this parameter is only supported if the network mode of a task definition is bridge.",
        source: "ECS API reference, ContainerDefinition",
        code: Code::InvalidValue,
        find: links,
    },
    Rule {
        name: "`extraHosts` in network mode awsvpc",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "This parameter isn't supported for tasks that use the awsvpc network mode.",
        source: "ECS API reference, ContainerDefinition",
        code: Code::InvalidValue,
        find: extra_hosts,
    },
    Rule {
        name: "fault injection in another network mode than awsvpc or host",
        certainty: Certainty::Documented,
        severity: Severity::Warning,
        words: "Fault injection is supported in the network modes awsvpc and host.",
        source: "ECS Developer Guide, fault injection",
        code: Code::InvalidValue,
        find: fault_injection,
    },
];

fn mappings<'v>(task: &Task<'v>) -> impl Iterator<Item = (Container<'v>, PortMapping<'v>, Vec<Step>)> {
    let containers = task.containers.iter().copied();
    containers.flat_map(|c| {
        let base = move |place: usize| steps!["containerDefinitions", c.index, "portMappings", place].to_vec();
        c.port_mappings().into_iter().map(move |m| (c, m, base(m.index)))
    })
}

/// In awsvpc and host mode the containers share one network; there the container port is the host's.
fn host_port_twice(task: &Task<'_>) -> Vec<Breach> {
    let is_shared = matches!(task.mode, NetworkMode::Awsvpc | NetworkMode::Host);
    let mut taken = HashSet::new();
    let mut breaches = Vec::new();
    for (container, mapping, path) in mappings(task) {
        let port = if is_shared {
            mapping.container_port()
        } else {
            mapping.host_port()
        };
        let Some(port) = port.filter(|port| *port != 0) else {
            continue;
        };
        if taken.insert((port, mapping.protocol())) {
            continue;
        }
        let (which, key) = if is_shared {
            ("container port", "containerPort")
        } else {
            ("host port", "hostPort")
        };
        let name = name_of(&container);
        let summary = format!("{which} {port} is used twice in the task, the second time by container `{name}`");
        breaches.push(Breach::new([path, vec![Step::from(key)]].concat(), summary));
    }
    breaches
}

fn port_name_twice(task: &Task<'_>) -> Vec<Breach> {
    let mut seen = HashSet::new();
    let named = mappings(task).filter_map(|(_, mapping, path)| {
        let name = mapping.value.get("name").and_then(Value::as_str)?;
        Some((name, path))
    });
    let breach = |(name, path): (&str, Vec<Step>)| {
        let path = [path, vec![Step::from("name")]].concat();
        Breach::new(path, format!("two port mappings are called `{name}`"))
    };
    named.filter(|(name, _)| !seen.insert(*name)).map(breach).collect()
}

fn hostname(task: &Task<'_>) -> Vec<Breach> {
    let has = |c: &&Container<'_>| {
        c.value
            .get("hostname")
            .and_then(Value::as_str)
            .is_some_and(|name| !name.is_empty())
    };
    let breach = |c: &Container<'_>| {
        let path = steps!["containerDefinitions", c.index, "hostname"];
        let name = name_of(c);
        Breach::new(
            path,
            format!("container `{name}` has a `hostname`, which network mode awsvpc does not have"),
        )
        .hint("remove `hostname`: a task in this mode has a network of its own")
    };
    let containers = task.containers.iter().filter(|_| task.mode == NetworkMode::Awsvpc);
    containers.filter(has).map(breach).collect()
}

fn links(task: &Task<'_>) -> Vec<Breach> {
    let breach = |c: &Container<'_>| {
        let path = steps!["containerDefinitions", c.index, "links"];
        let mode = task.mode.as_str();
        Breach::new(
            path,
            format!("`links` work in network mode `bridge` only, and this one is `{mode}`"),
        )
        .hint("remove `links`: in this mode the task's containers reach one another on localhost")
    };
    let containers = task.containers.iter().filter(|_| task.mode != NetworkMode::Bridge);
    containers
        .filter(|c| c.list("links").next().is_some())
        .map(breach)
        .collect()
}

fn extra_hosts(task: &Task<'_>) -> Vec<Breach> {
    let breach = |c: &Container<'_>| {
        let path = steps!["containerDefinitions", c.index, "extraHosts"];
        Breach::new(
            path,
            format!(
                "container `{}` has `extraHosts`, which network mode awsvpc does not have",
                name_of(c)
            ),
        )
    };
    let containers = task.containers.iter().filter(|_| task.mode == NetworkMode::Awsvpc);
    containers
        .filter(|c| c.list("extraHosts").next().is_some())
        .map(breach)
        .collect()
}

fn fault_injection(task: &Task<'_>) -> Vec<Breach> {
    let is_on = task.value.get("enableFaultInjection") == Some(&Value::Bool(true));
    if !is_on || matches!(task.mode, NetworkMode::Awsvpc | NetworkMode::Host) {
        return Vec::new();
    }
    let mode = task.mode.as_str();
    let summary = format!("`enableFaultInjection` is on, and network mode {mode} has no fault injection");
    vec![Breach::new(steps!["enableFaultInjection"], summary)]
}
