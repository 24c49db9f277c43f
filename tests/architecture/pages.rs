//! The pages for people: tables that hold together, links that lead somewhere, plain words, and nothing that stands twice.

use std::collections::BTreeMap;
use std::fs;

use crate::{Breaches, assert_none, root};

/// Tables whose rows are told apart by more than their first cell, by their first two headings.
const KEYED_BY_TWO: [[&str; 2]; 2] = [["Code", "Verdict"], ["Event", "Where"]];
/// As many characters as two lines do not share by chance.
const SAME: usize = 40;
/// A sentence of more words has two thoughts. See CONTRIBUTING.md.
const WORDS_MAX: usize = 25;
/// The page that has the list of words, below this heading.
const WORDS: (&str, &str) = ("CONTRIBUTING.md", "### Words");
/// Not in plain English yet.
const NOT_YET_PLAIN: [&str; 1] = ["ARCHITECTURE.md"];

fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<String> = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        paths.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    let read = |path: String| {
        let text = fs::read_to_string(root().join(&path)).expect("a page can be read");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The lines outside fenced blocks, with their numbers.
fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut is_fenced = false;
    let outside = page.lines().enumerate().filter(|(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fence && !is_fenced
    });
    outside.map(|(at, line)| (at + 1, line)).collect()
}

/// The cells of a table's line; a `\|` parts nothing.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line
        .trim()
        .strip_prefix('|')?
        .strip_suffix('|')?
        .replace("\\|", "\u{0}");
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

fn is_delimiter(cells: &[String]) -> bool {
    let is_rule = |cell: &String| cell.contains('-') && cell.chars().all(|c| matches!(c, '-' | ':'));
    cells.iter().all(is_rule)
}

fn tables(page: &str) -> Breaches {
    let mut breaches = Breaches::new();
    let lines = prose(page);
    let blocks = lines.chunk_by(|a, b| b.0 == a.0 + 1 && a.1.starts_with('|') == b.1.starts_with('|'));
    for block in blocks.filter(|block| block[0].1.starts_with('|')) {
        let rows: Vec<Option<Vec<String>>> = block.iter().map(|(_, line)| cells(line)).collect();
        let (Some(Some(heading)), Some(Some(delimiter))) = (rows.first(), rows.get(1)) else {
            breaches.push(format!("line {}: no table", block[0].0));
            continue;
        };
        if !is_delimiter(delimiter) {
            breaches.push(format!("line {}: a table without a heading", block[0].0));
        }
        let keys = match heading.as_slice() {
            [first, second, ..] if KEYED_BY_TWO.contains(&[first, second]) => 2,
            _ => 1,
        };
        let mut seen = BTreeMap::new();
        for ((line, _), row) in block.iter().zip(&rows).skip(1) {
            let row = row.clone().unwrap_or_default();
            if row.len() != heading.len() {
                let (found, wanted) = (row.len(), heading.len());
                breaches.push(format!("line {line}: {found} cells under {wanted} headings"));
            } else if let Some(before) = seen.insert(row[..keys].to_vec(), line) {
                breaches.push(format!("line {line}: `{}` stands in line {before} already", row[0]));
            }
        }
    }
    breaches
}

/// Two versions of one statement, of which one was to replace the other, begin alike.
fn twice(page: &str) -> Breaches {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut breaches = Breaches::new();
    for (line, text) in prose(page).into_iter().filter(|(_, text)| !text.starts_with('|')) {
        let start: String = text.trim().chars().take(SAME).collect();
        if start.chars().count() == SAME
            && let Some(before) = seen.insert(start, line)
        {
            breaches.push(format!("line {line} begins as line {before} does"));
        }
    }
    breaches
}

/// As GitHub names a heading in an address.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_anchor(page: &str, wanted: &str) -> bool {
    let mut headings = prose(page).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings.any(|(_, line)| anchor(line) == wanted)
}

