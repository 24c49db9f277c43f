//! A random world from a seed: a cluster, a service behind target groups, faults on a timetable, an API that
//! misbehaves, and the knobs of the run.

use std::time::Duration;

use portzero_core::rollout::Until;
use portzero_sim::scenario::{
    GroupAddresses, InstanceSpec, LoadBalancerSpec, ManagedBy, Scenario, ServiceSpec, TargetGroupSpec, TaskAddresses,
};
use portzero_sim::{
    CircuitBreaker, EarlySuccess, Fault, FaultSpec, Lack, RevisionRef, ShownAddresses, Switches, Threshold,
    ThresholdType, world_fault_names,
};
use portzero_testkit::Misbehaviour;
use serde_json::{Value, json};

/// One case: everything that decides a run.
#[derive(Clone, Debug)]
pub struct Case {
    pub scenario: Scenario,
    pub misbehaviour: Misbehaviour,
    /// When the API behaves again, counted from the update.
    pub misbehaves_for: Duration,
    /// Nothing is answered at all, from when and for how long, counted from the update.
    pub outage: Option<(Duration, Duration)>,
    /// So much later than it meant to the run looks: a slow machine.
    pub lag: Duration,
    pub poll_interval: Option<Duration>,
    pub until: Until,
    pub settle: Duration,
    pub timeout: Duration,
    /// Deploy another image; otherwise the running revision is forced anew.
    pub has_new_image: bool,
    /// No fault, room enough, and limits that allow a rollout: nothing excuses a failure.
    pub must_succeed: bool,
}

/// How tasks are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    Dynamic,
    Fixed,
    Host,
    Awsvpc,
    Fargate,
}

const LIMITS: [(u32, u32); 14] = [
    (100, 200),
    (100, 200),
    (100, 200),
    (100, 150),
    (50, 200),
    (50, 150),
    (50, 100),
    (0, 100),
    (0, 200),
    (75, 125),
    (66, 133),
    (90, 110),
    (100, 400),
    (100, 100),
];

/// The container that no task needs.
pub const SIDECAR: &str = "sidecar";

/// Reads that a run can do without.
const DENIED: [&[&str]; 6] = [
    &["ecs:DescribeContainerInstances", "ecs:ListContainerInstances"],
    &["ecs:ListServiceDeployments"],
    &["ecs:DescribeServiceRevisions"],
    &["elasticloadbalancing:DescribeRules"],
    &["ecs:ListContainerInstances"],
    &[
        "ecs:DescribeContainerInstances",
        "ecs:ListContainerInstances",
        "ecs:ListServiceDeployments",
        "ecs:DescribeServiceRevisions",
        "elasticloadbalancing:DescribeRules",
        "logs:GetLogEvents",
    ],
];

const NO_CAPACITY: [Lack; 8] = [
    Lack::Cpu,
    Lack::Memory,
    Lack::Ports,
    Lack::Attribute,
    Lack::Constraint,
    Lack::Agent,
    Lack::Eni,
    Lack::Instances,
];

