//! UpdateTaskProtection, GetTaskProtection.

use crate::model::status::TaskStatus;
use serde_json::{Value, json};

use super::{arn_of, extend, failure, seconds, structure};
use crate::model::refusal::Refusal;
use crate::model::state::Task;
use crate::scheduler::protection::protection_span;
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::wire::page::{TASKS_PER_CALL, TASKS_PER_PROTECTION};
use crate::world::World;

pub(super) fn update(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?.name.clone();
    let references = members.references("tasks", TASKS_PER_PROTECTION, "Tasks", "taskIds")?;
    let is_wanted = members
        .boolean("protectionEnabled")?
        .ok_or_else(|| Refusal::invalid_parameter("ProtectionEnabled can not be blank."))?;
    let span = protection_span(members.integer("expiresInMinutes")?)?;
    let (mut protected, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        let home = world.cluster(Some(&cluster))?;
        let arn = arn_of(world, home, "task", reference);
        let id = world.account().id_of(&cluster, "task", reference)?;
        match world.protect_task(&cluster, id, is_wanted.then_some(span)) {
            Ok(task) => protected.push(document(world, &task)),
            Err((reason, detail)) => {
                let mut failed = failure(arn, reason);
                extend(&mut failed, [("detail", detail.map(Value::from))]);
                failures.push(failed);
            }
        }
    }
    Ok(json!({"protectedTasks": protected, "failures": failures}).into())
}

pub(super) fn get(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let references = members.texts("tasks")?;
    if references.len() > TASKS_PER_CALL {
        return Err(Refusal::invalid_parameter(format!(
            "taskIds can have at most {TASKS_PER_CALL} items."
        )));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    if references.is_empty() {
        let own = cluster.tasks.values().filter(|task| !task.service.is_empty());
        found.extend(
            own.filter(|task| task.desired_status == TaskStatus::Running)
                .map(|task| document(world, task)),
        );
    }
    for reference in references {
        match cluster
            .tasks
            .get(world.account().id_of(&cluster.name, "task", reference)?)
        {
            Some(task) => found.push(document(world, task)),
            None => failures.push(failure(arn_of(world, cluster, "task", reference), "MISSING")),
        }
    }
    Ok(json!({"protectedTasks": found, "failures": failures}).into())
}

fn document(world: &World, task: &Task) -> Value {
    let until = world.protected_until(&task.id);
    structure([
        ("taskArn", Some(json!(task.arn))),
        ("protectionEnabled", Some(json!(until.is_some()))),
        ("expirationDate", until.map(seconds)),
    ])
}
