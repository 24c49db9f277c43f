//! Where the keys and values of a document stand in its file.

use std::cell::Cell;
use std::collections::HashMap;

use crate::task_definition::path::Step;

/// A position; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub line: usize,
    pub column: usize,
}

/// The place of one value, of its key where it has one, and of everything below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub key: Option<Mark>,
    pub value: Mark,
    pub members: HashMap<String, Place>,
    pub items: Vec<Place>,
}

impl Place {
    pub(crate) fn find(&self, path: &[Step]) -> Option<&Place> {
        path.iter().try_fold(self, |place, step| match step {
            Step::Key(key) => place.members.get(key.as_str()),
            Step::Index(index) => place.items.get(*index),
        })
    }
}

/// Finds line and column of byte offsets in a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// The byte offset at which each line starts.
    starts: Vec<usize>,
    /// The last answer: offsets are asked for in the order of the file, so that counting on from here keeps a file of one
    /// long line from costing its length for every value in it.
    last: Cell<(usize, Mark)>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
            last: Cell::default(),
        }
    }

    pub(crate) fn mark(&self, offset: usize) -> Mark {
        let line = self.starts.partition_point(|start| *start <= offset);
        let (known, last) = self.last.get();
        let (from, column) = if last.line == line && known <= offset {
            (known, last.column)
        } else {
            (self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0), 1)
        };
        let between = self.text.get(from..offset).unwrap_or("");
        let mark = Mark {
            line,
            column: column + between.chars().count(),
        };
        self.last.set((offset, mark));
        mark
    }

    /// The byte offset of a line and a column that counts bytes (as serde_json's errors do).
    pub(crate) fn offset(&self, line: usize, byte_column: usize) -> usize {
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let mut offset = (start + byte_column.saturating_sub(1)).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_the_same_in_any_order_of_asking() {
        let text = "é: [1,\n ü, 2]";
        let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let forwards = Lines::of(text);
        let forwards: Vec<Mark> = offsets.iter().map(|at| forwards.mark(*at)).collect();
        let backwards = Lines::of(text);
        let mut backwards: Vec<Mark> = offsets.iter().rev().map(|at| backwards.mark(*at)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.last(), Some(&Mark { line: 2, column: 6 }));
    }
}
