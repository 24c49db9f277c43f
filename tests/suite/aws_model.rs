//! tools/what-aws-added.py says what a newer botocore adds to the operations that are called.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::needs::{Need, other_program};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Value {
    let text = std::fs::read_to_string(root().join("tools/aws-model.json")).expect("the table");
    serde_json::from_str(&text).expect("JSON")
}

fn script(arguments: &[&str], table: &Path) -> Output {
    other_program("python3")
        .arg(root().join("tools/what-aws-added.py"))
        .args(arguments)
        .arg("--table")
        .arg(table)
        .output()
        .expect("python3 runs")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_table_has_the_operations_that_the_adapters_call() {
    let mut files = Vec::new();
    sources(&root().join("src/adapters/aws"), &mut files);
    let mut called = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for call in ["Call::read(", "Call::write("] {
            for rest in text.split(call).skip(1) {
                let action = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next());
                called.extend(action.map(str::to_owned));
            }
        }
    }
    let table = table();
    let services = [
        ("ecs", "ecs"),
        ("elb", "elasticloadbalancing"),
        ("elbv2", "elasticloadbalancing"),
        ("logs", "logs"),
        ("sts", "sts"),
    ];
    let known: BTreeSet<String> = services
        .iter()
        .flat_map(|(name, prefix)| {
            let operations = table[name]["operations"].as_object().expect("operations");
            operations.keys().map(move |operation| format!("{prefix}:{operation}"))
        })
        .collect();
    assert_eq!(called, known);
}

#[test]
fn what_the_table_lacks_is_told_and_fails_a_check() {
    // botocore comes with it.
    if !Need::Boto3.is_met() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.json");
    assert!(script(&["--write"], &file).status.success());
    let whole = script(&["--check"], &file);
    assert!(whole.status.success() && whole.stdout.is_empty(), "{whole:?}");

    let mut table: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let drop = |list: &mut Value, what: &str| list.as_array_mut().unwrap().retain(|one| one != what);
    drop(&mut table["ecs"]["members"]["Service"], "desiredCount");
    drop(&mut table["elbv2"]["values"]["TargetHealthStateEnum"], "draining");
    table["ecs"]["members"].as_object_mut().unwrap().remove("Tmpfs");
    table["logs"]["operations"] = Value::Object(serde_json::Map::new());
    std::fs::write(&file, table.to_string()).unwrap();
    let lacking = script(&["--check"], &file);
    assert_eq!(lacking.status.code(), Some(1), "{lacking:?}");
    assert_eq!(
        String::from_utf8_lossy(&lacking.stdout).lines().collect::<Vec<_>>(),
        [
            "ecs: member Service.desiredCount",
            "ecs: structure Tmpfs: containerPath, mountOptions, size",
            "elbv2: value TargetHealthStateEnum draining",
            "logs: operation GetLogEvents",
        ]
    );
    assert!(script(&[], &file).status.success(), "without --check it only tells");
}
