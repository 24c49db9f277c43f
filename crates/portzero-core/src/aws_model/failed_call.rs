//! A failed call to AWS in the reader's words: what was not done, in whose words, and what would let it.

use std::time::Duration;

use crate::aws_model::api_error::{
    ApiError, ApiErrorKind, CREDENTIALS_UNAVAILABLE, Denial, Ground, NO_CREDENTIALS, SIGN_IN_NEEDED,
};
use crate::base::finding::{Code, Finding};
use crate::base::time::{Timestamp, human};

/// Registering a task definition hands its roles to ECS's agent; anything else hands roles to ECS itself.
const REGISTER: &str = "ecs:RegisterTaskDefinition";
const PASS_ROLE: &str = "iam:PassRole";

/// The whole finding but for the state, which the caller knows.
pub fn finding(error: &ApiError) -> Finding {
    let denial = error.denial();
    let mut finding = Finding::error(Code::Api, summary(error, denial.as_ref()));
    let resource = denial.and_then(|denial| denial.resource);
    if let Some(resource) = resource.or(error.resource.as_deref()) {
        finding = finding.evidence("on", resource);
    }
    if let Some(caller) = denial.and_then(|denial| denial.caller) {
        finding = finding.evidence("as", caller);
    }
    if let Some(skew) = skew(error) {
        finding = finding.evidence("clock", skew);
    }
    finding = finding.evidence("answer", answer(error));
    if let Some(id) = &error.request_id {
        finding = finding.evidence("request", id.clone());
    }
    finding.with_hints(hints(error))
}

/// Of an update that AWS refused. `role`: what the service names for the load balancer.
pub fn of_update(error: &ApiError, service: &str, role: Option<&str>) -> Finding {
    let mut told = finding(error);
    let Some(missing) = missing_role(&error.message, role) else {
        return told;
    };
    told.code = Code::ServiceRole;
    told.summary = format!(
        "ECS cannot use the role that it needs {} of `{service}`",
        missing.needed_for
    );
    told.evidence.push(("role".into(), missing.role));
    told.evidence.push((
        "trust".into(),
        format!(
            "the role's trust policy must allow {} to do sts:AssumeRole",
            missing.trusts
        ),
    ));
    told.with_hints(missing.hints)
}

struct MissingRole {
    needed_for: &'static str,
    role: String,
    trusts: &'static str,
    hints: Vec<String>,
}

/// AWS names the role of a task and keeps silent on that of a service; which one that is, the service says.
fn missing_role(message: &str, role: Option<&str>) -> Option<MissingRole> {
    if let Some((_, rest)) = message.split_once("unable to assume the role '") {
        let role = rest.split('\'').next().unwrap_or(rest);
        return Some(MissingRole {
            needed_for: "for the tasks",
            role: role.to_owned(),
            trusts: "ecs-tasks.amazonaws.com",
            hints: vec![format!(
                "check that {role} exists, and that its trust policy names `ecs-tasks.amazonaws.com`"
            )],
        });
    }
    let is_missing = message.contains("Could not find required IAM role");
    if !is_missing && !message.starts_with("Unable to assume role and validate") {
        return None;
    }
    let linked = role.is_none_or(|arn| arn.contains("/aws-service-role/"));
    let hints = match role {
        _ if linked => vec![
            "create the service-linked role if it is not there: aws iam create-service-linked-role --aws-service-name \
             ecs.amazonaws.com"
                .to_owned(),
            "if it is there, look whether the load balancer and the target group still are, and whether a policy of the \
             organisation keeps ECS from them"
                .to_owned(),
        ],
        role => vec![format!(
            "check that {} exists, that its trust policy names `ecs.amazonaws.com`, and that it has the permissions of \
             AmazonEC2ContainerServiceRole",
            role.unwrap_or("the role")
        )],
    };
    Some(MissingRole {
        needed_for: "for the load balancer",
        role: role
            .unwrap_or("AWSServiceRoleForECS, ECS's service-linked role: the service names no other")
            .to_owned(),
        trusts: "ecs.amazonaws.com",
        hints,
    })
}

