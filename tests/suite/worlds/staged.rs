//! The same worlds with strategies whose traffic shifts: blue/green, linear, canary; with hooks, alarms and bake times.

use portzero_core::aws_model::service::Stage;
use portzero_core::rollout::{Until, Verdict};
use portzero_sim::{EarlySuccess, GroundTruth};

use super::generate::{Case, case};
use super::generate_staged::staged;
use super::play::{broken_promise, play, play_until, request, tally};
use super::worlds;

/// A staged world takes longer than a rolling one: this part of the number that is played is enough for each strategy to
/// meet each fault.
const PART: u64 = 8;

/// All of the traffic, in tenths of a percent.
const WHOLE: u32 = 1000;

/// A rolling update that is called successful early.
fn early(seed: u64) -> Case {
    let mut case = case(seed);
    case.scenario.services[0].strategy.early_success = Some(EarlySuccess {
        healthy_percent: if seed.is_multiple_of(2) { 100 } else { 50 },
        cleanup: if seed.is_multiple_of(3) { "BLOCKING" } else { "DEFERRED" }.into(),
    });
    case
}

/// The new revision serves alone and bakes, or is past that.
fn is_baking(truth: &GroundTruth) -> bool {
    let is_there = matches!(truth.stage.as_deref(), Some("BAKE_TIME" | "CLEAN_UP")) || truth.is_completed;
    is_there
        && truth.is_primary
        && truth.new_running >= truth.desired
        && truth.new_targets_healthy
        && truth.routed
        && truth.traffic.is_none_or(|share| share == WHOLE)
}

#[test]
fn no_staged_world_is_lied_about_and_none_hangs() {
    let count = worlds() / PART;
    let verdicts: Vec<Verdict> = (0..count)
        .map(|seed| {
            let case = staged(seed);
            let played = play(&case);
            told(seed, &case, broken_promise(&case, &played), &played.story);
            played.verdict
        })
        .collect();
    let tally = tally(&verdicts);
    println!("{count} staged worlds: {tally:?}");
    for verdict in ["succeeded", "failed", "superseded", "timed-out"] {
        assert!(tally.contains_key(verdict), "no world ended as {verdict}: {tally:?}");
    }
}

#[test]
fn a_run_that_ends_at_the_bake_time_ends_in_it() {
    let (mut succeeded, count) = (0, worlds() / PART / 2);
    for seed in 0..count {
        let case = staged(seed);
        let mut request = request(&case);
        request.until = Until::Stage(Stage::BakeTime);
        let played = play_until(&case, request, is_baking);
        told(seed, &case, broken_promise(&case, &played), &played.story);
        succeeded += u64::from(played.verdict == Verdict::Succeeded);
    }
    assert!(
        succeeded > count / 10,
        "only {succeeded} of {count} runs came to the bake time"
    );
}

#[test]
fn no_early_success_is_believed_too_early() {
    for seed in 0..worlds() / PART / 2 {
        let case = early(seed);
        let played = play(&case);
        told(seed, &case, broken_promise(&case, &played), &played.story);
    }
}

fn told(seed: u64, case: &Case, broken: Option<String>, story: &str) {
    if let Some(broken) = broken {
        panic!(
            "world {seed}: {broken}\n{:#?}\n{:#?}\n{:#?}\n{story}",
            case.scenario.services[0].strategy, case.scenario.faults, case.misbehaviour
        );
    }
}
