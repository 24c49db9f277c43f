//! A plan: what a deployment will do, and everything that is known before it does it.

pub mod forecast;
mod needs;
pub mod preflight;
pub mod survey;

pub use needs::needs;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::aws_model::service::{Balancer, LoadBalancerBinding, Service};
use crate::aws_model::target::{Address, TargetGroup};
use crate::base::finding::{Code, Finding, Severity};
use crate::base::id::{ClusterName, DeploymentId, ServiceName, TargetGroupArn, TaskDefinitionArn};
use crate::base::time::{Moment, Timestamp, human};
use crate::plan::forecast::{Basis, Forecast};
use crate::plan::preflight::{Expectation, Network};
use crate::plan::survey::Survey;
use crate::policy::Policy;
use crate::rollout::rollback::last_good;
use crate::rollout::{Needs, Until};
use crate::task_definition;
use crate::task_definition::{
    Change, DiffLine, Document, DynamicPorts, EnvironmentChange, ImageChange, LoadBalancedPort, NetworkMode,
    RenderOptions, Rendered,
};

/// What a user wants of one service, from flags and file together.
#[derive(Clone, Debug)]
pub struct DeployRequest {
    /// Where the service is.
    pub cluster: ClusterName,
    /// The service to deploy.
    pub service: ServiceName,
    /// The definition to start from.
    pub base: DefinitionSource,
    /// The images to change.
    pub images: Vec<ImageChange>,
    /// The environment variables to change.
    pub environment: Vec<EnvironmentChange>,
    /// Which host ports ECS is to pick.
    pub dynamic_ports: DynamicPorts,
    /// Keys that no known version of the API has are no mistake.
    pub allow_unknown_keys: bool,
    /// Commands, labels, options and tags are shown where they change.
    pub shows_values: bool,
    /// As the file says it, to be held against AWS's answer.
    pub load_balancers: Vec<LoadBalancerBinding>,
    /// Replace the tasks even where nothing changes.
    pub force_new_deployment: bool,
    /// How far the run follows the rollout.
    pub until: Until,
    /// How long the new targets must have been healthy without a break.
    pub settle: Duration,
    /// `None`: from the forecast.
    pub timeout: Option<Duration>,
    /// How long between two looks; `None`: as long as it seems right at each.
    pub poll_interval: Option<Duration>,
    /// Findings of this severity and above stop the run before the first change.
    pub fail_on: Severity,
    /// Findings that stop nothing, however severe.
    pub allowed: Vec<Code>,
    /// The service's address, where the configuration names it.
    pub url: Option<String>,
    /// Services that must have succeeded before this one is touched, as far as the run has them.
    pub depends_on: Vec<ServiceName>,
    /// What to do besides deploying.
    pub policy: Policy,
}

/// The definition that a deployment starts from.
#[derive(Clone, Debug)]
pub enum DefinitionSource {
    /// What the service runs.
    Running,
    /// A file, or containers in the configuration.
    Document(Box<Document>),
    /// A registered one: `family`, `family:revision` or an ARN.
    Registered(String),
}

/// Where the revision that will run comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Revision {
    /// The document is registered as a new revision.
    Register,
    /// The running revision has the same content.
    Reuse(TaskDefinitionArn),
}

/// What a deployment of one service is going to do, and all that is known beforehand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was asked for.
    pub request: DeployRequest,
    /// The service as it was read.
    pub service: Service,
    /// The revision that runs.
    pub before: Option<TaskDefinitionArn>,
    /// The revision that will run.
    pub revision: Revision,
    /// The document that would be registered.
    pub document: Value,
    /// The changes that were asked for, one by one.
    pub changes: Vec<Change>,
    /// How the document differs from what runs.
    pub diff: Vec<DiffLine>,
    /// The target groups of the service, with their settings.
    pub target_groups: BTreeMap<TargetGroupArn, TargetGroup>,
    /// Where the service is reached: the configuration's word, else the load balancers'.
    pub address: Option<Address>,
    /// What one new task asks of an instance.
    pub needs: Needs,
    /// Tasks share the instance's network.
    pub is_host_network: bool,
    /// What is wrong, or good to know, before the first change.
    pub findings: Vec<Finding>,
    /// How long it is expected to take.
    pub forecast: Forecast,
    /// Nothing is deployed: ECS is asked to stop this deployment with a rollback.
    pub stops: Option<DeploymentId>,
}

