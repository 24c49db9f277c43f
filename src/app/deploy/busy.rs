//! Another deployment of the service is in progress: its end is waited for (`--if-busy wait`), and the plan made anew.

use std::time::Duration;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::base::time::Timestamp;
use portzero_core::event::EventKind;
use portzero_core::policy::{InProgress, not_over_in_time};
use portzero_core::port::{Clock, Interrupts, Report};
use portzero_core::rollout::observer::read_outage::{ReadOutage, Tolerance};
use portzero_core::rollout::{Outcome, RolloutEvent, Verdict};

use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::service_state::{LOOK_EVERY, Member, ServiceState};
use crate::app::deploy::{planning, words};
use crate::app::ports::Aws;

/// A log that stays silent for longer looks hung.
const TELL_EVERY: Duration = Duration::from_secs(30);

impl<A: Aws, C: Clock, I: Interrupts, R: Report> Run<'_, A, C, I, R> {
    /// One look at what is in the way. Where nothing is any more, the service begins.
    pub(super) async fn look_at_busy(&mut self, member: &mut Member) {
        let ServiceState::Busy(busy) = &mut member.stage else {
            return;
        };
        let (request, now) = (busy.plan.request.clone(), self.ports.now());
        let read = self
            .ports
            .aws
            .describe_services(&request.cluster, std::slice::from_ref(&request.service));
        let Some(described) = self.ports.unless_interrupted(read).await else {
            let outcome = words::interrupted_while_busy(&request, &busy.by);
            return self.end(member, outcome);
        };
        busy.look_at = now + LOOK_EVERY;
        let described = match described {
            Ok(described) => described,
            Err(error) => return self.tolerate(member, &error, now),
        };
        if let Some(blind) = busy.blind.take() {
            let (misses, blind_for) = (blind.misses, now.since(blind.since));
            self.tell(
                &request,
                EventKind::Rollout(RolloutEvent::SeesAgain { misses, blind_for }),
            );
        }
        match described.services.first().and_then(InProgress::of) {
            None => self.begin_anew(member).await,
            Some(by) if now >= busy.deadline() => {
                let finding = not_over_in_time(&request.service, &by, now.since(busy.since));
                self.end(member, Outcome::new(Verdict::TimedOut, vec![finding]));
            }
            Some(by) => {
                let is_news = by != busy.by || now.since(busy.told_at) >= TELL_EVERY;
                busy.by = by;
                if is_news {
                    busy.told_at = now;
                    let told = busy.told(now);
                    self.tell(&request, told);
                }
            }
        }
    }

    /// It cannot be seen whether the other deployment is over. That is borne like blindness in a rollout.
    fn tolerate(&mut self, member: &mut Member, error: &ApiError, now: Timestamp) {
        let ServiceState::Busy(busy) = &mut member.stage else {
            return;
        };
        let deadline = busy.deadline();
        let blind = busy.blind.get_or_insert_with(|| ReadOutage::begin(now));
        match blind.tolerate(error, now, deadline) {
            Tolerance::Silently => {}
            Tolerance::Telling(told) => self.tell(&member.run.request, EventKind::Rollout(told)),
            Tolerance::NoLonger => {
                let finding = words::could_not_see_it_end(&member.run.request, &busy.by, error, blind, now);
                self.end(member, Outcome::new(Verdict::CouldNotObserve, vec![finding]));
            }
        }
    }

    /// It is over. What is planned now goes by what came of it.
    async fn begin_anew(&mut self, member: &mut Member) {
        let ServiceState::Busy(busy) = &mut member.stage else {
            return;
        };
        let request = busy.plan.request.clone();
        self.tell(&request, EventKind::Free);
        let planning = planning::plan(self.ports.aws, self.ports.clock, request.clone());
        let Some(planned) = self.ports.unless_interrupted(planning).await else {
            let outcome = words::interrupted_before_its_turn(&request);
            return self.end(member, outcome);
        };
        let (plan, survey) = match planned {
            Ok((plan, survey)) if !plan.is_refused() => (plan, survey),
            Ok((plan, _)) => {
                let findings = plan.findings.clone();
                return self.refuse(
                    member,
                    ServiceRun::refused(plan.request.clone(), Some(plan), findings, self.ports.now()),
                );
            }
            Err((request, findings)) => {
                return self.refuse(member, ServiceRun::refused(request, None, findings, self.ports.now()));
            }
        };
        self.tell_plan(&plan, true);
        // Somebody else may have been quicker.
        if let Some(by) = InProgress::of(&survey.service) {
            busy.by = by;
            return;
        }
        self.start(member, plan, survey).await;
    }
}
