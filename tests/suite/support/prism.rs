//! Prism on GitHub's own description of its API: it holds a request against the description, and remembers nothing.
//!
//! `.ci/run` installs it into `target/ci-node`; by hand it is the block "GitHub's description" there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::github::Recorded;
use super::needs::{Need, other_program};

/// It takes two seconds on an idle machine.
const START_MAX: Duration = Duration::from_secs(120);

/// Ends with the value.
pub struct Prism {
    port: u16,
    child: Child,
}

/// What Prism thinks of a request.
#[derive(Debug)]
pub struct Judgement {
    pub status: u16,
    /// What Prism's `sl-violations` say of the request. They also find fault with GitHub's own examples of answers.
    pub violations: Vec<Value>,
}

impl Judgement {
    pub fn is_clean(&self) -> bool {
        (200..300).contains(&self.status) && self.violations.is_empty()
    }
}

impl Prism {
    /// `None` where it is not installed; with `PORTZERO_REQUIRE_CLIENTS=1` that is a failure.
    pub fn start() -> Option<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/ci-node");
        let (program, description) = (
            format!("{folder}/node_modules/@stoplight/prism-cli/dist/index.js"),
            format!("{folder}/github.json"),
        );
        if !Need::Prism.is_met() {
            return None;
        }
        // Prism picks no port itself.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a free port")
            .port();
        let mut child = other_program("node")
            .args([
                &program,
                "mock",
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                &description,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let prism = Self { port, child };
        let (tell, hear) = mpsc::channel();
        thread::spawn(move || {
            let said = lines
                .by_ref()
                .map_while(Result::ok)
                .find(|line| line.contains("is listening on"));
            let _ = tell.send(said);
            // The pipe must stay open and empty.
            lines.for_each(drop);
        });
        let said = hear.recv_timeout(START_MAX).ok().flatten();
        assert!(said.is_some(), "Prism does not serve the description");
        Some(prism)
    }

    /// Sends it as it was recorded.
    pub fn judge(&self, request: &Recorded) -> Judgement {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Prism listens");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("a limit");
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method, request.path);
        let is_framing = |name: &str| ["connection", "content-length", "transfer-encoding"].contains(&name);
        for (name, value) in request
            .headers
            .iter()
            .filter(|(name, _)| !is_framing(&name.to_lowercase()))
        {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !request.body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", request.body.len()));
        }
        write!(stream, "{head}\r\n{}", request.body).expect("Prism listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("Prism answers");
        let answer = String::from_utf8_lossy(&answer);
        let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
        let violations = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.eq_ignore_ascii_case("sl-violations"))
            .flat_map(|(_, value)| serde_json::from_str::<Vec<Value>>(value).expect("a list of violations"))
            .filter(|violation| violation["location"][0] != "response");
        Judgement {
            status: head
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .expect("a status"),
            violations: violations.collect(),
        }
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
