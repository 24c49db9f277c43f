//! What the SDK reports, turned into the port's error: which kind of failure it is, and in whose words.

mod quote;

use std::error::Error;
use std::fmt::Display;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use portzero_core::aws_model::api_error::{CREDENTIALS_UNAVAILABLE, NO_CREDENTIALS, SIGN_IN_NEEDED, causes};
use portzero_core::port::{ApiError, ApiErrorKind};
use serde_json::Value;

use super::environment::At;
use super::tolerant::Unreadable;
use quote::quoted;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: ApiError,
    /// It is certain that AWS has not seen the request.
    pub never_sent: bool,
}

impl Failure {
    pub(super) fn read<E>(call: &Call, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let Reading {
            kind,
            code,
            message,
            never_sent,
        } = match error {
            SdkError::ServiceError(answer) => read_answer(answer.err().code(), answer.err().message(), answer.raw()),
            // The body was no error of the API's form, or no answer at all: HTML, or cut off.
            SdkError::ResponseError(answer) if answer.raw().body().bytes().is_none() => {
                Reading::transient("the connection broke before the answer was complete")
            }
            SdkError::ResponseError(answer) => match unreadable_member(error) {
                Some(member) => Reading::transient(member.to_string()),
                None => read_answer(None, None, answer.raw()),
            },
            SdkError::TimeoutError(_) => Reading::transient("no answer in time"),
            other => read_dispatch(other),
        };
        Self {
            error: ApiError {
                kind,
                action: call.action,
                resource: call.resource.clone(),
                code,
                message,
                request_id: error.request_id().map(str::to_owned),
                status: error.raw_response().map(|r| r.status().as_u16()),
            },
            never_sent,
        }
    }
}

/// What the second reading of an answer has found, where it is more than that it cannot be read.
fn unreadable_member<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Unreadable> {
    causes(error).into_iter().find_map(|cause| cause.downcast_ref())
}

struct Reading {
    kind: ApiErrorKind,
    code: Option<String>,
    message: String,
    never_sent: bool,
}

impl Reading {
    fn transient(message: impl Into<String>) -> Self {
        Self {
            kind: ApiErrorKind::Transient,
            code: None,
            message: message.into(),
            never_sent: false,
        }
    }
}

fn read_answer(code: Option<&str>, message: Option<&str>, response: &HttpResponse) -> Reading {
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let text = |key: &str| json.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let code = code
        .map(str::to_owned)
        .or_else(|| text("__type"))
        .map(|code| code.rsplit('#').next().unwrap_or_default().to_owned());
    // IAM's denials spell it with a capital M.
    let message = message
        .map(str::to_owned)
        .or_else(|| text("message"))
        .or_else(|| text("Message"));
    let kind = match &code {
        None if is_stand_in_without_the_operation(response) => ApiErrorKind::Unsupported,
        code => kind_of(code.as_deref(), message.as_deref().unwrap_or_default(), status),
    };
    Reading {
        kind,
        message: message.unwrap_or_else(|| quoted(status, body)),
        code,
        never_sent: false,
    }
}

/// Which kind of failure a code is; by the text only where AWS puts different things under one code.
fn kind_of(code: Option<&str>, message: &str, status: u16) -> ApiErrorKind {
    use ApiErrorKind as Kind;
    match code.unwrap_or_default() {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError" => Kind::Denied,
        // The one code for a wrong key and for a wrong clock.
        "InvalidSignatureException" | "SignatureDoesNotMatch" if says_clock(message) => Kind::ClockSkew,
        "RequestTimeTooSkewed" | "RequestInTheFuture" => Kind::ClockSkew,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "AuthFailure" => Kind::Credentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "PriorRequestNotComplete"
        | "SlowDown" => Kind::Throttled,
        "UnknownOperation"
        | "UnknownOperationException"
        | "UnknownAction"
        | "InvalidAction"
        | "NotImplemented"
        | "NotImplementedException"
        | "UnsupportedOperation"
        | "UnsupportedOperationException" => Kind::Unsupported,
        // AWS itself never answers so; stand-ins give any code with it.
        _ if status == 501 => Kind::Unsupported,
        "InternalError" | "InternalFailure" | "ServiceUnavailable" | "RequestTimeout" | "RequestTimeoutException" => {
            Kind::Transient
        }
        "MISSING" => Kind::NotFound,
        code if code.contains("NotFound") => Kind::NotFound,
        _ if message.starts_with("Unable to describe task definition")
            || message.starts_with("Cluster not found")
            || message.starts_with("TaskDefinition not found") =>
        {
            Kind::NotFound
        }
        _ if message.contains("is not authorized to perform") => Kind::Denied,
        _ => by_status(status),
    }
}

/// Whether AWS holds the time of a signature against it, and not the signature itself.
fn says_clock(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("Signature not yet current")
}

