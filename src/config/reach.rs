//! How far a file reaches: what it names of AWS and of the web, and what it takes from the environment. Held against
//! another file, it says what the one may not do that the other does not.

use std::collections::{BTreeMap, BTreeSet};

use portzero_core::base::finding::{Code, Finding, Location};
use portzero_core::base::position::Position;

use super::tree::{Node, Value};
use super::{Config, ServiceConfig, TaskDefinitionSource, tree};

/// A file that is to stay within another one's reach.
#[derive(Clone, Copy, Debug)]
pub struct Reaching<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// The name that messages say.
    pub name: &'a str,
}

/// What the flags say instead of the file. They are the workflow's own words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags<'a> {
    pub vars: Option<&'a BTreeMap<String, String>>,
    pub environment: Option<&'a str>,
    pub branch: Option<&'a str>,
    pub has_cluster: bool,
    pub has_region: bool,
    pub has_task_definition: bool,
}

impl Reaching<'_> {
    /// Texts that take a variable from the process's environment, and do not stand like this in the other file: under the
    /// same keys, word for word. Else whoever writes the file could have any of the runner's secrets shown.
    ///
    /// # Errors
    /// One of the two is no YAML.
    pub fn takes_beyond(&self, base: &Reaching<'_>, flags: &Flags<'_>) -> Result<Vec<Finding>, Vec<Finding>> {
        let parse = |one: &Reaching<'_>| tree::parse(one.text, one.name).map_err(|finding| vec![*finding]);
        let (own, base) = (parse(self)?, parse(base)?);
        let mut known = BTreeSet::new();
        texts(&base, &mut Vec::new(), &mut |path, text, _| {
            known.insert((without_places(path), text.to_owned()));
        });
        let defined = defined(&own, flags);
        let mut findings = Vec::new();
        texts(&own, &mut Vec::new(), &mut |path, text, place| {
            let taken: Vec<String> = references(text).filter(|name| !defined.contains(name)).collect();
            if !taken.is_empty() && !known.contains(&(without_places(path), text.to_owned())) {
                let key = path.join("");
                let names = taken.join(", ");
                let finding = Finding::error(
                    Code::TrustBase,
                    format!(
                        "`{key}` takes {names} from the environment, which the file of the base branch does not do there"
                    ),
                );
                findings.push(finding.at(place.in_file(self.name)));
            }
        });
        Ok(findings)
    }

    /// What the chosen services of the file name that the other file does not: services, clusters, regions, task
    /// definitions in AWS, load balancers and addresses.
    pub fn names_beyond(
        &self,
        own: &Config,
        base: &Config,
        chosen: &[&ServiceConfig],
        flags: &Flags<'_>,
    ) -> Vec<Finding> {
        let root = tree::parse(self.text, self.name).ok();
        let beyond = Beyond {
            name: self.name,
            root: root.as_ref(),
        };
        let mut findings = Vec::new();
        if !flags.has_region && own.region.is_some() && own.region != base.region {
            let key = if beyond.has(&["region"]) { "region" } else { "aws" };
            findings.push(beyond.finding(&[key], own.region.as_deref(), None));
        }
        for service in chosen {
            let place = own.services.iter().position(|one| std::ptr::eq(one, *service));
            let at = At {
                index: place.unwrap_or_default().to_string(),
                service,
            };
            findings.extend(beyond.service(&at, own, base, flags));
        }
        // An environment's cluster is that of many services.
        findings.dedup();
        findings
    }
}

struct Beyond<'a> {
    name: &'a str,
    root: Option<&'a Node>,
}

struct At<'a> {
    index: String,
    service: &'a ServiceConfig,
}

impl At<'_> {
    fn key<'k>(&'k self, key: &'k str) -> [&'k str; 3] {
        ["services", &self.index, key]
    }
}

