//! The service scheduler: each ten seconds it looks at a service, starts what is missing, stops what is too much, and
//! replaces what is unhealthy, within the limits of the deployment configuration (aws-facts 2).

pub(crate) mod alarm;
pub(crate) mod deployment;
pub(crate) mod instance_state;
pub(crate) mod placement;
pub(crate) mod protection;
pub(crate) mod replacement;
pub(crate) mod rollback;
pub(crate) mod standalone_task;
pub(crate) mod task_end;
pub(crate) mod task_life;

use std::collections::BTreeSet;
use std::time::Duration;

use super::world::{ScheduledEvent, World};
use crate::model::state::{Service, Task, primary};
use crate::model::status::{DeploymentStatus, RolloutState, ServiceStatus, TaskStatus};
use crate::world::service_event;

/// What one look sees of a service's tasks that ECS wants to run.
pub(crate) struct View {
    primary: String,
    is_failed: bool,
    pub(crate) desired: usize,
    lower: usize,
    pub(crate) upper: usize,
    /// Tasks of the PRIMARY deployment, oldest first.
    new: Vec<String>,
    /// Tasks of all other deployments, oldest first.
    pub(crate) old: Vec<String>,
    /// Those of both that run and whose targets are healthy.
    healthy: BTreeSet<String>,
    /// Tasks that are being stopped and count all the same.
    stopping: usize,
    /// With an early success: how many healthy new tasks are enough.
    enough: Option<usize>,
}

impl View {
    fn is_healthy(&self, task: &String) -> bool {
        self.healthy.contains(task)
    }

    pub(crate) fn live(&self) -> usize {
        self.new.len() + self.old.len() + self.stopping
    }

    fn new_healthy(&self) -> usize {
        self.new.iter().filter(|id| self.is_healthy(id)).count()
    }

    /// How many old tasks the new ones cannot spare yet.
    pub(crate) fn kept_old(&self) -> usize {
        let new = if self.is_failed {
            self.new.len()
        } else {
            self.new_healthy()
        };
        if !self.is_failed && self.enough.is_some_and(|enough| new >= enough) {
            return 0;
        }
        self.desired.saturating_sub(new)
    }
}

/// The fewest healthy tasks and the most tasks at all.
pub(crate) fn limits(service: &Service) -> (usize, usize) {
    let desired = u64::from(service.desired_count);
    let least = desired * u64::from(service.minimum_healthy_percent);
    let most = desired * u64::from(service.maximum_percent) / 100;
    let whole = least / 100 + u64::from(least % 100 > 0);
    (
        usize::try_from(whole).unwrap_or(usize::MAX),
        usize::try_from(most).unwrap_or(usize::MAX),
    )
}

impl World {
    /// One look of the scheduler at one service.
    pub(crate) fn look(&mut self, cluster: &str, service: &str) {
        // Looks that were asked for out of turn (a first action, a retry) do not make the regular ones more frequent.
        let span = self.draw(self.timings.cadence);
        let now = self.now;
        let next = ScheduledEvent::Look {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
        };
        if self
            .scheduler_state(cluster, service)
            .timing
            .next_look
            .is_none_or(|at| at <= now)
        {
            self.scheduler_state(cluster, service).timing.next_look = Some(now + span);
            self.at(now + span, next);
        }
        if self.wind_down(cluster, service) {
            self.recount(cluster, service);
            return;
        }
        let found = self.service(cluster, service);
        let is_ours = found.is_some_and(|s| s.status == ServiceStatus::Active && s.deployment_controller == "ECS");
        if !is_ours || self.scheduler_state(cluster, service).timing.acts_from > now {
            return;
        }
        self.watch_alarms(cluster, service);
        if self.scheduler_state(cluster, service).stage_progress.is_some() {
            self.look_staged(cluster, service);
        } else if self.holds_traffic(cluster, service) {
            self.note_health(cluster, service);
            self.replace_unhealthy(cluster, service);
            self.hold_traffic(cluster, service);
            self.recount(cluster, service);
        } else {
            self.look_rolling(cluster, service);
        }
    }

