//! The world: an account, virtual time, and the queue of what will happen next.
//!
//! Everything that happens has a moment and a number; the queue runs in that order, and every draw comes from one seeded
//! generator, so the same scenario and the same calls at the same moments give the same account to the last byte.

pub(crate) mod identifier;
pub mod log_output;
pub(crate) mod new_task;
pub(crate) mod service_event;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::scenario::{Scenario, Throttling, Timings};
use super::strategy::StageProgress;
use crate::faults::behaviour::ContainerEnd;
use crate::model::refusal::Refusal;
use crate::model::state::{Account, Cluster, Deployment, Past, Service, Task, short};
use crate::model::status::TaskStatus;
use crate::scenario::fault::FaultSpec;
use crate::scenario::span::Spread;
use crate::scenario::specs::AlarmSpec;
use crate::scenario::switches::Switches;
use crate::timestamp::Timestamp;

/// An account at one moment of virtual time, and what will happen to it.
pub struct World {
    pub(crate) now: Timestamp,
    pub(crate) start: Timestamp,
    /// What the clocks of the clients show, where that is another time.
    clients_now: Option<Timestamp>,
    pub(crate) account: Account,
    pub(crate) timings: Timings,
    pub(crate) faults: Vec<FaultSpec>,
    pub(crate) alarms: Vec<AlarmSpec>,
    pub(crate) switches: Switches,
    /// Keys of task definitions that are kept, though nothing here knows them.
    pub(crate) newer_keys: Vec<String>,
    /// The tasks of each service that are still shown, stopped ones too. By cluster and service.
    pub(crate) task_ids: BTreeMap<(String, String), BTreeSet<String>>,
    /// What the scheduler remembers of each service, beside what the API shows. By cluster and service.
    pub(crate) scheduler_states: BTreeMap<(String, String), SchedulerState>,
    /// What is known of each task beside what the API shows. By task id.
    pub(crate) task_runtimes: BTreeMap<String, TaskRuntime>,
    /// The next dynamic port of each container instance. By instance id.
    pub(crate) next_ports: BTreeMap<String, u16>,
    /// How many network interfaces there have been: the next private address.
    pub(crate) interfaces: u32,
    /// The seed that all randomness comes from.
    pub(crate) seed: u64,
    /// The token buckets that hold for every call.
    pub(crate) throttling: Throttling,
    /// What reads showed before, where a fault wants to show it again.
    pub(crate) past: Past,
    queue: BTreeMap<(Timestamp, u64), ScheduledEvent>,
    sequence: u64,
    happened: u64,
    rng: fastrand::Rng,
}

/// What the scheduler remembers of one service, beside what the API shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchedulerState {
    pub(crate) deployments: KnownDeployments,
    pub(crate) rollback: RollbackState,
    pub(crate) timing: Timing,
    pub(crate) failures: FailureState,
    pub(crate) health: HealthState,
    /// Where a deployment whose traffic shifts stands.
    pub(crate) stage_progress: Option<StageProgress>,
}

/// Which deployments the scheduler and the faults tell apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownDeployments {
    /// The deployment that ran at the world's start.
    pub(crate) initial: String,
    /// The first deployment that somebody's UpdateService made, and its task definition: what `next` means.
    pub(crate) next: Option<(String, String)>,
    pub(crate) first_update: Option<Timestamp>,
    /// The newest COMPLETED deployment: what a rollback goes back to.
    pub(crate) completed: Option<Deployment>,
}

/// A rollback in progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct RollbackState {
    /// Set while the deployment that it goes back to is PRIMARY again: its original creation time.
    pub(crate) since: Option<Timestamp>,
    /// A rollback that has to start tasks does so as long after it began as a first action comes (recorded: 18 s).
    pub(crate) starts_late: bool,
    /// Its traffic has not gone back yet.
    pub(crate) traffic_returns: bool,
}

