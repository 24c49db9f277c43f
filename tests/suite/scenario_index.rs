//! docs/scenarios.md, row by row: every scenario file has its row, every file and test that a row names is there, and
//! every snapshot ends with the exit code that its row asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use portzero_core::rollout::Verdict;

/// In the order in which pages list them.
pub const VERDICTS: [Verdict; 8] = [
    Verdict::Succeeded,
    Verdict::NothingToVerify,
    Verdict::Failed,
    Verdict::Refused,
    Verdict::TimedOut,
    Verdict::Superseded,
    Verdict::CouldNotObserve,
    Verdict::Interrupted,
];

/// One row of the page.
#[derive(Debug)]
struct Row {
    number: u32,
    /// How its files end.
    end: Verdict,
    /// The files that end otherwise.
    others: BTreeMap<String, Verdict>,
    files: Vec<String>,
    /// `module::name`, of this suite.
    tests: Vec<String>,
}

impl Row {
    fn read(line: &str) -> Result<Self, String> {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, ends, held_by] = cells[..] else {
            return Err(format!("{} cells", cells.len()));
        };
        let mut ends = ends.split("; ");
        let end = verdict(ends.next().unwrap_or_default())?;
        let mut others = BTreeMap::new();
        for other in ends {
            let (words, names) = other.split_once(": ").ok_or(format!("`{other}` names no file"))?;
            for name in quoted(names)? {
                others.insert(name, verdict(words)?);
            }
        }
        let (tests, files): (Vec<_>, Vec<_>) = quoted(held_by)?.into_iter().partition(|name| name.contains("::"));
        if let Some(name) = others.keys().find(|name| !files.contains(name)) {
            return Err(format!("`{name}` has an end and does not hold the row"));
        }
        Ok(Self {
            number: number.parse().map_err(|_| format!("`{number}` is no number"))?,
            end,
            others,
            files,
            tests,
        })
    }

    fn end_of(&self, file: &str) -> Verdict {
        self.others.get(file).copied().unwrap_or(self.end)
    }
}

/// `timed out` as the program has it: `timed-out`.
fn verdict(words: &str) -> Result<Verdict, String> {
    let name = words.replace(' ', "-");
    let found = VERDICTS.into_iter().find(|verdict| verdict.as_str() == name);
    found.ok_or(format!("`{words}` is no verdict"))
}

/// The names of a cell: each in backticks, with commas between.
fn quoted(cell: &str) -> Result<Vec<String>, String> {
    let name = |part: &str| {
        let name = part.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        name.map(str::to_owned)
            .ok_or(format!("`{part}` is no name in backticks"))
    };
    cell.split(", ").map(name).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(root().join("docs/scenarios.md")).expect("the page can be read");
    let numbered = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    let rows = numbered.map(|line| Row::read(line).unwrap_or_else(|why| panic!("{why}: {line}")));
    rows.collect()
}

/// The names of the files with that ending in a folder, without it.
fn names(folder: &str, ending: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .collect()
}

#[test]
fn the_rows_are_numbered_and_held() {
    let rows = rows();
    let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=103).collect::<Vec<_>>());
    let open = rows.iter().find(|row| row.files.is_empty() && row.tests.is_empty());
    assert!(open.is_none(), "{open:?}");
}

#[test]
fn every_scenario_file_has_its_row_and_every_named_file_is_there() {
    let named: Vec<String> = rows().into_iter().flat_map(|row| row.files).collect();
    let once: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(named.len(), once.len(), "a file holds two rows");
    assert_eq!(once, names("tests/scenarios", ".yml"));
}

#[test]
fn a_file_that_begins_with_a_number_holds_the_row_of_that_number() {
    for row in rows() {
        for file in &row.files {
            let number = file.split('-').next().and_then(|first| first.parse().ok());
            assert!(number.is_none_or(|number: u32| number == row.number), "{file}: {row:?}");
        }
    }
}

#[test]
fn every_test_that_holds_a_row_is_there() {
    let sources = sources(&root().join("tests/suite"));
    for row in rows() {
        for test in &row.tests {
            let (module, name) = test.split_once("::").expect("a path");
            let is_there = sources.iter().any(|(path, text)| {
                let belongs = path
                    .iter()
                    .any(|part| part == module || part == format!("{module}.rs").as_str());
                belongs && holds(text, name)
            });
            assert!(is_there, "row {}: there is no test `{test}`", row.number);
        }
    }
}

/// Whether the source has a test of this name: the attribute, perhaps others, then the function.
fn holds(text: &str, name: &str) -> bool {
    let function = format!("fn {name}()");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let place = lines.iter().position(|line| line.starts_with(&function));
    place.is_some_and(|at| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        above.into_iter().any(|line| *line == "#[test]")
    })
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

#[test]
fn every_scenario_ends_with_the_exit_code_that_its_row_asks_for() {
    let mut wrong = Vec::new();
    for row in rows() {
        for file in &row.files {
            let path = root().join(format!("tests/scenarios/snapshots/{file}.snap"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{file}.yml has no snapshot"));
            let code = text
                .lines()
                .find_map(|line| line.strip_prefix("exit code ")?.parse().ok());
            let (number, end) = (row.number, row.end_of(file));
            if code != Some(end.exit_code()) {
                wrong.push(format!("{file}: {code:?}, and row {number} asks for {end:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_snapshot_is_left_of_a_file_that_is_gone() {
    let snapshots = names("tests/scenarios/snapshots", ".snap");
    assert_eq!(snapshots, names("tests/scenarios", ".yml"));
}

#[test]
fn a_row_is_read_as_it_is_meant_and_a_bad_one_is_refused() {
    let row = Row::read("| 3 | words | timed out; succeeded: `3-b` | `3-a`, `3-b`, `many::all_end` |").expect("a row");
    assert_eq!((row.number, row.end_of("3-a")), (3, Verdict::TimedOut));
    assert_eq!(row.end_of("3-b"), Verdict::Succeeded);
    assert_eq!((row.files.len(), row.tests), (2, vec!["many::all_end".to_owned()]));
    for bad in [
        "| 3 | words | succeeded |",
        "| three | words | succeeded | `3-a` |",
        "| 3 | words | well done | `3-a` |",
        "| 3 | words | succeeded; failed | `3-a` |",
        "| 3 | words | succeeded; failed: `3-b` | `3-a` |",
        "| 3 | words | succeeded | 3-a |",
    ] {
        assert!(Row::read(bad).is_err(), "{bad}");
    }
}
