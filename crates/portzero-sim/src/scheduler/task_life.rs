//! The life of a task, from its creation to an hour after its end.

use std::time::Duration;

use super::placement::Obstacle;
use crate::faults::behaviour::{Behaviour, Beside};
use crate::model::container::{Mapping, Needs, containers, mappings, waits_in_vain};
use crate::model::state::{Container, NetworkBinding, Task, TaskRequest};
use crate::model::status::{HealthStatus, TaskStatus};
use crate::scenario::span::Spread;
use crate::world::new_task::NewTask;
use crate::world::{ScheduledEvent, TaskRuntime, TaskStage, World, service_event};

/// A cluster has at most so many tasks PROVISIONING (aws-facts 2.6); without a limit, a slip in a desired count would start
/// them all.
const TOGETHER_MAX: u32 = 500;
/// Stopped tasks stay visible for an hour.
const VISIBLE_FOR: Duration = Duration::from_secs(3600);

/// The same as a range to draw from.
const VISIBLE: Spread = Spread {
    low: VISIBLE_FOR,
    high: VISIBLE_FOR,
};

/// A container of the document, before anything of it runs.
fn pending_container(defined: &serde_json::Value) -> Container {
    let number = |key: &str| defined.get(key).and_then(serde_json::Value::as_i64);
    Container {
        name: text(defined, "name"),
        image: text(defined, "image"),
        last_status: TaskStatus::Pending,
        exit_code: None,
        reason: None,
        network_bindings: Vec::new(),
        cpu: number("cpu").unwrap_or(0),
        memory: number("memory"),
        memory_reservation: number("memoryReservation"),
    }
}

impl World {
    /// Creates one task of a deployment; its id, or what keeps it from being placed.
    pub(crate) fn create_task(&mut self, cluster: &str, service: &str, deployment: &str) -> Result<String, Obstacle> {
        let found = self.service(cluster, service).and_then(|s| {
            let own = s.deployments.iter().find(|d| d.id == deployment);
            // Services of other controllers show no deployments, but have tasks all the same.
            let fallback = Some(&s.task_definition).filter(|_| s.deployments.is_empty());
            let definition = own.map(|d| &d.task_definition).or(fallback)?.clone();
            Some((definition, s.launch_type.clone()))
        });
        let (arn, launch_type) = found.ok_or(None)?;
        let needs = self.definition(&arn).map(|d| Needs::of(&d.document)).ok_or(None)?;
        let new = NewTask {
            service,
            started_by: deployment,
            task_definition: &arn,
            launch_type: &launch_type,
            needs: &needs,
        };
        self.add_task(cluster, &new)
    }

    /// Creates one task, of a service or of none; its id, or what keeps it from being placed.
    pub(crate) fn add_task(&mut self, cluster: &str, new: &NewTask<'_>) -> Result<String, Obstacle> {
        let needs = new.needs;
        let definition = self.definition(new.task_definition).ok_or(None)?;
        let document = definition.document.clone();
        let fargate = new.launch_type == "FARGATE";
        let waits = !fargate && self.waits_for_capacity(cluster, new.service);
        let on_instance = (!fargate && !waits).then(|| self.place(cluster, new.service, needs));
        let instance = on_instance.transpose()?;
        let home = instance
            .as_ref()
            .and_then(|id| self.account.clusters.get(cluster)?.instances.get(id));
        let zone = home.map_or_else(
            || format!("{}a", self.account.region),
            |home| home.availability_zone.clone(),
        );
        let id = self.hex(32);
        let (private_ip, ipv6) = if needs.awsvpc {
            self.next_addresses(cluster, new.service)
        } else {
            (None, None)
        };
        let first = if needs.awsvpc || waits {
            TaskStatus::Provisioning
        } else {
            TaskStatus::Pending
        };
        let (region, account) = (&self.account.region, &self.account.id);
        let task = Task {
            arn: format!("arn:aws:ecs:{region}:{account}:task/{cluster}/{id}"),
            id: id.clone(),
            cluster_arn: format!("arn:aws:ecs:{region}:{account}:cluster/{cluster}"),
            service: new.service.to_owned(),
            started_by: new.started_by.to_owned(),
            task_definition: new.task_definition.to_owned(),
            last_status: first,
            desired_status: TaskStatus::Running,
            instance,
            availability_zone: zone,
            launch_type: new.launch_type.to_owned(),
            containers: containers(&document).into_iter().map(pending_container).collect(),
            health_status: HealthStatus::Undetermined,
            cpu: needs.cpu,
            memory: needs.memory,
            private_ip,
            ipv6,
            created_at: self.now,
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            stopping_at: None,
            execution_stopped_at: None,
            stopped_at: None,
            stop_code: None,
            stopped_reason: None,
            version: 1,
            request: TaskRequest::default(),
        };
        self.admit_task(cluster, task);
        Ok(id)
    }

