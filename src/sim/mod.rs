//! The embedded simulator: a seeded discrete-event model of the ECS scheduler and of a load balancer's health checks,
//! with virtual time, behind AWS's own wire protocols.
//!
//! It is the oracle that the observer is held against, so it imports nothing of `rollout`, `forecast` or `preflight`.
//! Only `port` and `translate` know the domain's types.
//!
//! Not modelled: DAEMON scheduling, Availability Zone rebalancing, hooks that run again in a rollback, task sets beyond
//! the one that a service begins with, slow start, several nodes of one load balancer, Network Load Balancers' slower
//! registration, health checks on another port than the traffic's, links and dependencies between containers (the first
//! container is the essential one that fails). Capacity providers, placement constraints and strategies, Service Connect,
//! service registries and volumes are kept and shown and change nothing. A task definition that is being deleted never
//! goes away, and the words of a few refusals are not AWS's, where those are not known; the code says which.

pub mod load_balancer;
pub mod lone_task;
pub mod port;
pub mod revision;
pub mod scalable;
pub mod scenario;
pub mod state;
pub mod truth;
pub mod wire;
pub mod world;

mod alarm;
mod balancer;
mod catalogue;
mod classic;
mod creation;
mod deletion;
mod deployment;
mod events;
mod faults;
mod health;
mod hostile;
mod identifier;
mod instance_state;
mod lens;
mod listeners;
mod misfortune;
mod operations;
mod placement;
mod pointless;
mod protection;
mod register;
mod registration;
mod replacement;
mod rollback;
mod routing;
mod rules;
mod scenario_text;
mod scheduler;
mod service_checks;
pub mod setup;
mod strategy;
mod strikes;
mod switches;
mod tags;
mod target_groups;
mod task_end;
mod task_life;
mod task_list;
mod translate;

#[cfg(test)]
mod tests;

pub use alarm::AlarmSpec;
pub use catalogue::{Since, fault_names};
pub use faults::{FaultSpec, Moment, RevisionRef};
pub use hostile::hostile_texts;
pub use scenario::Scenario;
pub use scenario_text::SCHEMA;
pub use strategy::{
    AdvancedConfiguration, AlarmWatch, Canary, EarlySuccess, Hook, HookDetail, Kind, Linear, Progress, Strategy,
};
pub use switches::Switches;
pub use truth::Truth;
pub use world::World;
