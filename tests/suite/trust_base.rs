//! `--trust-base`: the configuration of a stranger's pull request names and takes no more than that of the base branch.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::support::github::{Fault, GitHub, Route};
use crate::support::program::{Said, portzero, said};

const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const SECRET: &str = "c0rrect-h0rse-battery";
const FILE: &str = "version: 1
region: eu-west-1
environments:
  staging: { branch: main, cluster: shop-staging }
  production: { branch: release, cluster: shop }
services:
  - name: web
    task_definition: web.json
    images: { web: \"example/web:${TAG:-1}\" }
    url: https://web.example.com
  - name: worker
    task_definition: current
";
const DEFINITION: &str = r#"{
  "family": "web",
  "taskRoleArn": "arn:aws:iam::111122223333:role/web",
  "containerDefinitions": [
    {"name": "web", "image": "example/web:1", "memory": 128, "portMappings": [{"containerPort": 8080, "hostPort": 0}]}
  ]
}"#;

/// A checkout of a pull request, beside a GitHub that has the base's files.
struct Checkout {
    github: GitHub,
    folder: TempDir,
}

impl Checkout {
    fn of(file: &str, definition: &str) -> Self {
        let (github, folder) = (GitHub::start(), tempfile::tempdir().expect("a folder"));
        for (name, text) in [("portzero.yml", FILE), ("web.json", DEFINITION)] {
            let key = (BASE.to_owned(), name.to_owned());
            github.world().files.insert(key, text.to_owned());
        }
        let event = json!({"action": "opened", "pull_request": {"number": 7, "base": {"ref": "main", "sha": BASE},
            "head": {"sha": "c1", "repo": {"full_name": "mallory/shop"}}}});
        std::fs::create_dir_all(folder.path().join("shop/.git")).expect("a folder");
        let checkout = Self { github, folder };
        checkout.write("portzero.yml", file);
        checkout.write("web.json", definition);
        checkout.write("../event.json", &event.to_string());
        checkout.write("../outside.json", DEFINITION);
        checkout.write(".git/config", DEFINITION);
        checkout
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("shop").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = portzero(&self.path(""));
        command
            .args(arguments.split(' '))
            .envs(self.github.variables())
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_EVENT_PATH", self.path("../event.json"))
            .env("GITHUB_WORKSPACE", self.path(""))
            .env("SECRET", SECRET)
            // Whoever asks AWS gets no answer, and another exit code.
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            .env("AWS_ACCESS_KEY_ID", "a")
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    fn run(&self, arguments: &str) -> Said {
        said(&mut self.command(arguments))
    }
}

#[track_caller]
fn assert_refused(said: &Said, words: &[&str]) {
    assert_eq!(said.code, Some(2), "{words:?}: {said:#?}");
    assert_eq!(said.stdout, "");
    for words in ["trust-base", "nothing was changed, and AWS was not asked"]
        .iter()
        .chain(words)
    {
        assert!(said.stderr.contains(words), "`{words}` is missing: {said:#?}");
    }
    assert!(!said.stderr.contains(SECRET), "{said:#?}");
}

const REHEARSE: &str = "rehearse --dry-run --trust-base web";

#[test]
fn s04_what_a_stranger_may_change_is_planned() {
    let changed = FILE
        .replace("example/web:${TAG:-1}", "example/web:2")
        .replace("  - name: worker\n", "    timeout: 30m\n  - name: worker\n");
    for file in [FILE, &changed] {
        let checkout = Checkout::of(file, &DEFINITION.replace("128", "256"));
        let planned = checkout.run(REHEARSE);
        assert_eq!(planned.code, Some(0), "{planned:#?}");
        assert_eq!(
            checkout.github.count(Route::Contents),
            2,
            "one configuration, one task definition"
        );
    }
}

#[test]
fn s04_what_a_strangers_file_names_beyond_the_base_is_refused_with_key_file_and_line() {
    let edited = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        FILE.replacen(from, to, 1)
    };
    let cases = [
        (
            edited("name: web", "name: admin"),
            "portzero.yml:7:5",
            "`services[0].name` names `admin`",
        ),
        (
            edited("cluster: shop-staging", "cluster: shop"),
            "portzero.yml:4:28",
            "`environments.staging.cluster` names `shop`",
        ),
        // Which environment it is, the stranger's own file says.
        (
            edited("branch: main", "branch: x").replace("branch: release", "branch: main"),
            "portzero.yml:5:31",
            "`environments.production.cluster` names `shop`",
        ),
        (
            edited("  staging: {", "  staging: { vars: { A: b },")
                .replace("cluster: shop-staging }", "}")
                .replace("    url", "    cluster: shop\n    url"),
            "portzero.yml:10:5",
            "`services[0].cluster` names `shop`",
        ),
        (
            edited("eu-west-1", "us-east-1"),
            "portzero.yml:2:1",
            "`region` names `us-east-1`",
        ),
        (
            edited("task_definition: web.json", "task_definition: payments:7"),
            "portzero.yml:8:5",
            "`services[0].task_definition` names `payments:7`",
        ),
        (
            edited("https://web.example.com", "https://evil.example.com"),
            "portzero.yml:10:5",
            "`services[0].url` names `https://evil.example.com`",
        ),
        (
            edited(
                "    url",
                "    probes: [{ url: \"https://evil.example.com\" }]\n    url",
            ),
            "portzero.yml:10:5",
            "`services[0].probes` names `https://evil.example.com`",
        ),
        (
            edited(
                "    url",
                "    load_balancer: { target_group_arn: \"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/1\", \
            container_name: web, container_port: 80 }\n    url",
            ),
            "portzero.yml:10:5",
            "`services[0].load_balancer` names",
        ),
    ];
    for (file, place, words) in &cases {
        let checkout = Checkout::of(file, DEFINITION);
        let refused = checkout.run("plan --trust-base");
        assert_refused(&refused, &[place, words, "portzero.yml@bbbbbbb"]);
    }
    let role = DEFINITION.replace("role/web", "role/admin");
    let refused = Checkout::of(FILE, &role).run("plan --trust-base");
    assert_refused(
        &refused,
        &[
            "web.json:3:3",
            "`taskRoleArn` of web.json names `arn:aws:iam::",
            ":role/admin`",
        ],
    );
}

