//! Whether a world is done hangs on where its load balancers send the requests, too.

use super::strategies::staged;
use super::{Story, bridge, with_fault};
use crate::balancer::listeners::ListenerChange;
use crate::balancer::target_groups::NewTargetGroup;
use crate::model::load_balancer::{Action, Condition};
use crate::scenario::strategy::Kind;

fn group(story: &Story, name: &str) -> String {
    let groups = story.world.account().target_groups.values();
    let found = groups.filter(|group| group.name == name);
    found.map(|group| group.arn.clone()).next().expect("a target group")
}

fn forward(groups: &[(&String, u32)]) -> Vec<Action> {
    let groups = groups.iter().map(|(arn, weight)| ((*arn).clone(), *weight));
    vec![Action {
        groups: groups.collect(),
        ..Action::forward("")
    }]
}

/// Adds a rule for a path to the only listener.
fn add_rule(story: &mut Story, priority: u32, path: &str, groups: &[(&String, u32)]) -> String {
    let condition = Condition {
        field: "path-pattern".into(),
        values: vec![path.into()],
        ..Condition::default()
    };
    let listener = listener(story);
    let made = story
        .world
        .create_rule(&listener, priority, vec![condition], forward(groups), &[]);
    made.expect("a rule")
}

fn listener(story: &Story) -> String {
    let balancer = story.world.account().load_balancers.values().next();
    balancer.expect("a load balancer").listeners[0].arn.clone()
}

/// Whether the world is done where the listener does so by default.
fn done_with(story: &mut Story, groups: &[(&String, u32)]) -> bool {
    let change = ListenerChange {
        actions: Some(forward(groups)),
        ..ListenerChange::default()
    };
    let listener = listener(story);
    story.world.modify_listener(&listener, &change).expect("modified");
    story.truth().is_done()
}

#[test]
fn weights_that_drift_in_the_bake_time_undo_what_ecs_calls_successful() {
    let mut scenario = with_fault(staged(Kind::BlueGreen, 2), "weights-drift");
    scenario.faults[0].timetable.at = Some(std::time::Duration::from_secs(150));
    let mut story = Story::of(&scenario);
    story.pass_until(|story| story.truth().is_completed);
    story.pass(120);
    let truth = story.truth();
    assert!(truth.new_targets_healthy && truth.old_tasks_left == 0, "{truth:?}");
    assert_eq!((truth.traffic, truth.routed), (Some(1000), false));
    assert!(!truth.is_done());
}

#[test]
fn a_rolling_service_whose_group_has_weight_0_is_never_done() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "weights-drift,since=start,at=0s"));
    story.pass(900);
    let truth = story.truth();
    assert!(truth.is_completed && truth.new_targets_healthy, "{truth:?}");
    assert!(!truth.routed && !truth.is_done());
}

#[test]
fn a_deleted_target_group_keeps_the_rollout_from_its_end() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "target-group-deleted,at=5s"));
    story.pass(1800);
    assert!(!story.truth().is_done() && !story.truth().is_completed);
    assert!(story.says("TargetGroupNotFound") > 0, "{:#?}", story.events());
}

#[test]
fn each_rule_that_is_reached_counts_and_each_group_with_a_weight() {
    let mut story = Story::of(&bridge(0, 1));
    story.pass(900);
    assert!(story.truth().is_done());
    let web = group(&story, "web");
    let new = NewTargetGroup {
        name: "empty".into(),
        protocol: Some("HTTP".into()),
        port: Some(80),
        vpc_id: Some(crate::model::network::VPC.into()),
        ..NewTargetGroup::default()
    };
    let empty = story.world.create_target_group(&new).expect("a target group");
    assert!(done_with(&mut story, &[(&web, 9), (&empty, 0)]));
    assert!(!done_with(&mut story, &[(&web, 9), (&empty, 1)]));
    assert!(!done_with(&mut story, &[(&web, 0), (&empty, 1)]));
    assert!(!done_with(&mut story, &[(&web, 0)]));
    // What a rule takes altogether does not come to the default action.
    let all = add_rule(&mut story, 5, "/*", &[(&web, 1)]);
    assert!(story.truth().is_done());
    story.world.delete_rule(&all).expect("deleted");
    assert!(!story.truth().is_done());
    assert!(done_with(&mut story, &[(&web, 1)]));
    add_rule(&mut story, 7, "/api/*", &[(&web, 0), (&empty, 3)]);
    assert!(!story.truth().is_done(), "one of two rules leads to nobody");
}
