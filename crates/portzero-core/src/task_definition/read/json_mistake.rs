//! What is wrong with the form of a JSON text, in words for who wrote it: serde_json says where, the text shows what.

use crate::base::finding::{Code, Finding};
use crate::base::position::Lines;
use crate::task_definition::check::placeholder;

/// A mistake: at which byte, what, and what to write instead.
struct Mistake {
    at: usize,
    said: String,
    hint: Option<String>,
}

pub(super) fn finding(error: &serde_json::Error, text: &str, file: &str, lines: &Lines<'_>) -> Finding {
    let offset = lines.offset(error.line(), error.column());
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or(&message);
    let mistake = Mistake::of(reason, offset, text, lines);
    let summary = format!("`{file}` is not JSON: {}", mistake.said);
    let finding = Finding::error(Code::Syntax, summary).at(lines.position(mistake.at).in_file(file));
    let finding = mistake.hint.into_iter().fold(finding, Finding::hint);
    let placeholders = placeholder::names_in(text);
    if placeholders.is_empty() {
        return finding;
    }
    let finding = finding.evidence("placeholders", placeholders.join(", "));
    match placeholder::at_start(text.get(offset..).unwrap_or("")) {
        Some(name) => finding.hint(format!(
            "`{name}` stands where JSON wants a value: fill the template in first"
        )),
        None => finding.hint("if the file is a template, fill it in first"),
    }
}

impl Mistake {
    fn of(reason: &str, at: usize, text: &str, lines: &Lines<'_>) -> Self {
        let before = text.get(..at).unwrap_or_default();
        let rest = text.get(at..).unwrap_or_default();
        let line_of = |at: usize| lines.position(at).line;
        match reason {
            "trailing comma" => {
                let comma = before.rfind(',').unwrap_or(at);
                let hint = format!("remove the comma at the end of line {}", line_of(comma));
                Self::hinted(at, "a comma stands before the closing bracket", hint)
            }
            "expected `,` or `}`" | "expected `,` or `]`" => {
                let close = if reason.ends_with("`}`") { '}' } else { ']' };
                let end = before.trim_end().len().saturating_sub(1);
                let hint = format!("put a comma at the end of line {}", line_of(end));
                let is_next = rest.starts_with(['"', '{', '[']);
                let said = format!("a `,` or `{close}` is missing before this");
                Self::new(at, said, (is_next && line_of(end) < line_of(at)).then_some(hint))
            }
            "expected `:`" => Self::new(at, "a `:` is missing before this", None),
            _ if reason.starts_with("EOF") => Self::cut_off(at, text, lines),
            _ if reason.starts_with("control character") => Self::open_text(at, before),
            "invalid escape" => {
                let escape = before.rfind('\\').and_then(|start| text.get(start..)).unwrap_or(rest);
                let escape: String = escape.chars().take(2).collect();
                let hint = r"write `\\` for a backslash";
                Self::hinted(at, format!("`{escape}` is no escape that JSON has"), hint)
            }
            "invalid number" => Self::new(
                at,
                "a number is not written as JSON has it: no zero before it, a digit behind each point",
                None,
            ),
            "trailing characters" => Self::hinted(
                at,
                "something follows the end of the document",
                "keep one document in one file",
            ),
            "recursion limit exceeded" => Self::new(at, "it is nested deeper than 127 levels", None),
            "key must be a string" | "expected value" | "expected ident" => Self::word(at, text),
            _ if reason.contains("surrogate") || reason.contains("unicode") || reason.contains("hex escape") => {
                Self::new(at, r"an escape that begins with `\u` is not complete", None)
            }
            _ => Self::new(at, "it cannot be read on from here", None),
        }
    }

    fn new(at: usize, said: impl Into<String>, hint: Option<String>) -> Self {
        let said = said.into();
        Self { at, said, hint }
    }

    fn hinted(at: usize, said: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(at, said, Some(hint.into()))
    }

    /// The innermost bracket that is open at the end.
    fn cut_off(at: usize, text: &str, lines: &Lines<'_>) -> Self {
        let said = match open_bracket(text) {
            Some(open) => {
                let bracket = &text[open..=open];
                format!(
                    "it ends before the `{bracket}` of line {} is closed",
                    lines.position(open).line
                )
            }
            None => "it ends in the middle of a value".to_owned(),
        };
        Self::hinted(at, said, "look whether the file was cut off")
    }

    /// A text that goes on in the next line, or has a tab in it. The place is where it begins.
    fn open_text(at: usize, before: &str) -> Self {
        let start = before.trim_end_matches('\n').rfind('"').unwrap_or(at);
        match before.get(start..).is_some_and(|text| text.contains('\n')) {
            true => Self::hinted(
                start,
                "the text that begins here is not closed in its line",
                r#"close it with `"`, or write `\n` for a line break in it"#,
            ),
            false => Self::hinted(at, "a control character stands in a text", r"write `\t` for a tab"),
        }
    }

    /// A word where a value or a name belongs.
    fn word(at: usize, text: &str) -> Self {
        // The place is somewhere in the word for `expected ident`.
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let start = text[..at].trim_end_matches(is_part).len();
        let rest = &text[start..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        match (word, rest.chars().next()) {
            ("True" | "False", _) => {
                let hint = format!("write `{}`", word.to_lowercase());
                Self::hinted(start, format!("`{word}` is no value of JSON"), hint)
            }
            ("None" | "nil" | "undefined", _) => Self::hinted(
                start,
                format!("`{word}` is no value of JSON"),
                "write `null`, or leave the key out",
            ),
            ("", Some('\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}')) => Self::hinted(
                start,
                "a typographic quotation mark stands here",
                "write `\"` in its place",
            ),
            ("", Some('\'')) => Self::hinted(start, "a text stands in single quotes", "write it in double quotes"),
            ("", Some(_)) => Self::new(
                start,
                "a value is missing, or begins with what no value begins with",
                None,
            ),
            ("", None) => Self::new(start, "a value is missing", None),
            // What stands there may be half of somebody's password, so it is not repeated.
            _ => Self::new(
                start,
                "a word stands without quotes where a value or a name belongs",
                None,
            ),
        }
    }
}

/// Where the innermost bracket was opened that nothing closes.
fn open_bracket(text: &str) -> Option<usize> {
    let (mut open, mut is_text, mut is_escaped) = (Vec::new(), false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => is_text = !is_text,
            '{' | '[' if !is_text => open.push(at),
            '}' | ']' if !is_text => {
                open.pop();
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    open.pop()
}
