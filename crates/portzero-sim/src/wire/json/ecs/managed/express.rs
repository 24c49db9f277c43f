//! Express services: CreateExpressGatewayService and its kin. One request makes the task definition, the service, and the
//! load balancer with its target group, which ECS keeps to itself.

use serde_json::{Value, json};

use super::super::{seconds, service_document, service_request, structure};
use crate::model::container::mappings;
use crate::model::managed::Manager;
use crate::model::refusal::Refusal;
use crate::model::state::{Service, ServiceChange, ServiceCreation, Settings, TaskDefinition};
use crate::scenario::TargetGroupSpec;
use crate::scenario::specs::HealthCheckSpec;
use crate::wire::Reply;
use crate::wire::json::members::Members;
use crate::world::World;

/// What the container is called that the service is made from (Developer Guide, Express Mode).
const PRIMARY: &str = "Main";

/// Where a service keeps what it was made from; a revision has it as it was then.
const CONFIGURATION: &str = "expressConfiguration";
const INFRASTRUCTURE_ROLE: &str = "infrastructureRoleArn";

pub(in crate::wire::json::ecs) fn create(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let role = members.required(INFRASTRUCTURE_ROLE)?;
    let cluster = world.cluster(members.text("cluster")?)?.name.clone();
    let name = match members.text("serviceName")? {
        Some(name) => name.to_owned(),
        None => format!("express-{}", world.hex(8)),
    };
    let configuration = configuration(members, &json!({}))?;
    let tags = service_request::tags(members)?;
    let definition = definition(world, &cluster, &name, members, &configuration)?;
    let (container, port) = entrance(&definition)?;
    let path = configuration["healthCheckPath"].as_str().unwrap_or("/ping");
    let group = TargetGroupSpec {
        name: format!("ecs-express-{}", world.hex(12)),
        port,
        target_type: Some("ip".into()),
        health_check: HealthCheckSpec {
            path: path.to_owned(),
            ..HealthCheckSpec::default()
        },
        ..TargetGroupSpec::default()
    };
    let mut binding = world.managed_binding(&name, Manager::Express, "PUBLIC", &group, false);
    (binding.container_name, binding.container_port) = (container, port);
    let wanted = configuration["scalingTarget"]["minTaskCount"].as_u64();
    let mut settings = kept(world, &configuration);
    settings.insert(INFRASTRUCTURE_ROLE.into(), json!(role));
    let service = world.create_service(&ServiceCreation {
        service: ServiceChange {
            cluster,
            service: name,
            task_definition: Some(definition.arn),
            desired_count: Some(wanted.and_then(|count| u32::try_from(count).ok()).unwrap_or(1)),
            load_balancers: Some(vec![binding]),
            settings,
            ..ServiceChange::default()
        },
        launch_type: Some("FARGATE".into()),
        tags,
        ..ServiceCreation::default()
    })?;
    Ok(json!({"service": document(world, &service, true)}).into())
}

pub(in crate::wire::json::ecs) fn describe(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let service = express(world, members.required("serviceArn")?)?;
    Ok(json!({"service": document(world, service, members.includes("TAGS")?)}).into())
}

pub(in crate::wire::json::ecs) fn update(world: &mut World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let service = express(world, members.required("serviceArn")?)?.clone();
    let cluster = cluster_of(&service.arn).to_owned();
    let current = service
        .settings
        .get(CONFIGURATION)
        .cloned()
        .unwrap_or_else(|| json!({}));
    let configuration = configuration(members, &current)?;
    let definition = definition(world, &cluster, &service.name, members, &configuration)?;
    let service = world.update_service(&ServiceChange {
        cluster,
        service: service.name,
        task_definition: Some(definition.arn),
        settings: kept(world, &configuration),
        ..ServiceChange::default()
    })?;
    let target = service.deployments.first().map(|newest| active(&service, &newest.id));
    let document = structure([
        ("serviceArn", Some(json!(service.arn))),
        ("cluster", Some(json!(cluster_of(&service.arn)))),
        ("serviceName", Some(json!(service.name))),
        ("status", Some(json!({"statusCode": service.status}))),
        ("targetConfiguration", target.flatten()),
        ("createdAt", Some(seconds(service.created_at))),
        ("updatedAt", Some(seconds(world.now()))),
    ]);
    Ok(json!({"service": document}).into())
}

