//! Words: suggestions for names that nobody knows, plurals, words of a shell.

/// The known word that `word` is most likely a slip of, if any is near enough.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let wanted = folded(word);
    // Damerau-Levenshtein within a third of the word's length, at least 1: `clutser` finds `cluster`, and `db` does
    // not find `web`.
    let limit = (wanted.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The name in a document that is most alike to `wanted`. Such names are made of several words, and people leave some out,
/// so that a part counts here, where [`nearest`] counts letters: one that holds it or is held by it, else one with few letters changed.
pub(crate) fn most_alike<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for name in names {
        let lower = name.to_lowercase();
        // A part of a name is only telling where it is long enough not to be in many.
        let holds = wanted.len().min(lower.len()) >= 4 && (lower.contains(&wanted) || wanted.contains(&lower));
        let likeness = strsim::normalized_damerau_levenshtein(&wanted, &lower) + if holds { 0.5 } else { 0.0 };
        // Two letters of five: below that a suggestion misleads more often than it helps.
        if likeness >= 0.6 && best.is_none_or(|(known, _)| likeness > known) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Few letters changed, not merely one word in common: `logConfiguration` is no misspelling of `proxyConfiguration`.
pub(crate) fn is_misspelling(key: &str, known: &str) -> bool {
    let changes = strsim::damerau_levenshtein(&key.to_lowercase(), &known.to_lowercase());
    changes <= 1.max(key.chars().count() / 4)
}

/// `task` for one, `tasks` for any other number.
pub(crate) fn plural<N: From<u8> + PartialEq>(n: N, noun: &str) -> String {
    if n == N::from(1) {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}

/// `1 task`, `2 tasks`.
pub fn counted<N: From<u8> + PartialEq + std::fmt::Display>(n: N, noun: &str) -> String {
    let number = n.to_string();
    format!("{number} {}", plural(n, noun))
}

/// A word as a POSIX shell takes it, for a command that somebody copies.
pub fn shell(word: impl std::fmt::Display) -> String {
    let word = word.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// AWS writes the same words in different cases in different years.
pub(crate) fn contains(text: &str, words: &str) -> bool {
    text.to_lowercase().contains(&words.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{nearest, shell};

    #[test]
    fn s12_a_word_of_a_command_is_quoted_for_a_shell() {
        for (word, quoted) in [
            ("web-1", "web-1"),
            (
                "arn:aws:ecs:us-east-1:1:service/a/b",
                "arn:aws:ecs:us-east-1:1:service/a/b",
            ),
            ("", "''"),
            ("a;id", "'a;id'"),
            ("$(id)`id`", "'$(id)`id`'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(shell(word), quoted);
        }
    }

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        assert_eq!(nearest("wbe", ["api", "web"]), Some("web"));
        assert_eq!(nearest("db", ["web"]), None);
    }
}
