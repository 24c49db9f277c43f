//! Steps of the runner's clock, in any phase of a run and to both sides: the verdict with them is the verdict without.

use std::time::Duration;

use portzero_sim::{Fault, FaultSpec, Side, Since};

use super::generate::Case;
use super::play::{Played, play};

const HOUR: Duration = Duration::from_secs(3600);

/// Which way the clock goes, for how long, and when.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub side: Side,
    pub at: Duration,
    pub lasts: Option<Duration>,
}

/// A case as it is, and the same one with a clock that steps.
#[derive(Debug)]
pub struct Pair {
    pub step: Step,
    pub phase: String,
    pub without: Played,
    pub with: Played,
}

/// Steps anywhere between the begin and the end of the run that has none.
pub fn play_both(case: &Case, side: Side) -> Pair {
    let without = play(case);
    let mut rng = fastrand::Rng::with_seed(case.scenario.seed ^ 0xC10C);
    let within = |rng: &mut fastrand::Rng| Duration::from_millis(rng.u64(..=millis(without.lasted)));
    // The begin itself is no step: a clock that is wrong from there on shows so in the log.
    let at = within(&mut rng) + Duration::from_millis(1);
    // A clock that is put right again steps twice.
    let lasts = (rng.u8(..2) == 0).then(|| within(&mut rng) + Duration::from_secs(1));
    let step = Step { side, at, lasts };
    let with = play(&stepped(case, step));
    Pair {
        step,
        phase: phase_at(&without.story, at),
        without,
        with,
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn stepped(case: &Case, step: Step) -> Case {
    let mut fault = FaultSpec::new(Fault::ClockSkew {
        by: HOUR,
        side: step.side,
    });
    fault.timetable.since = Some(Since::Start);
    fault.timetable.at = Some(step.at);
    fault.timetable.lasts = step.lasts;
    let mut case = case.clone();
    case.scenario.faults.push(fault);
    case
}

/// The phase that the run without a step was in.
fn phase_at(story: &str, at: Duration) -> String {
    let phases = story.lines().filter_map(|line| {
        let (elapsed, rest) = line.trim_start().split_once(' ')?;
        let (_, phase) = rest.split_once("phase: ")?;
        Some((elapsed.parse::<f64>().ok()?, phase.to_owned()))
    });
    let before = phases.take_while(|(elapsed, _)| *elapsed <= at.as_secs_f64());
    before.last().map_or_else(|| "before".to_owned(), |(_, phase)| phase)
}

/// What the step has changed; `None`: nothing.
pub fn changed(pair: &Pair) -> Option<String> {
    let (with, without) = (&pair.with, &pair.without);
    let [was, is] = [without, with].map(|played| (played.verdict, played.lasted));
    (was != is || with.story != without.story).then(|| {
        let [was, is] = [was, is].map(|(verdict, lasted)| format!("{} after {lasted:?}", verdict.as_str()));
        format!("{was}, and {is} with {:?} in the phase {}", pair.step, pair.phase)
    })
}
