//! action.yml, the program, the script before it, docs/action.md and the workflows speak of the same inputs and outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde_yaml::Value;

use crate::support::runner::{Composite, expression};

/// Variables of flags that are no inputs, each with the reason.
const NO_INPUTS: [(&str, &str); 9] = [
    ("PORTZERO_ALLOW_UNKNOWN_KEYS", "rare: through `args`"),
    ("PORTZERO_SHOW_VALUES", "rare: through `args`"),
    (
        "PORTZERO_AUDIENCE",
        "for partitions of AWS that are rare: through `args`",
    ),
    ("PORTZERO_DEPLOYMENT", "of `observe` alone: through `args`"),
    ("PORTZERO_FORMAT", "the step has outputs and a report"),
    ("PORTZERO_QUIET", "rare: through `args`"),
    (
        "PORTZERO_ROLE_DURATION",
        "the credentials are renewed anyway: through `args`",
    ),
    ("PORTZERO_ROLE_SESSION_NAME", "rare: through `args`"),
    ("PORTZERO_REPORT", "the step chooses a file and tells it in `report`"),
];
/// What was promised.
const INPUTS: &str = "command config environment services cluster service task-definition image dynamic-ports \
    force-new-deployment desired-count until timeout settle if-busy on-failure on-cancel dry-run comment github-token \
    aws-region working-directory version binary args";
const OUTPUTS: &str = "verdict task-definition-arn previous-task-definition-arn deployment-id changed healthy-targets \
    drained-targets duration url comment-url report services";

type Names = BTreeSet<String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every `PORTZERO_…` in a text.
fn variables(text: &str) -> Names {
    let word = |at: usize| -> String {
        let rest = text[at..].chars();
        rest.take_while(|c| c.is_ascii_uppercase() || *c == '_').collect()
    };
    text.match_indices("PORTZERO_")
        .map(|(at, _)| word(at))
        .filter(|name| !name.ends_with('_'))
        .collect()
}

fn flags() -> Names {
    let program = portzero::cli::Cli::command();
    let arguments = program.get_subcommands().flat_map(clap::Command::get_arguments);
    arguments
        .filter_map(clap::Arg::get_env)
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// Whoever reads a variable that the step sets.
fn readers() -> Names {
    let action = read("src/cli/ci/inputs.rs");
    let (program, _) = action.split_once("#[cfg(test)]").expect("tests at the end");
    let mut names = variables(program);
    names.extend(variables(&read("action/bootstrap.sh")));
    names.extend(flags());
    names
}

/// The names and meanings of the table below a heading.
fn table(heading: &str) -> BTreeMap<String, String> {
    let page = read("docs/action.md");
    let start = page
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no `{heading}`"));
    let rows = page[start + 1..]
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with('#'));
    let cells = |row: &str| {
        let (name, meaning) = row.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")?;
        Some((name.to_owned(), meaning.to_owned()))
    };
    rows.filter_map(cells).collect()
}

/// Every step of a workflow file that uses this action, as `with` and `outputs` of its id.
fn workflows() -> BTreeMap<PathBuf, Value> {
    let mut found = BTreeMap::new();
    for folder in [".github/workflows", "examples/workflows"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a file");
            found.insert(path, serde_yaml::from_str(&text).expect("YAML"));
        }
    }
    found
}

fn steps(workflow: &Value) -> impl Iterator<Item = &Value> {
    let jobs = workflow["jobs"].as_mapping().expect("jobs").values();
    jobs.flat_map(|job| job["steps"].as_sequence().into_iter().flatten())
}

fn is_ours(step: &Value) -> bool {
    step["uses"]
        .as_str()
        .is_some_and(|uses| uses == "./" || uses.starts_with("OWNER/portzero@"))
}

#[test]
fn every_input_reaches_a_variable_of_its_own_and_no_variable_comes_from_elsewhere() {
    let action = Composite::ours();
    let mut sources = Vec::new();
    for (variable, value) in action.environment() {
        if variable == "BASH_ENV" {
            assert_eq!(value, "");
            continue;
        }
        assert!(variable.starts_with("PORTZERO_"), "{variable} is not private");
        let path = expression(&value).unwrap_or_else(|| panic!("{variable}: {value}"));
        let input = path
            .strip_prefix("inputs.")
            .unwrap_or_else(|| panic!("{variable}: {path}"));
        let expected = if input == "aws-region" { "region" } else { input };
        assert_eq!(
            variable,
            format!("PORTZERO_{}", expected.to_uppercase().replace('-', "_"))
        );
        sources.push(input.to_owned());
    }
    sources.sort();
    assert_eq!(sources, action.inputs().into_keys().collect::<Vec<_>>());
}

