//! The stages of a blue/green, linear or canary deployment, one after the other.

use std::time::Duration;

use super::super::world::{ScheduledEvent, World};
use super::WHOLE;
use crate::model::state::{ServiceDeployment, primary};
use crate::scheduler::rollback::Failure;
use crate::strategy::gate::Gate;
use crate::strategy::lifecycle::{Lifecycle, StageProgress};
use crate::timestamp::Timestamp;

impl World {
    /// One look of the scheduler at a service whose traffic shifts, while a deployment is under way.
    pub(crate) fn look_staged(&mut self, cluster: &str, name: &str) {
        self.note_health(cluster, name);
        self.replace_unhealthy(cluster, name);
        self.keep_revisions(cluster, name);
        self.walk(cluster, name);
        self.share_desired(cluster, name);
        self.recount(cluster, name);
        self.watch_completion(cluster, name);
    }

    /// The service deployment that goes on, where one does.
    pub(crate) fn running_deployment(&mut self, cluster: &str, name: &str) -> Option<&mut ServiceDeployment> {
        let service = self.service_mut(cluster, name)?;
        service.service_deployments.iter_mut().find(|d| d.status.is_open())
    }

    fn walk(&mut self, cluster: &str, name: &str) {
        // Each round ends one stage, or one step of the production traffic.
        while let Some(progress) = self.scheduler_state(cluster, name).stage_progress.clone() {
            if !progress.has_begun {
                self.enter(cluster, name, progress.stage);
                continue;
            }
            match self.settle_hooks(cluster, name) {
                Gate::Failed(why) => {
                    self.fail_deployment(cluster, name, &progress.deployment, Failure::hook(&why));
                    return;
                }
                Gate::Shut => return,
                Gate::Open => {}
            }
            if self.now < progress.until || !self.is_ready(cluster, name, &progress) {
                return;
            }
            let steps = self
                .service(cluster, name)
                .map(|s| s.strategy.steps())
                .unwrap_or_default();
            if progress.stage == Lifecycle::ProductionShift && progress.steps < steps.len() {
                self.step(cluster, name, &progress, steps[progress.steps]);
            } else if let Some(next) = progress.stage.next() {
                self.enter(cluster, name, next);
            } else {
                return;
            }
        }
    }

    fn enter(&mut self, cluster: &str, name: &str, stage: Lifecycle) {
        let now = self.now;
        let lasts = match stage {
            // Without hooks of its own the first is no stage at all; the second has the time of its steps.
            Lifecycle::PreProductionShift | Lifecycle::ProductionShift | Lifecycle::CleanUp => Duration::ZERO,
            Lifecycle::BakeTime => self.bake_time(cluster, name),
            _ => self.draw(self.timings.stage),
        };
        let Some(progress) = &mut self.scheduler_state(cluster, name).stage_progress else {
            return;
        };
        progress.stage = stage;
        progress.until = now + lasts;
        progress.has_begun = true;
        let deployment = progress.deployment.clone();
        if let Some(running) = self.running_deployment(cluster, name) {
            running.progress.stage = Some(stage.shown().into());
            running.updated_at = now;
        }
        match stage {
            Lifecycle::Reconcile => {
                self.return_traffic(cluster, name);
            }
            Lifecycle::TestShift => self.shift_test(cluster, name, &deployment),
            _ => {}
        }
        // The hooks of this one run at each step.
        if stage != Lifecycle::ProductionShift {
            self.begin_hooks(cluster, name, stage);
        }
        self.wake(cluster, name, now + lasts);
    }

    /// One step of the production traffic.
    fn step(&mut self, cluster: &str, name: &str, progress: &StageProgress, share: u32) {
        let now = self.now;
        self.shift_production(cluster, name, &progress.deployment, share);
        let pause = if share == WHOLE {
            self.draw(self.timings.stage)
        } else {
            self.service(cluster, name)
                .map(|s| s.strategy.pause_after(share))
                .unwrap_or_default()
        };
        if let Some(progress) = &mut self.scheduler_state(cluster, name).stage_progress {
            progress.steps += 1;
            progress.until = now + pause;
        }
        if let Some(running) = self.running_deployment(cluster, name) {
            running.updated_at = now;
        }
        self.begin_hooks(cluster, name, Lifecycle::ProductionShift);
        self.wake(cluster, name, now + pause);
    }

