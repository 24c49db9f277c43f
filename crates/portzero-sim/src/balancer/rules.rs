//! CreateRule and its kin; AWS's refusals.

use super::listeners::no_listener;
use crate::model::load_balancer::{Action, Condition, Rule};
use crate::model::refusal::{Refusal, constraint};
use crate::world::World;

/// Elastic Load Balancing's default quota per load balancer, default rules left out.
const RULES_MAX: usize = 100;

impl World {
    pub(crate) fn create_rule(
        &mut self,
        listener: &str,
        priority: u32,
        conditions: Vec<Condition>,
        actions: Vec<Action>,
        tags: &[(String, String)],
    ) -> Result<String, Refusal> {
        let (balancer, found) = self.listener(listener).ok_or_else(no_listener)?;
        check_priority(priority)?;
        check_conditions(&conditions)?;
        if found.rules.iter().any(|rule| rule.priority == priority) {
            return Err(in_use(priority));
        }
        self.check_actions(balancer, &found.protocol, &actions)?;
        if balancer
            .listeners
            .iter()
            .map(|listener| listener.rules.len())
            .sum::<usize>()
            >= RULES_MAX
        {
            return Err(Refusal::new(
                "TooManyRules",
                "You've reached the limit on the number of rules per load balancer.",
            ));
        }
        let head = found.rule_arn_head();
        let arn = format!("{head}/{}", self.hex(16));
        self.tag_balancing(&arn, tags)?;
        let rule = Rule {
            arn: arn.clone(),
            priority,
            conditions,
            actions,
        };
        if let Some(found) = self.listener_mut(listener) {
            found.rules.push(rule);
            found.rules.sort_by_key(|rule| rule.priority);
        }
        self.rewire();
        Ok(arn)
    }

    pub(crate) fn modify_rule(
        &mut self,
        arn: &str,
        conditions: Option<Vec<Condition>>,
        actions: Option<Vec<Action>>,
    ) -> Result<(), Refusal> {
        let (balancer, listener) = self.rule_owner(arn).ok_or_else(no_rule)?;
        if listener.default_rule_arn == arn {
            return Err(not_for_default("modified"));
        }
        if conditions.is_none() && actions.is_none() {
            return Err(Refusal::validation_error(
                "Either conditions or actions must be specified",
            ));
        }
        if let Some(conditions) = &conditions {
            check_conditions(conditions)?;
        }
        if let Some(actions) = &actions {
            self.check_actions(balancer, &listener.protocol, actions)?;
        }
        if let Some(rule) = self.rule_mut(arn) {
            rule.conditions = conditions.unwrap_or_else(|| std::mem::take(&mut rule.conditions));
            rule.actions = actions.unwrap_or_else(|| std::mem::take(&mut rule.actions));
        }
        self.rewire();
        Ok(())
    }

    /// SetRulePriorities: all of them together, so that two rules may change places.
    pub(crate) fn set_rule_priorities(&mut self, wanted: &[(String, u32)]) -> Result<(), Refusal> {
        for (place, (arn, priority)) in wanted.iter().enumerate() {
            let (_, listener) = self.rule_owner(arn).ok_or_else(no_rule)?;
            if &listener.default_rule_arn == arn {
                return Err(not_for_default("modified"));
            }
            check_priority(*priority)?;
            if wanted[..place].iter().any(|(_, other)| other == priority) {
                return Err(Refusal::validation_error(format!(
                    "Priority '{priority}' was provided multiple times"
                )));
            }
            let moves = |rule: &Rule| wanted.iter().any(|(other, _)| other == &rule.arn);
            if listener
                .rules
                .iter()
                .any(|rule| rule.priority == *priority && !moves(rule))
            {
                return Err(in_use(*priority));
            }
        }
        for (arn, priority) in wanted {
            if let Some(rule) = self.rule_mut(arn) {
                rule.priority = *priority;
            }
        }
        let balancers = self.account.load_balancers.values_mut();
        for listener in balancers.flat_map(|balancer| &mut balancer.listeners) {
            listener.rules.sort_by_key(|rule| rule.priority);
        }
        Ok(())
    }

    pub(crate) fn delete_rule(&mut self, arn: &str) -> Result<(), Refusal> {
        let (_, listener) = self.rule_owner(arn).ok_or_else(no_rule)?;
        if listener.default_rule_arn == arn {
            return Err(not_for_default("deleted"));
        }
        let balancers = self.account.load_balancers.values_mut();
        for listener in balancers.flat_map(|balancer| &mut balancer.listeners) {
            listener.rules.retain(|rule| rule.arn != arn);
        }
        self.account.balancing_tags.remove(arn);
        self.rewire();
        Ok(())
    }

    fn rule_mut(&mut self, arn: &str) -> Option<&mut Rule> {
        let balancers = self.account.load_balancers.values_mut();
        let mut rules = balancers
            .flat_map(|balancer| &mut balancer.listeners)
            .flat_map(|listener| &mut listener.rules);
        rules.find(|rule| rule.arn == arn)
    }
}

fn no_rule() -> Refusal {
    Refusal::new("RuleNotFound", "One or more rules not found")
}

fn in_use(priority: u32) -> Refusal {
    Refusal::new("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

fn not_for_default(what: &str) -> Refusal {
    Refusal::new("OperationNotPermitted", format!("Default rule cannot be {what}"))
}

fn check_priority(priority: u32) -> Result<(), Refusal> {
    let refuse = |words| Err(constraint("priority", &priority.to_string(), words));
    match priority {
        0 => refuse("Member must have value greater than or equal to 1"),
        1..=50_000 => Ok(()),
        _ => refuse("Member must have value less than or equal to 50000"),
    }
}

fn check_conditions(conditions: &[Condition]) -> Result<(), Refusal> {
    let fields = [
        "path-pattern",
        "host-header",
        "http-header",
        "http-request-method",
        "query-string",
        "source-ip",
    ];
    if conditions.is_empty() {
        return Err(Refusal::validation_error("A condition must be specified"));
    }
    for condition in conditions {
        let field = &condition.field;
        if !fields.contains(&field.as_str()) {
            return Err(Refusal::validation_error(format!(
                "Condition field '{field}' must be one of '[{}]'",
                fields.join(",")
            )));
        }
        if condition.values.is_empty() && condition.pairs.is_empty() {
            return Err(Refusal::validation_error("A condition value must be specified"));
        }
        if condition.values.iter().any(|value| value.chars().count() > 128) {
            return Err(Refusal::validation_error(format!(
                "The '{field}' value is too long; the limit is '128'"
            )));
        }
    }
    Ok(())
}
