//! Stories about whole rollouts in the simulated world.

use std::time::Duration;

use serde_json::json;

use super::scenario::{CircuitBreakerSpec, InstanceSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};
use super::state::ServiceChange;
use super::{Truth, World};

mod direct;
mod invariants;
mod operations;

/// One service `web` of one container behind one target group, on one instance, with dynamic host ports.
pub(super) fn bridge(host_port: u16, desired: u32) -> Scenario {
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

pub(super) fn fargate() -> Scenario {
    let mut scenario = bridge(0, 1);
    scenario.services[0].task_definition = json!({"family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]}]});
    scenario
}

struct Story {
    world: World,
    deployment: String,
    update: crate::time::Timestamp,
}

impl Story {
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

    fn truth(&self) -> Truth {
        self.world.truth("default", "web", &self.deployment)
    }

    fn service(&self) -> &super::state::Service {
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

#[test]
fn a_rollout_on_one_instance_is_done_in_about_seven_minutes() {
    let mut story = Story::of(&bridge(0, 1));
    while !story.truth().is_done() {
        story.pass(1);
        assert!(
            story.world.now().since(story.update) < Duration::from_secs(600),
            "{:#?}\n{:?}",
            story.events(),
            story.truth()
        );
    }
    let took = story.world.now().since(story.update).as_secs();
    assert!((360..=480).contains(&took), "{took} s");
}

fn with_fault(mut scenario: Scenario, name: &str) -> Scenario {
    scenario.add_fault(name).expect("a known fault");
    scenario
}

fn with_breaker(mut scenario: Scenario, rollback: bool) -> Scenario {
    scenario.services[0].circuit_breaker = Some(CircuitBreakerSpec { enable: true, rollback });
    scenario
}

/// What an event says without its names and numbers.
fn kind(message: &str) -> &'static str {
    let kinds = [
        "has started",
        "] registered",
        " registered",
        "has stopped",
        "deregistered",
        "has begun draining",
        "deployment completed",
        "steady state",
        "stopped 1 pending",
    ];
    kinds
        .into_iter()
        .find(|words| message.contains(words))
        .unwrap_or("other")
}

#[test]
fn a_faultless_rollout_tells_the_recorded_story_at_the_recorded_pace() {
    for seed in 0..20 {
        let mut scenario = fargate();
        scenario.seed = seed;
        scenario.target_groups[0].health_check.interval = Duration::from_secs(10);
        let mut story = Story::of(&scenario);
        story.pass(300);
        let events = story.events();
        let told: Vec<&str> = events.iter().map(|(_, message)| kind(message)).collect();
        assert_eq!(
            told,
            [
                "has started",
                " registered",
                "has stopped",
                "deregistered",
                "has begun draining",
                "deployment completed",
                "steady state"
            ],
            "seed {seed}: {events:#?}"
        );
        let at: Vec<f64> = events.iter().map(|(at, _)| *at).collect();
        // Gaps of recordings 48 to 50: to the first start, between the events that follow it.
        let ranges = [
            (6.6, 18.8),
            (21.0, 31.6),
            (9.0, 42.0),
            (9.3, 11.0),
            (0.002, 0.025),
            (50.0, 63.0),
            (0.0, 0.002),
        ];
        for (place, (low, high)) in ranges.into_iter().enumerate() {
            let gap = at[place] - if place == 0 { 0.0 } else { at[place - 1] };
            assert!(
                (low..=high).contains(&gap),
                "seed {seed}: {gap} before {:?}",
                events[place]
            );
        }
    }
}

#[test]
fn the_events_are_worded_as_the_recorded_ones() {
    let recorded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/recordings/48-events-8-rollouts-fargate-nlb.txt"
    );
    let Ok(recorded) = std::fs::read_to_string(recorded) else {
        println!("skipped: the recordings are not here");
        return;
    };
    let mut story = Story::of(&fargate());
    story.pass(300);
    let worded = |message: &str| -> String {
        let is_name = |word: &&str| word.chars().any(|c| c.is_ascii_digit()) || word.contains("service");
        message
            .split([' ', '(', ')', ',', '.', '/'])
            .filter(|w| !w.is_empty() && *w != "web" && !is_name(w))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let known: Vec<String> = recorded
        .lines()
        .filter_map(|line| line.split(" | ").nth(2))
        .map(|m| worded(&m.replace("fleetshell-gateway-tg", "").replace("eu-west-2", "")))
        .collect();
    for (_, message) in story.events() {
        let ours = worded(&message.replace("us-east-1", ""));
        assert!(known.contains(&ours), "{ours:?} is not among {:?}", &known[..8]);
    }
}

#[test]
fn the_same_seed_gives_the_same_account() {
    let tell = |seed: u64| {
        let mut scenario = with_fault(bridge(0, 2), "flapping");
        scenario.seed = seed;
        let mut story = Story::of(&scenario);
        story.pass(900);
        format!("{:?}", story.world.account())
    };
    assert_eq!(tell(4), tell(4));
    assert_ne!(tell(4), tell(5));
}

#[test]
fn time_that_passes_in_small_steps_changes_nothing() {
    let scenario = with_fault(bridge(0, 2), "slow-start");
    let (mut whole, mut steps) = (Story::of(&scenario), Story::of(&scenario));
    whole.pass(900);
    (0..900).for_each(|_| {
        steps.pass(1);
    });
    assert_eq!(
        format!("{:?}", whole.world.account()),
        format!("{:?}", steps.world.account())
    );
}

#[test]
fn a_target_drains_for_the_whole_deregistration_delay() {
    let mut story = Story::of(&bridge(0, 1));
    let draining = |story: &Story| {
        let groups = story.world.account().target_groups.values();
        groups
            .flat_map(|g| &g.targets)
            .filter(|t| t.state == "draining")
            .count()
    };
    while draining(&story) == 0 {
        story.pass(1);
    }
    let began = story.world.now();
    story.pass(120);
    assert!(story.truth().is_completed, "steady long before the drain ends");
    assert_eq!(story.truth().old_targets_left, 1);
    while draining(&story) > 0 {
        story.pass(1);
    }
    let lasted = story.world.now().since(began).as_secs();
    assert!((299..=301).contains(&lasted), "{lasted} s");
    assert_eq!(
        story.truth().old_tasks_left,
        1,
        "the old task stops after its target has drained"
    );
}

#[test]
fn a_fixed_port_on_one_instance_is_said_once_and_nothing_else_happens() {
    let mut story = Story::of(&bridge(8080, 1));
    story.pass(3600);
    assert_eq!(
        story.says("is already using a port required by your task."),
        1,
        "{:#?}",
        story.events()
    );
    assert_eq!(story.events().len(), 1);
    let truth = story.truth();
    assert!(
        truth.is_primary && !truth.is_completed && truth.new_running == 0,
        "{truth:?}"
    );
}

#[test]
fn a_fixed_port_comes_free_only_when_the_drained_task_has_stopped() {
    let mut scenario = bridge(8080, 1);
    scenario.services[0].minimum_healthy_percent = 0;
    let mut story = Story::of(&scenario);
    story.pass(120);
    assert!(
        story.says("Bind for 0.0.0.0:8080 failed: port is already allocated") > 0,
        "{:#?}",
        story.events()
    );
    story.pass(3600);
    assert!(story.truth().is_done(), "{:#?}\n{:?}", story.events(), story.truth());
}

#[test]
fn a_breaker_that_rolls_back_brings_the_old_deployment_id_back() {
    let scenario = with_breaker(with_fault(bridge(0, 1), "crash-loop"), true);
    let mut story = Story::of(&scenario);
    let old = story.service().deployments[1].clone();
    while !story.truth().rolled_back {
        story.pass(1);
        assert!(
            story.world.now().since(story.update) < Duration::from_secs(900),
            "{:#?}",
            story.events()
        );
    }
    let during = story.service().deployments.clone();
    assert_eq!(
        (during[0].id.clone(), during[0].rollout_state.as_str()),
        (old.id.clone(), "IN_PROGRESS")
    );
    assert!(
        during[0].rollout_state_reason.contains("rolling back to deploymentId"),
        "{during:?}"
    );
    assert_eq!(
        (during[1].status.as_str(), during[1].rollout_state.as_str()),
        ("ACTIVE", "FAILED")
    );
    assert_eq!(
        story.says(") has started 1 tasks"),
        4,
        "three failures, counted when the fourth start is tried"
    );
    story.pass(120);
    let after = story.service().deployments.clone();
    assert_eq!(after.len(), 1);
    assert_eq!((&after[0].id, after[0].created_at), (&old.id, old.created_at));
    assert_eq!(story.service().task_definition, old.task_definition);
    assert_eq!(story.service().service_deployments[0].status, "ROLLBACK_SUCCESSFUL");
    assert!(!story.truth().is_done());
}

#[test]
fn a_breaker_without_rollback_leaves_the_failed_deployment_and_the_old_tasks() {
    let mut story = Story::of(&with_breaker(with_fault(bridge(0, 1), "crash-loop"), false));
    story.pass(1800);
    let shown = &story.service().deployments;
    assert_eq!(
        (shown[0].id.clone(), shown[0].rollout_state.as_str()),
        (story.deployment.clone(), "FAILED")
    );
    assert_eq!((shown[1].status.as_str(), shown[1].running_count), ("ACTIVE", 1));
}

#[test]
fn without_a_breaker_an_image_that_cannot_be_pulled_is_tried_for_ever() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "image-pull"));
    story.pass(7200);
    let service = story.service();
    assert_eq!(service.deployments[0].rollout_state, "IN_PROGRESS");
    assert!(service.deployments[0].failed_tasks > 5, "{:?}", service.deployments[0]);
    assert!(story.says("CannotPullContainerError") >= 1);
    assert!(story.says("is unable to consistently start tasks successfully") >= 1);
}

#[test]
fn an_unhealthy_task_is_stopped_for_its_health_and_replaced() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "unhealthy"));
    story.pass(600);
    assert!(
        story.says("due to (reason Health checks failed with these codes: [404])") >= 1,
        "{:#?}",
        story.events()
    );
    assert!(story.says(") has started 1 tasks") >= 2, "{:#?}", story.events());
    let tasks = &story.world.account().clusters["default"].tasks;
    let told = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:";
    assert!(
        tasks
            .values()
            .any(|t| t.stopped_reason.as_ref().is_some_and(|why| why.starts_with(told)))
    );
    assert!(!story.truth().is_completed);
}

