//! What is remembered of a service between two looks, and when that is too old to stand for the world.
//!
//! DescribeServices is read at every look. Its counts and events say when the rest has changed; where they say nothing,
//! the rest is read again by age. Nothing that is remembered carries a verdict: before the observer ends, it asks for a
//! look at everything.

use std::collections::BTreeMap;
use std::time::Duration;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::aws_model::service::{
    DeploymentStatus, DeploymentStrategy, RolloutState, Service, ServiceDeployment, ServiceDeploymentStatus,
    ServiceRevision,
};
use portzero_core::aws_model::target::TargetHealth;
use portzero_core::aws_model::task::{Task, TaskStatus};
use portzero_core::base::id::{DeploymentId, TargetGroupArn, TaskArn};
use portzero_core::base::time::Moment;

use crate::app::survey::optional::OptionalRead;

/// Tasks come and go with an event, and with counts that no longer match the tasks that are known. Where ECS told nothing of
/// either, what a list may miss for a minute is a task that has come and gone again.
pub(super) const LIST_AGE_MAX: Duration = Duration::from_secs(60);
/// Tasks that run and are meant to: that one has died shows in the counts first. This is for counts that lag.
pub(super) const TASKS_AGE_MAX: Duration = Duration::from_secs(15);
/// Targets while no new task can have one yet: only the old ones could have news, and these decide nothing yet.
pub(super) const TARGETS_AGE_MAX: Duration = Duration::from_secs(15);
/// A service deployment that goes on: its end shows in the deployment's row as well.
pub(super) const DEPLOYMENT_AGE_MAX: Duration = Duration::from_secs(10);
/// Where AWS throttles a read, what it has said within this time may stand for it once more.
pub(super) const STAND_IN_AGE_MAX: Duration = Duration::from_secs(20);

/// Something that was read, and when.
#[derive(Clone, Debug)]
pub(super) struct Part<T> {
    pub value: T,
    read_at: Option<Moment>,
    /// Something else says that it has changed.
    is_due: bool,
    /// Read at this very look.
    pub is_fresh: bool,
}

impl<T: Default> Default for Part<T> {
    fn default() -> Self {
        Self {
            value: T::default(),
            read_at: None,
            is_due: false,
            is_fresh: false,
        }
    }
}

impl<T> Part<T> {
    pub(super) fn is_old(&self, now: Moment, age_max: Duration) -> bool {
        self.is_due || self.read_at.is_none_or(|at| now.since(at) >= age_max)
    }

    pub(super) fn may_stand_in(&self, now: Moment) -> bool {
        self.read_at.is_some_and(|at| now.since(at) < STAND_IN_AGE_MAX)
    }

    pub(super) fn set(&mut self, value: T, now: Moment) {
        self.value = value;
        self.confirm(now);
    }

    /// What was read is in `value` already.
    pub(super) fn confirm(&mut self, now: Moment) {
        self.read_at = Some(now);
        self.is_due = false;
        self.is_fresh = true;
    }

    pub(super) fn is_due(&mut self) {
        self.is_due = true;
    }
}

/// What DescribeServices shows of a service's tasks without naming them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counts {
    deployments: Vec<Row>,
    newest_event: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    id: DeploymentId,
    status: DeploymentStatus,
    state: Option<RolloutState>,
    desired: u32,
    running: u32,
    pending: u32,
    failed: Option<u32>,
}

impl Counts {
    fn of(service: &Service) -> Self {
        let rows = service.deployments.iter().map(|d| Row {
            id: d.id.clone(),
            status: d.status.clone(),
            state: d.rollout_state.clone(),
            desired: d.desired_count,
            running: d.running_count,
            pending: d.pending_count,
            failed: d.failed_tasks,
        });
        let mut deployments: Vec<Row> = rows.collect();
        deployments.sort();
        Self {
            deployments,
            newest_event: service.events.first().map(|event| event.id.clone()),
        }
    }

    /// Whether the tasks that are known are as many, of each deployment, as ECS counts.
    fn balance(&self, tasks: &BTreeMap<TaskArn, Task>) -> bool {
        let is_wanted = |task: &&Task| task.desired_status == TaskStatus::Running && !task.is_stopped();
        let counted: u32 = self.deployments.iter().map(|row| row.running + row.pending).sum();
        let known = |id: &DeploymentId| {
            let tasks = tasks.values().filter(is_wanted);
            tasks.filter(|task| task.started_by.as_ref() == Some(id)).count()
        };
        let is_balanced = |row: &Row| known(&row.id) == (row.running + row.pending) as usize;
        self.deployments.iter().all(is_balanced) && tasks.values().filter(is_wanted).count() == counted as usize
    }
}

/// One service between two looks.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The service, from when this poll has read it.
    pub shown: Option<Service>,
    books: Option<Counts>,
    is_rolling: bool,
    /// Whose service deployment and revision are remembered.
    ours: Option<DeploymentId>,
    pub listed: Part<Vec<TaskArn>>,
    pub tasks: Part<BTreeMap<TaskArn, Task>>,
    /// The service deployment of ours, once it has been found.
    pub deployment: Part<Option<ServiceDeployment>>,
    pub deployment_read: OptionalRead,
    /// What our deployment was resolved to, where the service has target groups to choose from.
    pub revision: Option<ServiceRevision>,
    /// It has been answered for our deployment, whatever it said.
    pub is_revision_read: bool,
    pub revision_read: OptionalRead,
    pub routing_read: OptionalRead,
    /// Refused reads that have been told of.
    pub told: Vec<ApiError>,
}