pub(in crate::wire::json::ecs) fn delete(world: &mut World, body: &Value) -> Reply<Value> {
    let service = express(world, Members::of(body)?.required("serviceArn")?)?.clone();
    let gone = world.delete_service(Some(cluster_of(&service.arn)), &service.name, true)?;
    Ok(json!({"service": document(world, &gone, true)}).into())
}

/// An Express service, by its ARN.
fn express<'a>(world: &'a World, arn: &str) -> Result<&'a Service, Refusal> {
    let cluster = world.cluster(Some(cluster_of(arn)))?;
    let name = world.account().id_of(&cluster.name, "service", arn)?;
    let found = cluster.services.get(name).filter(|service| service.is_express());
    found.ok_or_else(|| Refusal::new("ResourceNotFoundException", "Express service not found."))
}

/// `arn:…:service/CLUSTER/NAME`.
fn cluster_of(arn: &str) -> &str {
    arn.rsplit('/').nth(1).unwrap_or("default")
}

/// What is given, over what there was.
fn configuration(members: Members<'_>, current: &Value) -> Result<Value, Refusal> {
    let container = members.document("primaryContainer")?;
    if let Some(given) = members.structure("primaryContainer")? {
        given.required("image")?;
    }
    let given = structure([
        ("executionRoleArn", members.text("executionRoleArn")?.map(Value::from)),
        ("taskRoleArn", members.text("taskRoleArn")?.map(Value::from)),
        ("cpu", members.text("cpu")?.map(Value::from)),
        ("memory", members.text("memory")?.map(Value::from)),
        (
            "cpuArchitecture",
            members
                .one_of("cpuArchitecture", &["X86_64", "ARM64"])?
                .map(Value::from),
        ),
        ("networkConfiguration", members.document("networkConfiguration")?),
        ("healthCheckPath", members.text("healthCheckPath")?.map(Value::from)),
        ("primaryContainer", container),
        ("scalingTarget", members.document("scalingTarget")?),
    ]);
    let mut merged = json!({"cpu": "256", "memory": "512", "healthCheckPath": "/ping"});
    for layer in [current, &given] {
        if let (Value::Object(all), Value::Object(more)) = (&mut merged, layer) {
            all.extend(more.clone());
        }
    }
    Ok(merged)
}

/// The task definition that is named, or one that is made from the primary container.
fn definition(
    world: &mut World,
    cluster: &str,
    service: &str,
    members: Members<'_>,
    configuration: &Value,
) -> Result<TaskDefinition, Refusal> {
    if let Some(reference) = members.text("taskDefinitionArn")? {
        return world.deployable(reference);
    }
    let container = &configuration["primaryContainer"];
    let image = container["image"]
        .as_str()
        .ok_or_else(|| Refusal::invalid_parameter("primaryContainer can not be null."))?;
    let role = configuration["executionRoleArn"]
        .as_str()
        .ok_or_else(|| Refusal::invalid_parameter("executionRoleArn can not be null."))?;
    let logs = &container["awsLogsConfiguration"];
    let region = &world.account().region;
    let log_configuration = logs["logGroup"].as_str().map(|group| {
        json!({"logDriver": "awslogs", "options": {
            "awslogs-group": group,
            "awslogs-region": region,
            "awslogs-stream-prefix": logs["logStreamPrefix"].as_str().unwrap_or("ecs"),
        }})
    });
    let given = |name: &str| container.get(name).cloned();
    let main = structure([
        ("name", Some(json!(PRIMARY))),
        ("image", Some(json!(image))),
        ("essential", Some(json!(true))),
        (
            "portMappings",
            Some(json!([{"containerPort": container["containerPort"].as_u64().unwrap_or(80), "protocol": "tcp"}])),
        ),
        ("command", given("command")),
        ("environment", given("environment")),
        ("secrets", given("secrets")),
        ("logConfiguration", log_configuration),
    ]);
    let architecture = configuration.get("cpuArchitecture");
    let body = structure([
        ("family", Some(json!(format!("{cluster}-{service}")))),
        ("networkMode", Some(json!("awsvpc"))),
        ("requiresCompatibilities", Some(json!(["FARGATE"]))),
        ("cpu", configuration.get("cpu").cloned()),
        ("memory", configuration.get("memory").cloned()),
        ("executionRoleArn", Some(json!(role))),
        ("taskRoleArn", configuration.get("taskRoleArn").cloned()),
        (
            "runtimePlatform",
            architecture.map(|one| json!({"cpuArchitecture": one, "operatingSystemFamily": "LINUX"})),
        ),
        ("containerDefinitions", Some(json!([main]))),
    ]);
    world.register_task_definition(&body)
}

