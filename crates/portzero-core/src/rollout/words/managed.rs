//! The ways to a service that ECS manages, in words.

use crate::aws_model::service::ManagedWay;
use crate::base::finding::{Code, Finding, Severity};
use crate::base::id::TargetGroupArn;
use crate::base::text::shell;
use crate::rollout::scope::Scope;
use crate::rollout::words::last_look::LastLook;

/// ECS could not make the way to the new revision.
pub(crate) fn failed(scope: &Scope, way: &ManagedWay, look: &LastLook) -> Finding {
    let summary = format!(
        "{} sends no requests to {}: its {} is {}",
        way.name(),
        scope.task_definition.short(),
        way.what(),
        way.status
    );
    let finding = explained(Finding::error(Code::RouteFailed, summary), way);
    let finding = finding.evidence("new", format!("{} {}", scope.task_definition.short(), look.progress()));
    let finding = finding.state(format!(
        "{}; ECS goes on with the deployment of {}, and no request comes to it through {}",
        look.serving_line(),
        scope.task_definition.short(),
        way.name()
    ));
    match &way.gateway {
        Some(arn) => finding.hint(format!(
            "see what failed: `aws ecs describe-gateway --gateway {}`",
            shell(arn)
        )),
        None => finding,
    }
}

/// The same of what runs, before anything is changed: the deployment may be the cure.
pub(crate) fn failed_before(service: &str, way: &ManagedWay) -> Finding {
    let summary = format!(
        "{} sends no requests to `{service}`: its {} is {}",
        way.name(),
        way.what(),
        way.status
    );
    explained(Finding::new(Code::RouteFailed, Severity::Warning, summary), way)
}

/// A target group that was not there when the service was read.
pub(crate) fn not_followed(service: &str, group: &TargetGroupArn) -> Finding {
    Finding::warning(
        Code::NotChecked,
        format!(
            "not checked: the health of targets in target group `{}`, which ECS has made for `{service}` in this \
             deployment",
            group.name()
        ),
    )
}

fn explained(finding: Finding, way: &ManagedWay) -> Finding {
    let finding = match &way.status_reason {
        Some(reason) => finding.evidence("reason", reason.clone()),
        None => finding,
    };
    match &way.address {
        Some(address) => finding.evidence("address", address.clone()),
        None => finding,
    }
}
