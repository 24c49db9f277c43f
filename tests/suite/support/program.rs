//! The program itself, as a user starts it: in a folder of its own, with a clean environment.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub use super::command::portzero;

/// What a run left behind.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// Runs `portzero ARGUMENTS`, split at blanks, in that folder.
pub fn run(folder: &Path, arguments: &str) -> Said {
    said(portzero(folder).args(arguments.split_whitespace()))
}

pub fn said(command: &mut Command) -> Said {
    command.output().expect("portzero runs").into()
}

/// `portzero simulate`, which ends with the value.
#[derive(Debug)]
pub struct Simulator {
    /// What it told the user to export.
    pub variables: Vec<(String, String)>,
    /// The comment on the network that load balancers can be made in.
    pub network: String,
    pub child: Child,
}

impl Simulator {
    /// Serves the demo on a free port.
    pub fn at_speed(speed: &str) -> Self {
        Self::with(&["--speed", speed])
    }

    /// Serves on a free port what the arguments say.
    pub fn with(arguments: &[&str]) -> Self {
        let mut child = portzero(Path::new(env!("CARGO_MANIFEST_DIR")))
            .args(["simulate", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("portzero runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (mut variables, mut network) = (Vec::new(), String::new());
        for line in lines.map_while(Result::ok) {
            // The first comment is on the network, the others are on what is served.
            if line.starts_with('#') {
                network = line;
                break;
            }
            variables.extend(exports(&line));
        }
        Self {
            variables,
            network,
            child,
        }
    }

    pub fn endpoint(&self) -> &str {
        let endpoint = self.variables.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
        &endpoint.expect("an address").1
    }

    /// Runs the program against it, in an empty folder.
    pub fn run(&self, arguments: &str) -> Said {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = portzero(folder.path());
        command.envs(self.variables.clone()).args(arguments.split_whitespace());
        said(&mut command)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `export A=1 B=2`.
fn exports(line: &str) -> Vec<(String, String)> {
    let assignments = line.strip_prefix("export ").expect("a line for a shell");
    assignments
        .split_whitespace()
        .map(|assignment| assignment.split_once('=').expect("NAME=VALUE"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// As a terminal or a CI runner does it: `INT` or `TERM`.
#[cfg(unix)]
pub fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}
