//! Where the load balancers send the requests, with the health of what they share them with.

use std::collections::BTreeMap;

use portzero_core::aws_model::service::Service;
use portzero_core::aws_model::target::{Routing, TargetGroup};
use portzero_core::base::id::TargetGroupArn;
use portzero_core::port::{ApiErrorKind, ApiResult, LoadBalancing};
use portzero_core::rollout::view::traffic::answers;

use crate::app::survey::optional::Miss;
use crate::app::survey::poller::{Poller, ServicePoll};

/// A rule shares its requests among five target groups at most; more than these of others are not looked at.
const STRANGERS_MAX: usize = 5;

/// One round for a service: the rules of its load balancers, and the health of those that share one with it.
pub(super) async fn read<A: LoadBalancing>(
    aws: &A,
    balancers: &[String],
    own: &[TargetGroupArn],
) -> ApiResult<Routing> {
    let routing = rules(aws, balancers).await?;
    Ok(with_strangers(aws, routing, own).await)
}

async fn rules<A: LoadBalancing>(aws: &A, balancers: &[String]) -> ApiResult<Routing> {
    let read = aws.routing(balancers).await;
    read.map_err(|mut error| {
        if error.kind == ApiErrorKind::NotFound {
            error.resource = Some(balancers.join(", "));
        }
        error
    })
}

/// Whose health cannot be read is left out, and is not held against the rollout.
async fn with_strangers<A: LoadBalancing>(aws: &A, mut routing: Routing, own: &[TargetGroupArn]) -> Routing {
    for group in routing.strangers(own).into_iter().take(STRANGERS_MAX) {
        if let Ok(rows) = aws.describe_target_health(&group).await {
            routing.answers.insert(group, rows.iter().any(answers));
        }
    }
    routing
}

/// The load balancers of target groups, each once.
pub(super) fn load_balancers(groups: &[TargetGroup]) -> Vec<String> {
    let groups = groups.iter().filter(|group| group.arn.classic_name().is_none());
    let mut all: Vec<String> = groups.flat_map(|group| group.load_balancers.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

impl Poller {
    /// The rules, for those that are about to be called done. Services behind the same load balancers share a round.
    pub(super) async fn routing<A: LoadBalancing>(&mut self, aws: &A, eyes: &mut [ServicePoll<'_>]) {
        let mut read = BTreeMap::<&[String], ApiResult<Routing>>::new();
        for eye in eyes.iter_mut().filter(|eye| eye.error.is_none()) {
            let balancers = eye.watch.balancers.as_slice();
            if balancers.is_empty() || self.memory(&eye.key).routing_read.is_given_up {
                continue;
            }
            let answer = match read.get(balancers) {
                Some(answer) => answer.clone(),
                None => {
                    let answer = rules(aws, balancers).await;
                    read.insert(balancers, answer.clone());
                    answer
                }
            };
            let memory = self.memory(&eye.key);
            match answer {
                Ok(found) => {
                    memory.routing_read.answered();
                    let mut own = eye.service.as_ref().map(Service::target_groups).unwrap_or_default();
                    own.extend(eye.watch.groups.iter().cloned());
                    eye.routing = Some(with_strangers(aws, found, &own).await);
                }
                Err(error) => match memory.routing_read.miss(&error, eye.watch.patience) {
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
