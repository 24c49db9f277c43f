//! Why a role was not assumed, in words: before the first change as a finding, later as a failed call.

use portzero_core::base::finding::{Code, EvidenceLabel, Finding, Hint};
use portzero_core::port::{ApiError, ApiErrorKind};

use crate::adapters::aws::web_identity::claims::Claims;
use crate::adapters::aws::web_identity::request::{TokenSource, WebIdentity};
use crate::adapters::aws::web_identity::role::RoleArn;

pub(super) const ACTION: &str = "sts:AssumeRoleWithWebIdentity";
/// Where GitHub's own tokens come from; an Enterprise Server's token names another issuer.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// An exchange that gave no credentials.
#[derive(Clone, Debug)]
pub(crate) struct NotAssumed {
    code: Code,
    pub kind: ApiErrorKind,
    /// AWS's code.
    answer_code: Option<String>,
    summary: String,
    evidence: Vec<(EvidenceLabel, String)>,
    hints: Vec<Hint>,
    request_id: Option<String>,
    status: Option<u16>,
}

impl NotAssumed {
    fn new(code: Code, kind: ApiErrorKind, summary: impl Into<String>) -> Self {
        Self {
            code,
            kind,
            answer_code: None,
            summary: summary.into(),
            evidence: Vec::new(),
            hints: Vec::new(),
            request_id: None,
            status: None,
        }
    }

    fn evidence(mut self, label: &str, text: impl Into<String>) -> Self {
        self.evidence.push((label.into(), text.into()));
        self
    }

    fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Whether the next try may work.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.kind, ApiErrorKind::Transient | ApiErrorKind::Throttled)
    }

    /// The run is offered no token.
    pub(super) fn no_token(source: &TokenSource, role: &RoleArn) -> Self {
        let told = Self::new(
            Code::IdTokenUnavailable,
            ApiErrorKind::Credentials,
            format!("there is no ID token to assume role `{}` with", role.name()),
        )
        .evidence(
            "absent",
            "ACTIONS_ID_TOKEN_REQUEST_URL or ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        );
        match source {
            TokenSource::Elsewhere => told.hint(
                "this is not GitHub Actions: leave out `--role-to-assume`, and AWS's own sources of credentials are used",
            ),
            _ => told
                .hint(
                    "give the job `permissions: { id-token: write, contents: read }`; what is not named there is none",
                )
                .hint("a run for a pull request from a fork gets no ID token, whatever its permissions"),
        }
    }

    pub(crate) fn bad_token_address(why: &str) -> Self {
        Self::new(
            Code::IdTokenUnavailable,
            ApiErrorKind::Credentials,
            "the ID token is not asked for at ACTIONS_ID_TOKEN_REQUEST_URL",
        )
        .evidence("because", why)
    }

    pub(crate) fn unfit_bearer() -> Self {
        Self::new(
            Code::IdTokenUnavailable,
            ApiErrorKind::Credentials,
            "the value of ACTIONS_ID_TOKEN_REQUEST_TOKEN cannot stand in a request",
        )
        .hint("GitHub sets it for each job: look for a step that sets it anew")
    }

    pub(crate) fn no_answer_for_token(why: &str) -> Self {
        Self::new(
            Code::IdTokenUnavailable,
            ApiErrorKind::Transient,
            "GitHub gave no usable answer to the request for an ID token",
        )
        .evidence("answer", why)
        .hint("run the job again; the service for ID tokens is GitHub's, see https://www.githubstatus.com")
    }

    pub(crate) fn token_denied(status: u16, body: &str) -> Self {
        if status >= 500 || status == 429 {
            return Self::no_answer_for_token(&format!("HTTP status {status}"));
        }
        let says = if body.is_empty() {
            String::new()
        } else {
            format!(", which says `{body}`")
        };
        Self::new(
            Code::IdTokenUnavailable,
            ApiErrorKind::Credentials,
            "GitHub gave no ID token",
        )
        .evidence("answer", format!("HTTP status {status}{says}"))
        .hint("the request for it is good for this job only: run the job again")
    }

    /// STS said no, or did not answer.
    pub(super) fn by_sts(error: ApiError, wanted: &WebIdentity, claims: &Claims) -> Self {
        let answer_code = error.code.clone().unwrap_or_default();
        let answer = match &error.code {
            Some(code) => format!("{code}: {}", error.message),
            None => error.message.clone(),
        };
        let is_passing = error.is_passing() || answer_code == "IDPCommunicationError";
        let (kind, summary) = if is_passing {
            (
                if error.is_passing() {
                    error.kind
                } else {
                    ApiErrorKind::Transient
                },
                format!("STS gave no usable answer for role `{}`", wanted.role.name()),
            )
        } else {
            (
                ApiErrorKind::Credentials,
                format!("AWS does not let this run assume role `{}`", wanted.role.name()),
            )
        };
        let mut told = Self::new(Code::RoleNotAssumed, kind, summary)
            .evidence("role", wanted.role.as_str())
            .evidence("answer", answer);
        if !is_passing {
            told = told
                .evidence("sub", claims.subject.as_deref().unwrap_or("not in the token"))
                .evidence("aud", claims.audience.as_deref().unwrap_or("not in the token"));
            told.hints = hints(&answer_code, &error.message, wanted, claims)
                .into_iter()
                .map(Hint::from)
                .collect();
        }
        Self {
            answer_code: error.code,
            request_id: error.request_id,
            status: error.status,
            ..told
        }
    }

    pub(crate) fn finding(&self) -> Finding {
        let mut finding = Finding::error(self.code, self.summary.clone()).state("nothing was changed");
        finding.evidence.clone_from(&self.evidence);
        if let Some(id) = &self.request_id {
            finding = finding.evidence("request", id.clone());
        }
        finding.hints.clone_from(&self.hints);
        finding
    }

    /// For the call that needed the credentials.
    pub(crate) fn api_error(&self) -> ApiError {
        let answer = self.evidence.iter().find(|(label, _)| *label == EvidenceLabel::Answer);
        ApiError {
            kind: self.kind,
            action: ACTION,
            resource: None,
            code: self.answer_code.clone(),
            message: match answer {
                Some((_, answer)) => format!("{} ({answer})", self.summary),
                None => self.summary.clone(),
            },
            request_id: self.request_id.clone(),
            status: self.status,
        }
    }
}

