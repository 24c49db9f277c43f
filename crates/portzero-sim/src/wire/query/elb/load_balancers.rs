//! CreateLoadBalancer, DeleteLoadBalancer, DescribeLoadBalancers.

use super::tags::tags_in;
use super::{Page, arn_asked_for, balancer, content, done};
use crate::balancer::listeners::NewLoadBalancer;
use crate::model::network::subnet_of;
use crate::model::refusal::Refusal;
use crate::model::state::LoadBalancer;
use crate::timestamp::Timestamp;
use crate::wire::Reply;
use crate::wire::query::form::{Form, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

pub(super) fn create<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let text = |name: &str| form.text(name).map(str::to_owned);
    let mut subnets: Vec<String> = form.list("Subnets").into_iter().map(str::to_owned).collect();
    let mapped = form.structures("SubnetMappings");
    if !subnets.is_empty() && !mapped.is_empty() {
        return Err(validation(
            "You must specify either subnets or subnet mappings, but not both",
        ));
    }
    subnets.extend(
        mapped
            .iter()
            .filter_map(|mapping| mapping.text("SubnetId"))
            .map(str::to_owned),
    );
    let new = NewLoadBalancer {
        name: form.required("Name")?.to_owned(),
        kind: text("Type"),
        scheme: text("Scheme"),
        subnets,
        security_groups: form.list("SecurityGroups").into_iter().map(str::to_owned).collect(),
        ip_address_type: text("IpAddressType"),
        tags: tags_in(form),
    };
    let arn = world.create_load_balancer(&new)?;
    let (made, now) = (balancer(world, &arn)?, world.now());
    content(move |xml| {
        xml.list("LoadBalancers", [made], |xml, balancer| {
            write_balancer(xml, balancer, now)
        })
    })
}

pub(super) fn delete<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "LoadBalancerArn", "loadbalancer", "load balancer")?;
    world.delete_load_balancer(arn)?;
    done()
}

pub(super) fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let (balancers, now) = (selected(world, form)?, world.now());
    let page = Page::of(form, balancers.iter().map(|balancer| balancer.arn.clone()).collect())?;
    content(move |xml| {
        let shown = balancers.into_iter().filter(|balancer| page.holds(&balancer.arn));
        xml.list("LoadBalancers", shown, |xml, balancer| {
            write_balancer(xml, balancer, now)
        });
        page.write_marker(xml);
    })
}

fn selected<'a>(world: &'a World, form: &Form) -> Result<Vec<&'a LoadBalancer>, Refusal> {
    let balancers = &world.account().load_balancers;
    match (form.list("LoadBalancerArns"), form.list("Names")) {
        (arns, names) if !arns.is_empty() && !names.is_empty() => Err(validation(
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        )),
        (arns, _) if !arns.is_empty() => arns.into_iter().map(|arn| balancer(world, arn)).collect(),
        (_, names) if !names.is_empty() => names
            .into_iter()
            .map(|name| {
                balancers
                    .values()
                    .find(|balancer| balancer.name == name)
                    .ok_or_else(|| Refusal::new("LoadBalancerNotFound", format!("Load balancers '[{name}]' not found")))
            })
            .collect(),
        _ => Ok(balancers.values().collect()),
    }
}

fn write_balancer(xml: &mut Xml, balancer: &LoadBalancer, now: Timestamp) {
    let state = if now < balancer.active_at {
        "provisioning"
    } else {
        "active"
    };
    xml.text("LoadBalancerArn", &balancer.arn);
    xml.text("DNSName", &balancer.dns_name);
    // A zone of Route 53's that belongs to a region; the model has one region, and its real one does not matter.
    xml.text("CanonicalHostedZoneId", "ZSIMULATOR");
    xml.text("CreatedTime", balancer.created_at);
    xml.text("LoadBalancerName", &balancer.name);
    xml.text("Scheme", &balancer.scheme);
    xml.text("VpcId", &balancer.vpc_id);
    xml.element("State", |xml| xml.text("Code", state));
    xml.text("Type", &balancer.kind);
    xml.list("AvailabilityZones", &balancer.availability_zones, |xml, zone| {
        xml.text("ZoneName", zone);
        xml.text("SubnetId", subnet_of(zone));
        xml.texts::<&str>("LoadBalancerAddresses", []);
    });
    if !balancer.security_groups.is_empty() {
        xml.texts("SecurityGroups", &balancer.security_groups);
    }
    xml.text("IpAddressType", &balancer.ip_address_type);
}
