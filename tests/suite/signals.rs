//! A signal in mid-rollout ends the run, not the rollout: soon, with the report written, and said in words.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portzero::app::deploy::Run;
use portzero::app::ports::Ports;
use portzero_core::base::finding::Severity;
use portzero_core::event::RunEvent;
use portzero_core::plan::{DefinitionSource, DeployRequest};
use portzero_core::port::{Ecs, Interrupts, Report};
use portzero_core::rollout::Verdict;
use portzero_core::task_definition::ImageChange;
use portzero_sim::{Scenario, World};
use portzero_testkit::InProcessAws;
use serde_json::Value;

use crate::support as in_support;
use crate::support::http::control;
use crate::support::program::{Simulator, portzero, send};
use crate::support::runner_files::entries;
use crate::support::{VirtualClock, connect};

/// A CI runner kills what has not ended soon after the signal.
const END_MAX: Duration = Duration::from_secs(5);

#[test]
fn sigint_ends_a_run_with_its_report() {
    interrupt_with("INT");
}

#[test]
fn sigterm_ends_a_run_with_its_report() {
    interrupt_with("TERM");
}

#[test]
fn u09_an_interrupted_rehearsal_takes_its_rollout_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = portzero(folder.path())
        .args("rehearse --cluster demo --service web --image web=example/web:3 --speed 1x".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let rest = signal_in_mid_rollout("INT", &mut run);
    assert!(
        rest.ends_with("(rehearsal: the simulated rollout ends with this program)\n"),
        "{rest}"
    );
    assert!(
        rest.contains("; the simulated rollout ends with this program\n"),
        "{rest}"
    );
    for untrue in ["in AWS", "portzero observe"] {
        assert!(!rest.contains(untrue), "{untrue}: {rest}");
    }
}

#[test]
fn a_cancelled_run_asks_for_a_rollback_where_that_is_wanted() {
    let simulator = Simulator::at_speed("1x");
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = deploy(&simulator, folder.path(), "--on-cancel rollback");
    let rest = signal_in_mid_rollout("TERM", &mut run);
    for said in [
        "going back to web:1: StopServiceDeployment",
        "interrupted before `web` had finished rolling out",
        "this run asked ECS to go back to web:1 (StopServiceDeployment); that was not complete when the run ended",
    ] {
        assert!(rest.contains(said), "{said}: {rest}");
    }
    let report = report(folder.path());
    assert_eq!(report["verdict"], "interrupted");
    assert_eq!(report["requests"]["by_action"]["StopServiceDeployment"], 1);
    assert_eq!(report["requests"]["by_action"]["UpdateService"], 1);
    let status = in_support::run(async {
        let clock = VirtualClock::default();
        let aws = connect(simulator.endpoint(), &clock).await;
        let listed = aws.service_deployments(&"demo".into(), &"web".into()).await;
        listed.expect("service deployments")[0].status.clone()
    });
    assert!(status.as_str().starts_with("ROLLBACK_"), "ECS goes back: {status:?}");
}

