//! How a read is tried before the first change, and what its failure is.

use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::failed_call;
use portzero_core::base::backoff::Backoff;
use portzero_core::base::finding::Finding;
use portzero_core::port::{ApiResult, Clock};

/// Before the first change there is time: a minute of 5xx is waited out. Where nothing answers at all (no network, a wrong
/// address) waiting helps nobody.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_secs(2), Duration::from_secs(30));
const TRIES: u32 = 5;
/// Fifty runs that begin at once want some three hundred reads of the load balancers, out of ten a second that the others poll
/// with as well: whoever has bad luck needs minutes, and many tries (one in fifty gave up after a minute of six).
const THROTTLED_BACKOFF: Backoff = Backoff::doubling(Duration::from_secs(2), Duration::from_secs(8));
pub(super) const THROTTLED_TRIES: u32 = 24;

pub(super) async fn patiently<T>(clock: &impl Clock, mut call: impl AsyncFnMut() -> ApiResult<T>) -> ApiResult<T> {
    let mut failures = 0;
    loop {
        let error = match call().await {
            Err(error) if error.is_passing() && error.status.is_some() => error,
            answer => return answer,
        };
        failures += 1;
        let (backoff, tries) = match error.kind {
            ApiErrorKind::Throttled => (THROTTLED_BACKOFF, THROTTLED_TRIES),
            _ => (BACKOFF, TRIES),
        };
        if failures > tries {
            return Err(error);
        }
        clock.sleep(backoff.wait(failures)).await;
    }
}

/// A failed call before the first change.
pub fn api(error: ApiError) -> Finding {
    failed_call::finding(&error)
}
