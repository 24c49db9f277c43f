//! Text that is safe to print: whatever AWS, a registry or a file said, it moves no cursor, ends no line and gives a CI
//! runner no command.
//!
//! GitHub's runner reads both streams line by line. A line that begins with `::`, blanks aside, may be a command, and so
//! may `##[` anywhere in a line. A blank breaks both: `: :` and `# #[`. Nothing invisible would do, because the runner
//! compares by the rules of a language, and those ignore characters without a width.

use portzero_core::values::is_invisible;

/// Other people's text as a part of a line is cut after so many characters: more than a screenful is no evidence.
const CHARS_MAX: usize = 2_000;
/// A whole line holds at most a few such parts.
const LINE_CHARS_MAX: usize = 4 * CHARS_MAX;
/// A control string (a title, a link) that has not ended after so many characters is none, and is shown as text.
const CONTROL_STRING_MAX: usize = 2_000;
/// What breaks mentions and links on our pages: a zero width space.
pub const GUARD: char = '\u{200b}';
/// What stands for the end of a line within one.
const LINE_END: &str = " ⏎ ";

/// Other people's text on one line: escape sequences and what has no width are gone, the end of a line is `⏎`, and what
/// is longer than a screenful is cut.
pub fn clean(text: &str) -> String {
    let is_line_end = |c: char| is_line_end(c) || c == '\n';
    let text = text.trim_end_matches(is_line_end);
    tidy(text, CHARS_MAX, |c| if c == '\t' { ' ' } else { c })
}

/// A block of lines for people and no machine: each line without escape sequences and what has no width. Tabs stay.
pub fn block(text: &str) -> String {
    each_line(text, |line| tidy(line, usize::MAX, |c| c))
}

/// A block of lines for a log: as [`block`], each line cut at a length that no line of ours has, and none of them a
/// command to a CI runner.
pub fn log(text: &str) -> String {
    each_line(text, |line| {
        let line = disarm(&tidy(line, usize::MAX, |c| c)).replace("##[", "# #[");
        match line.char_indices().nth(LINE_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    })
}

/// A finished page of Markdown for a stream that a CI runner may read. It holds other people's text only as its writer has
/// made it safe, so the characters stay by which that breaks mentions and links. A command is broken as in a log, and is
/// found behind such characters as well.
pub fn page(page: &str) -> String {
    each_line(page, |line| {
        let pieces: Vec<String> = line.split(GUARD).map(|piece| tidy(piece, usize::MAX, |c| c)).collect();
        disarm_guarded(&pieces.join(&GUARD.to_string()))
    })
}

/// `: :` at the beginning of a line and `## [` in it, whatever stands in between without a width.
fn disarm_guarded(line: &str) -> String {
    let mut disarmed = String::with_capacity(line.len());
    let mut seen = String::new();
    for c in line.chars() {
        let is_command = c == ':' && seen.trim_start() == ":" || c == '[' && seen.ends_with("##");
        if is_command {
            disarmed.push(' ');
            seen.push(' ');
        }
        disarmed.push(c);
        if c != GUARD {
            seen.push(c);
        }
    }
    disarmed
}

/// A JSON document as one that is inert in a log and on a terminal. It parses to the same value: what is dangerous stands
/// in strings alone, and is written there as an escape.
pub fn json(document: &str) -> String {
    let mut inert = String::with_capacity(document.len());
    let mut units = [0; 2];
    for c in document.chars() {
        match c {
            '[' if inert.ends_with("##") => {
                inert.pop();
                inert.push_str("\\u0023[");
            }
            '\n' | '\t' => inert.push(c),
            c if c.is_control() || is_line_end(c) || is_invisible(c) => {
                for unit in c.encode_utf16(&mut units) {
                    inert.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => inert.push(c),
        }
    }
    inert
}

/// Every other line end than `\n`, as terminals, browsers and .NET see them.
fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn each_line(text: &str, line: impl Fn(&str) -> String) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|one| line(one.trim_end_matches(is_line_end)))
        .collect();
    lines.join("\n")
}

/// A line that would begin with `::` begins with `: :`. What counts as blank is the same to Rust and to .NET.
fn disarm(line: &str) -> String {
    let start = line.trim_start();
    match start.strip_prefix("::") {
        Some(rest) => format!("{}: :{rest}", &line[..line.len() - start.len()]),
        None => line.to_owned(),
    }
}

fn tidy(text: &str, chars_max: usize, map: impl Fn(char) -> char) -> String {
    let mut tidy = String::with_capacity(text.len().min(chars_max));
    let mut length = 0;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if is_escape(c) {
            rest = after_escape(c, rest.as_str()).chars();
            continue;
        }
        let is_break = c == '\n' || is_line_end(c);
        if is_break && c == '\r' && rest.as_str().starts_with('\n') {
            continue;
        }
        if !is_break && (c.is_control() && c != '\t' || is_invisible(c)) {
            continue;
        }
        length += 1;
        if length > chars_max {
            tidy.push('…');
            break;
        }
        if is_break {
            tidy.push_str(LINE_END);
        } else {
            tidy.push(map(c));
        }
    }
    tidy
}