    /// Adds a task to the account, to what is known of tasks, and to its service.
    fn admit_task(&mut self, cluster: &str, task: Task) {
        let (id, service) = (task.id.clone(), task.service.clone());
        if let Some(home) = self.account.clusters.get_mut(cluster) {
            home.tasks.insert(id.clone(), task);
        }
        self.task_runtimes.insert(id.clone(), TaskRuntime::default());
        let tasks = self.task_ids.entry((cluster.to_owned(), service)).or_default();
        tasks.insert(id);
    }

    /// Starts tasks of a deployment together, as many as can be placed up to `count`, and says so.
    pub(crate) fn start_tasks(&mut self, cluster: &str, service: &str, deployment: &str, count: u32) -> Vec<String> {
        let mut started = Vec::new();
        for _ in 0..count.min(TOGETHER_MAX) {
            match self.create_task(cluster, service, deployment) {
                Ok(task) => started.push(task),
                Err(obstacle) => {
                    self.complain(cluster, service, service_event::could_not_place(service, &obstacle));
                    break;
                }
            }
        }
        let fargate = self
            .service(cluster, service)
            .is_some_and(|s| s.launch_type == "FARGATE");
        self.set_off(cluster, &started, fargate);
        started
    }

    /// Puts the first stages of tasks that start together on the queue.
    pub(crate) fn set_off(&mut self, cluster: &str, tasks: &[String], fargate: bool) {
        if !tasks.is_empty() {
            let whole = self.draw(if fargate {
                self.timings.start_fargate
            } else {
                self.timings.start_ec2
            });
            let (cluster, tasks) = (cluster.to_owned(), tasks.to_vec());
            self.after(
                whole.mul_f64(0.5),
                ScheduledEvent::TaskStage {
                    cluster: cluster.clone(),
                    tasks: tasks.clone(),
                    stage: TaskStage::Pull,
                },
            );
            self.after(
                whole,
                ScheduledEvent::TaskStage {
                    cluster,
                    tasks,
                    stage: TaskStage::Start,
                },
            );
        }
    }

    /// Brings tasks into their next stage and puts the stage after it on the queue.
    pub(crate) fn enter_stage(&mut self, cluster: &str, tasks: &[String], stage: TaskStage) {
        let going: Vec<String> = tasks
            .iter()
            .filter(|task| self.goes_on(cluster, task, stage))
            .cloned()
            .collect();
        let going = self.not_held(cluster, going, stage);
        if going.is_empty() {
            return;
        }
        let done = self.settle_stage(cluster, &going, stage);
        let next = |world: &mut World, spread: Spread, stage: TaskStage| {
            let span = world.draw(spread);
            world.after(
                span,
                ScheduledEvent::TaskStage {
                    cluster: cluster.to_owned(),
                    tasks: done.clone(),
                    stage,
                },
            );
        };
        match stage {
            TaskStage::Pull | TaskStage::Run | TaskStage::Forget => {}
            TaskStage::Start => {
                self.begin_checks(&done);
                self.script_ends(cluster, &done);
                next(self, self.timings.activation, TaskStage::Run);
            }
            TaskStage::Stop => {
                let span = self.stopping_span(cluster, &done);
                next(self, span, TaskStage::Stopped);
            }
            TaskStage::Stopped => {
                let awsvpc = |task: &String| {
                    self.task(cluster, task)
                        .is_some_and(|t| t.last_status == TaskStatus::Deprovisioning)
                };
                if done.iter().any(awsvpc) {
                    next(self, self.timings.deprovision, TaskStage::Deprovisioned);
                } else {
                    next(self, VISIBLE, TaskStage::Forget);
                }
            }
            TaskStage::Deprovisioned => next(self, VISIBLE, TaskStage::Forget),
        }
        self.recount_for(cluster, &going);
    }