pub fn case(seed: u64) -> Case {
    let mut rng = fastrand::Rng::with_seed(seed);
    let desired_count = *pick(&mut rng, &[0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 8, 12]);
    let (minimum, maximum) = *pick(&mut rng, &LIMITS);
    let network = match rng.u8(..20) {
        0..=10 => Network::Dynamic,
        11..=12 => Network::Fixed,
        13 => Network::Host,
        14..=16 => Network::Awsvpc,
        _ => Network::Fargate,
    };
    let has_small_instances = rng.u8(..6) == 0;
    let groups = *pick(&mut rng, &[1, 1, 1, 1, 1, 1, 2, 2, 3, 5]);
    let mut scenario = Scenario {
        seed,
        cluster: "c".into(),
        instances: vec![InstanceSpec {
            cpu: if has_small_instances {
                128 * i64::from(desired_count + 1)
            } else {
                8192
            },
            memory: 32_000,
            count: match network {
                Network::Fixed | Network::Host => desired_count.max(1) + rng.u32(..2),
                Network::Awsvpc => desired_count + 1,
                _ => rng.u32(1..5),
            },
            ..InstanceSpec::default()
        }],
        target_groups: (0..groups).map(|n| target_group(&mut rng, n)).collect(),
        services: vec![ServiceSpec {
            name: "web".into(),
            desired_count,
            minimum_healthy_percent: minimum,
            maximum_percent: maximum,
            circuit_breaker: (rng.u8(..3) > 0).then(|| CircuitBreaker {
                enable: true,
                rollback: rng.u8(..3) > 0,
                ..CircuitBreaker::default()
            }),
            load_balancers: (0..groups).map(load_balancer).collect(),
            health_check_grace_period: Some(Duration::from_secs(*pick(&mut rng, &[0, 0, 30, 60, 120, 300]))),
            task_definition: definition("example/web:1", network, groups),
            launch_type: (network == Network::Fargate).then(|| "FARGATE".into()),
            ..ServiceSpec::default()
        }],
        faults: faults(&mut rng),
        ..Scenario::default()
    };
    own_conditions(seed, &mut scenario.services[0]);
    managed_ingress(seed, &mut scenario.services[0]);
    scenario.timings.early_port_reuse = rng.u8(..4) == 0;
    scenario.timings.completion_waits_for_drain = rng.u8(..5) == 0;
    scenario.switches = switches(&mut rng);
    scenario.faults.extend(interventions(seed));
    if seed % 8 == 3 && network != Network::Fargate {
        scenario.services[0].capacity_provider = Some("asg".into());
    }
    let lower = (desired_count * minimum).div_ceil(100);
    let can_move = desired_count == 0 || desired_count * maximum / 100 > desired_count || lower < desired_count;
    let has_room = !has_small_instances && matches!(network, Network::Dynamic | Network::Fargate);
    scenario.faults.extend(late_ends(seed));
    let sidecar = sidecar_fault(seed);
    let must_succeed = scenario.faults.is_empty() && has_room && can_move;
    // Whatever becomes of a container that is not essential excuses nothing.
    if let Some(fault) = sidecar {
        let definition = &mut scenario.services[0].task_definition;
        if let Some(containers) = definition["containerDefinitions"].as_array_mut() {
            containers.push(json!({"name": SIDECAR, "image": "example/sidecar:1", "memory": 16, "essential": false}));
        }
        scenario.faults.push(fault);
    }
    let mut case = Case {
        must_succeed,
        scenario,
        misbehaviour: misbehaviour(&mut rng),
        misbehaves_for: Duration::from_secs(rng.u64(0..400)),
        outage: (rng.u8(..6) == 0).then(|| {
            let span = rng.u64(5..400);
            (Duration::from_secs(rng.u64(0..300)), Duration::from_secs(span))
        }),
        lag: Duration::from_millis(*pick(&mut rng, &[0, 0, 0, 400, 2_000, 5_000, 15_000, 40_000])),
        poll_interval: pick(
            &mut rng,
            &[None, None, Some(1), Some(2), Some(5), Some(10), Some(30), Some(60)],
        )
        .map(Duration::from_secs),
        until: *pick(
            &mut rng,
            &[Until::Drained, Until::Drained, Until::Healthy, Until::Registered],
        ),
        settle: Duration::from_secs(*pick(&mut rng, &[0, 1, 5, 10, 30, 120])),
        timeout: Duration::from_secs(*pick(&mut rng, &[20, 120, 300, 600, 1200, 1800, 3600])),
        has_new_image: rng.u8(..4) > 0,
    };
    if matches!(network, Network::Awsvpc | Network::Fargate) {
        addresses(&mut case, seed);
    }
    // Who may not read the revision cannot know of these groups: its plan says so, and T11-express-not-read shows it.
    let is_managed = |b: &LoadBalancerSpec| b.managed_by.is_some();
    if case.scenario.services[0].load_balancers.iter().any(is_managed)
        && case.misbehaviour.denied.contains(&"ecs:DescribeServiceRevisions")
    {
        case.misbehaviour.denied = &[];
    }
    with_another_deployment(case)
}

