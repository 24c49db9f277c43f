//! The machine's own clock steps under the program.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::edges::{wait_for_update, world};
use super::{deploy, ended, report};

/// Stands before the C library: from when a file is there, the clock that people set shows another time.
const STEPPING: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && access(getenv("STEP_AT"), F_OK) == 0)
        now->tv_sec += atol(getenv("STEP_BY"));
    return failed;
}
"#;

fn library(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("step.c"), folder.join("step.so"));
    std::fs::write(&source, STEPPING).expect("written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    assert!(compiler.status().expect("a C compiler, as for the build").success());
    library
}

#[test]
fn s01_a_step_of_the_machines_clock_is_no_step_of_the_run() {
    for by in ["3600", "-3600"] {
        let (stand_in, folder) = (world(100), tempfile::tempdir().expect("a folder"));
        let step = folder.path().join("now");
        let mut run = deploy(folder.path(), &stand_in.url, Duration::from_secs(120));
        run.env("LD_PRELOAD", library(folder.path()));
        let run = run
            .env("STEP_AT", &step)
            .env("STEP_BY", by)
            .spawn()
            .expect("portzero runs");
        wait_for_update(&stand_in);
        std::fs::write(&step, "").expect("written");
        let (code, took) = ended(run, Duration::from_secs(110)).expect("an end");
        let report = report(folder.path()).expect("a report");
        assert_eq!((code, &report["verdict"]), (0, &"succeeded".into()), "{by}: {report:#}");
        let shown = report["duration_s"].as_f64().expect("a duration");
        assert!(shown < took.as_secs_f64() + 60.0, "{by}: {shown} s");
    }
}
