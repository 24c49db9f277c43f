//! Joins a rollout that somebody else began, and follows it to its verdict. Nothing is changed.

use std::time::Duration;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Moment;
use portzero_core::event::{Attached, EventKind};
use portzero_core::plan;
use portzero_core::plan::forecast::{Basis, Forecast};
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DeployRequest, Plan, preflight};
use portzero_core::port::{Clock, Interrupts, Report};
use portzero_core::rollout::attach::{AttachDecision, Candidate, is_at_rest};
use portzero_core::rollout::rollback::{good_before, last_good};
use portzero_core::rollout::{Baseline, Observer, Outcome, Scope, Verdict};
use portzero_core::task_definition::{Document, NetworkMode};
use serde_json::Value;

use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::words;
use crate::app::ports::Aws;
use crate::app::survey;
use crate::app::survey::Discovery;

/// What is to be followed: one service, one of its deployments or the newest.
#[derive(Clone, Debug)]
pub struct Watch {
    pub request: DeployRequest,
    pub deployment: Option<DeploymentId>,
    /// `None`: as the deployments of portzero have it, and not at all where no rollout is in flight.
    pub settle: Option<Duration>,
}

/// What was found of one service.
enum Found {
    Joined(Box<Joined>),
    Over(Outcome),
}

/// A rollout that can be followed, or an end state that can be checked.
struct Joined {
    observer: Observer,
    attached: Attached,
    not_checked: Vec<ApiError>,
}

impl<A: Aws, C: Clock, I: Interrupts, R: Report> Run<'_, A, C, I, R> {
    /// Looks once at what there is, and follows what is in flight. The wait budgets count from now.
    ///
    /// # Errors
    /// The services that cannot be followed at all, such as those that are not there. Then none is.
    pub async fn attach(&mut self, watches: Vec<Watch>) -> Result<Vec<ServiceRun>, Vec<ServiceRun>> {
        let mut sighted = Vec::new();
        for watch in watches {
            let mut run = ServiceRun::begun(watch.request.clone(), None, self.ports.now());
            let joining = self.join(&watch, &mut run);
            let found = match self.ports.unless_interrupted(joining).await {
                Some(found) => found,
                None => Found::Over(words::interrupted_before_a_look(&watch.request)),
            };
            if let Found::Over(outcome) = &found {
                run.outcome = Some(outcome.clone());
            }
            sighted.push((run, found));
        }
        let is_refused = |(run, _): &(ServiceRun, Found)| run.verdict() == Verdict::Refused;
        if sighted.iter().any(is_refused) {
            let refused = sighted.into_iter().filter(is_refused);
            return Err(refused.map(|(run, _)| run).collect());
        }
        Ok(self.follow_found(sighted).await)
    }

    /// Those that are over stay where they are; the others come back in their places.
    async fn follow_found(&mut self, sighted: Vec<(ServiceRun, Found)>) -> Vec<ServiceRun> {
        let mut runs: Vec<Option<ServiceRun>> = Vec::new();
        let mut followed = Vec::new();
        let mut at_rest = Vec::new();
        for (mut run, found) in sighted {
            match found {
                Found::Over(outcome) => {
                    self.tell(&run.request, EventKind::Ended(outcome));
                    runs.push(Some(run));
                }
                Found::Joined(joined) => {
                    for error in &joined.not_checked {
                        let found = preflight::not_checked(error);
                        run.said.push(found.clone());
                        self.tell(&run.request, EventKind::Found(found));
                    }
                    at_rest.push(
                        joined
                            .attached
                            .is_at_rest
                            .then(|| words::at_rest(joined.observer.scope())),
                    );
                    self.tell(&run.request, EventKind::Attached(joined.attached));
                    followed.push((run, joined.observer));
                    runs.push(None);
                }
            }
        }
        let mut followed = self.follow(followed).await.into_iter().zip(at_rest);
        let mut next = || {
            let (mut run, at_rest) = followed.next()?;
            if let Some(outcome) = run.outcome.as_mut().filter(|o| o.verdict == Verdict::Succeeded) {
                outcome.findings.extend(at_rest);
            }
            Some(run)
        };
        runs.into_iter().filter_map(|run| run.or_else(&mut next)).collect()
    }

    async fn join(&self, watch: &Watch, run: &mut ServiceRun) -> Found {
        let request = &watch.request;
        let place = (&request.cluster, &request.service);
        let begun = self.ports.now();
        let read = survey::sight(
            self.ports.aws,
            self.ports.clock,
            place,
            watch.deployment.as_ref(),
            request.url.is_none(),
        );
        let read = match request.timeout {
            Some(timeout) => {
                let read = self.ports.before(begun + timeout, read).await;
                read.unwrap_or_else(|| Err(words::not_read_in_time(request, timeout)))
            }
            None => read.await,
        };
        let discovery = match read {
            Ok(discovery) => discovery,
            Err(finding) => {
                let verdict = unseen(&finding);
                let is_open = verdict == Verdict::CouldNotObserve;
                let finding = if is_open {
                    words::unseen(finding, request, watch.deployment.as_ref())
                } else {
                    finding
                };
                return Found::Over(Outcome::new(verdict, vec![finding]));
            }
        };
        let survey = &discovery.survey;
        if let Some(finding) = preflight::not_followable(&survey.service, request.until) {
            return Found::Over(Outcome::new(Verdict::Refused, vec![finding]));
        }
        let address = survey.address.as_ref().filter(|address| address.is_web());
        run.request.url = request.url.clone().or_else(|| Some(address?.url()));
        match discovery.attach_evidence().candidate(watch.deployment.as_ref()) {
            Candidate::Follow(ours) => {
                claim(run, &ours);
                self.observer((watch, begun), &discovery, &ours, run).await
            }
            Candidate::Over { ours, outcome } => {
                ours.iter().for_each(|ours| claim(run, ours));
                Found::Over(outcome)
            }
        }
    }

    async fn observer(
        &self,
        (watch, begun): (&Watch, Moment),
        discovery: &Discovery,
        ours: &AttachDecision,
        run: &mut ServiceRun,
    ) -> Found {
        let (survey, attach_evidence) = (&discovery.survey, discovery.attach_evidence());
        let document = self.document(survey, ours).await;
        run.document.clone_from(&document);
        let mut scope = scope(&watch.request, survey, ours, document.as_ref());
        // What was read so far is a part of the time that was given.
        if watch.request.timeout.is_some() {
            scope.wait_budget = scope.wait_budget.saturating_sub(self.ports.now().since(begun));
        }
        let before = attach_evidence.before(&ours.deployment);
        let baseline = attach_evidence.baseline(&before, &scope);
        let mut seen = survey.snapshot.clone();
        seen.service_deployment = attach_evidence.record(&ours.deployment).cloned();
        let is_at_rest = is_at_rest(&seen, &scope, &baseline);
        if is_at_rest {
            run.before.clone_from(&run.after);
            scope.settle = watch.settle.unwrap_or_default();
        }
        let row = survey.service.deployment(&ours.deployment);
        let attached = Attached {
            deployment: ours.deployment.clone(),
            before: run.before.clone(),
            after: run.after.clone(),
            state: row.and_then(|d| d.rollout_state.clone()),
            created_at: row.and_then(|d| d.created_at),
            is_at_rest,
            wait_budget: scope.wait_budget,
        };
        Found::Joined(Box::new(Joined {
            observer: Observer::new(scope, baseline, &before, self.ports.now())
                .polling_every(watch.request.poll_interval),
            attached,
            not_checked: survey.not_checked.clone(),
        }))
    }

    /// The task definition of what is followed. What a task needs is wanted for the words on a failure only.
    async fn document(&self, survey: &Survey, ours: &AttachDecision) -> Option<Value> {
        let arn = ours.task_definition.as_ref()?;
        match &survey.running {
            Some((running, document)) if running == arn => Some(document.clone()),
            _ => {
                let registered = self.ports.aws.describe_task_definition(arn.as_str()).await;
                registered.ok().map(|registered| registered.document)
            }
        }
    }
}