/// `path`: the page's own, from the package.
fn links(path: &str, page: &str) -> Breaches {
    let mut breaches = Breaches::new();
    for (line, text) in prose(page) {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = root().join(path).parent().expect("a folder").to_owned();
            let read = if file.is_empty() {
                Some(page.to_owned())
            } else if folder.join(file).exists() {
                Some(fs::read_to_string(folder.join(file)).unwrap_or_default())
            } else {
                None
            };
            match read {
                None => breaches.push(format!("line {line}: there is no {file}")),
                Some(read) if !heading.is_empty() && !has_anchor(&read, heading) => {
                    breaches.push(format!("line {line}: {target} has no such heading"));
                }
                Some(_) => {}
            }
        }
    }
    breaches
}

/// Without what stands between backticks, and without the addresses of links.
fn words_of(text: &str) -> String {
    let without_code: Vec<&str> = text.split('`').step_by(2).collect();
    let mut pieces = without_code
        .join("x")
        .split("](")
        .map(str::to_owned)
        .collect::<Vec<_>>();
    for piece in pieces.iter_mut().skip(1) {
        *piece = piece.split_once(')').map_or(String::new(), |(_, rest)| rest.to_owned());
    }
    pieces.join(" ")
}

/// Lines that make one paragraph, item or row of a table, with the number of the first.
fn paragraphs(page: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (line, text) in prose(page) {
        let begins = text.trim_start();
        let is_item = begins.starts_with("- ") || begins.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
        let is_alone = begins.is_empty() || begins.starts_with(['|', '#']);
        match found.last_mut() {
            Some((_, paragraph)) if is_open && !is_item && !is_alone => {
                paragraph.push(' ');
                paragraph.push_str(begins);
            }
            _ => found.push((line, begins.to_owned())),
        }
        is_open = !is_alone;
    }
    found
}

/// The expressions that the list of words does without.
fn refused_words(page: &str, heading: &str) -> Vec<String> {
    let list = page.split(&format!("\n{heading}\n")).nth(1).unwrap_or_default();
    let list = list.split("\n#").next().unwrap_or_default();
    let firsts = list
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let spans = firsts.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    spans.map(str::to_owned).collect()
}

fn has_words(text: &str, wanted: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-';
    let text = text.to_lowercase();
    text.match_indices(wanted)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + wanted.len()..].starts_with(is_part))
}

