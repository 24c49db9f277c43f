//! A random world whose traffic shifts: blue/green, linear, canary; with hooks, alarms and bake times.

use std::time::Duration;

use portzero_sim::scenario::TargetGroupSpec;
use portzero_sim::{AlarmSpec, AlarmWatch, Canary, Hook, Kind, Linear, Strategy};

use super::generate::{Case, case};

pub fn staged(seed: u64) -> Case {
    let mut case = case(seed);
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(31));
    let seconds = |rng: &mut fastrand::Rng, choices: &[u64]| Duration::from_secs(choices[rng.usize(..choices.len())]);
    let alternates: Vec<TargetGroupSpec> = case
        .scenario
        .target_groups
        .iter()
        .map(|group| TargetGroupSpec {
            name: format!("{}-alternate", group.name),
            ..group.clone()
        })
        .collect();
    case.scenario.target_groups.extend(alternates);
    let service = &mut case.scenario.services[0];
    for binding in &mut service.load_balancers {
        binding.alternate_target_group = binding.target_group.as_ref().map(|name| format!("{name}-alternate"));
        binding.test_listener = seed.is_multiple_of(3);
    }
    let kind = [Kind::BlueGreen, Kind::Linear, Kind::Canary][rng.usize(..3)];
    service.strategy = Strategy {
        kind,
        bake_time: Some(seconds(&mut rng, &[0, 30, 120])),
        linear: Linear {
            step: [250, 300, 500][rng.usize(..3)],
            bake: seconds(&mut rng, &[20, 60]),
        },
        canary: Canary {
            share: [50, 100, 333][rng.usize(..3)],
            bake: seconds(&mut rng, &[30, 90]),
        },
        ..Strategy::default()
    };
    if rng.u8(..4) == 0 {
        service.strategy.hooks.push(hook(&mut rng));
        case.must_succeed = false;
    }
    if rng.u8(..5) == 0 {
        service.strategy.alarms = Some(AlarmWatch {
            names: vec!["errors".into()],
            enable: true,
            rollback: rng.bool(),
        });
        case.scenario.alarms.push(AlarmSpec {
            name: "errors".into(),
            at: Duration::from_secs(rng.u64(0..400)),
            ..AlarmSpec::default()
        });
        case.must_succeed = false;
    }
    case
}

fn hook(rng: &mut fastrand::Rng) -> Hook {
    let stages = [
        "PRE_SCALE_UP",
        "POST_SCALE_UP",
        "POST_TEST_TRAFFIC_SHIFT",
        "PRODUCTION_TRAFFIC_SHIFT",
        "BAKE_TIME",
    ];
    let is_pause = rng.bool();
    Hook {
        target_type: if is_pause { "PAUSE" } else { "AWS_LAMBDA" }.into(),
        target_arn: (!is_pause).then(|| "arn:aws:lambda:us-east-1:111122223333:function:check".into()),
        stages: vec![stages[rng.usize(..stages.len())].into()],
        timeout: Duration::from_secs(rng.u64(60..400)),
        on_timeout: if rng.bool() { "CONTINUE" } else { "ROLLBACK" }.into(),
        answer: ["SUCCEEDED", "FAILED", "IN_PROGRESS"][rng.usize(..3)].into(),
        answers_after: rng.bool().then(|| Duration::from_secs(rng.u64(1..200))),
        ..Hook::default()
    }
}
