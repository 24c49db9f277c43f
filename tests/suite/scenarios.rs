//! Every file of tests/scenarios through the real command: one test a file, by the file's name, and one snapshot of
//! everything that a user gets.
//!
//! `cargo test --test scenarios 14-flapping` runs one.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests start programs, and stop where they meet what they did not expect"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use portzero_sim::Scenario;

#[path = "support/command.rs"]
mod command;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let trials = scenario_files(&root.join("tests/scenarios")).into_iter().map(|file| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        Trial::test(name.clone(), move || check(root, &name, &file))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn scenario_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .collect();
    files.sort();
    files
}

fn check(root: &Path, name: &str, file: &Path) -> Result<(), Failed> {
    let told = tell(root, file)?;
    if told.contains("hunter2") {
        return Err("it shows a value of the environment".into());
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root.join("tests/scenarios/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), told));
    Ok(())
}

/// Runs the command that the file was written for, and sets down what comes of it.
fn tell(root: &Path, file: &Path) -> Result<String, Failed> {
    let relative = file.strip_prefix(root)?.to_string_lossy().into_owned();
    let scenario =
        Scenario::read(&std::fs::read_to_string(file)?, &relative).map_err(|findings| format!("{findings:?}"))?;
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.json");
    let output = command::portzero(root)
        .args(&scenario.command)
        .args(["--scenario", &relative, "--report"])
        .arg(&report)
        .output()?;
    let (stderr, stdout) = (String::from_utf8(output.stderr)?, String::from_utf8(output.stdout)?);
    let report = std::fs::read_to_string(&report).unwrap_or_else(|_| "none\n".into());
    Ok(format!(
        "{}\n$ portzero {} --scenario {relative}\nexit code {}\n\n--- stderr\n{stderr}\n--- stdout\n{stdout}\n--- report\n{report}",
        scenario.description,
        scenario.command.join(" "),
        output.status.code().ok_or("it has no exit code")?,
    ))
}
