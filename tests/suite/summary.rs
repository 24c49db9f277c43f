//! What the tests before this one left out on this machine: cargo runs it last, for its name.
//!
//! A test that needs somebody else's program passes where the program is not there. Here they are counted, where everybody
//! sees it: this harness captures no output.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests read the environment, stop where they meet what they did not expect, and this one prints"
)]

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

#[path = "support/command.rs"]
#[expect(dead_code, reason = "nothing of this program is started here")]
mod command;
#[path = "support/evidence.rs"]
#[allow(dead_code, reason = "what is there is counted, and not read")]
mod evidence;
#[path = "support/needs.rs"]
#[expect(dead_code, reason = "a need is counted here, and insisted on there")]
mod needs;

use needs::Need;

/// Each need with what a test says that has it.
const NEEDS: [(Need, &str); 7] = [
    (Need::AwsCli, "Need::AwsCli.is_met()"),
    (Need::Boto3, "Need::Boto3.is_met()"),
    (Need::Moto, "MotoServer::start"),
    (Need::MiniStack, "MiniStack::start()"),
    (Need::EcsDeploy, "Need::EcsDeploy.is_met()"),
    (Need::Deployfish, "Need::Deployfish.is_met()"),
    (Need::Prism, "Prism::start()"),
];

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("what_was_left_out", what_was_left_out),
        Trial::test("the_tests_that_need_something_are_found", needs_are_found),
    ];
    let mut arguments = Arguments::from_args();
    // One after the other: the lines are to stay together.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn what_was_left_out() -> Result<(), Failed> {
    let tests = tests_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite"));
    let lacking: Vec<_> = NEEDS.into_iter().filter(|(need, _)| !need.is_at_hand()).collect();
    let is_left_out = |test: &&Test| lacking.iter().any(|(_, mark)| test.body.contains(mark));
    let count = tests.iter().filter(is_left_out).count();
    println!("\nTests that checked nothing here: {count}");
    for (need, mark) in &lacking {
        let having: Vec<&str> = having(mark, &tests);
        let (count, need, names) = (having.len(), need.name(), having.join(", "));
        println!("  {need} does not run here, which {count} of them need: {names}");
    }
    for (what, sources) in [
        ("task definitions", evidence::task_definitions()),
        ("answers of AWS", evidence::answers()),
    ] {
        if sources.len() == 1 {
            println!("  {what}: the project's own were checked; no collected ones are at hand");
        }
    }
    match NEEDS.into_iter().find(|(_, mark)| having(mark, &tests).is_empty()) {
        Some((_, mark)) => Err(format!("no test says `{mark}`").into()),
        None if count > 0 && needs::are_required() => Err("nothing may be left out here".into()),
        None => Ok(()),
    }
}

fn having<'t>(mark: &str, tests: &'t [Test]) -> Vec<&'t str> {
    let having = tests.iter().filter(|test| test.body.contains(mark));
    having.map(|test| test.name.as_str()).collect()
}

/// A test of the suite.
struct Test {
    /// With the name of its file.
    name: String,
    body: String,
}

fn tests_below(folder: &Path) -> Vec<Test> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(tests_below(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let module = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.extend(tests_in(&module, &std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// From the attribute to the brace that closes the function.
fn tests_in(module: &str, source: &str) -> Vec<Test> {
    let starts = source
        .split("\n#[test]\n")
        .skip(1)
        .chain(source.split("\n#[tokio::test]\n").skip(1));
    let tests = starts.filter_map(|text| {
        let body = text.split("\n}\n").next()?;
        let (_, rest) = body.split_once("fn ")?;
        let (name, _) = rest.split_once('(')?;
        Some(Test {
            name: format!("{module}::{name}"),
            body: body.to_owned(),
        })
    });
    tests.collect()
}

fn needs_are_found() -> Result<(), Failed> {
    let source = "\n#[test]\nfn a() {\n    x();\n}\n\n#[test]\nfn b() {\n    if !Need::Boto3.is_met() {\n        return;\n    }\n}\n";
    let tests = tests_in("it", source);
    let having = having("Need::Boto3.is_met()", &tests);
    match having == ["it::b"] {
        true => Ok(()),
        false => Err(format!("{having:?}").into()),
    }
}
