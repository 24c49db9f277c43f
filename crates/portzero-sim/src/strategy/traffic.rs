//! Which share of the traffic goes where: the weights of the listener rules that ECS shifts.

use super::super::world::World;
use crate::model::load_balancer::{Action, Condition, Rule};
use crate::model::network::digest;
use crate::model::state::{LoadBalancerBinding, Service};
use crate::scenario::strategy::{AdvancedConfiguration, WHOLE};

/// The largest weight of a target group in a forward action.
const LARGEST_WEIGHT: u32 = 999;

impl World {
    /// The weights of the target groups that a listener rule (of a Network Load Balancer: a listener) forwards to, as
    /// DescribeRules shows them; `None` for one that no service shifts.
    ///
    /// They are whole percents, which sum to 100. Where the shares have a fraction they are tenths of a percent
    /// instead (a weight may be at most 999).
    pub(crate) fn forward_weights(&self, rule_or_listener: &str) -> Option<Vec<(String, u32)>> {
        let shares = self.account.traffic.get(rule_or_listener)?;
        let is_whole = shares.iter().all(|(_, share)| share % 10 == 0);
        let weight = |share: &u32| {
            if is_whole {
                share / 10
            } else {
                (*share).min(LARGEST_WEIGHT)
            }
        };
        Some(
            shares
                .iter()
                .map(|(group, share)| (group.clone(), weight(share)))
                .collect(),
        )
    }

    /// One listener rule forwards to both groups, all of it to the first; a second one may do so for test traffic.
    pub(crate) fn join_groups(&mut self, first: &str, alternate: &str, with_test: bool) -> AdvancedConfiguration {
        let balancers = self
            .account
            .target_groups
            .get(first)
            .map(|g| g.load_balancer_arns.clone());
        let balancers = balancers.unwrap_or_default();
        if let Some(group) = self.account.target_groups.get_mut(alternate) {
            let own = std::mem::replace(&mut group.load_balancer_arns, balancers.clone());
            self.account
                .load_balancers
                .retain(|arn, _| balancers.contains(arn) || !own.contains(arn));
        }
        let shares = [(first.to_owned(), WHOLE), (alternate.to_owned(), 0)];
        let condition = |field: &str, value: &str| Condition {
            field: field.into(),
            values: vec![value.into()],
            ..Condition::default()
        };
        let test = Condition {
            header: Some("x-amzn-ecs-blue-green-test".into()),
            ..condition("http-header", "*")
        };
        let mut rule = |name: &str, priority: u32, condition: Condition| {
            let balancer = balancers.first()?;
            let listener = self.account.load_balancers.get_mut(balancer)?.listeners.first_mut()?;
            let arn = format!("{}/{}", listener.rule_arn_head(), digest(&format!("{first} {name}")));
            listener.rules.push(Rule {
                arn: arn.clone(),
                priority,
                conditions: vec![condition],
                actions: vec![Action {
                    groups: vec![(first.to_owned(), 100), (alternate.to_owned(), 0)],
                    ..Action::forward(first)
                }],
            });
            self.account.traffic.insert(arn.clone(), shares.to_vec());
            Some(arn)
        };
        let test = if with_test { rule("test", 1, test) } else { None };
        let production = rule("production", 2, condition("path-pattern", "/*"));
        AdvancedConfiguration {
            alternate_target_group_arn: alternate.to_owned(),
            production_listener_rule: production.unwrap_or_default(),
            test_listener_rule: test,
            role_arn: format!("arn:aws:iam::{}:role/ecsInfrastructureRole", self.account.id),
        }
    }

    /// Where the traffic of a service's listener rules goes until the first shift: all of it to the first target group.
    pub(crate) fn begin_traffic(&mut self, cluster: &str, name: &str) {
        let bindings = self.service(cluster, name).map(|s| s.load_balancers.clone());
        for binding in bindings.unwrap_or_default() {
            let Some((advanced, first)) = binding.advanced.zip(binding.target_group_arn) else {
                continue;
            };
            let shares = [(first, WHOLE), (advanced.alternate_target_group_arn, 0)];
            let rules = [Some(advanced.production_listener_rule), advanced.test_listener_rule];
            for rule in rules.into_iter().flatten() {
                self.account.traffic.entry(rule).or_insert_with(|| shares.to_vec());
            }
        }
    }

