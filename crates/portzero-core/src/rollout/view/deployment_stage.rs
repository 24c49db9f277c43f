//! How far a blue/green, linear or canary deployment is, and what its stage waits for: pure functions of one view.

use std::time::Duration;

use crate::aws_model::service::{ServiceDeployment, ServiceDeploymentStatus, Stage, WHOLE};
use crate::base::time::Moment;
use crate::rollout::scope::{Scope, Until};
use crate::rollout::view::View;
use crate::rollout::view::waiting::{HookWait, StageWait, WaitingOn};

/// Between two looks, and between two lines, while only a stage's time passes: stages last minutes, a bake time hours and
/// a pause days. Fifteen seconds is one round and a half of ECS's scheduler.
pub(crate) const POLL: Duration = Duration::from_secs(15);
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(300);

/// Since when a stage, and in it a share of the production traffic, has been seen. AWS tells neither.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenStage {
    pub stage: Option<String>,
    pub production: Option<u32>,
    pub since: Moment,
}

impl SeenStage {
    /// What is remembered after a look.
    pub(crate) fn after(before: Option<Self>, view: &View, now: Moment) -> Option<Self> {
        let progress = &view.deployment?.progress;
        let is_same = |seen: &Self| seen.stage == progress.stage && seen.production == progress.production_traffic;
        before.filter(is_same).or_else(|| {
            Some(Self {
                stage: progress.stage.clone(),
                production: progress.production_traffic,
                since: now,
            })
        })
    }
}

/// The stage, where it is known and the deployment goes on.
pub(crate) fn of(view: &View) -> Option<Stage> {
    let deployment = view.deployment.filter(|d| is_under_way(d))?;
    Stage::named(deployment.progress.stage.as_deref()?)
}

/// Whether the traffic has yet to shift, as far as is known.
pub(crate) fn is_shifting(view: &View) -> bool {
    is_ahead(view) && of(view).is_none_or(|stage| stage < Stage::BakeTime)
}

/// Whether the old tasks are still meant to be there: anything before the clean-up.
fn is_ahead(view: &View) -> bool {
    if !view.is_staged || view.is_completed {
        return false;
    }
    match view.deployment {
        Some(deployment) => is_under_way(deployment) && of(view) != Some(Stage::CleanUp),
        // Nobody tells the stage: as long as nothing old goes, it is not the last one.
        None => !view.old_tasks.is_empty() && view.is_nothing_old_leaving(),
    }
}

fn is_under_way(deployment: &ServiceDeployment) -> bool {
    use ServiceDeploymentStatus::{InProgress, Pending};
    matches!(deployment.status, Pending | InProgress)
}

/// Whether the stage that was asked for, or a later one, is there.
pub(crate) fn is_reached(view: &View, goal: Stage) -> bool {
    view.is_completed || of(view).is_some_and(|stage| stage >= goal)
}

/// What is still missing of the stages for what was asked for; hooks that hold one up stand in its place.
pub(crate) fn missing(view: &View, scope: &Scope, seen: Option<&SeenStage>, now: Moment) -> Vec<WaitingOn> {
    let is_missing = match scope.until {
        Until::Stage(goal) => !is_reached(view, goal),
        Until::Registered => false,
        Until::Healthy | Until::Drained => is_ahead(view),
    };
    if !is_missing {
        return Vec::new();
    }
    let hooks = hooks(view, now);
    if !hooks.is_empty() {
        return hooks;
    }
    let progress = view.deployment.map(|d| &d.progress);
    vec![WaitingOn::Stage(StageWait {
        stage: progress.and_then(|p| p.stage.clone()),
        revision: scope.task_definition.short().to_owned(),
        production: progress.and_then(|p| p.production_traffic),
        test: progress.and_then(|p| p.test_traffic),
        left: left(view, seen, now),
    })]
}

/// The hooks that hold the deployment up.
pub(crate) fn hooks(view: &View, now: Moment) -> Vec<WaitingOn> {
    let Some(deployment) = view.deployment.filter(|d| is_under_way(d)) else {
        return Vec::new();
    };
    let open = deployment.progress.hooks.iter().filter(|hook| hook.is_open());
    open.map(|hook| {
        WaitingOn::Hook(HookWait {
            id: hook.id.clone(),
            kind: hook.target_type.clone(),
            stage: deployment.progress.stage.clone(),
            expires: hook.expires_at.map(|at| (at, at.since(now.wall()))),
            then: hook.timeout_action.clone(),
            deployment: deployment.arn.clone(),
        })
    })
    .collect()
}

/// Whether nothing but time, or somebody's decision, is waited for.
pub(crate) fn is_slow(waiting: &[WaitingOn]) -> bool {
    !waiting.is_empty()
        && waiting
            .iter()
            .all(|w| matches!(w, WaitingOn::Stage(_) | WaitingOn::Hook(_)))
}

