//! What the simulator costs: `cargo bench --bench simulator`. It prints times, counts and ratios; the targets are those
//! of the project (a rehearsed rollout under 300 ms of wall time, 100 services of 20 tasks under 5 s) and it fails where
//! one is missed in an optimised build.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for developers: it measures real time, prints, and stops where a target is missed"
)]

use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use portzero_core::aws_model::service::ServiceUpdate;
use portzero_core::port::{Clock, Ecs, LoadBalancing};
use portzero_sim::World;
use portzero_sim::model::state::ServiceChange;
use portzero_sim::scenario::{InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};
use portzero_sim::wire::{HttpRequest, Wire};
use portzero_testkit::InProcessAws;
use serde_json::json;

/// Virtual time of one rollout.
const ROLLOUT: Duration = Duration::from_secs(420);
/// Virtual time between two looks of an observer.
const LOOK: Duration = Duration::from_secs(2);

fn scenario(services: usize, desired: u32) -> Scenario {
    let name = |n: usize| format!("web{n}");
    let tasks = services * usize::try_from(desired).unwrap();
    Scenario {
        instances: vec![InstanceSpec {
            cpu: 16_384,
            memory: 65_536,
            count: u32::try_from((tasks * 2).div_ceil(100).max(1)).unwrap(),
            ..InstanceSpec::default()
        }],
        target_groups: (0..services)
            .map(|n| TargetGroupSpec {
                name: name(n),
                ..TargetGroupSpec::default()
            })
            .collect(),
        services: (0..services)
            .map(|n| ServiceSpec {
                name: name(n),
                desired_count: desired,
                task_definition: json!({"family": name(n), "containerDefinitions": [{"name": "web", "image": "web:1",
                    "memory": 128, "cpu": 64, "portMappings": [{"containerPort": 80, "hostPort": 0}]}]}),
                load_balancers: vec![LoadBalancerSpec {
                    target_group: Some(name(n)),
                    container_name: "web".into(),
                    container_port: 80,
                    ..LoadBalancerSpec::default()
                }],
                ..ServiceSpec::default()
            })
            .collect(),
        ..Scenario::default()
    }
}

fn update(world: &mut World, service: &str) {
    let change = ServiceChange {
        cluster: "default".into(),
        service: service.into(),
        force_new_deployment: true,
        ..ServiceChange::default()
    };
    world.update_service(&change).unwrap();
}

/// The world alone; how many of its events happened, and in what time.
fn world_alone(services: usize, desired: u32) -> (u64, Duration) {
    let mut world = World::new(&scenario(services, desired)).unwrap();
    let started = Instant::now();
    for n in 0..services {
        update(&mut world, &format!("web{n}"));
    }
    world.advance(world.now() + ROLLOUT);
    let took = started.elapsed();
    let done = world.account().clusters["default"].services.values();
    let completed = done
        .filter(|s| s.deployments[0].rollout_state.as_str() == "COMPLETED")
        .count();
    assert_eq!(completed, services, "not all rollouts came to their end");
    (world.events_happened(), took)
}

/// Nothing simulated waits for anything real.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the simulated ports never wait"),
    }
}

/// A rollout as an observer follows it through the ports.
fn through_the_port() -> (u64, Duration) {
    let started = Instant::now();
    let aws = InProcessAws::new(World::new(&scenario(1, 2)).unwrap());
    let (cluster, name) = ("default".into(), "web0".into());
    let change = ServiceUpdate {
        cluster: "default".into(),
        service: "web0".into(),
        task_definition: now(aws.describe_task_definition("web0")).unwrap().arn,
        force_new_deployment: true,
    };
    now(aws.update_service(&change)).unwrap();
    for _ in 0..ROLLOUT.as_secs() / LOOK.as_secs() {
        let service = now(aws.describe_services(&cluster, std::slice::from_ref(&name)))
            .unwrap()
            .services
            .remove(0);
        let tasks = now(aws.list_tasks(&cluster, &name)).unwrap();
        now(aws.describe_tasks(&cluster, &tasks)).unwrap();
        now(aws.describe_target_health(&service.target_groups()[0])).unwrap();
        now(aws.service_deployments(&cluster, &name)).unwrap();
        now(aws.clock().sleep(LOOK));
    }
    (aws.requests(), started.elapsed())
}

