//! Every answer of ECS that somebody recorded, held member by member against the simulator's answer to such a request.
//! There is no difference that has to be excused: whatever a recording has, the simulator's answer has too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::endpoint::{Endpoint, text};

/// Services as the recordings have them, which differ in where they run, what balances them and who deploys them.
const SCENARIO: &str = r#"
seed: 11
cluster: demo
instances: [{count: 2}]
target_groups:
  - {name: web, deregistration_delay: 30s}
  - {name: api, deregistration_delay: 30s, target_type: ip}
services:
  - name: web
    desired_count: 2
    circuit_breaker: {enable: true, rollback: true}
    load_balancers: [{target_group: web, container_name: web, container_port: 3000}]
    task_definition: &bridge
      family: web
      networkMode: bridge
      containerDefinitions:
        - name: web
          image: registry.example/web:1
          cpu: 128
          memory: 256
          memoryReservation: 128
          portMappings: [{containerPort: 3000, hostPort: 0, protocol: tcp}]
  - name: classic
    desired_count: 1
    load_balancers: [{load_balancer_name: old, container_name: web, container_port: 3000}]
    task_definition:
      family: classic
      networkMode: bridge
      containerDefinitions:
        - {name: web, image: "registry.example/web:1", memory: 64, portMappings: [{containerPort: 3000, hostPort: 3000}]}
  - name: blue
    deployment_controller: CODE_DEPLOY
    launch_type: FARGATE
    load_balancers: [{target_group: api, container_name: api, container_port: 8080}]
    task_definition: &awsvpc
      family: api
      networkMode: awsvpc
      requiresCompatibilities: [FARGATE]
      cpu: "256"
      memory: "512"
      containerDefinitions:
        - {name: api, image: "registry.example/api:1", portMappings: [{containerPort: 8080}]}
"#;

/// The recordings that one answer of the simulator's is held against.
struct Case {
    numbers: &'static [u32],
    ours: fn(&mut Endpoint) -> Value,
}

const CASES: &[Case] = &[
    Case {
        numbers: &[1],
        ours: fargate,
    },
    Case {
        numbers: &[2],
        ours: ec2,
    },
    Case {
        numbers: &[3],
        ours: strategy,
    },
    Case {
        numbers: &[4, 8, 9],
        ours: rolling,
    },
    Case {
        numbers: &[6, 7],
        ours: rolling_on_fargate,
    },
    Case {
        numbers: &[5],
        ours: on_instances,
    },
    Case {
        numbers: &[10],
        ours: |aws| described(aws, "classic"),
    },
    Case {
        numbers: &[11],
        ours: |aws| described(aws, "blue"),
    },
    Case {
        numbers: &[12],
        ours: |aws| described(aws, "my-service"),
    },
    Case {
        numbers: &[13],
        ours: deleted,
    },
    Case {
        numbers: &[14, 15, 16, 17],
        ours: updated,
    },
    Case {
        numbers: &[18, 19],
        ours: |aws| update(aws, "web"),
    },
    Case {
        numbers: &[20],
        ours: |aws| registered(aws, 20),
    },
    Case {
        numbers: &[21],
        ours: |aws| registered(aws, 21),
    },
    Case {
        numbers: &[22],
        ours: |aws| registered(aws, 22),
    },
    Case {
        numbers: &[23],
        ours: |aws| aws.tasks("web"),
    },
    Case {
        numbers: &[24],
        ours: with_a_stopped_one,
    },
    Case {
        numbers: &[25],
        ours: |aws| by_hand(aws, 60),
    },
    Case {
        numbers: &[26],
        ours: |aws| by_hand(aws, 0),
    },
    Case {
        numbers: &[27],
        ours: not_started,
    },
    Case {
        numbers: &[29, 30],
        ours: instances,
    },
    Case {
        numbers: &[41],
        ours: service_deployments,
    },
    Case {
        numbers: &[42],
        ours: finished_deployment,
    },
    Case {
        numbers: &[43],
        ours: revision,
    },
    Case {
        numbers: &[45],
        ours: no_cluster,
    },
];

/// The members of recordings that were held when this was written: 1928.
const MEMBERS: usize = 1_900;

/// The task state change of EventBridge is no answer; the excerpt of a raw body is no document.
const NO_ANSWERS: [u32; 2] = [28, 47];

fn recordings() -> BTreeMap<u32, PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recordings");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            let (number, what) = name.split_once('-')?;
            let is_of_ecs = ["service", "task", "container-instances", "error-ecs"]
                .iter()
                .any(|part| what.contains(part));
            Some((
                number
                    .parse()
                    .ok()
                    .filter(|_| is_of_ecs && !what.starts_with("events"))?,
                file.path(),
            ))
        })
        .collect()
}

