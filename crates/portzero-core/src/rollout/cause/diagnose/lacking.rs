//! What is said where a task cannot get what it needs before its containers start.

use crate::base::finding::{Code, Finding};
use crate::base::id::last_segment;
use crate::base::text::contains;
use crate::rollout::cause::resource::{Resource, ResourceTrouble, Why};
use crate::rollout::scope::Scope;

pub(super) fn finding(trouble: &ResourceTrouble, scope: &Scope) -> Finding {
    let service = &scope.service;
    let role = trouble.role.clone().or_else(|| {
        scope
            .needs
            .execution_role
            .as_deref()
            .map(|arn| last_segment(arn).to_owned())
    });
    let who = role.as_ref().map_or("the execution role".to_owned(), |role| {
        format!("the execution role `{role}`")
    });
    let (summary, hint) = match trouble.kind {
        Resource::Secret => return secret(trouble, &who, scope),
        Resource::RegistryLogin => (
            format!("tasks of `{service}` get no login at the image's registry"),
            login_hint(trouble.why, &who),
        ),
        Resource::LogGroup => {
            let groups = scope.needs.containers.iter().filter_map(|c| c.log.as_ref());
            let mut names: Vec<String> = groups.map(|log| format!("`{}`", log.group)).collect();
            names.dedup();
            let named = trouble.name.clone().unwrap_or_else(|| names.join(", "));
            let named = if named.is_empty() { "their log group" } else { &named };
            (
                format!("tasks of `{service}` cannot log to {named}"),
                log_hint(trouble.why, &who),
            )
        }
        Resource::Volume => (
            format!("a volume of new tasks of `{service}` cannot be mounted"),
            contains(&trouble.message, "EFS")
                .then(|| "check the file system's mount targets, its security group and its access policy".to_owned()),
        ),
        Resource::Role => {
            let named = trouble
                .role
                .as_ref()
                .map_or("a role".to_owned(), |role| format!("the role `{role}`"));
            (
                format!("tasks of `{service}` cannot start: ECS cannot assume {named}"),
                Some("let ecs-tasks.amazonaws.com assume the role, in the role's trust policy".to_owned()),
            )
        }
        Resource::EnvironmentFile => (
            format!("an environment file of new tasks of `{service}` cannot be read"),
            (trouble.why == Why::Denied)
                .then(|| format!("allow s3:GetObject on the file and s3:GetBucketLocation to {who}")),
        ),
        Resource::Other => (
            format!("tasks of `{service}` cannot get what they need to start"),
            trouble
                .is_of_a_call()
                .then(|| "check the tasks' way to AWS: NAT, or VPC endpoints".to_owned()),
        ),
    };
    let finding = Finding::error(Code::Resources, summary).evidence("ecs", trouble.message.clone());
    hint.map_or(finding.clone(), |hint| finding.hint(hint))
}

fn login_hint(why: Why, who: &str) -> Option<String> {
    match why {
        Why::Denied => Some(format!("allow ecr:GetAuthorizationToken to {who}")),
        Why::Unreachable => {
            Some("give the tasks a way to Amazon ECR: NAT, or VPC endpoints for ecr.api, ecr.dkr and S3".to_owned())
        }
        Why::Missing | Why::Unknown => None,
    }
}

fn log_hint(why: Why, who: &str) -> Option<String> {
    match why {
        Why::Denied => Some(format!("allow logs:CreateLogStream and logs:PutLogEvents to {who}")),
        Why::Missing => Some("create the log group, or set `awslogs-create-group`".to_owned()),
        Why::Unreachable => Some("give the tasks a way to CloudWatch Logs: NAT, or a VPC endpoint".to_owned()),
        Why::Unknown => None,
    }
}

/// Which secret, and which role.
fn secret(trouble: &ResourceTrouble, who: &str, scope: &Scope) -> Finding {
    let all: Vec<(&str, &str)> = scope
        .needs
        .containers
        .iter()
        .flat_map(|c| c.secrets.iter().map(|s| (s.variable.as_str(), s.source.as_str())))
        .collect();
    let which = named_secret(trouble, &all);
    let service = &scope.service;
    let what = match trouble.why {
        Why::Denied => format!("{who} may not read"),
        Why::Missing => "there is no".to_owned(),
        Why::Unreachable => "no way leads to".to_owned(),
        Why::Unknown => "ECS cannot read".to_owned(),
    };
    let named = match &which {
        Some(which) => format!("secret {which}"),
        None if trouble.why == Why::Missing && trouble.missing_key().is_none() => "such secret".to_owned(),
        None => "a secret".to_owned(),
    };
    let said = match trouble.missing_key() {
        Some(key) => format!("{named} has no key `{key}`"),
        None => format!("{what} {named}"),
    };
    let mut finding = Finding::error(Code::Secret, format!("tasks of `{service}` cannot start: {said}"));
    if which.is_none() && !all.is_empty() {
        let listed: Vec<String> = all
            .iter()
            .map(|(variable, source)| format!("{source} (for {variable})"))
            .collect();
        finding = finding.evidence("one of", listed.join(", "));
    }
    let is_parameter = contains(&trouble.message, "ssm") || which.is_some_and(|which| which.contains(":parameter/"));
    finding
        .evidence("ecs", trouble.message.clone())
        .hint(secret_hint(trouble, who, is_parameter))
}

