//! The join task -> container instance or network interface -> place in a target group.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::aws_model::service::{Balancer, LoadBalancerBinding};
use crate::aws_model::target::{IpAddressType, TargetType};
use crate::aws_model::task::{Task, TaskStatus};
use crate::base::id::{TargetGroupArn, TargetKey};
use crate::rollout::scope::Scope;
use crate::rollout::view::snapshot::{Place, Snapshot};

/// Where `task` is (or was) registered. `None`: it cannot be known, for its address, its port or its instance is not shown
/// (yet).
pub(crate) fn places(task: &Task, snapshot: &Snapshot, scope: &Scope) -> Option<BTreeSet<Place>> {
    let mut places = BTreeSet::new();
    for binding in scope.bindings.iter().filter(|b| scope.is_watched(b)) {
        let mut known = Vec::new();
        for group in std::iter::once(binding.group()).chain(binding.alternate.clone()) {
            if let Some(key) = key(task, binding, &group, snapshot, scope) {
                known.push((group, key));
            }
        }
        places.extend(match &binding.alternate {
            Some(alternate) => of_two(&[binding.group(), alternate.clone()], known, task, snapshot, scope)?,
            None => vec![known.pop()?],
        });
    }
    Some(places)
}

/// Which of a load balancer's two target groups a task is in. For ours the service revision says so; otherwise it is
/// where a target stands: one at which new connections may arrive, before one that only drains (an earlier task of the
/// same instance and port may have left that).
fn of_two(
    both: &[TargetGroupArn; 2],
    known: Vec<Place>,
    task: &Task,
    snapshot: &Snapshot,
    scope: &Scope,
) -> Option<Vec<Place>> {
    let is_ours = task.started_by.as_ref() == Some(&scope.deployment);
    let resolved = snapshot.revision.as_ref().filter(|_| is_ours);
    if let Some(own) = resolved.and_then(|r| both.iter().find(|group| r.target_groups.contains(group))) {
        return Some(vec![known.into_iter().find(|(group, _)| group == own)?]);
    }
    let row = |(group, key): &Place| snapshot.targets.get(group)?.iter().find(|row| row.key == *key);
    let listed: Vec<&Place> = known.iter().filter(|place| row(place).is_some()).collect();
    let is_draining = |place: &&Place| row(place).is_some_and(|row| row.state.is_draining());
    let (draining, serving): (Vec<_>, Vec<_>) = listed.into_iter().partition(|place| is_draining(place));
    let found = if serving.is_empty() { draining } else { serving };
    match found.as_slice() {
        [] => Some(vec![known.first()?.clone()]),
        // Of ours exactly one is waited for; of others whatever is there has to go.
        [first, ..] if is_ours => Some(vec![(*first).clone()]),
        all => Some(all.iter().map(|place| (*place).clone()).collect()),
    }
}

/// Whether a load balancer of addresses is waited for, and none is shown that one of its groups takes.
pub(crate) fn lacks_address(task: &Task, scope: &Scope) -> bool {
    let mut bindings = scope.bindings.iter().filter(|binding| scope.is_watched(binding));
    bindings.any(|binding| {
        let mut groups = std::iter::once(binding.group()).chain(binding.alternate.clone());
        groups.all(|group| {
            let described = scope.target_groups.get(&group);
            let family = described.and_then(|group| group.ip_address_type.as_ref());
            let is_of_addresses = described.is_some_and(|group| group.target_type == TargetType::Ip);
            is_of_addresses && !task.addresses().any(|address| is_of(family, address))
        })
    })
}

