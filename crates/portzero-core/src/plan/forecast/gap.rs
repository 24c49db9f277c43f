//! For how long nothing serves where every old task stops before a new one starts.

use std::time::Duration;

use crate::plan::forecast::Basis;
use crate::plan::forecast::spans::{CADENCE, DRAIN_SLACK, stop};

/// For how long no target is healthy where every old task stops before a new one starts: its start, ECS's next look, and
/// the first health check. What the application takes to start comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Until the old task has freed the host port that the new one asks for too; zero where they need not share one.
    pub port: Duration,
    pub start: Duration,
    pub look: Duration,
    pub check: Duration,
}

impl Gap {
    pub(crate) fn of(basis: &Basis<'_>, shares_port: bool) -> Self {
        let leave = basis.delay().unwrap_or_default() + DRAIN_SLACK.most + stop(&[], None).most;
        let intervals = basis.groups.values().map(|group| group.health_check.interval);
        Self {
            port: if shares_port { leave } else { Duration::ZERO },
            start: basis.start().likely(),
            look: CADENCE.likely,
            check: intervals.max().unwrap_or_default(),
        }
    }

    pub(crate) fn total(&self) -> Duration {
        self.port + self.start + self.look + self.check
    }
}
