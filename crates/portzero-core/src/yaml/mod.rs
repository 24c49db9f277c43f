//! YAML by its events: the text of a scalar, whether it was quoted, and where it stands. Task definitions and
//! configurations are read with it; what a plain scalar means is for each of them to say.
//!
//! What is refused is a value, so that each reader says it in its own words.

mod node;
mod words;

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span, StrInput, Tag, options};

use crate::base::position::Position;

pub use node::{Entry, Kind, Node, boolean, is_null};
pub use words::Mistake;

/// Four times what AWS takes of a task definition; the largest public configurations have under 64 KB.
pub const BYTES_MAX: usize = 256 * 1024;
/// A task definition is seven levels deep, a configuration eight.
pub const DEPTH_MAX: usize = 32;
/// Nodes after aliases are replaced by what they stand for, so that a few lines cannot stand for gigabytes.
pub const NODES_MAX: usize = 20_000;

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// With its size in bytes.
    TooLarge(usize),
    /// A NUL byte is in it.
    NulByte,
    /// No document is in it.
    Empty,
    /// Deeper than [`DEPTH_MAX`].
    TooDeep,
    /// More than [`NODES_MAX`].
    TooManyNodes,
    /// A second document begins.
    SeveralDocuments,
    /// At the second one; where the first one stands is in it.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Position,
    },
    /// A tag of another tool's: `!secret x` would be read as `x`.
    Tag(String),
    /// Its form is wrong.
    Syntax(Mistake),
}

/// A text that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it cannot be read on.
    pub at: Position,
    /// Why.
    pub reason: Reason,
}

/// What tags that are not YAML's own are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherTags {
    /// As if they were not there.
    Ignored,
    /// An error.
    Refused,
}

/// Reads the one document in `text`.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(text: &str, other_tags: OtherTags) -> Result<Node, Refused> {
    let refused = |at, reason| Err(Refused { at, reason });
    if text.len() > BYTES_MAX {
        return refused(Position::default(), Reason::TooLarge(text.len()));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        return refused(Position::of(text, at), Reason::NulByte);
    }
    Reader::new(text, other_tags).document()
}

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    other_tags: OtherTags,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, other_tags: OtherTags) -> Self {
        let limits = options! {
            emit_comments: false,
            flow_nesting_limit: DEPTH_MAX,
            block_nesting_limit: DEPTH_MAX,
        };
        Self {
            text,
            parser: Parser::new_from_str_with_options(text, limits),
            other_tags,
            anchors: HashMap::new(),
            nodes: 0,
        }
    }

    fn document(mut self) -> Result<Node, Refused> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => return Err(refuse(at, Reason::SeveralDocuments)),
                Event::DocumentStart(..) => {
                    let (event, at) = self.next()?;
                    root = Some(self.node(event, at, 1)?);
                }
                Event::StreamEnd => break,
                _ => return Err(syntax(at, "it goes on after its end")),
            }
        }
        root.ok_or_else(|| refuse(Position::default(), Reason::Empty))
    }

    fn next(&mut self) -> Result<(Event<'t>, Position), Refused> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(span))),
            Some(Err(error)) => {
                let at = error.marker();
                let at = Position {
                    line: at.line(),
                    column: at.col() + 1,
                };
                Err(match error.kind() {
                    ErrorKind::RecursionLimitExceeded => refuse(at, Reason::TooDeep),
                    kind => refuse(at, Reason::Syntax(words::mistake(kind, at, self.text))),
                })
            }
            None => Err(syntax(Position::default(), "it ends too early")),
        }
    }

    fn node(&mut self, event: Event<'t>, at: Position, depth: usize) -> Result<Node, Refused> {
        if depth > DEPTH_MAX {
            return Err(refuse(at, Reason::TooDeep));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(at, tag.as_deref())?;
                let is_plain = is_plain(style, tag.as_deref());
                let text = text.into_owned();
                (anchor, self.finish(at, Kind::Scalar { text, is_plain })?)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(at, tag.as_deref())?;
                let items = self.items(depth)?;
                (anchor, self.finish(at, Kind::List(items))?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(at, tag.as_deref())?;
                let entries = self.entries(depth)?;
                (anchor, self.finish(at, Kind::Map(entries))?)
            }
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            _ => return Err(syntax(at, "a value is missing")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Refused> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Refused> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, Position> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, key_at) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, key_at, depth + 1)?;
            let Kind::Scalar { text: key, is_plain } = key.kind else {
                return Err(refuse(key_at, Reason::Syntax(words::key_is_no_text(key_at, self.text))));
            };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            if key == "<<" && is_plain {
                merged.extend(merge_sources(value)?);
                continue;
            }
            if let Some(first) = seen.insert(key.clone(), key_at) {
                return Err(refuse(key_at, Reason::DuplicateKey { key, first }));
            }
            entries.push(Entry { key, key_at, value });
        }
        for entry in merged {
            if !seen.contains_key(&entry.key) {
                seen.insert(entry.key.clone(), entry.key_at);
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn alias(&mut self, anchor: usize, at: Position, depth: usize) -> Result<Node, Refused> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(syntax(at, "an alias stands inside of the value that it names"));
        };
        if depth + target.height > DEPTH_MAX + 1 {
            return Err(refuse(at, Reason::TooDeep));
        }
        self.nodes += target.size;
        if self.nodes > NODES_MAX {
            return Err(refuse(at, Reason::TooManyNodes));
        }
        Ok(Node { at, ..target.clone() })
    }

    fn finish(&mut self, at: Position, kind: Kind) -> Result<Node, Refused> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(refuse(at, Reason::TooManyNodes));
        }
        Ok(Node::new(at, kind))
    }

    fn check_tag(&self, at: Position, tag: Option<&Tag>) -> Result<(), Refused> {
        let Some(tag) = tag.filter(|tag| self.other_tags == OtherTags::Refused && tag.is_custom()) else {
            return Ok(());
        };
        let (handle, suffix) = tag.parts();
        match format!("{handle}{suffix}") {
            // "Not what it looks like": a text.
            name if name == "!" => Ok(()),
            name => Err(refuse(at, Reason::Tag(name))),
        }
    }
}