/// The container and the port that get the requests.
fn entrance(definition: &TaskDefinition) -> Result<(String, u16), Refusal> {
    let found = mappings(&definition.document).into_iter().next();
    let found = found.map(|mapping| (mapping.container, mapping.container_port));
    found.ok_or_else(|| Refusal::invalid_parameter("The task definition has no container with a port mapping."))
}

fn kept(world: &World, configuration: &Value) -> Settings {
    let network = &configuration["networkConfiguration"];
    let default = crate::setup::default_network(&world.account().region);
    let of = |name: &str| {
        let usual = &default["awsvpcConfiguration"][name];
        network.get(name).unwrap_or(usual).clone()
    };
    let network = json!({"awsvpcConfiguration": {
        "subnets": of("subnets"), "securityGroups": of("securityGroups"), "assignPublicIp": "ENABLED",
    }});
    [
        (CONFIGURATION.to_owned(), configuration.clone()),
        ("networkConfiguration".to_owned(), network),
    ]
    .into_iter()
    .collect()
}

fn document(world: &World, service: &Service, with_tags: bool) -> Value {
    let running = service.service_deployments.iter().find(|d| d.finished_at.is_none());
    let active: Vec<Value> = service
        .deployments
        .iter()
        .filter_map(|deployment| active(service, &deployment.id))
        .collect();
    structure([
        ("cluster", Some(json!(cluster_of(&service.arn)))),
        ("serviceName", Some(json!(service.name))),
        ("serviceArn", Some(json!(service.arn))),
        (INFRASTRUCTURE_ROLE, service.settings.get(INFRASTRUCTURE_ROLE).cloned()),
        ("status", Some(json!({"statusCode": service.status}))),
        ("currentDeployment", running.map(|deployment| json!(deployment.arn))),
        ("activeConfigurations", Some(json!(active))),
        ("tags", with_tags.then(|| json!(world.tags_of(&service.arn)))),
        ("createdAt", Some(seconds(service.created_at))),
        ("updatedAt", Some(seconds(service.created_at))),
    ])
}

/// What a deployment was made from.
fn active(service: &Service, deployment: &str) -> Option<Value> {
    let revision = service.revision_of(deployment)?;
    let mut document = revision
        .settings
        .get(CONFIGURATION)
        .cloned()
        .unwrap_or_else(|| json!({}));
    let paths: Vec<Value> = revision
        .load_balancers
        .iter()
        .filter_map(|binding| binding.managed.as_ref())
        .map(|managed| json!({"accessType": managed.access_type, "endpoint": managed.address}))
        .collect();
    let more = [
        (
            "serviceRevisionArn",
            json!(service_document::revision_arn(service, deployment)),
        ),
        ("taskDefinitionArn", json!(revision.task_definition)),
        ("ingressPaths", json!(paths)),
        ("createdAt", seconds(revision.created_at)),
    ];
    for (name, value) in more {
        document[name] = value;
    }
    Some(document)
}
