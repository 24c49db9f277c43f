//! `portzero observe` and `portzero status` on rollouts that somebody else began, in every state in which they can be
//! found: through the program itself, on a simulator whose time stands until it is told to go.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::http::{control, ecs};
use crate::support::program::{Said, Simulator, portzero, said};

const WEB: &str = "--cluster demo --service web";

/// The demo, a web service of two tasks that rolls out one at a time; time stands.
struct Stage {
    simulator: Simulator,
    url: String,
}

impl Stage {
    fn with(arguments: &[&str]) -> Self {
        // What is shown has its times.
        let mut all = vec!["--speed", "0.0001x", "--start", "2026-01-01T12:00:00Z"];
        all.extend(arguments);
        let simulator = Simulator::with(&all);
        let mut variables = simulator.variables.iter();
        let endpoint = variables.find(|(name, _)| name == "AWS_ENDPOINT_URL");
        let url = endpoint.expect("an endpoint").1.clone();
        Self { simulator, url }
    }

    fn demo() -> Self {
        Self::with(&[])
    }

    /// A web service whose deployments fail, and what its circuit breaker does then.
    fn failing(rollback: bool) -> (tempfile::TempDir, Self) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("failing.yml");
        let breaker = format!("circuit_breaker: {{ enable: true, rollback: {rollback} }}");
        let demo = include_str!("../../src/cli/command/demo.yml")
            .replace("circuit_breaker: { enable: true, rollback: true }", &breaker);
        std::fs::write(&file, demo).expect("a file");
        let stage = Self::with(&["--scenario", &file.display().to_string(), "--fault", "crash-loop"]);
        (folder, stage)
    }

    fn program(&self, arguments: &str) -> Said {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = portzero(folder.path());
        command
            .envs(self.simulator.variables.clone())
            .args(arguments.split_whitespace());
        said(&mut command)
    }

    fn observe(&self, arguments: &str) -> Said {
        self.program(&format!("observe {arguments}"))
    }

    /// As the AWS CLI does it. Gives the id of the deployment.
    fn update(&self) -> String {
        let body = json!({"cluster": "demo", "service": "web", "forceNewDeployment": true});
        let answer = ecs(&self.url, "UpdateService", &body.to_string()).expect("an answer");
        self.id(&answer.json()["service"]["deployments"][0])
    }

    fn id(&self, deployment: &Value) -> String {
        deployment["id"].as_str().expect("an id").to_owned()
    }

    fn advance(&self, by: &str) {
        control(&self.url, "POST", "advance", &json!({ "by": by }).to_string());
    }

    /// From here on nobody has to wait for long.
    fn hurry(&self) {
        control(&self.url, "POST", "speed", r#"{"speed": 60}"#);
    }

    fn deployments(&self) -> Vec<Value> {
        let body = json!({"cluster": "demo", "services": ["web"]});
        let answer = ecs(&self.url, "DescribeServices", &body.to_string()).expect("an answer");
        let described = answer.json();
        described["services"][0]["deployments"]
            .as_array()
            .expect("deployments")
            .clone()
    }

    /// Time goes on until it is so.
    fn until(&self, what: &str, is_so: impl Fn(&[Value]) -> bool) {
        for _ in 0..900 {
            if is_so(&self.deployments()) {
                return;
            }
            self.advance("1s");
        }
        panic!("never seen: {what}: {:#?}", self.deployments());
    }

    fn until_rolling_back(&self) {
        self.until("a rollback", |deployments| {
            let reason = deployments[0]["rolloutStateReason"].as_str();
            reason.is_some_and(|reason| reason.contains("rolling back"))
        });
    }

    /// `deploy`, killed when it has updated the service. Gives what it told until then.
    fn deploy_and_die(&self) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let mut run = portzero(folder.path())
            .envs(self.simulator.variables.clone())
            .args(format!("deploy {WEB} --image web=example/web:2").split(' '))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("portzero runs");
        let mut told = String::new();
        for line in BufReader::new(run.stderr.take().expect("a pipe")).lines() {
            let line = line.expect("a line");
            told.push_str(&line);
            if line.contains("updated the service") {
                break;
            }
        }
        run.kill().expect("killed");
        run.wait().expect("an end");
        told
    }

    /// Compares what `status` says with what was reviewed.
    fn assert_status(&self, name: &str) {
        let told = self.program(&format!("status {WEB}"));
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told:#?}");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("status-{name}"), told.stdout));
        if name == "in-mid-rollout" {
            assert_on_the_page(&told.stdout);
        }
    }
}

