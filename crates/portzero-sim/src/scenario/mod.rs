//! A scenario: the world's starting point and its faults, as a YAML file or built in code.

pub mod breaker;
pub(crate) mod catalogue;
pub(crate) mod error;
pub(crate) mod fault;
pub(crate) mod slips;
pub mod span;
pub(crate) mod specs;
pub mod strategy;
pub(crate) mod switches;
pub(crate) mod text;

use std::time::Duration;

use serde::de::Deserializer;
use serde::{Deserialize, de};
use serde_json::Value;

use crate::scenario::breaker::CircuitBreaker;
use crate::scenario::error::{FilePlace, ScenarioError};
use crate::scenario::fault::FaultSpec;
use crate::scenario::span::Spread;
use crate::scenario::strategy::Strategy;
use crate::scenario::switches::Switches;

pub use crate::scenario::specs::{AlarmSpec, ClassicSpec, GroupAddresses, HealthCheckSpec, TaskAddresses};

/// The moment at which a world begins unless its scenario says otherwise.
pub const DEFAULT_START: &str = "2026-01-01T12:00:00Z";

/// A world's starting point, and what goes wrong in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// For readers.
    pub description: String,
    /// Decides all chance: the same file and the same seed give the same run.
    pub seed: u64,
    /// RFC 3339.
    pub start: Option<String>,
    /// The AWS region.
    pub region: String,
    /// The AWS account number.
    pub account: String,
    /// The cluster of the instances, and of services that name none.
    pub cluster: String,
    /// Further clusters, without instances.
    pub clusters: Vec<String>,
    /// The container instances. Services on Fargate need none.
    pub instances: Vec<InstanceSpec>,
    /// Target groups, and whether a load balancer uses them.
    pub target_groups: Vec<TargetGroupSpec>,
    /// Classic load balancers; one that only a service names has defaults.
    pub classic_load_balancers: Vec<ClassicSpec>,
    /// What runs at the world's start.
    pub services: Vec<ServiceSpec>,
    /// How long things take.
    pub timings: Timings,
    /// Which calls of the API are too many: `none`, `aws` (its published token buckets), or a rate such as `5/s` or
    /// `5/s burst 20` for each API.
    pub throttling: Throttling,
    /// What goes wrong, and when.
    pub faults: Vec<FaultSpec>,
    /// CloudWatch alarms, and when they fire.
    pub alarms: Vec<AlarmSpec>,
    /// What the evidence leaves open.
    pub switches: Switches,
    /// Keys of task definitions that AWS keeps and that the simulator does not know, for example
    /// `containerDefinitions.gpuSharing`: an AWS that is newer than this program.
    pub newer_keys: Vec<String>,
    /// The command line that the file was written for. The world ignores it.
    pub command: Vec<String>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            description: String::new(),
            seed: 1,
            start: None,
            region: "us-east-1".into(),
            account: "111122223333".into(),
            cluster: "default".into(),
            clusters: Vec::new(),
            instances: Vec::new(),
            target_groups: Vec::new(),
            classic_load_balancers: Vec::new(),
            services: Vec::new(),
            timings: Timings::default(),
            throttling: Throttling::None,
            faults: Vec::new(),
            alarms: Vec::new(),
            switches: Switches::default(),
            newer_keys: Vec::new(),
            command: Vec::new(),
        }
    }
}

/// Container instances of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceSpec {
    /// EC2 instance id; made up where absent.
    pub id: Option<String>,
    /// Absent: the scenario's cluster.
    pub cluster: Option<String>,
    /// In units of 1/1024 vCPU.
    pub cpu: i64,
    /// In MiB.
    pub memory: i64,
    /// Availability zone.
    pub zone: Option<String>,
    /// That many alike.
    pub count: u32,
}

impl Default for InstanceSpec {
    fn default() -> Self {
        Self {
            id: None,
            cluster: None,
            cpu: 2048,
            memory: 3904,
            zone: None,
            count: 1,
        }
    }
}

