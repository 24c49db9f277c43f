//! What a run changes in AWS: it registers a revision and updates the service, once.

use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::service::{Service, ServiceUpdate};
use portzero_core::base::finding::Finding;
use portzero_core::base::id::{DeploymentId, TaskDefinitionArn};
use portzero_core::event::EventKind;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{Plan, Revision};
use portzero_core::port::{Clock, Interrupts, Report};
use portzero_core::rollout::{Outcome, Verdict};

use crate::app::deploy::run::Run;
use crate::app::deploy::words;
use crate::app::ports::Aws;

/// How often, and how long apart, the service is read again after an UpdateService without an answer: twenty seconds in
/// all, as for any answer that may be older than the update.
const RECOVERY_READS: u32 = 5;
const RECOVERY_PAUSE: Duration = Duration::from_secs(4);

/// What became of an UpdateService that got no answer.
pub(super) enum LookedUp {
    Taken(Box<Service>),
    NotSeen,
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
            Revision::Register => match self
                .ports
                .in_time(self.ports.aws.register_task_definition(&plan.document))
                .await
            {
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
        let answer = match self.ports.in_time(self.ports.aws.update_service(&update)).await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => self.recover_update(plan, &update, survey, error).await?,
            None => return Err(words::interrupted_while_updating(&update)),
        };
        let Some(id) = answer.primary().map(|primary| primary.id.clone()) else {
            return Err(Outcome::new(Verdict::CouldNotObserve, vec![words::no_primary(&update)]));
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
            match self.look_up(update, &survey.service).await {
                LookedUp::Taken(service) => return Ok(*service),
                LookedUp::Interrupted => return Err(words::interrupted_while_updating(update)),
                LookedUp::NotSeen => {}
            }
        }
        Err(words::not_updated(&error, plan, update))
    }

    /// Reads the service until it shows what an UpdateService without an answer asked for, or for long enough.
    pub(super) async fn look_up(&mut self, update: &ServiceUpdate, before: &Service) -> LookedUp {
        // The first answers may be older than the update.
        for _ in 0..RECOVERY_READS {
            if let Some(service) = self
                .ports
                .in_time(self.updated_after_all(update, before))
                .await
                .flatten()
            {
                return LookedUp::Taken(Box::new(service));
            }
            if self.ports.is_interrupted().await {
                return LookedUp::Interrupted;
            }
            self.pause_until(self.ports.now() + RECOVERY_PAUSE).await;
        }
        LookedUp::NotSeen
    }

    /// The service, if its PRIMARY is a new deployment of the revision that was asked for.
    async fn updated_after_all(&self, update: &ServiceUpdate, before: &Service) -> Option<Service> {
        let described = self
            .ports
            .aws
            .describe_services(&update.cluster, std::slice::from_ref(&update.service))
            .await;
        let service = described.ok()?.services.into_iter().next()?;
        let primary = service.primary()?;
        let is_new = primary.task_definition == update.task_definition && before.deployment(&primary.id).is_none();
        is_new.then_some(service)
    }
}
