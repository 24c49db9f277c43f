//! Blue/green, linear and canary deployments: their stages, their traffic, their ways back.

use std::time::Duration;

use super::super::scenario::{Scenario, TargetGroupSpec};
use super::super::world::World;
use super::{Story, bridge, with_breaker, with_fault};
use crate::scenario::strategy::{Canary, Hook, Kind, Linear};

/// `bridge` with a second target group `green`, deployed as `kind` says.
pub(crate) fn staged(kind: Kind, desired: u32) -> Scenario {
    let mut scenario = bridge(0, desired);
    scenario.target_groups[0].deregistration_delay = Duration::from_secs(30);
    scenario.target_groups.push(TargetGroupSpec {
        name: "green".into(),
        ..scenario.target_groups[0].clone()
    });
    let service = &mut scenario.services[0];
    service.load_balancers[0].alternate_target_group = Some("green".into());
    service.load_balancers[0].test_listener = true;
    service.strategy.kind = kind;
    service.strategy.bake_time = Some(Duration::from_secs(120));
    service.strategy.canary = Canary {
        share: 50,
        bake: Duration::from_secs(60),
    };
    service.strategy.linear = Linear {
        step: 250,
        bake: Duration::from_secs(30),
    };
    scenario
}

fn with_hook(mut scenario: Scenario, stage: &str, hook: Hook) -> Scenario {
    let stages = vec![stage.to_owned()];
    scenario.services[0].strategy.hooks.push(Hook { stages, ..hook });
    scenario
}

fn function(answer: &str) -> Hook {
    Hook {
        target_arn: Some("arn:aws:lambda:us-east-1:111122223333:function:check".into()),
        answer: answer.into(),
        ..Hook::default()
    }
}

fn pause() -> Hook {
    Hook {
        target_type: "PAUSE".into(),
        timeout: Duration::from_secs(600),
        ..Hook::default()
    }
}

/// (stage, production share of the new revision), each time one of them changes.
fn told(story: &mut Story, seconds: u64) -> Vec<(String, u32)> {
    let mut told: Vec<(String, u32)> = Vec::new();
    for _ in 0..seconds {
        story.pass(1);
        let truth = story.truth();
        let now = (truth.stage.unwrap_or_default(), truth.traffic.unwrap_or(0));
        if told.last() != Some(&now) {
            told.push(now);
        }
    }
    told
}

fn as_told(told: &[(String, u32)]) -> Vec<(&str, u32)> {
    told.iter().map(|(stage, share)| (stage.as_str(), *share)).collect()
}

fn status(story: &Story) -> &str {
    let own = |d: &&crate::model::state::ServiceDeployment| d.deployment_id == story.deployment;
    let found = story.service().service_deployments.iter().find(own);
    found.expect("listed").status.as_str()
}

fn reason(story: &Story) -> &str {
    let own = |d: &&crate::model::state::ServiceDeployment| d.deployment_id == story.deployment;
    let found = story.service().service_deployments.iter().find(own);
    found.and_then(|d| d.status_reason.as_deref()).unwrap_or_default()
}

fn targets(world: &World, group: &str) -> usize {
    let groups = world.account().target_groups.values();
    groups.filter(|g| g.name == group).map(|g| g.targets.len()).sum()
}

#[test]
fn a_blue_green_deployment_goes_through_its_stages_in_order() {
    let mut story = Story::of(&staged(Kind::BlueGreen, 2));
    let told = told(&mut story, 600);
    assert_eq!(
        as_told(&told),
        [
            ("", 0),
            ("PRE_SCALE_UP", 0),
            ("SCALE_UP", 0),
            ("POST_SCALE_UP", 0),
            ("TEST_TRAFFIC_SHIFT", 0),
            ("POST_TEST_TRAFFIC_SHIFT", 0),
            ("PRODUCTION_TRAFFIC_SHIFT", 1000),
            ("POST_PRODUCTION_TRAFFIC_SHIFT", 1000),
            ("BAKE_TIME", 1000),
            ("CLEAN_UP", 1000),
            ("", 1000),
        ],
        "{:#?}",
        story.events()
    );
    assert!(story.truth().is_done(), "{:?}", story.truth());
    assert_eq!((targets(&story.world, "web"), targets(&story.world, "green")), (0, 2));
    assert_eq!(status(&story), "SUCCESSFUL");
}

#[test]
fn the_next_deployment_uses_the_other_target_group_again() {
    let scenario = staged(Kind::BlueGreen, 1);
    let mut story = Story::of(&scenario);
    story.pass(900);
    story.deploy(&scenario);
    story.pass(900);
    assert!(story.truth().is_done(), "{:?}", story.truth());
    assert_eq!((targets(&story.world, "web"), targets(&story.world, "green")), (1, 0));
}

