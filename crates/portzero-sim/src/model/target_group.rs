//! Target groups and classic load balancers as data: both have targets, health checks and drains.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use crate::model::status::TargetState;
use crate::scenario::switches::Switches;
use crate::timestamp::Timestamp;

/// A target group with its targets.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    /// `TargetGroupArn`.
    pub arn: String,
    /// `TargetGroupName`.
    pub name: String,
    /// `Protocol`.
    pub protocol: String,
    /// `Port`: where a target is reached that names no port of its own.
    pub port: u16,
    /// `VpcId`.
    pub vpc_id: String,
    /// instance or ip.
    pub target_type: String,
    /// `IpAddressType`: ipv4 or ipv6.
    pub ip_address_type: String,
    /// The health check of its targets.
    pub health_check: HealthCheck,
    /// ARNs; empty where no listener forwards to the group.
    pub load_balancer_arns: Vec<String>,
    /// `deregistration_delay.timeout_seconds`.
    pub deregistration_delay: Duration,
    /// `slow_start.duration_seconds`; zero switches it off.
    pub slow_start: Duration,
    /// What ModifyTargetGroupAttributes has set beside the two above; the rest has its defaults.
    pub attributes: BTreeMap<String, String>,
    /// In the order of registration.
    pub targets: Vec<Target>,
}

/// The health check of a target group.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// `HealthCheckEnabled`.
    pub enabled: bool,
    /// `HealthCheckProtocol`.
    pub protocol: String,
    /// `traffic-port` or a number.
    pub port: String,
    /// `HealthCheckPath`.
    pub path: String,
    /// `HealthCheckIntervalSeconds`.
    pub interval: Duration,
    /// `HealthCheckTimeoutSeconds`.
    pub timeout: Duration,
    /// `HealthyThresholdCount`.
    pub healthy_threshold: u32,
    /// `UnhealthyThresholdCount`.
    pub unhealthy_threshold: u32,
    /// `Matcher.HttpCode`: `200`, `200,202` or `200-299`.
    pub matcher: String,
}

/// A registered target, or one that drains.
#[derive(Clone, Debug)]
pub struct Target {
    /// EC2 instance id or IP address.
    pub id: String,
    /// `Port`.
    pub port: u16,
    /// `AvailabilityZone`, where it is shown.
    pub availability_zone: Option<String>,
    /// The zone that it is in, shown or not.
    pub home: String,
    /// `TargetHealth.State`.
    pub state: TargetState,
    /// `TargetHealth.Reason`.
    pub reason: Option<String>,
    /// `TargetHealth.Description`.
    pub description: Option<String>,
    /// When it was registered, or when its group came into use, whichever was later.
    pub registered_at: Timestamp,
    /// Since when it has been healthy without a break: what slow start counts from.
    pub healthy_since: Option<Timestamp>,
    /// Set while draining: when it disappears.
    pub drained_at: Option<Timestamp>,
    /// The task that was registered here last; the API does not show it, the truth of the simulator needs it.
    pub task: Option<String>,
    /// Health checks in a row, passed (> 0) or failed (< 0).
    pub streak: i32,
}

impl Target {
    /// Its id as DescribeTargetHealth shows it.
    pub fn shown_id(&self, switches: &Switches) -> String {
        match self.id.parse::<Ipv6Addr>() {
            Ok(address) if switches.ipv6_in_full => {
                let groups = address.segments().map(|group| format!("{group:04x}"));
                groups.join(":")
            }
            _ => self.id.clone(),
        }
    }
}

/// A classic load balancer.
#[derive(Clone, Debug)]
pub struct ClassicBalancer {
    /// `LoadBalancerName`.
    pub name: String,
    /// `DNSName`.
    pub dns_name: String,
    /// `Scheme`.
    pub scheme: String,
    /// `VPCId`.
    pub vpc_id: String,
    /// `AvailabilityZones`.
    pub availability_zones: Vec<String>,
    /// `CreatedTime`.
    pub created_at: Timestamp,
    /// What clients connect to.
    pub port: u16,
    /// The registered instances as targets on the instance port; its deregistration delay is the connection draining.
    pub group: TargetGroup,
}

/// The key of a classic load balancer among the groups.
pub(crate) fn key(name: &str) -> String {
    format!("elb/{name}")
}

/// The name in such a key; `None` for the ARN of a target group.
pub(crate) fn name_in(key: &str) -> Option<&str> {
    key.strip_prefix("elb/")
}