/// moto answers an operation that it lacks with its web framework's page for an unhandled exception.
fn is_stand_in_without_the_operation(response: &HttpResponse) -> bool {
    let server = response.headers().get("server").unwrap_or_default();
    response.status().as_u16() == 500 && server.starts_with("Werkzeug")
}

fn by_status(status: u16) -> ApiErrorKind {
    match status {
        429 => ApiErrorKind::Throttled,
        // A stand-in for AWS that lacks the operation; AWS itself never answers so.
        404 | 405 => ApiErrorKind::Unsupported,
        // A success that could not be read was cut off or was spoken by something in between.
        200..=299 | 408 | 500..=599 => ApiErrorKind::Transient,
        _ => ApiErrorKind::Refused,
    }
}

/// No answer: no credentials, no connection, or one that broke.
fn read_dispatch(error: &(dyn Error + 'static)) -> Reading {
    let causes = causes(error);
    if let Some(credentials) = causes.iter().find_map(|e| e.downcast_ref::<CredentialsError>()) {
        return Reading {
            kind: ApiErrorKind::Credentials,
            code: Some(credentials_code(credentials).to_owned()),
            message: credentials_message(credentials),
            never_sent: true,
        };
    }
    let innermost = causes.last().map(ToString::to_string).unwrap_or_default();
    let place = causes.iter().find_map(|e| e.downcast_ref::<At>());
    let never_sent = causes.iter().any(|e| is_connect_failure(*e));
    let to = place.map(|at| format!(" to {}", at.place)).unwrap_or_default();
    let what = match place {
        _ if never_sent => format!("cannot connect{to}"),
        Some(at) if at.is_timeout => return Reading::transient(format!("no answer in time from {}", at.place)),
        _ => format!("the connection{to} broke before the answer was complete"),
    };
    let more = next_step(&innermost).filter(|_| place.is_some()).unwrap_or_default();
    Reading {
        never_sent,
        ..Reading::transient(format!("{what}: {innermost}{more}"))
    }
}

/// What to look at where the network's own words say too little.
fn next_step(words: &str) -> Option<&'static str> {
    if words.contains("UnknownIssuer") {
        Some("; where a proxy signs with an authority of its own, AWS_CA_BUNDLE names the file of its certificate")
    } else if words.contains("failed to lookup address") {
        Some("; look at the spelling of the region, and at this machine's name resolution")
    } else {
        None
    }
}

/// Whether the request cannot have left: there was no connection. The HTTP stack keeps its own type to itself, so its
/// text has to do; where it is not recognized, the request counts as sent, which is the careful reading.
fn is_connect_failure(error: &(dyn Error + 'static)) -> bool {
    let refused = error.downcast_ref::<io::Error>().is_some_and(|e| {
        matches!(
            e.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
        )
    });
    let text = error.to_string();
    refused || text == "client error (Connect)" || text.starts_with("dns error") || text.contains("connect timeout")
}

fn credentials_code(error: &CredentialsError) -> &'static str {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => NO_CREDENTIALS,
        other if is_of_single_sign_on(other) => SIGN_IN_NEEDED,
        _ => CREDENTIALS_UNAVAILABLE,
    }
}

fn credentials_message(error: &CredentialsError) -> String {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => "no AWS credentials were found; looked at AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, the AWS profile and single sign-on, web identity, the container's role and the \
             instance's role"
            .to_owned(),
        CredentialsError::ProviderTimedOut(_) => "the source of the AWS credentials did not answer in time".to_owned(),
        other => {
            let chain = causes(other);
            // The system's words do not say of which file they are.
            let is_of_the_system = chain.last().is_some_and(|cause| cause.is::<std::io::Error>());
            let told = if is_of_the_system { 2 } else { 1 };
            let words: Vec<String> = chain[chain.len().saturating_sub(told)..]
                .iter()
                .map(ToString::to_string)
                .collect();
            format!("the AWS credentials cannot be loaded: {}", words.join(": "))
        }
    }
}

/// What the SDK keeps of a session lies in files whose names say so.
fn is_of_single_sign_on(error: &CredentialsError) -> bool {
    causes(error).iter().any(|cause| {
        let words = cause.to_string();
        words.contains("SSO token") || words.contains("SSO session") || words.contains("/sso/cache/")
    })
}

/// A read that fails is an input to whoever asked: the observer looks again in a moment anyway. One repetition covers
/// a connection that AWS closed while it was idle.
pub(crate) const READ_ATTEMPTS: u32 = 2;

/// A write that is turned away has to be brought home: registering refills at one per second and account, so a busy
/// pipeline may have to queue for a while (the waits below add up to about half a minute).
pub(crate) const WRITE_ATTEMPTS: u32 = 8;

/// Two registrations of one family at the same moment: the loser may simply try again.
pub(crate) const CONCURRENT_REGISTRATION: &str = "Too many concurrent attempts to create a new revision";

