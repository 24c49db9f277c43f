use super::*;
use crate::aws_model::service::{DeploymentStatus, ServiceEvent};
use crate::aws_model::target::{TargetHealth, TargetState};
use crate::base::id::{TargetGroupArn, TargetKey};
use crate::base::time::Timestamp;

const OLD: &str = "ecs-svc/1";
const OURS: &str = "ecs-svc/2";
const NEWER: &str = "ecs-svc/3";

fn row(id: &str, status: DeploymentStatus, state: RolloutState) -> Deployment {
    let number = id.trim_start_matches("ecs-svc/");
    Deployment {
        id: id.into(),
        status,
        task_definition: format!("task-definition/web:{number}").into(),
        rollout_state: Some(state),
        created_at: number.parse().ok().map(at),
        ..Deployment::plain()
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000)
}

fn record(id: &str, status: ServiceDeploymentStatus) -> ServiceDeployment {
    let number: u32 = id.trim_start_matches("ecs-svc/").parse().unwrap();
    ServiceDeployment {
        arn: format!("service-deployment/{number}"),
        status,
        status_reason: Some("why".into()),
        target_revision: Some(number.to_string()),
        source_revisions: vec![(number - 1).to_string()],
        created_at: Some(at(i64::from(number))),
        ..ServiceDeployment::plain()
    }
}

fn task(started_by: &str) -> Task {
    Task {
        arn: format!("task/{started_by}").as_str().into(),
        started_by: Some(started_by.into()),
        task_definition: "task-definition/web:9".into(),
        ..Task::plain()
    }
}

/// What AWS shows of a service, to be told in one line each.
#[derive(Default)]
struct World {
    rows: Vec<Deployment>,
    history: Option<Vec<ServiceDeployment>>,
    revisions: BTreeMap<DeploymentId, TaskDefinitionArn>,
    tasks: Vec<Task>,
    events: Vec<ServiceEvent>,
    targets: BTreeMap<TargetGroupArn, Vec<TargetHealth>>,
}

