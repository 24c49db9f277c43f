//! `portzero init --scenario`: the world of a rehearsal as a file, in which the same story happens.

use std::path::Path;

use portzero_sim::Scenario;

use crate::support::program::{Said, portzero, run, said};

const CONFIG: &str = r#"
region: eu-central-1
services:
  - name: web
    cluster: "yes"
    count: 2
    maximum_percent: 150
    family: web
    load_balancer:
      target_group_arn: arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123456789abcdef
      container_name: web
      container_port: 8080
    containers:
      - name: web
        image: "registry.example:5000/shop/web:1.10"
        cpu: 128
        memory: 256
        environment: ["MESSAGE=# it's: \"quoted\", {and} [more] \\ & é", "VERSION=1.10", "EMPTY="]
        ports: ["8080"]
  - name: worker
    cluster: other
    count: 1
    family: worker
    containers:
      - { name: worker, image: "example/worker:1", cpu: 128, memory: 64 }
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("portzero.yml"), CONFIG).expect("a file");
    folder
}

/// A rehearsal's whole story, without the line about load balancers that only the staging of a configuration has.
fn story(folder: &Path, arguments: &str) -> (Option<i32>, String) {
    let Said { code, stderr, .. } = run(folder, arguments);
    let told: Vec<&str> = stderr
        .lines()
        // The file has placeholders in place of environment values.
        .filter(|line| !line.starts_with("no load balancer of ") && !line.contains("].environment["))
        .collect();
    (code, told.join("\n"))
}

#[test]
fn the_written_scenario_is_rehearsed_to_the_same_story() {
    let folder = folder();
    let written = run(folder.path(), "init --scenario --image web=example/web:2 -o world.yml");
    assert_eq!(written.code, Some(0), "{written:#?}");
    for seed in ["", "--seed 5", "--fault unhealthy"] {
        let from_config = story(folder.path(), &format!("rehearse --image web=example/web:2 {seed}"));
        let from_file = story(
            folder.path(),
            &format!("rehearse --image web=example/web:2 --scenario world.yml {seed}"),
        );
        assert!(from_config.1.contains("deployment  ecs-svc/"), "{}", from_config.1);
        assert_eq!(from_file, from_config);
    }
}

#[test]
fn the_written_scenario_is_what_the_configuration_is_staged_as() {
    let folder = folder();
    let printed = run(folder.path(), "init --scenario");
    assert_eq!(printed.code, Some(0), "{printed:#?}");
    let scenario = Scenario::read(&printed.stdout, "world.yml").expect("reads");
    assert_eq!(scenario.to_yaml(), printed.stdout);
    assert_eq!(scenario.cluster, "yes");
    let environment = &scenario.services[0].task_definition["containerDefinitions"][0]["environment"];
    let message = environment
        .as_array()
        .expect("a list")
        .iter()
        .find(|entry| entry["name"] == "MESSAGE");
    assert_eq!(message.expect("an entry")["value"], "placeholder");
    assert!(
        printed.stdout.contains("# Set these to what your target group has"),
        "{}",
        printed.stdout
    );
}

#[test]
fn a_file_that_is_there_is_written_over_only_by_force() {
    let folder = folder();
    let path = folder.path().join("world.yml");
    std::fs::write(&path, "mine\n").expect("a file");
    let refused = run(folder.path(), "init --scenario -o world.yml");
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("world.yml is there already"), "{refused:#?}");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "mine\n");
    assert_eq!(run(folder.path(), "init --scenario -o world.yml --force").code, Some(0));
    assert!(
        std::fs::read_to_string(&path)
            .expect("a file")
            .starts_with("# A world for")
    );
}

#[test]
fn a_shorter_file_by_force_leaves_nothing_of_the_longer_one() {
    let folder = folder();
    let path = folder.path().join("world.yml");
    std::fs::write(&path, "x".repeat(100_000)).expect("a file");
    run(folder.path(), "init --scenario -o world.yml --force");
    let printed = run(folder.path(), "init --scenario").stdout;
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), printed);
}

#[test]
fn what_is_to_be_written_must_be_said() {
    let folder = folder();
    let bare = said(portzero(folder.path()).arg("init"));
    assert_eq!(bare.code, Some(2));
    assert!(bare.stderr.contains("--scenario"), "{bare:#?}");
}
