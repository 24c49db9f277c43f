//! The file as a whole: which of the two forms it is, the environment that is chosen, the variables, the services.

use std::collections::{BTreeMap, BTreeSet};

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::ClusterName;
use portzero_core::base::position::Position;
use portzero_core::base::text::nearest;
use portzero_core::file_kind::{self, Wanted};

use super::interpolate::Variables;
use super::read::{Fields, Item, Problems};
use super::settings::Settings;
use super::tree::{Node, Value};
use super::{Accounts, Config, Dependency, ServiceConfig, service_stanza, tree};

/// The one version there is.
const VERSION: u32 = 1;
const KEYS: &[&str] = &[
    "version",
    "region",
    "defaults",
    "environments",
    "vars",
    "services",
    "aws",
];
/// deployfish's top-level keys for other commands of its own.
const IGNORED: &[&str] = &["tasks", "tunnels", "terraform", "deployfish", "mysql", "postgres"];

/// What the caller knows and the file does not. `vars` come before the chosen environment's `vars:`, those before the
/// file's, and `lookup` comes last.
pub struct Given<'a> {
    /// The process environment.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// `--var`.
    pub vars: &'a BTreeMap<String, String>,
    /// A name of `environments:`; without it the one whose `branch` is `branch` is chosen.
    pub environment: Option<&'a str>,
    pub branch: Option<&'a str>,
    /// The names or aliases of the services that are asked for; empty: all of them.
    pub services: &'a [String],
}

pub(super) fn read(text: &str, file: &str, given: &Given<'_>) -> Result<Config, Vec<Finding>> {
    let something_else = |is_read| {
        let found = file_kind::recognise(text, file, Wanted::Configuration, is_read);
        found.map(|found| vec![found.finding(file, Wanted::Configuration)])
    };
    let mut document =
        tree::parse(text, file).map_err(|finding| something_else(false).unwrap_or_else(|| vec![*finding]))?;
    let mut problems = Problems::of(file);
    let config = config(&mut document, file, given, &mut problems);
    match config {
        Some(mut config) if problems.errors.is_empty() => {
            problems.warn_of_ignored();
            config.warnings = problems.warnings;
            Ok(config)
        }
        _ => {
            problems.errors.sort_by_key(|finding| finding.location.clone());
            Err(something_else(true).unwrap_or(problems.errors))
        }
    }
}

fn config(document: &mut Node, file: &str, given: &Given<'_>, problems: &mut Problems) -> Option<Config> {
    let root = match document.value {
        Value::Null => {
            problems.error(Code::Config, Position::default(), format!("{file} is empty"));
            return None;
        }
        _ => Item::root(document).map(problems)?,
    };
    root.check_keys(KEYS, IGNORED, problems);
    let is_deployfish = !root.has("version");
    check_version(&root, problems);
    let chosen = choose(&root, given, problems);
    let mut variables = Variables::new(given.vars, given.lookup, is_deployfish);
    add_vars(root.get("vars"), &mut variables, problems);
    let chosen = match chosen {
        Some((name, item)) => Some(environment(name, &item, &mut variables, problems)?),
        None => None,
    };
    let unfilled = fill(document, given.services, &mut variables);
    if variables.lack() {
        // What is not filled in would only be complained of a second time.
        let lacking = variables.findings(file).into_iter();
        let of_environments = (chosen.is_none()).then(|| environments_with(document, &variables.missing_names()));
        let of_environments = of_environments.filter(|names| !names.is_empty());
        problems.errors.extend(lacking.map(|finding| match &of_environments {
            Some(names) if finding.code == Code::MissingVariable => {
                let mut finding = finding;
                finding.hints.insert(
                    0,
                    format!(
                        "no environment is chosen: name one with --environment: {}",
                        names.join(", ")
                    )
                    .into(),
                );
                finding
            }
            _ => finding,
        }));
        return None;
    }
    let root = Item::root(document).map(problems)?;
    services(&root, &unfilled, is_deployfish, chosen, problems)
}

