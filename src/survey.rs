//! Reads the world through the ports: once in full before a plan, then again and again while a rollout is observed.

mod history;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api_error::{ApiError, ApiErrorKind};
use crate::failed_call;
use crate::finding::{Code, Finding};
use crate::id::{ClusterName, ContainerInstanceArn, DeploymentId, ServiceName, TargetGroupArn, TaskArn};
use crate::nearest::nearest;
use crate::port::{ApiResult, Clock, Ecs, LoadBalancing};
use crate::preflight::Survey;
use crate::rollout::Snapshot;
use crate::service::{Service, ServiceDeployment, ServiceRevision};
use crate::target::{Address, InstanceHealth, TargetGroup, TargetHealth};
use crate::task::{ContainerInstance, Task};

pub use history::{Sighting, sight};

/// Everything that a plan needs to know. Nothing is changed by it. `wants_address`: whether the load balancers are asked
/// where the service is reached.
pub async fn survey<A: Ecs + LoadBalancing>(
    aws: &A,
    clock: &impl Clock,
    cluster: &ClusterName,
    name: &ServiceName,
    wants_address: bool,
) -> Result<Survey, Finding> {
    let service = find_service(aws, clock, cluster, name).await?;
    let running = match &service.task_definition {
        Some(arn) => {
            let registered = patiently(clock, async || aws.describe_task_definition(arn.as_str()).await)
                .await
                .map_err(api)?;
            Some((registered.arn, registered.document))
        }
        None => None,
    };
    let (described, unreadable) = target_groups(aws, clock, &service).await.map_err(api)?;
    let mut reader = Reader::new(cluster.clone(), name.clone());
    reader.watch(described.iter().map(|group| group.arn.clone()).collect());
    let snapshot = patiently(clock, async || reader.snapshot(aws, None, false).await)
        .await
        .map_err(api)?;
    let mut not_checked = reader.not_checked;
    not_checked.extend(unreadable);
    for group in described.iter().filter(|g| g.deregistration_delay.is_none()) {
        not_checked.push(ApiError {
            kind: ApiErrorKind::Unsupported,
            action: "elasticloadbalancing:DescribeTargetGroupAttributes",
            resource: Some(group.name.clone()),
            code: None,
            message: "the deregistration delay is not known".into(),
            request_id: None,
            status: None,
        });
    }
    let (address, address_refusal) = if wants_address {
        address(aws, &described).await
    } else {
        (None, None)
    };
    Ok(Survey {
        at: clock.now(),
        service,
        running,
        target_groups: described.into_iter().map(|g| (g.arn.clone(), g)).collect(),
        snapshot,
        not_checked,
        address,
        address_refusal,
    })
}

/// The service's target groups, and its classic load balancers in their shape. Without the latter ECS's own word counts
/// for them: a denial is told and no more.
async fn target_groups<A: LoadBalancing>(
    aws: &A,
    clock: &impl Clock,
    service: &Service,
) -> ApiResult<(Vec<TargetGroup>, Option<ApiError>)> {
    let (classic, groups): (Vec<_>, Vec<_>) = service
        .target_groups()
        .into_iter()
        .partition(|group| group.classic_name().is_some());
    let mut described = Vec::new();
    if !groups.is_empty() {
        described = patiently(clock, async || aws.describe_target_groups(&groups).await).await?;
    }
    let names: Vec<String> = classic
        .iter()
        .filter_map(|g| g.classic_name().map(str::to_owned))
        .collect();
    if names.is_empty() {
        return Ok((described, None));
    }
    let read = async || {
        let balancers = aws.describe_classic_load_balancers(&names).await?;
        for name in &names {
            aws.describe_instance_health(name).await?;
        }
        Ok(balancers)
    };
    match patiently(clock, read).await {
        Ok(balancers) => described.extend(balancers),
        Err(error) if is_optional_refusal(&error) => return Ok((described, Some(error))),
        Err(error) => return Err(error),
    }
    Ok((described, None))
}

/// Nice to know: the first read that fails ends the search, and nothing is waited for.
async fn address<A: LoadBalancing>(aws: &A, groups: &[TargetGroup]) -> (Option<Address>, Option<ApiError>) {
    let mut routes = Vec::new();
    let mut refusal = None;
    let has_routes = |group: &&TargetGroup| !group.load_balancers.is_empty() && group.arn.classic_name().is_none();
    for group in groups.iter().filter(has_routes) {
        match aws.routes(group).await {
            Ok(found) => routes.extend(found),
            Err(error) => {
                refusal = Some(error);
                break;
            }
        }
    }
    (Address::best(&routes), refusal)
}

/// Before the first change there is time: a minute of throttling, or of 5xx, is waited out. Where nothing answers at all
/// (no network, a wrong address) waiting helps nobody.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(30),
];

/// As many names as a hint lists where none is near.
const LISTED_MAX: usize = 10;

