//! The one comment of a pull request that is this run's: found, written, and cleared of its doubles.

use std::time::Duration;

use portzero_core::base::time::Moment;
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, Clock, PullRequests};
use portzero_core::pull_request::sticky::{Decision, Step};
use portzero_core::pull_request::{Comment, Doing, Mark, Trouble, sticky};

use crate::app::announce::tries::{BEFORE_ANOTHER_POST, is_ambiguous, pause, trouble};

/// Whose comments are taken for our own where GitHub does not say who we are: the token that every job has.
pub const FALLBACK_LOGIN: &str = "github-actions[bot]";

/// How often the list is read anew because what it said is no longer so.
const ROUNDS_MAX: usize = BEFORE_ANOTHER_POST.len() + 1;

/// What became of the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub id: u64,
    /// Where people read it.
    pub url: String,
    pub outcome: Outcome,
    /// What went wrong after the comment was in its place: a double of our own that is still there.
    pub untidy: Option<ApiError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created,
    Edited,
    /// It said exactly this already.
    Unchanged,
    /// A newer run has spoken, so this one keeps silent.
    Outdated,
}

impl Placed {
    fn new(comment: &Comment, outcome: Outcome) -> Self {
        Self {
            id: comment.id,
            url: comment.url.clone(),
            outcome,
            untidy: None,
        }
    }
}

/// Creates or edits the comment, within the budget. `text` goes between the mark's two lines.
///
/// # Errors
/// Where the comment does not say this in the end, and no newer run's instead.
pub async fn comment<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    number: u64,
    mark: &Mark,
    text: &str,
    budget: Duration,
) -> Result<Placed, Trouble> {
    let deadline = clock.now() + budget;
    github_channel.give_up_at(deadline);
    let body = mark.around(text);
    let place = Place {
        github_channel,
        number,
        mark,
        body: &body,
    };
    place.put(clock, deadline).await.map_err(trouble(Doing::Commenting))
}

struct Place<'a, H> {
    github_channel: &'a H,
    number: u64,
    mark: &'a Mark,
    body: &'a str,
}

impl<H: PullRequests> Place<'_, H> {
    async fn put<C: Clock>(&self, clock: &C, deadline: Moment) -> ApiResult<Placed> {
        let login = self.own_login().await?;
        let mut round = 0;
        loop {
            let comments = self.github_channel.comments(self.number).await?;
            let decision = sticky::decide(&comments, &login, self.mark, self.body);
            let is_edit = matches!(decision.step, Step::Edit(_));
            let error = match self.carry_out(decision, &login).await {
                Ok(placed) => return Ok(placed),
                Err(error) => error,
            };
            // Either somebody has deleted what was to be edited, or nobody knows whether the comment was created: in both
            // cases the list knows, and nothing is posted before it has been read again.
            let is_worth_a_look = is_ambiguous(&error) || is_edit && error.kind == ApiErrorKind::NotFound;
            round += 1;
            if !is_worth_a_look || round >= ROUNDS_MAX || !pause(clock, BEFORE_ANOTHER_POST[round - 1], deadline).await
            {
                return Err(error);
            }
        }
    }

    async fn carry_out(&self, decision: Decision<'_>, login: &str) -> ApiResult<Placed> {
        let mut placed = match decision.step {
            Step::Create => {
                let created = self.github_channel.create_comment(self.number, self.body).await?;
                return Ok(self.settle(created, login).await);
            }
            Step::Edit(kept) => Placed::new(
                &self.github_channel.edit_comment(kept.id, self.body).await?,
                Outcome::Edited,
            ),
            Step::Unchanged(kept) => Placed::new(kept, Outcome::Unchanged),
            Step::Outdated(newer) => Placed::new(newer, Outcome::Outdated),
        };
        placed.untidy = self.tidy(&decision.duplicates).await;
        Ok(placed)
    }

    /// Another run may have created its own in the same moment: after both have looked again, the older one is left.
    async fn settle(&self, created: Comment, login: &str) -> Placed {
        let mut placed = Placed::new(&created, Outcome::Created);
        // The answer knows better who we are.
        let login = created.author.as_deref().unwrap_or(login);
        let comments = match self.github_channel.comments(self.number).await {
            Ok(comments) => comments,
            Err(error) => {
                placed.untidy = Some(error);
                return placed;
            }
        };
        let decision = sticky::decide(&comments, login, self.mark, self.body);
        match decision.step {
            // Not in the list yet.
            Step::Create => return placed,
            Step::Unchanged(kept) if kept.id == created.id => {}
            Step::Unchanged(kept) => placed = Placed::new(kept, Outcome::Unchanged),
            Step::Outdated(newer) => placed = Placed::new(newer, Outcome::Outdated),
            Step::Edit(kept) => match self.github_channel.edit_comment(kept.id, self.body).await {
                Ok(edited) => placed = Placed::new(&edited, Outcome::Edited),
                // The new one is then the only one that says so: it stays.
                Err(error) => {
                    placed.untidy = Some(error);
                    return placed;
                }
            },
        }
        placed.untidy = self.tidy(&decision.duplicates).await;
        placed
    }

    /// Deletes them all, and comes back with the last failure. One that is gone has been deleted by the other run.
    async fn tidy(&self, duplicates: &[u64]) -> Option<ApiError> {
        let mut failure = None;
        for id in duplicates {
            match self.github_channel.delete_comment(*id).await {
                Err(error) if error.kind != ApiErrorKind::NotFound => failure = Some(error),
                _ => {}
            }
        }
        failure
    }

    async fn own_login(&self) -> ApiResult<String> {
        match self.github_channel.own_login().await {
            Err(error) if error.kind == ApiErrorKind::Credentials => Err(error),
            // A wrong guess is found out by the first comment that is created.
            Err(_) => Ok(FALLBACK_LOGIN.to_owned()),
            login => login,
        }
    }
}
