//! A world as its scenario has it: every service's tasks RUNNING, their targets healthy, the deployment COMPLETED.

use std::time::Duration;

use serde_json::{Value, json};

use super::scenario::{
    DEFAULT_START, GroupAddresses, InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec,
};
use super::world::{ScheduledEvent, World};
use crate::model::container::Needs;
use crate::model::load_balancer::{Action, Listener, LoadBalancer};
use crate::model::network::{SECURITY_GROUP, VPC, digest, subnet_of, zones};
use crate::model::state::{
    ContainerInstance, Deployment, HealthCheck, LoadBalancerBinding, Progress, Service, ServiceDeployment, TargetGroup,
};
use crate::model::status::{DeploymentStatus, RolloutState, ServiceDeploymentStatus, ServiceStatus};
use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::Fault;
use crate::timestamp::Timestamp;

/// How long before the world's start its services were deployed.
const AGE: Duration = Duration::from_secs(86_400);

impl World {
    /// The world at the scenario's start.
    pub fn new(scenario: &Scenario) -> Result<World, String> {
        let start = scenario.start.as_deref().unwrap_or(DEFAULT_START);
        let start: jiff::Timestamp = start.parse().map_err(|_| format!("`{start}` is no RFC 3339 time"))?;
        let start = Timestamp::from_millis(start.as_millisecond());
        let past = Timestamp::from_millis(start.as_millis() - i64::try_from(AGE.as_millis()).unwrap_or(0));
        let mut world = World::empty(scenario, past);
        world.start = start;
        world.add_clusters(scenario);
        for instance in &scenario.instances {
            world.add_instance(scenario, instance);
        }
        for group in &scenario.target_groups {
            world.add_target_group(scenario, group);
        }
        world.add_classic_balancers(scenario);
        for service in &scenario.services {
            world.add_service(scenario, service)?;
        }
        world.now = start;
        world.begin_faults();
        world.remember();
        Ok(world)
    }

    fn add_clusters(&mut self, scenario: &Scenario) {
        let services = scenario.services.iter().filter_map(|service| service.cluster.as_ref());
        let instances = scenario
            .instances
            .iter()
            .filter_map(|instance| instance.cluster.as_ref());
        let named = scenario
            .clusters
            .iter()
            .chain(services)
            .chain(instances)
            .chain([&scenario.cluster]);
        for name in named {
            self.put_cluster(name);
        }
    }

    fn add_instance(&mut self, scenario: &Scenario, spec: &InstanceSpec) {
        let cluster = spec.cluster.as_ref().unwrap_or(&scenario.cluster);
        for copy in 0..spec.count {
            let id = self.hex(32);
            let number = self.account.clusters.values().map(|c| c.instances.len()).sum::<usize>();
            let ec2 = match (&spec.id, copy) {
                (Some(named), 0) => named.clone(),
                _ => format!("i-{}", self.hex(17)),
            };
            let zone = ["a", "b", "c"][number % 2];
            let instance = ContainerInstance {
                arn: format!(
                    "arn:aws:ecs:{}:{}:container-instance/{cluster}/{id}",
                    self.account.region, self.account.id
                ),
                id: id.clone(),
                ec2_instance_id: ec2,
                status: "ACTIVE".into(),
                agent_connected: true,
                availability_zone: spec
                    .zone
                    .clone()
                    .unwrap_or_else(|| format!("{}{zone}", scenario.region)),
                private_ip: format!("10.0.{}.{}", number % 2, 10 + number / 2),
                cpu: spec.cpu,
                memory: spec.memory,
                registered_at: self.now,
            };
            if let Some(cluster) = self.account.clusters.get_mut(cluster) {
                cluster.instances.insert(id, instance);
            }
        }
    }

    fn add_target_group(&mut self, scenario: &Scenario, spec: &TargetGroupSpec) {
        let target_type = spec
            .target_type
            .clone()
            .unwrap_or_else(|| wanted_target_type(scenario, &spec.name).to_owned());
        self.put_target_group(spec, &target_type);
    }

