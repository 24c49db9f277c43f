//! The embedded simulator: a seeded discrete-event model of the ECS scheduler and of a load balancer's health checks,
//! with virtual time, behind AWS's own wire protocols.
//!
//! It is the oracle that the observer is held against, so it imports nothing of `rollout`, `forecast` or `preflight`.
//! Only `port` and `translate` know the domain's types.
//!
//! Not modelled: DAEMON scheduling, Availability Zone rebalancing, hooks that run again in a rollback, task sets beyond
//! the one that a service begins with, several nodes of one load balancer, health checks on another port than the
//! traffic's, target groups of functions and of load balancers, Gateway Load Balancers, scaling policies, the older order
//! of ECS's events behind a classic load balancer (`has stopped` after the drain), links and dependencies between
//! containers (the first container is the essential one that fails). Capacity providers, placement constraints and
//! strategies, Service Connect, service registries and volumes are kept and shown and change nothing. A task definition
//! that is being deleted never goes away, and the words of a few refusals are not AWS's, where those are not known; the
//! code says which.
//!
//! No traffic is carried; `routing` says who would get it. A target that is deregistered drains for the whole delay,
//! also where no listener uses its group. Judgements without a recording: how long a load balancer is provisioned, that a
//! maximum below the desired count waits for the end of a deployment, and the words of refusals that no public report
//! has (they are the published model's).

pub mod birth;
pub mod container;
pub mod load_balancer;
pub mod lone_task;
pub mod network;
pub mod port;
pub mod refusal;
pub mod revision;
pub mod scalable;
pub mod scenario;
pub mod span;
pub mod specs;
pub mod state;
pub mod strategy_spec;
pub mod truth;
pub mod wire;
pub mod world;

mod advanced_checks;
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
mod printed;
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
mod setup;
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

pub use catalogue::{Since, fault_names, world_fault_names};
pub use faults::{FaultSpec, Moment, RevisionRef};
pub use hostile::hostile_texts;
pub use scenario::Scenario;
pub use scenario_text::SCHEMA;
pub use specs::AlarmSpec;
pub use state::{HookDetail, Progress};
pub use strategy_spec::{AdvancedConfiguration, AlarmWatch, Canary, EarlySuccess, Hook, Kind, Linear, Strategy};
pub use switches::Switches;
pub use truth::Truth;
pub use world::World;