/// docs/commands.md shows what `status` prints. `UPDATE_README=1` writes it anew.
fn assert_on_the_page(told: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let command = format!("```text\n$ portzero status {WEB}\n");
    let start = page.find(&command).expect("the example") + command.len();
    let end = start + page[start..].find("```").expect("its end");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{}{told}{}", &page[..start], &page[end..])).expect("written");
        return;
    }
    assert_eq!(&page[start..end], told, "UPDATE_README=1 cargo test reattach");
}

#[track_caller]
fn assert_told(told: &Said, code: i32, words: &[&str]) {
    assert_eq!(told.code, Some(code), "{told:#?}");
    for words in words {
        assert!(told.stderr.contains(words), "`{words}` is missing: {told:#?}");
    }
}

#[test]
fn a_rollout_whose_run_was_killed_is_followed_to_its_end() {
    let stage = Stage::demo();
    stage.deploy_and_die();
    stage.advance("50s");
    stage.assert_status("in-mid-rollout");
    stage.hurry();
    let told = stage.observe(&format!("{WEB} --format json"));
    assert_told(
        &told,
        0,
        &[
            "attached to deployment ecs-svc/",
            ": web:1 -> web:2, IN_PROGRESS",
            "succeeded: web  web:1 -> web:2",
        ],
    );
    let result = told.json();
    let service = &result["services"][0];
    assert_eq!(
        (&result["version"], &result["verdict"]),
        (&json!(1), &json!("succeeded"))
    );
    assert_eq!(service["task_definition"]["changed"], true);
    assert_eq!(service["url"], "http://web-1234567890.us-east-1.elb.amazonaws.com");
    let generation = |generation: &str| {
        let targets = service["targets"].as_array().expect("targets");
        targets.iter().filter(|target| target["whose"] == generation).count()
    };
    assert_eq!((generation("new"), generation("old")), (2, 2), "{service:#}");
    // The truth of the simulator, which shares no judgement with the observer.
    let truth = control(&stage.url, "GET", "truth", "");
    assert_eq!(truth["services"][0]["deployments"][0]["done"], true);
    crate::permissions::assert_in_the_table("observe", &result);
}

#[test]
fn t01_who_joins_a_loop_of_tasks_that_were_healthy_sees_it_fail() {
    let stage = Stage::with(&["--fault", "crash-loop,delay=80s"]);
    stage.update();
    stage.advance("2m");
    stage.hurry();
    let told = stage.observe(WEB);
    assert_told(
        &told,
        1,
        &[
            "error[container-exit]: container `web` of web:1 exits with code 1",
            "after RUNNING",
            // ECS may or may not have called it completed between two waves.
            "until the next deployment: its circuit breaker",
        ],
    );
}

#[test]
fn what_a_run_prints_when_its_time_is_over_joins_its_rollout_again() {
    let stage = Stage::demo();
    let deployed = stage.program(&format!("deploy {WEB} --image web=example/web:2 --timeout 1s"));
    assert_told(&deployed, 4, &["timed out: web"]);
    let line = deployed.stderr.lines().find(|line| line.contains("portzero observe "));
    let (_, command) = line.expect("a way back").split_once("portzero ").expect("a command");
    assert!(command.contains("--deployment ecs-svc/"), "{command}");
    stage.advance("90s");
    stage.hurry();
    assert_told(&stage.program(command), 0, &["succeeded: web  web:1 -> web:2"]);
}