/// A target group of a scenario. The defaults are Elastic Load Balancing's.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetGroupSpec {
    /// Its name; services refer to it by this.
    pub name: String,
    /// Else made from the name.
    pub arn: Option<String>,
    /// `Port`.
    pub port: u16,
    /// `Protocol`.
    pub protocol: String,
    /// instance or ip; by default what the services' network mode wants.
    pub target_type: Option<String>,
    /// Which addresses its targets have.
    pub ip_address_type: GroupAddresses,
    /// The health check of its targets.
    pub health_check: HealthCheckSpec,
    /// How long a target drains.
    #[serde(deserialize_with = "span::span")]
    pub deregistration_delay: Duration,
    /// How long a new target gets a growing share; zero switches it off.
    #[serde(deserialize_with = "span::span")]
    pub slow_start: Duration,
    /// A listener of a load balancer forwards to it.
    pub attached: bool,
}

impl Default for TargetGroupSpec {
    fn default() -> Self {
        Self {
            name: String::new(),
            arn: None,
            port: 80,
            protocol: "HTTP".into(),
            target_type: None,
            ip_address_type: GroupAddresses::Ipv4,
            health_check: HealthCheckSpec::default(),
            deregistration_delay: Duration::from_secs(300),
            slow_start: Duration::ZERO,
            attached: true,
        }
    }
}

/// A service of a scenario: its tasks run and are healthy at the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// Absent: the scenario's cluster.
    pub cluster: Option<String>,
    /// The body of its RegisterTaskDefinition.
    pub task_definition: Value,
    /// The number that the revision shall have.
    pub revision: u64,
    /// `desiredCount`.
    pub desired_count: u32,
    /// `minimumHealthyPercent`.
    pub minimum_healthy_percent: u32,
    /// `maximumPercent`.
    pub maximum_percent: u32,
    /// `deploymentCircuitBreaker`; absent: disabled.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// What its tasks register with.
    pub load_balancers: Vec<LoadBalancerSpec>,
    /// `vpcLatticeConfigurations`: they are shown, and their targets are not modelled.
    pub vpc_lattice_configurations: Vec<Value>,
    /// `volumeConfigurations`: each names a volume of the task definition. They are shown, and no volume is modelled.
    pub volume_configurations: Vec<Value>,
    /// `serviceConnectConfiguration`: it names ports of the task definition. It is shown, and no proxy is modelled.
    pub service_connect: Option<Value>,
    /// `healthCheckGracePeriodSeconds`.
    #[serde(deserialize_with = "span::optional_span")]
    pub health_check_grace_period: Option<Duration>,
    /// EC2 or FARGATE; by default what the task definition requires.
    pub launch_type: Option<String>,
    /// The capacity provider of its tasks: its instances are those of the cluster.
    pub capacity_provider: Option<String>,
    /// Which addresses its subnets give tasks in awsvpc mode. Absent: ipv4, and dualstack where one of its target groups
    /// wants IPv6 addresses.
    pub ip_addresses: Option<TaskAddresses>,
    /// ACTIVE, DRAINING or INACTIVE.
    pub status: String,
    /// ECS, CODE_DEPLOY or EXTERNAL. Only ECS deploys here.
    pub deployment_controller: String,
    /// REPLICA is the only one that is modelled.
    pub scheduling_strategy: String,
    /// Blue/green, linear, canary; alarms; early success.
    pub strategy: Strategy,
    /// `overrides.runtimePlatform.cpuArchitecture` of its revisions: what ECS runs, whatever the task definition says.
    pub cpu_architecture: Option<String>,
}

impl Default for ServiceSpec {
    fn default() -> Self {
        Self {
            name: String::new(),
            cluster: None,
            task_definition: Value::Null,
            revision: 1,
            desired_count: 1,
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: None,
            load_balancers: Vec::new(),
            vpc_lattice_configurations: Vec::new(),
            volume_configurations: Vec::new(),
            service_connect: None,
            health_check_grace_period: None,
            launch_type: None,
            capacity_provider: None,
            ip_addresses: None,
            status: "ACTIVE".into(),
            deployment_controller: "ECS".into(),
            scheduling_strategy: "REPLICA".into(),
            strategy: Strategy::default(),
            cpu_architecture: None,
        }
    }
}

