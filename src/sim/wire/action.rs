//! Which operation a request asks for, before anybody has decided to serve it.

use super::form::Form;
use super::{HttpRequest, ecs_json, elb_classic, elb_query, sts};

/// An operation by its service's IAM prefix and its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub service: &'static str,
    pub operation: String,
}

impl Action {
    /// `None` where the request is none of AWS's.
    pub fn of(request: &HttpRequest, form: Option<&Form>) -> Option<Self> {
        if let Some(target) = request.header("x-amz-target") {
            let (api, operation) = target.rsplit_once('.').unwrap_or(("", target));
            let service = if api.starts_with("AnyScaleFrontendService") {
                "application-autoscaling"
            } else {
                "ecs"
            };
            return Some(Self {
                service,
                operation: operation.to_owned(),
            });
        }
        let form = form?;
        let service = if form.version() == sts::VERSION {
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
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    pub fn is_read(&self) -> bool {
        ["Describe", "List", "Get"]
            .iter()
            .any(|verb| self.operation.starts_with(verb))
    }

    /// Whether a pattern means it: `ecs:DescribeServices`, `DescribeServices`, `ecs:Describe*`, `*`.
    pub fn is_meant_by(&self, pattern: &str) -> bool {
        let is_meant = |text: &str| match pattern.strip_suffix('*') {
            Some(head) => text.starts_with(head),
            None => text == pattern,
        };
        is_meant(&self.name()) || is_meant(&self.operation)
    }
}

/// Every operation that the simulator might serve: those of AWS that a deployment, or a tool for deployments, uses.
const KNOWN: &[(&str, &str)] = &[
    ("application-autoscaling", "DeregisterScalableTarget"),
    ("application-autoscaling", "DescribeScalableTargets"),
    ("application-autoscaling", "RegisterScalableTarget"),
    ("ecs", "ContinueServiceDeployment"),
    ("ecs", "CreateCluster"),
    ("ecs", "CreateService"),
    ("ecs", "DeleteCluster"),
    ("ecs", "DeleteService"),
    ("ecs", "DeleteTaskDefinitions"),
    ("ecs", "DeregisterTaskDefinition"),
    ("ecs", "DescribeClusters"),
    ("ecs", "DescribeContainerInstances"),
    ("ecs", "DescribeServiceDeployments"),
    ("ecs", "DescribeServiceRevisions"),
    ("ecs", "DescribeServices"),
    ("ecs", "DescribeTaskDefinition"),
    ("ecs", "DescribeTasks"),
    ("ecs", "GetTaskProtection"),
    ("ecs", "ListClusters"),
    ("ecs", "ListContainerInstances"),
    ("ecs", "ListServiceDeployments"),
    ("ecs", "ListServices"),
    ("ecs", "ListTagsForResource"),
    ("ecs", "ListTaskDefinitionFamilies"),
    ("ecs", "ListTaskDefinitions"),
    ("ecs", "ListTasks"),
    ("ecs", "RegisterTaskDefinition"),
    ("ecs", "RunTask"),
    ("ecs", "StopServiceDeployment"),
    ("ecs", "StopTask"),
    ("ecs", "TagResource"),
    ("ecs", "UntagResource"),
    ("ecs", "UpdateContainerInstancesState"),
    ("ecs", "UpdateService"),
    ("ecs", "UpdateTaskProtection"),
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
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "GetCallerIdentity"),
];

/// The operations that are served, by IAM prefix and name.
pub fn served() -> Vec<(&'static str, &'static str)> {
    let is_served = |(service, operation): &&(&str, &str)| match *service {
        "ecs" => ecs_json::serves(operation),
        "elasticloadbalancing" => elb_query::serves(operation) || elb_classic::serves(operation),
        _ => true,
    };
    KNOWN.iter().filter(is_served).copied().collect()
}

/// Whether a pattern means any operation that is served.
pub fn means_anything(pattern: &str) -> bool {
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
