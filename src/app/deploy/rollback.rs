//! Going back to what ran before: after a failure that ECS leaves standing (`--on-failure rollback`), where the run is
//! cancelled (`--on-cancel rollback`), and where that is what was asked for (`portzero rollback`).

use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::service::{Service, ServiceDeployment, ServiceUpdate};
use portzero_core::base::finding::{Finding, Severity};
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Moment;
use portzero_core::event::EventKind;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DeployRequest, Plan};
use portzero_core::policy::Leftover;
use portzero_core::port::{Clock, Interrupts, Report};
use portzero_core::rollout::rollback::{Leaves, RollbackReport, Way, asked_for, conclude, last_good};
use portzero_core::rollout::{Baseline, Observer, Outcome, Scope, Snapshot, Verdict, observe_command};

use crate::app::deploy::change::LookedUp;
use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::service_state::{Member, RollbackInProgress, ServiceState};
use crate::app::deploy::{attach, words};
use crate::app::ports::Aws;
use crate::app::survey;

/// For how long it is looked for what came of a request without an answer: as long as reads that fail are tolerated.
const LOOK_UP_AT_MOST: Duration = Duration::from_secs(300);

/// What AWS has made of the request.
enum Asked {
    /// ECS goes back.
    Rolling,
    /// A deployment of what ran before.
    Redeploying(Box<Service>, DeploymentId),
    Refused(Finding),
    Unanswered(Option<String>),
}

