//! Which operation a request asks for, before anybody has decided to serve it.

use super::HttpRequest;
use crate::wire::json::ecs;
use crate::wire::query::form::{Form, STS_VERSION};
use crate::wire::query::{elb, elb_classic};

/// An operation by its service's IAM prefix and its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action {
    pub service: &'static str,
    pub operation: String,
}

impl Action {
    /// `None` where the request is none of AWS's.
    pub(super) fn of(request: &HttpRequest, form: Option<&Form>) -> Option<Self> {
        if let Some(target) = request.header("x-amz-target") {
            let (api, operation) = target.rsplit_once('.').unwrap_or(("", target));
            let service = match api {
                "AnyScaleFrontendService" => "application-autoscaling",
                "Logs_20140328" => "logs",
                _ => "ecs",
            };
            return Some(Self {
                service,
                operation: operation.to_owned(),
            });
        }
        let form = form?;
        let service = if form.version() == STS_VERSION {
            "sts"
        } else {
            "elasticloadbalancing"
        };
        Some(Self {
            service,
            operation: form.action().to_owned(),
        })
    }

    /// `ecs:DescribeServices`.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    pub(super) fn is_read(&self) -> bool {
        ["Describe", "List", "Get"]
            .iter()
            .any(|verb| self.operation.starts_with(verb))
    }

    /// Whether a pattern means it: `ecs:DescribeServices`, `DescribeServices`, `ecs:Describe*`, `*`.
    pub(super) fn is_meant_by(&self, pattern: &str) -> bool {
        let is_meant = |text: &str| match pattern.strip_suffix('*') {
            Some(head) => text.starts_with(head),
            None => text == pattern,
        };
        is_meant(&self.name()) || is_meant(&self.operation)
    }
}

/// Every operation besides those of ECS, which has its own list, that the simulator might serve.
const KNOWN: &[(&str, &str)] = &[
    ("application-autoscaling", "DeregisterScalableTarget"),
    ("application-autoscaling", "DescribeScalableTargets"),
    ("application-autoscaling", "RegisterScalableTarget"),
    ("elasticloadbalancing", "AddTags"),
    ("elasticloadbalancing", "CreateListener"),
    ("elasticloadbalancing", "CreateLoadBalancer"),
    ("elasticloadbalancing", "CreateRule"),
    ("elasticloadbalancing", "CreateTargetGroup"),
    ("elasticloadbalancing", "DeleteListener"),
    ("elasticloadbalancing", "DeleteLoadBalancer"),
    ("elasticloadbalancing", "DeleteRule"),
    ("elasticloadbalancing", "DeleteTargetGroup"),
    ("elasticloadbalancing", "DeregisterTargets"),
    ("elasticloadbalancing", "DescribeInstanceHealth"),
    ("elasticloadbalancing", "DescribeListeners"),
    ("elasticloadbalancing", "DescribeLoadBalancerAttributes"),
    ("elasticloadbalancing", "DescribeLoadBalancers"),
    ("elasticloadbalancing", "DescribeRules"),
    ("elasticloadbalancing", "DescribeTags"),
    ("elasticloadbalancing", "DescribeTargetGroupAttributes"),
    ("elasticloadbalancing", "DescribeTargetGroups"),
    ("elasticloadbalancing", "DescribeTargetHealth"),
    ("elasticloadbalancing", "ModifyListener"),
    ("elasticloadbalancing", "ModifyLoadBalancerAttributes"),
    ("elasticloadbalancing", "ModifyRule"),
    ("elasticloadbalancing", "ModifyTargetGroup"),
    ("elasticloadbalancing", "ModifyTargetGroupAttributes"),
    ("elasticloadbalancing", "RegisterTargets"),
    ("elasticloadbalancing", "RemoveTags"),
    ("elasticloadbalancing", "SetRulePriorities"),
    ("logs", "GetLogEvents"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "GetCallerIdentity"),
];

/// The operations that are served, by IAM prefix and name, in the order of the alphabet.
pub fn served() -> Vec<(&'static str, &'static str)> {
    let is_served = |(service, operation): &&(&str, &str)| match *service {
        "elasticloadbalancing" => elb::serves(operation) || elb_classic::serves(operation),
        _ => true,
    };
    let ecs = ecs::OPERATIONS.iter().map(|(name, _)| ("ecs", *name));
    let mut served: Vec<_> = KNOWN.iter().filter(is_served).copied().chain(ecs).collect();
    served.sort_unstable();
    served
}

/// Whether a pattern means any operation that is served.
pub(crate) fn means_anything(pattern: &str) -> bool {
    let meant = |(service, operation): &(&'static str, &'static str)| {
        Action {
            service,
            operation: (*operation).to_owned(),
        }
        .is_meant_by(pattern)
    };
    pattern == "iam:PassRole" || served().iter().any(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_what_it_says_and_nothing_else() {
        let action = Action {
            service: "ecs",
            operation: "DescribeServices".into(),
        };
        let meant = [
            "*",
            "ecs:*",
            "ecs:Describe*",
            "Describe*",
            "DescribeServices",
            "ecs:DescribeServices",
        ];
        assert!(meant.iter().all(|pattern| action.is_meant_by(pattern)));
        let not = ["ecs:DescribeService", "elasticloadbalancing:*", "List*", ""];
        assert!(!not.iter().any(|pattern| action.is_meant_by(pattern)));
        assert!(means_anything("ecs:Upd*") && !means_anything("ecs:UpdateServices"));
    }
}
