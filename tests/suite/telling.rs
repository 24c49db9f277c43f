//! What a run tells on GitHub, through the program itself: the comment as it is kept in tests/pages, when it is written, and
//! what does not become of a deployment when GitHub fails.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::injection::page;
use crate::support::github::{Fault, GitHub, Pull, Route};
use crate::support::program::{Simulator, portzero, said, send};
use crate::support::runner_files;

const SHA: &str = "c0ffee0000000000000000000000000000000000";
const NUMBER: u64 = 7;
const USERS: &str = "rehearse --config examples/users/portzero.yml --comment always";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// GitHub with a pull request that was merged into staging as the commit of the run.
fn github() -> GitHub {
    let github = GitHub::start();
    github.associate(SHA, &[Pull::merged(NUMBER, "staging", SHA)]);
    github
}

/// The program in a push to staging, with a summary file and an output file in a folder of their own.
fn in_a_push(github: &GitHub, folder: &Path, arguments: &str) -> Command {
    let event = json!({ "repository": { "private": true } });
    let event_file = folder.join("event.json");
    std::fs::write(&event_file, event.to_string()).expect("a file");
    let mut command = portzero(root());
    command
        .envs(github.variables())
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_EVENT_PATH", event_file)
        .env("GITHUB_SHA", SHA)
        .env("GITHUB_REF", "refs/heads/staging")
        .env("GITHUB_REF_NAME", "staging")
        .env("GITHUB_REF_TYPE", "branch")
        .env("GITHUB_WORKSPACE", root())
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .env("GITHUB_OUTPUT", folder.join("outputs"))
        .args(arguments.split_whitespace());
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn only_comment(github: &GitHub) -> String {
    let comments = github.comments(NUMBER);
    assert_eq!(comments.len(), 1, "{comments:?}");
    comments[0].body.clone()
}

/// Compares with the page that was reviewed; `INSTA_UPDATE=always` writes it anew.
fn assert_page(name: &str, body: &str) {
    let path = root().join("tests/pages").join(format!("{name}.md"));
    if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        std::fs::write(&path, body).expect("a file");
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = similar::TextDiff::from_lines(reviewed.as_str(), body);
    assert!(
        reviewed == body,
        "tests/pages/{name}.md shows another page (INSTA_UPDATE=always cargo test telling):\n{}",
        difference.unified_diff()
    );
}

fn assert_rehearsal(name: &str, arguments: &str, code: i32) {
    let (github, folder) = (github(), folder());
    let said = said(&mut in_a_push(&github, folder.path(), arguments));
    assert_eq!(said.code, Some(code), "{said:#?}");
    assert_page(name, &only_comment(&github));
}

#[test]
fn the_comment_of_a_success_is_what_was_reviewed() {
    assert_rehearsal("success", USERS, 0);
}

#[test]
fn the_comment_of_a_failed_health_check_is_what_was_reviewed() {
    let arguments = "rehearse --task-definition tests/scenarios/web.json --comment always \
                     --scenario tests/scenarios/11-health-check-404-no-breaker.yml";
    assert_rehearsal("failed-health-check", arguments, 1);
}

#[test]
fn the_comment_of_a_rollback_is_what_was_reviewed() {
    let arguments = "rehearse --task-definition tests/scenarios/web.json --comment always \
                     --scenario tests/scenarios/06-crash-rolled-back.yml";
    assert_rehearsal("rolled-back", arguments, 1);
}

#[test]
fn the_comment_of_a_plan_is_what_was_reviewed() {
    assert_rehearsal("plan", &format!("{USERS} --dry-run"), 0);
}

#[test]
fn one_comment_says_first_that_it_begins_and_then_how_it_ended() {
    let (github, folder) = (github(), folder());
    let said = said(&mut in_a_push(&github, folder.path(), USERS));
    assert_eq!(said.code, Some(0), "{said:#?}");
    let requests = github.requests();
    let bodies: Vec<String> = requests
        .iter()
        .filter(|request| request.path.contains("/comments") && request.method != "GET")
        .map(|request| request.json()["body"].as_str().expect("a body").to_owned())
        .collect();
    assert_eq!(bodies.len(), 2, "{bodies:#?}");
    assert!(
        bodies[0].contains("⏳ Rehearsal for **staging** is on its way"),
        "{}",
        bodies[0]
    );
    assert!(bodies[0].contains("\"state\":\"deploying\""), "{}", bodies[0]);
    assert!(bodies[1].contains("\"state\":\"succeeded\""), "{}", bodies[1]);
    let outputs = std::fs::read_to_string(folder.path().join("outputs")).expect("outputs");
    assert!(outputs.contains("comment-url<<"), "{outputs}");
    assert!(outputs.contains("#issuecomment-"), "{outputs}");
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(
        summary.contains("✅ Rehearsal for") && !summary.contains("portzero:v1"),
        "{summary}"
    );
}

#[test]
fn a_plan_and_the_deployment_after_it_share_a_comment() {
    let github = github();
    for (arguments, icon) in [(format!("{USERS} --dry-run"), "📋"), (USERS.to_owned(), "✅")] {
        let folder = folder();
        let said = said(&mut in_a_push(&github, folder.path(), &arguments));
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert!(only_comment(&github).contains(icon));
    }
}

#[test]
fn a_refusal_of_github_is_one_warning_with_the_cure_and_changes_no_verdict() {
    let (github, folder) = (github(), folder());
    for route in [Route::CreateComment, Route::CreateComment, Route::ListComments] {
        github.fail(route, Fault::integration());
    }
    let said = said(&mut in_a_push(&github, folder.path(), USERS));
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(said.stderr.matches("warning[github]").count(), 1, "{}", said.stderr);
    assert!(said.stderr.contains("pull-requests: write"), "{}", said.stderr);
    assert!(
        said.stderr.contains("::warning title=portzero%3A github::"),
        "{}",
        said.stderr
    );
}

#[test]
fn no_failure_of_github_changes_the_verdict() {
    let limit = || Fault::limited(3600);
    let (deleted, gone) = (
        || Fault::answer(410, "This issue was deleted"),
        || Fault::answer(404, "Not Found"),
    );
    let page = || Fault::html(502);
    let faults: [(&str, &dyn Fn() -> Fault); 4] = [
        ("rate limit", &limit),
        ("deleted", &deleted),
        ("not found", &gone),
        ("server error", &page),
    ];
    for (what, fault) in faults {
        for (arguments, code) in [(USERS.to_owned(), 0), (format!("{USERS} --fault unhealthy"), 1)] {
            let (github, folder) = (github(), folder());
            // As often as anybody asks.
            for _ in 0..20 {
                github.fail(Route::ListComments, fault());
                github.fail(Route::CreateComment, fault());
            }
            let said = said(&mut in_a_push(&github, folder.path(), &arguments));
            assert_eq!(said.code, Some(code), "{what}: {said:#?}");
            assert_eq!(
                said.stderr.matches("warning[github]").count(),
                1,
                "{what}: {}",
                said.stderr
            );
            assert!(github.comments(NUMBER).is_empty(), "{what}");
        }
    }
}

#[test]
fn no_token_and_no_repository_are_no_reason_to_fail() {
    let (github, folder) = (github(), folder());
    for name in ["GITHUB_TOKEN", "GITHUB_REPOSITORY"] {
        let said = said(in_a_push(&github, folder.path(), USERS).env_remove(name));
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert!(
            said.stderr.contains("warning[github]: nothing is told on GitHub"),
            "{}",
            said.stderr
        );
    }
    assert_eq!(github.requests().len(), 0);
}

#[test]
fn a_rehearsal_comments_only_where_it_is_asked_to() {
    let (github, folder) = (github(), folder());
    let quiet = USERS.replace(" --comment always", "");
    let said = said(&mut in_a_push(&github, folder.path(), &quiet));
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(github.requests().len(), 0);
}

#[test]
fn strangers_see_no_account_id_and_the_next_step_gets_it_whole() {
    const ACCOUNT: &str = "111122223333";
    let (github, folder) = (github(), folder());
    let mut command = in_a_push(&github, folder.path(), USERS);
    std::fs::write(folder.path().join("event.json"), r#"{"repository":{"private":false}}"#).expect("a file");
    let told = said(&mut command);
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    for surface in [&told.stdout, &told.stderr, &summary, &only_comment(&github)] {
        assert!(!surface.contains(ACCOUNT), "{surface}");
    }
    let outputs = std::fs::read_to_string(folder.path().join("outputs")).expect("outputs");
    assert!(
        outputs.contains(&format!("{ACCOUNT}:task-definition/users:2")),
        "{outputs}"
    );

    let shown = said(in_a_push(&github, folder.path(), USERS).arg("--hide-account-ids=false"));
    assert!(shown.stderr.contains(ACCOUNT), "{}", shown.stderr);
}

#[test]
fn a_slip_in_a_file_is_marked_where_it_stands_in_the_repository() {
    let (github, folder) = (github(), folder());
    let workspace = folder.path().join("workspace");
    std::fs::create_dir_all(workspace.join("deploy")).expect("a folder");
    let config = "version: 1\nservices:\n  - name: web\n    clutser: shop\n";
    std::fs::write(workspace.join("deploy/portzero.yml"), config).expect("a file");
    let mut command = in_a_push(&github, folder.path(), "plan");
    command
        .env("GITHUB_WORKSPACE", &workspace)
        .current_dir(workspace.join("deploy"));
    let said = said(&mut command);
    assert_eq!(said.code, Some(2), "{said:#?}");
    let annotation = "::error file=deploy/portzero.yml,line=4,col=5,title=portzero%3A ";
    assert!(said.stderr.contains(annotation), "{}", said.stderr);
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.contains("clutser"), "{summary}");
}

/// `portzero deploy` on a served simulator, as a step of a push.
fn deploy(github: &GitHub, simulator: &Simulator, folder: &Path, more: &str) -> Command {
    let arguments = format!("deploy --cluster demo --service web --image web=example/web:3 {more}");
    let mut command = in_a_push(github, folder, &arguments);
    command.envs(simulator.variables.clone()).current_dir(folder);
    command
}

#[test]
fn a_deployment_and_a_status_are_recorded_where_they_are_asked_for() {
    let (github, folder) = (github(), folder());
    let simulator = Simulator::at_speed("100x");
    let said = said(&mut deploy(
        &github,
        &simulator,
        folder.path(),
        "--github-deployment --commit-status",
    ));
    assert_eq!(said.code, Some(0), "{said:#?}");
    let states = |path: &str| -> Vec<String> {
        let requests = github.requests();
        let of_path = requests.iter().filter(|r| r.method == "POST" && r.path.contains(path));
        of_path
            .map(|r| r.json()["state"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(states("/statuses/"), ["pending", "success"]);
    let deployments = github
        .requests()
        .into_iter()
        .filter(|r| r.method == "POST" && r.path.ends_with("/deployments"));
    let deployments: Vec<_> = deployments.map(|request| request.json()).collect();
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0]["required_contexts"], json!([]));
    assert_eq!(deployments[0]["auto_merge"], json!(false));
    let of_deployment: Vec<String> = github
        .requests()
        .iter()
        .filter(|r| r.method == "POST" && r.path.contains("/deployments/"))
        .map(|r| r.json()["state"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(of_deployment, ["in_progress", "success"]);
    assert!(only_comment(&github).contains("✅ Deployment to **demo** succeeded"));
}

/// Signals once a line has all the words, and sees to it that the run ends before the runner loses its patience.
fn cancel(mut command: Command, words: &[&str], signal: &str) {
    let mut run = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let mut stderr = BufReader::new(run.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !words.iter().all(|word| line.contains(word)) {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("a line"), 0, "it ended by itself");
    }
    send(signal, &run);
    let sent = Instant::now();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("the rest");
    assert_eq!(run.wait().expect("an end").code(), Some(130), "{rest}");
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
}

#[test]
fn a_cancelled_run_says_in_its_comment_what_goes_on() {
    let (github, folder) = (github(), folder());
    let simulator = Simulator::at_speed("1x");
    cancel(deploy(&github, &simulator, folder.path(), ""), &["waiting on"], "INT");
    let comment = only_comment(&github);
    assert!(
        comment.contains("✋ Deployment to **demo** was no longer followed"),
        "{comment}"
    );
    assert!(comment.contains("the rollout goes on in AWS"), "{comment}");
}

#[test]
fn a_silent_github_does_not_keep_a_cancelled_run() {
    let (github, folder) = (github(), folder());
    for _ in 0..20 {
        github.fail(Route::PullsOfCommit, Fault::silence());
    }
    let simulator = Simulator::at_speed("1x");
    cancel(deploy(&github, &simulator, folder.path(), ""), &["waiting on"], "TERM");
}

/// The comment that docs/action.md shows is one that was reviewed.
#[test]
fn the_comment_of_the_page_is_the_reviewed_one() {
    let docs = std::fs::read_to_string(root().join("docs/action.md")).expect("docs/action.md");
    let page = std::fs::read_to_string(root().join("tests/pages/success.md")).expect("a page");
    // Without the marks and the details: these are long, and folded away.
    let shown = page
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with("<details>"))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        docs.contains(shown.trim()),
        "docs/action.md does not show this comment:\n{shown}"
    );
}

/// Three services of one file; of them those that are named.
const SHOP: &str = "version: 1\nregion: us-east-1\nenvironments:\n  staging: { branch: staging, cluster: shop }\nservices:\n  \
    - { name: a, family: a, containers: [{ name: a, image: \"example/a:2\", memory: 64 }] }\n  \
    - { name: b, family: b, containers: [{ name: b, image: \"example/b:2\", memory: 64 }] }\n";

#[test]
fn runs_about_other_services_and_rehearsals_do_not_speak_over_each_other() {
    let (github, folder) = (github(), folder());
    std::fs::write(folder.path().join("portzero.yml"), SHOP).expect("a file");
    for arguments in [
        "rehearse a --comment always",
        "rehearse b --comment always --fault crash-loop",
    ] {
        let mut command = in_a_push(&github, folder.path(), arguments);
        command
            .env("GITHUB_WORKSPACE", folder.path())
            .current_dir(folder.path());
        said(&mut command);
    }
    let comments = github.comments(NUMBER);
    let keys: Vec<&str> = comments
        .iter()
        .filter_map(|comment| comment.body.lines().next())
        .collect();
    assert_eq!(
        keys,
        [
            "<!-- portzero:v1 key=\"staging/portzero.yml/a/rehearsal\" -->",
            "<!-- portzero:v1 key=\"staging/portzero.yml/b/rehearsal\" -->",
        ]
    );
}

#[test]
fn a_document_that_is_lost_makes_no_second_page() {
    let (github, folder) = (github(), folder());
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a full device");
    let mut command = in_a_push(
        &github,
        folder.path(),
        "rehearse --config examples/users/portzero.yml --format json",
    );
    let code = command.stdout(full).status().expect("portzero runs").code();
    assert_eq!(code, Some(2));
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert_eq!(
        summary.matches("\n### ").count() + usize::from(summary.starts_with("### ")),
        1,
        "{summary}"
    );
}

#[test]
fn a_run_that_did_not_begin_says_so_to_later_steps() {
    let (github, folder) = (github(), folder());
    let said = said(&mut in_a_push(&github, folder.path(), "plan --config nowhere.yml"));
    assert_eq!(said.code, Some(2), "{said:#?}");
    let outputs = std::fs::read_to_string(folder.path().join("outputs")).expect("outputs");
    assert!(outputs.contains("\nnot-started\n"), "{outputs}");
}

#[test]
fn a_beginning_that_hangs_leaves_no_comment_that_says_it_goes_on() {
    let (github, folder) = (github(), folder());
    for _ in 0..10 {
        github.fail(Route::CommitStatus, Fault::silence());
    }
    let simulator = Simulator::at_speed("1x");
    let command = deploy(
        &github,
        &simulator,
        folder.path(),
        "--commit-status --github-deployment",
    );
    // By then the comment stands, and the beginning hangs behind it.
    cancel(command, &["waiting on", "PENDING"], "INT");
    let comment = only_comment(&github);
    assert!(comment.contains("✋"), "{comment}");
}

/// What AWS says can be written by strangers: here by the fault that says the worst.
#[test]
fn hostile_words_of_aws_are_data_in_the_comment_and_the_summary() {
    let (github, folder) = (github(), folder());
    let arguments = format!("{USERS} --fault hostile-text --fault crash-loop");
    let said = said(&mut in_a_push(&github, folder.path(), &arguments));
    assert_eq!(said.code, Some(1), "{said:#?}");
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    let comment = only_comment(&github);
    let text = comment.lines().skip(1).collect::<Vec<_>>().join("\n");
    for page in [text.split("<!-- portzero:meta").next().expect("text"), &summary] {
        let read = page::read(page);
        assert!(read.text.contains("@everyone"), "nothing hostile was said: {page}");
        let is_ours =
            |link: &String| link.starts_with("https://github.com/acme/shop/") || link.ends_with(".elb.amazonaws.com");
        assert!(read.links.iter().all(is_ours), "{:?}", read.links);
        let is_known = |html: &String| {
            ["details", "summary", "sub", "br"].iter().any(|tag| html.contains(tag)) && !html.contains("script")
        };
        assert!(read.html.iter().all(is_known), "{:?}", read.html);
        assert_eq!(read.references(), Vec::<String>::new(), "{page}");
        for secret in ["AKIA", "ghp_"] {
            assert!(!page.contains(secret), "{secret}: {page}");
        }
    }
    for stream in [&said.stdout, &said.stderr] {
        let names: Vec<String> = runner_files::commands(stream)
            .into_iter()
            .map(|command| command.name)
            .collect();
        assert!(
            names.iter().all(|name| name == "error" || name == "warning"),
            "{names:?}"
        );
    }
}
