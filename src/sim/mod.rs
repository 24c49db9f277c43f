//! The embedded simulator: a seeded discrete-event model of the ECS scheduler and of a load balancer's health checks,
//! with virtual time, behind AWS's own wire protocols.
//!
//! It is the oracle that the observer is held against, so it imports nothing of `rollout`, `forecast` or `preflight`.

pub mod state;