#[test]
fn unhealthy_targets_trip_the_breaker_too() {
    let mut story = Story::of(&with_breaker(with_fault(bridge(0, 1), "unhealthy"), true));
    story.pass(3600);
    assert!(story.truth().rolled_back, "{:#?}", story.events());
    assert_eq!(story.service().deployments.len(), 1);
}

#[test]
fn a_newer_deployment_supersedes_the_one_before() {
    let scenario = bridge(0, 1);
    let mut story = Story::of(&scenario);
    let first = story.deployment.clone();
    story.pass(30);
    story.deploy(&scenario);
    let old = story
        .service()
        .service_deployments
        .iter()
        .find(|d| d.deployment_id == first)
        .cloned()
        .expect("listed");
    assert_eq!(old.status, "STOP_REQUESTED");
    story.pass(1);
    let old = story
        .service()
        .service_deployments
        .iter()
        .find(|d| d.deployment_id == first)
        .cloned()
        .expect("listed");
    assert_eq!(
        (old.status.as_str(), old.status_reason.as_deref()),
        ("STOPPED", Some("Replaced by a new service deployment."))
    );
    story.pass(900);
    assert!(story.truth().is_done(), "{:#?}\n{:?}", story.events(), story.truth());
    assert!(story.world.truth("default", "web", &first).superseded);
}

