//! Application Auto Scaling over AWS JSON 1.1: the bounds of services' desired counts.

use serde_json::{Value, json};

use super::members::Members;
use crate::api::scalable::{DIMENSION, TargetChange};
use crate::model::refusal::Refusal;
use crate::model::state::{ScalableTarget, Suspended};
use crate::wire::json::ecs::{read, refuse, respond, seconds, structure};
use crate::wire::page::cut;
use crate::wire::{HttpResponse, Reply};
use crate::world::World;

pub(crate) const TARGET_PREFIX: &str = "AnyScaleFrontendService.";

/// DescribeScalableTargets' largest page and its default.
const PAGE_MAX: usize = 50;

pub(crate) fn handle(world: &mut World, operation: &str, body: &[u8]) -> HttpResponse {
    let serve = match operation {
        "RegisterScalableTarget" => register,
        "DescribeScalableTargets" => describe,
        "DeregisterScalableTarget" => deregister,
        other => {
            let words = format!("the simulator does not serve application-autoscaling:{other}");
            return refuse(&Refusal::new("UnknownOperationException", words))
                .with_note(format!("not served: application-autoscaling:{other}"));
        }
    };
    match read(body).and_then(|document| serve(world, &document)) {
        Ok(answer) => respond(200, &answer.document),
        Err(refusal) => refuse(&refusal),
    }
}

fn register(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let resource = resource(members)?;
    let suspended = members.structure("SuspendedState")?;
    let suspended = suspended.map(|state| {
        let is_on = |name| Ok::<_, Refusal>(state.boolean(name)?.unwrap_or(false));
        Ok::<_, Refusal>(Suspended {
            scaling_in: is_on("DynamicScalingInSuspended")?,
            scaling_out: is_on("DynamicScalingOutSuspended")?,
            scheduled: is_on("ScheduledScalingSuspended")?,
        })
    });
    let change = TargetChange {
        minimum: capacity(members, "MinCapacity")?,
        maximum: capacity(members, "MaxCapacity")?,
        suspended: suspended.transpose()?,
    };
    let arn = world.register_scalable_target(resource, &change)?;
    Ok(json!({"ScalableTargetARN": arn}).into())
}

fn deregister(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    world.deregister_scalable_target(resource(members)?)?;
    Ok(json!({}).into())
}

fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let namespace = members.required("ServiceNamespace").map_err(missing)?;
    let dimension = members.text("ScalableDimension")?;
    let named = members.texts("ResourceIds")?;
    let is_meant = |target: &&ScalableTarget| {
        namespace == "ecs"
            && dimension.is_none_or(|dimension| dimension == DIMENSION)
            && (named.is_empty() || named.contains(&target.resource_id.as_str()))
    };
    let targets = &world.account().scalable_targets;
    let all = targets
        .values()
        .filter(is_meant)
        .map(|target| target.resource_id.clone());
    let size = match members.integer("MaxResults")? {
        None => PAGE_MAX,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=PAGE_MAX).contains(size))
            .ok_or_else(|| Refusal::validation_exception(format!("MaxResults must be between 1 and {PAGE_MAX}")))?,
    };
    let token = members.text("NextToken")?;
    let page = cut(all.collect(), size, token)
        .ok_or_else(|| Refusal::new("InvalidNextTokenException", "The token is invalid"))?;
    let shown: Vec<Value> = page
        .items
        .iter()
        .filter_map(|id| targets.get(id))
        .map(document)
        .collect();
    Ok(structure([
        ("ScalableTargets", Some(json!(shown))),
        ("NextToken", page.next.map(Value::from)),
    ])
    .into())
}

/// The service that a request is about; only the desired counts of services can be scaled here.
fn resource(members: Members<'_>) -> Result<&str, Refusal> {
    let namespace = members.required("ServiceNamespace").map_err(missing)?;
    let dimension = members.required("ScalableDimension").map_err(missing)?;
    let resource = members.required("ResourceId").map_err(missing)?;
    if (namespace, dimension) != ("ecs", DIMENSION) {
        return Err(Refusal::validation_exception(
            "Unsupported service namespace, resource type or scalable dimension",
        ));
    }
    Ok(resource)
}

fn capacity(members: Members<'_>, name: &str) -> Result<Option<u32>, Refusal> {
    let number = members.integer(name)?;
    number
        .map(|number| {
            u32::try_from(number).map_err(|_| Refusal::validation_exception(format!("{name} must be 0 or more")))
        })
        .transpose()
}

fn document(target: &ScalableTarget) -> Value {
    json!({
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource_id,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": target.role_arn,
        "CreationTime": seconds(target.created_at),
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspended.scaling_in,
            "DynamicScalingOutSuspended": target.suspended.scaling_out,
            "ScheduledScalingSuspended": target.suspended.scheduled,
        },
        "ScalableTargetARN": target.arn,
    })
}

/// The ECS wire's refusal of a missing member, in this service's code.
fn missing(refusal: Refusal) -> Refusal {
    match refusal.code.as_str() {
        "InvalidParameterException" => Refusal::validation_exception(refusal.message),
        _ => refusal,
    }
}