/// What is left of the bake time, or of the wait for the next step. It is counted from when the stage was first seen, so
/// the real end comes earlier, and never later.
pub(crate) fn left(view: &View, seen: Option<&SeenStage>, now: Moment) -> Option<Duration> {
    let configuration = view.configuration?;
    let spent = now.since(seen?.since);
    let lasts = match of(view)? {
        Stage::BakeTime => configuration.bake_time?,
        Stage::ProductionTrafficShift if seen?.production.is_some_and(|share| share < WHOLE) => {
            configuration.steps?.bake
        }
        _ => return None,
    };
    Some(lasts.saturating_sub(spent)).filter(|_| !lasts.is_zero())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::aws_model::service::{Progress, Service};
    use crate::aws_model::task::{Task, TaskStatus};
    use crate::rollout::view::baseline::Baseline;
    use crate::rollout::view::snapshot::Snapshot;

    fn wait(stage: &str, production: u32, left: Option<u64>) -> StageWait {
        StageWait {
            stage: Some(stage.into()),
            revision: "web:42".into(),
            production: Some(production),
            test: None,
            left: left.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_stage_is_said_with_what_aws_shows_of_it() {
        assert_eq!(
            wait("PRODUCTION_TRAFFIC_SHIFT", 333, Some(240)).to_string(),
            "the traffic to shift: production traffic 33.3 % on web:42, next step in at most 4m"
        );
        assert_eq!(
            wait("BAKE_TIME", WHOLE, Some(3480)).to_string(),
            "the bake time: 100 % of production traffic on web:42, at most 58m left"
        );
        assert_eq!(wait("MOON_PHASE", 0, None).to_string(), "stage MOON_PHASE");
    }

    #[test]
    fn time_that_passes_is_no_new_step_and_traffic_that_shifts_is() {
        let early = WaitingOn::Stage(wait("BAKE_TIME", WHOLE, Some(60)));
        assert!(early.is_same_step(&WaitingOn::Stage(wait("BAKE_TIME", WHOLE, Some(5)))));
        assert!(!early.is_same_step(&WaitingOn::Stage(wait("BAKE_TIME", 0, Some(60)))));
        assert!(is_slow(&[early]) && !is_slow(&[]) && !is_slow(&[WaitingOn::FirstTask]));
    }
    fn deployment(status: ServiceDeploymentStatus, stage: &str) -> ServiceDeployment {
        ServiceDeployment {
            status,
            progress: Progress {
                stage: Some(stage.into()),
                ..Progress::default()
            },
            ..ServiceDeployment::plain()
        }
    }

    /// Whether the traffic has yet to shift, an old task running or about to stop.
    fn shifts(old: Option<TaskStatus>, deployment: Option<ServiceDeployment>) -> bool {
        let mut service = Service::plain();
        service.configuration.strategy = Some("BLUE_GREEN".into());
        let old = old.map(|desired_status| Task {
            started_by: Some("ecs-svc/1".into()),
            desired_status,
            ..Task::plain()
        });
        let snapshot = Snapshot {
            service: Some(service),
            tasks: old.into_iter().collect(),
            service_deployment: deployment,
            ..Snapshot::default()
        };
        is_shifting(&View::of(
            &snapshot,
            &Scope::plain(),
            &Baseline::default(),
            &BTreeSet::new(),
        ))
    }

    #[test]
    fn traffic_shifts_until_the_stages_say_otherwise() {
        use ServiceDeploymentStatus::{InProgress, StopRequested};
        let at = |status, stage| shifts(Some(TaskStatus::Running), Some(deployment(status, stage)));
        assert!(at(InProgress, "SCALE_UP") && at(InProgress, "PRODUCTION_TRAFFIC_SHIFT"));
        assert!(!at(InProgress, "BAKE_TIME") && !at(InProgress, "CLEAN_UP"));
        assert!(at(InProgress, "MOON_PHASE"), "a stage that nobody knows is not the end");
        assert!(!at(StopRequested, "SCALE_UP"), "what is being ended shifts no more");
    }

    #[test]
    fn without_the_stages_it_shifts_while_all_that_is_old_stays() {
        assert!(shifts(Some(TaskStatus::Running), None));
        assert!(!shifts(Some(TaskStatus::Stopped), None));
        assert!(!shifts(None, None));
    }

    #[test]
    fn a_hook_is_said_with_who_must_answer_and_what_comes_then() {
        let said = |kind: &str, then: Option<&str>| {
            let hook = HookWait {
                id: "h-1".into(),
                kind: kind.into(),
                stage: None,
                expires: None,
                then: then.map(str::to_owned),
                deployment: "service-deployment/2".into(),
            };
            hook.to_string()
        };
        assert_eq!(
            said("PAUSE", Some("CONTINUE")),
            "a person: the PAUSE hook has to be continued (hook id h-1), and then ECS goes on"
        );
        assert_eq!(
            said("AWS_LAMBDA", Some("ROLLBACK")),
            "the lifecycle hook to answer (AWS_LAMBDA), and then ECS rolls back"
        );
        assert_eq!(said("AWS_LAMBDA", None), "the lifecycle hook to answer (AWS_LAMBDA)");
    }

    #[test]
    fn the_test_traffic_is_said_where_it_is_shown() {
        let mut shift = wait("TEST_TRAFFIC_SHIFT", 0, None);
        assert_eq!(shift.to_string(), "stage TEST_TRAFFIC_SHIFT");
        shift.test = Some(WHOLE);
        assert_eq!(
            shift.to_string(),
            "stage TEST_TRAFFIC_SHIFT: test traffic 100 % on web:42"
        );
    }
}