#[test]
fn a_new_task_may_take_a_port_where_an_old_target_still_drains() {
    let mut scenario = bridge(0, 2);
    scenario.services[0].maximum_percent = 150;
    scenario.timings.early_port_reuse = true;
    let mut story = Story::of(&scenario);
    let before: Vec<u16> = story
        .world
        .account()
        .target_groups
        .values()
        .flat_map(|g| &g.targets)
        .map(|t| t.port)
        .collect();
    story.pass(1800);
    let after: Vec<u16> = story
        .world
        .account()
        .target_groups
        .values()
        .flat_map(|g| &g.targets)
        .map(|t| t.port)
        .collect();
    assert!(after.iter().any(|port| before.contains(port)), "{before:?} {after:?}");
    assert!(story.truth().is_done(), "{:?}", story.truth());
}

#[test]
fn targets_of_an_unused_group_never_become_healthy() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "not-in-use"));
    story.pass(1800);
    assert!(!story.truth().is_completed && !story.truth().new_targets_healthy);
}

#[test]
fn two_tasks_are_told_as_two() {
    let mut story = Story::of(&bridge(0, 2));
    story.pass(900);
    assert_eq!(story.says("has started 2 tasks: (task "), 1, "{:#?}", story.events());
    assert!(story.truth().is_done());
}