    fn wake(&mut self, cluster: &str, name: &str, at: Timestamp) {
        if at > self.now {
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.at(at, ScheduledEvent::Look { cluster, service });
        }
    }

    fn bake_time(&self, cluster: &str, name: &str) -> Duration {
        self.service(cluster, name)
            .and_then(|s| s.strategy.bake_time)
            .unwrap_or_default()
    }

    /// Whether what the stage is for has come about.
    fn is_ready(&mut self, cluster: &str, name: &str, progress: &StageProgress) -> bool {
        match progress.stage {
            Lifecycle::Reconcile => self.return_traffic(cluster, name) && self.is_alone(cluster, name, progress),
            Lifecycle::PreScaleUp => true,
            // CLEAN_UP ends with the deployment.
            Lifecycle::CleanUp => false,
            // No traffic goes to a revision that is short of healthy tasks.
            _ => self.is_staffed(cluster, name, &progress.deployment),
        }
    }

    /// Whether a deployment has all the healthy tasks that its service wants.
    pub(crate) fn is_staffed(&self, cluster: &str, name: &str, deployment: &str) -> bool {
        let desired = self.service(cluster, name).map_or(0, |s| s.desired_count);
        let healthy = self
            .wanted_tasks(cluster, name)
            .into_iter()
            .filter(|task| task.started_by == deployment && self.is_healthy(task))
            .count();
        healthy >= usize::try_from(desired).unwrap_or(usize::MAX)
    }

    /// Whether no revision but the one that serves has tasks that ECS wants to run.
    fn is_alone(&self, cluster: &str, name: &str, progress: &StageProgress) -> bool {
        let source = self.source(cluster, name);
        let is_other = |by: &String| Some(by) != source.as_ref() && *by != progress.deployment;
        let settled = self
            .scheduler_state_of(cluster, name)
            .is_some_and(|scheduler| scheduler.timing.deregistering == 0);
        settled
            && !self
                .wanted_tasks(cluster, name)
                .iter()
                .any(|task| is_other(&task.started_by))
    }

    /// Gives all traffic back to the last completed deployment as soon as its tasks can take it; whether it has it.
    pub(crate) fn return_traffic(&mut self, cluster: &str, name: &str) -> bool {
        let Some(source) = self.source(cluster, name) else {
            return true;
        };
        let serves = self
            .service(cluster, name)
            .and_then(|service| self.production_share(service, &source))
            .is_none_or(|share| share == WHOLE);
        if !serves && !self.is_staffed(cluster, name, &source) {
            return false;
        }
        self.shift_production(cluster, name, &source, WHOLE);
        self.shift_test(cluster, name, &source);
        self.scheduler_state(cluster, name).rollback.traffic_returns = false;
        true
    }

    /// The deployment that a running one replaces, or that the service goes back to: the last completed one.
    pub(crate) fn source(&self, cluster: &str, name: &str) -> Option<String> {
        let completed = self.scheduler_state_of(cluster, name)?.deployments.completed.as_ref()?;
        Some(completed.id.clone())
    }

    /// Whether a service's traffic shifts between two revisions.
    pub(crate) fn is_staged(&self, cluster: &str, name: &str) -> bool {
        self.service(cluster, name).is_some_and(|s| !s.strategy.is_rolling())
    }

    /// Begins the first stage of a new deployment: on the side that the completed one does not use.
    pub(crate) fn plan_course(&mut self, cluster: &str, name: &str, reconciles: bool, from: Timestamp) {
        let Some(id) = self.service(cluster, name).and_then(primary).map(|p| p.id.clone()) else {
            return;
        };
        let source = self.source(cluster, name);
        let is_shifting = self.is_staged(cluster, name);
        let beside = source
            .as_ref()
            .is_some_and(|source| !self.account.on_alternate.contains(source));
        // A rolling update stays where the service is.
        if is_shifting == beside && source.is_some() {
            self.account.on_alternate.insert(id.clone());
        }
        let progress = is_shifting.then(|| StageProgress::of(&id, reconciles, from));
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.stage_progress = progress;
        scheduler.rollback.traffic_returns = false;
    }
}