#[test]
fn a_canary_gets_its_share_first_and_all_after_its_bake_time() {
    let mut story = Story::of(&staged(Kind::Canary, 1));
    let told = told(&mut story, 900);
    let shift: Vec<(&str, u32)> = as_told(&told)
        .into_iter()
        .filter(|(stage, _)| *stage == "PRODUCTION_TRAFFIC_SHIFT")
        .collect();
    assert_eq!(
        shift
            .iter()
            .map(|(_, share)| *share)
            .filter(|s| *s > 0)
            .collect::<Vec<_>>(),
        [50, 1000]
    );
    assert!(story.truth().is_done(), "{:?}", story.truth());
}

#[test]
fn a_linear_deployment_shifts_in_equal_steps_with_a_pause_after_each() {
    let mut story = Story::of(&staged(Kind::Linear, 1));
    let mut at: Vec<(u32, Duration)> = Vec::new();
    for _ in 0..900 {
        story.pass(1);
        let share = story.truth().traffic.unwrap_or(0);
        if at.last().map_or(share > 0, |(last, _)| *last != share) {
            at.push((share, story.world.now().since(story.update)));
        }
    }
    assert_eq!(
        at.iter().map(|(share, _)| *share).collect::<Vec<_>>(),
        [250, 500, 750, 1000]
    );
    for pair in at.windows(2) {
        let gap = pair[1].1 - pair[0].1;
        assert!((30..=41).contains(&gap.as_secs()), "{at:?}");
    }
}

#[test]
fn the_rule_shows_the_shares_as_weights() {
    let mut story = Story::of(&staged(Kind::Canary, 1));
    story.pass_until(|story| story.truth().traffic == Some(50));
    let bindings = &story.service().load_balancers;
    let advanced = bindings[0].advanced.clone().expect("a rule");
    let weights = |rule: &str| -> Vec<u32> {
        let shown = story.world.forward_weights(rule).expect("known");
        shown.into_iter().map(|(_, weight)| weight).collect()
    };
    assert_eq!(weights(&advanced.production_listener_rule), [95, 5]);
    assert_eq!(weights(&advanced.test_listener_rule.expect("a test rule")), [0, 100]);
    assert_eq!(story.world.forward_weights("another"), None);
}

#[test]
fn a_function_that_answers_failed_rolls_back_in_its_stage() {
    for stage in [
        "PRE_SCALE_UP",
        "POST_SCALE_UP",
        "TEST_TRAFFIC_SHIFT",
        "POST_TEST_TRAFFIC_SHIFT",
        "PRE_PRODUCTION_TRAFFIC_SHIFT",
        "PRODUCTION_TRAFFIC_SHIFT",
        "POST_PRODUCTION_TRAFFIC_SHIFT",
    ] {
        let scenario = with_hook(staged(Kind::BlueGreen, 2), stage, function("FAILED"));
        let mut story = Story::of(&scenario);
        story.pass(900);
        assert_eq!(status(&story), "ROLLBACK_SUCCESSFUL", "{stage}: {:#?}", story.events());
        let words = format!(
            "Service deployment rolled back because {stage} lifecycle hook(s) failed. Lifecycle hook target \
             arn:aws:lambda:us-east-1:111122223333:function:check returned FAILED status."
        );
        assert_eq!(reason(&story), words);
        assert_eq!(story.says(&format!("deployment failed: {words}")), 1);
        assert_eq!(story.says("rolling back to deployment ecs-svc/"), 1);
        let truth = story.truth();
        assert_eq!(
            (truth.traffic, truth.rolled_back, truth.is_done()),
            (Some(0), true, false),
            "{stage}"
        );
        assert_eq!(
            (targets(&story.world, "web"), targets(&story.world, "green")),
            (2, 0),
            "{stage}"
        );
        assert_eq!(story.service().deployments.len(), 1);
    }
}

#[test]
fn a_pause_waits_until_somebody_continues() {
    let scenario = with_hook(staged(Kind::BlueGreen, 1), "POST_TEST_TRAFFIC_SHIFT", pause());
    let mut story = Story::of(&scenario);
    story.pass(400);
    let hook = story.truth().paused_at.expect("a pause");
    assert!(hook.starts_with("ecs-pause-"), "{hook}");
    assert_eq!(story.truth().stage.as_deref(), Some("POST_TEST_TRAFFIC_SHIFT"));
    let arn = story.service().service_deployments[0].arn.clone();
    let wrong = story.world.continue_service_deployment(&arn, Some("ecs-pause-x"), None);
    assert_eq!(wrong.expect_err("no such hook").code, "InvalidParameterException");
    story
        .world
        .continue_service_deployment(&arn, Some(&hook), None)
        .expect("continues");
    story.pass(600);
    assert!(story.truth().is_done(), "{:?}", story.truth());
    let again = story.world.continue_service_deployment(&arn, Some(&hook), None);
    assert!(again.is_err());
}