#[test]
fn a_service_at_rest_is_checked_once() {
    let stage = Stage::demo();
    stage.assert_status("at-rest");
    let told = stage.observe(WEB);
    assert_told(
        &told,
        0,
        &[
            "no rollout is in flight",
            "note[no-rollout]",
            "succeeded: web  web:1 (unchanged)",
        ],
    );
}

#[test]
fn a_rollback_is_followed_to_its_end_and_told_afterwards() {
    let (_folder, stage) = Stage::failing(true);
    stage.deploy_and_die();
    stage.until_rolling_back();
    stage.assert_status("rolling-back");
    stage.hurry();
    let failed = [
        "failed (rolled back): web  web:1 -> web:2 -> web:1",
        "rolled back: web:1 serves all traffic",
    ];
    assert_told(&stage.observe(WEB), 1, &failed);
    stage.advance("10m");
    let told = stage.observe(WEB);
    assert_told(&told, 1, &failed);
    assert_told(&told, 1, &["ECS has rolled back to web:1"]);
    // An hour later even the stopped tasks are forgotten; the service deployment is not.
    stage.advance("2h");
    let told = stage.observe(&format!("{WEB} --format json"));
    assert_told(&told, 1, &failed);
    crate::permissions::assert_in_the_table("observe", &told.json());
    stage.assert_status_words("ROLLBACK_SUCCESSFUL: Service deployment rolled back");
}

impl Stage {
    fn assert_status_words(&self, words: &str) {
        let told = self.program(&format!("status {WEB}"));
        assert!(told.stdout.contains(words), "{told:#?}");
    }
}

#[test]
fn a_deployment_that_failed_and_was_left_is_a_failure() {
    let (_folder, stage) = Stage::failing(false);
    stage.update();
    stage.until("a failure", |deployments| deployments[0]["rolloutState"] == "FAILED");
    stage.assert_status("failed-and-left");
    assert_told(&stage.observe(WEB), 1, &["failed: web"]);
}

#[test]
fn a_superseded_deployment_is_told_by_whom() {
    let stage = Stage::demo();
    let first = stage.update();
    stage.advance("20s");
    let second = stage.update();
    stage.advance("5s");
    let named = format!("{WEB} --deployment {first}");
    assert_told(
        &stage.observe(&named),
        5,
        &["another deployment of `web` took over", &second],
    );
    stage.assert_status("superseded");
    stage.advance("10m");
    assert_told(
        &stage.observe(&named),
        5,
        &["is over: it was stopped, and a newer one has replaced it", &second],
    );
    // Without a name it is the newer one.
    assert_told(&stage.observe(WEB), 0, &["no rollout is in flight", &second]);
}

#[test]
fn a_deployment_that_had_succeeded_and_was_replaced_is_no_success_now() {
    let stage = Stage::demo();
    let first = stage.update();
    stage.advance("10m");
    stage.update();
    stage.advance("10m");
    let told = stage.observe(&format!("{WEB} --deployment {first}"));
    assert_told(&told, 5, &["ECS called it successful, and a newer one has replaced it"]);
}

#[test]
fn a_deployment_that_nobody_knows_is_said_to_be_unknown() {
    let stage = Stage::demo();
    let told = stage.observe(&format!("{WEB} --deployment 12345"));
    assert_told(
        &told,
        6,
        &[
            "ECS shows no deployment ecs-svc/12345 of `web`",
            "leave out --deployment",
        ],
    );
    let told = stage.observe(&format!("{WEB} --deployment web:2"));
    assert_told(&told, 6, &["ECS shows no deployment web:2 of `web`", "listed"]);
    let empty = stage.observe(&format!("{WEB} --deployment="));
    assert_told(&empty, 2, &["the id of a deployment is wanted"]);
}