impl<A: Aws, C: Clock, I: Interrupts, R: Report> Run<'_, A, C, I, R> {
    /// The observer has come to its verdict. What a failure leaves standing may be gone back from, and followed to the
    /// end of that.
    pub(super) async fn go_back_or_end(&mut self, member: &mut Member, first: Outcome) {
        let ServiceState::Following(following) = &member.stage else {
            return;
        };
        let leaves = match member.run.request.policy.on_failure {
            Leftover::Leave => Leaves::Nothing,
            Leftover::Rollback => following.observer.leaves(first.verdict),
        };
        let from = following.observer.scope().task_definition.clone();
        let service = member.run.request.service.clone();
        match leaves {
            Leaves::Nothing => self.end(member, first),
            Leaves::NothingBecause(why) => {
                let back = RollbackReport::None { why: why.to_owned() };
                self.end(member, conclude(first, &service, &from, back));
            }
            Leaves::Something => {
                if let Err(back) = self.begin_rollback(member, Some(first.clone())).await {
                    self.end(member, conclude(first, &service, &from, back));
                }
            }
        }
    }

    /// The run is asked to end while ECS rolls out. There is no time to follow a way back: the request is sent.
    pub(super) async fn cancel(&mut self, member: &mut Member, first: Outcome) {
        let ServiceState::Following(following) = &member.stage else {
            return;
        };
        let leaves = match member.run.request.policy.on_cancel {
            Leftover::Leave => Leaves::Nothing,
            Leftover::Rollback => following.observer.leaves(first.verdict),
        };
        let from = following.observer.scope().task_definition.clone();
        let serving = following.observer.serving();
        let back = match leaves {
            Leaves::Nothing => return self.end(member, first),
            Leaves::NothingBecause(why) => RollbackReport::None { why: why.to_owned() },
            Leaves::Something => match self.ask_back(member).await {
                Err(back) => back,
                Ok((way, to, _)) => RollbackReport::UnderWay {
                    call: way.call(),
                    to: to.map(|to| to.short().to_owned()),
                    serving,
                    because: None,
                },
            },
        };
        let service = member.run.request.service.clone();
        self.end(member, conclude(first, &service, &from, back));
    }

    /// `portzero rollback` where a deployment is in flight: ECS is asked to go back, and that is followed.
    pub async fn stop(&mut self, plan: Plan, survey: Survey, in_flight: ServiceDeployment) -> ServiceRun {
        let now = self.ports.now();
        let mut run = ServiceRun::begun(plan.request.clone(), Some(plan.clone()), now);
        let Some(mut observer) = attach::observer_of_primary(&plan, &survey, now) else {
            return run.ended(words::nothing_in_flight(&plan.request));
        };
        observer.note_service_deployment(in_flight);
        run.deployment = Some(observer.scope().deployment.clone());
        let mut member = Member::followed(run, observer, now);
        member.good = last_good(&survey.service);
        if let Err(back) = self.begin_rollback(&mut member, None).await {
            let outcome = unanswered_with_command(asked_for(&plan.request.service, back), &plan.request, &survey);
            self.end(&mut member, outcome);
        }
        let mut runs = self.drive(vec![member]).await;
        runs.remove(0)
    }

    /// Takes a service back that is followed: asks for it, and follows that from now on. `Err`: it ends here.
    pub(super) async fn begin_rollback(
        &mut self,
        member: &mut Member,
        first: Option<Outcome>,
    ) -> Result<(), RollbackReport> {
        let (way, to, asked) = self.ask_back(member).await?;
        let ServiceState::Following(following) = &mut member.stage else {
            return Ok(());
        };
        let now = self.ports.now();
        let from = following.observer.scope().task_definition.clone();
        let mut updated = None;
        match (asked, &to) {
            (Asked::Redeploying(answer, deployment), Some(to)) => {
                updated = Some(EventKind::Updated {
                    deployment: deployment.clone(),
                    before: Some(from.clone()),
                    after: to.clone(),
                });
                member.run.phases = following.observer.phases();
                member.run.targets = following.observer.targets().into_iter().cloned().collect();
                // What is there before, so that a deployment of what ran before can be told from it. Where nothing was
                // seen, the observer learns what is old as it goes.
                let before = following.seen.take().unwrap_or_default();
                following.observer =
                    observer_of_the_way_back(&following.observer, &before, &answer, deployment, to, now);
            }
            _ => {
                following.observer.follow_rollback(now);
            }
        }
        following.look_at = now;
        following.back = Some(Box::new(RollbackInProgress {
            first,
            from,
            call: way.call(),
            to,
            since: now,
        }));
        if let Some(updated) = updated {
            self.tell(&member.run.request, updated);
        }
        Ok(())
    }

    /// The observer has seen the end of the way back, or will see no more of it.
    pub(super) fn complete_rollback(&mut self, member: &mut Member, outcome: Outcome) {
        let ServiceState::Following(following) = &mut member.stage else {
            return;
        };
        let Some(back) = following.back.take() else { return };
        let is_interrupt = outcome.verdict == Verdict::Interrupted;
        let rollback_report = back.ending(&following.observer, &outcome, self.ports.now());
        let arrived = following.observer.back_to().or(back.to.as_ref()).cloned();
        let arrived = arrived.filter(|_| matches!(rollback_report, RollbackReport::Complete { .. }));
        let service = member.run.request.service.clone();
        let outcome = match back.first {
            None if is_interrupt => outcome,
            None => {
                member.run.after = arrived;
                asked_for(&service, rollback_report)
            }
            Some(mut first) => {
                member.run.back_to = arrived;
                if is_interrupt {
                    first.verdict = Verdict::Interrupted;
                }
                conclude(first, &service, &back.from, rollback_report)
            }
        };
        self.end(member, outcome);
    }

    /// Sends the request, by the second way where AWS refuses the first.
    async fn ask_back(&mut self, member: &Member) -> Result<(Way, Option<TaskDefinitionArn>, Asked), RollbackReport> {
        let ServiceState::Following(following) = &member.stage else {
            return Err(RollbackReport::None {
                why: "nothing is followed".into(),
            });
        };
        let (observer, good) = (&following.observer, member.good.as_ref());
        let request = &member.run.request;
        let Some(way) = observer.rollback_report(good) else {
            return Err(no_way(observer, good));
        };
        let to = good.cloned();
        let seen = following.seen.as_ref().and_then(|seen| seen.service.as_ref());
        let before = seen.or_else(|| Some(&member.run.plan.as_ref()?.service));
        let first = self.ask(request, &way, &to, before).await;
        let (way, asked) = match (first, observer.redeployment(good)) {
            (Asked::Refused(refused), Some(other)) if other != way => {
                let warning = Finding {
                    severity: Severity::Warning,
                    ..refused
                };
                self.tell(request, EventKind::Found(warning));
                let asked = self.ask(request, &other, &to, before).await;
                (other, asked)
            }
            (asked, _) => (way, asked),
        };
        let name = to.as_ref().map(|to| to.short().to_owned());
        match asked {
            Asked::Refused(because) => {
                let because = because.state(observer.serving());
                Err(RollbackReport::Refused { to: name, because })
            }
            Asked::Unanswered(answer) => Err(RollbackReport::Unanswered {
                call: way.call(),
                to: name,
                answer,
            }),
            asked => Ok((way, to, asked)),
        }
    }

    /// One request, and its answer as long as there is time for one. `before`: the service as it was last seen.
    async fn ask(
        &mut self,
        request: &DeployRequest,
        way: &Way,
        to: &Option<TaskDefinitionArn>,
        before: Option<&Service>,
    ) -> Asked {
        self.tell(
            request,
            EventKind::GoingBack {
                call: way.call(),
                to: to.clone(),
            },
        );
        match way {
            Way::Stop { service_deployment } => {
                match self.ports.in_time(self.ports.aws.roll_back(service_deployment)).await {
                    Some(Ok(())) => Asked::Rolling,
                    Some(Err(error)) => not_asked(error),
                    None => Asked::Unanswered(None),
                }
            }
            Way::Redeploy { to } => {
                let update = ServiceUpdate {
                    cluster: request.cluster.clone(),
                    service: request.service.clone(),
                    task_definition: to.clone(),
                    force_new_deployment: true,
                };
                match self.ports.in_time(self.ports.aws.update_service(&update)).await {
                    Some(Ok(service)) => redeploying(service),
                    Some(Err(error)) => self.ask_after(request, &update, before, error).await,
                    None => Asked::Unanswered(None),
                }
            }
        }
    }

    /// The request for a redeployment got no answer: what the service shows then is one.
    async fn ask_after(
        &mut self,
        request: &DeployRequest,
        update: &ServiceUpdate,
        before: Option<&Service>,
        error: ApiError,
    ) -> Asked {
        let Some(before) = before.filter(|_| error.kind == ApiErrorKind::Transient) else {
            return not_asked(error);
        };
        let deadline = self.ports.now() + LOOK_UP_AT_MOST;
        match self.look_up(request, update, before, deadline).await {
            LookedUp::Taken(service, id) => Asked::Redeploying(service, id),
            LookedUp::NotSeen(_) | LookedUp::Interrupted => not_asked(error),
        }
    }
}

