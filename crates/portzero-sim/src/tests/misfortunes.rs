//! What goes wrong, and how ECS takes it.

use std::time::Duration;

use serde_json::json;

use super::{Story, World, bridge, with_breaker, with_fault};
use crate::model::status::{RolloutState, ServiceDeploymentStatus, TargetState};
use crate::scenario::fault::kinds::{Fault, Lack};

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
    assert_eq!(
        story.service().service_deployments[0].status,
        ServiceDeploymentStatus::RollbackSuccessful
    );
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
    assert_eq!(service.deployments[0].rollout_state, RolloutState::InProgress);
    assert!(service.deployments[0].failed_tasks > 5, "{:?}", service.deployments[0]);
    assert!(story.says("CannotPullContainerError") >= 1);
    assert!(story.says("is unable to consistently start tasks successfully") >= 1);
}

#[test]
fn a_service_that_wants_no_tasks_from_the_start_has_never_had_any() {
    let mut story = Story::of(&with_fault(bridge(0, 2), "desired-zero"));
    story.pass(600);
    let home = &story.world.account().clusters["default"];
    assert!(home.tasks.is_empty(), "{:?}", home.tasks);
    assert!(
        story
            .world
            .account()
            .target_groups
            .values()
            .all(|g| g.targets.is_empty())
    );
    assert!(story.truth().is_completed && story.truth().desired == 0);
}

#[test]
fn a_strategy_that_is_not_modelled_is_refused() {
    let mut scenario = bridge(0, 1);
    scenario.services[0].scheduling_strategy = "DAEMON".into();
    let refusal = World::new(&scenario).err();
    let told = "service `web`: the simulator does not model the scheduling strategy DAEMON yet";
    assert_eq!(refusal.as_deref(), Some(told));
}

#[test]
fn where_no_task_can_be_placed_the_instances_show_nothing_free() {
    let mut scenario = with_fault(bridge(0, 1), "no-capacity");
    scenario.faults[0].timetable.lasts = Some(Duration::from_secs(300));
    for (lack, words) in [
        (Lack::Cpu, "has insufficient CPU units available."),
        (Lack::Memory, "has insufficient memory available."),
    ] {
        scenario.faults[0].fault = Fault::NoCapacity { lack: Some(lack) };
        let mut story = Story::of(&scenario);
        story.pass(120);
        assert!(story.says(words) >= 1, "{:#?}", story.events());
        let (cpu, memory) = free(&story.world);
        assert_eq!(
            (cpu == 0, memory == 0),
            (lack == Lack::Cpu, lack == Lack::Memory),
            "{cpu} {memory}"
        );
        story.pass(1800);
        assert!(
            story.truth().is_done(),
            "the room is there again: {:#?}",
            story.events()
        );
        assert_eq!(free(&story.world), (2048 - 64, 3904 - 128));
    }
}

fn free(world: &World) -> (i64, i64) {
    let instance = world.account().clusters["default"]
        .instances
        .values()
        .next()
        .expect("an instance");
    let (cpu, memory, _) = world.booked("default", &instance.id);
    (instance.cpu - cpu, instance.memory - memory)
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
fn a_task_that_recovers_beside_its_replacement_is_one_too_many() {
    for seed in 0..40 {
        let mut scenario = bridge(0, 2);
        scenario.seed = seed;
        // Quick enough that a task recovers before its replacement runs.
        scenario.target_groups[0].health_check.interval = Duration::from_secs(10);
        scenario.add_fault("flapping,delay=12s").expect("a fault");
        let mut story = Story::of(&scenario);
        story.pass(1800);
        assert!(story.truth().is_done(), "seed {seed}: {:#?}", story.events());
        assert_eq!(story.service().deployments[0].running_count, 2, "seed {seed}");
    }
}

#[test]
fn unhealthy_targets_trip_the_breaker_too() {
    let mut story = Story::of(&with_breaker(with_fault(bridge(0, 1), "unhealthy"), true));
    story.pass(3600);
    assert!(story.truth().rolled_back, "{:#?}", story.events());
    assert_eq!(story.service().deployments.len(), 1);
}

#[test]
fn targets_of_an_unused_group_never_become_healthy() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "not-in-use"));
    story.pass(1800);
    assert!(!story.truth().is_completed && !story.truth().new_targets_healthy);
}