#[test]
fn t24_a_deployment_is_found_by_whatever_names_it() {
    let stage = Stage::demo();
    let id = stage.update();
    let number = id.strip_prefix("ecs-svc/").expect("ECS's form");
    let body = json!({"cluster": "demo", "service": "web"});
    let answer = ecs(&stage.url, "ListServiceDeployments", &body.to_string()).expect("an answer");
    let newest = answer.json()["serviceDeployments"][0].clone();
    let arn = newest["serviceDeploymentArn"].as_str().expect("an ARN");
    let revision = newest["targetServiceRevisionArn"].as_str().expect("an ARN");
    let short = arn.rsplit('/').next().expect("an id");
    stage.advance("10m");
    // The last one is as the log prints it.
    let printed = format!("{id} (web:1)");
    for name in [id.as_str(), number, arn, revision, short, &printed] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = portzero(folder.path());
        command.envs(stage.simulator.variables.clone()).arg("observe");
        command.args(WEB.split(' ')).args(["--deployment", name]);
        assert_told(&said(&mut command), 0, &[&id]);
    }
}

#[test]
fn without_the_service_deployments_less_is_told_and_nothing_else() {
    let (_folder, stage) = Stage::failing(true);
    let id = stage.update();
    stage.until_rolling_back();
    for action in [
        "ecs:ListServiceDeployments",
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServiceRevisions",
    ] {
        let fault = json!({"fault": "denied", "action": action});
        control(&stage.url, "POST", "faults", &fault.to_string());
    }
    stage.hurry();
    assert_told(&stage.observe(WEB), 1, &["not-checked", "failed (rolled back): web"]);
    stage.advance("10m");
    let told = stage.observe(&format!("{WEB} --deployment {id}"));
    assert_told(&told, 6, &["ecs:ListServiceDeployments"]);
    // What nobody may read cannot be told: what runs is checked, and what was not looked at is said.
    assert_told(&stage.observe(WEB), 0, &["not-checked", "no rollout is in flight"]);
}

#[test]
fn names_that_are_not_there_are_refused_with_the_nearest_one() {
    let stage = Stage::demo();
    for command in ["observe", "status"] {
        for (names, near) in [("--cluster demo wbe", "web"), ("--cluster dmo web", "demo")] {
            let told = stage.program(&format!("{command} {names}"));
            assert_told(&told, 3, &[&format!("did you mean `{near}`?")]);
        }
    }
    // What can be read is shown all the same.
    let told = stage.program("status --cluster demo web wbe --format json");
    assert_eq!(told.code, Some(3), "{told:#?}");
    let document = told.json();
    assert_eq!(document["version"], 1);
    assert_eq!(document["services"][0]["name"], "web");
    assert_eq!(document["unread"][0]["findings"][0]["code"], "service-missing");
}

#[test]
fn where_aws_gives_no_answer_nothing_is_known() {
    let stage = Stage::demo();
    let denied = json!({"fault": "denied", "action": "ecs:DescribeServices"});
    control(&stage.url, "POST", "faults", &denied.to_string());
    for command in ["observe", "status"] {
        let told = stage.program(&format!("{command} {WEB}"));
        assert_told(&told, 6, &["ecs:DescribeServices"]);
    }
}

