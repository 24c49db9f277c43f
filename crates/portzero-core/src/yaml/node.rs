//! The nodes of a YAML document, each with its position.

use crate::base::position::Position;

/// A YAML node with aliases and merge keys resolved.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: Kind,
    /// Nodes in it, itself included.
    pub(super) size: usize,
    /// Levels in it, itself included.
    pub(super) height: usize,
}

/// What a node is. What a plain scalar means is for its reader to say.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A text, a number, a boolean or null, as it was written.
    Scalar {
        /// Its text, unquoted.
        text: String,
        /// Not quoted, no block scalar, not tagged as a string.
        is_plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// In the order of the file, keys that were merged in last.
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Keys are texts.
    pub key: String,
    /// Where the key stands.
    pub key_at: Position,
    /// Its value.
    pub value: Node,
}

impl Node {
    pub(super) fn new(at: Position, kind: Kind) -> Self {
        let (size, height) = match &kind {
            Kind::Scalar { .. } => (0, 0),
            Kind::List(items) => measure(items.iter()),
            Kind::Map(entries) => measure(entries.iter().map(|entry| &entry.value)),
        };
        Node {
            at,
            kind,
            size: size + 1,
            height: height + 1,
        }
    }
}

/// Whether a plain scalar is YAML's null.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What a plain scalar is where it is YAML's boolean.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn measure<'n>(nodes: impl Iterator<Item = &'n Node>) -> (usize, usize) {
    nodes.fold((0, 0), |(size, height), node| {
        (size + node.size, height.max(node.height))
    })
}
