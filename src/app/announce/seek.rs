//! Which pull request a run belongs to. GitHub's index of commits lags behind a merge, so an empty answer is asked for
//! again; and what it answers is a list of candidates, not of results.

use std::time::Duration;

use portzero_core::base::time::Moment;
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, Clock, PullRequests};
use portzero_core::pull_request::{Doing, Origin, Trouble, choose};

use crate::app::announce::tries::{pause, trouble};

/// Right after a squash merge the index has been seen empty for some seconds.
const WAITS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];
/// A push of more commits than this is no rebased pull request that anybody reads.
const COMMITS_MAX: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    Found(u64),
    /// In words that end a sentence about why there is no comment.
    None {
        reason: String,
    },
}

/// Finds the pull request, within the budget.
///
/// # Errors
/// Where GitHub could not be asked, or answers as it does where a permission is missing.
pub async fn pull_request<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    origin: &Origin,
    budget: Duration,
) -> Result<Sought, Trouble> {
    let deadline = clock.now() + budget;
    github_channel.give_up_at(deadline);
    seek(github_channel, clock, origin, deadline)
        .await
        .map_err(trouble(Doing::Seeking))
}

async fn seek<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    origin: &Origin,
    deadline: Moment,
) -> ApiResult<Sought> {
    if let Some(number) = origin.given {
        // Issues take comments too: what was named must be a pull request.
        return Ok(Sought::Found(github_channel.pull_request(number).await?.number));
    }
    if let Some(number) = choose::by_event(origin) {
        return Ok(Sought::Found(number));
    }
    if !origin.has_arrived() {
        return Ok(Sought::None {
            reason: no_event(origin),
        });
    }
    let found = match by_arrival(github_channel, clock, origin, deadline).await? {
        None => by_earlier_commits(github_channel, clock, origin, deadline).await?,
        found => found,
    };
    Ok(found.map_or_else(
        || Sought::None {
            reason: no_merge(origin),
        },
        Sought::Found,
    ))
}

/// By the pushed commit itself. The message is asked in every round too: it costs one request, its answer is certain, and
/// it is there before the index knows the commit.
async fn by_arrival<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    origin: &Origin,
    deadline: Moment,
) -> ApiResult<Option<u64>> {
    let named = origin.head_message.as_deref().and_then(choose::number_in_message);
    let waits = if origin.is_push() { &WAITS[..] } else { &WAITS[..1] };
    let mut unanswered = None;
    for wait in waits {
        if !pause(clock, *wait, deadline).await {
            break;
        }
        match candidate(github_channel, origin, &origin.sha).await {
            Ok(None) => unanswered = None,
            Ok(found) => return Ok(found),
            Err(error) if is_lag(&error) => unanswered = Some(error),
            Err(error) => return Err(error),
        }
        if let Some(number) = named
            && is_the_merge(github_channel, number, &origin.sha).await?
        {
            return Ok(Some(number));
        }
    }
    match unanswered {
        // The repository itself is not seen: no lag lasts through all the rounds with this answer.
        Some(error) if error.kind == ApiErrorKind::NotFound => Err(error),
        _ => Ok(None),
    }
}

/// A rebase merge, or several merges in one push.
async fn by_earlier_commits<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    origin: &Origin,
    deadline: Moment,
) -> ApiResult<Option<u64>> {
    let earlier = origin.commits.iter().filter(|commit| **commit != origin.sha);
    for commit in earlier.take(COMMITS_MAX) {
        if clock.now() >= deadline {
            break;
        }
        match candidate(github_channel, origin, commit).await {
            Ok(None) => {}
            Ok(found) => return Ok(found),
            Err(error) if is_lag(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn candidate<H: PullRequests>(github_channel: &H, origin: &Origin, commit: &str) -> ApiResult<Option<u64>> {
    let candidates = github_channel.pull_requests_of(commit).await?;
    Ok(choose::merged(&candidates, commit, origin.ref_name.as_deref()).map(|chosen| chosen.number))
}

/// A commit message is anybody's text: the pull request must say itself that this commit is its merge.
async fn is_the_merge<H: PullRequests>(github_channel: &H, number: u64, sha: &str) -> ApiResult<bool> {
    match github_channel.pull_request(number).await {
        Ok(named) => Ok(choose::is_merge_of(&named, sha)),
        Err(error) if error.kind == ApiErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What GitHub says of a commit that its index does not have yet.
fn is_lag(error: &ApiError) -> bool {
    error.kind == ApiErrorKind::NotFound || error.status == Some(422)
}

fn no_event(origin: &Origin) -> String {
    match (&origin.event_error, origin.event.as_str()) {
        (Some(error), _) => format!("the event of this run cannot be read ({error}); `--pull-request` names one"),
        (None, "") => "this is no workflow run; `--pull-request` names one".to_owned(),
        (None, event) => format!("an event `{event}` belongs to no pull request; `--pull-request` names one"),
    }
}

fn no_merge(origin: &Origin) -> String {
    let short: String = origin.sha.chars().take(7).collect();
    match &origin.ref_name {
        Some(name) => format!("no merged pull request has brought {short} to `{name}`"),
        None => format!("no merged pull request has brought {short}"),
    }
}
