//! One call: counted, classified, and repeated where that is certain to do no harm.

use std::future::Future;
use std::time::Duration;

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, Clock};

use super::connection::Connection;
use super::error::{Failure, NO_CREDENTIALS};
use crate::adapters::aws::error::Call;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

impl<C: Clock> Connection<C> {
    /// Sends until there is an answer, or an error that no repetition cures.
    pub(super) async fn call<T, E, F>(&self, call: Call, send: impl Fn() -> F) -> ApiResult<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        self.call_counting(call, send).await.map(|(answer, _)| answer)
    }

    /// The same, and how often it was sent before so that AWS may have done it without our seeing the answer.
    pub(super) async fn call_counting<T, E, F>(&self, call: Call, send: impl Fn() -> F) -> ApiResult<(T, u32)>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let mut attempt = 1;
        let mut unanswered = 0;
        let mut has_fresh_credentials = false;
        let mut has_learnt_the_time = false;
        loop {
            self.ensure_credentials().await?;
            self.keep_within_budget(&call).await;
            self.count(|counts| *counts.by_action.entry(call.operation().to_owned()).or_default() += 1);
            let mut failure = match send().await {
                Ok(output) => return Ok((output, unanswered)),
                Err(error) => Failure::read(&call, &error),
            };
            if failure.error.code.as_deref() == Some(NO_CREDENTIALS)
                && let Some(why) = self.missing_profile().await
            {
                failure.error.message = format!("{why}; {}", failure.error.message);
            }
            if failure.error.kind == ApiErrorKind::Throttled {
                self.count(|counts| counts.throttled += 1);
                let now = self.clock.now();
                self.budget(|budget| budget.throttled(call.action, now));
            }
            if is_expired(&failure.error) && !has_fresh_credentials && self.gives_up_credentials().await {
                // AWS has looked at nothing but the signature.
                has_fresh_credentials = true;
                continue;
            }
            if failure.error.kind == ApiErrorKind::ClockSkew && !has_learnt_the_time {
                // AWS has looked at nothing but the signature. The SDK reads AWS's time off every answer, this one
                // included, and signs the next request by that: what is missing with its retries off is the next request.
                has_learnt_the_time = true;
                self.count(|counts| counts.retried += 1);
                continue;
            }
            if attempt >= call.attempts() || !call.may_repeat(&failure) {
                return Err(failure.error);
            }
            if failure.error.kind == ApiErrorKind::Transient && !failure.never_sent {
                unanswered += 1;
            }
            self.clock.sleep(wait_before_next(attempt, self.chance())).await;
            self.count(|counts| counts.retried += 1);
            attempt += 1;
        }
    }
}

impl<C: Clock> Connection<C> {
    async fn keep_within_budget(&self, call: &Call) {
        let now = self.clock.now();
        let wait = self.budget(|budget| budget.take(call.action, now));
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}

/// Whether AWS says that the credentials were good once.
fn is_expired(error: &ApiError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired")
}

/// Doubles from half a second to eight; the upper half of each wait is left to chance, so that runs that were
/// throttled together do not come back together.
fn wait_before_next(attempt: u32, chance: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(8));
    doubled.min(LONGEST_WAIT).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::aws::error::Replay;
    use crate::adapters::aws::error::unreadable;

    #[test]
    fn waits_double_and_stay_bounded() {
        let waits: Vec<u128> = (1..=7).map(|n| wait_before_next(n, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(wait_before_next(1, 0.0), Duration::from_millis(250));
    }

    #[test]
    fn an_update_is_repeated_only_where_it_cannot_have_happened() {
        let update = Call::write("ecs:UpdateService", Replay::Once);
        let register = Call::write("ecs:RegisterTaskDefinition", Replay::Harmless);
        let failure = |kind, never_sent| Failure {
            error: ApiError {
                kind,
                ..unreadable(&update, "service")
            },
            never_sent,
        };
        assert!(update.may_repeat(&failure(ApiErrorKind::Throttled, false)));
        assert!(update.may_repeat(&failure(ApiErrorKind::Transient, true)));
        assert!(!update.may_repeat(&failure(ApiErrorKind::Transient, false)));
        assert!(register.may_repeat(&failure(ApiErrorKind::Transient, false)));
        assert!(!register.may_repeat(&failure(ApiErrorKind::Denied, false)));
    }
}
