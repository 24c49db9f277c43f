//! What faults do: to the world, to what a read shows, and to nothing.

mod agent;
pub(crate) mod behaviour;
mod capacity;
pub(crate) mod hostile;
pub(crate) mod ineffective;
pub(crate) mod one_shot;
pub(crate) mod ongoing;
mod routing;
pub(crate) mod shown;