/// What `<<` merges: a map, or a list of maps of which the first wins.
fn merge_sources(value: Node) -> Result<Vec<Entry>, Refused> {
    match value.kind {
        Kind::Map(entries) => Ok(entries),
        Kind::List(items) => {
            let mut entries = Vec::new();
            for item in items {
                entries.extend(merge_sources(item)?);
            }
            Ok(entries)
        }
        Kind::Scalar { .. } => Err(syntax(value.at, "`<<` merges a map, and this is none")),
    }
}

fn refuse(at: Position, reason: Reason) -> Refused {
    Refused { at, reason }
}

fn syntax(at: Position, said: &str) -> Refused {
    refuse(at, Reason::Syntax(said.into()))
}

fn position(span: Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

/// `!!str 1` is a string; other tags (`!Ref x`) say nothing that JSON could hold, so the text counts as it is written.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    let is_string = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
    style == ScalarStyle::Plain && !is_string
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (usize, usize, Reason) {
        let refused = read(text, OtherTags::Refused).unwrap_err();
        (refused.at.line, refused.at.column, refused.reason)
    }

    #[test]
    fn what_is_refused_says_where_and_why() {
        let first = Position { line: 1, column: 1 };
        for (text, wanted) in [
            ("", (1, 1, Reason::Empty)),
            ("a: 1\nb: é\0", (2, 5, Reason::NulByte)),
            ("a: 1\na: 1\n", (2, 1, Reason::DuplicateKey { key: "a".into(), first })),
            ("a: 1\n---\nb: 1\n", (2, 1, Reason::SeveralDocuments)),
            ("a: !secret x\n", (1, 12, Reason::Tag("!secret".into()))),
            (
                "? [a]\n: b\n",
                (
                    1,
                    3,
                    Reason::Syntax("a key is a map or a list, and must be a text".into()),
                ),
            ),
        ] {
            assert_eq!(refused(text), wanted, "{text}");
        }
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(DEPTH_MAX - 1), OtherTags::Refused).is_ok());
        for levels in [DEPTH_MAX, DEPTH_MAX + 1, 100_000] {
            assert_eq!(refused(&nested(levels)).2, Reason::TooDeep, "{levels}");
        }
        assert_eq!(refused(&"#".repeat(BYTES_MAX + 1)).2, Reason::TooLarge(BYTES_MAX + 1));
        assert_eq!(refused(&"- 1\n".repeat(NODES_MAX)).2, Reason::TooManyNodes);
    }

    #[test]
    fn yaml_s_own_tags_and_those_that_are_ignored_are_read() {
        for text in ["a: !!int 1", "a: !!str 1", "a: ! 1", "a: !!map {b: 1}", "a: !!seq [1]"] {
            assert!(read(text, OtherTags::Refused).is_ok(), "{text}");
        }
        assert!(read("a: !Ref x", OtherTags::Ignored).is_ok());
    }
}
