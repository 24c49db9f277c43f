//! What a workflow run is about, and the command that this asks for where nobody names one. docs/events.md has the same
//! table for people; a test holds the two together.

/// The commits that arrived, the pull request, or whatever else made GitHub begin the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Outside a workflow, or the event has no name.
    Nowhere,
    /// Commits or a tag have reached the repository.
    Push,
    /// A branch or a tag was deleted.
    Deletion,
    /// Somebody, a timetable or another program asks for a run of what is there: the event's name.
    Request(String),
    /// A pull request that is not merged, or something said in it: the event's name.
    Proposal(String),
    /// A pull request was closed by its merge.
    Merge,
    /// A pull request was closed without a merge.
    Withdrawal,
    /// Another run that did not succeed: how it ended, where it has ended.
    Failed(Option<String>),
    /// Another run, of a fork: strangers decide what is in it.
    Stranger,
    /// Another run that succeeded, and what that one was about.
    Followed(Box<Occasion>),
    /// An event that is in no list here: its name.
    Unknown(String),
}

/// What a run does where the workflow names no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultCommand {
    /// What the run is about has arrived.
    Deploy,
    /// It has not, or nobody knows.
    Plan,
    /// There is nothing to do, which is no failure.
    Nothing,
}

/// What the text of an event says that its name does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventDetail {
    /// `closed`, `published`, …
    pub action: Option<String>,
    /// The pull request is merged.
    pub is_merged: bool,
    /// The push deleted its branch or tag.
    pub is_deletion: bool,
    /// The run that a `workflow_run` event tells of.
    pub followed: Option<FollowedRun>,
}

/// The run that a `workflow_run` event tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedRun {
    /// The event that it ran for.
    pub event: String,
    /// `None` while it runs.
    pub conclusion: Option<String>,
    /// Its commit comes from another repository.
    pub is_from_fork: bool,
}

impl Occasion {
    /// From the event's name and its text.
    pub fn of(event: &str, detail: &EventDetail) -> Self {
        let name = event.to_owned();
        match event {
            "" => Self::Nowhere,
            "push" if detail.is_deletion => Self::Deletion,
            "push" => Self::Push,
            "workflow_dispatch" | "repository_dispatch" | "schedule" | "deployment" => Self::Request(name),
            "release" if detail.is_published() => Self::Request(name),
            "pull_request" | "pull_request_target" if detail.is("closed") => {
                if detail.is_merged {
                    Self::Merge
                } else {
                    Self::Withdrawal
                }
            }
            "pull_request"
            | "pull_request_target"
            | "pull_request_review"
            | "pull_request_review_comment"
            | "issue_comment"
            | "merge_group" => Self::Proposal(name),
            "workflow_run" => detail.followed.as_ref().map_or(Self::Unknown(name), Self::after),
            _ => Self::Unknown(name),
        }
    }

    fn after(run: &FollowedRun) -> Self {
        match run.conclusion.as_deref() {
            // What a pull request's checks ran for is planned by whoever asks for it, and a failed run is no arrival.
            Some("success") if run.event.starts_with("pull_request") || !run.is_from_fork => {
                Self::Followed(Box::new(Self::of(&run.event, &EventDetail::default())))
            }
            Some("success") => Self::Stranger,
            conclusion => Self::Failed(conclusion.map(str::to_owned)),
        }
    }

    /// The one decision. What is in no list is planned: a plan changes nothing.
    pub fn default_command(&self) -> DefaultCommand {
        match self {
            Self::Push | Self::Request(_) | Self::Merge => DefaultCommand::Deploy,
            Self::Deletion | Self::Withdrawal | Self::Failed(_) => DefaultCommand::Nothing,
            Self::Nowhere | Self::Proposal(_) | Self::Stranger | Self::Unknown(_) => DefaultCommand::Plan,
            Self::Followed(about) => about.default_command(),
        }
    }

    /// Why, in one line.
    pub fn reason(&self) -> String {
        match self {
            Self::Nowhere => "no event is known, and what is not known is only planned".into(),
            Self::Push => "the event is push".into(),
            Self::Deletion => "the push deleted its branch or tag".into(),
            Self::Request(name) => format!("the event is {name}"),
            Self::Proposal(name) => format!("the event is {name}, and what is not merged is not deployed"),
            Self::Merge => "the pull request was merged".into(),
            Self::Withdrawal => "the pull request was closed without a merge".into(),
            Self::Failed(Some(conclusion)) => format!("the run that this one follows ended with {conclusion}"),
            Self::Failed(None) => "the run that this one follows has not ended".into(),
            Self::Stranger => "the run that this one follows is of a fork, and is only planned".into(),
            Self::Followed(about) => format!(
                "the run that this one follows succeeded; of that one, {}",
                about.reason()
            ),
            Self::Unknown(name) => format!("the event is {name}, and an event without a rule is only planned"),
        }
    }
}

impl EventDetail {
    fn is(&self, action: &str) -> bool {
        self.action.as_deref() == Some(action)
    }

    /// A release is there for everybody; a draft, an edit and a deletion are not.
    fn is_published(&self) -> bool {
        ["published", "released", "prereleased"]
            .iter()
            .any(|action| self.is(action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(event: &str, conclusion: Option<&str>, is_from_fork: bool) -> Occasion {
        let followed = FollowedRun {
            event: event.into(),
            conclusion: conclusion.map(str::to_owned),
            is_from_fork,
        };
        let detail = EventDetail {
            followed: Some(followed),
            ..EventDetail::default()
        };
        Occasion::of("workflow_run", &detail)
    }

    #[test]
    fn only_a_run_that_succeeded_for_something_merged_leads_to_a_deployment() {
        for event in [
            "push",
            "schedule",
            "pull_request",
            "merge_group",
            "workflow_run",
            "odd",
            "",
        ] {
            for conclusion in [
                None,
                Some("failure"),
                Some("cancelled"),
                Some("skipped"),
                Some("Success"),
            ] {
                assert_eq!(
                    following(event, conclusion, false).default_command(),
                    DefaultCommand::Nothing
                );
            }
            let deploys = following(event, Some("success"), false).default_command() == DefaultCommand::Deploy;
            assert_eq!(deploys, ["push", "schedule"].contains(&event), "{event}");
            assert_eq!(
                following(event, Some("success"), true).default_command(),
                DefaultCommand::Plan
            );
        }
    }

    #[test]
    fn s04_nothing_that_a_fork_has_run_is_deployed() {
        // Everything that begins a run of a workflow, and so can be followed by another one.
        let events = "branch_protection_rule check_run check_suite create delete deployment deployment_status discussion \
                      discussion_comment fork gollum image_version issue_comment issues label merge_group milestone \
                      page_build public pull_request pull_request_review pull_request_review_comment \
                      pull_request_target push registry_package release repository_dispatch schedule status watch \
                      workflow_call workflow_dispatch workflow_run";
        for event in events.split_whitespace() {
            for conclusion in [None, Some("success"), Some("failure"), Some("neutral"), Some("")] {
                let command = following(event, conclusion, true).default_command();
                assert_ne!(command, DefaultCommand::Deploy, "{event} {conclusion:?}");
            }
        }
    }

    #[test]
    fn a_name_that_nobody_has_listed_is_planned() {
        for name in [
            "",
            "fork",
            "PUSH",
            "push ",
            "pull_request_foo",
            "workflow_run",
            "release",
        ] {
            let occasion = Occasion::of(name, &EventDetail::default());
            assert_eq!(occasion.default_command(), DefaultCommand::Plan, "{name}");
        }
    }
}
