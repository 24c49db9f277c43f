//! TagResource, UntagResource, ListTagsForResource.

use serde_json::{Value, json};

use super::service_request;
use crate::model::refusal::Refusal;
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::world::World;

pub(super) fn tag(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let tags = service_request::tags(members)?;
    if tags.is_empty() {
        return Err(Refusal::invalid_parameter("Tags can not be empty."));
    }
    world.tag(members.required("resourceArn")?, &tags)?;
    Ok(json!({}).into())
}

pub(super) fn untag(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let keys = members.texts("tagKeys")?;
    if keys.is_empty() {
        return Err(Refusal::invalid_parameter("TagKeys can not be empty."));
    }
    world.untag(members.required("resourceArn")?, &keys)?;
    Ok(json!({}).into())
}

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let arn = Members::of(body)?.required("resourceArn")?;
    Ok(json!({"tags": world.list_tags(arn)?}).into())
}