    /// Whether the stage is still ahead of the task: one that is being stopped starts nothing more.
    fn goes_on(&self, cluster: &str, task: &str, stage: TaskStage) -> bool {
        let Some(task) = self.task(cluster, task) else {
            return false;
        };
        let status = &task.last_status;
        match stage {
            TaskStage::Pull | TaskStage::Start => {
                task.desired_status == TaskStatus::Running
                    && matches!(status, TaskStatus::Provisioning | TaskStatus::Pending)
            }
            TaskStage::Run => task.desired_status == TaskStatus::Running && *status == TaskStatus::Activating,
            TaskStage::Stop => matches!(
                status,
                TaskStatus::Deactivating
                    | TaskStatus::Activating
                    | TaskStatus::Running
                    | TaskStatus::Pending
                    | TaskStatus::Provisioning
            ),
            TaskStage::Stopped => !matches!(status, TaskStatus::Stopped | TaskStatus::Deprovisioning),
            TaskStage::Deprovisioned => *status == TaskStatus::Deprovisioning,
            TaskStage::Forget => *status == TaskStatus::Stopped,
        }
    }

    /// The change of a stage alone. Returns the tasks that made it: a start may fail.
    pub(crate) fn settle_stage(&mut self, cluster: &str, tasks: &[String], stage: TaskStage) -> Vec<String> {
        let mut done = Vec::new();
        for task in tasks {
            let made = match stage {
                TaskStage::Pull => self.pull(cluster, task),
                TaskStage::Start => self.start_containers(cluster, task),
                TaskStage::Run => self.run(cluster, task),
                TaskStage::Stop => self.stop_containers(cluster, task),
                TaskStage::Stopped => self.containers_stopped(cluster, task),
                TaskStage::Deprovisioned => self.finish(cluster, task),
                TaskStage::Forget => self.forget(cluster, task),
            };
            if made {
                done.push(task.clone());
            }
        }
        if stage == TaskStage::Start {
            self.register_targets(cluster, &done);
        }
        done
    }

    fn pull(&mut self, cluster: &str, task: &str) -> bool {
        let now = self.now;
        if let Some(task) = self.task_mut(cluster, task) {
            task.last_status = TaskStatus::Pending;
            task.pull_started_at = Some(now);
            task.version += 1;
        }
        true
    }

    fn start_containers(&mut self, cluster: &str, id: &str) -> bool {
        let Some(task) = self.task(cluster, id).cloned() else {
            return false;
        };
        let document = self
            .definition(&task.task_definition)
            .map(|d| d.document.clone())
            .unwrap_or_default();
        let behaviour = self.behaviour(cluster, &task);
        if !self.may_start(cluster, id, &behaviour, &document) {
            return false;
        }
        let wanted: Vec<Mapping> = if Needs::of(&document).awsvpc {
            Vec::new()
        } else {
            mappings(&document)
        };
        let bound = match task
            .instance
            .as_deref()
            .map(|instance| self.bind(cluster, instance, &wanted))
        {
            None => Vec::new(),
            Some(Ok(bound)) => bound,
            Some(Err(port)) => {
                let reason = format!(
                    "CannotStartContainerError: Error response from daemon: driver failed programming external connectivity \
                     on endpoint: Bind for 0.0.0.0:{port} failed: port is already allocated"
                );
                self.fails_to_start(cluster, id, "Task failed to start", Some(&reason));
                return false;
            }
        };
        self.containers_started(cluster, id, &bound, &behaviour.beside);
        true
    }

    /// Whether nothing keeps the containers from starting; the task has failed where something does.
    fn may_start(&mut self, cluster: &str, id: &str, behaviour: &Behaviour, document: &serde_json::Value) -> bool {
        if let Some((reason, in_container)) = &behaviour.never_starts {
            self.fails_to_start(cluster, id, reason, in_container.as_deref());
            return false;
        }
        let in_vain = |beside: &Beside| waits_in_vain(document, beside.container(), beside.exit_code());
        let mut vain = behaviour.beside.iter();
        let Some((failed, waiting)) = vain.find_map(|beside| Some((beside, in_vain(beside)?))) else {
            return true;
        };
        self.dependency_fails(cluster, id, failed, &waiting);
        false
    }

