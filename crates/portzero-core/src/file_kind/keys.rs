//! Whose file it is, by the keys at its top. Each sign is one that no task definition and no configuration has.

use super::kind::{Kind, Recognised, Wanted};
use super::outline::Outline;

/// The values of `type:` in a Copilot manifest.
const COPILOT: [&str; 8] = [
    "Backend Service",
    "Environment",
    "Load Balanced Web Service",
    "Pipeline",
    "Request-Driven Web Service",
    "Scheduled Job",
    "Static Site",
    "Worker Service",
];

pub(super) fn kind(root: &Outline, wanted: Wanted) -> Option<Recognised> {
    let signs: [fn(&Outline) -> Option<Recognised>; 12] = [
        image_definitions,
        cloudformation,
        kubernetes,
        compose,
        continuous_integration,
        copilot,
        ecspresso,
        answers_and_requests,
        skeleton,
        task_definition,
        scenario,
        configuration,
    ];
    let found = signs.iter().find_map(|sign| sign(root))?;
    // A skeleton is a task definition in form: only who wants one is helped by hearing more of it.
    Some(found).filter(|found| found.kind != Kind::Skeleton || wanted == Wanted::TaskDefinition)
}

/// The kind, at the first of these keys that is there.
fn at(root: &Outline, kind: Kind, keys: &[&str]) -> Option<Recognised> {
    let first = keys.iter().find_map(|key| root.member(key));
    Some(kind.at(first.map_or(root.at, |member| member.at)))
}

fn is_aws(outline: &Outline) -> bool {
    let kind = outline.get("Type").and_then(Outline::text);
    kind.is_some_and(|kind| kind.starts_with("AWS::"))
}

fn cloudformation(root: &Outline) -> Option<Recognised> {
    let keys = ["AWSTemplateFormatVersion", "Transform", "Resources"];
    let resources = root.get("Resources");
    if let Some(resources) = resources
        && resources.is_list_of("TargetService")
    {
        return at(root, Kind::AppSpec, &["Resources"]);
    }
    let has_resource = resources.is_some_and(|all| all.members().iter().any(|one| is_aws(&one.value)));
    let is_sam = root.get("Transform").is_some_and(|transform| {
        let mut names = transform.items().iter().chain([transform]).filter_map(Outline::text);
        names.any(|name| name.starts_with("AWS::Serverless"))
    });
    if is_sam {
        return at(root, Kind::Sam, &keys);
    }
    if has_resource || root.has("AWSTemplateFormatVersion") {
        return at(root, Kind::CloudFormation, &keys);
    }
    if is_aws(root) && root.has("Properties") {
        return at(root, Kind::CloudFormationResource, &["Type"]);
    }
    let is_pascal = root.has("ContainerDefinitions") && !root.has("containerDefinitions");
    is_pascal.then(|| at(root, Kind::PascalCase, &["ContainerDefinitions"]))?
}

fn kubernetes(root: &Outline) -> Option<Recognised> {
    (root.has("apiVersion") && root.has("kind")).then(|| at(root, Kind::Kubernetes, &["apiVersion"]))?
}

fn compose(root: &Outline) -> Option<Recognised> {
    let services = root.get("services")?.members();
    let is_compose = services
        .iter()
        .any(|service| service.value.has("image") || service.value.has("build"));
    is_compose.then(|| at(root, Kind::Compose, &["services"]))?
}

fn continuous_integration(root: &Outline) -> Option<Recognised> {
    let jobs = root.get("jobs").map(Outline::members).unwrap_or_default();
    if jobs
        .iter()
        .any(|job| job.value.has("runs-on") || job.value.has("steps") || job.value.has("uses"))
    {
        return at(root, Kind::Workflow, &["jobs"]);
    }
    if root.has("phases") && root.has("version") {
        return at(root, Kind::BuildSpec, &["phases"]);
    }
    let has_script = root.members().iter().any(|job| job.value.has("script"));
    let is_ours = ["containerDefinitions", "version"].iter().any(|key| root.has(key));
    (has_script && !is_ours).then(|| at(root, Kind::GitlabCi, &["stages", "image"]))?
}

