//! The action's step as the runner runs it, with this program in it and a rehearsal inside.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::command::PORTZERO;
use crate::support::program::{Said, Simulator, portzero, said};
use crate::support::runner::{Composite, Ended, Job};

/// A runner waits 7.5 s after the first signal; what is not said by then may never be.
const END_MAX: Duration = Duration::from_secs(5);

const WEB: &str = r#"{
  "family": "web",
  "networkMode": "bridge",
  "containerDefinitions": [
    {"name": "web", "image": "example/web:1", "memory": 128, "portMappings": [{"containerPort": 8080, "hostPort": 80}]}
  ]
}"#;

const ENVIRONMENTS: &str = "version: 1
environments:
  staging: { branch: staging, cluster: shop-staging }
services:
  - { name: web, task_definition: web.json, images: { web: 'example/web:2' } }
  - { name: worker, task_definition: web.json, images: { web: 'example/web:2' } }
";

fn job() -> Job {
    Job::default().with("binary", PORTZERO)
}

/// One service on the simulator, by inputs alone.
fn rehearsal() -> Job {
    job()
        .file("web.json", WEB)
        .with("command", "rehearse")
        .with("cluster", "demo")
        .with("service", "web")
        .with("task-definition", "web.json")
        .with("image", "web=example/web:2")
}

fn run(job: &Job) -> Ended {
    job.run(&Composite::ours())
}

