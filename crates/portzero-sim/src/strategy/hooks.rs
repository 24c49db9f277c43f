//! Lifecycle hooks: functions that answer, and pauses that somebody ends.

use super::super::world::{ScheduledEvent, World};
use super::lifecycle::Lifecycle;
use crate::model::refusal::Refusal;
use crate::model::state::HookDetail;
use crate::model::status::ServiceDeploymentStatus;
use crate::scenario::strategy::Hook;
use crate::strategy::gate::{Gate, OpenHook};
use crate::timestamp::Timestamp;

impl World {
    /// Begins the hooks that are configured for a stage.
    pub(crate) fn begin_hooks(&mut self, cluster: &str, name: &str, stage: Lifecycle) {
        let hooks: Vec<Hook> = self
            .service(cluster, name)
            .map(|s| s.strategy.hooks.clone())
            .unwrap_or_default();
        let due: Vec<Hook> = hooks
            .into_iter()
            .filter(|hook| hook.stages.iter().any(|one| one == stage.hook_name()))
            .collect();
        for hook in due {
            let (open, detail) = self.begin_hook(&hook);
            self.after_hook(cluster, name, open.ends_at);
            if let Some(progress) = &mut self.scheduler_state(cluster, name).stage_progress {
                progress.hooks.push(open);
            }
            if let Some(running) = self.running_deployment(cluster, name) {
                running.progress.hooks.push(detail);
            }
        }
    }

    fn begin_hook(&mut self, hook: &Hook) -> (OpenHook, HookDetail) {
        let is_pause = hook.target_type == "PAUSE";
        let prefix = if is_pause { "ecs-pause" } else { "ecs-lambda" };
        let id = format!("{prefix}-{}", self.mixed(43));
        let expires_at = self.now + hook.timeout;
        // A function answers within seconds unless the scenario says otherwise.
        let answers_after = hook
            .answers_after
            .or_else(|| (!is_pause).then(|| std::time::Duration::from_secs(3)));
        let answered = answers_after
            .map(|later| self.now + later)
            .filter(|at| *at < expires_at && hook.answer != "IN_PROGRESS");
        let ends_as = match answered {
            None => "TIMED_OUT",
            Some(_) if hook.answer == "FAILED" => "FAILED",
            Some(_) => "SUCCEEDED",
        };
        let open = OpenHook {
            id: id.clone(),
            ends_at: answered.unwrap_or(expires_at),
            ends_as,
        };
        let detail = HookDetail {
            id,
            target_type: hook.target_type.clone(),
            target_arn: hook.target_arn.clone(),
            status: if is_pause { "AWAITING_ACTION" } else { "IN_PROGRESS" }.into(),
            expires_at,
            timeout_action: hook.on_timeout.clone(),
        };
        (open, detail)
    }

    fn after_hook(&mut self, cluster: &str, name: &str, at: Timestamp) {
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.at(at, ScheduledEvent::Look { cluster, service });
    }

    /// Ends the hooks whose moment has come; whether the stage may go on.
    pub(crate) fn settle_hooks(&mut self, cluster: &str, name: &str) -> Gate {
        let now = self.now;
        let Some(progress) = &mut self.scheduler_state(cluster, name).stage_progress else {
            return Gate::Open;
        };
        let shown = progress.stage.hook_name();
        let (over, open): (Vec<OpenHook>, Vec<OpenHook>) = progress.hooks.drain(..).partition(|h| h.ends_at <= now);
        progress.hooks = open;
        let is_open = progress.hooks.is_empty();
        let mut failure = None;
        for hook in over {
            let Some(running) = self.running_deployment(cluster, name) else {
                continue;
            };
            let Some(detail) = running.progress.hooks.iter_mut().find(|d| d.id == hook.id) else {
                continue;
            };
            detail.status = hook.ends_as.into();
            let goes_on =
                hook.ends_as == "SUCCEEDED" || hook.ends_as == "TIMED_OUT" && detail.timeout_action == "CONTINUE";
            if !goes_on {
                failure = Some(why(shown, detail));
            }
        }
        match failure {
            Some(why) => Gate::Failed(why),
            None if is_open => Gate::Open,
            None => Gate::Shut,
        }
    }

    /// ContinueServiceDeployment: ends a pause, with `CONTINUE` (the default) or `ROLLBACK`; returns the ARN. Without
    /// a hook id it ends the one pause that there is.
    pub(crate) fn continue_service_deployment(
        &mut self,
        arn: &str,
        hook: Option<&str>,
        action: Option<&str>,
    ) -> Result<String, Refusal> {
        let invalid = |words: String| Refusal::new("InvalidParameterException", words);
        let ends_as = match action {
            None | Some("CONTINUE") => "SUCCEEDED",
            Some("ROLLBACK") => "FAILED",
            Some(other) => {
                let words = format!("action should be one of [ROLLBACK,CONTINUE], not {other}");
                return Err(invalid(words));
            }
        };
        let (cluster, name, found) = self.find_service_deployment(arn)?;
        let paused = found
            .progress
            .hooks
            .iter()
            .find(|detail| detail.status == "AWAITING_ACTION" && hook.is_none_or(|id| id == detail.id));
        let is_running = found.status == ServiceDeploymentStatus::InProgress;
        let Some(id) = paused.filter(|_| is_running).map(|detail| detail.id.clone()) else {
            return Err(invalid("The lifecycle hook is not awaiting an action.".into()));
        };
        let now = self.now;
        if let Some(progress) = &mut self.scheduler_state(&cluster, &name).stage_progress {
            for open in progress.hooks.iter_mut().filter(|open| open.id == id) {
                open.ends_at = now;
                open.ends_as = ends_as;
            }
        }
        self.after_hook(&cluster, &name, now);
        Ok(arn.to_owned())
    }
}

/// The words of DescribeServiceDeployments' `statusReason`. Those for a function that answers FAILED are recorded.
fn why(stage: &str, hook: &HookDetail) -> String {
    let head = format!("Service deployment rolled back because {stage} lifecycle hook(s) failed.");
    match &hook.target_arn {
        Some(arn) => format!("{head} Lifecycle hook target {arn} returned {} status.", hook.status),
        None => format!("{head} Lifecycle hook {} returned {} status.", hook.id, hook.status),
    }
}