impl Plan {
    /// The changes that are worth a line beside the difference to what runs. Where the definition is the running one,
    /// most of them are that difference.
    pub fn own_changes(&self) -> Vec<&Change> {
        let is_running = matches!(self.request.base, DefinitionSource::Running);
        let is_told = |change: &Change| is_running && self.diff.iter().any(|line| change.only_repeats(line));
        self.changes.iter().filter(|change| !is_told(change)).collect()
    }

    /// Renders and compares. `registered`: the definition that `DefinitionSource::Registered` names.
    /// `Err`: the definition cannot be rendered at all.
    pub fn make(
        request: DeployRequest,
        survey: &Survey,
        registered: Option<(TaskDefinitionArn, Value)>,
    ) -> Result<Plan, Vec<Finding>> {
        let running = survey.running.as_ref();
        let document = match (&request.base, &registered, running) {
            (DefinitionSource::Document(document), ..) => document.as_ref().clone(),
            (_, Some((arn, value)), _) | (_, None, Some((arn, value))) => {
                Document::from_value(task_definition::without_output_only(value), arn.short())
            }
            (_, None, None) => return Err(vec![no_definition(&request)]),
        };
        let rendered = render(
            &request,
            &document,
            &survey.service.load_balancers,
            running.map(|(_, value)| value),
        )?;
        let revision = running
            .into_iter()
            .chain(registered.as_ref())
            .filter(|(_, value)| is_active(value))
            .find(|(_, value)| task_definition::is_same_content(value, &rendered.document))
            .map_or(Revision::Register, |(arn, _)| Revision::Reuse(arn.clone()));
        let network = network(&rendered.document, &survey.service);
        let mut findings = rendered.findings;
        findings.extend(mismatches(&request, &survey.service));
        findings.extend(preflight::check(survey, &rendered.document, network));
        findings.extend(preflight::strategy(&survey.service, request.until));
        let mode = Document::from_value(rendered.document.clone(), "").network_mode();
        let (_, obstacle) = survey.obstacle(mode == NetworkMode::Host);
        findings.extend(obstacle.and_then(|by| by.finding(&request.service, request.policy.if_busy, survey.at)));
        let basis = Basis::of(survey, Some(&rendered.document));
        let forecast = Forecast::of(&basis);
        let gap = preflight::gap(&basis, network);
        let room = preflight::room(&basis, &forecast);
        let mut plan = Plan {
            before: survey.service.task_definition.clone(),
            revision,
            diff: running
                .map(|(_, value)| task_definition::diff(value, &rendered.document, request.shows_values))
                .unwrap_or_default(),
            needs: needs(&rendered.document),
            is_host_network: mode == NetworkMode::Host,
            document: rendered.document,
            changes: rendered.changes,
            target_groups: survey.target_groups.clone(),
            address: request
                .url
                .as_ref()
                .map(Address::configured)
                .or_else(|| survey.address.clone()),
            forecast,
            service: survey.service.clone(),
            findings,
            request,
            stops: None,
        };
        if plan.starts_rollout() {
            plan.findings.extend(gap);
            plan.findings.extend(room);
            plan.findings.extend(plan.short_timeout());
        }
        Ok(plan)
    }

    /// Adds what is to be said of credentials that end at `end` and cannot be renewed. `ahead`: how long the services
    /// before this one take.
    pub fn check_credentials(&mut self, end: Timestamp, now: Moment, ahead: Duration) {
        if self.starts_rollout() {
            let expected = Expectation {
                ahead,
                forecast: self.expected(),
                wait_budget: self.wait_budget(),
            };
            self.findings
                .extend(preflight::credentials(&self.service, end, now, expected));
        }
    }

    /// A run that is expected to end before the rollout does says so beforehand.
    fn short_timeout(&self) -> Option<Finding> {
        let timeout = self.request.timeout?;
        let expected = self.expected();
        (timeout < expected).then(|| {
            let summary = format!(
                "the timeout of {} is shorter than the {} that the rollout of `{}` is expected to take",
                human(timeout),
                human(expected),
                self.service.name
            );
            Finding::warning(Code::TimeoutShort, summary)
                .hint("give --timeout more, or leave it out: it follows from the forecast then")
        })
    }

    /// How long it is expected to take until what `until` asks for is there.
    pub fn expected(&self) -> Duration {
        if self.starts_rollout() {
            self.forecast.expected(self.request.until).likely
        } else {
            Duration::ZERO
        }
    }

    /// A finding is bad enough for the run to end before the first change.
    pub fn is_refused(&self) -> bool {
        let stops = |finding: &Finding| finding.severity >= self.request.fail_on.max(Severity::Warning);
        let is_allowed = |finding: &Finding| self.request.allowed.contains(&finding.code);
        self.findings
            .iter()
            .any(|finding| stops(finding) && !is_allowed(finding))
    }

