//! The joins and their order, on snapshots made by hand.

mod details;
mod hopeless;
mod own_end;
mod placement;
mod reasons;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::aws_model::service::{
    Balancer, Deployment, LoadBalancerBinding, Progress, RolloutState, Service, ServiceDeployment,
    ServiceDeploymentStatus,
};
use crate::aws_model::target::{TargetHealth, TargetState};
use crate::aws_model::task::{Container, ContainerInstance, NetworkBinding};
use crate::base::id::{ContainerInstanceArn, TargetGroupArn, TargetKey, TaskArn};
use crate::rollout::cause::container_facts::ContainerFacts;
use crate::rollout::scope::Needs;
use crate::rollout::view::baseline::Baseline;

const OURS: &str = "ecs-svc/2";
const OLD: &str = "ecs-svc/1";
const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0a1b2c3d4e5f6071";

fn at(seconds: i64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

fn scope() -> Scope {
    let document = serde_json::json!({"containerDefinitions": [{
        "name": "web", "image": "example/web:42", "memory": 256,
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "w"}},
    }]});
    Scope {
        cluster: "shop".into(),
        deployment: OURS.into(),
        task_definition: "arn:aws:ecs:us-east-1:111122223333:task-definition/web:42".into(),
        previous: Some("arn:aws:ecs:us-east-1:111122223333:task-definition/web:41".into()),
        good: Some("arn:aws:ecs:us-east-1:111122223333:task-definition/web:41".into()),
        bindings: vec![LoadBalancerBinding {
            balancer: Balancer::TargetGroup(GROUP.into()),
            container_port: 3000,
            ..LoadBalancerBinding::plain()
        }],
        needs: Needs {
            containers: ContainerFacts::of(&document),
            ..Needs::default()
        },
        ..Scope::plain()
    }
}

fn service() -> Service {
    Service {
        cluster: "shop".into(),
        desired_count: 2,
        running_count: 2,
        deployments: vec![Deployment {
            id: OURS.into(),
            task_definition: "web:42".into(),
            desired_count: 2,
            running_count: 0,
            rollout_state: Some(RolloutState::InProgress),
            ..Deployment::plain()
        }],
        ..Service::plain()
    }
}

/// A task on the container instance `home`, its port 3000 bound to `port`.
fn task(id: &str, deployment: &str, port: u16) -> Task {
    Task {
        arn: TaskArn::new(format!("arn:aws:ecs:us-east-1:111122223333:task/shop/{id}")),
        started_by: Some(deployment.into()),
        task_definition: "web:42".into(),
        container_instance: Some("container-instance/shop/home".into()),
        zone: Some("us-east-1a".into()),
        containers: vec![Container {
            name: "web".into(),
            network_bindings: vec![NetworkBinding {
                container_port: 3000,
                host_port: port,
            }],
            ..Container::default()
        }],
        ..Task::plain()
    }
}

fn ended(id: &str, code: &str, reason: &str, exit_code: Option<i32>) -> Task {
    let mut task = task(id, OURS, 32_768);
    task.last_status = TaskStatus::Stopped;
    task.desired_status = TaskStatus::Stopped;
    task.stop_code = Some(code.into());
    task.stopped_reason = Some(reason.into());
    task.containers[0].exit_code = exit_code;
    task
}

fn crashed(id: &str) -> Task {
    ended(
        id,
        "EssentialContainerExited",
        "Essential container in task exited",
        Some(1),
    )
}

fn home() -> ContainerInstance {
    ContainerInstance {
        arn: "container-instance/shop/home".into(),
        ec2_instance_id: Some("i-0abc".into()),
        vpc: Some("vpc-other".into()),
        ..ContainerInstance::plain()
    }
}

fn row(port: u16, state: TargetState, reason: &str, words: &str) -> TargetHealth {
    TargetHealth {
        key: TargetKey::new("i-0abc", port),
        state,
        reason: Some(reason.into()),
        description: Some(words.into()),
    }
}

