//! Property tests: the observer against the simulated world, over many seeds.
//!
//! `PORTZERO_WORLDS=100000 cargo test worlds` plays as many as wanted; the example `worlds` does so with a flag.

mod attached;
mod clock_steps;
mod forecasts;
mod generate;
mod generate_staged;
mod ledger;
mod play;
mod replaced;
mod snapshots;
mod staged;
mod two_runs;

use std::time::Duration;

use generate::case;
use play::{broken_promise, broken_way_back, play, play_with, tally};
use portzero_core::base::finding::Code;
use portzero_core::policy::{IfBusy, Leftover, Policy};
use portzero_core::rollout::Verdict;
use portzero_sim::Side;
use portzero_testkit::Misbehaviour;

/// Seeds for the worlds of two runs, each of which is played in many orders.
const TWO_RUNS: u64 = 10;

/// Enough for every fault to meet every strategy many times; more only costs time in a debug build.
const WORLDS_DEFAULT: u64 = 1_000;

#[expect(
    clippy::disallowed_methods,
    reason = "the number of worlds is a knob of the test run"
)]
fn worlds() -> u64 {
    std::env::var("PORTZERO_WORLDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(WORLDS_DEFAULT)
}

/// Safety: `succeeded` means that the world was done, as far as the run was to follow it. Liveness: a verdict comes within
/// the budget, and is the only one. Nothing that a look could show is lost, nor told twice.
/// No false alarm: without faults a rollout that may move succeeds.
#[test]
fn no_world_is_lied_about_and_none_hangs() {
    let count = worlds();
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let verdicts: Vec<Verdict> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|part| scope.spawn(move || play_part(part, threads, count)))
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().expect("a promise was broken, see above"))
            .collect()
    });
    let tally = tally(&verdicts);
    println!("{} worlds: {tally:?}", verdicts.len());
    assert_eq!(verdicts.len() as u64, count);
    // A generator that only makes one kind of world would prove nothing.
    for verdict in ["succeeded", "failed", "superseded", "timed-out", "nothing-to-verify"] {
        assert!(tally.contains_key(verdict), "no world ended as {verdict}: {tally:?}");
    }
}

fn play_part(part: u64, parts: u64, count: u64) -> Vec<Verdict> {
    (0..count)
        .filter(|seed| seed % parts == part)
        .map(|seed| {
            let case = case(seed);
            let played = play(&case);
            if let Some(broken) = broken_promise(&case, &played) {
                panic!(
                    "world {seed}: {broken}\n{:#?}\n{:#?}\n{}",
                    case.scenario.faults, case.misbehaviour, played.story
                );
            }
            played.verdict
        })
        .collect()
}

/// The actual time lies within the bounds of the forecast, which are narrow, and what is called likely is.
#[test]
fn what_a_rollout_takes_lies_within_its_forecast() {
    let all: Vec<forecasts::Compared> = (0..worlds() / 4).filter_map(forecasts::compare).collect();
    let (told, judged) = forecasts::judge(&all);
    println!("{told}");
    assert_eq!(judged, Ok(()));
}

/// Who comes late is told the truth as well, and gets a verdict.
#[test]
fn who_joins_a_rollout_is_not_lied_to_and_does_not_hang() {
    let mut verdicts = Vec::new();
    for seed in 0..worlds() / 4 {
        let case = case(seed);
        let Some(played) = attached::play(&case) else { continue };
        if let Some(broken) = attached::broken_promise(&case, &played) {
            panic!(
                "world {seed}: {broken}\n{:#?}\n{:#?}\n{}",
                case.scenario.faults, case.misbehaviour, played.story
            );
        }
        verdicts.push(played.verdict);
    }
    let tally = tally(&verdicts);
    println!("{} worlds: {tally:?}", verdicts.len());
    for verdict in ["succeeded", "failed", "superseded", "timed-out", "nothing-to-verify"] {
        assert!(tally.contains_key(verdict), "no world ended as {verdict}: {tally:?}");
    }
}

#[test]
fn who_comes_after_a_run_that_went_blind_sees_the_end() {
    let cases = (0..400).map(case);
    let good = |case: &generate::Case| {
        case.must_succeed && case.scenario.services[0].desired_count > 0 && case.timeout >= Duration::from_secs(1200)
    };
    let mut played = 0;
    for case in cases.filter(good).take(12) {
        let seed = case.scenario.seed;
        let told = attached::play_after_a_blind_run(&case);
        assert_eq!(
            told,
            (Verdict::CouldNotObserve, Verdict::Succeeded, true),
            "world {seed}"
        );
        played += 1;
    }
    assert!(played > 5, "only {played} worlds were played");
}

/// The same of the way back (`--on-failure rollback`): nobody is told that the service is back who would not find it so.
/// A success is as true as without.
#[test]
fn no_way_back_is_lied_about_and_none_hangs() {
    let policy = Policy {
        on_failure: Leftover::Rollback,
        ..Policy::default()
    };
    let mut back = 0;
    for seed in 0..worlds().min(400) {
        let case = case(seed);
        let played = play_with(&case, policy);
        let is_success = played.verdict.is_success();
        let broken = broken_way_back(&case, &played).or_else(|| broken_promise(&case, &played).filter(|_| is_success));
        assert_eq!(
            broken, None,
            "world {seed}: {:#?}\n{}",
            case.scenario.faults, played.story
        );
        back += u32::from(played.back_to.is_some());
    }
    assert!(back > 20, "only {back} runs came back");
}