impl Memory {
    /// Another deployment is followed now (a way back, after a failure): what was known of the first one is not its.
    pub(super) fn turn_to(&mut self, ours: Option<&DeploymentId>) {
        if self.ours.as_ref() != ours {
            self.ours = ours.cloned();
            self.deployment = Part::default();
            self.deployment_read.answered();
            self.revision = None;
            self.is_revision_read = false;
        }
    }

    /// A look begins.
    pub(super) fn age(&mut self) {
        self.shown = None;
        self.listed.is_fresh = false;
        self.tasks.is_fresh = false;
        self.deployment.is_fresh = false;
    }

    /// Takes in what DescribeServices shows now. `true`: it differs from the last look's.
    pub(super) fn note(&mut self, service: &Service) -> bool {
        let books = Some(Counts::of(service));
        let strategy = service.configuration.strategy.as_ref();
        self.is_rolling = strategy.is_none_or(|strategy| *strategy == DeploymentStrategy::Rolling);
        let is_news = self.books != books;
        self.books = books;
        if is_news {
            self.listed.is_due();
            self.tasks.is_due();
            self.deployment.is_due();
        }
        is_news
    }

    pub(super) fn wants_list(&self, now: Moment) -> bool {
        let is_balanced = self
            .books
            .as_ref()
            .is_some_and(|books| books.balance(&self.tasks.value));
        !is_balanced || self.listed.is_old(now, LIST_AGE_MAX)
    }

    /// The tasks that can still change. One that has stopped stays as it is.
    pub(super) fn open(&self) -> impl Iterator<Item = &TaskArn> {
        let is_open = |arn: &&TaskArn| self.tasks.value.get(*arn).is_none_or(|task| !task.is_stopped());
        self.listed.value.iter().filter(is_open)
    }

    pub(super) fn wants_tasks(&self, now: Moment) -> bool {
        let is_on_its_way = |arn: &TaskArn| {
            let task = self.tasks.value.get(arn);
            task.is_none_or(|task| {
                task.last_status != TaskStatus::Running || task.desired_status != TaskStatus::Running
            })
        };
        self.tasks.is_old(now, TASKS_AGE_MAX) || self.open().any(is_on_its_way)
    }

    /// Takes in what DescribeTasks has shown of those that were `asked` for; what it leaves out is gone.
    pub(super) fn describe(&mut self, asked: &[TaskArn], shown: &BTreeMap<TaskArn, Task>) {
        for arn in asked {
            match shown.get(arn) {
                Some(task) => {
                    let before = self.tasks.value.insert(arn.clone(), task.clone());
                    if task.is_stopped() && before.is_some_and(|before| !before.is_stopped()) {
                        // ECS may have started another one in its place.
                        self.listed.is_due();
                    }
                }
                None => {
                    self.tasks.value.remove(arn);
                }
            }
        }
    }

    /// Whether a new task may have a target by now, or an old one leave its own.
    pub(super) fn has_target_news(&self, ours: Option<&DeploymentId>) -> bool {
        let mut open = self.tasks.value.values().filter(|task| !task.is_stopped());
        open.any(|task| {
            let is_ours = task.started_by.as_ref() == ours;
            let is_early = matches!(task.last_status, TaskStatus::Provisioning | TaskStatus::Pending);
            (is_ours && !is_early) || task.desired_status != TaskStatus::Running
        })
    }

    pub(super) fn wants_deployment(&self, now: Moment) -> bool {
        let is_successful = |found: &ServiceDeployment| matches!(found.status, ServiceDeploymentStatus::Successful);
        match &self.deployment.value {
            // Its story is over; a later one is another deployment's.
            Some(found) if is_successful(found) && self.is_rolling => self.deployment.is_due,
            Some(_) if self.is_rolling => self.is_completed() || self.deployment.is_old(now, DEPLOYMENT_AGE_MAX),
            // Blue/green and its kin go through stages that no count shows.
            Some(_) => true,
            None => self.deployment.is_old(now, DEPLOYMENT_AGE_MAX),
        }
    }

    /// ECS calls something completed: what the service deployment says of it is worth knowing at once.
    fn is_completed(&self) -> bool {
        let rows = self.books.iter().flat_map(|books| &books.deployments);
        let mut primaries = rows.filter(|row| row.status == DeploymentStatus::Primary);
        primaries.any(|row| row.state == Some(RolloutState::Completed))
    }
}

/// The rows of a target group between two looks.
pub(super) type Targets = Part<Vec<TargetHealth>>;

pub(super) fn is_draining(rows: &Targets) -> bool {
    rows.value.iter().any(|row| row.state.is_draining())
}

pub(super) type Groups = BTreeMap<TargetGroupArn, Targets>;