async fn patiently<T>(clock: &impl Clock, mut call: impl AsyncFnMut() -> ApiResult<T>) -> ApiResult<T> {
    for pause in PAUSES {
        match call().await {
            Err(error) if error.is_passing() && error.status.is_some() => clock.sleep(pause).await,
            answer => return answer,
        }
    }
    call().await
}

async fn find_service<A: Ecs>(
    aws: &A,
    clock: &impl Clock,
    cluster: &ClusterName,
    name: &ServiceName,
) -> Result<Service, Finding> {
    let names = std::slice::from_ref(name);
    let described = match patiently(clock, async || aws.describe_services(cluster, names).await).await {
        Ok(described) => described,
        Err(error) if error.kind == ApiErrorKind::NotFound => return Err(cluster_missing(aws, cluster).await),
        Err(error) => return Err(api(error)),
    };
    match described.services.into_iter().next() {
        Some(service) => Ok(service),
        None => Err(service_missing(aws, cluster, name).await),
    }
}

async fn cluster_missing<A: Ecs>(aws: &A, cluster: &ClusterName) -> Finding {
    let finding = Finding::error(
        Code::ClusterMissing,
        format!("there is no cluster `{cluster}` in this account and region"),
    );
    match aws.list_clusters().await {
        Ok(known) if known.is_empty() => finding.hint("there is no cluster at all here: check account and region"),
        Ok(known) => with_nearest(finding, cluster.as_str(), known.iter().map(ClusterName::as_str)),
        Err(_) => finding,
    }
    .state("nothing was changed")
}

async fn service_missing<A: Ecs>(aws: &A, cluster: &ClusterName, name: &ServiceName) -> Finding {
    let finding = Finding::error(
        Code::ServiceMissing,
        format!("there is no service `{name}` in cluster `{cluster}`"),
    );
    match aws.list_services(cluster).await {
        Ok(known) if known.is_empty() => finding.hint(format!("cluster `{cluster}` has no service at all")),
        Ok(known) => with_nearest(finding, name.as_str(), known.iter().map(ServiceName::as_str)),
        Err(_) => finding,
    }
    .state("nothing was changed")
}

fn with_nearest<'a>(finding: Finding, wanted: &str, known: impl Iterator<Item = &'a str>) -> Finding {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    match nearest(wanted, known.iter().copied()) {
        Some(name) => finding.hint(format!("did you mean `{name}`?")),
        None => {
            let more = known.len().saturating_sub(LISTED_MAX);
            known.truncate(LISTED_MAX);
            let rest = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            finding.hint(format!("there are: {}{rest}", known.join(", ")))
        }
    }
}

/// A failed call before the first change.
pub fn api(error: ApiError) -> Finding {
    failed_call::finding(&error)
}

/// An optional read that fails this often in a row is done without: it must not blind the run for good. Fewer may be
/// an outage that passes, and while it may come back its word on success is worth waiting for.
const OPTIONAL_MISSES_MAX: u32 = 10;

/// Takes snapshots of one service. What cannot change any more is kept and not asked for again.
#[derive(Debug)]
pub struct Reader {
    cluster: ClusterName,
    service: ServiceName,
    groups: Vec<TargetGroupArn>,
    stopped: BTreeMap<TaskArn, Task>,
    instances: BTreeMap<ContainerInstanceArn, ContainerInstance>,
    are_instances_readable: bool,
    are_service_deployments_readable: bool,
    service_deployment_misses: u32,
    /// The service has more than one target group for a load balancer, so that the revision has to say which is its own.
    is_revision_wanted: bool,
    revision: Option<ServiceRevision>,
    /// Optional reads that were refused, each once.
    pub not_checked: Vec<ApiError>,
}

impl Reader {
    pub fn new(cluster: ClusterName, service: ServiceName) -> Self {
        Self {
            cluster,
            service,
            groups: Vec::new(),
            stopped: BTreeMap::new(),
            instances: BTreeMap::new(),
            are_instances_readable: true,
            are_service_deployments_readable: true,
            service_deployment_misses: 0,
            is_revision_wanted: false,
            revision: None,
            not_checked: Vec::new(),
        }
    }

    pub fn watch(&mut self, groups: Vec<TargetGroupArn>) {
        self.groups = groups;
    }

    /// One look. `ours`: whose service deployment is wanted.
    pub async fn snapshot<A: Ecs + LoadBalancing>(
        &mut self,
        aws: &A,
        ours: Option<&DeploymentId>,
        wants_capacity: bool,
    ) -> ApiResult<Snapshot> {
        let described = aws
            .describe_services(&self.cluster, std::slice::from_ref(&self.service))
            .await?;
        let service = described.services.into_iter().next();
        let is_refused = self
            .not_checked
            .iter()
            .any(|e| e.action == "ecs:DescribeServiceRevisions");
        self.is_revision_wanted = service.as_ref().is_some_and(Service::has_alternates) && !is_refused;
        let service_deployment = match ours {
            Some(ours) => self.service_deployment(aws, ours).await?,
            None => None,
        };
        let tasks = self.tasks(aws).await?;
        self.learn_instances(aws, &tasks).await?;
        let mut targets = BTreeMap::new();
        for group in &self.groups {
            targets.insert(group.clone(), target_health(aws, group).await?);
        }
        let revision = self.revision(aws, service_deployment.as_ref()).await?;
        let capacity = if wants_capacity {
            self.capacity(aws).await?
        } else {
            None
        };
        Ok(Snapshot {
            service,
            tasks,
            instances: self.are_instances_readable.then(|| self.instances.clone()),
            targets,
            service_deployment,
            revision,
            capacity,
        })
    }

