//! Reasons that public reports quote, each in AWS's own words: what they become, and which advice goes with them.

use super::*;

/// The words, the code, a part of the first line, and a part of the hint. `None`: no advice is better than a wrong one.
type Reason = (&'static str, Code, &'static str, Option<&'static str>);

#[rustfmt::skip]
const PULLS: [Reason; 11] = [
    ("CannotPullContainerError: pulling from host registry-1.docker.io failed with status code [manifests latest]: 429 Too Many \
      Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.",
        Code::ImagePull, "rate limit is reached", Some("log in at the registry")),
    ("CannotPullContainerError: failed to resolve ref example/web:42@sha256:8630: unexpected status from HEAD request to \
      https://r/v2/web/manifests/sha256:8630: 403 Forbidden",
        Code::ImagePull, "the registry refuses it", Some("the digest is still in the repository")),
    ("CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected \
      status code https://r/v2/x/blobs/sha256:abc: 403 Forbidden",
        Code::ImagePull, "the registry refuses it", Some("keeps its layers back")),
    ("CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob111111111: no space left on device",
        Code::ImagePull, "disk is full", Some("free the instance's disk")),
    ("CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'",
        Code::ImagePull, "not built for this platform", Some("build the image")),
    ("CannotPullContainerError: Error response from daemon: invalid reference format",
        Code::ImagePull, "no valid image reference", Some("correct `image` of container `web`")),
    ("CannotPullContainerError: context canceled", Code::ImagePull, "cannot be pulled", None),
    ("CannotPullContainerError: failed to extract layer sha256:aaaa: mount callback failed: unlinkat: input/output error",
        Code::ImagePull, "cannot be pulled", None),
    ("CannotPullImageManifestError: Error response from daemon: manifest unknown: manifest unknown",
        Code::ImagePull, "does not have it", Some("push ")),
    ("CannotPullECRContainerError: AccessDeniedException: User: x is not authorized to perform: ecr:GetAuthorizationToken",
        Code::ImagePull, "the registry refuses it", Some("may pull from it")),
    ("CannotPullContainerError: The task cannot pull example/web:42 from the registry r. There is a connection issue between the \
      task and the registry. Check your task network configuration. : failed to copy",
        Code::ImagePull, "is not reached", Some("reach the registry")),
];

#[rustfmt::skip]
const NEEDS: [Reason; 19] = [
    ("CannotStartContainerError: Error response from daemon: failed to create task for container: failed to initialize logging \
      driver: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, https response error \
      StatusCode: 400, RequestID: x, ResourceNotFoundException: The specified log group does not exist.",
        Code::Resources, "cannot log to `/ecs/web`", Some("create the log group")),
    ("CannotCreateVolumeError: Error response from daemon: get data: error looking up volume plugin rexray/ebs: plugin not found",
        Code::Resources, "a volume of new tasks", None),
    ("ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \
      \"fs-0123.efs.us-east-1.amazonaws.com\" - check that your file system ID is correct",
        Code::Resources, "a volume of new tasks", Some("mount targets")),
    ("TaskFailedToStart: EBS volume attachment timed out: Timeout waiting for volume vol-1 to attach",
        Code::Resources, "a volume of new tasks", None),
    ("ECS was unable to assume the role 'arn:aws:iam::111122223333:role/exec' that was provided for this task. Please verify that \
      the role being passed has the proper trust relationship and permissions",
        Code::Resources, "cannot assume the role `exec`", Some("ecs-tasks.amazonaws.com")),
    ("ResourceInitializationError: failed to download env files: file download command: non empty error stream: AccessDenied: \
      Access Denied status code: 403",
        Code::Resources, "an environment file", Some("s3:GetObject")),
    ("ResourceInitializationError: failed to configure service connect: Service Connect agent did not become healthy in time",
        Code::Resources, "cannot get what they need", None),
    ("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve \
      secret from asm: retrieved secret from Secrets Manager did not contain json key password",
        Code::Secret, "a secret has no key `password`", Some("add that key to the secret")),
    ("ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: The task cannot \
      find the parameter(s): /prod/db/url, /prod/db/pass. Invalid parameters.",
        Code::Secret, "there is no secret `/prod/db/url`", Some("create it")),
    ("ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: \
      There is a connection issue between the task and Amazon ECR.",
        Code::Resources, "no login", Some("a way to Amazon ECR")),
    ("Network interface provision failed: There are no available IP addresses in subnet subnet-0123.",
        Code::NoCapacity, "no free address", Some("free addresses in that subnet")),
    ("Timeout waiting for network interface provisioning to complete.", Code::NoCapacity, "gets no network interface", None),
    ("You've reached the limit on the number of vCPUs you can run concurrently", Code::NoCapacity, "a quota of the account",
        Some("a higher quota")),
    ("Capacity is unavailable at this time. Please try again later or in a different availability zone", Code::NoCapacity,
        "AWS gives no capacity", Some("more Availability Zones")),
    ("TaskFailedToStart: EMPTY CAPACITY PROVIDER", Code::NoCapacity, "has no container instance", None),
    ("Timeout waiting for EBS volume attachment to complete.", Code::Resources, "a volume of new tasks", None),
    ("ResourceInitializationError: Timeout waiting for the agent to be ready.", Code::Resources, "cannot get what they need", None),
    ("ResourceInitializationError: send request failed: dial tcp 10.0.0.1:443: i/o timeout",
        Code::Resources, "cannot get what they need", Some("way to AWS")),
    ("InternalError: Something went wrong on our side.", Code::DeploymentFailed, "new tasks of `web` stop", None),
];

#[rustfmt::skip]
const STARTS: [Reason; 7] = [
    ("DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
        Code::ContainerExit, "cannot be started", Some("Docker does not answer")),
    ("CannotInspectContainerError: Could not transition to inspecting; timed out after waiting 30s",
        Code::ContainerExit, "cannot be started", Some("Docker does not answer")),
    ("CannotCreateContainerError: Error response from daemon: devmapper: Thin Pool has 1 free data blocks which is less than minimum",
        Code::ContainerExit, "cannot be started", Some("free the instance's disk")),
    ("CannotStartContainerError: Error response from daemon: could not select device driver \"nvidia\" with capabilities: [[gpu]]",
        Code::ContainerExit, "cannot be started", Some("have the device")),
    ("CannotStartContainerError: Error response from daemon: OCI runtime create failed: runc create failed: unable to start \
      container process: exec: \"node\": executable file not found in $PATH: unknown",
        Code::ContainerExit, "cannot be started", Some("check the command")),
    ("CannotStartContainerError: Error response from daemon: OCI runtime create failed: exec /app: exec format error",
        Code::ContainerExit, "cannot be started", Some("for the processor")),
    ("CannotStartContainerError: Error response from daemon: something new", Code::ContainerExit, "cannot be started", None),
];

/// What is found of two tasks that AWS explains with these words, in the task or in its container.
fn found(words: &str, is_of_task: bool) -> Finding {
    let fail = |id: &str| {
        let mut task = ended(id, "TaskFailedToStart", "Task failed to start", None);
        task.containers[0].image = Some("example/web:42".into());
        if is_of_task {
            task.stopped_reason = Some(words.into());
        } else {
            task.containers[0].reason = Some(words.into());
        }
        task
    };
    let evidence = seen(&[snapshot(vec![fail("a"), fail("b")], Vec::new())]);
    evidence.likely_cause(&scope()).expect("a cause")
}

fn assert_read(reasons: &[Reason], is_of_task: bool) {
    for (words, code, summary, hint) in reasons {
        let found = found(words, is_of_task);
        assert_eq!(found.code, *code, "{words}: {found:#?}");
        assert!(found.summary.contains(summary), "{words}: {found:#?}");
        assert!(
            found.evidence.iter().any(|(_, text)| text == words),
            "the raw words: {found:#?}"
        );
        match hint {
            Some(hint) => assert!(found.hints[0].contains(hint), "{words}: {found:#?}"),
            None => assert!(found.hints.is_empty(), "{words}: {found:#?}"),
        }
    }
}

#[test]
fn t08_a_reason_is_read_wherever_it_stands() {
    for is_of_task in [true, false] {
        assert_read(&PULLS, is_of_task);
        assert_read(&NEEDS[..10], is_of_task);
        assert_read(&STARTS, is_of_task);
    }
    // Those that only a task has.
    assert_read(&NEEDS[10..], true);
}

#[test]
fn t08_the_image_that_the_task_names_is_the_one_that_is_blamed() {
    let mut task = ended(
        "a",
        "TaskFailedToStart",
        "CannotPullContainerError: example/proxy:7: not found",
        None,
    );
    task.containers.push(Container {
        name: "proxy".into(),
        image: Some("example/proxy:7".into()),
        ..Container::default()
    });
    task.containers[0].image = Some("example/web:42".into());
    let cause = seen(&[snapshot(vec![task], Vec::new())]).likely_cause(&scope());
    let summary = cause.expect("a cause").summary;
    assert!(
        summary.starts_with("the image example/proxy:7 cannot be pulled"),
        "{summary}"
    );
}

/// What ECS says in an event where it could not even make a task.
fn heard(words: &str) -> Finding {
    let mut evidence = seen(&[snapshot(Vec::new(), Vec::new())]);
    assert!(evidence.hear(&event(words)), "{words}");
    evidence.likely_cause(&scope()).expect("a cause")
}

#[test]
fn t08_what_keeps_ecs_from_making_a_task_is_told_from_its_event() {
    let launch = |error: &str| heard(&format!("(service web) failed to launch a task with (error {error})."));
    let role = launch(
        "ECS was unable to assume the role 'arn:aws:iam::111122223333:role/exec' that was provided for this task",
    );
    assert_eq!(role.code, Code::Resources);
    assert!(role.hints[0].contains("trust policy"), "{role:#?}");
    let quota = launch("You've reached the limit on the number of vCPUs you can run concurrently");
    assert!(quota.summary.starts_with("a quota of the account"), "{quota:#?}");
    let new = launch("something new");
    assert_eq!((new.code, new.hints.len()), (Code::DeploymentFailed, 0));
    let place = |reason: &str| heard(&format!("(service web) was unable to place a task. Reason: {reason}."));
    let empty = place("No task can be placed: EMPTY CAPACITY PROVIDER");
    assert!(empty.hints[0].contains("capacity provider"), "{empty:#?}");
    let subnet = place("There are no available IP addresses in subnet subnet-0123");
    assert_eq!(
        subnet.hints[0].as_str(),
        "free addresses in that subnet, or give the service further subnets"
    );
    for finding in [role, quota, new, empty, subnet] {
        assert!(
            text(&finding, "ecs").is_some_and(|words| words.starts_with("(service web)")),
            "{finding:#?}"
        );
    }
}