/// Which task stands behind which place, for the story. One that has stopped may have left its place to another one, and
/// an old one that is about to stop to a new one.
pub(crate) fn owners(snapshot: &Snapshot, scope: &Scope) -> BTreeMap<Place, String> {
    let mut owners = BTreeMap::new();
    let mut tasks: Vec<&Task> = snapshot.tasks.iter().collect();
    // The last one wins; lists come in any order.
    let is_ours = |task: &Task| task.started_by.as_ref() == Some(&scope.deployment);
    tasks.sort_by_key(|task| (!task.is_stopped(), is_ours(task), &task.arn));
    for task in tasks {
        for place in places(task, snapshot, scope).into_iter().flatten() {
            owners.insert(place, task.arn.short().to_owned());
        }
    }
    owners
}

/// Where a task of another deployment is still to be waited for. A task that has stopped leaves its place to whoever
/// comes next, another service in a shared target group for example: it counts only while the target there drains.
pub(crate) fn old_places(task: &Task, snapshot: &Snapshot, scope: &Scope) -> BTreeSet<Place> {
    let mut places = places(task, snapshot, scope).unwrap_or_default();
    if task.is_stopped() {
        places.retain(|(group, key)| {
            let rows = snapshot.targets.get(group).into_iter().flatten();
            rows.into_iter().any(|row| row.key == *key && row.state.is_draining())
        });
    }
    places
}

fn key(
    task: &Task,
    binding: &LoadBalancerBinding,
    group: &TargetGroupArn,
    snapshot: &Snapshot,
    scope: &Scope,
) -> Option<TargetKey> {
    let described = scope.target_groups.get(group);
    let kind = described.map(|group| &group.target_type);
    if kind == Some(&TargetType::Ip) || (kind.is_none() && task.addresses().next().is_some()) {
        let family = described.and_then(|group| group.ip_address_type.as_ref());
        let own = task.addresses().filter(|address| is_of(family, address));
        let keys: Vec<TargetKey> = own
            .map(|address| TargetKey::new(address.clone(), binding.container_port))
            .collect();
        let rows = snapshot.targets.get(group);
        let is_listed = |key: &&TargetKey| rows.into_iter().flatten().any(|row| row.key == **key);
        return keys.iter().find(is_listed).or(keys.first()).cloned();
    }
    let container = task.container(&binding.container_name)?;
    let instance = snapshot.instances.as_ref()?.get(task.container_instance.as_ref()?)?;
    if matches!(binding.balancer, Balancer::Classic(_)) {
        return Some(TargetKey::new(instance.ec2_instance_id.clone()?, 0));
    }
    let port = match container
        .network_bindings
        .iter()
        .find(|b| b.container_port == binding.container_port)
    {
        Some(bound) => bound.host_port,
        // In host mode the port is known beforehand; whose target stands there before the task runs is another's.
        None if scope.is_host_network && has_begun(task) => binding.container_port,
        None => return None,
    };
    Some(TargetKey::new(instance.ec2_instance_id.clone()?, port))
}

/// Whether a group of that type takes the address; one whose type is not known may take any.
fn is_of(family: Option<&IpAddressType>, address: &str) -> bool {
    match family {
        Some(IpAddressType::Ipv4) => address.parse::<Ipv4Addr>().is_ok(),
        Some(IpAddressType::Ipv6) => address.parse::<Ipv6Addr>().is_ok(),
        Some(IpAddressType::Unknown(_)) | None => true,
    }
}

