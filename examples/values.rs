//! Hides random secrets in any number of cases, and searches every surface for them:
//! `cargo run --profile test --example values -- --count 100000`. `--old` plays the ways that once let values through.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a tool for developers: it measures real time, prints, and stops where a promise is broken"
)]

#[path = "../tests/suite/values/encode.rs"]
mod encode;
#[path = "../tests/suite/values/generate.rs"]
mod generate;
#[path = "../tests/suite/values/judge.rs"]
mod judge;
#[path = "../tests/suite/values/surfaces.rs"]
mod surfaces;

use std::time::Instant;

use clap::Parser;
use surfaces::Way;

#[derive(Parser)]
struct Arguments {
    /// How many cases
    #[arg(long, default_value_t = 2_000)]
    count: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Count for each way that once let values through how often that is noticed
    #[arg(long)]
    old: bool,
    /// Print one case
    #[arg(long)]
    seed: Option<u64>,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        let case = generate::case(seed);
        println!("{case:#?}\n{:?}", surfaces::leak(&case, Way::Now));
        return;
    }
    let begun = Instant::now();
    let ways = if arguments.old { &Way::OLD[..] } else { &[Way::Now] };
    let mut is_kept = true;
    for way in ways {
        let seeds = arguments.from..arguments.from + arguments.count;
        let leaks = seeds.filter_map(|seed| Some((seed, surfaces::leak(&generate::case(seed), *way)?)));
        let leaks: Vec<(u64, String)> = leaks.collect();
        println!("{way:?}: {} of {} cases show a value", leaks.len(), arguments.count);
        if *way == Way::Now {
            leaks
                .iter()
                .take(20)
                .for_each(|(seed, told)| println!("  {seed}: {told}"));
            is_kept = leaks.is_empty();
        }
    }
    println!("{:.1?}", begun.elapsed());
    if !is_kept {
        std::process::exit(1);
    }
}
