//! Target groups, the health of their targets, and the way to them from outside.

mod address;
mod classic;

use std::time::Duration;

use crate::aws_model::aws_enum::aws_enum;
use crate::base::id::{TargetGroupArn, TargetKey};

pub use address::{Address, Route, RouteCondition};
pub use classic::InstanceHealth;

aws_enum! {
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
    TargetType { Instance = "instance", Ip = "ip", Lambda = "lambda", Alb = "alb" }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TargetGroup {
    pub arn: TargetGroupArn,
    pub name: String,
    pub target_type: TargetType,
    pub port: Option<u16>,
    pub vpc_id: Option<String>,
    pub health_check: HealthCheck,
    /// Empty where no listener forwards to the group: then its targets never become healthy.
    pub load_balancers: Vec<String>,
    /// `None` where DescribeTargetGroupAttributes could not be read.
    pub deregistration_delay: Option<Duration>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthCheck {
    pub enabled: bool,
    pub protocol: Option<String>,
    /// `traffic-port`, or a fixed number, which cannot work with dynamic host ports.
    pub port: Option<String>,
    /// Absent for TCP checks.
    pub path: Option<String>,
    pub interval: Duration,
    pub timeout: Duration,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
    /// The HTTP or gRPC codes that count as healthy, for example `200-299`.
    pub matcher: Option<String>,
}

/// One row of DescribeTargetHealth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    pub key: TargetKey,
    pub state: TargetState,
    /// A code such as `Target.ResponseCodeMismatch`; healthy targets carry none.
    pub reason: Option<String>,
    pub description: Option<String>,
}
