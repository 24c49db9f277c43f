//! A panic ends a run with a finding on every surface, and with an exit code of its own.

use serde_json::Value;

use crate::support::program::{Simulator, portzero, said};

#[test]
fn u08_a_panic_in_mid_run_is_told_on_every_surface() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut command = portzero(folder.path());
    command
        .args("rehearse --cluster demo --service web --image example/web:2 --report r.json".split(' '))
        .env("PORTZERO_TEST_PANIC", "event")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", path("output"))
        .env("GITHUB_STEP_SUMMARY", path("summary"));
    let ended = said(&mut command);
    assert_eq!(ended.code, Some(70), "{ended:#?}");
    for words in [
        "error[internal-error]: ",
        "src/cli/diagnostics/crash.rs:",
        "this run changed nothing in AWS",
        "::error",
    ] {
        assert!(ended.stderr.contains(words), "`{words}` is missing: {ended:#?}");
    }
    let report: Value = serde_json::from_str(&read("r.json")).expect("JSON");
    assert_eq!(
        (&report["version"], &report["verdict"]),
        (&1.into(), &"internal-error".into())
    );
    assert_eq!(report["findings"][0]["code"], "internal-error");
    assert!(read("output").contains("\ninternal-error\n"), "{}", read("output"));
    assert!(read("output").contains("r.json"));
    assert!(
        read("summary").contains("portzero itself failed"),
        "{}",
        read("summary")
    );
}

#[test]
fn u08_a_panic_of_a_deployment_says_what_goes_on_in_aws() {
    let simulator = Simulator::at_speed("1x");
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = portzero(folder.path());
    command
        .args("deploy --cluster demo --service web --image example/web:2".split(' '))
        .envs(simulator.variables.iter().map(|(name, value)| (name, value)))
        .env("PORTZERO_TEST_PANIC", "event");
    let ended = said(&mut command);
    assert_eq!(ended.code, Some(70), "{ended:#?}");
    for words in [
        "what was begun in AWS goes on there",
        "`portzero observe` follows what goes on",
    ] {
        assert!(ended.stderr.contains(words), "`{words}` is missing: {ended:#?}");
    }
}

#[test]
fn the_page_is_written_where_the_report_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = portzero(folder.path());
    command
        .args("rehearse --cluster demo --service web --image example/web:2".split(' '))
        .env("PORTZERO_REPORT", "r.md")
        .env("PORTZERO_TEST_PANIC", "event");
    assert_eq!(said(&mut command).code, Some(70));
    let page = std::fs::read_to_string(folder.path().join("r.md")).expect("a page");
    assert!(page.starts_with("### 💥 portzero itself failed"), "{page}");
}