/// Which addresses the tasks have and their groups want, and where they are shown. From a chance of its own, so that the
/// rest of the world stays what it was.
fn addresses(case: &mut Case, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x6a09_e667_f3bc_c908);
    let scenario = &mut case.scenario;
    let (own, ipv6_of_10) = *pick(
        &mut rng,
        &[
            (TaskAddresses::Ipv4, 0),
            (TaskAddresses::Ipv4, 0),
            (TaskAddresses::Dualstack, 0),
            (TaskAddresses::Dualstack, 5),
            (TaskAddresses::Dualstack, 10),
            (TaskAddresses::Ipv6, 10),
        ],
    );
    scenario.services[0].ip_addresses = Some(own);
    for group in &mut scenario.target_groups {
        if rng.u8(..10) < ipv6_of_10 {
            group.ip_address_type = GroupAddresses::Ipv6;
        }
    }
    scenario.switches.ipv6_in_full = rng.bool();
    scenario.switches.addresses = match rng.u8(..16) {
        0..=1 => ShownAddresses::Attachments,
        2 => ShownAddresses::Nowhere,
        _ => ShownAddresses::Everywhere,
    };
    case.must_succeed &= scenario.switches.addresses != ShownAddresses::Nowhere;
    // What does not name the deployment is an emulator, whose answers are of the moment.
    if rng.u8(..10) == 0 {
        scenario.switches.started_by_service = true;
        case.misbehaviour.unlisted_for = Duration::ZERO;
        case.misbehaviour.stale = 0.0;
    }
}

/// Target groups that ECS manages itself. Drawn apart, so that it changes nothing else of a world.
fn managed_ingress(seed: u64, service: &mut ServiceSpec) {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x6a7e);
    if rng.u8(..6) > 0 {
        return;
    }
    let by = *pick(&mut rng, &[ManagedBy::Express, ManagedBy::Gateway]);
    // A service has one gateway connector at most. Whatever ECS manages may stand beside load balancers of its own.
    let many = service.load_balancers.len();
    let managed = match by {
        ManagedBy::Express if rng.bool() => many,
        _ => 1,
    };
    for binding in service.load_balancers.iter_mut().rev().take(managed) {
        binding.managed_by = Some(by);
    }
    let mappings = service.task_definition["containerDefinitions"][0]["portMappings"].as_array_mut();
    for (place, mapping) in mappings.into_iter().flatten().enumerate() {
        mapping["name"] = json!(format!("port-{place}"));
    }
}

/// Thresholds of the circuit breaker's own, and early success. Drawn apart, so that they change nothing else of a world.
fn own_conditions(seed: u64, service: &mut ServiceSpec) {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x7e57);
    if let Some(breaker) = &mut service.circuit_breaker {
        let kinds = [
            ThresholdType::Count,
            ThresholdType::BoundedPercent,
            ThresholdType::UnboundedPercent,
        ];
        breaker.threshold = (rng.u8(..3) == 0).then(|| Threshold {
            kind: *pick(&mut rng, &kinds),
            value: *pick(&mut rng, &[1, 2, 4, 10, 50, 100, 200]),
        });
        breaker.reset_on_healthy_task = *pick(&mut rng, &[None, None, Some(true), Some(false)]);
    }
    if rng.u8(..6) == 0 {
        service.strategy.early_success = Some(EarlySuccess {
            healthy_percent: service
                .minimum_healthy_percent
                .max(*pick(&mut rng, &[0, 30, 50, 90, 100])),
            cleanup: pick(&mut rng, &["BLOCKING", "DEFERRED"]).to_string(),
        });
        service.strategy.bake_time = *pick(&mut rng, &[None, None, Some(Duration::from_secs(60))]);
    }
}