fn recorded(path: &PathBuf) -> Value {
    let content = std::fs::read_to_string(path).expect("a recording");
    serde_json::from_str(&content).expect("a recording is JSON")
}

#[test]
fn every_recorded_answer_of_ecs_has_its_like_here() {
    let recordings = recordings();
    if recordings.is_empty() {
        return println!("skipped: no recordings at hand");
    }
    let held: BTreeSet<u32> = CASES
        .iter()
        .flat_map(|case| case.numbers)
        .copied()
        .chain(NO_ANSWERS)
        .collect();
    let unknown: Vec<_> = recordings.keys().filter(|number| !held.contains(number)).collect();
    assert!(
        unknown.is_empty(),
        "recordings that nothing is held against: {unknown:?}"
    );
    let (mut found, mut members) = (Vec::new(), 0);
    for case in CASES {
        let ours = (case.ours)(&mut Endpoint::of(SCENARIO));
        for number in case.numbers {
            let Some(path) = recordings.get(number) else { continue };
            let differences = compare("", &ours, &recorded(path), &mut members);
            found.extend(
                differences
                    .into_iter()
                    .map(|difference| format!("{number}: {difference}")),
            );
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    println!("{} recordings, {members} members", recordings.len());
    assert!(members >= MEMBERS, "{members}");
}

/// Where `ours` lacks a member of `recorded` or has it with another type. Of lists, each recorded item is held against
/// the item of ours that is most like it. Times are numbers on the wire and texts in some recordings.
fn compare(path: &str, ours: &Value, recorded: &Value, members: &mut usize) -> Vec<String> {
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => recorded
            .iter()
            .flat_map(|(name, recorded)| {
                *members += 1;
                let path = format!("{path}.{name}");
                match ours.get(name) {
                    None => vec![format!("lacks {path}")],
                    Some(ours) => compare(&path, ours, recorded, members),
                }
            })
            .collect(),
        (Value::Array(ours), Value::Array(recorded)) => {
            let path = format!("{path}[]");
            let mut all = BTreeSet::new();
            for recorded in recorded {
                let likenesses = ours.iter().map(|ours| {
                    let mut own = 0;
                    (compare(&path, ours, recorded, &mut own), own)
                });
                match likenesses.min_by_key(|(differences, _)| differences.len()) {
                    Some((differences, own)) => {
                        *members += own;
                        all.extend(differences);
                    }
                    None => {
                        all.insert(format!("has nothing in {path}"));
                    }
                }
            }
            all.into_iter().collect()
        }
        (Value::Number(_), Value::String(_)) if path.ends_with("At") => Vec::new(),
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => Vec::new(),
        (ours, recorded) => vec![format!("{path} is {ours}, recorded {recorded}")],
    }
}

fn network() -> Value {
    json!({"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"],
        "assignPublicIp": "ENABLED"}})
}

fn described(aws: &mut Endpoint, name: &str) -> Value {
    aws.ecs("DescribeServices", &json!({"cluster": "demo", "services": [name]}))
}

/// A service on Fargate behind a target group, with everything that recorded ones have.
fn create(aws: &mut Endpoint, more: Value) {
    let mut body = json!({"cluster": "demo", "serviceName": "new", "taskDefinition": "api", "desiredCount": 1,
        "networkConfiguration": network(), "propagateTags": "SERVICE", "enableECSManagedTags": true,
        "loadBalancers": [{"targetGroupArn": aws.target_group("api"), "containerName": "api", "containerPort": 8080}],
        "serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:us-east-1:111122223333:service/srv-1"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    aws.ecs("CreateService", &body);
}

fn fargate(aws: &mut Endpoint) -> Value {
    create(aws, json!({"launchType": "FARGATE"}));
    aws.pass(300);
    described(aws, "new")
}

fn strategy(aws: &mut Endpoint) -> Value {
    create(
        aws,
        json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 100}]}),
    );
    aws.pass(300);
    aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": "new", "forceNewDeployment": true}),
    );
    described(aws, "new")
}

fn ec2(aws: &mut Endpoint) -> Value {
    let spread = json!([{"type": "spread", "field": "attribute:ecs.availability-zone"}]);
    aws.ecs(
        "CreateService",
        &json!({"cluster": "demo", "serviceName": "new", "taskDefinition": "web", "desiredCount": 1,
            "placementStrategy": spread}),
    );
    aws.pass(200);
    described(aws, "new")
}