#[test]
fn a_way_back_that_is_interrupted_speaks_of_the_way_back() {
    let simulator = Simulator::with(&["--speed", "5x", "--fault", "slow-start,delay=30m"]);
    let folder = tempfile::tempdir().expect("a folder");
    let left = deploy(&simulator, folder.path(), "--timeout 4s")
        .wait()
        .expect("an end");
    assert_eq!(left.code(), Some(4));
    let mut run = portzero(folder.path())
        .envs(simulator.variables.clone())
        .args("rollback web --cluster demo".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let rest = signal_after("waiting on ECS to finish the rollback", &["INT"], &mut run);
    for said in [
        "interrupted before `web` was rolled back",
        "waiting  ECS to finish the rollback",
        "ECS is rolling back, and goes on with it",
    ] {
        assert!(rest.contains(said), "{said}: {rest}");
    }
}

/// The call has arrived, answered or not.
fn is_asked_for(simulator: &Simulator, call: &str) -> bool {
    let operations = control(simulator.endpoint(), "GET", "operations", "");
    operations["operations"][format!("ecs:{call}")].as_u64() > Some(0)
}

/// Between the calls and in the middle of each: what is told is what is known.
#[test]
fn a_signal_in_the_middle_of_a_change_tells_what_is_known_of_it() {
    for (call, begun, said) in [
        (
            "RegisterTaskDefinition",
            "plan: expected:",
            "RegisterTaskDefinition was sent and has not been answered, so a new revision of web may be there; service \
             `web` is as it was",
        ),
        (
            "UpdateService",
            "registered web:2",
            "UpdateService to web:2 was sent and has not been answered: whether ECS rolls it out is not known",
        ),
    ] {
        let slow = format!("slow,action=ecs:{call},delay=30s");
        let simulator = Simulator::with(&["--speed", "1x", "--fault", &slow]);
        let folder = tempfile::tempdir().expect("a folder");
        let mut run = deploy(&simulator, folder.path(), "--on-cancel rollback");
        let rest = signal_when(begun, || is_asked_for(&simulator, call), &["INT"], &mut run);
        assert!(rest.contains(said), "{call}: {rest}");
        let report = report(folder.path());
        assert_eq!(report["verdict"], "interrupted");
        assert_eq!(report["requests"]["by_action"].get("StopServiceDeployment"), None);
    }
}

#[test]
fn a_second_signal_ends_it_without_another_word() {
    let simulator = Simulator::with(&["--speed", "1x", "--fault", "slow,action=ecs:UpdateService,delay=30s"]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = deploy(&simulator, folder.path(), "");
    let is_asked = || is_asked_for(&simulator, "UpdateService");
    let rest = signal_when("registered web:2", is_asked, &["INT", "TERM"], &mut run);
    assert!(!rest.contains("interrupted"), "{rest}");
    assert!(
        !folder.path().join("result.json").exists(),
        "there was no time for a report"
    );
}

#[test]
fn a_run_that_waits_for_another_deployment_ends_without_a_change() {
    let simulator = Simulator::with(&["--speed", "1x", "--fault", "deployment-in-progress"]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = deploy(&simulator, folder.path(), "");
    let rest = signal_after("waiting on deployment", &["INT"], &mut run);
    assert!(rest.contains("interrupted before `web` was touched"), "{rest}");
    assert!(rest.contains("state    nothing was changed for it"), "{rest}");
    let report = report(folder.path());
    for change in ["RegisterTaskDefinition", "UpdateService"] {
        assert_eq!(report["requests"]["by_action"].get(change), None);
    }
}

/// The first call is under way, so the run has begun to plan.
#[test]
fn a_signal_while_planning_ends_every_command_with_its_report() {
    for signal in ["INT", "TERM"] {
        for (command, said) in [
            (
                "deploy --cluster demo --service web --image web=example/web:3",
                "touched",
            ),
            ("plan --cluster demo --service web --image web=example/web:3", "touched"),
            ("rollback web --cluster demo", "touched"),
            ("observe --cluster demo --service web", "looked at"),
        ] {
            let silent = Silent::new();
            let folder = tempfile::tempdir().expect("a folder");
            let mut run = silent.client(folder.path());
            run.args(command.split(' ')).args(["--report", "result.json"]);
            let told = silent.interrupt(signal, &mut run);
            let summary = format!("interrupted before `web` was {said}");
            assert!(told.contains(&summary), "{command}: {told}");
            let is_told_as_a_run = told.contains("interrupted: web  as it was  in 0s\n");
            assert_eq!(is_told_as_a_run, said == "touched", "{command}: {told}");
            assert!(told.contains("state  nothing was changed\n"), "{command}: {told}");
            let report = report(folder.path());
            assert_eq!(report["verdict"], "interrupted", "{command}");
            assert_eq!(report["services"][0]["findings"][0]["summary"], summary.as_str());
            assert_eq!(report["requests"]["by_action"].get("UpdateService"), None);
        }
    }
}

/// Also before there are credentials to plan with.
#[test]
fn a_signal_while_signing_in_ends_the_run_with_its_report() {
    for command in ["deploy", "rollback web", "observe"] {
        let silent = Silent::new();
        let folder = tempfile::tempdir().expect("a folder");
        let mut run = silent.client(folder.path());
        run.args(command.split(' '))
            .args("--cluster demo --report result.json".split(' '))
            .args(["--role-to-assume", "arn:aws:iam::123456789012:role/deploy"])
            .env("PORTZERO_SERVICE", "web")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", silent.url())
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer");
        let told = silent.interrupt("TERM", &mut run);
        assert!(told.contains("interrupted before `web` was"), "{command}: {told}");
        assert_eq!(report(folder.path())["verdict"], "interrupted", "{command}");
    }
}

#[test]
fn a_signal_while_planning_is_told_of_every_service_and_to_the_workflow() {
    let silent = Silent::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = "version: 1\nservices:\n- { name: web, cluster: demo }\n- { name: worker, cluster: demo }\n";
    std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
    let mut run = silent.client(folder.path());
    run.args(["deploy", "--format", "json"])
        .stdout(std::fs::File::create(folder.path().join("result.json")).expect("a file"))
        .env("GITHUB_OUTPUT", folder.path().join("outputs"))
        .env("GITHUB_STEP_SUMMARY", folder.path().join("summary.md"));
    let told = silent.interrupt("TERM", &mut run);
    let report = report(folder.path());
    let outputs = std::fs::read_to_string(folder.path().join("outputs")).expect("outputs");
    let outputs = entries(&outputs).expect("entries");
    assert!(
        outputs.contains(&("verdict".into(), "interrupted".into())),
        "{outputs:?}"
    );
    assert!(outputs.contains(&("changed".into(), "false".into())), "{outputs:?}");
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    for (index, service) in ["web", "worker"].into_iter().enumerate() {
        let said = format!("interrupted before `{service}` was touched");
        assert!(told.contains(&said), "{told}");
        assert!(summary.contains(&said), "{summary}");
        assert_eq!(report["services"][index]["verdict"], "interrupted");
    }
}

/// Takes connections and never answers.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("an address"))
    }

    /// `portzero` that takes this for AWS.
    fn client(&self, folder: &Path) -> Command {
        let mut command = portzero(folder);
        command
            .env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "portzero")
            .env("AWS_SECRET_ACCESS_KEY", "portzero")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Signals when the first call has come, and gives what is said from the beginning on.
    fn interrupt(&self, signal: &str, command: &mut Command) -> String {
        let mut run = command.spawn().expect("portzero runs");
        let mut stderr = run.stderr.take().expect("a pipe");
        let address = self.0.local_addr().expect("an address");
        let reader = std::thread::spawn(move || {
            let mut told = String::new();
            stderr.read_to_string(&mut told).expect("what it says");
            // A program that ended without a call would be waited for in vain.
            let _ = TcpStream::connect(address);
            told
        });
        let _call = self.0.accept().expect("a call");
        send(signal, &run);
        let sent = Instant::now();
        let told = reader.join().expect("all that it said");
        let code = run.wait().expect("an end").code();
        assert!(sent.elapsed() < END_MAX, "took {:?}", sent.elapsed());
        assert_eq!(code, Some(130), "{told}");
        told
    }
}

/// The signal was there before the first change: then there is none.
#[test]
fn nothing_is_registered_after_a_signal() {
    let scenario = Scenario::read(include_str!("../../src/cli/command/demo.yml"), "demo.yml").expect("a scenario");
    let aws = InProcessAws::new(World::new(&scenario).expect("a world"));
    let clock = aws.clock();
    let mut told = Vec::new();
    let done = in_support::run(async {
        let planned = portzero::app::deploy::plan(&aws, &clock, request())
            .await
            .expect("a plan");
        let mut reporter = Told(&mut told);
        let ports = Ports {
            aws: &aws,
            clock: &clock,
            interrupts: &AskedAlready,
        };
        let mut run = Run::new(ports, &mut reporter, portzero::app::deploy::Pace::even());
        run.execute(vec![planned]).await.remove(0)
    });
    assert_eq!(done.verdict(), Verdict::Interrupted);
    let registered = aws.world().borrow().account().task_definitions["web"].len();
    assert_eq!(registered, 1, "the one from before");
}

struct AskedAlready;

impl Interrupts for AskedAlready {
    async fn interrupted(&self) {}

    async fn out_of_time(&self) {}
}

struct Told<'a>(&'a mut Vec<RunEvent>);

