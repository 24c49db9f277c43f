//! The ID token of the workflow run: asked for at GitHub's address for it, good for one exchange and some minutes.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{StatusCode, Url, redirect};
use serde_json::Value;

use crate::adapters::aws::web_identity::claims::Claims;
use crate::adapters::aws::web_identity::refusal::NotAssumed;
use crate::adapters::aws::web_identity::request::TokenRequest;

/// As for calls to AWS: a connection that is not made by then will not be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// GitHub signs a token within a second.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A token has one or two kilobytes; STS takes twenty thousand characters.
const ANSWER_MAX: usize = 64 * 1024;
/// As much of a foreign text as a message quotes.
const QUOTE_LENGTH: usize = 160;

/// The address with the audience in it. The bearer goes over TLS, or does not leave this machine.
fn address(request: &TokenRequest, audience: &str) -> Result<Url, NotAssumed> {
    let mut url = Url::parse(&request.url).map_err(|_| NotAssumed::bad_token_address("it is no URL"))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(NotAssumed::bad_token_address("it is neither https nor on this machine"));
    }
    url.query_pairs_mut().append_pair("audience", audience);
    Ok(url)
}

/// What only this job may ask with.
fn bearer(request: &TokenRequest) -> Result<HeaderValue, NotAssumed> {
    // Bytes beyond ASCII could stand in a header, and in no token.
    if !request.bearer.is_ascii() {
        return Err(NotAssumed::unfit_bearer());
    }
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", request.bearer)).map_err(|_| NotAssumed::unfit_bearer())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Who this run is, signed by GitHub. Whoever has it can be this run for some minutes, so it is shown nowhere.
pub(super) struct IdToken(String);

impl IdToken {
    /// A fresh one.
    pub(super) async fn fetch(request: &TokenRequest, audience: &str) -> Result<Self, NotAssumed> {
        let url = address(request, audience)?;
        let unreachable = |error: reqwest::Error| NotAssumed::no_answer_for_token(&innermost(&error));
        let client = client(is_loopback(&url)).map_err(unreachable)?;
        let asked = client.get(url).header(AUTHORIZATION, bearer(request)?);
        let mut answer = asked
            .header("accept", "application/json")
            .send()
            .await
            .map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_MAX {
                return Err(NotAssumed::no_answer_for_token(
                    "the answer is far too long for a token",
                ));
            }
        }
        if status != StatusCode::OK {
            return Err(NotAssumed::token_denied(
                status.as_u16(),
                &quoted(&body, &request.bearer),
            ));
        }
        let answer: Option<Value> = serde_json::from_slice(&body).ok();
        let value = answer.as_ref().and_then(|answer| answer.get("value")?.as_str());
        match value.filter(|value| !value.is_empty()) {
            Some(value) => Ok(Self(value.to_owned())),
            // The body may hold the token in another shape, so it is not quoted.
            None => Err(NotAssumed::no_answer_for_token("the answer holds no token")),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the token says, which is no secret. Nothing where it is no JWT: it is for messages only.
    pub(super) fn claims(&self) -> Claims {
        let payload = self.0.split('.').nth(1).and_then(decode);
        let payload: Value = payload
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
        let audience = match payload.get("aud") {
            Some(Value::Array(many)) => Some(many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
            _ => text("aud"),
        };
        Claims {
            issuer: text("iss"),
            subject: text("sub"),
            audience,
        }
    }
}

/// One for each exchange: they are an hour apart, and nothing is gained by keeping a connection.
fn client(is_loopback: bool) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("portzero/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if is_loopback {
        // A proxy has a loopback of its own.
        builder = builder.no_proxy();
    }
    builder.build()
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "[::1]"))
        || url
            .host_str()
            .and_then(|host| host.parse::<std::net::Ipv4Addr>().ok())
            .is_some_and(|address| address.is_loopback())
}

/// The cause without the address: that one names the job.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) if error.is_timeout() => "no answer in time".to_owned(),
        Some(_) => "the request could not be sent".to_owned(),
        None => cause.to_string(),
    }
}

fn quoted(body: &[u8], bearer: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    without(&line, bearer).chars().take(QUOTE_LENGTH).collect()
}

/// A text of somebody else's without the secret, should it have been put there.
pub(super) fn without(text: &str, secret: &str) -> String {
    if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, "…")
    }
}

/// Base64 of the kind for URLs, without padding.
fn decode(part: &str) -> Option<Vec<u8>> {
    let mut text = part.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    aws_smithy_types::base64::decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bearer_leaves_this_machine_over_tls_only() {
        let address = |url: &str| super::address(&TokenRequest::new(url, "b"), "sts.amazonaws.com");
        assert!(address("http://pipelines.example/token").is_err());
        assert!(address("http://127.0.0.1.example/token").is_err());
        assert!(address("token").is_err());
        assert_eq!(
            address("http://127.0.0.1:80/t").unwrap().query(),
            Some("audience=sts.amazonaws.com")
        );
        let github = address("https://pipelines.example/token?api-version=2.0").unwrap();
        assert_eq!(github.query(), Some("api-version=2.0&audience=sts.amazonaws.com"));
    }

    #[test]
    fn a_bearer_that_no_header_can_carry_is_named_by_its_variable() {
        let bearer = |token: &str| super::bearer(&TokenRequest::new("https://pipelines.example", token));
        assert!(bearer("a.b-c").is_ok_and(|value| value.is_sensitive()));
        for token in ["a\n", "é"] {
            let told = format!("{:?}", bearer(token).unwrap_err());
            assert!(told.contains("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), "{told}");
        }
    }

    #[test]
    fn claims_are_read_and_nothing_is_made_of_what_is_no_jwt() {
        let payload = aws_smithy_types::base64::encode(r#"{"sub":"repo:ü/r:ref:refs/heads/main","aud":["a","b"]}"#);
        let payload = payload.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let claims = IdToken(format!("h.{payload}.s")).claims();
        assert_eq!(claims.subject.as_deref(), Some("repo:ü/r:ref:refs/heads/main"));
        assert_eq!(claims.audience.as_deref(), Some("a, b"));
        for nonsense in ["", "x", "a.b.c", "a.%%.c", "a..c"] {
            assert_eq!(IdToken(nonsense.into()).claims(), Claims::default(), "{nonsense:?}");
        }
    }
}
