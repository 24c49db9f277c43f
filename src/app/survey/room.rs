//! The instances of a cluster with what they have left, for a forecast: it is poorer without, and nothing else is.

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::task::ContainerInstance;
use portzero_core::base::id::{ClusterName, ContainerInstanceArn};
use portzero_core::port::{ApiResult, Ecs};
use portzero_core::rollout::Snapshot;

/// A cluster of more instances has room, or nobody can say from here that it has none.
const INSTANCES_MAX: usize = 500;

/// Adds the instances to what was seen of the service, where its tasks are on instances. Asked for once: a plan does not
/// wait for it. `Err`: it may not be read.
pub(super) async fn add<A: Ecs>(aws: &A, cluster: &ClusterName, snapshot: &mut Snapshot) -> Result<(), ApiError> {
    let is_on_instances = snapshot.tasks.iter().any(|task| task.container_instance.is_some());
    if !is_on_instances || snapshot.instances.is_none() {
        return Ok(());
    }
    match read(aws, cluster, snapshot).await {
        Ok(room) => snapshot.capacity = room,
        Err(error) if matches!(error.kind, ApiErrorKind::Denied) => return Err(error),
        Err(_) => {}
    }
    Ok(())
}

async fn read<A: Ecs>(
    aws: &A,
    cluster: &ClusterName,
    snapshot: &Snapshot,
) -> ApiResult<Option<Vec<ContainerInstance>>> {
    let all = aws.list_container_instances(cluster).await?;
    if all.len() > INSTANCES_MAX {
        return Ok(None);
    }
    let known = snapshot.instances.as_ref();
    let (mut room, mut unknown) = (Vec::new(), Vec::<ContainerInstanceArn>::new());
    for arn in all {
        match known.and_then(|known| known.get(&arn)) {
            Some(instance) => room.push(instance.clone()),
            None => unknown.push(arn),
        }
    }
    if !unknown.is_empty() {
        room.extend(aws.describe_container_instances(cluster, &unknown).await?);
    }
    Ok(Some(room))
}
