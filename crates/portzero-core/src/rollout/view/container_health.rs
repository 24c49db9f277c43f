//! Container health checks: what tasks say of themselves, besides what a load balancer says of them.

use crate::aws_model::task::HealthStatus;
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::waiting::WaitingOn;

/// What is missing where the definition has a container health check: every wanted task must call itself HEALTHY.
pub(crate) fn waiting_on(view: &View, scope: &Scope) -> Option<WaitingOn> {
    let healthy = healthy(view, scope)?;
    (healthy < view.desired).then_some(WaitingOn::ContainerChecks {
        healthy,
        desired: view.desired,
    })
}

/// How many tasks pass their own check; `None` where no essential container has one, for the health of a task is that
/// of its essential containers.
pub(crate) fn healthy(view: &View, scope: &Scope) -> Option<u32> {
    let mut containers = scope.needs.containers.iter();
    containers.find(|facts| facts.is_essential && facts.health_check.is_some())?;
    let tasks = view.new_tasks.values();
    let passing = tasks
        .filter(|task| task.health_status == Some(HealthStatus::Healthy))
        .count();
    u32::try_from(passing).ok()
}
