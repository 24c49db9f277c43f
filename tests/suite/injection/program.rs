//! The program itself on a runner, fed with hostile flags, files and names.

use std::path::Path;
use std::process::Command;

use portzero::cli::ci::files;
use portzero::cli::streams;
use portzero_core::base::finding::Code;
use serde_json::{Value, json};

use super::{corpus, page};
use crate::support::program::{Said, portzero, said};
use crate::support::runner_files;

fn on_a_runner(folder: &Path) -> Command {
    let mut command = portzero(folder);
    command.env("GITHUB_ACTIONS", "true").env("CI", "true");
    command
}

fn definition(hostile: &str) -> Value {
    json!({
        "family": "web", "networkMode": "bridge",
        "containerDefinitions": [{
            "name": "web", "image": format!("example/web:{hostile}"), "memory": 128,
            "environment": [{"name": "HOSTILE", "value": hostile}],
            "portMappings": [{"containerPort": 8080, "hostPort": 80}]
        }]
    })
}

#[track_caller]
fn assert_silent(said: &Said, hostile: &str) {
    for stream in [&said.stdout, &said.stderr] {
        let is_foreign = |command: &runner_files::Command| !is_annotation_of_a_finding(command);
        let foreign: Vec<_> = runner_files::commands(stream).into_iter().filter(is_foreign).collect();
        assert_eq!(foreign, [], "{hostile:?}: {stream}");
        let is_wild = |c: char| c.is_control() && c != '\n' && c != '\t' || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!stream.contains(is_wild), "{hostile:?}: {stream:?}");
    }
    assert_eq!(
        runner_files::commands(&said.stdout),
        [],
        "{hostile:?}: stdout carries no commands"
    );
    assert!(said.code.is_some_and(|code| code != 101), "{hostile:?}: {said:#?}");
}

/// Ours are annotations, titled with a finding's code; no text of the corpus has such a title.
fn is_annotation_of_a_finding(command: &runner_files::Command) -> bool {
    let is_ours = |title: &String| {
        let code = title.strip_prefix("portzero: ");
        code.is_some_and(|code| Code::ALL.iter().any(|known| known.as_str() == code)) || title == "portzero"
    };
    let places = ["title", "file", "line", "col"];
    matches!(command.name.as_str(), "error" | "warning" | "notice")
        && command.properties.get("title").is_some_and(is_ours)
        && command.properties.keys().all(|key| places.contains(&key.as_str()))
}

/// What the system takes as an argument.
fn arguments() -> impl Iterator<Item = String> {
    corpus::texts().into_iter().filter(|text| !text.contains('\0'))
}

#[test]
fn no_flag_makes_the_program_say_a_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("web.json"), definition("1").to_string()).unwrap();
    let rehearse = "rehearse --cluster demo --service web --task-definition web.json --dry-run";
    for (index, hostile) in arguments().enumerate() {
        let forms = [
            (rehearse.to_owned(), vec![format!("--image={hostile}")]),
            (rehearse.to_owned(), vec![format!("--until={hostile}")]),
            (rehearse.to_owned(), vec![format!("--fault={hostile}")]),
            (rehearse.to_owned(), vec![format!("--report={hostile}/x")]),
            (rehearse.to_owned(), vec![format!("--env=web:A={hostile}")]),
            (
                "rehearse --dry-run --task-definition web.json --cluster c".into(),
                vec![format!("--service={hostile}")],
            ),
            (
                "rehearse --dry-run --task-definition web.json --service s".into(),
                vec![format!("--cluster={hostile}")],
            ),
            ("render".into(), vec![format!("--task-definition={hostile}")]),
            ("plan".into(), vec![format!("--config={hostile}")]),
            ("plan".into(), vec![hostile.clone()]),
            (String::new(), vec![hostile.clone()]),
        ];
        // Each text takes some of the ways, and each way is taken by many texts.
        for form in 0..3 {
            let (words, flags) = &forms[(index + form * 4) % forms.len()];
            let mut command = on_a_runner(folder.path());
            let said = said(command.args(words.split_whitespace()).args(flags));
            assert_silent(&said, &hostile);
        }
    }
}

