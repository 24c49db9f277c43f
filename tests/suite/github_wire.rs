//! The port on the wire: what every request carries, what is repeated, and where a token does not go.

use std::time::Duration;

use portzero::adapters::github::{Client, Context};
use portzero_core::port::{ApiErrorKind, PullRequests};

use crate::support::command::scrubbed;
use crate::support::github::{Fault, GitHub, LOGIN, Pull, Route, TOKEN};
use crate::support::{VirtualClock, run};

fn opened(context: &Context, token: &str) -> Result<(), String> {
    let clock = VirtualClock::default();
    run(async { Client::open(context, token, &clock) })
        .map(drop)
        .map_err(|finding| finding.summary)
}

#[test]
fn every_request_says_who_asks_and_in_which_version() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    run(async {
        let client = github.client(&clock);
        client.own_login().await.expect("a login");
        client.comments(7).await.expect("comments");
        client.create_comment(7, "hello").await.expect("a comment");
    });
    for request in github.requests() {
        assert_eq!(
            request.header("user-agent"),
            [concat!("portzero/", env!("CARGO_PKG_VERSION"))]
        );
        assert_eq!(request.header("authorization"), [format!("Bearer {TOKEN}")]);
        assert_eq!(request.header("accept"), ["application/vnd.github+json"]);
        assert_eq!(request.header("x-github-api-version"), ["2022-11-28"]);
    }
}

#[test]
fn an_enterprise_server_is_asked_at_both_its_addresses() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    let context = Context {
        api_url: format!("{}/api/v3", github.url),
        graphql_url: format!("{}/api/graphql", github.url),
        ..github.context()
    };
    run(async {
        let client = Client::open(&context, TOKEN, &clock).expect("a client");
        assert_eq!(client.own_login().await.expect("a login"), LOGIN);
        client.comments(7).await.expect("comments");
    });
    let paths: Vec<String> = github.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(
        paths,
        [
            "/api/graphql",
            "/api/v3/repos/acme/shop/issues/7/comments?per_page=100&page=1"
        ]
    );
}

#[test]
fn what_is_the_same_twice_is_repeated_and_a_post_is_not() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    let id = github.comment(7, LOGIN, "hello");
    for route in [
        Route::ListComments,
        Route::EditComment,
        Route::DeleteComment,
        Route::CreateComment,
    ] {
        github.fail(route, Fault::html(502));
        github.fail(route, Fault::hang_up());
    }
    run(async {
        let client = github.client(&clock);
        client.comments(7).await.expect("the third answer");
        client.edit_comment(id, "hello again").await.expect("the third answer");
        client.delete_comment(id).await.expect("the third answer");
        let lost = client.create_comment(7, "hello").await.expect_err("one try");
        assert_eq!(lost.kind, ApiErrorKind::Transient);
    });
    use Route::{CreateComment, DeleteComment, EditComment, ListComments};
    let counts = [ListComments, EditComment, DeleteComment, CreateComment].map(|route| github.count(route));
    assert_eq!(counts, [3, 3, 3, 1]);
    // Half a second and a second, each with the upper half left to chance.
    let slept = clock.slept.borrow();
    assert_eq!(slept.len(), 6);
    for pair in slept.chunks(2) {
        assert!((250..=500).contains(&pair[0].as_millis()), "{pair:?}");
        assert!((500..=1000).contains(&pair[1].as_millis()), "{pair:?}");
    }
}

#[test]
fn a_read_is_not_repeated_for_ever() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    for _ in 0..9 {
        github.fail(Route::ListComments, Fault::html(502));
    }
    let error = run(async { github.client(&clock).comments(7).await }).expect_err("a bad day");
    assert_eq!(
        error.to_string(),
        "github:issues/list-comments on acme/shop#7: HTTP 502: `<html><title>Unicorn!</title>\
         <body>This page is taking too long to load.</body></html>`"
    );
    assert_eq!(github.count(Route::ListComments), 3);
}

