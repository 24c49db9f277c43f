//! A file has one idea.

use crate::source::Source;
use crate::{Breaches, assert_none, source};

/// Beyond this a file has had more than one idea so far.
const LINES_MAX: usize = 500;

/// Tests do not count: neither a file of them nor the module at a file's end.
fn check(source: &Source) -> Breaches {
    let is_tests = source.path.ends_with("/tests.rs") || source.path.contains("/tests/");
    let lines = source.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    if is_tests || lines <= LINES_MAX {
        return Vec::new();
    }
    vec![format!(
        "{}: {lines} lines, and {LINES_MAX} are the limit: which two ideas are in it?",
        source.path
    )]
}

#[test]
fn no_file_is_longer_than_one_idea() {
    assert_none(source::all().iter().flat_map(check).collect());
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let long = "fn f() {}\n".repeat(LINES_MAX + 1);
    assert_eq!(check(&Source::new("src/plan.rs", &long)).len(), 1);
    assert_eq!(check(&Source::new("src/sim/tests.rs", &long)).len(), 0);
    let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}");
    assert_eq!(check(&Source::new("src/plan.rs", &tested)).len(), 0);
}
