//! What is said of a task that ended: cause, evidence, and what is true for this very case.

use crate::base::finding::{Code, Finding};
use crate::base::id::last_segment;
use crate::base::text::{contains, counted};
use crate::base::time::human;
use crate::rollout::cause::diagnose::lacking;
use crate::rollout::cause::failure::{Cause, Pull};
use crate::rollout::cause::resource::Resource;
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
        Cause::Resource(trouble) => lacking::finding(trouble, scope),
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
        Cause::NoCapacity { message } => no_capacity(message, scope),
        Cause::CannotStart { container, message } => {
            let finding = error(format!("container `{container}` of {ours} cannot be started"));
            let finding = finding.evidence("docker", message);
            start_hint(container, message).map_or(finding.clone(), |hint| finding.hint(hint))
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
        Pull::Invalid => ": that is no valid image reference",
        Pull::Unknown => "",
    };
    let finding = Finding::error(Code::ImagePull, format!("the image {image} cannot be pulled{why}"));
    let finding = finding.evidence("registry", message);
    match pull {
        Pull::Missing => finding.hint(format!("push {image}, or deploy a tag that exists")),
        Pull::Denied => finding.hint(denied(&image, message, scope)),
        Pull::Platform => {
            finding.hint("build the image for the operating system and the processor that the task runs on")
        }
        Pull::RateLimited => {
            finding.hint("log in at the registry (`repositoryCredentials`), or keep a copy of the image in Amazon ECR")
        }
        Pull::DiskFull => {
            finding.hint("free the instance's disk (old images), or replace the instance by one with a bigger volume")
        }
        Pull::Unreachable => finding
            .hint("check that the tasks' hosts reach the registry: route, NAT or VPC endpoints, security group, proxy"),
        Pull::Invalid => finding.hint(format!("correct `image` of container `{container}`")),
        Pull::Unknown => finding,
    }
}

/// Amazon ECR answers 403 for more than a missing permission: for a digest that is gone, and for layers in Amazon S3 that
/// an endpoint policy keeps back.
fn denied(image: &str, message: &str, scope: &Scope) -> String {
    let who = puller(scope);
    if contains(message, "/blobs/") {
        return format!(
            "check that {who} may pull from it, and that no endpoint policy or proxy keeps its layers back"
        );
    }
    if image.contains('@') || contains(message, "@sha256:") || contains(message, "manifests/sha256:") {
        return format!("check that the digest is still in the repository, and that {who} may pull from it");
    }
    format!("check the repository's name, and that {who} may pull from it")
}

/// What helps, where Docker's words say what is wrong.
fn start_hint(container: &str, message: &str) -> Option<String> {
    let is = |words: &[&str]| words.iter().any(|word| contains(message, word));
    if is(&["exec format error"]) {
        return Some(format!(
            "build the image of `{container}` for the processor of the instances"
        ));
    }
    if is(&["device driver", "error gathering device information"]) {
        return Some(format!(
            "place the tasks on instances that have the device which `{container}` asks for, with its driver"
        ));
    }
    if is(&["Thin Pool", "no space left on device"]) {
        return Some(
            "free the instance's disk (old images), or replace the instance by one with a bigger volume".into(),
        );
    }
    if is(&["TimeoutError", "timed out"]) {
        return Some("look at the container instance: Docker does not answer in time there (disk, CPU credits)".into());
    }
    let is_command = [
        "executable file not found",
        "no such file",
        "permission denied",
        "OCI runtime",
        "exec:",
    ];
    is(&is_command).then(|| {
        format!("check the command, the entry point and the devices of container `{container}` against its image")
    })
}

fn no_capacity(message: &str, scope: &Scope) -> Finding {
    let service = &scope.service;
    let is = |words: &[&str]| words.iter().any(|word| contains(message, word));
    let (summary, hint) = if is(&["IP addresses", "free addresses", "InsufficientFreeAddresses"]) {
        let summary = format!("a subnet of `{service}` has no free address for a new task");
        (
            summary,
            Some("free addresses in that subnet, or give the service further subnets"),
        )
    } else if is(&["reached the limit"]) {
        let summary = format!("a quota of the account leaves no room for a new task of `{service}`");
        (
            summary,
            Some("ask for a higher quota (Service Quotas, in this region), or free what other services hold"),
        )
    } else if is(&["EMPTY CAPACITY PROVIDER"]) {
        (
            format!("the capacity provider of `{service}` has no container instance"),
            None,
        )
    } else if is(&["network interface"]) {
        (format!("a new task of `{service}` gets no network interface"), None)
    } else {
        let summary = format!("AWS gives no capacity for a new task of `{service}`");
        let is_zone = is(&["Capacity is unavailable"]);
        (
            summary,
            is_zone.then_some("give the service subnets in more Availability Zones, or try again later"),
        )
    };
    let finding = Finding::error(Code::NoCapacity, summary).evidence("ecs", message);
    hint.map_or(finding.clone(), |hint| finding.hint(hint))
}

/// Who pulls: the execution role, else the instance's.
fn puller(scope: &Scope) -> String {
    let role = scope.needs.execution_role.as_deref().map(last_segment);
    role.map_or_else(
        || "the instances' role (the task definition names no execution role)".to_owned(),
        |role| format!("the execution role `{role}`"),
    )
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
    if let Some(hint) = message
        .filter(|words| contains(words, "exec format error"))
        .and_then(|words| start_hint(container, words))
    {
        return finding.hint(hint);
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
        "its command ({} hidden) in container `{name}`, {} times {} apart, start period {}",
        counted(check.words, "word"),
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
    use crate::rollout::cause::resource::{ResourceTrouble, Why};

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/pulls";

    fn trouble(kind: Resource, why: Why) -> ResourceTrouble {
        ResourceTrouble {
            kind,
            why,
            name: None,
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

    #[test]
    fn a_cause_is_filed_under_the_code_that_its_finding_has() {
        let exit = Cause::Exit {
            container: "web".into(),
            code: Some(1),
            message: None,
        };
        let causes = [
            pull(Pull::Missing),
            Cause::Resource(trouble(Resource::Secret, Why::Denied)),
            Cause::Resource(trouble(Resource::LogGroup, Why::Denied)),
            Cause::Resource(trouble(Resource::Other, Why::Unknown)),
            Cause::Resource(trouble(Resource::Role, Why::Unknown)),
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
}
