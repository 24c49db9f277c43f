//! What a run tells on GitHub: the loops around the pure choices of `pull_request`. Each is bounded by a budget, and each
//! failure comes back as one [`Trouble`]: none of them is a failure of the deployment.
//!
//! * `hub`: what is told beside a run, from its beginning to its end
//! * `seek`: which pull request the run belongs to
//! * `place`: the one comment there, edited in place
//! * `record`: a GitHub deployment and a commit's status, where they are asked for

pub mod hub;
mod place;
mod record;
mod seek;

pub use place::{FALLBACK_LOGIN, Outcome, Placed, comment};
pub use record::{commit_status, deployment, deployment_status};
pub use seek::{Sought, pull_request};

use std::time::Duration;

use portzero_core::base::time::Timestamp;
use portzero_core::port::{ApiError, ApiErrorKind, Clock};
use portzero_core::pull_request::{Doing, Trouble};

/// Before something is sent again whose fate is not known: long enough that GitHub shows what it has taken after all.
const BEFORE_ANOTHER_POST: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

/// What comes after a wait takes about this long. A run that is being ended has three seconds, and so waits for nothing.
const AFTER_A_WAIT: Duration = Duration::from_secs(1);

/// Waits, unless that would leave no time before the deadline.
async fn pause<C: Clock>(clock: &C, span: Duration, deadline: Timestamp) -> bool {
    let rest = if span.is_zero() { span } else { AFTER_A_WAIT };
    let has_time = clock.now() + span + rest < deadline;
    if has_time && !span.is_zero() {
        clock.sleep(span).await;
    }
    has_time
}

/// Whether nobody knows if the request was carried out.
fn is_ambiguous(error: &ApiError) -> bool {
    error.kind == ApiErrorKind::Transient
}

fn trouble(doing: Doing) -> impl Fn(ApiError) -> Trouble {
    move |error| Trouble { doing, error }
}
