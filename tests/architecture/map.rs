//! ARCHITECTURE.md names what is there: a map that is out of date is worse than none.

use std::fs;

use crate::layers::ORDER;
use crate::source::Source;
use crate::{Breaches, assert_none, root, source};

/// Everything between backticks, outside fenced blocks.
fn quoted(page: &str) -> Vec<&str> {
    let outside = page.split("```").step_by(2);
    outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// A path of a file or a folder, from the package or from `src`.
fn is_path(word: &str) -> bool {
    (word.ends_with(".rs") || word.ends_with('/') || word.starts_with("tests/")) && !word.contains([' ', '*'])
}

/// Tests are named by the fact that they show, and facts have several words.
fn is_test(word: &str) -> bool {
    word.matches('_').count() >= 4
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
}

fn check(page: &str, code: &str) -> Breaches {
    let words = quoted(page);
    let is_there = |path: &str| root().join(path).exists() || root().join("src").join(path).exists();
    let paths = words
        .iter()
        .filter(|w| is_path(w) && !is_there(w))
        .map(|w| format!("there is no {w}"));
    let tests = words
        .iter()
        .filter(|w| is_test(w) && !code.contains(&format!("fn {w}(")))
        .map(|w| format!("no test {w}"));
    let modules = ORDER.iter().map(|(name, _)| *name).filter(|name| !words.contains(name));
    paths
        .chain(tests)
        .chain(modules.map(|name| format!("module `{name}` is not on the map")))
        .collect()
}

#[test]
fn the_map_names_what_is_there() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md can be read");
    let code: String = ["src", "tests"]
        .iter()
        .flat_map(|f| source::below(f))
        .map(|s: Source| s.code())
        .collect();
    assert!(quoted(&page).iter().any(|word| is_test(word)), "the map names no test");
    assert_none(check(&page, &code));
}

#[test]
fn a_lost_file_and_a_lost_test_are_found() {
    let modules: String = ORDER.iter().map(|(name, _)| format!("`{name}` ")).collect();
    let page =
        format!("{modules} `rollout/phase.rs` `rollout/phases.rs` `no_rule_is_without_a_test` `no_map_is_out_of_date`");
    let breaches = check(&page, "fn no_rule_is_without_a_test() {}");
    assert_eq!(
        breaches,
        ["there is no rollout/phases.rs", "no test no_map_is_out_of_date"]
    );
    assert!(
        check("nothing", "")
            .iter()
            .any(|breach| breach.contains("`rollout` is not on the map"))
    );
}
