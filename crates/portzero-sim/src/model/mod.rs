//! The simulated account as data: what there is, and the values that it is made of.

pub(crate) mod container;
pub mod load_balancer;
pub mod managed;
pub(crate) mod network;
pub mod refusal;
pub(crate) mod service;
pub mod state;
pub mod status;
pub(crate) mod tags;
pub(crate) mod target_group;
pub(crate) mod task;
