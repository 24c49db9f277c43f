//! Sends any number of random requests to the simulator's wire, and stops where one makes it panic:
//! `cargo run --release --example fuzz-wire -- --count 1000000`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for developers: it prints, and stops where a promise is broken"
)]

#[path = "../tests/suite/wire/fuzz/mutate.rs"]
mod mutate;
#[path = "../tests/suite/wire/fuzz/scenario.rs"]
mod scenario;
#[path = "../tests/suite/wire/fuzz/volley.rs"]
mod volley;

use std::cell::RefCell;

use clap::Parser;
use portzero_sim::scenario::Scenario;
use portzero_sim::wire::HttpRequest;

#[derive(Parser)]
struct Arguments {
    /// How many requests
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// The first volley: the seed of its world and of its requests
    #[arg(long, default_value_t = 0)]
    from: u64,
}

thread_local! {
    static LAST: RefCell<(u64, HttpRequest)> = RefCell::default();
}

fn main() {
    let arguments = Arguments::parse();
    // Where a panic ends the process, this is all that will be told.
    std::panic::set_hook(Box::new(|panic| {
        LAST.with_borrow(|(seed, request)| {
            let body = String::from_utf8_lossy(&request.body);
            eprintln!("{panic}\nvolley {seed}\n{:?}\n{body}", request.headers);
        });
    }));
    let scenario = Scenario::read(scenario::SCENARIO, "fuzz.yml").expect("a scenario");
    let volleys = arguments.count.div_ceil(volley::VOLLEY);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let (from, scenario) = (arguments.from, &scenario);
    let good: u64 = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..threads)
            .map(|part| {
                scope.spawn(move || {
                    let seeds = mutate::Seeds::new();
                    let own = (from..from + volleys).filter(|seed| seed % threads == part);
                    own.map(|seed| {
                        let note = |request: &HttpRequest| LAST.set((seed, request.clone()));
                        volley::send(scenario, &seeds, seed, volley::VOLLEY, &note)
                    })
                    .sum::<u64>()
                })
            })
            .collect();
        shares.into_iter().map(|share| share.join().expect("no panic")).sum()
    });
    println!(
        "{} requests, {good} answered with 200, no panic",
        volleys * volley::VOLLEY
    );
}
