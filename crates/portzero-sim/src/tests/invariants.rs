//! What holds in every world, whatever goes wrong in it.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::super::scenario::{InstanceSpec, Scenario};
use super::super::scheduler::limits;
use super::super::{Fault, World, fault_names};
use super::{Story, assert_one_primary, bridge, with_breaker, with_fault};
use crate::model::status::{TargetState, TaskStatus};

fn scenarios() -> impl Strategy<Value = Scenario> {
    let limits = prop_oneof![
        Just((100, 200)),
        Just((50, 200)),
        Just((0, 100)),
        Just((50, 100)),
        Just((100, 150)),
        Just((100, 100))
    ];
    let port = prop_oneof![3 => Just(0_u16), 1 => Just(8080_u16)];
    let faults = proptest::collection::vec(0..fault_names().len(), 0..3);
    (
        any::<u64>(),
        1..5_u32,
        1..4_u32,
        limits,
        port,
        faults,
        any::<[bool; 3]>(),
        160..1024_i64,
    )
        .prop_map(
            |(seed, desired, instances, (least, most), port, faults, [breaker, rollback, early], memory)| {
                let count = if port == 0 { instances } else { instances.max(desired) };
                let mut scenario = bridge(port, desired);
                scenario.seed = seed;
                scenario.instances = vec![InstanceSpec {
                    count,
                    memory: memory.max(i64::from(desired) * 128),
                    ..InstanceSpec::default()
                }];
                scenario.services[0].minimum_healthy_percent = least;
                scenario.services[0].maximum_percent = most;
                scenario.timings.early_port_reuse = early;
                scenario.target_groups[0].deregistration_delay = Duration::from_secs(60);
                if breaker {
                    scenario = with_breaker(scenario, rollback);
                }
                faults
                    .into_iter()
                    .fold(scenario, |scenario, fault| with_fault(scenario, fault_names()[fault].0))
            },
        )
}

/// No instance is overcommitted, and no port has two containers.
fn hold_placement(world: &World) {
    let home = &world.account().clusters["default"];
    for instance in home.instances.values() {
        let (cpu, memory, _) = world.booked("default", &instance.id);
        assert!(
            cpu <= instance.cpu && memory <= instance.memory,
            "{cpu} {memory} on {instance:?}"
        );
        let mut held = BTreeSet::new();
        let here = home
            .tasks
            .values()
            .filter(|t| t.instance.as_deref() == Some(&instance.id));
        for container in here
            .flat_map(|t| &t.containers)
            .filter(|c| c.last_status == TaskStatus::Running)
        {
            for binding in &container.network_bindings {
                assert!(
                    held.insert(binding.host_port),
                    "two containers on port {}",
                    binding.host_port
                );
                assert!(binding.host_port == 8080 || binding.host_port >= 32_768, "{binding:?}");
            }
        }
    }
}

fn hold(world: &World, is_resized: bool) {
    let account = world.account();
    let home = &account.clusters["default"];
    hold_placement(world);
    for service in home.services.values() {
        let wanted = home
            .tasks
            .values()
            .filter(|t| t.service == service.name && t.desired_status == TaskStatus::Running)
            .count();
        assert!(
            is_resized || wanted <= limits(service).1,
            "{wanted} tasks of at most {}",
            limits(service).1
        );
        assert_one_primary(service);
        let mut ids: Vec<_> = service.deployments.iter().map(|d| &d.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), service.deployments.len(), "a deployment stands twice");
        assert!(
            service
                .events
                .windows(2)
                .all(|pair| pair[0].created_at >= pair[1].created_at),
            "newest first"
        );
    }
    for target in account.target_groups.values().flat_map(|g| &g.targets) {
        let owner = target.task.as_ref().and_then(|id| home.tasks.get(id));
        assert!(owner.is_some(), "nobody owns {target:?}");
        assert!(
            owner.is_none_or(|t| t.last_status != TaskStatus::Stopped)
                || target.state == TargetState::Draining
                || is_fresh(world, owner),
            "{target:?} of a stopped task"
        );
    }
}

/// A task that has just ended keeps its target until the scheduler's next beat.
fn is_fresh(world: &World, task: Option<&crate::model::state::Task>) -> bool {
    task.and_then(|t| t.stopped_at)
        .is_some_and(|at| world.now().since(at) <= Duration::from_secs(12))
}

proptest! {
    // A quarter of what other properties get: each case is a world of half an hour.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(4)))]

    #[test]
    fn no_port_is_shared_nothing_is_overcommitted_and_no_limit_is_passed(scenario in scenarios()) {
        let resizes = |f: &Fault| matches!(f, Fault::Autoscaling { .. } | Fault::DesiredZero | Fault::ServiceDeleted);
        let is_resized = scenario.faults.iter().any(|f| resizes(&f.fault));
        let mut story = Story::of(&scenario);
        for _ in 0..360 {
            story.pass(5);
            hold(&story.world, is_resized);
            let truth = story.truth();
            if truth.is_done() {
                prop_assert!(!truth.rolled_back && truth.old_targets_left == 0);
            }
        }
    }

    #[test]
    fn a_faultless_world_gets_done(seed in any::<u64>(), desired in 1..6_u32) {
        let mut scenario = bridge(0, desired);
        scenario.seed = seed;
        let mut story = Story::of(&scenario);
        story.pass(1200);
        prop_assert!(story.truth().is_done(), "{:#?}\n{:?}", story.events(), story.truth());
    }
}
