//! The world: an account, virtual time, and the queue of what will happen next.
//!
//! Everything that happens has a moment and a number; the queue runs in that order, and every draw comes from one seeded
//! generator, so the same scenario and the same calls at the same moments give the same account to the last byte.

pub mod birth;
pub(crate) mod identifier;
pub mod log_output;
pub(crate) mod service_event;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::scenario::{Scenario, Throttling, Timings};
use super::strategy::Course;
use crate::model::refusal::Refusal;
use crate::model::state::{Account, Cluster, Deployment, Past, Service, Task, short};
use crate::scenario::fault::FaultSpec;
use crate::scenario::span::Spread;
use crate::scenario::specs::AlarmSpec;
use crate::scenario::switches::Switches;
use crate::timestamp::Timestamp;

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
    pub(crate) crews: BTreeMap<(String, String), BTreeSet<String>>,
    /// What the scheduler remembers of each service, beside what the API shows. By cluster and service.
    pub(crate) minds: BTreeMap<(String, String), Mind>,
    /// What is known of each task beside what the API shows. By task id.
    pub(crate) lives: BTreeMap<String, Life>,
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
    queue: BTreeMap<(Timestamp, u64), Happening>,
    sequence: u64,
    happened: u64,
    rng: fastrand::Rng,
}

/// The scheduler's own memory of one service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mind {
    /// The deployment that ran at the world's start.
    pub initial: String,
    /// The first deployment that somebody's UpdateService made, and its task definition: what `next` means.
    pub next: Option<(String, String)>,
    pub first_update: Option<Timestamp>,
    /// The newest COMPLETED deployment: what a rollback goes back to.
    pub completed: Option<Deployment>,
    /// Set while that deployment is PRIMARY again after a failure: its original creation time.
    pub rolling_back: Option<Timestamp>,
    /// The next regular look.
    pub next_look: Option<Timestamp>,
    /// Nothing is done before this.
    pub acts_from: Timestamp,
    /// Failed starts that have not been counted yet: that happens when the next start is tried.
    pub uncounted: u32,
    /// The last failure was one of a container health check.
    pub failed_by_health: bool,
    pub retry_at: Option<Timestamp>,
    pub retries: u32,
    /// Nothing is started before this.
    pub starts_from: Timestamp,
    /// A rollback that has to start tasks does so as long after it began as a first action comes (recorded: 18 s).
    pub starts_late: bool,
    /// When crashed tasks of the old revision may be replaced again.
    pub old_retry_at: Option<Timestamp>,
    /// The last start, stop or deregistration.
    pub last_action: Timestamp,
    /// Deregistrations that have been decided and not been made.
    pub deregistering: u32,
    pub completes_at: Option<Timestamp>,
    pub breaker_pending: bool,
    pub alarm_pending: bool,
    /// Where a deployment whose traffic shifts stands.
    pub course: Option<Course>,
    /// A rollback's traffic has not gone back yet.
    pub traffic_returns: bool,
    /// Whether a task of the PRIMARY deployment has been healthy.
    pub has_been_healthy: bool,
    /// Unhealthy tasks for which a replacement has been started: unhealthy one -> its replacement.
    pub replacements: BTreeMap<String, String>,
    /// Since when ECS has seen a task's target unhealthy, and how long it waits before it acts.
    pub unhealthy_since: BTreeMap<String, (Timestamp, Duration)>,
}

