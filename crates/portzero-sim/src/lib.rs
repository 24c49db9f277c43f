//! The embedded simulator: a seeded discrete-event model of the ECS scheduler and of a load balancer's health checks,
//! with virtual time, behind AWS's own wire protocols.
//!
//! A [`Scenario`] describes a [`World`] and the [`Fault`]s in it; [`wire::Wire`] answers AWS's requests to it; and
//! [`GroundTruth`] says whether a rollout is done. It is the independent judge of what a deploy tool claims, so it shares
//! no code with any such tool and depends on no AWS SDK.
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

#![warn(missing_docs, unreachable_pub, unnameable_types)]

pub mod balancer;
pub mod model;
pub mod scenario;
pub mod wire;
pub mod world;

mod api;
mod faults;
mod first_tasks;
mod ground_truth;
mod scheduler;
mod setup;
mod strategy;
mod timestamp;

#[cfg(test)]
mod tests;

/// Runs the example of the page.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use faults::hostile::hostile_texts;
pub use ground_truth::GroundTruth;
pub use model::network::describe as describe_network;
pub use model::state::{HookDetail, Progress};
pub use scenario::Scenario;
pub use scenario::breaker::{CircuitBreaker, Threshold, ThresholdType};
pub use scenario::catalogue::{fault_names, world_fault_names};
pub use scenario::error::{FaultWarning, FilePlace, ScenarioError};
pub use scenario::fault::FaultSpec;
pub use scenario::fault::kinds::{Fault, Lack, Moment, Side, StatusKind};
pub use scenario::fault::scope::{CallScope, FaultScope, FaultTimetable, RevisionRef, Since};
pub use scenario::specs::AlarmSpec;
pub use scenario::strategy::{AdvancedConfiguration, AlarmWatch, Canary, EarlySuccess, Hook, Kind, Linear, Strategy};
pub use scenario::switches::{ShownAddresses, Switches};
pub use scenario::text::SCHEMA;
pub use timestamp::Timestamp;
pub use world::World;
