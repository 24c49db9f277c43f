//! Reads the world through the ports: once in full before a plan, then again and again while rollouts are observed.
//!
//! * `reading`: one service, read in full; `calls`: how a read is tried; `optional`: when one is given up
//! * `poller`: one look at all services of a run; `optional_reads`: the part that a verdict can do without
//! * `memory`, `instances`: what a look need not read again
//! * `revisions`: what our deployment was resolved to
//! * `room`: the instances that a forecast rests on
//! * `routing`: where the load balancers send the requests
//! * `history`: what is there to join for a run that did not begin it

mod calls;
mod history;
mod instances;
mod memory;
mod optional;
mod optional_reads;
mod poller;
mod reading;
mod revisions;
mod room;
mod routing;

pub use calls::api;
pub use history::{Discovery, good_revisions, sight};
pub use optional::Patience;
pub use poller::{Look, Poller, Watch};
pub use reading::{Reader, survey};
