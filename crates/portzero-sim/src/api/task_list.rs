//! ListTasks and StopTask.

use crate::api::update_service::named;
use crate::model::refusal::Refusal;
use crate::model::state::{Task, TaskFilter, short};
use crate::model::status::TaskStatus;
use crate::world::World;

impl World {
    /// ListTasks: ARNs. The desired status is RUNNING unless the filter says otherwise, so draining tasks need asking.
    pub fn list_tasks(&self, filter: &TaskFilter) -> Result<Vec<String>, Refusal> {
        let cluster = self.cluster(named(&filter.cluster))?;
        check_filter(filter)?;
        if let Some(service) = &filter.service {
            let name = self.account.id_of(&cluster.name, "service", service)?;
            let missing = || Refusal::new("ServiceNotFoundException", "Service not found.");
            cluster.services.get(name).ok_or_else(missing)?;
        }
        if let Some(instance) = &filter.container_instance {
            self.account.id_of(&cluster.name, "container-instance", instance)?;
        }
        let wanted = filter
            .desired_status
            .as_deref()
            .map_or(TaskStatus::Running, TaskStatus::from);
        let is_same =
            |filter: &Option<String>, value: &str| filter.as_deref().is_none_or(|wanted| short(wanted) == value);
        let mut tasks: Vec<&Task> = cluster
            .tasks
            .values()
            .filter(|task| task.desired_status == wanted)
            .filter(|task| is_same(&filter.service, &task.service))
            .filter(|task| filter.started_by.as_ref().is_none_or(|by| by == &task.started_by))
            .filter(|task| is_same(&filter.container_instance, task.instance.as_deref().unwrap_or_default()))
            .filter(|task| filter.launch_type.as_ref().is_none_or(|kind| kind == &task.launch_type))
            .filter(|task| {
                is_same(
                    &filter.family,
                    short(&task.task_definition).split(':').next().unwrap_or_default(),
                )
            })
            .collect();
        tasks.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(tasks.into_iter().map(|task| task.arn.clone()).collect())
    }

    /// StopTask, by id or ARN. A task of a service is replaced by the scheduler.
    pub(crate) fn stop_task(&mut self, cluster: Option<&str>, task: &str, reason: &str) -> Result<Task, Refusal> {
        let cluster = self.cluster(cluster)?.name.clone();
        let id = self.account.id_of(&cluster, "task", task)?.to_owned();
        let not_found = || Refusal::invalid_parameter("The referenced task was not found.");
        let found = self.task(&cluster, &id).ok_or_else(not_found)?;
        if found.desired_status == TaskStatus::Running {
            let reason = if reason.is_empty() {
                "Task stopped by user"
            } else {
                reason
            };
            self.stop_tasks(&cluster, std::slice::from_ref(&id), "UserInitiated", reason, false);
        }
        self.task(&cluster, &id).cloned().ok_or_else(not_found)
    }
}

/// The combinations that AWS refuses. Its words are quoted in aws/aws-sdk-go-v2 issue 1893 (`startedBy` with a family or
/// a launch type) and boto/boto3 issue 874 (`serviceName` with a container instance).
fn check_filter(filter: &TaskFilter) -> Result<(), Refusal> {
    let others = [&filter.family, &filter.container_instance]
        .into_iter()
        .any(Option::is_some);
    if filter.started_by.is_some() && (others || filter.service.is_some() || filter.launch_type.is_some()) {
        return Err(Refusal::invalid_parameter(
            "cannot specify startedBy with other arguments",
        ));
    }
    if filter.service.is_some() && others {
        return Err(Refusal::invalid_parameter(
            "cannot specify serviceName with other arguments",
        ));
    }
    Ok(())
}
