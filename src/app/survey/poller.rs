//! One look at all services that a run follows, in as few requests as it takes: DescribeServices by ten, DescribeTasks by a
//! hundred, DescribeServiceDeployments by twenty, and each target group once, whoever shares it.
//!
//! What cannot be read makes only those services unreadable that need it.

use std::collections::{BTreeMap, BTreeSet};

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::service::{ManagedWays, Service};
use portzero_core::aws_model::target::{InstanceHealth, Routing, TargetHealth};
use portzero_core::aws_model::task::{ContainerInstance, Task};
use portzero_core::base::id::{ClusterName, DeploymentId, ServiceName, TargetGroupArn, TaskArn};
use portzero_core::base::time::Moment;
use portzero_core::port::{ApiResult, Ecs, LoadBalancing};
use portzero_core::rollout::Snapshot;

use crate::app::survey::instances::Instances;
use crate::app::survey::memory::{Groups, Memory, TARGETS_AGE_MAX, is_draining};
use crate::app::survey::optional::Patience;

// The most that one call takes; source: ECS API reference, 2026. An adapter would split more than that itself, but then one
// refused call would take all of them with it.
const SERVICES_MAX: usize = 10;
const TASKS_MAX: usize = 100;

/// A service to look at, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Watch {
    pub cluster: ClusterName,
    pub service: ServiceName,
    pub groups: Vec<TargetGroupArn>,
    /// The load balancers whose rules are wanted.
    pub balancers: Vec<String>,
    /// What ECS manages of the ingress, as far as it was known at the start.
    pub managed: ManagedWays,
    /// Whose service deployment is wanted.
    pub ours: Option<DeploymentId>,
    /// All instances of the cluster, with what they have left.
    pub wants_capacity: bool,
    /// Nothing that is remembered may stand for what can be read.
    pub wants_everything: bool,
    /// How long reads that a verdict can do without are tried.
    pub patience: Patience,
}

/// What a look has shown of one service.
#[derive(Debug)]
pub struct Look {
    pub snapshot: ApiResult<Snapshot>,
    /// Optional reads that are given up, each told once a service.
    pub not_checked: Vec<ApiError>,
}

type Key = (ClusterName, ServiceName);

/// Reads, and remembers what cannot have changed.
#[derive(Debug, Default)]
pub struct Poller {
    pub(super) services: BTreeMap<Key, Memory>,
    groups: Groups,
    pub(super) instances: BTreeMap<ClusterName, Instances>,
    /// Whether AWS has turned something away for its rate at the last look.
    pub is_throttled: bool,
}

/// One service while it is looked at.
pub(super) struct ServicePoll<'w> {
    pub watch: &'w Watch,
    pub key: Key,
    pub service: Option<Service>,
    pub capacity: Option<Vec<ContainerInstance>>,
    pub routing: Option<Routing>,
    /// The first necessary read that failed.
    pub error: Option<ApiError>,
    /// An optional read has failed, and may be answered the next time.
    pub lacks_something: bool,
    pub given_up: Vec<ApiError>,
}

impl ServicePoll<'_> {
    pub(super) fn fail(&mut self, error: &ApiError) {
        self.error.get_or_insert_with(|| error.clone());
    }
}

impl Poller {
    /// The looks come in the order of the watches.
    pub async fn look<A: Ecs + LoadBalancing>(&mut self, aws: &A, now: Moment, watches: &[Watch]) -> Vec<Look> {
        self.is_throttled = false;
        self.groups.values_mut().for_each(|rows| rows.is_fresh = false);
        let mut eyes: Vec<ServicePoll> = watches.iter().map(|watch| self.open(watch)).collect();
        self.services(aws, &mut eyes).await;
        self.service_deployments(aws, now, &mut eyes).await;
        self.targets(aws, now, &mut eyes).await;
        self.lists(aws, now, &mut eyes).await;
        self.tasks(aws, now, &mut eyes).await;
        self.revisions(aws, &mut eyes).await;
        self.instances(aws, now, &mut eyes).await;
        self.routing(aws, &mut eyes).await;
        eyes.into_iter().map(|eye| self.close(eye)).collect()
    }

