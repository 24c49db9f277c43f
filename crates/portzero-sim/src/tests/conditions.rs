//! What a rolling update may be told besides its limits: alarms, early success; and the switches.

use std::time::Duration;

use super::super::scenario::Scenario;
use super::{Story, bridge, fargate, with_breaker, with_fault};
use crate::faults::behaviour::ContainerEnd;
use crate::model::status::{RolloutState, ServiceDeploymentStatus};
use crate::scenario::breaker::{Threshold, ThresholdType};
use crate::scenario::specs::AlarmSpec;
use crate::scenario::strategy::{AlarmWatch, EarlySuccess};

fn listening(rollback: bool, at: u64) -> Scenario {
    let mut scenario = bridge(0, 2);
    scenario.target_groups[0].deregistration_delay = Duration::from_secs(30);
    scenario.services[0].strategy.alarms = Some(AlarmWatch {
        names: vec!["errors".into()],
        enable: true,
        rollback,
    });
    scenario.alarms = vec![AlarmSpec {
        name: "errors".into(),
        at: Duration::from_secs(at),
        ..AlarmSpec::default()
    }];
    scenario
}

fn shown(story: &Story) -> (&str, &str) {
    let own = &story.service().service_deployments[0];
    (own.status.as_str(), &own.progress.alarm_status)
}

#[test]
fn an_alarm_rolls_the_deployment_back() {
    let mut story = Story::of(&listening(true, 60));
    story.pass(59);
    assert_eq!(shown(&story), ("IN_PROGRESS", "MONITORING"));
    story.pass(26);
    assert_eq!(shown(&story), ("ROLLBACK_IN_PROGRESS", "TRIGGERED"));
    let words: Vec<String> = story.events().into_iter().map(|(_, words)| words).collect();
    let failed = words
        .iter()
        .position(|w| w.ends_with("deployment failed: alarm detected."))
        .expect("said");
    assert!(
        words[failed + 1].contains("rolling back to deployment ecs-svc/"),
        "{words:#?}"
    );
    assert_eq!(story.service().service_deployments[0].progress.triggered, ["errors"]);
    story.pass(600);
    assert_eq!(shown(&story).0, "ROLLBACK_SUCCESSFUL");
    assert!(story.truth().rolled_back);
}

#[test]
fn without_rollback_an_alarm_leaves_the_failed_deployment() {
    let mut story = Story::of(&listening(false, 60));
    story.pass(600);
    assert_eq!(shown(&story), ("STOPPED", "TRIGGERED"));
    assert_eq!(story.service().deployments[0].rollout_state, RolloutState::Failed);
    assert_eq!(story.says("rolling back"), 0);
}

#[test]
fn an_alarm_that_rings_before_the_deployment_is_not_listened_to() {
    let mut scenario = listening(true, 0);
    scenario.alarms[0].from_start = true;
    let mut story = Story::of(&scenario);
    assert_eq!(shown(&story).1, "DISABLED");
    story.pass(900);
    assert!(story.truth().is_done(), "{:?}", story.truth());
}

#[test]
fn a_deployment_that_listens_stays_in_progress_for_its_bake_time() {
    let lasted = |bake: u64| {
        let mut scenario = listening(true, 86_400);
        scenario.services[0].strategy.bake_time = Some(Duration::from_secs(bake));
        let mut story = Story::of(&scenario);
        story.pass_until(|story| story.truth().is_completed);
        story.world.now().since(story.update).as_secs()
    };
    let (short, long) = (lasted(0), lasted(600));
    assert!((599..=601).contains(&(long - short)), "{short} {long}");
}

#[test]
fn a_deferred_clean_up_completes_while_old_tasks_still_run() {
    let mut scenario = bridge(0, 4);
    scenario.services[0].minimum_healthy_percent = 50;
    scenario.services[0].maximum_percent = 150;
    let early = |cleanup: &str| EarlySuccess {
        healthy_percent: 50,
        cleanup: cleanup.into(),
    };
    let mut completed_at = Vec::new();
    for cleanup in ["DEFERRED", "BLOCKING"] {
        scenario.services[0].strategy.early_success = Some(early(cleanup));
        let mut story = Story::of(&scenario);
        story.pass_until(|story| story.truth().is_completed);
        completed_at.push(story.world.now().since(story.update));
        assert_eq!(
            story.service().service_deployments[0].status,
            ServiceDeploymentStatus::Successful
        );
        if cleanup == "BLOCKING" {
            let old = story.service().deployments.len();
            assert_eq!(old, 1, "nothing of the source revision is wanted any more");
        }
        story.pass(1800);
        assert!(story.truth().is_done(), "{cleanup}: {:?}", story.truth());
        assert_eq!(story.service().deployments.len(), 1);
    }
    assert!(completed_at[0] <= completed_at[1], "{completed_at:?}");
}

