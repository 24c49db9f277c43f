//! Everything that is printed passes one place, where secrets, escape sequences and commands to a CI runner are taken out.

use crate::source::{Source, line_of};
use crate::{Breaches, assert_none, source};

const PLACE: &str = "src/cli/streams.rs";
/// Clippy's list does not reach into `cli`, where the environment may be read.
const BANNED: [&str; 7] = [
    "stdout()",
    "stderr()",
    "io::Stdout",
    "io::Stderr",
    "println!",
    "eprint",
    "print!(",
];

fn check(source: &Source) -> Breaches {
    // Tests print for whoever runs them.
    if source.path == PLACE {
        return Vec::new();
    }
    let code = source.shipped();
    let mentions = |word: &'static str| {
        let code = &code;
        // `error.use_stderr()` is somebody else's function.
        let is_whole = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
        code.match_indices(word)
            .filter(move |(at, _)| is_whole(*at))
            .map(move |(at, _)| format!("{}:{}: `{word}` outside {PLACE}", source.path, line_of(code, at)))
    };
    BANNED.into_iter().flat_map(mentions).collect()
}

#[test]
fn the_streams_are_touched_in_one_place() {
    assert_none(source::all().iter().flat_map(check).collect());
}

#[test]
fn every_way_around_it_is_found() {
    let harmless = Source::new("src/cli/run.rs", "if error.use_stderr() {}");
    assert_none(check(&harmless));
    for code in [
        "let out = std::io::stdout();",
        "io::stderr().lock()",
        "log: Log<std::io::Stderr>",
        "println!(\"x\")",
        "eprintln!(\"x\")",
        "print!(\"x\")",
    ] {
        assert!(!check(&Source::new("src/cli/run.rs", code)).is_empty(), "{code}");
        assert!(check(&Source::new(PLACE, code)).is_empty(), "{code}");
    }
}
