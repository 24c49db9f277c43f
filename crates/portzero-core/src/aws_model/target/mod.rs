//! Target groups, the health of their targets, and the way to them from outside.

mod address;
mod classic;
mod routing;

use std::time::Duration;

use crate::aws_model::aws_enum::aws_enum;
use crate::base::id::{TargetGroupArn, TargetKey};

pub use address::{Address, Route, RouteCondition};
pub use classic::InstanceHealth;
pub use routing::{Routing, Rule};

aws_enum! {
    /// What a load balancer holds of a target. Source: API reference of `TargetHealth`.
    TargetState {
        Initial = "initial",
        Healthy = "healthy",
        Unhealthy = "unhealthy",
        UnhealthyDraining = "unhealthy.draining",
        Unused = "unused",
        Draining = "draining",
        Unavailable = "unavailable",
    }
}

impl TargetState {
    /// It is taken out of service: it gets no new connections, and goes when the deregistration delay is over. A state
    /// that this version does not know counts by its spelling.
    pub fn is_draining(&self) -> bool {
        self.as_str().ends_with("draining")
    }
}

aws_enum! {
    /// What the targets of a group are.
    TargetType { Instance = "instance", Ip = "ip", Lambda = "lambda", Alb = "alb" }
}

aws_enum! {
    /// Which addresses the targets of a group have, where they are addresses.
    IpAddressType { Ipv4 = "ipv4", Ipv6 = "ipv6" }
}

/// A target group of an Application or Network Load Balancer.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetGroup {
    /// The full ARN.
    pub arn: TargetGroupArn,
    /// The name within the region.
    pub name: String,
    /// What its targets are: instances, addresses, functions or another load balancer.
    pub target_type: TargetType,
    /// Absent where it is not shown.
    pub ip_address_type: Option<IpAddressType>,
    /// The port that targets get where their registration names none.
    pub port: Option<u16>,
    /// The VPC of its targets; absent for functions.
    pub vpc_id: Option<String>,
    /// How its targets are checked.
    pub health_check: HealthCheck,
    /// Empty where no listener forwards to the group: then its targets never become healthy.
    pub load_balancers: Vec<String>,
    /// `None` where DescribeTargetGroupAttributes could not be read.
    pub deregistration_delay: Option<Duration>,
}

/// The health check of a target group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthCheck {
    /// Switched off it leaves every target `unavailable`.
    pub enabled: bool,
    /// HTTP, HTTPS or TCP; absent where it is not shown.
    pub protocol: Option<String>,
    /// `traffic-port`, or a fixed number, which cannot work with dynamic host ports.
    pub port: Option<String>,
    /// Absent for TCP checks.
    pub path: Option<String>,
    /// The time between two checks of a target.
    pub interval: Duration,
    /// For how long an answer is waited for.
    pub timeout: Duration,
    /// The successes in a row that make a target healthy.
    pub healthy_threshold: u32,
    /// The failures in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The HTTP or gRPC codes that count as healthy, for example `200-299`.
    pub matcher: Option<String>,
}

/// One row of DescribeTargetHealth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// Who is registered.
    pub key: TargetKey,
    /// What the load balancer holds of it.
    pub state: TargetState,
    /// A code such as `Target.ResponseCodeMismatch`; healthy targets carry none.
    pub reason: Option<String>,
    /// AWS's sentence on the reason.
    pub description: Option<String>,
}
