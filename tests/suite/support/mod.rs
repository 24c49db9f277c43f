//! What the suites share: a clock that does not wait, a loopback server that answers from a script, stand-ins for AWS.

pub mod clients;
pub mod command;
pub mod emulators;
pub mod evidence;
#[cfg(unix)]
pub mod file_server;
pub mod github;
pub mod http;
pub mod loopback;
pub mod needs;
pub mod prism;
pub mod program;
#[cfg(unix)]
pub mod runner;
pub mod runner_files;
pub mod wire_form;

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use portzero::adapters::aws::{Connection, ConnectionOptions, StaticCredentials};
use portzero_core::base::time::Moment;
use portzero_core::port::Clock;

/// Time that passes only when somebody sleeps.
#[derive(Debug, Default)]
pub struct VirtualClock {
    pub slept: RefCell<Vec<Duration>>,
}

impl Clock for &VirtualClock {
    fn now(&self) -> Moment {
        Moment::from_millis(0) + self.slept.borrow().iter().sum()
    }

    async fn sleep(&self, span: Duration) {
        self.slept.borrow_mut().push(span);
    }
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// A connection that consults nothing but its arguments.
pub async fn connect<'c>(url: &str, clock: &'c VirtualClock) -> Connection<&'c VirtualClock> {
    let options = ConnectionOptions {
        endpoint_url: Some(url.to_owned()),
        credentials: Some(StaticCredentials::dummy()),
        ..ConnectionOptions::default()
    };
    Connection::open(options, clock)
        .await
        .expect("a stand-in needs no region")
}
