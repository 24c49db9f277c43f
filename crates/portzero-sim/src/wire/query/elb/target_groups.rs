//! CreateTargetGroup, ModifyTargetGroup, DeleteTargetGroup, DescribeTargetGroups.

use super::tags::tags_in;
use super::{Page, arn_asked_for, balancer, content, done, group, not_found};
use crate::balancer::target_groups::{CheckChange, NewTargetGroup};
use crate::model::refusal::Refusal;
use crate::model::state::TargetGroup;
use crate::wire::Reply;
use crate::wire::query::form::{Form, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

pub(super) fn create<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let text = |name: &str| form.text(name).map(str::to_owned);
    let new = NewTargetGroup {
        name: form.required("Name")?.to_owned(),
        protocol: text("Protocol"),
        port: form.number("Port")?,
        vpc_id: text("VpcId"),
        target_type: text("TargetType"),
        ip_address_type: text("IpAddressType"),
        check: check_in(form)?,
        tags: tags_in(form),
    };
    let arn = world.create_target_group(&new)?;
    show(world, &arn)
}

pub(super) fn modify<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "TargetGroupArn", "targetgroup", "target group")?;
    world.modify_target_group(arn, &check_in(form)?)?;
    show(world, arn)
}

pub(super) fn delete<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "TargetGroupArn", "targetgroup", "target group")?;
    world.delete_target_group(arn)?;
    done()
}

pub(super) fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let groups = selected(world, form)?;
    let page = Page::of(form, groups.iter().map(|group| group.arn.clone()).collect())?;
    content(move |xml| {
        let shown = groups.into_iter().filter(|group| page.holds(&group.arn));
        xml.list("TargetGroups", shown, write_group);
        page.write_marker(xml);
    })
}

fn show<'a>(world: &'a World, arn: &str) -> Reply<Content<'a>> {
    let group = group(world, arn)?;
    content(move |xml| xml.list("TargetGroups", [group], write_group))
}

fn check_in(form: &Form) -> Result<CheckChange, Refusal> {
    let text = |name: &str| form.text(name).map(str::to_owned);
    Ok(CheckChange {
        enabled: form.boolean("HealthCheckEnabled")?,
        protocol: text("HealthCheckProtocol"),
        port: text("HealthCheckPort"),
        path: text("HealthCheckPath"),
        interval: form.number("HealthCheckIntervalSeconds")?,
        timeout: form.number("HealthCheckTimeoutSeconds")?,
        healthy_threshold: form.number("HealthyThresholdCount")?,
        unhealthy_threshold: form.number("UnhealthyThresholdCount")?,
        matcher: text("Matcher.HttpCode"),
    })
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
        let arn = &balancer(world, arn)?.arn;
        return Ok(groups
            .values()
            .filter(|group| group.load_balancer_arns.contains(arn))
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

fn write_group(xml: &mut Xml, group: &TargetGroup) {
    let check = &group.health_check;
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
    if is_layer_7(&check.protocol) {
        xml.text("HealthCheckPath", &check.path);
        xml.element("Matcher", |xml| xml.text("HttpCode", &check.matcher));
    }
    xml.texts("LoadBalancerArns", &group.load_balancer_arns);
    xml.text("TargetType", &group.target_type);
    if is_layer_7(&group.protocol) {
        xml.text("ProtocolVersion", "HTTP1");
    }
    xml.text("IpAddressType", &group.ip_address_type);
}

pub(super) fn is_layer_7(protocol: &str) -> bool {
    matches!(protocol, "HTTP" | "HTTPS")
}
