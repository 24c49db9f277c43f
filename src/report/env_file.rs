//! The files that GitHub's runner reads when a step has ended: outputs, and the step summary.

use std::fmt::{self, Write as _};

/// Why an entry is not written: the runner would read another one, or fail the whole step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The name of the entry.
    Name(String),
    /// The entry whose name or value holds the delimiter.
    Delimiter(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "{name:?} is no name for an output: letters, digits, `_` and `-`, and no digit or `-` at the start"
            ),
            Self::Delimiter(name) => write!(f, "the output {name:?} holds the delimiter, and would end early"),
        }
    }
}

impl std::error::Error for Refused {}

/// A word that no value holds, because nobody could know it.
pub fn delimiter(entropy: [u8; 16]) -> String {
    entropy.iter().fold(String::from("ghadelimiter_"), |mut word, byte| {
        let _ = write!(word, "{byte:02x}");
        word
    })
}

/// The entries in the form that takes any value, several lines too. All line ends become `\n`: a runner on Windows takes a
/// `\r` before one for a part of the file and not of the value, so that another value would come back. NUL, which
/// no environment can hold, goes.
///
/// # Errors
/// One entry cannot be written, so none is.
pub fn entries(pairs: &[(&str, String)], delimiter: &str) -> Result<String, Refused> {
    let mut text = String::new();
    for (name, value) in pairs {
        if !is_name(name) {
            return Err(Refused::Name((*name).to_owned()));
        }
        if delimiter.is_empty() || delimiter.contains('\n') || value.contains(delimiter) || name.contains(delimiter) {
            return Err(Refused::Delimiter((*name).to_owned()));
        }
        let value = value.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
        let _ = write!(text, "{name}<<{delimiter}\n{value}\n{delimiter}\n");
    }
    Ok(text)
}

fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit() || c == '-')
}

const CUT: &str = "\n*(The rest is too long for GitHub. The log has it.)*\n";
/// `</details>` and a line around it.
const DETAILS_END: &str = "\n</details>\n";

/// The page in at most so many bytes, cut between two lines. What is open where it is cut (a fence, details) is closed, and
/// a last line says that it was cut. Empty where not even that line fits.
pub fn summary(markdown: &str, bytes_max: usize) -> String {
    if markdown.len() <= bytes_max {
        return markdown.to_owned();
    }
    let mut open = Open::default();
    let mut end = 0;
    let mut closing = CUT.to_owned();
    if closing.len() > bytes_max {
        return String::new();
    }
    for line in markdown.split_inclusive('\n') {
        open.read(line);
        let after = format!("{}{CUT}", open.closing());
        // Closing costs less after some lines than after others, so a later one may fit where an earlier one did not:
        // the first that does not fit ends it all the same, because what follows would follow nothing.
        if end + line.len() + after.len() + 1 > bytes_max {
            break;
        }
        end += line.len();
        closing = after;
    }
    let gap = if markdown[..end].ends_with('\n') || end == 0 {
        ""
    } else {
        "\n"
    };
    format!("{}{gap}{closing}", &markdown[..end])
}

/// What a page has begun and not ended, line by line. Our own pages have raw HTML in lines of their own.
#[derive(Default)]
struct Open {
    /// The backticks or tildes of a fence.
    fence: Option<String>,
    details: usize,
}

impl Open {
    fn read(&mut self, line: &str) {
        let line = line.trim();
        let run: String = line
            .chars()
            .next()
            .filter(|c| matches!(c, '`' | '~'))
            .map(|first| line.chars().take_while(|c| *c == first).collect())
            .unwrap_or_default();
        match &self.fence {
            Some(fence) if run.starts_with(fence.as_str()) && run.len() == line.len() => self.fence = None,
            Some(_) => {}
            None if run.len() >= 3 && !(run.starts_with('`') && line[run.len()..].contains('`')) => {
                self.fence = Some(run);
            }
            None => {
                self.details += line.matches("<details").count();
                self.details = self.details.saturating_sub(line.matches("</details>").count());
            }
        }
    }

    fn closing(&self) -> String {
        let fence = self.fence.as_ref().map(|f| format!("{f}\n")).unwrap_or_default();
        fence + &DETAILS_END.repeat(self.details)
    }
}

#[cfg(test)]
mod tests {
    use super::{Refused, delimiter, entries, summary};

    #[test]
    fn entries_are_heredocs_with_the_delimiter_of_the_run() {
        let word = delimiter([0xab; 16]);
        assert_eq!(word, format!("ghadelimiter_{}", "ab".repeat(16)));
        let pairs = [
            ("verdict", "succeeded".to_owned()),
            ("table", "a\r\nb\rc\n\0".to_owned()),
        ];
        assert_eq!(
            entries(&pairs, "END").unwrap(),
            "verdict<<END\nsucceeded\nEND\ntable<<END\na\nb\nc\n\nEND\n"
        );
    }

    #[test]
    fn a_name_or_a_value_that_would_make_another_entry_is_refused() {
        for name in ["", "1a", "-a", "a b", "a=b", "a<<b", "a\nb", "ä"] {
            assert_eq!(
                entries(&[(name, String::new())], "END"),
                Err(Refused::Name(name.into())),
                "{name}"
            );
        }
        let held = entries(&[("ok", "x\nEND\ny".to_owned())], "END");
        assert_eq!(held, Err(Refused::Delimiter("ok".into())));
        assert!(entries(&[("ok", String::new())], "").is_err());
    }

    #[test]
    fn a_page_that_fits_is_not_touched() {
        assert_eq!(summary("a\n```\nb", 7), "a\n```\nb");
    }

    #[test]
    fn a_page_is_cut_between_lines_and_what_is_open_is_closed() {
        let line = "0123456789\n".repeat(20);
        let page = format!("# A\n<details><summary>x</summary>\n\n````text\n```\n{line}````\n\n</details>\n{line}");
        for bytes_max in 0..page.len() {
            let cut = summary(&page, bytes_max);
            assert!(cut.len() <= bytes_max, "{} > {bytes_max}", cut.len());
            assert!(cut.is_empty() || cut.ends_with("The log has it.)*\n"));
            assert_eq!(cut.matches("````").count() % 2, 0, "{cut}");
            assert_eq!(
                cut.matches("<details").count(),
                cut.matches("</details").count(),
                "{cut}"
            );
        }
        assert_eq!(summary(&page, 20), "");
        assert!(summary(&page, page.len() - 1).contains("</details>\n0123456789\n"));
    }

    #[test]
    fn one_line_that_is_too_long_leaves_the_word_that_it_was_cut() {
        let cut = summary(&"ä".repeat(500_000), 1_000);
        assert_eq!(cut, super::CUT);
    }
}