    fn look_rolling(&mut self, cluster: &str, service: &str) {
        self.note_health(cluster, service);
        // Recorded: pending tasks are stopped at one look, and others are started at the next; after an unhealthy one
        // the start came when its target had begun to drain, which is the look after the next at the earliest.
        let has_dropped = self.drop_pending_old(cluster, service);
        let has_stopped = self.replace_unhealthy(cluster, service);
        self.stop_surplus(cluster, service);
        if has_dropped || has_stopped {
            let pause = self.draw(self.timings.cadence) * if has_stopped { 2 } else { 1 };
            let until = self.now + pause;
            self.scheduler_state(cluster, service).timing.starts_from = until;
            let (cluster, service) = (cluster.to_owned(), service.to_owned());
            self.after(pause, ScheduledEvent::Look { cluster, service });
        }
        self.start_missing(cluster, service);
        self.share_desired(cluster, service);
        self.recount(cluster, service);
        self.forget_emptied(cluster, service);
        self.watch_completion(cluster, service);
    }

    /// Whether traffic that shifts has to be seen to before anything of a revision may be stopped: until a rollback's
    /// has gone back, and after a failure that is not rolled back.
    fn holds_traffic(&mut self, cluster: &str, service: &str) -> bool {
        if !self.is_staged(cluster, service) {
            return false;
        }
        let found = self.service(cluster, service).and_then(primary);
        let is_failed = found.is_some_and(|p| p.rollout_state == RolloutState::Failed);
        is_failed
            || self.scheduler_state(cluster, service).rollback.traffic_returns && !self.return_traffic(cluster, service)
    }

    /// After a completion with a deferred clean-up, the older deployments go as their tasks do.
    fn forget_emptied(&mut self, cluster: &str, name: &str) {
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let is_completed = primary(service).is_some_and(|p| p.rollout_state == RolloutState::Completed);
        if is_completed && service.strategy.early_success.is_some() {
            service
                .deployments
                .retain(|d| d.status == DeploymentStatus::Primary || d.running_count + d.pending_count > 0);
        }
    }

    pub(crate) fn view(&self, cluster: &str, name: &str) -> Option<View> {
        let service = self.service(cluster, name)?;
        let primary = primary(service)?;
        let (lower, upper) = limits(service);
        let tasks = self.wanted_tasks(cluster, name);
        let healthy = tasks
            .iter()
            .filter(|task| self.is_healthy(task))
            .map(|task| task.id.clone())
            .collect();
        let (new, old): (Vec<&Task>, Vec<&Task>) = tasks
            .into_iter()
            .partition(|t| t.started_by == primary.id && !self.is_on_draining_instance(cluster, t));
        let stopping = if self.switches.stopping_counts_for_maximum {
            let tasks = self.tasks_of(cluster, name);
            tasks
                .filter(|t| t.desired_status == TaskStatus::Stopped && t.last_status != TaskStatus::Stopped)
                .count()
        } else {
            0
        };
        let early = service.strategy.early_success.as_ref();
        let enough = early.map(|early| {
            let share = u64::from(service.desired_count) * u64::from(early.healthy_percent);
            usize::try_from(share.div_ceil(100)).unwrap_or(usize::MAX)
        });
        Some(View {
            stopping,
            enough,
            primary: primary.id.clone(),
            is_failed: primary.rollout_state == RolloutState::Failed,
            desired: usize::try_from(service.desired_count).unwrap_or(usize::MAX),
            lower,
            upper,
            new: new.into_iter().map(|t| t.id.clone()).collect(),
            old: old.into_iter().map(|t| t.id.clone()).collect(),
            healthy,
        })
    }

    /// Tasks of other deployments that do not run yet are given up at once; whether there were any.
    fn drop_pending_old(&mut self, cluster: &str, name: &str) -> bool {
        let Some(view) = self.view(cluster, name).filter(|view| !view.is_failed) else {
            return false;
        };
        let kept = self.returning(cluster, name);
        let is_pending = |id: &&String| {
            self.task(cluster, id)
                .is_some_and(|t| t.last_status != TaskStatus::Running)
        };
        let pending: Vec<String> = view
            .old
            .iter()
            .filter(is_pending)
            .filter(|id| !kept.contains(id))
            .cloned()
            .collect();
        if pending.is_empty() {
            return false;
        }
        self.stop_for_scaling(cluster, &pending);
        self.say(cluster, name, service_event::stopped_pending(name, pending.len()));
        true
    }

