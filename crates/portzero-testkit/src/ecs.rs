//! ECS's port straight on the world.

use portzero_core::aws_model::service::{Service, ServiceDeployment, ServiceRevision, ServiceUpdate};
use portzero_core::aws_model::task::{ContainerInstance, Task};
use portzero_core::base::id::{
    ClusterName, ContainerInstanceArn, ServiceName, TargetGroupArn, TaskArn, TaskDefinitionArn, last_segment,
};
use portzero_core::port::{ApiResult, DescribedServices, Ecs, RegisteredTaskDefinition, Registration};
use portzero_sim::model::refusal::Refusal;
use portzero_sim::model::state;
use portzero_sim::model::state::ServiceChange;
use portzero_sim::model::status::{DeploymentStatus, ServiceStatus};

use crate::{Access, Answer, InProcessAws, translate};

impl Ecs for InProcessAws {
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
            .filter(|service| service.status == ServiceStatus::Active)
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
                Some(service) => described.services.push(self.shown(cluster, service)),
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
        Ok(with_tags(found))
    }

    async fn register_task_definition(&self, document: &serde_json::Value) -> ApiResult<Registration> {
        self.admit("ecs:RegisterTaskDefinition")?;
        let registered = self.change().register_task_definition(document);
        registered
            .map(|definition| Registration {
                revision: with_tags(&definition),
                unanswered: 0,
            })
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
        let mut world = self.change();
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
        Ok(translate::service(cluster, &updated))
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
        let mut found: Vec<Task> = found.map(|task| translate::task(&account, cluster, task)).collect();
        self.listed(&mut found);
        self.note(|| Answer::Tasks(found.clone()));
        Ok(found)
    }

    async fn list_container_instances(&self, cluster: &ClusterName) -> ApiResult<Vec<ContainerInstanceArn>> {
        self.admit("ecs:ListContainerInstances")?;
        let account = self.seen(Access::Read);
        let cluster = self.cluster(&account, "ecs:ListContainerInstances", cluster)?;
        let instances = cluster.instances.values();
        let mut arns: Vec<ContainerInstanceArn> = instances
            .map(|instance| ContainerInstanceArn::from(instance.arn.as_str()))
            .collect();
        self.listed(&mut arns);
        Ok(arns)
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
        self.permute(&mut described);
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
            let number = last_segment(arn);
            let mut services = world.account().clusters.values().flat_map(|c| c.services.values());
            let service = services.find(|service| service.revisions.contains_key(number))?;
            let id = format!("ecs-svc/{number}");
            let revision = service.revisions.get(number)?;
            let overrides = revision.settings.get("overrides").cloned().unwrap_or_default();
            let architecture = &overrides["runtimePlatform"]["cpuArchitecture"];
            let own = revision.load_balancers.iter().filter(|b| b.managed.is_none());
            let groups = own.filter_map(|b| world.group_of(b, &id));
            let ways = revision.load_balancers.iter().filter_map(|b| translate::way(&world, b));
            let definition = revision.task_definition.as_str();
            Some(ServiceRevision {
                arn: arn.clone(),
                task_definition: Some(TaskDefinitionArn::from(definition)),
                target_groups: groups.map(|group| TargetGroupArn::from(group.as_str())).collect(),
                ways: ways.collect(),
                cpu_architecture: architecture.as_str().map(str::to_owned),
            })
        };
        Ok(arns.iter().filter_map(shown).collect())
    }

    async fn roll_back(&self, service_deployment: &str) -> ApiResult<()> {
        self.admit("ecs:StopServiceDeployment")?;
        self.remember();
        let stopped = self.change().stop_service_deployment(service_deployment, true);
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
        let gone = self.change().deregister_task_definition(revision.as_str());
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

fn newest(service: &state::Service) -> Option<String> {
    service
        .deployments
        .iter()
        .find(|d| d.status == DeploymentStatus::Primary)
        .map(|d| d.id.clone())
}

/// As the ports want it: the tags that stand beside a definition carried in.
fn with_tags(definition: &state::TaskDefinition) -> RegisteredTaskDefinition {
    let mut document = definition.document.clone();
    if !definition.tags.is_empty()
        && let Some(document) = document.as_object_mut()
    {
        document.insert("tags".into(), definition.tags.clone().into());
    }
    RegisteredTaskDefinition {
        arn: TaskDefinitionArn::from(definition.arn.as_str()),
        document,
    }
}
