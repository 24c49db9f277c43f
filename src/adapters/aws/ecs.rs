//! Amazon ECS behind its port.

use std::collections::{HashMap, HashSet};

use aws_sdk_ecs::types::{
    DesiredStatus, Failure, SortOrder, StopServiceDeploymentStopType, TaskDefinition, TaskDefinitionField,
    TaskDefinitionStatus,
};
use portzero_core::aws_model::service::{Service, ServiceDeployment, ServiceRevision, ServiceUpdate};
use portzero_core::aws_model::task::{ContainerInstance, Task};
use portzero_core::base::id::{ClusterName, ContainerInstanceArn, ServiceName, TaskArn, TaskDefinitionArn};
use portzero_core::port::{
    ApiError, ApiErrorKind, ApiResult, Clock, DescribedServices, Ecs, RegisteredTaskDefinition, Registration,
};

use super::call::Pages;
use super::connection::Connection;
use super::document::KeepBody;
use super::{document, read_ecs as read};
use crate::adapters::aws::error::{Call, Replay, unreadable};

// The most that one call takes; source: ECS API reference, 2026.
const SERVICES_MAX: usize = 10;
const TASKS_MAX: usize = 100;
const INSTANCES_MAX: usize = 100;
const SERVICE_REVISIONS_MAX: usize = 20;
const PAGE_SIZE: i32 = 100;
const SERVICE_DEPLOYMENTS_MAX: usize = 20;
/// The one in flight, the one that it replaced, and a few for the story, in full; one call describes up to 20. The others
/// are as the list has them.
const SERVICE_DEPLOYMENTS: usize = 5;

