//! Parts of a scenario that stand for what a client could have created.

use super::{LoadBalancerSpec, ManagedBy, ServiceSpec};
use std::time::Duration;

use serde::Deserialize;

use crate::scenario::span::{optional_span, span};

/// The defaults are Elastic Load Balancing's for an Application Load Balancer.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthCheckSpec {
    /// `HealthCheckPath`.
    pub path: String,
    /// `traffic-port` or a number.
    pub port: String,
    /// Between two checks.
    #[serde(deserialize_with = "span")]
    pub interval: Duration,
    /// How long a check waits for an answer.
    #[serde(deserialize_with = "span")]
    pub timeout: Duration,
    /// So many passed checks in a row make an unhealthy target healthy.
    pub healthy_threshold: u32,
    /// So many failed checks in a row make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The HTTP codes that pass: `200`, `200,202` or `200-299`.
    pub matcher: String,
    /// Whether targets are checked at all.
    pub enabled: bool,
}

impl Default for HealthCheckSpec {
    fn default() -> Self {
        Self {
            path: "/".into(),
            port: "traffic-port".into(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".into(),
            enabled: true,
        }
    }
}

/// Which addresses the targets of a group have: `IpAddressType`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum GroupAddresses {
    /// ipv4.
    #[default]
    Ipv4,
    /// ipv6: only in groups whose targets are addresses.
    Ipv6,
}

impl GroupAddresses {
    /// As Elastic Load Balancing writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

/// Which addresses the subnets of a service give its tasks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TaskAddresses {
    /// An IPv4 address each.
    Ipv4,
    /// Dual stack: one of either kind.
    Dualstack,
    /// An IPv6 address each.
    Ipv6,
}

/// A classic load balancer of a scenario. One that only a service names has these defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassicSpec {
    /// Its name; services refer to it by this.
    pub name: String,
    /// What clients connect to.
    pub port: u16,
    /// The fixed port of the instances; by default the host port of the first service that names the balancer.
    pub instance_port: Option<u16>,
    /// `Protocol` of the listener.
    pub protocol: String,
    /// The health check of its instances.
    pub health_check: HealthCheckSpec,
    /// How long an instance drains.
    #[serde(deserialize_with = "span")]
    pub connection_draining: Duration,
}

impl Default for ClassicSpec {
    fn default() -> Self {
        Self {
            name: String::new(),
            port: 80,
            instance_port: None,
            protocol: "HTTP".into(),
            // Elastic Load Balancing's own default for a classic one, but for the path.
            health_check: HealthCheckSpec {
                healthy_threshold: 10,
                ..HealthCheckSpec::default()
            },
            connection_draining: Duration::from_secs(300),
        }
    }
}

/// An alarm of the scenario: when it is in state ALARM.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmSpec {
    /// The alarm's name; services listen to it by this.
    pub name: String,
    /// Counted from the first UpdateService of the service that listens.
    #[serde(deserialize_with = "span")]
    pub at: Duration,
    /// Absent: for ever.
    #[serde(rename = "for", deserialize_with = "optional_span")]
    pub lasts: Option<Duration>,
    /// Counts from the world's start instead.
    pub from_start: bool,
}

impl ServiceSpec {
    /// A service has one gateway connector at most. Source: API reference of CreateService, 2026.
    pub(crate) fn check_gateways(&self) -> Result<(), String> {
        let is_gateway = |binding: &&LoadBalancerSpec| binding.managed_by == Some(ManagedBy::Gateway);
        match self.load_balancers.iter().filter(is_gateway).count() {
            0 | 1 => Ok(()),
            more => Err(format!(
                "service `{}`: {more} load balancers are managed by a GATEWAY, and one can be",
                self.name
            )),
        }
    }
}
