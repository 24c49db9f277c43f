//! The attributes of target groups and of load balancers: described with their defaults, and modified.

use super::target_groups::is_layer_7;
use super::{arn_asked_for, balancer, content, group, group_asked_for};
use crate::balancer::target_groups::{DELAY, SLOW_START};
use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancer, TargetGroup};
use crate::wire::Reply;
use crate::wire::query::form::{Form, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

type Attributes = Vec<(&'static str, String)>;

pub(super) fn describe_group<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let group = group_asked_for(world, form)?;
    content(move |xml| write(xml, of_group(group)))
}

pub(super) fn modify_group<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let known = of_group(group_asked_for(world, form)?);
    let arn = arn_asked_for(form, "TargetGroupArn", "targetgroup", "target group")?;
    let wanted = wanted(form, &known, "Target group")?;
    for (key, value) in &wanted {
        check_group_value(key, value)?;
    }
    world.set_group_attributes(arn, &wanted);
    let group = group(world, arn)?;
    content(move |xml| write(xml, of_group(group)))
}

pub(super) fn describe_balancer<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let balancer = balancer(world, form.required("LoadBalancerArn")?)?;
    content(move |xml| write(xml, of_balancer(balancer)))
}

pub(super) fn modify_balancer<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "LoadBalancerArn", "loadbalancer", "load balancer")?;
    let known = of_balancer(balancer(world, arn)?);
    let wanted = wanted(form, &known, "Load balancer")?;
    for (key, value) in &wanted {
        match key.as_str() {
            "idle_timeout.timeout_seconds" => check_range(key, value, 1, 4_000)?,
            "client_keep_alive.seconds" => check_range(key, value, 60, 604_800)?,
            key if key.ends_with(".enabled") => check_boolean(key, value)?,
            _ => {}
        }
    }
    world.set_balancer_attributes(arn, &wanted);
    let balancer = balancer(world, arn)?;
    content(move |xml| write(xml, of_balancer(balancer)))
}

/// The attributes that a request sets. One that the resource does not have is refused.
fn wanted(form: &Form, known: &Attributes, what: &str) -> Result<Vec<(String, String)>, Refusal> {
    let attributes = form.structures("Attributes");
    if attributes.is_empty() {
        return Err(validation("At least one attribute must be specified"));
    }
    attributes
        .iter()
        .map(|attribute| {
            let key = attribute.text("Key").unwrap_or_default();
            if !known.iter().any(|(name, _)| *name == key) {
                return Err(validation(format!("{what} attribute key '{key}' is not recognized")));
            }
            Ok((key.to_owned(), attribute.text("Value").unwrap_or_default().to_owned()))
        })
        .collect()
}

fn check_group_value(key: &str, value: &str) -> Result<(), Refusal> {
    match key {
        DELAY => check_range(key, value, 0, 3_600),
        SLOW_START if value == "0" => Ok(()),
        SLOW_START => check_range(key, value, 30, 900),
        "stickiness.lb_cookie.duration_seconds" => check_range(key, value, 1, 604_800),
        key if key.ends_with(".enabled") && !key.starts_with("load_balancing.") => check_boolean(key, value),
        _ => Ok(()),
    }
}

fn check_range(key: &str, value: &str, low: u32, high: u32) -> Result<(), Refusal> {
    let is_within = value.parse::<u32>().is_ok_and(|number| (low..=high).contains(&number));
    is_within.then_some(()).ok_or_else(|| {
        validation(format!(
            "'{key}' value '{value}' must be between '{low}-{high}' inclusive"
        ))
    })
}

fn check_boolean(key: &str, value: &str) -> Result<(), Refusal> {
    matches!(value, "true" | "false")
        .then_some(())
        .ok_or_else(|| validation(format!("'{key}' value '{value}' must be one of [true, false]")))
}

fn write(xml: &mut Xml, attributes: Attributes) {
    xml.list("Attributes", attributes, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

/// Those that AWS lists for every group of the kind, in an order of its own.
fn of_group(group: &TargetGroup) -> Attributes {
    let common = [
        ("stickiness.enabled", "false".to_owned()),
        (DELAY, group.deregistration_delay.as_secs().to_string()),
        (
            "load_balancing.cross_zone.enabled",
            "use_load_balancer_configuration".to_owned(),
        ),
        (
            "target_group_health.dns_failover.minimum_healthy_targets.count",
            "1".to_owned(),
        ),
        (
            "target_group_health.dns_failover.minimum_healthy_targets.percentage",
            "off".to_owned(),
        ),
        (
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
            "1".to_owned(),
        ),
        (
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
            "off".to_owned(),
        ),
    ];
    let own = if is_layer_7(&group.protocol) {
        vec![
            (SLOW_START, group.slow_start.as_secs().to_string()),
            ("stickiness.type", "lb_cookie".to_owned()),
            ("stickiness.lb_cookie.duration_seconds", "86400".to_owned()),
            ("stickiness.app_cookie.cookie_name", String::new()),
            ("stickiness.app_cookie.duration_seconds", "86400".to_owned()),
            ("load_balancing.algorithm.type", "round_robin".to_owned()),
            ("load_balancing.algorithm.anomaly_mitigation", "off".to_owned()),
        ]
    } else {
        vec![
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
        ]
    };
    let all = common.into_iter().chain(own);
    all.map(|(key, default)| (key, group.attributes.get(key).cloned().unwrap_or(default)))
        .collect()
}

fn of_balancer(balancer: &LoadBalancer) -> Attributes {
    let common = [
        ("access_logs.s3.enabled", "false"),
        ("access_logs.s3.bucket", ""),
        ("access_logs.s3.prefix", ""),
        ("deletion_protection.enabled", "false"),
        ("zonal_shift.config.enabled", "false"),
    ];
    let own: &[(&str, &str)] = if balancer.is_network() {
        &[
            ("load_balancing.cross_zone.enabled", "false"),
            ("dns_record.client_routing_policy", "any_availability_zone"),
            ("ipv6.deny_all_igw_traffic", "false"),
        ]
    } else {
        &[
            ("load_balancing.cross_zone.enabled", "true"),
            ("idle_timeout.timeout_seconds", "60"),
            ("client_keep_alive.seconds", "3600"),
            ("connection_logs.s3.enabled", "false"),
            ("connection_logs.s3.bucket", ""),
            ("connection_logs.s3.prefix", ""),
            ("ipv6.deny_all_igw_traffic", "false"),
            ("routing.http2.enabled", "true"),
            ("routing.http.desync_mitigation_mode", "defensive"),
            ("routing.http.drop_invalid_header_fields.enabled", "false"),
            ("routing.http.preserve_host_header.enabled", "false"),
            ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
            ("routing.http.xff_client_port.enabled", "false"),
            ("routing.http.xff_header_processing.mode", "append"),
            ("waf.fail_open.enabled", "false"),
        ]
    };
    let all = common.into_iter().chain(own.iter().copied());
    all.map(|(key, default)| {
        let set = balancer.attributes.get(key).cloned();
        (key, set.unwrap_or_else(|| default.to_owned()))
    })
    .collect()
}
