//! One service, read in full.

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::service::{ManagedWays, RevisionReading, Service};
use portzero_core::aws_model::target::{Address, Routing, TargetGroup};
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::id::{ClusterName, DeploymentId, ServiceName, TargetGroupArn};
use portzero_core::base::text::nearest;
use portzero_core::base::time::Moment;
use portzero_core::plan::survey::Survey;
use portzero_core::port::{ApiResult, Clock, Ecs, LoadBalancing};
use portzero_core::rollout::{Snapshot, target_group_missing};

use serde_json::Value;

use crate::app::survey::calls::{api, patiently};
use crate::app::survey::optional::{Patience, optionally};
use crate::app::survey::poller::{Poller, Watch};
use crate::app::survey::{room, routing};

/// Everything that a plan needs to know. Nothing is changed by it. `wants_routing`: whether the load balancers are asked
/// where they send the requests.
pub async fn survey<A: Ecs + LoadBalancing>(
    aws: &A,
    clock: &impl Clock,
    cluster: &ClusterName,
    name: &ServiceName,
    wants_routing: bool,
) -> Result<Survey, Finding> {
    let mut service = find_service(aws, clock, cluster, name).await?;
    let running = match &service.task_definition {
        Some(arn) => {
            let registered = patiently(clock, async || aws.describe_task_definition(arn.as_str()).await)
                .await
                .map_err(api)?;
            Some((registered.arn, registered.document))
        }
        None => None,
    };
    let ways_refusal = adopt_managed(aws, clock, &mut service, running.as_ref().map(|(_, document)| document)).await?;
    let (mut described, unreadable) = target_groups(aws, clock, &service).await?;
    let unknown = add_delays(aws, clock, &mut described).await.map_err(api)?;
    let mut reader = Reader::new(cluster.clone(), name.clone());
    reader.watch(described.iter().map(|group| group.arn.clone()).collect());
    reader.watch.managed = service.managed.clone();
    let mut snapshot = patiently(clock, async || reader.snapshot(aws, None, false).await)
        .await
        .map_err(api)?;
    let mut not_checked = reader.not_checked;
    not_checked.extend(unreadable);
    not_checked.extend(unknown);
    if wants_routing && let Err(denied) = room::add(aws, cluster, &mut snapshot).await {
        not_checked.push(denied);
    }
    let (routing, routing_refusal) = if wants_routing {
        read_routing(aws, &described).await
    } else {
        (None, None)
    };
    let own: Vec<TargetGroupArn> = described.iter().map(|group| group.arn.clone()).collect();
    let by_rules = routing
        .as_ref()
        .and_then(|routing| Address::best(routing.routes_to(&own)));
    let address = managed_address(&service).or(by_rules);
    Ok(Survey {
        at: clock.now(),
        service,
        running,
        target_groups: described.into_iter().map(|g| (g.arn.clone(), g)).collect(),
        snapshot,
        not_checked,
        address,
        routing,
        routing_refusal,
        ways_refusal,
    })
}

fn no_delay(group: &TargetGroup) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Unsupported,
        action: "elasticloadbalancing:DescribeTargetGroupAttributes",
        resource: Some(group.name.clone()),
        code: None,
        message: "the deregistration delay is not known".into(),
        request_id: None,
        status: None,
    }
}

/// Takes in what ECS manages of the service's ingress. Without that nobody knows of it: a denial is told, and no more. An
/// outage that does not pass is told as well, except of a service that has no other ingress: of that nothing can be said.
async fn adopt_managed<A: Ecs>(
    aws: &A,
    clock: &impl Clock,
    service: &mut Service,
    document: Option<&Value>,
) -> Result<Option<ApiError>, Finding> {
    let Some(primary) = service.primary().filter(|_| service.may_be_managed()) else {
        return Ok(None);
    };
    let arn = service.revision_arn(&primary.id);
    let read = async || aws.service_revisions(std::slice::from_ref(&arn)).await;
    let mut given_up = Vec::new();
    let shown = match optionally(clock, &mut given_up, read).await {
        // Old deployments have none, and then nothing is managed.
        Err(error) if error.kind == ApiErrorKind::NotFound && !service.load_balancers.is_empty() => Some(Vec::new()),
        shown => shown.map_err(api)?,
    };
    if let Some(found) = shown {
        let ways = found.into_iter().filter(|revision| revision.arn == arn);
        let ways = ManagedWays::of(ways.flat_map(|revision| revision.ways).collect(), document);
        service.adopt(&ways.beside(&service.load_balancers));
        return Ok(None);
    }
    let refusal = given_up.pop();
    service.managed.reading = match &refusal {
        Some(error) if error.is_passing() && service.is_in_express_mode() => return Err(api(error.clone())),
        Some(error) if error.is_passing() => RevisionReading::Failed,
        _ => RevisionReading::Refused,
    };
    Ok(refusal)
}

