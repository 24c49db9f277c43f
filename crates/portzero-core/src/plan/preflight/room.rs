//! Room for new tasks on the instances that are there.

use crate::base::finding::{Code, Finding};
use crate::plan::forecast::{Basis, Forecast};
use crate::plan::needs::needs;
use crate::rollout::cause::placement;
use crate::rollout::view::limits::Limits;

/// A warning where ECS can start no new task on the instances that are there, and may not stop enough old ones for it. A
/// capacity provider may add instances, so of its services nothing is said.
pub fn room(basis: &Basis<'_>, forecast: &Forecast) -> Option<Finding> {
    let service = basis.service;
    if !forecast.is_without_room || service.has_capacity_providers {
        return None;
    }
    let needs = needs(basis.document?);
    let rows = placement::shortage(&needs, basis.capacity?);
    let is_port = rows.iter().all(|(label, _)| label.as_str() == "port") && !rows.is_empty();
    let code = if is_port { Code::PortInUse } else { Code::NoCapacity };
    let limits = Limits::of(service, service.desired_count);
    let summary = format!(
        "`{}` can have no new task beside its old ones: no container instance of cluster `{}` has room for it",
        service.name, service.cluster
    );
    let mut finding = Finding::warning(code, summary);
    finding.evidence.extend(rows);
    finding.evidence.extend(limits.sums());
    let stop_first = "let ECS stop an old task first, with a lower minimum healthy percent";
    Some(if is_port {
        finding
            .hint("let ECS pick the host port (--dynamic-ports all), so that old and new tasks share an instance")
            .hint(format!("or add a container instance, or {stop_first}"))
    } else {
        finding
            .hint("add a container instance, or lower what the task reserves")
            .hint(format!("or {stop_first}"))
    })
}