#[test]
fn s04_a_strangers_file_takes_no_variable_of_the_runner_that_the_bases_does_not_take_there() {
    for (from, to, key) in [
        ("${TAG:-1}", "${SECRET}", "services[0].images.web"),
        (
            "${TAG:-1}",
            "${TAG:-${AWS_SECRET_ACCESS_KEY}}",
            "services[0].images.web",
        ),
        ("name: worker", "name: \"${SECRET}\"", "services[1].name"),
        ("services:", "vars: { A: \"${SECRET}\" }\nservices:", "vars.A"),
        // The base's own text, at another place.
        (
            "https://web.example.com",
            "\"https://x/example/web:${TAG:-1}\"",
            "services[0].url",
        ),
    ] {
        assert!(FILE.contains(from), "{from}");
        let checkout = Checkout::of(&FILE.replacen(from, to, 1), DEFINITION);
        let refused = checkout.run("plan --trust-base");
        assert_refused(&refused, &[&format!("`{key}` takes "), "portzero.yml:"]);
    }
    // What the workflow or the file gives is no variable of the runner.
    let file = FILE.replacen("${TAG:-1}", "v${VERSION}", 1);
    let given = Checkout::of(&file, DEFINITION).run(&format!("{REHEARSE} --var VERSION=2"));
    assert_eq!(given.code, Some(0), "{given:#?}");
    let file = file.replacen("services:", "vars: { VERSION: 2 }\nservices:", 1);
    let given = Checkout::of(&file, DEFINITION).run(REHEARSE);
    assert_eq!(given.code, Some(0), "{given:#?}");
}

