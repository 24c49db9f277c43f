//! Answers that are none, turned into the port's error: which kind of failure it is, and in whose words.

use std::error::Error;
use std::time::Duration;

use portzero_core::aws_model::api_error::causes;
use portzero_core::base::time::human;
use portzero_core::port::{ApiError, ApiErrorKind};
use serde_json::Value;

/// As much of a message, or of a foreign text (an HTML page, a proxy's excuse), as an error quotes, in characters.
const QUOTE_LENGTH: usize = 240;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: ApiError,
    /// How long GitHub wants to be left alone. It has then not carried the request out.
    pub wait: Option<Duration>,
}

/// What the head of an answer tells about limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub retry_after: Option<Duration>,
    /// Until the primary limit is lifted, where it is used up.
    pub reset_in: Option<Duration>,
}

/// No answer: no connection, or one that broke.
pub(super) fn broken(call: &Call, error: &(dyn Error + 'static)) -> Failure {
    let causes = causes(error);
    let network = causes.iter().find_map(|cause| cause.downcast_ref::<reqwest::Error>());
    let innermost = causes.last().map(ToString::to_string).unwrap_or_default();
    let message = match network {
        Some(error) if error.is_timeout() => "no answer in time".to_owned(),
        Some(error) if error.is_connect() => format!("cannot connect: {innermost}"),
        _ => format!("the connection broke before the answer was complete: {innermost}"),
    };
    Failure {
        error: transient(call, message),
        wait: None,
    }
}

/// An answer with another status than success.
pub(super) fn refused(call: &Call, status: u16, body: &str, limits: Limits) -> Failure {
    let (kind, mut message) = (kind_of(status, body, limits), message_of(body));
    let wait = (kind == ApiErrorKind::Throttled)
        .then_some(limits.retry_after.or(limits.reset_in))
        .flatten();
    if let Some(wait) = wait {
        message = format!("{message} (GitHub says to wait {})", human(wait));
    }
    Failure {
        error: ApiError {
            kind,
            code: Some(format!("HTTP {status}")),
            status: Some(status),
            ..transient(call, message)
        },
        wait,
    }
}

/// A success that cannot be read was cut off, or was spoken by something in between: what was asked for may be done.
pub(super) fn unreadable(call: &Call, why: &serde_json::Error) -> ApiError {
    transient(call, format!("the answer cannot be read: {why}"))
}

pub(super) fn transient(call: &Call, message: String) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Transient,
        action: call.action,
        resource: Some(call.resource.clone()),
        code: None,
        message,
        request_id: None,
        status: None,
    }
}

fn kind_of(status: u16, body: &str, limits: Limits) -> ApiErrorKind {
    let says = |words: &str| body.to_lowercase().contains(words);
    let is_limited = || limits.retry_after.is_some() || limits.reset_in.is_some() || says("rate limit");
    match status {
        401 => ApiErrorKind::Credentials,
        429 => ApiErrorKind::Throttled,
        403 if is_limited() => ApiErrorKind::Throttled,
        403 if says("locked") || says("archived") => ApiErrorKind::Refused,
        403 => ApiErrorKind::Denied,
        404 => ApiErrorKind::NotFound,
        408 | 500.. => ApiErrorKind::Transient,
        _ => ApiErrorKind::Refused,
    }
}

/// GitHub's `message` with what its `errors` add; for a body that is not GitHub's, its beginning.
fn message_of(body: &str) -> String {
    let json: Option<Value> = serde_json::from_str(body).ok();
    let Some(message) = json.as_ref().and_then(|json| json["message"].as_str()) else {
        return match quoted(body).as_str() {
            "" => "no message".to_owned(),
            text => format!("`{text}`"),
        };
    };
    let details = json.as_ref().and_then(|json| json["errors"].as_array());
    let details: Vec<String> = details.into_iter().flatten().filter_map(detail).collect();
    match details.is_empty() {
        true => quoted(message),
        false => quoted(&format!("{message}: {}", details.join("; "))),
    }
}

/// A sentence, or `{"message": …}`, or `{"field": …, "code": …}`.
fn detail(error: &Value) -> Option<String> {
    let text = |key: &str| error[key].as_str().map(str::to_owned);
    let field = || Some(format!("{} is {}", text("field")?, text("code")?.replace('_', " ")));
    error
        .as_str()
        .map(str::to_owned)
        .or_else(|| text("message"))
        .or_else(field)
}

/// One line, and not the whole page.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(QUOTE_LENGTH).collect()
}

/// What is asked of GitHub, in the words of errors.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `github:issues/create-comment`.
    pub action: &'static str,
    pub resource: String,
    /// Whether doing it twice is the same as doing it once.
    pub(crate) is_repeatable: bool,
}

impl Call {
    /// A read, an edit, a deletion.
    pub(super) fn read(action: &'static str, resource: impl Into<String>) -> Self {
        Self {
            action,
            resource: resource.into(),
            is_repeatable: true,
        }
    }

    /// Something that would be there twice.
    pub(super) fn creation(action: &'static str, resource: impl Into<String>) -> Self {
        Self {
            is_repeatable: false,
            ..Self::read(action, resource)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, limits: Limits) -> (ApiErrorKind, String) {
        let error = refused(
            &Call::read("github:issues/get-comment", "acme/shop"),
            status,
            body,
            limits,
        )
        .error;
        (error.kind, error.message)
    }

    #[test]
    fn a_403_is_three_different_things() {
        let none = Limits::default();
        let said = |words: &str| read(403, &format!("{{\"message\":\"{words}\"}}"), none).0;
        assert_eq!(said("Resource not accessible by integration"), ApiErrorKind::Denied);
        assert_eq!(
            said("You have exceeded a secondary rate limit"),
            ApiErrorKind::Throttled
        );
        assert_eq!(
            said("Unable to create comment because issue is locked."),
            ApiErrorKind::Refused
        );
        let limits = Limits {
            retry_after: Some(Duration::from_secs(54)),
            reset_in: None,
        };
        assert_eq!(
            read(403, "{\"message\":\"Slow down\"}", limits),
            (
                ApiErrorKind::Throttled,
                "Slow down (GitHub says to wait 54s)".to_owned()
            )
        );
    }

    #[test]
    fn githubs_details_are_told_and_a_foreign_page_is_quoted() {
        let none = Limits::default();
        let long = r#"{"message":"Validation Failed","errors":[{"message":"Body is too long"},{"field":"ref","code":"missing_field"},"x"]}"#;
        assert_eq!(
            read(422, long, none).1,
            "Validation Failed: Body is too long; ref is missing field; x"
        );
        assert_eq!(
            read(502, "<html>\n  Bad  Gateway", none),
            (ApiErrorKind::Transient, "`<html> Bad Gateway`".to_owned())
        );
        assert_eq!(read(410, "", none).1, "no message");
        assert_eq!(read(502, &"x".repeat(9999), none).1.len(), QUOTE_LENGTH + 2);
    }
}