fn snapshot(tasks: Vec<Task>, rows: Vec<TargetHealth>) -> Snapshot {
    let arn = ContainerInstanceArn::from("container-instance/shop/home");
    Snapshot {
        service: Some(service()),
        tasks,
        instances: Some(BTreeMap::from([(arn, home())])),
        targets: BTreeMap::from([(TargetGroupArn::from(GROUP), rows)]),
        ..Snapshot::default()
    }
}

fn collect(evidence: &mut Evidence, now: Moment, snapshot: &Snapshot) {
    let scope = scope();
    let baseline = Baseline::default();
    let old: BTreeSet<Place> = snapshot
        .tasks
        .iter()
        .filter(|task| task.started_by.as_ref() != Some(&scope.deployment))
        .flat_map(|task| join::old_places(task, snapshot, &scope))
        .collect();
    let view = View::of(snapshot, &scope, &baseline, &old);
    evidence.collect(now, snapshot, &view, &scope);
}

fn seen(looks: &[Snapshot]) -> Evidence {
    let mut evidence = Evidence::default();
    for (second, look) in (0..).zip(looks) {
        collect(&mut evidence, at(second * 2), look);
    }
    evidence
}

fn text<'a>(finding: &'a Finding, label: &str) -> Option<&'a str> {
    let found = finding.evidence.iter().find(|(of, _)| of == label);
    found.map(|(_, text)| text.as_str())
}

fn event(message: &str) -> ServiceEvent {
    ServiceEvent {
        id: message.into(),
        created_at: None,
        message: message.into(),
    }
}

#[test]
fn like_failures_are_counted_together_and_the_others_named_after_them() {
    let pull = "CannotPullContainerError: API error (500): Get https://registry-1.docker.io/v2/: net/http: request canceled \
                while waiting for connection (Client.Timeout exceeded while awaiting headers)";
    let mut unpulled = ended("c", "TaskFailedToStart", "Task failed to start", None);
    unpulled.containers[0].reason = Some(pull.into());
    let mut evidence = seen(&[snapshot(vec![crashed("a"), crashed("b"), unpulled], Vec::new())]);
    evidence.count_breaker(BreakerCount {
        failures: 2,
        threshold: Some(3),
        rolls_back: true,
    });
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert_eq!(cause.code, Code::ContainerExit);
    assert_eq!(text(&cause, "tasks"), Some("2 of 3 new tasks: `web` exit 1"));
    assert_eq!(text(&cause, "breaker"), Some("2 of 3 failures, then ECS rolls back"));
    let also = "1 of 3 new tasks: the image of `web` cannot be pulled";
    assert_eq!(text(&cause, "also"), Some(also));
    let stream = evidence.last_words(&cause).expect("a log stream");
    assert_eq!((stream.group.as_str(), stream.name.as_str()), ("/ecs/web", "w/web/b"));
    assert!(cause.hints.len() <= 2, "{:?}", cause.hints);
}

#[test]
fn of_two_kinds_alike_in_number_the_one_that_says_more_comes_first() {
    let unhealthy = format!("Task failed ELB health checks in (target-group {GROUP})");
    let symptom = ended("a", "ServiceSchedulerInitiated", &unhealthy, Some(137));
    let mut killed = crashed("b");
    killed.containers[0].exit_code = Some(137);
    // Three incident notes of 2026 print a small c.
    killed.containers[0].reason = Some("OutOfMemoryError: container killed due to memory usage".into());
    let evidence = seen(&[snapshot(vec![symptom, killed], Vec::new())]);
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert_eq!(cause.code, Code::OutOfMemory);
    assert_eq!(text(&cause, "limit"), Some("256 MiB (`memory` of container `web`)"));
}

