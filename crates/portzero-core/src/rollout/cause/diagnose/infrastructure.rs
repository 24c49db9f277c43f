//! Instances that went away while a rollout was under way. That is not the new revision's fault, and has to be said.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws_model::service::DeploymentStatus;
use crate::aws_model::task::Task;
use crate::base::finding::{Code, Finding, Severity};
use crate::base::id::{ContainerInstanceArn, TaskArn};
use crate::base::text::{contains, plural};
use crate::rollout::cause::container_facts::ContainerFacts;
use crate::rollout::cause::failure;
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::Snapshot;

/// How an instance left, the graver word last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Draining,
    Unhealthy,
    Gone,
    Deregistered,
    Terminated,
    Spot,
}

impl How {
    fn words(self) -> &'static str {
        match self {
            Self::Draining => "set to DRAINING",
            Self::Unhealthy => "found unhealthy by ECS",
            Self::Gone => "no longer in the cluster",
            Self::Deregistered => "deregistered from the cluster",
            Self::Terminated => "terminated",
            Self::Spot => "taken back by Spot",
        }
    }
}

#[derive(Clone, Debug)]
struct Loss {
    how: How,
    new: BTreeSet<TaskArn>,
    old: BTreeSet<TaskArn>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    /// By EC2 instance id; Fargate's under `Fargate`.
    lost: BTreeMap<String, Loss>,
    /// Tasks that were seen alive: those that had stopped before are no part of this rollout.
    alive: BTreeSet<TaskArn>,
    /// Tasks of ours that ended without a word why; their instances may say it.
    open: BTreeMap<TaskArn, ContainerInstanceArn>,
    answered: BTreeSet<TaskArn>,
}

const FARGATE: &str = "Fargate";

impl Losses {
    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty()
    }

    pub(crate) fn wants_instances(&self) -> bool {
        !self.open.is_empty()
    }

    pub(super) fn collect(&mut self, snapshot: &Snapshot, view: &View, defined: &[ContainerFacts]) {
        for task in &snapshot.tasks {
            let is_ours = view.new_tasks.contains_key(&task.arn) || view.ended_tasks.contains_key(&task.arn);
            if is_ours || !task.is_stopped() {
                self.alive.insert(task.arn.clone());
            }
            if let Some(how) = taken_away(task).filter(|_| self.alive.contains(&task.arn)) {
                self.note(instance_of(task, snapshot), how, task, is_ours);
            }
        }
        self.ask(view, defined);
        if let Some(capacity) = &snapshot.capacity {
            let open = std::mem::take(&mut self.open);
            for (arn, home) in open {
                let found = capacity.iter().find(|instance| instance.arn == home);
                let how = match found.map(|instance| instance.status.as_str()) {
                    None => Some(How::Gone),
                    Some("DRAINING") => Some(How::Draining),
                    Some(_) => None,
                };
                if let (Some(how), Some(task)) = (how, view.ended_tasks.get(&arn)) {
                    self.note(instance_of(task, snapshot), how, task, true);
                }
                self.answered.insert(arn);
            }
        }
    }

    /// ECS stops tasks of the newest deployment only where there are too many of them, or their instance has to go.
    fn ask(&mut self, view: &View, defined: &[ContainerFacts]) {
        if !is_primary(view) {
            self.open.clear();
            return;
        }
        for task in view.ended_tasks.values() {
            let is_unexplained = failure::read(task, defined).is_none() && taken_away(task).is_none();
            let home = task.container_instance.clone().filter(|_| is_unexplained);
            if let Some(home) = home.filter(|_| !self.answered.contains(&task.arn)) {
                self.open.insert(task.arn.clone(), home);
            }
        }
    }

    fn note(&mut self, instance: String, how: How, task: &Task, is_ours: bool) {
        let loss = self.lost.entry(instance).or_insert(Loss {
            how,
            new: BTreeSet::new(),
            old: BTreeSet::new(),
        });
        loss.how = loss.how.max(how);
        let tasks = if is_ours { &mut loss.new } else { &mut loss.old };
        tasks.insert(task.arn.clone());
        self.answered.insert(task.arn.clone());
    }

    pub(super) fn line(&self) -> String {
        let parts: Vec<String> = self
            .lost
            .iter()
            .map(|(instance, loss)| format!("{} {}", subject(instance, loss.how), loss.how.words()))
            .collect();
        format!("infrastructure: {}", parts.join("; "))
    }

    pub(super) fn finding(&self, scope: &Scope) -> Finding {
        let finding = self.told(Severity::Error, scope);
        // ECS finds Fargate another host by itself.
        if self
            .lost
            .iter()
            .all(|(home, loss)| home == FARGATE && loss.how == How::Unhealthy)
        {
            return finding;
        }
        finding.hint("see that the cluster gets an instance back (Auto Scaling group, Spot capacity)")
    }

    pub(super) fn warning(&self, scope: &Scope) -> Finding {
        self.told(Severity::Warning, scope)
    }

    fn told(&self, severity: Severity, scope: &Scope) -> Finding {
        let instances: Vec<String> = self
            .lost
            .iter()
            .map(|(instance, loss)| subject(instance, loss.how))
            .collect();
        let were = if instances.len() == 1 { "was" } else { "were" };
        let summary = format!(
            "infrastructure: {} {were} lost while `{}` rolled out",
            instances.join(", "),
            scope.service
        );
        let mut finding = Finding::new(Code::InstanceLost, severity, summary);
        for (instance, loss) in &self.lost {
            let counted = |tasks: &BTreeSet<TaskArn>, generation: &str| {
                let count = tasks.len();
                (count > 0).then(|| format!("{count} {generation} {}", plural(count, "task")))
            };
            let tasks: Vec<String> = [counted(&loss.new, "new"), counted(&loss.old, "old")]
                .into_iter()
                .flatten()
                .collect();
            let text = format!("{}, and with it {}", loss.how.words(), tasks.join(" and "));
            finding = finding.evidence(instance.clone(), text);
        }
        finding
    }
}