/// Somebody deploys in mid-rollout, or while nothing but a drain is left of it: a case of its own, drawn apart from the
/// others, so that they stay what they are.
fn with_another_deployment(mut case: Case) -> Case {
    let mut rng = fastrand::Rng::with_seed(case.scenario.seed ^ 0x005e_c04d);
    if rng.u8(..10) > 0 {
        return case;
    }
    let mut fault = FaultSpec::parse("other-deployment").expect("a known fault");
    fault.timetable.at = Some(Duration::from_secs(rng.u64(0..600)));
    case.scenario.faults.push(fault);
    case.must_succeed = false;
    if rng.bool() {
        // Long enough for most of them to begin while nothing else is left.
        for group in &mut case.scenario.target_groups {
            group.deregistration_delay = Duration::from_secs(*pick(&mut rng, &[300, 600]));
        }
        (case.until, case.timeout) = (Until::Drained, Duration::from_secs(1800));
    }
    case
}

fn target_group(rng: &mut fastrand::Rng, n: usize) -> TargetGroupSpec {
    let mut group = TargetGroupSpec {
        name: format!("g{n}"),
        deregistration_delay: Duration::from_secs(*pick(rng, &[0, 5, 30, 60, 120, 300])),
        slow_start: Duration::from_secs(*pick(rng, &[0, 0, 0, 0, 30, 90])),
        ..TargetGroupSpec::default()
    };
    group.health_check.interval = Duration::from_secs(*pick(rng, &[5, 10, 30, 60]));
    group.health_check.timeout = Duration::from_secs(*pick(rng, &[2, 4]));
    group.health_check.healthy_threshold = *pick(rng, &[2, 3, 5, 10]);
    group.health_check.unhealthy_threshold = *pick(rng, &[2, 3, 5, 10]);
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
fn definition(image: &str, network: Network, ports: usize) -> Value {
    let mapping = |n: usize| match network {
        Network::Dynamic => json!({"containerPort": 8080 + n, "hostPort": 0, "protocol": "tcp"}),
        Network::Fixed => json!({"containerPort": 8080 + n, "hostPort": 80 + n, "protocol": "tcp"}),
        _ => json!({"containerPort": 8080 + n, "protocol": "tcp"}),
    };
    let mode = match network {
        Network::Dynamic | Network::Fixed => "bridge",
        Network::Host => "host",
        Network::Awsvpc | Network::Fargate => "awsvpc",
    };
    let mappings: Vec<Value> = (0..ports).map(mapping).collect();
    let mut document = json!({
        "family": "web",
        "networkMode": mode,
        "containerDefinitions": [
            {
                "name": "web", "image": image, "cpu": 128, "memory": 128, "essential": true, "portMappings": mappings,
                // Something for the fault `secrets` to keep from being read.
                "secrets": [{ "name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:111122223333:parameter/token" }],
            }
        ],
        "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
    });
    if network == Network::Fargate {
        document["requiresCompatibilities"] = json!(["FARGATE"]);
        document["cpu"] = json!("256");
        document["memory"] = json!("512");
    }
    document
}

/// Up to three of the whole catalogue, each at its own time.
fn faults(rng: &mut fastrand::Rng) -> Vec<FaultSpec> {
    let names = world_fault_names();
    let count = *pick(rng, &[0, 0, 1, 1, 1, 2, 3]);
    let mut faults: Vec<FaultSpec> = (0..count)
        .map(|_| {
            let mut fault = FaultSpec::parse(names[rng.usize(..names.len())]).expect("a known fault");
            // What is in progress when the run begins has no other time.
            if rng.u8(..5) > 0 && fault.fault != Fault::DeploymentInProgress {
                fault.timetable.at = Some(Duration::from_secs(rng.u64(0..200)));
                fault.timetable.lasts = (rng.u8(..2) == 0).then(|| Duration::from_secs(rng.u64(5..400)));
            }
            match &mut fault.fault {
                Fault::Flapping { after: delay } | Fault::SlowStart { takes: delay } => {
                    *delay = Duration::from_secs(rng.u64(5..120));
                }
                Fault::NoCapacity { lack } => *lack = Some(*pick(rng, &NO_CAPACITY)),
                _ => {}
            }
            fault
        })
        .collect();
    if rng.u8(..6) == 0 {
        faults.push(old_crash(rng));
    }
    faults
}

/// What somebody does to the load balancers and the cluster while the service rolls out, besides the draw from the whole
/// catalogue: in a tenth of the worlds weights drift, in a twenty-fifth the listeners go, and in another one the target
/// groups; old tasks are protected, agents are disconnected and capacity providers launch nothing in a twentieth each.
fn interventions(seed: u64) -> Vec<FaultSpec> {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37));
    let mut faults = Vec::new();
    let mut draw = |name: &str, one_in: u8, latest: u64, lasts: bool| {
        if rng.u8(..one_in) == 0 {
            let mut fault = FaultSpec::parse(name).expect("a known fault");
            fault.timetable.at = Some(Duration::from_secs(rng.u64(0..latest)));
            fault.timetable.lasts = lasts.then(|| Duration::from_secs(rng.u64(30..2_400)));
            faults.push(fault);
        }
    };
    draw("weights-drift", 10, 500, false);
    draw("not-in-use,since=update", 25, 300, false);
    draw("target-group-deleted", 25, 300, false);
    draw("task-protection", 20, 60, true);
    draw("agent-disconnected", 20, 120, true);
    if seed % 8 == 3 {
        draw("capacity-provider-slow", 3, 30, true);
    }
    faults
}