/// `SOURCE` (for VARIABLE), as far as it is known of which secret ECS speaks.
fn named_secret(trouble: &ResourceTrouble, all: &[(&str, &str)]) -> Option<String> {
    // The definition may say more than ECS does, a key or a version of the secret, or less: a name without its suffix.
    let is_named = |source: &str| {
        trouble.name.as_deref().map_or_else(
            || trouble.missing_key().is_none_or(|key| json_key(source) == Some(key)),
            |name| source.starts_with(name) || name.starts_with(source) || name.ends_with(source),
        )
    };
    let meant: Vec<&(&str, &str)> = all.iter().filter(|(_, source)| is_named(source)).collect();
    match (&trouble.name, all, meant.as_slice()) {
        (_, [_], [(variable, source)]) => Some(format!("`{source}` (for {variable})")),
        (Some(name), _, [(variable, _)]) => Some(format!("`{name}` (for {variable})")),
        (Some(name), ..) => Some(format!("`{name}`")),
        (None, _, [(variable, source)]) => Some(format!("`{source}` (for {variable})")),
        (None, ..) => None,
    }
}

/// `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME:KEY:STAGE:VERSION`.
fn json_key(source: &str) -> Option<&str> {
    source.split(':').nth(7).filter(|key| !key.is_empty())
}