    fn containers_started(&mut self, cluster: &str, id: &str, bound: &[(String, NetworkBinding)], beside: &[Beside]) {
        let now = self.now;
        let unpulled = |name: &str| {
            beside.iter().find_map(|beside| match beside {
                Beside::Unpulled(container, words) if container == name => Some(words.clone()),
                _ => None,
            })
        };
        if let Some(task) = self.task_mut(cluster, id) {
            task.pull_stopped_at = Some(now);
            task.last_status = TaskStatus::Activating;
            task.version += 1;
            for container in &mut task.containers {
                container.reason = unpulled(&container.name);
                if container.reason.is_some() {
                    container.last_status = TaskStatus::Stopped;
                    continue;
                }
                container.last_status = TaskStatus::Running;
                let own = bound.iter().filter(|(name, _)| name == &container.name);
                container.network_bindings = own.map(|(_, binding)| binding.clone()).collect();
            }
        }
        self.task_runtimes.entry(id.to_owned()).or_default().running_since = Some(now);
    }

    fn run(&mut self, cluster: &str, task: &str) -> bool {
        let now = self.now;
        if let Some(task) = self.task_mut(cluster, task) {
            task.last_status = TaskStatus::Running;
            task.started_at = Some(now);
            task.version += 1;
        }
        true
    }

    fn stop_containers(&mut self, cluster: &str, task: &str) -> bool {
        let now = self.now;
        if let Some(task) = self.task_mut(cluster, task) {
            task.last_status = TaskStatus::Stopping;
            task.stopping_at = Some(now);
            task.version += 1;
        }
        true
    }

    fn containers_stopped(&mut self, cluster: &str, task: &str) -> bool {
        let now = self.now;
        let exit_code = self.killed_after(cluster, task).map_or(0, |_| 137);
        let Some(task) = self.task_mut(cluster, task) else {
            return false;
        };
        for container in task
            .containers
            .iter_mut()
            .filter(|c| c.last_status != TaskStatus::Stopped)
        {
            if container.last_status == TaskStatus::Running {
                container.exit_code = container.exit_code.or(Some(exit_code));
            }
            container.last_status = TaskStatus::Stopped;
        }
        task.stopping_at = task.stopping_at.or(Some(now));
        task.execution_stopped_at = task.execution_stopped_at.or(Some(now));
        task.version += 1;
        if task.has_interface() {
            task.last_status = TaskStatus::Deprovisioning;
        } else {
            task.last_status = TaskStatus::Stopped;
            task.stopped_at = Some(now);
        }
        true
    }

    fn finish(&mut self, cluster: &str, task: &str) -> bool {
        let now = self.now;
        if let Some(task) = self.task_mut(cluster, task) {
            task.last_status = TaskStatus::Stopped;
            task.stopped_at = Some(now);
            task.version += 1;
        }
        true
    }

    fn forget(&mut self, cluster: &str, task: &str) -> bool {
        self.task_runtimes.remove(task);
        self.account.protections.remove(task);
        let gone = self.task(cluster, task).map(|t| t.arn.clone());
        self.account.tags.remove(&gone.unwrap_or_default());
        let service = self.task(cluster, task).map(|t| t.service.clone()).unwrap_or_default();
        if let Some(tasks) = self.task_ids.get_mut(&(cluster.to_owned(), service)) {
            tasks.remove(task);
        }
        self.account
            .clusters
            .get_mut(cluster)
            .and_then(|home| home.tasks.remove(task))
            .is_some()
    }

    fn recount_for(&mut self, cluster: &str, tasks: &[String]) {
        if let Some(service) = tasks
            .first()
            .and_then(|id| self.task(cluster, id))
            .map(|t| t.service.clone())
        {
            self.recount(cluster, &service);
        }
    }
}

pub(crate) fn stage(cluster: &str, task: &str, stage: TaskStage) -> ScheduledEvent {
    ScheduledEvent::TaskStage {
        cluster: cluster.to_owned(),
        tasks: vec![task.to_owned()],
        stage,
    }
}

fn text(value: &serde_json::Value, key: &str) -> String {
    value
        .get(key)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
