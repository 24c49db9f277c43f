//! docs/emulators.md against the emulators themselves.

use crate::support::clients::{python, variables};
use crate::support::emulators::{Emulator, MiniStack, MotoServer};
use crate::support::needs::Need;

/// What the page says that this one does otherwise than AWS is what it does.
fn assert_differs_as_written(emulator: &Emulator, name: &str, pinned: (&str, &str), furnishing: &[&str]) {
    let (pins, package) = pinned;
    let version = pins.lines().find_map(|line| line.strip_prefix(package)).expect("a pin");
    let page = include_str!("../../docs/emulators.md");
    let heading = format!("\n### {name} {version}\n");
    let (_, part) = page
        .split_once(&heading)
        .expect("a part of the page for what is pinned");
    let introduced = page.split("\n## ").next().unwrap_or_default();
    assert!(introduced.contains(&format!("{name} {version}")), "{introduced}");
    let part = part.split("\n### ").next().unwrap_or_default();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let said: Vec<&str> = rows.filter_map(|row| row.split(" | ").next()).collect();
    let variables = variables(&emulator.url);
    python(&variables, "furnish_fargate.py", furnishing);
    let seen = python(&variables, "emulators.py", &[&name.to_ascii_lowercase()]);
    let mut seen: Vec<&str> = seen.lines().collect();
    seen.sort_by_key(|sentence| said.iter().position(|said| said == sentence));
    assert_eq!(said, seen);
}

#[test]
fn moto_differs_from_aws_as_the_page_says() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(moto) = MotoServer::start() else { return };
    let pins = include_str!("../clients/requirements.txt");
    assert_differs_as_written(&moto, "moto", (pins, "moto[server]=="), &["tasks"]);
}

#[test]
fn ministack_differs_from_aws_as_the_page_says() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(stack) = MiniStack::start() else { return };
    let pins = include_str!("../clients/ministack.txt");
    assert_differs_as_written(&stack, "MiniStack", (pins, "ministack=="), &[]);
}