    /// The target group that a deployment's tasks are registered in for one load balancer of its service.
    pub fn group_of<'a>(&'a self, binding: &'a LoadBalancerBinding, deployment: &str) -> Option<&'a String> {
        match &binding.advanced {
            Some(advanced) if self.account.on_alternate.contains(deployment) => {
                Some(&advanced.alternate_target_group_arn)
            }
            _ => binding.target_group_arn.as_ref(),
        }
    }

    /// The share of the production traffic that goes to a deployment's target groups, in tenths of a percent: the
    /// smallest over its listener rules. `None` where no rule shifts.
    pub fn production_share(&self, service: &Service, deployment: &str) -> Option<u32> {
        let shares = service.load_balancers.iter().filter_map(|binding| {
            let rule = &binding.advanced.as_ref()?.production_listener_rule;
            self.share_of(rule, self.group_of(binding, deployment)?)
        });
        shares.min()
    }

    /// The same for the test traffic.
    pub fn test_share(&self, service: &Service, deployment: &str) -> Option<u32> {
        let shares = service.load_balancers.iter().filter_map(|binding| {
            let rule = binding.advanced.as_ref()?.test_listener_rule.as_ref()?;
            self.share_of(rule, self.group_of(binding, deployment)?)
        });
        shares.min()
    }

    fn share_of(&self, rule: &str, group: &str) -> Option<u32> {
        let shares = self.account.traffic.get(rule)?;
        shares.iter().find(|(one, _)| one == group).map(|(_, share)| *share)
    }

    /// Gives a deployment its share of the production traffic; the rest goes to the other target groups.
    pub(crate) fn shift_production(&mut self, cluster: &str, name: &str, deployment: &str, share: u32) {
        self.shift(cluster, name, deployment, share, false);
    }

    pub(crate) fn shift_test(&mut self, cluster: &str, name: &str, deployment: &str) {
        self.shift(cluster, name, deployment, WHOLE, true);
    }

    fn shift(&mut self, cluster: &str, name: &str, deployment: &str, share: u32, is_test: bool) {
        let Some(service) = self.service(cluster, name) else {
            return;
        };
        let mut shifted: Vec<(String, Vec<(String, u32)>)> = Vec::new();
        for binding in &service.load_balancers {
            let (Some(advanced), Some(first)) = (&binding.advanced, &binding.target_group_arn) else {
                continue;
            };
            let rule = if is_test {
                advanced.test_listener_rule.as_ref()
            } else {
                Some(&advanced.production_listener_rule)
            };
            let Some((rule, own)) = rule.zip(self.group_of(binding, deployment)) else {
                continue;
            };
            let shares = [first, &advanced.alternate_target_group_arn]
                .map(|group| (group.clone(), if group == own { share } else { WHOLE - share }));
            shifted.push((rule.clone(), shares.to_vec()));
        }
        for (rule, shares) in shifted {
            self.account.traffic.insert(rule.clone(), shares);
            self.weigh(&rule);
        }
        self.rewire();
    }

    /// Writes the weights into the forward action of the rule (of a Network Load Balancer: of the listener).
    fn weigh(&mut self, rule_or_listener: &str) {
        let Some(weights) = self.forward_weights(rule_or_listener) else {
            return;
        };
        let balancers = self.account.load_balancers.values_mut();
        for listener in balancers.flat_map(|balancer| &mut balancer.listeners) {
            let is_own = [&listener.arn, &listener.default_rule_arn].contains(&&rule_or_listener.to_owned());
            let rules = listener.rules.iter_mut().filter(|rule| rule.arn == rule_or_listener);
            let actions = rules.flat_map(|rule| &mut rule.actions);
            for action in actions.chain(listener.actions.iter_mut().filter(|_| is_own)) {
                if action.kind == "forward" {
                    action.groups.clone_from(&weights);
                }
            }
        }
    }
}
