//! One TLS provider, one HTTP stack, pure crates; and every dependency is used and accounted for.

use std::fs;
use std::process::Command;

use crate::source::{CRATES, Source};
use crate::{Breaches, assert_none, root, source};

/// Crates, or versions of crates, that the program is not built with, each with the reason.
const BANNED: [(&str, &str, &str); 8] = [
    ("ring", "", "aws-lc-rs is the one TLS provider"),
    ("openssl", "", "aws-lc-rs is the one TLS provider"),
    ("openssl-sys", "", "aws-lc-rs is the one TLS provider"),
    ("native-tls", "", "aws-lc-rs is the one TLS provider"),
    ("hyper", "0.14.", "hyper 1 is the one HTTP stack"),
    ("rustls", "0.21.", "it belongs to hyper 0.14"),
    ("serde_yml", "", "it is unsound and archived"),
    ("yaml-rust", "", "it is unmaintained"),
];
/// Cargo locks optional dependencies of dependencies too, even where no feature asks for them; `rustls-webpki` has one on
/// `ring`. What is built is what `cargo tree` shows, so for this one the lock file's word is not taken.
const LOCKED_BUT_NOT_BUILT: &str = "ring";

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// `name = "x"` and `version = "y"` of each `[[package]]`.
fn locked(lock: &str) -> Vec<(String, String)> {
    let value = |package: &str, key: &str| -> Option<String> {
        let line = package
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .skip(1)
        .filter_map(|p| Some((value(p, "name")?, value(p, "version")?)))
        .collect()
}

/// The lines `name v1.2.3 …` of `cargo tree --prefix none`.
fn built(tree: &str) -> Vec<(String, String)> {
    let package = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split_whitespace().next()?.to_owned()))
    };
    tree.lines().filter_map(package).collect()
}

fn banned(packages: &[(String, String)], passes: &str) -> Breaches {
    let is_banned = |name: &str, version: &str| {
        BANNED
            .iter()
            .find(|(n, v, _)| *n == name && version.starts_with(v))
            .filter(|(n, _, _)| *n != passes)
    };
    let breach = |(name, version): &(String, String)| {
        is_banned(name, version).map(|(_, _, why)| format!("{name} {version} is in the graph: {why}"))
    };
    packages.iter().filter_map(breach).collect()
}

/// The keys of one table of Cargo.toml.
fn direct(manifest: &str, table: &str) -> Vec<String> {
    let header = format!("[{table}]");
    let lines = manifest.lines().skip_while(|line| line.trim() != header).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let name = |line: &str| {
        let name = line.split_once('=')?.0.trim();
        (!name.starts_with('#') && !name.is_empty()).then(|| name.split('.').next().unwrap_or(name).to_owned())
    };
    lines.filter_map(name).collect()
}

fn manifest_breaches(manifest: &str) -> Breaches {
    let mut breaches = Vec::new();
    if direct(manifest, "dependencies").iter().any(|name| name == "serde_yaml") {
        breaches
            .push("serde_yaml is a dependency of the program: it is archived, and may only be compared with".into());
    }
    if !direct(manifest, "dev-dependencies")
        .iter()
        .any(|name| name == "serde_yaml")
    {
        breaches.push("serde_yaml is no dev-dependency: what is the reader of the configuration compared with?".into());
    }
    breaches
}

/// A dependency is listed as a bullet or a table row that begins with its name in backticks.
fn page_breaches(page: &str, manifest: &str) -> Breaches {
    let is_listed = |name: &str| {
        let word = format!("`{name}`");
        page.lines()
            .any(|line| line.trim_start().starts_with(['|', '-', '*']) && line.contains(&word))
    };
    let names = ["dependencies", "dev-dependencies"]
        .into_iter()
        .flat_map(|table| direct(manifest, table));
    let mut breaches: Breaches = names
        .filter(|name| !is_listed(name))
        .map(|name| format!("docs/dependencies.md does not list `{name}`"))
        .collect();
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "YAML is read with `granit-parser`, scenario files with `serde-saphyr` over it",
        "`serde_yaml` is only a dev-dependency, of a differential test",
    ] {
        if !flat.contains(sentence) {
            breaches.push(format!("docs/dependencies.md does not say: {sentence}"));
        }
    }
    breaches
}

