//! The world that a run works in, and its voice.

use portzero_core::base::time::Timestamp;
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::plan::Wish;
use portzero_core::port::{Clock, Report};

use crate::app::deploy::pace::Pace;

/// The world that a run works in: AWS or the simulator, a clock, interrupts and a reporter.
pub struct Run<'a, A, C, I, R> {
    pub aws: &'a A,
    pub clock: &'a C,
    pub interrupts: &'a I,
    pub report: &'a mut R,
    pub started_at: Timestamp,
    pub pace: Pace,
}

impl<A, C: Clock, I, R: Report> Run<'_, A, C, I, R> {
    pub fn tell(&mut self, wish: &Wish, kind: EventKind) {
        let at = self.clock.now();
        let event = RunEvent {
            at,
            elapsed: at.since(self.started_at),
            service: wish.service.clone(),
            kind,
        };
        self.report.event(&event);
    }
}
