//! Whole runs with many services, and many runs at once, through the real command.

use std::path::Path;

use serde_json::json;

use super::world::{Spec, spec, text};
use crate::support::program::{Said, Simulator, portzero, said};

#[test]
fn thirty_services_in_three_clusters_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let large = "tests/scenarios/large/38-thirty-services";
    let said = said(
        portzero(Path::new(env!("CARGO_MANIFEST_DIR")))
            .args(["rehearse", "--quiet", "--config", &format!("{large}.portzero.yml")])
            .args(["--scenario", &format!("{large}.yml"), "--report"])
            .arg(&report),
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    let services = report["services"].as_array().unwrap();
    assert_eq!(services.len(), 30);
    for service in services {
        assert_eq!(service["verdict"], "succeeded", "{}", service["name"]);
        let targets = service["targets"].as_array().unwrap();
        assert_eq!(targets.len(), 8, "{}", service["name"]);
    }
    let requests = &report["requests"];
    assert_eq!(requests["throttled"], 0, "{requests}");
    // A plan reads each service by itself; from then on a look takes ceil(10 / 10) calls in each of three clusters.
    let count = |action: &str| requests["by_action"][action].as_u64().unwrap_or(0);
    let looks = (count("DescribeServices") - 30) / 3;
    assert!((40..150).contains(&looks), "{looks} looks: {requests}");
    assert!(count("DescribeTargetHealth") <= 30 + 12 * looks, "{requests}");
    assert!(count("DescribeTasks") <= 30 + 3 * looks, "{requests}");
    // Both lists of a service are read again when ECS tells of something, and not at every look.
    assert!(count("ListTasks") < 30 * looks, "{requests}");
    assert_eq!((count("RegisterTaskDefinition"), count("UpdateService")), (30, 30));
}

/// Twelve of the fifty that `tools/many-runs.py` starts. Time runs sixty times as fast, and they have sixty requests a
/// second of theirs.
#[test]
fn runs_that_begin_at_once_are_throttled_and_succeed() {
    let services: Vec<Spec> = (0..12).map(|n| spec(&format!("web-{n}"))).collect();
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("scenario.yml");
    std::fs::write(&scenario, text(&services, &json!({"throttling": "1/s burst 20"}))).unwrap();
    let simulator = Simulator::with(&["--scenario", scenario.to_str().unwrap(), "--speed", "60x"]);
    let started: Vec<_> = services
        .iter()
        .map(|(name, ..)| {
            let report = folder.path().join(format!("{name}.json"));
            let mut command = portzero(folder.path());
            command
                .envs(simulator.variables.iter().cloned())
                .args([
                    "deploy",
                    "--quiet",
                    "--settle",
                    "0s",
                    "--cluster",
                    "c",
                    "--service",
                    name,
                    "--report",
                ])
                .arg(&report)
                .stderr(std::process::Stdio::piped());
            (report, command.spawn().unwrap())
        })
        .collect();
    let mut throttled = 0;
    for (report, run) in started {
        let said: Said = run.wait_with_output().unwrap().into();
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
        assert_eq!(report["verdict"], "succeeded");
        throttled += report["requests"]["throttled"].as_u64().unwrap();
        let total = report["requests"]["total"].as_u64().unwrap();
        assert!(total < 200, "{total} requests");
    }
    assert!(throttled > 0, "nobody was throttled, so this shows nothing");
}