impl<C: Clock> Ecs for Connection<C> {
    async fn list_clusters(&self) -> ApiResult<Vec<ClusterName>> {
        let mut clusters = Vec::new();
        let call = Call::read("ecs:ListClusters");
        let mut pages = Pages::default();
        loop {
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .list_clusters()
                        .max_results(PAGE_SIZE)
                        .set_next_token(pages.token())
                        .send()
                })
                .await?;
            clusters.extend(answer.cluster_arns().iter().map(|arn| ClusterName::from_reference(arn)));
            if !pages.turn(&call, answer.next_token())? {
                return Ok(clusters);
            }
        }
    }

    async fn list_services(&self, cluster: &ClusterName) -> ApiResult<Vec<ServiceName>> {
        let mut services = Vec::new();
        let call = Call::read("ecs:ListServices").on(cluster);
        let mut pages = Pages::default();
        loop {
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .list_services()
                        .cluster(cluster.as_str())
                        .max_results(PAGE_SIZE)
                        .set_next_token(pages.token())
                        .send()
                })
                .await?;
            services.extend(answer.service_arns().iter().map(|arn| ServiceName::from_reference(arn)));
            if !pages.turn(&call, answer.next_token())? {
                return Ok(services);
            }
        }
    }

    async fn describe_services(&self, cluster: &ClusterName, names: &[ServiceName]) -> ApiResult<DescribedServices> {
        let mut described = DescribedServices::default();
        for batch in names.chunks(SERVICES_MAX) {
            let call = Call::read("ecs:DescribeServices").on(joined(batch));
            let ids: Vec<String> = batch.iter().map(ToString::to_string).collect();
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .describe_services()
                        .cluster(cluster.as_str())
                        .set_services(Some(ids.clone()))
                        .send()
                })
                .await?;
            described.services.extend(answer.services().iter().map(read::service));
            let missing = missing(&call, answer.failures())?;
            let names = missing.iter().map(|arn| ServiceName::from_reference(arn).to_string());
            described.missing.extend(names);
        }
        Ok(described)
    }

    async fn describe_task_definition(&self, reference: &str) -> ApiResult<RegisteredTaskDefinition> {
        let call = Call::read("ecs:DescribeTaskDefinition").on(reference);
        let body = KeepBody::default();
        let answer = self
            .call(call.clone(), || {
                self.ecs
                    .describe_task_definition()
                    .task_definition(reference)
                    .include(TaskDefinitionField::Tags)
                    .customize()
                    .interceptor(body.clone())
                    .send()
            })
            .await?;
        let found = registered(&call, answer.task_definition(), &body)?;
        self.on_secret.definition.inspect(|tell| tell(&found.document));
        Ok(found)
    }

    async fn register_task_definition(&self, document: &serde_json::Value) -> ApiResult<Registration> {
        let family = document.get("family").and_then(|f| f.as_str()).unwrap_or_default();
        let call = Call::write("ecs:RegisterTaskDefinition", Replay::Harmless).on(family);
        self.on_secret.definition.inspect(|tell| tell(document));
        let sent = document.to_string().into_bytes();
        let body = KeepBody::default();
        let (answer, unanswered) = self
            .call_counting(call.clone(), || {
                let sent = sent.clone();
                self.ecs
                    .register_task_definition()
                    .customize()
                    .mutate_request(move |request| document::replace_body(request, &sent))
                    .interceptor(body.clone())
                    .send()
            })
            .await?;
        Ok(Registration {
            revision: registered(&call, answer.task_definition(), &body)?,
            unanswered,
        })
    }

    async fn update_service(&self, update: &ServiceUpdate) -> ApiResult<Service> {
        let call = Call::write("ecs:UpdateService", Replay::Once).on(&update.service);
        let answer = self
            .call(call.clone(), || {
                self.ecs
                    .update_service()
                    .cluster(update.cluster.as_str())
                    .service(update.service.as_str())
                    .task_definition(update.task_definition.as_str())
                    .force_new_deployment(update.force_new_deployment)
                    .send()
            })
            .await?;
        answer
            .service()
            .map(read::service)
            .ok_or_else(|| unreadable(&call, "service"))
    }

    async fn list_tasks(&self, cluster: &ClusterName, service: &ServiceName) -> ApiResult<Vec<TaskArn>> {
        let mut tasks: Vec<TaskArn> = Vec::new();
        // A task that drains has the desired status STOPPED already, so one list shows half of the story.
        for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
            let call = Call::read("ecs:ListTasks").on(service);
            let mut pages = Pages::default();
            loop {
                let answer = self
                    .call(call.clone(), || {
                        self.ecs
                            .list_tasks()
                            .cluster(cluster.as_str())
                            .service_name(service.as_str())
                            .desired_status(status.clone())
                            .max_results(PAGE_SIZE)
                            .set_next_token(pages.token())
                            .send()
                    })
                    .await?;
                tasks.extend(answer.task_arns().iter().map(|arn| TaskArn::from(arn.as_str())));
                if !pages.turn(&call, answer.next_token())? {
                    break;
                }
            }
        }
        // A task that began to stop between the two calls is in both lists.
        let mut seen = HashSet::new();
        tasks.retain(|arn| seen.insert(arn.clone()));
        Ok(tasks)
    }

    async fn describe_tasks(&self, cluster: &ClusterName, tasks: &[TaskArn]) -> ApiResult<Vec<Task>> {
        let mut described = Vec::new();
        for batch in tasks.chunks(TASKS_MAX) {
            let call = Call::read("ecs:DescribeTasks").on(cluster);
            let arns: Vec<String> = batch.iter().map(ToString::to_string).collect();
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .describe_tasks()
                        .cluster(cluster.as_str())
                        .set_tasks(Some(arns.clone()))
                        .send()
                })
                .await?;
            missing(&call, answer.failures())?;
            described.extend(answer.tasks().iter().map(read::task));
        }
        Ok(described)
    }

    async fn list_container_instances(&self, cluster: &ClusterName) -> ApiResult<Vec<ContainerInstanceArn>> {
        let mut instances = Vec::new();
        let call = Call::read("ecs:ListContainerInstances").on(cluster);
        let mut pages = Pages::default();
        loop {
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .list_container_instances()
                        .cluster(cluster.as_str())
                        .max_results(PAGE_SIZE)
                        .set_next_token(pages.token())
                        .send()
                })
                .await?;
            let arns = answer.container_instance_arns().iter();
            instances.extend(arns.map(|arn| ContainerInstanceArn::from(arn.as_str())));
            if !pages.turn(&call, answer.next_token())? {
                return Ok(instances);
            }
        }
    }

    async fn describe_container_instances(
        &self,
        cluster: &ClusterName,
        instances: &[ContainerInstanceArn],
    ) -> ApiResult<Vec<ContainerInstance>> {
        let mut described = Vec::new();
        for batch in instances.chunks(INSTANCES_MAX) {
            let call = Call::read("ecs:DescribeContainerInstances").on(cluster);
            let arns: Vec<String> = batch.iter().map(ToString::to_string).collect();
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .describe_container_instances()
                        .cluster(cluster.as_str())
                        .set_container_instances(Some(arns.clone()))
                        .send()
                })
                .await?;
            missing(&call, answer.failures())?;
            described.extend(answer.container_instances().iter().map(read::container_instance));
        }
        Ok(described)
    }

    async fn service_deployments(
        &self,
        cluster: &ClusterName,
        service: &ServiceName,
    ) -> ApiResult<Vec<ServiceDeployment>> {
        let listed = self
            .call(Call::read("ecs:ListServiceDeployments").on(service), || {
                self.ecs
                    .list_service_deployments()
                    .cluster(cluster.as_str())
                    .service(service.as_str())
                    .send()
            })
            .await?;
        let mut newest: Vec<_> = listed.service_deployments().iter().collect();
        newest.sort_by_key(|brief| std::cmp::Reverse(brief.created_at().map(|at| at.as_nanos())));
        let arns: Vec<String> = newest
            .iter()
            .take(SERVICE_DEPLOYMENTS)
            .filter_map(|b| b.service_deployment_arn().map(str::to_owned))
            .collect();
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let described = self
            .call(Call::read("ecs:DescribeServiceDeployments").on(service), || {
                self.ecs
                    .describe_service_deployments()
                    .set_service_deployment_arns(Some(arns.clone()))
                    .send()
            })
            .await?;
        let by_arn: HashMap<_, _> = described
            .service_deployments()
            .iter()
            .map(|d| (d.service_deployment_arn(), d))
            .collect();
        Ok(newest
            .into_iter()
            .map(|brief| match by_arn.get(&brief.service_deployment_arn()) {
                Some(full) => read::service_deployment(full),
                None => read::service_deployment_brief(brief),
            })
            .collect())
    }

    async fn roll_back(&self, service_deployment: &str) -> ApiResult<()> {
        let call = Call::write("ecs:StopServiceDeployment", Replay::Harmless).on(service_deployment);
        self.call(call, || {
            self.ecs
                .stop_service_deployment()
                .service_deployment_arn(service_deployment)
                .stop_type(StopServiceDeploymentStopType::Rollback)
                .send()
        })
        .await
        .map(drop)
    }

    async fn active_revisions(&self, family: &str) -> ApiResult<Vec<TaskDefinitionArn>> {
        let mut revisions: Vec<TaskDefinitionArn> = Vec::new();
        let call = Call::read("ecs:ListTaskDefinitions").on(family);
        let mut pages = Pages::default();
        loop {
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .list_task_definitions()
                        .family_prefix(family)
                        .status(TaskDefinitionStatus::Active)
                        .sort(SortOrder::Desc)
                        .max_results(PAGE_SIZE)
                        .set_next_token(pages.token())
                        .send()
                })
                .await?;
            revisions.extend(answer.task_definition_arns().iter().map(|arn| arn.as_str().into()));
            if !pages.turn(&call, answer.next_token())? {
                // ECS takes the name for the whole one; not every stand-in does, and none is to be believed in this.
                revisions.retain(|arn| arn.family() == family);
                revisions.sort_by_key(|arn| std::cmp::Reverse(arn.revision()));
                return Ok(revisions);
            }
        }
    }

    async fn deregister_task_definition(&self, revision: &TaskDefinitionArn) -> ApiResult<()> {
        let call = Call::write("ecs:DeregisterTaskDefinition", Replay::Harmless).on(revision.short());
        self.call(call, || {
            self.ecs
                .deregister_task_definition()
                .task_definition(revision.as_str())
                .send()
        })
        .await
        .map(drop)
    }

    async fn service_revisions(&self, arns: &[String]) -> ApiResult<Vec<ServiceRevision>> {
        let mut found = Vec::new();
        for batch in arns.chunks(SERVICE_REVISIONS_MAX) {
            let answer = self
                .call(Call::read("ecs:DescribeServiceRevisions"), || {
                    self.ecs
                        .describe_service_revisions()
                        .set_service_revision_arns(Some(batch.to_vec()))
                        .send()
                })
                .await?;
            let revisions = answer.service_revisions().iter();
            found.extend(revisions.map(super::read_strategy::service_revision));
        }
        Ok(found)
    }

    async fn describe_service_deployments(&self, arns: &[String]) -> ApiResult<Vec<ServiceDeployment>> {
        let mut found = Vec::new();
        for batch in arns.chunks(SERVICE_DEPLOYMENTS_MAX) {
            let call = Call::read("ecs:DescribeServiceDeployments");
            let answer = self
                .call(call.clone(), || {
                    self.ecs
                        .describe_service_deployments()
                        .set_service_deployment_arns(Some(batch.to_vec()))
                        .send()
                })
                .await?;
            missing(&call, answer.failures())?;
            found.extend(answer.service_deployments().iter().map(read::service_deployment));
        }
        Ok(found)
    }
}

