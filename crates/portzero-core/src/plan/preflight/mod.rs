//! What can be known before the first change: pure checks over a survey.

mod gap;
mod named_parts;
mod origin;
mod room;
mod strategy;
mod tag;
mod traffic;

pub use crate::plan::survey::{Survey, not_checked};
pub use gap::gap;
pub use room::room;
pub use strategy::strategy;

use std::time::Duration;

use serde_json::Value;

use crate::aws_model::api_error::ApiError;
use crate::aws_model::service::{Balancer, DeploymentController, SchedulingStrategy, Service, ServiceStatus};
use crate::aws_model::target::{TargetGroup, TargetType};
use crate::base::finding::{Code, Finding, Severity};
use crate::base::time::{Moment, Timestamp, human};
use crate::rollout::Until;
use crate::rollout::view::limits::Limits;
use crate::rollout::words::managed;
use crate::rollout::words::verdict::way_not_checked;

/// How the new revision reaches the network, as far as target groups care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// bridge, host: targets are instances.
    Instance {
        /// ECS picks the ports, so that no fixed health check port can meet them.
        has_dynamic_ports: bool,
    },
    /// awsvpc: targets are addresses.
    Address,
}

/// Everything that can be known to be wrong before the first change. `document`: what will run.
pub fn check(survey: &Survey, document: &Value, network: Network) -> Vec<Finding> {
    let mut findings = Vec::new();
    let service = &survey.service;
    findings.extend(status(service));
    findings.extend(controller(service));
    findings.extend(limits(service));
    findings.extend(classic(survey));
    findings.extend(named_parts::named_parts(service, document));
    findings.extend(origin::origin(service, document));
    findings.extend(tag::tag(document));
    let ways = service.other_ways.iter();
    findings.extend(ways.map(|way| way_not_checked(service.name.as_str(), *way)));
    let ways = service.managed.ways.iter().filter(|way| way.status.is_failed());
    findings.extend(ways.map(|way| managed::failed_before(service.name.as_str(), way)));
    if service.status == ServiceStatus::Active {
        findings.extend(
            survey
                .target_groups
                .values()
                .flat_map(|group| target_group(group, network)),
        );
    }
    if service.desired_count == 0 {
        findings.push(Finding::warning(
            Code::NothingToVerify,
            format!(
                "`{}` wants no task (desired count 0): nothing will be verified",
                service.name
            ),
        ));
    }
    findings.extend(survey.not_checked.iter().map(not_checked));
    findings.extend(traffic::traffic(survey));
    findings.extend(survey.routing_refusal.as_ref().map(no_routing));
    findings.extend(survey.ways_refusal.as_ref().map(no_routing));
    findings
}

/// How long the run is expected to last, as far as credentials care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What other services of the run take before.
    pub ahead: Duration,
    /// How long the rollout is expected to take.
    pub forecast: Duration,
    /// For how long the run may wait.
    pub wait_budget: Duration,
}

/// Credentials that cannot be renewed, and end at `end`: a warning where the rollout is not expected to be over by
/// then, a note where only the wait budget reaches beyond.
pub fn credentials(service: &Service, end: Timestamp, now: Moment, expected: Expectation) -> Option<Finding> {
    let left = end.since(now.wall());
    let Expectation {
        ahead,
        forecast,
        wait_budget,
    } = expected;
    let finding = if left < ahead + forecast {
        let summary = format!(
            "the credentials end before `{}` is expected to have rolled out",
            service.name
        );
        Finding::warning(Code::CredentialsEndEarly, summary)
    } else if left < ahead + wait_budget {
        let summary = format!(
            "the credentials end before the timeout of `{}` does: a slow rollout cannot be followed to its end",
            service.name
        );
        Finding::note(Code::CredentialsEndEarly, summary)
    } else {
        return None;
    };
    let mut finding = finding.evidence("credentials", format!("end in {}, at {end}", human(left)));
    if !ahead.is_zero() {
        finding = finding.evidence("before it", format!("{} for the services ahead of it", human(ahead)));
    }
    Some(
        finding
            .evidence("forecast", human(forecast))
            .evidence("timeout", human(wait_budget))
            .hint("in GitHub Actions, name the role with `--role-to-assume`: portzero gets the credentials then, and renews them")
            .hint(
                "or ask for longer ones: `role-duration-seconds` of aws-actions/configure-aws-credentials, up to the role's \
                 maximum session duration",
            ),
    )
}

/// A note, because no rollout fails for it: it must not keep a strict run from deploying.
fn no_routing(error: &ApiError) -> Finding {
    Finding {
        severity: Severity::Note,
        ..not_checked(error)
    }
}

/// Why there is no rollout of the service that ECS's deployments would show.
pub fn not_followable(service: &Service, until: Until) -> Option<Finding> {
    status(service).or_else(|| controller(service)).or_else(|| {
        let found = strategy(service, until).into_iter();
        found.into_iter().find(|finding| finding.severity == Severity::Error)
    })
}

