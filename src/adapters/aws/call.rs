//! One call: counted, classified, and repeated where that is certain to do no harm.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use portzero_core::aws_model::api_error::NO_CREDENTIALS;
use portzero_core::base::backoff::Backoff;
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, Clock};

use super::connection::Connection;
use super::error::Failure;
use crate::adapters::aws::error::{Call, unreadable};
use crate::adapters::watch::Watch;

const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(8));

impl<C: Clock> Connection<C> {
    /// Sends until there is an answer, or an error that no repetition cures.
    pub(super) async fn call<T, E, F>(&self, call: Call, send: impl Fn() -> F) -> ApiResult<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
        T: RequestId,
    {
        self.call_counting(call, send).await.map(|(answer, _)| answer)
    }

    /// The same, and how often it was sent before so that AWS may have done it without our seeing the answer.
    pub(super) async fn call_counting<T, E, F>(&self, call: Call, send: impl Fn() -> F) -> ApiResult<(T, u32)>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
        T: RequestId,
    {
        let mut watch = Watch::begin(&self.clock, call.action);
        let mut course = Course::default();
        let result = loop {
            if let Err(error) = self.ensure_credentials().await {
                break Err(error);
            }
            self.keep_within_budget(&call).await;
            self.count(|counts| *counts.by_action.entry(call.operation().to_owned()).or_default() += 1);
            watch.attempt();
            let mut failure = match send().await {
                Ok(output) => {
                    watch.answered(output.request_id());
                    break Ok((output, course.unanswered));
                }
                Err(error) => Failure::read(&call, &error),
            };
            if failure.error.code.as_deref() == Some(NO_CREDENTIALS)
                && let Some(why) = self.missing_profile().await
            {
                failure.error.message = format!("{why}; {}", failure.error.message);
            }
            watch.failed(&failure.error);
            if !self.is_worth_another(&call, &failure, &mut course).await {
                break Err(failure.error);
            }
        };
        watch.end(result.as_ref().err());
        result
    }

    /// Whether the call is sent again; where a wait goes before that, it is over then.
    async fn is_worth_another(&self, call: &Call, failure: &Failure, course: &mut Course) -> bool {
        if failure.error.kind == ApiErrorKind::Throttled {
            self.count(|counts| counts.throttled += 1);
            let now = self.clock.now();
            self.budget(|budget| budget.throttled(call.action, now));
        }
        if is_expired(&failure.error) && !course.has_fresh_credentials && self.gives_up_credentials().await {
            // AWS has looked at nothing but the signature.
            course.has_fresh_credentials = true;
            return true;
        }
        if failure.error.kind == ApiErrorKind::ClockSkew && !course.has_learnt_the_time {
            // AWS has looked at nothing but the signature. The SDK reads AWS's time off every answer, this one
            // included, and signs the next request by that: what is missing with its retries off is the next request.
            course.has_learnt_the_time = true;
            self.count(|counts| counts.retried += 1);
            return true;
        }
        course.failures += 1;
        if course.failures >= call.attempts() || !call.may_repeat(failure) {
            return false;
        }
        if failure.error.kind == ApiErrorKind::Transient && !failure.never_sent {
            course.unanswered += 1;
        }
        self.clock.sleep(BACKOFF.jittered(course.failures, self.chance())).await;
        self.count(|counts| counts.retried += 1);
        true
    }

    async fn keep_within_budget(&self, call: &Call) {
        let now = self.clock.now();
        let wait = self.budget(|budget| budget.take(call.action, now));
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}

/// A service has at most 5,000 tasks, and a cluster 5,000 services and instances: fifty pages. A family may have more
/// revisions.
const PAGES_MAX: usize = 200;

/// Where a list is read to. One that never ends, or that begins anew, must not hold a run.
#[derive(Debug, Default)]
pub(super) struct Pages {
    next: Option<String>,
    seen: HashSet<String>,
}

impl Pages {
    /// What the next page is asked for with.
    pub(super) fn token(&self) -> Option<String> {
        self.next.clone()
    }

    /// Turns the page: whether there is another one.
    ///
    /// # Errors
    /// The list has no end.
    pub(super) fn turn(&mut self, call: &Call, token: Option<&str>) -> ApiResult<bool> {
        self.next = token.filter(|token| !token.is_empty()).map(str::to_owned);
        let Some(token) = &self.next else { return Ok(false) };
        let why = match self.seen.insert(token.clone()) {
            true if self.seen.len() < PAGES_MAX => return Ok(true),
            true => format!("the list goes on after {PAGES_MAX} pages"),
            false => "the list does not end: the token of a page has come twice".to_owned(),
        };
        Err(ApiError {
            message: why,
            ..unreadable(call, "end")
        })
    }
}

/// What has been tried already for one call.
#[derive(Debug, Default)]
struct Course {
    /// Those that say something of the call, and not of its signature.
    failures: u32,
    /// Those after which AWS may have done it all the same.
    unanswered: u32,
    has_fresh_credentials: bool,
    has_learnt_the_time: bool,
}

/// Whether AWS says that the credentials were good once.
fn is_expired(error: &ApiError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::aws::error::Replay;

    #[test]
    fn s10_a_list_ends_where_a_token_comes_again_and_where_none_is_the_last() {
        let call = Call::read("ecs:ListTasks");
        let mut pages = Pages::default();
        assert_eq!(pages.turn(&call, Some("a")).ok(), Some(true));
        assert_eq!(
            (pages.token(), pages.turn(&call, Some("b")).ok()),
            (Some("a".into()), Some(true))
        );
        assert!(
            pages
                .turn(&call, Some("a"))
                .is_err_and(|error| error.message.contains("twice"))
        );
        let mut short = Pages::default();
        assert_eq!((short.turn(&call, Some("")).ok(), short.token()), (Some(false), None));
        let mut endless = Pages::default();
        let turned = (0..).map(|page| endless.turn(&call, Some(&page.to_string())));
        let ended = turned.take(PAGES_MAX + 1).position(|turned| turned.is_err());
        assert_eq!(ended, Some(PAGES_MAX - 1));
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
