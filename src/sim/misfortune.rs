//! What the faults in force do: to containers, to targets, and to the world at their moment.

use std::time::Duration;

use super::faults::{Answer, Behaviour, FaultSpec, RevisionRef};
use super::pointless::reads_secrets;
use super::state::{ServiceChange, Target, Task};
use super::world::{Happening, Stage, World};
use crate::time::Timestamp;

impl World {
    /// Puts the timetable of the faults that count from the start on the queue.
    pub(super) fn begin_faults(&mut self) {
        let services: Vec<(String, String)> = self.minds.keys().cloned().collect();
        for (cluster, service) in services {
            self.schedule_faults(&cluster, &service, self.start, true);
        }
        for index in 0..self.faults.len() {
            if self.faults[index].fault == "not-in-use" && self.faults[index].begins() == Duration::ZERO {
                self.unhook_groups(index);
            }
        }
    }

    /// Puts a service's timetabled faults on the queue, counted from `base`.
    pub(super) fn schedule_faults(&mut self, cluster: &str, service: &str, base: Timestamp, from_start: bool) {
        for index in 0..self.faults.len() {
            let fault = &self.faults[index];
            let is_timed = matches!(
                fault.fault.as_str(),
                "other-deployment" | "autoscaling" | "instance-loss" | "desired-zero" | "not-in-use"
            );
            if is_timed && fault.concerns(service) && fault.is_from_start() == from_start {
                let at = base + fault.begins();
                let (cluster, service) = (cluster.to_owned(), service.to_owned());
                self.at(
                    at,
                    Happening::Fault {
                        index,
                        cluster,
                        service,
                    },
                );
            }
        }
    }

