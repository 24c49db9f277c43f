//! From flags, environment and file to one `DeployRequest` for each service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portzero_core::base::finding::{Code, Finding, Severity};
use portzero_core::base::id::{ClusterName, ServiceName};
use portzero_core::base::time::human;
use portzero_core::plan::forecast::SETTLE_DEFAULT;
use portzero_core::plan::{DefinitionSource, DeployRequest};
use portzero_core::policy::Policy;
use portzero_core::rollout::Until;
use portzero_core::task_definition::{Document, ImageChange};
use portzero_core::values::is_telling;

use crate::adapters::aws::check_region;
use crate::cli::ci::actions;
use crate::cli::options::{FailOn, Following, Selection, Waiting, Which, pair};
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::streams::warn;
use crate::cli::{change_targets, files};
use crate::config;
use crate::config::{Accounts, Config, Said, ServiceConfig, Settings, TaskDefinitionSource};

/// What the user wants: one wish a service, in the order in which they are to be deployed.
#[derive(Debug)]
pub struct DeployRequests {
    pub requests: Vec<DeployRequest>,
    /// The stanza behind each wish, where there is a file.
    pub stanzas: Vec<Option<ServiceConfig>>,
    pub region: Option<String>,
    /// The environment of the file that was chosen.
    pub environment: Option<String>,
    /// The services that were asked for by name, where there is a file with more.
    pub named: Vec<String>,
    /// Which AWS accounts the file is for.
    pub accounts: Option<Accounts>,
    /// The configuration file.
    pub file: Option<PathBuf>,
    pub warnings: Vec<Finding>,
}

/// Where a region may come from.
const REGION_SOURCES: &str = "`--region`, PORTZERO_REGION or `region:` of the configuration";

/// Reads everything that is needed for it. Whatever is wrong is told together.
pub(super) fn gather(selection: &Selection, following: &Following) -> Result<DeployRequests, Stop> {
    gather_from(read_config(&selection.which)?, selection, following)
}

/// What a command that only looks needs: whom, and for how long. Where cluster and service are named, no file is needed,
/// and one that cannot be read is no hindrance.
pub(super) fn watched(which: &Which, waiting: &Waiting) -> Result<DeployRequests, Stop> {
    let config = match read_config(which) {
        Err(stop) if which.cluster.is_some() && !which.names().is_empty() && which.config.is_none() => {
            let why = stop
                .findings
                .first()
                .map(|finding| finding.summary.clone())
                .unwrap_or_default();
            warn(&[Finding::warning(
                Code::Config,
                format!("the configuration is not read: {why}"),
            )]);
            None
        }
        read => read?,
    };
    let following = Following {
        waiting: waiting.clone(),
        ..Following::default()
    };
    let selection = |which: Which| Selection {
        which,
        task_definition: Some("current".into()),
        ..Selection::default()
    };
    let names = which.names();
    let mut requests = if config.is_some() || names.len() < 2 {
        gather_from(config, &selection(which.clone()), &following)?
    } else {
        let mut each = Vec::new();
        for name in names {
            let one = Which {
                services: vec![name],
                service: None,
                ..which.clone()
            };
            each.push(gather_from(None, &selection(one), &following)?);
        }
        let all = each.into_iter().reduce(|mut all, one| {
            all.requests.extend(one.requests);
            all.stanzas.extend(one.stanzas);
            all
        });
        all.ok_or_else(no_service)?
    };
    // Who only looks changes nothing, whatever the file wants of those who deploy: no way back, and none after a signal.
    for request in &mut requests.requests {
        request.policy = Policy::default();
    }
    // Whether the file asks for what is not acted on matters to those who deploy.
    requests.warnings.clear();
    Ok(requests)
}