fn rolling_on_fargate(aws: &mut Endpoint) -> Value {
    fargate(aws);
    update(aws, "new");
    aws.pass(60);
    described(aws, "new")
}

/// In awsvpc mode on container instances, where not all tasks find a place.
fn on_instances(aws: &mut Endpoint) -> Value {
    create(
        aws,
        json!({"launchType": "EC2", "desiredCount": 40, "placementStrategy": [{"type": "spread", "field": "instanceId"}]}),
    );
    aws.pass(60);
    described(aws, "new")
}

fn rolling(aws: &mut Endpoint) -> Value {
    update(aws, "web");
    aws.pass(60);
    described(aws, "web")
}

fn update(aws: &mut Endpoint, name: &str) -> Value {
    aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": name, "forceNewDeployment": true}),
    )
}

fn updated(aws: &mut Endpoint) -> Value {
    strategy(aws);
    update(aws, "new")
}

fn deleted(aws: &mut Endpoint) -> Value {
    create(aws, json!({"launchType": "FARGATE"}));
    aws.pass(300);
    aws.ecs(
        "DeleteService",
        &json!({"cluster": "demo", "service": "new", "force": true}),
    )
}

/// The recorded task definition itself, registered here.
fn registered(aws: &mut Endpoint, number: u32) -> Value {
    let Some(path) = recordings().remove(&number) else {
        return Value::Null;
    };
    let recorded = recorded(&path);
    let mut body = recorded["taskDefinition"].clone();
    if let Some(tags) = recorded.get("tags") {
        body["tags"] = tags.clone();
    }
    aws.ecs("RegisterTaskDefinition", &body)
}

fn with_a_stopped_one(aws: &mut Endpoint) -> Value {
    let arns: Vec<Value> = aws.tasks("web")["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["taskArn"].clone())
        .collect();
    aws.ecs("StopTask", &json!({"cluster": "demo", "task": arns[0]}));
    aws.pass(120);
    aws.ecs("DescribeTasks", &json!({"cluster": "demo", "tasks": arns}))
}

fn by_hand(aws: &mut Endpoint, seconds: u64) -> Value {
    let run = aws.ecs(
        "RunTask",
        &json!({"cluster": "demo", "taskDefinition": "api", "networkConfiguration": network(), "startedBy": "somebody",
            "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
            "tags": [{"key": "a", "value": "b"}]}),
    );
    aws.pass(seconds);
    let arn = text(&run["tasks"][0]["taskArn"]);
    aws.ecs(
        "DescribeTasks",
        &json!({"cluster": "demo", "tasks": [arn], "include": ["TAGS"]}),
    )
}

/// A task whose image is not there.
fn not_started(_: &mut Endpoint) -> Value {
    let scenario = SCENARIO.replace("deployment_controller: CODE_DEPLOY", "deployment_controller: ECS")
        + "faults: [{fault: image-pull, service: blue}]\n";
    let mut aws = Endpoint::of(&scenario);
    update(&mut aws, "blue");
    aws.pass(120);
    let stopped = json!({"cluster": "demo", "serviceName": "blue", "desiredStatus": "STOPPED"});
    let arns = aws.ecs("ListTasks", &stopped)["taskArns"].clone();
    aws.ecs("DescribeTasks", &json!({"cluster": "demo", "tasks": [arns[0]]}))
}

fn instances(aws: &mut Endpoint) -> Value {
    let arns = aws.ecs("ListContainerInstances", &json!({"cluster": "demo"}));
    let ask = json!({"cluster": "demo", "containerInstances": arns["containerInstanceArns"]});
    aws.ecs("DescribeContainerInstances", &ask)
}

fn service_deployments(aws: &mut Endpoint) -> Value {
    update(aws, "web");
    aws.pass(5);
    update(aws, "web");
    aws.pass(1);
    aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "web"}))
}

fn finished_deployment(aws: &mut Endpoint) -> Value {
    let list = service_deployments(aws);
    aws.pass(400);
    let arn = &list["serviceDeployments"][0]["serviceDeploymentArn"];
    aws.ecs("DescribeServiceDeployments", &json!({"serviceDeploymentArns": [arn]}))
}

fn revision(aws: &mut Endpoint) -> Value {
    strategy(aws);
    let list = aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "new"}));
    let arn = &list["serviceDeployments"][0]["targetServiceRevisionArn"];
    aws.ecs("DescribeServiceRevisions", &json!({"serviceRevisionArns": [arn]}))
}

fn no_cluster(aws: &mut Endpoint) -> Value {
    let (code, message) = aws.ecs_refusal("ListContainerInstances", &json!({"cluster": "nowhere"}));
    json!({"__type": code, "message": message})
}