/// What is known of one task beside what the API shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// (target group, target id, port, container port).
    pub targets: Vec<(String, String, u16, u16)>,
    /// When its containers began to run.
    pub running_since: Option<Timestamp>,
    pub has_been_healthy: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// The scheduler looks at a service.
    Look { cluster: String, service: String },
    /// Tasks that were started together go on together.
    Stage {
        cluster: String,
        tasks: Vec<String>,
        stage: Stage,
    },
    /// The essential container of a task ends by itself.
    Ends {
        cluster: String,
        task: String,
        exit_code: i32,
        reason: Option<String>,
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
    BreakerFires {
        cluster: String,
        service: String,
        deployment: String,
    },
    Completes {
        cluster: String,
        service: String,
        deployment: String,
    },
    /// A service deployment is no longer PENDING.
    Begins {
        cluster: String,
        service: String,
        deployment: String,
    },
    AlarmFires {
        cluster: String,
        service: String,
        deployment: String,
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
pub(crate) enum Stage {
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
                ..Account::default()
            },
            timings: scenario.timings.clone(),
            faults: scenario.faults.clone(),
            alarms: scenario.alarms.clone(),
            switches: scenario.switches,
            newer_keys: scenario.newer_keys.clone(),
            crews: BTreeMap::new(),
            minds: BTreeMap::new(),
            lives: BTreeMap::new(),
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

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The time that a client will hold an answer against, such as the end of credentials.
    pub fn clients_now(&self) -> Timestamp {
        self.clients_now.unwrap_or(self.now)
    }

    /// Says what the clients' clocks show. The world's own time does not care.
    pub fn set_clients_now(&mut self, now: Timestamp) {
        self.clients_now = Some(now);
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the next thing happens. The scheduler looks at every service about each ten seconds, so there always is one
    /// while there is a service.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

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
            let ((at, _), happening) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happened += 1;
            self.happen(happening);
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

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Look { cluster, service } => self.look(&cluster, &service),
            Happening::Stage { cluster, tasks, stage } => self.enter_stage(&cluster, &tasks, stage),
            Happening::Ends {
                cluster,
                task,
                exit_code,
                reason,
            } => self.container_ends(&cluster, &task, exit_code, reason),
            Happening::Deregister {
                cluster,
                service,
                tasks,
                for_health,
            } => {
                self.deregister_tasks(&cluster, &service, &tasks, for_health);
            }
            Happening::Check {
                group,
                id,
                port,
                registered_at,
            } => self.check_target(&group, &id, port, registered_at),
            Happening::Gone {
                group,
                id,
                port,
                registered_at,
            } => self.target_gone(&group, &id, port, registered_at),
            Happening::BreakerFires {
                cluster,
                service,
                deployment,
            } => self.breaker_fires(&cluster, &service, &deployment),
            Happening::Completes {
                cluster,
                service,
                deployment,
            } => self.completes(&cluster, &service, &deployment),
            Happening::Begins {
                cluster,
                service,
                deployment,
            } => self.begins(&cluster, &service, &deployment),
            Happening::AlarmFires {
                cluster,
                service,
                deployment,
            } => self.alarm_fires(&cluster, &service, &deployment),
            Happening::UserStops {
                cluster,
                service,
                deployment,
                goes_back,
            } => self.user_stops(&cluster, &service, &deployment, goes_back),
            Happening::Superseded { cluster, service, arn } => self.superseded(&cluster, &service, &arn),
            Happening::Fault {
                index,
                cluster,
                service,
            } => self.strike(index, &cluster, &service),
        }
    }

    pub(crate) fn after(&mut self, span: Duration, happening: Happening) {
        self.at(self.now + span, happening);
    }

    pub(crate) fn at(&mut self, at: Timestamp, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), happening);
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

    pub(crate) fn mind(&mut self, cluster: &str, service: &str) -> &mut Mind {
        self.minds.entry((cluster.to_owned(), service.to_owned())).or_default()
    }

    pub(crate) fn mind_of(&self, cluster: &str, service: &str) -> Option<&Mind> {
        self.minds.get(&(cluster.to_owned(), service.to_owned()))
    }

    /// The service's tasks that ECS wants to run, in the order of their creation.
    pub(crate) fn wanted_tasks(&self, cluster: &str, service: &str) -> Vec<&Task> {
        let mut tasks: Vec<&Task> = self
            .crew(cluster, service)
            .filter(|t| t.desired_status == "RUNNING")
            .collect();
        tasks.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        tasks
    }

    /// The service's tasks that are still shown, stopped ones too.
    pub(crate) fn crew(&self, cluster: &str, service: &str) -> impl Iterator<Item = &Task> {
        let home = self.account.clusters.get(cluster);
        let ids = self.crews.get(&(cluster.to_owned(), service.to_owned()));
        ids.into_iter().flatten().filter_map(move |id| home?.tasks.get(id))
    }

    /// Every target that a task was registered as and still is.
    pub(crate) fn owned_targets(&self, task: &str) -> BTreeSet<(String, String, u16)> {
        let registered = self
            .lives
            .get(task)
            .map(|life| life.targets.as_slice())
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
