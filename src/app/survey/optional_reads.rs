//! The reads of a poll that a verdict can do without. One that fails makes the poll no failure, except where it is needed to
//! tell the targets apart. No verdict rests on such a poll until the read is answered or given up.

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::aws_model::service::ServiceDeployment;
use portzero_core::base::time::Moment;
use portzero_core::port::{ApiErrorKind, ApiResult, Ecs};

use crate::app::survey::optional::{Miss, Patience};
use crate::app::survey::poller::{Poller, ServicePoll, by_cluster};

/// The most that one call takes; source: ECS API reference, 2026.
const DEPLOYMENTS_MAX: usize = 20;

impl ServicePoll<'_> {
    /// An optional read has failed.
    fn miss(&mut self, miss: Miss, error: ApiError) {
        match miss {
            Miss::GivenUp => self.given_up.push(error),
            // Whoever asks for the survey tries again.
            Miss::MayPass if self.watch.patience == Patience::Survey => self.fail(&error),
            Miss::MayPass => self.lacks_something = true,
            Miss::OfEveryRead => self.fail(&error),
        }
    }
}

impl Poller {
    pub(super) async fn service_deployments<A: Ecs>(&mut self, aws: &A, now: Moment, eyes: &mut [ServicePoll<'_>]) {
        let mut known = Vec::new();
        for (i, eye) in eyes.iter_mut().enumerate() {
            let Some(ours) = eye.watch.ours.as_ref().filter(|_| eye.error.is_none()) else {
                continue;
            };
            let memory = self.services.entry(eye.key.clone()).or_default();
            let is_wanted = eye.watch.wants_everything || memory.wants_deployment(now);
            if memory.deployment_read.is_given_up || !is_wanted {
                continue;
            }
            match memory.deployment.value.as_ref().map(|found| found.arn.clone()) {
                Some(arn) => known.push((i, arn)),
                None => {
                    let listed = aws.service_deployments(&eye.key.0, &eye.key.1).await;
                    let found = listed.map(|all| all.into_iter().find(|d| d.deployment_id().as_ref() == Some(ours)));
                    self.take_deployment(eye, found, now);
                }
            }
        }
        for batch in known.chunks(DEPLOYMENTS_MAX) {
            self.describe_deployments(aws, now, batch, eyes).await;
        }
    }

    async fn describe_deployments<A: Ecs>(
        &mut self,
        aws: &A,
        now: Moment,
        batch: &[(usize, String)],
        eyes: &mut [ServicePoll<'_>],
    ) {
        let arns: Vec<String> = batch.iter().map(|(_, arn)| arn.clone()).collect();
        match aws.describe_service_deployments(&arns).await {
            Ok(described) => {
                for (i, arn) in batch {
                    let found = described.iter().find(|d| d.arn == *arn).cloned();
                    self.take_deployment(&mut eyes[*i], Ok(found), now);
                }
            }
            // A policy may allow some of them, and a stand-in may know some: one that is not must not hide the others.
            Err(error) if !error.is_passing() && batch.len() > 1 => {
                for one in batch.chunks(1) {
                    Box::pin(self.describe_deployments(aws, now, one, eyes)).await;
                }
            }
            Err(error) => {
                for (i, _) in batch {
                    self.take_deployment(&mut eyes[*i], Err(error.clone()), now);
                }
            }
        }
    }

    fn take_deployment(&mut self, eye: &mut ServicePoll<'_>, found: ApiResult<Option<ServiceDeployment>>, now: Moment) {
        let memory = self.services.entry(eye.key.clone()).or_default();
        let error = match found {
            Ok(found) => {
                memory.deployment_read.answered();
                return memory.deployment.set(found, now);
            }
            Err(error) => error,
        };
        let miss = memory.deployment_read.miss(&error, eye.watch.patience);
        match miss {
            Miss::GivenUp => memory.deployment.value = None,
            // What is remembered is not fresh, so no verdict rests on it, and what else was read is worth knowing.
            Miss::MayPass | Miss::OfEveryRead => self.note(&error),
        }
        eye.miss(miss, error);
    }

    pub(super) async fn instances<A: Ecs>(&mut self, aws: &A, now: Moment, eyes: &mut [ServicePoll<'_>]) {
        for (cluster, places) in by_cluster(eyes) {
            let places: Vec<usize> = places.into_iter().filter(|&i| eyes[i].error.is_none()).collect();
            let Some(patience) = places.first().map(|&i| eyes[i].watch.patience) else {
                continue;
            };
            let instances = self.instances.entry(cluster.clone()).or_default();
            let tasks = |i: &usize| {
                let memory = self.services.get(&eyes[*i].key).into_iter();
                memory.flat_map(|memory| memory.tasks.value.values())
            };
            let wanted = places.iter().flat_map(tasks);
            if let Err(error) = instances.learn(aws, &cluster, (now, patience), wanted).await {
                self.is_throttled |= error.kind == ApiErrorKind::Throttled;
                for &i in &places {
                    let memory = self.services.get(&eyes[i].key);
                    let mut tasks = memory.into_iter().flat_map(|m| m.tasks.value.values());
                    // A target that cannot be told from its task is not one that is not healthy: better no poll than that.
                    if tasks.any(|task| instances.lacks(task)) {
                        eyes[i].fail(&error);
                    }
                }
            }
            for &i in &places {
                eyes[i].given_up.extend(instances.given_up.clone());
            }
            let wanting: Vec<usize> = places.into_iter().filter(|&i| eyes[i].watch.wants_capacity).collect();
            if wanting.is_empty() {
                continue;
            }
            let capacity = instances.capacity(aws, &cluster, patience).await;
            for i in wanting {
                match &capacity {
                    Ok(capacity) => eyes[i].capacity.clone_from(capacity),
                    // It is wanted for the words on a failure, and who may read instances at all may do this.
                    Err((Miss::GivenUp, error)) if error.kind == ApiErrorKind::Denied => {}
                    Err((miss, error)) => eyes[i].miss(*miss, error.clone()),
                }
            }
        }
    }
}
