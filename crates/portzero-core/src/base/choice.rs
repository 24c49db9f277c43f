//! Choices that users write as words, in flags and in files.

use std::fmt;

use crate::base::text::nearest;

/// A word that none of the known ones is. The message lists them and names the nearest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownWord {
    /// What was written.
    pub word: String,
    /// The words that would have been understood, in the order in which they are offered.
    pub known: &'static [&'static str],
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one of {}, got {:?}", self.known.join(", "), self.word)?;
        match nearest(&self.word, self.known.iter().copied()) {
            Some(word) => write!(f, "; did you mean `{word}`?"),
            None => Ok(()),
        }
    }
}

/// Makes a choice readable by the words that users write for it.
macro_rules! choice {
    ($name:ident: $vis:vis $known:ident = $($variant:ident $text:literal),*) => {
        /// The words, in the order in which they are offered.
        $vis const $known: &[&str] = &[$($text),*];

        impl std::str::FromStr for $name {
            type Err = $crate::base::choice::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::base::choice::UnknownWord { word: text.to_owned(), known: $known }),
                }
            }
        }
    };
}
pub(crate) use choice;
