//! docs/events.md and the one function that chooses the default command say the same, row by row.

use std::collections::BTreeMap;

use portzero::adapters::github::occasion;
use portzero_core::pull_request::DefaultCommand;
use serde_json::{Value, json};

use crate::support::loopback::{Answer, Loopback};
use crate::support::program::{Said, portzero, said};

/// Event and place, as the page has them, with the events that stand for the row.
fn fixtures() -> Vec<Row> {
    let mut rows = vec![
        (
            ("push", "commits or a tag arrive"),
            vec![
                ("push", json!({"deleted": false, "commits": [{"id": "c1"}]})),
                ("push", Value::Null),
            ],
        ),
        (
            ("push", "the branch or tag was deleted"),
            vec![("push", json!({"deleted": true, "after": "0".repeat(40)}))],
        ),
        (
            ("release", "it was published"),
            ["published", "released", "prereleased"]
                .map(|action| ("release", json!({"action": action})))
                .to_vec(),
        ),
        (
            ("release", "it was drafted, edited or deleted"),
            ["created", "edited", "deleted", "unpublished"]
                .map(|action| ("release", json!({"action": action})))
                .to_vec(),
        ),
        (
            ("any other", ""),
            ["fork", "issues", "create", "delete", "workflow_run", "registry_package"]
                .map(|name| (name, json!({})))
                .to_vec(),
        ),
        (("none", ""), vec![("", Value::Null)]),
    ];
    for name in ["workflow_dispatch", "repository_dispatch", "schedule", "deployment"] {
        rows.push(((name, ""), vec![(name, json!({}))]));
    }
    for name in [
        "pull_request_review",
        "pull_request_review_comment",
        "issue_comment",
        "merge_group",
    ] {
        rows.push(((name, ""), vec![(name, json!({"action": "created"}))]));
    }
    for name in ["pull_request", "pull_request_target"] {
        rows.extend(pull_request(name));
    }
    rows.extend(followed());
    rows
}

type Row = ((&'static str, &'static str), Vec<(&'static str, Value)>);

fn pull_request(name: &'static str) -> [Row; 3] {
    let event = |action: &str, merged: bool| json!({"action": action, "pull_request": {"number": 7, "merged": merged}});
    [
        (
            (name, "it is open"),
            vec![
                (name, event("opened", false)),
                (name, event("synchronize", false)),
                // A label on what was merged long ago is no merge.
                (name, event("labeled", true)),
                (name, Value::Null),
            ],
        ),
        (
            (name, "it was closed by its merge"),
            vec![(name, event("closed", true))],
        ),
        (
            (name, "it was closed without a merge"),
            vec![
                (name, event("closed", false)),
                (name, json!({"action": "closed", "pull_request": {"merged": null}})),
            ],
        ),
    ]
}

fn followed() -> Vec<Row> {
    let run = |event: &str, conclusion: Value, head: Value| {
        let run = json!({"event": event, "conclusion": conclusion, "head_branch": "staging", "head_repository": head});
        ("workflow_run", json!({"action": "completed", "workflow_run": run}))
    };
    let own = || json!({"full_name": "Acme/shop"});
    let fork = || json!({"full_name": "mallory/shop"});
    let ends = [
        "failure",
        "cancelled",
        "skipped",
        "timed_out",
        "action_required",
        "neutral",
        "stale",
    ];
    vec![
        (
            ("workflow_run", "the run failed, was cancelled or was skipped"),
            ends.iter()
                .flat_map(|end| [run("push", json!(end), own()), run("pull_request", json!(end), fork())])
                .collect(),
        ),
        (
            ("workflow_run", "the run has not ended"),
            vec![run("push", Value::Null, own())],
        ),
        (
            ("workflow_run", "the run succeeded for a push"),
            vec![run("push", json!("success"), own())],
        ),
        (
            ("workflow_run", "the run succeeded for a pull request"),
            vec![
                run("pull_request", json!("success"), own()),
                run("pull_request_target", json!("success"), own()),
            ],
        ),
        (
            ("workflow_run", "the run succeeded for a pull request of a fork"),
            vec![
                run("pull_request", json!("success"), fork()),
                run("pull_request", json!("success"), Value::Null),
            ],
        ),
        (
            ("workflow_run", "the run succeeded for another commit of a fork"),
            vec![
                run("push", json!("success"), fork()),
                run("push", json!("success"), Value::Null),
            ],
        ),
        (
            ("workflow_run", "the run succeeded for another workflow_run"),
            vec![run("workflow_run", json!("success"), own())],
        ),
    ]
}

fn decide(name: &str, event: &Value) -> DefaultCommand {
    let lookup = |variable: &str| match variable {
        "GITHUB_EVENT_NAME" => Some(name.to_owned()),
        "GITHUB_REPOSITORY" => Some("acme/shop".to_owned()),
        _ => None,
    };
    occasion(&lookup, Some(&event.to_string())).default_command()
}

/// Event and place, with the command.
fn page() -> BTreeMap<(String, String), String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md")).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line
            .strip_prefix('|')?
            .strip_suffix('|')?
            .split('|')
            .map(str::trim)
            .collect();
        let [event, place, command] = cells[..] else {
            return None;
        };
        (event != "Event" && event != "---").then(|| ((event.replace('`', ""), place.to_owned()), command.to_owned()))
    });
    rows.collect()
}