#[test]
fn a_target_in_a_zone_without_a_load_balancer_node_is_unused() {
    let mut scenario = bridge(0, 1);
    scenario.instances[0].zone = Some("us-east-1c".into());
    let mut story = Story::of(&scenario);
    story.pass(600);
    let targets = story.world.account().target_groups.values().flat_map(|g| &g.targets);
    assert!(targets.clone().count() == 2 && targets.clone().all(|t| t.state == TargetState::Unused));
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

#[test]
fn a_rollback_whose_tasks_fail_as_well_fails_and_nothing_more_is_started() {
    let mut scenario = with_fault(with_breaker(bridge(0, 2), true), "crash-loop");
    scenario = with_fault(scenario, "image-pull,revision=current");
    scenario.services[0].minimum_healthy_percent = 50;
    scenario.services[0].maximum_percent = 100;
    scenario.switches.crashed_old_tasks_return = false;
    let mut story = Story::of(&scenario);
    story.pass_until(|s| s.service().service_deployments[0].status == ServiceDeploymentStatus::RollbackInProgress);
    story.pass_until(|s| s.service().service_deployments[0].status == ServiceDeploymentStatus::RollbackFailed);
    let primary = &story.service().deployments[0];
    assert_eq!(
        (primary.status.as_str(), primary.rollout_state.as_str()),
        ("PRIMARY", "FAILED")
    );
    assert_ne!(primary.id, story.deployment);
    let started = story.says("has started");
    story.pass(1800);
    assert_eq!(story.says("has started"), started, "{:#?}", story.events());
    assert!(!story.truth().is_done());
}

#[test]
fn a_task_that_ends_by_itself_is_told_from_one_that_is_stopped() {
    let mut scenario = with_breaker(bridge(0, 1), true);
    scenario.target_groups[0].deregistration_delay = Duration::from_secs(300);
    let mut quiet = Story::of(&scenario);
    quiet.pass(1800);
    let truth = quiet.truth();
    assert!(truth.is_done() && truth.is_quiet(Duration::from_secs(3600), quiet.world.now()));
    // The old ones were stopped, and did not end by themselves.
    assert_eq!((truth.last_own_end, truth.longest_life), (None, Duration::ZERO));
    let mut scenario = with_fault(scenario, "crash-loop");
    if let Fault::CrashLoop { after, .. } = &mut scenario.faults[0].fault {
        *after = Duration::from_secs(60);
    }
    let mut story = Story::of(&scenario);
    story.pass_until(|story| story.truth().last_own_end.is_some());
    let (truth, now) = (story.truth(), story.world.now());
    assert!(
        (50..=60).contains(&truth.longest_life.as_secs()),
        "it had been RUNNING for {:?}",
        truth.longest_life
    );
    assert!(!truth.is_quiet(Duration::ZERO, now) && truth.is_quiet(Duration::ZERO, now + truth.longest_life));
    // Healthy ones are not counted: the breaker never fires.
    story.pass(1800);
    assert!(!story.truth().rolled_back, "{:#?}", story.service().deployments);
    assert!(story.truth().last_own_end > truth.last_own_end);
}

#[test]
fn s13_a_fault_that_is_over_keeps_no_copies_of_the_account() {
    let mut scenario = with_fault(bridge(0, 1), "stale");
    // The story begins after a minute.
    scenario.faults[0].timetable.lasts = Some(Duration::from_secs(90));
    let mut story = Story::of(&scenario);
    story.pass(10);
    assert!(!story.world.past.0.is_empty(), "reads show what was, while it lasts");
    story.pass(300);
    assert!(
        story.world.past.0.is_empty(),
        "{} copies are kept",
        story.world.past.0.len()
    );
}
