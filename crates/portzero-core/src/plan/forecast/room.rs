//! Where new tasks find room beside the old ones, and how much the old ones give free.

use std::collections::BTreeMap;

use crate::aws_model::task::{ContainerInstance, InstanceStatus, Task, TaskStatus};
use crate::base::id::ContainerInstanceArn;
use crate::rollout::Needs;

/// One instance, as far as a task's needs go.
#[derive(Clone, Debug)]
struct Home {
    cpu: i64,
    memory: i64,
    /// A fixed host port of the new tasks is taken.
    is_port_taken: bool,
    /// Tasks of the service on it.
    load: usize,
}

/// What a task takes from an instance.
#[derive(Clone, Copy, Debug)]
struct Share {
    cpu: i64,
    memory: i64,
    has_fixed_port: bool,
}

/// The instances of a cluster while a rollout goes on.
#[derive(Clone, Debug)]
pub(super) struct Room {
    homes: Vec<Home>,
    new: Share,
    old: Share,
}

impl Room {
    /// The room there is now, and the place of each running task of the service.
    pub(super) fn of(
        instances: &[ContainerInstance],
        tasks: &[Task],
        needs: &Needs,
        old: &Needs,
    ) -> (Self, Vec<Option<usize>>) {
        let usable = instances
            .iter()
            .filter(|i| i.status == InstanceStatus::Active && i.agent_connected);
        let usable: Vec<&ContainerInstance> = usable.collect();
        let places: BTreeMap<&ContainerInstanceArn, usize> =
            usable.iter().enumerate().map(|(place, i)| (&i.arn, place)).collect();
        let running = tasks.iter().filter(|task| task.desired_status == TaskStatus::Running);
        let olds: Vec<Option<usize>> = running
            .map(|task| places.get(task.container_instance.as_ref()?).copied())
            .collect();
        let wanted: Vec<u16> = needs.fixed_ports.iter().map(|port| port.host_port).collect();
        let homes = usable.iter().enumerate().map(|(place, instance)| Home {
            cpu: instance.remaining.cpu,
            memory: instance.remaining.memory,
            is_port_taken: instance
                .remaining
                .reserved_ports
                .iter()
                .any(|port| wanted.contains(port)),
            load: olds.iter().filter(|old| **old == Some(place)).count(),
        });
        let share = |needs: &Needs| Share {
            cpu: needs.cpu,
            memory: needs.memory,
            has_fixed_port: !needs.fixed_ports.is_empty(),
        };
        let room = Self {
            homes: homes.collect(),
            new: share(needs),
            old: share(old),
        };
        (room, olds)
    }

    /// Puts one new task where the fewest of the service are. Whether there is a place.
    pub(super) fn take(&mut self) -> bool {
        let new = self.new;
        let fits = |home: &&mut Home| {
            home.cpu >= new.cpu && home.memory >= new.memory && !(new.has_fixed_port && home.is_port_taken)
        };
        let Some(home) = self.homes.iter_mut().filter(fits).min_by_key(|home| home.load) else {
            return false;
        };
        home.cpu -= new.cpu;
        home.memory -= new.memory;
        home.is_port_taken |= new.has_fixed_port;
        home.load += 1;
        true
    }

    /// What an old task has reserved is free as soon as ECS stops it. Its host port is free only when it has ended.
    pub(super) fn leave(&mut self, place: usize) {
        let old = self.old;
        if let Some(home) = self.homes.get_mut(place) {
            home.cpu += old.cpu;
            home.memory += old.memory;
            home.load = home.load.saturating_sub(1);
        }
    }

    /// The task has ended: its host port can be taken.
    pub(super) fn end(&mut self, place: usize) {
        if let Some(home) = self.homes.get_mut(place) {
            home.is_port_taken = false;
        }
    }
}
