//! The service and what surrounds it, as a plan finds them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws_model::api_error::{ApiError, ApiErrorKind};
use crate::aws_model::failed_call;
use crate::aws_model::service::Service;
use crate::aws_model::target::{Address, Routing, TargetGroup};
use crate::base::finding::{Code, Finding};
use crate::base::id::{TargetGroupArn, TaskDefinitionArn};
use crate::base::time::Moment;
use crate::policy::Obstacle;
use crate::rollout::{Neighbour, Snapshot};

/// The service and its surroundings as they are before anything is changed.
#[derive(Clone, Debug)]
pub struct Survey {
    /// When it was read.
    pub at: Moment,
    /// The service itself.
    pub service: Service,
    /// The revision that the service points to, as AWS holds it.
    pub running: Option<(TaskDefinitionArn, Value)>,
    /// The target groups of the service, with their settings.
    pub target_groups: BTreeMap<TargetGroupArn, TargetGroup>,
    /// Tasks, targets and instances: what the observer begins with.
    pub snapshot: Snapshot,
    /// Optional reads that are done without: denied, not known to the endpoint, or without a usable answer for too long.
    pub not_checked: Vec<ApiError>,
    /// Where the service is reached, as far as the load balancers tell.
    pub address: Option<Address>,
    /// Where the load balancers send the requests.
    pub routing: Option<Routing>,
    /// Why it is not known what ECS manages of the ingress.
    pub ways_refusal: Option<ApiError>,
    /// Why the load balancers were not asked to the end.
    pub routing_refusal: Option<ApiError>,
}

impl Survey {
    /// What is in the way of another deployment, and what can look at that again.
    pub fn obstacle(&self, is_host_network: bool) -> (Neighbour, Option<Obstacle>) {
        let mut neighbour = Neighbour::of(&self.target_groups, is_host_network);
        let obstacle = Obstacle::of(&self.snapshot, &mut neighbour, self.at);
        (neighbour, obstacle)
    }
}

/// `not checked: X`, for an optional read that is done without.
pub fn not_checked(error: &ApiError) -> Finding {
    let answer = failed_call::answer(error);
    if error.kind != ApiErrorKind::Denied {
        return Finding::warning(Code::NotChecked, format!("not checked: {}: {answer}", error.action));
    }
    // The hint has what matters of IAM's sentence.
    Finding::warning(Code::NotChecked, format!("not checked: {}", error.action))
        .evidence("answer", error.code.clone().unwrap_or(answer))
        .with_hints(failed_call::hints(error))
}
