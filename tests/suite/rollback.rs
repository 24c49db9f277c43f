//! `portzero rollback`, and the revisions that a run keeps, against the simulator at many times its pace: what a rollout takes
//! is over at the second poll.

use std::path::Path;

use portzero_core::port::Ecs;

use crate::support::program::{Said, Simulator, portzero, said};
use crate::support::{VirtualClock, connect, run};

fn portzero_on(simulator: &Simulator, folder: &Path, arguments: &str) -> Said {
    let mut command = portzero(folder);
    command
        .envs(simulator.variables.clone())
        .args(arguments.split(' '))
        .args(["--cluster", "demo"]);
    said(&mut command)
}

/// No time to settle, and the pace of polls that the simulator's time allows.
const QUICK: &str = "\
defaults:
  settle: 0s
  poll_interval: 1s
services:
  - name: web
    cluster: demo
    task_definition: current
";

/// A folder with that configuration.
fn quick_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("portzero.yml"), QUICK).expect("a file");
    folder
}

fn assert_says(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:#?}");
    for words in words {
        assert!(said.stderr.contains(words), "`{words}` is missing: {said:#?}");
    }
}

#[test]
fn a_rollout_in_flight_is_stopped_with_a_rollback_and_that_is_followed() {
    let simulator = Simulator::with(&["--speed", "20x", "--fault", "slow-start,delay=30m"]);
    let folder = tempfile::tempdir().expect("a folder");
    let left = portzero_on(
        &simulator,
        folder.path(),
        "deploy --service web --image example/web:2 --timeout 2s",
    );
    assert_says(&left, 4, &["updated the service: web:1 -> web:2"]);
    let back = portzero_on(&simulator, folder.path(), "rollback web --report back.json");
    assert_says(
        &back,
        0,
        &[
            "going back to web:1: StopServiceDeployment",
            "ECS is rolling back to web:1",
            "succeeded: web  web:2 -> web:1",
        ],
    );
    assert!(!back.stderr.contains("UpdateService"), "{back:#?}");
}

#[test]
fn the_last_good_revision_is_deployed_and_superfluous_ones_go() {
    let simulator = Simulator::at_speed("1000x");
    let folder = quick_folder();
    let nothing = portzero_on(&simulator, folder.path(), "rollback web");
    assert_says(
        &nothing,
        3,
        &[
            "which other revision of `web` ran well before cannot be told",
            "nothing was changed",
            "--to REVISION",
        ],
    );
    let second = portzero_on(&simulator, folder.path(), "deploy --service web --image example/web:2");
    assert_says(&second, 0, &["succeeded: web  web:1 -> web:2"]);
    let third = "deploy --service web --image example/web:3 --keep-revisions 1";
    let third = portzero_on(&simulator, folder.path(), third);
    let gone = "deregistered web:1: the newest 1 and what is needed are kept";
    assert_says(&third, 0, &["succeeded: web  web:2 -> web:3", gone]);

    let back = portzero_on(&simulator, folder.path(), "rollback web");
    assert_says(
        &back,
        0,
        &[
            "reusing web:2: the content is the same",
            "updated the service: web:3 -> web:2",
            "succeeded: web  web:3 -> web:2",
        ],
    );
    let there = portzero_on(&simulator, folder.path(), "rollback web --to 3");
    assert_says(&there, 0, &["succeeded: web  web:2 -> web:3"]);
    let active = run(async {
        let clock = VirtualClock::default();
        let aws = connect(simulator.endpoint(), &clock).await;
        aws.active_revisions("web").await.expect("revisions")
    });
    let names: Vec<&str> = active.iter().map(|arn| arn.short()).collect();
    assert_eq!(names, ["web:3", "web:2"]);
}

