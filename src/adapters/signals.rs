//! SIGINT, SIGTERM and SIGHUP: the first one ends the run with a report, the second one ends the program. They are heard
//! on a thread of their own, so that they are answered whatever the run is held up by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use portzero_core::port::{Clock, Interrupts};
use tokio::sync::Notify;

use crate::adapters::clock::SystemClock;

/// For how long a run that is asked to end waits for what AWS has been asked already. What is left of the five seconds
/// that a CI runner gives is for the report and for GitHub.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1_500);
/// By then the program ends in any case: a full disk, a pipe that nobody reads or a folder on a network that is gone may
/// hold the report up for ever.
const ENDS_WITHIN: Duration = Duration::from_millis(4_800);

#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    asked: Bell,
    out_of_time: Bell,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let signals = Self::default();
        let ours = signals.clone();
        let (opened, is_open) = mpsc::channel();
        let listening = std::thread::Builder::new().name("signals".into()).spawn(move || {
            // Without an event loop no signal is caught, and each ends the program as it would have.
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                runtime.block_on(ours.hear(&opened));
            }
        });
        if listening.is_ok() {
            // A signal may come at once; where the thread has no ears, the channel closes.
            let _ = is_open.recv();
        }
        signals
    }

    #[allow(clippy::exit, reason = "a program that is held up somewhere ends nowhere else")]
    async fn hear(&self, opened: &mpsc::Sender<()>) {
        let mut ears = Ears::open();
        let _ = opened.send(());
        ears.next().await;
        self.asked.ring();
        for (span, is_end) in [(ANSWERS_WITHIN, false), (ENDS_WITHIN - ANSWERS_WITHIN, true)] {
            let is_asked_again = tokio::select! {
                () = ears.next() => true,
                () = SystemClock.sleep(span) => false,
            };
            if is_asked_again || is_end {
                std::process::exit(i32::from(portzero_core::rollout::Verdict::Interrupted.exit_code()));
            }
            self.out_of_time.ring();
        }
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

/// Rung once, and heard by everybody who listens then or later, on any thread.
#[derive(Clone, Debug, Default)]
struct Bell {
    has_rung: Arc<AtomicBool>,
    sound: Arc<Notify>,
}

impl Bell {
    fn ring(&self) {
        self.has_rung.store(true, Ordering::SeqCst);
        self.sound.notify_waiters();
    }

    async fn rung(&self) {
        loop {
            // It hears from here on, so that nothing rings between the look and the wait.
            let sound = self.sound.notified();
            if self.has_rung.load(Ordering::SeqCst) {
                return;
            }
            sound.await;
        }
    }
}

/// Comes back at the next SIGINT, SIGTERM or SIGHUP.
pub(crate) async fn next_signal() {
    Ears::open().next().await;
}

/// Hears what comes after it was opened. A signal that cannot be listened for is not heard.
#[cfg(unix)]
struct Ears {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Ears {
    fn open() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
            hangup: (!is_hangup_ignored())
                .then(|| signal(SignalKind::hangup()).ok())
                .flatten(),
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
            () = heard(&mut self.hangup) => {}
        }
    }
}

/// Whether this program was started to outlive its terminal (`nohup`), where the system shows that.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    const SIGHUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & SIGHUP != 0))
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
