//! The template languages that task definition files are written in, and what a text has of them.

/// More names than this help nobody, and longer ones are no names: both keep a hostile file from costing time.
const NAMES_MAX: usize = 50;
const NAME_BYTES_MAX: usize = 128;

/// What may stand between the two ends of a placeholder.
#[derive(Clone, Copy)]
enum Inside {
    /// A name.
    Name,
    /// A name in capitals: `__init__` and `a@b@c` are no placeholders.
    Capitals,
    /// A name, and a default after a colon.
    WithDefault,
    /// An expression of the language.
    Expression,
    /// Words, as somebody writes them who wants them replaced by hand.
    Words,
}

/// One way to mark what is to be filled in.
pub(crate) struct Form {
    open: &'static str,
    close: &'static str,
    inside: Inside,
    /// As docs/findings.md shows it.
    #[cfg(test)]
    example: &'static str,
}

macro_rules! forms {
    ($($open:literal $close:literal $inside:ident $example:literal;)*) => {
        /// Longer beginnings first.
        const FORMS: &[Form] = &[$(Form {
            open: $open,
            close: $close,
            inside: Inside::$inside,
            #[cfg(test)]
            example: $example,
        }),*];
    };
}

forms! {
    "${{" "}}" Expression "${{ github.sha }}";
    "{{" "}}" Expression "{{ must_env `TAG` }}";
    "{%" "%}" Expression "{% if tag %}";
    "<%" "%>" Expression "<%= tag %>";
    "${" "}" WithDefault "${TAG}";
    "$(" ")" Expression "$(TAG)";
    "#{" "}" Name "#{TAG}";
    "__" "__" Capitals "__TAG__";
    "@" "@" Capitals "@TAG@";
    "%" "%" Capitals "%TAG%";
    "<" ">" Words "<your image>";
    "$" "" Name "$TAG";
}

/// The placeholders in `text`, in order, without repetition. Defaults are left out, because one may be a credential.
pub(crate) fn names_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    let mut before = None;
    while let Some(first) = rest.chars().next().filter(|_| names.len() < NAMES_MAX) {
        let length = match found_at(rest, before) {
            Some((form, length)) => {
                let name = shown(form, &rest[..length]);
                if !names.contains(&name) {
                    names.push(name);
                }
                length
            }
            None => first.len_utf8(),
        };
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    names
}

/// The placeholder that `text` starts with.
pub(crate) fn at_start(text: &str) -> Option<String> {
    let (form, length) = found_at(text, None)?;
    Some(shown(form, &text[..length]))
}

fn shown(form: &Form, placeholder: &str) -> String {
    let inner = &placeholder[form.open.len()..placeholder.len() - form.close.len()];
    match form.inside {
        Inside::WithDefault => match inner.split_once(':') {
            Some((name, _)) => format!("${{{name}}}"),
            None => placeholder.to_owned(),
        },
        // A function and its first argument; what follows may be a default.
        Inside::Expression => {
            let first = inner.split([',', '|']).next().unwrap_or(inner);
            let words: Vec<&str> = first.split_whitespace().collect();
            if first.len() == inner.len() && words.len() <= 2 {
                return placeholder.to_owned();
            }
            let kept: Vec<&str> = words.into_iter().take(2).collect();
            format!("{} {} … {}", form.open, kept.join(" "), form.close)
        }
        _ => placeholder.to_owned(),
    }
}

/// The placeholder at the start of `text` and its length in bytes; `before` is the character in front of it.
fn found_at(text: &str, before: Option<char>) -> Option<(&'static Form, usize)> {
    let form = FORMS.iter().find(|form| text.starts_with(form.open))?;
    let inside = &text[form.open.len()..];
    if form.close.is_empty() {
        // `$$NAME` is an escaped one.
        let end = inside
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
            .count();
        let is_name = (2..=NAME_BYTES_MAX).contains(&end) && before != Some('$') && is_identifier(&inside[..end]);
        return is_name.then_some((form, form.open.len() + end));
    }
    let end = inside
        .as_bytes()
        .windows(form.close.len())
        .take(NAME_BYTES_MAX)
        .position(|bytes| bytes == form.close.as_bytes())?;
    let name = &inside[..end];
    let after = &inside[end + form.close.len()..];
    let is_placeholder = match form.inside {
        Inside::Name => is_identifier(name),
        Inside::WithDefault => {
            before != Some('$') && is_identifier(name.split_once(':').map_or(name, |(name, _)| name))
        }
        // `%%x%%` is an escape; a word that only touches the marks (`a__B__c`, `x@Y@z`) is somebody's name.
        Inside::Capitals => {
            let touches = |c: char| match form.open {
                "%" => c == '%',
                _ => c.is_ascii_alphanumeric() || c == '_',
            };
            is_capitals(name) && !before.is_some_and(touches) && !after.starts_with(touches)
        }
        Inside::Expression => is_expression(form, name, before),
        Inside::Words => is_words(name),
    };
    is_placeholder.then_some((form, form.open.len() + end + form.close.len()))
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// `%Y-%m-%d`, `%S` are date formats, `%C3%A9` is an escape in a URL: a name has three capitals or more.
fn is_capitals(name: &str) -> bool {
    name.len() >= 3
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// `{{"a": 1}}` is JSON with a brace too many and no expression.
fn is_expression(form: &Form, inner: &str, before: Option<char>) -> bool {
    let escaped = form.open.starts_with('$') && before == Some('$');
    let inner = inner.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '=');
    !escaped && inner.starts_with(|c: char| c.is_ascii_alphabetic() || "._$(#/`".contains(c))
}

fn is_words(inner: &str) -> bool {
    inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !inner.ends_with(' ')
        && inner.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_all_kinds_are_seen() {
        let text = "arn:<region>:${container-port}/{{ecsTaskRoleArn}}:v_%BUILD_NUMBER%-${TAG:-latest} <region>";
        assert_eq!(
            names_in(text),
            [
                "<region>",
                "${container-port}",
                "{{ecsTaskRoleArn}}",
                "%BUILD_NUMBER%",
                "${TAG}"
            ]
        );
    }

    #[test]
    fn p03_each_form_is_seen_and_stands_on_the_page() {
        let page = include_str!("../../../../../docs/findings.md");
        for form in FORMS {
            assert_eq!(names_in(&format!("r/a:{}", form.example)), [form.example]);
            let cell = format!("`{}`", form.example.replace('`', "\""));
            assert!(page.contains(&cell), "docs/findings.md lacks {cell}");
        }
    }

    #[test]
    fn p03_what_may_be_a_default_is_not_shown() {
        for (text, shown) in [
            ("{{ env `A` `hunter2` }}", "{{ env `A` … }}"),
            ("{{ a | default('hunter2') }}", "{{ a … }}"),
            ("<%= ENV.fetch('A', 'hunter2') %>", "<% = ENV.fetch('A' … %>"),
            ("${A:-hunter2}", "${A}"),
        ] {
            assert_eq!(names_in(text), [shown]);
        }
    }

    #[test]
    fn date_formats_and_escapes_are_no_placeholders() {
        for text in [
            r"\[%Y-%m-%d %H:%M:%S\]",
            "caf%C3%A9%20",
            "$${HOME}",
            "$$HOME",
            "%%NAME%%",
            "a < b > c",
            "a < b",
            "100%",
            "$5",
            "__init__",
            "someone@EXAMPLE@host",
            r#"{{"a": 1}}"#,
            "</html>",
        ] {
            assert_eq!(names_in(text), Vec::<String>::new(), "{text}");
        }
    }
}
