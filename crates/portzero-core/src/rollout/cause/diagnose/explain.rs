//! What is said of a task that ended: cause, evidence, and what is true for this very case.

use crate::base::finding::{Code, Finding};
use crate::base::id::last_segment;
use crate::base::text::contains;
use crate::base::time::human;
use crate::rollout::cause::failure::{Cause, Pull};
use crate::rollout::cause::resource::{Resource, ResourceTrouble, Why};
use crate::rollout::cause::{exit_code, placement};
use crate::rollout::scope::Scope;

pub(super) fn code(cause: &Cause) -> Code {
    match cause {
        Cause::ImagePull { .. } => Code::ImagePull,
        Cause::Resource(trouble) if trouble.kind == Resource::Secret => Code::Secret,
        Cause::Resource(_) => Code::Resources,
        Cause::OutOfMemory { .. } => Code::OutOfMemory,
        Cause::PortInUse { .. } => Code::PortInUse,
        Cause::NoCapacity { .. } => Code::NoCapacity,
        Cause::CannotStart { .. } | Cause::Exit { .. } => Code::ContainerExit,
        Cause::ContainerUnhealthy => Code::ContainerUnhealthy,
        Cause::TargetUnhealthy { .. } | Cause::ClassicUnhealthy { .. } => Code::TargetUnhealthy,
        Cause::Other { .. } => Code::DeploymentFailed,
    }
}

pub(super) fn finding(cause: &Cause, scope: &Scope) -> Finding {
    let service = &scope.service;
    let ours = scope.task_definition.short();
    let error = |summary: String| Finding::error(code(cause), summary);
    match cause {
        Cause::ImagePull {
            container,
            image,
            message,
            pull,
        } => image_pull(container, image.as_deref(), message, *pull, scope),
        Cause::Resource(trouble) => resource(trouble, scope),
        Cause::OutOfMemory { container } => out_of_memory(container, scope),
        Cause::PortInUse { message } => {
            let finding =
                error(format!("new tasks of `{service}` cannot bind their host port")).evidence("docker", message);
            finding.hint(if scope.is_host_network {
                "add an instance, or let ECS stop the old task first".to_owned()
            } else {
                placement::free_port(scope)
            })
        }
        Cause::NoCapacity { message } => error(format!("AWS gives no capacity for a new task of `{service}`"))
            .evidence("ecs", message)
            .hint("give the service subnets in more Availability Zones, or try again later"),
        Cause::CannotStart { container, message } => {
            let finding = error(format!("container `{container}` of {ours} cannot be started"));
            let finding = finding.evidence("docker", message);
            finding.hint(if contains(message, "exec format error") {
                format!("build the image of `{container}` for the processor of the instances")
            } else {
                format!(
                    "check the command, the entry point and the devices of container `{container}` against its image"
                )
            })
        }
        Cause::Exit {
            container,
            code,
            message,
        } => exit(container, *code, message.as_deref(), scope),
        Cause::ContainerUnhealthy => container_unhealthy(scope),
        Cause::TargetUnhealthy { group } => unhealthy_behind(group.name(), scope),
        Cause::ClassicUnhealthy { balancer } => unhealthy_behind(balancer, scope),
        Cause::Other { message } => error(format!("new tasks of `{service}` stop")).evidence("ecs", message),
    }
}

fn image_pull(container: &str, image: Option<&str>, message: &str, pull: Pull, scope: &Scope) -> Finding {
    let defined = scope.needs.container(container).and_then(|facts| facts.image.clone());
    let image = image.map(str::to_owned).or(defined);
    let image = image.unwrap_or_else(|| format!("the image of `{container}`"));
    let why = match pull {
        Pull::Missing => ": the registry does not have it",
        Pull::Denied => ": the registry refuses it",
        Pull::Platform => ": it is not built for this platform",
        Pull::RateLimited => ": the registry's rate limit is reached",
        Pull::DiskFull => ": the instance's disk is full",
        Pull::Unreachable => ": the registry is not reached",
        Pull::Unknown => "",
    };
    let finding = Finding::error(Code::ImagePull, format!("the image {image} cannot be pulled{why}"));
    let finding = finding.evidence("registry", message);
    match pull {
        Pull::Missing => finding.hint(format!("push {image}, or deploy a tag that exists")),
        Pull::Denied => finding.hint(format!(
            "check the repository's name, and that {} may pull from it",
            puller(scope)
        )),
        Pull::Platform => {
            finding.hint("build the image for the operating system and the processor that the task runs on")
        }
        Pull::RateLimited => {
            finding.hint("log in at the registry (`repositoryCredentials`), or keep a copy of the image in Amazon ECR")
        }
        Pull::DiskFull => {
            finding.hint("free the instance's disk (old images), or replace the instance by one with a bigger volume")
        }
        Pull::Unreachable | Pull::Unknown => finding
            .hint("check that the tasks' hosts reach the registry: route, NAT or VPC endpoints, security group, proxy"),
    }
}

