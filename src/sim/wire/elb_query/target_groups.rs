//! DescribeTargetGroups, DescribeTargetGroupAttributes, DescribeTargetHealth.

use super::{Page, checked, not_found};
use crate::sim::state::{Refusal, Target, TargetGroup};
use crate::sim::wire::form::{Form, validation};
use crate::sim::wire::xml::{Content, Xml};
use crate::sim::wire::{Answer, Reply};
use crate::sim::world::World;

pub fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let groups = selected(world, form)?;
    let page = Page::of(form, groups.iter().map(|group| group.arn.clone()).collect())?;
    let content: Content<'a> = Box::new(move |xml| {
        let shown = groups.into_iter().filter(|group| page.holds(&group.arn));
        xml.list("TargetGroups", shown, write_group);
        page.write_marker(xml);
    });
    Ok(Answer::from(content))
}

pub fn describe_attributes<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let group = group_asked_for(world, form)?;
    let content: Content<'a> = Box::new(move |xml| {
        xml.list("Attributes", attributes(group), |xml, (key, value)| {
            xml.text("Key", key);
            xml.text("Value", value);
        });
    });
    Ok(Answer::from(content))
}

pub fn describe_health<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let group = group_asked_for(world, form)?;
    let named = form.structures("Targets");
    let rows: Vec<Row<'a>> = if named.is_empty() {
        group.targets.iter().map(Row::Registered).collect()
    } else {
        named
            .iter()
            .map(|target| row(group, target.text("Id"), target.text("Port")))
            .collect::<Result<_, Refusal>>()?
    };
    let content: Content<'a> = Box::new(move |xml| {
        xml.list("TargetHealthDescriptions", rows, |xml, row| write_row(xml, group, &row));
    });
    Ok(Answer::from(content))
}

fn selected<'a>(world: &'a World, form: &Form) -> Result<Vec<&'a TargetGroup>, Refusal> {
    let groups = &world.account().target_groups;
    let (arns, names) = (form.list("TargetGroupArns"), form.list("Names"));
    let load_balancer = form.text("LoadBalancerArn");
    let asked = usize::from(!arns.is_empty()) + usize::from(!names.is_empty()) + usize::from(load_balancer.is_some());
    if asked > 1 {
        return Err(validation(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time",
        ));
    }
    if let Some(arn) = load_balancer {
        let arn = checked(arn, "loadbalancer", "load balancer")?;
        if !world.account().load_balancers.contains_key(arn) {
            return Err(not_found("load balancer"));
        }
        return Ok(groups
            .values()
            .filter(|group| group.load_balancer_arns.iter().any(|attached| attached == arn))
            .collect());
    }
    if !arns.is_empty() {
        return arns.into_iter().map(|arn| group(world, arn)).collect();
    }
    if !names.is_empty() {
        let by_name = |name: &str| groups.values().find(|group| group.name == name);
        return names
            .into_iter()
            .map(|name| by_name(name).ok_or_else(|| not_found("target group")))
            .collect();
    }
    Ok(groups.values().collect())
}

fn group_asked_for<'a>(world: &'a World, form: &Form) -> Result<&'a TargetGroup, Refusal> {
    group(world, form.required("TargetGroupArn")?)
}

fn group<'a>(world: &'a World, arn: &str) -> Result<&'a TargetGroup, Refusal> {
    let arn = checked(arn, "targetgroup", "target group")?;
    world
        .account()
        .target_groups
        .get(arn)
        .ok_or_else(|| not_found("target group"))
}

fn write_group(xml: &mut Xml, group: &TargetGroup) {
    let check = &group.health_check;
    let is_http = matches!(check.protocol.as_str(), "HTTP" | "HTTPS");
    xml.text("TargetGroupArn", &group.arn);
    xml.text("TargetGroupName", &group.name);
    xml.text("Protocol", &group.protocol);
    xml.text("Port", group.port);
    xml.text("VpcId", &group.vpc_id);
    xml.text("HealthCheckProtocol", &check.protocol);
    xml.text("HealthCheckPort", &check.port);
    xml.text("HealthCheckEnabled", check.enabled);
    xml.text("HealthCheckIntervalSeconds", check.interval.as_secs());
    xml.text("HealthCheckTimeoutSeconds", check.timeout.as_secs());
    xml.text("HealthyThresholdCount", check.healthy_threshold);
    xml.text("UnhealthyThresholdCount", check.unhealthy_threshold);
    if is_http {
        xml.text("HealthCheckPath", &check.path);
        xml.element("Matcher", |xml| xml.text("HttpCode", &check.matcher));
    }
    xml.texts("LoadBalancerArns", &group.load_balancer_arns);
    xml.text("TargetType", &group.target_type);
    if is_layer_7(group) {
        xml.text("ProtocolVersion", "HTTP1");
    }
    xml.text("IpAddressType", "ipv4");
}