#[test]
fn s04_a_strangers_file_leads_to_no_file_outside_of_the_checkout() {
    for (path, why) in [
        ("../outside.json", "it is outside of the checkout"),
        ("/etc/hostname.json", "it is outside of the checkout"),
        ("a/../../outside.json", "it is outside of the checkout"),
        (".git/config", "it is one of git's own"),
        (".", "it is no regular file"),
    ] {
        let file = FILE.replacen("web.json", &format!("\"{path}\""), 1);
        let refused = Checkout::of(&file, DEFINITION).run("plan --trust-base web");
        if path == "." {
            assert_eq!(refused.code, Some(2), "{refused:#?}");
            continue;
        }
        assert_refused(&refused, &[why, "portzero.yml:8:"]);
    }
}

#[cfg(unix)]
#[test]
fn s04_a_strangers_symbolic_link_is_not_followed() {
    let linked = |name: &str, to: &str| {
        let checkout = Checkout::of(FILE, DEFINITION);
        std::fs::remove_file(checkout.path(name)).expect("the file");
        std::os::unix::fs::symlink(to, checkout.path(name)).expect("a link");
        checkout.run("plan --trust-base")
    };
    for (name, to) in [
        ("web.json", "../outside.json"),
        ("web.json", "/proc/self/environ"),
        ("portzero.yml", "web.json"),
    ] {
        assert_refused(&linked(name, to), &["a symbolic link is on the way to it"]);
    }
}

#[test]
fn s04_a_base_that_cannot_be_read_is_no_pass() {
    let checkout = Checkout::of(FILE, DEFINITION);
    checkout.github.world().files.clear();
    assert_refused(
        &checkout.run("plan --trust-base"),
        &[
            "the base branch has no file portzero.yml@bbbbbbb",
            "hint: merge the file",
        ],
    );
    let checkout = Checkout::of(FILE, DEFINITION);
    checkout.github.fail(Route::Contents, Fault::integration());
    assert_refused(
        &checkout.run("plan --trust-base"),
        &[
            "cannot be read from GitHub",
            "Resource not accessible",
            "contents: read",
        ],
    );
    let checkout = Checkout::of(FILE, DEFINITION);
    let mut no_token = checkout.command("plan --trust-base");
    assert_refused(&said(no_token.env_remove("GITHUB_TOKEN")), &["there is no token"]);
    let mut elsewhere = checkout.command("plan --trust-base");
    assert_refused(
        &said(elsewhere.env("GITHUB_EVENT_NAME", "check_run")),
        &["names no commit of a base branch"],
    );
    assert_eq!(checkout.github.count(Route::Contents), 0);
}

#[test]
fn s04_what_has_arrived_is_held_against_nothing() {
    let checkout = Checkout::of(&FILE.replace("name: web", "name: web2"), DEFINITION);
    let mut run = checkout.command("rehearse --dry-run --trust-base --environment staging web2");
    let planned = said(run.env("GITHUB_EVENT_NAME", "push"));
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    assert_eq!(checkout.github.requests().len(), 0);
}

#[test]
fn s04_the_input_of_the_action_is_refused_where_the_command_does_not_check_it() {
    let checkout = Checkout::of(FILE, DEFINITION);
    let run = |command: &str| {
        let mut run = checkout.command("action");
        said(run.env("PORTZERO_TRUST_BASE", "true").env("PORTZERO_COMMAND", command))
    };
    let refused = run("status");
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused
            .stderr
            .contains("`trust-base` is of deploy, plan and rehearse, and not of status"),
        "{refused:#?}"
    );
    checkout.write("portzero.yml", &FILE.replace("name: web", "name: admin"));
    assert_refused(&run("plan"), &["`services[0].name` names `admin`"]);
}

#[test]
fn s04_a_linked_folder_to_work_in_is_not_entered() {
    if !cfg!(unix) {
        return;
    }
    let checkout = Checkout::of(FILE, DEFINITION);
    link(Path::new("../.."), &checkout.path("linked"));
    let mut run = checkout.command("action");
    let refused = said(
        run.env("PORTZERO_TRUST_BASE", "true")
            .env("PORTZERO_COMMAND", "plan")
            .env("PORTZERO_WORKING_DIRECTORY", "linked"),
    );
    assert_refused(&refused, &["the input `working-directory`"]);
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).expect("a link");
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) {}