fn subject(instance: &str, how: How) -> String {
    match how {
        How::Unhealthy if instance == FARGATE => "a host of Fargate".to_owned(),
        _ if instance == FARGATE => "Fargate Spot capacity".to_owned(),
        _ => format!("instance {instance}"),
    }
}

/// Whether the infrastructure took the task away, and how.
fn taken_away(task: &Task) -> Option<How> {
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    match task.stop_code.as_deref() {
        Some("SpotInterruption") => Some(How::Spot),
        Some("TerminationNotice") => Some(How::Terminated),
        Some("InfrastructureHealth") => Some(How::Unhealthy),
        _ if contains(reason, "Host EC2 (instance") => Some(How::Terminated),
        _ if contains(reason, "Container instance deregistration forced") => Some(How::Deregistered),
        _ => None,
    }
}

/// `Host EC2 (instance i-0abc) terminated.`, else what the task's container instance is known as.
fn instance_of(task: &Task, snapshot: &Snapshot) -> String {
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    let said = reason
        .split("(instance ")
        .nth(1)
        .and_then(|rest| rest.split(')').next());
    let known = || {
        let arn = task.container_instance.as_ref()?;
        let instance = snapshot.instances.as_ref().and_then(|all| all.get(arn));
        let ec2 = instance.and_then(|instance| instance.ec2_instance_id.clone());
        Some(ec2.unwrap_or_else(|| arn.short().to_owned()))
    };
    said.map(str::to_owned)
        .or_else(known)
        .unwrap_or_else(|| FARGATE.to_owned())
}

/// Whether our deployment is the one that ECS rolls out in this look.
fn is_primary(view: &View) -> bool {
    view.ours.is_some_and(|ours| ours.status == DeploymentStatus::Primary)
}
