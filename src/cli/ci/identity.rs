//! As whom AWS is called, from the flags and what GitHub Actions says of the run.

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::plan::Plan;
use portzero_core::plan::survey::Survey;

use crate::adapters::aws::{SessionDuration, SessionName, TokenRequest, TokenSource, WebIdentity};
use crate::app::deploy::order;
use crate::cli::options::{Identity, timestamp};

const AUDIENCE_DEFAULT: &str = "sts.amazonaws.com";

/// The role to assume, where one is named.
pub(crate) fn web_identity(identity: &Identity) -> Option<WebIdentity> {
    let role = identity.role_to_assume.clone()?;
    Some(WebIdentity {
        role,
        session_name: identity
            .role_session_name
            .clone()
            .unwrap_or_else(|| SessionName::of_run(variable("GITHUB_RUN_ID").as_deref())),
        duration: identity.role_duration.unwrap_or(SessionDuration::DEFAULT),
        audience: identity.audience.clone().unwrap_or_else(|| AUDIENCE_DEFAULT.to_owned()),
        token: token_source(),
    })
}

fn token_source() -> TokenSource {
    let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL");
    let bearer = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    match (url, bearer) {
        (Some(url), Some(bearer)) => TokenSource::Offered(TokenRequest::new(url, bearer)),
        _ if variable("GITHUB_ACTIONS").is_some_and(|value| value == "true") => TokenSource::Withheld,
        _ => TokenSource::Elsewhere,
    }
}

/// When the credentials end, where that is known and nobody renews them.
///
/// # Errors
/// A warning where `AWS_CREDENTIAL_EXPIRATION` is no time.
pub(crate) fn credentials_end(identity: &Identity) -> Result<Option<Timestamp>, Finding> {
    if identity.role_to_assume.is_some() {
        return Ok(None);
    }
    if identity.credentials_expire_at.is_some() {
        return Ok(identity.credentials_expire_at);
    }
    // It belongs to the credentials that stand beside it; those of a profile know their own end.
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_CREDENTIAL_EXPIRATION")) {
        (Some(_), Some(text)) => timestamp(&text)
            .map(Some)
            .map_err(|why| Finding::warning(Code::Config, format!("AWS_CREDENTIAL_EXPIRATION is ignored: {why}"))),
        _ => Ok(None),
    }
}

/// Adds to each plan what is to be said of credentials that end. A service waits for those that it depends on.
pub(crate) fn check_credentials(plans: &mut [(Plan, Survey)], end: Timestamp, now: Moment) {
    let needs = order::needs(plans.iter().map(|(plan, _)| &plan.request));
    let own: Vec<_> = plans.iter().map(|(plan, _)| plan.expected()).collect();
    for ((plan, _), ahead) in plans.iter_mut().zip(order::ahead(&needs, &own)) {
        plan.check_credentials(end, now, ahead);
    }
}

/// An empty one counts as absent.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
