//! The simulated account as data: what there is, and the values that it is made of.

pub mod container;
pub mod load_balancer;
pub mod network;
pub mod refusal;
pub mod state;
pub mod status;
pub(crate) mod tags;
