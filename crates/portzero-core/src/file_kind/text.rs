//! What a text is that is neither JSON nor YAML, by its first lines and its marks.

use super::kind::{Kind, Recognised};
use crate::base::position::Position;
use crate::yaml::{self, OtherTags};

/// The words that a block of Terraform begins with.
const HCL: [&str; 8] = [
    "data",
    "locals",
    "module",
    "output",
    "provider",
    "resource",
    "terraform",
    "variable",
];
/// What a Dockerfile has after its `FROM`.
const DOCKER: [&str; 9] = [
    "ADD ",
    "ARG ",
    "CMD ",
    "COPY ",
    "ENTRYPOINT ",
    "ENV ",
    "EXPOSE ",
    "RUN ",
    "WORKDIR ",
];
/// Words of Jsonnet that no other of these languages has.
const JSONNET: [&str; 7] = ["std.", "importstr ", "import '", "import \"", "local ", "$.", "self."];

/// What shows in any text, also in one that can be read.
pub(super) fn of_any(text: &str) -> Option<Recognised> {
    if text.trim().is_empty() {
        return Some(Kind::Empty.at(Position::default()));
    }
    if significant(text).next().is_none() {
        return Some(Kind::OnlyComments.at(Position::default()));
    }
    None
}

/// What YAML takes for one long text.
pub(super) fn of_readable(text: &str) -> Option<Recognised> {
    by_first_line(text)
}

/// What neither reader takes.
pub(super) fn of_unreadable(text: &str, file: &str) -> Option<Recognised> {
    merge_conflict(text)
        .or_else(|| by_first_line(text))
        .or_else(|| like_json(text, file))
}

/// Lines with something in them, each with its number.
fn significant(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("//")
    })
}

fn at_line(line: usize, text: &str) -> Position {
    let indent = text.chars().take_while(|c| c.is_whitespace()).count();
    Position {
        line,
        column: indent + 1,
    }
}

/// All three marks: one of them alone may be part of a text.
fn merge_conflict(text: &str) -> Option<Recognised> {
    let line_of = |mark: &str| {
        let begins = |line: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| !rest.starts_with(&mark[..1]))
        };
        text.lines().position(begins)
    };
    let (begins, between, ends) = (line_of("<<<<<<<")?, line_of("=======")?, line_of(">>>>>>>")?);
    (begins < between && between < ends).then(|| {
        Kind::MergeConflict.at(Position {
            line: begins + 1,
            column: 1,
        })
    })
}

fn by_first_line(text: &str) -> Option<Recognised> {
    let (number, whole) = significant(text).next()?;
    let line = whole.trim();
    let lower = line.to_ascii_lowercase();
    let kind = if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        Kind::Html
    } else if lower.starts_with("<?xml") {
        Kind::Xml
    } else if line.starts_with("An error occurred (") && line.contains(" when calling the ") {
        Kind::CliError
    } else if line.starts_with("arn:") && significant(text).count() == 1 && !line.contains(char::is_whitespace) {
        Kind::Arn
    } else if is_base64(text) {
        Kind::Base64
    } else if line.starts_with("\"{") || line.starts_with("'{") {
        Kind::JsonInText
    } else if is_hcl(line) {
        Kind::Hcl
    } else if line.starts_with("FROM ") && has_line(text, |line| DOCKER.iter().any(|word| line.starts_with(word))) {
        Kind::Dockerfile
    } else if line.starts_with('[') && line.ends_with(']') && has_line(text, |line| line.contains(" = ")) {
        Kind::Toml
    } else if significant(text).all(|(_, line)| is_assignment(line.trim())) {
        Kind::Variables
    } else if line.starts_with("local ") && line.contains('=') {
        Kind::Jsonnet
    } else {
        return None;
    };
    Some(kind.at(at_line(number, whole)))
}

fn has_line(text: &str, is_it: impl Fn(&str) -> bool) -> bool {
    significant(text).any(|(_, line)| is_it(line.trim()))
}

/// `resource "a" "b" {` and `locals {`.
fn is_hcl(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    let rest = line[word.len()..].trim_start();
    HCL.contains(&word) && (rest.starts_with('"') || rest.starts_with('{'))
}

