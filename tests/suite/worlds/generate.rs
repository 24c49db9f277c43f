//! A random world from a seed: a cluster, a service behind target groups, faults on a timetable, an API that
//! misbehaves, and the knobs of the run.

use std::time::Duration;

use portzero::sim::port::Misbehaviour;
use portzero::sim::scenario::{
    CircuitBreakerSpec, InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec,
};
use portzero::sim::{FaultSpec, RevisionRef};
use serde_json::{Value, json};

/// One case: everything that decides a run.
#[derive(Clone, Debug)]
pub struct Case {
    pub scenario: Scenario,
    pub misbehaviour: Misbehaviour,
    /// When the API behaves again, counted from the update.
    pub misbehaves_for: Duration,
    pub settle: Duration,
    pub timeout: Duration,
    /// Deploy another image; otherwise the running revision is forced anew.
    pub has_new_image: bool,
    /// No fault, room enough, and limits that allow a rollout: nothing excuses a failure.
    pub must_succeed: bool,
}

const FAULTS: [&str; 12] = [
    "image-pull",
    "crash-loop",
    "unhealthy",
    "health-timeout",
    "flapping",
    "slow-start",
    "out-of-memory",
    "secrets",
    "no-capacity",
    "other-deployment",
    "autoscaling",
    "instance-loss",
];

pub fn case(seed: u64) -> Case {
    let mut rng = fastrand::Rng::with_seed(seed);
    let desired_count = *pick(&mut rng, &[1, 1, 2, 2, 3, 4, 0]);
    let (minimum, maximum) = *pick(
        &mut rng,
        &[(100, 200), (100, 200), (100, 150), (50, 200), (50, 100), (0, 100)],
    );
    let is_fixed = rng.u8(..10) == 0;
    let has_small_instances = rng.u8(..6) == 0;
    let groups = usize::from(rng.u8(..5) == 0) + 1;
    let scenario = Scenario {
        seed,
        cluster: "c".into(),
        instances: vec![InstanceSpec {
            cpu: if has_small_instances {
                128 * i64::from(desired_count + 1)
            } else {
                8192
            },
            memory: 16_000,
            count: if is_fixed { desired_count.max(1) } else { rng.u32(1..4) },
            ..InstanceSpec::default()
        }],
        target_groups: (0..groups).map(|n| target_group(&mut rng, n)).collect(),
        services: vec![ServiceSpec {
            name: "web".into(),
            desired_count,
            minimum_healthy_percent: minimum,
            maximum_percent: maximum,
            circuit_breaker: (rng.u8(..3) > 0).then(|| CircuitBreakerSpec {
                enable: true,
                rollback: rng.u8(..3) > 0,
            }),
            load_balancers: (0..groups).map(load_balancer).collect(),
            health_check_grace_period: Some(Duration::from_secs(*pick(&mut rng, &[0, 0, 60, 120]))),
            task_definition: definition("example/web:1", is_fixed, groups),
            ..ServiceSpec::default()
        }],
        faults: faults(&mut rng),
        ..Scenario::default()
    };
    let mut scenario = scenario;
    scenario.timings.early_port_reuse = rng.u8(..4) == 0;
    scenario.timings.completion_waits_for_drain = rng.u8(..5) == 0;
    let lower = (desired_count * minimum).div_ceil(100);
    let can_move = desired_count == 0 || desired_count * maximum / 100 > desired_count || lower < desired_count;
    let must_succeed = scenario.faults.is_empty() && !has_small_instances && !is_fixed && can_move;
    Case {
        must_succeed,
        scenario,
        misbehaviour: misbehaviour(&mut rng),
        misbehaves_for: Duration::from_secs(rng.u64(0..400)),
        settle: Duration::from_secs(*pick(&mut rng, &[0, 5, 10, 30])),
        timeout: Duration::from_secs(*pick(&mut rng, &[300, 600, 1200, 1800])),
        has_new_image: rng.u8(..4) > 0,
    }
}

fn target_group(rng: &mut fastrand::Rng, n: usize) -> TargetGroupSpec {
    let mut group = TargetGroupSpec {
        name: format!("g{n}"),
        deregistration_delay: Duration::from_secs(*pick(rng, &[0, 5, 30, 60, 120])),
        ..TargetGroupSpec::default()
    };
    group.health_check.interval = Duration::from_secs(*pick(rng, &[5, 10, 30]));
    group.health_check.healthy_threshold = *pick(rng, &[2, 3, 5]);
    group.health_check.unhealthy_threshold = *pick(rng, &[2, 3]);
    group
}

fn load_balancer(n: usize) -> LoadBalancerSpec {
    LoadBalancerSpec {
        target_group: Some(format!("g{n}")),
        load_balancer_name: None,
        container_name: "web".into(),
        container_port: 8080 + u16::try_from(n).unwrap(),
        ..LoadBalancerSpec::default()
    }
}

/// The service's task definition; its ports are those of the load balancers.
pub fn definition(image: &str, is_fixed: bool, ports: usize) -> Value {
    let mappings: Vec<Value> = (0..ports)
        .map(|n| json!({ "containerPort": 8080 + n, "hostPort": if is_fixed { 80 + n } else { 0 }, "protocol": "tcp" }))
        .collect();
    json!({
        "family": "web",
        "networkMode": "bridge",
        "containerDefinitions": [
            {
                "name": "web", "image": image, "cpu": 128, "memory": 128, "essential": true, "portMappings": mappings,
                // Something for the fault `secrets` to keep from being read.
                "secrets": [{ "name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:111122223333:parameter/token" }],
            }
        ],
        "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
    })
}

fn faults(rng: &mut fastrand::Rng) -> Vec<FaultSpec> {
    let count = *pick(rng, &[0, 0, 1, 1, 1, 2]);
    let mut faults: Vec<FaultSpec> = (0..count)
        .map(|_| {
            let mut fault = FaultSpec::named(FAULTS[rng.usize(..FAULTS.len())]);
            fault.at = Some(Duration::from_secs(rng.u64(0..90)));
            fault.lasts = (rng.u8(..2) == 0).then(|| Duration::from_secs(rng.u64(20..300)));
            fault.delay = (fault.fault == "flapping").then(|| Duration::from_secs(rng.u64(15..60)));
            fault
        })
        .collect();
    if rng.u8(..6) == 0 {
        faults.push(old_crash(rng));
    }
    faults
}

/// The old revision's containers die by themselves: their tasks have stopped while their targets still drain.
fn old_crash(rng: &mut fastrand::Rng) -> FaultSpec {
    let mut fault = FaultSpec::named("crash-loop");
    fault.revision = RevisionRef::Current;
    fault.at = Some(Duration::from_secs(rng.u64(0..120)));
    fault.lasts = Some(Duration::from_secs(rng.u64(5..60)));
    fault
}

fn misbehaviour(rng: &mut fastrand::Rng) -> Misbehaviour {
    let mut shape = Misbehaviour {
        permuted: rng.bool(),
        ..Misbehaviour::default()
    };
    if rng.u8(..2) == 0 {
        shape.throttled = f64::from(rng.u8(..20)) / 100.0;
        shape.transient = f64::from(rng.u8(..15)) / 100.0;
        shape.unlisted_for = Duration::from_secs(rng.u64(0..10));
    }
    if rng.u8(..4) == 0 {
        shape.stale = f64::from(rng.u8(..30)) / 100.0;
        shape.staleness = Duration::from_secs(rng.u64(1..8));
    }
    shape
}

fn pick<'a, T>(rng: &mut fastrand::Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}
