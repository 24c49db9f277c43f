//! Deployment strategies of ECS's own controller beyond the rolling update: blue/green, linear, canary; and what a
//! rolling update may be told besides its limits (alarms, early success).
//!
//! Evidence: the API model's documentation of stages, shares and defaults. No recording of such a deployment is known,
//! so how long a stage without work lasts is inferred ([`super::scenario::Timings::stage`]).

pub(crate) mod gate;
mod hooks;
mod lifecycle;
mod revisions;
mod stages;
mod traffic;

use crate::scenario::ServiceSpec;
pub(super) use crate::scenario::strategy::WHOLE;
pub(crate) use lifecycle::StageProgress;

/// Whether a service can begin with the strategies that its scenario gives it.
pub(crate) fn check(spec: &ServiceSpec) -> Result<(), String> {
    let (name, strategy) = (&spec.name, &spec.scheduling_strategy);
    let is_shifting = !spec.strategy.is_rolling();
    if is_shifting && spec.load_balancers.iter().any(|b| b.alternate_target_group.is_none()) {
        let words = "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy";
        return Err(format!("service `{name}`: {words}"));
    }
    // Played by the rules of the other strategy, a rehearsal would tell of a rollout that never comes.
    if strategy == "REPLICA" {
        Ok(())
    } else {
        Err(format!(
            "service `{name}`: the simulator does not model the scheduling strategy {strategy} yet"
        ))
    }
}
