//! Where load balancers send the requests: their listeners and rules.

use aws_sdk_elasticloadbalancingv2::types as sdk;
use portzero_core::aws_model::target::{Route, RouteCondition, Routing, Rule};
use portzero_core::base::id::TargetGroupArn;
use portzero_core::port::{ApiResult, Clock};

use super::connection::Connection;
use crate::adapters::aws::error::Call;
use crate::adapters::aws::read::port;

/// Each listener costs a request, out of ten a second that the whole account has; what stands in the others is called
/// not checked.
const LISTENERS_MAX: usize = 10;

impl<C: Clock> Connection<C> {
    pub(super) async fn read_routing(&self, load_balancers: &[String]) -> ApiResult<Routing> {
        let mut routing = Routing::default();
        if load_balancers.is_empty() {
            return Ok(routing);
        }
        let names: Vec<&str> = load_balancers.iter().map(|arn| name(arn)).collect();
        let call = Call::read("elasticloadbalancing:DescribeLoadBalancers").on(names.join(", "));
        let answer = self
            .call(call, || {
                self.balancing
                    .describe_load_balancers()
                    .set_load_balancer_arns(Some(load_balancers.to_vec()))
                    .send()
            })
            .await?;
        for balancer in answer.load_balancers() {
            let (listeners, has_more) = self.listeners(balancer).await?;
            routing.is_partial |= has_more || listeners.len() > LISTENERS_MAX;
            for listener in listeners.iter().take(LISTENERS_MAX) {
                let (rules, has_more) = self.rules(balancer, listener).await?;
                routing.is_partial |= has_more;
                routing.rules.extend(rules);
            }
        }
        Ok(routing)
    }

    /// Those of the first page, and whether there are more.
    async fn listeners(&self, balancer: &sdk::LoadBalancer) -> ApiResult<(Vec<sdk::Listener>, bool)> {
        let arn = balancer.load_balancer_arn().unwrap_or_default();
        let call = Call::read("elasticloadbalancing:DescribeListeners").on(name(arn));
        let answer = self
            .call(call, || {
                self.balancing.describe_listeners().load_balancer_arn(arn).send()
            })
            .await?;
        Ok((answer.listeners().to_vec(), answer.next_marker().is_some()))
    }

    /// Those of the first page, and whether there are more. A Network Load Balancer's listener has no rules but its default
    /// action.
    async fn rules(&self, balancer: &sdk::LoadBalancer, listener: &sdk::Listener) -> ApiResult<(Vec<Rule>, bool)> {
        let arn = listener.listener_arn().unwrap_or_default();
        let rule = |conditions| Rule {
            arn: None,
            listener: arn.to_owned(),
            priority: None,
            route: route(balancer, listener, conditions),
            groups: Vec::new(),
        };
        if balancer.r#type() != Some(&sdk::LoadBalancerTypeEnum::Application) {
            let groups = groups(listener.default_actions());
            let default = Rule {
                groups,
                ..rule(Vec::new())
            };
            return Ok((vec![default], false));
        }
        let on = name(balancer.load_balancer_arn().unwrap_or_default());
        let call = Call::read("elasticloadbalancing:DescribeRules").on(on);
        // A page has 400 rules, and a listener 100 where its limit was not raised.
        let answer = self
            .call(call, || self.balancing.describe_rules().listener_arn(arn).send())
            .await?;
        let shown = answer.rules().iter().map(|one| Rule {
            arn: one.rule_arn().map(str::to_owned),
            priority: one.priority().and_then(|priority| priority.parse().ok()),
            groups: groups(one.actions()),
            ..rule(one.conditions().iter().map(condition).collect())
        });
        Ok((shown.collect(), answer.next_marker().is_some()))
    }
}

/// `app/shop/50dc6c495c0c9188` -> `shop`.
fn name(arn: &str) -> &str {
    arn.rsplit('/').nth(1).unwrap_or(arn)
}

/// The target groups of the forward actions, each with its weight: as the one group, or as one of several.
fn groups(actions: &[sdk::Action]) -> Vec<(TargetGroupArn, u32)> {
    let mut found = Vec::new();
    for action in actions {
        let several = action
            .forward_config()
            .map(|config| config.target_groups())
            .unwrap_or_default();
        let weighted = several.iter().filter_map(|one| {
            let weight = one.weight().map_or(1, |weight| u32::try_from(weight).unwrap_or(0));
            Some((one.target_group_arn()?.into(), weight))
        });
        let before = found.len();
        found.extend(weighted);
        if found.len() == before {
            found.extend(action.target_group_arn().map(|arn| (arn.into(), 1)));
        }
    }
    found
}

fn route(balancer: &sdk::LoadBalancer, listener: &sdk::Listener, conditions: Vec<RouteCondition>) -> Route {
    Route {
        protocol: listener.protocol().map_or("", |p| p.as_str()).to_owned(),
        port: listener.port().map(port).unwrap_or_default(),
        dns_name: balancer.dns_name().unwrap_or_default().to_owned(),
        is_internal: balancer.scheme() == Some(&sdk::LoadBalancerSchemeEnum::Internal),
        conditions,
    }
}

/// Its values stand in a member of their own for each field, and for two fields in an older place as well.
fn condition(condition: &sdk::RuleCondition) -> RouteCondition {
    let values = if !condition.values().is_empty() {
        condition.values()
    } else if let Some(config) = condition.host_header_config() {
        config.values()
    } else if let Some(config) = condition.path_pattern_config() {
        config.values()
    } else if let Some(config) = condition.http_request_method_config() {
        config.values()
    } else {
        &[]
    };
    RouteCondition {
        field: condition.field().unwrap_or_default().to_owned(),
        values: values.to_vec(),
    }
}
