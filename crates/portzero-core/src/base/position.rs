//! Positions in a text: where findings about files point.

use std::cell::Cell;

use crate::base::finding::Location;

/// A line and a column; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Position {
    /// The same, of a file that findings name.
    pub fn in_file(self, file: &str) -> Location {
        Location {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
        }
    }

    /// The position of a byte offset.
    pub fn of(text: &str, offset: usize) -> Self {
        Lines::of(text).position(offset)
    }
}

/// The start of a text.
impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

/// Finds line and column of byte offsets in a text.
pub struct Lines<'t> {
    text: &'t str,
    /// The byte offset at which each line starts.
    starts: Vec<usize>,
    /// The last answer: offsets are asked for in the order of the file, so that counting on from here keeps a file of one
    /// long line from costing its length for every value in it.
    last: Cell<(usize, Position)>,
}

impl<'t> Lines<'t> {
    /// Finds where the lines of the text begin.
    pub fn of(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
            last: Cell::default(),
        }
    }

    /// The position of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let (known, last) = self.last.get();
        let (from, column) = if last.line == line && known <= offset {
            (known, last.column)
        } else {
            (self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0), 1)
        };
        let between = self.text.get(from..offset).unwrap_or("");
        let position = Position {
            line,
            column: column + between.chars().count(),
        };
        self.last.set((offset, position));
        position
    }

    /// The byte offset of a line and a column that counts bytes (as serde_json's errors do).
    pub fn offset(&self, line: usize, byte_column: usize) -> usize {
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
        let forwards: Vec<Position> = offsets.iter().map(|at| forwards.position(*at)).collect();
        let backwards = Lines::of(text);
        let mut backwards: Vec<Position> = offsets.iter().rev().map(|at| backwards.position(*at)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.last(), Some(&Position { line: 2, column: 6 }));
    }
}
