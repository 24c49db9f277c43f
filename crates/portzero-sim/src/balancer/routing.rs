//! Who gets the traffic. The simulator carries none; what a load balancer would do with it follows from the targets'
//! states: healthy ones share it, one that is starting slowly gets less, and where none is healthy all get it (fail-open).

use std::time::Duration;

use crate::model::state::{Target, TargetGroup};
use crate::model::status::TargetState;
use crate::timestamp::Timestamp;
use crate::world::World;

impl World {
    /// The targets of a group that get traffic now, each with its share; the shares add up to 1. Empty where no load
    /// balancer uses the group or nothing is registered.
    pub fn shares(&self, group: &str) -> Vec<(&Target, f64)> {
        let Some(group) = self.group(group).filter(|group| !group.load_balancer_arns.is_empty()) else {
            return Vec::new();
        };
        let targets = group
            .targets
            .iter()
            .map(|target| (target, weight(group, target, self.now)));
        let healthy: Vec<(&Target, f64)> = targets.filter(|(_, weight)| *weight > 0.0).collect();
        let taking = if healthy.is_empty() {
            // A group with only unhealthy targets sends to all of them, whatever their checks say.
            let open = group
                .targets
                .iter()
                .filter(|target| target.state == TargetState::Unhealthy);
            open.map(|target| (target, 1.0)).collect()
        } else if healthy.iter().all(|(_, weight)| *weight < 1.0) {
            // Slow start is skipped where there is no other healthy target to relieve the new one.
            healthy.into_iter().map(|(target, _)| (target, 1.0)).collect()
        } else {
            healthy
        };
        let whole: f64 = taking.iter().map(|(_, weight)| weight).sum();
        taking
            .into_iter()
            .map(|(target, weight)| (target, weight / whole))
            .collect()
    }
}

/// Between 0 and 1: linear over the slow start, and 0 for who is not healthy. Unchecked targets count as healthy.
fn weight(group: &TargetGroup, target: &Target, now: Timestamp) -> f64 {
    /// A target that has just turned healthy gets some requests, or it could never warm up.
    const LEAST: f64 = 0.01;
    match (&target.state, target.healthy_since) {
        (TargetState::Unavailable, _) => 1.0,
        (TargetState::Healthy, Some(since)) if group.slow_start > Duration::ZERO => {
            let done = now.since(since).as_secs_f64() / group.slow_start.as_secs_f64();
            done.clamp(LEAST, 1.0)
        }
        (TargetState::Healthy, _) => 1.0,
        _ => 0.0,
    }
}