fn copilot(root: &Outline) -> Option<Recognised> {
    let kind = root.get("type").and_then(Outline::text)?;
    COPILOT.contains(&kind).then(|| at(root, Kind::Copilot, &["type"]))?
}

fn ecspresso(root: &Outline) -> Option<Recognised> {
    let is_of_ecspresso = root.has("service_definition") || root.has("cluster") && root.has("service");
    let names_both = root.has("task_definition") && is_of_ecspresso;
    names_both.then(|| at(root, Kind::Ecspresso, &["service_definition", "task_definition"]))?
}

fn image_definitions(root: &Outline) -> Option<Recognised> {
    root.is_list_of("imageUri").then(|| Kind::ImageDefinitions.at(root.at))
}

/// What AWS's commands for services and tasks print and take.
fn answers_and_requests(root: &Outline) -> Option<Recognised> {
    if root.has("containerDefinitions") {
        return None;
    }
    let list_of = |key: &str, of: &str| root.get(key).is_some_and(|list| list.is_list_of(of));
    if list_of("services", "serviceArn") || root.get("service").is_some_and(|one| one.has("serviceArn")) {
        return at(root, Kind::ServicesAnswer, &["services", "service"]);
    }
    if list_of("tasks", "taskArn") {
        return at(root, Kind::TasksAnswer, &["tasks"]);
    }
    let lists = ["taskDefinitionArns", "serviceArns", "taskArns", "families"];
    if lists.iter().any(|key| root.has(key)) {
        return at(root, Kind::ListAnswer, &lists);
    }
    if root.has("format_version") && root.has("terraform_version") {
        return at(root, Kind::TerraformOutput, &["format_version"]);
    }
    if root.has("overrides") && root.get("taskDefinition").is_some_and(|named| named.text().is_some()) {
        return at(root, Kind::RunTask, &["overrides"]);
    }
    let of_services = [
        "desiredCount",
        "serviceName",
        "deploymentConfiguration",
        "loadBalancers",
        "networkConfiguration",
    ];
    let signs = of_services.iter().filter(|key| root.has(key)).count();
    (signs >= 2).then(|| at(root, Kind::ServiceDefinition, &of_services))?
}

/// `--generate-cli-skeleton`, as it is printed.
fn skeleton(root: &Outline) -> Option<Recognised> {
    let is_empty = |outline: Option<&Outline>| outline.and_then(Outline::text) == Some("");
    let first = root.get("containerDefinitions")?.items().first()?;
    let is_skeleton = is_empty(root.get("family")) && is_empty(first.get("name")) && is_empty(first.get("image"));
    is_skeleton.then(|| at(root, Kind::Skeleton, &["family"]))?
}

fn task_definition(root: &Outline) -> Option<Recognised> {
    let inner = root
        .get("taskDefinition")
        .is_some_and(|inner| inner.has("containerDefinitions"));
    let is_there = inner || root.has("containerDefinitions");
    is_there.then(|| {
        at(
            root,
            Kind::TaskDefinition,
            &["family", "containerDefinitions", "taskDefinition"],
        )
    })?
}

fn scenario(root: &Outline) -> Option<Recognised> {
    let keys = ["target_groups", "instances", "faults", "timings"];
    let has_world = keys.iter().any(|key| root.has(key));
    let services = root.get("services").map(Outline::items).unwrap_or_default();
    let has_running = services
        .iter()
        .any(|service| service.has("desired_count") || service.get("task_definition").is_some_and(Outline::is_map));
    (has_world || has_running).then(|| at(root, Kind::Scenario, &keys))?
}

fn configuration(root: &Outline) -> Option<Recognised> {
    if root.get("services").is_some_and(|services| services.is_list_of("name")) {
        return at(root, Kind::Configuration, &["services"]);
    }
    let tasks = root.get("tasks").is_some_and(|tasks| tasks.is_list_of("name"));
    (tasks && !root.has("services")).then(|| at(root, Kind::TasksOnly, &["tasks"]))?
}
