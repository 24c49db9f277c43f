//! The ports straight on the world, without a wire: for property tests and rehearsals. The API itself may misbehave
//! here, as AWS's does: throttle, fail for a moment, answer with what was true some seconds ago, list in any order.

use std::cell::{Cell, Ref, RefCell};
use std::collections::VecDeque;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use super::classic::ClassicBalancer;
use super::state::{self, Account, Refusal, ServiceChange};
use super::translate;
use super::world::World;
use crate::id::{ClusterName, ContainerInstanceArn, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn};
use crate::port::{
    ApiError, ApiErrorKind, ApiResult, Clock, DescribedServices, Ecs, LoadBalancing, Logs, RegisteredTaskDefinition,
};
use crate::service::{Service, ServiceDeployment, ServiceRevision, ServiceUpdate};
use crate::target::{InstanceHealth, Route, TargetGroup, TargetHealth};
use crate::task::{ContainerInstance, LogStream, Task};
use crate::time::Timestamp;

/// How the API itself misbehaves. Shares are between 0 and 1; all are 0 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Misbehaviour {
    pub throttled: f64,
    pub transient: f64,
    /// Answers to reads that are up to `staleness` old. UpdateService's own answer never is.
    pub stale: f64,
    pub staleness: Duration,
    /// For how long DescribeServices does not list a deployment that was just made.
    pub unlisted_for: Duration,
    /// Lists come in any order (but for events, which AWS does order).
    pub permuted: bool,
    /// Something in a list of tasks or targets comes twice, as where it moves from page to page meanwhile.
    pub repeated: bool,
    /// Connections that end without an answer.
    pub reset: f64,
    /// Actions that the credentials may not do, for good.
    pub denied: &'static [&'static str],
}

/// An answer as it was given, for whoever wants to know what a caller could have seen.
#[derive(Clone, Debug)]
pub enum Answer {
    Services,
    Tasks(Vec<Task>),
    Targets(TargetGroupArn, Vec<TargetHealth>),
    Failed(ApiErrorKind),
}

/// The account as an answer shows it.
enum Seen<'a> {
    Now(Ref<'a, World>),
    Then(Rc<Account>),
}

impl Deref for Seen<'_> {
    type Target = Account;

    fn deref(&self) -> &Account {
        match self {
            Self::Now(world) => world.account(),
            Self::Then(account) => account,
        }
    }
}

/// Whether an answer is a read (which may be stale) or changes something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Change,
}

type Past = VecDeque<(Timestamp, Rc<Account>)>;

/// The ports' implementation. Clones share the world, the misbehaviour and its random numbers.
#[derive(Clone)]
pub struct Direct {
    world: Rc<RefCell<World>>,
    misbehaviour: Rc<Cell<Misbehaviour>>,
    rng: Rc<RefCell<fastrand::Rng>>,
    /// The account as it was at the last reads and sleeps, oldest first.
    past: Rc<RefCell<Past>>,
    /// When each deployment was first answered by UpdateService: (id, moment).
    made: Rc<RefCell<Vec<(String, Timestamp)>>>,
    requests: Rc<Cell<u64>>,
    /// `None`: nobody wants them.
    answers: Rc<RefCell<Option<Vec<Answer>>>>,
}

impl Direct {
    pub fn new(world: World) -> Self {
        Self::sharing(Rc::new(RefCell::new(world)))
    }

    /// On a world that others hold too.
    pub fn sharing(world: Rc<RefCell<World>>) -> Self {
        Self {
            world,
            misbehaviour: Rc::default(),
            rng: Rc::new(RefCell::new(fastrand::Rng::with_seed(0))),
            past: Rc::default(),
            made: Rc::default(),
            requests: Rc::default(),
            answers: Rc::default(),
        }
    }

    /// The API misbehaves from now on, in an order that the seed decides.
    pub fn misbehaving(self, misbehaviour: Misbehaviour, seed: u64) -> Self {
        self.misbehaviour.set(misbehaviour);
        *self.rng.borrow_mut() = fastrand::Rng::with_seed(seed);
        self
    }