/// When the scheduler acts next, and when it acted last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timing {
    /// The next regular look.
    pub(crate) next_look: Option<Timestamp>,
    /// Nothing is done before this.
    pub(crate) acts_from: Timestamp,
    /// Nothing is started before this.
    pub(crate) starts_from: Timestamp,
    /// The last start, stop or deregistration.
    pub(crate) last_action: Timestamp,
    /// Deregistrations that have been decided and not been made.
    pub(crate) deregistering: u32,
    pub(crate) completes_at: Option<Timestamp>,
}

/// What has failed, and when it is tried again.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureState {
    /// Failed starts that have not been counted yet: that happens when the next start is tried.
    pub(crate) uncounted: u32,
    /// The last failure was one of a container health check.
    pub(crate) last_by_health: bool,
    pub(crate) retry_at: Option<Timestamp>,
    pub(crate) retries: u32,
    /// When crashed tasks of the old revision may be replaced again.
    pub(crate) old_retry_at: Option<Timestamp>,
    pub(crate) breaker_pending: bool,
    pub(crate) alarm_pending: bool,
}

/// Who is, was or is not healthy.
#[derive(Clone, Debug, Default)]
pub(crate) struct HealthState {
    /// Whether a task of the PRIMARY deployment has been healthy.
    pub(crate) has_been_healthy: bool,
    /// Unhealthy tasks for which a replacement has been started: unhealthy one -> its replacement.
    pub(crate) replacements: BTreeMap<String, String>,
    /// Since when ECS has seen a task's target unhealthy, and how long it waits before it acts.
    pub(crate) unhealthy_since: BTreeMap<String, (Timestamp, Duration)>,
}