/// What cannot be decided is said with what was seen last, and with how to look again.
fn unanswered_with_command(mut outcome: Outcome, request: &DeployRequest, survey: &Survey) -> Outcome {
    if outcome.verdict == Verdict::CouldNotObserve
        && let Some(finding) = outcome.findings.pop()
    {
        let command = observe_command(&request.cluster, &request.service, None);
        let seen = finding.evidence("last seen", words::newest(&survey.service));
        outcome.findings.push(seen.hint(format!("look again: {command}")));
    }
    outcome
}

fn redeploying(service: Service) -> Asked {
    match service.primary().map(|primary| primary.id.clone()) {
        Some(id) => Asked::Redeploying(Box::new(service), id),
        None => Asked::Unanswered(Some("the answer shows no deployment".into())),
    }
}

fn not_asked(error: ApiError) -> Asked {
    match error.kind {
        ApiErrorKind::Transient => Asked::Unanswered(Some(error.to_string())),
        _ => Asked::Refused(survey::api(error)),
    }
}

/// A deployment of what ran before is followed like any other.
fn observer_of_the_way_back(
    out: &Observer,
    before: &Snapshot,
    answer: &Service,
    deployment: DeploymentId,
    to: &TaskDefinitionArn,
    now: Moment,
) -> Observer {
    let scope = Scope {
        deployment,
        task_definition: to.clone(),
        previous: Some(out.scope().task_definition.clone()),
        bindings: [&answer.load_balancers[..], &out.scope().managed.bindings[..]].concat(),
        wait_budget: out.way_back_budget(),
        ..out.scope().clone()
    };
    let baseline = Baseline::of(before, &scope).with_answer(answer, &scope.deployment);
    Observer::new(scope, baseline, before, now)
}

fn no_way(observer: &Observer, good: Option<&TaskDefinitionArn>) -> RollbackReport {
    let ours = observer.scope().task_definition.short();
    let why = match good {
        Some(_) => format!("what ran before is {ours} as well"),
        None => "no deployment of the service was complete before this run, so nothing is known to go back to".into(),
    };
    RollbackReport::None { why }
}