impl Report for Told<'_> {
    fn event(&mut self, event: &RunEvent) {
        self.0.push(event.clone());
    }
}

fn request() -> DeployRequest {
    DeployRequest {
        poll_interval: None,
        cluster: "demo".into(),
        service: "web".into(),
        base: DefinitionSource::Running,
        images: vec![ImageChange {
            container: None,
            image: "example/web:2".into(),
        }],
        environment: Vec::new(),
        dynamic_ports: Default::default(),
        allow_unknown_keys: false,
        shows_values: false,
        load_balancers: Vec::new(),
        force_new_deployment: true,
        until: Default::default(),
        settle: Duration::ZERO,
        timeout: None,
        fail_on: Severity::Error,
        allowed: Vec::new(),
        url: None,
        depends_on: Vec::new(),
        policy: Default::default(),
    }
}

fn deploy(simulator: &Simulator, folder: &Path, more: &str) -> Child {
    portzero(folder)
        .envs(simulator.variables.clone())
        .args("deploy --cluster demo --service web --image web=example/web:3 --report result.json".split(' '))
        .args(more.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portzero runs")
}

fn report(folder: &Path) -> Value {
    let report = std::fs::read(folder.join("result.json")).expect("a report");
    serde_json::from_slice(&report).expect("JSON")
}

fn interrupt_with(signal: &str) {
    let simulator = Simulator::at_speed("1x");
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = deploy(&simulator, folder.path(), "");
    let rest = signal_in_mid_rollout(signal, &mut run);
    for said in [
        "interrupted before `web` had finished rolling out",
        "web:1 runs 2 tasks; the rollout goes on in AWS",
        "wait on: portzero observe --cluster demo --service web --deployment ecs-svc/",
    ] {
        assert!(rest.contains(said), "{said}: {rest}");
    }
    let report = report(folder.path());
    assert_eq!(report["verdict"], "interrupted");
    assert_eq!(report["requests"]["by_action"]["UpdateService"], 1);
}

/// Signals when the rollout is under way, and gives what is said from then on.
fn signal_in_mid_rollout(signal: &str, run: &mut Child) -> String {
    signal_after("waiting on", &[signal], run)
}

/// Signals when a line with these words has been told, and gives what is said from then on.
fn signal_after(words: &str, signals: &[&str], run: &mut Child) -> String {
    signal_when(words, || true, signals, run)
}

/// After the words, and as soon as it is so.
fn signal_when(words: &str, is_so: impl Fn() -> bool, signals: &[&str], run: &mut Child) -> String {
    let mut stderr = BufReader::new(run.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("a line"), 0, "it ended by itself");
    }
    let told = Instant::now();
    while !is_so() {
        assert!(told.elapsed() < END_MAX, "it never is");
    }

    for signal in signals {
        send(signal, run);
    }
    let sent = Instant::now();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("the rest");
    let code = run.wait().expect("an end").code();
    assert!(sent.elapsed() < END_MAX, "took {:?}", sent.elapsed());
    assert_eq!(code, Some(130), "{rest}");
    rest
}
