//! Plays any number of simulated worlds against the observer, and counts lies, hangs and what was told wrongly:
//! `cargo run --release --example worlds -- --count 100000`. `--seed N` tells the story of one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a tool for developers: it measures real time, prints, and stops where a promise is broken"
)]

#[path = "../tests/suite/worlds/clock_steps.rs"]
mod clock_steps;
#[path = "../tests/suite/worlds/forecasts.rs"]
mod forecasts;
#[path = "../tests/suite/worlds/generate.rs"]
mod generate;
#[path = "../tests/suite/worlds/generate_staged.rs"]
mod generate_staged;
#[path = "../tests/suite/worlds/ledger.rs"]
mod ledger;
#[path = "../tests/suite/worlds/play.rs"]
mod play;
#[path = "../tests/suite/worlds/replaced.rs"]
mod replaced;
#[path = "../tests/suite/worlds/two_runs.rs"]
mod two_runs;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use portzero_core::rollout::Verdict;
use portzero_sim::scenario::{GroupAddresses, ManagedBy, TargetGroupSpec};
use portzero_sim::{ShownAddresses, Side};

#[derive(Parser)]
struct Arguments {
    /// How many worlds
    #[arg(long, default_value_t = 2_000)]
    count: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Worlds whose traffic shifts in stages
    #[arg(long)]
    staged: bool,
    /// Tell the whole story of one world
    #[arg(long)]
    seed: Option<u64>,
    /// Two runs of the service in each world
    #[arg(long)]
    two_runs: bool,
    /// Play nothing, and say how many of the worlds are of each kind
    #[arg(long)]
    kinds: bool,
    /// Each world three times: with a right clock, and with one that steps an hour forward, and back, in mid-run
    #[arg(long)]
    clock_steps: bool,
    /// Worlds without faults: how long each rollout was forecast to take, and what it took
    #[arg(long)]
    forecasts: bool,
}

struct Result {
    seed: u64,
    verdict: Verdict,
    broken: Option<String>,
}

thread_local! {
    static PLAYED: Cell<u64> = const { Cell::new(0) };
}

fn main() {
    let arguments = Arguments::parse();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        println!("world {}: panic", PLAYED.get());
        usual(panic);
    }));
    match arguments.seed {
        Some(seed) if arguments.two_runs => tell_two(seed),
        Some(seed) if arguments.clock_steps => tell_stepped(seed, arguments.staged),
        Some(seed) => tell(seed, arguments.staged),
        None if arguments.forecasts => compare_forecasts(&arguments),
        None if arguments.kinds => count_kinds(&arguments),
        None => play_all(&arguments),
    }
}

fn compare_forecasts(arguments: &Arguments) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let seeds = arguments.from..arguments.from + arguments.count;
    let part = |of: u64| {
        let own = seeds.clone().filter(move |seed| seed % threads == of);
        own.filter_map(forecasts::compare).collect::<Vec<_>>()
    };
    let part = &part;
    let all: Vec<forecasts::Compared> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|of| scope.spawn(move || part(of))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let (told, judged) = forecasts::judge(&all);
    println!("{told}");
    if let Err(broken) = judged {
        println!("{broken}");
        std::process::exit(1);
    }
}

fn case(seed: u64, is_staged: bool) -> generate::Case {
    if is_staged {
        generate_staged::staged(seed)
    } else {
        generate::case(seed)
    }
}

fn tell(seed: u64, is_staged: bool) {
    PLAYED.set(seed);
    let case = case(seed, is_staged);
    println!("{case:#?}");
    let played = play::play(&case);
    println!("{}", played.story);
    println!(
        "{}",
        play::broken_promise(&case, &played).unwrap_or("every promise was kept".into())
    );
}

fn tell_two(seed: u64) {
    PLAYED.set(seed);
    let (_, broken) = two_runs::play_any(seed);
    println!("{}", broken.unwrap_or("every promise was kept".into()));
}

fn count_kinds(arguments: &Arguments) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in arguments.from..arguments.from + arguments.count {
        let of_world: BTreeSet<&str> = kinds(&case(seed, arguments.staged)).into_iter().collect();
        of_world
            .into_iter()
            .for_each(|kind| *counts.entry(kind).or_default() += 1);
    }
    for (kind, count) in counts {
        #[allow(clippy::cast_precision_loss, reason = "a share to be read")]
        let share = 100.0 * count as f64 / arguments.count as f64;
        println!("{share:5.1} %  {kind}");
    }
}

