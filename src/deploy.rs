//! Executes a plan and drives the observer: the only loop in the program.

use std::time::Duration;

use crate::api_error::{ApiError, ApiErrorKind};
use crate::event::{EventKind, RunEvent};
use crate::finding::{Code, Finding};
use crate::id::{DeploymentId, TaskDefinitionArn};
use crate::plan::{Base, Plan, Revision, Wish};
use crate::port::{Clock, Ecs, Interrupts, LoadBalancing, Report};
use crate::preflight::Survey;
use crate::rollout::{Baseline, Input, Next, Observer, Outcome, PhaseSpan, Scope, TargetStory, Verdict};
use crate::service::{RolloutState, Service, ServiceUpdate};
use crate::survey::{self, Reader};
use crate::time::Timestamp;

/// How often, and how long apart, the service is read again after an UpdateService without an answer: twenty seconds in
/// all, as for any answer that may be older than the update.
const RECOVERY_READS: u32 = 5;
const RECOVERY_PAUSE: Duration = Duration::from_secs(4);

/// What a run leaves of one service.
#[derive(Clone, Debug)]
pub struct ServiceRun {
    pub plan: Option<Plan>,
    pub wish: Wish,
    pub outcome: Outcome,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub before: Option<TaskDefinitionArn>,
    pub after: Option<TaskDefinitionArn>,
    pub deployment: Option<DeploymentId>,
    pub phases: Vec<PhaseSpan>,
    pub targets: Vec<TargetStory>,
}

impl ServiceRun {
    /// Stopped before the first change.
    pub fn refused(wish: Wish, plan: Option<Plan>, findings: Vec<Finding>, at: Timestamp) -> Self {
        Self {
            before: plan.as_ref().and_then(|p| p.before.clone()),
            plan,
            wish,
            outcome: Outcome::new(Verdict::Refused, findings),
            started_at: at,
            duration: Duration::ZERO,
            after: None,
            deployment: None,
            phases: Vec::new(),
            targets: Vec::new(),
        }
    }
}

/// The world that a run works in: AWS or the simulator, a clock, ears and a mouth.
pub struct Run<'a, A, C, I, R> {
    pub aws: &'a A,
    pub clock: &'a C,
    pub interrupts: &'a I,
    pub report: &'a mut R,
    pub started_at: Timestamp,
}

/// Plans one service: reads, renders, compares, checks. Nothing is changed.
pub async fn plan<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    wish: Wish,
) -> Result<(Plan, Survey), (Wish, Vec<Finding>)> {
    let survey = match survey::survey(aws, clock, &wish.cluster, &wish.service, wish.url.is_none()).await {
        Ok(survey) => survey,
        Err(mut finding) => {
            finding.state.get_or_insert_with(|| "nothing was changed".into());
            return Err((wish, vec![finding]));
        }
    };
    let registered = match &wish.base {
        Base::Registered(reference) => match aws.describe_task_definition(reference).await {
            Ok(found) => Some((found.arn, found.document)),
            Err(error) if error.kind == ApiErrorKind::NotFound => {
                let finding = Finding::error(Code::Api, format!("there is no task definition `{reference}`"))
                    .evidence("answer", error.message)
                    .state("nothing was changed")
                    .hint("name a family, or a revision of one that is ACTIVE");
                return Err((wish, vec![finding]));
            }
            Err(error) => return Err((wish, vec![survey::api(error).state("nothing was changed")])),
        },
        Base::Running | Base::Document(_) => None,
    };
    match Plan::make(wish.clone(), &survey, registered) {
        Ok(plan) => Ok((plan, survey)),
        Err(findings) => Err((wish, findings)),
    }
}

