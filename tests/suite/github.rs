//! The sticky comment: one per key, our own, edited in place, whatever goes wrong on the way.

use std::time::Duration;

use portzero::app::announce;
use portzero::app::announce::{Outcome, Placed};
use portzero_core::port::ApiErrorKind;
use portzero_core::pull_request::{Key, Mark, RunStamp, Trouble};

use crate::support::github::{Fault, GitHub, LOGIN, Route, TOKEN};
use crate::support::{VirtualClock, run};

const MINUTE: Duration = Duration::from_secs(60);

pub fn mark(key: &str, run_id: u64) -> Mark {
    Mark {
        key: Key::new(key).expect("a key"),
        run: RunStamp {
            run_id,
            attempt: 1,
            sha: "c0ffee".to_owned(),
            state: "succeeded".to_owned(),
        },
    }
}

fn place_within(github: &GitHub, clock: &VirtualClock, run_id: u64, budget: Duration) -> Result<Placed, Trouble> {
    run(async {
        let client = github.client(clock);
        announce::comment(&client, &clock, 7, &mark("staging", run_id), "hello", budget).await
    })
}

fn place(github: &GitHub, run_id: u64) -> Placed {
    place_within(github, &VirtualClock::default(), run_id, MINUTE).expect("a comment")
}

fn trouble(github: &GitHub) -> Trouble {
    place_within(github, &VirtualClock::default(), 5, MINUTE).expect_err("no comment")
}

fn bodies(github: &GitHub) -> Vec<String> {
    github.comments(7).into_iter().map(|comment| comment.body).collect()
}

#[test]
fn the_second_run_edits_the_comment_of_the_first() {
    let github = GitHub::start();
    let first = place(&github, 5);
    assert_eq!(first.outcome, Outcome::Created);
    let second = place(&github, 6);
    assert_eq!((second.outcome, second.id), (Outcome::Edited, first.id));
    assert_eq!(
        second.url,
        format!("https://github.com/acme/shop/pull/7#issuecomment-{}", first.id)
    );
    assert_eq!(bodies(&github), [mark("staging", 6).around("hello")]);
}

#[test]
fn another_key_is_another_comment() {
    let github = GitHub::start();
    github.comment(7, LOGIN, &mark("production", 9).around("hello"));
    assert_eq!(place(&github, 5).outcome, Outcome::Created);
    assert_eq!(github.comments(7).len(), 2);
}

#[test]
fn a_comment_of_somebody_else_is_left_alone() {
    let github = GitHub::start();
    let adopted = mark("staging", 1).around("[click here](https://evil.test)");
    github.comment(7, "mallory", &adopted);
    github.comment(7, "github-actions", &adopted);
    assert_eq!(place(&github, 5).outcome, Outcome::Created);
    assert_eq!(place(&github, 6).outcome, Outcome::Edited);
    assert_eq!(bodies(&github)[..2], [adopted.clone(), adopted]);
    assert_eq!(github.comments(7).len(), 3);
}

#[test]
fn a_newer_run_is_not_overwritten() {
    let github = GitHub::start();
    let newer = mark("staging", 9).around("newer");
    github.comment(7, LOGIN, &newer);
    assert_eq!(place(&github, 5).outcome, Outcome::Outdated);
    assert_eq!(bodies(&github), [newer]);
}

#[test]
fn s15_a_stamp_of_a_run_that_cannot_be_there_yet_does_not_silence_a_run() {
    let github = GitHub::start();
    let forged = github.comment(7, LOGIN, &mark("staging", u64::MAX).around("be quiet"));
    let placed = place(&github, 20_000_000_000);
    assert_eq!((placed.outcome, placed.id), (Outcome::Edited, forged));
    assert_eq!(bodies(&github), [mark("staging", 20_000_000_000).around("hello")]);
}

#[test]
fn what_says_the_same_is_not_sent_again() {
    let github = GitHub::start();
    place(&github, 5);
    assert_eq!(place(&github, 5).outcome, Outcome::Unchanged);
    assert_eq!(github.count(Route::EditComment), 0);
}

#[test]
fn a_post_whose_answer_is_lost_leaves_one_comment() {
    for fault in [
        Fault::html(502).after(),
        Fault::hang_up().after(),
        Fault::answer(504, "time-out").after(),
    ] {
        let github = GitHub::start();
        github.fail(Route::CreateComment, fault);
        assert_eq!(place(&github, 5).outcome, Outcome::Unchanged);
        assert_eq!(github.comments(7).len(), 1);
        assert_eq!(
            (github.count(Route::CreateComment), github.count(Route::ListComments)),
            (1, 2)
        );
    }
}

#[test]
fn a_post_that_failed_is_sent_again_after_another_look() {
    let github = GitHub::start();
    github.fail(Route::CreateComment, Fault::html(502));
    assert_eq!(place(&github, 5).outcome, Outcome::Created);
    let routes: Vec<Route> = github.requests().iter().filter_map(|request| request.route).collect();
    use Route::{CreateComment, GraphQl, ListComments};
    assert_eq!(
        routes,
        [
            GraphQl,
            ListComments,
            CreateComment,
            ListComments,
            CreateComment,
            ListComments
        ]
    );
    assert_eq!(github.comments(7).len(), 1);
}

