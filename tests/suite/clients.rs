//! Other people's programs on the simulator: the AWS CLI, boto3 with botocore's models, the AWS SDK for Rust.
//!
//! Where Python's clients are not installed (tests/clients/requirements.txt), their tests say so and pass;
//! `PORTZERO_REQUIRE_CLIENTS=1` makes that a failure.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};

use super::served::serve;
use super::wire::SCENARIO;

/// One task more than desired may run, so that the tasks are replaced one by one.
const ONE_BY_ONE: &str = r#"
seed: 3
cluster: demo
instances: [{count: 1}]
target_groups:
  - {name: web, deregistration_delay: 300s, health_check: {interval: 10s}}
services:
  - name: web
    desired_count: 2
    maximum_percent: 150
    load_balancers: [{target_group: web, container_name: web, container_port: 3000}]
    task_definition:
      family: web
      networkMode: bridge
      containerDefinitions:
        - {name: web, image: "web:1", memory: 256, portMappings: [{containerPort: 3000, hostPort: 0}]}
"#;

/// A client's command line, with nothing of this machine's AWS configuration in it.
fn client(program: &str, url: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "simulator")
        .env("AWS_SECRET_ACCESS_KEY", "simulator")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN");
    command
}

/// Whether the probe succeeds; where it does not, the test is skipped or, if clients are required, fails.
fn is_installed(what: &str, probe: &mut Command) -> bool {
    let works = probe.output().is_ok_and(|output| output.status.success());
    let is_required = std::env::var("PORTZERO_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    assert!(works || !is_required, "{what} is required and does not run");
    if !works {
        println!("skipped: {what} is not installed");
    }
    works
}

/// Runs `aws ARGUMENTS` and reads what it prints.
fn aws(url: &str, arguments: &[&str]) -> Value {
    let output = client("aws", url)
        .args(arguments)
        .args(["--output", "json"])
        .output()
        .expect("aws runs");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "aws {arguments:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap_or(Value::Null)
}

#[test]
fn boto3_finds_nothing_that_its_models_do_not_know() {
    if !is_installed("boto3", Command::new("python3").args(["-c", "import boto3"])) {
        return;
    }
    let url = serve(SCENARIO, 40);
    let walk = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/walk.py");
    let output = client("python3", &url)
        .args([walk, &url, "--follow"])
        .output()
        .expect("python3 runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_aws_cli_follows_a_rollout_to_its_stable_end() {
    if !is_installed("the AWS CLI", Command::new("aws").arg("--version")) {
        return;
    }
    let url = serve(ONE_BY_ONE, 20);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("web.json");
    let definition = json!({
        "family": "web",
        "networkMode": "bridge",
        "containerDefinitions": [{
            "name": "web", "image": "web:2", "memory": 256, "portMappings": [{"containerPort": 3000, "hostPort": 0}],
        }],
    });
    std::fs::write(&file, definition.to_string()).expect("a file");
    let from_file = format!("file://{}", file.display());
    let registered = aws(
        &url,
        &["ecs", "register-task-definition", "--cli-input-json", &from_file],
    );
    assert_eq!(registered["taskDefinition"]["revision"], 2);

    let of_service = ["--cluster", "demo", "--service", "web"];
    let change = ["--task-definition", "web:2", "--force-new-deployment"];
    aws(&url, &[&["ecs", "update-service"][..], &of_service, &change].concat());
    let described = aws(
        &url,
        &["ecs", "describe-services", "--cluster", "demo", "--services", "web"],
    );
    let deployments = described["services"][0]["deployments"].as_array().expect("deployments");
    let statuses: Vec<&Value> = deployments.iter().map(|deployment| &deployment["status"]).collect();
    assert_eq!(statuses, ["PRIMARY", "ACTIVE"]);

    let groups = aws(&url, &["elbv2", "describe-target-groups", "--names", "web"]);
    let group = groups["TargetGroups"][0]["TargetGroupArn"].as_str().expect("an ARN");
    see_old_and_new_side_by_side(&url, group);
    aws(
        &url,
        &[
            "ecs",
            "wait",
            "services-stable",
            "--cluster",
            "demo",
            "--services",
            "web",
        ],
    );
    let described = aws(
        &url,
        &["ecs", "describe-services", "--cluster", "demo", "--services", "web"],
    );
    let deployments = described["services"][0]["deployments"].as_array().expect("deployments");
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0]["rolloutState"], "COMPLETED");
}

/// Asks until two targets are healthy while an old one drains.
fn see_old_and_new_side_by_side(url: &str, group: &str) {
    let begun = Instant::now();
    loop {
        let health = aws(url, &["elbv2", "describe-target-health", "--target-group-arn", group]);
        let rows = health["TargetHealthDescriptions"].as_array().expect("rows");
        let count = |state: &str| rows.iter().filter(|row| row["TargetHealth"]["State"] == state).count();
        if count("healthy") == 2 && count("draining") >= 1 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never seen: {health:#}");
    }
}

#[tokio::test]
async fn the_sdk_for_rust_reads_every_answer() {
    let url = serve(SCENARIO, 1);
    let credentials = Credentials::new("simulator", "simulator", None, None, "test");
    let ecs = aws_sdk_ecs::Client::from_conf(
        aws_sdk_ecs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials.clone())
            .endpoint_url(&url)
            .build(),
    );
    let balancing = aws_sdk_elasticloadbalancingv2::Client::from_conf(
        aws_sdk_elasticloadbalancingv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .endpoint_url(&url)
            .build(),
    );
    let update = ecs
        .update_service()
        .cluster("demo")
        .service("web")
        .force_new_deployment(true);
    let service = update.send().await.expect("updated").service.expect("a service");
    assert_eq!(service.deployments().len(), 2);
    let created = service.deployments()[0].created_at().expect("a time");
    // The world begins at 2026-01-01T12:00:00Z.
    assert!((1_767_268_800..1_767_268_860).contains(&created.secs()), "{created:?}");

    let group = service.load_balancers()[0].target_group_arn().expect("an ARN");
    let health = balancing
        .describe_target_health()
        .target_group_arn(group)
        .send()
        .await
        .expect("health");
    let states: Vec<_> = health
        .target_health_descriptions()
        .iter()
        .filter_map(|row| row.target_health()?.state())
        .map(|state| state.as_str())
        .collect();
    assert_eq!(states, ["healthy", "healthy"]);

    let refusal = ecs.describe_services().cluster("nowhere").services("web").send().await;
    let error = refusal.expect_err("refused").into_service_error();
    assert!(error.is_cluster_not_found_exception(), "{error:?}");
    assert_eq!(error.meta().message(), Some("Cluster not found."));
}
