//! Where requests really go: which rules of the listeners are ever reached, and whether what they lead to answers.

use crate::model::load_balancer::{Action, Condition, Listener};
use crate::model::state::{LoadBalancerBinding, Service};
use crate::world::World;

/// What answers one kind of requests: a rule, or a listener's default action.
struct Way<'a> {
    rule: &'a str,
    listener: &'a str,
    actions: &'a [Action],
    /// No rule before it takes everything.
    is_reached: bool,
}

impl Way<'_> {
    fn weight_of(&self, group: &str) -> u32 {
        let groups = self.actions.iter().flat_map(|action| &action.groups);
        groups.filter(|(arn, _)| arn == group).map(|(_, weight)| *weight).sum()
    }

    fn names(&self, group: &str) -> bool {
        self.actions.iter().any(|action| action.names(group))
    }

    fn is(&self, rule_or_listener: &str) -> bool {
        self.rule == rule_or_listener || self.listener == rule_or_listener
    }
}

impl World {
    /// Whether the production traffic of a service goes to healthy targets of the deployment, and none of it to a
    /// group in which nobody answers. A service without a target group has none that could go elsewhere.
    pub(crate) fn is_routed(&self, cluster: &str, service: &Service, deployment: &str) -> bool {
        let ways: Vec<Way> = self.ways().collect();
        let bindings = || service.load_balancers.iter().filter(|b| b.target_group_arn.is_some());
        let tests: Vec<&String> = bindings()
            .filter_map(|b| b.advanced.as_ref()?.test_listener_rule.as_ref())
            .collect();
        let is_test = |way: &Way| tests.iter().any(|rule| way.is(rule));
        bindings().all(|binding| {
            let Some(own) = self.group_of(binding, deployment) else {
                return false;
            };
            let is_production = |way: &&Way| match &binding.advanced {
                Some(advanced) => way.is(&advanced.production_listener_rule),
                None => way.is_reached,
            };
            let groups = [Some(own), binding.target_group_arn.as_ref(), alternate(binding)];
            let concerns = |way: &&Way| {
                let is_named = groups.iter().flatten().any(|group| way.names(group));
                (way.is_reached && is_named && !is_test(way)) || (binding.advanced.is_some() && is_production(way))
            };
            ways.iter().any(|way| is_production(&way) && way.weight_of(own) > 0)
                && ways
                    .iter()
                    .filter(concerns)
                    .all(|way| self.is_answered(cluster, way, own, deployment))
        })
    }

    /// Every group that gets traffic of this way has somebody who answers; of our own group it is one of ours.
    fn is_answered(&self, cluster: &str, way: &Way, own: &str, deployment: &str) -> bool {
        let mut fed = way.actions.iter().flat_map(|action| &action.groups);
        fed.all(|(group, weight)| {
            let targets = self.group(group).into_iter().flat_map(|group| &group.targets);
            let mut good = targets.filter(|t| matches!(t.state.as_str(), "healthy" | "unavailable"));
            let is_ours = |task: Option<&String>| {
                let task = task.and_then(|id| self.task(cluster, id));
                task.is_some_and(|task| task.started_by == deployment)
            };
            *weight == 0 || good.any(|target| group != own || is_ours(target.task.as_ref()))
        })
    }

    fn ways(&self) -> impl Iterator<Item = Way<'_>> {
        let listeners = self.account.load_balancers.values().flat_map(|b| &b.listeners);
        listeners.flat_map(ways_of)
    }
}

fn alternate(binding: &LoadBalancerBinding) -> Option<&String> {
    binding.advanced.as_ref().map(|a| &a.alternate_target_group_arn)
}

/// In the order in which a listener looks at them.
fn ways_of(listener: &Listener) -> Vec<Way<'_>> {
    let mut is_reached = true;
    let mut ways = Vec::new();
    for rule in &listener.rules {
        ways.push(Way {
            rule: &rule.arn,
            listener: "",
            actions: &rule.actions,
            is_reached,
        });
        is_reached &= !rule.conditions.iter().all(takes_everything);
    }
    ways.push(Way {
        rule: &listener.default_rule_arn,
        listener: &listener.arn,
        actions: &listener.actions,
        is_reached,
    });
    ways
}

fn takes_everything(condition: &Condition) -> bool {
    let any = |value: &String| value == "*" || (condition.field == "path-pattern" && value == "/*");
    matches!(condition.field.as_str(), "path-pattern" | "host-header") && condition.values.iter().any(any)
}