    /// A target group, with a load balancer before it where it is attached to one; its ARN.
    pub(crate) fn put_target_group(&mut self, spec: &TargetGroupSpec, target_type: &str) -> String {
        let head = self.balancing_head();
        let arn = spec.arn.clone();
        let arn = arn.unwrap_or_else(|| format!("{head}:targetgroup/{}/{}", spec.name, digest(&spec.name)));
        let mut balancers = Vec::new();
        if spec.attached {
            let (balancer, made) = self.balancer_before(&head, spec, &arn);
            self.account.load_balancers.insert(balancer.clone(), made);
            balancers.push(balancer);
        }
        let check = &spec.health_check;
        self.account.target_groups.insert(
            arn.clone(),
            TargetGroup {
                arn: arn.clone(),
                name: spec.name.clone(),
                protocol: spec.protocol.clone(),
                port: spec.port,
                vpc_id: VPC.into(),
                target_type: target_type.to_owned(),
                ip_address_type: spec.ip_address_type.as_str().into(),
                health_check: HealthCheck {
                    enabled: check.enabled,
                    protocol: spec.protocol.clone(),
                    port: check.port.clone(),
                    path: check.path.clone(),
                    interval: check.interval,
                    timeout: check.timeout,
                    healthy_threshold: check.healthy_threshold,
                    unhealthy_threshold: check.unhealthy_threshold,
                    matcher: check.matcher.clone(),
                },
                load_balancer_arns: balancers,
                deregistration_delay: spec.deregistration_delay,
                slow_start: spec.slow_start,
                attributes: Default::default(),
                targets: Vec::new(),
            },
        );
        arn
    }

    /// The load balancer with one listener that stands before a target group from the start.
    fn balancer_before(&self, head: &str, spec: &TargetGroupSpec, group: &str) -> (String, LoadBalancer) {
        let name = &spec.name;
        let id = digest(&format!("{name}-lb"));
        let is_network = !matches!(spec.protocol.as_str(), "HTTP" | "HTTPS");
        let (kind, short) = if is_network {
            ("network", "net")
        } else {
            ("application", "app")
        };
        let arn = format!("{head}:loadbalancer/{short}/{name}/{id}");
        let path = format!("{short}/{name}/{id}/{}", digest(&format!("{name}-listener")));
        let rule = digest(&format!("{name}-rule"));
        let listener = Listener {
            arn: format!("{head}:listener/{path}"),
            protocol: spec.protocol.clone(),
            port: 80,
            certificates: Vec::new(),
            ssl_policy: None,
            default_rule_arn: format!("{head}:listener-rule/{path}/{rule}"),
            actions: vec![Action::forward(group)],
            rules: Vec::new(),
        };
        let balancer = LoadBalancer {
            arn: arn.clone(),
            name: name.clone(),
            dns_name: format!("{name}-1234567890.{}.elb.amazonaws.com", self.account.region),
            kind: kind.into(),
            scheme: "internet-facing".into(),
            vpc_id: VPC.into(),
            availability_zones: zones(&self.account.region),
            security_groups: if is_network {
                Vec::new()
            } else {
                vec![SECURITY_GROUP.into()]
            },
            ip_address_type: if spec.ip_address_type == GroupAddresses::Ipv6 {
                "dualstack"
            } else {
                "ipv4"
            }
            .into(),
            created_at: self.now,
            active_at: self.now,
            listeners: vec![listener],
            attributes: Default::default(),
        };
        (arn, balancer)
    }