/// What is known of one task beside what the API shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskRuntime {
    /// (target group, target id, port, container port).
    pub targets: Vec<(String, String, u16, u16)>,
    /// When its containers began to run.
    pub running_since: Option<Timestamp>,
    pub has_been_healthy: bool,
    /// When it ended without anybody having asked for that.
    pub ended_itself_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(crate) enum ScheduledEvent {
    /// The scheduler looks at a service.
    Look { cluster: String, service: String },
    /// Tasks that were started together go on together.
    TaskStage {
        cluster: String,
        tasks: Vec<String>,
        stage: TaskStage,
    },
    /// A container of a task ends by itself.
    Ends {
        cluster: String,
        task: String,
        end: ContainerEnd,
    },
    Deregister {
        cluster: String,
        service: String,
        tasks: Vec<String>,
        for_health: bool,
    },
    /// A health check of one registration of a target.
    Check {
        group: String,
        id: String,
        port: u16,
        registered_at: Timestamp,
    },
    /// A drained target disappears.
    Gone {
        group: String,
        id: String,
        port: u16,
        registered_at: Timestamp,
    },
    /// Something becomes of a deployment.
    Deployment {
        cluster: String,
        service: String,
        deployment: String,
        what: DeploymentEvent,
    },
    /// Somebody's StopServiceDeployment takes effect.
    UserStops {
        cluster: String,
        service: String,
        deployment: String,
        goes_back: bool,
    },
    /// A superseded service deployment ends.
    Superseded {
        cluster: String,
        service: String,
        arn: String,
    },
    /// A fault of the timetable, for one service.
    Fault {
        index: usize,
        cluster: String,
        service: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentEvent {
    /// Its service deployment is no longer PENDING.
    Begins,
    Completes,
    BreakerFires,
    AlarmFires,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskStage {
    Pull,
    Start,
    Run,
    Stop,
    Stopped,
    Deprovisioned,
    Forget,
}

impl World {
    /// An empty world at its start; `setup` fills it.
    pub(crate) fn empty(scenario: &Scenario, start: Timestamp) -> Self {
        Self {
            now: start,
            start,
            clients_now: None,
            account: Account {
                id: scenario.account.clone(),
                region: scenario.region.clone(),
                switches: scenario.switches,
                ..Account::default()
            },
            timings: scenario.timings.clone(),
            faults: scenario.faults.clone(),
            alarms: scenario.alarms.clone(),
            switches: scenario.switches,
            newer_keys: scenario.newer_keys.clone(),
            task_ids: BTreeMap::new(),
            scheduler_states: BTreeMap::new(),
            task_runtimes: BTreeMap::new(),
            next_ports: BTreeMap::new(),
            interfaces: 0,
            seed: scenario.seed,
            throttling: scenario.throttling,
            past: Past::default(),
            queue: BTreeMap::new(),
            sequence: 0,
            happened: 0,
            rng: fastrand::Rng::with_seed(scenario.seed),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The time that a client will hold an answer against, such as the end of credentials.
    pub(crate) fn clients_now(&self) -> Timestamp {
        self.clients_now.unwrap_or(self.now)
    }

    /// Says what the clients' clocks show. The world's own time does not care.
    pub fn set_clients_now(&mut self, now: Timestamp) {
        self.clients_now = Some(now);
    }

    /// The account as it is, whatever the faults show to clients.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the next thing happens. The scheduler looks at every service about each ten seconds, so there always is one
    /// while there is a service.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// How many events are in the queue.
    pub fn events_pending(&self) -> usize {
        self.queue.len()
    }

    /// How many things have happened since the world's start.
    pub fn events_happened(&self) -> u64 {
        self.happened
    }

    /// Lets time pass: whatever is due until `to`, and at `to`, happens in order. Time never runs backwards.
    pub fn advance(&mut self, to: Timestamp) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > to {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happened += 1;
            self.run_event(event);
            self.remember();
        }
        self.now = self.now.max(to);
    }

    /// The cluster of that name or ARN; `None` is the one called `default`.
    pub fn cluster(&self, reference: Option<&str>) -> Result<&Cluster, Refusal> {
        let name = reference.map_or("default", short);
        crate::model::refusal::check_cluster_name(name)?;
        self.account
            .clusters
            .get(name)
            .filter(|cluster| cluster.status == "ACTIVE")
            .ok_or_else(|| Refusal::new("ClusterNotFoundException", "Cluster not found."))
    }

    fn run_event(&mut self, event: ScheduledEvent) {
        match event {
            ScheduledEvent::Look { cluster, service } => self.look(&cluster, &service),
            ScheduledEvent::TaskStage { cluster, tasks, stage } => self.enter_stage(&cluster, &tasks, stage),
            ScheduledEvent::Ends { cluster, task, end } => self.container_ends(&cluster, &task, &end),
            ScheduledEvent::Deregister {
                cluster,
                service,
                tasks,
                for_health,
            } => {
                self.deregister_tasks(&cluster, &service, &tasks, for_health);
            }
            ScheduledEvent::Check {
                group,
                id,
                port,
                registered_at,
            } => self.check_target(&group, &id, port, registered_at),
            ScheduledEvent::Gone {
                group,
                id,
                port,
                registered_at,
            } => self.target_gone(&group, &id, port, registered_at),
            ScheduledEvent::Deployment {
                cluster,
                service,
                deployment,
                what,
            } => self.run_deployment_event(&cluster, &service, &deployment, what),
            ScheduledEvent::UserStops {
                cluster,
                service,
                deployment,
                goes_back,
            } => self.user_stops(&cluster, &service, &deployment, goes_back),
            ScheduledEvent::Superseded { cluster, service, arn } => self.superseded(&cluster, &service, &arn),
            ScheduledEvent::Fault {
                index,
                cluster,
                service,
            } => self.strike(index, &cluster, &service),
        }
    }

    fn run_deployment_event(&mut self, cluster: &str, service: &str, deployment: &str, what: DeploymentEvent) {
        match what {
            DeploymentEvent::Begins => self.begins(cluster, service, deployment),
            DeploymentEvent::Completes => self.completes(cluster, service, deployment),
            DeploymentEvent::BreakerFires => self.breaker_fires(cluster, service, deployment),
            DeploymentEvent::AlarmFires => self.alarm_fires(cluster, service, deployment),
        }
    }

    pub(crate) fn after(&mut self, span: Duration, event: ScheduledEvent) {
        self.at(self.now + span, event);
    }

    pub(crate) fn at(&mut self, at: Timestamp, event: ScheduledEvent) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), event);
    }

    pub(crate) fn draw(&mut self, spread: Spread) -> Duration {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.rng.u64(millis(spread.low)..=millis(spread.high)))
    }

    /// `length` random hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(b"0123456789abcdef"[self.rng.usize(..16)]))
            .collect()
    }

    /// `length` random decimal digits, the first of which is no zero.
    pub(crate) fn digits(&mut self, length: usize) -> String {
        (0..length)
            .map(|place| char::from(b'0' + self.rng.u8(u8::from(place == 0)..10)))
            .collect()
    }

    /// A 21-character id of a service deployment.
    pub(crate) fn mixed(&mut self, length: usize) -> String {
        (0..length).map(|_| self.rng.alphanumeric()).collect()
    }

    pub(crate) fn uuid(&mut self) -> String {
        let h = self.hex(32);
        format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }

    /// A service by the names of its cluster and its own.
    pub fn service(&self, cluster: &str, service: &str) -> Option<&Service> {
        self.account.clusters.get(cluster)?.services.get(service)
    }

    pub(crate) fn service_mut(&mut self, cluster: &str, service: &str) -> Option<&mut Service> {
        self.account.clusters.get_mut(cluster)?.services.get_mut(service)
    }

    pub(crate) fn task(&self, cluster: &str, task: &str) -> Option<&Task> {
        self.account.clusters.get(cluster)?.tasks.get(task)
    }

    pub(crate) fn task_mut(&mut self, cluster: &str, task: &str) -> Option<&mut Task> {
        self.account.clusters.get_mut(cluster)?.tasks.get_mut(task)
    }

    pub(crate) fn scheduler_state(&mut self, cluster: &str, service: &str) -> &mut SchedulerState {
        self.scheduler_states
            .entry((cluster.to_owned(), service.to_owned()))
            .or_default()
    }

    pub(crate) fn scheduler_state_of(&self, cluster: &str, service: &str) -> Option<&SchedulerState> {
        self.scheduler_states.get(&(cluster.to_owned(), service.to_owned()))
    }

    /// The service's tasks that ECS wants to run, in the order of their creation.
    pub(crate) fn wanted_tasks(&self, cluster: &str, service: &str) -> Vec<&Task> {
        let mut tasks: Vec<&Task> = self
            .tasks_of(cluster, service)
            .filter(|t| t.desired_status == TaskStatus::Running)
            .collect();
        tasks.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        tasks
    }

    /// The service's tasks that are still shown, stopped ones too.
    pub(crate) fn tasks_of(&self, cluster: &str, service: &str) -> impl Iterator<Item = &Task> {
        let home = self.account.clusters.get(cluster);
        let ids = self.task_ids.get(&(cluster.to_owned(), service.to_owned()));
        ids.into_iter().flatten().filter_map(move |id| home?.tasks.get(id))
    }

    /// Every target that a task was registered as and still is.
    pub(crate) fn owned_targets(&self, task: &str) -> BTreeSet<(String, String, u16)> {
        let registered = self
            .task_runtimes
            .get(task)
            .map(|runtime| runtime.targets.as_slice())
            .unwrap_or_default();
        let is_held = |group: &String, id: &String, port: u16| {
            let found = self.group(group);
            let mut targets = found.into_iter().flat_map(|g| &g.targets);
            targets.any(|t| &t.id == id && t.port == port && t.task.as_deref() == Some(task))
        };
        registered
            .iter()
            .filter(|(group, id, port, _)| is_held(group, id, *port))
            .map(|(group, id, port, _)| (group.clone(), id.clone(), *port))
            .collect()
    }
}
