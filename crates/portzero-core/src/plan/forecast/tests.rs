use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::aws_model::service::{DeploymentConfiguration, Service};
use crate::aws_model::target::{HealthCheck, TargetGroup};
use crate::aws_model::task::Task;
use crate::base::id::TargetGroupArn;
use crate::base::time::Timestamp;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn exactly(span: Duration) -> Bounds {
    Bounds {
        least: span,
        likely: span,
        most: span,
    }
}

fn known(bake: u64, shift: u64) -> Forecast {
    let (bake, shift) = (seconds(bake), seconds(shift));
    Forecast {
        started: exactly(seconds(20)),
        switched: exactly(seconds(120) + shift),
        drained: exactly(seconds(300) + shift + bake),
        waves: 1,
        drain: seconds(60),
        bake,
        shift,
        saving: None,
        is_without_room: false,
    }
}

#[test]
fn a_bake_time_is_waited_for_once_and_not_twice() {
    let hours = known(6 * 3600, 0);
    let budget = |until| hours.wait_budget(until, SETTLE_DEFAULT);
    assert_eq!(budget(Until::Drained), seconds(6 * 3600 + 600));
    assert_eq!(budget(Until::Stage(Stage::BakeTime)), BUDGET_MIN);
    assert_eq!(
        hours.expected(Until::Stage(Stage::CleanUp)).likely,
        seconds(6 * 3600 + 120)
    );
}

#[test]
fn a_long_settle_span_is_waited_for_and_the_default_one_is_in_the_budget() {
    let short = known(0, 0);
    for settle in [Duration::ZERO, SETTLE_DEFAULT] {
        assert_eq!(short.wait_budget(Until::Healthy, settle), BUDGET_MIN);
    }
    let hour = seconds(3600);
    assert_eq!(
        short.wait_budget(Until::Healthy, hour),
        BUDGET_MIN + hour - SETTLE_DEFAULT
    );
}

#[test]
fn the_waits_between_steps_count_for_a_stage_that_comes_after_them() {
    let steps = known(0, 3600);
    let before = Until::Stage(Stage::PostTestTrafficShift);
    assert_eq!(steps.expected(before).likely, seconds(120));
    assert!(steps.wait_budget(Until::Stage(Stage::BakeTime), SETTLE_DEFAULT) > seconds(3600));
}

/// A service of so many tasks, whose own took so long to start, behind one group.
struct World {
    service: Service,
    groups: BTreeMap<TargetGroupArn, TargetGroup>,
    tasks: Vec<Task>,
}

fn world(desired: u32, percents: (u32, u32), interval: u64, delay: u64, start: u64) -> World {
    let group = TargetGroup {
        health_check: HealthCheck {
            enabled: true,
            interval: seconds(interval),
            ..HealthCheck::default()
        },
        deregistration_delay: Some(seconds(delay)),
        ..TargetGroup::plain()
    };
    let task = Task {
        created_at: Some(Timestamp::from_millis(0)),
        started_at: Some(Timestamp::from_millis(i64::try_from(start).unwrap() * 1000)),
        ..Task::plain()
    };
    World {
        service: Service {
            desired_count: desired,
            configuration: DeploymentConfiguration {
                minimum_healthy_percent: Some(percents.0),
                maximum_percent: Some(percents.1),
                ..DeploymentConfiguration::default()
            },
            ..Service::plain()
        },
        groups: [(group.arn.clone(), group)].into(),
        tasks: vec![task; usize::try_from(desired).unwrap()],
    }
}

fn forecast(world: &World) -> Forecast {
    Forecast::of(&Basis {
        service: &world.service,
        groups: &world.groups,
        tasks: &world.tasks,
        capacity: None,
        running: None,
        document: None,
    })
}

#[test]
fn one_wave_beside_the_old_tasks_is_followed_by_one_drain() {
    let one = forecast(&world(2, (100, 200), 10, 300, 9));
    assert_eq!(one.waves, 1);
    assert!((20..=45).contains(&one.switched.likely.as_secs()), "{one:?}");
    assert!((370..=400).contains(&one.drained.likely.as_secs()), "{one:?}");
    assert!(
        one.drained.least >= seconds(300) && one.drained.most <= seconds(500),
        "{one:?}"
    );
}

#[test]
fn tasks_that_must_go_first_make_a_wave_each() {
    let four = forecast(&world(4, (75, 100), 10, 30, 9));
    assert_eq!(four.waves, 4);
    let together = forecast(&world(4, (0, 100), 10, 30, 9));
    assert_eq!(together.waves, 1);
    assert!(four.switched.least > together.switched.most, "{four:?} {together:?}");
}

#[test]
fn what_the_services_own_tasks_took_decides_how_long_a_start_takes() {
    let quick = forecast(&world(1, (100, 200), 5, 0, 9));
    let slow = forecast(&world(1, (100, 200), 5, 0, 180));
    let later = slow.started.likely.saturating_sub(quick.started.likely);
    assert!((150..=190).contains(&later.as_secs()), "{later:?}");
}

#[test]
fn the_dearest_setting_is_named_with_what_another_value_would_save() {
    let drains = forecast(&world(2, (100, 200), 10, 300, 9));
    let saving = drains.saving.clone().expect("a long drain is the dearest");
    assert_eq!(saving.setting, "deregistration delay of 5m");
    assert!(
        saving.drained < drains.drained.likely.saturating_sub(seconds(250)),
        "{saving:?}"
    );
    assert_eq!(forecast(&world(2, (100, 200), 10, 30, 9)).saving, None);
}

#[test]
fn a_rollout_that_its_percentages_block_has_a_forecast_as_if_they_did_not() {
    let blocked = forecast(&world(2, (100, 100), 10, 30, 9));
    assert!(blocked.drained.likely > Duration::ZERO);
}

#[test]
fn the_same_plan_has_the_same_forecast() {
    let world = world(5, (50, 150), 30, 60, 12);
    assert_eq!(forecast(&world), forecast(&world));
}

/// Recorded rollouts whose settings are known, in seconds from UpdateService: `deployment completed`, or the last old task.
#[test]
fn recorded_rollouts_lie_within_their_bounds() {
    // Fargate, 2 tasks, 100/200: the targets were registered 44.4 s after the update, and completed after 149 s; the
    // interval is not recorded and AWS's default. The old tasks drained beyond that.
    let mut ui = world(2, (100, 200), 30, 5, 30);
    ui.service.launch_type = Some(crate::aws_model::service::LaunchType::Fargate);
    let told = forecast(&ui);
    assert!(told.started.hold(Duration::from_millis(44_400)), "{told:?}");
    assert!(
        told.drained.least <= seconds(149) && seconds(149) <= told.drained.most,
        "{told:?}"
    );
}
