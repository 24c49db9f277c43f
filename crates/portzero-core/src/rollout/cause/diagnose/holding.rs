//! What holds a rollout up although nothing has failed: protected old tasks, an ECS agent that is not heard, a capacity
//! provider that launches no instance.

use std::collections::BTreeMap;

use crate::aws_model::service::ServiceEvent;
use crate::aws_model::task::{ContainerInstance, Task, TaskStatus};
use crate::base::finding::{EvidenceLabel, Hint};
use crate::base::id::TaskArn;
use crate::base::text::shell;
use crate::base::text::{contains, plural};
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::Snapshot;
use crate::rollout::view::waiting::WaitingOn;

/// So many tasks are named in a command.
const NAMED_MAX: usize = 5;

/// What a finding says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hold {
    pub evidence: Vec<(EvidenceLabel, String)>,
    /// What to do about it; `None`: nothing that is known holds the rollout up.
    pub hint: Option<Hint>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Holds {
    /// ECS's newest word that it may not stop tasks.
    protection: Option<String>,
    /// Old tasks that ECS has not told to stop.
    kept: Vec<TaskArn>,
    /// How many old tasks that were told to stop are on an instance whose agent is not heard, by instance.
    unstopped: BTreeMap<String, u32>,
    /// The same of new tasks that do not run yet.
    unstarted: BTreeMap<String, u32>,
    /// New tasks that still have no instance, by capacity provider.
    provisioning: BTreeMap<String, u32>,
}

impl Holds {
    pub(super) fn hear(&mut self, event: &ServiceEvent) {
        if contains(&event.message, "tasks under protection") {
            self.protection = Some(event.message.clone());
        }
    }

    /// What holds now: the last look alone counts.
    pub(super) fn collect(&mut self, snapshot: &Snapshot, view: &View) {
        let old = || view.old_tasks.values().copied();
        let is_kept = |task: &&Task| task.desired_status == TaskStatus::Running;
        self.kept = old().filter(is_kept).map(|task| task.arn.clone()).collect();
        self.unstopped = unheard(snapshot, old().filter(|task| !is_kept(task)));
        let waiting = || {
            view.new_tasks
                .values()
                .copied()
                .filter(|t| t.last_status != TaskStatus::Running)
        };
        self.unstarted = unheard(snapshot, waiting());
        self.provisioning.clear();
        for task in waiting().filter(|t| t.last_status == TaskStatus::Provisioning && t.container_instance.is_none()) {
            // Fargate has no instance to wait for.
            let provider = task
                .capacity_provider
                .iter()
                .filter(|name| !name.starts_with("FARGATE"));
            provider.for_each(|name| *self.provisioning.entry(name.clone()).or_default() += 1);
        }
    }

    /// What keeps the rollout from that for which it waits.
    pub(super) fn of(&self, scope: &Scope, waiting: &[WaitingOn]) -> Hold {
        let mut hold = Hold::default();
        let is_new_missing = |on: &WaitingOn| matches!(on, WaitingOn::FirstTask | WaitingOn::Tasks { .. });
        let is_old_left = |on: &WaitingOn| matches!(on, WaitingOn::OldTargets { .. } | WaitingOn::OldTasks { .. });
        if waiting.iter().any(is_new_missing) {
            self.new_tasks(&mut hold);
        }
        if waiting.iter().any(is_old_left) {
            self.old_tasks(scope, &mut hold);
        }
        hold
    }

    fn new_tasks(&self, hold: &mut Hold) {
        for (provider, count) in &self.provisioning {
            let tasks = plural(*count, "task");
            hold.add(
                ("provider", format!("{provider}: {count} new {tasks} PROVISIONING, without an instance")),
                format!(
                    "look at why the Auto Scaling group of capacity provider `{provider}` launches no instance: `aws ecs \
                     describe-capacity-providers --capacity-providers {}` names the group",
                    shell(provider)
                ),
            );
        }
        self.unstarted
            .iter()
            .for_each(|(instance, count)| hold.unheard(instance, &format!("{count} new"), *count, "start"));
    }

    fn old_tasks(&self, scope: &Scope, hold: &mut Hold) {
        self.unstopped
            .iter()
            .for_each(|(instance, count)| hold.unheard(instance, &format!("{count} old"), *count, "stop"));
        let Some(words) = self.protection.as_ref().filter(|_| !self.kept.is_empty()) else {
            return;
        };
        let named: Vec<&str> = self.kept.iter().take(NAMED_MAX).map(TaskArn::short).collect();
        hold.add(
            (EvidenceLabel::Ecs, words.clone()),
            format!(
                "let the protection of the old tasks end, or end it: aws ecs update-task-protection --cluster {} --tasks {} \
                 --no-protection-enabled",
                shell(&scope.cluster),
                named.join(" ")
            ),
        );
    }
}

impl Hold {
    fn add(&mut self, (label, text): (impl Into<EvidenceLabel>, String), hint: String) {
        self.evidence.push((label.into(), text));
        self.hint.get_or_insert_with(|| hint.into());
    }

    fn unheard(&mut self, instance: &str, tasks: &str, count: u32, what: &str) {
        let noun = plural(count, "task");
        self.add(
            ("instance", format!("{instance}: its ECS agent is disconnected; {tasks} {noun} cannot {what} there")),
            format!(
                "connect the ECS agent of {instance} again (`sudo systemctl status ecs` on it), or terminate the instance"
            ),
        );
    }
}

/// How many of the tasks are on an instance whose agent is disconnected.
fn unheard<'a>(snapshot: &Snapshot, tasks: impl Iterator<Item = &'a Task>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    let Some(instances) = &snapshot.instances else {
        return counts;
    };
    for task in tasks.filter(|task| !task.is_stopped()) {
        let instance = task.container_instance.as_ref().and_then(|arn| instances.get(arn));
        if let Some(instance) = instance.filter(|instance| !instance.agent_connected) {
            *counts.entry(name(instance)).or_default() += 1;
        }
    }
    counts
}

fn name(instance: &ContainerInstance) -> String {
    let ec2 = instance.ec2_instance_id.clone();
    ec2.unwrap_or_else(|| instance.arn.as_str().to_owned())
}