#[test]
fn no_file_makes_the_program_say_a_command() {
    for (index, hostile) in arguments().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let document = definition(&hostile);
        std::fs::write(folder.path().join("web.json"), document.to_string()).unwrap();
        let quoted = json!(hostile).to_string();
        let config = match index % 3 {
            0 => format!("version: 1\nservices:\n  - {{name: {quoted}, cluster: demo, task_definition: web.json}}\n"),
            1 => format!("version: 1\nservices:\n  - {{name: web, cluster: {quoted}, {quoted}: 1}}\n"),
            _ => format!("version: 1\n{hostile}\nservices: {quoted}\n"),
        };
        std::fs::write(folder.path().join("portzero.yml"), config).unwrap();
        let run = |arguments: &str| said(on_a_runner(folder.path()).args(arguments.split_whitespace()));
        assert_silent(&run("rehearse --dry-run --format json"), &hostile);
        let rendered = run("render --task-definition web.json --service web --cluster demo");
        assert_silent(&rendered, &hostile);
        if rendered.code == Some(0) && !rendered.stdout.is_empty() {
            let shown = &rendered.json()["containerDefinitions"][0]["environment"];
            assert_eq!(
                *shown, document["containerDefinitions"][0]["environment"],
                "a render is the user's own"
            );
        }
    }
}

#[test]
fn s07_a_page_on_stdout_mentions_nobody_and_says_no_command() {
    let mut pages = 0;
    for (index, hostile) in arguments().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("web.json"), definition(&hostile).to_string()).unwrap();
        let mut run = on_a_runner(folder.path());
        run.args("rehearse --format markdown --report page.md --task-definition web.json --service web".split(' '));
        // The page of a plan, of a deployment, and of one whose cluster is hostile.
        match index % 3 {
            0 => run.args(["--cluster", "demo", "--dry-run"]),
            1 => run.args(["--cluster", "demo"]),
            _ => run.args([&format!("--cluster={hostile}"), "--dry-run"]),
        };
        let said = said(&mut run);
        assert_silent(&said, &hostile);
        if said.stdout.is_empty() {
            continue;
        }
        pages += 1;
        let filed = page::read(&std::fs::read_to_string(folder.path().join("page.md")).unwrap());
        let printed = page::read(&said.stdout);
        assert_eq!(printed.elements, filed.elements, "{hostile:?}: {}", said.stdout);
        assert_eq!(printed.references(), [""; 0], "{hostile:?}: {}", said.stdout);
    }
    assert!(pages > 50, "only {pages} pages");
}

#[test]
fn a_credential_of_the_run_is_hidden_even_in_a_render() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("web.json"), definition(corpus::KNOWN).to_string()).unwrap();
    let render = |name: &str| {
        let mut command = on_a_runner(folder.path());
        said(
            command
                .args(["render", "--task-definition", "web.json"])
                .env(name, corpus::KNOWN),
        )
    };
    assert!(render("OTHER").stdout.contains(corpus::KNOWN));
    for name in [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GITHUB_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ] {
        let rendered = render(name);
        assert!(!format!("{rendered:?}").contains(corpus::KNOWN), "{rendered:#?}");
        assert_eq!(rendered.json()["containerDefinitions"][0]["image"], "example/web:***");
    }
}

#[test]
fn the_runner_reads_what_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("output");
    std::fs::write(&path, "before=1").unwrap();
    for text in ["a\nb", "evil<<E"] {
        files::append_outputs(&path, &[("verdict", text.to_owned()), ("other", "token=abc".into())]).unwrap();
    }
    let refused = files::append_outputs(&path, &[("fine", String::new()), ("a b", String::new())]).unwrap_err();
    assert!(refused.to_string().contains("no name for an output"), "{refused}");
    let contents = std::fs::read_to_string(&path).unwrap();
    let read = runner_files::entries(&contents).unwrap();
    let values: Vec<(&str, &str)> = read
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("before", "1"),
            ("verdict", "a\nb"),
            ("other", "token=***"),
            ("verdict", "evil<<E"),
            ("other", "token=***")
        ]
    );
    let delimiters: Vec<&str> = contents
        .lines()
        .filter(|line| line.starts_with("ghadelimiter_"))
        .collect();
    assert_eq!(delimiters.len(), 4);
    assert_ne!(delimiters[0], delimiters[2], "nobody can know it beforehand");
}

#[test]
fn a_summary_never_makes_the_file_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary");
    let page = "ä line of the page\n".repeat(30_000);
    for _ in 0..4 {
        files::append_summary(&path, &page).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() <= 1024 * 1024);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.len() > 1024 * 1024 - 200 && text.contains("too long for GitHub"),
        "{}",
        text.len()
    );
}

#[test]
fn a_document_hides_patterns_in_our_words_and_leaves_the_users() {
    let words = json!({ "summary": "token=abc ##[error]x" });
    assert_eq!(
        streams::Document::compact(words.clone()).as_str(),
        r#"{"summary":"token=*** #\u0023[error]x"}"#
    );
    assert_eq!(
        streams::Document::of_the_user(words).as_str(),
        "{\n  \"summary\": \"token=abc #\\u0023[error]x\"\n}"
    );
}
