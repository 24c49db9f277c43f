//! DescribeLoadBalancers, DescribeListeners, DescribeRules, DescribeTags.

use super::{Page, checked, not_found};
use crate::sim::state::{Listener, LoadBalancer, Refusal};
use crate::sim::wire::form::{Form, validation};
use crate::sim::wire::xml::{Content, Xml};
use crate::sim::wire::{Answer, Reply, identity};
use crate::sim::world::World;

pub fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let balancers = selected(world, form)?;
    let page = Page::of(form, balancers.iter().map(|balancer| balancer.arn.clone()).collect())?;
    let content: Content<'a> = Box::new(move |xml| {
        let shown = balancers.into_iter().filter(|balancer| page.holds(&balancer.arn));
        xml.list("LoadBalancers", shown, write_balancer);
        page.write_marker(xml);
    });
    Ok(Answer::from(content))
}

pub fn describe_listeners<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let listeners = match (form.text("LoadBalancerArn"), form.list("ListenerArns")) {
        (Some(arn), _) => {
            let balancer = balancer(world, arn)?;
            balancer.listeners.iter().map(|listener| (balancer, listener)).collect()
        }
        (None, arns) if !arns.is_empty() => arns
            .into_iter()
            .map(|arn| listener(world, arn))
            .collect::<Result<Vec<_>, _>>()?,
        _ => {
            return Err(validation(
                "You must specify either listener ARNs or a load balancer ARN",
            ));
        }
    };
    let page = Page::of(
        form,
        listeners.iter().map(|(_, listener)| listener.arn.clone()).collect(),
    )?;
    let content: Content<'a> = Box::new(move |xml| {
        let shown = listeners.into_iter().filter(|(_, listener)| page.holds(&listener.arn));
        xml.list("Listeners", shown, |xml, (balancer, listener)| {
            write_listener(xml, balancer, listener);
        });
        page.write_marker(xml);
    });
    Ok(Answer::from(content))
}

/// The model knows no rules but every listener's default one.
pub fn describe_rules<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let listeners: Vec<&Listener> = match (form.text("ListenerArn"), form.list("RuleArns")) {
        (Some(arn), _) => vec![listener(world, arn)?.1],
        (None, arns) if !arns.is_empty() => arns
            .into_iter()
            .map(|arn| rule_owner(world, arn))
            .collect::<Result<_, _>>()?,
        _ => {
            return Err(validation(
                "You must specify either listener rule ARNs or a listener ARN",
            ));
        }
    };
    let page = Page::of(form, listeners.iter().map(|listener| rule_arn(listener)).collect())?;
    let content: Content<'a> = Box::new(move |xml| {
        let shown = listeners.into_iter().filter(|listener| page.holds(&rule_arn(listener)));
        xml.list("Rules", shown, |xml, listener| {
            xml.text("RuleArn", rule_arn(listener));
            xml.text("Priority", "default");
            xml.texts::<&str>("Conditions", []);
            write_actions(xml, "Actions", listener);
            xml.text("IsDefault", true);
        });
        page.write_marker(xml);
    });
    Ok(Answer::from(content))
}

/// Nothing in the model is tagged.
pub fn describe_tags<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let arns = form.list("ResourceArns");
    for arn in &arns {
        check_exists(world, arn)?;
    }
    let content: Content<'a> = Box::new(move |xml| {
        xml.list("TagDescriptions", arns, |xml, arn| {
            xml.text("ResourceArn", arn);
            xml.texts::<&str>("Tags", []);
        });
    });
    Ok(Answer::from(content))
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

fn balancer<'a>(world: &'a World, arn: &str) -> Result<&'a LoadBalancer, Refusal> {
    let arn = checked(arn, "loadbalancer", "load balancer")?;
    world
        .account()
        .load_balancers
        .get(arn)
        .ok_or_else(|| not_found("load balancer"))
}

fn listener<'a>(world: &'a World, arn: &str) -> Result<(&'a LoadBalancer, &'a Listener), Refusal> {
    let arn = checked(arn, "listener", "listener")?;
    listeners(world)
        .find(|(_, listener)| listener.arn == arn)
        .ok_or_else(|| not_found("listener"))
}

fn rule_owner<'a>(world: &'a World, arn: &str) -> Result<&'a Listener, Refusal> {
    let arn = checked(arn, "listener-rule", "listener rule")?;
    listeners(world)
        .map(|(_, listener)| listener)
        .find(|listener| rule_arn(listener) == arn)
        .ok_or_else(|| not_found("rule"))
}

fn listeners(world: &World) -> impl Iterator<Item = (&LoadBalancer, &Listener)> {
    world
        .account()
        .load_balancers
        .values()
        .flat_map(|balancer| balancer.listeners.iter().map(move |listener| (balancer, listener)))
}

fn check_exists(world: &World, arn: &str) -> Result<(), Refusal> {
    let resource = arn.split(':').nth(5).and_then(|resource| resource.split('/').next());
    let has_group = || world.account().target_groups.contains_key(arn);
    match resource {
        Some("loadbalancer") => balancer(world, arn).map(drop),
        Some("listener") => listener(world, arn).map(drop),
        Some("listener-rule") => rule_owner(world, arn).map(drop),
        Some("targetgroup") => has_group().then_some(()).ok_or_else(|| not_found("target group")),
        _ => Err(validation(format!("'{arn}' is not a valid load balancer ARN"))),
    }
}

fn write_balancer(xml: &mut Xml, balancer: &LoadBalancer) {
    xml.text("LoadBalancerArn", &balancer.arn);
    xml.text("DNSName", &balancer.dns_name);
    // A zone of Route 53's that belongs to a region; the model has one region, and its real one is nobody's business.
    xml.text("CanonicalHostedZoneId", "ZSIMULATOR");
    xml.text("CreatedTime", balancer.created_at);
    xml.text("LoadBalancerName", &balancer.name);
    xml.text("Scheme", &balancer.scheme);
    xml.text("VpcId", &balancer.vpc_id);
    xml.element("State", |xml| xml.text("Code", "active"));
    xml.text("Type", &balancer.kind);
    xml.list("AvailabilityZones", &balancer.availability_zones, |xml, zone| {
        xml.text("ZoneName", zone);
        xml.text("SubnetId", format_args!("subnet-0{}", identity::hex(zone)));
    });
    xml.text("IpAddressType", "ipv4");
}

fn write_listener(xml: &mut Xml, balancer: &LoadBalancer, listener: &Listener) {
    xml.text("ListenerArn", &listener.arn);
    xml.text("LoadBalancerArn", &balancer.arn);
    xml.text("Port", listener.port);
    xml.text("Protocol", &listener.protocol);
    write_actions(xml, "DefaultActions", listener);
}

fn write_actions(xml: &mut Xml, name: &str, listener: &Listener) {
    let arn = &listener.target_group_arn;
    xml.list(name, [arn], |xml, arn| {
        xml.text("Type", "forward");
        xml.text("TargetGroupArn", arn);
        xml.text("Order", 1);
        xml.element("ForwardConfig", |xml| {
            xml.list("TargetGroups", [arn], |xml, arn| {
                xml.text("TargetGroupArn", arn);
                xml.text("Weight", 1);
            });
            xml.element("TargetGroupStickinessConfig", |xml| xml.text("Enabled", false));
        });
    });
}

/// A listener's ARN with another kind and one segment more.
fn rule_arn(listener: &Listener) -> String {
    format!(
        "{}/{}",
        listener.arn.replacen(":listener/", ":listener-rule/", 1),
        identity::hex(&listener.arn)
    )
}
