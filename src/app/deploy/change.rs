//! What a run changes in AWS: it registers a revision and updates the service, once.

use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::service::{Deployment, Service, ServiceUpdate};
use portzero_core::base::finding::Finding;
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::base::time::Moment;
use portzero_core::event::EventKind;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DeployRequest, Plan, Revision};
use portzero_core::port::{ApiResult, Clock, Interrupts, Registration, Report};
use portzero_core::rollout::Outcome;
use portzero_core::rollout::observer::read_outage::{ReadOutage, Tolerance};

use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::SeenAfter;
use crate::app::deploy::service_state::LOOK_AT_LEAST;
use crate::app::deploy::words;
use crate::app::ports::Aws;

/// How many answers, and how long apart, an UpdateService without one is looked for in: twenty seconds in all, as for any
/// answer that may be older than the update.
const RECOVERY_READS: u32 = 5;
const RECOVERY_PAUSE: Duration = Duration::from_secs(4);

/// What became of an UpdateService that got no answer.
pub(super) enum LookedUp {
    /// The deployment that it has made.
    Taken(Box<Service>, DeploymentId),
    NotSeen(Box<SeenAfter>),
    Interrupted,
}

impl<A: Aws, C: Clock, I: Interrupts, R: Report> Run<'_, A, C, I, R> {
    /// The revision that will run: registered now, or found to be the same as one that is there. Beside it, what AWS did
    /// not keep of what was registered.
    pub(super) async fn revision(&mut self, plan: &Plan) -> Result<(TaskDefinitionArn, Vec<Finding>), Outcome> {
        let (arn, registered) = match &plan.revision {
            Revision::Reuse(arn) => (arn.clone(), None),
            Revision::Register if self.ports.is_interrupted().await => {
                return Err(words::interrupted_before_its_turn(&plan.request));
            }
            Revision::Register => match self.registered(plan).await {
                Some(Ok(made)) => {
                    if made.unanswered > 0 {
                        let found = words::sent_again(&made.revision.arn);
                        self.tell(&plan.request, EventKind::Found(found));
                    }
                    (made.revision.arn, Some(made.revision.document))
                }
                Some(Err(error)) => return Err(words::not_registered(error, plan)),
                None => return Err(words::interrupted_while_registering(plan)),
            },
        };
        self.tell(
            &plan.request,
            EventKind::Revision {
                arn: arn.clone(),
                is_reused: registered.is_none(),
            },
        );
        let lost = registered.map(|answer| plan.not_kept(&answer, &arn));
        Ok((arn, lost.unwrap_or_default()))
    }

    /// RegisterTaskDefinition, sent again within the timeout; `None` where a signal comes first.
    async fn registered(&self, plan: &Plan) -> Option<ApiResult<Registration>> {
        let ends_at = self.ports.now() + plan.wait_budget().max(LOOK_AT_LEAST);
        let answer = self.ports.aws.register_task_definition(&plan.document);
        let answer = self.ports.in_time(self.ports.before(ends_at, answer)).await?;
        Some(answer.unwrap_or_else(|| Err(words::not_registered_in_time())))
    }

    /// UpdateService: its answer, and the deployment that it has made.
    pub(super) async fn update(
        &mut self,
        plan: &Plan,
        survey: &Survey,
        arn: &TaskDefinitionArn,
    ) -> Result<(Service, DeploymentId), Outcome> {
        let update = ServiceUpdate {
            cluster: plan.request.cluster.clone(),
            service: plan.request.service.clone(),
            task_definition: arn.clone(),
            force_new_deployment: plan.request.force_new_deployment,
        };
        let answer = self.ports.in_time(self.ports.aws.update_service(&update)).await;
        let (answer, id) = match answer {
            Some(Ok(answer)) => match answer.primary().map(|primary| primary.id.clone()) {
                Some(id) => (answer, id),
                None => self.recover_update(plan, &update, survey, words::no_primary()).await?,
            },
            Some(Err(error)) => self.recover_update(plan, &update, survey, error).await?,
            None => return Err(words::interrupted_while_updating(&update)),
        };
        self.tell(
            &plan.request,
            EventKind::Updated {
                deployment: id.clone(),
                before: plan.before.clone(),
                after: arn.clone(),
            },
        );
        Ok((answer, id))
    }

    /// UpdateService without a usable answer may have worked or not. It is not sent again: what the service shows decides.
    async fn recover_update(
        &mut self,
        plan: &Plan,
        update: &ServiceUpdate,
        survey: &Survey,
        error: ApiError,
    ) -> Result<(Service, DeploymentId), Outcome> {
        if error.kind != ApiErrorKind::Transient {
            return Err(words::not_updated(&error, plan, update));
        }
        let deadline = self.ports.now() + plan.wait_budget();
        let is_ours_alone = plan.revision == Revision::Register;
        match self.look_up(&plan.request, update, &survey.service, deadline).await {
            LookedUp::Taken(service, id) => {
                let found = words::taken_without_an_answer(&error, update, &id, is_ours_alone);
                self.tell(&plan.request, EventKind::Found(found));
                Ok((*service, id))
            }
            LookedUp::Interrupted => Err(words::interrupted_while_updating(update)),
            LookedUp::NotSeen(seen) => Err(words::update_not_known(&error, plan, update, &seen)),
        }
    }

    /// Reads the service until it shows what an UpdateService without an answer asked for, or does not for long enough.
    /// Reads that fail are tolerated like those of a rollout.
    pub(super) async fn look_up(
        &mut self,
        request: &DeployRequest,
        update: &ServiceUpdate,
        before: &Service,
        deadline: Moment,
    ) -> LookedUp {
        let mut seen = SeenAfter::default();
        let mut outage: Option<ReadOutage> = None;
        loop {
            let names = std::slice::from_ref(&update.service);
            let read = self.ports.aws.describe_services(&update.cluster, names);
            let now = self.ports.now();
            match self
                .ports
                .in_time(self.ports.before(deadline.max(now + LOOK_AT_LEAST), read))
                .await
            {
                Some(Some(Ok(described))) => {
                    outage = None;
                    let service = described.services.into_iter().next();
                    let made = service.as_ref().and_then(|shown| made_since(shown, update, before));
                    if let (Some(shown), Some(id)) = (&service, made) {
                        return LookedUp::Taken(Box::new(shown.clone()), id);
                    }
                    seen.note(service, self.ports.now());
                    // The first answers may be older than the update.
                    if seen.reads >= RECOVERY_READS {
                        return LookedUp::NotSeen(Box::new(seen));
                    }
                }
                Some(Some(Err(error))) => {
                    let now = self.ports.now();
                    let told = outage
                        .get_or_insert_with(|| ReadOutage::begin(now))
                        .tolerate(&error, now, deadline);
                    seen.error = Some(error);
                    match told {
                        Tolerance::Silently => {}
                        Tolerance::Telling(told) => self.tell(request, EventKind::Rollout(told)),
                        Tolerance::NoLonger => return LookedUp::NotSeen(Box::new(seen)),
                    }
                }
                Some(None) => return LookedUp::NotSeen(Box::new(seen)),
                None => return LookedUp::Interrupted,
            }
            if self.ports.is_interrupted().await {
                return LookedUp::Interrupted;
            }
            self.pause_until(self.ports.now() + RECOVERY_PAUSE).await;
        }
    }
}

/// The deployment that is new since then and of the revision that was asked for: the newest one, before those that it has
/// replaced already.
fn made_since(service: &Service, update: &ServiceUpdate, before: &Service) -> Option<DeploymentId> {
    let is_new = |deployment: &&Deployment| {
        deployment.task_definition == update.task_definition && before.deployment(&deployment.id).is_none()
    };
    let primary = service.primary().filter(is_new);
    let found = primary.or_else(|| service.deployments.iter().find(is_new))?;
    Some(found.id.clone())
}
