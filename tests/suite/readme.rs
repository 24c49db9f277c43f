//! What README.md and the pages of docs show is what happens: transcripts and commands are run, examples are read, tables are
//! complete.
//!
//! `UPDATE_README=1 cargo test readme` writes what the program prints now into the transcripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::CommandFactory;
use portzero::cli::Cli;
use portzero::config::{self, Config};

use crate::scenario_index::VERDICTS;
use crate::support::clients::aws;
use crate::support::http::control;
use crate::support::needs::Need;
use crate::support::program::Simulator;

const COMMANDS: [&str; 9] = [
    "deploy", "plan", "observe", "status", "rehearse", "rollback", "render", "init", "simulate",
];
/// A page that is read before anything is tried must not take long.
const WORDS_OF_THE_README: usize = 1300;
/// Arguments of commands on the demo service, which the program meets on a simulator.
const DEMO: [&str; 2] = ["--cluster", "demo"];

struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: impl AsRef<Path>) -> Self {
        let path = root().join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    fn name(&self) -> String {
        let name = self.path.strip_prefix(root()).unwrap();
        name.to_string_lossy().replace('\\', "/")
    }

    /// The fenced blocks: where the text of each begins, its language, and the text.
    fn blocks(&self) -> Vec<(usize, &str, &str)> {
        let (mut found, mut open, mut at) = (Vec::new(), None, 0);
        for line in self.text.split_inclusive('\n') {
            let next = at + line.len();
            if let Some(rest) = line.trim_end().strip_prefix("```") {
                open = match open.take() {
                    None => Some((next, rest)),
                    Some((start, language)) => {
                        found.push((start, language, &self.text[start..at]));
                        None
                    }
                };
            }
            at = next;
        }
        assert!(open.is_none(), "{}: a fence stays open", self.name());
        found
    }

    fn blocks_in(&self, language: &str) -> Vec<(usize, &str)> {
        let blocks = self.blocks().into_iter();
        let meant = blocks.filter(|(_, found, _)| *found == language);
        meant.map(|(start, _, text)| (start, text)).collect()
    }

    /// What stands between backticks outside fenced blocks.
    fn code_spans(&self) -> Vec<String> {
        let mut is_fenced = false;
        let outside = self.text.lines().filter(|line| {
            let is_fence = line.starts_with("```");
            is_fenced ^= is_fence;
            !is_fence && !is_fenced
        });
        let spans = outside.flat_map(|line| line.split('`').skip(1).step_by(2));
        spans.map(|span| span.replace("\\|", "|")).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, and every page of docs.
fn pages() -> Vec<Page> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut paths: Vec<String> = names
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    paths.sort();
    paths.insert(0, "README.md".to_owned());
    paths.into_iter().map(Page::read).collect()
}

/// The program in the repository's root with no environment but what it needs to reach the demo service, where it is
/// about that; both streams as a terminal would interleave them.
fn portzero(arguments: &[&str]) -> (String, i32) {
    let is_demo = arguments.windows(2).any(|pair| pair == DEMO);
    // The pages show its times.
    let simulator = is_demo.then(|| Simulator::with(&["--speed", "1x", "--start", "2026-01-01T12:00:00Z"]));
    let variables = simulator.iter().flat_map(|simulator| simulator.variables.clone());
    let mut file = tempfile::tempfile().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_portzero"))
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .envs(variables)
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

#[test]
fn the_transcripts_of_the_pages_are_what_is_printed() {
    let mut transcripts = 0;
    for page in pages() {
        let mut fresh = page.text.clone();
        for (start, shown) in page.blocks_in("console").into_iter().rev() {
            transcripts += 1;
            fresh.replace_range(start..start + shown.len(), &replay(shown));
        }
        if std::env::var_os("UPDATE_README").is_some() {
            fs::write(&page.path, fresh).unwrap();
            continue;
        }
        let difference = similar::TextDiff::from_lines(page.text.as_str(), fresh.as_str());
        assert!(
            page.text == fresh,
            "{} shows something else than what is printed (UPDATE_README=1 cargo test readme):\n{}",
            page.name(),
            difference.unified_diff()
        );
    }
    assert!(transcripts >= 6, "only {transcripts} transcripts");
}

/// A new kind of block needs a test that reads it.
#[test]
fn every_block_of_the_pages_is_of_a_kind_that_a_test_checks() {
    let workflows: BTreeSet<String> = fs::read_dir(root().join("examples/workflows"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for page in pages() {
        for (_, language, text) in page.blocks() {
            let first = text.lines().next().unwrap_or_default();
            let is_checked = match language {
                // By the tests of transcripts, of commands, and of the comment in tests/suite/telling.rs.
                "console" | "sh" => true,
                "mermaid" => page.name() == "docs/action.md",
                // By tests/suite/reattach.rs, which has the world that it shows.
                "text" => {
                    page.name() == "docs/commands.md" && first == "$ portzero status --cluster demo --service web"
                }
                "yaml" => workflows.contains(text) || EXAMPLES.iter().any(|name| first == format!("# {name}")),
                _ => false,
            };
            assert!(is_checked, "{}: no test checks this block:\n{text}", page.name());
        }
    }
}

/// Runs one line of a block for a shell. `simulator` is the one that the lines before it have started.
fn run_line(line: &str, simulator: &mut Option<Simulator>) {
    let words = shlex::split(line).unwrap_or_else(|| panic!("no words: {line}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let succeeds = |arguments: &[&str]| {
        let (text, code) = portzero(arguments);
        assert_eq!(code, 0, "{line}\n{text}");
    };
    match words.as_slice() {
        ["cargo", "run", "--", arguments @ ..] => succeeds(arguments),
        ["cargo", "test"] => {
            let continuous = fs::read_to_string(root().join(".ci/run")).unwrap();
            assert!(continuous.contains(&format!("\ntest_command='{line}'\n")), "{line}");
        }
        // A release build takes minutes. Whether the lock file fits is what `--locked` asks first.
        ["cargo", "install", "--path", ".", "--locked"] => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["tree", "--locked", "--offline", "--depth", "0"]);
            let output = cargo.current_dir(root()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        ["portzero", "simulate", arguments @ .., "&"] => *simulator = Some(Simulator::with(arguments)),
        ["portzero", arguments @ ..] => succeeds(arguments),
        ["export", assignments @ ..] => {
            let simulator = simulator.as_ref().expect("a simulator that says what to export");
            for (name, value) in assignments.iter().filter_map(|assignment| assignment.split_once('=')) {
                let said = simulator.variables.iter().find(|(said, _)| said == name);
                let (_, said) = said.unwrap_or_else(|| panic!("the simulator does not say {name}"));
                let is_said =
                    said == value || said.rsplit_once(':').map(|(host, _)| host) == value.strip_suffix(":4566");
                assert!(is_said, "the simulator says {name}={said}, and not {value}");
            }
        }
        ["aws", ..] => {
            let simulator = simulator.as_ref().expect("a simulator to call");
            if Need::AwsCli.is_met() {
                aws(&simulator.variables, line.strip_prefix("aws ").unwrap());
            }
            // So that a wait in the next line ends at once.
            control(simulator.endpoint(), "POST", "advance", r#"{"by": "15m"}"#);
        }
        ["curl", "-s", address, rest @ ..] => {
            let simulator = simulator.get_or_insert_with(|| Simulator::at_speed("1x"));
            let route = address
                .strip_prefix("localhost:4566/_portzero/")
                .expect("a control route");
            match rest {
                [] => control(simulator.endpoint(), "GET", route, ""),
                ["-d", body] => control(simulator.endpoint(), "POST", route, body),
                _ => panic!("{line}"),
            };
        }
        _ => panic!("no test runs `{line}`"),
    }
}

#[test]
fn the_commands_of_the_pages_do_what_they_are_shown_for() {
    let mut lines = 0;
    for page in pages() {
        for (_, block) in page.blocks_in("sh") {
            let mut simulator = None;
            for line in block.lines() {
                run_line(line, &mut simulator);
                lines += 1;
            }
        }
    }
    assert!(lines >= 10, "only {lines} commands");
}

/// `--flag` and `portzero COMMAND` in a sentence or a table.
#[test]
fn commands_and_flags_in_sentences_are_those_of_the_program() {
    let known = flags();
    for page in pages() {
        for span in page.code_spans() {
            let words: Vec<&str> = span.split_whitespace().collect();
            let flags = match words.as_slice() {
                ["portzero", command, rest @ ..] => {
                    let is_command = COMMANDS.contains(command);
                    assert!(is_command, "{}: there is no `portzero {command}`", page.name());
                    rest
                }
                words if span.starts_with("--") => words,
                _ => continue,
            };
            for flag in flags.iter().filter_map(|word| word.strip_prefix("--")) {
                let name = flag.split(['[', '=']).next().unwrap();
                let is_known = known.contains(name) || ["help", "version"].contains(&name);
                assert!(is_known, "{}: there is no `--{name}`", page.name());
            }
        }
    }
}

#[test]
fn the_message_that_contributing_shows_is_one_of_a_page() {
    let contributing = Page::read("CONTRIBUTING.md");
    let messages = contributing.blocks_in("text");
    assert_eq!(messages.len(), 1);
    let is_shown = pages().iter().any(|page| page.text.contains(messages[0].1));
    assert!(is_shown, "no page prints this message:\n{}", messages[0].1);
}

#[test]
fn the_readme_is_short() {
    let words = Page::read("README.md").text.split_whitespace().count();
    assert!(words <= WORDS_OF_THE_README, "{words} words");
}

#[test]
fn the_readme_and_the_index_lead_to_every_page() {
    let (readme, index) = (Page::read("README.md"), Page::read("docs/README.md"));
    for page in pages() {
        let Some(name) = page.name().strip_prefix("docs/").map(str::to_owned) else {
            continue;
        };
        assert!(
            readme.text.contains(&format!("](docs/{name})")),
            "README.md has no link to {name}"
        );
        let is_listed = name == "README.md" || index.text.contains(&format!("]({name})"));
        assert!(is_listed, "docs/README.md has no link to {name}");
    }
}

/// The first lines of the examples that are no workflows: files, and the piece of a job.
const EXAMPLES: [&str; 3] = ["portzero.yml", "deployfish.yml", "a job"];

/// The one example that begins with a comment of that name.
fn example(name: &str) -> String {
    let heading = format!("# {name}\n");
    let pages = pages();
    let blocks = pages.iter().flat_map(|page| page.blocks_in("yaml"));
    let found: Vec<&str> = blocks
        .map(|(_, text)| text)
        .filter(|text| text.starts_with(&heading))
        .collect();
    assert_eq!(found.len(), 1, "examples of {name}");
    found[0].to_owned()
}

#[test]
fn the_examples_of_the_pages_are_read_without_a_warning() {
    let read = |name: &str, environment: Option<&str>| -> Config {
        let example = example(name);
        config::read(
            &example,
            name,
            &|_| None,
            &BTreeMap::new(),
            environment,
            Some("staging"),
        )
        .unwrap()
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
fn the_job_of_the_pages_sets_variables_that_are_read() {
    let job: serde_yaml::Value = serde_yaml::from_str(&example("a job")).unwrap();
    let program = Cli::command();
    let arguments: Vec<&clap::Arg> = program
        .get_subcommands()
        .flat_map(clap::Command::get_arguments)
        .collect();
    for name in job["env"].as_mapping().unwrap().keys() {
        let name = name.as_str().unwrap();
        let is_read = arguments
            .iter()
            .any(|argument| argument.get_env().is_some_and(|variable| variable == name));
        assert!(is_read || name == "AWS_REGION", "nothing reads {name}");
    }
}

/// The long flags that the help of some command lists.
fn flags() -> BTreeSet<String> {
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
    known
}

#[test]
fn the_flags_of_the_page_are_those_of_the_program() {
    let listed: BTreeSet<String> = Page::read("docs/flags.md")
        .text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `--")?
                .split([' ', '`', '['])
                .next()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(listed, flags());
}

#[test]
fn the_exit_codes_of_the_page_are_those_of_the_verdicts() {
    let text = Page::read("docs/exit-codes.md").text;
    for verdict in VERDICTS {
        let row = format!("| {} | `{}` |", verdict.exit_code(), verdict.as_str());
        assert!(text.contains(&row), "no row {row}");
    }
}
