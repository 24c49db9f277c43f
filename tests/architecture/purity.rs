//! The domain and the simulator are pure: time, environment, files and the network come in as values. The compiler keeps
//! crates out of them; the standard library it cannot keep out.

use crate::source::{Source, line_of};
use crate::{Breaches, assert_none, source};

const PURE: [&str; 2] = ["crates/portzero-core/src/", "crates/portzero-sim/src/"];
/// What pure code may not even mention.
const BANNED: [&str; 8] = [
    "async",
    "await",
    "std::env",
    "std::fs",
    "std::net",
    "std::thread",
    "Instant",
    "SystemTime",
];
/// An address is a value like any other.
const HARMLESS: [&str; 3] = [
    "std::net::IpAddr",
    "std::net::Ipv6Addr",
    "std::net::{Ipv4Addr, Ipv6Addr}",
];
/// Files in which some of it is right, each with its reason.
const EXCEPTIONS: [(&str, &[&str], &str); 2] = [
    (
        "crates/portzero-sim/src/wire/server.rs",
        &BANNED,
        "the one place where the simulator meets a socket and a clock, behind the feature `server`",
    ),
    (
        "crates/portzero-core/src/port.rs",
        &["async", "await"],
        "the ports are asynchronous, because the world behind them is; nothing of the domain awaits one",
    ),
];

fn check(source: &Source) -> Breaches {
    if !PURE.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let mut code = source.shipped();
    for word in HARMLESS {
        code = code.replace(word, &" ".repeat(word.len()));
    }
    let excepted = EXCEPTIONS.iter().find(|(path, _, _)| *path == source.path);
    let excepted = excepted.map_or(&[][..], |(_, words, _)| words);
    let banned = BANNED.iter().filter(|word| !excepted.contains(word));
    banned
        .flat_map(|word| mentions(&code, word).into_iter().map(move |at| (at, word)))
        .map(|(at, word)| format!("{}:{}: pure code mentions `{word}`", source.path, line_of(&code, at)))
        .collect()
}

/// Whole words.
fn mentions(code: &str, word: &str) -> Vec<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |at: usize| !code[..at].ends_with(is_name) && !code[at + word.len()..].starts_with(is_name);
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| is_whole(*at))
        .collect()
}

#[test]
fn domain_and_simulator_have_no_clock_no_environment_no_files_and_no_network() {
    assert_none(source::all().iter().flat_map(check).collect());
}

#[test]
fn every_exception_is_needed() {
    let sources = source::all();
    let is_needed = |path: &str| {
        let source = sources.iter().find(|source| source.path == path);
        source.is_some_and(|source| BANNED.iter().any(|word| !mentions(&source.shipped(), word).is_empty()))
    };
    let idle = EXCEPTIONS.iter().filter(|(path, _, _)| !is_needed(path));
    assert_none(idle.map(|(path, _, _)| format!("{path} needs no exception")).collect());
}

mod bites {
    use super::*;

    #[test]
    fn every_banned_word_is_found() {
        for text in [
            "async fn f() {}",
            "f().await",
            "let x = std::env::var(\"X\");",
            "use std::fs;",
            "use std::net::TcpStream;",
            "std::thread::sleep(span)",
            "let now = Instant::now();",
            "fn f(at: SystemTime) {}",
        ] {
            let found = |path: &str| check(&Source::new(path, text)).len();
            assert_eq!(found("crates/portzero-core/src/rollout/verdict.rs"), 1, "{text}");
            assert_eq!(found("crates/portzero-sim/src/wire/mod.rs"), 1, "{text}");
            assert_eq!(found("crates/portzero-sim/src/wire/server.rs"), 0, "{text}");
            assert_eq!(found("src/adapters/clock.rs"), 0, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_found() {
        let harmless = "// async\nlet awaited = \"std::env\"; InstanceId; text.parse::<std::net::IpAddr>()";
        assert_none(check(&Source::new("crates/portzero-core/src/port.rs", harmless)));
        let text = "use std::fs;";
        assert_eq!(check(&Source::new("crates/portzero-core/src/port.rs", text)).len(), 1);
    }
}