/// A crate that is named nowhere in the code is a promise that nobody has kept.
fn unused(names: &[String], code: &str) -> Breaches {
    let is_used = |name: &str| {
        let path = format!("{}::", name.replace('-', "_"));
        code.match_indices(&path)
            .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    names
        .iter()
        .filter(|name| !is_used(name))
        .map(|name| format!("nothing uses `{name}`"))
        .collect()
}

/// Crates that a crate of the workspace is not built with, by what their names begin with.
const KEPT_OUT: [(&str, &[&str], &[&str]); 2] = [
    ("portzero-core", &[], &["tokio", "hyper", "aws-", "reqwest", "octocrab"]),
    // The judge knows neither what it judges nor the client that is held against it.
    (
        "portzero-sim",
        &["--all-features"],
        &["portzero-core", "aws-", "reqwest", "octocrab"],
    ),
];

fn kept_out(packages: &[(String, String)], names: &[&str]) -> Breaches {
    let is_kept_out = |package: &str| names.iter().any(|name| package.starts_with(name));
    let found = packages.iter().filter(|(package, _)| is_kept_out(package));
    found.map(|(package, _)| format!("{package} is built in")).collect()
}

/// What `cargo tree` says, offline and with the lock file as it is.
fn tree(args: &[&str]) -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(args)
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    built(&String::from_utf8_lossy(&output.stdout))
}

#[test]
fn domain_and_simulator_are_built_without_the_world() {
    for (package, features, names) in KEPT_OUT {
        let packages = tree(&[&["-p", package, "--edges", "normal,build"], features].concat());
        assert!(
            packages.iter().any(|(name, _)| name == "serde_json"),
            "{package} was not read right"
        );
        assert_none(kept_out(&packages, names));
    }
}

#[test]
fn every_dependency_is_used() {
    let code = |folder: &str| source::below(folder).iter().map(Source::code).collect::<String>();
    let mut breaches = Vec::new();
    for (folder, _) in CRATES {
        let package = folder.trim_end_matches("src");
        let (manifest, program) = (read(&format!("{package}Cargo.toml")), code(folder));
        let tests = if package.is_empty() {
            code("tests")
        } else {
            String::new()
        };
        let found = [
            unused(&direct(&manifest, "dependencies"), &program),
            unused(&direct(&manifest, "dev-dependencies"), &format!("{program}{tests}")),
        ];
        breaches.extend(found.concat().into_iter().map(|breach| format!("{package}: {breach}")));
    }
    assert_none(breaches);
}

#[test]
fn nothing_banned_is_locked() {
    assert_none(banned(&locked(&read("Cargo.lock")), LOCKED_BUT_NOT_BUILT));
}

#[test]
fn nothing_banned_is_built() {
    let packages = tree(&["--edges", "normal,build,dev"]);
    assert!(
        packages.iter().any(|(name, _)| name == "rustls"),
        "the tree has no rustls, so it was not read right"
    );
    assert_none(banned(&packages, ""));
}

#[test]
fn the_archived_yaml_reader_is_only_compared_with() {
    assert_none(manifest_breaches(&read("Cargo.toml")));
}

#[test]
fn the_page_accounts_for_every_direct_dependency() {
    assert_none(page_breaches(&read("docs/dependencies.md"), &read("Cargo.toml")));
}

mod bites {
    use super::*;

    #[test]
    fn a_banned_crate_is_found_by_name_and_version() {
        let lock = "[[package]]\nname = \"hyper\"\nversion = \"0.14.32\"\n\n[[package]]\nname = \"hyper\"\nversion = \"1.12.0\"\n";
        assert_eq!(banned(&locked(lock), "").len(), 1);
        assert_eq!(banned(&built("ring v0.17.14\nserde v1.0.1 (*)"), "").len(), 1);
        assert_eq!(banned(&built("rustls v0.23.46"), "").len(), 0);
    }

    #[test]
    fn a_moved_yaml_reader_is_found() {
        assert_eq!(
            manifest_breaches("[dependencies]\nserde_yaml = \"0.9\"\n[dev-dependencies]\nserde_yaml = \"0.9\"").len(),
            1
        );
        assert_eq!(manifest_breaches("[dev-dependencies]\ninsta = \"1\"").len(), 1);
    }

    #[test]
    fn an_unused_dependency_is_found() {
        let names = ["serde-saphyr".to_owned(), "http".to_owned()];
        assert_eq!(
            unused(&names, "use serde_saphyr::Spanned; use other_http::Body;"),
            ["nothing uses `http`"]
        );
    }

    #[test]
    fn a_crate_that_is_kept_out_is_found() {
        let packages = built("portzero-sim v0.1.0 (/x)\naws-smithy-types v1.9.0\nserde v1.0.1");
        assert_eq!(
            kept_out(&packages, &["aws-", "tokio"]),
            ["aws-smithy-types is built in"]
        );
    }

    #[test]
    fn an_unlisted_dependency_is_found() {
        let manifest =
            "[dependencies]\n# why\nclap = \"4\"\ntokio = { version = \"1\" }\n\n[dev-dependencies]\ninsta = \"1\"\n";
        let page = "- `clap`: arguments\n- `insta`: snapshots\nNot a list: `tokio`";
        let breaches = page_breaches(page, manifest);
        assert_eq!(breaches[0], "docs/dependencies.md does not list `tokio`");
        assert_eq!(breaches.len(), 3, "{breaches:?}");
    }
}
