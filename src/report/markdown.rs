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

    /// A code span for a table cell.
    pub fn cell_code(&self, data: &str) -> String {
        self.code(data)
    }

    pub fn link(&self, label: &str, url: &str) -> String {
        format!("[{}]({url})", self.text(label))
    }

    pub fn details(&self, summary: &str, body: &str) -> String {
        format!(
            "<details><summary>{}</summary>\n\n{body}\n</details>",
            self.redaction.apply(summary)
        )
    }

    pub fn mermaid(&self, data: &str) -> String {
        self.redaction.apply(data)
    }

    /// A fenced block.
    pub fn fence(&self, language: &str, data: &str) -> String {
        format!("```{language}\n{}\n```\n", self.redaction.apply(data))
    }
}