    fn add_service(&mut self, scenario: &Scenario, spec: &ServiceSpec) -> Result<(), String> {
        let cluster = spec.cluster.clone().unwrap_or_else(|| scenario.cluster.clone());
        let name = spec.name.clone();
        crate::strategy::check(spec)?;
        spec.check_gateways()?;
        let desired_count = desired_at_start(scenario, spec);
        let definition = self
            .register_at(&spec.task_definition, Some(spec.revision.max(1)))
            .map_err(|refusal| format!("the task definition of service `{name}`: {}", refusal.message))?;
        let needs = Needs::of(&definition.document);
        let launch_type = spec
            .launch_type
            .clone()
            .unwrap_or_else(|| if needs.fargate { "FARGATE" } else { "EC2" }.into());
        let number = self.digits(19);
        let id = format!("ecs-svc/{number}");
        let deployment = completed_deployment(&id, &definition.arn, desired_count, self.now);
        let first = self.first_service_deployment(&cluster, spec, &number, desired_count);
        let external = spec.deployment_controller != "ECS";
        let bindings: Vec<LoadBalancerBinding> = spec
            .load_balancers
            .iter()
            .map(|binding| self.bind_balancer(scenario, binding))
            .collect();
        let mut service = self.blank_service(&cluster, &name);
        fill_service(&mut service, spec);
        service.desired_count = desired_count;
        service.task_definition.clone_from(&definition.arn);
        service.load_balancers = bindings;
        self.manage_ingress(&cluster, &mut service, spec, &definition)?;
        service.launch_type = launch_type;
        if needs.awsvpc {
            service
                .settings
                .insert("networkConfiguration".into(), default_network(&self.account.region));
        }
        add_settings(&mut service, spec);
        service.revisions.insert(number, service.revision(self.now));
        if !external && spec.status != "INACTIVE" {
            service.deployments.push(deployment.clone());
        }
        if !external {
            service.service_deployments.push(first);
        }
        if !self.account.clusters.contains_key(&cluster) {
            return Err(format!("no cluster `{cluster}`"));
        }
        if self.put_service(&cluster, service).is_some() {
            return Err(format!("service `{name}` stands twice in cluster `{cluster}`"));
        }
        self.remember_start(&cluster, &name, deployment);
        if spec.status == "ACTIVE" {
            self.run_at_start(&cluster, &name, &id, desired_count)?;
        }
        let first_look = self.draw(self.timings.cadence);
        self.at(self.start + first_look, ScheduledEvent::Look { cluster, service: name });
        Ok(())
    }

    /// The service deployment of what runs at the start.
    fn first_service_deployment(
        &mut self,
        cluster: &str,
        spec: &ServiceSpec,
        number: &str,
        desired_count: u32,
    ) -> ServiceDeployment {
        let mixed = self.mixed(21);
        let (region, account, name) = (&self.account.region, &self.account.id, &spec.name);
        let head = format!("arn:aws:ecs:{region}:{account}");
        let watched = spec.circuit_breaker.is_some_and(|breaker| breaker.enable);
        let threshold = spec.circuit_breaker.and_then(|breaker| breaker.threshold);
        let arn = format!("{head}:service-deployment/{cluster}/{name}/{mixed}");
        ServiceDeployment {
            target_revision: format!("{head}:service-revision/{cluster}/{name}/{number}"),
            breaker_status: if watched { "MONITORING_COMPLETE" } else { "DISABLED" }.into(),
            threshold: threshold.unwrap_or_default().failures(desired_count),
            ..successful_deployment(arn, &format!("ecs-svc/{number}"), self.now)
        }
    }

    /// The scheduler's state of a service that has run for a day.
    fn remember_start(&mut self, cluster: &str, name: &str, deployment: Deployment) {
        let acts_from = self.start;
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.deployments.initial.clone_from(&deployment.id);
        scheduler.deployments.completed = Some(deployment);
        scheduler.timing.acts_from = acts_from;
        scheduler.health.has_been_healthy = true;
    }

    fn bind_balancer(&mut self, scenario: &Scenario, spec: &LoadBalancerSpec) -> LoadBalancerBinding {
        let group = |name: &Option<String>| name.as_ref().map(|name| self.group_named(scenario, name));
        let (target_group_arn, alternate) = (group(&spec.target_group), group(&spec.alternate_target_group));
        let advanced = target_group_arn
            .as_ref()
            .zip(alternate)
            .map(|(first, alternate)| self.join_groups(first, &alternate, spec.test_listener));
        LoadBalancerBinding {
            target_group_arn,
            load_balancer_name: spec.load_balancer_name.clone(),
            container_name: spec.container_name.clone(),
            container_port: spec.container_port,
            advanced,
            managed: None,
        }
    }

    fn group_named(&self, scenario: &Scenario, name: &str) -> String {
        self.account
            .target_groups
            .values()
            .find(|group| group.name == name)
            .map_or_else(|| group_arn(scenario, name), |group| group.arn.clone())
    }
}

/// The network of services that the scenario puts into awsvpc mode: AWS has none without.
pub(crate) fn default_network(region: &str) -> Value {
    let subnets: Vec<String> = zones(region).iter().map(|zone| subnet_of(zone)).collect();
    json!({"awsvpcConfiguration": {
        "subnets": subnets,
        "securityGroups": [SECURITY_GROUP],
        "assignPublicIp": "DISABLED",
    }})
}

