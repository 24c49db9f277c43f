//! Which role is to be assumed, as whom, and with the token of which workflow run.

use std::fmt;

use crate::adapters::aws::web_identity::role::{RoleArn, SessionDuration, SessionName};

/// Which role, as whom, for how long.
#[derive(Clone, Debug)]
pub struct WebIdentity {
    pub role: RoleArn,
    pub session_name: SessionName,
    pub duration: SessionDuration,
    /// For whom the token is: `sts.amazonaws.com`, in China `sts.amazonaws.com.cn`.
    pub audience: String,
    pub token: TokenSource,
}

/// Whether this run can have an ID token.
#[derive(Clone, Debug)]
pub enum TokenSource {
    Offered(TokenRequest),
    /// GitHub Actions, without the permission.
    Withheld,
    /// Not GitHub Actions.
    Elsewhere,
}

/// Where the token of this run is asked for, and with what.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub(super) url: String,
    pub(super) bearer: String,
}

impl TokenRequest {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub fn new(url: impl Into<String>, bearer: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            bearer: bearer.into(),
        }
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").finish_non_exhaustive()
    }
}
