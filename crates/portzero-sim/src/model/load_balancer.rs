//! Load balancers as the API shows them: listeners, rules, and what their actions do. Which target groups are in use
//! follows from the actions alone.

use std::collections::BTreeMap;

use crate::timestamp::Timestamp;

/// An Application or a Network Load Balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// `LoadBalancerArn`.
    pub arn: String,
    /// `LoadBalancerName`.
    pub name: String,
    /// `DNSName`.
    pub dns_name: String,
    /// application or network.
    pub kind: String,
    /// internet-facing or internal.
    pub scheme: String,
    /// `VpcId`.
    pub vpc_id: String,
    /// `AvailabilityZones`: targets in others are not in use.
    pub availability_zones: Vec<String>,
    /// `SecurityGroups`.
    pub security_groups: Vec<String>,
    /// ipv4 or dualstack.
    pub ip_address_type: String,
    /// `CreatedTime`.
    pub created_at: Timestamp,
    /// Its nodes answer from then on.
    pub active_at: Timestamp,
    /// In the order of their creation.
    pub listeners: Vec<Listener>,
    /// What ModifyLoadBalancerAttributes has set; the rest has its defaults.
    pub attributes: BTreeMap<String, String>,
}

/// A listener of a load balancer.
#[derive(Clone, Debug)]
pub struct Listener {
    /// `ListenerArn`.
    pub arn: String,
    /// `Protocol`.
    pub protocol: String,
    /// `Port`.
    pub port: u16,
    /// `Certificates`: ARNs.
    pub certificates: Vec<String>,
    /// `SslPolicy`.
    pub ssl_policy: Option<String>,
    /// The ARN of the default rule, which only DescribeRules shows.
    pub default_rule_arn: String,
    /// The default rule's.
    pub actions: Vec<Action>,
    /// Without the default rule, by priority.
    pub rules: Vec<Rule>,
}

/// A rule of a listener.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `RuleArn`.
    pub arn: String,
    /// `Priority`; the lowest number is tried first.
    pub priority: u32,
    /// `Conditions`: all of them must hold.
    pub conditions: Vec<Condition>,
    /// `Actions`.
    pub actions: Vec<Action>,
}

/// One condition of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// host-header, path-pattern, http-header, http-request-method, query-string or source-ip.
    pub field: String,
    /// What is compared; one that holds is enough.
    pub values: Vec<String>,
    /// http-header: which one.
    pub header: Option<String>,
    /// query-string: keys and values.
    pub pairs: Vec<(Option<String>, String)>,
}

/// One action of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// forward, redirect, fixed-response, authenticate-oidc or authenticate-cognito.
    pub kind: String,
    /// `Order`.
    pub order: Option<u32>,
    /// forward: (target group's ARN, weight).
    pub groups: Vec<(String, u32)>,
    /// forward: for how many seconds a client stays with its group, where it does.
    pub stickiness: Option<Option<u32>>,
    /// The other kinds: the text members of their configuration.
    pub settings: Vec<(String, String)>,
}

impl Action {
    /// Forwards everything to one group.
    pub fn forward(group: &str) -> Self {
        Self {
            kind: "forward".into(),
            order: Some(1),
            groups: vec![(group.to_owned(), 1)],
            ..Self::default()
        }
    }

    /// Whether any traffic of the action can reach the group: a weight of 0 keeps it out of the rotation, but in use.
    pub fn names(&self, group: &str) -> bool {
        self.groups.iter().any(|(arn, _)| arn == group)
    }
}

impl Listener {
    /// Every action of the listener: its default ones, and its rules'.
    pub(crate) fn every_action(&self) -> impl Iterator<Item = &Action> {
        self.actions
            .iter()
            .chain(self.rules.iter().flat_map(|rule| &rule.actions))
    }

    /// Whether any action forwards to the target group, at whatever weight.
    pub fn forwards_to(&self, group: &str) -> bool {
        self.every_action().any(|action| action.names(group))
    }

    pub(crate) fn rule_arn_head(&self) -> String {
        self.arn.replacen(":listener/", ":listener-rule/", 1)
    }
}

impl LoadBalancer {
    /// Whether any action forwards to the target group, at whatever weight.
    pub fn forwards_to(&self, group: &str) -> bool {
        self.listeners.iter().any(|listener| listener.forwards_to(group))
    }

    /// Whether it is a Network Load Balancer, whose listeners have no rules.
    pub fn is_network(&self) -> bool {
        self.kind == "network"
    }
}
