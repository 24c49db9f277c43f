//! CreateTargetGroup and its kin, and targets that somebody registers by hand; AWS's validations. Where no recording has
//! its words, they are those that moto's tests or public reports of AWS's answers have, else the published model's.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::model::refusal::{Refusal, check_name, constraint, enumeration, no_group};
use crate::model::state::{HealthCheck, TargetGroup};
use crate::model::status::TaskStatus;
use crate::world::World;

/// Per region, and per load balancer of either kind (Elastic Load Balancing's default quotas).
const GROUPS_MAX: usize = 3_000;
const TARGETS_MAX: usize = 1_000;

pub(crate) const DELAY: &str = "deregistration_delay.timeout_seconds";
pub(crate) const SLOW_START: &str = "slow_start.duration_seconds";

/// A health check's settings as a request has them; what is absent stays, or gets its default.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckChange {
    pub enabled: Option<bool>,
    pub protocol: Option<String>,
    pub port: Option<String>,
    pub path: Option<String>,
    /// In seconds.
    pub interval: Option<u32>,
    /// In seconds.
    pub timeout: Option<u32>,
    pub healthy_threshold: Option<u32>,
    pub unhealthy_threshold: Option<u32>,
    pub matcher: Option<String>,
}

/// CreateTargetGroup's parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewTargetGroup {
    pub name: String,
    pub protocol: Option<String>,
    pub port: Option<u16>,
    pub vpc_id: Option<String>,
    /// instance unless said otherwise.
    pub target_type: Option<String>,
    /// ipv4 unless said otherwise.
    pub ip_address_type: Option<String>,
    pub check: CheckChange,
    pub tags: Vec<(String, String)>,
}

impl World {
    /// The ARN of the new group, or of the one that there is with the same settings.
    pub(crate) fn create_target_group(&mut self, new: &NewTargetGroup) -> Result<String, Refusal> {
        check_name("Target group", &new.name)?;
        let kind = target_type(new)?;
        let addresses = address_type(new, kind)?;
        let missing = |what: &str| Refusal::validation_error(format!("A {what} must be specified"));
        let protocol = new.protocol.as_deref().ok_or_else(|| missing("protocol"))?;
        let protocols = [
            "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC",
        ];
        if let Some(refusal) = enumeration("protocol", protocol, &protocols) {
            return Err(refusal);
        }
        let port = new.port.ok_or_else(|| missing("port"))?;
        let vpc_id = new.vpc_id.as_deref().ok_or_else(|| missing("VPC ID"))?;
        if vpc_id != crate::model::network::VPC {
            return Err(Refusal::validation_error(format!("The VPC ID '{vpc_id}' is not found")));
        }
        let check = changed(&defaults(protocol), &new.check, protocol)?;
        let mut group = TargetGroup {
            arn: String::new(),
            name: new.name.clone(),
            protocol: protocol.to_owned(),
            port,
            vpc_id: vpc_id.to_owned(),
            target_type: kind.to_owned(),
            ip_address_type: addresses.to_owned(),
            health_check: check,
            load_balancer_arns: Vec::new(),
            deregistration_delay: Duration::from_secs(300),
            slow_start: Duration::ZERO,
            attributes: BTreeMap::new(),
            targets: Vec::new(),
        };
        if let Some(known) = self.account.target_groups.values().find(|known| known.name == new.name) {
            return if is_alike(known, &group) {
                Ok(known.arn.clone())
            } else {
                let words = format!(
                    "A target group with the same name '{}' exists, but with different settings",
                    new.name
                );
                Err(Refusal::new("DuplicateTargetGroupName", words))
            };
        }
        if self.account.target_groups.len() >= GROUPS_MAX {
            return Err(Refusal::new(
                "TooManyTargetGroups",
                "You've reached the limit on the number of target groups for your Amazon Web Services account.",
            ));
        }
        group.arn = format!("{}:targetgroup/{}/{}", self.balancing_head(), new.name, self.hex(16));
        let arn = group.arn.clone();
        self.tag_balancing(&arn, &new.tags)?;
        self.account.target_groups.insert(arn.clone(), group);
        Ok(arn)
    }

    /// A check that runs already takes the new settings from its next time on.
    pub(crate) fn modify_target_group(&mut self, arn: &str, change: &CheckChange) -> Result<(), Refusal> {
        let group = self.account.target_groups.get(arn).ok_or_else(no_group)?;
        let check = changed(&group.health_check, change, &group.protocol)?;
        self.set_health_check(arn, check);
        Ok(())
    }

