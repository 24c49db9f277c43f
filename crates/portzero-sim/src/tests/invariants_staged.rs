//! What holds in every world whose traffic shifts, whatever goes wrong in it.

use std::time::Duration;

use proptest::prelude::*;

use super::super::scenario::{InstanceSpec, Scenario};
use super::super::{World, fault_names};
use super::strategies::staged;
use super::{Story, assert_one_primary, with_breaker, with_fault};
use crate::model::status::{ServiceDeploymentStatus, TaskStatus};
use crate::scenario::strategy::{Hook, Kind};

const STAGES: [&str; 7] = [
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
];

/// What somebody does in the middle of it, and when.
#[derive(Clone, Copy, Debug)]
enum Meddling {
    None,
    DeploysAgain,
    Stops { goes_back: bool },
}

fn hook() -> impl Strategy<Value = Hook> {
    let answers = prop_oneof![3 => Just("SUCCEEDED"), 1 => Just("FAILED"), 1 => Just("IN_PROGRESS")];
    (0..STAGES.len(), any::<[bool; 2]>(), answers, 0..120_u64).prop_map(|(stage, [pauses, goes_on], answer, after)| {
        Hook {
            target_type: if pauses { "PAUSE" } else { "AWS_LAMBDA" }.into(),
            stages: vec![STAGES[stage].into()],
            timeout: Duration::from_secs(90),
            on_timeout: if goes_on { "CONTINUE" } else { "ROLLBACK" }.into(),
            answer: answer.into(),
            answers_after: Some(Duration::from_secs(after)),
            ..Hook::default()
        }
    })
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let kinds = prop_oneof![Just(Kind::BlueGreen), Just(Kind::Linear), Just(Kind::Canary)];
    let faults = proptest::collection::vec(0..fault_names().len(), 0..3);
    let hooks = proptest::collection::vec(hook(), 0..3);
    (
        any::<u64>(),
        kinds,
        1..4_u32,
        1..3_u32,
        faults,
        hooks,
        any::<bool>(),
        200..2000_i64,
    )
        .prop_map(|(seed, kind, desired, instances, faults, hooks, breaker, memory)| {
            let mut scenario = staged(kind, desired);
            scenario.seed = seed;
            scenario.services[0].strategy.hooks = hooks;
            scenario.instances = vec![InstanceSpec {
                count: instances,
                memory: memory.max(i64::from(desired) * 128),
                ..InstanceSpec::default()
            }];
            if breaker {
                scenario = with_breaker(scenario, true);
            }
            faults
                .into_iter()
                .fold(scenario, |scenario, fault| with_fault(scenario, fault_names()[fault].0))
        })
}

/// Targets that take traffic in each of the groups, and the share of the production traffic that each gets. Where nobody
/// checks health a target is `unavailable`, and takes it.
fn groups(world: &World) -> Vec<(usize, u32)> {
    let service = &world.account().clusters["default"].services["web"];
    let advanced = service.load_balancers[0].advanced.as_ref().expect("a rule");
    for (rule, shares) in &world.account().traffic {
        let whole: u32 = shares.iter().map(|(_, share)| share).sum();
        assert_eq!(whole, 1000, "{rule}");
        // With a target group that is deleted its rule is gone.
        let Some(weights) = world.forward_weights(rule) else {
            continue;
        };
        assert_eq!(
            weights.iter().map(|(_, weight)| weight).sum::<u32>(),
            100,
            "{weights:?}"
        );
    }
    let taking = |arn: &String| {
        let group = world.account().target_groups.get(arn).into_iter();
        let targets = group.flat_map(|group| &group.targets);
        targets.filter(|t| t.state.counts_as_healthy()).count()
    };
    let shares = &world.account().traffic[&advanced.production_listener_rule];
    shares.iter().map(|(group, share)| (taking(group), *share)).collect()
}

