//! ListTasks, DescribeTasks, StopTask.

use serde_json::{Value, json};

use super::service_request::LAUNCH_TYPES;
use super::task_document::document;
use super::{arn_of, extend, failure, structure};
use crate::model::state::TaskFilter;
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::wire::page::{TASKS_PER_CALL, page};
use crate::world::World;

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let own = |name| Ok::<_, crate::model::refusal::Refusal>(members.text(name)?.map(str::to_owned));
    let filter = TaskFilter {
        cluster: own("cluster")?.unwrap_or_else(|| "default".to_owned()),
        service: own("serviceName")?,
        family: own("family")?,
        started_by: own("startedBy")?,
        container_instance: own("containerInstance")?,
        desired_status: members
            .one_of("desiredStatus", &["RUNNING", "PENDING", "STOPPED"])?
            .map(str::to_owned),
        launch_type: members.one_of("launchType", &LAUNCH_TYPES)?.map(str::to_owned),
    };
    let page = page(members, 100, world.list_tasks(&filter)?)?;
    Ok(structure([
        ("taskArns", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub(super) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let references = members.references("tasks", TASKS_PER_CALL, "Tasks", "taskIds")?;
    let with_tags = members.includes("TAGS")?;
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match cluster
            .tasks
            .get(world.account().id_of(&cluster.name, "task", reference)?)
        {
            Some(task) => {
                let arn = &task.arn;
                let mut task = document(world, cluster, task);
                // Answers of today have the member without `include: TAGS` too, only never anything in it.
                let tags = if with_tags { world.tags_of(arn) } else { &[] };
                extend(&mut task, [("tags", Some(json!(tags)))]);
                tasks.push(task);
            }
            None => failures.push(failure(arn_of(world, cluster, "task", reference), "MISSING")),
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}).into())
}

pub(super) fn stop(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = members.text("cluster")?;
    let reason = members.text("reason")?.unwrap_or("Task stopped by user");
    let task = world.stop_task(cluster, members.required("task")?, reason)?;
    let document = document(world, world.cluster(cluster)?, &task);
    Ok(json!({"task": document}).into())
}
