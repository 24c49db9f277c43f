//! One request to GitHub: with time-outs, within the deadline, and repeated only where that does no harm.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::IpAddr;
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use octocrab::service::middleware::auth_header::AuthHeaderLayer;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::reqwest_connector::ReqwestConnector;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use portzero_core::base::backoff::Backoff;
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::port::{ApiErrorKind, ApiResult, Clock};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::Value;

use super::error::{Failure, Limits, broken, refused, transient};
use crate::adapters::github::error::Call;
use crate::adapters::watch::Watch;

/// A connection that is not made by then will not be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte sent to the last one read. GitHub itself gives up after ten seconds.
const TIMEOUT: Duration = Duration::from_secs(15);
/// With no more left than this the run is being ended: then three requests have to fit in.
const HASTE: Duration = Duration::from_secs(5);
const HASTY_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const HASTY_TIMEOUT: Duration = Duration::from_secs(2);

const ATTEMPTS: u32 = 3;
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(1));
/// A limit that holds longer is not waited for: the next run speaks anyway.
const LIMIT_WAIT_MAX: Duration = Duration::from_secs(30);

/// A page has a hundred comments of at most 64 Ki characters.
const ANSWER_MAX: usize = 32 * 1024 * 1024;

const MEDIA_TYPE: &str = "application/vnd.github+json";
const RAW_MEDIA_TYPE: &str = "application/vnd.github.raw+json";
const USER_AGENT: &str = concat!("portzero/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Debug)]
pub(super) enum Request {
    Get(String),
    /// A file's own bytes, in place of JSON about it.
    Raw(String),
    Post(String, Value),
    Patch(String, Value),
    Delete(String),
}

#[derive(Debug)]
pub(super) struct Answer {
    pub body: String,
    /// Whether GitHub says that there is another page.
    pub has_next: bool,
    request_id: Option<String>,
}

/// One of GitHub's addresses.
pub(super) struct Transport<C> {
    clock: C,
    base: reqwest::Url,
    token: String,
    patient: Octocrab,
    hasty: OnceCell<Octocrab>,
    deadline: Cell<Option<Moment>>,
    jitter: RefCell<fastrand::Rng>,
}

impl<C: Clock> Transport<C> {
    /// # Errors
    /// In words, where the address is none that a token may be sent to, or the token none that can be sent.
    pub(super) fn open(address: &str, token: &str, clock: C) -> Result<Self, String> {
        let base = checked(address)?;
        let patient = octocrab(&base, token, CONNECT_TIMEOUT, TIMEOUT)?;
        Ok(Self {
            clock,
            base,
            token: token.to_owned(),
            patient,
            hasty: OnceCell::new(),
            deadline: Cell::new(None),
            jitter: RefCell::new(fastrand::Rng::new()),
        })
    }

    pub(super) fn give_up_at(&self, deadline: Moment) {
        self.deadline.set(Some(deadline));
    }

    /// Sends until there is an answer, or an error that no repetition cures.
    pub(super) async fn send(&self, call: &Call, request: &Request) -> ApiResult<Answer> {
        let mut watch = Watch::begin(&self.clock, call.action);
        let sent = self.repeat(call, request, &mut watch).await;
        watch.end(sent.as_ref().err());
        sent
    }

    async fn repeat(&self, call: &Call, request: &Request, watch: &mut Watch<'_, C>) -> ApiResult<Answer> {
        let mut attempt = 1;
        loop {
            let left = self.left();
            if left.is_some_and(|left| left.is_zero()) {
                return Err(transient(call, "there was no time left to ask".to_owned()));
            }
            let is_hasty = left.is_some_and(|left| left <= HASTE);
            watch.attempt();
            let mut failure = match self.attempt(call, request, is_hasty).await {
                Ok(answer) => {
                    watch.answered(answer.request_id.as_deref());
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            // Nobody should echo it, and an error is printed.
            failure.error.message = failure.error.message.replace(&self.token, "***");
            watch.failed(&failure.error);
            let wait = self.wait_before_next(call, &failure, attempt);
            let Some(wait) = wait.filter(|wait| !is_hasty && self.left().is_none_or(|left| *wait < left)) else {
                return Err(failure.error);
            };
            self.clock.sleep(wait).await;
            attempt += 1;
        }
    }

    fn left(&self) -> Option<Duration> {
        self.deadline.get().map(|deadline| deadline.since(self.clock.now()))
    }

    fn wait_before_next(&self, call: &Call, failure: &Failure, attempt: u32) -> Option<Duration> {
        if attempt >= ATTEMPTS {
            return None;
        }
        match failure.error.kind {
            // Turned away unseen, so this holds for a creation too.
            ApiErrorKind::Throttled => failure.wait.filter(|wait| *wait <= LIMIT_WAIT_MAX),
            ApiErrorKind::Transient if call.is_repeatable => {
                Some(BACKOFF.jittered(attempt, self.jitter.borrow_mut().f64()))
            }
            _ => None,
        }
    }

    async fn attempt(&self, call: &Call, request: &Request, is_hasty: bool) -> Result<Answer, Failure> {
        let crab = if is_hasty { self.hasty(call)? } else { &self.patient };
        let response = match request {
            Request::Get(route) => crab._get(route.as_str()).await,
            Request::Raw(route) => crab._get_with_headers(route.as_str(), Some(raw())).await,
            Request::Post(route, body) => crab._post(route.as_str(), Some(body)).await,
            Request::Patch(route, body) => crab._patch(route.as_str(), Some(body)).await,
            Request::Delete(route) => crab._delete(route.as_str(), None::<&()>).await,
        };
        let response = response.map_err(|error| broken(call, &error))?;
        let status = response.status().as_u16();
        let limits = limits(response.headers(), self.clock.now().wall());
        let has_next = header(response.headers(), "link").is_some_and(|link| link.contains("rel=\"next\""));
        let request_id = header(response.headers(), "x-github-request-id").map(str::to_owned);
        let body = text(call, reqwest::Response::from(response.map(reqwest::Body::wrap))).await?;
        if (200..300).contains(&status) {
            return Ok(Answer {
                body,
                has_next,
                request_id,
            });
        }
        let mut failure = refused(call, status, &body, limits);
        failure.error.request_id = request_id;
        Err(failure)
    }

    /// Made where it is needed: a client reads all the certificates that the machine trusts.
    fn hasty(&self, call: &Call) -> Result<&Octocrab, Failure> {
        if let Some(made) = self.hasty.get() {
            return Ok(made);
        }
        let made = octocrab(&self.base, &self.token, HASTY_CONNECT_TIMEOUT, HASTY_TIMEOUT);
        let made = made.map_err(|why| Failure {
            error: transient(call, why),
            wait: None,
        })?;
        Ok(self.hasty.get_or_init(|| made))
    }
}

/// An address that the token may go to: over TLS, or no further than this machine.
fn checked(address: &str) -> Result<reqwest::Url, String> {
    let url: reqwest::Url = address
        .parse()
        .map_err(|error| format!("the address of GitHub's API is none: {error}"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err("the address of GitHub's API has a user in it; the token is given with `--github-token`".to_owned())
        }
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        scheme => Err(format!(
            "the token is not sent to {host} over {scheme}: GitHub's API must be at an https address"
        )),
    }
}

fn octocrab(base: &reqwest::Url, token: &str, connect: Duration, whole: Duration) -> Result<Octocrab, String> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "the token for GitHub has characters that no token has".to_owned())?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(MEDIA_TYPE));
    let is_encrypted = base.scheme() == "https";
    let builder = match is_encrypted {
        true => reqwest::Client::builder(),
        // What stays on this machine must not take the way over a proxy, where it could be read.
        false => reqwest::Client::builder().no_proxy(),
    };
    let client = builder
        .user_agent(USER_AGENT)
        .default_headers(headers)
        .connect_timeout(connect)
        .timeout(whole)
        // A redirect must not lead out of TLS either.
        .https_only(is_encrypted)
        .build()
        .map_err(|error| format!("no client for GitHub can be made: {error}"))?;
    let unusable = |_| format!("the address of GitHub's API cannot be used: {base}");
    let layers = (
        BaseUriLayer::new(base.as_str().parse().map_err(unusable)?),
        AuthHeaderLayer::new(
            Some(bearer),
            base.as_str().parse().map_err(unusable)?,
            base.as_str().parse().map_err(unusable)?,
        ),
    );
    // The default stack would send two User-Agents; this is the rest of it.
    let built = OctocrabBuilder::new_empty()
        .with_service(ReqwestConnector::new(client))
        .with_layer(&layers.0)
        .with_layer(&layers.1)
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(octocrab) => Ok(octocrab),
        Err(never) => match never {},
    }
}

