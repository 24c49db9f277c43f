//! The container instances of a cluster: their EC2 ids never change, their condition does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::task::{ContainerInstance, Task, TaskStatus};
use portzero_core::base::id::{ClusterName, ContainerInstanceArn, TaskArn};
use portzero_core::base::time::Moment;
use portzero_core::port::{ApiResult, Ecs};

use crate::app::survey::optional::{Miss, OptionalRead, Patience};

/// An instance that drains, or whose agent is gone, is worth knowing of when its tasks stop, and these are read again at once
/// then. Without such a sign a minute is soon enough.
const AGE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Instances {
    known: BTreeMap<ContainerInstanceArn, (Moment, ContainerInstance)>,
    /// Tasks that were seen to stop: each is a reason to look at its instance once.
    stopping: BTreeSet<TaskArn>,
    read: OptionalRead,
    capacity_read: OptionalRead,
    /// Why they are given up.
    pub given_up: Option<ApiError>,
}

impl Instances {
    /// Reads the instances of those tasks, as far as they are not known or may have changed. An instance that is no
    /// longer shown stays known as it was: its tasks' targets must still be found. `Err`: it may be answered the next time,
    /// or no read is.
    pub(super) async fn learn<'t, A: Ecs>(
        &mut self,
        aws: &A,
        cluster: &ClusterName,
        (now, patience): (Moment, Patience),
        tasks: impl Iterator<Item = &'t Task>,
    ) -> ApiResult<()> {
        let mut wanted = BTreeSet::new();
        for task in tasks {
            let Some(arn) = &task.container_instance else { continue };
            let has_stopped = task.desired_status != TaskStatus::Running && self.stopping.insert(task.arn.clone());
            let is_old = |(at, _): &(Moment, _)| !task.is_stopped() && now.since(*at) >= AGE_MAX;
            if has_stopped || self.known.get(arn).is_none_or(is_old) {
                wanted.insert(arn.clone());
            }
        }
        if wanted.is_empty() || self.given_up.is_some() {
            return Ok(());
        }
        let wanted: Vec<ContainerInstanceArn> = wanted.into_iter().collect();
        match aws.describe_container_instances(cluster, &wanted).await {
            Ok(described) => {
                self.read.answered();
                for arn in &wanted {
                    // What is not shown any more is not asked for at every look.
                    self.known.entry(arn.clone()).and_modify(|(at, _)| *at = now);
                }
                let described = described.into_iter().map(|i| (i.arn.clone(), (now, i)));
                self.known.extend(described);
                Ok(())
            }
            Err(error) => match self.read.miss(&error, patience) {
                Miss::GivenUp => {
                    self.given_up = Some(error);
                    Ok(())
                }
                Miss::MayPass | Miss::OfEveryRead => Err(error),
            },
        }
    }

    /// Whether they are given up for another reason than a denial.
    pub(super) fn are_unanswered(&self) -> bool {
        let given_up = self.given_up.as_ref();
        given_up.is_some_and(|error| error.kind != ApiErrorKind::Denied)
    }

    /// Whether the task's instance should be known and is not.
    pub(super) fn lacks(&self, task: &Task) -> bool {
        let instance = task.container_instance.as_ref();
        instance.is_some_and(|arn| !self.known.contains_key(arn))
    }

    /// The instances of those tasks; `None` where they may not be read.
    pub(super) fn of(&self, tasks: &[Task]) -> Option<BTreeMap<ContainerInstanceArn, ContainerInstance>> {
        if self.given_up.is_some() {
            return None;
        }
        let arns = tasks.iter().filter_map(|task| task.container_instance.as_ref());
        let known = arns.filter_map(|arn| Some((arn.clone(), self.known.get(arn)?.1.clone())));
        Some(known.collect())
    }

    /// All instances of the cluster with what they have left now; `None` where they are given up.
    pub(super) async fn capacity<A: Ecs>(
        &mut self,
        aws: &A,
        cluster: &ClusterName,
        patience: Patience,
    ) -> Result<Option<Vec<ContainerInstance>>, (Miss, ApiError)> {
        if self.given_up.is_some() || self.capacity_read.is_given_up {
            return Ok(None);
        }
        let read = async {
            let mut arns = aws.list_container_instances(cluster).await?;
            // One that moved from page to page meanwhile is listed twice, and is one instance all the same.
            arns.sort();
            arns.dedup();
            aws.describe_container_instances(cluster, &arns).await
        };
        let answer: ApiResult<_> = read.await;
        match answer {
            Ok(instances) => {
                self.capacity_read.answered();
                Ok(Some(instances))
            }
            Err(error) => Err((self.capacity_read.miss(&error, patience), error)),
        }
    }
}
