//! Markdown that shows data and does nothing else: no link, no mention, no markup of anybody else's making.

use crate::report::redact::Redaction;

/// Turns data into Markdown. Everything it returns is safe in a paragraph, a list item and a table cell alike.
#[derive(Clone, Copy, Debug)]
pub struct Markdown<'r> {
    redaction: &'r Redaction,
}

impl<'r> Markdown<'r> {
    pub fn new(redaction: &'r Redaction) -> Self {
        Self { redaction }
    }

    /// Plain text on one line.
    pub fn text(&self, data: &str) -> String {
        self.redaction.apply(data)
    }

    /// A code span on one line.
    pub fn code(&self, data: &str) -> String {
        format!("`{}`", self.redaction.apply(data))
    }

    /// A fenced block.
    pub fn fence(&self, language: &str, data: &str) -> String {
        format!("```{language}\n{}\n```\n", self.redaction.apply(data))
    }
}