fn summary(error: &ApiError, denial: Option<&Denial<'_>>) -> String {
    let action = error.action;
    match error.kind {
        ApiErrorKind::Denied => match denial {
            Some(denial) if denial.action != action => {
                format!("the credentials may not do {}, which {action} needs", denial.action)
            }
            _ => format!("the credentials may not do {action}"),
        },
        ApiErrorKind::Credentials => match error.code.as_deref() {
            Some(NO_CREDENTIALS) => "there are no AWS credentials".to_owned(),
            Some(CREDENTIALS_UNAVAILABLE | SIGN_IN_NEEDED) => "the AWS credentials could not be had".to_owned(),
            _ => "AWS does not accept the credentials".to_owned(),
        },
        ApiErrorKind::ClockSkew => {
            "AWS does not accept the signature, because the clock of this machine is wrong".to_owned()
        }
        ApiErrorKind::Throttled => format!("{action} was throttled too often"),
        ApiErrorKind::Transient => format!("{action} got no usable answer"),
        _ => format!("{action} was refused"),
    }
}

/// What AWS said, under its code.
pub fn answer(error: &ApiError) -> String {
    match &error.code {
        Some(code) => format!("{code}: {}", error.message),
        None => error.message.clone(),
    }
}

/// What would let the call through; empty where only time does.
pub fn hints(error: &ApiError) -> Vec<String> {
    match (error.kind, error.denial()) {
        (ApiErrorKind::Denied, Some(denial)) => permissions(&denial, error.action),
        (ApiErrorKind::Denied, None) => vec![format!("allow {} to the role of this run", error.action)],
        (ApiErrorKind::ClockSkew, _) => vec![
            "set the clock of this machine, and keep it by NTP: AWS takes no signature that is more than 5 minutes off"
                .to_owned(),
        ],
        (ApiErrorKind::Credentials, _) => credentials(error.code.as_deref()),
        _ => Vec::new(),
    }
}

