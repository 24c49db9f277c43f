//! The catalogue of scenarios, row by row: each is held by a file of tests/scenarios or by a test that is named here, and
//! each snapshot ends with the exit code that its row asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rows (or parts of rows) that no simulator can hold, and the tests of this suite that do.
const TESTS: &[(u32, &str)] = &[
    (
        31,
        "adapters::a_runner_whose_clock_is_ten_minutes_off_signs_by_awss_clock",
    ),
    (
        31,
        "adapters::a_wrong_clock_that_nothing_corrects_is_called_by_its_name",
    ),
    (
        32,
        "misbehaviour::each_fault_on_the_wire_ends_a_rehearsal_with_its_proper_verdict",
    ),
    (
        33,
        "web_identity::a_renewal_that_fails_is_survived_while_the_old_credentials_are_good",
    ),
    (
        44,
        "telling::hostile_words_of_aws_are_data_in_the_comment_and_the_summary",
    ),
    (44, "misbehaviour::no_hostile_text_reaches_a_surface_as_it_is"),
    // Bombs, sizes, encodings, duplicate keys, NUL bytes: of the configuration, then of task definitions.
    // Thirty services are too much for a snapshot.
    (38, "many::thirty_services_in_three_clusters_are_one_run"),
    (
        38,
        "many::a_look_at_thirty_services_costs_what_the_limits_of_the_calls_make_it_cost",
    ),
    // Signals come from outside, while the program runs.
    (40, "signals::sigint_ends_a_run_with_its_report"),
    (40, "signals::sigterm_ends_a_run_with_its_report"),
    (40, "signals::a_second_signal_ends_it_without_another_word"),
    (40, "signals::a_cancelled_run_asks_for_a_rollback_where_that_is_wanted"),
    (46, "config::bad_input_is_refused_with_a_place"),
    (
        46,
        "config::a_file_that_is_no_text_is_refused_by_the_program_with_its_place",
    ),
    (46, "config::text_stays_what_was_written"),
    (46, "config::valid_files_mean_the_same_to_another_yaml_parser"),
    (46, "task_definition_files::hostile_files_are_refused_at_once"),
    (
        46,
        "task_definition_files::yaml_scalars_mean_what_the_api_wants_of_them",
    ),
    (
        46,
        "task_definition_files::a_key_with_two_values_is_refused_with_both_places",
    ),
    // 403, limits, 5xx, a pull request that is gone; and that the verdict stays.
    (
        47,
        "telling::a_refusal_of_github_is_one_warning_with_the_cure_and_changes_no_verdict",
    ),
    (47, "telling::no_failure_of_github_changes_the_verdict"),
    (47, "github::a_refusal_is_one_trouble_and_posts_nothing_more"),
    (
        47,
        "github::a_limit_that_is_long_or_beyond_the_deadline_is_not_waited_for",
    ),
    (47, "github::a_post_is_not_tried_for_ever"),
    (47, "github::a_comment_that_is_deleted_before_the_edit_is_written_anew"),
    (47, "github_records::a_missing_permission_names_the_one_that_it_takes"),
    // None, several, a merge commit, a squash, a run by hand.
    (
        48,
        "github_seeking::the_merged_one_is_found_and_the_open_one_beside_it_is_not_taken",
    ),
    (
        48,
        "github_seeking::a_commit_message_is_believed_only_where_the_pull_request_agrees",
    ),
    (
        48,
        "github_seeking::a_push_of_several_commits_is_searched_from_the_newest",
    ),
    (48, "github_seeking::what_the_event_says_needs_no_request"),
    (48, "github_seeking::a_run_by_hand_belongs_to_the_merge_at_the_tip"),
    (48, "github_seeking::a_404_to_the_end_is_no_lag"),
];

