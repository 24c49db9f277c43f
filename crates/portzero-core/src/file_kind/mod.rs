//! What a file is that was given as something else: a template of another tool, an answer of AWS, a language that JSON is
//! made with. One recognition serves task definitions, configurations and scenarios.
//!
//! It is asked only of a file that is not what it should be. A kind is named where the file shows it beyond doubt; else
//! the reader's own complaint stands.

mod bytes;
mod keys;
mod kind;
mod outline;
mod text;
mod words;

use crate::base::finding::{Code, Finding};

pub use bytes::not_text;
pub use kind::{Recognised, Wanted};

use kind::Kind;

/// Says what the file is. `is_read` says that its format is right and what is in it is not.
pub fn recognise(text: &str, file: &str, wanted: Wanted, is_read: bool) -> Option<Recognised> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let by_keys = || outline::of(text).and_then(|root| keys::kind(&root, wanted));
    // What one reader refuses may be right for the other one, so that the marks come first: JSON with comments is YAML.
    let found = match is_read {
        true => text::of_any(text).or_else(by_keys).or_else(|| text::of_readable(text)),
        false => text::of_any(text)
            .or_else(|| text::of_unreadable(text, file))
            .or_else(by_keys)
            .filter(|found| !found.kind.is(wanted))
            .or_else(|| text::yaml_in_json(text, file)),
    }?;
    Some(found).filter(|found| !found.kind.is(wanted))
}

impl Recognised {
    /// The finding: what the file is, where that shows, and what to do.
    pub fn finding(&self, file: &str, wanted: Wanted) -> Finding {
        let summary = words::summary(self.kind, file, wanted);
        let finding = Finding::error(self.code(wanted), summary).at(self.at.in_file(file));
        let hints = words::hints(self.kind, file, wanted).into_iter();
        hints.fold(finding, Finding::hint)
    }

    /// A mistake in the file's form stays one, whatever the file was meant to be.
    fn code(&self, wanted: Wanted) -> Code {
        match self.kind {
            Kind::MergeConflict | Kind::CommentedJson | Kind::Json5 | Kind::YamlInJson => Code::Syntax,
            Kind::Empty | Kind::OnlyComments if wanted == Wanted::TaskDefinition => Code::Syntax,
            _ => wanted.code(),
        }
    }
}

#[cfg(test)]
mod tests;