#[test]
fn several_services_of_a_file_are_followed_and_shown() {
    let stage = Stage::demo();
    let file = "version: 1\nregion: us-east-1\nservices:\n  - { name: web, cluster: demo, task_definition: not-here.json }\n  \
                - { name: wbe, cluster: demo, images: { web: \"${NOT_SET}\" } }\n";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
    let run = |arguments: &str| {
        let mut command = portzero(folder.path());
        let variables = stage.simulator.variables.clone();
        said(command.envs(variables).args(arguments.split_whitespace()))
    };
    assert_told(&run("observe"), 2, &["NOT_SET"]);
    // Cluster and service are enough, whatever the file is like.
    std::fs::write(folder.path().join("portzero.yml"), "services: [").expect("a file");
    assert_told(&run(&format!("observe {WEB}")), 0, &["the configuration is not read"]);
    std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
    // None is followed where one is not there.
    let told = run("observe --var NOT_SET=x");
    assert_told(&told, 3, &["there is no service `wbe`"]);
    assert!(!told.stderr.contains("attached"), "{told:#?}");
    let told = run("status --var NOT_SET=x");
    assert_eq!(told.code, Some(3), "{told:#?}");
    assert!(
        told.stdout.starts_with("web in demo: web:1, 2 wanted, 2 running\n"),
        "{told:#?}"
    );
    assert_told(
        &run("observe --var NOT_SET=x --deployment 1"),
        2,
        &["--deployment is of one service"],
    );
}

#[test]
fn what_ecs_says_is_no_command_in_a_status() {
    let stage = Stage::with(&["--scenario", "tests/scenarios/44-hostile-texts.yml"]);
    let body = json!({"cluster": "shop", "service": "web", "forceNewDeployment": true});
    ecs(&stage.url, "UpdateService", &body.to_string()).expect("an answer");
    stage.advance("60s");
    let told = stage.program("status --cluster shop --service web");
    assert_eq!(told.code, Some(0), "{told:#?}");
    for line in told.stdout.lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

#[test]
fn who_only_looks_changes_nothing_whatever_the_file_wants() {
    let stage = Stage::demo();
    stage.update();
    let folder = tempfile::tempdir().expect("a folder");
    let file = "version: 1\ndefaults: { on_failure: rollback, on_cancel: rollback }\nservices: [{ name: web, cluster: demo }]\n";
    std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
    let mut command = portzero(folder.path());
    command
        .envs(stage.simulator.variables.clone())
        .args(["observe", "--timeout", "1s", "--region", "us-east-1"]);
    let said = said(&mut command);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(!said.stderr.contains("StopServiceDeployment"), "{}", said.stderr);
    assert!(!said.stderr.contains("going back"), "{}", said.stderr);
}

/// A deployment stays completed, whatever becomes of its tasks.
#[test]
fn a_deploy_that_changes_nothing_asks_the_load_balancer_all_the_same() {
    let deploy = format!("deploy {WEB} --task-definition current --force-new-deployment=false --timeout 1s");
    let well = Stage::demo().program(&deploy);
    assert_told(&well, 0, &["already runs web:1", "what runs was checked"]);
    assert!(!well.stderr.contains("UpdateService"), "{well:#?}");

    let stage = Stage::with(&["--fault", "instance-loss,since=start,at=1s"]);
    stage.advance("10m");
    let told = stage.program(&deploy);
    assert_told(&told, 4, &["0 of 2 running", "timed out: web  web:1 (unchanged)"]);
    assert!(!told.stderr.contains("UpdateService"), "{told:#?}");
}

#[test]
#[cfg(unix)]
fn a_status_that_is_watched_is_printed_again_after_each_change_until_it_is_told_to_end() {
    let stage = Stage::demo();
    let folder = tempfile::tempdir().expect("a folder");
    let mut watch = portzero(folder.path())
        .envs(stage.simulator.variables.clone())
        .args(format!("status {WEB} --watch=1s").split(' '))
        .stdout(Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let mut lines = BufReader::new(watch.stdout.take().expect("a pipe")).lines();
    let mut next = |words: &str| {
        let line = lines.by_ref().map_while(Result::ok).find(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("never printed: {words}"))
    };
    next("web in demo: web:1");
    next("image         web  example/web:1");
    stage.update();
    next("PRIMARY   web:1  IN_PROGRESS");
    crate::support::program::send("INT", &watch);
    assert_eq!(watch.wait().expect("an end").code(), Some(0));
}