#[test]
fn a_pause_that_nobody_answers_ends_as_its_time_out_says() {
    for (action, status_after) in [("ROLLBACK", "ROLLBACK_SUCCESSFUL"), ("CONTINUE", "SUCCESSFUL")] {
        let hook = Hook {
            on_timeout: action.into(),
            ..pause()
        };
        let mut story = Story::of(&with_hook(staged(Kind::BlueGreen, 1), "POST_SCALE_UP", hook));
        story.pass(1800);
        assert_eq!(status(&story), status_after);
        let hooks = &story.service().service_deployments[0].progress.hooks;
        assert_eq!(hooks[0].status, "TIMED_OUT");
    }
}

#[test]
fn continuing_with_rollback_goes_back() {
    let mut story = Story::of(&with_hook(
        staged(Kind::BlueGreen, 1),
        "POST_PRODUCTION_TRAFFIC_SHIFT",
        pause(),
    ));
    story.pass(300);
    assert_eq!(story.truth().traffic, Some(1000));
    let arn = story.service().service_deployments[0].arn.clone();
    let hook = story.truth().paused_at;
    story
        .world
        .continue_service_deployment(&arn, hook.as_deref(), Some("ROLLBACK"))
        .expect("rolls back");
    story.pass(1);
    assert_eq!(
        story.truth().traffic,
        Some(0),
        "blue still runs, so the traffic goes back at once"
    );
    story.pass(600);
    assert_eq!(status(&story), "ROLLBACK_SUCCESSFUL");
}

#[test]
fn the_breaker_watches_green_unless_the_switch_says_otherwise() {
    let mut scenario = with_breaker(with_fault(staged(Kind::BlueGreen, 1), "crash-loop"), true);
    let mut story = Story::of(&scenario);
    story.pass(1800);
    assert_eq!(status(&story), "ROLLBACK_SUCCESSFUL");
    assert_eq!(targets(&story.world, "web"), 1);
    scenario.switches.breaker_in_every_strategy = false;
    let mut story = Story::of(&scenario);
    story.pass(1800);
    assert_eq!(status(&story), "IN_PROGRESS");
    assert_eq!(story.truth().stage.as_deref(), Some("SCALE_UP"));
}

#[test]
fn somebody_stops_the_deployment_with_and_without_a_way_back() {
    for (goes_back, asked, after) in [
        (true, "ROLLBACK_REQUESTED", "ROLLBACK_SUCCESSFUL"),
        (false, "STOP_REQUESTED", "STOPPED"),
    ] {
        let mut story = Story::of(&staged(Kind::BlueGreen, 2));
        story.pass_until(|story| story.truth().stage.as_deref() == Some("BAKE_TIME"));
        let arn = story.service().service_deployments[0].arn.clone();
        story.world.stop_service_deployment(&arn, goes_back).expect("stops");
        assert_eq!(status(&story), asked);
        story.pass(600);
        assert_eq!(status(&story), after);
        let truth = story.truth();
        // An abort leaves all as it stands: whoever has the traffic keeps it.
        assert_eq!(truth.traffic, Some(if goes_back { 0 } else { 1000 }));
        let serving = if goes_back { "web" } else { "green" };
        assert_eq!(targets(&story.world, serving), 2);
    }
}

#[test]
fn a_newer_deployment_is_reconciled_before_it_scales_up() {
    let scenario = staged(Kind::BlueGreen, 1);
    let mut story = Story::of(&scenario);
    story.pass_until(|story| story.truth().stage.as_deref() == Some("BAKE_TIME"));
    let first = story.deployment.clone();
    story.deploy(&scenario);
    let told = told(&mut story, 900);
    assert_eq!(told[1].0, "RECONCILE_SERVICE", "{told:?}");
    assert_eq!(told[1].1, 0);
    assert!(story.truth().is_done(), "{:?}\n{:#?}", story.truth(), story.events());
    assert!(story.world.ground_truth("default", "web", &first).superseded);
}

#[test]
fn a_deployment_is_pending_for_a_moment() {
    let mut story = Story::of(&bridge(0, 1));
    assert_eq!(status(&story), "PENDING");
    story.pass(1);
    assert_eq!(status(&story), "IN_PROGRESS");
    let own = &story.service().service_deployments[0];
    let lag = own.started_at.expect("started").since(own.created_at);
    assert!((90..=160).contains(&lag.as_millis()), "{lag:?}");
}