fn gather_from(
    config: Option<(PathBuf, Config)>,
    selection: &Selection,
    following: &Following,
) -> Result<DeployRequests, Stop> {
    let mut warnings = config.as_ref().map(|(_, c)| c.warnings.clone()).unwrap_or_default();
    let region = selection
        .which
        .region
        .clone()
        .or_else(|| config.as_ref().and_then(|(_, c)| c.region.clone()));
    if let Some(region) = &region {
        check_region(REGION_SOURCES, region).map_err(|finding| Stop::usage(vec![*finding]))?;
    }
    let stanzas = stanzas(selection, config.as_ref().map(|(_, c)| c))?;
    let folder = config
        .as_ref()
        .and_then(|(path, _)| path.parent().map(Path::to_owned))
        .unwrap_or_default();
    let mut requests = Vec::new();
    let mut findings = Vec::new();
    let images = change_targets::images(selection)
        .map_err(|found| findings.extend(found))
        .ok();
    let environment = change_targets::environment(selection)
        .map_err(|finding| findings.push(finding))
        .ok();
    findings.extend(common_mistakes(&selection.which, &following.waiting, &stanzas));
    for stanza in &stanzas {
        warnings.extend(stanza.as_ref().and_then(not_acted_on));
        match request(selection, following, stanza.as_ref(), &folder) {
            Ok(request) => requests.push(request),
            Err(found) => findings.extend(found),
        }
    }
    once(&mut findings);
    if let (true, Some(images), Some(environment)) = (findings.is_empty(), images, environment) {
        findings = change_targets::hand_out(&mut requests, &stanzas, images, environment);
    }
    hide_values(&requests);
    if findings.is_empty() {
        Ok(DeployRequests {
            requests,
            stanzas,
            region,
            environment: config.as_ref().and_then(|(_, c)| c.environment.clone()),
            accounts: config.as_ref().and_then(|(_, c)| c.accounts.clone()),
            named: config.iter().flat_map(|_| selection.which.names()).collect(),
            file: config.map(|(path, _)| path),
            warnings,
        })
    } else {
        Err(Stop::usage(findings))
    }
}

fn read_config(which: &Which) -> Result<Option<(PathBuf, Config)>, Stop> {
    let Some(path) = files::config_path(which.config.as_deref()) else {
        return Ok(None);
    };
    let text = files::read(&path)?;
    let mut vars = BTreeMap::new();
    for var in &which.vars {
        let (name, value) = pair(var).ok_or_else(|| {
            Finding::usage("--var wants NAME=VALUE; a word that was given for it has no name before a `=`")
        })?;
        vars.insert(name.to_owned(), value.to_owned());
    }
    vars.iter().for_each(|(name, value)| inherit(name, value));
    let lookup = |name: &str| std::env::var(name).ok().inspect(|value| inherit(name, value));
    let branch = actions::branch();
    let name = path.display().to_string();
    let given = config::Given {
        lookup: &lookup,
        vars: &vars,
        environment: which.environment.as_deref(),
        branch: branch.as_deref(),
        services: &which.names(),
    };
    let config = config::read_for(&text, &name, &given).map_err(Stop::usage)?;
    Ok(Some((path, config)))
}

/// Hides what a configuration takes from the process: on GitHub all of it, elsewhere what is secret by its name.
fn inherit(name: &str, value: &str) {
    if is_telling(name) {
        streams::learn(|values| values.add(value));
    }
    streams::learn_for_github(|values| values.add_inherited(name, value));
}

/// Hides what the wished-for definitions give to containers.
fn hide_values(requests: &[DeployRequest]) {
    for request in requests {
        streams::learn(|values| {
            values.allow(request.cluster.as_str());
            values.allow(request.service.as_str());
            request.url.iter().for_each(|url| values.allow(url));
            request.images.iter().for_each(|change| values.allow(&change.image));
            for change in &request.environment {
                values.add_variable(&change.name, &change.value);
            }
        });
        if let DefinitionSource::Document(document) = &request.base {
            streams::learn_definition(document.value());
        }
    }
}

/// The stanzas that are meant; `None` for a service that no file describes.
fn stanzas(selection: &Selection, config: Option<&Config>) -> Result<Vec<Option<ServiceConfig>>, Stop> {
    let names = selection.which.names();
    let Some(config) = config else {
        return match names.len() {
            1 => Ok(vec![None]),
            0 => Err(no_service().into()),
            _ => Err(Finding::usage("without a configuration file, one service at a time").into()),
        };
    };
    match config.select(&names) {
        Ok(chosen) => Ok(chosen.into_iter().cloned().map(Some).collect()),
        // --cluster and --service are enough: the file that happens to lie here need not know the service.
        Err(_)
            if selection.which.services.is_empty()
                && selection.which.cluster.is_some()
                && selection.which.config.is_none() =>
        {
            Ok(vec![None])
        }
        Err(findings) => Err(Stop::usage(findings)),
    }
}