impl Beyond<'_> {
    fn service(&self, at: &At<'_>, own: &Config, base: &Config, flags: &Flags<'_>) -> Vec<Finding> {
        let service = at.service;
        let named = || base.services.iter().filter(|other| other.name == service.name);
        if named().next().is_none() {
            return vec![self.finding(&at.key("name"), Some(service.name.as_str()), Some(service))];
        }
        let Some(other) = named().find(|other| flags.has_cluster || other.cluster == service.cluster) else {
            let of_service = at.key("cluster");
            let chosen = own.environment.as_deref().unwrap_or_default();
            let of_environment = ["environments", chosen, "cluster"];
            let key = if self.has(&of_service) {
                of_service
            } else {
                of_environment
            };
            let cluster = service.cluster.as_ref().map(|cluster| cluster.as_str());
            return vec![self.finding(&key, cluster, Some(service))];
        };
        let mut findings = Vec::new();
        if let Some(TaskDefinitionSource::Family(family)) = &service.source
            && !flags.has_task_definition
            && service.source != other.source
        {
            findings.push(self.finding(&at.key("task_definition"), Some(family), Some(service)));
        }
        let is_bound = |balancer| other.load_balancers.iter().any(|known| known.balancer == balancer);
        let mut bindings = service.load_balancers.iter();
        if !bindings.all(|binding| is_bound(binding.balancer.clone())) {
            findings.push(self.finding(&at.key("load_balancer"), None, Some(service)));
        }
        if service.url.is_some() && service.url != other.url {
            findings.push(self.finding(&at.key("url"), service.url.as_deref(), Some(service)));
        }
        let is_probed = |url: &str| other.probes.iter().any(|known| known.url == url);
        if let Some(probe) = service.probes.iter().find(|probe| !is_probed(&probe.url)) {
            findings.push(self.finding(&at.key("probes"), Some(&probe.url), Some(service)));
        }
        findings
    }

    fn has(&self, path: &[&str]) -> bool {
        self.root.is_some_and(|root| find(root, path).is_some())
    }

    fn finding(&self, path: &[&str], value: Option<&str>, service: Option<&ServiceConfig>) -> Finding {
        let key = shown(path);
        let what = value.map(|value| format!(" `{value}`")).unwrap_or_default();
        let summary = format!("`{key}` names{what}, and the file of the base branch does not");
        let place = self.root.and_then(|root| find(root, path));
        let place = place.map(|place| place.in_file(self.name));
        let place = place.or_else(|| service.map(|service| service.location.clone()));
        Finding::error(Code::TrustBase, summary).at(place.unwrap_or_else(|| self.beginning()))
    }

    fn beginning(&self) -> Location {
        Position::default().in_file(self.name)
    }
}

/// Where the last key of the path stands.
fn find(root: &Node, path: &[&str]) -> Option<Position> {
    let (mut node, mut place) = (root, None);
    for step in path {
        match &node.value {
            Value::Map(entries) => {
                let entry = entries.iter().find(|entry| entry.key == *step)?;
                (node, place) = (&entry.value, Some(entry.key_place));
            }
            Value::List(items) => {
                node = items.get(step.parse::<usize>().ok()?)?;
                place = Some(node.place);
            }
            _ => return None,
        }
    }
    place
}

/// `services[0].cluster`.
fn shown(path: &[&str]) -> String {
    let mut shown = String::new();
    for step in path {
        match step.parse::<usize>() {
            Ok(index) => shown.push_str(&format!("[{index}]")),
            Err(_) if shown.is_empty() => shown.push_str(step),
            Err(_) => shown.push_str(&format!(".{step}")),
        }
    }
    shown
}

/// Every text that a variable may be in, with the way to it.
fn texts(node: &Node, path: &mut Vec<String>, each: &mut dyn FnMut(&[String], &str, Position)) {
    match &node.value {
        Value::Text(text) if text.contains("${") => each(path, text, node.place),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(format!("[{index}]"));
                texts(item, path, each);
                path.pop();
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                path.push(format!("{dot}{}", entry.key));
                texts(&entry.value, path, each);
                path.pop();
            }
        }
        _ => {}
    }
}

/// A service that is put before another one moves it, and changes nothing of it. No key begins like a place in a list.
fn without_places(path: &[String]) -> String {
    let steps = path.iter().map(|step| if step.starts_with('[') { "[]" } else { step });
    steps.collect()
}

/// The names in a text's references, and more rather than fewer of them. deployfish's `${env.some-name}` is SOME_NAME.
fn references(text: &str) -> impl Iterator<Item = String> {
    let name = |text: &str, more: &str| -> String {
        let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || more.contains(*c);
        text.chars().take_while(is_part).collect()
    };
    text.split("${")
        .skip(1)
        .map(move |rest| match rest.strip_prefix("env.") {
            Some(rest) => name(rest, "-").to_ascii_uppercase().replace('-', "_"),
            None => name(rest, ""),
        })
}

/// The variables that do not come from the process: of `--var`, of the file, and of its chosen environment.
fn defined(root: &Node, flags: &Flags<'_>) -> BTreeSet<String> {
    let mut defined: BTreeSet<String> = flags.vars.iter().flat_map(|vars| vars.keys().cloned()).collect();
    defined.extend(child(root, "vars").iter().flat_map(|vars| keys(vars)));
    let environments = child(root, "environments");
    let is_chosen = |name: &str, node: &Node| match flags.environment {
        Some(wanted) => wanted == name,
        None => matches!(child(node, "branch").map(|branch| &branch.value),
            Some(Value::Text(branch) | Value::Plain(branch)) if Some(branch.as_str()) == flags.branch),
    };
    if let Some(Value::Map(entries)) = environments.map(|node| &node.value) {
        let chosen = entries.iter().filter(|entry| is_chosen(&entry.key, &entry.value));
        defined.extend(chosen.filter_map(|entry| child(&entry.value, "vars")).flat_map(keys));
    }
    defined
}

fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
        _ => None,
    }
}

fn keys(node: &Node) -> Vec<String> {
    match &node.value {
        Value::Map(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => Vec::new(),
    }
}
