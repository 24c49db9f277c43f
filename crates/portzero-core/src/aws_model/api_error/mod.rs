//! A failed call to AWS or GitHub, in domain terms: an input like any other, not an exception.

mod denial;

use std::error::Error;
use std::fmt;

pub(crate) use denial::{Denial, Ground};

/// The code of a call that found no credentials at all: AWS has not refused anything. It is portzero's own, like the next.
pub const NO_CREDENTIALS: &str = "NoCredentials";
/// The code of a call whose credentials wait for somebody to sign in.
pub const SIGN_IN_NEEDED: &str = "SignInNeeded";
/// The code of a call whose credentials are configured and cannot be had.
pub const CREDENTIALS_UNAVAILABLE: &str = "CredentialsUnavailable";

/// What kind of failure an answer is, which is all that decides what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiErrorKind {
    /// The credentials may not do this.
    Denied,
    /// The credentials have expired, are missing or are not valid.
    Credentials,
    /// The signature is too old or too new: the clock of this machine is wrong.
    ClockSkew,
    /// Too many calls in a short time.
    Throttled,
    /// 5xx, reset, time-out, an answer that could not be read: the next try may work.
    Transient,
    /// The thing does not exist.
    NotFound,
    /// The service knows no such operation (a stand-in for AWS that lacks it).
    Unsupported,
    /// AWS refuses the request as it is.
    Refused,
}

/// A failed call: which action on which resource, in whose words, under which request id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ApiError {
    /// What decides what to do about it.
    pub kind: ApiErrorKind,
    /// `ecs:UpdateService`, spelled as IAM does; `github:issues/create-comment`, as GitHub's description of its API does.
    pub action: &'static str,
    /// What the call was about, where it names one thing.
    pub resource: Option<String>,
    /// AWS's code, for example `ClusterNotFoundException`.
    pub code: Option<String>,
    /// AWS's own words, or those of whoever answered in its place.
    pub message: String,
    /// The request id that AWS's support asks for.
    pub request_id: Option<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)?;
        if let Some(resource) = &self.resource {
            write!(f, " on {resource}")?;
        }
        match &self.code {
            Some(code) => write!(f, ": {code}: {}", self.message),
            None => write!(f, ": {}", self.message),
        }
    }
}

impl ApiError {
    /// Whether asking again, unchanged, may be answered.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ApiErrorKind::Throttled | ApiErrorKind::Transient)
    }

    /// What IAM says is missing, where this is a denial in its words.
    pub(crate) fn denial(&self) -> Option<Denial<'_>> {
        Denial::read(&self.message).filter(|_| self.kind == ApiErrorKind::Denied)
    }
}

/// The error and what caused it, outermost first.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}
