//! How a comment says whose it is: a first line that names its key, and a last line that names the run that wrote it.

use std::fmt;

use serde::{Deserialize, Serialize};

const HEAD: &str = "<!-- portzero:v1 key=\"";
const HEAD_END: &str = "\" -->";
const META: &str = "<!-- portzero:meta ";
const META_END: &str = " -->";

/// As long as a key may be, in characters. A marker of it is a small part of the 65 536 characters of a comment, and
/// nobody reads it.
const KEY_LENGTH_MAX: usize = 300;

/// Which of portzero's comments on a pull request: `staging/portzero.yml`. Any text, but not without end: cutting one
/// off would make two keys one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing is left of it.
    #[error("is empty")]
    Empty,
    /// It is longer than a key may be.
    #[error("is longer than {KEY_LENGTH_MAX} characters")]
    TooLong,
}

impl Key {
    /// Checks the text: it stands in a comment, where others may look for it.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        match text.chars().count() {
            0 => Err(KeyError::Empty),
            1..=KEY_LENGTH_MAX => Ok(Self(text)),
            _ => Err(KeyError::TooLong),
        }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The comment's first line. Two keys never have the same one, and no key closes it.
    pub fn marker(&self) -> String {
        format!("{HEAD}{}{HEAD_END}", escaped(&self.0))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The run that wrote a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStamp {
    /// The workflow run's number.
    pub run_id: u64,
    /// Which attempt of that run, from 1.
    pub attempt: u64,
    /// The commit that the run is for.
    pub sha: String,
    /// `deploying`, or a verdict.
    pub state: String,
}

/// How far beyond its own id a run believes that others exist. GitHub counts the runs of all repositories together. A run
/// lasts for 35 days at most, and is run again within 30 days: in that time the ids of github.com grow by less than a
/// twentieth. The count of a young server grows faster than that, and has few runs a day.
const BELIEVED_SHARE: u64 = 20;
const BELIEVED_MIN: u64 = 1_000_000;

impl RunStamp {
    /// Whether this one is of a later run, or a later attempt of the same one. Run ids grow. An id that no run can have
    /// yet is no run's: somebody wrote it so that every other run keeps silent.
    pub(crate) fn is_newer_than(&self, own: &RunStamp) -> bool {
        (self.run_id, self.attempt) > (own.run_id, own.attempt) && self.run_id <= own.highest_believed()
    }

    /// Outside a workflow a run has no id to compare with.
    fn highest_believed(&self) -> u64 {
        match self.run_id {
            0 => u64::MAX,
            own => own.saturating_add(BELIEVED_MIN.max(own / BELIEVED_SHARE)),
        }
    }
}

/// What a comment carries besides its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which of several comments of portzero's in a pull request it is.
    pub key: Key,
    /// The run that wrote it last.
    pub run: RunStamp,
}

impl Mark {
    /// The whole body of the comment: marker, text, stamp.
    pub fn around(&self, text: &str) -> String {
        let text = text.trim_matches('\n');
        // A stamp of four plain members always serializes.
        let run = serde_json::to_string(&self.run).unwrap_or_default();
        format!(
            "{}\n{text}\n\n{META}{}{META_END}\n",
            self.key.marker(),
            unclosable(&run)
        )
    }
}

/// Whether the body begins with the marker of the key, on a line of its own.
pub(crate) fn is_marked(body: &str, key: &Key) -> bool {
    body.strip_prefix(key.marker().as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '\r']))
}

/// The stamp on the body's last line; `None` where there is none that can be read.
pub(crate) fn stamp(body: &str) -> Option<RunStamp> {
    let last = body.trim_end().lines().next_back()?;
    let json = last.strip_prefix(META)?.strip_suffix(META_END)?;
    serde_json::from_str(json).ok()
}

