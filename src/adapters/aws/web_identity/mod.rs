//! A role that this program assumes itself, with the ID token of the workflow run (OpenID Connect), and again before
//! the credentials end: so a wait may last longer than they do.
//!
//! * `request`: which role, as whom, with which token; `role`: what STS takes of that, checked before anything is sent
//! * `id_token`: the token of the workflow run; each exchange takes a fresh one
//! * `refusal`: why it did not work, in words
//!
//! The SDK's own cache of identities stands aside here. It would ask for new credentials in the middle of a call, give
//! them five seconds, and fail the call where they cannot be had although the old ones are still good. Here they are
//! renewed between calls, minutes ahead, on the run's own clock.

pub(super) mod claims;
mod id_token;
mod refusal;
mod request;
mod role;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityOutput;
use id_token::{IdToken, without};
use portzero_core::base::backoff::Backoff;
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::port::Clock;

use super::error::Failure;
use crate::adapters::aws::error::{Call, unreadable};
use crate::adapters::watch::Watch;

pub(super) use refusal::NotAssumed;
pub use request::{TokenRequest, TokenSource, WebIdentity};
pub use role::{RoleArn, SessionDuration, SessionName};

/// Ahead of their end by this much, credentials are renewed: time for several tries through an outage of GitHub or STS.
const RENEW_AHEAD: Duration = Duration::from_secs(300);
/// After a renewal that failed, the old credentials are used for as long before the next try.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Of one exchange: a person waits for it, and a renewal comes again soon.
const ATTEMPTS: u32 = 3;
const BACKOFF: Backoff = Backoff::growing(Duration::from_secs(1), 4, Duration::from_secs(4));

/// The credentials that calls are signed with at the moment; clones share them.
#[derive(Clone, Default)]
pub(super) struct CurrentCredentials(Arc<Mutex<Option<Credentials>>>);

impl CurrentCredentials {
    fn set(&self, credentials: Credentials) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials);
    }
}

impl fmt::Debug for CurrentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentCredentials").finish_non_exhaustive()
    }
}

impl ProvideCredentials for CurrentCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        future::ProvideCredentials::ready(
            current.ok_or_else(|| CredentialsError::not_loaded("no role has been assumed yet")),
        )
    }
}

/// Until when the current credentials are good, and when to look for new ones.
#[derive(Clone, Copy, Debug)]
struct Lease {
    ends_at: Moment,
    renew_at: Moment,
}

/// The role of one run.
#[derive(Debug)]
pub(super) struct RoleSession {
    wanted: WebIdentity,
    sts: aws_sdk_sts::Client,
    current: CurrentCredentials,
    lease: tokio::sync::Mutex<Option<Lease>>,
}

impl RoleSession {
    /// `config` says where STS is; the exchange itself is not signed.
    pub(super) fn new(wanted: WebIdentity, config: &SdkConfig, current: CurrentCredentials) -> Self {
        Self {
            wanted,
            sts: aws_sdk_sts::Client::new(config),
            current,
            lease: tokio::sync::Mutex::new(None),
        }
    }

    /// Sees to it that the next call finds credentials that are good. `count` hears of each request to STS.
    ///
    /// Where they cannot be renewed while the old ones still work, the old ones are kept and the failure is not told:
    /// it is tried again soon, and told when they have ended.
    pub(super) async fn ensure(&self, clock: &impl Clock, count: impl Fn()) -> Result<(), NotAssumed> {
        let mut lease = self.lease.lock().await;
        let now = clock.now();
        if lease.is_some_and(|lease| now < lease.renew_at) {
            return Ok(());
        }
        match (self.exchange(clock, &count).await, lease.as_mut()) {
            (Ok((credentials, new)), _) => {
                self.current.set(credentials);
                *lease = Some(new);
                Ok(())
            }
            (Err(_), Some(old)) if clock.now() < old.ends_at => {
                old.renew_at = (clock.now() + TRY_AGAIN_AFTER).min(old.ends_at);
                Ok(())
            }
            (Err(refused), _) => Err(refused),
        }
    }

    /// AWS takes the credentials for expired: they are not used again.
    pub(super) async fn give_up_current(&self) {
        *self.lease.lock().await = None;
    }

    async fn exchange(&self, clock: &impl Clock, count: &impl Fn()) -> Result<(Credentials, Lease), NotAssumed> {
        let mut watch = Watch::begin(clock, refusal::ACTION);
        let mut attempt = 1;
        let done = loop {
            watch.attempt();
            match self.exchange_once(clock, count).await {
                Ok((credentials, lease, request_id)) => {
                    watch.answered(request_id.as_deref());
                    break Ok((credentials, lease));
                }
                Err(refused) => {
                    watch.failed(&refused.api_error());
                    if !refused.is_passing() || attempt >= ATTEMPTS {
                        break Err(refused);
                    }
                }
            }
            clock.sleep(BACKOFF.wait(attempt)).await;
            attempt += 1;
        };
        watch.end(done.as_ref().err().map(NotAssumed::api_error).as_ref());
        done
    }

    /// One token, and what STS gives for it; with the id of the request.
    async fn exchange_once(
        &self,
        clock: &impl Clock,
        count: &impl Fn(),
    ) -> Result<(Credentials, Lease, Option<String>), NotAssumed> {
        let TokenSource::Offered(request) = &self.wanted.token else {
            return Err(NotAssumed::no_token(&self.wanted.token, &self.wanted.role));
        };
        let token = IdToken::fetch(request, &self.wanted.audience).await?;
        let claims = token.claims();
        let begun = clock.now();
        count();
        let call = Call::read("sts:AssumeRoleWithWebIdentity").on(&self.wanted.role);
        let sent = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(self.wanted.role.as_str())
            .role_session_name(self.wanted.session_name.as_str())
            .duration_seconds(i32::try_from(self.wanted.duration.get().as_secs()).unwrap_or(i32::MAX))
            .web_identity_token(token.as_str())
            .send();
        match sent.await {
            Ok(answer) => {
                let empty = || NotAssumed::by_sts(unreadable(&call, "Credentials"), &self.wanted, &claims);
                let (credentials, lease) = self.read(&answer, begun).ok_or_else(empty)?;
                Ok((credentials, lease, answer.request_id().map(str::to_owned)))
            }
            Err(error) => {
                let mut error = Failure::read(&call, &error).error;
                error.message = without(&error.message, token.as_str());
                Err(NotAssumed::by_sts(error, &self.wanted, &claims))
            }
        }
    }

    fn read(&self, answer: &AssumeRoleWithWebIdentityOutput, begun: Moment) -> Option<(Credentials, Lease)> {
        let given = answer.credentials()?;
        let credentials = Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            // The lease is kept here; the SDK would hold its own clock against it.
            None,
            "portzero",
        );
        let millis = given.expiration().to_millis().ok()?;
        Some((
            credentials,
            lease(begun, Timestamp::from_millis(millis), self.wanted.duration.get()),
        ))
    }
}

/// STS gives credentials for as long as they were asked for, so their end is counted on our own clock, which AWS's may
/// differ from. An earlier end is believed; one that has passed already is a clock that is wrong.
fn lease(begun: Moment, expiration: Timestamp, asked: Duration) -> Lease {
    let said = expiration.since(begun.wall());
    let span = if said.is_zero() { asked } else { said.min(asked) };
    // For credentials that were short from the beginning, a third of their time.
    let ahead = RENEW_AHEAD.min(span / 3);
    Lease {
        ends_at: begun + span,
        renew_at: begun + (span - ahead),
    }
}