#[test]
fn u06_the_page_and_the_function_have_the_same_rows_and_the_same_commands() {
    let told: BTreeMap<_, _> = fixtures()
        .into_iter()
        .map(|((event, place), events)| {
            let command = match decide(events[0].0, &events[0].1) {
                DefaultCommand::Deploy => "deploy",
                DefaultCommand::Plan => "plan",
                DefaultCommand::Nothing => "nothing",
            };
            for (name, event) in &events {
                assert_eq!(
                    decide(name, event),
                    decide(events[0].0, &events[0].1),
                    "{place}: {name} {event}"
                );
            }
            ((event.to_owned(), place.to_owned()), command.to_owned())
        })
        .collect();
    assert_eq!(page(), told);
}

/// `portzero action` in a folder with a file of two environments, after that event: what it said, its outputs, and what
/// it asked of AWS, which denies everything.
fn action(name: &str, event: &Value, branch: &str) -> (Said, String, String) {
    let denial = r#"{"__type":"AccessDeniedException","message":"denied"}"#;
    let aws = Loopback::answering(std::iter::repeat_n(Answer::error(400, denial), 5));
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let file = "version: 1\nenvironments:\n  staging: { branch: staging, cluster: shop-staging }\n  \
        production: { branch: main, cluster: shop }\nservices:\n  - { name: web, task_definition: current }\n";
    std::fs::write(path("portzero.yml"), file).expect("a file");
    std::fs::write(path("event.json"), event.to_string()).expect("a file");
    let mut command = portzero(folder.path());
    command.arg("action").envs([
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", &aws.url),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", name),
        ("GITHUB_REF_NAME", branch),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_REPOSITORY", "acme/shop"),
    ]);
    command
        .env("GITHUB_EVENT_PATH", path("event.json"))
        .env("GITHUB_OUTPUT", path("output"));
    let said = said(&mut command);
    let asked = aws.requests().into_iter().map(|request| request.body).collect();
    (said, std::fs::read_to_string(path("output")).unwrap_or_default(), asked)
}

#[test]
fn where_there_is_nothing_to_do_one_line_says_so_and_the_outputs_too() {
    let event = json!({"action": "closed", "pull_request": {"number": 7, "merged": false}});
    let (said, outputs, asked) = action("pull_request", &event, "main");
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(
        said.stderr,
        "portzero does nothing: the pull request was closed without a merge (the input `command` decides otherwise)\n"
    );
    assert!(outputs.contains("\nskipped\n"), "{outputs}");
    assert_eq!(asked, "");
}

#[test]
fn u06_a_run_that_follows_is_about_the_branch_of_the_other_one() {
    let run = json!({"event": "push", "conclusion": "success", "head_branch": "staging", "head_sha": "c1",
        "head_repository": {"full_name": "acme/shop"}});
    // GitHub's own variables name the default branch here.
    let (said, _, asked) = action("workflow_run", &json!({"workflow_run": run}), "main");
    assert!(
        said.stderr
            .starts_with("portzero deploy: the run that this one follows succeeded"),
        "{said:#?}"
    );
    assert!(asked.contains("\"shop-staging\""), "{asked}");
}

#[test]
fn s04_a_run_that_follows_one_of_a_fork_is_planned_and_chooses_no_environment() {
    let run = json!({"event": "pull_request", "conclusion": "success", "head_branch": "main", "head_sha": "c1",
        "pull_requests": [], "head_repository": {"full_name": "mallory/shop"}});
    let (said, outputs, asked) = action("workflow_run", &json!({"workflow_run": run}), "main");
    assert!(
        said.stderr
            .starts_with("portzero plan: the run that this one follows succeeded"),
        "{said:#?}"
    );
    assert_eq!((said.code, asked.as_str()), (Some(2), ""), "{said:#?}");
    assert!(outputs.contains("\nnot-started\n"), "{outputs}");
}

#[test]
fn a_push_to_a_branch_of_no_environment_asks_nothing_of_aws() {
    let (said, outputs, asked) = action("push", &json!({}), "feature");
    assert_eq!((said.code, asked.as_str()), (Some(2), ""), "{said:#?}");
    assert!(outputs.contains("\nnot-started\n"), "{outputs}");
}
