//! Classic load balancers in the domain's types, in the shape of target groups.

use std::time::Duration;

use aws_sdk_elasticloadbalancing::types as sdk;
use portzero_core::aws_model::target::{HealthCheck, InstanceHealth, TargetGroup, TargetType};
use portzero_core::base::id::TargetGroupArn;

use crate::adapters::aws::read::{count, port};

pub(super) fn load_balancer(balancer: &sdk::LoadBalancerDescription) -> TargetGroup {
    let name = balancer.load_balancer_name().unwrap_or_default();
    let listener = balancer.listener_descriptions().iter().find_map(|d| d.listener());
    TargetGroup {
        arn: TargetGroupArn::of_classic(name),
        name: name.to_owned(),
        target_type: TargetType::Instance,
        ip_address_type: None,
        port: listener.map(|l| port(l.instance_port())),
        vpc_id: balancer.vpc_id().map(str::to_owned),
        health_check: balancer.health_check().map(health_check).unwrap_or_default(),
        load_balancers: vec![name.to_owned()],
        deregistration_delay: None,
    }
}

/// `HTTP:8080/healthz`, `TCP:8080`.
fn health_check(check: &sdk::HealthCheck) -> HealthCheck {
    let (protocol, rest) = check.target().split_once(':').unwrap_or(("TCP", check.target()));
    let (number, path) = match rest.find('/') {
        Some(slash) => (&rest[..slash], Some(&rest[slash..])),
        None => (rest, None),
    };
    HealthCheck {
        enabled: true,
        protocol: Some(protocol.to_owned()),
        port: Some(number.to_owned()),
        path: path.map(str::to_owned),
        interval: seconds(check.interval()),
        timeout: seconds(check.timeout()),
        healthy_threshold: count(check.healthy_threshold()),
        unhealthy_threshold: count(check.unhealthy_threshold()),
        // A classic load balancer wants this one code.
        matcher: path.map(|_| "200".to_owned()),
    }
}

/// How long a deregistered instance may finish its requests; none where connection draining is off.
pub(super) fn draining(attributes: &sdk::LoadBalancerAttributes) -> Option<Duration> {
    let draining = attributes.connection_draining()?;
    let timeout = if draining.enabled() { draining.timeout()? } else { 0 };
    Some(seconds(timeout))
}

pub(super) fn instance(state: &sdk::InstanceState) -> InstanceHealth {
    InstanceHealth {
        instance: state.instance_id().unwrap_or_default().to_owned(),
        state: state.state().unwrap_or_default().to_owned(),
        reason_code: state.reason_code().unwrap_or_default().to_owned(),
        description: state.description().unwrap_or_default().to_owned(),
    }
}

fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::from(count(number)))
}
