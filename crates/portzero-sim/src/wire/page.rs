//! Lists in pages. A token names the last item of its page, so that items which come and go between two requests
//! neither repeat others nor hide them.

use std::fmt::Write;

use crate::model::refusal::Refusal;
use crate::wire::json::members::Members;

/// The most tasks of one DescribeTasks. Source: the words of AWS's refusal of more, `taskIds can have at most 100 items.`
pub(super) const TASKS_PER_CALL: usize = 100;

/// The most tasks of one UpdateTaskProtection (API reference).
pub(super) const TASKS_PER_PROTECTION: usize = 10;

/// One page, and the token of the next where there is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub items: Vec<String>,
    pub next: Option<String>,
}

/// A page as an ECS operation asks for it (`maxResults`, `nextToken`). `default` is the operation's page size; the
/// largest is 100 everywhere in ECS.
pub(super) fn page(members: Members<'_>, default: usize, all: Vec<String>) -> Result<Page, Refusal> {
    let limit = match members.integer("maxResults")? {
        None => default,
        Some(wanted) => usize::try_from(wanted)
            .ok()
            .filter(|wanted| (1..=100).contains(wanted))
            .ok_or_else(|| Refusal::invalid_parameter("Value for maxResults must be between 1 and 100."))?,
    };
    cut(all, limit, members.text("nextToken")?).ok_or_else(|| Refusal::invalid_parameter("Invalid token."))
}

/// The page of `limit` items behind `token`; `None` where the token is none of ours.
pub(super) fn cut(all: Vec<String>, limit: usize, token: Option<&str>) -> Option<Page> {
    let start = match token {
        None => 0,
        Some(token) => {
            let (position, last) = read(token)?;
            // Where the last item has gone, those behind it have moved up by one.
            all.iter().position(|item| *item == last).map_or(position, |at| at + 1)
        }
    };
    let mut items: Vec<String> = all.into_iter().skip(start).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| write(start + items.len() - 1, last));
    Some(Page { items, next })
}

fn write(position: usize, last: &str) -> String {
    format!("{position} {last}")
        .bytes()
        .fold(String::new(), |mut token, byte| {
            // Writing into a String cannot fail.
            let _ = write!(token, "{byte:02x}");
            token
        })
}

fn read(token: &str) -> Option<(usize, String)> {
    let digits: Option<Vec<u8>> = token
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let bytes = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let text = String::from_utf8(bytes).ok()?;
    let (position, last) = text.split_once(' ')?;
    Some((position.parse().ok()?, last.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(names: &str) -> Vec<String> {
        names.chars().map(String::from).collect()
    }

    #[test]
    fn pages_join_up_to_the_whole_list() {
        let first = cut(items("abcde"), 2, None).unwrap();
        let second = cut(items("abcde"), 2, first.next.as_deref()).unwrap();
        let third = cut(items("abcde"), 2, second.next.as_deref()).unwrap();
        assert_eq!(
            [first.items, second.items, third.items].concat(),
            items("abcde"),
            "in three pages"
        );
        assert_eq!(third.next, None);
    }

    #[test]
    fn an_item_that_goes_away_between_two_pages_hides_no_other() {
        let first = cut(items("abcde"), 2, None).unwrap();
        assert_eq!(
            cut(items("bcde"), 9, first.next.as_deref()).unwrap().items,
            items("cde")
        );
        assert_eq!(
            cut(items("acde"), 9, first.next.as_deref()).unwrap().items,
            items("cde")
        );
    }

    #[test]
    fn a_foreign_token_is_refused() {
        for token in ["", "x", "abc", "ff", "€"] {
            assert_eq!(cut(items("ab"), 1, Some(token)), None, "{token}");
        }
    }
}
