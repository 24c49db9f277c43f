//! What every call to AWS and GitHub tells of itself, for whoever looks for a fault (`-v`, `-vv`). Where nobody listens
//! it costs nothing. Times are the clock's, so that a rehearsal tells the same each time.

use portzero_core::base::time::Moment;
use portzero_core::port::{ApiError, Clock};
use tracing::Level;

/// The target of an event for each attempt.
pub(crate) const ATTEMPT: &str = "portzero::attempt";
/// The target of an event for each call, when its last attempt is over.
pub(crate) const CALL: &str = "portzero::call";

/// One call on its way.
#[derive(Debug)]
pub(super) struct Watch<'c, C> {
    clock: &'c C,
    action: &'static str,
    begun: Moment,
    attempt_begun: Moment,
    attempts: u64,
    request_id: Option<String>,
}

impl<'c, C: Clock> Watch<'c, C> {
    pub(super) fn begin(clock: &'c C, action: &'static str) -> Self {
        let now = clock.now();
        Self {
            clock,
            action,
            begun: now,
            attempt_begun: now,
            attempts: 0,
            request_id: None,
        }
    }

    /// It is sent.
    pub(super) fn attempt(&mut self) {
        self.attempts += 1;
        self.attempt_begun = self.clock.now();
        self.request_id = None;
    }

    pub(super) fn answered(&mut self, request_id: Option<&str>) {
        self.request_id = request_id.map(str::to_owned);
        self.tell_attempt(None);
    }

    pub(super) fn failed(&mut self, error: &ApiError) {
        self.request_id.clone_from(&error.request_id);
        self.tell_attempt(Some(error));
    }

    /// The last attempt is over. A call that was never sent is none.
    pub(super) fn end(self, error: Option<&ApiError>) {
        if self.attempts == 0 {
            return;
        }
        let (outcome, message) = words(error);
        tracing::event!(
            target: CALL,
            Level::INFO,
            action = self.action,
            attempts = self.attempts,
            duration_ms = self.millis_since(self.begun),
            request_id = self.request_id.as_deref().unwrap_or_default(),
            is_failed = error.is_some(),
            outcome,
            message,
        );
    }

    fn tell_attempt(&self, error: Option<&ApiError>) {
        let (outcome, message) = words(error);
        tracing::event!(
            target: ATTEMPT,
            Level::DEBUG,
            action = self.action,
            attempts = self.attempts,
            duration_ms = self.millis_since(self.attempt_begun),
            request_id = self.request_id.as_deref().unwrap_or_default(),
            is_failed = error.is_some(),
            outcome,
            message,
        );
    }

    fn millis_since(&self, begun: Moment) -> u64 {
        u64::try_from(self.clock.now().since(begun).as_millis()).unwrap_or(u64::MAX)
    }
}

/// In one word, and in those of the answer.
fn words(error: Option<&ApiError>) -> (&str, &str) {
    match error {
        None => ("answered", ""),
        Some(error) => (error.code.as_deref().unwrap_or("failed"), error.message.as_str()),
    }
}
