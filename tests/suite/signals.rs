//! A signal in mid-rollout ends the run, not the rollout: soon, with the report written, and said in words.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{Simulator, portzero, send};

/// A CI runner kills what has not ended soon after the signal.
const END_MAX: Duration = Duration::from_secs(5);

#[test]
fn sigint_ends_a_run_with_its_report() {
    interrupt_with("INT");
}

#[test]
fn sigterm_ends_a_run_with_its_report() {
    interrupt_with("TERM");
}

#[test]
fn an_interrupted_rehearsal_takes_its_rollout_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = portzero(folder.path())
        .args("rehearse --cluster demo --service web --image web=example/web:3 --speed 1x".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let rest = signal_in_mid_rollout("INT", &mut run);
    assert!(
        rest.ends_with("(rehearsal: the simulated rollout ends with this program)\n"),
        "{rest}"
    );
}

fn interrupt_with(signal: &str) {
    let simulator = Simulator::at_speed("1x");
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = portzero(folder.path())
        .envs(simulator.variables.clone())
        .args("deploy --cluster demo --service web --image web=example/web:3 --report result.json".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let rest = signal_in_mid_rollout(signal, &mut run);
    for said in [
        "interrupted before `web` had finished rolling out",
        "web:1 runs 2 tasks; the rollout goes on in AWS",
    ] {
        assert!(rest.contains(said), "{said}: {rest}");
    }
    let report = std::fs::read(folder.path().join("result.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["verdict"], "interrupted");
    assert_eq!(report["requests"]["by_action"]["UpdateService"], 1);
}

/// Signals when the rollout is under way, and gives what is said from then on.
fn signal_in_mid_rollout(signal: &str, run: &mut Child) -> String {
    let mut stderr = BufReader::new(run.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("waiting on") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("a line"), 0, "it ended by itself");
    }

    send(signal, run);
    let sent = Instant::now();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("the rest");
    let code = run.wait().expect("an end").code();
    assert!(sent.elapsed() < END_MAX, "took {:?}", sent.elapsed());
    assert_eq!(code, Some(130), "{rest}");
    rest
}