#[test]
fn t12_what_ecs_has_rolled_back_by_itself_is_not_rolled_back_further() {
    let crash = "crash-loop,revision=3";
    let simulator = Simulator::with(&["--speed", "100x", "--fault", crash]);
    let folder = tempfile::tempdir().expect("a folder");
    let on = |arguments: &str| portzero_on(&simulator, folder.path(), arguments);
    assert_says(
        &on("deploy --service web --image example/web:2 --settle 0s"),
        0,
        &["web:1 -> web:2"],
    );
    let failed = on("deploy --service web --image example/web:3 --settle 0s");
    assert_says(&failed, 1, &["rolled back: web:2 serves all traffic"]);

    let planned = on("rollback web --dry-run");
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    for words in ["web:2 (unchanged)", "`web` is already back at web:2", "--to REVISION"] {
        assert!(planned.stdout.contains(words), "`{words}` is missing: {planned:#?}");
    }
    let back = on("rollback --service web");
    assert_says(&back, 0, &["`web` is already back at web:2", "what runs was checked"]);
    assert!(!back.stderr.contains("updated the service"), "{back:#?}");
    let planned = on("rollback web --to 1 --dry-run");
    assert!(planned.stdout.contains("web:2 -> web:1"), "{planned:#?}");
    assert_says(&on("rollback web --to 1"), 0, &["succeeded: web  web:2 -> web:1"]);
}

#[test]
fn t14_the_way_back_that_a_failure_advises_is_a_command_that_goes_back() {
    let folder = quick_folder();
    let file = folder.path().join("no-breaker.yml");
    let demo = include_str!("../../src/cli/command/demo.yml");
    let without = demo.replace("    circuit_breaker: { enable: true, rollback: true }\n", "");
    assert_ne!(without, demo, "the demo has a circuit breaker");
    std::fs::write(&file, without).expect("a file");
    let file = file.display().to_string();
    let simulator = Simulator::with(&[
        "--scenario",
        &file,
        "--speed",
        "200x",
        "--fault",
        "crash-loop,revision=2",
    ]);
    let failed = portzero_on(&simulator, folder.path(), "deploy --service web --image example/web:2");
    assert_says(
        &failed,
        1,
        &["until the next deployment: no circuit breaker rolls it back"],
    );
    let advice = failed
        .stderr
        .split_once("go back to what ran: portzero ")
        .expect("advice")
        .1;
    let advice = advice.lines().next().expect("a line");
    assert_eq!(advice, "rollback --cluster demo --service web --to web:1");
    let mut command = portzero(folder.path());
    command.envs(simulator.variables.clone()).args(advice.split(' '));
    assert_says(&said(&mut command), 0, &["succeeded: web  web:2 -> web:1"]);
}

#[test]
fn a_rollback_that_would_stop_a_rollout_says_so_and_does_not() {
    let simulator = Simulator::with(&["--speed", "20x", "--fault", "slow-start,delay=30m"]);
    let folder = tempfile::tempdir().expect("a folder");
    let left = "deploy --service web --image example/web:2 --timeout 2s";
    assert_says(
        &portzero_on(&simulator, folder.path(), left),
        4,
        &["updated the service"],
    );
    let planned = portzero_on(&simulator, folder.path(), "rollback web --dry-run");
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    for words in ["web:2 -> web:1", "with a rollback (StopServiceDeployment)"] {
        assert!(planned.stdout.contains(words), "`{words}` is missing: {planned:#?}");
    }
    let nothing = portzero_on(&simulator, folder.path(), "rollback");
    assert_says(&nothing, 2, &["which service? name it"]);
}

#[test]
fn revisions_that_may_not_be_deregistered_cost_a_warning() {
    let denied = "denied,action=ecs:DeregisterTaskDefinition";
    let simulator = Simulator::with(&["--speed", "1000x", "--fault", denied]);
    let folder = quick_folder();
    let first = portzero_on(&simulator, folder.path(), "deploy --service web --image example/web:2");
    assert_says(&first, 0, &[]);
    let second = "deploy --service web --image example/web:3 --keep-revisions 1";
    let second = portzero_on(&simulator, folder.path(), second);
    let words = "older revisions were not all deregistered: ecs:DeregisterTaskDefinition failed";
    assert_says(
        &second,
        0,
        &[words, "allow ecs:DeregisterTaskDefinition", "succeeded: web"],
    );
}
