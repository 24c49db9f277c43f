//! Which pull request a run belongs to, asked of a GitHub whose index lags and whose commit messages lie.

use std::time::Duration;

use portzero::app::announce;
use portzero::app::announce::Sought;
use portzero_core::port::ApiErrorKind;
use portzero_core::pull_request::{Origin, Trouble};

use crate::support::github::{Fault, GitHub, Pull, Route};
use crate::support::{VirtualClock, run};

const MINUTE: Duration = Duration::from_secs(60);

fn push() -> Origin {
    Origin {
        event: "push".to_owned(),
        sha: "c0ffee0123".to_owned(),
        ref_name: Some("staging".to_owned()),
        ..Origin::default()
    }
}

fn message(text: &str) -> Origin {
    Origin {
        head_message: Some(text.to_owned()),
        ..push()
    }
}

fn seek_with(github: &GitHub, clock: &VirtualClock, origin: &Origin, budget: Duration) -> Result<Sought, Trouble> {
    run(async {
        let client = github.client(clock);
        announce::pull_request(&client, &clock, origin, budget).await
    })
}

fn seek(github: &GitHub, origin: &Origin) -> Sought {
    seek_with(github, &VirtualClock::default(), origin, MINUTE).expect("an answer")
}

fn reason(github: &GitHub, origin: &Origin) -> String {
    match seek(github, origin) {
        Sought::None { reason } => reason,
        found => panic!("{found:?}"),
    }
}

#[test]
fn the_merged_one_is_found_and_the_open_one_beside_it_is_not_taken() {
    let github = GitHub::start();
    let open = Pull::open(1, "main", "c0ffee0123");
    github.associate("c0ffee0123", &[open.clone(), Pull::merged(7, "staging", "c0ffee0123")]);
    assert_eq!(seek(&github, &push()), Sought::Found(7));
    github.associate("c0ffee0123", &[open]);
    assert_eq!(
        reason(&github, &push()),
        "no merged pull request has brought c0ffee0 to `staging`"
    );
}

#[test]
fn an_index_that_lags_is_asked_again() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    github.associate("c0ffee0123", &[Pull::merged(7, "staging", "c0ffee0123")]);
    github.world().index_lag = 1;
    github.fail(
        Route::PullsOfCommit,
        Fault::answer(422, "No commit found for SHA: c0ffee0123"),
    );
    github.fail(Route::PullsOfCommit, Fault::answer(404, "Not Found"));
    assert_eq!(seek_with(&github, &clock, &push(), MINUTE), Ok(Sought::Found(7)));
    let waits: Vec<u64> = clock.slept.borrow().iter().map(Duration::as_secs).collect();
    assert_eq!(waits, [2, 5, 10]);
}

#[test]
fn a_lag_is_not_waited_for_beyond_the_deadline() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    let sought = seek_with(&github, &clock, &push(), Duration::from_secs(4)).expect("an answer");
    assert!(matches!(sought, Sought::None { .. }));
    assert_eq!(*clock.slept.borrow(), [Duration::from_secs(2)]);
}

#[test]
fn a_404_to_the_end_is_no_lag() {
    let github = GitHub::start();
    for _ in 0..4 {
        github.fail(Route::PullsOfCommit, Fault::answer(404, "Not Found"));
    }
    let trouble = seek_with(&github, &VirtualClock::default(), &push(), MINUTE).expect_err("no access");
    let private = Origin {
        is_private: Some(true),
        ..push()
    };
    let finding = trouble.finding(&private, Default::default());
    assert_eq!(finding.code.as_str(), "github");
    assert!(finding.hints[0].ends_with("`permissions: { contents: read, id-token: write, pull-requests: write }`"));
}

#[test]
fn a_commit_message_is_believed_only_where_the_pull_request_agrees() {
    let github = GitHub::start();
    github.associate(
        "elsewhere",
        &[
            Pull::merged(8, "main", "elsewhere"),
            Pull::open(9, "staging", "c0ffee0123"),
        ],
    );
    for lie in [
        "Add (#8)",
        "Merge pull request #8 from acme/x",
        "Add (#9)",
        "Add (#404)",
    ] {
        assert!(matches!(seek(&github, &message(lie)), Sought::None { .. }), "{lie}");
    }
    github.associate("unindexed", &[Pull::merged(7, "staging", "c0ffee0123")]);
    let clock = VirtualClock::default();
    assert_eq!(
        seek_with(&github, &clock, &message("Add (#7)"), MINUTE),
        Ok(Sought::Found(7))
    );
    assert!(clock.slept.borrow().is_empty());
}

#[test]
fn a_push_of_several_commits_is_searched_from_the_newest() {
    let github = GitHub::start();
    github.associate("c1", &[Pull::merged(5, "staging", "c1")]);
    github.associate("c2", &[Pull::merged(6, "staging", "c2"), Pull::open(1, "main", "c2")]);
    let several = Origin {
        commits: ["c0ffee0123", "c3", "c2", "c1"].map(str::to_owned).to_vec(),
        ..push()
    };
    assert_eq!(seek(&github, &several), Sought::Found(6));
}

#[test]
fn a_push_of_very_many_commits_is_not_searched_to_its_end() {
    let github = GitHub::start();
    let many = Origin {
        commits: (0..50).map(|n| format!("c{n}")).collect(),
        ..push()
    };
    assert!(matches!(seek(&github, &many), Sought::None { .. }));
    assert_eq!(github.count(Route::PullsOfCommit), 4 + 10);
}

#[test]
fn what_the_event_says_needs_no_request() {
    let github = GitHub::start();
    let own = Origin {
        event: "pull_request".to_owned(),
        event_pull_request: Some(3),
        ..Origin::default()
    };
    assert_eq!(seek(&github, &own), Sought::Found(3));
    let scheduled = Origin {
        event: "schedule".to_owned(),
        ..push()
    };
    let said = "an event `schedule` belongs to no pull request; `--pull-request` names one";
    assert_eq!(reason(&github, &scheduled), said);
    assert!(github.requests().is_empty());
}

#[test]
fn a_run_by_hand_belongs_to_the_merge_at_the_tip() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    let by_hand = Origin {
        event: "workflow_dispatch".to_owned(),
        ..push()
    };
    assert!(matches!(
        seek_with(&github, &clock, &by_hand, MINUTE),
        Ok(Sought::None { .. })
    ));
    assert!(clock.slept.borrow().is_empty(), "nothing has just been merged");
    github.associate("c0ffee0123", &[Pull::merged(7, "staging", "c0ffee0123")]);
    assert_eq!(seek(&github, &by_hand), Sought::Found(7));
}

#[test]
fn a_number_that_is_given_must_be_a_pull_request() {
    let github = GitHub::start();
    let given = Origin {
        given: Some(7),
        is_private: Some(false),
        ..push()
    };
    let trouble = seek_with(&github, &VirtualClock::default(), &given, MINUTE).expect_err("an issue");
    assert_eq!(trouble.error.kind, ApiErrorKind::NotFound);
    let hints = trouble.finding(&given, Default::default()).hints;
    assert_eq!(
        hints,
        ["`--pull-request` takes the number of a pull request of this repository"]
    );
    github.associate("x", &[Pull::open(7, "main", "x")]);
    assert_eq!(seek(&github, &given), Sought::Found(7));
}
