//! Plays any number of simulated worlds against the observer, and counts lies and hangs:
//! `cargo run --release --example worlds -- --count 100000`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::exit,
    reason = "a tool for developers: it prints, and stops where a promise is broken"
)]

#[path = "../tests/suite/worlds/generate.rs"]
mod generate;
#[path = "../tests/suite/worlds/play.rs"]
mod play;

use clap::Parser;

use portzero::rollout::Verdict;

#[derive(Parser)]
struct Arguments {
    /// How many worlds
    #[arg(long, default_value_t = 2_000)]
    count: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tell the whole story of the first world
    #[arg(long)]
    tell: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.tell {
        let case = generate::case(arguments.from);
        println!("{:#?}\n{:#?}", case.scenario.faults, case.misbehaviour);
        println!("{}", play::play(&case).story);
        return;
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let results: Vec<(u64, Verdict, Option<String>)> = std::thread::scope(|scope| {
        let (from, count) = (arguments.from, arguments.count);
        let handles: Vec<_> = (0..threads)
            .map(|part| {
                scope.spawn(move || {
                    (from..from + count)
                        .filter(|s| s % threads == part)
                        .map(one)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().expect("a world that does not end"))
            .collect()
    });
    let verdicts: Vec<Verdict> = results.iter().map(|(_, verdict, _)| *verdict).collect();
    let broken: Vec<String> = results
        .iter()
        .filter_map(|(seed, _, broken)| broken.as_ref().map(|b| format!("world {seed}: {b}")))
        .collect();
    for line in &broken {
        println!("{line}");
    }
    let count_of = |word: &str| broken.iter().filter(|b| b.contains(word)).count();
    println!(
        "{} worlds: {} lies, {} hangs, {} false alarms; {:?}",
        results.len(),
        count_of(": lie:"),
        count_of(": hang:"),
        count_of(": false alarm:"),
        play::tally(&verdicts)
    );
    if !broken.is_empty() {
        std::process::exit(1);
    }
}

fn one(seed: u64) -> (u64, Verdict, Option<String>) {
    let case = generate::case(seed);
    let played = play::play(&case);
    (seed, played.verdict, play::broken_promise(&case, &played))
}
