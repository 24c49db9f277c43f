//! The last question before success, asked once: where do the load balancers send the requests?

use super::{Ending, Observer};
use crate::base::finding::Finding;
use crate::base::time::Moment;
use crate::rollout::timeouts;
use crate::rollout::verdict::Verdict;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::view::success::asks_for_traffic;
use crate::rollout::view::traffic::strays_of;
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::words::traffic;

/// What the rules mean for a rollout that is done but for them.
pub(super) enum Led {
    /// There is nothing that could lead elsewhere, or it leads to the new targets.
    Here,
    /// They have to be read first.
    NotAsked,
    /// They may not be read.
    NotChecked(Finding),
    /// They lead elsewhere, and are read once more before that is believed.
    NotYet,
    Elsewhere(Ending),
}

impl Observer {
    /// Whether the next snapshot should carry the rules of the load balancers.
    pub fn wants_routing(&self) -> bool {
        self.traffic.is_wanted
    }

    pub(super) fn begin_traffic(&mut self) {
        self.traffic.was_wanted = std::mem::take(&mut self.traffic.is_wanted);
    }

    /// The rules of a look at which nothing else is missing. A list of rules may be some seconds old, as every answer of
    /// AWS may: that they lead elsewhere is believed at the second look.
    pub(super) fn led(&mut self, snapshot: &Snapshot, view: &View, now: Moment) -> Led {
        if !asks_for_traffic(&self.scope) || view.desired == 0 {
            return Led::Here;
        }
        if let Some((since, finding)) = &self.traffic.strayed
            && now.since(*since) < timeouts::RULES_ARE_BELIEVED_AFTER
        {
            let ending = (Verdict::Failed, vec![finding.clone()]);
            return self.or_wait(ending, now);
        }
        if snapshot.routing.is_none() && !self.traffic.was_wanted {
            return Led::NotAsked;
        }
        let Some(strays) = strays_of(view, snapshot) else {
            return Led::NotChecked(traffic::not_checked(&self.scope));
        };
        if strays.is_empty() {
            self.traffic.strayed = None;
            return Led::Here;
        }
        let finding = traffic::elsewhere(&self.scope, &strays, &self.sight.look);
        let is_second = self.traffic.strayed.is_some();
        if !is_second {
            self.traffic.strayed = Some((now, finding.clone()));
        }
        let ending = (Verdict::Failed, vec![finding]);
        if is_second {
            Led::Elsewhere(ending)
        } else {
            self.or_wait(ending, now)
        }
    }

    fn or_wait(&mut self, ending: Ending, now: Moment) -> Led {
        if now >= self.deadline() {
            return Led::Elsewhere(ending);
        }
        self.sight.look.waiting.push(WaitingOn::Traffic);
        Led::NotYet
    }
}