    /// Old tasks whose successors are healthy, and whatever exceeds the desired count.
    fn stop_surplus(&mut self, cluster: &str, name: &str) {
        let Some(view) = self.view(cluster, name) else {
            return;
        };
        let kept_old = view.kept_old();
        let mut spare = view.healthy.len().saturating_sub(view.lower);
        let mut going: Vec<String> = Vec::new();
        for id in view.old.iter().take(view.old.len().saturating_sub(kept_old)) {
            let healthy = view.is_healthy(id);
            if !healthy || spare > 0 {
                spare -= usize::from(healthy);
                going.push(id.clone());
            }
        }
        // The unhealthy ones whose replacements are on their way stay until those run.
        let excess = view.new.len().saturating_sub(view.desired);
        let in_exchange = self.scheduler_state(cluster, name).health.replacements.len();
        going.extend(view.new.iter().rev().take(excess.saturating_sub(in_exchange)).cloned());
        let going = self.unprotected(cluster, name, going);
        if going.is_empty() {
            return;
        }
        self.stop_for_scaling(cluster, &going);
        self.say(cluster, name, service_event::stopped(name, &going));
    }

    pub(crate) fn stop_for_scaling(&mut self, cluster: &str, tasks: &[String]) {
        for id in tasks {
            let deployment = self.task(cluster, id).map(|t| t.started_by.clone()).unwrap_or_default();
            let reason = format!("Scaling activity initiated by (deployment {deployment})");
            self.stop_tasks(
                cluster,
                std::slice::from_ref(id),
                "ServiceSchedulerInitiated",
                &reason,
                false,
            );
        }
    }

    /// Starts as many tasks of the PRIMARY deployment as are missing and the upper limit allows; where it allows none,
    /// stops old ones as far as the lower limit allows.
    fn start_missing(&mut self, cluster: &str, name: &str) {
        let Some(view) = self.view(cluster, name) else {
            return;
        };
        if view.is_failed {
            self.hold_old(cluster, name, &view);
            return;
        }
        let missing = view.desired.saturating_sub(view.new.len());
        let now = self.now;
        self.replace_crashed(cluster, name, &view);
        if missing > 0 && std::mem::take(&mut self.scheduler_state(cluster, name).rollback.starts_late) {
            let later = self.draw(self.timings.first_action);
            self.scheduler_state(cluster, name).timing.starts_from = now + later;
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.after(later, ScheduledEvent::Look { cluster, service });
        }
        if missing == 0
            || self.scheduler_state(cluster, name).timing.starts_from > now
            || self
                .scheduler_state(cluster, name)
                .failures
                .retry_at
                .is_some_and(|at| at > now)
        {
            return;
        }
        let has_none = view
            .new
            .iter()
            .all(|id| self.task(cluster, id).is_none_or(|t| t.started_at.is_none()));
        let missing = if self.switches.first_task_starts_alone && has_none && !view.old.is_empty() {
            1_usize.saturating_sub(view.new.len())
        } else {
            missing
        };
        let allowed = missing.min(view.upper.saturating_sub(view.live()));
        let count = u32::try_from(allowed).unwrap_or(0);
        self.scheduler_state(cluster, name).failures.retry_at = None;
        self.count_failures(cluster, name);
        let started = self.start_tasks(cluster, name, &view.primary, count);
        if !started.is_empty() {
            self.say(cluster, name, service_event::started(name, &started));
            self.scheduler_state(cluster, name).timing.last_action = now;
        }
        if started.len() == missing {
            return;
        }
        let nothing_starts = allowed == 0 && view.new.is_empty();
        let made = self.make_room(cluster, name, &view, missing - started.len(), nothing_starts);
        if !made && allowed > 0 && started.is_empty() && view.new.is_empty() {
            // A task that cannot be placed is a failure too (recorded: failedTasks 10 beside one single event).
            let pause = self.draw(self.timings.retry);
            self.failed_once(cluster, name, pause);
        }
    }

