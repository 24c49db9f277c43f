//! CreateGateway and its kin: gateways, their clusters, and the routes of services.

use serde_json::{Value, json};

use super::super::{seconds, service_request, structure};
use super::document::{before, security_groups};
use crate::model::managed::{Gateway, Managed, Manager};
use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancerBinding, Service};
use crate::model::status::ServiceStatus;
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::wire::page::page;
use crate::world::World;

use std::collections::BTreeMap;

const ROUTE_STATUSES: [&str; 7] = [
    "ACTIVE",
    "CREATE_IN_PROGRESS",
    "CREATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_FAILED",
    "DELETE_IN_PROGRESS",
    "DELETE_FAILED",
];

pub(in crate::wire::json::ecs) fn create(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let given = members
        .structure("configuration")?
        .ok_or_else(|| Refusal::invalid_parameter("configuration can not be null."))?;
    let scheme = match given.structure("hostSharedAlb")? {
        Some(shared) => shared.one_of("scheme", &["internet-facing", "internal"])?,
        None => {
            return Err(Refusal::invalid_parameter(
                "configuration.hostSharedAlb can not be null.",
            ));
        }
    };
    let is_internal = scheme.unwrap_or("internet-facing") == "internal";
    let tags = service_request::tags(members)?;
    let new = Gateway {
        arn: String::new(),
        name: members.required("name")?.to_owned(),
        role_arn: members.required("infrastructureRoleArn")?.to_owned(),
        access_type: if is_internal { "PRIVATE" } else { "PUBLIC" }.into(),
        deletion_protection: members.boolean("deletionProtection")?.unwrap_or(false),
        propagate_tags: members
            .one_of("propagateTags", &["NONE", "GATEWAY"])?
            .unwrap_or("NONE")
            .to_owned(),
        configuration: members.document("configuration")?.unwrap_or_else(|| json!({})),
        clusters: BTreeMap::new(),
        created_at: world.now(),
    };
    let gateway = world.create_gateway(new, tags)?;
    Ok(brief(&gateway, "ACTIVE").into())
}

pub(in crate::wire::json::ecs) fn delete(world: &mut World, body: &Value) -> Reply<Value> {
    let gateway = world.delete_gateway(Members::of(body)?.required("gateway")?)?;
    Ok(brief(&gateway, "DELETED").into())
}

pub(in crate::wire::json::ecs) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let gateway = world.gateway(Members::of(body)?.required("gateway")?)?;
    let tags = world.tags_of(&gateway.arn);
    let count = bindings(world)
        .filter(|(_, binding, _)| binding.is_of_gateway(&gateway.arn))
        .count();
    let mut configuration = gateway.configuration.clone();
    configuration["hostSharedAlb"]["currentAlbCount"] = json!(count);
    let document = structure([
        ("gatewayArn", Some(json!(gateway.arn))),
        ("name", Some(json!(gateway.name))),
        ("status", Some(json!("ACTIVE"))),
        ("failures", Some(json!([]))),
        ("infrastructureRoleArn", Some(json!(gateway.role_arn))),
        ("deletionProtection", Some(json!(gateway.deletion_protection))),
        ("configuration", Some(configuration)),
        ("accessType", Some(json!(gateway.access_type))),
        ("propagateTags", Some(json!(gateway.propagate_tags))),
        ("tags", Some(json!(tags))),
        ("createdAt", Some(seconds(gateway.created_at))),
        ("updatedAt", Some(seconds(gateway.created_at))),
    ]);
    Ok(json!({"gateway": document}).into())
}

