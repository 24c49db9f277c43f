//! What holds a rollout up although nothing has failed: an agent that is not heard, a capacity provider without an
//! instance; and a service that somebody deletes.

use super::{Story, bridge, with_fault};
use crate::model::status::TaskStatus;

fn statuses(story: &Story, is_ours: bool) -> Vec<TaskStatus> {
    let tasks = story.world.account().clusters["default"].tasks.values();
    let own = tasks.filter(|task| (task.started_by == story.deployment) == is_ours);
    own.map(|task| task.last_status.clone()).collect()
}

#[test]
fn tasks_on_an_instance_without_an_agent_neither_start_nor_stop() {
    let mut scenario = with_fault(bridge(0, 1), "agent-disconnected,at=5s,for=15m");
    scenario.instances[0].count = 2;
    let mut story = Story::of(&scenario);
    story.pass(800);
    assert_eq!(statuses(&story, false), [TaskStatus::Deactivating]);
    assert_eq!(
        statuses(&story, true),
        [TaskStatus::Running],
        "it runs on the other instance"
    );
    assert!(!story.truth().is_done(), "{:?}", story.truth());
    story.pass_until(|story| story.truth().is_done());
    assert!(story.world.now().since(story.update).as_secs() > 900);
}

#[test]
fn an_instance_without_an_agent_takes_no_task() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "agent-disconnected,at=0s"));
    story.pass(300);
    assert!(statuses(&story, true).is_empty());
    assert!(story.says("encountered error \"AGENT\"") > 0, "{:#?}", story.events());
}

#[test]
fn new_tasks_are_provisioning_until_their_capacity_provider_has_an_instance() {
    let mut scenario = with_fault(bridge(0, 1), "capacity-provider-slow,for=5m");
    scenario.services[0].capacity_provider = Some("asg".into());
    // There is no room for a second task.
    scenario.instances[0].cpu = 100;
    let mut story = Story::of(&scenario);
    story.pass(280);
    assert_eq!(statuses(&story, true), [TaskStatus::Provisioning]);
    story.pass_until(|story| story.truth().is_done());
    let cluster = &story.world.account().clusters["default"];
    assert_eq!(cluster.instances.len(), 2, "the provider has launched one");
}

#[test]
fn a_service_that_is_deleted_is_never_done() {
    let mut story = Story::of(&with_fault(bridge(0, 1), "service-deleted"));
    story.pass(900);
    assert!(!story.truth().is_done());
    assert_eq!(story.service().status.as_str(), "INACTIVE");
}