    /// What our deployment was resolved to, asked once: of two target groups, which one is the new tasks' own.
    async fn revision<A: Ecs>(
        &mut self,
        aws: &A,
        deployment: Option<&ServiceDeployment>,
    ) -> ApiResult<Option<ServiceRevision>> {
        let arn = deployment.and_then(|d| d.target_revision.as_ref());
        let (Some(arn), true) = (arn, self.is_revision_wanted && self.revision.is_none()) else {
            return Ok(self.revision.clone());
        };
        match aws.service_revision(arn).await {
            Ok(found) => self.revision = found.filter(|revision| !revision.target_groups.is_empty()),
            Err(error) if is_optional_refusal(&error) => self.not_checked.push(error),
            Err(error) => return Err(error),
        }
        Ok(self.revision.clone())
    }

    async fn tasks<A: Ecs>(&mut self, aws: &A) -> ApiResult<Vec<Task>> {
        let arns = aws.list_tasks(&self.cluster, &self.service).await?;
        let open: Vec<TaskArn> = arns
            .iter()
            .filter(|arn| !self.stopped.contains_key(arn))
            .cloned()
            .collect();
        let described = if open.is_empty() {
            Vec::new()
        } else {
            aws.describe_tasks(&self.cluster, &open).await?
        };
        let mut tasks: Vec<Task> = arns.iter().filter_map(|arn| self.stopped.get(arn)).cloned().collect();
        for task in described {
            if task.is_stopped() {
                self.stopped.insert(task.arn.clone(), task.clone());
            }
            tasks.push(task);
        }
        Ok(tasks)
    }

    async fn learn_instances<A: Ecs>(&mut self, aws: &A, tasks: &[Task]) -> ApiResult<()> {
        let mut unknown: Vec<ContainerInstanceArn> = tasks
            .iter()
            .filter_map(|t| t.container_instance.clone())
            .filter(|arn| !self.instances.contains_key(arn))
            .collect();
        unknown.sort();
        unknown.dedup();
        if unknown.is_empty() || !self.are_instances_readable {
            return Ok(());
        }
        match aws.describe_container_instances(&self.cluster, &unknown).await {
            Ok(described) => {
                self.instances.extend(described.into_iter().map(|i| (i.arn.clone(), i)));
                Ok(())
            }
            Err(error) if is_optional_refusal(&error) => {
                self.are_instances_readable = false;
                self.not_checked.push(error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn service_deployment<A: Ecs>(
        &mut self,
        aws: &A,
        ours: &DeploymentId,
    ) -> ApiResult<Option<ServiceDeployment>> {
        if !self.are_service_deployments_readable {
            return Ok(None);
        }
        match aws.service_deployments(&self.cluster, &self.service).await {
            Ok(deployments) => {
                self.service_deployment_misses = 0;
                Ok(deployments
                    .into_iter()
                    .find(|d| d.deployment_id().as_ref() == Some(ours)))
            }
            Err(error) if is_optional_refusal(&error) || self.service_deployment_misses >= OPTIONAL_MISSES_MAX => {
                self.are_service_deployments_readable = false;
                self.not_checked.push(error);
                Ok(None)
            }
            Err(error) => {
                self.service_deployment_misses += 1;
                Err(error)
            }
        }
    }

    async fn capacity<A: Ecs>(&mut self, aws: &A) -> ApiResult<Option<Vec<ContainerInstance>>> {
        if !self.are_instances_readable {
            return Ok(None);
        }
        let read = async {
            let arns = aws.list_container_instances(&self.cluster).await?;
            aws.describe_container_instances(&self.cluster, &arns).await
        };
        match read.await {
            Ok(instances) => Ok(Some(instances)),
            Err(error) if is_optional_refusal(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

async fn target_health<A: LoadBalancing>(aws: &A, group: &TargetGroupArn) -> ApiResult<Vec<TargetHealth>> {
    let Some(balancer) = group.classic_name() else {
        return aws.describe_target_health(group).await;
    };
    let instances = aws.describe_instance_health(balancer).await?;
    Ok(instances.iter().filter_map(InstanceHealth::as_target).collect())
}

/// Refused for good, on a read that the verdict can do without.
fn is_optional_refusal(error: &ApiError) -> bool {
    matches!(error.kind, ApiErrorKind::Denied | ApiErrorKind::Unsupported)
}
