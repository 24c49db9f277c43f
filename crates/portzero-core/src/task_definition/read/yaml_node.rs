//! The nodes of a YAML document, each with its place.

use granit_parser::Span;

use super::place::Mark;

/// A YAML node with aliases and merge keys resolved.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub mark: Mark,
    pub kind: Kind,
    /// Nodes in it, itself included.
    pub(crate) size: usize,
    /// Levels in it, itself included.
    pub(crate) height: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Scalar {
        text: String,
        /// Not quoted, no block scalar, not tagged as a string.
        plain: bool,
    },
    List(Vec<Node>),
    /// Key, the key's place, value; in the order of the file, keys that were merged in last.
    Map(Vec<(String, Mark, Node)>),
}

pub(crate) fn mark(span: Span) -> Mark {
    Mark {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}
