//! The join task -> container instance or network interface -> place in a target group.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::TargetKey;
use crate::rollout::scope::Scope;
use crate::rollout::snapshot::{Place, Snapshot};
use crate::service::LoadBalancerBinding;
use crate::target::TargetType;
use crate::task::Task;

/// Where `task` is (or was) registered. `None`: it cannot be known, for its port or its instance is not shown (yet).
pub fn places(task: &Task, snapshot: &Snapshot, scope: &Scope) -> Option<BTreeSet<Place>> {
    let mut places = BTreeSet::new();
    for binding in &scope.bindings {
        if let Some(group) = binding.target_group() {
            let kind = scope.target_groups.get(group).map(|g| &g.target_type);
            places.insert((group.clone(), key(task, binding, kind, snapshot, scope)?));
        }
    }
    Some(places)
}

/// Which task stands behind which place, for the story.
pub fn owners(snapshot: &Snapshot, scope: &Scope) -> BTreeMap<Place, String> {
    let mut owners = BTreeMap::new();
    for task in &snapshot.tasks {
        for place in places(task, snapshot, scope).into_iter().flatten() {
            owners.insert(place, task.arn.short().to_owned());
        }
    }
    owners
}

/// Where a task of another deployment is still to be waited for. A task that has stopped leaves its place to whoever
/// comes next, another service in a shared target group for example: it counts only while the target there drains.
pub fn old_places(task: &Task, snapshot: &Snapshot, scope: &Scope) -> BTreeSet<Place> {
    let mut places = places(task, snapshot, scope).unwrap_or_default();
    if task.is_stopped() {
        places.retain(|(group, key)| {
            let rows = snapshot.targets.get(group).into_iter().flatten();
            rows.into_iter()
                .any(|row| row.key == *key && row.state.as_str().ends_with("draining"))
        });
    }
    places
}

fn key(
    task: &Task,
    binding: &LoadBalancerBinding,
    kind: Option<&TargetType>,
    snapshot: &Snapshot,
    scope: &Scope,
) -> Option<TargetKey> {
    let container = task.container(&binding.container_name)?;
    if kind == Some(&TargetType::Ip) || (kind.is_none() && container.private_ip.is_some()) {
        return Some(TargetKey::new(container.private_ip.clone()?, binding.container_port));
    }
    let instance = snapshot.instances.as_ref()?.get(task.container_instance.as_ref()?)?;
    let port = match container
        .network_bindings
        .iter()
        .find(|b| b.container_port == binding.container_port)
    {
        Some(bound) => bound.host_port,
        None if scope.is_host_network => binding.container_port,
        None => return None,
    };
    Some(TargetKey::new(instance.ec2_instance_id.clone()?, port))
}