    /// Changes the misbehaviour in mid-run; `Misbehaviour::default()` ends it.
    pub fn set_misbehaviour(&self, misbehaviour: Misbehaviour) {
        self.misbehaviour.set(misbehaviour);
    }

    pub fn world(&self) -> Rc<RefCell<World>> {
        Rc::clone(&self.world)
    }

    /// A clock that moves when somebody sleeps on it, and the world with it.
    pub fn clock(&self) -> VirtualClock {
        VirtualClock { direct: self.clone() }
    }

    /// How many requests have been answered, failed ones included.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// What has been answered since this was asked last; the first question begins the record.
    pub fn take_answers(&self) -> Vec<Answer> {
        self.answers.borrow_mut().replace(Vec::new()).unwrap_or_default()
    }

    fn note(&self, answer: impl FnOnce() -> Answer) {
        if let Some(answers) = self.answers.borrow_mut().as_mut() {
            answers.push(answer());
        }
    }

    fn chance(&self, share: f64) -> bool {
        share > 0.0 && self.rng.borrow_mut().f64() < share
    }

    /// Lets one request through, or fails it as the misbehaviour has it.
    fn admit(&self, action: &'static str) -> ApiResult<()> {
        self.requests.set(self.requests.get() + 1);
        self.try_to_admit(action)
            .inspect_err(|error| self.note(|| Answer::Failed(error.kind)))
    }

    fn try_to_admit(&self, action: &'static str) -> ApiResult<()> {
        let misbehaviour = self.misbehaviour.get();
        let failed = |kind, code: &str, message: &str, status| {
            let refusal = Refusal {
                code: code.into(),
                message: message.into(),
                status,
            };
            Err(ApiError {
                kind,
                ..translate::error(action, None, refusal)
            })
        };
        if misbehaviour.denied.contains(&action) {
            let words = format!("User is not authorized to perform: {action}");
            return failed(ApiErrorKind::Denied, "AccessDeniedException", &words, 400);
        }
        if self.chance(misbehaviour.reset) {
            return Err(ApiError {
                kind: ApiErrorKind::Transient,
                action,
                resource: None,
                code: None,
                message: "connection closed before message completed".into(),
                request_id: None,
                status: None,
            });
        }
        if self.chance(misbehaviour.throttled) {
            return failed(ApiErrorKind::Throttled, "ThrottlingException", "Rate exceeded", 400);
        }
        if self.chance(misbehaviour.transient) {
            return failed(
                ApiErrorKind::Transient,
                "ServerException",
                "Service Unavailable. Please try again later.",
                500,
            );
        }
        Ok(())
    }

