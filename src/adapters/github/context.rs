//! Where a run is: the variables of its workflow and the text of its event. Whatever is missing or odd there costs the
//! comment at most.

use portzero_core::pull_request::{EventDetail, FollowedRun, Occasion, Origin};
use serde_json::Value;

const API_URL: &str = "https://api.github.com";
const SERVER_URL: &str = "https://github.com";
const DEPENDABOT: &str = "dependabot[bot]";
/// Events whose ref is the branch that they are about. For others GitHub names the default branch, or one of its own.
const OF_THEIR_BRANCH: [&str; 6] = [
    "push",
    "create",
    "workflow_dispatch",
    "repository_dispatch",
    "schedule",
    "deployment",
];

/// `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    pub owner: String,
    pub name: String,
}

impl Repository {
    /// `None` where it is not two names that can stand in a path.
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let is_name = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                && !text.chars().all(|c| c == '.')
        };
        (is_name(owner) && is_name(name)).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Display for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// What is known of the run's surroundings. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub repository: Repository,
    /// `https://api.github.com`, or `https://HOST/api/v3`.
    pub api_url: String,
    /// `https://api.github.com/graphql`, or `https://HOST/api/graphql`.
    pub graphql_url: String,
    pub server_url: String,
    /// Where the run can be read; `None` outside a workflow.
    pub run_url: Option<String>,
    /// The folder that the repository is checked out in.
    pub workspace: Option<String>,
    pub workflow: Option<String>,
    pub job: Option<String>,
    pub origin: Origin,
}

impl Context {
    /// `event`: the text of the file that `GITHUB_EVENT_PATH` names, where it could be read. `None` where no repository is
    /// named, so that this is no workflow of GitHub's.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>, event: Option<&str>) -> Option<Self> {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let url = |name: &str| variable(name).map(|url| url.trim_end_matches('/').to_owned());
        let repository = Repository::parse(&variable("GITHUB_REPOSITORY")?)?;
        let api_url = url("GITHUB_API_URL").unwrap_or_else(|| API_URL.to_owned());
        let server_url = url("GITHUB_SERVER_URL").unwrap_or_else(|| SERVER_URL.to_owned());
        let origin = origin(&variable, event, &repository);
        let run_url = (origin.run_id > 0).then(|| {
            let attempt = match origin.attempt {
                0 | 1 => String::new(),
                attempt => format!("/attempts/{attempt}"),
            };
            format!("{server_url}/{repository}/actions/runs/{}{attempt}", origin.run_id)
        });
        Some(Self {
            graphql_url: url("GITHUB_GRAPHQL_URL").unwrap_or_else(|| graphql_beside(&api_url)),
            repository,
            api_url,
            server_url,
            run_url,
            workspace: variable("GITHUB_WORKSPACE"),
            workflow: variable("GITHUB_WORKFLOW"),
            job: variable("GITHUB_JOB"),
            origin,
        })
    }
}

/// GitHub Enterprise Server has it beside the third version of its API, not below.
fn graphql_beside(api_url: &str) -> String {
    format!("{}/graphql", api_url.strip_suffix("/v3").unwrap_or(api_url))
}

/// What the run is about. `event` is the text of its event, where there is one; without the detail, the name has to do.
pub fn occasion(lookup: &dyn Fn(&str) -> Option<String>, event: Option<&str>) -> Occasion {
    let event: Value = event
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let own = lookup("GITHUB_REPOSITORY").unwrap_or_default();
    let run = &event["workflow_run"];
    let head = text(run, "/head_repository/full_name");
    let detail = EventDetail {
        action: text(&event, "/action"),
        is_merged: event["pull_request"]["merged"] == true,
        is_deletion: event["deleted"] == true,
        followed: text(run, "/event").map(|event| FollowedRun {
            event,
            conclusion: text(run, "/conclusion"),
            // A fork may be gone, and then the run has no repository.
            is_from_fork: !head.is_some_and(|head| head.eq_ignore_ascii_case(&own)),
        }),
    };
    Occasion::of(lookup("GITHUB_EVENT_NAME").unwrap_or_default().trim(), &detail)
}

