//! Markdown that shows data and does nothing else: no link, no mention, no markup of anybody else's making.
//!
//! Three readers are kept out. The parser: its signs are escaped. The browser: `<`, `>` and `&` are entities, so that this
//! holds inside raw HTML, too. And what GitHub itself finds in the finished text (mentions, issues, addresses,
//! commits), which no escape stops: an invisible character (U+200B) breaks those.

use std::fmt::Write as _;

use serde_json::Value;

use crate::report::redact::Redaction;
use crate::report::text;

const BREAK: char = text::GUARD;
/// GitHub's parser knows no longer run than 80 as the fence of a code span.
const BACKTICKS_MAX: usize = 80;
/// Longer names leave no room for a picture.
const MERMAID_CHARS_MAX: usize = 60;

/// Turns data into Markdown. All that stands on one line is safe in a paragraph, a list item, a heading and a table cell
/// alike.
#[derive(Clone, Copy, Debug)]
pub struct Markdown<'r> {
    redaction: &'r Redaction,
}

impl<'r> Markdown<'r> {
    pub fn new(redaction: &'r Redaction) -> Self {
        Self { redaction }
    }

    /// Plain text on one line. Names that somebody may copy (ids, images, commits) are better off in [`Self::code`]: here
    /// an invisible character may stand in them.
    pub fn text(&self, data: &str) -> String {
        let data = self.redaction.line(data);
        let data = broken(data.trim());
        let digits = data.len() - data.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut out = String::with_capacity(data.len());
        for (at, c) in data.char_indices() {
            // What begins a list, a rule, an underline of a heading or a table does so at the start alone.
            let is_start = at == 0 && c.is_ascii_punctuation() || at == digits && c == '.';
            match c {
                '<' | '>' | '&' | '|' => push_entity(&mut out, c),
                '\\' | '`' | '*' | '_' | '~' | '#' | '!' | '[' | ']' | '(' | ')' | '$' => out.extend(['\\', c]),
                c if is_start => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        out
    }

    /// Data on one line, for a block of lines that [`Self::fence`] makes.
    pub fn line(&self, data: &str) -> String {
        self.redaction.line(data)
    }

    /// A code span on one line, exactly as the data is. With a `|`, which ends a table cell even inside a code span and
    /// can be escaped only there, it is a `<code>` element; so it is with more backticks in a row than a parser counts.
    pub fn code(&self, data: &str) -> String {
        let data = self.redaction.line(data);
        if data.is_empty() || data.contains('|') || longest_run(&data) >= BACKTICKS_MAX {
            return format!("<code>{}</code>", entities(&broken(&data)));
        }
        let fence = "`".repeat(longest_run(&data) + 1);
        let is_padded = data.starts_with(['`', ' ']) || data.ends_with(['`', ' ']);
        // Of data that is nothing but blanks, none would be taken away.
        let pad = if is_padded && !data.trim_matches(' ').is_empty() {
            " "
        } else {
            ""
        };
        format!("{fence}{pad}{data}{pad}{fence}")
    }

    /// A fenced block. It begins and ends a line; in a list item it would have to be indented.
    pub fn fence(&self, language: &str, data: &str) -> String {
        let data = self.redaction.block(data);
        let data = data.trim_end_matches('\n');
        let fence = "`".repeat(longest_run(data).max(2) + 1);
        let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_');
        let language: String = language.chars().filter(is_name).collect();
        format!("{fence}{language}\n{data}\n{fence}\n")
    }

    /// A link to an `http` or `https` address; to anything else there is none, and the label stands alone.
    pub fn link(&self, label: &str, url: &str) -> String {
        let url = self.redaction.apply(url.trim());
        let label = if label.trim().is_empty() { &url } else { label };
        match address(&url) {
            Some(address) => format!("[{}]({address})", self.text(label)),
            None => self.text(label),
        }
    }

    /// Something to unfold: the summary is data, the body is Markdown already.
    pub fn details(&self, summary: &str, body: &str) -> String {
        let summary = self.redaction.line(summary);
        let summary = entities(&broken(summary.trim()));
        format!(
            "<details><summary>{summary}</summary>\n\n{}\n\n</details>\n",
            body.trim_matches('\n')
        )
    }

    /// JSON for the inside of an HTML comment: it holds no `-->`, not even `--`, and nothing that is hidden.
    pub fn comment_json(&self, value: &Value) -> String {
        let mut value = value.clone();
        self.redaction.apply_json(&mut value);
        let mut out = String::new();
        let mut is_text = false;
        let mut is_escaped = false;
        for c in text::json(&value.to_string()).chars() {
            match c {
                // Outside of a text it may be the sign of a number.
                '<' | '>' | '&' | '@' | '`' | '-' if is_text => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
            is_text ^= c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
        }
        out
    }

    /// A name in a Mermaid diagram: letters, digits, blanks and `. _ / + -`, which mean nothing there. Everything else
    /// becomes a blank, and no name begins as a directive or a date does.
    pub fn mermaid(&self, data: &str) -> String {
        let data = self.redaction.line(data);
        let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '-');
        let blanks = data.replace(|c| !is_safe(c), " ");
        // Two of them are an arrow or a comment in some diagrams.
        let words: Vec<&str> = blanks.split_whitespace().collect();
        let mut label = words.join(" ");
        for sign in ["--", "..", "//", "++"] {
            while label.contains(sign) {
                label = label.replace(sign, &sign[1..]);
            }
        }
        if is_directive(&label) {
            label.insert(0, '_');
        }
        if label.chars().count() > MERMAID_CHARS_MAX {
            label = label.chars().take(MERMAID_CHARS_MAX - 1).collect();
            label.push('.');
        }
        if label.is_empty() { "-".into() } else { label }
    }
}

/// Mentions (`@name`), issues (`#1`, `GH-1`), addresses (`https://`, `www.`, `a@b.c`) and whole commit ids, broken. A short
/// commit id is left: it may be a task's, and the worst that it links to is a commit of this repository.
fn broken(data: &str) -> String {
    let mut out = String::with_capacity(data.len());
    let mut hex = 0;
    for (at, c) in data.char_indices() {
        out.push(c);
        let rest = &data[at + c.len_utf8()..];
        let ends_with = |word: &str| {
            let tail = out.len().checked_sub(word.len()).and_then(|from| out.get(from..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
        };
        hex = if c.is_ascii_hexdigit() { hex + 1 } else { 0 };
        let is_commit = hex == 20 && {
            let ahead = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
            ahead == 20
        };
        let is_open = match c {
            '@' | '#' => rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-')),
            '-' => rest.starts_with(|c: char| c.is_ascii_digit()) && ends_with("gh-"),
            ':' => rest.starts_with("//"),
            'w' | 'W' => rest.starts_with('.') && ends_with("www"),
            _ => is_commit,
        };
        if is_open {
            out.push(BREAK);
        }
    }
    out
}

/// For raw HTML: every ASCII sign as an entity, so that neither a browser nor a Markdown parser has one to work with.
fn entities(data: &str) -> String {
    data.chars().fold(String::with_capacity(data.len()), |mut out, c| {
        if c.is_ascii_punctuation() {
            push_entity(&mut out, c);
        } else {
            out.push(c);
        }
        out
    })
}

fn push_entity(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        c => {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
}

fn longest_run(data: &str) -> usize {
    data.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// The address as a link's destination, everything but plain signs encoded; `None` where it is no web address.
fn address(url: &str) -> Option<String> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let rest = &url[scheme.len()..];
    if !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') || rest.chars().any(char::is_control) {
        return None;
    }
    let mut out = scheme.to_owned();
    for (at, byte) in rest.bytes().enumerate() {
        let is_code = || {
            rest.as_bytes()
                .get(at + 1..at + 3)
                .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
        };
        match byte {
            b'&' => out.push_str("&amp;"),
            b'%' if is_code() => out.push('%'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'/' | b':' | b'?' | b'#' | b'=' | b'+' | b',' | b';' | b'@' | b'$' => {
                out.push(char::from(byte));
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    Some(out)
}

/// A word that begins a line of a diagram, or a date, which begins one, too.
fn is_directive(label: &str) -> bool {
    const WORDS: [&str; 33] = [
        "acctitle",
        "accdescr",
        "accdescription",
        "axisformat",
        "call",
        "class",
        "classdef",
        "click",
        "dateformat",
        "direction",
        "displaymode",
        "end",
        "excludes",
        "flowchart",
        "gantt",
        "graph",
        "href",
        "includes",
        "inclusiveenddates",
        "init",
        "linkstyle",
        "section",
        "style",
        "subgraph",
        "tickinterval",
        "timeline",
        "title",
        "todaymarker",
        "topaxis",
        "vert",
        "weekday",
        "weekend",
        "wrap",
    ];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let first: &str = label.split(|c| !is_word(c)).next().unwrap_or_default();
    let is_date = label.len() >= 8 && label.bytes().take(4).all(|b| b.is_ascii_digit()) && label.as_bytes()[4] == b'-';
    is_date || WORDS.contains(&first.to_lowercase().as_str())
}

#[cfg(test)]
mod tests;