fn request(
    selection: &Selection,
    following: &Following,
    stanza: Option<&ServiceConfig>,
    folder: &Path,
) -> Result<DeployRequest, Vec<Finding>> {
    let mut findings = Vec::new();
    let name = stanza.map(|s| s.name.clone()).or_else(|| {
        let name = selection.which.service.as_ref().or(selection.which.services.first())?;
        Some(ServiceName::from_reference(name))
    });
    let cluster = selection
        .which
        .cluster
        .as_ref()
        .map(|c| ClusterName::from_reference(c))
        .or_else(|| cluster_of_file(stanza));
    let base = base(selection, stanza, folder)
        .map_err(|found| findings.extend(found))
        .ok();
    let settings = stanza.map(|s| s.settings.clone()).unwrap_or_default();
    let until = until(following, &settings);
    let (Some(service), Some(cluster), Some(base), true) = (name, cluster, base, findings.is_empty()) else {
        return Err(findings);
    };
    Ok(DeployRequest {
        cluster,
        service,
        base,
        images: stanza.map(images).unwrap_or_default(),
        environment: Vec::new(),
        dynamic_ports: selection.dynamic_ports.or(settings.dynamic_ports).unwrap_or_default(),
        allow_unknown_keys: selection.allow_unknown_keys,
        shows_values: selection.show_values,
        load_balancers: stanza.map(|s| s.load_balancers.clone()).unwrap_or_default(),
        force_new_deployment: following
            .force_new_deployment
            .or(settings.force_new_deployment)
            .unwrap_or(true),
        until,
        settle: following
            .waiting
            .settle
            .or(said(&settings.settle))
            .unwrap_or(SETTLE_DEFAULT),
        timeout: following.waiting.timeout.or(said(&settings.timeout)),
        poll_interval: following.waiting.poll_interval.or(settings.poll_interval),
        fail_on: match following.fail_on {
            Some(FailOn::Warning) => Severity::Warning,
            Some(FailOn::Error) | None => Severity::Error,
        },
        allowed: following.allow.clone(),
        url: stanza.and_then(|s| s.url.clone()),
        depends_on: stanza.map(depends_on).unwrap_or_default(),
        policy: policy(following, &settings),
    })
}

fn policy(following: &Following, settings: &Settings) -> Policy {
    Policy {
        if_busy: following.if_busy.or(settings.if_busy).unwrap_or_default(),
        on_failure: following.on_failure.or(settings.on_failure).unwrap_or_default(),
        on_cancel: following.on_cancel.or(settings.on_cancel).unwrap_or_default(),
        keep_revisions: following.keep_revisions.or(settings.keep_revisions),
    }
}

fn base(
    selection: &Selection,
    stanza: Option<&ServiceConfig>,
    folder: &Path,
) -> Result<DefinitionSource, Vec<Finding>> {
    if let Some(named) = &selection.task_definition {
        return match named.as_str() {
            "current" => Ok(DefinitionSource::Running),
            path if config::is_path(path) => {
                files::task_definition(Path::new(path)).map(|d| DefinitionSource::Document(Box::new(d)))
            }
            reference => Ok(DefinitionSource::Registered(reference.to_owned())),
        };
    }
    match stanza.and_then(|s| s.source.as_ref()) {
        None | Some(TaskDefinitionSource::Current) => Ok(DefinitionSource::Running),
        Some(TaskDefinitionSource::Family(reference)) => Ok(DefinitionSource::Registered(reference.clone())),
        Some(TaskDefinitionSource::File { path, location }) => {
            let document = files::task_definition(&folder.join(path)).map_err(|mut findings| {
                if let [only] = findings.as_mut_slice()
                    && only.location.is_none()
                {
                    only.location = Some(location.clone());
                }
                findings
            })?;
            Ok(DefinitionSource::Document(Box::new(document)))
        }
        Some(TaskDefinitionSource::Inline(value)) => {
            let origin = stanza.map(|s| s.location.file.clone()).unwrap_or_default();
            Ok(DefinitionSource::Document(Box::new(Document::from_value(
                value.clone(),
                &origin,
            ))))
        }
    }
}

fn depends_on(stanza: &ServiceConfig) -> Vec<ServiceName> {
    let names = stanza.depends_on.iter();
    names.map(|other| ServiceName::from(other.name.as_str())).collect()
}

/// The file's; those of the flags are handed out when all services are known.
fn images(stanza: &ServiceConfig) -> Vec<ImageChange> {
    let images = stanza.images.iter();
    images
        .map(|(container, image)| ImageChange {
            container: Some(container.clone()),
            image: image.clone(),
        })
        .collect()
}

fn until(following: &Following, settings: &Settings) -> Until {
    following.waiting.until.or(settings.until).unwrap_or_default()
}

