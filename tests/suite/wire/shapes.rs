//! The shapes of load balancing's answers, held against answers that AWS gave and somebody published, and what task
//! definitions and instances show.

use std::time::Duration;

use portzero_sim::wire::HttpResponse;
use serde_json::{Map, Value, json};

use super::endpoint::{Endpoint, text, xml, xml_of};
use crate::support::evidence;

/// The answer of that number: the project's own, and the recorded one where that is at hand.
fn answers(number: u32) -> Vec<Value> {
    let texts = evidence::answers()
        .into_iter()
        .map(|source| source.numbered(&format!("{number:02}")).1);
    texts
        .map(|text| match text.starts_with('<') {
            true => xml(&text),
            false => serde_json::from_str(&text).expect("an answer is JSON"),
        })
        .collect()
}

/// Where `ours` lacks a member of `recorded` or has it with another type. Lists are compared by their first items;
/// times are numbers on the wire and texts in some recordings; all scalars are text in XML.
fn differences(path: &str, ours: &Value, recorded: &Value) -> Vec<String> {
    let is_time = path.ends_with("At");
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => recorded
            .iter()
            .flat_map(|(name, recorded)| {
                let path = format!("{path}.{name}");
                match ours.get(name) {
                    None => vec![format!("lacks {path}")],
                    Some(ours) => differences(&path, ours, recorded),
                }
            })
            .collect(),
        (Value::Array(ours), Value::Array(recorded)) => match (ours.first(), recorded.first()) {
            (Some(ours), Some(recorded)) => differences(&format!("{path}[]"), ours, recorded),
            _ => Vec::new(),
        },
        (Value::Number(_), Value::String(_)) if is_time => Vec::new(),
        (Value::String(said), Value::Array(recorded)) if said.is_empty() && recorded.is_empty() => Vec::new(),
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => Vec::new(),
        (ours, recorded) => vec![format!("{path} is {ours}, recorded {recorded}")],
    }
}

/// In an ELBv2 answer read from XML every scalar is text.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), as_text(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::String(_) => value.clone(),
        scalar => Value::String(scalar.to_string()),
    }
}

/// Holds an answer against a recording; `unmodelled` lists what the simulator does not claim to show.
fn assert_alike_in_text(number: u32, ours: &Value, unmodelled: &[&str]) {
    for recorded in answers(number) {
        let found: Vec<String> = differences("", ours, &as_text(&recorded))
            .into_iter()
            .filter(|difference| !unmodelled.iter().any(|name| difference.contains(name)))
            .collect();
        assert!(found.is_empty(), "answer {number}: {found:#?}\nours: {ours:#}");
    }
}

#[test]
fn a_task_definition_comes_back_as_aws_gives_it_back() {
    for recorded in answers(20) {
        comes_back(&recorded);
    }
}

fn comes_back(recorded: &Value) {
    let output_only = [
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "revision",
        "status",
        "taskDefinitionArn",
    ];
    let mut body = recorded["taskDefinition"].clone();
    body.as_object_mut()
        .unwrap()
        .retain(|name, _| !output_only.contains(&name.as_str()));
    body["tags"] = recorded["tags"].clone();
    let mut aws = Endpoint::new();
    let registered = aws.ecs("RegisterTaskDefinition", &body);
    assert_eq!(registered["tags"], recorded["tags"]);
    let family = text(&body["family"]);
    let untagged = aws.ecs("DescribeTaskDefinition", &json!({"taskDefinition": family}));
    assert_eq!(untagged.get("tags"), None, "tags come when they are asked for");
    let tagged = aws.ecs(
        "DescribeTaskDefinition",
        &json!({"taskDefinition": family, "include": ["TAGS"]}),
    );
    assert_eq!(tagged, registered);
}

#[test]
fn instances_show_static_ports_as_taken_and_dynamic_ones_not() {
    let mut aws = Endpoint::new();
    let arns = aws.ecs("ListContainerInstances", &json!({"cluster": "demo"}));
    let ask = json!({"cluster": "demo", "containerInstances": arns["containerInstanceArns"]});
    let described = aws.ecs("DescribeContainerInstances", &ask);
    let instance = &described["containerInstances"][0];
    assert_eq!(
        instance["remainingResources"][2]["stringSetValue"],
        json!(["22", "2376", "2375", "51678", "51679"])
    );
    let cpu = |resources: &Value| resources[0]["integerValue"].as_i64().unwrap();
    let running = instance["runningTasksCount"].as_i64().unwrap();
    assert_eq!(
        cpu(&instance["registeredResources"]) - cpu(&instance["remainingResources"]),
        128 * running
    );

    let mut fixed = aws.ecs("DescribeTaskDefinition", &json!({"taskDefinition": "web"}))["taskDefinition"].clone();
    fixed["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(8080);
    aws.ecs("RegisterTaskDefinition", &fixed);
    aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": "web", "taskDefinition": "web"}),
    );
    let later = aws.world.now() + Duration::from_secs(120);
    aws.world.advance(later);
    let described = aws.ecs("DescribeContainerInstances", &ask);
    for instance in described["containerInstances"].as_array().unwrap() {
        let ports = |resources: &str| instance[resources][2]["stringSetValue"].as_array().unwrap().clone();
        assert!(ports("remainingResources").contains(&json!("8080")), "{instance:#}");
        assert!(!ports("registeredResources").contains(&json!("8080")));
    }
}

