//! CreateCluster, DescribeClusters, ListClusters, DeleteCluster.

use crate::model::status::{ServiceStatus, TaskStatus};
use serde_json::{Value, json};

use super::{extend, failure, service_request, structure};
use crate::model::state::{Cluster, short};
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::wire::page::page;
use crate::world::World;

pub(super) fn create(world: &mut World, body: &Value) -> Reply<Value> {
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
    let kept = |name: &str| cluster.settings.get(name).cloned();
    extend(
        &mut document,
        [
            ("tags", Some(json!(world.tags_of(&cluster.arn)))),
            ("settings", kept("settings").or_else(|| Some(no_insights()))),
            ("configuration", kept("configuration")),
        ],
    );
    Ok(json!({"cluster": document}).into())
}

pub(super) fn delete(world: &mut World, body: &Value) -> Reply<Value> {
    let cluster = world.delete_cluster(Members::of(body)?.required("cluster")?)?;
    Ok(json!({"cluster": document(&cluster)}).into())
}

pub(super) fn list(world: &mut World, body: &Value) -> Reply<Value> {
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

pub(super) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let (with_tags, with_statistics) = (members.includes("TAGS")?, members.includes("STATISTICS")?);
    let (with_settings, with_configuration) = (members.includes("SETTINGS")?, members.includes("CONFIGURATIONS")?);
    let mut references = members.texts("clusters")?;
    if references.is_empty() {
        references.push("default");
    }
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        // An INACTIVE cluster is described too, where every other operation calls it unknown.
        match world.account().clusters.get(short(reference)) {
            Some(cluster) => {
                let mut document = document(cluster);
                let kept = |name: &str, default: Value| Some(cluster.settings.get(name).cloned().unwrap_or(default));
                let members = [
                    ("tags", Some(json!(world.tags_of(&cluster.arn))).filter(|_| with_tags)),
                    ("statistics", with_statistics.then(|| statistics(cluster))),
                    ("settings", kept("settings", no_insights()).filter(|_| with_settings)),
                    (
                        "configuration",
                        cluster
                            .settings
                            .get("configuration")
                            .cloned()
                            .filter(|_| with_configuration),
                    ),
                ];
                extend(&mut document, members);
                clusters.push(document);
            }
            None => failures.push(failure(missing_arn(world, reference), "MISSING")),
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}).into())
}

fn document(cluster: &Cluster) -> Value {
    let wanted = |status: TaskStatus| {
        cluster
            .tasks
            .values()
            .filter(|task| task.desired_status == TaskStatus::Running && task.last_status == status)
            .count()
    };
    let kept = |name: &str, default: Value| cluster.settings.get(name).cloned().unwrap_or(default);
    let mut document = json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": cluster.instances.len(),
        "runningTasksCount": wanted(TaskStatus::Running),
        "pendingTasksCount": wanted(TaskStatus::Pending),
        "activeServicesCount": cluster.services.values().filter(|service| service.status == ServiceStatus::Active).count(),
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": kept("capacityProviders", json!([])),
        "defaultCapacityProviderStrategy": kept("defaultCapacityProviderStrategy", json!([])),
    });
    let more = |name: &str| cluster.settings.get(name).cloned();
    extend(
        &mut document,
        [("serviceConnectDefaults", more("serviceConnectDefaults"))],
    );
    document
}

fn no_insights() -> Value {
    json!([{"name": "containerInsights", "value": "disabled"}])
}

/// The counts by launch type that `include: STATISTICS` asks for.
fn statistics(cluster: &Cluster) -> Value {
    let tasks = |status: TaskStatus, launch_type: &str| {
        let of = |task: &&crate::model::state::Task| {
            task.desired_status == TaskStatus::Running && task.last_status == status && task.launch_type == launch_type
        };
        cluster.tasks.values().filter(of).count()
    };
    let services = |status: ServiceStatus, launch_type: &str| {
        let of =
            |service: &&crate::model::state::Service| service.status == status && service.launch_type == launch_type;
        cluster.services.values().filter(of).count()
    };
    let counts = [
        ("runningEC2TasksCount", tasks(TaskStatus::Running, "EC2")),
        ("runningFargateTasksCount", tasks(TaskStatus::Running, "FARGATE")),
        ("pendingEC2TasksCount", tasks(TaskStatus::Pending, "EC2")),
        ("pendingFargateTasksCount", tasks(TaskStatus::Pending, "FARGATE")),
        ("activeEC2ServiceCount", services(ServiceStatus::Active, "EC2")),
        ("activeFargateServiceCount", services(ServiceStatus::Active, "FARGATE")),
        ("drainingEC2ServiceCount", services(ServiceStatus::Draining, "EC2")),
        (
            "drainingFargateServiceCount",
            services(ServiceStatus::Draining, "FARGATE"),
        ),
    ];
    counts
        .iter()
        .map(|(name, count)| json!({"name": name, "value": count.to_string()}))
        .collect()
}

fn missing_arn(world: &World, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    let account = world.account();
    format!("arn:aws:ecs:{}:{}:cluster/{reference}", account.region, account.id)
}