/// `NAME=value`, as files of variables have it.
fn is_assignment(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    line.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Base64 of a text that begins as an object of JSON does.
fn is_base64(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=') || c.is_whitespace();
    let text = text.trim();
    ["eyJ", "ewog", "ewoJ", "eyAi"]
        .iter()
        .any(|start| text.starts_with(start))
        && text.chars().all(is_digit)
}

/// Languages that look like JSON, by their marks. The name of the file decides where the marks are common to several.
fn like_json(text: &str, file: &str) -> Option<Recognised> {
    let begins = significant(text)
        .next()
        .map(|(_, line)| line.trim_start().starts_with(['{', '[']))?;
    let file = file.to_ascii_lowercase();
    let ends = |ending: &str| file.ends_with(ending);
    let outside = outside_of_texts(text);
    let first = |kind: Kind| {
        significant(text)
            .next()
            .map(|(number, line)| kind.at(at_line(number, line)))
    };
    if ends(".jsonnet") || ends(".libsonnet") {
        return first(Kind::Jsonnet);
    }
    if ends(".hjson") {
        return first(Kind::Hjson);
    }
    if !begins {
        return None;
    }
    if let Some(mark) = JSONNET.iter().find_map(|mark| word_at(&outside, mark)) {
        return Some(Kind::Jsonnet.at(Position::of(text, mark)));
    }
    if let Some(line) = bare_text(&outside) {
        return Some(Kind::Hjson.at(line));
    }
    if let Some(mark) = comment(&outside) {
        return Some(Kind::CommentedJson.at(Position::of(text, mark)));
    }
    bare_key(&outside).map(|at| Kind::Json5.at(at))
}

/// The text with a blank for each byte that stands in double or single quotes: marks in there are no marks.
fn outside_of_texts(text: &str) -> String {
    let mut outside = String::with_capacity(text.len());
    let mut open: Option<char> = None;
    let mut is_escaped = false;
    for c in text.chars() {
        match open {
            Some(quote) => {
                // A text ends with its line here: an open quote must not swallow the file.
                if c == '\n' || c == quote && !is_escaped {
                    open = None;
                }
                is_escaped = c == '\\' && !is_escaped;
                match c {
                    '\n' => outside.push('\n'),
                    _ if open.is_none() => outside.push(c),
                    _ => outside.extend(std::iter::repeat_n('\u{1}', c.len_utf8())),
                }
            }
            None => {
                if matches!(c, '"' | '\'') {
                    open = Some(c);
                    is_escaped = false;
                }
                outside.push(c);
            }
        }
    }
    outside
}

/// Where the mark begins a word.
fn word_at(outside: &str, mark: &str) -> Option<usize> {
    let begins_word = |at: usize| {
        let before = outside[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '/' | '#' | '{'))
    };
    outside
        .match_indices(mark)
        .map(|(at, _)| at)
        .find(|at| begins_word(*at))
}

/// `//`, `/*` or `#`, first in its line or after a blank.
fn comment(outside: &str) -> Option<usize> {
    let starts = ["//", "/*", "#"]
        .iter()
        .flat_map(|mark| outside.match_indices(mark))
        .map(|(at, _)| at);
    // `#{NAME}` is a template's.
    let stands_alone = |at: &usize| {
        let before = outside[..*at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || c == ',') && !outside[*at..].starts_with("#{")
    };
    starts.filter(stands_alone).min()
}

/// `key: text` without quotes and without a comma, which only Hjson has.
fn bare_text(outside: &str) -> Option<Position> {
    let is_bare = |line: &str| {
        let (key, value) = line.trim().split_once(':')?;
        let value = value.trim();
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
        let is_word = value.starts_with(|c: char| c.is_alphabetic())
            && !value.contains(['"', '\'', '{', '}', '[', ']', ',', '(']);
        (is_key && is_word && !matches!(value, "true" | "false" | "null")).then_some(())
    };
    let found = outside.lines().enumerate().find(|(_, line)| is_bare(line).is_some());
    found.map(|(index, line)| at_line(index + 1, line))
}

/// A key in single quotes or in none.
fn bare_key(outside: &str) -> Option<Position> {
    let is_bare = |line: &str| {
        if line.trim_start().starts_with("{{") {
            return false;
        }
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '['));
        let is_single = line.starts_with('\'') && line[1..].contains("':");
        let name = line.split(':').next().unwrap_or_default().trim_end();
        let is_name = !name.is_empty()
            && line.contains(':')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
        is_single || is_name
    };
    let found = outside.lines().enumerate().find(|(_, line)| is_bare(line));
    found.map(|(index, line)| at_line(index + 1, line))
}

/// A task definition in YAML whose name ends in `.json`.
pub(super) fn yaml_in_json(text: &str, file: &str) -> Option<Recognised> {
    let (number, line) = significant(text).next()?;
    let is_json = file.to_ascii_lowercase().ends_with(".json") && !line.trim_start().starts_with(['{', '[']);
    let root = is_json.then(|| yaml::read(text, OtherTags::Ignored).ok()).flatten()?;
    let is_map = matches!(root.kind, yaml::Kind::Map(_) | yaml::Kind::List(_));
    is_map.then(|| Kind::YamlInJson.at(at_line(number, line)))
}