/// Services may share a task definition, and its mistakes.
fn once(findings: &mut Vec<Finding>) {
    let mut said: Vec<Finding> = Vec::with_capacity(findings.len());
    findings.retain(|finding| {
        let is_new = !said.contains(finding);
        said.extend(is_new.then(|| finding.clone()));
        is_new
    });
}

fn said(duration: &Option<Said>) -> Option<Duration> {
    duration.as_ref().map(|said| said.value)
}

fn cluster_of_file(stanza: Option<&ServiceConfig>) -> Option<ClusterName> {
    stanza.and_then(|stanza| stanza.cluster.clone())
}

/// What concerns several services and is one mistake: it is said once.
fn common_mistakes(which: &Which, waiting: &Waiting, stanzas: &[Option<ServiceConfig>]) -> Vec<Finding> {
    let mut findings = no_room_to_settle(which, waiting, stanzas);
    let lacking = stanzas
        .iter()
        .map(Option::as_ref)
        .filter(|stanza| cluster_of_file(*stanza).is_none());
    let lacking: Vec<Option<&ServiceConfig>> = lacking.filter(|_| which.cluster.is_none()).collect();
    if let Some(first) = lacking.first() {
        let mut finding = Finding::usage(
            "no cluster is known: name one with --cluster, with `cluster:` in the file, or choose an environment of the \
             file with --environment",
        );
        finding.location = first.map(|stanza| stanza.location.clone());
        if stanzas.len() > 1 {
            let names: Vec<&str> = lacking.iter().flatten().map(|stanza| stanza.name.as_str()).collect();
            finding = finding.evidence("services", names.join(", "));
        }
        findings.push(finding);
    }
    findings
}

/// A settle span that the timeout would always cut off: no run could succeed. It is said once for each place that says
/// so, with the services that take it from there.
fn no_room_to_settle(which: &Which, waiting: &Waiting, stanzas: &[Option<ServiceConfig>]) -> Vec<Finding> {
    let mut found: Vec<(Finding, Vec<String>)> = Vec::new();
    for stanza in stanzas.iter().map(Option::as_ref) {
        let settings = stanza.map(|stanza| &stanza.settings);
        let of_file = |flag: Option<Duration>, said: fn(&Settings) -> &Option<Said>| match flag {
            Some(_) => None,
            None => settings.and_then(|settings| said(settings).clone()),
        };
        let (settle, timeout) = (
            of_file(waiting.settle, |settings| &settings.settle),
            of_file(waiting.timeout, |settings| &settings.timeout),
        );
        let lengths = (waiting.settle.or(said(&settle)), waiting.timeout.or(said(&timeout)));
        let (Some(settles), Some(waits)) = lengths else {
            continue;
        };
        if settles < waits {
            continue;
        }
        let mut finding = Finding::usage(format!(
            "no rollout could succeed: a settle of {} does not fit into a timeout of {}",
            human(settles),
            human(waits)
        ));
        if let (Some(_), Some(timeout)) = (&settle, &timeout) {
            finding = finding.evidence("timeout", timeout.at.to_string());
        }
        finding.location = settle.or(timeout).map(|said| said.at);
        let name = stanza
            .map(|stanza| stanza.name.to_string())
            .or_else(|| which.names().pop());
        match found.iter_mut().find(|(known, _)| *known == finding) {
            Some((_, names)) => names.extend(name),
            None => found.push((finding, name.into_iter().collect())),
        }
    }
    let with_names = |(finding, names): (Finding, Vec<String>)| {
        let finding = finding.evidence("services", names.join(", "));
        finding.hint("raise --timeout (`timeout` in the file), or lower --settle (`settle`)")
    };
    found.into_iter().map(with_names).collect()
}

/// Settings that the reader understands and that nothing acts on yet: said, not swallowed.
fn not_acted_on(stanza: &ServiceConfig) -> Option<Finding> {
    let keys = [
        ("probes", !stanza.probes.is_empty()),
        ("template_values", !stanza.template_values.is_empty()),
    ];
    let given: Vec<&str> = keys
        .iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(key, _)| *key)
        .collect();
    (!given.is_empty()).then(|| {
        Finding::warning(
            Code::IgnoredKey,
            format!("of service `{}`, not acted on yet: {}", stanza.name, given.join(", ")),
        )
        .at(stanza.location.clone())
    })
}

fn no_service() -> Finding {
    Finding::usage("no service is named, and there is no portzero.yml or deployfish.yml here")
        .hint("name one with --cluster and --service, or a file with --config")
}