    /// What a read sees: the account as it is, or as it was some seconds ago.
    fn seen(&self, access: Access) -> Seen<'_> {
        let world = self.world.borrow();
        let misbehaviour = self.misbehaviour.get();
        if misbehaviour.stale <= 0.0 {
            return Seen::Now(world);
        }
        let now = world.now();
        let fresh = Rc::new(world.account().clone());
        let mut past = self.past.borrow_mut();
        past.push_back((now, Rc::clone(&fresh)));
        while past
            .front()
            .is_some_and(|(at, _)| now.since(*at) > misbehaviour.staleness)
        {
            past.pop_front();
        }
        if access == Access::Read && self.chance(misbehaviour.stale) {
            let place = self.rng.borrow_mut().usize(..past.len());
            return Seen::Then(past.get(place).map_or(fresh, |(_, account)| Rc::clone(account)));
        }
        Seen::Then(fresh)
    }

    fn remember(&self) {
        if self.misbehaviour.get().stale > 0.0 {
            self.seen(Access::Change);
        }
    }

    fn permute<T>(&self, list: &mut [T]) {
        if self.misbehaviour.get().permuted {
            self.rng.borrow_mut().shuffle(list);
        }
    }

    /// A list of tasks or targets, as a caller gets it who turns its pages.
    fn listed<T: Clone>(&self, list: &mut Vec<T>) {
        if self.misbehaviour.get().repeated && !list.is_empty() {
            let twice = self.rng.borrow_mut().usize(..list.len());
            list.push(list[twice].clone());
        }
        self.permute(list);
    }

    fn is_listed(&self, deployment: &str) -> bool {
        let hidden_for = self.misbehaviour.get().unlisted_for;
        let now = self.world.borrow().now();
        !self
            .made
            .borrow()
            .iter()
            .any(|(id, at)| id == deployment && now.since(*at) < hidden_for)
    }

    fn cluster<'a>(
        &self,
        account: &'a Account,
        action: &'static str,
        name: &ClusterName,
    ) -> ApiResult<&'a state::Cluster> {
        let found = account
            .clusters
            .get(name.as_str())
            .filter(|cluster| cluster.status == "ACTIVE");
        found.ok_or_else(|| {
            let refusal = Refusal::new("ClusterNotFoundException", "Cluster not found.");
            translate::error(action, Some(name.as_str()), refusal)
        })
    }

    /// The service as one answer shows it, a deployment that is too new to be listed left out.
    fn shown(&self, account: &Account, cluster: &state::Cluster, service: &state::Service) -> Service {
        let mut shown = translate::service(account, cluster, service);
        if shown.deployments.iter().any(|d| !self.is_listed(d.id.as_str())) {
            shown.deployments.retain(|d| self.is_listed(d.id.as_str()));
            if let Some(before) = shown.deployments.first_mut() {
                before.status = "PRIMARY".into();
                shown.task_definition = Some(before.task_definition.clone());
            }
        }
        self.permute(&mut shown.deployments);
        shown
    }
}

impl Ecs for Direct {
    async fn cluster_exists(&self, cluster: &ClusterName) -> ApiResult<bool> {
        self.admit("ecs:DescribeClusters")?;
        Ok(self.world.borrow().cluster(Some(cluster.as_str())).is_ok())
    }

    async fn list_clusters(&self) -> ApiResult<Vec<ClusterName>> {
        self.admit("ecs:ListClusters")?;
        Ok(self
            .seen(Access::Read)
            .clusters
            .keys()
            .map(|name| ClusterName::from(name.as_str()))
            .collect())
    }

    async fn list_services(&self, cluster: &ClusterName) -> ApiResult<Vec<ServiceName>> {
        self.admit("ecs:ListServices")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:ListServices", cluster)?;
        let mut names: Vec<ServiceName> = cluster
            .services
            .values()
            // As on the wire: what is being deleted is described, and not listed.
            .filter(|service| service.status == "ACTIVE")
            .map(|service| ServiceName::from(service.name.as_str()))
            .collect();
        self.permute(&mut names);
        Ok(names)
    }

    async fn describe_services(&self, cluster: &ClusterName, names: &[ServiceName]) -> ApiResult<DescribedServices> {
        self.admit("ecs:DescribeServices")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:DescribeServices", cluster)?;
        let mut described = DescribedServices::default();
        for name in names {
            match cluster.services.get(name.as_str()) {
                Some(service) => described.services.push(self.shown(&account, cluster, service)),
                None => described.missing.push(name.to_string()),
            }
        }
        self.permute(&mut described.services);
        self.note(|| Answer::Services);
        Ok(described)
    }

    async fn describe_task_definition(&self, reference: &str) -> ApiResult<RegisteredTaskDefinition> {
        self.admit("ecs:DescribeTaskDefinition")?;
        let world = self.world.borrow();
        let found = world
            .describe_task_definition(reference)
            .map_err(|refusal| translate::error("ecs:DescribeTaskDefinition", Some(reference), refusal))?;
        let mut document = found.document.clone();
        if !found.tags.is_empty()
            && let Some(document) = document.as_object_mut()
        {
            document.insert("tags".into(), found.tags.clone().into());
        }
        Ok(RegisteredTaskDefinition {
            arn: TaskDefinitionArn::from(found.arn.as_str()),
            document,
        })
    }

