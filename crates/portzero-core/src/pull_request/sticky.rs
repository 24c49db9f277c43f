//! Which comment is this run's, and what may be done about it. Whoever else wrote a comment, whatever it says, it is left
//! alone.

use super::mark::Mark;
use super::{Comment, mark};

/// What to do, and which of our own comments are one too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'c> {
    /// What to do about the run's own comment.
    pub step: Step<'c>,
    /// Our own later ones for the same key. The oldest is kept; one of a newer run is left to that run.
    pub duplicates: Vec<u64>,
}

/// What becomes of the comment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'c> {
    /// There is none yet: post one.
    Create,
    /// There is one: replace its text.
    Edit(&'c Comment),
    /// It says exactly this already.
    Unchanged(&'c Comment),
    /// A newer run has spoken, and an older one must not speak after it.
    Outdated(&'c Comment),
}

/// `login`: our own, spelled as comments spell their author's. `body`: the whole new body, as [`Mark::around`] makes it.
pub fn decide<'c>(comments: &'c [Comment], login: &str, mark: &Mark, body: &str) -> Decision<'c> {
    let mut own: Vec<&Comment> = comments
        .iter()
        .filter(|comment| comment.author.as_deref() == Some(login) && mark::is_marked(&comment.body, &mark.key))
        .collect();
    own.sort_by_key(|comment| comment.id);
    let Some((kept, later)) = own.split_first() else {
        return Decision {
            step: Step::Create,
            duplicates: Vec::new(),
        };
    };
    // A stamp that cannot be read says nothing of a newer run.
    let is_newer = |comment: &Comment| mark::stamp(&comment.body).is_some_and(|stamp| stamp.is_newer_than(&mark.run));
    let step = match own.iter().find(|comment| is_newer(comment)) {
        Some(newer) => Step::Outdated(newer),
        None if same_text(&kept.body, body) => Step::Unchanged(kept),
        None => Step::Edit(kept),
    };
    Decision {
        step,
        duplicates: later.iter().filter(|c| !is_newer(c)).map(|c| c.id).collect(),
    }
}

/// GitHub's editor rewrites line ends.
fn same_text(one: &str, other: &str) -> bool {
    one.trim_end().lines().eq(other.trim_end().lines())
}

#[cfg(test)]
mod tests {
    use super::super::{Key, RunStamp};
    use super::*;

    const OWN: &str = "github-actions[bot]";

    fn mark(run_id: u64) -> Mark {
        Mark {
            key: Key::new("staging").expect("a key"),
            run: RunStamp {
                run_id,
                attempt: 1,
                ..RunStamp::default()
            },
        }
    }

    fn comment(id: u64, author: &str, body: impl Into<String>) -> Comment {
        Comment {
            id,
            author: Some(author.to_owned()),
            body: body.into(),
            url: format!("https://github.test/c/{id}"),
        }
    }

    fn step_and_duplicates(comments: &[Comment], run_id: u64) -> (String, Vec<u64>) {
        let decision = decide(comments, OWN, &mark(run_id), &mark(run_id).around("new"));
        let step = match decision.step {
            Step::Create => "create".to_owned(),
            Step::Edit(c) => format!("edit {}", c.id),
            Step::Unchanged(c) => format!("unchanged {}", c.id),
            Step::Outdated(c) => format!("outdated {}", c.id),
        };
        (step, decision.duplicates)
    }

    #[test]
    fn a_comment_of_somebody_else_is_left_alone() {
        let theirs = [
            comment(1, "mallory", mark(1).around("adopt me")),
            // A user of the same name as the app.
            comment(2, "github-actions", mark(1).around("adopt me")),
            Comment {
                author: None,
                ..comment(3, "", mark(1).around("adopt me"))
            },
        ];
        assert_eq!(step_and_duplicates(&theirs, 5), ("create".to_owned(), vec![]));
    }

    #[test]
    fn our_own_comment_about_something_else_is_left_alone() {
        let others = [
            comment(1, OWN, "hello"),
            comment(2, OWN, mark(1).around("x").replace("staging", "production")),
            comment(3, OWN, format!("quoting\n{}", mark(1).around("x"))),
        ];
        assert_eq!(step_and_duplicates(&others, 5).0, "create");
    }

    #[test]
    fn the_oldest_of_our_own_is_edited_and_the_others_go() {
        let twice = [
            comment(9, OWN, mark(1).around("x")),
            comment(4, OWN, mark(2).around("y")),
            comment(6, "mallory", mark(1).around("z")),
        ];
        assert_eq!(step_and_duplicates(&twice, 5), ("edit 4".to_owned(), vec![9]));
    }

    #[test]
    fn a_newer_run_is_not_overwritten() {
        let newer = [comment(4, OWN, mark(7).around("x"))];
        assert_eq!(step_and_duplicates(&newer, 5), ("outdated 4".to_owned(), vec![]));
        let later_attempt = [comment(
            4,
            OWN,
            mark(5).around("x").replace("\"attempt\":1", "\"attempt\":2"),
        )];
        assert_eq!(step_and_duplicates(&later_attempt, 5).0, "outdated 4");
        // It has only just been written, and the run that wrote it will clear up itself.
        let duplicate = [
            comment(4, OWN, mark(5).around("x")),
            comment(6, OWN, mark(7).around("y")),
        ];
        assert_eq!(step_and_duplicates(&duplicate, 5), ("outdated 6".to_owned(), vec![]));
    }

    #[test]
    fn s15_a_stamp_of_a_run_that_cannot_be_there_yet_silences_nobody() {
        let forged = || mark(u64::MAX).around("be quiet");
        assert_eq!(step_and_duplicates(&[comment(4, OWN, forged())], 5).0, "edit 4");
        // Beside our own it is one too many.
        let both = [comment(4, OWN, mark(3).around("x")), comment(6, OWN, forged())];
        assert_eq!(step_and_duplicates(&both, 5), ("edit 4".to_owned(), vec![6]));
    }

    #[test]
    fn what_says_the_same_is_not_written_again() {
        let same = mark(5).around("new");
        assert_eq!(step_and_duplicates(&[comment(4, OWN, &*same)], 5).0, "unchanged 4");
        let edited_in_a_browser = comment(4, OWN, same.trim_end().replace('\n', "\r\n"));
        assert_eq!(step_and_duplicates(&[edited_in_a_browser], 5).0, "unchanged 4");
    }

    #[test]
    fn a_stamp_that_cannot_be_read_makes_a_comment_nobody_elses() {
        let broken = mark(9).around("x").replace("run_id", "ruin_id");
        assert_eq!(step_and_duplicates(&[comment(4, OWN, broken)], 5).0, "edit 4");
    }
}