pub(in crate::wire::json::ecs) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let (names, statuses) = (members.texts("names")?, members.texts("status")?);
    let is_wanted = |gateway: &&Gateway| {
        (names.is_empty() || names.contains(&gateway.name.as_str()))
            && (statuses.is_empty() || statuses.contains(&"ACTIVE"))
    };
    let all = world.account().gateways.values().filter(is_wanted);
    let page = page(members, 100, all.map(|gateway| gateway.arn.clone()).collect())?;
    let shown: Vec<Value> = page
        .items
        .iter()
        .filter_map(|arn| world.account().gateways.get(arn))
        .map(|gateway| {
            let mut document = brief(gateway, "ACTIVE");
            document["createdAt"] = seconds(gateway.created_at);
            document
        })
        .collect();
    Ok(structure([
        ("gateways", Some(json!(shown))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub(in crate::wire::json::ecs) fn associate(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let (gateway, cluster) = world.associate_gateway(members.required("gateway")?, members.required("cluster")?)?;
    Ok(association(&gateway, &cluster, "ACTIVE").into())
}

pub(in crate::wire::json::ecs) fn disassociate(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let (gateway, cluster, status) =
        world.disassociate_gateway(members.required("gateway")?, members.required("cluster")?)?;
    Ok(association(&gateway, &cluster, status).into())
}

pub(in crate::wire::json::ecs) fn list_associations(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let statuses = members.texts("status")?;
    let gateway = members.text("gateway")?.map(|name| world.gateway(name)).transpose()?;
    let cluster = members
        .text("cluster")?
        .map(|name| world.cluster(Some(name)))
        .transpose()?;
    let mut found = BTreeMap::new();
    for one in world.account().gateways.values() {
        for (name, status) in &one.clusters {
            let is_wanted = gateway.is_none_or(|gateway| gateway.arn == one.arn)
                && cluster.is_none_or(|cluster| &cluster.name == name)
                && (statuses.is_empty() || statuses.contains(&status.as_str()));
            if let Some(home) = world.account().clusters.get(name).filter(|_| is_wanted) {
                let document = association(&one.arn, &home.arn, status);
                found.insert(format!("{} {name}", one.arn), document);
            }
        }
    }
    let page = page(members, 100, found.keys().cloned().collect())?;
    let shown: Vec<&Value> = page.items.iter().filter_map(|key| found.get(key)).collect();
    Ok(structure([
        ("gatewayClusterAssociations", Some(json!(shown))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub(in crate::wire::json::ecs) fn list_routes(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let statuses = members.texts("status")?;
    if let Some(unknown) = statuses.iter().find(|status| !ROUTE_STATUSES.contains(status)) {
        return Err(Refusal::invalid_parameter(format!(
            "status should be one of {ROUTE_STATUSES:?}, not {unknown}"
        )));
    }
    let gateway = members.text("gateway")?.map(|name| world.gateway(name)).transpose()?;
    let cluster = members
        .text("cluster")?
        .map(|name| world.cluster(Some(name)))
        .transpose()?;
    let (service, port) = (members.text("service")?, members.text("serviceContainerPortName")?);
    let mut found = BTreeMap::new();
    for route in routes(world) {
        let status = route.managed.status(world.now());
        let is_wanted = gateway.is_none_or(|gateway| gateway.arn == route.gateway)
            && cluster.is_none_or(|cluster| cluster.arn == route.service.cluster_arn)
            && service.is_none_or(|name| name == route.service.name || name == route.service.arn)
            && port.is_none_or(|port| port == route.port_name)
            && (statuses.is_empty() || statuses.contains(&status));
        if is_wanted {
            let document = json!({
                "gatewayRouteArn": route.arn,
                "gatewayArn": route.gateway,
                "clusterArn": route.service.cluster_arn,
                "serviceArn": route.service.arn,
                "serviceContainerPortName": route.port_name,
                "status": status,
            });
            found.insert(route.arn.to_owned(), document);
        }
    }
    let page = page(members, 100, found.keys().cloned().collect())?;
    let shown: Vec<&Value> = page.items.iter().filter_map(|arn| found.get(arn)).collect();
    Ok(structure([
        ("gatewayRoutes", Some(json!(shown))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub(in crate::wire::json::ecs) fn describe_route(world: &mut World, body: &Value) -> Reply<Value> {
    let arn = Members::of(body)?.required("gatewayRouteArn")?;
    let route = routes(world)
        .find(|route| route.arn == arn)
        .ok_or_else(|| Refusal::new("ResourceNotFoundException", "Gateway route not found."))?;
    let found = route
        .binding
        .target_group_arn
        .as_ref()
        .and_then(|group| before(world, group));
    let resources = found
        .filter(|_| route.managed.failure.is_none())
        .map(|(balancer, listener)| {
            let groups: Vec<Value> = security_groups(world, balancer)
                .into_iter()
                .map(|arn| json!({"arn": arn, "ruleArns": []}))
                .collect();
            let advanced = route.binding.advanced.as_ref();
            let tests: Vec<&String> = advanced
                .and_then(|a| a.test_listener_rule.as_ref())
                .into_iter()
                .collect();
            let rule = advanced.map_or(&listener.default_rule_arn, |a| &a.production_listener_rule);
            json!({"hostSharedAlb": [{
                "loadBalancerArn": balancer.arn,
                "listenerArn": listener.arn,
                "listenerRuleArn": rule,
                "testListenerRuleArns": tests,
                "loadBalancerSecurityGroups": groups,
            }]})
        });
    let document = structure([
        ("gatewayRouteArn", Some(json!(route.arn))),
        ("serviceArn", Some(json!(route.service.arn))),
        ("serviceContainerPortName", Some(json!(route.port_name))),
        ("status", Some(json!(route.managed.status(world.now())))),
        ("serviceUrl", Some(json!(route.managed.address))),
        ("resources", resources),
    ]);
    Ok(json!({"gatewayRoute": document}).into())
}

pub(in crate::wire::json::ecs) fn describe_resources(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let gateway = world.gateway(members.required("gateway")?)?;
    let shown: Vec<Value> = routes(world)
        .filter(|route| route.gateway == gateway.arn)
        .filter_map(|route| {
            let (balancer, listener) = before(world, route.binding.target_group_arn.as_ref()?)?;
            let group = security_groups(world, balancer).into_iter().next();
            Some(structure([
                ("loadBalancerArn", Some(json!(balancer.arn))),
                ("listenerArn", Some(json!(listener.arn))),
                ("securityGroup", group.map(Value::from)),
                ("gatewayRouteArns", Some(json!([route.arn]))),
            ]))
        })
        .collect();
    let resources = json!({"gatewayArn": gateway.arn, "resources": {"hostSharedAlb": shown}});
    Ok(json!({"gatewayResources": resources}).into())
}

/// One service's route through one gateway.
struct Route<'a> {
    arn: &'a str,
    gateway: &'a str,
    port_name: &'a str,
    service: &'a Service,
    binding: &'a LoadBalancerBinding,
    managed: &'a Managed,
}

fn bindings(world: &World) -> impl Iterator<Item = (&Service, &LoadBalancerBinding, &Managed)> {
    let services = world
        .account()
        .clusters
        .values()
        .flat_map(|cluster| cluster.services.values());
    services
        .filter(|service| service.status != ServiceStatus::Inactive)
        .flat_map(|service| service.load_balancers.iter().map(move |binding| (service, binding)))
        .filter_map(|(service, binding)| Some((service, binding, binding.managed.as_ref()?)))
}

fn routes(world: &World) -> impl Iterator<Item = Route<'_>> {
    bindings(world).filter_map(|(service, binding, managed)| match &managed.by {
        Manager::Gateway {
            gateway,
            route,
            port_name,
        } => Some(Route {
            arn: route,
            gateway,
            port_name,
            service,
            binding,
            managed,
        }),
        Manager::Express => None,
    })
}

fn brief(gateway: &Gateway, status: &str) -> Value {
    json!({"gatewayArn": gateway.arn, "name": gateway.name, "status": status})
}

fn association(gateway: &str, cluster: &str, status: &str) -> Value {
    json!({"gatewayArn": gateway, "clusterArn": cluster, "status": status})
}