#[test]
fn a_deadline_ends_the_repetitions() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    for _ in 0..3 {
        github.fail(Route::ListComments, Fault::limited(20));
    }
    let error = run(async {
        let client = github.client(&clock);
        client.give_up_at(portzero_core::base::time::Moment::from_millis(30_000));
        client.comments(7).await
    });
    assert_eq!(error.expect_err("limited").kind, ApiErrorKind::Throttled);
    assert_eq!(*clock.slept.borrow(), [Duration::from_secs(20)]);
}

#[test]
fn nobody_is_there() {
    let clock = VirtualClock::default();
    let context = Context {
        api_url: "http://127.0.0.1:1".to_owned(),
        ..GitHub::start().context()
    };
    let error = run(async {
        let client = Client::open(&context, TOKEN, &clock).expect("a client");
        client.pull_request(7).await
    });
    let error = error.expect_err("nobody");
    assert_eq!(error.kind, ApiErrorKind::Transient);
    assert!(error.message.starts_with("cannot connect: "), "{error}");
}

#[test]
fn a_token_is_not_sent_where_others_could_read_it() {
    let github = GitHub::start();
    let at = |api_url: &str| Context {
        api_url: api_url.to_owned(),
        ..github.context()
    };
    let refused = opened(&at("http://git.acme.test/api/v3"), TOKEN).expect_err("no TLS");
    assert!(refused.contains("must be at an https address"), "{refused}");
    let elsewhere = Context {
        graphql_url: "http://git.acme.test/api/graphql".to_owned(),
        ..github.context()
    };
    assert!(opened(&elsewhere, TOKEN).is_err());
    assert!(
        opened(&github.context(), "")
            .expect_err("none")
            .contains("there is no token")
    );
    let odd = opened(&github.context(), "ghp_\u{7}bell").expect_err("no token");
    assert!(!odd.contains("ghp_"), "{odd}");
}

#[test]
fn a_redirect_to_another_host_does_not_take_the_token_along() {
    let (github, elsewhere) = (GitHub::start(), GitHub::start());
    let clock = VirtualClock::default();
    let target = elsewhere.url.replace("127.0.0.1", "localhost");
    github.fail(
        Route::Pull,
        Fault::redirect(&format!("{target}/repos/acme/shop/pulls/7")),
    );
    elsewhere.associate("x", &[Pull::open(7, "main", "x")]);
    let error = run(async { github.client(&clock).pull_request(7).await }).expect_err("without a token");
    assert_eq!(error.kind, ApiErrorKind::Credentials);
    let asked = elsewhere.requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].header("authorization").is_empty());
}

/// The environment is that of a whole program, so this test starts itself again with one of its own.
#[test]
fn the_proxy_of_the_environment_is_asked_but_not_for_this_machine() {
    const CHILD: &str = "PORTZERO_TEST_BEHIND_A_PROXY";
    let github = GitHub::start();
    if std::env::var_os(CHILD).is_some() {
        let away = Context {
            api_url: "https://git.acme.test/api/v3".to_owned(),
            ..github.context()
        };
        let clock = VirtualClock::default();
        run(async {
            // The token must not go over the wire unencrypted, not even to a proxy.
            github.client(&clock).comments(7).await.expect("no proxy in between");
            let client = Client::open(&away, TOKEN, &clock).expect("a client");
            client.comments(7).await.expect_err("this proxy connects nobody");
        });
        return;
    }
    let child = scrubbed(std::env::current_exe().expect("a path"))
        .args([
            "--exact",
            "github_wire::the_proxy_of_the_environment_is_asked_but_not_for_this_machine",
        ])
        .env(CHILD, "1")
        .env("https_proxy", &github.url)
        .env("http_proxy", &github.url)
        .output()
        .expect("the tests run");
    assert!(child.status.success(), "{child:?}");
    let asked: Vec<String> = github
        .requests()
        .into_iter()
        .map(|r| format!("{} {}", r.method, r.path))
        .collect();
    assert_eq!(asked, ["CONNECT git.acme.test:443"; 3]);
}
