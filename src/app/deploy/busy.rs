//! Another deployment of the service is in progress, or drains: its end is waited for (`--if-busy wait`), and the plan made
//! anew.

use std::time::Duration;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::base::time::Moment;
use portzero_core::event::EventKind;
use portzero_core::policy::{IfBusy, Obstacle};
use portzero_core::port::{ApiResult, Clock, Interrupts, Report};
use portzero_core::rollout::observer::read_outage::{ReadOutage, Tolerance};
use portzero_core::rollout::{Outcome, RolloutEvent, Snapshot, Verdict};

use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::service_state::{Busy, LOOK_EVERY, Member, ServiceState};
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
            .before(busy.look_ends_at(now), look(self.ports.aws, busy, now));
        let obstacle = match self.ports.unless_interrupted(read).await {
            Some(Some(obstacle)) => obstacle,
            Some(None) => {
                let finding = busy
                    .by
                    .not_over_in_time(&request.service, self.ports.now().since(busy.since));
                return self.end(member, Outcome::new(Verdict::TimedOut, vec![finding]));
            }
            None => {
                let outcome = words::interrupted_while_busy(&request, &busy.by);
                return self.end(member, outcome);
            }
        };
        busy.look_at = now + LOOK_EVERY;
        let obstacle = match obstacle {
            Ok(obstacle) => obstacle,
            Err(error) => return self.tolerate(member, &error, now),
        };
        if let Some(blind) = busy.blind.take() {
            let (misses, blind_for) = (blind.misses, now.since(blind.since));
            self.tell(
                &request,
                EventKind::Rollout(RolloutEvent::SeesAgain { misses, blind_for }),
            );
        }
        match obstacle {
            None => self.begin_anew(member).await,
            Some(by) if now >= busy.deadline() => {
                let finding = by.not_over_in_time(&request.service, now.since(busy.since));
                self.end(member, Outcome::new(Verdict::TimedOut, vec![finding]));
            }
            Some(by) => self.wait_on(member, by, now),
        }
    }

    /// It is still there, or something else is: said where that is news, or was not said for long.
    fn wait_on(&mut self, member: &mut Member, by: Obstacle, now: Moment) {
        let ServiceState::Busy(busy) = &mut member.stage else {
            return;
        };
        let begins_to_fail = by.is_failing() && !busy.by.is_failing();
        let is_news = !by.is_same_step(&busy.by) || now.since(busy.told_at) >= TELL_EVERY;
        busy.by = by;
        let request = busy.plan.request.clone();
        let finding = busy.by.finding(&request.service, IfBusy::Wait, now);
        let told = is_news.then(|| busy.told(now));
        busy.told_at = if is_news { now } else { busy.told_at };
        if let Some(finding) = finding.filter(|_| begins_to_fail) {
            self.tell(&request, EventKind::Found(finding));
        }
        if let Some(told) = told {
            self.tell(&request, told);
        }
    }

    /// It cannot be seen whether the other deployment is over. That is borne like blindness in a rollout.
    fn tolerate(&mut self, member: &mut Member, error: &ApiError, now: Moment) {
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
        let (_, obstacle) = survey.obstacle(plan.is_host_network);
        if let Some(by) = obstacle.filter(|by| plan.starts_rollout() || matches!(by, Obstacle::Rollout(_))) {
            return self.wait_on(member, by, self.ports.now());
        }
        self.start(member, plan, survey).await;
    }
}

/// What is in the way now. Whether nothing is rests on no remembered part of the look.
async fn look<A: Aws>(aws: &A, busy: &mut Busy, now: Moment) -> ApiResult<Option<Obstacle>> {
    let snapshot = look_once(aws, busy, now, false).await?;
    match Obstacle::of(&snapshot, &mut busy.neighbour, now) {
        None if snapshot.is_partly_remembered => {
            let snapshot = look_once(aws, busy, now, true).await?;
            Ok(Obstacle::of(&snapshot, &mut busy.neighbour, now))
        }
        obstacle => Ok(obstacle),
    }
}

async fn look_once<A: Aws>(aws: &A, busy: &mut Busy, now: Moment, is_last: bool) -> ApiResult<Snapshot> {
    let watch = busy.watch(is_last);
    let looks = busy.poller.look(aws, now, std::slice::from_ref(&watch)).await;
    let mut looks = looks.into_iter();
    looks
        .next()
        .map_or_else(|| Ok(Snapshot::default()), |look| look.snapshot)
}
