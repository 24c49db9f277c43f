//! RegisterTaskDefinition, DescribeTaskDefinition, ListTaskDefinitions, ListTaskDefinitionFamilies,
//! DeregisterTaskDefinition, DeleteTaskDefinitions.

use serde_json::{Value, json};

use super::{failure, structure};
use crate::model::refusal::Refusal;
use crate::model::state::TaskDefinition;
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::wire::page::page;
use crate::world::World;

/// Source: the API reference of DeleteTaskDefinitions.
const DELETIONS_PER_CALL: usize = 10;

pub(super) fn register(world: &mut World, body: &Value) -> Reply<Value> {
    let definition = world.register_task_definition(body)?;
    let tags = (!definition.tags.is_empty()).then(|| json!(definition.tags));
    Ok(structure([("taskDefinition", Some(definition.document)), ("tags", tags)]).into())
}

pub(super) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let definition = world.describe_task_definition(members.required("taskDefinition")?)?;
    let tags = members.includes("TAGS")?.then(|| json!(definition.tags));
    Ok(structure([("taskDefinition", Some(definition.document.clone())), ("tags", tags)]).into())
}

pub(super) fn deregister(world: &mut World, body: &Value) -> Reply<Value> {
    let reference = Members::of(body)?.required("taskDefinition")?;
    let definition = world.deregister_task_definition(reference)?;
    Ok(json!({"taskDefinition": definition.document}).into())
}

pub(super) fn delete(world: &mut World, body: &Value) -> Reply<Value> {
    let references = Members::of(body)?.texts("taskDefinitions")?;
    if references.is_empty() {
        return Err(Refusal::invalid_parameter(
            "size of TaskDefinition references list must be greater than 0",
        ));
    }
    if references.len() > DELETIONS_PER_CALL {
        return Err(Refusal::invalid_parameter(format!(
            "Size of TaskDefinition references list cannot exceed {DELETIONS_PER_CALL}"
        )));
    }
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match world.delete_task_definition(reference) {
            Ok(definition) => deleted.push(definition.document),
            Err(reason) => failures.push(failure(arn_of(world, reference), reason)),
        }
    }
    Ok(json!({"taskDefinitions": deleted, "failures": failures}).into())
}

fn arn_of(world: &World, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    let account = world.account();
    format!(
        "arn:aws:ecs:{}:{}:task-definition/{reference}",
        account.region, account.id
    )
}

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let family = members.text("familyPrefix")?;
    let states = ["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"];
    let status = members.one_of("status", &states)?.unwrap_or("ACTIVE");
    let mut arns: Vec<String> = world
        .account()
        .task_definitions
        .values()
        .flatten()
        // The whole family's name, in spite of what the parameter is called.
        .filter(|definition| family.is_none_or(|family| family == definition.family) && definition.status == status)
        .map(|definition| definition.arn.clone())
        .collect();
    if members.one_of("sort", &["ASC", "DESC"])? == Some("DESC") {
        arns.reverse();
    }
    let page = page(members, 100, arns)?;
    Ok(structure([
        ("taskDefinitionArns", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

/// A family is ACTIVE as long as one of its revisions is; without a status both kinds are listed.
pub(super) fn list_families(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let prefix = members.text("familyPrefix")?.unwrap_or_default();
    let status = members.one_of("status", &["ACTIVE", "INACTIVE", "ALL"])?;
    let is_wanted = |revisions: &[TaskDefinition]| {
        let is_active = revisions.iter().any(|definition| definition.status == "ACTIVE");
        match status {
            Some("ACTIVE") => is_active,
            Some("INACTIVE") => !is_active,
            _ => true,
        }
    };
    let families = world
        .account()
        .task_definitions
        .iter()
        .filter(|(family, revisions)| family.starts_with(prefix) && is_wanted(revisions))
        .map(|(family, _)| family.clone())
        .collect();
    let page = page(members, 100, families)?;
    Ok(structure([
        ("families", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}
