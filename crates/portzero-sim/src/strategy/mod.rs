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

pub(super) use crate::scenario::strategy::WHOLE;
pub(crate) use lifecycle::StageProgress;