    /// Whether a rollout will happen: another revision than the running one, or a forced one.
    pub fn starts_rollout(&self) -> bool {
        self.request.force_new_deployment || self.changes_what_runs()
    }

    /// Whether another revision will run than before.
    pub fn changes_what_runs(&self) -> bool {
        !matches!(&self.revision, Revision::Reuse(arn) if Some(arn) == self.before.as_ref())
    }

    /// A finding for each key that AWS did not keep of the document that was registered as `revision`.
    pub fn not_kept(&self, answer: &Value, revision: &TaskDefinitionArn) -> Vec<Finding> {
        let rendered;
        let file = match &self.request.base {
            DefinitionSource::Document(document) => document.as_ref(),
            DefinitionSource::Running | DefinitionSource::Registered(_) => {
                rendered = Document::from_value(self.document.clone(), revision.short());
                &rendered
            }
        };
        task_definition::check_kept(file, &self.document, answer, revision.short())
    }

    /// For how long the run waits: what was asked for, else what follows from the forecast.
    pub fn wait_budget(&self) -> Duration {
        self.request
            .timeout
            .unwrap_or_else(|| self.forecast.wait_budget(self.request.until, self.request.settle))
    }

    /// `web:41 -> web:42`, as far as it is known before registering.
    pub fn revisions(&self) -> String {
        if self.stops.is_some() {
            let (from, to) = (self.before.as_ref(), last_good(&self.service));
            let name = |arn: Option<&TaskDefinitionArn>| arn.map_or("what ran before", |arn| arn.short()).to_owned();
            return format!("{} -> {}", name(from), name(to.as_ref()));
        }
        let before = self.before.as_ref().map_or("nothing", |arn| arn.short());
        match &self.revision {
            Revision::Reuse(arn) if Some(arn) == self.before.as_ref() => format!("{} (unchanged)", arn.short()),
            Revision::Reuse(arn) => format!("{before} -> {}", arn.short()),
            Revision::Register => {
                let family = self.document.get("family").and_then(Value::as_str).unwrap_or("?");
                format!("{before} -> {family}:(new)")
            }
        }
    }

    /// The steps, each a sentence.
    pub fn steps(&self) -> Vec<String> {
        if let Some(deployment) = &self.stops {
            return vec![
                format!("ask ECS to stop deployment {deployment} with a rollback (StopServiceDeployment)"),
                "follow it until ECS is back at what ran before".into(),
            ];
        }
        let mut steps = Vec::new();
        match &self.revision {
            Revision::Register => steps.push(format!(
                "register a new revision of {}",
                self.document.get("family").and_then(Value::as_str).unwrap_or("?")
            )),
            Revision::Reuse(arn) => steps.push(format!("reuse {}: its content is the same", arn.short())),
        }
        if !self.starts_rollout() {
            steps.push("leave the service as it is: nothing has changed, and no deployment is forced".into());
            return steps;
        }
        let force = if self.request.force_new_deployment {
            ", as a forced new deployment"
        } else {
            ""
        };
        steps.push(format!(
            "update service {} in cluster {}{force}",
            self.request.service, self.request.cluster
        ));
        let groups: Vec<&str> = self.target_groups.values().map(|g| g.name.as_str()).collect();
        let is_classic = self.target_groups.keys().all(|group| group.classic_name().is_some());
        let watched = match groups.as_slice() {
            [] => String::new(),
            names if is_classic => format!(" in classic load balancer {}", names.join(", ")),
            names => format!(" in target group {}", names.join(", ")),
        };
        steps.push(match self.request.until {
            Until::Registered => format!("follow it until the new targets are registered{watched}"),
            Until::Healthy => format!("follow it until the new targets are healthy{watched}"),
            Until::Drained => format!("follow it until the new targets are healthy and the old ones drained{watched}"),
            Until::Stage(stage) => format!(
                "follow it until the new targets are healthy{watched} and the deployment is in stage {}",
                stage.as_str()
            ),
        });
        steps
    }
}

