//! What a new task begins with.

use crate::model::container::Needs;
use crate::scenario::TaskAddresses;
use crate::world::World;

/// What is asked of a new task.
pub(crate) struct NewTask<'a> {
    /// Empty for tasks of no service.
    pub service: &'a str,
    pub started_by: &'a str,
    /// ARN.
    pub task_definition: &'a str,
    pub launch_type: &'a str,
    pub needs: &'a Needs,
}

impl World {
    /// The IPv4 and the IPv6 address of one more network interface, as far as the service's subnets have both.
    pub(crate) fn next_addresses(&mut self, cluster: &str, service: &str) -> (Option<String>, Option<String>) {
        let kind = self.task_addresses(cluster, service);
        self.interfaces += 1;
        let (network, host) = (16 + self.interfaces / 250, 4 + self.interfaces % 250);
        let ipv4 = || format!("10.0.{network}.{host}");
        let ipv6 = || format!("2600:1f18:3aa:{network:x}00::{host:x}");
        (
            (kind != TaskAddresses::Ipv6).then(ipv4),
            (kind != TaskAddresses::Ipv4).then(ipv6),
        )
    }

    fn task_addresses(&self, cluster: &str, service: &str) -> TaskAddresses {
        let Some(service) = self.service(cluster, service) else {
            return TaskAddresses::Ipv4;
        };
        let groups = service.load_balancers.iter().flat_map(|binding| {
            let alternate = binding.advanced.as_ref();
            let alternate = alternate.map(|advanced| advanced.alternate_target_group_arn.clone());
            [binding.key(), alternate]
        });
        let wants_ipv6 = |key: String| self.group(&key).is_some_and(|group| group.ip_address_type == "ipv6");
        let by_groups = if groups.flatten().any(wants_ipv6) {
            TaskAddresses::Dualstack
        } else {
            TaskAddresses::Ipv4
        };
        service.ip_addresses.unwrap_or(by_groups)
    }
}