/// ESC, and the characters of C1 that begin a sequence by themselves.
fn is_escape(c: char) -> bool {
    matches!(
        c,
        '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}' | '\u{9e}' | '\u{9f}'
    )
}

/// What is left behind an escape sequence (ECMA-48) whose first character has been read.
fn after_escape(first: char, rest: &str) -> &str {
    let mut after = rest.chars();
    let kind = if first == '\u{1b}' { after.next() } else { Some(first) };
    match kind {
        Some('[' | '\u{9b}') => after_csi(after.as_str()),
        Some(']' | 'P' | 'X' | '^' | '_' | '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}') => {
            after_control_string(after.as_str())
        }
        // Others have intermediate characters and a final one: `ESC ( B`.
        Some(' '..='/') => {
            let end = after.as_str().trim_start_matches(|c| matches!(c, ' '..='/'));
            end.strip_prefix(|c| matches!(c, '0'..='~')).unwrap_or(end)
        }
        Some('0'..='~') => after.as_str(),
        _ => rest,
    }
}

fn after_csi(rest: &str) -> &str {
    let end = rest.trim_start_matches(|c| matches!(c, ' '..='?'));
    // Without a final character it is none, and only its introduction goes.
    end.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(rest)
}

/// Ends with BEL or ST. One that does not end would swallow the rest of the line, so its text is kept.
fn after_control_string(rest: &str) -> &str {
    let mut is_after_escape = false;
    for (at, c) in rest.char_indices().take(CONTROL_STRING_MAX) {
        match c {
            '\u{7}' | '\u{9c}' => return &rest[at + c.len_utf8()..],
            '\\' if is_after_escape => return &rest[at + 1..],
            '\n' | '\r' => break,
            _ => is_after_escape = c == '\u{1b}',
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::{block, clean, json, log, page};

    #[test]
    fn escape_sequences_and_line_breaks_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc"), "ab ⏎ c");
        assert_eq!(
            clean("\u{1b}]8;;https://evil.example\u{7}click\u{1b}]8;;\u{1b}\\ me"),
            "click me"
        );
        assert_eq!(clean("a\u{9b}2Jb\u{1b}(Bc\u{1b}cd"), "abcd");
        assert_eq!(clean("a\r\nb\rc\u{2028}d\u{85}e\r\n\n"), "a ⏎ b ⏎ c ⏎ d ⏎ e");
    }

    #[test]
    fn an_unfinished_sequence_hides_nothing() {
        assert_eq!(clean("\u{1b}]0;the rest"), "0;the rest");
        assert_eq!(clean("\u{1b}[12"), "12");
        assert_eq!(clean("the end\u{1b}"), "the end");
    }

    #[test]
    fn what_has_no_width_is_gone_before_commands_are_looked_for() {
        assert_eq!(log("#\u{200b}#\0[error]x"), "# #[error]x");
        assert_eq!(log("\u{feff}\u{3000}:\u{ad}:error::x"), "\u{3000}: :error::x");
    }

    #[test]
    fn s07_a_page_keeps_what_breaks_mentions_and_is_no_command() {
        let written = "# x\n\n\\@\u{200b}octocat https:\u{200b}//x.y\n";
        assert_eq!(page(written), written);
        for (hostile, inert) in [
            ("a\n \u{200b}:\u{200b}:error::x", "a\n \u{200b}:\u{200b} :error::x"),
            ("x ##\u{200b}[error]y", "x ##\u{200b} [error]y"),
            ("a\u{1b}[2Jb\u{202e}c\u{feff}", "abc"),
        ] {
            assert_eq!(page(hostile), inert);
        }
    }

    #[test]
    fn no_line_of_a_log_is_a_command() {
        assert_eq!(
            log("a\n::error::x\n \t::x\n###[group]y##[z]"),
            "a\n: :error::x\n \t: :x\n## #[group]y# #[z]"
        );
        assert_eq!(log("a\r::error::x\r\nb"), "a ⏎ ::error::x\nb");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let text = "plan for web in demo: web:1 -> web:(new)\n\t1. a :: b ## c [d]\n\n  ⏎ 100 % “ok” 🎉\n";
        assert_eq!(log(text), text);
        assert_eq!(block(text), text);
    }

    #[test]
    fn what_is_longer_than_a_screenful_is_cut() {
        assert_eq!(clean(&"ä".repeat(2_000)), "ä".repeat(2_000));
        assert_eq!(clean(&"ä".repeat(2_001)), format!("{}…", "ä".repeat(2_000)));
    }

    #[test]
    fn a_document_is_inert_and_means_the_same() {
        let value =
            serde_json::json!({"a##[b": "###[error]\u{1b}[0m\u{9b}\u{202e}\u{2028}\u{e0041}\r\n::x", "c": ["##["]});
        let inert = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!inert.contains("##["), "{inert}");
        assert!(
            inert
                .chars()
                .all(|c| c == '\n' || !c.is_control() && !portzero_core::values::is_invisible(c)),
            "{inert:?}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&inert).unwrap(), value);
    }
}