/// The environments that would give one of these variables.
fn environments_with(document: &Node, missing: &[&str]) -> Vec<String> {
    let get = |node: &Node, key: &str| match &node.value {
        Value::Map(entries) => entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value.clone()),
        _ => None,
    };
    let gives = |environment: &Node| {
        let vars = get(environment, "vars");
        vars.is_some_and(|vars| missing.iter().any(|name| get(&vars, name).is_some()))
    };
    match get(document, "environments").map(|all| all.value) {
        Some(Value::Map(entries)) => {
            let found = entries.into_iter().filter(|entry| gives(&entry.value));
            found.map(|entry| entry.key).collect()
        }
        _ => Vec::new(),
    }
}

/// The chosen environment, filled in.
struct Environment {
    name: String,
    cluster: Option<ClusterName>,
}

fn services(
    root: &Fields<'_>,
    unfilled: &BTreeSet<usize>,
    is_deployfish: bool,
    chosen: Option<Environment>,
    problems: &mut Problems,
) -> Option<Config> {
    let defaults = match root.get("defaults").and_then(|item| item.map(problems)) {
        Some(fields) => {
            fields.check_keys(service_stanza::SETTINGS, &[], problems);
            service_stanza::settings(&fields, problems)
        }
        None => Settings::default(),
    };
    let aws = aws(root, problems);
    let region = region(root, aws.as_ref(), problems);
    let accounts = aws.as_ref().and_then(|aws| accounts(aws, problems));
    let list = root.require("services", problems)?;
    let items = list.list(problems);
    if items.is_empty() && list.is_list() {
        list.invalid("there is no service in it, so nothing would be deployed", problems);
    }
    let of_environment = chosen.as_ref().and_then(|environment| environment.cluster.as_ref());
    let mut services = Vec::new();
    for (index, item) in items.iter().enumerate() {
        // What is not filled in cannot be judged, and nobody asked for it.
        let mut unjudged = Problems::of(&problems.locate(item.place()).file);
        let is_judged = !unfilled.contains(&index);
        let problems = if is_judged { &mut *problems } else { &mut unjudged };
        let Some(mut service) = service_stanza::service(item, is_deployfish, of_environment, problems) else {
            continue;
        };
        service.settings = service.settings.or(&defaults);
        if let Some(chosen) = &chosen {
            join(&mut service, chosen, item, problems);
        }
        check_name(&service, &services, item, problems);
        services.push(service);
    }
    check_order(&services, problems);
    Some(Config {
        region,
        services,
        warnings: Vec::new(),
        environment: chosen.map(|environment| environment.name),
        accounts,
    })
}

/// Fills everything that is acted on; what is ignored may refer to whatever it likes. Returns the places of the services
/// that lack something and are not asked for.
fn fill(document: &mut Node, wanted: &[String], variables: &mut Variables<'_>) -> BTreeSet<usize> {
    let (mut unfilled, skipped) = (BTreeSet::new(), service_stanza::unfilled());
    let Value::Map(entries) = &mut document.value else {
        return unfilled;
    };
    for entry in entries {
        match (entry.key.as_str(), &mut entry.value.value) {
            ("services", Value::List(services)) => {
                for (index, service) in services.iter_mut().enumerate() {
                    if is_wanted(service, wanted, variables) {
                        variables.fill_map(service, &skipped);
                    } else if variables.tried(|variables| variables.fill_map(service, &skipped)) {
                        unfilled.insert(index);
                    }
                }
            }
            ("region" | "defaults", _) => variables.fill_node(&mut entry.value),
            ("aws", _) => variables.fill_map(&mut entry.value, AWS_IGNORED),
            _ => {}
        }
    }
    unfilled
}

/// Whether the service is asked for: by its name, or by its second one. Variables may be in both.
fn is_wanted(service: &Node, wanted: &[String], variables: &mut Variables<'_>) -> bool {
    let Value::Map(entries) = &service.value else {
        return true;
    };
    let mut names = entries
        .iter()
        .filter(|entry| matches!(entry.key.as_str(), "name" | "environment"));
    wanted.is_empty()
        || names.any(|entry| {
            let mut name = entry.value.clone();
            variables.tried(|variables| variables.fill_node(&mut name));
            matches!(&name.value, Value::Text(name) | Value::Plain(name) if wanted.contains(name))
        })
}

fn check_version(root: &Fields<'_>, problems: &mut Problems) {
    if let Some(item) = root.get("version")
        && let Some(version) = item.whole(u32::MAX, problems)
        && version != VERSION
    {
        item.invalid(
            &format!("this portzero reads version {VERSION}, the file says {version}"),
            problems,
        );
    }
}

