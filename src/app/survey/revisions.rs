//! What our deployment was resolved to: one of two target groups, and what ECS manages of its ingress.

use portzero_core::aws_model::api_error::ApiErrorKind;
use portzero_core::aws_model::service::{RevisionReading, Service, ServiceRevision, WayStatus};
use portzero_core::port::Ecs;

use crate::app::survey::optional::{Miss, Patience};
use crate::app::survey::poller::{Poller, ServicePoll};

impl Poller {
    /// Of two target groups that a load balancer has for a service, which one is the new tasks' own; asked once. What ECS
    /// manages is asked for until it is ACTIVE, and before a success: then it may be there where it was not at the start.
    pub(super) async fn revisions<A: Ecs>(&mut self, aws: &A, eyes: &mut [ServicePoll<'_>]) {
        for eye in eyes.iter_mut().filter(|eye| eye.error.is_none()) {
            let memory = self.memory(&eye.key);
            let has_two = eye.service.as_ref().is_some_and(Service::has_alternates);
            let has_ways = |revision: &ServiceRevision| !revision.ways.is_empty();
            let is_managed = !eye.watch.managed.ways.is_empty() || memory.revision.as_ref().is_some_and(has_ways);
            let names_one = eye.service.as_ref().is_some_and(|service| service.names_revisions);
            let reading = eye.watch.managed.reading;
            let is_last_word = (names_one || reading == RevisionReading::Failed)
                && eye.watch.wants_everything
                && reading != RevisionReading::Refused
                && !memory.is_revision_read;
            let deployment = memory.deployment.value.as_ref();
            let computed = || Some(eye.service.as_ref()?.revision_arn(eye.watch.ours.as_ref()?));
            let arn = deployment.and_then(|d| d.target_revision.clone());
            let arn = arn.or_else(|| computed().filter(|_| is_managed || !has_two));
            let is_settled = memory.revision.as_ref().is_some_and(|revision| {
                let mut ways = revision.ways.iter();
                !is_managed || !eye.watch.wants_everything && ways.all(|way| way.status == WayStatus::Active)
            });
            let is_due = has_two || is_managed || is_last_word;
            let is_necessary = (is_managed || is_last_word) && eye.watch.patience != Patience::Survey;
            let is_wanted = is_due && !is_settled && !memory.revision_read.is_given_up;
            let (Some(arn), true) = (arn, is_wanted) else {
                continue;
            };
            match aws.service_revisions(std::slice::from_ref(&arn)).await {
                Ok(found) => {
                    memory.revision_read.answered();
                    memory.is_revision_read = true;
                    let mut found = found.into_iter().filter(|revision| revision.arn == arn);
                    let is_told = |r: &ServiceRevision| is_managed || !r.target_groups.is_empty();
                    memory.revision = found.find(|r| is_told(r) || !has_two && has_ways(r));
                }
                // Old deployments have none, and then nothing is managed.
                Err(error) if error.kind == ApiErrorKind::NotFound && !is_managed && !has_two => {
                    memory.is_revision_read = true;
                }
                // A route that may have failed is no matter of patience: an outage hides it, and passes.
                Err(error) if is_necessary && error.is_passing() => {
                    self.note(&error);
                    eye.fail(&error);
                }
                Err(error) => match memory.revision_read.miss(&error, eye.watch.patience) {
                    Miss::GivenUp => eye.given_up.push(error),
                    // Nothing may be concluded from its absence, as long as it may come.
                    Miss::MayPass | Miss::OfEveryRead => {
                        self.note(&error);
                        eye.fail(&error);
                    }
                },
            }
        }
    }
}
