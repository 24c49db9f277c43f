//! What ECS manages of a service's ingress, in the domain's types.

use aws_sdk_ecs::types as sdk;
use portzero_core::aws_model::service::{ManagedGroup, ManagedWay, WayStatus};

use crate::adapters::aws::read::port;

/// The ingress paths of an Express service, and the connections to gateways.
pub(super) fn ways(revision: &sdk::ServiceRevision) -> Vec<ManagedWay> {
    let Some(managed) = revision.ecs_managed_resources() else {
        return Vec::new();
    };
    let paths = managed.ingress_paths().iter().map(ingress_path);
    let connections = managed.gateway_connections().iter().map(connection);
    paths.chain(connections).collect()
}

fn connection(connection: &sdk::GatewayConnection) -> ManagedWay {
    let balancers = connection
        .resources()
        .and_then(|resources| resources.as_host_shared_alb().ok());
    let groups = balancers.into_iter().flatten().filter_map(|balancer| {
        Some(ManagedGroup {
            arn: balancer.target_group_arn()?.into(),
            alternate: balancer.alternate_target_group_arn().map(Into::into),
            port: None,
            rule: balancer.listener_rule_arn().map(str::to_owned),
            test_rule: balancer.test_listener_rule_arn().map(str::to_owned),
        })
    });
    ManagedWay {
        gateway: Some(connection.gateway_arn().unwrap_or("(not named)").to_owned()),
        address: connection.service_url().map(str::to_owned),
        is_private: connection.access_type().is_some_and(|kind| kind.as_str() == "PRIVATE"),
        status: connection.status().map_or("", |status| status.as_str()).into(),
        status_reason: None,
        port_name: connection.port_name().map(str::to_owned),
        groups: groups.collect(),
    }
}

/// Two target groups of one path are those between which the traffic shifts.
fn ingress_path(path: &sdk::ManagedIngressPath) -> ManagedWay {
    let (status, status_reason) = furthest(path);
    let mut groups = path.target_groups().iter();
    let arn = |group: &sdk::ManagedTargetGroup| group.arn().map(Into::into);
    let (first, second) = (groups.next(), groups.next());
    let rule = path.rule().and_then(|rule| rule.arn());
    let group = first.and_then(|group| {
        Some(ManagedGroup {
            arn: arn(group)?,
            alternate: second.and_then(arn),
            port: Some(port(group.port())).filter(|port| *port > 0),
            rule: rule.map(str::to_owned),
            test_rule: None,
        })
    });
    ManagedWay {
        gateway: None,
        address: Some(path.endpoint().to_owned()).filter(|endpoint| !endpoint.is_empty()),
        is_private: path.access_type().as_str() == "PRIVATE",
        status,
        status_reason,
        port_name: None,
        groups: group.into_iter().collect(),
    }
}

/// Of all that makes up an ingress path what has failed, else what is not ACTIVE yet.
fn furthest(path: &sdk::ManagedIngressPath) -> (WayStatus, Option<String>) {
    let mut parts = Vec::new();
    parts.extend(path.load_balancer().map(|part| (part.status(), part.status_reason())));
    parts.extend(path.listener().map(|part| (part.status(), part.status_reason())));
    parts.extend(path.rule().map(|part| (part.status(), part.status_reason())));
    let groups = path.target_groups().iter();
    parts.extend(groups.map(|part| (part.status(), part.status_reason())));
    let mut parts: Vec<(WayStatus, Option<&str>)> = parts
        .into_iter()
        .map(|(status, reason)| (status.as_str().into(), reason))
        .collect();
    parts.sort_by_key(|(status, _)| (!status.is_failed(), *status == WayStatus::Active));
    match parts.into_iter().next() {
        Some((status, reason)) => (status, reason.map(str::to_owned)),
        None => (WayStatus::Provisioning, None),
    }
}
