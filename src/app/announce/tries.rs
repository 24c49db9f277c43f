//! What the loops share: how long they wait, and when.

use std::time::Duration;

use portzero_core::base::time::Moment;
use portzero_core::port::{ApiError, ApiErrorKind, Clock};
use portzero_core::pull_request::{Doing, Trouble};

/// Before something is sent again whose fate is not known: long enough that GitHub shows what it has taken after all.
pub(super) const BEFORE_ANOTHER_POST: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

/// What comes after a wait takes about this long. A run that is being ended has three seconds, and so waits for nothing.
const AFTER_A_WAIT: Duration = Duration::from_secs(1);

/// Waits, unless that would leave no time before the deadline.
pub(super) async fn pause<C: Clock>(clock: &C, span: Duration, deadline: Moment) -> bool {
    let rest = if span.is_zero() { span } else { AFTER_A_WAIT };
    let has_time = clock.now() + span + rest < deadline;
    if has_time && !span.is_zero() {
        clock.sleep(span).await;
    }
    has_time
}

/// Whether nobody knows if the request was carried out.
pub(super) fn is_ambiguous(error: &ApiError) -> bool {
    error.kind == ApiErrorKind::Transient
}

pub(super) fn trouble(doing: Doing) -> impl Fn(ApiError) -> Trouble {
    move |error| Trouble { doing, error }
}
