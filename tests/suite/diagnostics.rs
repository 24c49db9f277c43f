//! What the program tells of its own calls: nothing where it is not asked, each of them where it is, and no secret.

use tempfile::TempDir;

use crate::support::program::{Said, portzero, said};

/// A credential of the process, which turns up in an answer of AWS's.
const SECRET: &str = "c0rrect-h0rse-battery";

const DEFINITION: &str = r#"{
  "family": "web",
  "networkMode": "bridge",
  "containerDefinitions": [
    {"name": "web", "image": "example/web:1", "memory": 128, "portMappings": [{"containerPort": 8080, "hostPort": 0}]}
  ]
}"#;

fn rehearsed(more: &[&str], variables: &[(&str, &str)]) -> Said {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("web.json"), DEFINITION).expect("a file");
    let basic = [
        "rehearse",
        "--cluster",
        "demo",
        "--service",
        "web",
        "--task-definition",
        "web.json",
    ];
    said(
        portzero(folder.path())
            .args(basic)
            .args(more)
            .envs(variables.iter().copied()),
    )
}

fn calls(said: &Said) -> Vec<&str> {
    said.stderr.lines().filter(|line| line.starts_with("call: ")).collect()
}

fn summary(said: &Said) -> Option<&str> {
    said.stderr.lines().find(|line| line.starts_with("calls: "))
}

/// The number behind `requests` at the end of the log.
fn requests(said: &Said) -> usize {
    let line = said
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("requests"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a number of requests")
}

#[test]
fn every_attempt_is_told_where_it_is_asked_for_and_nothing_else_changes() {
    let silent = rehearsed(&[], &[]);
    assert_eq!(silent.code, Some(0), "{silent:#?}");
    assert!(calls(&silent).is_empty() && summary(&silent).is_none(), "{silent:#?}");
    let told = rehearsed(&["-vv"], &[]);
    let lines = calls(&told);
    assert_eq!(lines.len(), requests(&told), "{told:#?}");
    let update = lines
        .iter()
        .filter(|line| line.starts_with("call: ecs:UpdateService, attempt 1: answered in "));
    assert_eq!(update.count(), 1, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains(", request ")), "{lines:#?}");
    let count = format!("calls: {}, of which 0 failed and 0 were repeated", lines.len());
    assert!(summary(&told).is_some_and(|line| line.starts_with(&count)), "{told:#?}");
    let is_ours = |line: &&str| !line.starts_with("call: ") && !line.starts_with("calls: ");
    let rest = told.stderr.lines().filter(is_ours).map(without_names);
    assert_eq!(rest.collect::<Vec<_>>(), silent.stderr.lines().collect::<Vec<_>>());
    assert_eq!(told.stdout, silent.stdout);
}

/// The `requests` line without the names of the calls.
fn without_names(line: &str) -> &str {
    match line.split_once(" (") {
        Some((count, _)) if line.starts_with("  requests ") => count,
        _ => line,
    }
}

#[test]
fn u12_the_calls_are_named_to_whoever_looks_into_them_and_in_the_document() {
    let names = |said: &Said| {
        let line = said.stderr.lines().find(|line| line.starts_with("  requests "));
        line.expect("a line").contains("UpdateService 1")
    };
    assert!(!names(&rehearsed(&[], &[])));
    assert!(names(&rehearsed(&["-v"], &[])));
    assert!(names(&rehearsed(&["--log", "calls"], &[])));
    let document = rehearsed(&["--format", "json"], &[]);
    assert!(!names(&document));
    assert!(document.stdout.contains(r#""UpdateService": 1"#), "{}", document.stdout);
}

#[test]
fn the_variable_is_the_flag_and_an_empty_one_is_none() {
    let flag = rehearsed(&["-vv"], &[]);
    for more in [&["--log", "attempts"][..], &[]] {
        let variables: &[(&str, &str)] = if more.is_empty() {
            &[("PORTZERO_LOG", "attempts")]
        } else {
            &[]
        };
        let said = rehearsed(more, variables);
        assert_eq!(calls(&said).len(), calls(&flag).len(), "{said:#?}");
    }
    assert!(summary(&rehearsed(&[], &[("PORTZERO_LOG", "")])).is_none());
    let wrong = rehearsed(&[], &[("PORTZERO_LOG", "loud")]);
    assert_eq!(wrong.code, Some(2), "{wrong:#?}");
    assert!(wrong.stderr.contains("environment variable PORTZERO_LOG"), "{wrong:#?}");
}

#[test]
fn what_failed_or_was_repeated_is_told_in_a_line_a_call() {
    let fault = "throttled,action=ecs:RegisterTaskDefinition,count=2";
    let said = rehearsed(&["-v", "--fault", fault], &[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let lines = calls(&said);
    assert!(
        matches!(lines.as_slice(), [only] if only.starts_with("call: ecs:RegisterTaskDefinition, 3 attempts: answered in ")),
        "{lines:#?}"
    );
    assert!(
        summary(&said).is_some_and(|line| line.contains("0 failed and 1 were repeated")),
        "{said:#?}"
    );
}

#[test]
fn a_secret_in_an_answer_of_aws_is_not_shown() {
    let fault = format!("service-role,message=role {SECRET} and key AKIAQWERTYUIOPASDFGH cannot be assumed");
    let said = rehearsed(&["-vv", "--fault", &fault], &[("GITHUB_TOKEN", SECRET)]);
    let lines = calls(&said);
    let refused: Vec<_> = lines.iter().filter(|line| line.contains("cannot be assumed")).collect();
    assert_eq!(refused.len(), 1, "{said:#?}");
    assert!(refused[0].contains("role *** and key ***"), "{refused:#?}");
    assert!(
        !said.stderr.contains(SECRET) && !said.stderr.contains("AKIAQWERTYUIOPASDFGH"),
        "{said:#?}"
    );
}