#[test]
fn the_answer_is_held_against_what_is_wanted_and_what_the_old_revision_gives() {
    let rows = vec![
        row(32_768, TargetState::Healthy, "", ""),
        row(
            32_769,
            TargetState::Unhealthy,
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
        ),
    ];
    let look = || snapshot(vec![task("old", OLD, 32_768), task("new", OURS, 32_769)], rows.clone());
    let evidence = seen(&[look(), look()]);
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert!(cause.summary.ends_with("target group `web`: 503"), "{}", cause.summary);
    let check = text(&cause, "check").unwrap_or_default();
    assert!(
        check.contains("on port 3000 (host port 32769)") && check.ends_with("1 of 1 new target"),
        "{check}"
    );
    assert_eq!(text(&cause, "old"), Some("web:41 passes the same check"));
}

#[test]
fn silence_on_a_new_kind_of_port_points_to_the_security_group() {
    let hint_where_old_port_is = |port: u16| {
        let rows = vec![
            row(port, TargetState::Healthy, "", ""),
            row(32_769, TargetState::Unhealthy, "Target.Timeout", "Request timed out"),
        ];
        let look = || snapshot(vec![task("old", OLD, port), task("new", OURS, 32_769)], rows.clone());
        let cause = seen(&[look(), look()]).likely_cause(&scope()).expect("a cause");
        cause.hints[0].clone()
    };
    assert!(hint_where_old_port_is(80).contains("ephemeral ports 32768-65535"));
    assert!(hint_where_old_port_is(32_768).starts_with("the way is open"));
}

#[test]
fn an_instance_that_is_taken_back_is_infrastructure_and_no_failure() {
    let mut taken = ended(
        "a",
        "SpotInterruption",
        "Host EC2 (instance i-0abc) terminated.",
        Some(137),
    );
    let evidence = seen(&[snapshot(vec![taken.clone()], Vec::new())]);
    let warnings = evidence.besides(&scope());
    assert_eq!(warnings[0].code, Code::InstanceLost);
    assert_eq!(
        text(&warnings[0], "i-0abc"),
        Some("taken back by Spot, and with it 1 new task")
    );
    // What had ended before anybody looked is no part of it.
    taken.started_by = Some(OLD.into());
    assert!(seen(&[snapshot(vec![taken], Vec::new())]).besides(&scope()).is_empty());
}

#[test]
fn a_task_that_ends_without_a_word_has_its_instance_looked_up() {
    let moved = ended(
        "a",
        "ServiceSchedulerInitiated",
        "Scaling activity initiated by (deployment ecs-svc/2)",
        Some(143),
    );
    let mut evidence = seen(&[snapshot(vec![moved.clone()], Vec::new())]);
    assert!(evidence.wants_instances());
    let mut look = snapshot(vec![moved], Vec::new());
    look.capacity = Some(vec![ContainerInstance {
        status: "DRAINING".into(),
        ..home()
    }]);
    collect(&mut evidence, at(2), &look);
    assert!(!evidence.wants_instances());
    let warnings = evidence.besides(&scope());
    assert_eq!(
        text(&warnings[0], "i-0abc"),
        Some("set to DRAINING, and with it 1 new task")
    );
}

#[test]
fn a_target_in_another_vpc_is_hopeless_and_both_are_named() {
    let look = snapshot(vec![task("new", OURS, 32_769)], Vec::new());
    let mut evidence = seen(std::slice::from_ref(&look));
    evidence.hear(&event(&format!(
        "service web failed to register targets in target-group {GROUP} with (error InvalidTarget: The following targets \
         are not in the target group VPC 'vpc-0a1b': 'i-0abc')"
    )));
    let scope = scope();
    let view = View::of(&look, &scope, &Baseline::default(), &BTreeSet::new());
    let cause = evidence.certain_failure(&scope, &view, true, at(2)).expect("certain");
    assert_eq!(
        (text(&cause, "tasks in"), text(&cause, "group in")),
        (Some("vpc-other"), Some("vpc-0a1b"))
    );
}

