//! CreateService, DescribeServices, ListServices, UpdateService, DeleteService.

use crate::model::status::ServiceStatus;
use serde_json::{Value, json};

use super::service_document::document;
use super::{arn_of, extend, failure, service_request, structure};
use crate::model::refusal::Refusal;
use crate::model::state::Service;
use crate::scenario::strategy::Strategy;
use crate::wire::json::members::Members;
use crate::wire::page::page;
use crate::wire::{Output, Reply};
use crate::world::World;

/// Source: the words of AWS's refusal of more, `service names can have at most 10 items.`
const SERVICES_PER_CALL: usize = 10;

pub(super) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let references = members.references("services", SERVICES_PER_CALL, "Services", "service names")?;
    let with_tags = members.includes("TAGS")?;
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match cluster
            .services
            .get(world.account().id_of(&cluster.name, "service", reference)?)
        {
            Some(service) => {
                let arn = &service.arn;
                let mut service = document(world, service);
                extend(&mut service, [("tags", with_tags.then(|| json!(world.tags_of(arn))))]);
                services.push(service);
            }
            None => failures.push(failure(arn_of(world, cluster, "service", reference), "MISSING")),
        }
    }
    Ok(json!({"services": services, "failures": failures}).into())
}

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let cluster = world.cluster(members.text("cluster")?)?;
    let launch_type = members.one_of("launchType", &service_request::LAUNCH_TYPES)?;
    let strategy = members.one_of("schedulingStrategy", &["REPLICA", "DAEMON"])?;
    let manager = members.one_of("resourceManagementType", &["CUSTOMER", "ECS"])?;
    let is_managed = |service: &&Service| manager.is_none_or(|manager| (manager == "ECS") == service.is_express());
    let arns = cluster
        .services
        .values()
        // One that is being deleted is described, and no longer listed (API reference of DeleteService).
        .filter(|service| service.status == ServiceStatus::Active)
        .filter(is_managed)
        .filter(|service| launch_type.is_none_or(|wanted| wanted == service.launch_type))
        .filter(|service| strategy.is_none_or(|wanted| wanted == service.scheduling_strategy))
        .map(|service| service.arn.clone())
        .collect();
    let page = page(members, 10, arns)?;
    Ok(structure([
        ("serviceArns", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub(super) fn create(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let creation = service_request::creation(members)?;
    let service = world.create_service(&creation)?;
    let mut document = document(world, &service);
    extend(
        &mut document,
        [("tags", Some(json!(creation.tags)).filter(|_| !creation.tags.is_empty()))],
    );
    Ok(Output {
        document: json!({"service": document}),
        note: service_request::note("CreateService", members),
    })
}

pub(super) fn delete(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let force = members.boolean("force")?.unwrap_or(false);
    let service = world.delete_service(members.text("cluster")?, members.required("service")?, force)?;
    Ok(json!({"service": document(world, &service)}).into())
}

pub(super) fn update(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let change = service_request::change(members, "service", &current_strategy(world, members)?)?;
    let service = world.update_service(&change)?;
    Ok(Output {
        document: json!({"service": document(world, &service)}),
        note: service_request::note("UpdateService", members),
    })
}

/// How the service deploys so far; the default for one that does not exist, which is refused later.
fn current_strategy(world: &World, members: Members<'_>) -> Result<Strategy, Refusal> {
    let cluster = world.cluster(members.text("cluster")?)?;
    let name = world
        .account()
        .id_of(&cluster.name, "service", members.required("service")?)?;
    let service = cluster.services.get(name);
    Ok(service.map(|service| service.strategy.clone()).unwrap_or_default())
}
