//! What a run tells on GitHub: the loops around the pure choices of `pull_request`. Each is bounded by a budget, and each
//! failure comes back as one [`Trouble`](portzero_core::pull_request::Trouble): none of them is a failure of the deployment.
//!
//! * `hub`: what is told beside a run, from its beginning to its end
//! * `seek`: which pull request the run belongs to
//! * `place`: the one comment there, edited in place
//! * `record`: a GitHub deployment and a commit's status, where they are asked for
//! * `tries`: what the loops share

pub mod github_channel;
mod place;
mod record;
mod seek;
mod tries;

pub use place::{FALLBACK_LOGIN, Outcome, Placed, comment};
pub use record::{commit_status, deployment, deployment_status};
pub use seek::{Sought, pull_request};
