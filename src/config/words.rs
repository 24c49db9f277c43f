//! A command line cut into words as a POSIX shell does, without expanding anything.

use std::str::Chars;

/// Cuts `text` at white space; quotes and backslashes hold words together.
///
/// # Errors
/// A quote that is not closed, or a backslash at the very end.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => match chars.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("it ends with a backslash"),
            },
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(chars: &mut Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next() {
            Some('\'') => return Ok(()),
            Some(quoted) => word.push(quoted),
            None => return Err("a single quote is not closed"),
        }
    }
}

fn double_quoted(chars: &mut Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next() {
            Some('"') => return Ok(()),
            // Inside double quotes a backslash stays, but before a quote or another backslash.
            Some('\\') => match chars.next() {
                Some(escaped @ ('"' | '\\')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => return Err("a double quote is not closed"),
            },
            Some(quoted) => word.push(quoted),
            None => return Err("a double quote is not closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_cut_as_a_shell_cuts_them() {
        let cases: [(&str, &[&str]); 6] = [
            (
                "gunicorn -b 0.0.0.0:5000  manage:app",
                &["gunicorn", "-b", "0.0.0.0:5000", "manage:app"],
            ),
            (r#"sh -c 'echo "hi" \ $X'"#, &["sh", "-c", r#"echo "hi" \ $X"#]),
            (r#"a"b c"'d e' "" \ x"#, &["ab cd e", "", " x"]),
            (r#""say \"hi\" \n""#, &[r#"say "hi" \n"#]),
            ("it#is # kept", &["it#is", "#", "kept"]),
            ("  ", &[]),
        ];
        for (text, words) in cases {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for open in ["'a", "\"a", "\"a\\", "a\\"] {
            assert!(split(open).is_err(), "{open}");
        }
    }
}
