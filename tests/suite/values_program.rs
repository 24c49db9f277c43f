//! The program itself: what it prints, writes and tells GitHub holds no value that it knows to be secret.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::program::{Said, portzero, said};

const GIVEN: &str = "Blue-Horse \"4\" & Battery";
const PASSWORD: &str = "staplecorrect";

fn definition() -> Value {
    json!({
        "family": "web", "networkMode": "bridge",
        "containerDefinitions": [{
            "name": "web", "image": "example/web:42", "cpu": 256, "memory": 256, "essential": true,
            "portMappings": [{"containerPort": 3000, "hostPort": 0, "protocol": "tcp"}],
            "environment": [
                {"name": "GREETING", "value": format!("  {GIVEN}\n")}, {"name": "DB_PASSWORD", "value": PASSWORD},
                {"name": "DATABASE_URL", "value": "postgres://web:hunter2@db/web"},
            ],
            "command": ["serve", "--with", "Hidden-Word-1"],
            "healthCheck": {"command": ["CMD-SHELL", "curl -u x:Hidden-Word-2 localhost"]},
            "dockerLabels": {"traefik": "Hidden-Word-3"},
        }]
    })
}

/// A rehearsal in which AWS and the container quote what they were given.
fn rehearsal(folder: &Path, more: &[&str], definition: &Value) -> String {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let world = std::fs::read_to_string(scenarios.join("S05-values-in-the-words-of-aws.yml")).expect("a scenario");
    let (world, _) = world.split_once("\nfaults:").expect("faults");
    let json = Value::from(GIVEN).to_string();
    let message = format!("ResourceInitializationError: {GIVEN} and {json} and {PASSWORD}!");
    let faults = json!([{"fault": "secrets", "message": message}]);
    std::fs::write(folder.join("world.yml"), format!("{world}\nfaults: {faults}\n")).expect("a file");
    std::fs::write(folder.join("web.json"), definition.to_string()).expect("a file");
    for file in ["outputs", "summary.md"] {
        std::fs::write(folder.join(file), "").expect("a file");
    }
    let mut command = on_a_runner(folder);
    command.args([
        "rehearse",
        "--scenario",
        "world.yml",
        "--task-definition",
        "web.json",
        "-vv",
    ]);
    everything(folder, command.args(more))
}

fn on_a_runner(folder: &Path) -> Command {
    let mut command = portzero(folder);
    command.env("GITHUB_ACTIONS", "true").env("CI", "true");
    command.env("GITHUB_OUTPUT", folder.join("outputs"));
    command.env("GITHUB_STEP_SUMMARY", folder.join("summary.md"));
    command
}

/// Both streams and all files that the run has written.
fn everything(folder: &Path, command: &mut Command) -> String {
    let Said { stdout, stderr, .. } = said(command);
    let files = ["outputs", "summary.md", "report.json", "report.md"];
    let files = files.map(|file| std::fs::read_to_string(folder.join(file)).unwrap_or_default());
    format!("{stdout}\n{stderr}\n{}", files.join("\n"))
}

#[track_caller]
fn assert_hidden(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn s02_no_surface_of_a_run_shows_a_value() {
    for more in [
        &["--report", "report.json"][..],
        &["--report", "report.md", "--format", "json"],
        &["--format", "markdown"],
        &["--dry-run", "--format", "json"],
        &[
            "--env",
            "web:EXTRA=Battery-Extra-9",
            "--show-values",
            "--report",
            "report.json",
        ],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let shown = rehearsal(folder.path(), more, &definition());
        assert!(shown.contains("web:42"), "{shown}");
        assert_hidden(&shown, &["Blue-Horse", "Battery", PASSWORD, "web:hunter2"]);
    }
}

#[test]
fn s02_credentials_of_a_profile_are_hidden() {
    let folder = tempfile::tempdir().expect("a folder");
    let credentials =
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = Horse/Battery+Staple9\n";
    std::fs::write(folder.path().join("credentials"), credentials).expect("a file");
    // What listens there repeats the request, as some proxies do.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            use std::io::{Read as _, Write as _};
            let _ = stream.read(&mut [0; 4096]);
            let body = "bad key Horse/Battery+Staple9 or Horse%2FBattery%2BStaple9 or SG9yc2UvQmF0dGVyeStTdGFwbGU5";
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    let mut command = portzero(folder.path());
    command
        .args([
            "status",
            "--cluster",
            "shop",
            "--service",
            "web",
            "--region",
            "eu-west-1",
            "-vv",
        ])
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("credentials"))
        .env("AWS_ENDPOINT_URL", format!("http://{address}"));
    let shown = everything(folder.path(), &mut command);
    assert!(shown.contains("bad key ***"), "{shown}");
    assert_hidden(&shown, &["Battery", "SG9yc2U"]);
}

