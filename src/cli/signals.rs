//! SIGINT and SIGTERM: the first one ends the run with a report, the second one ends the program.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::port::Interrupts;

#[derive(Clone, Debug, Default)]
pub struct Signals {
    asked: Rc<Cell<bool>>,
    bell: Rc<Notify>,
}

impl Signals {
    /// Listens from now on; must be called inside the program's `LocalSet`.
    pub fn listen() -> Self {
        let signals = Self::default();
        let ours = signals.clone();
        tokio::task::spawn_local(async move {
            next_signal().await;
            ours.asked.set(true);
            ours.bell.notify_waiters();
            next_signal().await;
            std::process::exit(i32::from(crate::rollout::Verdict::Interrupted.exit_code()));
        });
        signals
    }
}

impl Interrupts for Signals {
    async fn interrupted(&self) {
        while !self.asked.get() {
            self.bell.notified().await;
        }
    }
}

/// Comes back at the next SIGINT or SIGTERM.
#[cfg(unix)]
pub async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => drop(stream.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = tokio::signal::ctrl_c() => if result.is_err() { std::future::pending().await },
        () = terminate => {}
    }
}

#[cfg(not(unix))]
pub async fn next_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
