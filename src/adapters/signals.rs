//! SIGINT and SIGTERM: the first one ends the run with a report, the second one ends the program.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use portzero_core::port::{Clock, Interrupts};
use tokio::sync::Notify;

use crate::adapters::clock::SystemClock;

/// For how long a run that is asked to end waits for what AWS has been asked already. What is left of the five seconds
/// that a CI runner gives is for the report and for GitHub.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1_500);

#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    asked: Bell,
    out_of_time: Bell,
}

impl Signals {
    /// Listens from now on; must be called inside the program's `LocalSet`.
    pub(crate) fn listen() -> Self {
        let signals = Self::default();
        let ours = signals.clone();
        // Here and not in the task: a signal may come before that has its first turn.
        let mut ears = Ears::open();
        tokio::task::spawn_local(async move {
            ears.next().await;
            ours.asked.ring();
            tokio::task::spawn_local(async move {
                SystemClock.sleep(ANSWERS_WITHIN).await;
                ours.out_of_time.ring();
            });
            ears.next().await;
            std::process::exit(i32::from(portzero_core::rollout::Verdict::Interrupted.exit_code()));
        });
        signals
    }
}

impl Interrupts for Signals {
    async fn interrupted(&self) {
        self.asked.rung().await;
    }

    async fn out_of_time(&self) {
        self.out_of_time.rung().await;
    }
}

/// Rung once, and heard by everybody who listens then or later.
#[derive(Clone, Debug, Default)]
struct Bell {
    has_rung: Rc<Cell<bool>>,
    sound: Rc<Notify>,
}

impl Bell {
    fn ring(&self) {
        self.has_rung.set(true);
        self.sound.notify_waiters();
    }

    async fn rung(&self) {
        while !self.has_rung.get() {
            self.sound.notified().await;
        }
    }
}

/// Comes back at the next SIGINT or SIGTERM.
pub(crate) async fn next_signal() {
    Ears::open().next().await;
}

/// Hears what comes after it was opened. A signal that cannot be listened for is not heard.
#[cfg(unix)]
struct Ears {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Ears {
    fn open() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        async fn heard(ear: &mut Option<tokio::signal::unix::Signal>) {
            let is_heard = match ear {
                Some(ear) => ear.recv().await.is_some(),
                None => false,
            };
            if !is_heard {
                std::future::pending().await
            }
        }
        tokio::select! {
            () = heard(&mut self.interrupt) => {}
            () = heard(&mut self.terminate) => {}
        }
    }
}

/// Windows knows Ctrl-C only.
#[cfg(windows)]
struct Ears(Option<tokio::signal::windows::CtrlC>);

#[cfg(windows)]
impl Ears {
    fn open() -> Self {
        Self(tokio::signal::windows::ctrl_c().ok())
    }

    async fn next(&mut self) {
        let is_heard = match &mut self.0 {
            Some(ear) => ear.recv().await.is_some(),
            None => false,
        };
        if !is_heard {
            std::future::pending().await
        }
    }
}