/// AWS lists in any order: whatever the order, the phase and what is waited on are the same.
#[test]
fn a_permuted_snapshot_shows_the_same_phase() {
    let mut looks = 0;
    for seed in 0..150 {
        for (shown, shuffled) in snapshots::with_shuffled_twins(&case(seed)) {
            assert_eq!(shown, shuffled, "world {seed}");
            looks += 1;
        }
    }
    assert!(looks > 500, "only {looks} looks were compared");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in (0..60).map(|n| n * 7 + 3) {
        let (first, second) = (play(&case(seed)), play(&case(seed)));
        assert_eq!(first.story, second.story, "world {seed}");
    }
}

/// Pages of a list are read one after the other: something may come twice, and anything in any place.
#[test]
fn lists_in_any_order_with_something_twice_tell_the_same_story() {
    for seed in (0..300).step_by(5) {
        let mut plain = case(seed);
        plain.misbehaviour = Misbehaviour::default();
        plain.outage = None;
        let mut shuffled = plain.clone();
        (shuffled.misbehaviour.permuted, shuffled.misbehaviour.repeated) = (true, true);
        assert_eq!(play(&plain).story, play(&shuffled).story, "world {seed}");
    }
}

fn verdicts(runs: &two_runs::Ends) -> [Option<Verdict>; 2] {
    [0, 1].map(|run| runs[run].as_ref().map(portzero::app::deploy::ServiceRun::verdict))
}

/// In both orders: the one that begins later waits for the other one's rollout and for its drain.
#[test]
fn t06_two_runs_of_one_service_both_succeed_one_after_the_other() {
    for seed in 0..TWO_RUNS {
        let case = two_runs::good(seed);
        for (late, early) in [(1, 0), (0, 1)] {
            for wait in [0, 5, 60, 150, 250] {
                let mut waits = [Duration::ZERO; 2];
                waits[late] = Duration::from_secs(wait);
                let images = ["example/web:2", "example/web:3"];
                let requests = images.map(|image| two_runs::wanted(&case, image, IfBusy::Wait));
                let (stage, runs) = two_runs::play_both(&case, requests, waits);
                let what = format!("seed {seed}, run {late} begins {wait} s after run {early}");
                assert_eq!(two_runs::broken(&case, &stage, &runs), None, "{what}");
                assert_eq!(verdicts(&runs), [Some(Verdict::Succeeded); 2], "{what}");
                let updates = stage.notes.iter().map(|note| note.other_at_update.borrow().clone());
                let seen: Vec<_> = updates.flatten().collect();
                assert!(seen.len() == 1 && seen[0].is_done(), "{what}: {seen:?}");
            }
        }
    }
}

/// Who deploys over another run replaces a rollout that is not complete, or the drain of one that is.
#[test]
fn t06_who_is_replaced_while_it_only_drains_has_succeeded_and_who_is_not_complete_has_not() {
    let (mut superseded, mut replaced) = (0, 0);
    for seed in 0..TWO_RUNS {
        let case = two_runs::good(seed);
        for wait in (0..500).step_by(25) {
            let requests = [
                two_runs::wanted(&case, "example/web:2", IfBusy::Wait),
                two_runs::wanted(&case, "example/web:3", IfBusy::Replace),
            ];
            let (stage, runs) = two_runs::play_both(&case, requests, [Duration::ZERO, Duration::from_secs(wait)]);
            let what = format!("seed {seed}, replaced after {wait} s");
            assert_eq!(two_runs::broken(&case, &stage, &runs), None, "{what}");
            let [Some(first), Some(second)] = &runs else {
                panic!("{what}: refused")
            };
            assert_eq!(second.verdict(), Verdict::Succeeded, "{what}");
            let is_replaced = first.findings().iter().any(|finding| finding.code == Code::Superseded);
            match first.verdict() {
                Verdict::Superseded => superseded += 1,
                Verdict::Succeeded => replaced += u32::from(is_replaced),
                verdict => panic!("{what}: {}", verdict.as_str()),
            }
        }
    }
    assert!(
        superseded > 20 && replaced > 20,
        "{superseded} superseded, {replaced} replaced while draining"
    );
}

/// The same in worlds full of faults: whatever becomes of either, it is told the truth.
#[test]
fn t06_two_runs_in_any_world_are_told_the_truth() {
    let mut both = 0;
    for seed in 0..worlds() / 4 {
        let (runs, broken) = two_runs::play_any(seed);
        assert_eq!(broken, None, "world {seed}");
        both += u32::from(runs.iter().all(Option::is_some));
    }
    assert!(both > 20, "only {both} worlds had two runs");
}

/// An hour forward and an hour back, before the update and in each phase: no verdict, no line and no wait is another.
#[test]
fn s01_no_step_of_the_clock_changes_a_verdict() {
    let mut phases = std::collections::BTreeSet::new();
    for seed in 0..worlds() / 5 {
        let case = case(seed);
        for side in [Side::Ahead, Side::Behind] {
            let pair = clock_steps::play_both(&case, side);
            assert_eq!(clock_steps::changed(&pair), None, "world {seed}");
            phases.insert((pair.phase, format!("{side:?}")));
        }
    }
    assert_eq!(
        phases.len(),
        10,
        "before the update, and four phases, each with both signs: {phases:?}"
    );
}
