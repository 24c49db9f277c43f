//! What a time-out says of that for which it has waited, and what a success says of the time without a target.

use super::*;
use crate::aws_model::task::ContainerInstance;
use crate::base::finding::Finding;

const PROTECTED: &str = "(service web) was unable to reach steady state because (taskSet ecs-svc/1) was unable to scale \
                         in due to (reason 1 tasks under protection)";

/// The new task serves, and an old one is left.
fn beside_an_old_one(status: TaskStatus, desired: TaskStatus, event: Option<&str>) -> Snapshot {
    let mut snapshot = healthy();
    snapshot.tasks.push(Task {
        last_status: status,
        desired_status: desired,
        container_instance: Some("container-instance/1".into()),
        ..task("10.0.0.9", OLD)
    });
    snapshot.instances = Some([("container-instance/1".into(), ContainerInstance::plain())].into());
    for service in snapshot.service.iter_mut() {
        service.events.extend(event.map(|message| ServiceEvent {
            id: "e-1".into(),
            created_at: None,
            message: message.into(),
        }));
    }
    snapshot
}

/// What the run ends with when its time is up, with this look as the last.
fn at_the_end(snapshot: &Snapshot) -> Finding {
    let mut observer = observer();
    assert_eq!(verdict(&see(&mut observer, 1, snapshot.clone())), None);
    let step = see(&mut observer, 100, snapshot.clone());
    let Next::Done(outcome) = step.next else {
        panic!("{step:?}")
    };
    assert_eq!(outcome.verdict, Verdict::TimedOut);
    outcome.findings.last().cloned().expect("a finding")
}

fn hint(finding: &Finding) -> &str {
    finding.hints[0].as_str()
}

#[test]
fn t07_protected_old_tasks_are_told_in_the_words_of_ecs() {
    let kept = beside_an_old_one(TaskStatus::Running, TaskStatus::Running, Some(PROTECTED));
    let finding = at_the_end(&kept);
    assert!(
        finding.evidence.contains(&("ecs".into(), PROTECTED.into())),
        "{finding:?}"
    );
    assert!(hint(&finding).contains("update-task-protection --cluster c --tasks 10.0.0.9 --no-protection-enabled"));
    // Without that word nobody knows why; and who has been told to stop is protected no more.
    let unsaid = at_the_end(&beside_an_old_one(TaskStatus::Running, TaskStatus::Running, None));
    assert_eq!(hint(&unsaid), "set a longer `--timeout` if the rollout is only slow");
    let stopping = at_the_end(&beside_an_old_one(
        TaskStatus::Stopping,
        TaskStatus::Stopped,
        Some(PROTECTED),
    ));
    assert_eq!(
        hint(&stopping),
        "set a longer `--timeout`, or lower `stopTimeout` of the containers"
    );
    assert!(stopping.evidence.iter().all(|(label, _)| label.as_str() != "ecs"));
}

#[test]
fn t07_an_instance_whose_agent_is_disconnected_is_named() {
    let mut snapshot = beside_an_old_one(TaskStatus::Deactivating, TaskStatus::Stopped, None);
    let connected = at_the_end(&snapshot);
    assert!(hint(&connected).contains("deregistration delay"), "{connected:?}");
    for instance in snapshot.instances.iter_mut().flat_map(BTreeMap::values_mut) {
        instance.agent_connected = false;
    }
    let finding = at_the_end(&snapshot);
    let told = "i-1: its ECS agent is disconnected; 1 old task cannot stop there";
    assert!(
        finding.evidence.contains(&("instance".into(), told.into())),
        "{finding:?}"
    );
    assert!(hint(&finding).starts_with("connect the ECS agent of i-1 again"));
    // It serves on: nobody has told it to stop, so that its agent holds nothing up.
    for task in snapshot
        .tasks
        .iter_mut()
        .filter(|task| task.desired_status == TaskStatus::Stopped)
    {
        (task.last_status, task.desired_status) = (TaskStatus::Running, TaskStatus::Running);
    }
    assert!(!hint(&at_the_end(&snapshot)).contains("agent"));
}

#[test]
fn t07_a_capacity_provider_that_launches_no_instance_is_named() {
    let provisioning = |provider: &str| {
        let mut snapshot = starting();
        for task in &mut snapshot.tasks {
            task.last_status = TaskStatus::Provisioning;
            task.capacity_provider = Some(provider.into());
        }
        at_the_end(&snapshot)
    };
    let finding = provisioning("asg-web");
    let told = "asg-web: 1 new task PROVISIONING, without an instance";
    assert!(
        finding.evidence.contains(&("provider".into(), told.into())),
        "{finding:?}"
    );
    assert!(hint(&finding).contains("describe-capacity-providers --capacity-providers asg-web"));
    assert_eq!(
        hint(&provisioning("FARGATE_SPOT")),
        "set a longer `--timeout` if the rollout is only slow"
    );
}

#[test]
fn t10_the_time_without_a_healthy_target_is_told_after_a_success() {
    let old = |state| {
        let mut snapshot = healthy();
        snapshot.targets = BTreeMap::from([(
            TargetGroupArn::from(GROUP),
            vec![TargetHealth::plain("10.0.0.9", state)],
        )]);
        snapshot.tasks = vec![task("10.0.0.9", OLD)];
        snapshot
    };
    let ends = |between: &[(i64, Snapshot)]| {
        let mut observer = Observer::new(scope(), Baseline::default(), &old(TargetState::Healthy), at(0));
        for (seconds, snapshot) in between {
            assert_eq!(verdict(&see(&mut observer, *seconds, snapshot.clone())), None);
        }
        assert_eq!(verdict(&see(&mut observer, 60, healthy())), None);
        let step = see(&mut observer, 80, healthy());
        let Next::Done(outcome) = step.next else {
            panic!("{step:?}")
        };
        assert_eq!(outcome.verdict, Verdict::Succeeded);
        let mut told = outcome
            .findings
            .into_iter()
            .filter(|found| found.code == Code::NoHealthyTarget);
        told.next().map(|found| found.summary)
    };
    let gap = [(10, old(TargetState::Draining)), (40, starting())];
    let told = "`web` had no healthy target for 50s while it rolled out";
    assert_eq!(ends(&gap).as_deref(), Some(told));
    assert_eq!(ends(&[(10, old(TargetState::Healthy))]), None);
}