#[test]
fn a_target_in_a_zone_without_a_load_balancer_node_is_unused() {
    let mut scenario = bridge(0, 1);
    scenario.instances[0].zone = Some("us-east-1c".into());
    let mut story = Story::of(&scenario);
    story.pass(600);
    let targets = story.world.account().target_groups.values().flat_map(|g| &g.targets);
    assert!(targets.clone().count() == 2 && targets.clone().all(|t| t.state == "unused"));
    assert!(!story.truth().is_completed);
}

#[test]
fn a_container_health_check_counts_beside_the_load_balancers() {
    let mut scenario = bridge(0, 1);
    scenario.services[0].task_definition["containerDefinitions"][0]["healthCheck"] =
        json!({"command": ["CMD", "true"]});
    let mut story = Story::of(&scenario);
    story.pass(900);
    assert!(story.truth().is_done(), "{:#?}", story.events());
    let mut story = Story::of(&with_breaker(with_fault(scenario, "container-unhealthy"), true));
    story.pass(1800);
    assert!(
        story.says("failed container health checks.") >= 3,
        "{:#?}",
        story.events()
    );
    assert!(story.truth().rolled_back);
}

#[test]
fn a_service_without_a_load_balancer_trusts_its_tasks_after_a_while() {
    let mut scenario = bridge(0, 1);
    scenario.services[0].load_balancers.clear();
    let mut story = Story::of(&scenario);
    story.pass(300);
    assert!(story.truth().is_done(), "{:#?}", story.events());
    let at = |words: &str| {
        story
            .events()
            .iter()
            .find(|(_, m)| m.contains(words))
            .map(|(at, _)| *at)
            .expect("said")
    };
    assert!(at("has stopped") - at("has started") >= 40.0);
}

#[test]
fn a_rollback_that_must_stop_first_ends_too() {
    let mut scenario = with_breaker(with_fault(bridge(0, 2), "unhealthy"), true);
    scenario.services[0].minimum_healthy_percent = 50;
    scenario.services[0].maximum_percent = 100;
    let mut story = Story::of(&scenario);
    story.pass(3600);
    let shown = &story.service().deployments;
    assert_eq!(
        (shown.len(), shown[0].rollout_state.as_str(), shown[0].running_count),
        (1, "COMPLETED", 2)
    );
    assert!(story.truth().rolled_back);
}
