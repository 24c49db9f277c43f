//! How many tasks each revision has while traffic shifts between two of them.

use super::super::world::World;
use super::WHOLE;
use super::lifecycle::Lifecycle;
use crate::model::state::Task;
use crate::model::status::TaskStatus;
use crate::world::service_event;

impl World {
    /// Blue keeps all its tasks until CLEAN_UP, green gets all of its own in SCALE_UP; whatever an earlier deployment
    /// left goes in RECONCILE_SERVICE.
    pub(crate) fn keep_revisions(&mut self, cluster: &str, name: &str) {
        let Some(progress) = self.scheduler_state(cluster, name).stage_progress.clone() else {
            return;
        };
        let Some(service) = self.service(cluster, name) else {
            return;
        };
        let desired = service.desired_count;
        let deployments: Vec<String> = service.deployments.iter().map(|d| d.id.clone()).collect();
        let source = self.source(cluster, name);
        for id in deployments {
            let is_green = id == progress.deployment;
            let wanted = match (is_green, progress.stage) {
                (true, stage) if stage < Lifecycle::ScaleUp => 0,
                (true, _) => desired,
                (false, Lifecycle::CleanUp) => 0,
                (false, _) if Some(&id) == source.as_ref() => desired,
                (false, _) if self.carries_traffic(cluster, name, &id) => desired,
                (false, _) => 0,
            };
            self.fill(cluster, name, &id, wanted);
        }
    }

    /// Whether a deployment's target groups get production traffic.
    fn carries_traffic(&self, cluster: &str, name: &str, deployment: &str) -> bool {
        self.service(cluster, name)
            .and_then(|service| self.production_share(service, deployment))
            .is_some_and(|share| share > 0)
    }

    /// After a failure that is not rolled back, and until a rollback's traffic has gone back: nobody who carries
    /// traffic goes short.
    pub(crate) fn hold_traffic(&mut self, cluster: &str, name: &str) {
        let Some(service) = self.service(cluster, name) else {
            return;
        };
        let desired = service.desired_count;
        let source = self.source(cluster, name);
        let carrying: Vec<String> = service
            .deployments
            .iter()
            .filter(|d| Some(&d.id) == source.as_ref() || self.production_share(service, &d.id).is_some_and(|s| s > 0))
            .map(|d| d.id.clone())
            .collect();
        for id in carrying {
            self.fill(cluster, name, &id, desired);
        }
    }

    /// Brings the tasks of one deployment to the wanted number.
    fn fill(&mut self, cluster: &str, name: &str, deployment: &str, wanted: u32) {
        let own: Vec<&Task> = self
            .wanted_tasks(cluster, name)
            .into_iter()
            .filter(|task| task.started_by == deployment)
            .collect();
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        if own.len() > wanted {
            let (running, pending): (Vec<&Task>, Vec<&Task>) = own[wanted..]
                .iter()
                .partition(|task| task.last_status == TaskStatus::Running);
            let ids = |tasks: Vec<&Task>| tasks.into_iter().map(|task| task.id.clone()).collect();
            let (running, pending): (Vec<String>, Vec<String>) = (ids(running), ids(pending));
            self.stop_spare(cluster, name, &running, &pending);
            return;
        }
        let missing = wanted - own.len();
        let now = self.now;
        let is_primary = self.is_primary(cluster, name, deployment);
        if missing == 0
            || is_primary
                && self
                    .scheduler_state(cluster, name)
                    .failures
                    .retry_at
                    .is_some_and(|at| at > now)
        {
            return;
        }
        if is_primary {
            self.scheduler_state(cluster, name).failures.retry_at = None;
            self.count_failures(cluster, name);
        }
        let started = self.start_tasks(cluster, name, deployment, u32::try_from(missing).unwrap_or(0));
        if !started.is_empty() {
            self.say(cluster, name, service_event::started(name, &started));
            self.scheduler_state(cluster, name).timing.last_action = now;
        } else if is_primary {
            let pause = self.draw(self.timings.retry);
            self.failed_once(cluster, name, pause);
        }
    }

    fn stop_spare(&mut self, cluster: &str, name: &str, running: &[String], pending: &[String]) {
        if !pending.is_empty() {
            self.stop_for_scaling(cluster, pending);
            self.say(cluster, name, service_event::stopped_pending(name, pending.len()));
        }
        if !running.is_empty() {
            self.stop_for_scaling(cluster, running);
            self.say(cluster, name, service_event::stopped(name, running));
        }
    }

    fn is_primary(&self, cluster: &str, name: &str, deployment: &str) -> bool {
        let found = self.service(cluster, name).and_then(crate::model::state::primary);
        found.is_some_and(|p| p.id == deployment)
    }

    /// Whether the deployment has reached its last stage, and all production traffic with it.
    pub(crate) fn has_run_its_course(&self, cluster: &str, name: &str) -> bool {
        let Some(progress) = self
            .scheduler_state_of(cluster, name)
            .and_then(|scheduler| scheduler.stage_progress.as_ref())
        else {
            return true;
        };
        let share = self
            .service(cluster, name)
            .and_then(|service| self.production_share(service, &progress.deployment));
        progress.stage == Lifecycle::CleanUp && share.is_none_or(|share| share == WHOLE)
    }
}
