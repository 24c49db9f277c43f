//! GitHub: where a run is, and the port to its repository over octocrab.
//!
//! * `context`: what the workflow's variables and its event say
//! * `client`: the port; `transport`: one request, with its time-outs and repetitions; `wire`: the shapes of answers
//! * `trusted`: the commit whose files are the repository's own
//! * `error`: answers that are none, turned into [`ApiError`](portzero_core::port::ApiError)

mod client;
mod context;
mod error;
mod transport;
mod trusted;
mod wire;

pub use client::Client;
pub use context::{Context, Repository, branch, occasion};
pub use trusted::{Base, base};