    /// Whatever it is: AWS lets nobody switch the checks of instances and addresses off, but a fault may.
    pub(crate) fn set_health_check(&mut self, arn: &str, check: HealthCheck) {
        if let Some(group) = self.account.target_groups.get_mut(arn) {
            group.health_check = check;
            self.resettle(arn);
        }
    }

    pub(crate) fn delete_target_group(&mut self, arn: &str) -> Result<(), Refusal> {
        // AWS does not mind that there is none.
        let Some(group) = self.account.target_groups.get(arn) else {
            return Ok(());
        };
        if !group.load_balancer_arns.is_empty() {
            let words = format!("Target group '{arn}' is currently in use by a listener or a rule");
            return Err(Refusal::new("ResourceInUse", words));
        }
        self.account.target_groups.remove(arn);
        self.account.balancing_tags.remove(arn);
        Ok(())
    }

    /// Sets attributes that have been checked. A new delay is that of the drains that begin from now on.
    pub(crate) fn set_group_attributes(&mut self, arn: &str, wanted: &[(String, String)]) {
        let Some(group) = self.account.target_groups.get_mut(arn) else {
            return;
        };
        for (key, value) in wanted {
            let seconds = || Duration::from_secs(value.parse().unwrap_or_default());
            match key.as_str() {
                DELAY => group.deregistration_delay = seconds(),
                SLOW_START => group.slow_start = seconds(),
                _ => drop(group.attributes.insert(key.clone(), value.clone())),
            }
        }
    }

    /// RegisterTargets. (id, port); without a port it is the group's.
    pub(crate) fn register_by_hand(&mut self, arn: &str, targets: &[(String, Option<u16>)]) -> Result<(), Refusal> {
        let group = self.account.target_groups.get(arn).ok_or_else(no_group)?;
        let (by_address, port) = (group.target_type == "ip", group.port);
        let new = targets.iter().filter(|(id, asked)| {
            let known = |t: &crate::model::state::Target| &t.id == id && t.port == asked.unwrap_or(port);
            !group.targets.iter().any(known)
        });
        if group.targets.len() + new.count() > TARGETS_MAX {
            return Err(Refusal::new(
                "TooManyTargets",
                "You've reached the limit on the number of targets.",
            ));
        }
        let homes = self.homes(targets, by_address.then_some(group.ip_address_type.as_str()))?;
        for ((id, asked), home) in targets.iter().zip(homes) {
            let port = asked.unwrap_or(port);
            let listener = self.listening_at(id, port);
            let shown = by_address.then(|| home.clone());
            self.register_target(arn, id, port, &home, shown, listener);
            self.begin_check(arn, id, port);
        }
        Ok(())
    }

    /// DeregisterTargets: they drain, and are gone after the delay. Unknown ones are passed over without a word.
    pub(crate) fn deregister_by_hand(&mut self, arn: &str, targets: &[(String, Option<u16>)]) -> Result<(), Refusal> {
        let group = self.account.target_groups.get(arn).ok_or_else(no_group)?;
        let known = |(id, asked): &(String, Option<u16>)| {
            // Without a port the registrations of every port are meant.
            let own = group.targets.iter().filter(move |t| &t.id == id);
            let meant = own.filter(|t| asked.is_none_or(|port| t.port == port));
            meant.map(|t| (t.id.clone(), t.port)).collect::<Vec<_>>()
        };
        let meant: Vec<(String, u16)> = targets.iter().flat_map(known).collect();
        for (id, port) in meant {
            self.drain(arn, &id, port);
        }
        Ok(())
    }

    /// The availability zone of each target: instances must exist, addresses need only be some.
    /// `addresses`: of which kind, where targets are addresses.
    fn homes(&self, targets: &[(String, Option<u16>)], addresses: Option<&str>) -> Result<Vec<String>, Refusal> {
        let fallback = format!("{}a", self.account.region);
        let instances = || {
            self.account
                .clusters
                .values()
                .flat_map(|cluster| cluster.instances.values())
        };
        let tasks = || {
            self.account
                .clusters
                .values()
                .flat_map(|cluster| cluster.tasks.values())
        };
        let mut missing = Vec::new();
        let mut homes = Vec::new();
        for (id, _) in targets {
            let home = if let Some(kind) = addresses {
                check_address(id, kind)?;
                let of_task = tasks().find(|task| task.is_at(id));
                let of_instance = instances().find(|instance| &instance.private_ip == id);
                let known = of_task
                    .map(|t| &t.availability_zone)
                    .or(of_instance.map(|i| &i.availability_zone));
                known.unwrap_or(&fallback).clone()
            } else {
                if !id.starts_with("i-") {
                    return Err(Refusal::validation_error(format!("Instance ID '{id}' is not valid")));
                }
                match instances().find(|instance| &instance.ec2_instance_id == id) {
                    Some(instance) => instance.availability_zone.clone(),
                    None => {
                        missing.push(format!("'{id}'"));
                        continue;
                    }
                }
            };
            homes.push(home);
        }
        if missing.is_empty() {
            return Ok(homes);
        }
        let words = format!("The following instances do not exist: {}", missing.join(", "));
        Err(Refusal::new("InvalidTarget", words))
    }

