//! What somebody does to the load balancers while a service rolls out: weights that lead elsewhere, a target group that
//! is deleted.

use crate::model::load_balancer::Action;
use crate::model::network::digest;
use crate::model::state::{LoadBalancerBinding, TargetGroup};
use crate::scenario::fault::FaultSpec;
use crate::world::World;

/// What a rule has in all, in percent.
const ALL: u32 = 100;

impl World {
    /// The production traffic goes to the other target group: that of the other revision, where a service has two,
    /// else a new one in which nothing is registered. What ECS knows of its own shifts stays as it was.
    pub(crate) fn drift_weights(&mut self, cluster: &str, service: &str, fault: &FaultSpec) {
        let bindings: Vec<LoadBalancerBinding> = self
            .service(cluster, service)
            .map(|service| service.load_balancers.clone())
            .unwrap_or_default();
        for binding in bindings {
            let Some(first) = binding.target_group_arn.filter(|arn| self.is_meant(arn, fault)) else {
                continue;
            };
            match binding.advanced {
                Some(advanced) => {
                    let other = advanced.alternate_target_group_arn;
                    let rule = advanced.production_listener_rule;
                    self.each_action(|arns, action| {
                        if arns.contains(&rule.as_str()) && action.kind == "forward" {
                            let share = |arn: &String| action.groups.iter().find(|(own, _)| own == arn);
                            let takes_all = share(&first).is_some_and(|(_, weight)| *weight > 0);
                            let (all, none) = if takes_all { (&other, &first) } else { (&first, &other) };
                            action.groups = vec![(all.clone(), ALL), (none.clone(), 0)];
                        }
                    });
                }
                None => {
                    let Some(empty) = self.empty_sibling(&first) else {
                        continue;
                    };
                    self.each_action(|_, action| {
                        if action.names(&first) {
                            action.groups = vec![(first.clone(), 0), (empty.clone(), ALL)];
                        }
                    });
                }
            }
        }
        self.rewire();
    }

    /// The listeners no longer forward to the target groups, and then they are deleted: AWS deletes none in use.
    pub(crate) fn delete_groups(&mut self, cluster: &str, service: &str, fault: &FaultSpec) {
        self.unhook_groups(cluster, service, fault);
        for arn in self.struck_groups(cluster, service, fault) {
            // A listener that forwards to two groups is gone with the first of them.
            let _refused = self.delete_target_group(&arn);
        }
    }

    fn is_meant(&self, group: &str, fault: &FaultSpec) -> bool {
        let found = self.account.target_groups.get(group);
        found.is_some_and(|group| fault.concerns_group(&group.name))
    }

    /// A target group with the same settings and without targets.
    fn empty_sibling(&mut self, group: &str) -> Option<String> {
        let found = self.account.target_groups.get(group)?;
        let name = format!("{}-empty", found.name);
        let arn = format!("{}:targetgroup/{name}/{}", self.balancing_head(), digest(&name));
        let sibling = TargetGroup {
            arn: arn.clone(),
            name,
            targets: Vec::new(),
            load_balancer_arns: Vec::new(),
            ..found.clone()
        };
        self.account.target_groups.insert(arn.clone(), sibling);
        Some(arn)
    }

    /// Every action of every listener, with the ARNs under which its rule is known.
    fn each_action(&mut self, mut change: impl FnMut(&[&str], &mut Action)) {
        let balancers = self.account.load_balancers.values_mut();
        for listener in balancers.flat_map(|balancer| &mut balancer.listeners) {
            let own = [listener.arn.as_str(), listener.default_rule_arn.as_str()];
            listener.actions.iter_mut().for_each(|action| change(&own, action));
            for rule in &mut listener.rules {
                let arn = [rule.arn.as_str()];
                rule.actions.iter_mut().for_each(|action| change(&arn, action));
            }
        }
    }
}