#[test]
fn s03_commands_labels_and_options_are_hidden_unless_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = rehearsal(folder.path(), &["--report", "report.json"], &definition());
    assert_hidden(&shown, &["Hidden-Word"]);
    assert!(shown.contains("words hidden"), "{shown}");
    let shown = rehearsal(folder.path(), &["--show-values"], &definition());
    assert!(
        shown.contains("Hidden-Word-1") && shown.contains("Hidden-Word-3"),
        "{shown}"
    );
}

#[test]
fn s06_a_written_scenario_has_placeholders() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "services:\n  - name: web\n    cluster: shop\n    family: web\n    containers:\n      - name: web\n        image: \
                  example/web:1\n        memory: 128\n        command: [\"serve\", \"${DEPLOY_KEY}\"]\n        environment: \
                  [\"A=Battery-Staple\", \"B=x${DEPLOY_KEY}\"]\n";
    std::fs::write(folder.path().join("portzero.yml"), config).expect("a file");
    let mut command = portzero(folder.path());
    command.args(["init", "--scenario"]).env("DEPLOY_KEY", "Blue-Horse-7");
    let shown = everything(folder.path(), &mut command);
    assert!(shown.contains("placeholder"), "{shown}");
    assert_hidden(&shown, &["Battery", "Blue-Horse"]);
    let mut command = portzero(folder.path());
    command
        .args(["init", "--scenario", "--output", "report.md"])
        .env("DEPLOY_KEY", "Blue-Horse-7");
    let shown = everything(folder.path(), &mut command);
    assert!(shown.contains("placeholder"), "{shown}");
    assert_hidden(&shown, &["Battery", "Blue-Horse"]);
}

#[test]
fn s11_what_comes_from_the_environment_is_hidden_on_github() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "services:\n  - name: web\n    cluster: shop\n    family: web\n    containers:\n      - name: web\n        image: \
                  \"example/web:${DEPLOY_KEY}-${RELEASE_TAG}\"\n        memory: 128\n";
    std::fs::write(folder.path().join("portzero.yml"), config).expect("a file");
    for file in ["outputs", "summary.md"] {
        std::fs::write(folder.path().join(file), "").expect("a file");
    }
    let mut command = on_a_runner(folder.path());
    command
        .args(["rehearse", "--dry-run", "--format", "markdown"])
        .env("DEPLOY_KEY", "Blue-Horse-7")
        .env("RELEASE_TAG", "release-20261201");
    let Said { stdout, .. } = said(&mut command);
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a file");
    let outputs = std::fs::read_to_string(folder.path().join("outputs")).expect("a file");
    for page in [&stdout, &summary] {
        assert!(page.contains("***-release-20261201"), "{page}");
    }
    assert_hidden(&format!("{stdout}{summary}{outputs}"), &["Blue-Horse"]);
}

#[test]
fn s12_values_under_misspelt_keys_are_hidden() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut definition = definition();
    let container = &mut definition["containerDefinitions"][0];
    container["enviroment"] = json!([{"name": "A", "value": "Misspelt-Value-1"}]);
    container["environment"][0]["vaule"] = "Misspelt-Value-2".into();
    for more in [
        &["--allow-unknown-keys", "--report", "report.json"][..],
        &["--allow-unknown-keys", "--show-values"],
    ] {
        let shown = rehearsal(folder.path(), more, &definition);
        assert_hidden(&shown, &["Misspelt-Value"]);
    }
}

#[test]
fn s12_no_value_forges_a_line_of_the_comment() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut definition = definition();
    definition["containerDefinitions"][0]["workingDirectory"] = "/app\n- image: forged\n+ image: forged".into();
    let shown = rehearsal(folder.path(), &["--dry-run", "--format", "markdown"], &definition);
    assert!(shown.contains("⏎ - image: forged"), "{shown}");
    let forged = shown
        .lines()
        .find(|line| line.starts_with(['-', '+']) && line.ends_with("image: forged") && line.len() < 20);
    assert_eq!(forged, None, "{shown}");
}

#[test]
fn s12_words_of_variables_regions_and_exports_are_checked_or_quoted() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("portzero.yml"), "services: []\n").expect("a file");
    let mut command = portzero(folder.path());
    let shown = everything(folder.path(), command.args(["plan", "--var", "Blue-Horse-7"]));
    assert!(shown.contains("--var wants NAME=VALUE"), "{shown}");
    assert_hidden(&shown, &["Blue-Horse"]);
    std::fs::remove_file(folder.path().join("portzero.yml")).expect("the file is there");
    let mut command = portzero(folder.path());
    let arguments = ["rehearse", "--cluster", "shop", "--service", "web", "--region", "x;id"];
    let shown = everything(folder.path(), command.args(arguments));
    assert!(shown.contains("names no region"), "{shown}");
}
