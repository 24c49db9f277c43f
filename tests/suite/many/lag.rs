//! How late a verdict comes: from the moment at which the simulated world is truly done to the run's word.

use std::cell::Cell;
use std::time::Duration;

use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::event::EventKind;
use portzero_core::port::Clock;
use portzero_core::rollout::Verdict;
use portzero_testkit::{InProcessAws, moment, time};
use serde_json::json;

use super::world::{Ears, deploy, request, spec, text, world};
use crate::support::run;

/// The slowest pace at the end of a drain.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_secs(10);
const WORLDS: u64 = 60;

/// A virtual clock that notes since when the world has been done.
struct Truth {
    aws: InProcessAws,
    ears: Ears,
    done_since: Cell<Option<Timestamp>>,
}

impl Truth {
    fn look(&self) {
        let world = self.aws.world();
        let world = world.borrow();
        let deployment = self.ears.deployment("web");
        let is_done = deployment.is_some_and(|id| world.ground_truth("c", "web", id.as_str()).is_done());
        let since = self.done_since.get().filter(|_| is_done);
        self.done_since.set(is_done.then(|| since.unwrap_or(time(world.now()))));
    }
}

impl Clock for Truth {
    fn now(&self) -> Moment {
        self.aws.clock().now()
    }

    async fn sleep(&self, span: Duration) {
        let world = self.aws.world();
        let until = time(world.borrow().now()) + span;
        loop {
            let next = world.borrow().next_event_at().filter(|at| time(*at) <= until);
            let Some(next) = next else { break };
            world.borrow_mut().advance(next);
            self.look();
        }
        world.borrow_mut().advance(moment(until));
        self.look();
    }
}

fn lag(seed: u64) -> Duration {
    let service = spec("web");
    let delay = [5, 30, 60, 300][seed as usize % 4];
    let more = json!({
        "seed": seed,
        "target_groups": [{
            "name": "web", "health_check": {"interval": "10s"}, "deregistration_delay": format!("{delay}s"),
        }],
    });
    let aws = InProcessAws::new(world(&text(std::slice::from_ref(&service), &more)));
    let ears = Ears::default();
    let clock = Truth {
        aws: aws.clone(),
        ears: ears.clone(),
        done_since: Cell::new(None),
    };
    let runs = run(deploy(&aws, &clock, vec![request(&service, &[])], ears.clone()));
    assert_eq!(
        runs[0].verdict(),
        Verdict::Succeeded,
        "world {seed}: {:?}",
        runs[0].outcome
    );
    let ended = ears
        .at("web", |kind| matches!(kind, EventKind::Ended(_)))
        .expect("an end");
    ended.wall().since(clock.done_since.get().expect("the world is done"))
}

#[test]
fn a_verdict_comes_at_most_one_poll_interval_and_the_settling_after_the_truth() {
    let mut lags: Vec<Duration> = (0..WORLDS).map(lag).collect();
    lags.sort();
    let (median, longest) = (lags[lags.len() / 2], lags[lags.len() - 1]);
    println!("lag of {WORLDS} verdicts: median {median:?}, longest {longest:?}");
    assert!(median <= POLL_INTERVAL, "median {median:?}");
    assert!(longest <= POLL_INTERVAL + SETTLE, "longest {longest:?}");
}
