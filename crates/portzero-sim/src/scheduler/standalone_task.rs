//! RunTask: tasks that belong to no service.

use crate::model::status::InstanceStatus;
use serde_json::{Value, json};

use crate::model::container::{Needs, containers};
use crate::model::refusal::Refusal;
use crate::model::state::{ContainerInstance, Task, TaskRun};
use crate::world::World;
use crate::world::new_task::NewTask;

/// The most tasks of one call.
const COUNT_MAX: u32 = 10;

/// The tasks of one RunTask, and why there are not as many as were asked for: (ARN, reason) each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Started {
    pub tasks: Vec<Task>,
    pub failures: Vec<(String, String)>,
}

impl World {
    /// RunTask. Tasks that find no place are failures, and no error.
    pub(crate) fn run_task(&mut self, run: &TaskRun) -> Result<Started, Refusal> {
        let cluster = self
            .cluster(crate::api::update_service::named(&run.cluster))?
            .name
            .clone();
        if let Some(token) = &run.client_token
            && let Some((earlier, ids)) = self.account.run_tokens.get(token)
        {
            if earlier != run {
                let words = "The clientToken was used with other parameters before.";
                return Err(Refusal::new("ConflictException", words));
            }
            return Ok(Started {
                tasks: ids.iter().filter_map(|id| self.task(&cluster, id)).cloned().collect(),
                failures: Vec::new(),
            });
        }
        let definition = self
            .definition(&run.task_definition)
            .ok_or_else(|| Refusal::new("ClientException", "TaskDefinition not found."))?
            .clone();
        if definition.status != "ACTIVE" {
            return Err(Refusal::invalid_parameter("TaskDefinition is inactive"));
        }
        let mut needs = Needs::of(&definition.document);
        check_run(run, &definition.document, &needs)?;
        resize(&mut needs, run.request.overrides.as_ref());
        let launch_type = run.launch_type.clone().unwrap_or_else(|| "EC2".into());
        if launch_type != "FARGATE" && self.cluster(Some(&cluster))?.instances.is_empty() {
            return Err(Refusal::invalid_parameter(
                "No Container Instances were found in your cluster.",
            ));
        }
        let new = NewTask {
            service: "",
            started_by: &run.started_by,
            task_definition: &definition.arn,
            launch_type: &launch_type,
            needs: &needs,
        };
        let mut ids = Vec::new();
        let mut failures = Vec::new();
        for _ in 0..run.count {
            match self.add_task(&cluster, &new) {
                Ok(id) => ids.push(id),
                Err(_) => failures = self.obstacles(&cluster, &needs),
            }
        }
        for id in &ids {
            self.mark(&cluster, id, run);
        }
        self.set_off(&cluster, &ids, launch_type == "FARGATE");
        if let Some(token) = &run.client_token {
            self.account
                .run_tokens
                .insert(token.clone(), (run.clone(), ids.clone()));
        }
        let tasks = ids.iter().filter_map(|id| self.task(&cluster, id)).cloned().collect();
        Ok(Started { tasks, failures })
    }

    fn mark(&mut self, cluster: &str, id: &str, run: &TaskRun) {
        let Some(task) = self.task_mut(cluster, id) else {
            return;
        };
        task.request = run.request.clone();
        let arn = task.arn.clone();
        if !run.tags.is_empty() {
            self.account.tags.insert(arn, run.tags.clone());
        }
    }

    /// What each instance of the cluster lacks, in the words of `failures` (Developer Guide, API failure reasons).
    fn obstacles(&self, cluster: &str, needs: &Needs) -> Vec<(String, String)> {
        let Some(home) = self.account.clusters.get(cluster) else {
            return Vec::new();
        };
        let instances = home.instances.values();
        instances
            .filter_map(|instance| Some((instance.arn.clone(), self.failure(cluster, instance, needs)?)))
            .collect()
    }

    fn failure(&self, cluster: &str, instance: &ContainerInstance, needs: &Needs) -> Option<String> {
        if instance.status != InstanceStatus::Active {
            return Some("INACTIVE".into());
        }
        if !instance.agent_connected {
            return Some("AGENT".into());
        }
        let (cpu, memory, ports) = self.booked(cluster, &instance.id);
        let reason = if needs.fixed_ports.iter().any(|port| ports.contains(port)) {
            "RESOURCE:PORTS"
        } else if cpu + needs.cpu > instance.cpu {
            "RESOURCE:CPU"
        } else if memory + needs.memory > instance.memory {
            "RESOURCE:MEMORY"
        } else {
            return None;
        };
        Some(reason.into())
    }
}

fn check_run(run: &TaskRun, document: &Value, needs: &Needs) -> Result<(), Refusal> {
    if !(1..=COUNT_MAX).contains(&run.count) {
        return Err(Refusal::invalid_parameter(format!(
            "Count must be between 1 and {COUNT_MAX}."
        )));
    }
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "-_/:.".contains(c);
    if run.started_by.len() > 128 || !run.started_by.chars().all(is_legal) {
        return Err(Refusal::invalid_parameter(
            "StartedBy can have up to 128 letters, numbers, hyphens, forward slashes, and underscores.",
        ));
    }
    let has_network = run.request.network_configuration.is_some();
    if needs.awsvpc && !has_network {
        return Err(Refusal::invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    if has_network && !needs.awsvpc {
        return Err(Refusal::invalid_parameter(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ));
    }
    let compatible = document.get("compatibilities").and_then(Value::as_array);
    if run.launch_type.as_deref() == Some("FARGATE")
        && !compatible.is_some_and(|all| all.iter().any(|one| one == "FARGATE"))
    {
        return Err(Refusal::invalid_parameter(
            "Task definition does not support launch_type FARGATE.",
        ));
    }
    let names: Vec<Option<&str>> = containers(document)
        .iter()
        .map(|container| container.get("name").and_then(Value::as_str))
        .collect();
    for changed in overridden(run.request.overrides.as_ref()) {
        if !names.contains(&Some(changed)) {
            return Err(Refusal::invalid_parameter(format!(
                "Override for container named {changed} is not a container in the TaskDefinition."
            )));
        }
    }
    Ok(())
}

fn overridden(overrides: Option<&Value>) -> impl Iterator<Item = &str> {
    let all = overrides
        .and_then(|overrides| overrides.get("containerOverrides"))
        .and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .map(|one| one.get("name").and_then(Value::as_str).unwrap_or_default())
}

/// A task's size may be overridden as a whole.
fn resize(needs: &mut Needs, overrides: Option<&Value>) {
    let size = |key: &str| overrides?.get(key)?.as_str()?.parse::<i64>().ok();
    needs.cpu = size("cpu").unwrap_or(needs.cpu);
    needs.memory = size("memory").unwrap_or(needs.memory);
}

/// The overrides as a task shows them: each container by name, with what was overridden.
pub(crate) fn shown_overrides(task: &Task) -> Value {
    let given = task.request.overrides.as_ref();
    let own = |name: &str| {
        let all = given?.get("containerOverrides")?.as_array()?;
        all.iter()
            .find(|one| one.get("name").and_then(Value::as_str) == Some(name))
            .cloned()
    };
    let containers: Value = task
        .containers
        .iter()
        .map(|container| own(&container.name).unwrap_or_else(|| json!({"name": container.name})))
        .collect();
    let mut shown = given.cloned().unwrap_or_else(|| json!({}));
    shown["containerOverrides"] = containers;
    if shown.get("inferenceAcceleratorOverrides").is_none() {
        shown["inferenceAcceleratorOverrides"] = json!([]);
    }
    shown
}