    async fn register_task_definition(&self, document: &serde_json::Value) -> ApiResult<TaskDefinitionArn> {
        self.admit("ecs:RegisterTaskDefinition")?;
        let registered = self.world.borrow_mut().register_task_definition(document);
        registered
            .map(|definition| TaskDefinitionArn::new(definition.arn))
            .map_err(|refusal| translate::error("ecs:RegisterTaskDefinition", None, refusal))
    }

    async fn update_service(&self, update: &ServiceUpdate) -> ApiResult<Service> {
        self.admit("ecs:UpdateService")?;
        self.remember();
        let change = ServiceChange {
            cluster: update.cluster.to_string(),
            service: update.service.to_string(),
            task_definition: Some(update.task_definition.to_string()),
            force_new_deployment: update.force_new_deployment,
            ..ServiceChange::default()
        };
        let mut world = self.world.borrow_mut();
        let before = world
            .service(update.cluster.as_str(), update.service.as_str())
            .and_then(newest);
        let updated = world
            .update_service(&change)
            .map_err(|refusal| translate::error("ecs:UpdateService", Some(update.service.as_str()), refusal))?;
        if let Some(id) = newest(&updated).filter(|id| Some(id) != before.as_ref()) {
            self.made.borrow_mut().push((id, world.now()));
        }
        let account = world.account();
        let cluster = self.cluster(account, "ecs:UpdateService", &update.cluster)?;
        Ok(translate::service(account, cluster, &updated))
    }

    async fn list_tasks(&self, cluster: &ClusterName, service: &ServiceName) -> ApiResult<Vec<TaskArn>> {
        self.admit("ecs:ListTasks")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:ListTasks", cluster)?;
        if !cluster.services.contains_key(service.as_str()) {
            let refusal = Refusal::new("ServiceNotFoundException", "Service not found.");
            return Err(translate::error("ecs:ListTasks", Some(service.as_str()), refusal));
        }
        let own = cluster.tasks.values().filter(|task| task.service == service.as_str());
        let mut arns: Vec<TaskArn> = own.map(|task| TaskArn::from(task.arn.as_str())).collect();
        self.listed(&mut arns);
        Ok(arns)
    }

    async fn describe_tasks(&self, cluster: &ClusterName, tasks: &[TaskArn]) -> ApiResult<Vec<Task>> {
        self.admit("ecs:DescribeTasks")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:DescribeTasks", cluster)?;
        let found = tasks.iter().filter_map(|arn| cluster.tasks.get(arn.short()));
        let mut found: Vec<Task> = found.map(|task| translate::task(cluster, task)).collect();
        self.listed(&mut found);
        self.note(|| Answer::Tasks(found.clone()));
        Ok(found)
    }

    async fn list_container_instances(&self, cluster: &ClusterName) -> ApiResult<Vec<ContainerInstanceArn>> {
        self.admit("ecs:ListContainerInstances")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:ListContainerInstances", cluster)?;
        Ok(cluster
            .instances
            .values()
            .map(|instance| ContainerInstanceArn::from(instance.arn.as_str()))
            .collect())
    }

    async fn describe_container_instances(
        &self,
        cluster: &ClusterName,
        instances: &[ContainerInstanceArn],
    ) -> ApiResult<Vec<ContainerInstance>> {
        self.admit("ecs:DescribeContainerInstances")?;
        let world = self.world.borrow();
        let found = self.cluster(world.account(), "ecs:DescribeContainerInstances", cluster)?;
        let known = instances.iter().filter_map(|arn| found.instances.get(arn.short()));
        let mut described: Vec<ContainerInstance> = known
            .map(|i| {
                let booked = world.booked(cluster.as_str(), &i.id);
                translate::instance(i, booked, world.vpc_of_instances(cluster.as_str()))
            })
            .collect();
        self.listed(&mut described);
        Ok(described)
    }