fn secret_hint(trouble: &ResourceTrouble, who: &str, is_parameter: bool) -> String {
    if trouble.missing_key().is_some() {
        return "add that key to the secret, or correct `valueFrom` in the task definition".to_owned();
    }
    let (action, service) = if is_parameter {
        ("ssm:GetParameters", "ssm")
    } else {
        ("secretsmanager:GetSecretValue", "secretsmanager")
    };
    match trouble.why {
        Why::Denied => format!("allow {action} on it to {who}, and kms:Decrypt where a key of your own encrypts it"),
        Why::Missing => "create it in the service's region, or correct `valueFrom` in the task definition".to_owned(),
        Why::Unreachable => format!("give the tasks a way to it: NAT, or a VPC endpoint for {service}"),
        Why::Unknown => format!("check that {who} may read it ({action}), and that the tasks reach it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::cause::container_facts::{ContainerFacts, Secret};

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/pulls";

    fn trouble(kind: Resource, why: Why, name: Option<&str>) -> ResourceTrouble {
        ResourceTrouble {
            kind,
            why,
            name: name.map(str::to_owned),
            role: None,
            message: "ResourceInitializationError".into(),
        }
    }

    fn with_role() -> Scope {
        let mut scope = Scope::plain();
        scope.needs.execution_role = Some(ROLE.into());
        scope
    }

    /// A scope whose container reads these secrets into A, B, ….
    fn reading(sources: &[&str]) -> Scope {
        let document = serde_json::json!({"containerDefinitions": [{"name": "web", "image": "example/web:2"}]});
        let mut facts = ContainerFacts::of(&document);
        let secrets = ('A'..).zip(sources).map(|(variable, source)| Secret {
            variable: variable.to_string(),
            source: (*source).to_owned(),
        });
        facts[0].secrets = secrets.collect();
        let mut scope = with_role();
        scope.needs.containers = facts;
        scope
    }

    #[test]
    fn what_a_task_lacks_to_start_is_told_with_what_gives_it() {
        let hint = |kind, why| finding(&trouble(kind, why, None), &with_role()).hints[0].clone();
        use Resource::{LogGroup, RegistryLogin};
        assert_eq!(
            hint(RegistryLogin, Why::Denied),
            "allow ecr:GetAuthorizationToken to the execution role `pulls`"
        );
        assert!(hint(RegistryLogin, Why::Unreachable).starts_with("give the tasks a way to Amazon ECR"));
        assert_eq!(
            hint(LogGroup, Why::Denied),
            "allow logs:CreateLogStream and logs:PutLogEvents to the execution role `pulls`"
        );
        assert!(hint(LogGroup, Why::Missing).starts_with("create the log group"));
        assert!(hint(LogGroup, Why::Unreachable).starts_with("give the tasks a way to CloudWatch Logs"));
    }

    #[test]
    fn a_secret_is_told_with_the_variable_that_wanted_it() {
        let asm = "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf";
        let key = format!("{asm}:password::");
        let ssm = "arn:aws:ssm:us-east-1:111122223333:parameter/shop/db";
        let told = |why, name: Option<&str>, sources: &[&str]| {
            finding(&trouble(Resource::Secret, why, name), &reading(sources))
        };
        let summary = |why, name, sources: &[&str]| {
            let summary = told(why, name, sources).summary;
            summary.trim_start_matches("tasks of `web` cannot start: ").to_owned()
        };
        // The definition says more than ECS, or less.
        assert_eq!(
            summary(Why::Missing, Some(asm), &["other", &key]),
            format!("there is no secret `{asm}` (for B)")
        );
        assert_eq!(
            summary(Why::Missing, Some(ssm), &["/shop/db", "other"]),
            format!("there is no secret `{ssm}` (for A)")
        );
        let refused = "the execution role `pulls` may not read";
        assert_eq!(
            summary(Why::Denied, Some("new"), &["a", "b"]),
            format!("{refused} secret `new`")
        );
        assert_eq!(
            summary(Why::Denied, None, &["only"]),
            format!("{refused} secret `only` (for A)")
        );
        assert_eq!(summary(Why::Denied, None, &["a", "b"]), format!("{refused} a secret"));
        assert_eq!(summary(Why::Missing, None, &["a", "b"]), "there is no such secret");
        // Whatever is missing, it is not the one that the definition names.
        assert_eq!(
            summary(Why::Missing, Some("/prod/db"), &["only"]),
            "there is no secret `/prod/db`"
        );
        let plain = asm.trim_end_matches("-AbCdEf");
        assert_eq!(
            summary(Why::Missing, Some(asm), &[plain, "other"]),
            format!("there is no secret `{asm}` (for A)")
        );
        let evidence = |name, sources: &[&str]| {
            let evidence = told(Why::Denied, name, sources).evidence;
            let found = evidence.into_iter().find(|(label, _)| label == "one of");
            found.map(|(_, text)| text)
        };
        assert_eq!(evidence(None, &["a", "b"]).as_deref(), Some("a (for A), b (for B)"));
        assert_eq!(evidence(Some("new"), &["a", "b"]), None);
        assert_eq!(evidence(None, &[]), None);
    }

    #[test]
    fn t08_a_secret_that_is_there_is_not_called_missing_for_one_of_its_keys() {
        let asm = "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf";
        let (user, password) = (format!("{asm}:user::"), format!("{asm}:password::"));
        let mut trouble = trouble(Resource::Secret, Why::Missing, None);
        trouble.message = "retrieved secret from Secrets Manager did not contain json key password".into();
        let summary = |sources: &[&str]| finding(&trouble, &reading(sources)).summary;
        assert_eq!(
            summary(&[&user, &password]),
            format!("tasks of `web` cannot start: secret `{password}` (for B) has no key `password`")
        );
        let unknown = "tasks of `web` cannot start: a secret has no key `password`";
        assert_eq!(summary(&[&user, asm]), unknown);
        assert_eq!(summary(&[&password, &password]), unknown);
    }

    #[test]
    fn t08_a_log_group_without_a_name_leaves_no_hole_in_the_sentence() {
        let summary = finding(&trouble(Resource::LogGroup, Why::Missing, None), &with_role()).summary;
        assert_eq!(summary, "tasks of `web` cannot log to their log group");
    }

    #[test]
    fn the_call_that_was_refused_is_of_the_service_that_keeps_the_secret() {
        let hint = |message: &str, name: &str| {
            let mut trouble = trouble(Resource::Secret, Why::Denied, Some(name));
            trouble.message = message.into();
            finding(&trouble, &Scope::plain()).hints[0].clone()
        };
        let general = "ResourceInitializationError: unable to pull secrets";
        assert!(hint(general, "arn:aws:secretsmanager:x:y:secret:db").contains("secretsmanager:GetSecretValue"));
        assert!(hint(general, "arn:aws:s:x:y:parameter/db").contains("ssm:GetParameters"));
        assert!(hint(&format!("{general} from ssm"), "db").contains("ssm:GetParameters"));
    }
}