impl<A, C, I, R> Run<'_, A, C, I, R>
where
    A: Ecs + LoadBalancing,
    C: Clock,
    I: Interrupts,
    R: Report,
{
    /// Registers, updates and follows one service to its verdict.
    pub async fn execute(&mut self, plan: Plan, survey: Survey) -> ServiceRun {
        let mut run = ServiceRun {
            wish: plan.wish.clone(),
            outcome: Outcome::new(Verdict::Succeeded, Vec::new()),
            started_at: self.clock.now(),
            duration: Duration::ZERO,
            before: plan.before.clone(),
            after: None,
            deployment: None,
            phases: Vec::new(),
            targets: Vec::new(),
            plan: Some(plan.clone()),
        };
        run.outcome = self.steps(&plan, &survey, &mut run).await;
        run.duration = self.clock.now().since(run.started_at);
        self.tell(&plan.wish, EventKind::Ended(run.outcome.clone()));
        run
    }

    async fn steps(&mut self, plan: &Plan, survey: &Survey, run: &mut ServiceRun) -> Outcome {
        let arn = match self.revision(plan).await {
            Ok(arn) => arn,
            Err(outcome) => return outcome,
        };
        run.after = Some(arn.clone());
        if self.is_interrupted().await {
            return Outcome::new(Verdict::Interrupted, vec![interrupted_before_update(plan, &arn)]);
        }
        if !plan.starts_rollout() {
            return unchanged(plan, &arn);
        }
        let (answer, deployment) = match self.update(plan, survey, &arn).await {
            Ok(updated) => updated,
            Err(outcome) => return outcome,
        };
        run.deployment = Some(deployment.clone());
        let before = plan.before.clone();
        self.tell(
            &plan.wish,
            EventKind::Updated {
                deployment: deployment.clone(),
                before,
                after: arn.clone(),
            },
        );
        let scope = scope(plan, &answer, deployment, arn);
        let baseline = Baseline::of(&survey.snapshot, &scope).with_answer(&answer, &scope.deployment);
        let mut observer = Observer::new(scope, baseline, &survey.snapshot, self.clock.now());
        let outcome = self.observe(&mut observer, &plan.wish).await;
        run.phases = observer.phases();
        run.targets = observer.targets().into_iter().cloned().collect();
        outcome
    }

    async fn revision(&mut self, plan: &Plan) -> Result<TaskDefinitionArn, Outcome> {
        let (arn, is_reused) = match &plan.revision {
            Revision::Reuse(arn) => (arn.clone(), true),
            Revision::Register => match self.aws.register_task_definition(&plan.document).await {
                Ok(arn) => (arn, false),
                Err(error) => return Err(not_registered(error, plan)),
            },
        };
        self.tell(
            &plan.wish,
            EventKind::Revision {
                arn: arn.clone(),
                is_reused,
            },
        );
        Ok(arn)
    }

    async fn update(
        &mut self,
        plan: &Plan,
        survey: &Survey,
        arn: &TaskDefinitionArn,
    ) -> Result<(Service, DeploymentId), Outcome> {
        let update = ServiceUpdate {
            cluster: plan.wish.cluster.clone(),
            service: plan.wish.service.clone(),
            task_definition: arn.clone(),
            force_new_deployment: plan.wish.force_new_deployment,
        };
        let answer = match self.aws.update_service(&update).await {
            Ok(answer) => answer,
            Err(error) => self.recover_update(plan, &update, survey, error).await?,
        };
        match answer.primary().map(|primary| primary.id.clone()) {
            Some(id) => Ok((answer, id)),
            None => Err(Outcome::new(Verdict::CouldNotObserve, vec![no_primary(&update)])),
        }
    }

    /// UpdateService without an answer may have worked or not. It is not sent again: where the service shows a new
    /// PRIMARY of the revision that only this run has registered, it has worked.
    async fn recover_update(
        &mut self,
        plan: &Plan,
        update: &ServiceUpdate,
        survey: &Survey,
        error: ApiError,
    ) -> Result<Service, Outcome> {
        let was_registered_by_us = plan.revision == Revision::Register;
        if error.kind == ApiErrorKind::Transient && was_registered_by_us {
            // The first answers may be older than the update.
            for _ in 0..RECOVERY_READS {
                if let Some(service) = self.updated_after_all(update, survey).await {
                    return Ok(service);
                }
                self.clock.sleep(RECOVERY_PAUSE).await;
            }
        }
        let is_unknown = error.kind == ApiErrorKind::Transient;
        let registered = format!("{} is registered", update.task_definition.short());
        let (verdict, state) = if is_unknown {
            (
                Verdict::CouldNotObserve,
                format!("{registered}; whether ECS took the update is not known"),
            )
        } else {
            (
                Verdict::Failed,
                format!("{registered}; service `{}` is as it was", update.service),
            )
        };
        Err(Outcome::new(verdict, vec![survey::api(error).state(state)]))
    }

    /// The service, if its PRIMARY is a new deployment of the revision that this run alone has registered.
    async fn updated_after_all(&self, update: &ServiceUpdate, survey: &Survey) -> Option<Service> {
        let described = self
            .aws
            .describe_services(&update.cluster, std::slice::from_ref(&update.service))
            .await;
        let service = described.ok()?.services.into_iter().next()?;
        let primary = service.primary()?;
        let is_new =
            primary.task_definition == update.task_definition && survey.service.deployment(&primary.id).is_none();
        is_new.then_some(service)
    }

    async fn is_interrupted(&self) -> bool {
        tokio::select! {
            biased;
            () = self.interrupts.interrupted() => true,
            () = std::future::ready(()) => false,
        }
    }

    async fn observe(&mut self, observer: &mut Observer, wish: &Wish) -> Outcome {
        let scope = observer.scope();
        let ours = scope.deployment.clone();
        let mut reader = Reader::new(scope.cluster.clone(), scope.service.clone());
        reader.watch(scope.target_groups.keys().cloned().collect());
        let mut told = 0;
        loop {
            let input = tokio::select! {
                biased;
                () = self.interrupts.interrupted() => Input::Interrupted,
                read = reader.snapshot(self.aws, Some(&ours), observer.wants_capacity()) => match read {
                    Ok(snapshot) => Input::Seen(Box::new(snapshot)),
                    Err(error) => Input::Unreadable(error),
                },
            };
            for error in reader.not_checked.iter().skip(told) {
                self.tell(wish, EventKind::Found(crate::preflight::not_checked(error)));
            }
            told = reader.not_checked.len();
            let step = observer.step(self.clock.now(), input);
            for happening in step.happenings {
                self.tell(wish, EventKind::Rollout(happening));
            }
            match step.next {
                Next::Done(outcome) => return outcome,
                Next::PollAt(at) => tokio::select! {
                    biased;
                    () = self.interrupts.interrupted() => {}
                    () = self.clock.sleep(at.since(self.clock.now())) => {}
                },
            }
        }
    }

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

fn scope(plan: &Plan, answer: &Service, deployment: DeploymentId, arn: TaskDefinitionArn) -> Scope {
    Scope {
        cluster: plan.wish.cluster.clone(),
        service: plan.wish.service.clone(),
        deployment,
        task_definition: arn,
        previous: plan.before.clone(),
        bindings: answer.load_balancers.clone(),
        target_groups: plan.target_groups.clone(),
        is_host_network: plan.is_host_network,
        needs: plan.needs.clone(),
        until: plan.wish.until,
        settle: plan.wish.settle,
        wait_budget: plan.wait_budget(),
    }
}

/// No rollout was asked for, and the service points to the revision already. Whether that revision runs is another
/// question: a deployment that failed leaves the pointer behind.
fn unchanged(plan: &Plan, arn: &TaskDefinitionArn) -> Outcome {
    let service = &plan.wish.service;
    let primary = plan.service.primary();
    let is_complete = match primary.and_then(|p| p.rollout_state.as_ref()) {
        Some(state) => *state == RolloutState::Completed,
        None => plan.service.deployments.len() == 1 && plan.service.running_count == plan.service.desired_count,
    };
    if is_complete {
        let summary = format!(
            "unchanged: `{service}` already runs {}, and no new deployment was asked for",
            arn.short()
        );
        return Outcome::new(Verdict::Succeeded, vec![Finding::note(Code::NothingToVerify, summary)]);
    }
    let mut finding = Finding::error(
        Code::DeploymentFailed,
        format!(
            "`{service}` points to {} already, but its deployment of it is not complete",
            arn.short()
        ),
    )
    .state("nothing was changed");
    if let Some(primary) = primary {
        let state = primary.rollout_state.as_ref().map_or("unknown", |s| s.as_str());
        let counts = format!(
            "{state}, {} of {} tasks running",
            primary.running_count, primary.desired_count
        );
        finding = finding.evidence("deployment", format!("{}: {counts}", primary.id));
    }
    Outcome::new(
        Verdict::Failed,
        vec![finding.hint("force a new deployment of it: leave out --force-new-deployment=false")],
    )
}

fn not_registered(error: ApiError, plan: &Plan) -> Outcome {
    if error.kind != ApiErrorKind::Transient {
        let state = "nothing was changed: no revision registered, service as it was";
        return Outcome::new(Verdict::Refused, vec![survey::api(error).state(state)]);
    }
    let family = plan
        .document
        .get("family")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("the family");
    let state = format!(
        "a new revision of {family} may have been registered (no answer came); service `{}` is as it was",
        plan.wish.service
    );
    Outcome::new(Verdict::CouldNotObserve, vec![survey::api(error).state(state)])
}

fn interrupted_before_update(plan: &Plan, arn: &TaskDefinitionArn) -> Finding {
    Finding::error(
        Code::Interrupted,
        format!("interrupted before `{}` was updated", plan.wish.service),
    )
    .state(format!(
        "{} is registered; service `{}` is as it was",
        arn.short(),
        plan.wish.service
    ))
}

fn no_primary(update: &ServiceUpdate) -> Finding {
    Finding::error(
        Code::CouldNotObserve,
        format!(
            "UpdateService was accepted, but its answer shows no deployment of `{}` to follow",
            update.service
        ),
    )
    .state(format!("the service points to {}", update.task_definition.short()))
}
