//! What went wrong with GitHub, and what a reader can do about it. It is a warning always: a deployment does not depend on
//! who hears of it.

use super::Origin;
use crate::aws_model::api_error::{ApiError, ApiErrorKind};
use crate::base::finding::{Code, Finding};

/// What a run wanted of GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Finding the pull request that the run belongs to.
    Seeking,
    /// Placing the comment.
    Commenting,
    /// Recording a deployment, or its status.
    Deploying,
    /// Setting a status on the commit.
    SettingStatus,
}

/// Which channels a run uses besides the comment; each needs a permission of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Deployments of the repository are written.
    pub deployment: bool,
    /// A check of the commit is written.
    pub commit_status: bool,
}

/// Something that was not done on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What was being done.
    pub doing: Doing,
    /// What GitHub answered.
    pub error: ApiError,
}

/// What a workflow has to say for a run that uses these channels. Setting one permission sets all others to none, so it
/// names those for checking out and for AWS too.
pub(crate) fn snippet(channels: Channels) -> String {
    let mut permissions = vec!["contents: read", "id-token: write", "pull-requests: write"];
    if channels.deployment {
        permissions.push("deployments: write");
    }
    if channels.commit_status {
        permissions.push("statuses: write");
    }
    format!("permissions: {{ {} }}", permissions.join(", "))
}

impl Trouble {
    /// `channels`: those that the run was asked for, whichever of them is in trouble.
    pub fn finding(&self, origin: &Origin, channels: Channels) -> Finding {
        let mut finding = Finding::warning(Code::GitHub, self.summary())
            .evidence("github", self.error.to_string())
            .state("the verdict does not depend on it");
        if let Some(hint) = self.hint(origin, channels) {
            finding = finding.hint(hint);
        }
        finding
    }

