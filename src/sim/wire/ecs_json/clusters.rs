//! CreateCluster, DescribeClusters, ListClusters, DeleteCluster.

use serde_json::{Value, json};

use super::{extend, failure, service_request, structure};
use crate::id::ClusterName;
use crate::sim::state::Cluster;
use crate::sim::wire::Reply;
use crate::sim::wire::members::Members;
use crate::sim::wire::page::page;
use crate::sim::world::World;

pub fn create(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let name = members.text("clusterName")?.unwrap_or("default");
    let tags = service_request::tags(members)?;
    let providers = members.texts("capacityProviders")?;
    let strategy = service_request::capacity_provider_strategy(members, "defaultCapacityProviderStrategy")?;
    let settings = structure([
        (
            "settings",
            members.documents("settings")?.filter(|all| all != &json!([])),
        ),
        ("configuration", members.document("configuration")?),
        ("capacityProviders", (!providers.is_empty()).then(|| json!(providers))),
        ("defaultCapacityProviderStrategy", strategy),
        ("serviceConnectDefaults", members.document("serviceConnectDefaults")?),
    ]);
    let settings = settings.as_object().cloned().unwrap_or_default();
    let cluster = world.create_cluster(name, settings, tags)?;
    let mut document = document(&cluster);
    extend(&mut document, [("tags", Some(json!(world.tags_of(&cluster.arn))))]);
    Ok(json!({"cluster": document}).into())
}

pub fn list(world: &mut World, body: &Value) -> Reply<Value> {
    let arns = world
        .account()
        .clusters
        .values()
        .filter(|cluster| cluster.status == "ACTIVE")
        .map(|cluster| cluster.arn.clone())
        .collect();
    let page = page(Members::of(body)?, 100, arns)?;
    Ok(structure([
        ("clusterArns", Some(json!(page.items))),
        ("nextToken", page.next.map(Value::from)),
    ])
    .into())
}

pub fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let mut references = Members::of(body)?.texts("clusters")?;
    if references.is_empty() {
        references.push("default");
    }
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        // An INACTIVE cluster is described too, where every other operation calls it unknown.
        let name = ClusterName::from_reference(reference);
        match world.account().clusters.get(name.as_str()) {
            Some(cluster) => clusters.push(document(cluster)),
            None => failures.push(failure(missing_arn(world, reference), "MISSING")),
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}).into())
}

fn document(cluster: &Cluster) -> Value {
    let wanted = |status: &str| {
        cluster
            .tasks
            .values()
            .filter(|task| task.desired_status == "RUNNING" && task.last_status == status)
            .count()
    };
    let kept = |name: &str, default: Value| cluster.settings.get(name).cloned().unwrap_or(default);
    let mut document = json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": cluster.instances.len(),
        "runningTasksCount": wanted("RUNNING"),
        "pendingTasksCount": wanted("PENDING"),
        "activeServicesCount": cluster.services.values().filter(|service| service.status == "ACTIVE").count(),
        "statistics": [],
        "tags": [],
        "settings": kept("settings", json!([{"name": "containerInsights", "value": "disabled"}])),
        "capacityProviders": kept("capacityProviders", json!([])),
        "defaultCapacityProviderStrategy": kept("defaultCapacityProviderStrategy", json!([])),
    });
    let more = |name: &str| cluster.settings.get(name).cloned();
    extend(
        &mut document,
        [
            ("configuration", more("configuration")),
            ("serviceConnectDefaults", more("serviceConnectDefaults")),
        ],
    );
    document
}

fn missing_arn(world: &World, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    let account = world.account();
    format!("arn:aws:ecs:{}:{}:cluster/{reference}", account.region, account.id)
}
