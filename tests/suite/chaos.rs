//! The program between a network, readers, disks and files that all misbehave: each run ends in time, and says what is true.

mod clock;
mod edges;
mod github;
mod stand_in;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use stand_in::{Mode, Since, Strike, between};

use crate::served::serve;
use crate::support::http::control;
use crate::support::program::portzero;
use crate::wire::SCENARIO;

/// `--timeout` of each run.
const BUDGET: Duration = Duration::from_secs(2);
/// What a run may take beyond it, by its promise and for a machine that does other things beside it.
const GRACE: Duration = Duration::from_secs(5);
const BUSY: Duration = Duration::from_secs(10);
/// They mostly wait.
const AT_ONCE: usize = 12;

const ANY_READ: [Mode; 8] = [
    Mode::Silent,
    Mode::Drips,
    Mode::Floods,
    Mode::Closes,
    Mode::HalfAHead,
    Mode::HalfABody,
    Mode::TooShort,
    Mode::NoHttp,
];
const ANY_LIST: [Mode; 4] = [Mode::SameToken, Mode::NewTokens, Mode::Silent, Mode::Floods];
const QUICK: [Mode; 5] = [Mode::Floods, Mode::Closes, Mode::HalfABody, Mode::Empty, Mode::NoHttp];

/// Where AWS misbehaves, from when on, and how.
const AWS: [(&str, Since, &[Mode]); 10] = [
    ("DescribeServices", Since::Update, &ANY_READ),
    ("DescribeTasks", Since::Update, &ANY_READ),
    ("DescribeTargetHealth", Since::Update, &ANY_READ),
    ("ListTasks", Since::Update, &ANY_LIST),
    ("DescribeServices", Since::Start, &QUICK),
    // Planning ends with the timeout as well.
    ("DescribeServices", Since::Start, &[Mode::Silent, Mode::Drips]),
    ("ListServiceDeployments", Since::Start, &QUICK),
    ("DescribeRules", Since::Update, &QUICK),
    ("RegisterTaskDefinition", Since::Start, &QUICK),
    ("UpdateService", Since::Start, &QUICK),
];

/// The run of `deploy` in that folder, against that address.
fn deploy(folder: &Path, url: &str, timeout: Duration) -> Command {
    let mut command = portzero(folder);
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "portzero")
        .env("AWS_SECRET_ACCESS_KEY", "portzero")
        .args(
            "deploy --cluster demo --service web --image web=example/web:2 --settle 0s --report report.json".split(' '),
        )
        .args(["--timeout", &format!("{}s", timeout.as_secs())])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The exit code, and how long that took; one that does not end is ended.
fn ended(mut run: Child, within: Duration) -> Result<(i32, Duration), String> {
    let begun = Instant::now();
    let (_open, never) = mpsc::channel::<()>();
    loop {
        if let Some(status) = run.try_wait().expect("a child") {
            return Ok((status.code().unwrap_or(-1), begun.elapsed()));
        }
        if begun.elapsed() > within {
            let _ = run.kill();
            let _ = run.wait();
            return Err(format!("it goes on after {within:?}"));
        }
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}

fn report(folder: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(folder.join("report.json")).map_err(|error| format!("no report: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("half a report: {error}: {text}"))
}

/// What is wrong with the end of such a run; `None`: nothing.
fn against(strike: Strike) -> Option<String> {
    let world = serve(SCENARIO, 100);
    let stand_in = between(&world, Some(strike));
    let folder = tempfile::tempdir().expect("a folder");
    let run = deploy(folder.path(), &stand_in.url, BUDGET)
        .spawn()
        .expect("portzero runs");
    judged(ended(run, BUDGET + GRACE + BUSY), folder.path(), &world).err()
}

fn judged(end: Result<(i32, Duration), String>, folder: &Path, world: &str) -> Result<(), String> {
    let (code, _) = end?;
    let report = report(folder)?;
    let verdict = report["verdict"].as_str().unwrap_or_default();
    let codes = [
        ("succeeded", 0),
        ("refused", 3),
        ("timed-out", 4),
        ("could-not-observe", 6),
    ];
    if !codes.contains(&(verdict, code)) {
        return Err(format!("{verdict}, with exit code {code}: {report:#}"));
    }
    if verdict != "succeeded" {
        return Ok(());
    }
    let truth = control(world, "GET", "truth", "");
    let services = truth["services"].as_array().expect("services");
    let web = services
        .iter()
        .find(|service| service["service"] == "web")
        .expect("web");
    match web["deployments"][0]["done"] == true {
        true => Ok(()),
        false => Err(format!("succeeded, and the world is not done: {web:#}")),
    }
}

/// Plays each of them, several at once. What they say is in the order of the table.
fn all<T: Sync>(table: &[T], play: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let mut said: Vec<(usize, String)> = std::thread::scope(|scope| {
        let some = || {
            let mut said = Vec::new();
            while let Some((place, one)) =
                Some(next.fetch_add(1, Ordering::SeqCst)).and_then(|n| Some((n, table.get(n)?)))
            {
                said.extend(play(one).map(|wrong| (place, wrong)));
            }
            said
        };
        let handles: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(some)).collect();
        let joined = handles
            .into_iter()
            .map(|handle| handle.join().expect("a situation was played"));
        joined.flatten().collect()
    });
    said.sort();
    said.into_iter().map(|(_, wrong)| wrong).collect()
}

#[test]
fn s10_whatever_aws_answers_the_run_ends_in_time_and_says_what_is_true() {
    let table: Vec<Strike> = AWS
        .iter()
        .flat_map(|(operation, since, modes)| {
            modes.iter().map(|mode| Strike {
                operation,
                mode: *mode,
                since: *since,
            })
        })
        .collect();
    assert!(table.len() >= 40, "only {} situations", table.len());
    let wrong = all(&table, |strike| {
        against(*strike).map(|wrong| format!("{strike:?}: {wrong}"))
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        table.len(),
        wrong.join("\n")
    );
}
