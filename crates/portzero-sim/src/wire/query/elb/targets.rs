//! RegisterTargets, DeregisterTargets, DescribeTargetHealth.

use std::net::Ipv6Addr;

use super::{arn_asked_for, content, done, group_asked_for};
use crate::model::refusal::Refusal;
use crate::model::state::{Target, TargetGroup};
use crate::wire::Reply;
use crate::wire::query::form::{Form, Structure, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

pub(super) fn register<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "TargetGroupArn", "targetgroup", "target group")?;
    world.register_by_hand(arn, &targets_in(form)?)?;
    done()
}

pub(super) fn deregister<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "TargetGroupArn", "targetgroup", "target group")?;
    world.deregister_by_hand(arn, &targets_in(form)?)?;
    done()
}

pub(super) fn describe_health<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let group = group_asked_for(world, form)?;
    let named = form.structures("Targets");
    let rows: Vec<TargetRow<'a>> = if named.is_empty() {
        group.targets.iter().map(|target| shown(world, target)).collect()
    } else {
        named
            .iter()
            .map(|target| row(world, group, target))
            .collect::<Result<_, Refusal>>()?
    };
    content(move |xml| {
        xml.list("TargetHealthDescriptions", rows, |xml, row| write_row(xml, group, &row));
    })
}

fn targets_in(form: &Form) -> Result<Vec<(String, Option<u16>)>, Refusal> {
    let targets = form.structures("Targets");
    if targets.is_empty() {
        return Err(validation("Targets cannot be empty"));
    }
    targets.iter().map(target_in).collect()
}

fn target_in(target: &Structure<'_>) -> Result<(String, Option<u16>), Refusal> {
    let id = target
        .text("Id")
        .filter(|id| !id.is_empty())
        .ok_or_else(|| validation("The target ID must be specified"))?;
    let port = match target.text("Port") {
        None => None,
        Some(text) => Some(
            text.parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| validation(format!("Port '{text}' must be a number between 1 and 65535")))?,
        ),
    };
    Ok((id.to_owned(), port))
}

/// One line of DescribeTargetHealth.
enum TargetRow<'a> {
    Registered {
        target: &'a Target,
        id: String,
    },
    /// Asked for by name, and not there.
    Unknown {
        id: String,
        port: u16,
    },
}

/// The row of one named target. Without a port it means the group's own.
fn row<'a>(world: &World, group: &'a TargetGroup, target: &Structure<'_>) -> Result<TargetRow<'a>, Refusal> {
    let (id, port) = target_in(target)?;
    let port = port.unwrap_or(group.port);
    let mut registered = group.targets.iter();
    let found = registered.find(|target| is_same(&target.id, &id) && target.port == port);
    Ok(found.map_or_else(|| TargetRow::Unknown { id, port }, |target| shown(world, target)))
}

fn shown<'a>(world: &World, target: &'a Target) -> TargetRow<'a> {
    let id = target.shown_id(&world.account().switches);
    TargetRow::Registered { target, id }
}

/// An IPv6 address may be written in several ways.
fn is_same(one: &str, other: &str) -> bool {
    let address = |text: &str| text.parse::<Ipv6Addr>().ok();
    one == other || address(one).is_some_and(|own| address(other) == Some(own))
}

/// In the order of the API reference's sample: the check's port, the health, the target.
fn write_row(xml: &mut Xml, group: &TargetGroup, row: &TargetRow<'_>) {
    let (id, port, zone) = match row {
        TargetRow::Registered { target, id } => (id, target.port, target.availability_zone.as_deref()),
        TargetRow::Unknown { id, port } => (id, *port, None),
    };
    if group.health_check.port == "traffic-port" {
        xml.text("HealthCheckPort", port);
    } else {
        xml.text("HealthCheckPort", &group.health_check.port);
    }
    xml.element("TargetHealth", |xml| match row {
        TargetRow::Registered { target, .. } => write_health(xml, target),
        TargetRow::Unknown { .. } => {
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