fn is_layer_7(group: &TargetGroup) -> bool {
    matches!(group.protocol.as_str(), "HTTP" | "HTTPS")
}

/// Those that AWS lists for every group of the kind, with their defaults where the model does not vary them.
fn attributes(group: &TargetGroup) -> Vec<(&'static str, String)> {
    let mut attributes = vec![
        ("stickiness.enabled", "false".to_owned()),
        (
            "deregistration_delay.timeout_seconds",
            group.deregistration_delay.as_secs().to_string(),
        ),
        (
            "load_balancing.cross_zone.enabled",
            "use_load_balancer_configuration".to_owned(),
        ),
    ];
    if is_layer_7(group) {
        attributes.extend([
            ("slow_start.duration_seconds", group.slow_start.as_secs().to_string()),
            ("stickiness.type", "lb_cookie".to_owned()),
            ("stickiness.lb_cookie.duration_seconds", "86400".to_owned()),
            ("load_balancing.algorithm.type", "round_robin".to_owned()),
        ]);
    } else {
        attributes.extend([
            ("stickiness.type", "source_ip".to_owned()),
            (
                "deregistration_delay.connection_termination.enabled",
                "false".to_owned(),
            ),
            (
                "preserve_client_ip.enabled",
                (group.target_type == "instance").to_string(),
            ),
            ("proxy_protocol_v2.enabled", "false".to_owned()),
        ]);
    }
    attributes
}

/// One line of DescribeTargetHealth.
enum Row<'a> {
    Registered(&'a Target),
    /// Asked for by name, and not there.
    Unknown {
        id: String,
        port: u16,
    },
}

/// The row of one named target. Without a port it means the group's own.
fn row<'a>(group: &'a TargetGroup, id: Option<&str>, port: Option<&str>) -> Result<Row<'a>, Refusal> {
    let id = id
        .filter(|id| !id.is_empty())
        .ok_or_else(|| validation("The target ID must be specified"))?;
    let port = match port {
        None => group.port,
        Some(text) => text
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| validation(format!("Port '{text}' must be a number between 1 and 65535")))?,
    };
    let registered = group
        .targets
        .iter()
        .find(|target| target.id == id && target.port == port);
    Ok(registered.map_or_else(
        || Row::Unknown {
            id: id.to_owned(),
            port,
        },
        Row::Registered,
    ))
}

/// In the order of the API reference's sample: the check's port, the health, the target.
fn write_row(xml: &mut Xml, group: &TargetGroup, row: &Row<'_>) {
    let (id, port, zone) = match row {
        Row::Registered(target) => (&target.id, target.port, target.availability_zone.as_deref()),
        Row::Unknown { id, port } => (id, *port, None),
    };
    if group.health_check.port == "traffic-port" {
        xml.text("HealthCheckPort", port);
    } else {
        xml.text("HealthCheckPort", &group.health_check.port);
    }
    xml.element("TargetHealth", |xml| match row {
        Row::Registered(target) => write_health(xml, target),
        Row::Unknown { .. } => {
            xml.text("State", "unused");
            xml.text("Reason", "Target.NotRegistered");
            xml.text("Description", "Target is not registered to the target group");
        }
    });
    xml.element("Target", |xml| {
        xml.text("Port", port);
        xml.text("Id", id);
        // Only targets that are addresses come with their zone.
        if let Some(zone) = zone.filter(|_| group.target_type == "ip") {
            xml.text("AvailabilityZone", zone);
        }
    });
}

/// A healthy target carries its state alone.
fn write_health(xml: &mut Xml, target: &Target) {
    xml.text("State", &target.state);
    if let Some(reason) = &target.reason {
        xml.text("Reason", reason);
    }
    if let Some(description) = &target.description {
        xml.text("Description", description);
    }
}
