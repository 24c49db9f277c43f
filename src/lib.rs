//! `portzero` ships a container to an Amazon ECS service behind a load balancer, and does not say done until the load
//! balancer agrees.
//!
//! The domain is the crate `portzero_core`, the simulator the crate `portzero_sim`. Here is what puts them to work.
//! ARCHITECTURE.md has the ideas behind it, the invariants, and where to make which change.
//!
//! | Module | |
//! |---|---|
//! | [`app`] | the loops: survey, deploy, announce. It knows none of the others |
//! | [`adapters`] | the real world behind the ports |
//! | [`report`] | from events and results to words |
//! | [`config`] | `portzero.yml` and deployfish's files |
//! | [`cli`] | the command line; the environment is read here, once |

#![warn(unreachable_pub)]

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod report;