/// The address that ECS gives the service, a public one before others.
fn managed_address(service: &Service) -> Option<Address> {
    let mut ways: Vec<_> = service.managed.ways.iter().collect();
    ways.sort_by_key(|way| way.is_private);
    ways.into_iter()
        .find_map(|way| Some(Address::managed(way.address.as_deref()?, way.is_private)))
}

/// The service's target groups, and its classic load balancers in their shape. Without the latter ECS's own word counts
/// for them: a denial is told and no more.
async fn target_groups<A: LoadBalancing>(
    aws: &A,
    clock: &impl Clock,
    service: &Service,
) -> Result<(Vec<TargetGroup>, Option<ApiError>), Finding> {
    let (classic, groups): (Vec<_>, Vec<_>) = service
        .target_groups()
        .into_iter()
        .partition(|group| group.classic_name().is_some());
    let mut described = Vec::new();
    if !groups.is_empty() {
        let read = patiently(clock, async || aws.describe_target_groups(&groups).await).await;
        described = match read {
            Ok(described) => described,
            Err(error) if error.kind == ApiErrorKind::NotFound => {
                return Err(missing(aws, service, &groups, &error).await);
            }
            Err(error) => return Err(api(error)),
        };
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
        // No outage is waited out less for it: without it, nothing but ECS's own word counts.
        Err(error) if matches!(error.kind, ApiErrorKind::Denied | ApiErrorKind::Unsupported) => {
            return Ok((described, Some(error)));
        }
        Err(error) => return Err(api(error)),
    }
    Ok((described, None))
}

/// The deregistration delays that are not known yet. Gives why one stays so.
async fn add_delays<A: LoadBalancing>(
    aws: &A,
    clock: &impl Clock,
    groups: &mut [TargetGroup],
) -> ApiResult<Vec<ApiError>> {
    let mut not_checked = Vec::new();
    for group in groups.iter_mut().filter(|group| group.deregistration_delay.is_none()) {
        let read = async || aws.deregistration_delay(&group.arn).await;
        match optionally(clock, &mut not_checked, read).await? {
            Some(Some(delay)) => group.deregistration_delay = Some(delay),
            Some(None) => not_checked.push(no_delay(group)),
            None => {}
        }
    }
    Ok(not_checked)
}

/// AWS says that some of the target groups are not there, and not which.
async fn missing<A: LoadBalancing>(aws: &A, service: &Service, groups: &[TargetGroupArn], error: &ApiError) -> Finding {
    for group in groups.iter().filter(|_| groups.len() > 1) {
        if let Err(own) = aws.describe_target_groups(std::slice::from_ref(group)).await
            && own.kind == ApiErrorKind::NotFound
        {
            return target_group_missing(service.name.as_str(), group, &own);
        }
    }
    match groups.first() {
        Some(group) => target_group_missing(service.name.as_str(), group, error),
        None => api(error.clone()),
    }
}

/// The first read that fails ends the search, and nothing is waited for.
async fn read_routing<A: LoadBalancing>(aws: &A, groups: &[TargetGroup]) -> (Option<Routing>, Option<ApiError>) {
    let balancers = routing::load_balancers(groups);
    if balancers.is_empty() {
        return (None, None);
    }
    let own: Vec<TargetGroupArn> = groups.iter().map(|group| group.arn.clone()).collect();
    match routing::read(aws, &balancers, &own).await {
        Ok(found) => (Some(found), None),
        Err(error) => (None, Some(error)),
    }
}

/// As many names as a hint lists where none is near.
const LISTED_MAX: usize = 10;

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

/// Takes snapshots of one service, each of them all fresh.
#[derive(Debug)]
pub struct Reader {
    watch: Watch,
    poller: Poller,
    /// Optional reads that were refused, each once.
    pub not_checked: Vec<ApiError>,
}

impl Reader {
    pub fn new(cluster: ClusterName, service: ServiceName) -> Self {
        Self {
            watch: Watch {
                cluster,
                service,
                groups: Vec::new(),
                balancers: Vec::new(),
                managed: ManagedWays::default(),
                ours: None,
                wants_capacity: false,
                wants_everything: true,
                patience: Patience::Survey,
            },
            poller: Poller::default(),
            not_checked: Vec::new(),
        }
    }

    pub fn watch(&mut self, groups: Vec<TargetGroupArn>) {
        self.watch.groups = groups;
    }

    /// One look. `ours`: whose service deployment is wanted.
    pub async fn snapshot<A: Ecs + LoadBalancing>(
        &mut self,
        aws: &A,
        ours: Option<&DeploymentId>,
        wants_capacity: bool,
    ) -> ApiResult<Snapshot> {
        self.watch.ours = ours.cloned();
        self.watch.wants_capacity = wants_capacity;
        // Nothing is remembered that has an age.
        let looks = self
            .poller
            .look(aws, Moment::from_millis(0), std::slice::from_ref(&self.watch));
        let mut looks = looks.await;
        let look = looks.remove(0);
        self.not_checked.extend(look.not_checked);
        look.snapshot
    }
}
