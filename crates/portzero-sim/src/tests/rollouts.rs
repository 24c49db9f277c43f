//! Rollouts that go well: their story, their pace, their end.

use std::time::Duration;

use super::{Story, bridge, fargate, with_fault};
use crate::model::status::{ServiceDeploymentStatus, TargetState};

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

/// What ECS writes while it replaces one task behind a target group.
const WORDS_OF_ECS: [&str; 7] = [
    "(service web) has started 1 tasks: (task 0).",
    "(service web) registered 1 targets in (target-group arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/web/0)",
    "(service web) has stopped 1 running tasks: (task 0).",
    "(service web) deregistered 1 targets in (target-group arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/web/0)",
    "(service web, taskSet ecs-svc/0) has begun draining connections on 1 tasks.",
    "(service web) (deployment ecs-svc/0) deployment completed.",
    "(service web) has reached a steady state.",
];

#[test]
fn the_events_are_worded_as_the_recorded_ones() {
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
    let known = WORDS_OF_ECS.map(worded);
    for (_, message) in story.events() {
        let ours = worded(&message);
        assert!(known.contains(&ours), "{ours:?} is not among {known:?}");
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
            .filter(|t| t.state == TargetState::Draining)
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
fn two_tasks_are_told_as_two() {
    let mut story = Story::of(&bridge(0, 2));
    story.pass(900);
    assert_eq!(story.says("has started 2 tasks: (task "), 1, "{:#?}", story.events());
    assert!(story.truth().is_done());
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
    assert_eq!(old.status, ServiceDeploymentStatus::StopRequested);
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
    assert!(story.world.ground_truth("default", "web", &first).superseded);
}

#[test]
fn a_new_task_may_take_a_port_where_an_old_target_still_drains() {
    let mut scenario = bridge(0, 2);
    scenario.services[0].maximum_percent = 150;
    scenario.timings.early_port_reuse = true;
    let mut story = Story::of(&scenario);
    let before: Vec<u16> = story.target_ports();
    story.pass(1800);
    let after: Vec<u16> = story.target_ports();
    assert!(after.iter().any(|port| before.contains(port)), "{before:?} {after:?}");
    assert!(story.truth().is_done(), "{:?}", story.truth());
}