/// One entry of a service's `load_balancers`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadBalancerSpec {
    /// A name of `target_groups`.
    pub target_group: Option<String>,
    /// A classic load balancer.
    pub load_balancer_name: Option<String>,
    /// The container that gets the requests.
    pub container_name: String,
    /// Its port.
    pub container_port: u16,
    /// A name of `target_groups`, for strategies that shift traffic: the one listener rule forwards to both.
    pub alternate_target_group: Option<String>,
    /// A second rule sends test traffic to the new revision first.
    pub test_listener: bool,
    /// ECS itself manages the target group: EXPRESS (Express Mode) or GATEWAY. DescribeServices does not show it then.
    pub managed_by: Option<ManagedBy>,
}

/// How ECS manages a target group.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum ManagedBy {
    /// As part of an Express service.
    #[serde(rename = "EXPRESS")]
    Express,
    /// For a gateway.
    #[serde(rename = "GATEWAY")]
    Gateway,
}

impl ManagedBy {
    /// As a scenario file spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Express => "EXPRESS",
            Self::Gateway => "GATEWAY",
        }
    }
}

/// Whether the API lets only so many calls through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Throttling {
    /// Every call passes.
    #[default]
    None,
    /// As AWS publishes it.
    Aws,
    /// One bucket for each API.
    Fixed {
        /// So many calls pass at once.
        burst: u64,
        /// So many calls pass in a thousand seconds.
        per_kilosecond: u64,
    },
}

impl<'de> Deserialize<'de> for Throttling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let fixed = || {
            let (rate, burst) = text.split_once("/s").map(|(rate, rest)| (rate, rest.trim()))?;
            let rate: f64 = rate.trim().parse().ok().filter(|rate| (0.001..=1e6).contains(rate))?;
            let burst = match burst.strip_prefix("burst") {
                Some(burst) => burst.trim().parse().ok().filter(|burst| *burst > 0)?,
                None if burst.is_empty() => rate.ceil() as u64,
                None => return None,
            };
            Some(Self::Fixed {
                burst,
                per_kilosecond: (rate * 1000.0).round() as u64,
            })
        };
        match text.as_str() {
            "none" => Ok(Self::None),
            "aws" => Ok(Self::Aws),
            _ => fixed().ok_or_else(|| {
                de::Error::custom(format!(
                    "`{text}` is not `none`, `aws` or a rate such as `5/s` or `5/s burst 20`"
                ))
            }),
        }
    }
}

/// How long things take. The defaults are the ranges of recorded rollouts where there are such.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timings {
    /// UpdateService to the scheduler's first action (recorded: 6.6 to 18.8 s).
    pub first_action: Spread,
    /// Between two looks of the scheduler at a service.
    pub cadence: Spread,
    /// A task's creation to the start of its containers on an instance that must fetch one layer.
    pub start_ec2: Spread,
    /// The same on Fargate (recorded: 21 to 31.5 s up to the registration).
    pub start_fargate: Spread,
    /// Registration of the targets to the task's RUNNING (recorded: 8.3 s).
    pub activation: Spread,
    /// `has stopped` to `deregistered` (recorded: 9.4 to 10.9 s).
    pub deregistration: Spread,
    /// How much later than the deregistration delay ECS stops a drained task (recorded: 61 s for a delay of 300 s).
    pub drain_slack: Spread,
    /// SIGTERM to the containers' end.
    pub stop: Spread,
    /// The removal of a network interface (recorded: 23 s).
    pub deprovision: Spread,
    /// The last deregistration to `deployment completed` (recorded: 50.4 to 62.8 s).
    pub completion: Spread,
    /// A stage of a blue/green, linear or canary deployment in which nothing is to be waited for. No recording shows one.
    pub stage: Spread,
    /// The first two pauses before a failed start is tried again, at the look that follows (recorded with the wait for
    /// that look: 30 to 41 s).
    pub retry: Spread,
    /// The third pause after tasks that never started (recorded: 297 s); later ones double, up to 15 min.
    pub long_retry: Spread,
    /// `deployment completed` waits until the old targets are gone. Recordings speak against it.
    pub completion_waits_for_drain: bool,
    /// Stops old containers at once while their targets drain, and gives the lowest free port to the next one, so that
    /// a new task takes a port where an old target still drains.
    pub early_port_reuse: bool,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            first_action: Spread::millis(6_600, 18_800),
            cadence: Spread::millis(9_700, 10_300),
            start_ec2: Spread::millis(4_000, 9_500),
            start_fargate: Spread::millis(21_000, 31_500),
            activation: Spread::millis(800, 2_500),
            deregistration: Spread::millis(9_400, 10_900),
            drain_slack: Spread::millis(20_000, 60_000),
            stop: Spread::millis(500, 4_000),
            deprovision: Spread::millis(10_000, 23_000),
            completion: Spread::millis(52_000, 62_800),
            stage: Spread::millis(5_000, 15_000),
            retry: Spread::millis(30_000, 31_000),
            long_retry: Spread::millis(294_000, 299_000),
            completion_waits_for_drain: false,
            early_port_reuse: false,
        }
    }
}