fn claim(run: &mut ServiceRun, ours: &AttachDecision) {
    run.deployment = Some(ours.deployment.clone());
    run.before.clone_from(&ours.previous);
    run.after.clone_from(&ours.task_definition);
}

/// The scope of a deployment that was found. `document`: its task definition, where it may be read.
pub fn scope(request: &DeployRequest, survey: &Survey, ours: &AttachDecision, document: Option<&Value>) -> Scope {
    let network = document.map(|d| Document::from_value(d.clone(), "").network_mode());
    let forecast = Forecast::of(&Basis::of(survey, None));
    Scope {
        cluster: request.cluster.clone(),
        service: request.service.clone(),
        deployment: ours.deployment.clone(),
        task_definition: ours
            .task_definition
            .clone()
            .unwrap_or_else(|| TaskDefinitionArn::from("(a revision that is not shown)")),
        previous: ours.previous.clone(),
        good: ours.good.clone(),
        bindings: survey.service.load_balancers.clone(),
        managed: survey.service.managed.clone(),
        target_groups: survey.target_groups.clone(),
        is_host_network: network == Some(NetworkMode::Host),
        needs: document.map(plan::needs).unwrap_or_default(),
        until: request.until,
        settle: request.settle,
        wait_budget: request
            .timeout
            .unwrap_or_else(|| forecast.wait_budget(request.until, request.settle)),
    }
}

/// As if this run had made the PRIMARY deployment. `None`: there is none.
pub(super) fn observer_of_primary(plan: &Plan, survey: &Survey, now: Moment) -> Option<Observer> {
    let service = &survey.service;
    let primary = service.primary()?;
    let scope = Scope {
        cluster: plan.request.cluster.clone(),
        service: plan.request.service.clone(),
        deployment: primary.id.clone(),
        task_definition: primary.task_definition.clone(),
        previous: last_good(service),
        good: good_before(service, &primary.id),
        bindings: service.load_balancers.clone(),
        managed: service.managed.clone(),
        target_groups: plan.target_groups.clone(),
        is_host_network: plan.is_host_network,
        needs: plan.needs.clone(),
        until: plan.request.until,
        settle: plan.request.settle,
        wait_budget: plan.wait_budget(),
    };
    let mut before = survey.snapshot.clone();
    before
        .tasks
        .retain(|task| task.started_by.as_ref() != Some(&primary.id));
    let baseline = Baseline::of(&before, &scope).with_answer(service, &primary.id);
    Some(Observer::new(scope, baseline, &before, now).polling_every(plan.request.poll_interval))
}

/// The verdict where a service could not be looked at. A name that is not there is refused; a read that fails leaves
/// everything open.
pub fn unseen(finding: &Finding) -> Verdict {
    match finding.code {
        Code::ClusterMissing | Code::ServiceMissing => Verdict::Refused,
        _ => Verdict::CouldNotObserve,
    }
}
