//! The domain is pure: time, environment, files and the network come in as values.

use crate::layers::{Layer, ORDER};
use crate::source::{Source, line_of};
use crate::{Breaches, assert_none, source};

/// What a module of the domain may not even mention.
const BANNED: [&str; 10] = [
    "async",
    "await",
    "tokio",
    "aws_",
    "std::env",
    "std::fs",
    "std::net",
    "std::thread",
    "Instant",
    "SystemTime",
];

fn check(source: &Source) -> Breaches {
    let is_domain = ORDER
        .iter()
        .any(|(name, layer)| *name == source.module() && *layer == Layer::Domain);
    if !is_domain {
        return Vec::new();
    }
    let code = source.code();
    let mut breaches = Vec::new();
    for word in BANNED {
        for at in mentions(&code, word) {
            breaches.push(format!(
                "{}:{}: the domain mentions `{word}`",
                source.path,
                line_of(&code, at)
            ));
        }
    }
    breaches
}

/// Whole words; one that ends in `_` is the beginning of a crate's name.
fn mentions(code: &str, word: &str) -> Vec<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |at: usize| {
        let is_prefix = word.ends_with('_');
        let tail = &code[at + word.len()..];
        // `aws_enum!` is a macro of the domain's own; the SDK's names are crates, and lead a path.
        let is_crate = || tail.trim_start_matches(is_name).trim_start().starts_with("::");
        !code[..at].ends_with(is_name)
            && if is_prefix {
                is_crate()
            } else {
                !tail.starts_with(is_name)
            }
    };
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| is_whole(*at))
        .collect()
}

#[test]
fn the_domain_has_no_clock_no_environment_no_files_and_no_network() {
    assert_none(source::all().iter().flat_map(check).collect());
}

#[test]
fn every_banned_word_is_found() {
    for text in [
        "async fn f() {}",
        "f().await",
        "use tokio::sync::Notify;",
        "use aws_sdk_ecs::types::Task;",
        "let x = std::env::var(\"X\");",
        "use std::fs;",
        "use std::net::TcpStream;",
        "std::thread::sleep(span)",
        "let now = Instant::now();",
        "fn f(at: SystemTime) {}",
    ] {
        assert_eq!(check(&Source::new("src/rollout/phase.rs", text)).len(), 1, "{text}");
        assert_eq!(check(&Source::new("src/aws/ecs.rs", text)).len(), 0, "{text}");
    }
    let harmless = "// async\naws_enum! {}\nlet awaited = \"std::env\"; InstanceId";
    assert_eq!(check(&Source::new("src/task.rs", harmless)).len(), 0);
}