/// The credentials come from where AWS's tools look for them; only the region is read.
const AWS_IGNORED: &[&str] = &["access_key", "secret_key", "profile"];

fn aws<'a>(root: &Fields<'a>, problems: &mut Problems) -> Option<Fields<'a>> {
    let aws = root.get("aws").and_then(|item| item.map(problems))?;
    aws.check_keys(&["region", ALLOWED, FORBIDDEN], AWS_IGNORED, problems);
    Some(aws)
}

fn region(root: &Fields<'_>, aws: Option<&Fields<'_>>, problems: &mut Problems) -> Option<String> {
    let item = root.get("region").or_else(|| aws?.get("region"))?;
    item.name(problems).map(str::to_owned)
}

const ALLOWED: &str = "allowed_account_ids";
const FORBIDDEN: &str = "forbidden_account_ids";

fn accounts(aws: &Fields<'_>, problems: &mut Problems) -> Option<Accounts> {
    let mut ids = |key: &str| {
        let item = aws.get(key)?;
        let mut ids = Vec::new();
        for entry in item.list(problems) {
            match entry.text(problems) {
                Some(id) if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => ids.push(id.to_owned()),
                Some(_) => entry.expected("the twelve digits of an AWS account", problems),
                None => {}
            }
        }
        Some((ids, item.place()))
    };
    let (allowed, forbidden) = (ids(ALLOWED), ids(FORBIDDEN));
    let place = allowed.as_ref().or(forbidden.as_ref())?.1;
    Some(Accounts {
        allowed: allowed.map(|(ids, _)| ids),
        forbidden: forbidden.map(|(ids, _)| ids).unwrap_or_default(),
        location: problems.locate(place),
    })
}

/// The environment by name, else the one whose branch this is.
fn choose<'a>(root: &Fields<'a>, given: &Given<'_>, problems: &mut Problems) -> Option<(&'a str, Item<'a>)> {
    let all: Vec<(&str, Item<'_>)> = match root.get("environments").and_then(|item| item.map(problems)) {
        Some(map) => map.items().collect(),
        None => Vec::new(),
    };
    let mut by_branch = Vec::new();
    for (name, item) in &all {
        let Some(map) = item.map(problems) else { continue };
        map.check_keys(&["branch", "cluster", "vars"], &[], problems);
        let branch = map.get("branch").and_then(|item| item.name(problems));
        if branch.is_some() && branch == given.branch {
            by_branch.push((*name, item.clone()));
        }
    }
    if let Some(wanted) = given.environment {
        let found = all.iter().find(|(name, _)| *name == wanted).cloned();
        if found.is_none() {
            unknown_environment(wanted, &all, root, problems);
        }
        return found;
    }
    if let [(first, _), (second, item), ..] = by_branch.as_slice() {
        let why =
            format!("`{first}` and `{second}` have the same branch, so `--environment` must say which one is meant");
        item.invalid(&why, problems);
    }
    by_branch.into_iter().next()
}