/// The branch that the run is about, which chooses the environment: the one that was pushed to, or the one that a pull
/// request is to be merged into. `None` where the event does not say it: a guess could choose another environment.
pub fn branch(lookup: &dyn Fn(&str) -> Option<String>, event: Option<&str>) -> Option<String> {
    let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let event: Value = event
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let pushed = || {
        let is_branch = variable("GITHUB_REF_TYPE").is_some_and(|kind| kind == "branch");
        variable("GITHUB_REF_NAME").filter(|_| is_branch)
    };
    match variable("GITHUB_EVENT_NAME").unwrap_or_default().as_str() {
        // Outside GitHub these variables are somebody's own words.
        "" => variable("GITHUB_BASE_REF").or_else(pushed),
        name if name.starts_with("pull_request") => {
            text(&event, "/pull_request/base/ref").or_else(|| variable("GITHUB_BASE_REF"))
        }
        "merge_group" => {
            let base = text(&event, "/merge_group/base_ref")?;
            Some(base.strip_prefix("refs/heads/").unwrap_or(&base).to_owned())
        }
        // The variables are about the default branch, whatever the other run was about.
        "workflow_run" => {
            let run = &event["workflow_run"];
            let name = text(run, "/event")?;
            if name.starts_with("pull_request") {
                let base = |only: &[Value]| only.first().and_then(|only| text(only, "/base/ref"));
                run["pull_requests"]
                    .as_array()
                    .filter(|all| all.len() == 1)
                    .and_then(|all| base(all))
            } else {
                text(run, "/head_branch").filter(|_| OF_THEIR_BRANCH.contains(&&*name))
            }
        }
        name => pushed().filter(|_| OF_THEIR_BRANCH.contains(&name)),
    }
}

fn origin(variable: &dyn Fn(&str) -> Option<String>, event: Option<&str>, repository: &Repository) -> Origin {
    let number = |name: &str| variable(name).and_then(|text| text.parse().ok());
    let (event, event_error) = match event.map(serde_json::from_str::<Value>) {
        Some(Ok(event)) => (event, None),
        Some(Err(error)) => (Value::Null, Some(error.to_string())),
        None => (Value::Null, None),
    };
    let actor = |name: &str| variable(name).as_deref() == Some(DEPENDABOT);
    let mut origin = Origin {
        event: variable("GITHUB_EVENT_NAME").unwrap_or_default(),
        sha: variable("GITHUB_SHA").unwrap_or_default(),
        ref_name: variable("GITHUB_REF_NAME"),
        base_ref: variable("GITHUB_BASE_REF"),
        run_id: number("GITHUB_RUN_ID").unwrap_or_default(),
        attempt: number("GITHUB_RUN_ATTEMPT").unwrap_or_default(),
        is_private: event.pointer("/repository/private").and_then(Value::as_bool),
        // The restriction stays where somebody else runs it again.
        is_dependabot: actor("GITHUB_ACTOR"),
        event_error,
        ..Origin::default()
    };
    match origin.event.as_str() {
        "push" => read_push(&mut origin, &event),
        "merge_group" => {
            origin.merge_group_ref = text(&event, "/merge_group/head_ref").or_else(|| variable("GITHUB_REF"));
        }
        "workflow_run" => read_workflow_run(&mut origin, &event),
        "issue_comment" | "issues" if !event["issue"]["pull_request"].is_null() => {
            origin.event_pull_request = event["issue"]["number"].as_u64();
        }
        _ => read_pull_request(&mut origin, &event, repository),
    }
    origin
}

fn read_push(origin: &mut Origin, event: &Value) {
    origin.head_message = text(event, "/head_commit/message");
    // The event has the oldest first.
    let commits = event["commits"].as_array().map_or(&[][..], Vec::as_slice);
    origin.commits = commits.iter().rev().filter_map(|commit| text(commit, "/id")).collect();
}

/// `pull_request`, `pull_request_target`, reviews.
fn read_pull_request(origin: &mut Origin, event: &Value, repository: &Repository) {
    let pull_request = &event["pull_request"];
    origin.event_pull_request = pull_request["number"].as_u64();
    // What is checked out is a trial merge that nobody has seen, unless the pull request is merged.
    let is_merged = event["action"] == "closed" && pull_request["merged"] == true;
    let commit = if is_merged { "/merge_commit_sha" } else { "/head/sha" };
    if let Some(commit) = text(pull_request, commit) {
        origin.sha = commit;
    }
    let is_foreign = |head: &Value| {
        let head = head["full_name"].as_str();
        // A fork may be gone.
        head.is_none_or(|head| !head.eq_ignore_ascii_case(&repository.to_string()))
    };
    origin.is_from_fork = pull_request.pointer("/head/repo").is_some_and(is_foreign)
        // The other one runs with the base's own token.
        && origin.event != "pull_request_target";
}