    /// The task that answers at an address and port, where one does.
    fn listening_at(&self, id: &str, port: u16) -> Option<String> {
        self.account.clusters.values().find_map(|cluster| {
            let mut tasks = cluster
                .tasks
                .values()
                .filter(|task| task.last_status != TaskStatus::Stopped);
            let listens = |task: &&crate::model::state::Task| {
                let at_home = task.is_at(id);
                let home = task.instance.as_ref().and_then(|own| cluster.instances.get(own));
                let on_host = home.is_some_and(|home| home.ec2_instance_id == id || home.private_ip == id);
                let mut bound = task.containers.iter().flat_map(|container| &container.network_bindings);
                at_home || (on_host && bound.any(|binding| binding.host_port == port))
            };
            tasks.find(listens).map(|task| task.id.clone())
        })
    }

    pub(crate) fn balancing_head(&self) -> String {
        format!(
            "arn:aws:elasticloadbalancing:{}:{}",
            self.account.region, self.account.id
        )
    }
}

fn is_layer_7(protocol: &str) -> bool {
    matches!(protocol, "HTTP" | "HTTPS")
}

/// Elastic Load Balancing's defaults for a group of that protocol (CreateTargetGroup).
fn defaults(protocol: &str) -> HealthCheck {
    let layer_7 = is_layer_7(protocol);
    HealthCheck {
        enabled: true,
        protocol: if layer_7 { "HTTP" } else { "TCP" }.into(),
        port: "traffic-port".into(),
        path: "/".into(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(if layer_7 { 5 } else { 10 }),
        healthy_threshold: 5,
        unhealthy_threshold: 2,
        matcher: if layer_7 { "200" } else { "200-399" }.into(),
    }
}

fn target_type(new: &NewTargetGroup) -> Result<&str, Refusal> {
    let kind = new.target_type.as_deref().unwrap_or("instance");
    if !matches!(kind, "instance" | "ip") {
        return Err(
            enumeration("targetType", kind, &["instance", "ip", "lambda", "alb"]).unwrap_or_else(|| {
                Refusal::validation_error(format!(
                    "Target groups with target type '{kind}' are not supported here"
                ))
            }),
        );
    }
    Ok(kind)
}

/// IPv6 addresses are for targets that are addresses.
fn address_type<'a>(new: &'a NewTargetGroup, kind: &str) -> Result<&'a str, Refusal> {
    let asked = new.ip_address_type.as_deref().unwrap_or("ipv4");
    if let Some(refusal) = enumeration("ipAddressType", asked, &["ipv4", "ipv6"]) {
        return Err(refusal);
    }
    if asked == "ipv6" && kind != "ip" {
        return Err(Refusal::validation_error(format!(
            "Target groups with the IP address type 'ipv6' and target type '{kind}' are not supported here"
        )));
    }
    Ok(asked)
}

fn check_address(id: &str, kind: &str) -> Result<(), Refusal> {
    let (is_valid, name) = match kind {
        "ipv6" => (id.parse::<Ipv6Addr>().is_ok(), "IPv6"),
        _ => (id.parse::<Ipv4Addr>().is_ok(), "IPv4"),
    };
    let refused = || Refusal::validation_error(format!("The IP address '{id}' is not a valid {name} address"));
    is_valid.then_some(()).ok_or_else(refused)
}

