//! Every answer of ECS that the project has or that somebody recorded, held member by member against the simulator's answer to such a request.
//! There is no difference that has to be excused: whatever a recording has, the simulator's answer has too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::endpoint::{Endpoint, text};
use crate::support::evidence::{self, Source};

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

/// Answers by number.
type Answers = BTreeMap<u32, Value>;

/// The recordings that one answer of the simulator's is held against.
struct Case {
    numbers: &'static [u32],
    ours: fn(&mut Endpoint, &Answers) -> Value,
}

const CASES: &[Case] = &[
    Case {
        numbers: &[1],
        ours: |aws, _| fargate(aws),
    },
    Case {
        numbers: &[2],
        ours: |aws, _| ec2(aws),
    },
    Case {
        numbers: &[3],
        ours: |aws, _| strategy(aws),
    },
    Case {
        numbers: &[4, 8, 9],
        ours: |aws, _| rolling(aws),
    },
    Case {
        numbers: &[6, 7],
        ours: |aws, _| rolling_on_fargate(aws),
    },
    Case {
        numbers: &[5],
        ours: |aws, _| on_instances(aws),
    },
    Case {
        numbers: &[10],
        ours: |aws, _| described(aws, "classic"),
    },
    Case {
        numbers: &[11],
        ours: |aws, _| described(aws, "blue"),
    },
    Case {
        numbers: &[12],
        ours: |aws, _| described(aws, "my-service"),
    },
    Case {
        numbers: &[13],
        ours: |aws, _| deleted(aws),
    },
    Case {
        numbers: &[14, 15, 16, 17],
        ours: |aws, _| updated(aws),
    },
    Case {
        numbers: &[18, 19],
        ours: |aws, _| update(aws, "web"),
    },
    Case {
        numbers: &[20],
        ours: |aws, answers| registered(aws, &answers[&20]),
    },
    Case {
        numbers: &[21],
        ours: |aws, answers| registered(aws, &answers[&21]),
    },
    Case {
        numbers: &[22],
        ours: |aws, answers| registered(aws, &answers[&22]),
    },
    Case {
        numbers: &[23],
        ours: |aws, _| aws.tasks("web"),
    },
    Case {
        numbers: &[24],
        ours: |aws, _| with_a_stopped_one(aws),
    },
    Case {
        numbers: &[25],
        ours: |aws, _| by_hand(aws, 60),
    },
    Case {
        numbers: &[26],
        ours: |aws, _| by_hand(aws, 0),
    },
    Case {
        numbers: &[27],
        ours: |aws, _| not_started(aws),
    },
    Case {
        numbers: &[29, 30],
        ours: |aws, _| instances(aws),
    },
    Case {
        numbers: &[41],
        ours: |aws, _| service_deployments(aws),
    },
    Case {
        numbers: &[42],
        ours: |aws, _| finished_deployment(aws),
    },
    Case {
        numbers: &[43],
        ours: |aws, _| revision(aws),
    },
    Case {
        numbers: &[45],
        ours: |aws, _| no_cluster(aws),
    },
];

/// The members that were held when this was written: 1864 of the project's own answers, 1928 of the recorded ones.
const OWN_MEMBERS: usize = 1_850;
const RECORDED_MEMBERS: usize = 1_900;

/// The task state change of EventBridge is no answer; the excerpt of a raw body is no document.
const NO_ANSWERS: [u32; 2] = [28, 47];

/// The answers of ECS, by number.
fn answers(source: &Source) -> Answers {
    let is_of_ecs = |name: &str| {
        let is_answer = ["service", "task", "container-instances", "error-ecs"];
        is_answer.iter().any(|part| name.contains(part)) && !name.contains("-events-")
    };
    let files = source.files().into_iter().filter(|(_, name, _)| is_of_ecs(name));
    let numbered = files.map(|(number, name, text)| (number.parse().expect("a number"), name, text));
    numbered
        .filter(|(number, ..)| !NO_ANSWERS.contains(number))
        .map(|(number, name, text)| {
            let answer = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (number, answer)
        })
        .collect()
}

#[test]
fn every_recorded_answer_of_ecs_has_its_like_here() {
    let held: BTreeSet<u32> = CASES.iter().flat_map(|case| case.numbers).copied().collect();
    for source in evidence::answers() {
        let answers = answers(&source);
        assert_eq!(answers.keys().copied().collect::<BTreeSet<_>>(), held);
        let (mut found, mut members) = (Vec::new(), 0);
        for case in CASES {
            let ours = (case.ours)(&mut Endpoint::of(SCENARIO), &answers);
            for number in case.numbers {
                let differences = compare("", &ours, &answers[number], &mut members);
                found.extend(
                    differences
                        .into_iter()
                        .map(|difference| format!("{number}: {difference}")),
                );
            }
        }
        assert!(found.is_empty(), "{found:#?}");
        let at_least = if source.is_own { OWN_MEMBERS } else { RECORDED_MEMBERS };
        assert!(members >= at_least, "{members}");
    }
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
fn registered(aws: &mut Endpoint, recorded: &Value) -> Value {
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