/// The verdicts, as the catalogue's third column begins, with their exit codes. A cell that begins with none of them
/// (`goes on`, `tolerated`, `said before updating`) leaves the end to the snapshot.
const VERDICTS: &[(&str, &[i32])] = &[
    ("succeeded or timed out", &[0, 4]),
    ("succeeded", &[0]),
    ("\"nothing to verify\"", &[0]),
    ("refused/failed", &[1, 3]),
    ("refused by preflight; failed early if only seen live", &[1, 3]),
    // With the suggestion; and passed, where that is asked for.
    ("refused with a suggestion; passed with", &[0, 3]),
    ("refused", &[3]),
    // "or timed out" where the row says so.
    ("failed early after N like failures, or timed out", &[1, 4]),
    ("failed", &[1]),
    ("superseded", &[5]),
    ("could not observe", &[6]),
    ("interrupted", &[130]),
    ("no difference", &[0]),
    ("tolerated", &[0]),
    ("goes on", &[0]),
    ("retried", &[0]),
    // Never success; which failure it is hangs on the field, and on when it is seen.
    ("shown, not success", &[1, 3, 4, 5, 6]),
    ("all succeed", &[0]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the catalogue: number and verdict.
fn rows() -> BTreeMap<u32, String> {
    let path = root().join("../shared/scenarios.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let number = cells.next()?.parse().ok()?;
            // A scenario may have a bar in a code span (`wait|fail|replace`), a verdict has none that matters here.
            Some((number, cells.nth(1)?.to_owned()))
        })
        .collect()
}

/// Stories that no row asks for: what a run does after a failure when it is told to, and failures among many services,
/// cases from the field (`P17`, `T25`).
const BEYOND_THE_ROWS: [&str; 4] = ["on-failure-", "many-", "P", "T"];

/// Of each row, its scenario files by name.
fn files() -> BTreeMap<u32, Vec<String>> {
    let mut files = BTreeMap::<u32, Vec<String>>::new();
    for entry in std::fs::read_dir(root().join("tests/scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "yml") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if BEYOND_THE_ROWS.iter().any(|prefix| name.starts_with(prefix)) {
                continue;
            }
            let row = name.split('-').next().unwrap().parse();
            let row = row.unwrap_or_else(|_| panic!("{name}.yml begins with no row of the catalogue"));
            files.entry(row).or_default().push(name);
        }
    }
    files
}

#[test]
fn every_row_of_the_catalogue_is_held_by_a_scenario_or_by_a_named_test() {
    let (rows, files) = (rows(), files());
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=55).collect::<Vec<_>>());
    let named: BTreeSet<u32> = TESTS.iter().map(|(row, _)| *row).collect();
    let claimed = |row: &u32| files.contains_key(row) || named.contains(row);
    let open: Vec<u32> = rows.keys().copied().filter(|row| !claimed(row)).collect();
    assert!(open.is_empty(), "no scenario and no test holds the rows {open:?}");
    let strange: Vec<&u32> = files
        .keys()
        .chain(&named)
        .filter(|row| !rows.contains_key(row))
        .collect();
    assert!(strange.is_empty(), "the catalogue has no rows {strange:?}");
}

#[test]
fn every_test_that_holds_a_row_is_there() {
    let sources = sources(&root().join("tests/suite"));
    for (row, test) in TESTS {
        let (module, name) = test.split_once("::").unwrap();
        let is_there = sources.iter().any(|(path, text)| {
            let belongs = path
                .iter()
                .any(|part| part == module || part == format!("{module}.rs").as_str());
            belongs && holds(text, name)
        });
        assert!(is_there, "row {row}: there is no test `{test}`");
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
    let rows = rows();
    let mut wrong = Vec::new();
    for (row, names) in files() {
        let Some(codes) = codes_of(&rows[&row]) else { continue };
        for name in names {
            let path = root().join(format!("tests/scenarios/snapshots/{name}.snap"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name}.yml has no snapshot"));
            let code = text
                .lines()
                .find_map(|line| line.strip_prefix("exit code ")?.parse().ok());
            if !code.is_some_and(|code| codes.contains(&code)) {
                wrong.push(format!(
                    "{name}: {code:?}, and row {row} asks for {codes:?} ({})",
                    rows[&row]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn codes_of(verdict: &str) -> Option<&'static [i32]> {
    let known = VERDICTS.iter().find(|(words, _)| verdict.starts_with(words));
    known.map(|(_, codes)| *codes)
}

#[test]
fn the_verdicts_of_the_catalogue_are_read_as_they_are_meant() {
    let rows = rows();
    let code = |row: u32| codes_of(&rows[&row]);
    assert_eq!(code(1), Some(&[0][..]));
    assert_eq!(code(4), Some(&[3][..]));
    assert_eq!(code(6), Some(&[1][..]));
    assert_eq!(code(24), Some(&[5][..]));
    assert_eq!(code(33), Some(&[6][..]));
    assert_eq!(code(40), Some(&[130][..]));
    let silent: Vec<u32> = rows.keys().copied().filter(|row| code(*row).is_none()).collect();
    assert_eq!(
        silent,
        [21, 25, 41, 44, 46, 47, 48, 54],
        "what these end with is theirs to say"
    );
}
