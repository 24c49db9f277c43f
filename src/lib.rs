//! `portzero` ships a container to an Amazon ECS service behind a load balancer, and does not say done until the load
//! balancer agrees.
//!
//! The domain is a crate of its own (`portzero-core`), and so is the simulator (`portzero-sim`). Of the modules here each
//! imports only from those above it; ARCHITECTURE.md tells the ideas behind them, the invariants, and where to make which
//! change.
//!
//! | Module | |
//! |---|---|
//! | [`app`] | the only loops in the program: it surveys, plans, deploys, observes, decides, and tells |
//! | [`adapters`] | the real world behind the ports: AWS, GitHub, the clock, signals |
//! | [`report`] | from events and results to words; nothing is decided there |
//! | [`config`] | `portzero.yml` and deployfish's files |
//! | [`cli`] | the command line; the environment is read here, once |

#![warn(unreachable_pub)]

pub mod adapters;
pub mod app;
pub mod report;

pub mod config;

pub mod cli;
