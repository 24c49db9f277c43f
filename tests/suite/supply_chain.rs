//! What a release is built with and from: pinned to the byte, listed, checked before anybody can have it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn workflows() -> [(&'static str, String); 2] {
    [".github/workflows/ci.yml", ".github/workflows/release.yml"].map(|path| (path, text(path)))
}

#[test]
fn s16_every_tool_that_builds_a_release_is_pinned_to_its_bytes() {
    let requirements = text("tools/release-requirements.txt").replace("\\\n", " ");
    let tools: Vec<&str> = requirements.lines().filter(|line| line.contains("==")).collect();
    assert_eq!(tools.len(), 2, "{tools:?}");
    for tool in tools {
        let hashes = tool.matches("--hash=sha256:").count();
        assert!(hashes >= 3, "a file for each of the platforms that build: {tool}");
    }
    let script = text("tools/build-release.sh");
    assert!(script.contains("--require-hashes --only-binary :all:"), "{script}");
    assert!(script.contains("cargo zigbuild --release --locked"), "{script}");
}

#[test]
fn s16_one_exact_toolchain_builds_everywhere() {
    let script = text("tools/build-release.sh");
    let toolchain = script
        .lines()
        .find_map(|line| line.strip_prefix("toolchain="))
        .expect("a toolchain");
    assert_eq!(toolchain.split('.').count(), 3, "{toolchain}");
    for (path, workflow) in workflows() {
        let installed: Vec<&str> = workflow
            .lines()
            .filter(|line| line.contains("rustup toolchain install"))
            .collect();
        assert!(!installed.is_empty(), "{path}");
        for line in installed {
            let exact = [format!("install {toolchain} "), format!("default {toolchain}")];
            assert!(exact.iter().all(|words| line.contains(words)), "{path}: {line}");
        }
    }
}

#[test]
fn s16_what_a_workflow_installs_is_pinned() {
    for (path, workflow) in workflows() {
        for line in workflow
            .lines()
            .map(str::trim)
            .filter(|line| line.contains("cargo install"))
        {
            assert!(
                line.contains("--locked") && line.contains("--version "),
                "{path}: {line}"
            );
        }
        for used in workflow.lines().filter_map(|line| line.split("uses: ").nth(1)) {
            let commit = used.split(['@', ' ']).nth(1).unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit || used.starts_with("./"), "{path}: {used}");
        }
    }
}

#[test]
fn s16_the_attestation_is_checked_before_the_release_is_there() {
    let workflow = text(".github/workflows/release.yml");
    let place = |words: &str| workflow.find(words).unwrap_or_else(|| panic!("no `{words}`"));
    assert!(place("attest-build-provenance") < place("gh attestation verify"));
    assert!(place("gh attestation verify") < place("action/checksums.txt\n"));
    assert!(place("gh attestation verify") < place("gh release create"));
}

/// The same files, in two folders and at two times.
#[test]
fn s16_an_archive_is_the_same_wherever_and_whenever_it_is_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let packed = |name: &str, mode: &str, stamp: &str| {
        let from = folder.path().join(name);
        fs::create_dir_all(&from).expect("a folder");
        for file in ["portzero", "portzero.cdx.json"] {
            fs::write(from.join(file), file.repeat(1000)).expect("a file");
            run(Command::new("chmod").arg(mode).arg(from.join(file)));
            run(Command::new("touch").args(["-d", stamp]).arg(from.join(file)));
        }
        let archive = folder.path().join(format!("{name}.tar.gz"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/pack.sh");
        run(Command::new(script)
            .arg(&archive)
            .arg(&from)
            .args(["portzero", "portzero.cdx.json"]));
        fs::read(archive).expect("an archive")
    };
    let first = packed("one", "755", "2001-02-03");
    assert!(first.len() > 100);
    assert_eq!(first, packed("another", "777", "2026-11-30"));
}

fn run(command: &mut Command) {
    let status = command.status().expect("it runs");
    assert!(status.success(), "{command:?}: {status}");
}

/// The list has each crate of the lock file that the program is built from, with its hash, and none that only tests use.
#[test]
fn s16_the_release_lists_what_it_is_made_of() {
    let root = env!("CARGO_MANIFEST_DIR");
    let list = || {
        let output = Command::new("python3")
            .current_dir(root)
            .args(["tools/sbom.py", "x86_64-unknown-linux-musl"])
            .output();
        let Ok(output) = output else { return None };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(output.stdout)
    };
    let Some(first) = list() else {
        eprintln!("skipped: there is no python3 here");
        return;
    };
    assert_eq!(Some(&first), list().as_ref(), "the same sources give the same list");
    let document: Value = serde_json::from_slice(&first).expect("JSON");
    assert_eq!(
        (&document["bomFormat"], &document["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    let components = document["components"].as_array().expect("components");
    let name = |component: &Value| component["name"].as_str().expect("a name").to_owned();
    let names: BTreeSet<String> = components.iter().map(name).collect();
    for there in [
        "aws-sdk-ecs",
        "aws-lc-sys",
        "rustls",
        "tokio",
        "portzero-core",
        "portzero-sim",
    ] {
        assert!(names.contains(there), "{there}");
    }
    for not_there in ["proptest", "insta", "serde_yaml", "portzero-testkit"] {
        assert!(!names.contains(not_there), "{not_there}");
    }
    let lock = text("Cargo.lock");
    for component in components {
        let hash = component["hashes"][0]["content"].as_str();
        assert_eq!(hash.is_none(), name(component).starts_with("portzero"), "{component}");
        assert!(hash.is_none_or(|hash| lock.contains(hash)), "{component}");
        assert!(component["licenses"][0]["expression"].is_string(), "{component}");
    }
}
