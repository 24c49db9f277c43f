//! The health of instances behind a classic load balancer, read as that of targets.

use crate::aws_model::target::{TargetHealth, TargetState};
use crate::base::id::TargetKey;

/// One row of DescribeInstanceHealth. A classic load balancer knows whole instances, so what it says holds for whatever
/// answers on its port there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceHealth {
    /// The EC2 instance.
    pub instance: String,
    /// `InService`, `OutOfService` or `Unknown`.
    pub state: String,
    /// `ELB`, `Instance` or `N/A`.
    pub reason_code: String,
    /// AWS's sentence on the state.
    pub description: String,
}

// Source: API reference of Elastic Load Balancing 2012-06-01, InstanceState.
const DEREGISTERING: &str = "deregistration currently in progress";
const NOT_REGISTERED: &str = "not currently registered";
const NOT_YET: [&str; 2] = [
    "registration is still in progress",
    "has not passed the configured HealthyThreshold",
];

impl InstanceHealth {
    /// The same as a target without a port; `None` for an instance that is not registered.
    pub fn as_target(&self) -> Option<TargetHealth> {
        let says = |words: &str| self.description.contains(words);
        if says(NOT_REGISTERED) {
            return None;
        }
        let state = match self.state.as_str() {
            // Requests on their way are answered, and no new ones come.
            "InService" if says(DEREGISTERING) => TargetState::Draining,
            "InService" => TargetState::Healthy,
            "OutOfService" if NOT_YET.iter().any(|words| says(words)) => TargetState::Initial,
            "OutOfService" if says("Availability Zone") => TargetState::Unused,
            "OutOfService" if says(DEREGISTERING) => TargetState::Draining,
            "OutOfService" => TargetState::Unhealthy,
            other => TargetState::Unknown(other.to_owned()),
        };
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty() && text != "N/A");
        let is_healthy = state == TargetState::Healthy;
        Some(TargetHealth {
            key: TargetKey::new(self.instance.clone(), 0),
            state,
            reason: told(&self.reason_code).filter(|_| !is_healthy),
            description: told(&self.description).filter(|_| !is_healthy),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(state: &str, description: &str) -> Option<TargetState> {
        let health = InstanceHealth {
            instance: "i-1".into(),
            state: state.into(),
            reason_code: "ELB".into(),
            description: description.into(),
        };
        health.as_target().map(|row| row.state)
    }

    #[test]
    fn only_an_instance_in_service_that_stays_is_healthy() {
        assert_eq!(state("InService", "N/A"), Some(TargetState::Healthy));
        let leaving = "Instance deregistration currently in progress.";
        assert_eq!(state("InService", leaving), Some(TargetState::Draining));
        let absent = "Instance is not currently registered with the LoadBalancer.";
        assert_eq!(state("OutOfService", absent), None);
        let fresh = "Instance registration is still in progress.";
        assert_eq!(state("OutOfService", fresh), Some(TargetState::Initial));
        let failed = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.";
        assert_eq!(state("OutOfService", failed), Some(TargetState::Unhealthy));
        let odd = state("Unknown", "A transient error occurred. Please try again later.");
        assert_eq!(odd, Some(TargetState::Unknown("Unknown".into())));
    }
}
