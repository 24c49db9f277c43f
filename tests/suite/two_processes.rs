//! T6: two `portzero deploy` of one service at once, as two processes on one simulator whose time stands until the test
//! lets it pass.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use serde_json::{Value, json};

use crate::support::http::control;
use crate::support::program::{Simulator, portzero};

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    told: Vec<String>,
}

impl Process {
    fn deploys(simulator: &Simulator, folder: &Path, image: &str, more: &str) -> Self {
        let arguments =
            format!("deploy --cluster demo --service web --image {image} --settle 0s --poll-interval 1s {more}");
        let mut child = portzero(folder)
            .envs(simulator.variables.clone())
            .args(arguments.split_whitespace())
            .stderr(Stdio::piped())
            .spawn()
            .expect("portzero runs");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self {
            child,
            lines,
            told: Vec::new(),
        }
    }

    /// Reads on until the words are told.
    fn until(&mut self, words: &str) {
        for line in self.lines.by_ref().map_while(Result::ok) {
            self.told.push(line);
            if self.told.last().is_some_and(|line| line.contains(words)) {
                return;
            }
        }
        panic!("never told: {words}\n{}", self.told.join("\n"));
    }

    fn ends(mut self) -> (Option<i32>, String) {
        self.told.extend(self.lines.by_ref().map_while(Result::ok));
        let code = self.child.wait().expect("an end").code();
        (code, self.told.join("\n"))
    }
}

fn advance_until(simulator: &Simulator, what: &str, is_so: impl Fn(&Value) -> bool) {
    let control = |method, route, body: &str| control(simulator.endpoint(), method, route, body);
    let is_there = (0..900).any(|_| {
        control("POST", "advance", r#"{"by": "1s"}"#);
        is_so(&control("GET", "truth", ""))
    });
    assert!(is_there, "not in fifteen minutes: {what}");
}

/// One deployment, completed, and targets that drain.
fn is_draining(truth: &Value) -> bool {
    let deployments = truth["services"][0]["deployments"].as_array().expect("deployments");
    let is_complete = deployments.len() == 1 && deployments[0]["rollout_state"] == "COMPLETED";
    let targets = truth["target_groups"][0]["targets"].as_array().expect("targets");
    is_complete && targets.iter().any(|target| target["state"] == "draining")
}

fn stopped() -> (Simulator, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("drains.yml");
    let demo = include_str!("../../src/cli/command/demo.yml");
    let slow = demo.replace("deregistration_delay: 60s", "deregistration_delay: 600s");
    assert_ne!(slow, demo, "the demo drains for a minute");
    std::fs::write(&file, slow).expect("a file");
    let file = file.display().to_string();
    let simulator = Simulator::with(&["--scenario", &file, "--speed", "0.0001x"]);
    (simulator, folder)
}

fn hurry(simulator: &Simulator) {
    control(
        simulator.endpoint(),
        "POST",
        "speed",
        &json!({"speed": 400}).to_string(),
    );
}

#[test]
fn t06_the_second_of_two_processes_waits_for_the_first_ones_rollout_and_drain() {
    for (first, second) in [("example/web:2", "example/web:3"), ("example/web:3", "example/web:2")] {
        let (simulator, folder) = stopped();
        let mut early = Process::deploys(&simulator, folder.path(), first, "--timeout 1h");
        early.until("updated the service: web:1 -> web:2");
        let mut late = Process::deploys(&simulator, folder.path(), second, "--timeout 1h");
        late.until("waiting on deployment");
        advance_until(&simulator, "a drain", is_draining);
        late.until("waiting on the drain of deployment");
        hurry(&simulator);
        let (code, told) = early.ends();
        assert_eq!(code, Some(0), "{told}");
        late.until("updated the service: web:2 -> web:3");
        assert!(
            !late.told.iter().any(|line| line.contains("web  old task ")),
            "{:#?}",
            late.told
        );
        let (code, told) = late.ends();
        assert_eq!(code, Some(0), "{told}");
        assert!(
            !told
                .lines()
                .any(|line| line.contains("web  old task ") && !line.contains("(web:2)")),
            "{told}"
        );
    }
}

#[test]
fn t06_a_process_that_is_replaced_while_it_only_drains_has_succeeded() {
    let (simulator, folder) = stopped();
    let mut early = Process::deploys(&simulator, folder.path(), "example/web:2", "--timeout 1h");
    early.until("updated the service");
    advance_until(&simulator, "a drain", is_draining);
    let looks = || {
        let operations = control(simulator.endpoint(), "GET", "operations", "");
        operations["operations"]["ecs:DescribeServices"]
            .as_u64()
            .expect("a count")
    };
    // One of two more looks begins after that.
    let so_far = looks();
    while looks() < so_far + 2 {}
    let late = Process::deploys(
        &simulator,
        folder.path(),
        "example/web:3",
        "--timeout 1h --if-busy replace",
    );
    let (code, told) = early.ends();
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("web:2 was complete when another deployment of `web` took over"),
        "{told}"
    );
    hurry(&simulator);
    let (code, told) = late.ends();
    assert_eq!(code, Some(0), "{told}");
}