/// Who pulls: the execution role, else the instance's.
fn puller(scope: &Scope) -> String {
    let role = scope.needs.execution_role.as_deref().map(last_segment);
    role.map_or_else(
        || "the instances' role (the task definition names no execution role)".to_owned(),
        |role| format!("the execution role `{role}`"),
    )
}

fn resource(trouble: &ResourceTrouble, scope: &Scope) -> Finding {
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
        Resource::RegistryLogin => {
            let summary = format!("tasks of `{service}` get no login at the image's registry");
            let hint = match trouble.why {
                Why::Denied => format!("allow ecr:GetAuthorizationToken to {who}"),
                _ => "give the tasks a way to Amazon ECR: NAT, or VPC endpoints for ecr.api, ecr.dkr and S3".to_owned(),
            };
            (summary, hint)
        }
        Resource::LogGroup => {
            let groups = scope.needs.containers.iter().filter_map(|c| c.log.as_ref());
            let mut names: Vec<String> = groups.map(|log| format!("`{}`", log.group)).collect();
            names.dedup();
            let named = trouble.name.clone().unwrap_or_else(|| names.join(", "));
            let summary = format!("tasks of `{service}` cannot log to {named}");
            let hint = match trouble.why {
                Why::Denied => format!("allow logs:CreateLogStream and logs:PutLogEvents to {who}"),
                Why::Missing => "create the log group, or set `awslogs-create-group`".to_owned(),
                _ => "give the tasks a way to CloudWatch Logs: NAT, or a VPC endpoint".to_owned(),
            };
            (summary, hint)
        }
        Resource::Volume => (
            format!("a volume of new tasks of `{service}` cannot be mounted"),
            "check the file system's mount targets, its security group and its access policy".to_owned(),
        ),
        Resource::Other => (
            format!("tasks of `{service}` cannot get what they need to start"),
            format!("check what {who} may do, and the tasks' way to AWS"),
        ),
    };
    Finding::error(Code::Resources, summary)
        .evidence("ecs", trouble.message.clone())
        .hint(hint)
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
        None if trouble.why == Why::Missing => "such secret".to_owned(),
        None => "a secret".to_owned(),
    };
    let mut finding = Finding::error(
        Code::Secret,
        format!("tasks of `{service}` cannot start: {what} {named}"),
    );
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
        .hint(secret_hint(trouble.why, who, is_parameter))
}

/// `SOURCE` (for VARIABLE), as far as it is known of which secret ECS speaks.
fn named_secret(trouble: &ResourceTrouble, all: &[(&str, &str)]) -> Option<String> {
    // The definition may say more than ECS does: a key or a version of the secret.
    let is_named = |source: &str| {
        trouble
            .name
            .as_deref()
            .is_some_and(|name| source.starts_with(name) || name.ends_with(source))
    };
    let meant: Vec<&(&str, &str)> = all.iter().filter(|(_, source)| is_named(source)).collect();
    match (&trouble.name, all, meant.as_slice()) {
        (_, [(variable, source)], _) => Some(format!("`{source}` (for {variable})")),
        (Some(name), _, [(variable, _)]) => Some(format!("`{name}` (for {variable})")),
        (Some(name), ..) => Some(format!("`{name}`")),
        (None, ..) => None,
    }
}

fn secret_hint(why: Why, who: &str, is_parameter: bool) -> String {
    let (action, service) = if is_parameter {
        ("ssm:GetParameters", "ssm")
    } else {
        ("secretsmanager:GetSecretValue", "secretsmanager")
    };
    match why {
        Why::Denied => format!("allow {action} on it to {who}, and kms:Decrypt where a key of your own encrypts it"),
        Why::Missing => "create it in the service's region, or correct `valueFrom` in the task definition".to_owned(),
        Why::Unreachable => format!("give the tasks a way to it: NAT, or a VPC endpoint for {service}"),
        Why::Unknown => format!("check that {who} may read it ({action}), and that the tasks reach it"),
    }
}

fn out_of_memory(container: &str, scope: &Scope) -> Finding {
    let summary = format!(
        "container `{container}` of {} is killed: it needs more memory than it may have",
        scope.task_definition.short()
    );
    let finding =
        Finding::error(Code::OutOfMemory, summary).evidence("exit", "137: killed with SIGKILL, for its memory");
    match scope.needs.container(container).and_then(|facts| facts.memory) {
        Some(limit) => finding
            .evidence("limit", format!("{limit} MiB (`memory` of container `{container}`)"))
            .hint(format!(
                "raise `memory` of container `{container}` above {limit}, or find what takes so much"
            )),
        None => finding
            .evidence("limit", format!("{} MiB (`memory` of the task)", scope.needs.memory))
            .hint(format!(
                "raise `memory` of the task above {}, or find what takes so much",
                scope.needs.memory
            )),
    }
}

