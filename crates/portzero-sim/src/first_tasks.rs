//! The tasks that run when a world begins.

use std::time::Duration;

use crate::model::status::{HealthStatus, TargetState};
use crate::scenario::span::Spread;
use crate::world::{TaskStage, World, service_event};

impl World {
    /// Starts the tasks of the first deployment as if that had been a day ago.
    pub(crate) fn run_at_start(
        &mut self,
        cluster: &str,
        name: &str,
        deployment: &str,
        count: u32,
    ) -> Result<(), String> {
        let born = self.now;
        let mut tasks = Vec::new();
        for _ in 0..count {
            let task = self
                .create_task(cluster, name, deployment)
                .map_err(|obstacle| service_event::could_not_place(name, &obstacle))?;
            tasks.push(task);
        }
        if tasks.is_empty() {
            return Ok(());
        }
        self.say(cluster, name, service_event::started(name, &tasks));
        for (span, stage) in self.stages_at_start(cluster, name) {
            self.now = self.now + span;
            self.settle_stage(cluster, &tasks, stage);
        }
        let now = self.now;
        let classic = self
            .account
            .classic_balancers
            .values_mut()
            .map(|balancer| &mut balancer.group);
        for group in self.account.target_groups.values_mut().chain(classic) {
            for target in group
                .targets
                .iter_mut()
                .filter(|t| t.task.as_ref().is_some_and(|t| tasks.contains(t)))
            {
                target.streak = 1;
                if target.state == TargetState::Initial {
                    target.state = TargetState::Healthy;
                    target.healthy_since = Some(now);
                    target.reason = None;
                    target.description = None;
                }
            }
        }
        self.now = self.now + Duration::from_secs(60);
        self.say(cluster, name, service_event::completed(name, deployment));
        self.say_after(cluster, name, service_event::steady(name), Duration::from_millis(1));
        for task in &tasks {
            self.task_runtimes.entry(task.clone()).or_default().has_been_healthy = true;
            if let Some(checked) = self
                .task(cluster, task)
                .filter(|t| self.container_check(t).is_some())
                .map(|t| t.id.clone())
                && let Some(checked) = self.task_mut(cluster, &checked)
            {
                checked.health_status = HealthStatus::Healthy;
            }
        }
        self.recount(cluster, name);
        self.now = self.start;
        self.begin_checks(&tasks);
        self.now = born;
        Ok(())
    }

    /// How long the tasks that run at the start took for each of their stages: the middle of what the next ones will take,
    /// so that whoever looks at them learns the truth.
    fn stages_at_start(&self, cluster: &str, name: &str) -> [(Duration, TaskStage); 3] {
        let fargate = self.service(cluster, name).is_some_and(|s| s.launch_type == "FARGATE");
        let start = if fargate {
            self.timings.start_fargate
        } else {
            self.timings.start_ec2
        };
        let middle = |spread: Spread| (spread.low + spread.high) / 2;
        let half = middle(start) / 2;
        [
            (half, TaskStage::Pull),
            (half, TaskStage::Start),
            (middle(self.timings.activation), TaskStage::Run),
        ]
    }
}