fn hold(world: &World, before: &[(usize, u32)]) {
    let now = groups(world);
    // Traffic moves only to a side that can take it, as long as the other one could.
    for ((_, had), (can_take, gets)) in before.iter().zip(&now) {
        let others = before.iter().map(|(taking, _)| taking).sum::<usize>();
        assert!(gets <= had || *can_take > 0 || others == 0, "{before:?} -> {now:?}");
    }
    let home = &world.account().clusters["default"];
    for instance in home.instances.values() {
        let (cpu, memory, _) = world.booked("default", &instance.id);
        assert!(
            cpu <= instance.cpu && memory <= instance.memory,
            "{cpu} {memory} on {instance:?}"
        );
        let here = home
            .tasks
            .values()
            .filter(|t| t.instance.as_deref() == Some(&instance.id));
        let running = here
            .flat_map(|t| &t.containers)
            .filter(|c| c.last_status == TaskStatus::Running);
        let mut ports: Vec<u16> = running.flat_map(|c| &c.network_bindings).map(|b| b.host_port).collect();
        let count = ports.len();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), count, "a port is shared");
    }
    let service = &home.services["web"];
    assert_one_primary(service);
    // At most two revisions have tasks that ECS means to keep: what a third had is on its way out.
    let open = service
        .service_deployments
        .iter()
        .filter(|d| d.status == ServiceDeploymentStatus::InProgress)
        .count();
    assert!(open <= 1, "{:#?}", service.service_deployments);
}

/// Faults that take the very targets that serve away, or take the rule out of use: nothing is promised then. Nor is it
/// where a target fails that was healthy when the traffic came to it.
fn spares_the_old(scenario: &Scenario) -> bool {
    let harmful = [
        "instance-loss",
        "desired-zero",
        "not-in-use",
        "autoscaling",
        "no-capacity",
        "port-clash",
        "instance-drain",
        "spot-interruption",
        "az-not-enabled",
        "checks-disabled",
        "flapping",
        "weights-drift",
        "target-group-deleted",
        "service-deleted",
    ];
    scenario.faults.iter().all(|f| !harmful.contains(&f.fault.name()))
}

proptest! {
    // A quarter of what other properties get: each case is a world of half an hour.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(4)))]

    #[test]
    fn traffic_is_whole_and_goes_only_where_it_is_answered(
        scenario in scenarios(),
        meddling in prop_oneof![
            2 => Just(Meddling::None),
            1 => Just(Meddling::DeploysAgain),
            1 => any::<bool>().prop_map(|goes_back| Meddling::Stops { goes_back }),
        ],
        when in 1..80_usize,
    ) {
        let mut story = Story::of(&scenario);
        let spares = spares_the_old(&scenario);
        let mut before = groups(&story.world);
        for look in 0..300 {
            if look == when {
                meddle(&mut story, &scenario, meddling);
            }
            for _ in 0..5 {
                story.pass(1);
                hold(&story.world, &before);
                let now = groups(&story.world);
                let served = |groups: &[(usize, u32)]| groups.iter().any(|(taking, share)| *share > 0 && *taking > 0);
                prop_assert!(!spares || !served(&before) || served(&now) || now.iter().all(|(taking, _)| *taking == 0),
                    "{before:?} -> {now:?}\n{:#?}", story.events());
                before = now;
            }
            let truth = story.truth();
            if truth.is_done() {
                prop_assert!(!truth.rolled_back && truth.traffic == Some(1000));
            }
        }
    }

    #[test]
    fn a_faultless_shift_gets_done(seed in any::<u64>(), desired in 1..4_u32, kind in 0..3_usize) {
        let mut scenario = staged([Kind::BlueGreen, Kind::Linear, Kind::Canary][kind], desired);
        scenario.seed = seed;
        let mut story = Story::of(&scenario);
        story.pass(1500);
        prop_assert!(story.truth().is_done(), "{:#?}\n{:?}", story.events(), story.truth());
    }
}

fn meddle(story: &mut Story, scenario: &Scenario, meddling: Meddling) {
    match meddling {
        Meddling::None => {}
        Meddling::DeploysAgain => story.deploy(scenario),
        Meddling::Stops { goes_back } => {
            let arn = story.service().service_deployments[0].arn.clone();
            // It may be over already, which is refused.
            let _refused = story.world.stop_service_deployment(&arn, goes_back);
        }
    }
}