#[test]
fn the_defaults_are_the_programs_own() {
    for (name, default) in Composite::ours().inputs() {
        let expected = if name == "github-token" {
            "${{ github.token }}"
        } else {
            ""
        };
        assert_eq!(default, expected, "{name}");
    }
}

#[test]
fn every_variable_of_the_step_is_read_and_every_flag_can_be_reached() {
    let set: Names = Composite::ours()
        .environment()
        .into_keys()
        .filter(|name| name != "BASH_ENV")
        .collect();
    let no_inputs: Names = NO_INPUTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let readers = readers();
    let unread: Vec<&String> = set.difference(&readers).collect();
    assert!(unread.is_empty(), "nobody reads {unread:?}");
    let expected: Names = set.union(&no_inputs).cloned().collect();
    let unset: Vec<&String> = readers.difference(&expected).collect();
    assert!(unset.is_empty(), "action.yml has no input for {unset:?}");
    let both: Vec<&String> = set.intersection(&no_inputs).collect();
    assert!(both.is_empty(), "{both:?}");
}

#[test]
fn the_inputs_and_outputs_that_were_promised_are_there() {
    let action = Composite::ours();
    let (inputs, outputs) = (action.inputs(), action.outputs());
    for name in INPUTS.split_whitespace() {
        assert!(inputs.contains_key(name), "no input `{name}`");
    }
    for name in OUTPUTS.split_whitespace() {
        assert_eq!(outputs.get(name).map(String::as_str), Some(name), "no output `{name}`");
    }
}

#[test]
fn the_tables_of_the_page_are_those_of_the_action() {
    let action: Value = serde_yaml::from_str(&read("action.yml")).expect("YAML");
    let meanings = |key: &str| -> BTreeMap<String, String> {
        let entries = action[key].as_mapping().expect("entries").iter();
        let words = |value: &Value| value.as_str().expect("words").trim_end_matches('.').to_owned();
        entries
            .map(|(name, entry)| (words(name), words(&entry["description"])))
            .collect()
    };
    assert_eq!(table("## Inputs"), meanings("inputs"));
    assert_eq!(table("## Outputs"), meanings("outputs"));
}

#[test]
fn the_workflows_of_the_page_are_the_files() {
    let page = read("docs/action.md");
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("examples/workflows")).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let block = format!("```yaml\n{}```\n", read(&format!("examples/workflows/{name}")));
        assert!(
            page.contains(&block),
            "docs/action.md shows another examples/workflows/{name}"
        );
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "matrix-of-environments.yml",
            "merge-to-staging.yml",
            "plan-on-pull-request.yml"
        ]
    );
}

#[test]
fn the_workflows_use_inputs_and_outputs_that_there_are() {
    let action = Composite::ours();
    let (inputs, outputs) = (action.inputs(), action.outputs());
    let mut used = 0;
    for (path, workflow) in workflows() {
        let text = fs::read_to_string(&path).expect("a file");
        for step in steps(&workflow).filter(|step| is_ours(step)) {
            used += 1;
            for name in step["with"].as_mapping().into_iter().flat_map(|with| with.keys()) {
                let name = name.as_str().expect("a name");
                assert!(inputs.contains_key(name), "{}: no input `{name}`", path.display());
            }
            let Some(id) = step["id"].as_str() else { continue };
            let prefix = format!("steps.{id}.outputs.");
            for (at, _) in text.match_indices(&prefix) {
                let rest = text[at + prefix.len()..].chars();
                let name: String = rest.take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                assert!(outputs.contains_key(&name), "{}: no output `{name}`", path.display());
            }
        }
    }
    assert!(used >= 5, "only {used} steps use the action");
}

#[test]
fn no_script_of_a_workflow_has_an_expression_in_it() {
    for (path, workflow) in workflows() {
        for step in steps(&workflow) {
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{}: {script}", path.display());
        }
    }
}

#[test]
fn the_action_is_of_the_version_of_the_program() {
    assert_eq!(read("action/version").trim(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn nothing_uses_a_moving_version_of_somebody_elses_action() {
    for (path, workflow) in workflows() {
        for uses in steps(&workflow)
            .filter_map(|step| step["uses"].as_str())
            .filter(|uses| *uses != "./")
        {
            let (_, commit) = uses.split_once('@').unwrap_or_else(|| panic!("{uses}"));
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            assert!(is_commit, "{}: {uses}", path.display());
        }
    }
}
