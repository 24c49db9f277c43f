//! Other people's ideas of AWS, which this program's parts have not seen before: plain servers of moto and of MiniStack.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::clients::variables;
use super::needs::{Need, are_required, other_program};
use super::program::{Said, portzero, said};

/// A server on a port of its own choice, which ends with the value.
pub struct Emulator {
    pub url: String,
    child: Child,
}

pub struct MotoServer;

impl MotoServer {
    /// `None` where this machine has no moto; with `PORTZERO_REQUIRE_CLIENTS=1` that is a failure.
    pub fn start() -> Option<Emulator> {
        Self::start_with(&[])
    }

    /// With settings of moto's own.
    pub fn start_with(settings: &[(&str, &str)]) -> Option<Emulator> {
        let mut server = other_program("moto_server");
        server
            .args(["-H", "127.0.0.1", "-p", "0"])
            .envs(settings.iter().copied());
        Emulator::start(Need::Moto, server)
    }
}

pub struct MiniStack;

impl MiniStack {
    /// `None` where this machine has none; with `PORTZERO_REQUIRE_CLIENTS=1` that is a failure.
    pub fn start() -> Option<Emulator> {
        let mut server = other_program("ministack");
        server.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", "0");
        Emulator::start(Need::MiniStack, server)
    }
}

impl Emulator {
    fn start(need: Need, mut server: Command) -> Option<Self> {
        let lacking = |why: String| {
            assert!(!are_required(), "{}: {why}", need.name());
            None
        };
        let spawned = server
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return lacking(format!("it does not start: {error}")),
        };
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("Running on ")?;
            url.split_whitespace().next().map(str::to_owned)
        });
        // The pipe must stay open and empty, or the server's log would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        match url {
            Some(url) => Some(Self { url, child }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                lacking("it ended before it served".into())
            }
        }
    }

    /// Runs `portzero ARGUMENTS`, split at blanks, in an empty folder.
    pub fn run(&self, arguments: &str) -> Said {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = portzero(folder.path());
        command.envs(variables(&self.url)).args(arguments.split_whitespace());
        said(&mut command)
    }

    /// Runs it to that exit code, and each of these is said.
    pub fn assert_run(&self, arguments: &str, code: i32, words: &[&str]) {
        let told = self.run(arguments);
        assert_eq!(told.code, Some(code), "{arguments}: {told:#?}");
        for word in words {
            let is_said = told.stdout.contains(word) || told.stderr.contains(word);
            assert!(is_said, "{arguments}: {word}: {told:#?}");
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
