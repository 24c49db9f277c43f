//! What the faults in force do to containers, to targets and to placement, for as long as they hold. What strikes once
//! stands in `one_shot`.

use std::time::Duration;

use crate::faults::behaviour::{Behaviour, Beside, CheckAnswer, ContainerEnd};
use crate::faults::ineffective::reads_secrets;
use crate::model::container::{first_essential, is_essential};
use crate::model::network::VPC;
use crate::model::state::{Target, Task};
use crate::model::status::TaskStatus;
use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::{Fault, Lack};
use crate::scenario::fault::scope::RevisionRef;
use crate::scenario::span::Spread;
use crate::timestamp::Timestamp;
use crate::world::World;

impl World {
    /// The faults that hold for a service at this moment.
    pub(crate) fn faults_in_force<'a>(
        &'a self,
        cluster: &str,
        service: &'a str,
    ) -> impl Iterator<Item = &'a FaultSpec> {
        let first_update = self
            .scheduler_state_of(cluster, service)
            .and_then(|scheduler| scheduler.deployments.first_update);
        self.faults
            .iter()
            .filter(move |fault| fault.concerns(service) && self.holds(fault, first_update))
    }

    /// The faults that hold on the wire at this moment, with their places in the list.
    pub(crate) fn faults_on_the_wire(&self) -> impl Iterator<Item = (usize, &FaultSpec)> {
        let first_update = self
            .scheduler_states
            .values()
            .filter_map(|scheduler| scheduler.deployments.first_update)
            .min();
        let all = self.faults.iter().enumerate();
        all.filter(move |(_, fault)| fault.is_on_the_wire() && self.holds(fault, first_update))
    }

    /// What the clock of a caller shows that task_runtimes in this world's time: right, but for `clock-skew`.
    pub fn callers_time(&self) -> Timestamp {
        let mut skewed = self.faults_on_the_wire();
        let wrong = skewed.find_map(|(_, fault)| fault.callers_time(self.now));
        wrong.unwrap_or(self.now)
    }

    /// What the timetable of a fault counts from; `None` while that has not come.
    pub(crate) fn base_of(&self, fault: &FaultSpec, first_update: Option<Timestamp>) -> Option<Timestamp> {
        let own = if fault.is_from_start() {
            Some(self.start)
        } else {
            first_update
        };
        fault.switched_on.or(own)
    }

    /// Whether it does nothing any more, whatever comes.
    pub(super) fn is_over(&self, fault: &FaultSpec) -> bool {
        let first_update = self
            .scheduler_states
            .values()
            .filter_map(|scheduler| scheduler.deployments.first_update)
            .min();
        let end = self.base_of(fault, first_update).zip(fault.ends());
        fault.switched_off || end.is_some_and(|(base, end)| base + end <= self.now)
    }

    pub(super) fn holds(&self, fault: &FaultSpec, first_update: Option<Timestamp>) -> bool {
        !fault.switched_off
            && fault.foreign_kind.is_none()
            && self.base_of(fault, first_update).is_some_and(|base| {
                base + fault.begins() <= self.now && fault.ends().is_none_or(|end| self.now < base + end)
            })
    }

    pub(crate) fn is_in_force(&self, cluster: &str, service: &str, is_meant: fn(&Fault) -> bool) -> bool {
        self.faults_in_force(cluster, service)
            .any(|fault| is_meant(&fault.fault))
    }

    /// Why ECS cannot make the ways into a revision that it manages, where it cannot. The words are not ECS's.
    pub(crate) fn route_failure(&self, cluster: &str, service: &str) -> Option<String> {
        self.faults_in_force(cluster, service)
            .find_map(|fault| match &fault.fault {
                Fault::RouteFailed { message } => {
                    let usual = "The maximum number of rules per listener was reached.";
                    Some(message.clone().unwrap_or_else(|| usual.into()))
                }
                _ => None,
            })
    }

    /// The faults in force that belong to a task by its revision.
    pub(crate) fn faults_of<'a>(&'a self, cluster: &'a str, task: &'a Task) -> impl Iterator<Item = &'a FaultSpec> {
        let scheduler = self.scheduler_state_of(cluster, &task.service);
        self.faults_in_force(cluster, &task.service)
            .filter(move |fault| match fault.scope.revision {
                RevisionRef::Any => true,
                RevisionRef::Current => {
                    scheduler.is_some_and(|scheduler| scheduler.deployments.initial == task.started_by)
                }
                RevisionRef::Number(number) => task.task_definition.ends_with(&format!(":{number}")),
                RevisionRef::Next => scheduler.is_some_and(|scheduler| {
                    let is_next = |(id, definition): &(String, String)| {
                        *id == task.started_by
                            || (*definition == task.task_definition && scheduler.deployments.initial != task.started_by)
                    };
                    scheduler.deployments.next.as_ref().is_some_and(is_next)
                }),
            })
    }

    /// How the containers of a task behave.
    pub(crate) fn behaviour(&self, cluster: &str, task: &Task) -> Behaviour {
        let mut behaviour = Behaviour::default();
        let definition = self.definition(&task.task_definition);
        let document = definition.map(|definition| &definition.document);
        let document = document.unwrap_or(&serde_json::Value::Null);
        let reads_secrets = reads_secrets(document);
        for fault in self.faults_of(cluster, task) {
            let Some((container, image)) = struck_container(fault, document, task) else {
                continue;
            };
            let is_beside = !is_essential(document, &container);
            match &fault.fault {
                Fault::ImagePull { message } => {
                    let words = unpulled(message.as_ref(), &image);
                    if is_beside {
                        behaviour.beside.push(Beside::Unpulled(container, words));
                    } else {
                        behaviour.never_starts = Some(("Task failed to start".into(), Some(words)));
                    }
                }
                Fault::Secrets { message } if reads_secrets => {
                    let words = message.clone().unwrap_or_else(|| {
                        "unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve \
                         secret from asm: AccessDeniedException: not authorized to perform: secretsmanager:GetSecretValue"
                            .into()
                    });
                    behaviour.never_starts = Some((named("ResourceInitializationError: ", words), None));
                }
                Fault::NoCapacity {
                    lack: Some(Lack::Fargate),
                } if task.launch_type == "FARGATE" => {
                    // Source: the words of ECS's events, aws-facts 2.6.
                    let words = "Capacity is unavailable at this time. Please try again later or in a different \
                                 availability zone";
                    behaviour.never_starts = Some((words.into(), None));
                }
                fault => {
                    if let Some(end) = end_of(fault, container) {
                        if is_beside {
                            behaviour.beside.push(Beside::Ends(end));
                        } else {
                            behaviour.ends = Some(end);
                        }
                    }
                }
            }
        }
        behaviour
    }

    /// How a target answers a health check at this moment.
    pub(crate) fn answer(&self, group: &str, target: &Target) -> CheckAnswer {
        let owner = target.task.as_ref();
        let found = owner.and_then(|id| {
            self.account
                .clusters
                .iter()
                .find_map(|(name, c)| Some((name, c.tasks.get(id)?)))
        });
        let Some((cluster, task)) =
            found.filter(|(_, t)| t.containers.iter().any(|c| c.last_status == TaskStatus::Running))
        else {
            return CheckAnswer::ConnectionRefused;
        };
        let since = self
            .task_runtimes
            .get(&task.id)
            .and_then(|runtime| runtime.running_since)
            .unwrap_or(task.created_at);
        let up = self.now.since(since);
        let group = self.group(group);
        for fault in self.faults_of(cluster, task) {
            if !group.map_or(fault.scope.target_group.is_none(), |g| fault.concerns_group(&g.name)) {
                continue;
            }
            match &fault.fault {
                Fault::Unhealthy { code, .. } => return CheckAnswer::Code(*code),
                Fault::HealthTimeout => return CheckAnswer::Timeout,
                Fault::SlowStart { takes } if up < *takes => return CheckAnswer::ConnectionRefused,
                Fault::Flapping { after } if !self.is_latecomer(cluster, task) => {
                    // Just long enough for the threshold: up, down, up.
                    let down = group.map_or(Duration::from_secs(60), |g| {
                        g.health_check
                            .interval
                            .saturating_mul(g.health_check.unhealthy_threshold)
                    });
                    if up >= *after && up < *after + down {
                        return CheckAnswer::Code(503);
                    }
                }
                _ => {}
            }
        }
        CheckAnswer::Ok
    }

    /// Whether a task was started so long after the update that it replaces an earlier one. Only those flap: where ECS
    /// is quicker than the recovery, their replacements stay healthy.
    fn is_latecomer(&self, cluster: &str, task: &Task) -> bool {
        let first_update = self
            .scheduler_state_of(cluster, &task.service)
            .and_then(|scheduler| scheduler.deployments.first_update);
        first_update.is_some_and(|at| task.created_at.since(at) >= Duration::from_secs(60))
    }

    pub(crate) fn fails_its_own_check(&self, cluster: &str, task: &Task) -> bool {
        self.faults_of(cluster, task)
            .any(|fault| matches!(fault.fault, Fault::ContainerUnhealthy { .. }))
    }

    /// What a fault makes an instance lack besides CPU, memory and ports, in the words of ECS's event.
    pub(crate) fn lack_by_fault(&self, cluster: &str, service: &str) -> Option<&'static str> {
        self.faults_in_force(cluster, service)
            .find_map(|fault| match fault.fault {
                Fault::NoCapacity { lack } => words_of_lack(lack?),
                _ => None,
            })
    }

    /// Whether a fault leaves a service without any instance.
    pub(crate) fn has_no_instances(&self, cluster: &str, service: &str) -> bool {
        let lack = Some(Lack::Instances);
        self.faults_in_force(cluster, service)
            .any(|fault| fault.fault == Fault::NoCapacity { lack })
    }

    /// How long tasks take from SIGTERM to their end.
    pub(crate) fn stopping_span(&mut self, cluster: &str, tasks: &[String]) -> Spread {
        let killed = tasks.iter().filter_map(|id| self.killed_after(cluster, id)).max();
        killed.map_or(self.timings.stop, |span| Spread { low: span, high: span })
    }

    /// How long after SIGTERM a task's containers are killed, where they ignore it.
    pub(crate) fn killed_after(&self, cluster: &str, task: &str) -> Option<Duration> {
        let service = &self.task(cluster, task)?.service;
        self.faults_in_force(cluster, service)
            .find_map(|fault| match fault.fault {
                Fault::IgnoresSigterm { killed_after } => Some(killed_after),
                _ => None,
            })
    }

    /// The VPC of a cluster's instances: another one than their target groups' while a fault has it so.
    pub fn vpc_of_instances(&self, cluster: &str) -> &'static str {
        let home = self.account.clusters.get(cluster);
        let mut services = home.into_iter().flat_map(|home| home.services.keys());
        if services.any(|service| self.is_in_force(cluster, service, |fault| *fault == Fault::WrongVpc)) {
            OTHER_VPC
        } else {
            VPC
        }
    }

    /// Whether the target cannot be registered because it is in another VPC; ECS says so.
    pub(crate) fn is_in_another_vpc(&mut self, cluster: &str, name: &str, group: &str, target: &str) -> bool {
        let Some(found) = self.account.target_groups.get(group) else {
            return false;
        };
        let strikes = |fault: &FaultSpec| fault.fault == Fault::WrongVpc && fault.concerns_group(&found.name);
        if !self.faults_in_force(cluster, name).any(strikes) {
            return false;
        }
        let error = format!(
            "InvalidTarget: The following targets are not in the target group VPC '{}': '{target}'",
            found.vpc_id
        );
        self.complain(
            cluster,
            name,
            crate::world::service_event::failed_to_register(name, group, &error),
        );
        true
    }
}