#[test]
fn a_post_is_not_tried_for_ever() {
    let github = GitHub::start();
    for _ in 0..9 {
        github.fail(Route::CreateComment, Fault::html(502));
    }
    assert_eq!(trouble(&github).error.status, Some(502));
    assert_eq!(github.count(Route::CreateComment), 3);
}

#[test]
fn another_runs_comment_between_list_and_post_leaves_one() {
    // The other run is the older one, so this one takes its comment over.
    let github = GitHub::start();
    let other = mark("staging", 4).around("hello");
    github.before(Route::CreateComment, move |world| {
        world.comment(7, LOGIN, &other);
    });
    assert_eq!(place(&github, 5).outcome, Outcome::Edited);
    assert_eq!(bodies(&github), [mark("staging", 5).around("hello")]);
}

#[test]
fn a_newer_runs_comment_between_list_and_post_wins() {
    let github = GitHub::start();
    let newer = mark("staging", 9).around("newer");
    let theirs = newer.clone();
    github.before(Route::CreateComment, move |world| {
        world.comment(7, LOGIN, &theirs);
    });
    assert_eq!(place(&github, 5).outcome, Outcome::Outdated);
    assert_eq!(bodies(&github), [newer]);
}

#[test]
fn two_runs_at_once_end_with_one_comment_of_the_newer() {
    for stale_lists in 0..3 {
        let github = GitHub::start();
        github.world().stale_lists = stale_lists;
        let clock = VirtualClock::default();
        run(async {
            let (one, other) = (github.client(&clock), github.client(&clock));
            let (older, newer) = (mark("staging", 5), mark("staging", 6));
            let clock = &&clock;
            let (older, newer) = tokio::join!(
                announce::comment(&one, clock, 7, &older, "hello", MINUTE),
                announce::comment(&other, clock, 7, &newer, "hello", MINUTE),
            );
            older.and(newer).expect("comments");
        });
        assert_eq!(bodies(&github), [mark("staging", 6).around("hello")], "{stale_lists}");
    }
}

#[test]
fn our_own_doubles_are_deleted_and_the_oldest_is_kept() {
    let github = GitHub::start();
    let first = github.comment(7, LOGIN, &mark("staging", 1).around("a"));
    github.comment(7, LOGIN, &mark("staging", 2).around("b"));
    github.comment(7, "mallory", &mark("staging", 3).around("c"));
    let placed = place(&github, 5);
    assert_eq!((placed.outcome, placed.id), (Outcome::Edited, first));
    let authors: Vec<String> = github.comments(7).into_iter().map(|comment| comment.author).collect();
    assert_eq!(authors, [LOGIN, "mallory"]);
}

#[test]
fn a_double_that_cannot_be_deleted_is_told_and_fails_nothing() {
    let github = GitHub::start();
    github.comment(7, LOGIN, &mark("staging", 1).around("a"));
    github.comment(7, LOGIN, &mark("staging", 2).around("b"));
    github.fail(Route::DeleteComment, Fault::integration());
    let placed = place(&github, 5);
    assert_eq!(placed.outcome, Outcome::Edited);
    assert_eq!(placed.untidy.expect("told").kind, ApiErrorKind::Denied);
}

#[test]
fn a_comment_that_is_deleted_before_the_edit_is_written_anew() {
    let github = GitHub::start();
    let id = github.comment(7, LOGIN, &mark("staging", 1).around("a"));
    github.before(Route::EditComment, move |world| assert!(world.delete_comment(id)));
    assert_eq!(place(&github, 5).outcome, Outcome::Created);
    assert_eq!(bodies(&github), [mark("staging", 5).around("hello")]);
}

#[test]
fn it_is_found_behind_a_thousand_others() {
    let github = GitHub::start();
    for _ in 0..1000 {
        github.comment(7, "somebody", "me too");
    }
    github.comment(7, LOGIN, &mark("staging", 1).around("a"));
    assert_eq!(place(&github, 5).outcome, Outcome::Edited);
    assert_eq!(
        (github.count(Route::ListComments), github.comments(7).len()),
        (11, 1001)
    );
}

#[test]
fn the_login_of_an_app_is_asked_for_and_a_wrong_guess_is_found_out() {
    let github = GitHub::start();
    github.world().login = "acme-deploys[bot]".to_owned();
    let mine = github.comment(7, "acme-deploys[bot]", &mark("staging", 1).around("a"));
    assert_eq!(place(&github, 5).id, mine);
    // Without an answer the job's own token is guessed at; the comment that is created then tells the truth.
    for _ in 0..3 {
        github.fail(Route::GraphQl, Fault::html(502));
    }
    let placed = place(&github, 6);
    assert_eq!((placed.id, placed.outcome), (mine, Outcome::Edited));
    assert_eq!(bodies(&github), [mark("staging", 6).around("hello")]);
}