/// The same through AWS's wire protocols, without a socket.
fn through_the_wire() -> (u64, Duration) {
    let started = Instant::now();
    let mut world = World::new(&scenario(1, 2)).unwrap();
    let mut wire = Wire::new();
    let mut requests = 0;
    update(&mut world, "web0");
    let group = world.account().target_groups.keys().next().unwrap().clone();
    for _ in 0..ROLLOUT.as_secs() / LOOK.as_secs() {
        let mut ask = |request: &HttpRequest| {
            requests += 1;
            let answer = wire.handle(&mut world, request);
            assert_eq!(answer.status, 200, "{:?}", String::from_utf8_lossy(&answer.body));
            answer
        };
        ask(&ecs("DescribeServices", json!({"services": ["web0"]})));
        let tasks = ask(&ecs("ListTasks", json!({"serviceName": "web0"})));
        let tasks: serde_json::Value = serde_json::from_slice(&tasks.body).unwrap();
        if tasks["taskArns"].as_array().is_some_and(|arns| !arns.is_empty()) {
            ask(&ecs("DescribeTasks", json!({"tasks": tasks["taskArns"]})));
        }
        ask(&ecs("ListServiceDeployments", json!({"service": "web0"})));
        ask(&health(&group));
        world.advance(world.now() + LOOK);
    }
    (requests, started.elapsed())
}

fn ecs(operation: &str, body: serde_json::Value) -> HttpRequest {
    HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![(
            "x-amz-target".into(),
            format!("AmazonEC2ContainerServiceV20141113.{operation}"),
        )],
        body: body.to_string().into_bytes(),
    }
}

fn health(group: &str) -> HttpRequest {
    let arn: String = form_urlencoded::byte_serialize(group.as_bytes()).collect();
    HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: format!("Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={arn}").into_bytes(),
    }
}

/// The whole program: plan, deploy, observe and report, through the real SDK over a real socket.
fn rehearsed() -> Duration {
    let root = env!("CARGO_MANIFEST_DIR");
    let written = std::fs::read_to_string(format!("{root}/tests/scenarios/01-rolling-update.yml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seven-minutes.yml");
    // With Elastic Load Balancing's default delay.
    std::fs::write(
        &file,
        written.replace("deregistration_delay: 60s", "deregistration_delay: 300s"),
    )
    .unwrap();
    let scenario = Scenario::read(&written, "seven-minutes.yml").unwrap();
    let started = Instant::now();
    let ran = Command::new(env!("CARGO_BIN_EXE_portzero"))
        .current_dir(root)
        .env_clear()
        .args(&scenario.command)
        .arg("--scenario")
        .arg(&file)
        .output()
        .unwrap();
    let took = started.elapsed();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    took
}

fn best(of: usize, run: impl Fn() -> (u64, Duration)) -> (u64, Duration) {
    (0..of).map(|_| run()).min_by_key(|(_, took)| *took).unwrap()
}

fn main() {
    let target = |what: &str, took: Duration, limit: Duration| {
        println!(
            "{what}: {:.0} ms of {:.0} ms allowed",
            took.as_secs_f64() * 1e3,
            limit.as_secs_f64() * 1e3
        );
        assert!(cfg!(debug_assertions) || took <= limit, "{what} takes too long");
    };
    let per = |count: u64, took: Duration| took.as_secs_f64() * 1e6 / count as f64;
    let (requests, port) = best(5, through_the_port);
    println!(
        "one rollout through the port: {requests} requests, {:.1} ms, {:.1} µs per request",
        port.as_secs_f64() * 1e3,
        per(requests, port)
    );
    let (requests, wire) = best(5, through_the_wire);
    println!(
        "one rollout through the wire: {requests} requests, {:.1} ms, {:.1} µs per request",
        wire.as_secs_f64() * 1e3,
        per(requests, wire)
    );
    println!("wire to port: {:.1}", wire.as_secs_f64() / port.as_secs_f64());
    let (_, rehearsal) = best(3, || (1, rehearsed()));
    target(
        "one rollout of 7 minutes, rehearsed",
        rehearsal,
        Duration::from_millis(300),
    );
    let mut costs = Vec::new();
    for (services, desired) in [(1, 20), (10, 20), (100, 20)] {
        let (events, took) = world_alone(services, desired);
        let cost = per(events, took);
        println!(
            "{services} services x {desired} tasks: {events} events, {:.1} ms, {cost:.1} µs per event",
            took.as_secs_f64() * 1e3
        );
        costs.push((cost, took));
    }
    println!("cost of an event, 100 services to 1: {:.1}", costs[2].0 / costs[0].0);
    target("100 services x 20 tasks", costs[2].1, Duration::from_secs(5));
}
