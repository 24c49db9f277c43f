//! What goes first where there is not enough room.

/// A part of the page that stands or falls as a whole.
#[derive(Clone, Debug)]
pub(super) struct Block {
    text: String,
    /// The higher, the earlier it goes; 0 stays.
    rank: u8,
    /// What is missing without it, in the words of the note.
    name: Option<String>,
}

/// The order in which parts are given up, the first one last.
const CAUSE: u8 = 1;
pub(super) const PICTURE: u8 = 2;
pub(super) const DEFINITION: u8 = 3;
pub(super) const STEPS: u8 = 4;
pub(super) const REQUESTS: u8 = 5;
pub(super) const TARGETS: u8 = 6;
pub(super) const LOG: u8 = 7;

impl Block {
    pub(super) fn must(text: String) -> Self {
        Self {
            text,
            rank: 0,
            name: None,
        }
    }

    pub(super) fn cause(text: String) -> Self {
        Self::may(CAUSE, "findings", text)
    }

    pub(super) fn may(rank: u8, name: impl Into<String>, text: String) -> Self {
        Self {
            text,
            rank,
            name: Some(name.into()),
        }
    }
}

/// The blocks with a blank line between them, in at most `chars_max` characters as long as those that must stay allow it.
pub(super) fn join(mut blocks: Vec<Block>, chars_max: usize) -> String {
    let mut left_out: Vec<String> = Vec::new();
    loop {
        let page = page(&blocks, &left_out);
        if page.chars().count() <= chars_max {
            return page;
        }
        // The last of the least important ones: what comes first in its kind matters more.
        let least = blocks.iter().enumerate().filter(|(_, block)| block.rank > 0);
        let Some((index, _)) = least.max_by_key(|(_, block)| block.rank) else {
            return page;
        };
        left_out.extend(blocks.remove(index).name);
    }
}

fn page(blocks: &[Block], left_out: &[String]) -> String {
    let mut parts: Vec<&str> = blocks.iter().map(|block| block.text.trim_end()).collect();
    let note = note(left_out);
    if let Some(note) = &note {
        parts.insert(parts.len().saturating_sub(1), note);
    }
    let mut page = parts.join("\n\n");
    page.push('\n');
    page
}

fn note(left_out: &[String]) -> Option<String> {
    let mut names: Vec<&str> = left_out.iter().map(String::as_str).collect();
    names.dedup();
    names.reverse();
    names.dedup();
    (!names.is_empty()).then(|| {
        format!(
            "_Left out, because a comment has a limit: {}. The summary of the workflow run has everything._",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_part_goes_first_and_the_page_says_so() {
        let blocks = vec![
            Block::must("verdict".into()),
            Block::cause("cause".into()),
            Block::may(LOG, "log", "l".repeat(300)),
            Block::may(TARGETS, "targets", "t".repeat(300)),
            Block::must("footer".into()),
        ];
        let page = join(blocks, 500);
        assert!(page.contains(&"t".repeat(300)) && !page.contains("lll"), "{page}");
        assert!(page.contains("Left out, because a comment has a limit: log."), "{page}");
        assert!(page.ends_with("footer\n"), "{page}");
    }

    #[test]
    fn what_must_stay_stays() {
        let blocks = vec![Block::must("v".repeat(50)), Block::cause("c".repeat(50))];
        let page = join(blocks, 10);
        assert!(page.contains(&"v".repeat(50)) && !page.contains('c'.to_string().repeat(50).as_str()));
    }
}
