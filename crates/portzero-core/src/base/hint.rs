//! Next moves of a reader's.

use std::fmt;
use std::ops::Deref;

/// What a hint is about, where something hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HintKind {
    /// Nothing but its text counts.
    #[default]
    Advice,
    /// Go back to what ran before.
    GoBack,
    /// Follow the rollout again.
    FollowAgain,
    /// Give the rollout more time.
    WaitLonger,
    /// Read what a container printed, in one log stream.
    ReadLog {
        /// The name of the log stream.
        stream: String,
    },
}

impl HintKind {
    /// It is about a rollout that goes on, so it is no longer true once the run itself has gone back.
    pub(crate) fn is_about_what_goes_on(&self) -> bool {
        matches!(self, Self::GoBack | Self::FollowAgain | Self::WaitLonger)
    }
}

/// One thing that a reader can do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What hangs on it.
    pub kind: HintKind,
    /// Lower case, no final period.
    pub text: String,
}

impl Hint {
    /// A hint of this kind.
    pub fn new(kind: HintKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// What is printed.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A hint is read as its text.
impl Deref for Hint {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::new(HintKind::Advice, text)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::new(HintKind::Advice, text)
    }
}

impl PartialEq<str> for Hint {
    fn eq(&self, text: &str) -> bool {
        self.text == text
    }
}

impl PartialEq<&str> for Hint {
    fn eq(&self, text: &&str) -> bool {
        self.text == *text
    }
}
