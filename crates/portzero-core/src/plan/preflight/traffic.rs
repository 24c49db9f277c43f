//! Where the load balancers send the requests before anything is changed.

use std::collections::BTreeSet;

use crate::aws_model::service::ServiceStatus;
use crate::base::finding::{Finding, Severity};
use crate::base::id::TargetGroupArn;
use crate::plan::survey::Survey;
use crate::rollout::view::traffic::{Stray, answers, strays};
use crate::rollout::words::traffic::planned;

/// A warning, or an error where it is certain: of two groups between which ECS shifts the traffic only one answers, and
/// the production rule sends the traffic to the other one. ECS would begin to shift from there.
pub(super) fn traffic(survey: &Survey) -> Option<Finding> {
    let service = &survey.service;
    let routing = survey.routing.as_ref()?;
    if service.status != ServiceStatus::Active || service.desired_count == 0 {
        return None;
    }
    let is_answering = |group: &TargetGroupArn| {
        let rows = survey.snapshot.targets.get(group).into_iter().flatten();
        rows.into_iter().any(answers)
    };
    let mut serving = BTreeSet::new();
    // Where nothing answers at all, the deployment may be the cure: the rules are not to blame.
    let mut excused = BTreeSet::new();
    for binding in &service.load_balancers {
        let (first, other) = (binding.group(), binding.alternate.clone());
        match other {
            None => {
                serving.insert(first.clone());
                excused.insert(first);
            }
            Some(other) => match (is_answering(&first), is_answering(&other)) {
                (true, false) => drop(serving.insert(first)),
                (false, true) => drop(serving.insert(other)),
                (true, true) => {}
                (false, false) => excused.extend([first, other]),
            },
        }
    }
    let found = strays(routing, service, &serving, |group| {
        excused.contains(group) || is_answering(group)
    })?;
    if found.is_empty() {
        return None;
    }
    let is_certain = |stray: &Stray| match stray {
        Stray::Unfed { group, .. } => service.has_alternate(group),
        Stray::RuleGone { .. } => true,
        Stray::Void { .. } => false,
    };
    let severity = if found.iter().any(is_certain) {
        Severity::Error
    } else {
        Severity::Warning
    };
    Some(planned(severity, service, &found))
}