    fn summary(&self) -> &'static str {
        match self.doing {
            Doing::Seeking => "the pull request of this run was not found",
            Doing::Commenting => "the pull request has no comment about this run",
            Doing::Deploying => "GitHub has no record of this deployment",
            Doing::SettingStatus => "the commit has no status of this run",
        }
    }

    fn hint(&self, origin: &Origin, channels: Channels) -> Option<String> {
        let says = |words: &str| self.error.message.to_lowercase().contains(words);
        match (self.error.kind, self.error.status) {
            (ApiErrorKind::Credentials, _) => Some(
                "GitHub does not accept the token: the token of a job ends with the job, that of a GitHub App after one hour"
                    .to_owned(),
            ),
            (ApiErrorKind::Denied, _) if says("not accessible") => Some(self.permission_hint(origin, channels)),
            (ApiErrorKind::Denied, _) => None,
            (ApiErrorKind::NotFound, _) => self.not_found_hint(origin, channels),
            (ApiErrorKind::Throttled, _) => {
                Some("GitHub wants fewer requests for a while; the next run speaks again".to_owned())
            }
            (ApiErrorKind::Transient, Some(500..) | None) => {
                Some("GitHub did not answer as it should, see https://www.githubstatus.com; the next run speaks again".to_owned())
            }
            (_, Some(403 | 410)) if says("locked") => {
                Some("unlock the conversation of the pull request, or pass `--comment never`".to_owned())
            }
            (_, Some(422)) if says("too long") => {
                Some("deploy fewer services in one run, each run with its own `--comment-key`".to_owned())
            }
            _ => None,
        }
    }

    fn permission_hint(&self, origin: &Origin, channels: Channels) -> String {
        let snippet = snippet(self.with_own(channels));
        if origin.is_from_fork {
            "the pull request comes from a fork, so the token of this run can only read, whatever the workflow asks for"
                .to_owned()
        } else if origin.is_dependabot {
            format!("runs that Dependabot began may only read unless the job says `{snippet}`")
        } else {
            format!("give the job `{snippet}`")
        }
    }

    fn not_found_hint(&self, origin: &Origin, channels: Channels) -> Option<String> {
        if self.doing == Doing::Seeking && origin.given.is_some() && origin.is_private == Some(false) {
            return Some("`--pull-request` takes the number of a pull request of this repository".to_owned());
        }
        let snippet = snippet(self.with_own(channels));
        match origin.is_private {
            Some(false) => None,
            Some(true) => Some(format!(
                "in a private repository this is also GitHub's answer to a token without permission: give the job `{snippet}`"
            )),
            None => Some(format!(
                "if the repository is private, this is also GitHub's answer to a token without permission: give the job `{snippet}`"
            )),
        }
    }

    /// A channel in trouble is one that is used.
    fn with_own(&self, channels: Channels) -> Channels {
        Channels {
            deployment: channels.deployment || self.doing == Doing::Deploying,
            commit_status: channels.commit_status || self.doing == Doing::SettingStatus,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::finding::Hint;

    fn hint(doing: Doing, kind: ApiErrorKind, status: Option<u16>, message: &str, origin: &Origin) -> String {
        let trouble = Trouble {
            doing,
            error: ApiError {
                kind,
                action: "github:issues/create-comment",
                resource: None,
                code: None,
                message: message.to_owned(),
                request_id: None,
                status,
            },
        };
        let finding = trouble.finding(origin, Channels::default());
        assert_eq!(finding.severity, crate::base::finding::Severity::Warning);
        finding.hints.iter().map(Hint::as_str).collect::<Vec<_>>().join("; ")
    }

    fn denied(doing: Doing, origin: &Origin) -> String {
        let message = "Resource not accessible by integration";
        hint(doing, ApiErrorKind::Denied, Some(403), message, origin)
    }

    #[test]
    fn a_missing_permission_is_answered_with_what_to_write() {
        let origin = Origin::default();
        assert_eq!(
            denied(Doing::Commenting, &origin),
            "give the job `permissions: { contents: read, id-token: write, pull-requests: write }`"
        );
        assert_eq!(
            denied(Doing::Deploying, &origin),
            "give the job `permissions: { contents: read, id-token: write, pull-requests: write, deployments: write }`"
        );
        assert_eq!(
            denied(Doing::SettingStatus, &origin),
            "give the job `permissions: { contents: read, id-token: write, pull-requests: write, statuses: write }`"
        );
    }

    #[test]
    fn the_snippet_names_every_channel_of_the_run() {
        let both = Channels {
            deployment: true,
            commit_status: true,
        };
        assert!(snippet(both).ends_with("deployments: write, statuses: write }"));
    }

    #[test]
    fn a_fork_is_not_told_to_ask_for_what_it_cannot_get() {
        let fork = Origin {
            is_from_fork: true,
            ..Origin::default()
        };
        assert!(!denied(Doing::Commenting, &fork).contains("permissions:"));
        let dependabot = Origin {
            is_dependabot: true,
            ..Origin::default()
        };
        assert!(denied(Doing::Commenting, &dependabot).starts_with("runs that Dependabot began may only read unless"));
    }

    #[test]
    fn a_404_is_a_missing_permission_only_where_that_can_be() {
        let seen = |is_private| {
            let origin = Origin {
                is_private,
                ..Origin::default()
            };
            hint(
                Doing::Commenting,
                ApiErrorKind::NotFound,
                Some(404),
                "Not Found",
                &origin,
            )
        };
        assert!(seen(Some(true)).starts_with("in a private repository this is also"));
        assert!(seen(None).starts_with("if the repository is private"));
        assert_eq!(seen(Some(false)), "");
    }

    #[test]
    fn every_hint_is_about_its_own_failure() {
        let origin = Origin::default();
        let hint = |kind, status, message: &str| hint(Doing::Commenting, kind, status, message, &origin);
        use ApiErrorKind::{Credentials, Denied, Refused, Throttled, Transient};
        assert!(hint(Credentials, Some(401), "Bad credentials").contains("does not accept the token"));
        assert!(hint(Refused, Some(403), "Unable to create comment because issue is locked.").starts_with("unlock"));
        let long = "Validation Failed: Body is too long (maximum is 65536 characters)";
        assert!(hint(Refused, Some(422), long).contains("--comment-key"));
        assert!(hint(Throttled, Some(403), "secondary rate limit").contains("fewer requests"));
        assert!(hint(Transient, None, "no answer in time").contains("githubstatus"));
        assert_eq!(
            hint(Denied, Some(403), "Resource protected by organization SAML enforcement"),
            ""
        );
        assert_eq!(hint(Refused, Some(409), "Conflict"), "");
    }
}
