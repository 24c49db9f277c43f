//! The labels in front of lines of evidence.

use std::fmt;

/// What a line of evidence is. The labels that decide something have a name of their own, so that nothing is decided by
/// a spelling; the others are free words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceLabel {
    /// `answer`: what the service that was called has answered.
    Answer,
    /// `ecs`: what ECS says of it, in its own words.
    Ecs,
    /// `logs`: where a container's output is kept.
    Logs,
    /// `log`: a line of that output.
    Log,
    /// Any other word.
    Other(String),
}

impl EvidenceLabel {
    /// As it is printed.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Answer => "answer",
            Self::Ecs => "ecs",
            Self::Logs => "logs",
            Self::Log => "log",
            Self::Other(word) => word,
        }
    }

    fn named(word: &str) -> Option<Self> {
        let named = [Self::Answer, Self::Ecs, Self::Logs, Self::Log];
        named.into_iter().find(|label| label.as_str() == word)
    }
}

impl fmt::Display for EvidenceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that has a name becomes that one, so that no label stands for two things.
impl From<&str> for EvidenceLabel {
    fn from(word: &str) -> Self {
        Self::named(word).unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

impl From<String> for EvidenceLabel {
    fn from(word: String) -> Self {
        Self::named(&word).unwrap_or(Self::Other(word))
    }
}

impl PartialEq<str> for EvidenceLabel {
    fn eq(&self, word: &str) -> bool {
        self.as_str() == word
    }
}

impl PartialEq<&str> for EvidenceLabel {
    fn eq(&self, word: &&str) -> bool {
        self.as_str() == *word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_has_a_name_is_that_label_however_it_comes() {
        assert_eq!(EvidenceLabel::from("logs"), EvidenceLabel::Logs);
        assert_eq!(EvidenceLabel::from("ecs".to_owned()), EvidenceLabel::Ecs);
        let free = EvidenceLabel::from("web:41".to_owned());
        assert_eq!((free.as_str(), free == "web:41"), ("web:41", true));
    }
}
