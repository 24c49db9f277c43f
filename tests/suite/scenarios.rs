//! Every file of tests/scenarios through the real command, and one snapshot of everything that a user gets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use portzero_sim::Scenario;

/// What each file's command tells, run once for all tests, on as many threads as there are cores.
static TOLD: LazyLock<Vec<(PathBuf, String)>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = scenario_files(&root.join("tests/scenarios"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let told = std::thread::scope(|scope| {
        let parts = (0..threads).map(|part| {
            let mine: Vec<PathBuf> = files.iter().skip(part).step_by(threads).cloned().collect();
            scope.spawn(move || {
                mine.into_iter()
                    .map(|file| (tell(root, &file), file))
                    .collect::<Vec<_>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        let told = parts
            .into_iter()
            .flat_map(|part| part.join().expect("each scenario is run"));
        told.map(|(told, file)| (file, told)).collect::<BTreeMap<_, _>>()
    });
    told.into_iter().collect()
});

#[test]
fn each_scenario_ends_as_its_snapshot_tells() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(TOLD.len() >= 100, "{} scenario files", TOLD.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root.join("tests/scenarios/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut failures = Vec::new();
    for (file, told) in TOLD.iter() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let checked = settings.bind(|| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                insta::assert_snapshot!(name.clone(), told)
            }))
        });
        if checked.is_err() {
            failures.push(name);
        }
    }
    assert!(failures.is_empty(), "these tell another story: {failures:?}");
}

#[test]
fn no_surface_shows_an_environment_value() {
    for (file, told) in TOLD.iter() {
        assert!(!told.contains("hunter2"), "{} shows a password", file.display());
    }
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

/// Runs the command that the file was written for, and sets down what comes of it.
fn tell(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    let scenario = Scenario::read(&std::fs::read_to_string(file).unwrap(), &relative)
        .unwrap_or_else(|findings| panic!("{relative}: {findings:?}"));
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_portzero"))
        .args(&scenario.command)
        .args(["--scenario", &relative, "--report"])
        .arg(&report)
        .current_dir(root)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let report = std::fs::read_to_string(&report).unwrap_or_else(|_| "none\n".into());
    format!(
        "{}\n$ portzero {} --scenario {relative}\nexit code {}\n\n--- stderr\n{}\n--- stdout\n{}\n--- report\n{report}",
        scenario.description,
        scenario.command.join(" "),
        output.status.code().unwrap(),
        text(&output.stderr),
        text(&output.stdout),
    )
}
