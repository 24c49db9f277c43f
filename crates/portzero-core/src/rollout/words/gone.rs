//! What the run needs and AWS no longer knows, in words.

use crate::aws_model::api_error::{ApiError, ApiErrorKind};
use crate::aws_model::failed_call;
use crate::base::finding::{Code, Finding};
use crate::base::id::TargetGroupArn;
use crate::rollout::scope::Scope;
use crate::rollout::words::last_look::LastLook;

/// What an answer says is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    TargetGroup,
    LoadBalancer,
    Cluster,
    Service,
    /// What our deployment was resolved to, or the service deployment itself.
    Revision,
}

impl Gone {
    /// `None`: the answer says nothing of the kind, or of something that the run can do without.
    pub(crate) fn of(error: &ApiError) -> Option<Self> {
        if error.kind != ApiErrorKind::NotFound {
            return None;
        }
        let code = error.code.as_deref().unwrap_or_default();
        let (namespace, call) = error.action.split_once(':')?;
        match namespace {
            "elasticloadbalancing" if call.contains("TargetHealth") || call.contains("TargetGroup") => {
                Some(Self::TargetGroup)
            }
            "elasticloadbalancing" => Some(Self::LoadBalancer),
            "ecs" if code.starts_with("Cluster") || error.message.starts_with("Cluster not found") => {
                Some(Self::Cluster)
            }
            "ecs" if call.contains("ServiceRevision") || code.starts_with("ServiceDeployment") => Some(Self::Revision),
            "ecs" if code.starts_with("Service") => Some(Self::Service),
            _ => None,
        }
    }
}

/// Before anything was changed. `arn`: of the target group that AWS does not know.
pub fn target_group_missing(service: &str, arn: &TargetGroupArn, error: &ApiError) -> Finding {
    Finding::error(
        Code::TargetGroupMissing,
        format!(
            "service `{service}` is attached to target group `{}`, which does not exist",
            arn.name()
        ),
    )
    .evidence("missing", arn.as_str())
    .evidence("answer", failed_call::answer(error))
    .state("nothing was changed")
    .hint("attach the service to a target group that is there: `aws ecs update-service --load-balancers`")
}