/// A workflow that follows another one speaks of what that one ran for.
fn read_workflow_run(origin: &mut Origin, event: &Value) {
    let run = &event["workflow_run"];
    let Some(name) = text(run, "/event") else { return };
    if let Some(head) = text(run, "/head_sha") {
        origin.sha = head;
    }
    origin.ref_name = text(run, "/head_branch");
    origin.head_message = text(run, "/head_commit/message");
    // After a push the list has open pull requests *from* the branch, such as that of `staging` -> `main`.
    if name.starts_with("pull_request")
        && let Some([only]) = run["pull_requests"].as_array().map(Vec::as_slice)
    {
        origin.event_pull_request = only["number"].as_u64();
        origin.base_ref = text(only, "/base/ref");
    }
    origin.event = name;
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(variables: &[(&str, &str)], event: &Value) -> Context {
        let lookup = |name: &str| {
            let given = variables.iter().find(|(n, _)| *n == name);
            let usual = [
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_SHA", "c0"),
                ("GITHUB_RUN_ID", "77"),
            ];
            let value = given.or_else(|| usual.iter().find(|(n, _)| *n == name))?;
            Some(value.1.to_owned())
        };
        Context::read(&lookup, Some(&event.to_string())).expect("a context")
    }

    fn origin_of(name: &str, event: &Value) -> Origin {
        read(&[("GITHUB_EVENT_NAME", name), ("GITHUB_REF_NAME", "staging")], event).origin
    }

    #[test]
    fn without_a_repository_there_is_no_context() {
        assert_eq!(Context::read(&|_| None, None), None);
        for odd in ["", "acme", "acme/shop/x", "../x", "acme/..", "acme/sh op", "acme/?"] {
            assert_eq!(Repository::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn githubs_own_addresses_are_the_default() {
        let context = read(&[], &json!({}));
        assert_eq!(context.api_url, "https://api.github.com");
        assert_eq!(context.graphql_url, "https://api.github.com/graphql");
        assert_eq!(
            context.run_url.as_deref(),
            Some("https://github.com/acme/shop/actions/runs/77")
        );
    }

    #[test]
    fn an_enterprise_server_has_its_own() {
        let variables = [
            ("GITHUB_API_URL", "https://git.acme.test/api/v3/"),
            ("GITHUB_SERVER_URL", "https://git.acme.test"),
            ("GITHUB_RUN_ATTEMPT", "2"),
        ];
        let context = read(&variables, &json!({}));
        assert_eq!(context.api_url, "https://git.acme.test/api/v3");
        assert_eq!(context.graphql_url, "https://git.acme.test/api/graphql");
        let url = "https://git.acme.test/acme/shop/actions/runs/77/attempts/2";
        assert_eq!(context.run_url.as_deref(), Some(url));
    }

    #[test]
    fn a_push_tells_its_commits_newest_first() {
        let event = json!({
            "repository": {"private": true},
            "head_commit": {"message": "Add (#3)"},
            "commits": [{"id": "c1"}, {"id": "c2"}, {"message": "no id"}],
        });
        let origin = origin_of("push", &event);
        assert_eq!(origin.commits, ["c2", "c1"]);
        assert_eq!(origin.head_message.as_deref(), Some("Add (#3)"));
        assert_eq!((origin.is_private, origin.event_pull_request), (Some(true), None));
    }

    #[test]
    fn a_pull_request_is_its_head_and_not_the_trial_merge() {
        let event = json!({"pull_request": {"number": 5, "head": {"sha": "h1", "repo": {"full_name": "Acme/shop"}}}});
        let origin = origin_of("pull_request", &event);
        assert_eq!(
            (origin.event_pull_request, &*origin.sha, origin.is_from_fork),
            (Some(5), "h1", false)
        );
    }

    #[test]
    fn a_merged_pull_request_is_its_merge() {
        let event = json!({"action": "closed", "pull_request": {
            "number": 5, "merged": true, "merge_commit_sha": "m1", "head": {"sha": "h1", "repo": {"full_name": "acme/shop"}},
        }});
        assert_eq!(origin_of("pull_request", &event).sha, "m1");
    }

    #[test]
    fn a_fork_is_seen_even_where_it_is_gone() {
        for repo in [json!({"full_name": "mallory/shop"}), Value::Null] {
            let event = json!({"pull_request": {"number": 5, "head": {"sha": "h1", "repo": repo}}});
            assert!(origin_of("pull_request", &event).is_from_fork);
            assert!(!origin_of("pull_request_target", &event).is_from_fork);
        }
    }

    #[test]
    fn an_issue_is_a_pull_request_only_where_it_says_so() {
        let mut event = json!({"issue": {"number": 5}});
        assert_eq!(origin_of("issue_comment", &event).event_pull_request, None);
        event["issue"]["pull_request"] = json!({"url": "x"});
        assert_eq!(origin_of("issue_comment", &event).event_pull_request, Some(5));
    }

    #[test]
    fn a_workflow_that_follows_speaks_of_what_it_follows() {
        let mut event = json!({"workflow_run": {
            "event": "push", "head_sha": "c7", "head_branch": "staging", "pull_requests": [{"number": 9}],
        }});
        let origin = origin_of("workflow_run", &event);
        assert_eq!(
            (&*origin.event, &*origin.sha, origin.event_pull_request),
            ("push", "c7", None)
        );
        event["workflow_run"]["event"] = json!("pull_request");
        assert_eq!(origin_of("workflow_run", &event).event_pull_request, Some(9));
    }

    #[test]
    fn the_branch_is_that_of_what_the_run_is_about_or_none() {
        let of = |name: &str, event: &Value| {
            let lookup = |variable: &str| match variable {
                "GITHUB_EVENT_NAME" => Some(name.to_owned()),
                "GITHUB_REF_TYPE" => Some("branch".to_owned()),
                // The default branch, as GitHub has it for everything that is not about a branch.
                "GITHUB_REF_NAME" => Some("main".to_owned()),
                _ => None,
            };
            branch(&lookup, Some(&event.to_string()))
        };
        let run = |event: &str, pulls: Value| json!({"workflow_run": {"event": event, "head_branch": "staging", "pull_requests": pulls}});
        let pull = || json!({"number": 9, "base": {"ref": "release"}});
        let cases = [
            ("push", json!({}), Some("main")),
            ("", json!({}), Some("main")),
            ("pull_request", json!({"pull_request": pull()}), Some("release")),
            ("pull_request_review", json!({"pull_request": pull()}), Some("release")),
            (
                "merge_group",
                json!({"merge_group": {"base_ref": "refs/heads/main"}}),
                Some("main"),
            ),
            ("merge_group", json!({}), None),
            ("issue_comment", json!({"issue": {"pull_request": {}}}), None),
            ("check_suite", json!({"check_suite": {"head_branch": "staging"}}), None),
            ("workflow_run", run("push", json!([pull()])), Some("staging")),
            ("workflow_run", run("pull_request", json!([pull()])), Some("release")),
            ("workflow_run", run("pull_request", json!([])), None),
            ("workflow_run", run("pull_request", json!([pull(), pull()])), None),
            // Of a chain of runs only the last link is told, and that one ran on the default branch.
            ("workflow_run", run("workflow_run", json!([])), None),
            ("workflow_run", json!({}), None),
        ];
        for (name, event, expected) in cases {
            assert_eq!(of(name, &event).as_deref(), expected, "{name} {event}");
        }
    }

    #[test]
    fn an_event_that_cannot_be_read_costs_nothing_else() {
        let lookup = |name: &str| (name == "GITHUB_REPOSITORY").then(|| "acme/shop".to_owned());
        let context = Context::read(&lookup, Some("{")).expect("a context");
        assert!(context.origin.event_error.is_some());
        for odd in [
            json!([]),
            json!("x"),
            json!({"pull_request": 3, "commits": {}, "issue": [], "workflow_run": null}),
        ] {
            for name in [
                "push",
                "pull_request",
                "issue_comment",
                "workflow_run",
                "merge_group",
                "schedule",
            ] {
                let origin = origin_of(name, &odd);
                assert_eq!(origin.event_pull_request, None);
            }
        }
    }
}
