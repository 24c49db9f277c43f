//! One course of a blue/green, linear or canary deployment: stage by stage, all new tasks at once, the traffic in steps.

use std::time::Duration;

use crate::plan::forecast::chance::Chance;
use crate::plan::forecast::course::{Rollout, Times};
use crate::plan::forecast::spans::{
    CADENCE, COMPLETION, DEPROVISION, DEREGISTRATION, DRAIN_SLACK, FIRST_ACTION, NOTICED, STAGE, TOLD_TO_STOP, TRUSTED,
};

/// Stages between the new tasks' health and the last step of the traffic: POST_SCALE_UP, TEST_TRAFFIC_SHIFT,
/// POST_TEST_TRAFFIC_SHIFT.
const BEFORE_TRAFFIC: usize = 3;
/// Stages after it: the rest of PRODUCTION_TRAFFIC_SHIFT, and POST_PRODUCTION_TRAFFIC_SHIFT.
const AFTER_TRAFFIC: usize = 2;

/// `shift`: the waits between the steps of the traffic; `bake`: how long both revisions run after the last.
pub(super) fn play(rollout: &Rollout, shift: Duration, bake: Duration, mut chance: Chance) -> Times {
    let chance = &mut chance;
    let scale_up = chance.draw(FIRST_ACTION) + chance.draw(STAGE);
    let begun = scale_up + chance.draw(STAGE).min(chance.look(CADENCE, true));
    let registered = begun + chance.draw(rollout.start.registered);
    let running = registered + chance.draw(rollout.start.running);
    let mut serves = running;
    for _ in 0..rollout.desired {
        for check in rollout.checks.iter().flatten() {
            serves = serves.max(registered + chance.draw(*check));
        }
    }
    let counts = match (rollout.own_check, rollout.delay) {
        (None, None) => running + TRUSTED,
        (own, Some(_)) => serves.max(registered + NOTICED).max(running + own.unwrap_or_default()),
        (Some(own), None) => running + own,
    };
    let seen = counts + chance.look(CADENCE, true);
    let stages = |chance: &mut Chance, count: usize| (0..count).map(|_| chance.draw(STAGE)).sum::<Duration>();
    let switched = seen + stages(chance, BEFORE_TRAFFIC) + shift;
    let clean_up = switched + stages(chance, AFTER_TRAFFIC) + bake;
    let stopped = clean_up + chance.look(CADENCE, true);
    let (deregistered, end) = match rollout.delay {
        Some(delay) => {
            let deregistered = stopped + chance.draw(DEREGISTRATION);
            (deregistered, deregistered + delay + chance.draw(DRAIN_SLACK))
        }
        None => (stopped, stopped + chance.draw(TOLD_TO_STOP)),
    };
    let mut ended = end + chance.draw(rollout.stop);
    if rollout.has_interface {
        ended += chance.draw(DEPROVISION);
    }
    Times {
        started: registered,
        switched,
        drained: ended.max(deregistered + chance.draw(COMPLETION)),
        waves: 1,
    }
}
