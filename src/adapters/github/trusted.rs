//! The commit whose files nobody but the repository's own people has written, where the run is about something else.

use portzero_core::pull_request::{DefaultCommand, Occasion};
use serde_json::Value;

use super::occasion;

/// Whose files the run's configuration is to be held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The run is about what has arrived: nobody's but the repository's own.
    Own,
    Commit(String),
    /// The event does not say.
    Unknown,
}

/// `event` is the text of its event, where there is one.
pub fn base(lookup: &dyn Fn(&str) -> Option<String>, event: Option<&str>) -> Base {
    let occasion = occasion(lookup, event);
    // What is deployed without being asked for is trusted: one table says so.
    if occasion.default_command() == DefaultCommand::Deploy {
        return Base::Own;
    }
    let event: Value = event
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let name = lookup("GITHUB_EVENT_NAME").unwrap_or_default();
    // Their workflows are those of the default branch, and so is the commit that GitHub names.
    let default_branch = || lookup("GITHUB_SHA");
    let commit = match name.trim() {
        "merge_group" => at("/merge_group/base_sha"),
        // The run of a fork lists no pull request, whatever it is for.
        "workflow_run" => match event["workflow_run"]["pull_requests"].as_array().map(Vec::as_slice) {
            Some([_]) if !matches!(occasion, Occasion::Stranger) => at("/workflow_run/pull_requests/0/base/sha"),
            _ => default_branch(),
        },
        "issue_comment" => default_branch(),
        name if name.starts_with("pull_request") => at("/pull_request/base/sha"),
        _ => None,
    };
    commit
        .filter(|commit| is_commit(commit))
        .map_or(Base::Unknown, Base::Commit)
}

/// A branch's name would be whatever the branch is by now.
fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TIP: &str = "dddddddddddddddddddddddddddddddddddddddd";
    const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn of(name: &str, event: &Value) -> Base {
        let lookup = |variable: &str| match variable {
            "GITHUB_EVENT_NAME" => Some(name.to_owned()),
            "GITHUB_REPOSITORY" => Some("acme/shop".to_owned()),
            "GITHUB_SHA" => Some(TIP.to_owned()),
            _ => None,
        };
        base(&lookup, Some(&event.to_string()))
    }

    #[test]
    fn s04_what_has_not_arrived_is_held_against_a_commit_that_has() {
        let pull = |action: &str, merged: bool| json!({"action": action, "pull_request": {"merged": merged, "base": {"sha": BASE}}});
        let run = |event: &str, repository: &str, pulls: Value| {
            json!({"workflow_run": {"event": event, "conclusion": "success", "head_branch": "x",
                "head_repository": {"full_name": repository}, "pull_requests": pulls}})
        };
        let listed = || json!([{"number": 7, "base": {"ref": "main", "sha": BASE}}]);
        let (base, tip) = (|| Base::Commit(BASE.to_owned()), || Base::Commit(TIP.to_owned()));
        let cases = [
            ("push", json!({}), Base::Own),
            ("workflow_dispatch", json!({}), Base::Own),
            ("pull_request", pull("opened", false), base()),
            ("pull_request_target", pull("labeled", true), base()),
            ("pull_request_review", pull("submitted", false), base()),
            ("pull_request", pull("closed", true), Base::Own),
            ("pull_request", pull("closed", false), base()),
            ("pull_request", json!({}), Base::Unknown),
            (
                "pull_request",
                json!({"pull_request": {"base": {"sha": "main"}}}),
                Base::Unknown,
            ),
            ("merge_group", json!({"merge_group": {"base_sha": BASE}}), base()),
            ("issue_comment", json!({"issue": {"pull_request": {}}}), tip()),
            ("workflow_run", run("push", "acme/shop", json!([])), Base::Own),
            ("workflow_run", run("push", "mallory/shop", json!([])), tip()),
            ("workflow_run", run("push", "mallory/shop", listed()), tip()),
            ("workflow_run", run("pull_request", "acme/shop", listed()), base()),
            ("workflow_run", run("pull_request", "mallory/shop", json!([])), tip()),
            ("check_run", json!({}), Base::Unknown),
            ("", json!({}), Base::Unknown),
        ];
        for (name, event, expected) in cases {
            assert_eq!(of(name, &event), expected, "{name} {event}");
        }
    }
}
