//! Other people's libraries on the simulator: boto3 with botocore's models, the AWS SDK for Rust.
//!
//! Where Python's clients are not installed (tests/clients/requirements.txt), their tests say so and pass;
//! `PORTZERO_REQUIRE_CLIENTS=1` makes that a failure.

use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};

use super::served::serve;
use super::support::clients::{python, variables};
use super::support::needs::Need;
use super::support::program::Simulator;
use super::wire::SCENARIO;

/// What the walk saw when this was written: 57 operations, about 38 000 members of 1391 kinds. How many members
/// there are in all depends on how often it looks at its rollouts, so the floor is lower: 25 000 come without looking.
const OPERATIONS_WALKED: usize = 57;
const MEMBERS_HELD: usize = 25_000;
const KINDS_OF_MEMBERS: usize = 1_380;

#[test]
fn boto3_finds_nothing_that_its_models_do_not_know() {
    if !Need::Boto3.is_met() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("clients.yml");
    std::fs::write(&scenario, SCENARIO).expect("a file");
    // The walk moves the time itself, so that no state is over before it has looked.
    let simulator = Simulator::with(&["--scenario", &scenario.to_string_lossy(), "--speed", "0.001x"]);
    let url = simulator.endpoint().to_owned();
    let operations: Vec<&str> = portzero_sim::wire::ecs_operations().collect();
    let arguments = [&[url.as_str(), "--follow"], operations.as_slice()].concat();
    let told = python(&variables(&url), "walk", &arguments);
    let tally = told.lines().last().expect("a last line");
    println!("{tally}");
    let counts: Vec<usize> = tally.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(counts[0] >= OPERATIONS_WALKED && counts[1] >= MEMBERS_HELD, "{tally}");
    assert!(counts[2] >= KINDS_OF_MEMBERS, "{tally}");
}

#[test]
fn the_waiters_of_boto3_end_as_on_aws() {
    if !Need::Boto3.is_met() {
        return;
    }
    let url = serve(SCENARIO, 1000);
    let told = python(&variables(&url), "waiters.py", &[&url]);
    println!("{told}");
    assert_eq!(
        told.lines().filter(|line| line.ends_with(" ended")).count(),
        6,
        "{told}"
    );
    assert_eq!(
        told.lines().filter(|line| line.ends_with(" gave up")).count(),
        4,
        "{told}"
    );
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