/// The faults by their names, and what else makes a world unlike the plainest one.
fn kinds(case: &generate::Case) -> Vec<&'static str> {
    let (scenario, service) = (&case.scenario, &case.scenario.services[0]);
    let strategy = &service.strategy;
    let breaker = service.circuit_breaker.as_ref();
    let is_managed_by = |by| service.load_balancers.iter().any(|b| b.managed_by == Some(by));
    let has_ipv6 = |group: &TargetGroupSpec| group.ip_address_type == GroupAddresses::Ipv6;
    let others = [
        (
            "(address shown in the attachment alone)",
            scenario.switches.addresses == ShownAddresses::Attachments,
        ),
        (
            "(address shown nowhere)",
            scenario.switches.addresses == ShownAddresses::Nowhere,
        ),
        ("(capacity provider)", service.capacity_provider.is_some()),
        (
            "(circuit breaker: own threshold)",
            breaker.is_some_and(|b| b.threshold.is_some()),
        ),
        (
            "(circuit breaker: resetOnHealthyTask)",
            breaker.is_some_and(|b| b.reset_on_healthy_task.is_some()),
        ),
        ("(early success)", strategy.early_success.is_some()),
        ("(ingress managed by a gateway)", is_managed_by(ManagedBy::Gateway)),
        ("(ingress managed by Express Mode)", is_managed_by(ManagedBy::Express)),
        ("(IPv6 targets)", scenario.target_groups.iter().any(has_ipv6)),
        ("(optional reads denied)", !case.misbehaviour.denied.is_empty()),
        ("(startedBy names no deployment)", scenario.switches.started_by_service),
    ];
    let others = others.into_iter().filter(|(_, is_so)| *is_so).map(|(kind, _)| kind);
    scenario
        .faults
        .iter()
        .map(|fault| fault.fault.name())
        .chain(others)
        .collect()
}

fn play_all(arguments: &Arguments) {
    let (from, count) = (arguments.from, arguments.count);
    let begun = Instant::now();
    let next = AtomicU64::new(from);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut results: Vec<Result> = std::thread::scope(|scope| {
        let play_some = || {
            let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
            seeds
                .take_while(|seed| *seed < from + count)
                .map(|seed| match (arguments.two_runs, arguments.clock_steps) {
                    (true, _) => two(seed),
                    (_, true) => stepped(seed, arguments.staged),
                    _ => one(seed, arguments.staged),
                })
                .collect::<Vec<_>>()
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(play_some)).collect();
        let played = handles
            .into_iter()
            .map(|handle| handle.join().expect("a panic, see above"));
        played.flatten().collect()
    });
    results.sort_by_key(|result| result.seed);
    let mut broken: BTreeMap<&str, u64> = BTreeMap::new();
    for result in &results {
        if let Some(words) = &result.broken {
            println!("world {}: {words}", result.seed);
            *broken.entry(words.split(':').next().unwrap_or(words)).or_default() += 1;
        }
    }
    let count_of = |kind: &str| broken.get(kind).copied().unwrap_or(0);
    let verdicts: Vec<Verdict> = results.iter().map(|result| result.verdict).collect();
    println!(
        "{} worlds in {:.1} s: {} lies, {} hangs, {} verdicts taken back, {} lost events, {} false alarms, {} without reason blind, \
         {} verdicts changed by a step of the clock",
        results.len(),
        begun.elapsed().as_secs_f64(),
        count_of("lie"),
        count_of("hang"),
        count_of("verdict taken back"),
        count_of("lost event"),
        count_of("false alarm"),
        count_of("blind"),
        count_of("verdict changed"),
    );
    println!("{:?}", play::tally(&verdicts));
    if !broken.is_empty() {
        std::process::exit(1);
    }
}

fn one(seed: u64, is_staged: bool) -> Result {
    PLAYED.set(seed);
    let case = case(seed, is_staged);
    let played = play::play(&case);
    Result {
        seed,
        verdict: played.verdict,
        broken: play::broken_promise(&case, &played),
    }
}

/// The verdict is the one without a step.
fn stepped(seed: u64, is_staged: bool) -> Result {
    PLAYED.set(seed);
    let case = case(seed, is_staged);
    let pairs = [Side::Ahead, Side::Behind].map(|side| clock_steps::play_both(&case, side));
    Result {
        seed,
        verdict: pairs[0].without.verdict,
        broken: pairs
            .iter()
            .find_map(clock_steps::changed)
            .map(|words| format!("verdict changed: {words}")),
    }
}

fn tell_stepped(seed: u64, is_staged: bool) {
    PLAYED.set(seed);
    let case = case(seed, is_staged);
    for side in [Side::Ahead, Side::Behind] {
        let pair = clock_steps::play_both(&case, side);
        println!("{:?}\n{}", pair.step, pair.with.story);
        println!(
            "{}",
            clock_steps::changed(&pair).unwrap_or("every promise was kept".into())
        );
    }
}

/// The verdict is the first run's.
fn two(seed: u64) -> Result {
    PLAYED.set(seed);
    let (runs, broken) = two_runs::play_any(seed);
    let verdict = runs[0].as_ref().map_or(Verdict::Refused, |run| run.verdict());
    let words = broken
        .as_ref()
        .and_then(|words| words.split_once(": ")?.1.lines().next().map(str::to_owned));
    Result {
        seed,
        verdict,
        broken: words,
    }
}