#[test]
fn a_login_without_its_suffix_is_still_that_of_a_bot() {
    let github = GitHub::start();
    let mine = github.comment(7, LOGIN, &mark("staging", 1).around("a"));
    github.comment(7, "github-actions", &mark("staging", 1).around("a"));
    github
        .world()
        .before(Route::GraphQl, |world| world.login = "github-actions".to_owned());
    github
        .world()
        .before(Route::ListComments, |world| world.login = LOGIN.to_owned());
    assert_eq!(place(&github, 5).id, mine);
}

#[test]
fn a_limit_is_waited_for_where_it_is_short() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    github.fail(Route::CreateComment, Fault::limited(20));
    let placed = place_within(&github, &clock, 5, MINUTE).expect("a comment");
    assert_eq!(placed.outcome, Outcome::Created);
    assert_eq!(*clock.slept.borrow(), [Duration::from_secs(20)]);
    assert_eq!(github.comments(7).len(), 1);
}

#[test]
fn a_limit_that_is_long_or_beyond_the_deadline_is_not_waited_for() {
    for (seconds, budget) in [(31, MINUTE), (20, Duration::from_secs(15))] {
        let (github, clock) = (GitHub::start(), VirtualClock::default());
        github.fail(Route::CreateComment, Fault::limited(seconds));
        let trouble = place_within(&github, &clock, 5, budget).expect_err("no comment");
        assert_eq!(trouble.error.kind, ApiErrorKind::Throttled);
        assert!(clock.slept.borrow().is_empty());
    }
}

#[test]
fn with_little_time_left_nothing_is_repeated() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    github.fail(Route::ListComments, Fault::html(502));
    let in_haste = Duration::from_secs(3);
    assert!(place_within(&github, &clock, 5, in_haste).is_err());
    assert_eq!(github.count(Route::ListComments), 1);
    assert!(clock.slept.borrow().is_empty());
    // And where nothing goes wrong, it is enough.
    assert_eq!(
        place_within(&github, &clock, 5, in_haste).expect("a comment").outcome,
        Outcome::Created
    );
    assert!(place_within(&github, &clock, 5, Duration::ZERO).is_err());
}

#[test]
fn with_little_time_left_a_silent_server_is_not_waited_for_long() {
    let github = GitHub::start();
    github.fail(Route::GraphQl, Fault::silence());
    let began = std::time::Instant::now();
    let placed = place_within(&github, &VirtualClock::default(), 5, Duration::from_secs(3));
    assert_eq!(placed.expect("a comment").outcome, Outcome::Created);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn with_little_time_left_a_lost_post_is_not_looked_for() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    github.fail(Route::CreateComment, Fault::html(502));
    place_within(&github, &clock, 5, Duration::from_secs(3)).expect_err("no comment");
    assert_eq!((github.count(Route::CreateComment), clock.slept.borrow().len()), (1, 0));
}

#[test]
fn a_refusal_is_one_trouble_and_posts_nothing_more() {
    use ApiErrorKind::{Credentials, Denied, NotFound, Refused};
    for (fault, kind) in [
        (Fault::integration(), Denied),
        (Fault::answer(401, "Bad credentials"), Credentials),
        (Fault::answer(404, "Not Found"), NotFound),
        (
            Fault::answer(403, "Unable to create comment because issue is locked."),
            Refused,
        ),
        (Fault::answer(410, "This issue was deleted"), Refused),
        (Fault::answer(422, "Validation Failed"), Refused),
    ] {
        let github = GitHub::start();
        github.fail(Route::CreateComment, fault);
        assert_eq!(trouble(&github).error.kind, kind);
        assert_eq!(github.count(Route::CreateComment), 1);
    }
}

#[test]
fn a_body_that_is_too_long_is_said_in_githubs_words() {
    let github = GitHub::start();
    let clock = VirtualClock::default();
    let trouble = run(async {
        let client = github.client(&clock);
        announce::comment(&client, &&clock, 7, &mark("staging", 5), &"x".repeat(66_000), MINUTE).await
    });
    let finding = trouble
        .expect_err("no comment")
        .finding(&Default::default(), Default::default());
    assert!(
        finding.evidence[0]
            .1
            .ends_with("body is too long (maximum is 65536 characters)"),
        "{finding:?}"
    );
    assert_eq!(
        finding.hints,
        ["deploy fewer services in one run, each run with its own `--comment-key`"]
    );
}

#[test]
fn the_token_is_in_no_error() {
    let github = GitHub::start();
    github.fail(
        Route::CreateComment,
        Fault::answer(403, &format!("Bearer {TOKEN} may not")),
    );
    let trouble = trouble(&github);
    assert!(trouble.error.message.contains("*** may not"), "{trouble:?}");
    assert!(!format!("{trouble:?}").contains(TOKEN));
    let clock = VirtualClock::default();
    run(async { assert!(!format!("{:?}", github.client(&clock)).contains(TOKEN)) });
}
