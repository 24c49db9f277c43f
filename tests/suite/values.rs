//! No value is shown: random secrets in every place of a task definition, of a configuration and of what AWS and containers
//! say, in every encoding, and every surface searched for them.
//!
//! `cargo run --profile test --example values -- --count 100000` plays more. Each way in which values once came through is
//! played as well (`surfaces::Way`), and the judge has to notice each of them. Of 200 cases it noticed: a value replaced where it
//! stands as it is, 200; with forms made beforehand, 200; looked for after cleaning and cutting, 1; after encoding, 194; after
//! splitting at backticks, 3; without the running definition, 176; commands shown, 200; bodies quoted, 200; what `${}` took shown
//! on GitHub, 163.

mod encode;
mod generate;
mod judge;
mod surfaces;

use surfaces::Way;

const CASES: u64 = 500;

#[test]
fn s02_no_surface_shows_a_value_in_any_encoding() {
    let leaks: Vec<String> = (0..CASES)
        .filter_map(|seed| Some(format!("{seed}: {}", surfaces::leak(&generate::case(seed), Way::Now)?)))
        .collect();
    assert!(leaks.is_empty(), "{} of {CASES}:\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn s02_the_judge_notices_every_way_that_once_let_values_through() {
    for way in Way::OLD {
        let is_noticed = (0..400).any(|seed| surfaces::leak(&generate::case(seed), way).is_some());
        assert!(is_noticed, "{way:?}");
    }
}

#[test]
fn s05_the_words_of_aws_show_no_value() {
    // What AWS says is in every case, and the beginning of an answer is what the old way quoted.
    let quoted = (0..60).filter(|seed| surfaces::leak(&generate::case(*seed), Way::BodiesQuoted).is_some());
    assert!(quoted.count() > 0);
    let leaks = (CASES..CASES + 200).filter_map(|seed| surfaces::leak(&generate::case(seed), Way::Now));
    assert_eq!(leaks.collect::<Vec<_>>(), Vec::<String>::new());
}
