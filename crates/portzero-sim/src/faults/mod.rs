//! What faults do: to the world, to what a read shows, and to nothing.

pub(crate) mod behaviour;
pub(crate) mod hostile;
pub(crate) mod ineffective;
pub(crate) mod one_shot;
pub(crate) mod ongoing;
mod routing;
pub(crate) mod shown;
