//! The shapes of GitHub's answers, no more of them than is used: what is not asked for cannot be missing.

use portzero_core::base::time::Timestamp;
use portzero_core::pull_request::{Comment, PullRequest, RecordedDeployment};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct WirePullRequest {
    number: u64,
    state: Option<String>,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    base: WireBranch,
    head: WireBranch,
}

#[derive(Debug, Deserialize)]
struct WireBranch {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireComment {
    id: u64,
    user: Option<WireUser>,
    body: Option<String>,
    html_url: String,
}

#[derive(Debug, Deserialize)]
struct WireUser {
    login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireDeployment {
    id: u64,
    #[serde(default)]
    payload: Value,
}

/// `{"data": {"viewer": {"login": …}}}`, or `{"errors": […]}` with or without data.
#[derive(Debug, Deserialize)]
pub(super) struct WireViewer {
    data: Option<WireData>,
    #[serde(default)]
    errors: Vec<WireGraphqlError>,
}

#[derive(Debug, Deserialize)]
struct WireData {
    viewer: Option<WireUser>,
}

#[derive(Debug, Deserialize)]
struct WireGraphqlError {
    message: String,
}

impl WireViewer {
    /// # Errors
    /// GitHub's words.
    pub(super) fn login(self) -> Result<String, String> {
        let login = self.data.and_then(|data| data.viewer).map(|viewer| viewer.login);
        let words = || {
            self.errors
                .into_iter()
                .map(|error| error.message)
                .collect::<Vec<_>>()
                .join("; ")
        };
        login.ok_or_else(words)
    }
}

impl From<WirePullRequest> for PullRequest {
    fn from(wire: WirePullRequest) -> Self {
        let at = |text: String| text.parse::<jiff::Timestamp>().ok();
        Self {
            number: wire.number,
            is_open: wire.state.as_deref() == Some("open"),
            merged_at: wire
                .merged_at
                .and_then(at)
                .map(|at| Timestamp::from_millis(at.as_millisecond())),
            merge_commit: wire.merge_commit_sha,
            base: wire.base.name,
            head_commit: wire.head.sha,
        }
    }
}

impl From<WireComment> for Comment {
    fn from(wire: WireComment) -> Self {
        Self {
            id: wire.id,
            author: wire.user.map(|user| user.login),
            body: wire.body.unwrap_or_default(),
            url: wire.html_url,
        }
    }
}

impl From<WireDeployment> for RecordedDeployment {
    fn from(wire: WireDeployment) -> Self {
        Self {
            id: wire.id,
            payload: wire.payload,
        }
    }
}
