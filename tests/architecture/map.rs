//! ARCHITECTURE.md names what is there: a map that is out of date is worse than none.

use std::collections::BTreeSet;
use std::fs;

use crate::source::{CRATES, Source};
use crate::{Breaches, assert_none, root, source};

/// Everything between backticks, outside fenced blocks.
fn quoted(page: &str) -> Vec<&str> {
    let outside = page.split("```").step_by(2);
    outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// A path of a file or a folder, from the package or from the sources of a crate.
fn is_path(word: &str) -> bool {
    // The name alone says how folders are made, and not which one.
    word != "mod.rs"
        && (word.ends_with(".rs") || word.ends_with('/') || word.contains('/') && word.ends_with(".md"))
        && !word.contains([' ', '*', '<'])
}

/// Tests are named by the fact that they show, and facts have several words.
fn is_test(word: &str) -> bool {
    word.matches('_').count() >= 4
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
}

fn is_there(path: &str) -> bool {
    let folders = CRATES.iter().map(|(folder, _)| *folder).chain([""]);
    folders
        .map(|folder| root().join(folder).join(path))
        .any(|path| path.exists())
}

/// The folders that a reader of the map must find on it: the first ones of each crate.
fn folders(sources: &[Source]) -> BTreeSet<String> {
    let first = |source: &Source| Some(format!("{}/", source.within()?.1.split_once('/')?.0));
    let shown = sources.iter().filter(|source| !source.is_test());
    shown.filter_map(first).collect()
}

fn check(page: &str, code: &str, folders: &BTreeSet<String>) -> Breaches {
    let words = quoted(page);
    let paths = words
        .iter()
        .filter(|w| is_path(w) && !is_there(w))
        .map(|w| format!("there is no {w}"));
    let tests = words
        .iter()
        .filter(|w| is_test(w) && !code.contains(&format!("fn {w}(")))
        .map(|w| format!("no test {w}"));
    let lacking = folders.iter().filter(|name| !words.contains(&name.as_str()));
    paths
        .chain(tests)
        .chain(lacking.map(|name| format!("the folder `{name}` is not on the map")))
        .collect()
}

#[test]
fn the_map_names_what_is_there() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md can be read");
    let mut sources = source::all();
    let folders = folders(&sources);
    sources.extend(source::below("tests"));
    let code: String = sources.iter().map(Source::code).collect();
    assert!(quoted(&page).iter().any(|word| is_test(word)), "the map names no test");
    assert_none(check(&page, &code, &folders));
}

#[test]
fn a_lost_file_a_lost_test_and_a_lost_folder_are_found() {
    let page = "`cli/` `rollout/verdict.rs` `rollout/verdicts.rs` `no_rule_is_without_a_test` `no_map_is_out_of_date`";
    let folders = folders(&[
        Source::new("src/cli/run.rs", ""),
        Source::new("crates/portzero-core/src/rollout/verdict.rs", ""),
    ]);
    assert_eq!(
        check(page, "fn no_rule_is_without_a_test() {}", &folders),
        [
            "there is no rollout/verdicts.rs",
            "no test no_map_is_out_of_date",
            "the folder `rollout/` is not on the map"
        ]
    );
}
