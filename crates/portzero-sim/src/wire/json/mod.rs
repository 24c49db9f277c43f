//! The services that speak AWS JSON 1.1.

pub(crate) mod autoscaling;
pub(crate) mod ecs;
pub(crate) mod logs;
pub(crate) mod members;
