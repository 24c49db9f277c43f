//! Rust sources as the rules see them: comments and literals are blanked out, lines stay where they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// The folders of the workspace's crates, each with the name that other crates say.
pub const CRATES: [(&str, &str); 4] = [
    ("crates/portzero-core/src", "portzero_core"),
    ("crates/portzero-sim/src", "portzero_sim"),
    ("crates/portzero-testkit/src", "portzero_testkit"),
    ("src", "portzero"),
];

/// One Rust file.
pub struct Source {
    /// Relative to the package, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// The folder of its crate, and the path within it: `src` and `cli/run.rs`.
    pub fn within(&self) -> Option<(&'static str, &str)> {
        CRATES.iter().find_map(|(folder, _)| {
            let inner = self.path.strip_prefix(folder)?.strip_prefix('/')?;
            Some((*folder, inner))
        })
    }

    /// The code alone.
    pub fn code(&self) -> String {
        blank(&self.text)
    }

    /// The code that is built into the program: `#[cfg(test)]` is blank as well.
    pub fn shipped(&self) -> String {
        let code = self.code();
        if self.is_test() {
            String::new()
        } else {
            without_tests(&code)
        }
    }

    /// A file of tests: nothing in it is part of the program.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// Every Rust file of the program's crates.
pub fn all() -> Vec<Source> {
    CRATES.iter().flat_map(|(folder, _)| below(folder)).collect()
}

/// Every Rust file below a folder of the package, in the order of their names.
pub fn below(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join(folder), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let relative = path.strip_prefix(root()).expect("it lies below the package");
        Source {
            path: relative.to_string_lossy().replace('\\', "/"),
            text: fs::read_to_string(&path).expect("a source can be read"),
        }
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The number of the line in which the byte `at` lies, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The byte after the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Blanks each item under `#[cfg(test)]`, up to its `;` or its closing brace.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    for (start, _) in code.match_indices(MARK) {
        let item = start + MARK.len();
        let end = match code[item..].find(['{', ';']).map(|at| item + at) {
            Some(at) if code.as_bytes()[at] == b'{' => closing(code, at),
            Some(at) => at + 1,
            None => code.len(),
        };
        let blank: String = code[start..end]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        if blank.len() == end - start {
            out.replace_range(start..end, &blank);
        }
    }
    out
}

/// Comments, strings and characters become spaces, byte for byte; line breaks stay.
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => at + find(&bytes[at..], b"\n").unwrap_or(bytes.len() - at),
            [b'/', b'*', ..] => block_comment(bytes, at),
            [b'r', b'"' | b'#', ..] if !is_word(bytes, at) => raw_string(bytes, at).unwrap_or(at),
            [b'"', ..] => string(bytes, at),
            [b'\'', ..] => character(bytes, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).expect("whole characters were blanked")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// Whether the byte before `at` makes it the middle of a word.
fn is_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') && bytes[at - 1] != b'b'
}

fn block_comment(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `None` for a raw identifier such as `r#type`.
fn raw_string(bytes: &[u8], start: usize) -> Option<usize> {
    let hashes = bytes[start + 1..].iter().take_while(|b| **b == b'#').count();
    let open = start + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    Some(find(&bytes[open + 1..], &close).map_or(bytes.len(), |found| open + 1 + found + close.len()))
}

/// `None` for a lifetime.
fn character(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start + 1) == Some(&b'\\') {
        let from = start + 3;
        return find(bytes.get(from..)?, b"'").map(|found| from + found + 1);
    }
    // One character of up to four bytes, then the closing quote.
    (start + 2..=start + 5)
        .find(|end| bytes.get(*end) == Some(&b'\''))
        .and_then(|end| {
            let inner = std::str::from_utf8(&bytes[start + 1..end]).ok()?;
            (inner.chars().count() == 1).then_some(end + 1)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_lines_stay() {
        let text = "a /* crate::x\n /* y */ z */ b // crate::c\n\"crate::\\\"d\" r#\"crate::\"e\"# 'f' '\\'' &'g h";
        let code = blank(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.matches('\n').count(), 2);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "&'g", "h"]);
    }

    #[test]
    fn what_is_only_tested_is_blank_too() {
        let text = "fn a() {}\n#[cfg(test)]\nuse x::y;\n#[cfg(test)]\nmod tests {\n  fn b() { c() }\n}\nfn d() {}";
        let code = Source::new("src/cli/run.rs", text).shipped();
        assert_eq!(
            code.split_whitespace().collect::<Vec<_>>().join(" "),
            "fn a() {} fn d() {}"
        );
        assert_eq!(code.matches('\n').count(), text.matches('\n').count());
        assert_eq!(Source::new("src/cli/tests.rs", text).shipped(), "");
    }

    #[test]
    fn a_file_knows_its_crate() {
        let within = |path| {
            Source::new(path, "")
                .within()
                .map(|(folder, inner)| format!("{folder} {inner}"))
        };
        assert_eq!(within("src/cli/mod.rs").as_deref(), Some("src cli/mod.rs"));
        assert_eq!(
            within("crates/portzero-core/src/port.rs").as_deref(),
            Some("crates/portzero-core/src port.rs")
        );
        assert_eq!(within("tests/suite/main.rs"), None);
    }
}