    /// The faults that hold for a service at this moment.
    pub(super) fn faults_in_force<'a>(
        &'a self,
        cluster: &str,
        service: &'a str,
    ) -> impl Iterator<Item = &'a FaultSpec> {
        let first_update = self.mind_of(cluster, service).and_then(|mind| mind.first_update);
        self.faults.iter().filter(move |fault| {
            let base = if fault.is_from_start() {
                Some(self.start)
            } else {
                first_update
            };
            fault.concerns(service)
                && base.is_some_and(|base| {
                    base + fault.begins() <= self.now && fault.ends().is_none_or(|end| self.now < base + end)
                })
        })
    }

    pub(super) fn is_in_force(&self, cluster: &str, service: &str, name: &str) -> bool {
        self.faults_in_force(cluster, service).any(|fault| fault.fault == name)
    }

    /// The faults in force that belong to a task by its revision.
    fn faults_of<'a>(&'a self, cluster: &'a str, task: &'a Task) -> impl Iterator<Item = &'a FaultSpec> {
        let mind = self.mind_of(cluster, &task.service);
        self.faults_in_force(cluster, &task.service)
            .filter(move |fault| match fault.revision {
                RevisionRef::Current => mind.is_some_and(|mind| mind.initial == task.started_by),
                RevisionRef::Number(number) => task.task_definition.ends_with(&format!(":{number}")),
                RevisionRef::Next => mind.is_some_and(|mind| {
                    let is_next = |(id, definition): &(String, String)| {
                        *id == task.started_by
                            || (*definition == task.task_definition && mind.initial != task.started_by)
                    };
                    mind.next.as_ref().is_some_and(is_next)
                }),
            })
    }

    /// How the containers of a task behave.
    pub(super) fn behaviour(&self, cluster: &str, task: &Task) -> Behaviour {
        let mut behaviour = Behaviour::default();
        let reads_secrets = self
            .definition(&task.task_definition)
            .is_some_and(|definition| reads_secrets(&definition.document));
        let image = task.containers.first().map(|c| c.image.clone()).unwrap_or_default();
        for fault in self.faults_of(cluster, task) {
            let delay = |default: u64| fault.delay.unwrap_or(Duration::from_secs(default));
            match fault.fault.as_str() {
                "image-pull" => {
                    let words = fault
                        .message
                        .clone()
                        .unwrap_or_else(|| format!("failed to resolve reference \"{image}\": {image}: not found"));
                    let words =
                        format!("CannotPullContainerError: pull image manifest has been retried 1 time(s): {words}");
                    behaviour.never_starts = Some(("Task failed to start".into(), Some(words)));
                }
                "secrets" if reads_secrets => {
                    let words = fault.message.clone().unwrap_or_else(|| {
                        "unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve \
                         secret from asm: AccessDeniedException: not authorized to perform: secretsmanager:GetSecretValue"
                            .into()
                    });
                    behaviour.never_starts = Some((format!("ResourceInitializationError: {words}"), None));
                }
                "crash-loop" => behaviour.ends = Some((fault.exit_code, delay(3), None)),
                "out-of-memory" => {
                    let words = "OutOfMemoryError: Container killed due to memory usage";
                    behaviour.ends = Some((137, delay(6), Some(words.into())));
                }
                _ => {}
            }
        }
        behaviour
    }

    /// How a target answers a health check at this moment.
    pub(super) fn answer(&self, group: &str, target: &Target) -> Answer {
        let owner = target.task.as_ref();
        let found = owner.and_then(|id| {
            self.account
                .clusters
                .iter()
                .find_map(|(name, c)| Some((name, c.tasks.get(id)?)))
        });
        let Some((cluster, task)) = found.filter(|(_, t)| t.containers.iter().any(|c| c.last_status == "RUNNING"))
        else {
            return Answer::Refused;
        };
        let since = self
            .lives
            .get(&task.id)
            .and_then(|life| life.running_since)
            .unwrap_or(task.created_at);
        let up = self.now.since(since);
        let group = self.account.target_groups.get(group);
        for fault in self.faults_of(cluster, task) {
            if fault
                .target_group
                .as_ref()
                .is_some_and(|name| group.is_none_or(|g| &g.name != name))
            {
                continue;
            }
            match fault.fault.as_str() {
                "unhealthy" => return Answer::Code(fault.code),
                "health-timeout" => return Answer::Nothing,
                "slow-start" if up < fault.delay.unwrap_or(Duration::from_secs(90)) => return Answer::Refused,
                "flapping" if !self.is_latecomer(cluster, task) => {
                    // Just long enough for the threshold: up, down, up.
                    let down = group.map_or(Duration::from_secs(60), |g| {
                        g.health_check.interval * g.health_check.unhealthy_threshold
                    });
                    let begins = fault.delay.unwrap_or(Duration::from_secs(60));
                    if up >= begins && up < begins + down {
                        return Answer::Code(503);
                    }
                }
                _ => {}
            }
        }
        Answer::Ok
    }

    /// Whether a task was started so long after the update that it replaces an earlier one. Only those flap: where ECS
    /// is quicker than the recovery, their replacements stay healthy.
    fn is_latecomer(&self, cluster: &str, task: &Task) -> bool {
        let first_update = self.mind_of(cluster, &task.service).and_then(|mind| mind.first_update);
        first_update.is_some_and(|at| task.created_at.since(at) >= Duration::from_secs(60))
    }

    pub(super) fn fails_its_own_check(&self, cluster: &str, task: &Task) -> bool {
        self.faults_of(cluster, task)
            .any(|fault| fault.fault == "container-unhealthy")
    }

    /// A fault of the timetable strikes.
    pub(super) fn strike(&mut self, index: usize, cluster: &str, service: &str) {
        let Some(fault) = self.faults.get(index).cloned() else {
            return;
        };
        match fault.fault.as_str() {
            "other-deployment" => self.someone_else_deploys(cluster, service),
            "autoscaling" => {
                if let Some(found) = self.service_mut(cluster, service) {
                    found.desired_count = fault.desired_count.unwrap_or(found.desired_count.saturating_mul(2));
                }
            }
            "desired-zero" => {
                if let Some(found) = self.service_mut(cluster, service) {
                    found.desired_count = 0;
                }
            }
            "instance-loss" => self.lose_instance(cluster, service, fault.instance.as_deref()),
            "not-in-use" => self.unhook_groups(index),
            _ => {}
        }
    }

    /// Somebody registers a copy of what the service runs and deploys that.
    fn someone_else_deploys(&mut self, cluster: &str, service: &str) {
        let current = self.service(cluster, service).map(|s| s.task_definition.clone());
        let document = current.and_then(|arn| self.definition(&arn).map(|d| d.document.clone()));
        let Some(Ok(copy)) = document.map(|document| self.register_at(&document, None)) else {
            return;
        };
        let change = ServiceChange {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            task_definition: Some(copy.arn),
            force_new_deployment: true,
            ..ServiceChange::default()
        };
        // A service that takes no deployment takes none from anybody.
        let _refused = self.update_service(&change);
    }

    /// The EC2 instance is terminated, and everything on it with it.
    fn lose_instance(&mut self, cluster: &str, service: &str, ec2: Option<&str>) {
        let Some(home) = self.account.clusters.get(cluster) else {
            return;
        };
        let named = home
            .instances
            .values()
            .find(|i| ec2 == Some(i.ec2_instance_id.as_str()));
        let used = || {
            home.tasks
                .values()
                .find(|t| t.service == service)
                .and_then(|t| home.instances.get(t.instance.as_ref()?))
        };
        let Some(lost) = named.or_else(used).cloned() else {
            return;
        };
        let tasks: Vec<(String, String)> = home
            .tasks
            .values()
            .filter(|t| t.instance.as_deref() == Some(&lost.id) && t.last_status != "STOPPED")
            .map(|t| (t.id.clone(), t.service.clone()))
            .collect();
        if let Some(home) = self.account.clusters.get_mut(cluster) {
            home.instances.remove(&lost.id);
        }
        let reason = format!("Host EC2 (instance {}) terminated.", lost.ec2_instance_id);
        for (task, service) in tasks {
            if let Some(task) = self.task_mut(cluster, &task) {
                task.desired_status = "STOPPED".into();
                task.last_status = "DEACTIVATING".into();
                task.stop_code = Some("TerminationNotice".into());
                task.stopped_reason = Some(reason.clone());
                for container in &mut task.containers {
                    container.last_status = "STOPPED".into();
                }
            }
            self.deregister_soon(cluster, &service, std::slice::from_ref(&task), false);
            self.after(
                Duration::from_secs(2),
                super::task_life::stage(cluster, &task, Stage::Stopped),
            );
            self.recount(cluster, &service);
        }
    }

    /// The listeners no longer forward to the target groups.
    fn unhook_groups(&mut self, index: usize) {
        let Some(fault) = self.faults.get(index).cloned() else {
            return;
        };
        for group in self.account.target_groups.values_mut() {
            if fault.target_group.as_ref().is_some_and(|name| name != &group.name) {
                continue;
            }
            group.load_balancer_arns.clear();
            for target in group.targets.iter_mut().filter(|t| t.state != "draining") {
                target.state = "unused".into();
                target.reason = Some("Target.NotInUse".into());
                target.description =
                    Some("Target group is not configured to receive traffic from the load balancer".into());
            }
            let arn = &group.arn;
            for balancer in self.account.load_balancers.values_mut() {
                balancer.listeners.retain(|listener| &listener.target_group_arn != arn);
            }
        }
    }
}