impl World {
    fn look<T>(&self, of: impl FnOnce(AttachEvidence<'_>) -> T) -> T {
        let service = Service {
            deployments: self.rows.clone(),
            events: self.events.clone(),
            ..Service::plain()
        };
        let snapshot = Snapshot {
            service: Some(service.clone()),
            tasks: self.tasks.clone(),
            instances: Some(BTreeMap::new()),
            targets: self.targets.clone(),
            ..Snapshot::default()
        };
        of(AttachEvidence {
            service: &service,
            snapshot: &snapshot,
            history: self.history.as_deref(),
            revisions: &self.revisions,
        })
    }

    /// The followed deployment with its revisions, or the verdict on what is over.
    fn candidate(&self, wanted: Option<&str>) -> String {
        let wanted = wanted.map(DeploymentId::from);
        let short = |arn: &Option<TaskDefinitionArn>| arn.as_ref().map_or("?", |arn| arn.short()).to_owned();
        match self.look(|attach_evidence| attach_evidence.candidate(wanted.as_ref())) {
            Candidate::Follow(ours) => format!(
                "{} {} -> {}",
                ours.deployment,
                short(&ours.previous),
                short(&ours.task_definition)
            ),
            Candidate::Over { outcome, .. } => outcome.verdict.as_str().to_owned(),
        }
    }
}

fn rolling_out() -> World {
    World {
        rows: vec![
            row(OURS, DeploymentStatus::Primary, RolloutState::InProgress),
            row(OLD, DeploymentStatus::Active, RolloutState::Completed),
        ],
        ..World::default()
    }
}

fn rolling_back() -> World {
    let mut back = row(OLD, DeploymentStatus::Primary, RolloutState::InProgress);
    back.rollout_state_reason = Some("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".into());
    // As on AWS: the time of the rollback.
    back.created_at = Some(at(5));
    World {
        rows: vec![back, row(OURS, DeploymentStatus::Active, RolloutState::Failed)],
        ..World::default()
    }
}

fn only(id: &str) -> World {
    World {
        rows: vec![row(id, DeploymentStatus::Primary, RolloutState::Completed)],
        ..World::default()
    }
}

fn with_history(mut world: World, newest_first: &[(&str, ServiceDeploymentStatus)]) -> World {
    let records = newest_first.iter().map(|(id, status)| record(id, status.clone()));
    world.history = Some(records.collect());
    world
}

#[test]
fn the_primary_is_what_is_rolled_out() {
    assert_eq!(rolling_out().candidate(None), "ecs-svc/2 web:1 -> web:2");
    assert_eq!(only(OURS).candidate(None), "ecs-svc/2 ? -> web:2");
}

#[test]
fn during_a_rollback_it_is_the_one_that_ecs_leaves() {
    use ServiceDeploymentStatus::{RollbackInProgress, RollbackSuccessful, Successful};
    let told = with_history(rolling_back(), &[(OURS, RollbackInProgress), (OLD, Successful)]);
    assert_eq!(told.candidate(None), "ecs-svc/2 web:1 -> web:2");
    assert_eq!(
        rolling_back().candidate(None),
        "ecs-svc/2 web:1 -> web:2",
        "without the service deployments"
    );
    let over = with_history(only(OLD), &[(OURS, RollbackSuccessful), (OLD, Successful)]);
    assert_eq!(over.candidate(None), "ecs-svc/2 web:1 -> ?");
    let mut nameless = rolling_back();
    nameless.rows.truncate(1);
    assert_eq!(nameless.candidate(None), "failed");
}

#[test]
fn what_only_the_newest_list_shows_is_what_is_rolled_out() {
    let mut world = with_history(only(OLD), &[(OURS, ServiceDeploymentStatus::InProgress)]);
    assert_eq!(
        world.look(|attach_evidence| attach_evidence.unknown(None)),
        [DeploymentId::from(OURS)]
    );
    world.revisions.insert(OURS.into(), "task-definition/web:7".into());
    assert_eq!(world.candidate(None), "ecs-svc/2 web:1 -> web:7");
}

#[test]
fn a_deployment_that_is_no_longer_listed_is_told_by_its_service_deployment() {
    use ServiceDeploymentStatus as Status;
    for (status, newer, verdict) in [
        (Status::Successful, true, "superseded"),
        (Status::Stopped, true, "superseded"),
        (Status::Stopped, false, "failed"),
        (Status::RollbackSuccessful, true, "failed"),
        (Status::RollbackSuccessful, false, "ecs-svc/2 web:3 -> ?"),
        (Status::InProgress, false, "ecs-svc/2 web:3 -> ?"),
        (Status::Successful, false, "could-not-observe"),
        (Status::Unknown("PAUSED".into()), true, "could-not-observe"),
    ] {
        let mut history = vec![(OURS, status.clone())];
        if newer {
            history.insert(0, (NEWER, Status::Successful));
        }
        let world = with_history(only(NEWER), &history);
        assert_eq!(world.candidate(Some(OURS)), verdict, "{status:?}, newer: {newer}");
    }
    assert_eq!(only(NEWER).candidate(Some(OURS)), "could-not-observe");
}

#[test]
fn a_listed_deployment_is_followed_whoever_is_primary() {
    let mut world = rolling_out();
    world.rows[0].status = DeploymentStatus::Active;
    world
        .rows
        .insert(0, row(NEWER, DeploymentStatus::Primary, RolloutState::InProgress));
    assert_eq!(world.candidate(Some(OURS)), "ecs-svc/2 web:1 -> web:2");
    let ours = DeploymentId::from(OURS);
    // The newer one is no part of what was there before: it will be told as what it is.
    let known = |before: Snapshot| {
        before
            .service
            .unwrap()
            .deployments
            .iter()
            .map(|d| d.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        world.look(|attach_evidence| known(attach_evidence.before(&ours))),
        [OLD]
    );
    // Whereas the one that ECS goes back to is.
    assert_eq!(
        rolling_back().look(|attach_evidence| known(attach_evidence.before(&ours))),
        [OLD]
    );
}

#[test]
fn what_was_there_before_is_what_is_not_of_the_deployment() {
    let event = |id: &str, minute| ServiceEvent {
        id: id.into(),
        created_at: Some(at(minute)),
        message: String::new(),
    };
    let mut world = rolling_out();
    world.tasks = vec![task(OLD), task(OURS)];
    world.events = vec![event("late", 3), event("early", 1)];
    let before = world.look(|attach_evidence| attach_evidence.before(&OURS.into()));
    assert_eq!(before.tasks, [task(OLD)]);
    let events = before.service.unwrap().events;
    assert_eq!(events.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["early"]);
}

#[test]
fn a_target_that_drains_and_is_nobodys_is_waited_for() {
    let group = TargetGroupArn::from("targetgroup/web/1");
    let target = |port, state| TargetHealth {
        key: TargetKey::new("i-1", port),
        state,
        reason: None,
        description: None,
    };
    let mut world = rolling_out();
    let rows = vec![target(1, TargetState::Healthy), target(2, TargetState::Draining)];
    world.targets.insert(group.clone(), rows);
    let ports = |world: &World| -> Vec<u16> {
        world.look(|attach_evidence| {
            let before = attach_evidence.before(&OURS.into());
            let places = attach_evidence.baseline(&before, &scope()).places;
            places.iter().map(|(_, key)| key.port).collect()
        })
    };
    assert_eq!(ports(&world), [2], "what is registered by hand is left alone");
    // An old task without an instance, as on Fargate, can be told by its address.
    world.tasks = vec![task(OLD)];
    assert_eq!(ports(&world), [2]);
    // The instance of an old task is gone, and with it the way to its target: it may be any that nobody claims.
    let mut lost = task(OLD);
    lost.container_instance = Some("container-instance/c/1".into());
    world.tasks = vec![lost];
    assert_eq!(ports(&world), [1, 2]);
}

fn scope() -> Scope {
    Scope::plain()
}

#[test]
fn the_newest_record_counts_where_it_is_newer_than_the_list_and_still_open() {
    use ServiceDeploymentStatus::{InProgress, Successful};
    let over = with_history(only(OLD), &[(OURS, Successful), (OLD, Successful)]);
    assert_eq!(over.candidate(None), "ecs-svc/1 ? -> web:1");
    // It is listed behind a PRIMARY that no record shows yet.
    let mut behind = rolling_out();
    behind.rows[0].status = DeploymentStatus::Active;
    let newer = row(NEWER, DeploymentStatus::Primary, RolloutState::InProgress);
    behind.rows.insert(0, newer);
    let behind = with_history(behind, &[(OURS, InProgress)]);
    assert_eq!(behind.candidate(None), "ecs-svc/3 web:1 -> web:3");
}

#[test]
fn of_two_that_ecs_may_be_leaving_it_is_the_failed_one() {
    let mut world = rolling_back();
    world
        .rows
        .push(row(NEWER, DeploymentStatus::Active, RolloutState::InProgress));
    assert_eq!(world.candidate(None), "ecs-svc/2 web:1 -> web:2");
}

#[test]
fn an_older_primary_is_what_ecs_goes_back_to() {
    let mut world = rolling_out();
    world.rows[0].status = DeploymentStatus::Active;
    world.rows[1].status = DeploymentStatus::Primary;
    let mut busiest = row("ecs-svc/0", DeploymentStatus::Active, RolloutState::Completed);
    busiest.running_count = 5;
    world.rows.push(busiest);
    assert_eq!(world.candidate(Some(OURS)), "ecs-svc/2 web:1 -> web:2");
    // Where nothing says which is older, what runs most is what was there before.
    world.rows[1].created_at = world.rows[0].created_at;
    assert_eq!(world.candidate(Some(OURS)), "ecs-svc/2 web:0 -> web:2");
}

#[test]
fn what_is_over_is_told_with_what_came_of_it() {
    use ServiceDeploymentStatus::{RollbackSuccessful, Stopped, Successful};
    let told = |status, newer: bool| {
        let mut history = vec![(OURS, status)];
        if newer {
            history.insert(0, (NEWER, Successful));
        }
        let mut world = with_history(only(NEWER), &history);
        // Its revision is known by a task of its own alone.
        let mut own = task(OURS);
        own.task_definition = "task-definition/web:7".into();
        world.tasks = vec![task(OLD), own];
        let candidate = world.look(|attach_evidence| attach_evidence.candidate(Some(&OURS.into())));
        let Candidate::Over { ours, outcome } = candidate else {
            panic!("it is followed")
        };
        let revision = ours.and_then(|ours| ours.task_definition);
        assert_eq!(revision, Some("task-definition/web:7".into()));
        let finding = outcome.findings.into_iter().next().unwrap();
        assert_eq!(
            finding.state.as_deref(),
            Some("`web` has ecs-svc/3 as PRIMARY (web:3): 1 of 1 tasks running")
        );
        (outcome.is_rolled_back, finding.summary, finding.evidence)
    };
    let head = "deployment ecs-svc/2 (web:7) of `web` is over:";
    let (is_rolled_back, summary, evidence) = told(RollbackSuccessful, true);
    assert!(is_rolled_back);
    assert_eq!(summary, format!("{head} ECS rolled it back"));
    assert!(evidence.contains(&("then".into(), "ecs-svc/3 (web:3)".into())));
    let (is_rolled_back, summary, evidence) = told(Successful, true);
    assert!(!is_rolled_back);
    assert!(
        summary.starts_with(&format!("{head} ECS called it successful")),
        "{summary}"
    );
    assert!(evidence.contains(&("by".into(), "ecs-svc/3 (web:3)".into())));
    let (is_rolled_back, summary, _) = told(Stopped, true);
    assert!(!is_rolled_back);
    assert!(summary.starts_with(&format!("{head} it was stopped")), "{summary}");
    assert!(!told(Stopped, false).0, "nobody says that ECS went back");
}

#[test]
fn an_event_of_the_very_moment_is_of_the_deployment() {
    let mut world = rolling_out();
    world.events = vec![ServiceEvent {
        id: "first".into(),
        created_at: Some(at(2)),
        message: String::new(),
    }];
    let before = world.look(|attach_evidence| attach_evidence.before(&OURS.into()));
    assert_eq!(before.service.unwrap().events, []);
}

#[test]
fn an_earlier_rollback_is_remembered_where_ours_is_in_front_of_it() {
    let was_rolling_back = |world: &World| {
        world.look(|attach_evidence| {
            let before = attach_evidence.before(&OURS.into());
            attach_evidence.baseline(&before, &scope()).was_rolling_back
        })
    };
    let words = Some("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0.".to_owned());
    let mut world = rolling_out();
    assert!(!was_rolling_back(&world));
    world.rows[1].rollout_state_reason.clone_from(&words);
    assert!(was_rolling_back(&world));
    let mut behind = rolling_out();
    behind.rows[1].rollout_state_reason.clone_from(&words);
    behind.rows[0].status = DeploymentStatus::Active;
    behind.rows[1].status = DeploymentStatus::Primary;
    assert!(!was_rolling_back(&behind), "that is the rollback of ours");
    let mut own = rolling_out();
    own.rows[0].rollout_state_reason = words;
    assert!(!was_rolling_back(&own));
}

#[test]
fn at_rest_is_what_is_completed_with_nothing_old_left() {
    let at_rest = |world: &World| {
        world.look(|attach_evidence| {
            let before = attach_evidence.before(&OURS.into());
            is_at_rest(
                attach_evidence.snapshot,
                &scope(),
                &attach_evidence.baseline(&before, &scope()),
            )
        })
    };
    let mut world = only(OURS);
    assert!(at_rest(&world));
    world.tasks = vec![task(OLD)];
    assert!(!at_rest(&world), "an old task is there");
    assert!(!at_rest(&rolling_out()));
}

#[test]
fn what_a_deployment_replaces_is_what_its_record_names() {
    let mut world = with_history(only(NEWER), &[(OURS, ServiceDeploymentStatus::InProgress)]);
    let ours = DeploymentId::from(OURS);
    let unknown = world.look(|attach_evidence| attach_evidence.unknown(Some(&ours)));
    assert_eq!(unknown, [ours, DeploymentId::from(OLD)]);
    world.revisions.insert(OLD.into(), "task-definition/web:1".into());
    assert_eq!(world.candidate(Some(OURS)), "ecs-svc/2 web:1 -> ?");
}