    async fn service_deployments(
        &self,
        cluster: &ClusterName,
        service: &ServiceName,
    ) -> ApiResult<Vec<ServiceDeployment>> {
        self.admit("ecs:ListServiceDeployments")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:ListServiceDeployments", cluster)?;
        let found = cluster.services.get(service.as_str()).ok_or_else(|| {
            let refusal = Refusal::new("ServiceNotFoundException", "Service not found.");
            translate::error("ecs:ListServiceDeployments", Some(service.as_str()), refusal)
        })?;
        let listed = found
            .service_deployments
            .iter()
            .filter(|d| self.is_listed(&d.deployment_id));
        let world = self.world.borrow();
        Ok(listed
            .map(|d| {
                let test = world.test_share(found, &d.deployment_id);
                translate::service_deployment(d, (world.production_share(found, &d.deployment_id), test))
            })
            .collect())
    }

    async fn service_revisions(&self, arns: &[String]) -> ApiResult<Vec<ServiceRevision>> {
        self.admit("ecs:DescribeServiceRevisions")?;
        let world = self.world.borrow();
        let shown = |arn: &String| {
            let number = arn.rsplit('/').next().unwrap_or(arn);
            let mut services = world.account().clusters.values().flat_map(|c| c.services.values());
            let service = services.find(|service| service.revisions.contains_key(number))?;
            let id = format!("ecs-svc/{number}");
            let groups = service.load_balancers.iter().filter_map(|b| world.group_of(b, &id));
            let definition = service.revisions.get(number)?.task_definition.as_str();
            Some(ServiceRevision {
                arn: arn.clone(),
                task_definition: Some(TaskDefinitionArn::from(definition)),
                target_groups: groups.map(|group| TargetGroupArn::from(group.as_str())).collect(),
            })
        };
        Ok(arns.iter().filter_map(shown).collect())
    }

    async fn roll_back(&self, service_deployment: &str) -> ApiResult<()> {
        self.admit("ecs:StopServiceDeployment")?;
        self.remember();
        let stopped = self
            .world
            .borrow_mut()
            .stop_service_deployment(service_deployment, true);
        stopped
            .map(drop)
            .map_err(|refusal| translate::error("ecs:StopServiceDeployment", Some(service_deployment), refusal))
    }

    async fn active_revisions(&self, family: &str) -> ApiResult<Vec<TaskDefinitionArn>> {
        self.admit("ecs:ListTaskDefinitions")?;
        let account = self.seen(Access::Read);
        let revisions = account.task_definitions.get(family).into_iter().flatten();
        let active = revisions.rev().filter(|definition| definition.status == "ACTIVE");
        Ok(active
            .map(|definition| TaskDefinitionArn::from(definition.arn.as_str()))
            .collect())
    }

    async fn deregister_task_definition(&self, revision: &TaskDefinitionArn) -> ApiResult<()> {
        self.admit("ecs:DeregisterTaskDefinition")?;
        self.remember();
        let gone = self.world.borrow_mut().deregister_task_definition(revision.as_str());
        gone.map(drop)
            .map_err(|refusal| translate::error("ecs:DeregisterTaskDefinition", Some(revision.short()), refusal))
    }

    async fn describe_service_deployments(&self, arns: &[String]) -> ApiResult<Vec<ServiceDeployment>> {
        self.admit("ecs:DescribeServiceDeployments")?;
        let account = self.seen(Access::Read);
        let services = account.clusters.values().flat_map(|cluster| cluster.services.values());
        let all = services.flat_map(|service| service.service_deployments.iter().map(move |d| (service, d)));
        let world = self.world.borrow();
        let shown = |(service, d): (&state::Service, &state::ServiceDeployment)| {
            let production = world.production_share(service, &d.deployment_id);
            let test = world.test_share(service, &d.deployment_id);
            translate::service_deployment(d, (production, test))
        };
        let mut found: Vec<ServiceDeployment> = all.filter(|(_, d)| arns.contains(&d.arn)).map(shown).collect();
        drop(world);
        self.permute(&mut found);
        Ok(found)
    }
}