/// Letters, digits and a few more as they are, every other byte as `%` and two digits. It can be undone, so that it
/// keeps different keys different; `-` is not kept, because two of them end an HTML comment.
fn escaped(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// JSON that neither ends the HTML comment around it nor begins another. The three characters stand only inside strings,
/// a negative number being none of the stamp's.
fn unclosable(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('-', "\\u002d")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mark(key: &str) -> Mark {
        Mark {
            key: Key::new(key).expect("a key"),
            run: RunStamp {
                run_id: 12,
                attempt: 2,
                sha: "0a1b".to_owned(),
                state: "succeeded".to_owned(),
            },
        }
    }

    #[test]
    fn a_body_carries_its_key_and_its_run() {
        let body = mark("staging/portzero.yml").around("hello\n");
        assert_eq!(
            body,
            "<!-- portzero:v1 key=\"staging/portzero.yml\" -->\nhello\n\n\
             <!-- portzero:meta {\"run_id\":12,\"attempt\":2,\"sha\":\"0a1b\",\"state\":\"succeeded\"} -->\n"
        );
        assert!(is_marked(&body, &mark("staging/portzero.yml").key));
        assert_eq!(stamp(&body), Some(mark("x").run));
    }

    #[test]
    fn a_body_must_begin_with_the_marker() {
        let key = mark("staging").key;
        let body = mark("staging").around("hello");
        assert!(!is_marked(&format!("> {body}"), &key));
        assert!(!is_marked(&format!("\n{body}"), &key));
        assert!(!is_marked(&format!("{} x", key.marker()), &key));
        assert!(!is_marked(&mark("staging2").around("hello"), &key));
        assert!(is_marked(&body.replace('\n', "\r\n"), &key));
    }

    #[test]
    fn a_stamp_is_read_from_the_last_line_only() {
        let body = mark("a").around("hello");
        assert_eq!(stamp(&format!("{body}more")), None);
        assert_eq!(stamp(&body.replace("\"run_id\":12", "\"run_id\":\"12\"")), None);
        assert_eq!(stamp(&body.replace('\n', "\r\n")), Some(mark("a").run));
        let forged =
            mark("a").around("<!-- portzero:meta {\"run_id\":99,\"attempt\":1,\"sha\":\"\",\"state\":\"\"} -->");
        assert_eq!(stamp(&forged), Some(mark("a").run));
    }

    #[test]
    fn s15_a_run_id_is_believed_as_far_as_runs_can_have_come() {
        let of = |run_id| RunStamp {
            run_id,
            attempt: 1,
            ..RunStamp::default()
        };
        let is_believed = |theirs, own| of(theirs).is_newer_than(&of(own));
        let today = 20_000_000_000;
        for newer in [today + 1, today + 500_000_000, today + 1_000_000_000] {
            assert!(is_believed(newer, today), "{newer}");
        }
        for forged in [today + 1_000_000_001, 2 * today, u64::MAX] {
            assert!(!is_believed(forged, today), "{forged}");
        }
        assert!(is_believed(1_000_007, 7) && !is_believed(1_000_008, 7));
        assert!(is_believed(today, 0), "outside a workflow nothing is known");
        assert!(!is_believed(u64::MAX, u64::MAX));
    }

    #[test]
    fn a_key_has_a_length() {
        assert_eq!(Key::new(""), Err(KeyError::Empty));
        assert_eq!(Key::new("k".repeat(301)), Err(KeyError::TooLong));
        assert!(Key::new("é".repeat(300)).is_ok());
    }

    /// What would end or begin an HTML comment, and what tells keys apart, turns up often.
    fn nasty() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop::sample::select(vec!["-", "--", ">", "<!--", "\"", "%", "%2D", "\n", "a", "é"]),
            1..8,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn two_keys_never_have_the_same_marker(one in nasty(), other in nasty()) {
            let (one, other) = (Key::new(one).unwrap(), Key::new(other).unwrap());
            prop_assert_eq!(one == other, one.marker() == other.marker());
            prop_assert_eq!(one == other, is_marked(&one.marker(), &other));
        }

        #[test]
        fn no_data_closes_a_marker_or_a_stamp(key in nasty(), sha in nasty(), state in nasty()) {
            let mark = Mark { key: Key::new(key).unwrap(), run: RunStamp { run_id: 1, attempt: 1, sha, state } };
            let body = mark.around("");
            prop_assert_eq!(body.matches("-->").count(), 2);
            prop_assert_eq!(body.matches("--").count(), 4);
            prop_assert_eq!(body.matches('<').count(), 2);
            prop_assert_eq!(stamp(&body), Some(mark.run));
        }
    }
}
