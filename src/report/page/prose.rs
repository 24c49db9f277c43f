//! Our own sentences as Markdown.

use crate::report::markdown::Markdown;

/// Our own sentences quote names with backticks: what stands between two of them becomes a code span.
pub(super) fn prose(text: &str, md: Markdown<'_>) -> String {
    // A value that holds one would be looked for in halves.
    let text = &md.line(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|part| part.is_empty()) {
        return md.text(text);
    }
    let parts = parts
        .iter()
        .enumerate()
        .map(|(index, part)| match (index % 2, part.is_empty()) {
            (_, true) => String::new(),
            (0, _) => spaced(part, &md.text(part)),
            _ => md.code(part),
        });
    parts.collect()
}

/// Blanks at the ends of a part separate it from its neighbours, and an escape may trim them.
fn spaced(part: &str, escaped: &str) -> String {
    let before = if part.starts_with(' ') { " " } else { "" };
    let after = if part.len() > 1 && part.ends_with(' ') { " " } else { "" };
    format!("{before}{}{after}", escaped.trim())
}