impl LoadBalancing for Direct {
    async fn describe_target_groups(&self, arns: &[TargetGroupArn]) -> ApiResult<Vec<TargetGroup>> {
        self.admit("elasticloadbalancing:DescribeTargetGroups")?;
        let account = self.seen(Access::Read);
        let mut groups = Vec::new();
        for arn in arns {
            let group = account.target_groups.get(arn.as_str());
            groups.push(translate::group(
                group.ok_or_else(|| no_group("elasticloadbalancing:DescribeTargetGroups", arn))?,
            ));
        }
        self.permute(&mut groups);
        Ok(groups)
    }

    async fn describe_target_health(&self, arn: &TargetGroupArn) -> ApiResult<Vec<TargetHealth>> {
        self.admit("elasticloadbalancing:DescribeTargetHealth")?;
        let account = self.seen(Access::Read);
        let group = account.target_groups.get(arn.as_str());
        let group = group.ok_or_else(|| no_group("elasticloadbalancing:DescribeTargetHealth", arn))?;
        let mut rows: Vec<TargetHealth> = group.targets.iter().map(translate::health).collect();
        self.listed(&mut rows);
        self.note(|| Answer::Targets(arn.clone(), rows.clone()));
        Ok(rows)
    }

    async fn routes(&self, group: &TargetGroup) -> ApiResult<Vec<Route>> {
        self.admit("elasticloadbalancing:DescribeListeners")?;
        let account = self.seen(Access::Read);
        let attached = group.load_balancers.iter();
        let balancers = attached.filter_map(|arn| account.load_balancers.get(arn));
        Ok(balancers
            .flat_map(|balancer| translate::routes(balancer, &group.arn))
            .collect())
    }

    async fn describe_classic_load_balancers(&self, names: &[String]) -> ApiResult<Vec<TargetGroup>> {
        self.admit("elasticloadbalancing:DescribeLoadBalancers")?;
        let account = self.seen(Access::Read);
        let found = names
            .iter()
            .map(|name| classic(&account, name).map(translate::classic_balancer));
        found.collect()
    }

    async fn describe_instance_health(&self, balancer: &str) -> ApiResult<Vec<InstanceHealth>> {
        self.admit("elasticloadbalancing:DescribeInstanceHealth")?;
        let account = self.seen(Access::Read);
        let group = &classic(&account, balancer)?.group;
        let mut rows: Vec<InstanceHealth> = group.targets.iter().map(translate::instance_health).collect();
        self.listed(&mut rows);
        Ok(rows)
    }
}

fn classic<'a>(account: &'a Account, name: &str) -> ApiResult<&'a ClassicBalancer> {
    account.classic_balancers.get(name).ok_or_else(|| {
        let words = format!("There is no ACTIVE Load Balancer named '{name}'");
        let refusal = Refusal::new("LoadBalancerNotFound", words);
        translate::error("elasticloadbalancing:DescribeLoadBalancers", Some(name), refusal)
    })
}

impl Logs for Direct {
    async fn last_lines(&self, stream: &LogStream, limit: u16) -> ApiResult<Vec<String>> {
        self.admit("logs:GetLogEvents")?;
        let printed = self.world.borrow().printed(&stream.group, &stream.name);
        let printed =
            printed.map_err(|refusal| translate::error("logs:GetLogEvents", Some(stream.name.as_str()), refusal))?;
        let older = printed.len().saturating_sub(usize::from(limit));
        Ok(printed.into_iter().skip(older).map(|one| one.line).collect())
    }
}

fn no_group(action: &'static str, arn: &TargetGroupArn) -> ApiError {
    let refusal = Refusal::new("TargetGroupNotFound", "One or more target groups not found");
    translate::error(action, Some(arn.as_str()), refusal)
}

fn newest(service: &state::Service) -> Option<String> {
    service
        .deployments
        .iter()
        .find(|d| d.status == "PRIMARY")
        .map(|d| d.id.clone())
}

/// The world's own time. Sleeping advances it.
#[derive(Clone)]
pub struct VirtualClock {
    direct: Direct,
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.direct.world.borrow().now()
    }

    async fn sleep(&self, span: Duration) {
        self.direct.remember();
        let until = self.now() + span;
        self.direct.world.borrow_mut().advance(until);
    }
}
