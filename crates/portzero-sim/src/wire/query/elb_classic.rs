//! Elastic Load Balancing, version 1 (classic load balancers), over the Query protocol: what a deployment reads.

use super::form::{Form, unknown_operation, validation};
use super::xml;
use super::xml::{Content, Xml};
use crate::balancer::classic::{Health, health};
use crate::model::network::subnet_of;
use crate::model::refusal::Refusal;
use crate::model::state::ClassicBalancer;
use crate::wire::page::cut;
use crate::wire::{HttpResponse, Output, Reply};
use crate::world::World;

/// DescribeLoadBalancers' largest page and its default.
const PAGE_MAX: usize = 400;

pub(crate) fn handle(world: &World, form: &Form, request_id: &str) -> HttpResponse {
    let reply = match form.action() {
        "DescribeLoadBalancers" => describe(world, form),
        "DescribeLoadBalancerAttributes" => describe_attributes(world, form),
        "DescribeInstanceHealth" => describe_health(world, form),
        other => {
            return xml::refuse(form, &unknown_operation(form), request_id).with_note(format!(
                "not served: elasticloadbalancing:{other} of version {}",
                form.version()
            ));
        }
    };
    xml::respond(form, reply, request_id)
}

/// Whether there is an operation of that name.
pub(crate) fn serves(name: &str) -> bool {
    matches!(
        name,
        "DescribeLoadBalancers" | "DescribeLoadBalancerAttributes" | "DescribeInstanceHealth"
    )
}

fn content<'a>(write: impl FnOnce(&mut Xml) + 'a) -> Reply<Content<'a>> {
    let content: Content<'a> = Box::new(write);
    Ok(Output::from(content))
}

fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let names = form.list("LoadBalancerNames");
    let all: Vec<String> = match names.as_slice() {
        [] => world.account().classic_balancers.keys().cloned().collect(),
        named => named
            .iter()
            .map(|name| balancer(world, name).map(|found| found.name.clone()))
            .collect::<Result<_, _>>()?,
    };
    let size = form.number("PageSize")?.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&size) {
        return Err(validation(format!("Page size must be between 1 and {PAGE_MAX}")));
    }
    let marker = form.text("Marker").filter(|marker| !marker.is_empty());
    let page = cut(all, size, marker).ok_or_else(|| validation("Invalid marker"))?;
    content(move |xml| {
        let shown = page
            .items
            .iter()
            .filter_map(|name| world.account().classic_balancers.get(name));
        xml.list("LoadBalancerDescriptions", shown, write_balancer);
        if let Some(next) = &page.next {
            xml.text("NextMarker", next);
        }
    })
}

fn describe_attributes<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let found = balancer(world, form.required("LoadBalancerName")?)?;
    let draining = found.group.deregistration_delay;
    content(move |xml| {
        xml.element("LoadBalancerAttributes", |xml| {
            xml.element("CrossZoneLoadBalancing", |xml| xml.text("Enabled", true));
            xml.element("AccessLog", |xml| xml.text("Enabled", false));
            xml.element("ConnectionDraining", |xml| {
                xml.text("Enabled", !draining.is_zero());
                xml.text("Timeout", draining.as_secs());
            });
            xml.element("ConnectionSettings", |xml| xml.text("IdleTimeout", 60));
            xml.texts::<&str>("AdditionalAttributes", []);
        });
    })
}

fn describe_health<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let found = balancer(world, form.required("LoadBalancerName")?)?;
    let instances = form.structures("Instances");
    let mut rows: Vec<(String, Health)> = Vec::new();
    if instances.is_empty() {
        let registered = found.group.targets.iter();
        rows.extend(registered.map(|target| (target.id.clone(), health(target))));
    }
    for instance in &instances {
        let id = instance.text("InstanceId").unwrap_or_default();
        let target = found.group.targets.iter().find(|target| target.id == id);
        if target.is_none() && !exists(world, id) {
            return Err(Refusal::new(
                "InvalidInstance",
                format!("Could not find EC2 instance {id}."),
            ));
        }
        let absent = Health(
            "OutOfService",
            "Instance",
            "Instance is not currently registered with the LoadBalancer.",
        );
        rows.push((id.to_owned(), target.map_or(absent, health)));
    }
    content(move |xml| {
        xml.list("InstanceStates", rows, |xml, (id, Health(state, code, description))| {
            xml.text("InstanceId", id);
            xml.text("State", state);
            xml.text("ReasonCode", code);
            xml.text("Description", description);
        });
    })
}

fn exists(world: &World, instance: &str) -> bool {
    let clusters = world.account().clusters.values();
    clusters
        .flat_map(|cluster| cluster.instances.values())
        .any(|known| known.ec2_instance_id == instance)
}

fn balancer<'a>(world: &'a World, name: &str) -> Result<&'a ClassicBalancer, Refusal> {
    let found = world.account().classic_balancers.get(name);
    found.ok_or_else(|| {
        Refusal::new(
            "LoadBalancerNotFound",
            format!("There is no ACTIVE Load Balancer named '{name}'"),
        )
    })
}

fn write_balancer(xml: &mut Xml, balancer: &ClassicBalancer) {
    let (group, check) = (&balancer.group, &balancer.group.health_check);
    let target = match check.protocol.as_str() {
        "HTTP" | "HTTPS" => format!("{}:{}{}", check.protocol, check.port, check.path),
        other => format!("{other}:{}", check.port),
    };
    xml.text("LoadBalancerName", &balancer.name);
    xml.text("DNSName", &balancer.dns_name);
    xml.text("CanonicalHostedZoneName", &balancer.dns_name);
    xml.text("CanonicalHostedZoneNameID", "ZSIMULATOR");
    xml.list("ListenerDescriptions", [balancer], |xml, balancer| {
        xml.element("Listener", |xml| {
            xml.text("Protocol", &group.protocol);
            xml.text("LoadBalancerPort", balancer.port);
            xml.text("InstanceProtocol", &group.protocol);
            xml.text("InstancePort", group.port);
        });
        xml.texts::<&str>("PolicyNames", []);
    });
    xml.element("Policies", |xml| {
        xml.texts::<&str>("AppCookieStickinessPolicies", []);
        xml.texts::<&str>("LBCookieStickinessPolicies", []);
        xml.texts::<&str>("OtherPolicies", []);
    });
    xml.texts::<&str>("BackendServerDescriptions", []);
    xml.texts("AvailabilityZones", &balancer.availability_zones);
    xml.texts(
        "Subnets",
        balancer.availability_zones.iter().map(|zone| subnet_of(zone)),
    );
    xml.text("VPCId", &balancer.vpc_id);
    xml.list("Instances", &group.targets, |xml, target| {
        xml.text("InstanceId", &target.id)
    });
    xml.element("HealthCheck", |xml| {
        xml.text("Target", target);
        xml.text("Interval", check.interval.as_secs());
        xml.text("Timeout", check.timeout.as_secs());
        xml.text("UnhealthyThreshold", check.unhealthy_threshold);
        xml.text("HealthyThreshold", check.healthy_threshold);
    });
    xml.texts::<&str>("SecurityGroups", []);
    xml.text("CreatedTime", balancer.created_at);
    xml.text("Scheme", &balancer.scheme);
}
