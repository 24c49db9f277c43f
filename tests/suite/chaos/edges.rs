//! Readers that stop, pipes without another end, disks and tables that are full.
#![cfg(unix)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use super::stand_in::{StandIn, between};
use super::{BUDGET, BUSY, GRACE, deploy, ended, report};
use crate::served::serve;
use crate::support::program::{portzero, said, send};
use crate::wire::SCENARIO;

const WITHIN: Duration = Duration::from_secs(BUDGET.as_secs() + GRACE.as_secs() + BUSY.as_secs());
/// A run that was asked to end is killed after five seconds by a CI runner.
const AFTER_A_SIGNAL: Duration = Duration::from_secs(5);

/// A pipe that is full, and whose reader takes nothing. The reader is to be kept.
fn full_pipe() -> (std::io::PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut filling = writer.try_clone().expect("the pipe");
    // It stays in its last write for as long as the reader lives.
    std::thread::spawn(move || while filling.write_all(&[b'x'; 4096]).is_ok() {});
    let (_open, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(200));
    (reader, Stdio::from(writer))
}

fn pipe(folder: &Path, name: &str) -> String {
    let made = Command::new("mkfifo").arg(folder.join(name)).status();
    assert!(made.expect("mkfifo").success());
    name.to_owned()
}

/// A world, and what stands before it and sees the update.
pub(super) fn world(speed: u32) -> StandIn {
    between(&serve(SCENARIO, speed), None)
}

pub(super) fn wait_for_update(stand_in: &StandIn) {
    let (_open, never) = mpsc::channel::<()>();
    for _ in 0..1500 {
        if stand_in.has_updated.load(Ordering::SeqCst) {
            return;
        }
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
    panic!("the service was not updated");
}

#[test]
fn s08_a_reader_of_the_log_who_stops_holds_no_run() {
    let (stand_in, folder) = (world(100), tempfile::tempdir().expect("a folder"));
    let (_reader, stderr) = full_pipe();
    let run = deploy(folder.path(), &stand_in.url, BUDGET)
        .stderr(stderr)
        .spawn()
        .expect("portzero runs");
    ended(run, WITHIN).expect("an end");
    assert!(report(folder.path()).expect("a report")["verdict"].is_string());
}

#[test]
fn s08_a_reader_of_the_document_who_stops_holds_no_run() {
    let (stand_in, folder) = (world(100), tempfile::tempdir().expect("a folder"));
    let (_reader, stdout) = full_pipe();
    let mut run = deploy(folder.path(), &stand_in.url, BUDGET);
    let run = run
        .args(["--format", "json"])
        .stdout(stdout)
        .spawn()
        .expect("portzero runs");
    let (code, _) = ended(run, WITHIN).expect("an end");
    assert_ne!(code, 0, "the document is lost");
    assert!(report(folder.path()).expect("a report")["verdict"].is_string());
}

/// SIGHUP comes where a terminal is closed. Under `nohup`, as these tests may be, it is ignored by whatever is started.
#[test]
fn s08_each_signal_is_answered_within_five_seconds_whatever_is_held_up() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let is_ignored = ignored.is_some_and(|mask| mask.trim().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']));
    let signals: &[&str] = if is_ignored {
        &["INT", "TERM"]
    } else {
        &["INT", "TERM", "HUP"]
    };
    for signal in signals {
        for is_full in [true, false] {
            let (stand_in, folder) = (world(1), tempfile::tempdir().expect("a folder"));
            let full = is_full.then(full_pipe);
            let (_reader, stderr) = full.map_or((None, Stdio::null()), |(reader, stderr)| (Some(reader), stderr));
            let mut run = deploy(folder.path(), &stand_in.url, Duration::from_secs(600));
            let run = run.stderr(stderr).spawn().expect("portzero runs");
            wait_for_update(&stand_in);
            send(signal, &run);
            let (code, took) = ended(run, WITHIN).expect("an end");
            assert_eq!(code, 130, "{signal}");
            assert!(took < AFTER_A_SIGNAL + GRACE, "{signal}: {took:?}");
            assert_eq!(
                report(folder.path()).expect("a report")["verdict"],
                "interrupted",
                "{signal}"
            );
        }
    }
}

#[test]
fn s08_a_report_that_nobody_reads_holds_no_run_and_no_signal() {
    for signal in [None, Some("TERM")] {
        let (stand_in, folder) = (
            world(if signal.is_some() { 1 } else { 100 }),
            tempfile::tempdir().expect("a folder"),
        );
        pipe(folder.path(), "report.json");
        let run = deploy(folder.path(), &stand_in.url, BUDGET)
            .spawn()
            .expect("portzero runs");
        wait_for_update(&stand_in);
        if let Some(signal) = signal {
            send(signal, &run);
        }
        let (code, _) = ended(run, WITHIN).expect("an end");
        assert_ne!(code, 0, "the report is lost");
    }
}

#[test]
fn s13_a_full_disk_is_no_success() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(stdout) = full() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let rehearse = |folder: &Path| {
        let mut command = portzero(folder);
        command.args("rehearse --cluster demo --service web --image web=example/web:2".split(' '));
        command
    };
    let lost = rehearse(folder.path())
        .args(["--format", "json"])
        .stdout(stdout)
        .status();
    assert_eq!(lost.expect("portzero runs").code(), Some(2));
    let lost = said(rehearse(folder.path()).args(["--report", "/dev/full"]));
    assert_eq!(lost.code, Some(2), "{lost:#?}");
    assert!(
        lost.stderr.contains("the report could not be written to /dev/full"),
        "{}",
        lost.stderr
    );
}

#[test]
fn s13_a_pipe_that_nobody_writes_to_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = pipe(folder.path(), "pipe.yml");
    for arguments in [
        format!("plan --config {name}"),
        format!("rehearse --task-definition {name} --cluster demo --service web"),
    ] {
        let refused = said(portzero(folder.path()).args(arguments.split(' ')));
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        let words = "pipe.yml cannot be read: it is a pipe that nobody writes to";
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

#[test]
fn s13_a_report_at_a_link_to_nowhere_is_written_where_it_leads_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink("real.json", folder.path().join("latest.json")).expect("a link");
    let rehearse = "rehearse --cluster demo --service web --image web=example/web:2 --report latest.json";
    let done = said(portzero(folder.path()).args(rehearse.split(' ')));
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert!(
        done.stderr
            .contains("latest.json is a link, and the report is in real.json"),
        "{}",
        done.stderr
    );
    assert!(folder.path().join("latest.json").is_symlink());
    let text = std::fs::read_to_string(folder.path().join("real.json")).expect("a report");
    assert!(text.ends_with("}\n"), "{text}");
}

#[test]
fn s13_a_full_table_of_files_ends_a_run_in_words() {
    let (stand_in, folder) = (world(100), tempfile::tempdir().expect("a folder"));
    let program = deploy(folder.path(), &stand_in.url, BUDGET);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -n 12; exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args());
    limited.env_clear().current_dir(folder.path());
    limited.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = limited
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let (code, _) = ended(run, WITHIN).expect("an end");
    assert!([2, 3, 4, 6].contains(&code) || code == 0, "exit code {code}");
}