fn exit(container: &str, code: Option<i32>, message: Option<&str>, scope: &Scope) -> Finding {
    let with = code.map_or_else(|| "stops".to_owned(), |code| format!("exits with code {code}"));
    let summary = format!("container `{container}` of {} {with}", scope.task_definition.short());
    let mut finding = Finding::error(Code::ContainerExit, summary);
    if let Some((code, meaning)) = code.and_then(|code| Some((code, exit_code::meaning(code)?))) {
        finding = finding.evidence("exit", format!("{code}: {meaning}"));
    }
    if let Some(message) = message {
        finding = finding.evidence("reason", message);
    }
    let facts = scope.needs.container(container);
    let limit = facts.and_then(|facts| facts.memory).filter(|_| code == Some(137));
    if let Some(limit) = limit {
        finding = finding.hint(format!("compare its memory use with its limit of {limit} MiB"));
    }
    // Where it logs, the way to the log is told with its stream.
    if facts.is_some_and(|facts| facts.log.is_some()) {
        return finding;
    }
    finding.hint(format!(
        "run the image as the task definition does, and read what `{container}` prints before it ends"
    ))
}

fn container_unhealthy(scope: &Scope) -> Finding {
    let ours = scope.task_definition.short();
    let summary = format!("new tasks of `{}` fail their container health check", scope.service);
    let finding = Finding::error(Code::ContainerUnhealthy, summary);
    let checked = scope
        .needs
        .containers
        .iter()
        .find_map(|facts| Some((&facts.name, facts.health_check.as_ref()?)));
    let Some((name, check)) = checked else {
        return finding.hint(format!("run the health check's command of {ours} inside the container"));
    };
    let pace = format!(
        "`{}` in container `{name}`, {} times {} apart, start period {}",
        check.command,
        check.retries,
        human(check.interval),
        human(check.start_period)
    );
    finding
        .evidence("check", pace)
        .hint(format!(
            "run that command inside container `{name}`, and read what it prints"
        ))
        .hint("if the application needs longer to start than that, give the check a longer start period")
}

fn unhealthy_behind(balancer: &str, scope: &Scope) -> Finding {
    Finding::error(
        Code::TargetUnhealthy,
        format!(
            "new tasks of `{}` start but do not pass the health check of `{balancer}`",
            scope.service
        ),
    )
    .hint("compare the health check's path and port with what the application answers")
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

    fn pull(pull: Pull) -> Cause {
        Cause::ImagePull {
            container: "web".into(),
            image: None,
            message: "no".into(),
            pull,
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
    fn a_cause_is_filed_under_the_code_that_its_finding_has() {
        let exit = Cause::Exit {
            container: "web".into(),
            code: Some(1),
            message: None,
        };
        let causes = [
            pull(Pull::Missing),
            Cause::Resource(trouble(Resource::Secret, Why::Denied, None)),
            Cause::Resource(trouble(Resource::LogGroup, Why::Denied, None)),
            Cause::Resource(trouble(Resource::Other, Why::Unknown, None)),
            Cause::OutOfMemory {
                container: "web".into(),
            },
            Cause::PortInUse { message: String::new() },
            Cause::NoCapacity { message: String::new() },
            exit,
            Cause::ContainerUnhealthy,
            Cause::TargetUnhealthy {
                group: "targetgroup/web/1".into(),
            },
            Cause::Other { message: String::new() },
        ];
        for cause in causes {
            assert_eq!(code(&cause), finding(&cause, &Scope::plain()).code, "{cause:?}");
        }
    }

    #[test]
    fn who_was_refused_an_image_is_named_as_far_as_it_is_known() {
        let hint = |scope: &Scope| finding(&pull(Pull::Denied), scope).hints[0].clone();
        assert!(hint(&with_role()).contains("that the execution role `pulls` may pull from it"));
        assert!(hint(&Scope::plain()).contains("the instances' role (the task definition names no execution role)"));
    }

    #[test]
    fn what_a_task_lacks_to_start_is_told_with_what_gives_it() {
        let hint = |kind, why| {
            let cause = Cause::Resource(trouble(kind, why, None));
            finding(&cause, &with_role()).hints[0].clone()
        };
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
            let cause = Cause::Resource(trouble(Resource::Secret, why, name));
            finding(&cause, &reading(sources))
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
    fn the_call_that_was_refused_is_of_the_service_that_keeps_the_secret() {
        let hint = |message: &str, name: &str| {
            let mut trouble = trouble(Resource::Secret, Why::Denied, Some(name));
            trouble.message = message.into();
            finding(&Cause::Resource(trouble), &Scope::plain()).hints[0].clone()
        };
        let general = "ResourceInitializationError: unable to pull secrets";
        assert!(hint(general, "arn:aws:secretsmanager:x:y:secret:db").contains("secretsmanager:GetSecretValue"));
        assert!(hint(general, "arn:aws:s:x:y:parameter/db").contains("ssm:GetParameters"));
        assert!(hint(&format!("{general} from ssm"), "db").contains("ssm:GetParameters"));
    }
}
