//! The same of GitHub, which decides nothing: a call fails soon, and as one that may be tried again.

use std::time::{Duration, Instant};

use portzero::adapters::github::{Client, Context};
use portzero_core::port::{ApiErrorKind, PullRequests};

use super::all;
use super::stand_in::{Mode, Since, Strike, between};
use crate::support::github::{Fault, GitHub, Route, TOKEN};
use crate::support::program::{portzero, said};
use crate::support::{VirtualClock, run};

const MODES: [Mode; 7] = [
    Mode::Floods,
    Mode::Closes,
    Mode::HalfAHead,
    Mode::HalfABody,
    Mode::TooShort,
    Mode::Empty,
    Mode::NoHttp,
];
/// Three tries, each of which takes at most fifteen seconds by itself: here each ends long before.
const WITHIN: Duration = Duration::from_secs(20);

fn against(mode: Mode) -> Option<String> {
    let strike = Strike {
        operation: "",
        mode,
        since: Since::Start,
    };
    let stand_in = between("127.0.0.1:9", Some(strike));
    let context = Context {
        api_url: stand_in.url,
        ..GitHub::start().context()
    };
    let (clock, begun) = (VirtualClock::default(), Instant::now());
    let error = run(async {
        let client = Client::open(&context, TOKEN, &clock).expect("a loopback address");
        client.comments(7).await
    });
    match error {
        Ok(comments) => Some(format!("{comments:?}")),
        Err(error) if error.kind != ApiErrorKind::Transient => Some(format!("{error:?}")),
        Err(_) if begun.elapsed() > WITHIN => Some(format!("it took {:?}", begun.elapsed())),
        Err(_) => None,
    }
}

#[test]
fn s10_whatever_github_answers_the_call_ends_in_time_and_may_be_tried_again() {
    let wrong = all(&MODES, |mode| against(*mode).map(|wrong| format!("{mode:?}: {wrong}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the end of a run is held up for, and a machine that does other things beside it.
const END: Duration = Duration::from_secs(20 + 5);

#[test]
fn s10_a_github_that_keeps_silent_holds_the_end_of_a_run_for_twenty_seconds_at_most() {
    let (github, folder) = (GitHub::start(), tempfile::tempdir().expect("a folder"));
    for route in [Route::Pull, Route::GraphQl, Route::ListComments] {
        (0..9).for_each(|_| github.fail(route, Fault::silence()));
    }
    let mut run = portzero(folder.path());
    run.args("rehearse --dry-run --cluster demo --service web --image web=example/web:2".split(' '))
        .args("--comment always --pull-request 7".split(' '))
        .envs(github.variables());
    let begun = Instant::now();
    let said = said(&mut run);
    assert!(begun.elapsed() < END, "it took {:?}", begun.elapsed());
    assert_eq!(said.code, Some(0), "nothing depends on it: {said:#?}");
    assert!(said.stderr.contains("warning[github]"), "{said:#?}");
}
