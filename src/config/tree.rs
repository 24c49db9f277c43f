//! YAML text as a tree of places: every value knows its line and column, and scalars keep the text that was written.
//!
//! The typed readers above work on this tree and not on derived structs, because a message needs the path, the place
//! and the written text at once, and because one run should name everything that is wrong.

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::position::Position;
use portzero_core::yaml::{self, OtherTags, Reason, Refused, boolean, is_null};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub place: Position,
    /// The text before interpolation, where that changed it: messages show this one, never what came in.
    pub written: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    /// A plain scalar that YAML takes for a number or a boolean, as it is written.
    Plain(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Position,
    pub value: Node,
}

/// Parses one YAML document. A file with nothing in it is a document with nothing in it.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, Box<Finding>> {
    match yaml::read(text, OtherTags::Refused) {
        Ok(root) => Ok(Node::of(root)),
        Err(refused) if refused.reason == Reason::Empty => Ok(Node {
            value: Value::Null,
            place: refused.at,
            written: None,
        }),
        Err(refused) => Err(Box::new(refusal(&refused, file))),
    }
}

impl Node {
    /// What a message calls this value. Interpolated text is shown as it was written.
    pub(super) fn shown(&self) -> String {
        match (&self.written, &self.value) {
            (Some(written), _) => format!("{written:?}"),
            (None, Value::Null) => "nothing".to_owned(),
            (None, Value::Plain(text)) => text.clone(),
            (None, Value::Text(text)) => format!("{text:?}"),
            (None, Value::List(_)) => "a list".to_owned(),
            (None, Value::Map(_)) => "a map".to_owned(),
        }
    }

    fn of(node: yaml::Node) -> Node {
        let value = match node.kind {
            yaml::Kind::Scalar { text, is_plain: true } if is_null(&text) => Value::Null,
            yaml::Kind::Scalar { text, is_plain: true } if boolean(&text).is_some() || is_number(&text) => {
                Value::Plain(text)
            }
            yaml::Kind::Scalar { text, .. } => Value::Text(text),
            yaml::Kind::List(items) => Value::List(items.into_iter().map(Node::of).collect()),
            yaml::Kind::Map(entries) => Value::Map(entries.into_iter().map(Entry::of).collect()),
        };
        Node {
            value,
            place: node.at,
            written: None,
        }
    }
}

impl Entry {
    fn of(entry: yaml::Entry) -> Entry {
        Entry {
            key: entry.key,
            key_place: entry.key_at,
            value: Node::of(entry.value),
        }
    }
}

/// Whether YAML takes the text for a number. It stays the text that it is: this is for messages, which show a number
/// without quotes.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let has_digits_of = |radix: u32, digits: &str| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    match unsigned.get(..2) {
        Some("0x") => has_digits_of(16, &unsigned[2..]),
        Some("0o") => has_digits_of(8, &unsigned[2..]),
        _ if matches!(unsigned, ".inf" | ".Inf" | ".INF") => true,
        _ if matches!(text, ".nan" | ".NaN" | ".NAN") => true,
        // What Rust reads beyond that are words: `inf`, `nan`, `infinity`.
        _ => unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok(),
    }
}

fn refusal(refused: &Refused, file: &str) -> Finding {
    let finding = match &refused.reason {
        Reason::TooLarge(bytes) => {
            let most = yaml::BYTES_MAX;
            let summary = format!("{file} is too large for a configuration: {bytes} bytes, at most {most} are read");
            Finding::error(Code::Config, summary)
        }
        Reason::NulByte => Finding::error(Code::Syntax, format!("{file} is not text: it holds a NUL byte"))
            .hint("save the file as UTF-8"),
        Reason::Empty => Finding::error(Code::Config, format!("{file} is empty")),
        Reason::TooDeep | Reason::TooManyNodes => {
            let summary = format!(
                "{file} is too intricate for a configuration: at most {} levels and {} values (aliases followed) are read",
                yaml::DEPTH_MAX,
                yaml::NODES_MAX
            );
            Finding::error(Code::Config, summary)
        }
        Reason::SeveralDocuments => Finding::error(Code::Syntax, format!("{file} holds more than one YAML document"))
            .hint("keep one configuration in one file, without `---` between"),
        Reason::DuplicateKey { key, first } => {
            Finding::error(Code::DuplicateKey, format!("the key `{key}` is there twice in one map"))
                .evidence("first", first.in_file(file).to_string())
                .hint(format!("keep one `{key}`"))
        }
        Reason::Tag(tag) => {
            let summary = format!("{file} is not YAML as it is read here: the tag `{tag}` is another tool's");
            Finding::error(Code::Syntax, summary).hint("write the value itself; `${NAME}` takes one from outside")
        }
        Reason::Syntax(mistake) => {
            let finding = Finding::error(Code::Syntax, format!("{file} is not YAML: {}", mistake.said));
            mistake.hint.iter().cloned().fold(finding, Finding::hint)
        }
    };
    finding.at(refused.at.in_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_yaml() {
        for text in [
            "0", "-1", "+1", "007", "1.10", ".5", "5.", "1e3", "-1.5E-3", "0x1F", "0o17", "-.inf", ".NaN",
        ] {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1_000",
            "12:30",
            "inf",
            "nan",
            "-infinity",
            "1e",
            "0x",
            "0o9",
            "1.2.3",
            "é",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }
}
