//! YAML text as a tree of places: every value knows its line and column, and scalars keep the text that was written.
//!
//! The typed readers above work on this tree and not on derived structs, because a message needs the path, the place
//! and the written text at once, and because one run should name everything that is wrong.

use std::fmt;

use portzero_core::base::finding::{Code, Finding, Location};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};

/// A configuration is written by people; the largest public ones are under 64 KB.
const SIZE_MAX: usize = 256 * 1024;
/// Deep enough for `services[].containers[].ulimits.x.hard` several times over.
const DEPTH_MAX: usize = 32;
/// Counted after aliases are followed, which is what defuses a bomb.
const NODES_MAX: usize = 20_000;
const ALIASES_MAX: usize = 500;

/// Line and column, from 1; (0, 0) where the parser does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
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
    pub key_place: Place,
    pub value: Node,
}

/// Parses one YAML document.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, Box<Finding>> {
    let start = Location {
        file: file.to_owned(),
        line: 1,
        column: 1,
    };
    if text.len() > SIZE_MAX {
        let summary = format!(
            "{file} is too large for a configuration: {} bytes, at most {SIZE_MAX} are read",
            text.len()
        );
        return Err(Box::new(Finding::error(Code::Config, summary).at(start)));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        return Err(Box::new(
            Finding::error(Code::Syntax, format!("{file} is not text: it holds a NUL byte"))
                .at(place_of(text, at).locate(file))
                .hint("save the file as UTF-8"),
        ));
    }
    let document: Spanned<Raw> =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| Box::new(refusal(&error, text, file)))?;
    Ok(Node::from_raw(document, text))
}

impl Place {
    pub(super) fn locate(self, file: &str) -> Location {
        Location {
            file: file.to_owned(),
            line: self.line.max(1),
            column: self.column.max(1),
        }
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

    fn from_raw(raw: Spanned<Raw>, source: &str) -> Node {
        let (referenced, defined) = (raw.referenced, raw.defined);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Plain(parsed) => Value::Plain(written(source, defined).unwrap_or(parsed)),
            Raw::Text(text) => Value::Text(text),
            Raw::List(items) => Value::List(items.into_iter().map(|item| Node::from_raw(item, source)).collect()),
            Raw::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        key_place: place(key.referenced),
                        key: key.value,
                        value: Node::from_raw(value, source),
                    })
                    .collect(),
            ),
        };
        Node {
            value,
            place: place(referenced),
            written: None,
        }
    }
}

/// The scalar's own text: `1.10`, not the 1.1 that it was parsed to. A tagged or quoted one is not worth the trouble.
fn written(source: &str, at: serde_saphyr::Location) -> Option<String> {
    let from = usize::try_from(at.span().byte_offset()?).ok()?;
    let to = from.checked_add(usize::try_from(at.span().byte_len()?).ok()?)?;
    let text = source.get(from..to)?.trim();
    let is_bare = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "\"'!&*|>#".contains(c));
    is_bare.then(|| text.to_owned())
}

fn place(at: serde_saphyr::Location) -> Place {
    Place {
        line: usize::try_from(at.line()).unwrap_or(0),
        column: usize::try_from(at.column()).unwrap_or(0),
    }
}

/// The place of a byte offset.
fn place_of(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_aliases: ALIASES_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        strict_booleans: true,
        // `!secret x` is a tag of some other tool's: it would be sent to AWS as `x`.
        reject_unsupported_tags: true,
        // The written text is what counts (`Node::from_raw`), so the float itself is never looked at.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn refusal(error: &serde_saphyr::Error, text: &str, file: &str) -> Finding {
    use serde_saphyr::Error;
    let at = error.location().map(place).unwrap_or_default().locate(file);
    let mut cause = error;
    while let Error::AliasError { error, .. } | Error::WithSnippet { error, .. } = cause {
        cause = error;
    }
    let finding = match cause {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            Finding::error(Code::DuplicateKey, format!("the key `{key}` is there twice in one map"))
        }
        Error::DuplicateMappingKey { .. } => {
            Finding::error(Code::DuplicateKey, "a key is there twice in one map".to_owned())
        }
        Error::Budget { .. } => too_intricate(file),
        Error::MultipleDocuments { .. } => {
            Finding::error(Code::Syntax, format!("{file} holds more than one YAML document"))
                .hint("keep one configuration in one file, without `---` between")
        }
        other => {
            let said = other.to_string();
            // The parser ends with the place, which stands in front of the message already.
            let said = first_line(said.split(" at line ").next().unwrap_or(&said));
            match said {
                // The parser's own limit on brackets, which comes before the budget's on levels.
                "recursion limit exceeded" => too_intricate(file),
                _ => Finding::error(Code::Syntax, format!("{file} is not YAML: {said}")),
            }
        }
    };
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let indent: &str = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
    let has_tab = indent.contains('\t') || finding.summary.ends_with("found a tab");
    let finding = finding.at(at);
    match has_tab {
        true => finding.hint("YAML is indented with spaces; there is a tab here"),
        false => finding,
    }
}

fn too_intricate(file: &str) -> Finding {
    let summary = format!(
        "{file} is too intricate for a configuration: at most {DEPTH_MAX} levels, {NODES_MAX} values (aliases followed) \
         and {ALIASES_MAX} aliases are read"
    );
    Finding::error(Code::Config, summary)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text).trim_end_matches('.')
}

/// What the parser sees, before the written text is put back.
enum Raw {
    Null,
    Plain(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
