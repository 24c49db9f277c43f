//! The loop: begin what may begin, look at what is followed, judge, sleep.

use std::time::Duration;

use portzero_core::aws_model::service::Service;
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Moment;
use portzero_core::event::EventKind;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DeployRequest, Plan};
use portzero_core::policy::Leftover;
use portzero_core::port::{Clock, Interrupts, Report};
use portzero_core::rollout::observer::read_outage::Unfinished;
use portzero_core::rollout::rollback::last_good;
use portzero_core::rollout::{Baseline, Input, Next, Observer, Outcome, Scope, Verdict};

use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::service_state::{Busy, Member, ServiceState, Turn};
use crate::app::deploy::{attach, last_words, order, planning, words};
use crate::app::ports::Aws;
use crate::app::survey::{Poller, Watch};

/// Services whose next looks are this close to each other are looked at together: half of the quickest pace.
const TOGETHER_WITHIN: Duration = Duration::from_secs(1);

impl<A: Aws, C: Clock, I: Interrupts, R: Report> Run<'_, A, C, I, R> {
    /// Tells the plans, and says which of them keep the run from beginning: then nothing is changed at all.
    ///
    /// # Errors
    /// The services whose plans are refused.
    pub fn accept(&mut self, plans: &[(Plan, Survey)]) -> Result<(), Vec<ServiceRun>> {
        let at = self.ports.now();
        let refused = plans.iter().map(|(plan, _)| plan).filter(|plan| plan.is_refused());
        let refused: Vec<ServiceRun> = refused
            .map(|plan| ServiceRun::refused(plan.request.clone(), Some(plan.clone()), plan.findings.clone(), at))
            .collect();
        if refused.is_empty() {
            plans.iter().for_each(|(plan, _)| self.tell_plan(plan, false));
            Ok(())
        } else {
            Err(refused)
        }
    }

    /// Registers, updates and follows each service to its verdict. Those that depend on none go at once; one that fails
    /// stops only those that depend on it. The runs come in the order of the plans.
    pub async fn execute(&mut self, plans: Vec<(Plan, Survey)>) -> Vec<ServiceRun> {
        let needs = order::needs(plans.iter().map(|(plan, _)| &plan.request));
        let at = self.ports.now();
        let planned = plans.into_iter().zip(needs);
        let members = planned.map(|((plan, survey), needs)| Member::planned(plan, survey, needs, at));
        let mut runs = self.drive(members.collect()).await;
        self.purge(&mut runs).await;
        runs
    }

    /// Follows deployments that are there already. Nothing is changed.
    pub async fn follow(&mut self, followed: Vec<(ServiceRun, Observer)>) -> Vec<ServiceRun> {
        let at = self.ports.now();
        let followed = followed.into_iter();
        let members = followed.map(|(run, observer)| Member::followed(run, observer, at));
        self.drive(members.collect()).await
    }

    /// Takes every service to its end.
    pub(super) async fn drive(&mut self, mut members: Vec<Member>) -> Vec<ServiceRun> {
        let mut poller = Poller::default();
        loop {
            self.begin(&mut members).await;
            let Some(due_at) = members.iter().filter_map(Member::due_at).min() else {
                break;
            };
            self.pause_until(due_at).await;
            self.look(&mut members, &mut poller).await;
        }
        for member in members.iter_mut().filter(|member| member.is_waiting()) {
            member.run.outcome = Some(words::circle(&member.run.request));
        }
        for member in &mut members {
            if let Some(wanted) = member.last_words.take() {
                last_words::add(self.ports.aws, self.ports.interrupts, wanted, &mut member.run).await;
            }
        }
        members.into_iter().map(|member| member.run).collect()
    }

    /// Begins every service whose turn has come, in their order. One may end at once (nothing to do, refused), and those
    /// that depend on it are looked at again.
    async fn begin(&mut self, members: &mut [Member]) {
        let mut index = 0;
        while let Some(member) = members.get(index) {
            let turn = if member.is_waiting() {
                Turn::of(member, members)
            } else {
                Turn::NotYet
            };
            let member = &mut members[index];
            index += 1;
            match turn {
                Turn::NotYet => continue,
                Turn::Never(outcome) => self.end(member, outcome),
                Turn::Begin => self.begin_one(member).await,
            }
            if member.is_done() {
                index = 0;
            }
        }
    }

    /// Its turn has come.
    async fn begin_one(&mut self, member: &mut Member) {
        let ServiceState::Waiting(planned) = std::mem::replace(&mut member.stage, ServiceState::Done) else {
            return;
        };
        let (plan, survey) = *planned;
        member.run.started_at = self.ports.now();
        let planning = self.fresh(plan, survey, !member.needs.is_empty());
        let (plan, survey) = match self.ports.unless_interrupted(planning).await {
            Some(Ok(planned)) => planned,
            Some(Err(refused)) => return self.refuse(member, *refused),
            None => {
                let outcome = words::interrupted_before_its_turn(&member.run.request);
                return self.end(member, outcome);
            }
        };
        if let Some(busy) = Busy::of(&plan, &survey, self.ports.now()) {
            self.tell(&member.run.request, busy.told(self.ports.now()));
            member.stage = ServiceState::Busy(busy);
            return;
        }
        self.start(member, plan, survey).await;
    }

    /// Nothing is in the way: from the plan to the rollout.
    pub(super) async fn start(&mut self, member: &mut Member, plan: Plan, survey: Survey) {
        member.run.plan = Some(plan.clone());
        member.run.before = plan.before.clone();
        member.good = last_good(&survey.service);
        match self.change(&plan, &survey, &mut member.run).await {
            Ok(observer) => member.stage = ServiceState::following(observer, self.ports.now()),
            Err(outcome) => self.end(member, outcome),
        }
    }

    /// `has_waited`: the plan may be out of date.
    async fn fresh(&self, plan: Plan, survey: Survey, has_waited: bool) -> Result<(Plan, Survey), Box<ServiceRun>> {
        if has_waited {
            planning::again(self.ports.aws, self.ports.clock, &plan).await
        } else {
            Ok((plan, survey))
        }
    }

    /// Registers and updates, and hands over who will follow it. `Err`: it ends here.
    async fn change(&mut self, plan: &Plan, survey: &Survey, run: &mut ServiceRun) -> Result<Observer, Outcome> {
        let (arn, not_kept) = self.revision(plan).await?;
        run.after = Some(arn.clone());
        if !not_kept.is_empty() {
            return Err(Outcome::new(Verdict::Refused, not_kept));
        }
        if self.ports.is_interrupted().await {
            return Err(Outcome::new(
                Verdict::Interrupted,
                vec![words::interrupted_before_update(plan, &arn)],
            ));
        }
        if !plan.starts_rollout() {
            return self.check_what_runs(plan, survey, &arn, run);
        }
        let (answer, deployment) = self.update(plan, survey, &arn).await?;
        run.deployment = Some(deployment.clone());
        let scope = Scope {
            good: last_good(&survey.service),
            ..scope(plan, &answer, deployment, arn)
        };
        let baseline = Baseline::of(&survey.snapshot, &scope).with_answer(&answer, &scope.deployment);
        let observer = Observer::new(scope, baseline, &survey.snapshot, self.ports.now());
        Ok(observer.polling_every(plan.request.poll_interval))
    }

    /// Nothing is to be changed. Whether what runs is well is asked of the load balancer all the same: a deployment stays
    /// completed, whatever becomes of its tasks.
    fn check_what_runs(
        &self,
        plan: &Plan,
        survey: &Survey,
        arn: &TaskDefinitionArn,
        run: &mut ServiceRun,
    ) -> Result<Observer, Outcome> {
        let plan = Plan {
            request: DeployRequest {
                settle: Duration::ZERO,
                ..plan.request.clone()
            },
            ..plan.clone()
        };
        let observer = attach::observer_of_primary(&plan, survey, self.ports.now());
        let observer = observer.filter(|_| words::is_complete(&survey.service));
        let Some(observer) = observer else {
            return Err(words::points_there_already(&plan, arn));
        };
        run.deployment = Some(observer.scope().deployment.clone());
        Ok(observer)
    }

    /// The one place where a run sleeps between looks. A signal ends it.
    pub(super) async fn pause_until(&mut self, at: Moment) {
        let span = self.pace.pause(self.ports.now(), at);
        if !span.is_zero() {
            self.ports.sleep(span).await;
        }
    }

    /// One look at every service that is followed and due, and what it means.
    async fn look(&mut self, members: &mut [Member], poller: &mut Poller) {
        self.look_at_the_busy(members).await;
        let now = self.ports.now();
        let is_due = |member: &Member| member.due_at().is_some_and(|at| at <= now + TOGETHER_WITHIN);
        let seen = members.iter().enumerate().filter(|(_, member)| is_due(member));
        let (due, watches): (Vec<usize>, Vec<Watch>) = seen
            .filter_map(|(index, member)| Some((index, member.watch(now)?)))
            .unzip();
        let ends_at = |index: &usize| members[*index].look_ends_at(now);
        let looking = poller.look(self.ports.aws, now, &watches);
        let looking = async {
            match due.iter().filter_map(ends_at).min() {
                Some(at) => self.ports.before(at, looking).await,
                None => Some(looking.await),
            }
        };
        let looks = self.ports.unless_interrupted(looking).await;
        self.pace.note(poller.is_throttled);
        let looks = match looks {
            Some(Some(looks)) => looks,
            Some(None) => return self.end_late(members, &due, (now, &*poller, &watches)).await,
            None => {
                for member in members {
                    self.step(member, Input::Interrupted).await;
                }
                return;
            }
        };
        for (index, look) in due.into_iter().zip(looks) {
            let member = &mut members[index];
            for error in &look.not_checked {
                let found = portzero_core::plan::survey::not_checked(error);
                if !member.run.has_said(&found) {
                    self.tell(&member.run.request, EventKind::Found(found));
                }
            }
            let input = match look.snapshot {
                Ok(snapshot) => Input::Seen(Box::new(snapshot)),
                Err(error) => Input::Unreadable(error),
            };
            self.step(member, input).await;
        }
    }

    /// The poll was cut off where the time of a service was over. Those that have time left are polled anew.
    async fn end_late(
        &mut self,
        members: &mut [Member],
        due: &[usize],
        (begun, poller, watches): (Moment, &Poller, &[Watch]),
    ) {
        for (&index, watch) in due.iter().zip(watches) {
            let member = &mut members[index];
            if member.look_ends_at(begun).is_some_and(|at| at <= self.ports.now()) {
                let service = poller.shown(watch).cloned().map(Box::new);
                self.step(member, Input::OutOfTime(Unfinished { begun, service })).await;
            }
        }
    }

    /// Those that another deployment keeps from beginning.
    async fn look_at_the_busy(&mut self, members: &mut [Member]) {
        for member in members {
            if let ServiceState::Busy(busy) = &member.stage
                && (busy.look_at <= self.ports.now() || self.ports.is_interrupted().await)
            {
                self.look_at_busy(member).await;
            }
        }
    }

    async fn step(&mut self, member: &mut Member, input: Input) {
        let ServiceState::Following(following) = &mut member.stage else {
            return;
        };
        let is_interrupt = matches!(input, Input::Interrupted);
        if let (Input::Seen(snapshot), Leftover::Rollback) = (&input, member.run.request.policy.on_failure) {
            following.seen = Some((**snapshot).clone());
        }
        let step = following.observer.step(self.ports.now(), input);
        for event in step.events {
            self.tell(&member.run.request, EventKind::Rollout(event));
        }
        match step.next {
            Next::PollAt(at) => following.look_at = at,
            Next::Done(outcome) if following.back.is_some() => self.complete_rollback(member, outcome),
            Next::Done(outcome) if is_interrupt => self.cancel(member, outcome).await,
            Next::Done(outcome) => self.go_back_or_end(member, outcome).await,
        }
    }

    /// It is over before anything was changed.
    pub(super) fn refuse(&mut self, member: &mut Member, mut refused: ServiceRun) {
        let outcome = refused.outcome.take();
        member.run = refused;
        if let Some(outcome) = outcome {
            self.end(member, outcome);
        }
    }

    /// The last word on a service.
    pub(super) fn end(&mut self, member: &mut Member, outcome: Outcome) {
        if let ServiceState::Following(following) = &member.stage
            && outcome.is_rolled_back
            && member.run.back_to.is_none()
        {
            member.run.back_to = following.observer.back_to().cloned();
        }
        // Those of the rollout are told, not those of a deployment that takes it back.
        if let ServiceState::Following(following) = &member.stage
            && member.run.phases.is_empty()
        {
            member.run.phases = following.observer.phases();
            member.run.targets = following.observer.targets().into_iter().cloned().collect();
            member.last_words = last_words::Wanted::of(&following.observer, &outcome);
        }
        let mut outcome = outcome;
        let is_unchanged = member.run.plan.as_ref().is_some_and(|plan| !plan.starts_rollout());
        if is_unchanged && outcome.verdict == Verdict::Succeeded {
            outcome.findings.push(words::unchanged(&member.run));
        }
        let now = self.ports.now();
        if member.is_waiting() {
            member.run.started_at = now;
        }
        member.run.duration = now.since(member.run.started_at);
        member.stage = ServiceState::Done;
        self.tell(&member.run.request, EventKind::Ended(outcome.clone()));
        member.run.outcome = Some(outcome);
    }
}

fn scope(plan: &Plan, answer: &Service, deployment: DeploymentId, arn: TaskDefinitionArn) -> Scope {
    let managed = plan.service.managed.clone();
    Scope {
        cluster: plan.request.cluster.clone(),
        service: plan.request.service.clone(),
        deployment,
        task_definition: arn,
        previous: plan.before.clone(),
        good: None,
        bindings: [&answer.load_balancers[..], &managed.bindings[..]].concat(),
        managed,
        target_groups: plan.target_groups.clone(),
        is_host_network: plan.is_host_network,
        needs: plan.needs.clone(),
        until: plan.request.until,
        settle: plan.request.settle,
        wait_budget: plan.wait_budget(),
    }
}
