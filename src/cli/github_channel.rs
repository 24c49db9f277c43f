//! Whether anything is told on GitHub, as flags and surroundings have it.

use portzero_core::base::finding::{Code, Finding};
use portzero_core::pull_request::{Channels, Key};

use crate::adapters::clock::SystemClock;
use crate::adapters::github::{Client, Context};
use crate::app::announce::github_channel::{GithubChannel, Line};
use crate::cli::options::{Commenting, Telling};

pub(super) type GitHub = GithubChannel<Client<SystemClock>, SystemClock>;

/// `None` where nothing is to be told there. `key` and `environment` are those of the configuration.
///
/// # Errors
/// Why nothing can be told, although it was asked for: a warning.
pub(super) fn open(
    telling: &Telling,
    context: Option<&Context>,
    (key, environment): (String, String),
    is_rehearsal: bool,
) -> Result<Option<GitHub>, Finding> {
    let comments = match telling.comment {
        Commenting::Never => false,
        Commenting::Always => true,
        Commenting::Auto => context.is_some() && !is_rehearsal,
    };
    let channels = Channels {
        deployment: telling.github_deployment && !is_rehearsal,
        commit_status: telling.commit_status && !is_rehearsal,
    };
    if !comments && !channels.deployment && !channels.commit_status {
        return Ok(None);
    }
    let Some(context) = context else {
        return Err(unable("no GitHub repository is known").hint("set GITHUB_REPOSITORY, as GitHub Actions does"));
    };
    let Some(token) = telling.token() else {
        // By default it is an offer, which a step without a token turns down.
        let is_wanted = telling.comment == Commenting::Always || channels != Channels::default();
        let why = unable("there is no token for GitHub's API");
        let why = why.hint("pass --github-token, or set GITHUB_TOKEN: ${{ github.token }}");
        return if is_wanted { Err(why) } else { Ok(None) };
    };
    let key = telling.comment_key.clone().unwrap_or(key);
    let key = Key::new(key).map_err(|why| unable(&format!("the key of the comment {why}")))?;
    let client = Client::open(context, &token, SystemClock)?;
    Ok(Some(GithubChannel::new(Line {
        client,
        clock: SystemClock,
        origin: context.origin.clone(),
        run_url: context.run_url.clone(),
        key,
        environment,
        comments,
        channels,
    })))
}

fn unable(why: &str) -> Finding {
    Finding::warning(Code::GitHub, format!("nothing is told on GitHub: {why}"))
}
