//! Other people's libraries on the simulator: boto3 with botocore's models, the AWS SDK for Rust.
//!
//! Where Python's clients are not installed (tests/clients/requirements.txt), their tests say so and pass;
//! `PORTZERO_REQUIRE_CLIENTS=1` makes that a failure.

use std::process::Command;

use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};

use super::served::serve;
use super::support::clients::{is_installed, python, variables};
use super::wire::SCENARIO;

#[test]
fn boto3_finds_nothing_that_its_models_do_not_know() {
    if !is_installed("boto3", Command::new("python3").args(["-c", "import boto3"])) {
        return;
    }
    let url = serve(SCENARIO, 40);
    python(&variables(&url), "walk.py", &[&url, "--follow"]);
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