/// What a repetition of a call would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Nothing: it is a read.
    Free,
    /// At worst one more of a thing that costs nothing (a task definition revision).
    Harmless,
    /// A second rollout: only where it is certain that the first try was not carried out.
    Once,
}

/// The call that is being made, in the words of its errors.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `ecs:UpdateService`.
    pub action: &'static str,
    pub resource: Option<String>,
    pub replay: Replay,
}

impl Call {
    pub(super) fn read(action: &'static str) -> Self {
        Self {
            action,
            resource: None,
            replay: Replay::Free,
        }
    }

    pub(super) fn write(action: &'static str, replay: Replay) -> Self {
        Self {
            action,
            resource: None,
            replay,
        }
    }

    pub(super) fn on(mut self, resource: impl Display) -> Self {
        self.resource = Some(resource.to_string());
        self
    }

    /// The operation's name without the service: `UpdateService`.
    pub(crate) fn operation(&self) -> &'static str {
        self.action.rsplit(':').next().unwrap_or(self.action)
    }

    pub(crate) fn attempts(&self) -> u32 {
        match self.replay {
            Replay::Free => READ_ATTEMPTS,
            Replay::Harmless | Replay::Once => WRITE_ATTEMPTS,
        }
    }

    pub(crate) fn may_repeat(&self, failure: &Failure) -> bool {
        let error = &failure.error;
        match error.kind {
            ApiErrorKind::Throttled => true,
            ApiErrorKind::Refused => error.message.contains(CONCURRENT_REGISTRATION),
            ApiErrorKind::Transient => self.replay != Replay::Once || failure.never_sent,
            _ => false,
        }
    }
}

/// An answer that lacks what it must have.
pub(crate) fn unreadable(call: &Call, what: &str) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Transient,
        action: call.action,
        resource: call.resource.clone(),
        code: None,
        message: format!("the answer has no `{what}`"),
        request_id: None,
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ApiErrorKind as Kind;

    #[test]
    fn codes_decide_before_the_status_does() {
        let kinds = [
            (Some("ThrottlingException"), "Rate exceeded", 400),
            (Some("ClientException"), "Unable to describe task definition.", 400),
            (Some("TargetGroupNotFound"), "One or more target groups not found", 400),
            (Some("ServerException"), "", 500),
            (
                Some("InvalidParameterException"),
                "Network Configuration must be provided",
                400,
            ),
            (Some("PriorRequestNotComplete"), "", 429),
            (Some("InternalFailure"), "not implemented", 501),
            (Some("InternalFailure"), "", 500),
            (Some("UnknownOperation"), "", 400),
            (
                Some("ExpiredTokenException"),
                "The security token included in the request is expired",
                400,
            ),
            (
                Some("SignatureDoesNotMatch"),
                "Signature not yet current: 20260101T121000Z is still later than 20260101T120500Z (20260101T120000Z + 5 min.)",
                403,
            ),
            (
                Some("InvalidSignatureException"),
                "The request signature we calculated does not match the signature you provided.",
                400,
            ),
        ]
        .map(|(code, message, status)| kind_of(code, message, status));
        assert_eq!(
            kinds,
            [
                Kind::Throttled,
                Kind::NotFound,
                Kind::NotFound,
                Kind::Transient,
                Kind::Refused,
                Kind::Throttled,
                Kind::Unsupported,
                Kind::Transient,
                Kind::Unsupported,
                Kind::Credentials,
                Kind::ClockSkew,
                Kind::Credentials
            ]
        );
    }

    #[test]
    fn a_page_is_told_by_its_title_and_anything_else_by_its_beginning() {
        let page = b"<!DOCTYPE html>\n<HTML><head><TITLE>502 Bad\n Gateway</TITLE></head><body>long</body></HTML>";
        assert_eq!(
            quoted(502, page),
            "HTTP status 502 with a page that is not AWS's: `502 Bad Gateway`"
        );
        assert_eq!(quoted(503, b"<html>busy"), "HTTP status 503, which says `<html>busy`");
        assert_eq!(
            quoted(
                500,
                br#" {"family":"web","containerDefinitions":[{"environment":[{"value":"hunter2"}"#
            ),
            "HTTP status 500 with a document that is no error of AWS's form"
        );
        assert_eq!(quoted(500, b""), "HTTP status 500 without a message");
    }

    #[test]
    fn missing_credentials_name_the_sources_that_were_tried() {
        let reading = read_dispatch(&CredentialsError::not_loaded(
            "no providers in chain provided credentials",
        ));
        assert_eq!(reading.kind, Kind::Credentials);
        assert_eq!(reading.code.as_deref(), Some(NO_CREDENTIALS));
        assert!(
            reading
                .message
                .starts_with("no AWS credentials were found; looked at AWS_ACCESS_KEY_ID")
        );
    }
}
