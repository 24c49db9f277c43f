//! `portzero simulate` as a user has it: the AWS CLI on what it tells to export, and the program's own commands there.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::clients::aws;
use crate::support::http::control;
use crate::support::needs::Need;
use crate::support::program::{Simulator, run};

const SERVICE: &str = "ecs describe-services --cluster demo --services web";

fn deployments(simulator: &Simulator) -> Vec<Value> {
    let described = aws(&simulator.variables, SERVICE);
    described["services"][0]["deployments"]
        .as_array()
        .expect("deployments")
        .clone()
}

#[test]
fn the_aws_cli_follows_a_rollout_to_its_stable_end() {
    if !Need::AwsCli.is_met() {
        return;
    }
    // Time stands as good as still but where this test moves it: how long the CLI takes to start is nothing to it.
    let simulator = Simulator::at_speed("0.0001x");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("web.json");
    std::fs::write(&file, second_revision().to_string()).expect("a file");
    let call = |arguments: &str| aws(&simulator.variables, arguments);
    let registered = call(&format!(
        "ecs register-task-definition --cli-input-json file://{}",
        file.display()
    ));
    assert_eq!(registered["taskDefinition"]["revision"], 2);

    call("ecs update-service --cluster demo --service web --task-definition web:2 --force-new-deployment");
    let two = deployments(&simulator);
    let statuses: Vec<&Value> = two.iter().map(|deployment| &deployment["status"]).collect();
    assert_eq!(statuses, ["PRIMARY", "ACTIVE"]);

    let groups = call("elbv2 describe-target-groups --names web");
    let group = groups["TargetGroups"][0]["TargetGroupArn"].as_str().expect("an ARN");
    let drains = |rows: &Value, state: fn(&Value) -> &Value| {
        let states: Vec<&Value> = rows.as_array().expect("targets").iter().map(state).collect();
        let count = |wanted: &str| states.iter().filter(|state| **state == wanted).count();
        count("healthy") == 2 && count("draining") >= 1
    };
    advance_until(&simulator, "two healthy targets and a draining one", |truth| {
        drains(&truth["target_groups"][0]["targets"], |target| &target["state"])
    });
    let health = call(&format!("elbv2 describe-target-health --target-group-arn {group}"));
    let rows = &health["TargetHealthDescriptions"];
    assert!(drains(rows, |row| &row["TargetHealth"]["State"]), "{health:#}");
    // The waiter asks every 15 s: it is sent when its first answer can be the last one.
    advance_until(&simulator, "one deployment", |truth| {
        truth["services"][0]["deployments"].as_array().map(Vec::len) == Some(1)
    });
    call("ecs wait services-stable --cluster demo --services web");
    assert_eq!(deployments(&simulator)[0]["rolloutState"], "COMPLETED");
}

fn second_revision() -> Value {
    json!({
        "family": "web",
        "networkMode": "bridge",
        "containerDefinitions": [{
            "name": "web", "image": "example/web:2", "cpu": 128, "memory": 128,
            "portMappings": [{"containerPort": 8080, "hostPort": 0}],
        }],
    })
}