    fn open<'w>(&mut self, watch: &'w Watch) -> ServicePoll<'w> {
        let key = (watch.cluster.clone(), watch.service.clone());
        let memory = self.services.entry(key.clone()).or_default();
        memory.turn_to(watch.ours.as_ref());
        memory.age();
        ServicePoll {
            watch,
            key,
            service: None,
            capacity: None,
            routing: None,
            error: None,
            lacks_something: false,
            given_up: Vec::new(),
        }
    }

    pub(super) fn memory(&mut self, key: &Key) -> &mut Memory {
        self.services.entry(key.clone()).or_default()
    }

    pub(super) fn note(&mut self, error: &ApiError) {
        self.is_throttled |= error.kind == ApiErrorKind::Throttled;
    }

    async fn services<A: Ecs>(&mut self, aws: &A, eyes: &mut [ServicePoll<'_>]) {
        for (cluster, places) in by_cluster(eyes) {
            for batch in places.chunks(SERVICES_MAX) {
                self.describe_services(aws, &cluster, batch, eyes).await;
            }
        }
    }

    async fn describe_services<A: Ecs>(
        &mut self,
        aws: &A,
        cluster: &ClusterName,
        batch: &[usize],
        eyes: &mut [ServicePoll<'_>],
    ) {
        let names: Vec<ServiceName> = batch.iter().map(|&i| eyes[i].watch.service.clone()).collect();
        match aws.describe_services(cluster, &names).await {
            Ok(described) => {
                for &i in batch {
                    let name = &eyes[i].watch.service;
                    let service = described.services.iter().find(|s| s.name == *name).cloned();
                    self.take_service(&mut eyes[i], service);
                }
            }
            // A policy may allow some of them: one that is not must not hide the others.
            Err(error) if error.kind == ApiErrorKind::Denied && batch.len() > 1 => {
                for one in batch.chunks(1) {
                    Box::pin(self.describe_services(aws, cluster, one, eyes)).await;
                }
            }
            Err(error) => {
                self.note(&error);
                batch.iter().for_each(|&i| eyes[i].fail(&error));
            }
        }
    }

    fn take_service(&mut self, eye: &mut ServicePoll<'_>, mut service: Option<Service>) {
        if let Some(service) = &mut service {
            service.adopt(&eye.watch.managed);
        }
        if let Some(service) = &service
            && self.memory(&eye.key).note(service)
        {
            for group in &eye.watch.groups {
                self.groups.entry(group.clone()).or_default().is_due();
            }
        }
        self.memory(&eye.key).shown.clone_from(&service);
        eye.service = service;
    }

    /// The service as DescribeServices has shown it in a poll that was not finished.
    pub fn shown(&self, watch: &Watch) -> Option<&Service> {
        let key = (watch.cluster.clone(), watch.service.clone());
        self.services.get(&key)?.shown.as_ref()
    }

    async fn targets<A: LoadBalancing>(&mut self, aws: &A, now: Moment, eyes: &mut [ServicePoll<'_>]) {
        let mut wanted = BTreeMap::<TargetGroupArn, Vec<usize>>::new();
        for (i, eye) in eyes.iter().enumerate().filter(|(_, eye)| eye.error.is_none()) {
            let has_news = self
                .services
                .get(&eye.key)
                .is_some_and(|memory| memory.has_target_news(eye.watch.ours.as_ref()));
            for group in &eye.watch.groups {
                let rows = self.groups.entry(group.clone()).or_default();
                let may_differ = has_news || is_draining(rows) || rows.is_old(now, TARGETS_AGE_MAX);
                if may_differ || eye.watch.wants_everything {
                    wanted.entry(group.clone()).or_default().push(i);
                }
            }
        }
        for (group, places) in wanted {
            let answer = target_health(aws, &group).await;
            let rows = self.groups.entry(group).or_default();
            match answer {
                Ok(shown) => rows.set(shown, now),
                Err(error) => {
                    let may_stand_in = error.kind == ApiErrorKind::Throttled && rows.may_stand_in(now);
                    for i in places {
                        if !may_stand_in || eyes[i].watch.wants_everything {
                            eyes[i].fail(&error);
                        }
                    }
                    self.note(&error);
                }
            }
        }
    }

    async fn lists<A: Ecs>(&mut self, aws: &A, now: Moment, eyes: &mut [ServicePoll<'_>]) {
        for eye in eyes.iter_mut().filter(|eye| eye.error.is_none()) {
            let memory = self.services.entry(eye.key.clone()).or_default();
            if !eye.watch.wants_everything && !memory.wants_list(now) {
                continue;
            }
            match aws.list_tasks(&eye.key.0, &eye.key.1).await {
                Ok(arns) => {
                    let listed: BTreeSet<&TaskArn> = arns.iter().collect();
                    memory.tasks.value.retain(|arn, _| listed.contains(arn));
                    memory.listed.set(arns, now);
                }
                Err(error) => {
                    let may_stand_in = error.kind == ApiErrorKind::Throttled && memory.listed.may_stand_in(now);
                    self.note(&error);
                    if !may_stand_in || eye.watch.wants_everything {
                        eye.fail(&error);
                    }
                }
            }
        }
    }

    async fn tasks<A: Ecs>(&mut self, aws: &A, now: Moment, eyes: &mut [ServicePoll<'_>]) {
        for (cluster, places) in by_cluster(eyes) {
            let mut asked = Vec::<(usize, TaskArn)>::new();
            let mut read = BTreeMap::<usize, ApiResult<()>>::new();
            for i in places.into_iter().filter(|&i| eyes[i].error.is_none()) {
                let memory = self.services.entry(eyes[i].key.clone()).or_default();
                if eyes[i].watch.wants_everything || memory.wants_tasks(now) {
                    asked.extend(memory.open().map(|arn| (i, arn.clone())));
                    read.insert(i, Ok(()));
                }
            }
            for batch in asked.chunks(TASKS_MAX) {
                self.describe_tasks(aws, &cluster, batch, eyes, &mut read).await;
            }
            for (i, read) in read {
                let memory = self.services.entry(eyes[i].key.clone()).or_default();
                match read {
                    Ok(()) => memory.tasks.confirm(now),
                    Err(error) => {
                        let may_stand_in = error.kind == ApiErrorKind::Throttled && memory.tasks.may_stand_in(now);
                        if !may_stand_in || eyes[i].watch.wants_everything {
                            eyes[i].fail(&error);
                        }
                    }
                }
            }
        }
    }

    async fn describe_tasks<A: Ecs>(
        &mut self,
        aws: &A,
        cluster: &ClusterName,
        batch: &[(usize, TaskArn)],
        eyes: &[ServicePoll<'_>],
        read: &mut BTreeMap<usize, ApiResult<()>>,
    ) {
        let arns: Vec<TaskArn> = batch.iter().map(|(_, arn)| arn.clone()).collect();
        let shown: BTreeMap<TaskArn, Task> = match aws.describe_tasks(cluster, &arns).await {
            Ok(tasks) => tasks.into_iter().map(|task| (task.arn.clone(), task)).collect(),
            Err(error) => {
                self.note(&error);
                read.extend(batch.iter().map(|(i, _)| (*i, Err(error.clone()))));
                return;
            }
        };
        for of_one in batch.chunk_by(|a, b| a.0 == b.0) {
            let key = eyes[of_one[0].0].key.clone();
            let asked: Vec<TaskArn> = of_one.iter().map(|(_, arn)| arn.clone()).collect();
            self.memory(&key).describe(&asked, &shown);
        }
    }

    fn close(&mut self, eye: ServicePoll<'_>) -> Look {
        let instances = self.instances.get(&eye.key.0);
        let memory = self.services.entry(eye.key).or_default();
        let mut not_checked = eye.given_up;
        not_checked.retain(|error| !memory.told.contains(error));
        memory.told.extend(not_checked.iter().cloned());
        if let Some(error) = eye.error {
            return Look {
                snapshot: Err(error),
                not_checked,
            };
        }
        let groups = eye.watch.groups.iter();
        let rows: Vec<_> = groups.filter_map(|g| Some((g, self.groups.get(g)?))).collect();
        let are_targets_fresh = rows.iter().all(|(_, rows)| rows.is_fresh);
        let is_deployment_fresh =
            memory.deployment.is_fresh || memory.deployment_read.is_given_up || eye.watch.ours.is_none();
        let is_fresh = memory.listed.is_fresh && memory.tasks.is_fresh && is_deployment_fresh && are_targets_fresh;
        let listed = memory.listed.value.iter();
        let tasks: Vec<Task> = listed.filter_map(|arn| memory.tasks.value.get(arn).cloned()).collect();
        let snapshot = Snapshot {
            service: eye.service,
            instances: instances.map_or(Some(BTreeMap::new()), |known| known.of(&tasks)),
            are_instances_unanswered: instances.is_some_and(Instances::are_unanswered),
            tasks,
            targets: rows
                .into_iter()
                .map(|(g, rows)| (g.clone(), rows.value.clone()))
                .collect(),
            service_deployment: memory.deployment.value.clone(),
            revision: memory.revision.clone(),
            routing: eye.routing,
            capacity: eye.capacity,
            is_told_by_revision: false,
            is_partly_remembered: !is_fresh || eye.lacks_something,
        };
        Look {
            snapshot: Ok(snapshot.told_apart()),
            not_checked,
        }
    }
}

/// A classic load balancer stands for a target group under a key of its own.
async fn target_health<A: LoadBalancing>(aws: &A, group: &TargetGroupArn) -> ApiResult<Vec<TargetHealth>> {
    let Some(balancer) = group.classic_name() else {
        let named = |mut error: ApiError| {
            if error.kind == ApiErrorKind::NotFound {
                error.resource = Some(group.to_string());
            }
            error
        };
        return aws.describe_target_health(group).await.map_err(named);
    };
    let instances = aws.describe_instance_health(balancer).await?;
    Ok(instances.iter().filter_map(InstanceHealth::as_target).collect())
}

/// The places of each cluster's services.
pub(super) fn by_cluster(eyes: &[ServicePoll<'_>]) -> BTreeMap<ClusterName, Vec<usize>> {
    let mut clusters = BTreeMap::<ClusterName, Vec<usize>>::new();
    for (i, eye) in eyes.iter().enumerate() {
        clusters.entry(eye.key.0.clone()).or_default().push(i);
    }
    clusters
}