fn status(service: &Service) -> Option<Finding> {
    let anew = "create the service anew, then deploy";
    let (what, hint) = match service.status {
        ServiceStatus::Active => return None,
        ServiceStatus::Draining => ("is being deleted (DRAINING)", anew),
        ServiceStatus::Inactive => ("was deleted (INACTIVE)", anew),
        ServiceStatus::Unknown(_) => (
            "is in a status that portzero does not know",
            "a newer version of portzero may know it",
        ),
    };
    Some(
        Finding::error(Code::ServiceNotActive, format!("service `{}` {what}", service.name))
            .evidence("status", service.status.as_str())
            .state("nothing was changed")
            .hint(hint),
    )
}

fn controller(service: &Service) -> Option<Finding> {
    let (name, hint) = match &service.controller {
        DeploymentController::Ecs => return None,
        DeploymentController::CodeDeploy => (
            "CODE_DEPLOY",
            "deploy it through AWS CodeDeploy, or change its controller to ECS",
        ),
        DeploymentController::External => (
            "EXTERNAL",
            "its task sets belong to another controller: deploy through that one",
        ),
        DeploymentController::Unknown(name) => (name.as_str(), "portzero deploys services whose controller is ECS"),
    };
    Some(
        Finding::error(
            Code::UnsupportedController,
            format!("service `{}` is deployed by another controller: {name}", service.name),
        )
        .state("nothing was changed")
        .hint(hint),
    )
}

/// Both ways closed: nothing may stop and nothing may start.
fn limits(service: &Service) -> Option<Finding> {
    let is_rolling = service.scheduling == SchedulingStrategy::Replica && !service.configuration.is_staged();
    if !is_rolling || service.desired_count == 0 {
        return None;
    }
    let limits = Limits::of(service, service.desired_count);
    // Where fewer run than may, ECS starts new ones whatever the percentages say: a crash loop can be cured.
    if !limits.block() || service.running_count + service.pending_count < limits.upper {
        return None;
    }
    let summary = format!(
        "ECS may neither stop nor start a task of `{}`, so no deployment can ever move",
        service.name
    );
    let mut finding = Finding::error(Code::DeploymentBlocked, summary);
    finding.evidence.extend(limits.sums());
    Some(finding.state("nothing was changed").hint(limits.unblocking()))
}

/// Classic load balancers that may not be read.
fn classic(survey: &Survey) -> Vec<Finding> {
    let names = survey.service.load_balancers.iter().filter_map(|b| match &b.balancer {
        Balancer::Classic(name) if !survey.target_groups.contains_key(&b.group()) => Some(name),
        Balancer::Classic(_) | Balancer::TargetGroup(_) => None,
    });
    names
        .map(|name| {
            Finding::warning(
                Code::NotChecked,
                format!("not checked: classic load balancer `{name}`; only ECS's own word will count for it"),
            )
        })
        .collect()
}

fn target_group(group: &TargetGroup, network: Network) -> Vec<Finding> {
    let unused = || {
        Finding::error(
            Code::TargetGroupNotInUse,
            format!(
                "no load balancer forwards to target group `{}`, so no target in it ever becomes healthy",
                group.name
            ),
        )
        .state("nothing was changed")
        .hint("attach the target group to a listener or a rule")
    };
    let unused = group.load_balancers.is_empty().then(unused);
    let findings = [
        unused,
        mismatched_type(group, network),
        fixed_health_check_port(group, network),
    ];
    findings.into_iter().flatten().collect()
}

fn mismatched_type(group: &TargetGroup, network: Network) -> Option<Finding> {
    let wants_instances = matches!(network, Network::Instance { .. });
    let is_mismatch = match group.target_type {
        TargetType::Instance => !wants_instances,
        TargetType::Ip => wants_instances,
        _ => false,
    };
    let mode = if wants_instances { "bridge or host" } else { "awsvpc" };
    let mismatch = || {
        Finding::error(
            Code::TargetTypeMismatch,
            format!(
                "target group `{}` has target type {}, which is incompatible with the {mode} network mode of the task definition",
                group.name,
                group.target_type.as_str()
            ),
        )
        .state("nothing was changed")
    };
    is_mismatch.then(mismatch)
}

/// A classic load balancer knows fixed ports only, and ECS refuses dynamic ones behind it.
fn fixed_health_check_port(group: &TargetGroup, network: Network) -> Option<Finding> {
    let has_dynamic_ports = matches!(
        network,
        Network::Instance {
            has_dynamic_ports: true
        }
    );
    let is_fixed = |port: &&str| *port != "traffic-port" && !port.is_empty();
    let port = group.health_check.port.as_deref().filter(is_fixed)?;
    if !has_dynamic_ports || group.arn.classic_name().is_some() {
        return None;
    }
    let finding = Finding::error(
        Code::HealthCheckPortFixed,
        format!(
            "target group `{}` checks port {port} of every target, but the host port is dynamic",
            group.name
        ),
    );
    Some(
        finding
            .state("nothing was changed")
            .hint("set the target group's health check port to `traffic-port`"),
    )
}