/// Words that a reader of the AWS documentation does not know, and sentences that want a second reading.
fn hard_to_read(page: &str, refused: &[String]) -> Breaches {
    let mut breaches = Breaches::new();
    for (line, paragraph) in paragraphs(page) {
        let text = words_of(&paragraph);
        let found = refused.iter().filter(|words| has_words(&text, words));
        breaches.extend(found.map(|words| format!("line {line}: not `{words}`")));
        if paragraph.starts_with('|') {
            continue;
        }
        let is_end = |word: &&str| {
            word.trim_end_matches(['*', ')', '"'])
                .ends_with(['.', ':', ';', '?', '!'])
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        for sentence in words.split_inclusive(is_end) {
            if sentence.len() > WORDS_MAX {
                let (count, start) = (sentence.len(), sentence[..5].join(" "));
                breaches.push(format!("line {line}: a sentence of {count} words: {start} ..."));
            }
        }
    }
    breaches
}

/// Folders whose files a page may name between backticks, from the package.
const FOLDERS: [&str; 7] = ["src/", "tests/", "examples/", "tools/", "action/", "docs/", ".github/"];

/// Files that a page names and that are not there. Words in capitals stand for a name.
fn missing_files(page: &str) -> Breaches {
    let mut breaches = Breaches::new();
    for (line, text) in prose(page) {
        for span in text.split('`').skip(1).step_by(2) {
            let is_path = FOLDERS.iter().any(|folder| span.starts_with(folder));
            let is_name = !span.contains([' ', '*', '{']) && !span.contains("NAME");
            if is_path && is_name && !root().join(span).exists() {
                breaches.push(format!("line {line}: there is no {span}"));
            }
        }
    }
    breaches
}

fn in_all(check: impl Fn(&str, &str) -> Breaches) -> Breaches {
    let pages = pages().into_iter();
    pages
        .flat_map(|(path, page)| {
            let found = check(&path, &page).into_iter();
            found.map(|breach| format!("{path}, {breach}")).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn tables_have_whole_rows_and_no_key_twice() {
    assert_none(in_all(|_, page| tables(page)));
}

#[test]
fn no_two_lines_of_a_page_begin_alike() {
    assert_none(in_all(|_, page| twice(page)));
}

#[test]
fn links_lead_to_files_and_headings() {
    assert_none(in_all(links));
}

#[test]
fn pages_have_plain_words_and_short_sentences() {
    let pages = pages();
    let (path, heading) = WORDS;
    let list = pages.iter().find(|(name, _)| name == path).expect("the page");
    let refused = refused_words(&list.1, heading);
    assert!(refused.len() >= 10, "{refused:?}");
    assert_none(in_all(|path, page| {
        if NOT_YET_PLAIN.contains(&path) {
            return Breaches::new();
        }
        hard_to_read(page, &refused)
    }));
}

#[test]
fn files_that_a_page_names_are_there() {
    assert_none(in_all(|path, page| {
        if NOT_YET_PLAIN.contains(&path) {
            return Breaches::new();
        }
        missing_files(page)
    }));
}

#[test]
fn a_file_that_is_not_there_is_found() {
    assert_none(missing_files(
        "`src/lib.rs` `src/NAME.rs` `other/x.rs` src/none.rs\n```text\n`src/none.rs`\n```\n",
    ));
    assert_eq!(missing_files("`src/none.rs` and `tests/none`").len(), 2);
}

#[test]
fn a_refused_word_and_a_long_sentence_are_found() {
    let page = "# Page\n\n### Words\n\n| Not | But |\n|---|---|\n| `span`, `the story` | duration |\n\n## Next\n\n| `x` | y |\n";
    let refused = refused_words(page, "### Words");
    assert_eq!(refused, ["span", "the story"]);
    assert_none(hard_to_read("A `span` spans [a](the story) life-span.\n", &refused));
    assert_eq!(hard_to_read("A span. The\nstory.\n\n| a span |\n", &refused).len(), 3);
    let words = |count: usize| vec!["word"; count].join(" ");
    let (most, half) = (words(WORDS_MAX), words(WORDS_MAX / 2 + 1));
    assert_none(hard_to_read(&format!("{most}\n\n{most}. {most}: {most}.\n"), &[]));
    assert_eq!(hard_to_read(&format!("- {half}\n  {half}\n"), &[]).len(), 1);
}

#[test]
fn a_short_row_a_second_key_and_a_table_without_a_heading_are_found() {
    let head = "| Name | What |\n|---|---|\n";
    assert_none(tables(&format!("{head}| `a\\|b` | x |\n| `a` | y |\n")));
    assert_none(tables("```text\n| a | b |\n| a |\n```\n"));
    assert_none(tables("| Code | Verdict |\n|---|---|\n| 0 | good |\n| 0 | nothing |\n"));
    assert_eq!(tables(&format!("{head}| a | x |\n| b | y |\n| a | z |\n")).len(), 1);
    assert_eq!(tables(&format!("{head}| a |\n| b | c | d |\n| `e|f` | g |\n")).len(), 3);
    assert_eq!(tables("| a | b |\n| c | d |\n").len(), 1);
    assert_eq!(
        tables(&format!("{head}| a | x |\ntext\n{head}| a | x |\n| a | x |\n")).len(),
        1
    );
}

#[test]
fn a_statement_in_two_versions_and_a_dead_link_are_found() {
    let one = "- the observer does no input and no output at all";
    assert_eq!(
        twice(&format!("{one}\n\n{one}, and never will\n- other\n- other\n")).len(),
        1
    );
    let links = |page: &str| links("docs/page.md", page);
    assert_none(links(
        "# A heading, `quoted`\n[a](#a-heading-quoted) [b](../README.md#install) [c](https://x.test/y)",
    ));
    assert_eq!(
        links("[a](#nowhere) [b](../README.md#nowhere) [c](nothing.md)").len(),
        3
    );
}
