//! What AWS refuses of `advancedConfiguration`, with which traffic shifts between two target groups. The words are those
//! of the Developer Guide's page on troubleshooting blue/green deployments, but for a rule that does not exist.

use std::collections::BTreeSet;

use crate::model::load_balancer::{Action, Listener, LoadBalancer};
use crate::model::refusal::Refusal;
use crate::model::state::LoadBalancerBinding;
use crate::scenario::strategy::AdvancedConfiguration;
use crate::world::World;

impl World {
    /// What is wrong with the list of load balancers as far as its advanced configurations go.
    pub(crate) fn check_advanced(&self, bindings: &[LoadBalancerBinding]) -> Result<(), Refusal> {
        let count = bindings.iter().filter(|b| b.advanced.is_some()).count();
        if bindings
            .iter()
            .any(|b| b.advanced.is_some() && b.load_balancer_name.is_some())
        {
            return Err(Refusal::invalid_parameter(
                "advancedConfiguration field is not allowed with ELBv1 loadBalancers",
            ));
        }
        if count != 0 && count != bindings.len() {
            return Err(Refusal::invalid_parameter(
                "Either all or none of the provided loadBalancers must have advancedConfiguration defined",
            ));
        }
        let mut seen: BTreeSet<&String> = bindings.iter().filter_map(|b| b.target_group_arn.as_ref()).collect();
        for (advanced, group) in bindings
            .iter()
            .filter_map(|b| b.advanced.as_ref().zip(b.target_group_arn.as_ref()))
        {
            let alternate = &advanced.alternate_target_group_arn;
            if !seen.insert(alternate) {
                return Err(Refusal::invalid_parameter(format!(
                    "Duplicate targetGroupArn found: {alternate}"
                )));
            }
            self.check_rules(advanced, group)?;
        }
        Ok(())
    }

    fn check_rules(&self, advanced: &AdvancedConfiguration, group: &str) -> Result<(), Refusal> {
        let (production, test) = (&advanced.production_listener_rule, &advanced.test_listener_rule);
        check_format("productionListenerRule", production)?;
        if let Some(test) = test {
            check_format("testListenerRule", test)?;
        }
        if test.as_ref() == Some(production) {
            return Err(Refusal::invalid_parameter(format!(
                "The following rules cannot be used as both production and test listener rules: {production}"
            )));
        }
        let found = self.rule_or_listener(production)?;
        if let Some(test) = test {
            self.rule_or_listener(test)?;
        }
        let (balancer, listener) = found;
        let forwards = |group: &str| actions_of(listener, production).any(|action| action.names(group));
        let forwards_to_both = forwards(group) && forwards(&advanced.alternate_target_group_arn);
        if test.is_none() && !balancer.is_network() && !forwards_to_both {
            return Err(Refusal::invalid_parameter(
                "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not \
                 associated with both targetGroup and alternateTargetGroup",
            ));
        }
        Ok(())
    }

    /// The listener of a rule, or the listener itself where it is a Network Load Balancer's.
    fn rule_or_listener(&self, arn: &str) -> Result<(&LoadBalancer, &Listener), Refusal> {
        let found = if is_rule(arn) {
            self.rule_owner(arn)
        } else {
            self.listener(arn)
        };
        // AWS's words for this are not known; these are its words for a target group that it cannot look at.
        found.ok_or_else(|| {
            Refusal::invalid_parameter(
                "Unable to assume role and validate the listeners configured on your load balancer. Please verify that \
                 the ECS service role being passed has the proper permissions.",
            )
        })
    }
}

fn is_rule(arn: &str) -> bool {
    arn.contains(":listener-rule/")
}

/// An Application Load Balancer has rules, a Network Load Balancer has listeners without any.
fn check_format(member: &str, arn: &str) -> Result<(), Refusal> {
    if arn.contains(":listener-rule/app/") || arn.contains(":listener/net/") {
        return Ok(());
    }
    Err(Refusal::invalid_parameter(format!(
        "{member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: {arn}"
    )))
}

/// What a rule of the listener does, its default one or another, or the listener itself.
fn actions_of<'a>(listener: &'a Listener, arn: &str) -> impl Iterator<Item = &'a Action> {
    let rule = listener.rules.iter().find(|rule| rule.arn == arn);
    rule.map_or(&listener.actions, |rule| &rule.actions).iter()
}