/// Refuses what no health check may be changed to, whatever it is.
fn check_change(change: &CheckChange, protocol: &str) -> Result<(), Refusal> {
    if change.enabled == Some(false) {
        // "If the target type is instance, ip, or alb, health checks are always enabled and can't be disabled."
        return Err(Refusal::validation_error(
            "Health check enabled must be true for target groups with target type 'instance' or 'ip'",
        ));
    }
    let within = |member: &str, value: Option<u32>, low: u32, high: u32| match value {
        Some(value) if value < low => Err(constraint(
            member,
            &value.to_string(),
            &format!("Member must have value greater than or equal to {low}"),
        )),
        Some(value) if value > high => Err(constraint(
            member,
            &value.to_string(),
            &format!("Member must have value less than or equal to {high}"),
        )),
        _ => Ok(()),
    };
    within("healthCheckIntervalSeconds", change.interval, 5, 300)?;
    within("healthCheckTimeoutSeconds", change.timeout, 2, 120)?;
    within("healthyThresholdCount", change.healthy_threshold, 2, 10)?;
    within("unhealthyThresholdCount", change.unhealthy_threshold, 2, 10)?;
    if let Some(asked) = &change.protocol {
        let refused = enumeration(
            "healthCheckProtocol",
            asked,
            &["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"],
        );
        if let Some(refusal) = refused {
            return Err(refusal);
        }
        if is_layer_7(protocol) && !is_layer_7(asked) {
            return Err(Refusal::validation_error(format!(
                "Health check protocol '{asked}' is not supported for target groups with the protocol '{protocol}'"
            )));
        }
    }
    Ok(())
}

fn changed(current: &HealthCheck, change: &CheckChange, protocol: &str) -> Result<HealthCheck, Refusal> {
    check_change(change, protocol)?;
    let seconds = |asked: Option<u32>, current| asked.map_or(current, |s| Duration::from_secs(u64::from(s)));
    let check_protocol = change.protocol.clone().unwrap_or_else(|| current.protocol.clone());
    // A Network Load Balancer's HTTP check has a shorter time-out of its own (CreateTargetGroup).
    let http_over_tcp = !is_layer_7(protocol) && is_layer_7(&check_protocol) && !is_layer_7(&current.protocol);
    let timeout = if http_over_tcp {
        Duration::from_secs(6)
    } else {
        current.timeout
    };
    let check = HealthCheck {
        enabled: true,
        protocol: check_protocol,
        port: change.port.clone().unwrap_or_else(|| current.port.clone()),
        path: change.path.clone().unwrap_or_else(|| current.path.clone()),
        interval: seconds(change.interval, current.interval),
        timeout: seconds(change.timeout, timeout),
        healthy_threshold: change.healthy_threshold.unwrap_or(current.healthy_threshold),
        unhealthy_threshold: change.unhealthy_threshold.unwrap_or(current.unhealthy_threshold),
        matcher: change.matcher.clone().unwrap_or_else(|| current.matcher.clone()),
    };
    check_port(&check.port)?;
    check_path(&check.path)?;
    check_matcher(&check.matcher)?;
    let (timeout, interval) = (check.timeout.as_secs(), check.interval.as_secs());
    if is_layer_7(protocol) && timeout >= interval {
        return Err(Refusal::validation_error(format!(
            "Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
        )));
    }
    if timeout > interval {
        return Err(Refusal::validation_error(format!(
            "Health check timeout '{timeout}' must be smaller than or equal to the interval '{interval}'"
        )));
    }
    Ok(check)
}

fn check_port(port: &str) -> Result<(), Refusal> {
    let is_number = port.parse::<u16>().is_ok_and(|port| port != 0);
    (port == "traffic-port" || is_number).then_some(()).ok_or_else(|| {
        Refusal::validation_error(format!(
            "Health check port '{port}' must be a number between 1 and 65535, or 'traffic-port'"
        ))
    })
}

fn check_path(path: &str) -> Result<(), Refusal> {
    path.starts_with('/')
        .then_some(())
        .ok_or_else(|| Refusal::validation_error(format!("Health check path '{path}' must begin with '/'")))
}

/// `200`, `200,202`, `200-299`.
fn check_matcher(matcher: &str) -> Result<(), Refusal> {
    let is_code = |text: &str| text.len() == 3 && text.parse::<u16>().is_ok_and(|code| (200..=599).contains(&code));
    let is_part = |part: &str| part.split('-').count() <= 2 && part.split('-').all(is_code);
    matcher.split(',').all(is_part).then_some(()).ok_or_else(|| {
        Refusal::validation_error(format!(
            "Health check matcher HTTP code '{matcher}' must be within '200-499' inclusive"
        ))
    })
}

/// Whether a second CreateTargetGroup asks for what is there already.
fn is_alike(known: &TargetGroup, asked: &TargetGroup) -> bool {
    let shape = |group: &TargetGroup| {
        let check = &group.health_check;
        (
            (
                group.protocol.clone(),
                group.port,
                group.target_type.clone(),
                group.ip_address_type.clone(),
                group.vpc_id.clone(),
            ),
            (
                check.protocol.clone(),
                check.port.clone(),
                check.path.clone(),
                check.matcher.clone(),
            ),
            (
                check.interval,
                check.timeout,
                check.healthy_threshold,
                check.unhealthy_threshold,
            ),
        )
    };
    shape(known) == shape(asked)
}