/// The new revision's containers die by themselves when they have long been healthy: once, for a while, or always anew.
/// Drawn apart, so that it changes nothing else of a world.
fn late_ends(seed: u64) -> Option<FaultSpec> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x1a7e);
    if rng.u8(..6) > 0 {
        return None;
    }
    let names = ["crash-loop", "crash-loop", "out-of-memory"];
    let name = *pick(&mut rng, &names);
    let mut fault = FaultSpec::parse(name).expect("a known fault");
    fault.timetable.lasts = (rng.u8(..3) == 0).then(|| Duration::from_secs(rng.u64(30..400)));
    if let Fault::CrashLoop { after, .. } | Fault::OutOfMemory { after, .. } = &mut fault.fault {
        *after = Duration::from_secs(rng.u64(20..=200));
    }
    Some(fault)
}

/// A container that is not essential dies, or cannot be pulled. Drawn apart as well.
fn sidecar_fault(seed: u64) -> Option<FaultSpec> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x51de);
    if rng.u8(..5) > 0 {
        return None;
    }
    let names = ["image-pull", "crash-loop", "out-of-memory"];
    let name = *pick(&mut rng, &names);
    let mut fault = FaultSpec::parse(name).expect("a known fault");
    fault.scope.container = Some(SIDECAR.into());
    Some(fault)
}

/// The old revision's containers die by themselves: their tasks have stopped while their targets still drain.
fn old_crash(rng: &mut fastrand::Rng) -> FaultSpec {
    let mut fault = FaultSpec::parse("crash-loop").expect("a known fault");
    fault.scope.revision = RevisionRef::Current;
    fault.timetable.at = Some(Duration::from_secs(rng.u64(0..120)));
    fault.timetable.lasts = Some(Duration::from_secs(rng.u64(5..60)));
    fault
}

/// What the evidence leaves open, now so and now so.
fn switches(rng: &mut fastrand::Rng) -> Switches {
    let default = Switches::default();
    let mut flip = |usual: bool| usual ^ (rng.u8(..8) == 0);
    Switches {
        unhealthy_stop_first: flip(default.unhealthy_stop_first),
        crashed_old_tasks_return: flip(default.crashed_old_tasks_return),
        stopping_counts_for_maximum: flip(default.stopping_counts_for_maximum),
        first_task_starts_alone: flip(default.first_task_starts_alone),
        breaker_in_every_strategy: flip(default.breaker_in_every_strategy),
        ..default
    }
}

fn misbehaviour(rng: &mut fastrand::Rng) -> Misbehaviour {
    let mut shape = Misbehaviour {
        permuted: rng.bool(),
        repeated: rng.u8(..4) == 0,
        ..Misbehaviour::default()
    };
    if rng.u8(..5) == 0 {
        shape.denied = DENIED[rng.usize(..DENIED.len())];
    }
    if rng.u8(..2) == 0 {
        shape.throttled = f64::from(rng.u8(..20)) / 100.0;
        shape.transient = f64::from(rng.u8(..15)) / 100.0;
        shape.reset = f64::from(rng.u8(..10)) / 100.0;
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