    /// Stop-first: old tasks go so that new ones may come. Whether any do.
    fn make_room(&mut self, cluster: &str, name: &str, view: &View, wanted: usize, nothing_starts: bool) -> bool {
        let spare = view.healthy.len().saturating_sub(view.lower);
        let sick = view.old.iter().filter(|id| !view.is_healthy(id));
        let well = view.old.iter().filter(|id| view.is_healthy(id)).take(spare);
        let going: Vec<String> = sick.chain(well).take(wanted).cloned().collect();
        let going = self.unprotected(cluster, name, going);
        if going.is_empty() {
            if nothing_starts && !view.old.is_empty() {
                self.complain(cluster, name, service_event::blocked(name));
            }
            return false;
        }
        self.stop_for_scaling(cluster, &going);
        self.say(cluster, name, service_event::stopped(name, &going));
        // The replacement was started 0.85 s after the stop was decided.
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.after(Duration::from_millis(850), ScheduledEvent::Look { cluster, service });
        true
    }

    /// After a failure that is not rolled back, the old deployment keeps the service up; after a rollback that failed, the
    /// one that was to be replaced has failed too.
    fn hold_old(&mut self, cluster: &str, name: &str, view: &View) {
        let old = self.service(cluster, name).and_then(|s| {
            s.deployments
                .iter()
                .find(|d| d.status == DeploymentStatus::Active && d.rollout_state != RolloutState::Failed)
        });
        let Some(old) = old.map(|d| d.id.clone()) else {
            return;
        };
        let missing = view.desired.saturating_sub(view.live());
        let started = self.start_tasks(cluster, name, &old, u32::try_from(missing).unwrap_or(0));
        if !started.is_empty() {
            self.say(cluster, name, service_event::started(name, &started));
        }
    }

    /// How many tasks each deployment is meant to have.
    pub(crate) fn share_desired(&mut self, cluster: &str, name: &str) {
        let Some(view) = self.view(cluster, name) else {
            return;
        };
        let wanted: Vec<(String, u32)> =
            self.wanted_tasks(cluster, name)
                .into_iter()
                .fold(Vec::new(), |mut all, task| {
                    match all.iter_mut().find(|(id, _)| id == &task.started_by) {
                        Some((_, count)) => *count += 1,
                        None => all.push((task.started_by.clone(), 1)),
                    }
                    all
                });
        let desired = u32::try_from(view.desired).unwrap_or(u32::MAX);
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        for deployment in &mut service.deployments {
            let own = wanted
                .iter()
                .find(|(id, _)| id == &deployment.id)
                .map_or(0, |(_, count)| *count);
            deployment.desired_count = if deployment.status == DeploymentStatus::Primary && !view.is_failed {
                desired
            } else {
                own
            };
        }
    }

    /// Whether the PRIMARY deployment has all it wants and nothing of the others is left to stop.
    pub(crate) fn nothing_left(&self, cluster: &str, name: &str) -> bool {
        let open = self
            .service(cluster, name)
            .and_then(primary)
            .is_some_and(|p| p.rollout_state == RolloutState::InProgress);
        let Some(view) = self.view(cluster, name).filter(|_| open) else {
            return false;
        };
        let scheduler = self.scheduler_state_of(cluster, name);
        let settled = scheduler
            .is_some_and(|scheduler| scheduler.timing.deregistering == 0 && scheduler.timing.acts_from <= self.now);
        let drained =
            !self.timings.completion_waits_for_drain || self.old_tasks_left(cluster, name, &view.primary) == 0;
        let early = self
            .service(cluster, name)
            .and_then(|s| s.strategy.early_success.as_ref());
        if let (Some(early), Some(enough)) = (early, view.enough) {
            return view.new_healthy() >= enough && (early.is_deferred() || settled && drained && view.old.is_empty());
        }
        settled
            && drained
            && view.old.is_empty()
            && view.new.len() == view.desired
            && view.healthy.len() == view.desired
            && self.has_run_its_course(cluster, name)
    }

    fn old_tasks_left(&self, cluster: &str, name: &str, primary: &str) -> usize {
        let tasks = self.tasks_of(cluster, name);
        tasks
            .filter(|t| t.started_by != primary && t.last_status != TaskStatus::Stopped)
            .count()
    }
}