fn hints(code: &str, message: &str, wanted: &WebIdentity, claims: &Claims) -> Vec<String> {
    let issuer = claims.issuer.as_deref().unwrap_or(GITHUB);
    let key = issuer.trim_start_matches("https://");
    match code {
        "AccessDenied" | "AccessDeniedException" => trust(key, claims),
        "InvalidIdentityToken" if message.contains("No OpenIDConnect provider") => vec![format!(
            "create the provider in the role's account: aws iam create-open-id-connect-provider --url {issuer} \
             --client-id-list {}",
            wanted.audience
        )],
        "InvalidIdentityToken" if message.contains("audience") => vec![format!(
            "add `{}` to the audiences (client ids) of the provider {key} in the role's account, or name the one that it \
             has with `--audience`",
            wanted.audience
        )],
        "RegionDisabledException" => vec!["activate STS for this region in the account's settings of IAM, or choose another region".into()],
        _ if message.contains("role chaining") => {
            vec!["ask for one hour, `--role-duration 1h`: portzero renews the credentials, so every wait is covered".into()]
        }
        _ if message.contains("MaxSessionDuration") || message.contains("durationSeconds") => vec![
            "ask for `--role-duration 1h`, which every role allows: portzero renews the credentials, so every wait is covered"
                .into(),
            format!(
                "or raise the role's maximum: aws iam update-role --role-name {} --max-session-duration {}",
                wanted.role.name(),
                wanted.duration.get().as_secs()
            ),
        ],
        _ => Vec::new(),
    }
}

/// What the role's trust policy must say, and where this very subject is a trap.
fn trust(key: &str, claims: &Claims) -> Vec<String> {
    let Some(subject) = &claims.subject else {
        return vec!["check that the role exists, and that its trust policy allows this repository".into()];
    };
    let audience = claims.audience.as_deref().unwrap_or("sts.amazonaws.com");
    let mut hints = vec![format!(
        "check that the role exists, and that its trust policy allows exactly `{key}:sub` = `{subject}` and `{key}:aud` = \
         `{audience}`"
    )];
    let mut traps = Vec::new();
    if has_ids(subject) {
        traps.push(
            "repositories created since 15 July 2026 have ids in the subject (`repo:org@123/repo@456:…`), which a policy \
             without them does not match"
                .to_owned(),
        );
    }
    if let Some((_, environment)) = subject.split_once(":environment:") {
        traps.push(format!(
            "the job names `environment: {environment}`, which stands in the subject in place of the branch"
        ));
    } else if subject.ends_with(":pull_request") {
        traps.push("a run for a pull request has `pull_request` in the subject in place of the branch".to_owned());
    }
    if !traps.is_empty() {
        hints.push(traps.join("; "));
    }
    hints
}

/// `repo:org@123/repo@456:…`
fn has_ids(subject: &str) -> bool {
    let repository = subject.strip_prefix("repo:").and_then(|rest| rest.split(':').next());
    repository.is_some_and(|repository| {
        repository.split('/').any(|part| {
            part.rsplit_once('@')
                .is_some_and(|(_, id)| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()))
        })
    })
}