/// Of credentials that were not even sent. Where AWS refuses some, it does not say enough for a hint.
fn credentials(code: Option<&str>) -> Vec<String> {
    let hint = match code {
        Some(NO_CREDENTIALS) => {
            "name a profile with AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; in GitHub Actions, give \
             the input `role-to-assume`"
        }
        Some(SIGN_IN_NEEDED) => "sign in: aws sso login",
        Some(CREDENTIALS_UNAVAILABLE) => {
            "see whether the AWS CLI can have them from the same source: aws sts get-caller-identity"
        }
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

fn permissions(denial: &Denial<'_>, call: &str) -> Vec<String> {
    let holder = denial.holder().unwrap_or_else(|| "the role of this run".into());
    let on = denial
        .resource
        .filter(|resource| *resource != "*")
        .map(|resource| format!(" on {resource}"))
        .unwrap_or_default();
    let what = format!("{}{on}", denial.action);
    let mut hints = vec![match denial.ground {
        Ground::ExplicitDeny(kind) => {
            format!("the deny of {what} in the {kind} must go; to allow it to {holder} elsewhere does not help")
        }
        Ground::NothingAllows(kind) if kind != "identity-based policy" => {
            format!("allow {what} in the {kind} that {holder} is held by, besides its own policies")
        }
        _ => format!("allow {what} to {holder}"),
    }];
    if denial.action == PASS_ROLE && call == REGISTER {
        hints.push(
            "let it be passed to tasks only, by the condition `iam:PassedToService` = `ecs-tasks.amazonaws.com`".into(),
        );
    }
    hints
}

/// By how much this machine's clock is wrong, where AWS's words have both times in them: `Signature expired: A is now
/// earlier than B (C - 5 min.)`, with A as signed and C as AWS has it.
fn skew(error: &ApiError) -> Option<String> {
    if error.kind != ApiErrorKind::ClockSkew {
        return None;
    }
    let (_, rest) = error.message.split_once(": ")?;
    let signed = Timestamp::parse(rest.split(' ').next()?)?;
    let (_, bracket) = rest.split_once('(')?;
    let now = Timestamp::parse(bracket.split(' ').next()?)?;
    let (behind, ahead) = (now.since(signed), signed.since(now));
    let (span, side) = if behind > Duration::ZERO {
        (behind, "behind")
    } else {
        (ahead, "ahead of")
    };
    Some(format!("{} {side} AWS's", human(span)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: ApiErrorKind, action: &'static str, message: &str) -> ApiError {
        ApiError {
            kind,
            action,
            resource: Some("web".into()),
            code: Some("AccessDeniedException".into()),
            message: message.into(),
            request_id: None,
            status: Some(400),
        }
    }

    #[test]
    fn a_denial_is_told_with_the_action_that_is_missing_and_not_with_the_call() {
        let error = failed(
            ApiErrorKind::Denied,
            REGISTER,
            "User: arn:aws:sts::1:assumed-role/deployer/ci is not authorized to perform: iam:PassRole on resource: \
             arn:aws:iam::1:role/x because no identity-based policy allows the iam:PassRole action",
        );
        let told = finding(&error);
        assert_eq!(
            told.summary,
            "the credentials may not do iam:PassRole, which ecs:RegisterTaskDefinition needs"
        );
        assert_eq!(told.evidence[0], ("on".into(), "arn:aws:iam::1:role/x".into()));
        assert_eq!(
            told.hints[0],
            "allow iam:PassRole on arn:aws:iam::1:role/x to role `deployer`"
        );
        assert!(told.hints[1].contains("ecs-tasks.amazonaws.com"));
    }

    #[test]
    fn what_is_denied_explicitly_is_not_cured_by_allowing_it() {
        let error = failed(
            ApiErrorKind::Denied,
            "ecs:UpdateService",
            "User: arn:aws:sts::1:assumed-role/deployer/ci is not authorized to perform: ecs:UpdateService on resource: \
             arn:x with an explicit deny in a service control policy",
        );
        assert_eq!(
            hints(&error),
            [
                "the deny of ecs:UpdateService on arn:x in the service control policy must go; to allow it to role `deployer` \
              elsewhere does not help"
            ]
        );
    }

    #[test]
    fn a_role_that_ecs_cannot_assume_is_named_with_the_trust_that_it_needs() {
        let told = |message: &str, role| {
            let error = failed(ApiErrorKind::Refused, "ecs:UpdateService", message);
            let told = of_update(&error, "web", role);
            assert!(told.code == Code::ServiceRole && told.hints.len() <= 2, "{told:?}");
            format!("{:?} {:?}", told.evidence, told.hints)
        };
        let listeners = "Unable to assume role and validate the listeners configured on your load balancer. Please verify \
                         that the ECS service role being passed has the proper permissions.";
        let linked = "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS";
        assert!(told(listeners, Some(linked)).contains("create-service-linked-role"));
        assert!(told("Could not find required IAM role", None).contains("AWSServiceRoleForECS"));
        let own = told(listeners, Some("arn:aws:iam::1:role/ecsServiceRole"));
        assert!(
            own.contains("role/ecsServiceRole exists") && !own.contains("linked"),
            "{own}"
        );
        let task = "ECS was unable to assume the role 'arn:aws:iam::1:role/web' that was provided for this task.";
        assert!(told(task, Some(linked)).contains("role/web exists, and that its trust policy names `ecs-tasks"));
        let other = failed(ApiErrorKind::Refused, "ecs:UpdateService", "TaskDefinition is inactive");
        assert_eq!(of_update(&other, "web", None).code, Code::Api);
    }

    #[test]
    fn a_wrong_clock_is_told_with_how_wrong_it_is() {
        let told = |message: &str| skew(&failed(ApiErrorKind::ClockSkew, "ecs:DescribeServices", message));
        let slow =
            "Signature expired: 20260101T115400Z is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)";
        assert_eq!(told(slow).as_deref(), Some("6m behind AWS's"));
        let fast = "Signature not yet current: 20260101T121000Z is still later than 20260101T120500Z (20260101T120000Z + 5 min.)";
        assert_eq!(told(fast).as_deref(), Some("10m ahead of AWS's"));
        assert_eq!(
            told("The difference between the request time and the current time is too large."),
            None
        );
    }
}
