//! The world that a run works in, and its voice.

use portzero_core::base::time::Moment;
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::plan::{DeployRequest, Plan};
use portzero_core::port::{Clock, Interrupts, Report};

use crate::app::deploy::pace::Pace;
use crate::app::ports::Ports;

/// One run: the world that it works in, and who is told.
pub struct Run<'a, A, C, I, R> {
    pub(super) ports: Ports<'a, A, C, I>,
    pub(super) pace: Pace,
    report: &'a mut R,
    started_at: Moment,
}

impl<'a, A, C: Clock, I: Interrupts, R: Report> Run<'a, A, C, I, R> {
    /// It begins now.
    pub fn new(ports: Ports<'a, A, C, I>, report: &'a mut R, pace: Pace) -> Self {
        Self {
            ports,
            pace,
            report,
            started_at: ports.now(),
        }
    }

    /// Tells what will be done, before anything is.
    pub(super) fn tell_plan(&mut self, plan: &Plan, is_anew: bool) {
        let planned = EventKind::Planned {
            plan: Box::new(plan.clone()),
            is_anew,
        };
        let found = plan.findings.iter().cloned().map(EventKind::Found);
        let told = std::iter::once(planned).chain(found);
        told.for_each(|kind| self.tell(&plan.request, kind));
    }

    pub(super) fn tell(&mut self, request: &DeployRequest, kind: EventKind) {
        let at = self.ports.now();
        let event = RunEvent {
            at,
            elapsed: at.since(self.started_at),
            service: request.service.clone(),
            kind,
        };
        self.report.event(&event);
    }
}
