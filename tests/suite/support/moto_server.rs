//! A plain moto server: other people's idea of AWS, which this program's parts have not seen before.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::needs::{Need, are_required, other_program};

/// Ends with the value.
pub struct MotoServer {
    pub url: String,
    child: Child,
}

impl MotoServer {
    /// `None` where this machine has no moto; with `PORTZERO_REQUIRE_CLIENTS=1` that is a failure.
    pub fn start() -> Option<Self> {
        let spawned = other_program("moto_server")
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return skip(&format!("moto_server does not start: {error}")),
        };
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        // It picks a free port and says which.
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned()));
        // The pipe must stay open and empty, or the server's log would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        match url {
            Some(url) => Some(Self { url, child }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                skip("moto_server ended before it served")
            }
        }
    }
}

impl Drop for MotoServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn skip(why: &str) -> Option<MotoServer> {
    assert!(!are_required(), "{}: {why}", Need::Moto.name());
    None
}
