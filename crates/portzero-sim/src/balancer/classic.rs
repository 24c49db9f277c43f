//! Classic load balancers: whole instances behind one fixed port. Their checks and drains are those of target groups, so
//! each carries one of its own, under a key that no ARN can be.

use std::time::Duration;

use crate::model::state::{ClassicBalancer, HealthCheck, Target, TargetGroup, key};
use crate::model::status::TargetState;
use crate::scenario::Scenario;
use crate::scenario::specs::ClassicSpec;
use crate::world::World;

impl World {
    pub(crate) fn add_classic_balancers(&mut self, scenario: &Scenario) {
        let named = scenario.services.iter().flat_map(|service| &service.load_balancers);
        let named: Vec<ClassicSpec> = named
            .filter_map(|binding| binding.load_balancer_name.clone())
            .map(|name| ClassicSpec {
                name,
                ..ClassicSpec::default()
            })
            .collect();
        for spec in scenario.classic_load_balancers.iter().chain(&named) {
            if !self.account.classic_balancers.contains_key(&spec.name) {
                let balancer = self.made(scenario, spec);
                self.account.classic_balancers.insert(spec.name.clone(), balancer);
            }
        }
    }

    fn made(&self, scenario: &Scenario, spec: &ClassicSpec) -> ClassicBalancer {
        let port = spec
            .instance_port
            .or_else(|| fixed_port(scenario, &spec.name))
            .unwrap_or(spec.port);
        let check = &spec.health_check;
        let check_port = match check.port.as_str() {
            "traffic-port" => port.to_string(),
            number => number.to_owned(),
        };
        ClassicBalancer {
            name: spec.name.clone(),
            dns_name: format!("{}-1234567890.{}.elb.amazonaws.com", spec.name, scenario.region),
            scheme: "internet-facing".into(),
            vpc_id: crate::model::network::VPC.into(),
            availability_zones: crate::model::network::zones(&scenario.region),
            created_at: self.now,
            port: spec.port,
            group: TargetGroup {
                arn: key(&spec.name),
                name: spec.name.clone(),
                protocol: spec.protocol.clone(),
                port,
                vpc_id: crate::model::network::VPC.into(),
                target_type: "instance".into(),
                ip_address_type: "ipv4".into(),
                health_check: HealthCheck {
                    enabled: check.enabled,
                    protocol: spec.protocol.clone(),
                    port: check_port,
                    path: check.path.clone(),
                    interval: check.interval,
                    timeout: check.timeout,
                    healthy_threshold: check.healthy_threshold,
                    unhealthy_threshold: check.unhealthy_threshold,
                    matcher: check.matcher.clone(),
                },
                load_balancer_arns: vec![key(&spec.name)],
                deregistration_delay: spec.connection_draining,
                slow_start: Duration::ZERO,
                attributes: Default::default(),
                targets: Vec::new(),
            },
        }
    }
}

/// The host port that the first service behind the balancer publishes its container port on.
fn fixed_port(scenario: &Scenario, name: &str) -> Option<u16> {
    scenario.services.iter().find_map(|service| {
        let mut own = service.load_balancers.iter();
        let binding = own.find(|binding| binding.load_balancer_name.as_deref() == Some(name))?;
        crate::model::container::mappings(&service.task_definition)
            .into_iter()
            .find(|m| m.container == binding.container_name && m.container_port == binding.container_port)
            .map(|mapping| mapping.host_port)
            .filter(|port| *port != 0)
    })
}

/// Events of classic load balancers speak of instances (recording 10).
pub(crate) fn registered(service: &str, count: usize, name: &str) -> String {
    format!("(service {service}) registered {count} instances in (elb {name})")
}

pub(crate) fn deregistered(service: &str, count: usize, name: &str) -> String {
    format!("(service {service}) deregistered {count} instances in (elb {name})")
}

pub(crate) const FAILED: &str =
    "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.";

pub(crate) fn unhealthy(service: &str, task: &str, instance: &str, name: &str) -> String {
    format!(
        "(service {service}) (task {task}) (instance {instance}) is unhealthy in (elb {name}) due to (reason {FAILED})"
    )
}

/// What DescribeInstanceHealth says of one instance: state, reason code, description.
pub struct Health(pub &'static str, pub &'static str, pub &'static str);

/// The health of an instance behind a classic load balancer, by the state of its target.
pub fn health(target: &Target) -> Health {
    match (&target.state, target.reason.as_deref()) {
        (TargetState::Healthy, _) => Health("InService", "N/A", "N/A"),
        (TargetState::Draining, _) => Health("InService", "N/A", "Instance deregistration currently in progress."),
        (TargetState::Unhealthy, _) => Health("OutOfService", "Instance", FAILED),
        (TargetState::Initial, Some("Elb.InitialHealthChecking")) => Health(
            "OutOfService",
            "Instance",
            "Instance has not passed the configured HealthyThreshold number of health checks consecutively.",
        ),
        (TargetState::Initial, _) => Health("OutOfService", "ELB", "Instance registration is still in progress."),
        (TargetState::Unused, _) => Health(
            "OutOfService",
            "ELB",
            "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
        ),
        _ => Health("Unknown", "ELB", "A transient error occurred. Please try again later."),
    }
}