fn has_begun(task: &Task) -> bool {
    !matches!(task.last_status, TaskStatus::Provisioning | TaskStatus::Pending)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aws_model::service::ServiceRevision;
    use crate::aws_model::target::{TargetGroup, TargetHealth, TargetState};
    use crate::aws_model::task::{Container, ContainerInstance};

    const IP: &str = "10.0.0.7";

    fn scope() -> Scope {
        Scope {
            bindings: vec![LoadBalancerBinding {
                balancer: Balancer::TargetGroup("blue".into()),
                alternate: Some("green".into()),
                ..LoadBalancerBinding::plain()
            }],
            wait_budget: Duration::ZERO,
            ..Scope::plain()
        }
    }

    fn task(started_by: &str) -> Task {
        Task {
            arn: "task/t".into(),
            started_by: Some(started_by.into()),
            containers: vec![Container::at(IP)],
            ..Task::plain()
        }
    }

    /// The groups in which the task's address is listed, with its state there.
    fn snapshot(rows: &[(&str, TargetState)]) -> Snapshot {
        let targets = rows.iter().map(|(group, state)| {
            let row = TargetHealth::plain(IP, state.clone());
            (TargetGroupArn::from(*group), vec![row])
        });
        Snapshot {
            targets: targets.collect(),
            ..Snapshot::default()
        }
    }

    fn groups(started_by: &str, snapshot: &Snapshot) -> Vec<String> {
        let places = places(&task(started_by), snapshot, &scope()).expect("an address");
        places.into_iter().map(|(group, _)| group.to_string()).collect()
    }

    #[test]
    fn a_new_task_is_where_its_revision_says_even_before_it_is_registered() {
        let mut shown = snapshot(&[("blue", TargetState::Healthy)]);
        shown.revision = Some(ServiceRevision {
            arn: "service-revision/2".into(),
            target_groups: vec!["green".into()],
            ..ServiceRevision::default()
        });
        assert_eq!(groups("ecs-svc/2", &shown), ["green"]);
        // It speaks for the new deployment only.
        assert_eq!(groups("ecs-svc/1", &shown), ["blue"]);
    }

    #[test]
    fn without_a_revision_a_task_is_where_its_target_stands() {
        let shown = snapshot(&[("green", TargetState::Initial)]);
        assert_eq!(groups("ecs-svc/2", &shown), ["green"]);
        assert_eq!(groups("ecs-svc/2", &snapshot(&[])), ["blue"]);
        // What an earlier task left to drain at the same address is not the new one's.
        let left = snapshot(&[("blue", TargetState::Draining), ("green", TargetState::Initial)]);
        assert_eq!(groups("ecs-svc/2", &left), ["green"]);
    }
    #[test]
    fn a_place_is_waited_for_in_one_group_if_ours_and_in_each_if_old() {
        let both = snapshot(&[("blue", TargetState::Healthy), ("green", TargetState::Healthy)]);
        assert_eq!(groups("ecs-svc/2", &both), ["blue"]);
        assert_eq!(groups("ecs-svc/1", &both), ["blue", "green"]);
    }

    #[test]
    fn an_address_that_is_handed_on_belongs_to_who_has_it_now() {
        let mut shown = snapshot(&[("blue", TargetState::Healthy)]);
        let named = |started_by: &str, arn: &str| Task {
            arn: arn.into(),
            ..task(started_by)
        };
        let owner = |tasks: [Task; 2]| {
            let mut shown = shown.clone();
            shown.tasks = tasks.to_vec();
            owners(&shown, &scope()).into_values().collect::<Vec<_>>()
        };
        let (new, old) = (named("ecs-svc/2", "task/a"), named("ecs-svc/1", "task/b"));
        assert_eq!(
            owner([new.clone(), old.clone()]),
            ["a"],
            "an old one may be about to stop"
        );
        let ended = Task {
            last_status: TaskStatus::Stopped,
            ..new
        };
        assert_eq!(owner([old, ended]), ["b"]);
        // A task that has stopped is waited for at its own address, and only while that drains.
        let gone = Task {
            last_status: TaskStatus::Stopped,
            ..task("ecs-svc/1")
        };
        assert_eq!(old_places(&gone, &shown, &scope()), BTreeSet::new());
        let row = |ip: &str, state| TargetHealth::plain(ip, state);
        let others = vec![row(IP, TargetState::Healthy), row("10.0.0.8", TargetState::Draining)];
        shown.targets.insert("blue".into(), others);
        assert_eq!(old_places(&gone, &shown, &scope()), BTreeSet::new());
        shown
            .targets
            .insert("blue".into(), vec![row(IP, TargetState::Draining)]);
        assert_eq!(old_places(&gone, &shown, &scope()).len(), 1);
    }

    /// One group of addresses, of that kind.
    fn scope_of(kind: Option<IpAddressType>) -> Scope {
        let group = TargetGroup {
            arn: "targetgroup/web/1".into(),
            target_type: TargetType::Ip,
            ip_address_type: kind,
            ..TargetGroup::plain()
        };
        Scope {
            bindings: vec![LoadBalancerBinding::plain()],
            target_groups: BTreeMap::from([(group.arn.clone(), group)]),
            ..Scope::plain()
        }
    }

    #[test]
    fn t04_a_task_of_two_stacks_is_where_its_group_can_have_it() {
        const V6: &str = "2600:1f18:3aa:1000::7";
        let mut task = task("ecs-svc/2");
        task.containers[0].addresses.push(V6.into());
        let id = |task: &Task, kind: Option<IpAddressType>, rows: &[&str]| {
            let rows = rows
                .iter()
                .map(|ip| TargetHealth::plain(ip, TargetState::Healthy))
                .collect();
            let shown = Snapshot {
                targets: BTreeMap::from([("targetgroup/web/1".into(), rows)]),
                ..Snapshot::default()
            };
            let places = places(task, &shown, &scope_of(kind))?;
            places.into_iter().next().map(|(_, key)| key.id)
        };
        let id_of = |kind, rows: &[&str]| id(&task, kind, rows);
        assert_eq!(id_of(Some(IpAddressType::Ipv4), &[]).as_deref(), Some(IP));
        assert_eq!(id_of(Some(IpAddressType::Ipv6), &[]).as_deref(), Some(V6));
        // Where the group does not say what it takes, what it lists does.
        assert_eq!(id_of(None, &[V6]).as_deref(), Some(V6));
        assert_eq!(id_of(None, &[IP]).as_deref(), Some(IP));
        let alone = task_with_only_ipv4();
        assert_eq!(
            id(&alone, Some(IpAddressType::Ipv6), &[IP]),
            None,
            "its address is not known"
        );
    }

    fn task_with_only_ipv4() -> Task {
        task("ecs-svc/2")
    }

    #[test]
    fn t22_an_address_is_known_from_the_attachment_alone() {
        let mut task = task("ecs-svc/2");
        task.containers[0].addresses.clear();
        let shown = snapshot(&[]);
        assert_eq!(places(&task, &shown, &scope_of(Some(IpAddressType::Ipv4))), None);
        task.attached_addresses = vec![IP.into()];
        let there = places(&task, &shown, &scope_of(Some(IpAddressType::Ipv4))).expect("an address");
        assert_eq!(there.into_iter().next().map(|(_, key)| key.id).as_deref(), Some(IP));
    }

    #[test]
    fn a_port_that_is_not_shown_is_known_in_host_mode_alone() {
        let home = ContainerInstance::plain();
        let mut shown = snapshot(&[]);
        shown.instances = Some(BTreeMap::from([(home.arn.clone(), home)]));
        let mut task = task("ecs-svc/2");
        task.container_instance = Some("container-instance/1".into());
        task.containers[0].addresses.clear();
        assert_eq!(places(&task, &shown, &scope()), None);
        let scope = Scope {
            is_host_network: true,
            ..scope()
        };
        let place = (TargetGroupArn::from("blue"), TargetKey::new("i-1", 80));
        let there = Some(BTreeSet::from([place]));
        assert_eq!(places(&task, &shown, &scope), there);
        task.last_status = TaskStatus::Activating;
        assert_eq!(places(&task, &shown, &scope), there);
        // Until it runs, the port may be an old task's.
        for status in [TaskStatus::Provisioning, TaskStatus::Pending] {
            task.last_status = status;
            assert_eq!(places(&task, &shown, &scope), None, "{:?}", task.last_status);
        }
    }
}