/// The body, which goes on for as long as bytes come.
async fn text(call: &Call, mut response: reqwest::Response) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| broken(call, &error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > ANSWER_MAX {
            let why = "the answer is longer than any of GitHub's".to_owned();
            return Err(Failure {
                error: transient(call, why),
                wait: None,
            });
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn raw() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(RAW_MEDIA_TYPE))])
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `ours` is believed of the time only where GitHub does not date its answer.
fn limits(headers: &HeaderMap, ours: Timestamp) -> Limits {
    let date = header(headers, "date").and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let now = date.map_or(ours, |date| Timestamp::from_millis(date.as_millisecond()));
    let number = |name: &str| header(headers, name)?.parse::<u64>().ok();
    let is_used_up = number("x-ratelimit-remaining") == Some(0);
    let reset = number("x-ratelimit-reset").filter(|_| is_used_up);
    Limits {
        retry_after: number("retry-after").map(Duration::from_secs),
        reset_in: reset.map(|at| {
            let at = Timestamp::from_millis(i64::try_from(at.saturating_mul(1000)).unwrap_or(i64::MAX));
            at.since(now)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_tls_or_stays_on_this_machine() {
        for good in [
            "https://api.github.com",
            "https://git.acme.test/api/v3",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/x",
            "http://localhost",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.github.com",
            "http://127.0.0.1.evil.test",
            "http://localhost.evil.test",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "https://user:word@api.github.com",
            "api.github.com",
            "",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_read_from_either_header() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("130"));
        let now = Timestamp::from_millis(100_000);
        assert_eq!(limits(&headers, now).reset_in, None);
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
        assert_eq!(limits(&headers, now).reset_in, Some(Duration::from_secs(30)));
        headers.insert("retry-after", HeaderValue::from_static("7"));
        assert_eq!(limits(&headers, now).retry_after, Some(Duration::from_secs(7)));
    }
}
