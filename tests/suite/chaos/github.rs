//! The same of GitHub, which decides nothing: a call fails soon, and as one that may be tried again.

use std::time::{Duration, Instant};

use portzero::adapters::github::{Client, Context};
use portzero_core::port::{ApiErrorKind, PullRequests};

use super::all;
use super::stand_in::{Mode, Since, Strike, between};
use crate::support::github::{GitHub, TOKEN};
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