/// In the middle of a rollout: without it, it cannot end well.
pub(crate) fn in_mid_rollout(scope: &Scope, gone: Gone, error: &ApiError, look: &LastLook) -> Finding {
    let resource = error.resource.as_deref();
    let (code, what, name) = match gone {
        Gone::TargetGroup => {
            let arn = resource.unwrap_or("(not named)").to_owned();
            let short = TargetGroupArn::from(arn.as_str()).name().to_owned();
            (Code::TargetGroupMissing, format!("target group `{short}`"), arn)
        }
        Gone::LoadBalancer => {
            let name = resource.unwrap_or("(not named)").to_owned();
            (
                Code::LoadBalancerMissing,
                "a load balancer or a listener".to_owned(),
                name,
            )
        }
        Gone::Cluster => {
            let name = scope.cluster.to_string();
            (Code::ClusterMissing, format!("cluster `{name}`"), name)
        }
        Gone::Service => {
            let name = scope.service.to_string();
            (Code::ServiceMissing, format!("service `{name}`"), name)
        }
        Gone::Revision => {
            let name = resource.unwrap_or(scope.deployment.as_str()).to_owned();
            let what = format!(
                "the service deployment or revision of {}",
                scope.task_definition.short()
            );
            (Code::DeploymentGone, what, name)
        }
    };
    let needs = match gone {
        Gone::Service | Gone::Revision => String::new(),
        _ => format!(", which `{}` needs,", scope.service),
    };
    let finding = Finding::error(code, format!("{what}{needs} does not exist any more"))
        .evidence("gone", name)
        .evidence("answer", failed_call::answer(error))
        .evidence("new", format!("{} {}", scope.task_definition.short(), look.progress()));
    match gone {
        Gone::TargetGroup => finding
            .state(format!("{}; ECS goes on without a target group to register them in", look.serving_line()))
            .hint("create a target group, let the listener forward to it, and attach the service to it: `aws ecs update-service --load-balancers`"),
        Gone::LoadBalancer => finding
            .state(format!("{}; nothing sends requests to them through it", look.serving_line()))
            .hint("create it anew, and let it forward to the target groups of the service"),
        Gone::Revision => finding.state(look.serving_line()),
        Gone::Cluster | Gone::Service => {
            finding.state(format!("{} stays registered", scope.task_definition.short()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(action: &'static str, code: &str, kind: ApiErrorKind) -> ApiError {
        ApiError {
            kind,
            action,
            resource: Some("arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1".into()),
            code: Some(code.into()),
            message: "One or more target groups not found".into(),
            request_id: None,
            status: Some(400),
        }
    }

    #[test]
    fn only_what_the_run_needs_counts_as_gone() {
        use ApiErrorKind::{Denied, NotFound};
        let of = |action, code: &str| Gone::of(&error(action, code, NotFound));
        let health = "elasticloadbalancing:DescribeTargetHealth";
        assert_eq!(of(health, "TargetGroupNotFound"), Some(Gone::TargetGroup));
        assert_eq!(
            of("elasticloadbalancing:DescribeRules", "ListenerNotFound"),
            Some(Gone::LoadBalancer)
        );
        assert_eq!(of("ecs:ListTasks", "ClusterNotFoundException"), Some(Gone::Cluster));
        assert_eq!(of("ecs:ListTasks", "ServiceNotFoundException"), Some(Gone::Service));
        let revisions = "ecs:DescribeServiceRevisions";
        assert_eq!(of(revisions, "ServiceNotFoundException"), Some(Gone::Revision));
        let deployments = of("ecs:DescribeServiceDeployments", "ServiceDeploymentNotFoundException");
        assert_eq!(deployments, Some(Gone::Revision));
        assert_eq!(of("logs:GetLogEvents", "ResourceNotFoundException"), None);
        assert_eq!(of("ecs:DescribeTasks", "ResourceNotFoundException"), None);
        assert_eq!(Gone::of(&error(health, "AccessDenied", Denied)), None);
    }

    #[test]
    fn what_is_gone_is_named_by_its_arn() {
        let error = error(
            "elasticloadbalancing:DescribeTargetHealth",
            "TargetGroupNotFound",
            ApiErrorKind::NotFound,
        );
        let told = in_mid_rollout(&Scope::plain(), Gone::TargetGroup, &error, &LastLook::default());
        assert_eq!(
            told.summary,
            "target group `web`, which `web` needs, does not exist any more"
        );
        assert!(told.evidence[0].1.ends_with("targetgroup/web/1"));
    }

    #[test]
    fn t05_each_kind_of_thing_that_is_gone_is_named() {
        let told = |gone, resource: &str| {
            let error = ApiError {
                resource: Some(resource.into()),
                ..error("ecs:DescribeServices", "NotFound", ApiErrorKind::NotFound)
            };
            let told = in_mid_rollout(&Scope::plain(), gone, &error, &LastLook::default());
            assert!(told.state.is_some(), "{told:?}");
            (told.code, told.summary, told.evidence[0].1.clone())
        };
        let (code, summary, name) = told(Gone::LoadBalancer, "loadbalancer/app/web/1");
        assert_eq!(
            (code, name.as_str()),
            (Code::LoadBalancerMissing, "loadbalancer/app/web/1")
        );
        assert_eq!(
            summary,
            "a load balancer or a listener, which `web` needs, does not exist any more"
        );
        let scope = Scope::plain();
        let (code, summary, name) = told(Gone::Cluster, "c");
        assert_eq!((code, name), (Code::ClusterMissing, scope.cluster.to_string()));
        assert!(summary.starts_with("cluster `"), "{summary}");
        let (code, summary, name) = told(Gone::Service, "c");
        assert_eq!((code, name), (Code::ServiceMissing, scope.service.to_string()));
        assert_eq!(summary, "service `web` does not exist any more");
        let (code, summary, name) = told(Gone::Revision, "service-revision/c/web/1");
        assert_eq!(
            (code, name.as_str()),
            (Code::DeploymentGone, "service-revision/c/web/1")
        );
        assert!(summary.ends_with("of web:2 does not exist any more"), "{summary}");
    }
}
