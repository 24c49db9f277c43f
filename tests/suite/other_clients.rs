//! Other people's tools on `portzero simulate`, unmodified: boto3 on the load balancers' APIs, the AWS CLI through a
//! workshop, fabfuel's ecs-deploy and deployfish through a rollout.
//!
//! Where they are not installed (tests/clients/requirements.txt), the tests say so and pass;
//! `PORTZERO_REQUIRE_CLIENTS=1` makes that a failure.

use std::process::Command;

use super::support::clients::{aws, client, python};
use super::support::http::control;
use super::support::needs::Need;
use super::support::program::Simulator;

fn scenario(name: &str) -> String {
    format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a client to its good end; what it printed.
fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("the client runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn boto3_walks_the_load_balancers_apis_and_its_waiters_end() {
    if !Need::Boto3.is_met() {
        return;
    }
    let simulator = Simulator::with(&["--scenario", &scenario("scenarios/balanced.yml"), "--speed", "100x"]);
    let (_, url) = &simulator.variables[0];
    python(&simulator.variables, "walk_elb.py", &[url]);
}

#[test]
fn the_aws_cli_puts_a_service_behind_a_load_balancer_as_the_workshop_does() {
    if !Need::AwsCli.is_met() {
        return;
    }
    let simulator = Simulator::with(&["--scenario", &scenario("scenarios/workshop.yml"), "--speed", "600x"]);
    let ids = simulator.network.split_whitespace();
    let ids: Vec<&str> = ids
        .filter(|id| id.starts_with("vpc-") || id.starts_with("subnet-"))
        .collect();
    assert_eq!(ids.len(), 3, "{}", simulator.network);
    let said = output_of(
        client("bash", &simulator.variables)
            .arg(scenario("workshop.sh"))
            .args(ids),
    );
    let steps: Vec<&str> = said.lines().filter_map(|line| line.split([' ', ':']).next()).collect();
    assert_eq!(
        steps,
        ["created", "your", "attached", "verified", "scaled", "bounded"],
        "{said}"
    );
}

/// The demo's service after a rollout of `example/web:2`: one deployment, of that image, and its targets alone.
fn assert_rolled_out(simulator: &Simulator) {
    let truth = control(simulator.endpoint(), "GET", "truth", "");
    let deployments = truth["services"][0]["deployments"].as_array().expect("deployments");
    assert_eq!(deployments.len(), 1, "{truth:#}");
    let rows = truth["target_groups"][0]["targets"].as_array().expect("targets");
    let healthy = rows.iter().filter(|row| row["state"] == "healthy");
    assert_eq!((healthy.count(), rows.len()), (2, 2), "{truth:#}");
    let tasks = truth["tasks"].as_array().expect("tasks");
    let running = tasks.iter().find(|task| task["last_status"] == "RUNNING");
    let revision = running.expect("a task")["task_definition"].as_str().expect("an ARN");
    let definition = aws(
        &simulator.variables,
        &format!("ecs describe-task-definition --task-definition {revision}"),
    );
    let container = &definition["taskDefinition"]["containerDefinitions"][0];
    assert_eq!(container["image"], "example/web:2");
}

fn target_group(simulator: &Simulator) -> String {
    let truth = control(simulator.endpoint(), "GET", "truth", "");
    truth["target_groups"][0]["arn"].as_str().expect("an ARN").to_owned()
}

#[test]
fn ecs_deploy_completes_a_rollout() {
    if !Need::EcsDeploy.is_met() {
        return;
    }
    let simulator = Simulator::at_speed("100x");
    let said = output_of(client("ecs", &simulator.variables).args([
        "deploy",
        "demo",
        "web",
        "--image",
        "web",
        "example/web:2",
        "--sleep-time",
        "1",
    ]));
    assert!(said.contains("Deployment successful"), "{said}");
    assert!(said.contains("Successfully deregistered revision: 1"), "{said}");
    assert_rolled_out(&simulator);
}

#[test]
fn ecs_deploy_gives_up_on_a_rollout_that_fails() {
    if !Need::EcsDeploy.is_met() {
        return;
    }
    let simulator = Simulator::with(&["--speed", "300x", "--fault", "image-pull"]);
    let output = client("ecs", &simulator.variables)
        .args(["deploy", "demo", "web", "--image", "web", "example/web:2"])
        .args(["--sleep-time", "1", "--timeout", "3"])
        .output()
        .expect("ecs runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // Between two of its polls ECS may have gone back already: it calls that successful, and warns of the tasks.
    let is_late = said.contains("Deployment successful") && said.contains("failed to start");
    let gave_up = !output.status.success() && said.contains("Deployment failed");
    assert!(gave_up || is_late, "{said}");
}

#[test]
fn deployfish_completes_a_rollout() {
    if !Need::Deployfish.is_met() {
        return;
    }
    let simulator = Simulator::at_speed("100x");
    let folder = tempfile::tempdir().expect("a folder");
    let group = format!("TARGET_GROUP={}\n", target_group(&simulator));
    std::fs::write(folder.path().join("env"), group).expect("written");
    let said = output_of(
        client("deploy", &simulator.variables)
            .current_dir(folder.path())
            .args(["-f", &scenario("deployfish.yml"), "-e", "env"])
            .args(["service", "update", "web"]),
    );
    assert!(said.contains("Service is stable!"), "{said}");
    assert_rolled_out(&simulator);
}
