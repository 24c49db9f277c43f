//! A file has one idea, a function one task, and a folder fits on a screen.

use std::collections::BTreeMap;

use crate::source::{Source, closing, line_of};
use crate::{Breaches, assert_none, source};

/// Beyond this a file has had more than one idea so far.
const FILE_MAX: usize = 500;
/// What one screen shows, comments and empty lines not counted: they say why.
const FUNCTION_MAX: usize = 60;
/// More files beside each other are not taken in at a glance.
const FOLDER_MAX: usize = 15;

/// Files that are longer, each with its reason; as below, the list only shrinks.
const LONG_FILES: [(&str, &str); 1] = [(
    "crates/portzero-sim/src/model/state.rs",
    "one struct after the other: all that an account holds",
)];
/// Functions that are longer, each with its reason. One that has become shorter is a breach, so the list only shrinks.
const LONG_FUNCTIONS: [(&str, &str, &str); 9] = [
    (
        "crates/portzero-core/src/rollout/cause/diagnose/explain.rs",
        "secret",
        "one sentence for each way in which a secret is not read; half of them are text",
    ),
    (
        "crates/portzero-sim/src/balancer/listeners.rs",
        "create_load_balancer",
        "the checks of one request in the order of AWS, then one literal of a load balancer",
    ),
    (
        "crates/portzero-sim/src/balancer/target_groups.rs",
        "changed",
        "the checks of one request in the order of AWS",
    ),
    (
        "crates/portzero-sim/src/ground_truth.rs",
        "truth",
        "the judgement reads best in one piece: every condition of success, one below the other",
    ),
    (
        "crates/portzero-sim/src/scheduler/deployment.rs",
        "make_deployment",
        "two literals of what the API shows, with every member",
    ),
    (
        "crates/portzero-sim/src/scheduler/task_life.rs",
        "bear_task",
        "one literal of a task, with every member",
    ),
    (
        "crates/portzero-sim/src/setup.rs",
        "add_service",
        "one literal of a service, with every member",
    ),
    (
        "crates/portzero-sim/src/world/mod.rs",
        "happen",
        "one `match` with a line for each event of the queue",
    ),
    (
        "src/report/line.rs",
        "rollout",
        "one `match` with a sentence for each event of a rollout",
    ),
];

/// Tests do not count: neither a file of them nor what stands under `#[cfg(test)]`.
fn long_files(sources: &[Source], known: &[(&str, &str)]) -> Breaches {
    let lines = |source: &Source| source.shipped().trim_end().lines().count();
    let long = sources.iter().filter(|source| lines(source) > FILE_MAX);
    let (needed, new): (Vec<_>, Vec<_>) = long.partition(|source| known.iter().any(|(path, _)| *path == source.path));
    let is_needed = |path: &str| needed.iter().any(|source| source.path == path);
    let settled = known.iter().filter(|(path, _)| !is_needed(path));
    let too_long = |source: &Source| {
        let (path, lines) = (&source.path, lines(source));
        format!("{path}: {lines} lines, and {FILE_MAX} are the limit: which two ideas are in it?")
    };
    new.into_iter()
        .map(too_long)
        .chain(settled.map(|(path, _)| format!("{path} is not long any more: take it off the list")))
        .collect()
}

/// The name of each function, the line where it begins, and how many lines of code its body has.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(is_name) {
            continue;
        }
        let signature = &code[at + 3..];
        let name: String = signature.chars().take_while(|c| is_name(*c)).collect();
        // A `;` inside of brackets is the length of an array.
        let mut depth = 0_usize;
        let end = signature.char_indices().find(|(_, c)| {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(c, '{' | ';')
        });
        if let (false, Some((open, '{'))) = (name.is_empty(), end) {
            let open = at + 3 + open;
            let body = &code[open + 1..closing(code, open) - 1];
            let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
            found.push((name, line_of(code, at), lines));
        }
    }
    found
}

fn long_functions(sources: &[Source], known: &[(&str, &str, &str)]) -> Breaches {
    let mut breaches = Vec::new();
    let mut needed = Vec::new();
    for source in sources {
        for (name, line, lines) in functions(&source.shipped()) {
            if lines <= FUNCTION_MAX {
                continue;
            }
            match known
                .iter()
                .find(|(path, known, _)| *path == source.path && *known == name)
            {
                Some(entry) => needed.push(*entry),
                None => breaches.push(format!(
                    "{}:{line}: `{name}` has {lines} lines, and {FUNCTION_MAX} are the limit",
                    source.path
                )),
            }
        }
    }
    let settled = known.iter().filter(|entry| !needed.contains(entry));
    breaches
        .extend(settled.map(|(path, name, _)| format!("{path}: `{name}` is not long any more: take it off the list")));
    breaches
}

fn full_folders(sources: &[Source]) -> Breaches {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    let full = folders.into_iter().filter(|(_, files)| *files > FOLDER_MAX);
    full.map(|(folder, files)| format!("{folder}: {files} files, and {FOLDER_MAX} are the limit"))
        .collect()
}

#[test]
fn no_file_is_longer_than_one_idea() {
    assert_none(long_files(&source::all(), &LONG_FILES));
}

#[test]
fn no_function_is_longer_than_a_screen() {
    assert_none(long_functions(&source::all(), &LONG_FUNCTIONS));
}

#[test]
fn no_folder_holds_more_than_is_taken_in_at_a_glance() {
    assert_none(full_folders(&source::all()));
}

mod bites {
    use super::*;

    #[test]
    fn a_long_file_is_found_and_its_tests_are_not_counted() {
        let long = "fn f() {}\n".repeat(FILE_MAX + 1);
        let found =
            |path: &str, text: &str, known: &[(&str, &str)]| long_files(&[Source::new(path, text)], known).len();
        assert_eq!(found("src/cli/run.rs", &long, &[]), 1);
        assert_eq!(found("src/cli/tests.rs", &long, &[]), 0);
        let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}");
        assert_eq!(found("src/cli/run.rs", &tested, &[]), 0);
        let known = [("src/cli/run.rs", "why")];
        assert_eq!(found("src/cli/run.rs", &long, &known), 0);
        assert_eq!(found("src/cli/run.rs", "", &known), 1);
    }

    #[test]
    fn a_long_function_is_found_and_so_is_one_that_is_long_no_more() {
        let body = |lines: usize| format!("fn g(a: [u8; 2]) {{\n{}}}\nfn h();", "x();\n".repeat(lines));
        let found =
            |text: &str, known: &[(&str, &str, &str)]| long_functions(&[Source::new("src/cli/a.rs", text)], known);
        assert_eq!(
            found(&body(FUNCTION_MAX + 1), &[]),
            ["src/cli/a.rs:1: `g` has 61 lines, and 60 are the limit"]
        );
        assert_none(found(&body(FUNCTION_MAX), &[]));
        let known = [("src/cli/a.rs", "g", "why")];
        assert_none(found(&body(FUNCTION_MAX + 1), &known));
        assert_eq!(found(&body(1), &known).len(), 1);
    }

    #[test]
    fn a_full_folder_is_found() {
        let files = |count: usize| -> Vec<Source> {
            let name = |n| Source::new(&format!("src/cli/f{n}.rs"), "");
            (0..count).map(name).collect()
        };
        assert_eq!(full_folders(&files(FOLDER_MAX + 1)).len(), 1);
        assert_none(full_folders(&files(FOLDER_MAX)));
    }
}