/// The container that a fault means, and its image; `None` where the task has no such container.
fn struck_container(fault: &FaultSpec, document: &serde_json::Value, task: &Task) -> Option<(String, String)> {
    let Some(name) = &fault.scope.container else {
        return Some(first_essential(document));
    };
    let found = task.containers.iter().find(|container| container.name == *name)?;
    Some((found.name.clone(), found.image.clone()))
}

fn unpulled(message: Option<&String>, image: &str) -> String {
    let words = message.cloned();
    let words = words.unwrap_or_else(|| format!("failed to resolve reference \"{image}\": {image}: not found"));
    named(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): ",
        words,
    )
}

/// The words behind the name of their error, unless they begin with one: `CannotPullContainerError: …`.
fn named(error: &str, words: String) -> String {
    let head = words.split(':').next().unwrap_or_default();
    let is_name = head.ends_with("Error") && head.chars().all(char::is_alphanumeric);
    if is_name { words } else { format!("{error}{words}") }
}

fn end_of(fault: &Fault, container: String) -> Option<ContainerEnd> {
    let (exit_code, after, reason) = match fault {
        Fault::CrashLoop { exit_code, after, .. } => (*exit_code, *after, None),
        Fault::OutOfMemory { after, .. } => {
            let words = "OutOfMemoryError: Container killed due to memory usage";
            (137, *after, Some(words.to_owned()))
        }
        _ => return None,
    };
    Some(ContainerEnd {
        container,
        exit_code,
        after,
        reason,
    })
}

/// Where no target group of the account is.
const OTHER_VPC: &str = "vpc-0d9e8f7a";

/// Source: the tails of ECS's event, aws-facts 2.5.
fn words_of_lack(lack: Lack) -> Option<&'static str> {
    Some(match lack {
        Lack::Ports => "is already using a port required by your task.",
        Lack::Attribute => "is missing an attribute required by your task.",
        Lack::Constraint => "encountered error \"MemberOf placement constraint unsatisfied.\".",
        Lack::Agent => "encountered error \"AGENT\".",
        Lack::Eni => "encountered error \"RESOURCE:ENI\".",
        Lack::Cpu | Lack::Memory | Lack::Instances | Lack::Fargate => return None,
    })
}