fn unknown_environment(wanted: &str, all: &[(&str, Item<'_>)], root: &Fields<'_>, problems: &mut Problems) {
    let is_alias = is_alias(wanted, root);
    let summary = format!("the configuration has no environment `{wanted}`");
    let finding = Finding::error(Code::Config, summary).at(problems.locate(root.place));
    if is_alias {
        let hint = format!("`{wanted}` is a service's `environment`: name it as an argument, without --environment");
        problems.errors.push(finding.hint(hint));
        return;
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    problems.errors.push(match nearest(wanted, names.iter().copied()) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => finding.hint("it has no `environments:` at all"),
        None => finding.evidence("environments", names.join(", ")),
    });
}

/// Whether a service is called so by its `environment`, as deployfish's services are.
fn is_alias(name: &str, root: &Fields<'_>) -> bool {
    let is_called_so = |service: &Node| match &service.value {
        Value::Map(entries) => entries.iter().any(|entry| {
            let is_name = matches!(&entry.value.value, Value::Text(text) | Value::Plain(text) if text == name);
            entry.key == "environment" && is_name
        }),
        _ => false,
    };
    match root.get("services").map(|item| &item.node.value) {
        Some(Value::List(services)) => services.iter().any(is_called_so),
        _ => false,
    }
}

fn environment(
    name: &str,
    item: &Item<'_>,
    variables: &mut Variables<'_>,
    problems: &mut Problems,
) -> Option<Environment> {
    let map = item.map(problems)?;
    add_vars(map.get("vars"), variables, problems);
    let cluster = map.get("cluster").and_then(|item| {
        let mut node = item.node.clone();
        variables.fill_node(&mut node);
        // A variable without a value leaves nothing, and is told of on its own.
        match item.at(&node) {
            filled if variables.lack() => filled.text(problems).map(ClusterName::from_reference),
            filled => filled.name(problems).map(ClusterName::from_reference),
        }
    });
    Some(Environment {
        name: name.to_owned(),
        cluster,
    })
}

fn add_vars(item: Option<Item<'_>>, variables: &mut Variables<'_>, problems: &mut Problems) {
    let Some(map) = item.and_then(|item| item.secret().map(problems)) else {
        return;
    };
    for (name, item) in map.items() {
        if let Some(text) = item.text(problems) {
            variables.add(name, text, item.place());
        }
    }
}

/// A service without a cluster goes to the environment's. One that names another would be deployed elsewhere than the
/// user has just said, so that is refused.
fn join(service: &mut ServiceConfig, chosen: &Environment, item: &Item<'_>, problems: &mut Problems) {
    match (&service.cluster, &chosen.cluster) {
        (None, cluster) => service.cluster = cluster.clone(),
        (Some(own), Some(other)) if own != other => {
            let summary = format!(
                "`{}` names a cluster of its own, and environment `{}` names another",
                service.name, chosen.name
            );
            let place = item
                .map(problems)
                .and_then(|fields| fields.get("cluster"))
                .map_or(item.place(), |cluster| cluster.place());
            let finding = Finding::error(Code::Config, summary)
                .at(problems.locate(place))
                .evidence("service", own.as_str())
                .evidence("environment", other.as_str())
                .hint("leave `cluster` out of the service: the environment says it");
            problems.errors.push(finding);
        }
        _ => {}
    }
}

fn check_name(service: &ServiceConfig, before: &[ServiceConfig], item: &Item<'_>, problems: &mut Problems) {
    let twin = before
        .iter()
        .find(|s| s.name == service.name && s.cluster == service.cluster);
    if let Some(twin) = twin {
        let why = format!(
            "`{}` is there twice; the other one is at {}",
            service.name, twin.location
        );
        item.invalid(&why, problems);
    }
}

/// `depends_on` must lead somewhere and must not lead back.
fn check_order(services: &[ServiceConfig], problems: &mut Problems) {
    for service in services {
        for other in &service.depends_on {
            problems.errors.extend(dangling(service, other, services));
        }
    }
    // Take away what depends on nothing that is left; what remains is a circle, or hangs on one.
    let mut left: Vec<&ServiceConfig> = services.iter().collect();
    let is_in = |left: &[&ServiceConfig], other: &Dependency| left.iter().any(|s| s.name.as_str() == other.name);
    loop {
        let stuck: Vec<&ServiceConfig> = left
            .iter()
            .copied()
            .filter(|s| s.depends_on.iter().any(|other| is_in(&left, other)))
            .collect();
        if stuck.len() == left.len() {
            break;
        }
        left = stuck;
    }
    let closing = left.first().and_then(|first| {
        let mut others = first.depends_on.iter();
        others.find(|other| is_in(&left, other))
    });
    if let Some(closing) = closing {
        let names: Vec<&str> = left.iter().map(|s| s.name.as_str()).collect();
        let summary = format!("`depends_on` goes round in a circle: {}", names.join(", "));
        problems
            .errors
            .push(Finding::error(Code::InvalidValue, summary).at(closing.location.clone()));
    }
}

fn dangling(service: &ServiceConfig, other: &Dependency, services: &[ServiceConfig]) -> Option<Finding> {
    let names = || services.iter().map(|s| s.name.as_str());
    if names().any(|name| name == other.name) {
        return None;
    }
    let summary = format!(
        "`{}` depends on `{}`, which is no service of this file",
        service.name, other.name
    );
    let finding = Finding::error(Code::DanglingReference, summary).at(other.location.clone());
    Some(match nearest(&other.name, names()) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding.hint("leave it out: what is deployed elsewhere cannot be waited for"),
    })
}