fn completed_deployment(id: &str, task_definition: &str, desired_count: u32, at: Timestamp) -> Deployment {
    Deployment {
        id: id.to_owned(),
        status: DeploymentStatus::Primary,
        task_definition: task_definition.to_owned(),
        desired_count,
        pending_count: 0,
        running_count: 0,
        failed_tasks: 0,
        created_at: at,
        updated_at: at,
        rollout_state: RolloutState::Completed,
        rollout_state_reason: format!("ECS deployment {id} completed."),
    }
}

/// A service deployment that took two minutes.
fn successful_deployment(arn: String, deployment: &str, at: Timestamp) -> ServiceDeployment {
    let end = at + Duration::from_secs(120);
    ServiceDeployment {
        arn,
        deployment_id: deployment.to_owned(),
        status: ServiceDeploymentStatus::Successful,
        status_reason: None,
        created_at: at,
        started_at: Some(at),
        finished_at: Some(end),
        updated_at: end,
        source_revisions: Vec::new(),
        target_revision: String::new(),
        breaker_status: String::new(),
        failure_count: 0,
        threshold: 0,
        rollback: None,
        progress: Progress::default(),
    }
}

/// What is shown as CreateService takes it.
fn add_settings(service: &mut Service, spec: &ServiceSpec) {
    if let Some(provider) = &spec.capacity_provider {
        let strategy = json!([{"capacityProvider": provider, "weight": 1, "base": 0}]);
        service.settings.insert("capacityProviderStrategy".into(), strategy);
    }
    if !spec.vpc_lattice_configurations.is_empty() {
        let lattice = Value::from(spec.vpc_lattice_configurations.clone());
        service.settings.insert("vpcLatticeConfigurations".into(), lattice);
    }
    if !spec.volume_configurations.is_empty() {
        let volumes = Value::from(spec.volume_configurations.clone());
        service.settings.insert("volumeConfigurations".into(), volumes);
    }
    if let Some(connect) = &spec.service_connect {
        service
            .settings
            .insert("serviceConnectConfiguration".into(), connect.clone());
    }
}

/// What a service takes from its spec as it is.
fn fill_service(service: &mut Service, spec: &ServiceSpec) {
    service.status = ServiceStatus::from(spec.status.as_str());
    service.scheduling_strategy.clone_from(&spec.scheduling_strategy);
    service.deployment_controller.clone_from(&spec.deployment_controller);
    service.minimum_healthy_percent = spec.minimum_healthy_percent;
    service.maximum_percent = spec.maximum_percent;
    service.health_check_grace_period = spec.health_check_grace_period;
    service.ip_addresses = spec.ip_addresses;
    service.circuit_breaker = spec.circuit_breaker;
    service.strategy.clone_from(&spec.strategy);
    if let Some(architecture) = &spec.cpu_architecture {
        let platform = json!({"runtimePlatform": {"cpuArchitecture": architecture}});
        service.settings.insert("overrides".into(), platform);
    }
}

/// None where a fault wants none from the start: then there have never been any tasks.
fn desired_at_start(scenario: &Scenario, spec: &ServiceSpec) -> u32 {
    let wants_none = |fault: &FaultSpec| fault.fault == Fault::DesiredZero && fault.begins().is_zero();
    let is_empty = scenario.faults.iter().any(|f| wants_none(f) && f.concerns(&spec.name));
    if is_empty { 0 } else { spec.desired_count }
}

fn group_arn(scenario: &Scenario, name: &str) -> String {
    let head = format!("arn:aws:elasticloadbalancing:{}:{}", scenario.region, scenario.account);
    format!("{head}:targetgroup/{name}/{}", digest(name))
}

/// `ip` where a service of the group runs in awsvpc mode.
fn wanted_target_type(scenario: &Scenario, group: &str) -> &'static str {
    let uses = |service: &&ServiceSpec| {
        service
            .load_balancers
            .iter()
            .any(|b| [&b.target_group, &b.alternate_target_group].contains(&&Some(group.to_owned())))
    };
    let mode = scenario
        .services
        .iter()
        .find(uses)
        .and_then(|s| s.task_definition.get("networkMode"));
    if mode.and_then(Value::as_str) == Some("awsvpc") {
        "ip"
    } else {
        "instance"
    }
}