/// The result documents that the step has left in the runner's folder.
fn reports(job: &Job) -> Vec<Value> {
    let entries = fs::read_dir(job.path("temp"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let documents = entries.filter(|path| path.extension().is_some_and(|e| e == "json"));
    documents
        .map(|path| serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON"))
        .collect()
}

fn assert_refused(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.said.code, Some(2), "{ended:#?}");
    for words in words.iter().chain(&["nothing was changed"]) {
        assert!(ended.said.stderr.contains(words), "`{words}` is missing: {ended:#?}");
    }
}

#[test]
fn a_step_does_what_the_command_line_does() {
    let job = rehearsal();
    let ended = run(&job);
    assert_eq!(ended.said.code, Some(0), "{ended:#?}");
    let first = "portzero rehearse: the input `command` asks for it\n";
    assert!(ended.said.stderr.starts_with(first), "{ended:#?}");

    let direct = tempfile::tempdir().expect("a folder");
    fs::write(direct.path().join("web.json"), WEB).expect("a file");
    let by_hand: Said = said(portzero(direct.path()).args(
        "rehearse --cluster demo --service web --task-definition web.json --image web=example/web:2 --report r.json"
            .split(' '),
    ));
    assert_eq!(by_hand.code, Some(0), "{by_hand:#?}");
    let by_hand: Value =
        serde_json::from_slice(&fs::read(direct.path().join("r.json")).expect("a report")).expect("JSON");
    assert_eq!(
        reports(&job),
        [by_hand],
        "inputs that are not given are as if they were absent"
    );
}

#[test]
fn the_exit_code_of_the_program_is_that_of_the_step() {
    let failed = run(&rehearsal().with("args", "--fault image-pull"));
    assert_eq!(failed.said.code, Some(1), "{failed:#?}");
    assert!(failed.said.stderr.contains("error[image-pull]"), "{failed:#?}");
    let refused = run(&rehearsal().with("image", "wob=example/web:2"));
    assert_eq!(refused.said.code, Some(3), "{refused:#?}");
}

#[test]
fn a_cancelled_run_ends_in_time_with_its_report() {
    let job = rehearsal().with("args", "--speed 1x");
    let action = Composite::ours();
    let mut running = job.start(&action);
    running.wait_for("waiting on");
    running.cancel();
    let ended = running.end(END_MAX);
    assert_eq!(ended.said.code, Some(130), "{ended:#?}");
    let reports = reports(&job);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["verdict"], "interrupted");
}

#[test]
fn an_input_is_data_whatever_is_in_it() {
    for hostile in [
        "$(touch x)",
        "`touch x`",
        "'; touch x; '",
        "\"; touch x #",
        "a\ntouch x\n",
        "${IFS}%0A::error::forged",
        "*",
    ] {
        for name in [
            "cluster",
            "service",
            "services",
            "environment",
            "config",
            "task-definition",
            "timeout",
            "args",
        ] {
            let job = rehearsal().with("dry-run", "true").with(name, hostile);
            let ended = run(&job);
            let left: Vec<_> = fs::read_dir(job.path("workspace")).expect("a folder").collect();
            assert_eq!(left.len(), 1, "{name}: {hostile}: {left:?}");
            let forged = ended.annotations.iter().any(|a| a.message == "forged");
            assert!(!forged, "{name}: {ended:#?}");
            let code = ended.said.code.unwrap_or_default();
            assert!(code < 4, "{name}: {hostile}: {ended:#?}");
        }
    }
}

#[test]
fn what_is_not_merged_is_planned() {
    let simulator = Simulator::at_speed("1x");
    let mut job = job()
        .with("cluster", "demo")
        .with("service", "web")
        .with("image", "web=example/web:3")
        .with("comment", "never")
        .variable("GITHUB_EVENT_NAME", "pull_request");
    for (name, value) in &simulator.variables {
        job = job.variable(name, value);
    }
    let planned = run(&job);
    assert_eq!(planned.said.code, Some(0), "{planned:#?}");
    assert!(
        planned.said.stderr.contains("portzero plan: the event is pull_request"),
        "{planned:#?}"
    );
    assert!(
        planned.said.stdout.contains("plan for web in demo: web:1 -> web:(new)"),
        "{planned:#?}"
    );
    let again = run(&job);
    assert_eq!(
        again.said.stdout, planned.said.stdout,
        "the first one has changed nothing"
    );
}

#[test]
fn services_are_chosen_by_name_and_the_folder_by_the_input() {
    let job = job()
        .file("ecs/portzero.yml", ENVIRONMENTS)
        .file("ecs/web.json", WEB)
        .with("command", "rehearse")
        .with("working-directory", "ecs")
        .with("environment", "staging")
        .with("services", "worker,\n web");
    let ended = run(&job);
    assert_eq!(ended.said.code, Some(0), "{ended:#?}");
    let reports = reports(&job);
    let services = reports[0]["services"].as_array().expect("services").iter();
    let names: BTreeSet<&str> = services
        .map(|service| service["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, BTreeSet::from(["web", "worker"]));
    let missing = run(&job.with("working-directory", "nowhere"));
    assert_refused(&missing, &["the input `working-directory` cannot be entered: nowhere"]);
}

#[test]
fn a_dry_run_stops_before_the_first_change() {
    let ended = run(&rehearsal().with("dry-run", "true"));
    assert_eq!(ended.said.code, Some(0), "{ended:#?}");
    assert!(ended.said.stdout.starts_with("plan for web in demo"), "{ended:#?}");
}

#[test]
fn a_wrong_input_is_told_by_its_own_name() {
    for (name, value, words) in [
        ("until", "nonsense", "the input `until` does not take `nonsense`"),
        ("timeout", "5", "the input `timeout` does not take `5`"),
        ("comment", "perhaps", "the input `comment` does not take `perhaps`"),
        (
            "pull-request",
            "seven",
            "the input `pull-request` does not take `seven`",
        ),
        ("dry-run", "yes", "the input `dry-run` does not take `yes`"),
        ("command", "deplyo", "did you mean `deploy`?"),
        ("if-busy", "perhaps", "the input `if-busy` does not take `perhaps`"),
        ("on-failure", "retry", "the input `on-failure` does not take `retry`"),
        ("on-cancel", "stay", "the input `on-cancel` does not take `stay`"),
        (
            "keep-revisions",
            "all",
            "the input `keep-revisions` does not take `all`",
        ),
        ("keep-revisions", "0", "the input `keep-revisions` does not take `0`"),
        ("desired-count", "3", "the input `desired-count` is not acted on yet"),
        (
            "args",
            "--nonsense",
            "the input `args` is not understood: unexpected argument '--nonsense'",
        ),
        ("args", "'open", "the input `args` cannot be split"),
    ] {
        let ended = run(&rehearsal().with(name, value));
        assert_refused(&ended, &[words]);
        assert!(!ended.said.stderr.contains("PORTZERO_"), "{ended:#?}");
    }
}

#[test]
fn every_output_is_told() {
    let job = rehearsal();
    let ended = run(&job);
    let told: BTreeSet<&String> = ended.outputs.keys().collect();
    let outputs = Composite::ours().outputs();
    // A rehearsal is nowhere to be seen, and says nothing on a pull request.
    let declared = outputs
        .keys()
        .filter(|name| !["url", "comment-url"].contains(&name.as_str()));
    let silent: Vec<&String> = declared.filter(|name| !told.contains(name)).collect();
    assert!(silent.is_empty(), "not told: {silent:?}: {ended:#?}");
    assert_eq!(ended.outputs["verdict"], "succeeded");
    assert_eq!(ended.outputs["changed"], "true");
    let document: Value = serde_json::from_slice(&fs::read(&ended.outputs["report"]).expect("a file")).expect("JSON");
    assert_eq!(document["verdict"], "succeeded");
    assert!(Path::new(&ended.outputs["report"]).starts_with(job.path("temp")));
    let services: Value = serde_json::from_str(&ended.outputs["services"]).expect("JSON");
    assert!(services.to_string().contains("\"web\""), "{services}");
    assert!(ended.summary.contains("web"), "{ended:#?}");
}

#[test]
fn a_failure_is_annotated_and_told_in_outputs_and_summary() {
    let ended = run(&rehearsal().with("args", "--fault image-pull"));
    assert_eq!(ended.outputs["verdict"], "failed", "{ended:#?}");
    let errors: Vec<_> = ended.annotations.iter().filter(|a| a.level == "error").collect();
    assert!(
        errors.iter().any(|a| a.message.contains("cannot be pulled")),
        "{ended:#?}"
    );
    assert!(ended.summary.contains("cannot be pulled"), "{ended:#?}");
    let wrong = run(&rehearsal().with("until", "nonsense"));
    assert!(
        wrong.annotations.iter().any(|a| a.message.contains("`until`")),
        "{wrong:#?}"
    );
}