#[test]
fn an_alarm_comes_before_what_was_overcome() {
    let mut look = snapshot(vec![crashed("a")], Vec::new());
    look.service_deployment = Some(ServiceDeployment {
        arn: String::new(),
        status: ServiceDeploymentStatus::RollbackInProgress,
        status_reason: Some(
            "Service deployment rolled back because one or more CloudWatch alarms were triggered.".into(),
        ),
        progress: Progress {
            triggered_alarms: vec!["web-5xx".into()],
            ..Progress::default()
        },
        ..ServiceDeployment::plain()
    });
    let cause = seen(&[look]).likely_cause(&scope()).expect("a cause");
    assert_eq!(
        cause.summary,
        "CloudWatch alarm `web-5xx` ended the deployment of web:42"
    );
    assert_eq!(text(&cause, "also"), Some("1 of 1 new task: `web` exit 1"));
}

#[test]
fn what_was_overcome_comes_after_what_holds_the_rollout_up_now() {
    let failing = || {
        row(
            32_769,
            TargetState::Unhealthy,
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
        )
    };
    let first = snapshot(vec![crashed("a")], Vec::new());
    let codes = |looks: &[Snapshot]| seen(looks).likely_cause(&scope()).map(|cause| cause.code);
    let tasks = || vec![crashed("a"), task("b", OURS, 32_768), task("c", OURS, 32_769)];
    let passing = row(32_768, TargetState::Healthy, "", "");
    let moved_on = snapshot(tasks(), vec![passing, failing()]);
    assert_eq!(codes(&[first.clone(), moved_on]), Some(Code::TargetUnhealthy));
    let no_better = snapshot(tasks(), vec![failing()]);
    assert_eq!(codes(&[first, no_better]), Some(Code::ContainerExit));
}

#[test]
fn an_instance_that_was_lost_besides_is_told_after_the_cause() {
    let lost = ended(
        "b",
        "TerminationNotice",
        "Host EC2 (instance i-0abc) terminated.",
        Some(137),
    );
    let evidence = seen(&[snapshot(vec![crashed("a"), lost], Vec::new())]);
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert_eq!(cause.code, Code::ContainerExit);
    assert_eq!(text(&cause, "also"), Some("infrastructure: instance i-0abc terminated"));
}

#[test]
fn how_an_instance_left_is_told_by_the_code_or_by_the_words() {
    let how = |code: &str, reason: &str| {
        let evidence = seen(&[snapshot(vec![ended("a", code, reason, Some(137))], Vec::new())]);
        let warnings = evidence.besides(&scope());
        warnings
            .first()
            .and_then(|warning| text(warning, "i-0abc"))
            .map(str::to_owned)
    };
    let told = |words: &str| Some(format!("{words}, and with it 1 new task"));
    assert_eq!(how("TerminationNotice", "Going away"), told("terminated"));
    assert_eq!(
        how("InfrastructureHealth", "(instance i-0abc)"),
        told("found unhealthy by ECS")
    );
    assert_eq!(how("", "Host EC2 (instance i-0abc) terminated."), told("terminated"));
    assert_eq!(
        how("", "Container instance deregistration forced by user"),
        told("deregistered from the cluster")
    );
    assert_eq!(how("", "Essential container in task exited"), None);
}

#[test]
fn the_log_of_a_task_behind_a_failing_target_is_known_while_it_runs() {
    let rows = vec![row(
        32_769,
        TargetState::Unhealthy,
        "Target.Timeout",
        "Request timed out",
    )];
    let mut running = task("new", OURS, 32_769);
    running.containers[0].runtime_id = Some("r-1".into());
    let evidence = seen(&[snapshot(vec![running], rows)]);
    let cause = evidence.likely_cause(&scope()).expect("a cause");
    assert_eq!(cause.code, Code::TargetUnhealthy);
    assert_eq!(
        evidence.last_words(&cause).map(|stream| stream.name.as_str()),
        Some("w/web/new")
    );
    // Which container ended is not told by a target.
    let other = Finding::error(Code::ContainerUnhealthy, "");
    assert_eq!(evidence.last_words(&other), None);
}
