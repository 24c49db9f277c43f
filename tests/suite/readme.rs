//! What README.md shows is what happens: its transcripts are run, its examples are read, its tables are complete.
//!
//! `UPDATE_README=1 cargo test readme` writes what the program prints now into the transcripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portzero::config;
use portzero::config::Config;
use portzero_core::rollout::Verdict;

const COMMANDS: [&str; 9] = [
    "deploy", "plan", "observe", "status", "rehearse", "rollback", "render", "init", "simulate",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path() -> PathBuf {
    root().join("README.md")
}

fn readme() -> String {
    fs::read_to_string(path()).unwrap()
}

/// The program in the repository's root with an empty environment; both streams as a terminal would interleave them.
fn portzero(arguments: &[&str]) -> (String, i32) {
    let mut file = tempfile::tempfile().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_portzero"))
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file.try_clone().unwrap())
        .status()
        .unwrap();
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    (text, status.code().unwrap())
}

/// Runs the `$` lines of a transcript anew.
fn replay(transcript: &str) -> String {
    let mut code = 0;
    let mut out = String::new();
    for line in transcript.lines() {
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        let words: Vec<&str> = command.split_whitespace().collect();
        let printed = match words.as_slice() {
            ["portzero", arguments @ ..] => {
                let (text, ended) = portzero(arguments);
                code = ended;
                text
            }
            ["echo", "$?"] => format!("{code}\n"),
            _ => panic!("a transcript may run portzero and `echo $?`, and not `{command}`"),
        };
        out.push_str(&format!("{line}\n{printed}"));
    }
    out
}

/// The text of each fenced block of a language, with where it begins.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<(usize, &'a str)> {
    let fence = format!("```{language}\n");
    let body = |start: usize| &text[start..start + text[start..].find("```\n").expect("a fence is closed")];
    text.match_indices(&fence)
        .map(|(at, _)| at + fence.len())
        .map(|start| (start, body(start)))
        .collect()
}

#[test]
fn the_transcripts_of_the_readme_are_what_is_printed() {
    let text = readme();
    let mut fresh = text.clone();
    let transcripts = blocks(&text, "console");
    assert!(transcripts.len() >= 3, "only {} transcripts", transcripts.len());
    for (start, shown) in transcripts.into_iter().rev() {
        fresh.replace_range(start..start + shown.len(), &replay(shown));
    }
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(path(), fresh).unwrap();
        return;
    }
    let difference = similar::TextDiff::from_lines(text.as_str(), fresh.as_str());
    assert!(
        text == fresh,
        "README.md shows something else than what is printed (UPDATE_README=1 cargo test readme):\n{}",
        difference.unified_diff()
    );
}

#[test]
fn the_examples_of_the_readme_are_read_without_a_warning() {
    let text = readme();
    let read = |name: &str, environment: Option<&str>| -> Config {
        let heading = format!("# {name}\n");
        let example = blocks(&text, "yaml")
            .into_iter()
            .find(|(_, body)| body.starts_with(&heading));
        let (_, example) = example.unwrap_or_else(|| panic!("no example of {name}"));
        config::read(example, name, &|_| None, &BTreeMap::new(), environment, Some("staging")).unwrap()
    };
    for name in ["portzero.yml", "deployfish.yml"] {
        let config = read(name, None);
        assert!(config.warnings.is_empty(), "{name}: {:?}", config.warnings);
    }
    for (environment, cluster) in [(None, "shop-staging"), (Some("production"), "shop-production")] {
        let config = read("portzero.yml", environment);
        let clusters: Vec<&str> = config
            .services
            .iter()
            .flat_map(|s| &s.cluster)
            .map(|c| c.as_str())
            .collect();
        assert_eq!(clusters, [cluster; 2]);
    }
}

#[test]
fn the_flags_of_the_readme_are_those_of_the_program() {
    let mut known = BTreeSet::new();
    for command in COMMANDS {
        let (help, code) = portzero(&[command, "--help"]);
        assert_eq!(code, 0);
        known.extend(help.lines().filter_map(|line| {
            let at = line.trim_start();
            let long = at
                .strip_prefix("--")
                .or_else(|| at.strip_prefix('-')?.split_once(", --").map(|(_, long)| long))?;
            Some(long.split([' ', '[', '=', '.']).next()?.to_owned())
        }));
    }
    known.remove("help");
    known.remove("version");
    let listed: BTreeSet<String> = readme()
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `--")?
                .split([' ', '`', '['])
                .next()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_verdicts() {
    let text = readme();
    for verdict in [
        Verdict::Succeeded,
        Verdict::NothingToVerify,
        Verdict::Failed,
        Verdict::Refused,
        Verdict::TimedOut,
        Verdict::Superseded,
        Verdict::CouldNotObserve,
        Verdict::Interrupted,
    ] {
        let row = format!("| {} | `{}` |", verdict.exit_code(), verdict.as_str());
        assert!(text.contains(&row), "no row {row}");
    }
}