impl Scenario {
    /// Reads a scenario file. `file` is the name that errors carry.
    pub fn read(text: &str, file: &str) -> Result<Scenario, Vec<ScenarioError>> {
        let scenario: Scenario =
            serde_saphyr::from_str(text).map_err(|error| vec![slips::of_yaml(&error, text, file)])?;
        let mistakes = scenario.mistakes(text, file);
        if mistakes.is_empty() {
            Ok(scenario)
        } else {
            Err(mistakes)
        }
    }

    /// Adds a fault by its name, with its default timetable to whatever the next deployment is, or with the keys behind
    /// the name: `reset,action=ecs:UpdateService,when=after`.
    pub fn add_fault(&mut self, text: &str) -> Result<(), ScenarioError> {
        self.faults.push(FaultSpec::parse(text)?);
        Ok(())
    }

    fn mistakes(&self, text: &str, file: &str) -> Vec<ScenarioError> {
        let mut found: Vec<ScenarioError> = Vec::new();
        if let Some(start) = &self.start
            && start.parse::<jiff::Timestamp>().is_err()
        {
            let error = ScenarioError::new(format!(
                "`start: {start}` is no RFC 3339 time such as 2026-01-01T12:00:00Z"
            ));
            found.push(placed(error, text, file, "start", start));
        }
        for service in &self.services {
            let groups = |b: &LoadBalancerSpec| [b.target_group.clone(), b.alternate_target_group.clone()];
            for name in service.load_balancers.iter().flat_map(groups).flatten() {
                if !self.target_groups.iter().any(|g| g.name == name) {
                    let error = ScenarioError::new(format!(
                        "service `{}` names target group `{name}`, which `target_groups` lacks",
                        service.name
                    ));
                    // The key of an alternate one ends in the same word.
                    found.push(placed(error, text, file, "target_group", &name));
                }
                let group = self.target_groups.iter().find(|group| group.name == name);
                if let Some(words) = group.and_then(|group| no_such_address(service, group)) {
                    found.push(placed(ScenarioError::new(words), text, file, "target_group", &name));
                }
            }
        }
        found
    }
}

/// Where the tasks of a service have no address that the targets of the group could have.
fn no_such_address(service: &ServiceSpec, group: &TargetGroupSpec) -> Option<String> {
    let (wanted, only) = match (service.ip_addresses?, group.ip_address_type) {
        (TaskAddresses::Ipv4, GroupAddresses::Ipv6) => ("IPv6", "IPv4"),
        (TaskAddresses::Ipv6, GroupAddresses::Ipv4) => ("IPv4", "IPv6"),
        _ => return None,
    };
    let (service, group) = (&service.name, &group.name);
    Some(format!(
        "the targets of `{group}` have {wanted} addresses, and the tasks of service `{service}` only {only} ones"
    ))
}

/// Gives an error the place of a value behind its key; what cannot be found (an alias, an escape) keeps the file alone.
fn placed(error: ScenarioError, text: &str, file: &str, key: &str, value: &str) -> ScenarioError {
    let in_line = |line: &str| {
        let behind = line.find(&format!("{key}:"))? + key.len() + 1;
        let at = behind + line[behind..].find(value)?;
        line[behind..at].trim_matches([' ', '"', '\'']).is_empty().then_some(at)
    };
    let mut lines = text.lines().enumerate();
    match lines.find_map(|(number, line)| Some((number, line, in_line(line)?))) {
        Some((number, line, at)) => error.at(FilePlace {
            file: file.to_owned(),
            line: number + 1,
            column: line[..at].chars().count() + 1,
        }),
        None => ScenarioError {
            file: Some(file.to_owned()),
            ..error
        },
    }
}
