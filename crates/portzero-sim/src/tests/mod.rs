//! Stories about the simulated world, and what they begin with.

use std::time::Duration;

use serde_json::json;

use super::scenario::breaker::CircuitBreaker;
use super::scenario::{InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};
use super::{GroundTruth, World};
use crate::model::service::{Deployment, Service};
use crate::model::state::ServiceChange;
use crate::model::status::{DeploymentStatus, ServiceStatus};

mod balancing;
mod conditions;
mod holding;
mod invariants;
mod invariants_staged;
mod misfortunes;
mod operations;
mod rollouts;
mod routing;
mod scenario_files;
mod strategies;

/// One service `web` of one container behind one target group, on one instance, with dynamic host ports.
pub(crate) fn bridge(host_port: u16, desired: u32) -> Scenario {
    Scenario {
        instances: vec![InstanceSpec::default()],
        target_groups: vec![TargetGroupSpec {
            name: "web".into(),
            ..TargetGroupSpec::default()
        }],
        services: vec![ServiceSpec {
            name: "web".into(),
            desired_count: desired,
            task_definition: json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "web:1", "memory": 128,
                "cpu": 64, "portMappings": [{"containerPort": 80, "hostPort": host_port}]}]}),
            load_balancers: vec![LoadBalancerSpec {
                target_group: Some("web".into()),
                container_name: "web".into(),
                container_port: 80,
                ..LoadBalancerSpec::default()
            }],
            ..ServiceSpec::default()
        }],
        ..Scenario::default()
    }
}

pub(crate) fn fargate() -> Scenario {
    let mut scenario = bridge(0, 1);
    scenario.services[0].task_definition = json!({"family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]}]});
    scenario
}

struct Story {
    world: World,
    deployment: String,
    update: crate::timestamp::Timestamp,
}

impl Story {
    /// The ports of all targets that are listed now.
    fn target_ports(&self) -> Vec<u16> {
        let groups = self.world.account().target_groups.values();
        groups.flat_map(|g| &g.targets).map(|t| t.port).collect()
    }

    /// Waits a minute, registers the next revision and deploys it.
    fn of(scenario: &Scenario) -> Story {
        let mut world = World::new(scenario).expect("a world");
        world.advance(world.now() + Duration::from_secs(60));
        let mut story = Story {
            update: world.now(),
            world,
            deployment: String::new(),
        };
        story.deploy(scenario);
        story
    }

    fn deploy(&mut self, scenario: &Scenario) {
        let mut body = scenario.services[0].task_definition.clone();
        body["containerDefinitions"][0]["image"] = "web:2".into();
        let registered = self.world.register_task_definition(&body).expect("registers");
        let change = ServiceChange {
            cluster: "default".into(),
            service: "web".into(),
            task_definition: Some(registered.arn),
            force_new_deployment: true,
            ..ServiceChange::default()
        };
        self.update = self.world.now();
        self.deployment = self.world.update_service(&change).expect("updates").deployments[0]
            .id
            .clone();
    }

    fn pass(&mut self, seconds: u64) -> &mut Self {
        self.world.advance(self.world.now() + Duration::from_secs(seconds));
        self
    }

    /// Passes time until it is so; an hour at most.
    fn pass_until(&mut self, is_so: impl Fn(&Story) -> bool) {
        for _ in 0..3600 {
            if is_so(self) {
                return;
            }
            self.pass(1);
        }
        panic!("it never comes: {:?}\n{:#?}", self.truth(), self.events());
    }

    fn truth(&self) -> GroundTruth {
        self.world.ground_truth("default", "web", &self.deployment)
    }

    fn service(&self) -> &crate::model::state::Service {
        &self.world.account().clusters["default"].services["web"]
    }

    /// The events since the update, oldest first, with the seconds since the update.
    fn events(&self) -> Vec<(f64, String)> {
        let since = self.service().events.iter().filter(|e| e.created_at >= self.update);
        let mut told: Vec<_> = since
            .map(|e| (e.created_at.since(self.update).as_secs_f64(), e.message.clone()))
            .collect();
        told.reverse();
        told
    }

    fn says(&self, words: &str) -> usize {
        self.events()
            .iter()
            .filter(|(_, message)| message.contains(words))
            .count()
    }
}

/// A service that is not gone has one deployment that is PRIMARY.
fn assert_one_primary(service: &Service) {
    let is_primary = |d: &&Deployment| d.status == DeploymentStatus::Primary;
    let primaries = service.deployments.iter().filter(is_primary).count();
    assert_eq!(primaries, usize::from(service.status != ServiceStatus::Inactive));
}

fn with_fault(mut scenario: Scenario, name: &str) -> Scenario {
    scenario.add_fault(name).expect("a known fault");
    scenario
}

fn with_breaker(mut scenario: Scenario, rollback: bool) -> Scenario {
    scenario.services[0].circuit_breaker = Some(CircuitBreaker {
        enable: true,
        rollback,
        ..CircuitBreaker::default()
    });
    scenario
}