#[test]
fn a_crashed_old_task_is_replaced_by_its_like_during_a_rollout() {
    let of_old = |returns: bool| {
        // The new revision never becomes healthy, so the old one has to go on.
        let mut scenario = with_fault(bridge(0, 2), "slow-start,delay=20m");
        scenario.services[0].health_check_grace_period = Some(Duration::from_secs(1200));
        scenario.switches.crashed_old_tasks_return = returns;
        let mut story = Story::of(&scenario);
        let old = story.service().deployments[1].id.clone();
        story.pass(60);
        let (victim, container) = {
            let task = story.world.wanted_tasks("default", "web")[0];
            (task.id.clone(), task.containers[0].name.clone())
        };
        let end = ContainerEnd {
            container,
            exit_code: 1,
            after: Duration::ZERO,
            reason: None,
        };
        story.world.container_ends("default", &victim, &end);
        story.pass(60);
        let tasks = story.world.wanted_tasks("default", "web");
        tasks.iter().filter(|t| t.started_by == old).count()
    };
    assert_eq!((of_old(true), of_old(false)), (2, 1));
}

#[test]
fn what_is_being_stopped_may_count_for_the_maximum() {
    let at = |counts: bool| {
        let mut scenario = bridge(0, 1);
        scenario.services[0].minimum_healthy_percent = 0;
        scenario.services[0].maximum_percent = 100;
        scenario.target_groups[0].deregistration_delay = Duration::from_secs(60);
        scenario.switches.stopping_counts_for_maximum = counts;
        let mut story = Story::of(&scenario);
        story.pass(900);
        let told = story.events();
        let of = |words: &str| {
            told.iter()
                .find(|(_, w)| w.contains(words))
                .map(|(at, _)| *at)
                .expect("said")
        };
        of("has started") - of("has stopped")
    };
    assert!(at(false) < 2.0 && at(true) > 60.0, "{} {}", at(false), at(true));
}

#[test]
fn the_first_task_may_start_alone() {
    let mut scenario = fargate();
    scenario.services[0].desired_count = 3;
    scenario.switches.first_task_starts_alone = true;
    let mut story = Story::of(&scenario);
    story.pass(900);
    let started: Vec<String> = story
        .events()
        .into_iter()
        .map(|(_, words)| words)
        .filter(|words| words.contains("has started"))
        .collect();
    assert!(
        started[0].contains("has started 1 tasks") && started[1].contains("has started 2 tasks"),
        "{started:#?}"
    );
    assert!(story.truth().is_done());
}

#[test]
fn t26_a_breaker_fires_at_its_own_threshold() {
    let fires_after = |kind, value, desired| {
        let mut scenario = with_breaker(with_fault(bridge(0, desired), "crash-loop"), true);
        let breaker = scenario.services[0].circuit_breaker.as_mut().unwrap();
        breaker.threshold = Some(Threshold { kind, value });
        let mut story = Story::of(&scenario);
        story.pass_until(|story| story.truth().rolled_back);
        let ended = &story.service().service_deployments[0];
        assert!(ended.failure_count >= ended.threshold, "{ended:?}");
        ended.threshold
    };
    assert_eq!(fires_after(ThresholdType::Count, 1, 1), 1);
    assert_eq!(fires_after(ThresholdType::Count, 6, 1), 6);
    assert_eq!(fires_after(ThresholdType::UnboundedPercent, 50, 4), 2);
    assert_eq!(fires_after(ThresholdType::BoundedPercent, 50, 4), 3);
}

#[test]
fn t26_a_healthy_task_sets_the_count_back_unless_the_breaker_says_otherwise() {
    let ends = |resets: Option<bool>| {
        let mut scenario = with_breaker(bridge(0, 1), true);
        scenario.services[0]
            .circuit_breaker
            .as_mut()
            .unwrap()
            .reset_on_healthy_task = resets;
        let mut story = Story::of(&scenario);
        story.pass(5);
        let mut counts = Vec::new();
        for _ in 0..4 {
            // A task that never ran, and then one that becomes healthy.
            story.world.failed_once("default", "web", Duration::from_secs(1));
            story.world.count_failures("default", "web");
            story.world.forget_failures("default", "web");
            counts.push(story.service().deployments[0].failed_tasks);
        }
        counts
    };
    assert_eq!(ends(None), [0, 0, 0, 0]);
    assert_eq!(ends(Some(true)), [0, 0, 0, 0]);
    assert_eq!(ends(Some(false)), [1, 2, 3, 4]);
}
