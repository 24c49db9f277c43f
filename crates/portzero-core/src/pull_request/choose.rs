//! Which pull request a run belongs to: the pure choices. GitHub's answer to "the pull requests of this commit" contains
//! open ones too, so that of the open `staging` -> `main` is never the first one's to be taken.

use super::{Origin, PullRequest};

/// Where the number comes from, without asking anybody.
pub fn by_event(origin: &Origin) -> Option<u64> {
    let queue = || merge_group_number(origin.merge_group_ref.as_deref()?);
    origin.event_pull_request.or_else(queue)
}

/// The merged pull request that brought the commit to the branch: the one whose merge made it, else one into this
/// very branch, else the one that was merged last.
pub fn merged<'p>(candidates: &'p [PullRequest], sha: &str, ref_name: Option<&str>) -> Option<&'p PullRequest> {
    candidates
        .iter()
        .filter(|candidate| candidate.merged_at.is_some())
        .max_by_key(|candidate| {
            (
                is_merge_of(candidate, sha),
                ref_name == Some(candidate.base.as_str()),
                candidate.merged_at,
                candidate.number,
            )
        })
}

/// Whether the pull request was merged, and the commit is what its merge has made.
pub fn is_merge_of(candidate: &PullRequest, sha: &str) -> bool {
    candidate.merged_at.is_some() && !sha.is_empty() && candidate.merge_commit.as_deref() == Some(sha)
}

/// The number of a merge queue's branch: `refs/heads/gh-readonly-queue/BASE/pr-7-SHA`, where BASE may have slashes.
pub(crate) fn merge_group_number(reference: &str) -> Option<u64> {
    let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    let (_, last) = branch.strip_prefix("gh-readonly-queue/")?.rsplit_once('/')?;
    let (number, commit) = last.strip_prefix("pr-")?.split_once('-')?;
    let is_commit = !commit.is_empty() && commit.chars().all(|c| c.is_ascii_hexdigit());
    is_commit.then(|| plain_number(number)).flatten()
}

/// The number that a merge's message names: `… (#7)` or `Merge pull request #7 from …`. Anybody can write a message, so
/// the pull request must still be asked whether this commit is its merge.
pub fn number_in_message(message: &str) -> Option<u64> {
    let title = message.lines().next()?.trim_end();
    let merged = || {
        let rest = title.strip_prefix("Merge pull request #")?;
        plain_number(rest.split_whitespace().next()?)
    };
    let squashed = || {
        let (_, number) = title.strip_suffix(')')?.rsplit_once("(#")?;
        plain_number(number)
    };
    merged().or_else(squashed)
}

/// Digits and nothing else, so no sign; 0 is no pull request.
fn plain_number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_plain
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;

    fn merged_into(base: &str, number: u64, at: i64, commit: &str) -> PullRequest {
        PullRequest {
            number,
            is_open: false,
            merged_at: Some(Timestamp::from_millis(at)),
            merge_commit: Some(commit.to_owned()),
            base: base.to_owned(),
            head_commit: "head".to_owned(),
        }
    }

    fn open_into(base: &str, number: u64, trial_merge: &str) -> PullRequest {
        PullRequest {
            is_open: true,
            merged_at: None,
            ..merged_into(base, number, 0, trial_merge)
        }
    }

    fn number(candidates: &[PullRequest], sha: &str) -> Option<u64> {
        merged(candidates, sha, Some("staging")).map(|candidate| candidate.number)
    }

    #[test]
    fn an_open_one_is_never_chosen() {
        // Even where the trial merge of the open one is this very commit.
        assert_eq!(number(&[open_into("main", 1, "c0")], "c0"), None);
        let answer = [open_into("main", 1, "c0"), merged_into("staging", 2, 5, "c0")];
        assert_eq!(number(&answer, "c0"), Some(2));
    }

    #[test]
    fn its_own_merge_wins_over_the_branch_and_the_branch_over_the_time() {
        let answer = [
            merged_into("main", 1, 9, "c9"),
            merged_into("staging", 2, 5, "c5"),
            merged_into("staging", 3, 6, "c6"),
        ];
        assert_eq!(number(&answer, "c9"), Some(1));
        assert_eq!(number(&answer, "c5"), Some(2));
        assert_eq!(number(&answer, "other"), Some(3));
        assert_eq!(number(&answer[..1], "other"), Some(1));
    }

    #[test]
    fn a_merge_queues_branch_names_its_pull_request() {
        for (reference, number) in [
            ("refs/heads/gh-readonly-queue/main/pr-7-0a1b", Some(7)),
            ("refs/heads/gh-readonly-queue/release/1.x/pr-12-ff", Some(12)),
            ("gh-readonly-queue/main/pr-7-0a1b", Some(7)),
            ("refs/heads/gh-readonly-queue/pr-7-0a1b", None),
            ("refs/heads/gh-readonly-queue/main/pr-7", None),
            ("refs/heads/gh-readonly-queue/main/pr-x-0a1b", None),
            ("refs/heads/main/pr-7-0a1b", None),
        ] {
            assert_eq!(merge_group_number(reference), number, "{reference}");
        }
    }

    #[test]
    fn a_merges_message_names_its_pull_request() {
        for (message, number) in [
            ("Add a page (#123)", Some(123)),
            ("Revert \"Add a page (#123)\" (#124)\n\nbody (#9)", Some(124)),
            ("Merge pull request #5 from someone/branch\n\nAdd (#6)", Some(5)),
            ("Add a page (#123) at last", None),
            ("Add a page\n\n(#123)", None),
            ("Add (#+1)", None),
            ("Add (#0)", None),
            ("Add (#99999999999999999999999)", None),
            ("", None),
        ] {
            assert_eq!(number_in_message(message), number, "{message}");
        }
    }

    #[test]
    fn the_events_own_pull_request_wins() {
        let origin = Origin {
            event_pull_request: Some(3),
            merge_group_ref: Some("refs/heads/gh-readonly-queue/main/pr-7-0a".to_owned()),
            ..Origin::default()
        };
        assert_eq!(by_event(&origin), Some(3));
        let queued = Origin {
            event_pull_request: None,
            ..origin
        };
        assert_eq!(by_event(&queued), Some(7));
    }
}
