//! ECS's word that it cannot place a task. Only events say so, but what follows from it is checked against numbers.

use crate::rollout::scope::Needs;
use crate::service::ServiceEvent;
use crate::task::ContainerInstance;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementTrouble {
    /// ECS's own words.
    pub message: String,
    pub lack: Lack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Port,
    Cpu,
    Memory,
    /// AWS's own capacity or a quota of the account: no container instance is to blame.
    Aws,
    Other,
}

/// Reads a service event; `None` where it is about something else.
pub fn read(event: &ServiceEvent) -> Option<PlacementTrouble> {
    let message = &event.message;
    let is_placement = message.contains("was unable to place a task because")
        || message.contains("was unable to place a task. Reason: You")
        || message.contains("was unable to place a task. Reason: Capacity is unavailable");
    if !is_placement {
        return None;
    }
    let lack = if message.contains("Reason: You") || message.contains("Capacity is unavailable") {
        Lack::Aws
    } else if message.contains("already using a port required by your task") {
        Lack::Port
    } else if message.contains("insufficient CPU") {
        Lack::Cpu
    } else if message.contains("insufficient memory") {
        Lack::Memory
    } else {
        Lack::Other
    };
    Some(PlacementTrouble {
        message: message.clone(),
        lack,
    })
}

/// Whether any instance could take one more task, as far as the books show it.
pub fn fits_somewhere(needs: &Needs, instances: &[ContainerInstance]) -> bool {
    instances.iter().any(|i| {
        i.status == "ACTIVE"
            && i.agent_connected
            && i.remaining.cpu >= needs.cpu
            && i.remaining.memory >= needs.memory
            && !needs
                .fixed_ports
                .iter()
                .any(|port| i.remaining.reserved_ports.contains(port))
    })
}

/// `needs 512 CPU units, most free 128 (instance i-0abc)`; empty where nothing is known of the instances.
pub fn measured(trouble: &PlacementTrouble, needs: &Needs, instances: &[ContainerInstance]) -> Vec<(String, String)> {
    let name = |i: &ContainerInstance| i.ec2_instance_id.clone().unwrap_or_else(|| i.arn.short().to_owned());
    let most = |free: fn(&ContainerInstance) -> i64| instances.iter().max_by_key(|i| (free(i), i.arn.clone()));
    let row = match trouble.lack {
        Lack::Cpu => most(|i| i.remaining.cpu).map(|i| {
            (
                "cpu",
                format!(
                    "a task needs {} units, most free {} on {}",
                    needs.cpu,
                    i.remaining.cpu,
                    name(i)
                ),
            )
        }),
        Lack::Memory => most(|i| i.remaining.memory).map(|i| {
            (
                "memory",
                format!(
                    "a task needs {} MiB, most free {} MiB on {}",
                    needs.memory,
                    i.remaining.memory,
                    name(i)
                ),
            )
        }),
        Lack::Port => needs.fixed_ports.iter().find_map(|port| {
            let holder = instances.iter().find(|i| i.remaining.reserved_ports.contains(port))?;
            Some((
                "port",
                format!(
                    "host port {port} is taken on {} of {} instances, for example {}",
                    instances
                        .iter()
                        .filter(|i| i.remaining.reserved_ports.contains(port))
                        .count(),
                    instances.len(),
                    name(holder)
                ),
            ))
        }),
        Lack::Aws | Lack::Other => None,
    };
    row.map(|(label, text)| (label.to_owned(), text)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_event_of_a_static_port_is_understood() {
        let event = ServiceEvent {
            id: "1".into(),
            created_at: None,
            message:
                "(service web) was unable to place a task because no container instance met all of its requirements. \
                      The closest matching (container-instance 0a1b) is already using a port required by your task."
                    .into(),
        };
        assert_eq!(read(&event).map(|t| t.lack), Some(Lack::Port));
    }
}
