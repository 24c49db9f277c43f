//! `ecsManagedResources` of a service revision.

use serde_json::{Value, json};

use super::super::{seconds, structure};
use crate::model::managed::{Managed, Manager};
use crate::model::state::{Listener, LoadBalancer, LoadBalancerBinding};
use crate::timestamp::Timestamp;
use crate::world::World;

/// Absent where ECS manages nothing of the revision.
pub(in crate::wire::json::ecs) fn managed_resources(
    world: &World,
    bindings: &[LoadBalancerBinding],
    created_at: Timestamp,
) -> Option<Value> {
    let (mut paths, mut connections) = (Vec::new(), Vec::new());
    for binding in bindings {
        let Some(managed) = &binding.managed else {
            continue;
        };
        match &managed.by {
            Manager::Express => paths.push(ingress_path(world, binding, managed, created_at)),
            Manager::Gateway {
                gateway,
                route,
                port_name,
            } => connections.push(structure([
                ("gatewayArn", Some(json!(gateway))),
                ("gatewayRouteArn", Some(json!(route))),
                ("portName", Some(json!(port_name))),
                ("serviceUrl", Some(json!(managed.address))),
                ("accessType", Some(json!(managed.access_type))),
                ("status", Some(json!(managed.status(world.now())))),
                ("resources", connection(world, binding, managed)),
            ])),
        }
    }
    if paths.is_empty() && connections.is_empty() {
        return None;
    }
    let shown = |list: Vec<Value>| Some(json!(list)).filter(|list| list != &json!([]));
    Some(structure([
        ("ingressPaths", shown(paths)),
        ("gatewayConnections", shown(connections)),
    ]))
}

/// What a route that could not be made has not got.
fn connection(world: &World, binding: &LoadBalancerBinding, managed: &Managed) -> Option<Value> {
    if managed.failure.is_some() {
        return None;
    }
    let group = binding.target_group_arn.as_ref()?;
    let (balancer, listener) = before(world, group)?;
    let advanced = binding.advanced.as_ref();
    let rule = advanced.map_or(&listener.default_rule_arn, |advanced| {
        &advanced.production_listener_rule
    });
    let text = |text: Option<&String>| text.map(|text| json!(text));
    Some(json!({"hostSharedAlb": [structure([
        ("loadBalancerArn", Some(json!(balancer.arn))),
        ("loadBalancerSecurityGroupArns", Some(json!(security_groups(world, balancer)))),
        ("listenerArn", Some(json!(listener.arn))),
        ("listenerRuleArn", Some(json!(rule))),
        ("testListenerRuleArn", text(advanced.and_then(|a| a.test_listener_rule.as_ref()))),
        ("targetGroupArn", Some(json!(group))),
        ("alternateTargetGroupArn", text(advanced.map(|a| &a.alternate_target_group_arn))),
    ])]}))
}

fn ingress_path(world: &World, binding: &LoadBalancerBinding, managed: &Managed, created_at: Timestamp) -> Value {
    let alternate = binding
        .advanced
        .as_ref()
        .map(|advanced| &advanced.alternate_target_group_arn);
    let groups = [binding.target_group_arn.as_ref(), alternate];
    let status = |status: &str| {
        [
            ("status", Some(json!(status))),
            ("updatedAt", Some(seconds(created_at))),
        ]
    };
    let resource = |arn: &str| {
        let [status, updated] = status("ACTIVE");
        structure([("arn", Some(json!(arn))), status, updated])
    };
    let found = binding.target_group_arn.as_ref().and_then(|group| before(world, group));
    let shown: Vec<Value> = groups
        .into_iter()
        .flatten()
        .filter_map(|arn| world.group(arn))
        .map(|group| {
            let [status, updated] = status(managed.status(world.now()));
            let port = group.health_check.port.parse().unwrap_or(binding.container_port);
            structure([
                ("arn", Some(json!(group.arn)).filter(|_| managed.failure.is_none())),
                status,
                ("statusReason", managed.failure.as_ref().map(|words| json!(words))),
                updated,
                ("healthCheckPath", Some(json!(group.health_check.path))),
                ("healthCheckPort", Some(json!(port))),
                ("port", Some(json!(binding.container_port))),
            ])
        })
        .collect();
    let balancer = found.map(|(balancer, _)| {
        let [status, updated] = status("ACTIVE");
        let subnets: Vec<String> = balancer
            .availability_zones
            .iter()
            .map(|zone| crate::model::network::subnet_of(zone))
            .collect();
        structure([
            ("arn", Some(json!(balancer.arn))),
            status,
            updated,
            ("scheme", Some(json!(balancer.scheme))),
            ("subnetIds", Some(json!(subnets))),
            ("securityGroupIds", Some(json!(balancer.security_groups))),
        ])
    });
    structure([
        ("accessType", Some(json!(managed.access_type))),
        ("endpoint", Some(json!(managed.address))),
        ("loadBalancer", balancer),
        ("listener", found.map(|(_, listener)| resource(&listener.arn))),
        ("rule", found.map(|(_, listener)| resource(&rule_of(binding, listener)))),
        ("targetGroups", Some(json!(shown))),
    ])
}

fn rule_of(binding: &LoadBalancerBinding, listener: &Listener) -> String {
    let shifted = binding.advanced.as_ref();
    shifted.map_or_else(
        || listener.default_rule_arn.clone(),
        |advanced| advanced.production_listener_rule.clone(),
    )
}

/// The load balancer before a target group, and its listener.
pub(in crate::wire::json::ecs) fn before<'a>(
    world: &'a World,
    group: &str,
) -> Option<(&'a LoadBalancer, &'a Listener)> {
    let balancer = world.group(group)?.load_balancer_arns.first()?;
    let balancer = world.account().load_balancers.get(balancer)?;
    Some((balancer, balancer.listeners.first()?))
}

pub(in crate::wire::json::ecs) fn security_groups(world: &World, balancer: &LoadBalancer) -> Vec<String> {
    let (region, account) = (&world.account().region, &world.account().id);
    let groups = balancer.security_groups.iter();
    groups
        .map(|group| format!("arn:aws:ec2:{region}:{account}:security-group/{group}"))
        .collect()
}