/// Lets time pass, second by second, until the world is so.
fn advance_until(simulator: &Simulator, what: &str, is_so: impl Fn(&Value) -> bool) {
    let control = |method, route, body| control(simulator.endpoint(), method, route, body);
    let is_there = (0..600).any(|_| {
        control("POST", "advance", r#"{"by": "1s"}"#);
        is_so(&control("GET", "truth", ""))
    });
    assert!(is_there, "not in ten minutes: {what}");
}

#[test]
fn a_plan_changes_nothing_and_a_deployment_counts_what_it_asked() {
    let simulator = Simulator::at_speed("100x");
    let plan = simulator.run("plan --cluster demo --service web --image web=example/web:3 --format json");
    assert_eq!(plan.code, Some(0), "{plan:#?}");
    assert_eq!(plan.json()["plans"][0]["revisions"], "web:1 -> web:(new)");

    let deployed =
        simulator.run("deploy --cluster demo --service web --image web=example/web:3 --format json --settle 1s");
    assert_eq!(deployed.code, Some(0), "{deployed:#?}");
    let result = deployed.json();
    assert_eq!(result["verdict"], "succeeded");
    // Had the plan registered or updated anything, this would be neither the second revision nor a change from the first.
    let revision = &result["services"][0]["task_definition"];
    let ends_with = |member: &str, end: &str| revision[member].as_str().is_some_and(|arn| arn.ends_with(end));
    assert!(
        ends_with("before", "/web:1") && ends_with("after", "/web:2"),
        "{revision:#}"
    );

    let requests = &result["requests"];
    let by_action = requests["by_action"].as_object().expect("actions");
    let sum: u64 = by_action.values().filter_map(Value::as_u64).sum();
    assert_eq!(requests["total"], sum);
    assert_eq!(by_action["UpdateService"], 1);
    assert_eq!(by_action["RegisterTaskDefinition"], 1);
    assert!(by_action["DescribeTargetHealth"].as_u64() > Some(1), "{requests:#}");
}

/// A forced deployment of the same definition changes nothing that a reviewer would see.
#[test]
fn a_plan_says_by_its_exit_code_whether_the_definition_would_change() {
    let simulator = Simulator::at_speed("100x");
    let code = |arguments: &str| {
        simulator
            .run(&format!("plan --cluster demo --service web {arguments}"))
            .code
    };
    assert_eq!(code("--image web=example/web:3 --detailed-exit-code"), Some(10));
    assert_eq!(code("--image web=example/web:3"), Some(0));
    assert_eq!(code("--detailed-exit-code"), Some(0));
}

#[test]
fn a_plan_leaves_the_deployments_as_they_were() {
    if !Need::AwsCli.is_met() {
        return;
    }
    let simulator = Simulator::at_speed("1x");
    let before = deployments(&simulator);
    let planned = simulator.run("plan --cluster demo --service web --image web=example/web:3");
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    assert_eq!(deployments(&simulator), before);
    let families = aws(
        &simulator.variables,
        "ecs list-task-definitions --family-prefix web --query length(taskDefinitionArns)",
    );
    assert_eq!(families, 1);
}

#[test]
fn names_that_are_not_there_are_refused_with_the_nearest_one() {
    let simulator = Simulator::at_speed("1x");
    for (cluster, service, near) in [("demo", "wbe", "web"), ("dmo", "web", "demo")] {
        let refused = simulator.run(&format!(
            "deploy --cluster {cluster} --service {service} --image web=x:1"
        ));
        assert_eq!(refused.code, Some(3), "{refused:#?}");
        assert!(
            refused.stderr.contains(&format!("did you mean `{near}`?")),
            "{refused:#?}"
        );
    }
}

#[test]
fn u09_a_world_beside_a_real_clock_begins_now_unless_it_is_told_otherwise() {
    let begun = |simulator: &Simulator| {
        let state = control(simulator.endpoint(), "GET", "truth", "");
        let start = state["start"].as_str().expect("a start").to_owned();
        start.parse::<jiff::Timestamp>().expect("a time")
    };
    let now = Simulator::with(&["--fault", "deployment-in-progress"]);
    let age = jiff::Timestamp::now().duration_since(begun(&now));
    assert!((0..60).contains(&age.as_secs()), "{age:?}");
    let waits = now.run("plan --cluster demo --service web --image web=example/web:3");
    assert!(
        !waits.stderr.contains("h ago") && !waits.stdout.contains("h ago"),
        "{waits:#?}"
    );
    let told = Simulator::with(&["--start", "2026-02-03T04:05:06Z"]);
    assert_eq!(begun(&told).to_string(), "2026-02-03T04:05:06Z");
    let refused = run(Path::new("."), "simulate --port 0 --start yesterday");
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused.stderr.contains("`yesterday` is no RFC 3339 time"),
        "{refused:#?}"
    );
}

#[test]
fn u09_every_name_is_in_the_region_that_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let rehearsed = run(
        folder.path(),
        "rehearse --cluster c --service w --image x:2 --region eu-west-1 --format json",
    );
    assert_eq!(rehearsed.code, Some(0), "{rehearsed:#?}");
    assert!(rehearsed.stdout.contains(":eu-west-1:"), "{rehearsed:#?}");
    assert!(!rehearsed.stdout.contains("us-east-1"), "{rehearsed:#?}");
    let simulator = Simulator::with(&["--region", "eu-west-1"]);
    let status = simulator.run("status --cluster demo --service web --format json");
    assert!(status.stdout.contains(":eu-west-1:"), "{status:#?}");
    assert!(!status.stdout.contains("us-east-1"), "{status:#?}");
}

#[test]
fn u09_an_environment_that_is_named_is_not_answered_with_the_demo() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = run(folder.path(), "simulate --port 0 --environment staging");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:#?}");
}

#[test]
fn a_misspelt_fault_is_told_the_nearest_one() {
    let refused = run(Path::new("."), "simulate --port 0 --fault crash-lop");
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("did you mean `crash-loop`?"), "{refused:#?}");
    assert_eq!(refused.stdout, "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_the_good_end_of_a_simulator() {
    use crate::support::program::send;

    for signal in ["INT", "TERM"] {
        let mut simulator = Simulator::at_speed("1x");
        // It listens for signals a moment after it has said where it serves: an answer shows that it does.
        simulator.run("plan --cluster demo --service web");
        send(signal, &simulator.child);
        assert_eq!(simulator.child.wait().expect("an end").code(), Some(0), "{signal}");
    }
}
