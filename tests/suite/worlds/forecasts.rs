//! Forecasts against what becomes of them: random worlds without faults, and the simulated world's own truth.

use std::time::Duration;

use portzero::app::deploy;
use portzero_core::aws_model::service::ServiceUpdate;
use portzero_core::plan::forecast::{Bounds, Forecast};
use portzero_core::port::Ecs;
use portzero_sim::{Switches, World};
use portzero_testkit::InProcessAws;

use super::generate::{Case, case};
use super::generate_staged::staged;
use super::play;

/// How often the truth is read.
const GRAIN: Duration = Duration::from_millis(250);
/// What has not come to an end by then was blocked, or starts tasks that fail.
const HORIZON: Duration = Duration::from_secs(3 * 3600);

/// A forecast, and what it took.
#[derive(Debug)]
pub struct Compared {
    pub seed: u64,
    pub forecast: Forecast,
    pub switched: Duration,
    pub drained: Duration,
}

impl Compared {
    /// Both lengths within their bounds. The truth is read in grains.
    pub fn holds(&self) -> bool {
        let holds = |bounds: Bounds, actual: Duration| bounds.hold(actual) || bounds.hold(actual.saturating_sub(GRAIN));
        holds(self.forecast.switched, self.switched) && holds(self.forecast.drained, self.drained)
    }

    /// How far what was likely is from what it took, as a share of that.
    pub fn errors(&self) -> [f64; 2] {
        let share = |bounds: Bounds, actual: Duration| {
            let (likely, actual) = (bounds.likely.as_secs_f64(), actual.as_secs_f64());
            (likely - actual).abs() / actual.max(1.0)
        };
        [
            share(self.forecast.switched, self.switched),
            share(self.forecast.drained, self.drained),
        ]
    }

    /// How far the bounds are apart: plus or minus so much of what is likely.
    pub fn widths(&self) -> [f64; 2] {
        let width = |bounds: Bounds| {
            (bounds.most.as_secs_f64() - bounds.least.as_secs_f64()) / 2.0 / bounds.likely.as_secs_f64().max(1.0)
        };
        [width(self.forecast.switched), width(self.forecast.drained)]
    }
}

/// A world in which nothing fails, and ECS does what the evidence says it does. One of eight shifts its traffic in stages.
fn faultless(seed: u64) -> Case {
    let mut case = if seed.is_multiple_of(8) {
        staged(seed)
    } else {
        case(seed)
    };
    let scenario = &mut case.scenario;
    scenario.faults.clear();
    scenario.alarms.clear();
    let addresses = scenario.switches.addresses;
    scenario.switches = Switches {
        addresses,
        ..Switches::default()
    };
    scenario.timings.early_port_reuse = false;
    scenario.timings.completion_waits_for_drain = false;
    let service = &mut scenario.services[0];
    service.strategy.hooks.clear();
    service.strategy.alarms = None;
    service.desired_count = service.desired_count.max(1);
    case
}

/// `None`: it is refused, comes to no end, or its tasks fail for want of a host port that is still held.
pub fn compare(seed: u64) -> Option<Compared> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(follow(seed))
}

async fn follow(seed: u64) -> Option<Compared> {
    let case = faultless(seed);
    let aws = InProcessAws::new(World::new(&case.scenario).ok()?);
    let clock = aws.clock();
    let (plan, _) = deploy::plan(&aws, &clock, play::request(&case)).await.ok()?;
    if plan.is_refused() {
        return None;
    }
    let revision = aws.register_task_definition(&plan.document).await.ok()?.revision.arn;
    let update = ServiceUpdate {
        cluster: "c".into(),
        service: "web".into(),
        task_definition: revision,
        force_new_deployment: true,
    };
    let begun = aws.world().borrow().now();
    let answer = aws.update_service(&update).await.ok()?;
    let id = answer.primary()?.id.clone();
    let world = aws.world();
    let mut switched = None;
    loop {
        let now = world.borrow().now();
        let elapsed = now.since(begun);
        if elapsed > HORIZON {
            return None;
        }
        let truth = world.borrow().ground_truth("c", "web", id.as_str());
        if truth.rolled_back || !truth.is_primary || has_failed_start(&world.borrow()) {
            return None;
        }
        let serves = truth.new_running >= truth.desired
            && truth.new_targets_healthy
            && truth.routed
            && truth.traffic.is_none_or(|share| share == 1000);
        if !serves {
            switched = None;
        } else if switched.is_none() {
            switched = Some(elapsed);
        }
        if truth.is_done() {
            return Some(Compared {
                seed,
                forecast: plan.forecast,
                switched: switched?,
                drained: elapsed,
            });
        }
        world.borrow_mut().advance(now + GRAIN);
    }
}

/// A task was not placed, or found its host port still held.
fn has_failed_start(world: &World) -> bool {
    let home = &world.account().clusters["c"];
    let mut tasks = home.tasks.values();
    let is_counted = home.services["web"].deployments.iter().any(|d| d.failed_tasks > 0);
    is_counted || tasks.any(|task| task.stop_code.as_deref() == Some("TaskFailedToStart"))
}

/// The middle one of many.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What is asked of many forecasts: `Err` says what is not kept.
pub fn judge(all: &[Compared]) -> (String, Result<(), String>) {
    let of = |place: usize, value: fn(&Compared) -> [f64; 2]| median(all.iter().map(|one| value(one)[place]).collect());
    let figures: Vec<f64> = [Compared::errors as fn(&Compared) -> [f64; 2], Compared::widths]
        .into_iter()
        .flat_map(|value| [of(0, value), of(1, value)])
        .collect();
    let percent = |place: usize| figures[place] * 100.0;
    let outside: Vec<&Compared> = all.iter().filter(|one| !one.holds()).collect();
    let told = format!(
        "{} rollouts, {} outside of their bounds; median error {:.1} % until serving and {:.1} % until drained; bounds plus or \
         minus {:.1} % and {:.1} % in the median",
        all.len(),
        outside.len(),
        percent(0),
        percent(1),
        percent(2),
        percent(3),
    );
    let is_kept = outside.is_empty() && percent(0) < 10.0 && percent(1) < 10.0 && percent(3) <= 35.0;
    let first: Vec<String> = outside
        .iter()
        .take(3)
        .map(|one| format!("world {}: {one:?}", one.seed))
        .collect();
    let judged = if is_kept {
        Ok(())
    } else {
        Err(format!("{told}\n{}", first.join("\n")))
    };
    (told, judged)
}
