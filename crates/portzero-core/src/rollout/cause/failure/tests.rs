use super::*;
use crate::aws_model::task::TaskStatus;
use crate::base::id::TaskDefinitionArn;

fn stopped(code: &str, reason: &str, containers: Vec<Container>) -> Task {
    Task {
        arn: TaskArn::from("arn:aws:ecs:us-east-1:111122223333:task/c/1"),
        started_by: None,
        task_definition: TaskDefinitionArn::from("web:1"),
        last_status: TaskStatus::Stopped,
        desired_status: TaskStatus::Stopped,
        containers,
        stop_code: Some(code.into()),
        stopped_reason: Some(reason.into()),
        ..Task::plain()
    }
}

fn container(exit_code: Option<i32>, reason: Option<&str>) -> Container {
    Container {
        name: "web".into(),
        exit_code,
        reason: reason.map(str::to_owned),
        ..Container::default()
    }
}

fn kind(task: &Task) -> Option<&'static str> {
    read(task, &[]).map(|failure| match failure.cause {
        Cause::ImagePull { .. } => "image-pull",
        Cause::Resource(_) => "resource",
        Cause::OutOfMemory { .. } => "out-of-memory",
        Cause::PortInUse { .. } => "port-in-use",
        Cause::NoCapacity { .. } => "no-capacity",
        Cause::CannotStart { .. } => "cannot-start",
        Cause::Exit { .. } => "exit",
        Cause::ContainerUnhealthy => "container-unhealthy",
        Cause::TargetUnhealthy { .. } => "target-unhealthy",
        Cause::ClassicUnhealthy { .. } => "classic-unhealthy",
        Cause::Other { .. } => "other",
    })
}

/// AWS's code and reason of a task, exit code and reason of its container, and the cause that they become.
type Case = (
    &'static str,
    &'static str,
    Option<i32>,
    Option<&'static str>,
    Option<&'static str>,
);

#[rustfmt::skip]
const CASES: [Case; 11] = [
    ("TaskFailedToStart", "Task failed to start", None,
        Some("CannotPullContainerError: Error response from daemon: manifest for web:9 not found"), Some("image-pull")),
    ("EssentialContainerExited", "Essential container in task exited", Some(1), None, Some("exit")),
    ("EssentialContainerExited", "", Some(137),
        Some("OutOfMemoryError: container killed due to memory usage"), Some("out-of-memory")),
    ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group arn:x)", Some(137), None,
        Some("target-unhealthy")),
    ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", Some(143), None, None),
    ("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets or registry auth: no", None, None,
        Some("resource")),
    ("TaskFailedToStart", "Task failed to start", Some(127),
        Some("CannotStartContainerError: exec: \"serve\": executable file not found in $PATH"), Some("cannot-start")),
    ("ServiceSchedulerInitiated", "Task failed ELB health checks in (elb shop)", Some(0), None,
        Some("classic-unhealthy")),
    ("SpotInterruption", "Your Spot Task was interrupted.", Some(137), None, None),
    ("InfrastructureHealth", "The host is unhealthy.", Some(137), None, None),
    ("", "Host EC2 (instance i-1) stopped/terminated.", Some(1), None, None),
];

#[test]
fn aws_words_become_causes() {
    for (code, reason, exit_code, words, expected) in CASES {
        let task = stopped(code, reason, vec![container(exit_code, words)]);
        assert_eq!(kind(&task), expected, "{reason}");
    }
}

#[test]
fn a_registry_says_why_it_gives_no_image() {
    let pull = |words: &str| Pull::read(&format!("CannotPullContainerError: {words}"));
    let cases = [
        (
            "failed to resolve reference \"a:1\": a:1: not found",
            Pull::Missing,
            true,
        ),
        (
            "Error response from daemon: manifest for a:1 not found: manifest unknown",
            Pull::Missing,
            true,
        ),
        (
            "pull access denied for a, repository does not exist or may require 'docker login'",
            Pull::Denied,
            true,
        ),
        ("denied: requested access to the resource is denied", Pull::Denied, true),
        ("no basic auth credentials", Pull::Denied, true),
        (
            "image Manifest does not contain descriptor matching platform 'linux/amd64'",
            Pull::Platform,
            true,
        ),
        (
            "toomanyrequests: You have reached your pull rate limit.",
            Pull::RateLimited,
            false,
        ),
        (
            "failed to register layer: write /a: no space left on device",
            Pull::DiskFull,
            false,
        ),
        ("dial tcp 172.16.54.241:443: i/o timeout", Pull::Unreachable, false),
        ("ref pull has been retried 5 time(s)", Pull::Unknown, false),
    ];
    for (words, expected, is_final) in cases {
        assert_eq!((pull(words), pull(words).is_final()), (expected, is_final), "{words}");
    }
}
#[test]
fn the_container_that_ended_by_itself_is_the_cause() {
    let code = |codes: [Option<i32>; 2]| {
        let containers = codes.map(|code| container(code, None)).to_vec();
        let task = stopped(
            "EssentialContainerExited",
            "Essential container in task exited",
            containers,
        );
        match read(&task, &[]).map(|failure| failure.cause) {
            Some(Cause::Exit { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code([Some(137), Some(1)]), Some(1), "the other was killed for it");
    assert_eq!(code([Some(0), Some(2)]), Some(2));
    assert_eq!(code([Some(143), Some(137)]), Some(143), "there is no other cause");
    assert_eq!(code([None, Some(0)]), Some(0), "it was not to end at all");
}

#[test]
fn what_is_no_known_failure_is_told_in_ecss_words_or_not_at_all() {
    let ended = |code: &str, reason: &str| kind(&stopped(code, reason, vec![container(Some(0), None)]));
    assert_eq!(ended("TaskFailedToStart", "something new"), Some("other"));
    assert_eq!(ended("TaskFailedToStart", ""), None);
    assert_eq!(ended("UserInitiated", "Task stopped by user"), None);
    assert_eq!(ended("", "Scaling activity initiated by (deployment ecs-svc/1)"), None);
}

#[test]
fn a_port_in_use_is_known_by_either_of_its_wordings() {
    for words in ["port is already allocated", "bind: address already in use"] {
        let task = stopped("TaskFailedToStart", "", vec![container(None, Some(words))]);
        assert_eq!(kind(&task), Some("port-in-use"), "{words}");
    }
}

#[test]
fn what_keeps_a_task_from_starting_says_more_than_how_it_ended() {
    let image = Cause::ImagePull {
        container: "web".into(),
        image: None,
        message: String::new(),
        pull: Pull::read(""),
    };
    let capacity = Cause::NoCapacity { message: String::new() };
    let exit = Cause::Exit {
        container: "web".into(),
        code: Some(1),
        message: None,
    };
    let other = Cause::Other { message: String::new() };
    let by_weight = [&other, &Cause::ContainerUnhealthy, &exit, &capacity, &image];
    assert!(by_weight.is_sorted_by(|a, b| a.weight() < b.weight()));
    let is_before = by_weight.map(Cause::is_before_start);
    assert_eq!(is_before, [false, false, false, true, true]);
}