/// Renders the definition: for `render`, which needs no service, and for a plan.
pub fn render(
    request: &DeployRequest,
    document: &Document,
    bindings: &[LoadBalancerBinding],
    running: Option<&Value>,
) -> Result<Rendered, Vec<Finding>> {
    let bindings = if bindings.is_empty() {
        &request.load_balancers
    } else {
        bindings
    };
    let load_balanced: Vec<LoadBalancedPort> = bindings
        .iter()
        .map(|b| LoadBalancedPort {
            container: b.container_name.clone(),
            port: b.container_port,
            classic: matches!(b.balancer, Balancer::Classic(_)),
        })
        .collect();
    let options = RenderOptions {
        images: &request.images,
        environment: &request.environment,
        dynamic_ports: request.dynamic_ports,
        load_balanced: &load_balanced,
    };
    let mut findings = task_definition::check(document, running, request.allow_unknown_keys);
    let is_refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    let rendered = match task_definition::render(document, &options) {
        Ok(rendered) if !is_refused => rendered,
        Ok(Rendered { findings: more, .. }) | Err(more) => {
            findings.extend(more);
            return Err(in_order_of_the_file(findings));
        }
    };
    findings.extend(rendered.findings);
    Ok(Rendered { findings, ..rendered })
}

/// Of a document that was rendered without a service: the host ports that a plan may still make dynamic, because only AWS
/// knows which ones a load balancer leads to.
pub fn ports_left_open(request: &DeployRequest, rendered: &Value) -> Option<Finding> {
    let is_open = request.dynamic_ports == DynamicPorts::LoadBalanced && request.load_balancers.is_empty();
    let document = Document::from_value(rendered.clone(), "");
    if !is_open || document.network_mode() != NetworkMode::Bridge {
        return None;
    }
    let fixed = needs(rendered).fixed_ports;
    let first = fixed.first()?;
    let summary = format!(
        "host port {} of container `{}` stays here; `plan` and `deploy` make it dynamic where a load balancer leads to it",
        first.host_port, first.container
    );
    let finding = Finding::note(Code::HostPortStatic, summary);
    Some(finding.hint("name the service's `load_balancer` in the configuration, or give --dynamic-ports all or keep"))
}

/// Each once: some rules are held against the file and against what will be registered.
fn in_order_of_the_file(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| {
        let at = finding.location.as_ref();
        at.map_or((usize::MAX, 0), |at| (at.line, at.column))
    });
    findings.dedup();
    findings
}

fn no_definition(request: &DeployRequest) -> Finding {
    Finding::error(
        Code::MissingKey,
        format!("service `{}` has no task definition to start from", request.service),
    )
    .state("nothing was changed")
    .hint("name one with --task-definition")
}

/// Only ACTIVE revisions can be deployed; a deregistered one keeps running and takes no update.
fn is_active(definition: &Value) -> bool {
    definition
        .get("status")
        .and_then(Value::as_str)
        .is_none_or(|status| status == "ACTIVE")
}

/// What the file says of load balancers and AWS does not confirm. AWS wins: portzero does not rewire services.
fn mismatches(request: &DeployRequest, service: &Service) -> Vec<Finding> {
    request
        .load_balancers
        .iter()
        .filter(|wanted| !service.load_balancers.iter().any(|has| has.is_same(wanted)))
        .map(|wanted| {
            let has: Vec<String> = service.load_balancers.iter().map(binding).collect();
            let has = if has.is_empty() {
                "no load balancer".to_owned()
            } else {
                has.join("; ")
            };
            Finding::error(
                Code::LoadBalancerMismatch,
                format!(
                    "service `{}` is not attached to the load balancer that the file names",
                    service.name
                ),
            )
            .evidence("file", binding(wanted))
            .evidence("aws", has)
            .state("nothing was changed")
            .hint("correct `load_balancer` in the file, or attach the service to it first")
        })
        .collect()
}

fn binding(binding: &LoadBalancerBinding) -> String {
    let to = match &binding.balancer {
        Balancer::TargetGroup(arn) => format!("target group {arn}"),
        Balancer::Classic(name) => format!("classic load balancer {name}"),
    };
    format!(
        "container `{}` port {} in {to}",
        binding.container_name, binding.container_port
    )
}

fn network(document: &Value, service: &Service) -> Network {
    let document = Document::from_value(document.clone(), "");
    if document.network_mode() == NetworkMode::Awsvpc {
        return Network::Address;
    }
    let is_balanced = |container: &str, port: u16| {
        service
            .load_balancers
            .iter()
            .any(|b| b.container_name == container && b.container_port == port)
    };
    let has_dynamic_ports = document.network_mode() == NetworkMode::Bridge
        && document.containers().iter().any(|c| {
            c.port_mappings().iter().any(|m| {
                let port = m.container_port().unwrap_or(0);
                m.host_port().unwrap_or(0) == 0 && is_balanced(c.name().unwrap_or_default(), port)
            })
        });
    Network::Instance { has_dynamic_ports }
}
