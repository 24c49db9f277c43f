//! Text that is safe to print: whatever AWS, a registry or a file said stays one line without control characters.

/// Other people's text on one line. Control characters (escape sequences, line breaks) become spaces, and what is
/// longer than a screenful is cut.
pub fn clean(text: &str) -> String {
    const CHARS_MAX: usize = 2_000;
    let mut clean: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn escape_sequences_and_line_breaks_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc"), "a [31mb c");
    }
}