#[test]
fn target_groups_have_the_members_of_recorded_ones() {
    let mut aws = Endpoint::new();
    let arn = aws.target_group("web");
    let groups = aws.elb("DescribeTargetGroups", &[("Names.member.1", "web")]);
    assert_alike_in_text(36, &groups, &[]);
    assert_eq!(groups["TargetGroups"][0]["TargetGroupArn"], arn);
    let attributes = aws.elb("DescribeTargetGroupAttributes", &[("TargetGroupArn", &arn)]);
    let delay = json!({"Key": "deregistration_delay.timeout_seconds", "Value": "60"});
    assert!(attributes["Attributes"].as_array().unwrap().contains(&delay));
    let health = aws.elb("DescribeTargetHealth", &[("TargetGroupArn", &arn)]);
    assert_alike_in_text(31, &health, &[]);
    assert_eq!(health["TargetHealthDescriptions"].as_array().unwrap().len(), 2);
    let balancer = text(&groups["TargetGroups"][0]["LoadBalancerArns"][0]);
    let of_balancer = aws.elb("DescribeTargetGroups", &[("LoadBalancerArn", &balancer)]);
    assert!(
        of_balancer["TargetGroups"]
            .as_array()
            .unwrap()
            .contains(&groups["TargetGroups"][0])
    );
}

#[test]
fn load_balancers_lead_to_listeners_and_these_to_rules() {
    let mut aws = Endpoint::new();
    let balancers = aws.elb("DescribeLoadBalancers", &[]);
    let arn = text(&balancers["LoadBalancers"][0]["LoadBalancerArn"]);
    let listeners = aws.elb("DescribeListeners", &[("LoadBalancerArn", &arn)]);
    assert_alike_in_text(39, &listeners, &["DurationSeconds"]);
    let listener = text(&listeners["Listeners"][0]["ListenerArn"]);
    let rules = aws.elb("DescribeRules", &[("ListenerArn", &listener)]);
    // The recorded first rule has a condition; ours is the default one, which has none.
    assert_alike_in_text(40, &rules, &["Conditions"]);
    assert_eq!(rules["Rules"][0]["Priority"], "default");
    let rule = text(&rules["Rules"][0]["RuleArn"]);
    assert_eq!(aws.elb("DescribeRules", &[("RuleArns.member.1", &rule)]), rules);
    let tags = aws.elb("DescribeTags", &[("ResourceArns.member.1", &rule)]);
    assert_eq!(tags["TagDescriptions"][0]["ResourceArn"], rule);
}

#[test]
fn a_healthy_target_is_written_as_the_reference_writes_it() {
    let mut aws = Endpoint::new();
    let arn = aws.target_group("web");
    let response = aws.elb_raw("DescribeTargetHealth", &[("TargetGroupArn", &arn)]);
    let document = String::from_utf8(response.body).unwrap();
    let (_, rest) = document.split_once("<member>").unwrap();
    let (first, _) = rest.split_once("</member>").unwrap();
    let shape: String = first.split(|c: char| c.is_ascii_digit()).collect();
    let elements: Vec<&str> = shape
        .split('<')
        .filter_map(|piece| Some(piece.split_once('>')?.0))
        .collect();
    assert_eq!(
        elements,
        [
            "HealthCheckPort",
            "/HealthCheckPort",
            "TargetHealth",
            "State",
            "/State",
            "/TargetHealth",
            "Target",
            "Port",
            "/Port",
            "Id",
            "/Id",
            "/Target"
        ]
    );
    assert!(document.starts_with(
        r#"<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DescribeTargetHealthResult>"#
    ));
}

/// A classic load balancer in front of an old revision that answers its checks with 404.
const CLASSIC: &str = r#"
cluster: demo
instances: [{count: 1}]
classic_load_balancers: [{name: old, health_check: {path: /healthz}}]
services:
  - name: web
    load_balancers: [{load_balancer_name: old, container_name: web, container_port: 3000}]
    task_definition:
      family: web
      networkMode: bridge
      containerDefinitions:
        - {name: web, image: "registry.example/web:1", memory: 64, portMappings: [{containerPort: 3000, hostPort: 3000}]}
faults: [{fault: unhealthy, revision: current, since: start, at: 0s}]
"#;

#[test]
fn a_classic_instance_that_fails_its_checks_is_described_as_the_recorded_one() {
    let mut aws = Endpoint::of(CLASSIC);
    let fields = [
        ("Action", "DescribeInstanceHealth"),
        ("Version", "2012-06-01"),
        ("LoadBalancerName", "old"),
    ];
    // ECS will stop the task for it; the check has failed before that.
    let fails = |answer: &HttpResponse| String::from_utf8_lossy(&answer.body).contains("OutOfService");
    let mut answer = aws.form(&fields);
    for _ in 0..60 {
        if fails(&answer) {
            break;
        }
        aws.pass(5);
        answer = aws.form(&fields);
    }
    let answer = xml_of(&answer);
    let ours = &answer["DescribeInstanceHealthResponse"]["DescribeInstanceHealthResult"];
    assert_alike_in_text(44, ours, &[]);
    for recorded in answers(44) {
        let mut row = ours["InstanceStates"][0].clone();
        row["InstanceId"] = recorded["InstanceStates"][0]["InstanceId"].clone();
        assert_eq!(row, recorded["InstanceStates"][0], "word for word, but for whose it is");
    }
}