/// A task definition of an answer, as AWS wrote it.
fn registered(call: &Call, typed: Option<&TaskDefinition>, body: &KeepBody) -> ApiResult<RegisteredTaskDefinition> {
    let arn = typed.and_then(TaskDefinition::task_definition_arn);
    match (arn, document::task_definition(&body.take())) {
        (Some(arn), Some(document)) => Ok(RegisteredTaskDefinition {
            arn: arn.into(),
            document,
        }),
        _ => Err(unreadable(call, "taskDefinition")),
    }
}

/// The references that AWS does not know. Any other reason means that the answer is not what was asked for.
fn missing(call: &Call, failures: &[Failure]) -> ApiResult<Vec<String>> {
    let mut references = Vec::new();
    for failure in failures {
        let reference = failure.arn().unwrap_or_default();
        match failure.reason().unwrap_or_default() {
            "MISSING" => references.push(reference.to_owned()),
            reason => return Err(refused(call, reference, reason, failure.detail())),
        }
    }
    Ok(references)
}

fn refused(call: &Call, reference: &str, reason: &str, detail: Option<&str>) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Refused,
        action: call.action,
        resource: Some(reference.to_owned()),
        code: Some(reason.to_owned()),
        message: detail.unwrap_or("AWS gives no further reason").to_owned(),
        request_id: None,
        status: Some(200),
    }
}

fn joined(names: &[ServiceName]) -> String {
    names.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(", ")
}
