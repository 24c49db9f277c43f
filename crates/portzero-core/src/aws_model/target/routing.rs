//! Where the requests go: the listeners of load balancers, their rules, and the weights of the target groups in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws_model::target::{Route, RouteCondition};
use crate::base::id::TargetGroupArn;

/// What a listener does with one kind of requests: a rule of it, or its default action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Absent for the default action of a Network Load Balancer's listener, which has no rules.
    pub arn: Option<String>,
    /// The ARN of its listener.
    pub listener: String,
    /// `None`: the default action, which takes what no rule has taken.
    pub priority: Option<u32>,
    /// Where requests come from, and what they must have.
    pub route: Route,
    /// The target groups that it forwards to, with their weights; empty where it does something else.
    pub groups: Vec<(TargetGroupArn, u32)>,
}

impl Rule {
    /// The weights that it gives a target group, in all.
    pub fn weight_of(&self, group: &TargetGroupArn) -> u32 {
        let own = self.groups.iter().filter(|(arn, _)| arn == group);
        own.map(|(_, weight)| *weight).sum()
    }

    /// Whether it names the target group, with a weight or without.
    pub fn names(&self, group: &TargetGroupArn) -> bool {
        self.groups.iter().any(|(arn, _)| arn == group)
    }

    /// The groups that get a share of the requests.
    pub fn fed(&self) -> impl Iterator<Item = &TargetGroupArn> {
        let fed = self.groups.iter().filter(|(_, weight)| *weight > 0);
        fed.map(|(group, _)| group)
    }

    /// Under the ARN that ECS knows it by: that of the rule, or of a Network Load Balancer's listener.
    pub fn is(&self, rule_or_listener: &str) -> bool {
        self.arn.as_deref() == Some(rule_or_listener) || (self.priority.is_none() && self.listener == rule_or_listener)
    }

    /// The ARN to change it by.
    pub fn name(&self) -> &str {
        self.arn.as_deref().unwrap_or(&self.listener)
    }

    /// `web-green 100, web 0`.
    pub fn weights(&self) -> String {
        let parts = self
            .groups
            .iter()
            .map(|(group, weight)| format!("{} {weight}", group.name()));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn takes_everything(&self) -> bool {
        self.route.conditions.iter().all(RouteCondition::is_met_by_all)
    }
}

/// The rules of some load balancers, as one look has shown them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// All that were read, of every listener.
    pub rules: Vec<Rule>,
    /// Not every listener was read: what is not here may be there.
    pub is_partial: bool,
    /// Of target groups that are not the service's, and get a share of a rule that names one of its own: whether any
    /// target in them answers.
    pub answers: BTreeMap<TargetGroupArn, bool>,
}

impl Routing {
    /// The rules that requests come to. What a rule before it takes altogether reaches no other one of its listener.
    pub fn reached(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        rules.sort_by_key(|rule| (&rule.listener, rule.priority.is_none(), rule.priority));
        let mut closed = BTreeSet::new();
        rules.retain(|rule| {
            let is_reached = !closed.contains(&rule.listener);
            if rule.priority.is_some() && rule.takes_everything() {
                closed.insert(&rule.listener);
            }
            is_reached
        });
        rules
    }

    /// The target groups of others that stand in the rules beside those of the service, with a weight.
    pub fn strangers(&self, own: &[TargetGroupArn]) -> BTreeSet<TargetGroupArn> {
        let beside = self
            .rules
            .iter()
            .filter(|rule| own.iter().any(|group| rule.names(group)));
        let fed = beside.flat_map(Rule::fed);
        fed.filter(|group| !own.contains(*group)).cloned().collect()
    }

    /// The ways to the target groups, for an address.
    pub fn routes_to<'a>(&'a self, own: &'a [TargetGroupArn]) -> impl Iterator<Item = &'a Route> {
        let to_own = self
            .rules
            .iter()
            .filter(|rule| rule.fed().any(|group| own.contains(group)));
        to_own.map(|rule| &rule.route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(priority: Option<u32>, field: &str, value: &str) -> Rule {
        let condition = RouteCondition {
            field: field.into(),
            values: vec![value.into()],
        };
        Rule {
            arn: Some(format!("rule/{priority:?}")),
            listener: "listener/1".into(),
            priority,
            route: Route {
                conditions: priority.map(|_| condition).into_iter().collect(),
                ..Route::default()
            },
            groups: Vec::new(),
        }
    }

    #[test]
    fn a_rule_that_takes_everything_closes_its_own_listener() {
        let elsewhere = Rule {
            listener: "listener/2".into(),
            ..rule(None, "", "")
        };
        let routing = Routing {
            rules: vec![
                rule(None, "", ""),
                rule(Some(9), "path-pattern", "/api/*"),
                rule(Some(5), "path-pattern", "/*"),
                rule(Some(1), "host-header", "shop.example.com"),
                elsewhere,
            ],
            ..Routing::default()
        };
        let reached: Vec<Option<u32>> = routing.reached().iter().map(|rule| rule.priority).collect();
        assert_eq!(reached, [Some(1), Some(5), None]);
    }

    #[test]
    fn a_rule_is_known_by_its_arn_and_a_default_action_by_its_listeners_too() {
        assert!(rule(Some(1), "", "").is("rule/Some(1)") && !rule(Some(1), "", "").is("listener/1"));
        assert!(rule(None, "", "").is("listener/1") && rule(None, "", "").is("rule/None"));
    }

    #[test]
    fn strangers_are_those_that_share_a_rule_with_the_service() {
        let with = |groups: &[(&str, u32)]| Rule {
            groups: groups.iter().map(|(arn, weight)| ((*arn).into(), *weight)).collect(),
            ..rule(None, "", "")
        };
        let routing = Routing {
            rules: vec![with(&[("web", 1), ("other", 1), ("idle", 0)]), with(&[("api", 1)])],
            ..Routing::default()
        };
        let strangers = routing.strangers(&["web".into()]);
        assert_eq!(strangers.into_iter().collect::<Vec<_>>(), ["other".into()]);
        assert_eq!(routing.routes_to(&["web".into()]).count(), 1);
    }
}
