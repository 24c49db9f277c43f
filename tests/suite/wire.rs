//! The simulator's wire, request by request: the shapes of AWS's recorded answers, its refusals, its pages, and that
//! nothing anybody sends makes it panic.

use portzero::sim::scenario::Scenario;
use portzero::sim::wire::{HttpRequest, HttpResponse, Wire};
use portzero::sim::world::World;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value, json};

/// Two instances, a service with dynamic ports on them, and one on Fargate.
pub const SCENARIO: &str = r#"
seed: 7
cluster: demo
instances: [{count: 2}]
target_groups:
  - {name: web, deregistration_delay: 60s, health_check: {path: /healthz, interval: 10s}}
  - {name: api, deregistration_delay: 60s, target_type: ip}
services:
  - name: web
    desired_count: 2
    circuit_breaker: {enable: true, rollback: true}
    load_balancers: [{target_group: web, container_name: web, container_port: 3000}]
    task_definition:
      family: web
      networkMode: bridge
      containerDefinitions:
        - name: web
          image: registry.example/web:1
          cpu: 128
          memory: 256
          memoryReservation: 128
          portMappings: [{containerPort: 3000, hostPort: 0, protocol: tcp}]
  - name: api
    desired_count: 1
    launch_type: FARGATE
    load_balancers: [{target_group: api, container_name: api, container_port: 8080}]
    task_definition:
      family: api
      networkMode: awsvpc
      requiresCompatibilities: [FARGATE]
      cpu: "256"
      memory: "512"
      containerDefinitions:
        - {name: api, image: "registry.example/api:1", portMappings: [{containerPort: 8080}]}
"#;

struct Endpoint {
    world: World,
    wire: Wire,
}

impl Endpoint {
    fn new() -> Self {
        let scenario = Scenario::read(SCENARIO, "wire.yml").expect("a scenario");
        Self {
            world: World::new(&scenario).expect("a world"),
            wire: Wire::new(),
        }
    }

    fn send(&mut self, request: &HttpRequest) -> HttpResponse {
        self.wire.handle(&mut self.world, request)
    }

    fn raw(&mut self, operation: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
        self.send(&HttpRequest {
            method: "POST".into(),
            path: "/".into(),
            headers: vec![(
                "X-Amz-Target".into(),
                format!("AmazonEC2ContainerServiceV20141113.{operation}"),
            )],
            body: body.into(),
        })
    }

    /// The document of an ECS operation's answer, which must be a good one.
    fn ecs(&mut self, operation: &str, body: &Value) -> Value {
        let response = self.raw(operation, body.to_string());
        let document = json_of(&response);
        assert_eq!(response.status, 200, "{operation}: {document}");
        document
    }

    /// The code and the message that an ECS operation is refused with.
    fn ecs_refusal(&mut self, operation: &str, body: &Value) -> (String, String) {
        let response = self.raw(operation, body.to_string());
        assert_eq!(response.status, 400, "{operation}");
        let document = json_of(&response);
        (text(&document["__type"]), text(&document["message"]))
    }

    fn form(&mut self, fields: &[(&str, &str)]) -> HttpResponse {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(&HttpRequest {
            method: "POST".into(),
            path: "/".into(),
            headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
            body: body.into_bytes(),
        })
    }

    /// The result of an ELBv2 action, where every scalar is a string.
    fn elb(&mut self, action: &str, fields: &[(&str, &str)]) -> Value {
        let response = self.elb_raw(action, fields);
        let document = xml_of(&response);
        assert_eq!(response.status, 200, "{action}: {document}");
        document[format!("{action}Response")][format!("{action}Result")].clone()
    }

    fn elb_refusal(&mut self, action: &str, fields: &[(&str, &str)]) -> (String, String) {
        let response = self.elb_raw(action, fields);
        assert_eq!(response.status, 400, "{action}");
        let error = &xml_of(&response)["ErrorResponse"]["Error"];
        assert_eq!(error["Type"], "Sender");
        (text(&error["Code"]), text(&error["Message"]))
    }

    fn elb_raw(&mut self, action: &str, fields: &[(&str, &str)]) -> HttpResponse {
        let all = [&[("Action", action), ("Version", "2015-12-01")], fields].concat();
        self.form(&all)
    }

    fn target_group(&self, name: &str) -> String {
        let mut groups = self.world.account().target_groups.values();
        groups.find(|group| group.name == name).expect(name).arn.clone()
    }

    fn tasks(&mut self, service: &str) -> Value {
        let arns = self.ecs("ListTasks", &json!({"cluster": "demo", "serviceName": service}));
        self.ecs("DescribeTasks", &json!({"cluster": "demo", "tasks": arns["taskArns"]}))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn json_of(response: &HttpResponse) -> Value {
    serde_json::from_slice(&response.body).expect("JSON")
}

/// Elements as members, `<member>` lists as lists.
fn xml_of(response: &HttpResponse) -> Value {
    xml(std::str::from_utf8(&response.body).expect("UTF-8"))
}

fn xml(document: &str) -> Value {
    let mut reader = Reader::from_str(document);
    // The elements that are not closed yet: name, children, text.
    let mut open = vec![(String::new(), Vec::new(), String::new())];
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(tag) => open.push((tag.name().as_ref().to_owned(), Vec::new(), String::new())),
            Event::Text(piece) => open.last_mut().unwrap().2 += &piece,
            Event::GeneralRef(entity) => {
                let plain = match (&*entity, entity.resolve_char_ref().expect("a legal character")) {
                    (_, Some(character)) => character,
                    ("lt", _) => '<',
                    ("gt", _) => '>',
                    ("amp", _) => '&',
                    ("apos", _) => '\'',
                    ("quot", _) => '"',
                    (other, _) => panic!("&{other};"),
                };
                open.last_mut().unwrap().2.push(plain);
            }
            Event::End(_) => {
                let (name, children, words) = open.pop().unwrap();
                open.last_mut().unwrap().1.push((name, value_of(children, words)));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let (_, children, words) = open.pop().expect("the root");
    assert!(open.is_empty(), "every element is closed");
    value_of(children, words)
}

fn value_of(children: Vec<(String, Value)>, words: String) -> Value {
    if children.is_empty() {
        return Value::String(words);
    }
    if children.iter().all(|(name, _)| name == "member") {
        return children.into_iter().map(|(_, value)| value).collect();
    }
    children.into_iter().collect::<Map<_, _>>().into()
}

/// A recorded answer of AWS's, where the recordings are at hand.
fn recording(number: u32) -> Option<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recordings");
    let prefix = format!("{number:02}-");
    let mut files = std::fs::read_dir(folder).ok()?.flatten();
    let file = files.find(|file| file.file_name().to_string_lossy().starts_with(&prefix))?;
    let content = std::fs::read_to_string(file.path()).ok()?;
    Some(match content.starts_with('<') {
        true => xml(&content),
        false => serde_json::from_str(&content).expect("a recording is JSON"),
    })
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
fn assert_alike(number: u32, ours: &Value, unmodelled: &[&str]) {
    let Some(recorded) = recording(number) else {
        println!("skipped: recording {number} is not at hand");
        return;
    };
    let found: Vec<String> = differences("", ours, &recorded)
        .into_iter()
        .filter(|difference| !unmodelled.iter().any(|name| difference.contains(name)))
        .collect();
    assert!(found.is_empty(), "recording {number}: {found:#?}\nours: {ours:#}");
}

fn assert_alike_in_text(number: u32, ours: &Value, unmodelled: &[&str]) {
    let Some(recorded) = recording(number) else {
        println!("skipped: recording {number} is not at hand");
        return;
    };
    let found: Vec<String> = differences("", ours, &as_text(&recorded))
        .into_iter()
        .filter(|difference| !unmodelled.iter().any(|name| difference.contains(name)))
        .collect();
    assert!(found.is_empty(), "recording {number}: {found:#?}\nours: {ours:#}");
}

/// Networks, capacity providers and service registries are beyond the model.
const UNMODELLED: [&str; 3] = ["networkConfiguration", "capacityProviderStrategy", "serviceRegistries"];

#[test]
fn services_have_the_members_of_recorded_ones() {
    let mut aws = Endpoint::new();
    let ask = json!({"cluster": "demo", "services": ["web"]});
    assert_alike(2, &aws.ecs("DescribeServices", &ask), &UNMODELLED);
    let fargate = aws.ecs("DescribeServices", &json!({"cluster": "demo", "services": ["api"]}));
    assert_alike(
        3,
        &fargate,
        &[&UNMODELLED[..], &["healthCheckGracePeriodSeconds"]].concat(),
    );
    let update = json!({"cluster": "demo", "service": "web", "forceNewDeployment": true});
    let updated = aws.ecs("UpdateService", &update);
    assert_eq!(updated["service"]["deployments"][0]["status"], "PRIMARY");
    assert_eq!(updated["service"]["deployments"][1]["status"], "ACTIVE");
    let fargate_only = ["platformVersion", "platformFamily", "healthCheckGracePeriodSeconds"];
    assert_alike(16, &updated, &[&UNMODELLED[..], &fargate_only].concat());
}

#[test]
fn a_missing_service_is_a_failure_and_no_error() {
    let mut aws = Endpoint::new();
    let answer = aws.ecs(
        "DescribeServices",
        &json!({"cluster": "demo", "services": ["my-service"]}),
    );
    assert_alike(12, &answer, &[]);
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
    assert_eq!(answer["services"], json!([]));
}

#[test]
fn a_task_definition_comes_back_as_aws_gives_it_back() {
    let Some(recorded) = recording(20) else {
        return println!("skipped: recording 20 is not at hand");
    };
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
    assert_alike(20, &registered, &["requiresAttributes"]);
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
fn tasks_have_the_members_of_recorded_ones() {
    let mut aws = Endpoint::new();
    let ec2 = aws.tasks("web");
    assert_alike(24, &ec2, &["imageDigest"]);
    let port = &ec2["tasks"][0]["containers"][0]["networkBindings"][0]["hostPort"];
    assert!(port.as_u64().is_some_and(|port| port >= 32768), "dynamic: {port}");
    // Which network the interface is in is beyond the model.
    assert_alike(25, &aws.tasks("api"), &["subnetId", "macAddress"]);
}

#[test]
fn instances_show_static_ports_as_taken_and_dynamic_ones_not() {
    let mut aws = Endpoint::new();
    let arns = aws.ecs("ListContainerInstances", &json!({"cluster": "demo"}));
    let ask = json!({"cluster": "demo", "containerInstances": arns["containerInstanceArns"]});
    let described = aws.ecs("DescribeContainerInstances", &ask);
    assert_alike(29, &described, &[]);
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
}

#[test]
fn service_deployments_have_the_members_of_recorded_ones() {
    let mut aws = Endpoint::new();
    aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": "web", "forceNewDeployment": true}),
    );
    let list = aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "web"}));
    assert_alike(41, &list, &["startedAt"]);
    let newest = &list["serviceDeployments"][0];
    let one = aws.ecs(
        "DescribeServiceDeployments",
        &json!({"serviceDeploymentArns": [newest["serviceDeploymentArn"]]}),
    );
    // The newest has not ended, and alarms are beyond the model.
    assert_alike(42, &one, &["startedAt", "finishedAt", ".alarms"]);
    let revision = aws.ecs(
        "DescribeServiceRevisions",
        &json!({"serviceRevisionArns": [newest["targetServiceRevisionArn"]]}),
    );
    assert_alike(
        43,
        &revision,
        &[&UNMODELLED[..], &["imageDigest", "platformVersion", "platformFamily"]].concat(),
    );
    let arn = text(&newest["serviceDeploymentArn"]);
    let stopped = aws.ecs(
        "StopServiceDeployment",
        &json!({"serviceDeploymentArn": arn, "stopType": "ROLLBACK"}),
    );
    assert_eq!(stopped["serviceDeploymentArn"], arn);
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

#[test]
fn a_target_that_is_asked_for_and_not_registered_is_unused() {
    let mut aws = Endpoint::new();
    let arn = aws.target_group("web");
    let fields = [
        ("TargetGroupArn", arn.as_str()),
        ("Targets.member.1.Id", "i-0f76fade"),
        ("Targets.member.1.Port", "32999"),
    ];
    let health = aws.elb("DescribeTargetHealth", &fields);
    assert_eq!(
        health["TargetHealthDescriptions"],
        json!([{
            "HealthCheckPort": "32999",
            "TargetHealth": {
                "State": "unused",
                "Reason": "Target.NotRegistered",
                "Description": "Target is not registered to the target group",
            },
            "Target": {"Port": "32999", "Id": "i-0f76fade"},
        }])
    );
}

#[test]
fn refusals_are_in_the_words_of_aws() {
    let mut aws = Endpoint::new();
    let unknown_cluster = aws.raw("ListContainerInstances", r#"{"cluster":"nowhere"}"#);
    assert_eq!(
        String::from_utf8(unknown_cluster.body).unwrap(),
        r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#
    );
    let eleven: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    let said = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    for (operation, body, refusal) in [
        (
            "DescribeServices",
            json!({"cluster": "demo", "services": eleven}),
            said("InvalidParameterException", "service names can have at most 10 items."),
        ),
        (
            "DescribeTasks",
            json!({"cluster": "demo", "tasks": []}),
            said("InvalidParameterException", "Tasks cannot be empty."),
        ),
        (
            "UpdateService",
            json!({"cluster": "demo", "service": "nothing"}),
            said("ServiceNotFoundException", "Service not found."),
        ),
        (
            "DescribeTaskDefinition",
            json!({"taskDefinition": "nothing:1"}),
            said("ClientException", "Unable to describe task definition."),
        ),
        (
            "DescribeServices",
            json!({"cluster": 5, "services": ["web"]}),
            said(
                "SerializationException",
                "NUMBER_VALUE can not be converted to a String",
            ),
        ),
        (
            "ListTasks",
            json!({"cluster": "demo", "maxResults": 101}),
            said(
                "InvalidParameterException",
                "Value for maxResults must be between 1 and 100.",
            ),
        ),
    ] {
        assert_eq!(aws.ecs_refusal(operation, &body), refusal, "{operation} {body}");
    }
    let other = aws.target_group("web").replace("targetgroup/web", "targetgroup/wed");
    for (field, value, refusal) in [
        (
            "TargetGroupArns.member.1",
            other.as_str(),
            said("TargetGroupNotFound", "One or more target groups not found"),
        ),
        (
            "TargetGroupArns.member.1",
            "<web>",
            said("ValidationError", "'<web>' is not a valid target group ARN"),
        ),
        (
            "Names.member.1",
            "nothing",
            said("TargetGroupNotFound", "One or more target groups not found"),
        ),
    ] {
        assert_eq!(aws.elb_refusal("DescribeTargetGroups", &[(field, value)]), refusal);
    }
}

#[test]
fn what_is_not_served_is_refused_and_noted() {
    let mut aws = Endpoint::new();
    let response = aws.raw("CreateService", "{}");
    assert_eq!(json_of(&response)["__type"], "UnknownOperationException");
    assert_eq!(response.note.as_deref(), Some("not served: ecs:CreateService"));
    let response = aws.elb_raw("RegisterTargets", &[]);
    assert_eq!(
        response.note.as_deref(),
        Some("not served: elasticloadbalancing:RegisterTargets")
    );
    let classic = aws.form(&[("Action", "DescribeInstanceHealth"), ("Version", "2012-06-01")]);
    assert_eq!(
        xml_of(&classic)["ErrorResponse"]["Error"]["Message"],
        "Could not find operation DescribeInstanceHealth for version 2012-06-01"
    );
    let bucket = aws.send(&HttpRequest {
        method: "GET".into(),
        path: "/bucket".into(),
        ..HttpRequest::default()
    });
    assert_eq!(
        (bucket.status, bucket.note.as_deref()),
        (404, Some("not served: GET /bucket"))
    );
}

#[test]
fn parameters_beyond_the_model_are_noted() {
    let mut aws = Endpoint::new();
    let body = json!({"cluster": "demo", "service": "web", "enableExecuteCommand": true, "propagateTags": "SERVICE"});
    let response = aws.raw("UpdateService", body.to_string());
    assert_eq!(
        response.note.as_deref(),
        Some("ecs:UpdateService: not modelled, ignored: enableExecuteCommand, propagateTags")
    );
}

#[test]
fn lists_come_in_pages_that_join_up() {
    let mut aws = Endpoint::new();
    let whole = aws.ecs("ListTasks", &json!({"cluster": "demo"}));
    let mut joined = Vec::new();
    let mut token = Value::Null;
    loop {
        let page = aws.ecs(
            "ListTasks",
            &json!({"cluster": "demo", "maxResults": 1, "nextToken": token}),
        );
        let items = page["taskArns"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        joined.extend(items.iter().cloned());
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(json!(joined), whole["taskArns"]);
    assert_eq!(joined.len(), 3);
    let first = aws.elb("DescribeTargetGroups", &[("PageSize", "1")]);
    let marker = text(&first["NextMarker"]);
    let second = aws.elb("DescribeTargetGroups", &[("PageSize", "1"), ("Marker", &marker)]);
    assert_ne!(first["TargetGroups"], second["TargetGroups"]);
    assert_eq!(second.get("NextMarker"), None);
}

#[test]
fn anybody_may_ask_who_they_are() {
    let mut aws = Endpoint::new();
    let response = aws.form(&[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]);
    let identity = &xml_of(&response)["GetCallerIdentityResponse"]["GetCallerIdentityResult"];
    assert_eq!(identity["Account"], "111122223333");
}

#[test]
fn the_same_requests_get_the_same_bytes_and_each_its_own_request_id() {
    let story = || {
        let mut aws = Endpoint::new();
        let update = json!({"cluster": "demo", "service": "web", "forceNewDeployment": true});
        [
            aws.raw("UpdateService", update.to_string()),
            aws.raw("DescribeServices", r#"{"cluster":"demo","services":["web"]}"#),
            aws.elb_raw("DescribeTargetHealth", &[]),
        ]
    };
    let (once, again) = (story(), story());
    assert_eq!(once, again);
    assert_ne!(once[0].headers, once[1].headers, "request ids");
}

const OPERATIONS: [&str; 19] = [
    "RegisterTaskDefinition",
    "DescribeTaskDefinition",
    "ListTaskDefinitions",
    "ListTaskDefinitionFamilies",
    "DeregisterTaskDefinition",
    "DescribeClusters",
    "ListClusters",
    "DescribeServices",
    "ListServices",
    "UpdateService",
    "ListTasks",
    "DescribeTasks",
    "StopTask",
    "ListContainerInstances",
    "DescribeContainerInstances",
    "ListServiceDeployments",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "StopServiceDeployment",
];

const ACTIONS: [&str; 8] = [
    "DescribeTargetGroups",
    "DescribeTargetGroupAttributes",
    "DescribeTargetHealth",
    "DescribeLoadBalancers",
    "DescribeListeners",
    "DescribeRules",
    "DescribeTags",
    "DeregisterTargets",
];

/// Bodies made of the names and values that operations look for, in places where they may not be.
fn bodies() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "cluster",
        "service",
        "services",
        "tasks",
        "task",
        "taskDefinition",
        "family",
        "containerDefinitions",
        "name",
        "image",
        "memory",
        "portMappings",
        "hostPort",
        "containerPort",
        "networkMode",
        "tags",
        "include",
        "maxResults",
        "nextToken",
        "desiredCount",
        "deploymentConfiguration",
        "maximumPercent",
        "deploymentCircuitBreaker",
        "serviceName",
        "startedBy",
        "desiredStatus",
        "serviceDeploymentArn",
        "serviceDeploymentArns",
        "serviceRevisionArns",
        "containerInstances",
        "createdAt",
        "after",
        "status",
        "stopType",
        "clusters",
        "healthCheckGracePeriodSeconds",
        "forceNewDeployment",
        "requiresCompatibilities",
        "cpu",
    ]);
    let scalars = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "demo", "web", "api", "web:1", "", "/", ":", "a/b/c", "awsvpc", "RUNNING", "FARGATE"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let values = scalars.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    });
    // Most of them reach the operation, and know the cluster.
    (values, any::<bool>()).prop_map(|(mut value, knows)| {
        if let (Value::Object(members), true) = (&mut value, knows) {
            members.insert("cluster".into(), "demo".into());
            members.entry("service").or_insert("web".into());
        }
        value
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_body_makes_an_ecs_operation_panic(
        calls in prop::collection::vec((prop::sample::select(OPERATIONS.to_vec()), bodies()), 1..6)
    ) {
        let mut aws = Endpoint::new();
        for (operation, body) in calls {
            let response = aws.raw(operation, body.to_string());
            let document = json_of(&response);
            prop_assert_eq!(response.status == 200, document.get("__type").is_none(), "{}", document);
        }
    }

    #[test]
    fn no_bytes_make_the_wire_panic(
        body in prop::collection::vec(any::<u8>(), 0..200), operation in prop::sample::select(OPERATIONS.to_vec())
    ) {
        let mut aws = Endpoint::new();
        json_of(&aws.raw(operation, body.clone()));
        aws.send(&HttpRequest { method: "POST".into(), path: "/".into(), headers: Vec::new(), body });
    }

    #[test]
    fn no_form_makes_a_query_action_panic(
        action in prop::sample::select(ACTIONS.to_vec()),
        fields in prop::collection::vec((prop::sample::select(vec![
            "TargetGroupArn", "TargetGroupArns.member.1", "Names.member.1", "LoadBalancerArn", "ListenerArn", "Marker",
            "LoadBalancerArns.member.1", "ListenerArns.member.1", "RuleArns.member.1", "ResourceArns.member.1",
            "PageSize", "Targets.member.1.Id", "Targets.member.1.Port", "Targets.member.2.", "Version", "Action",
        ]), prop_oneof![
            prop::sample::select(vec![
                "web", "1", "0", "65536", "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/1",
                "arn:aws:elasticloadbalancing:::listener", "arn:aws:elasticloadbalancing:::::", "2011-06-15",
            ]).prop_map(str::to_owned),
            ".{0,20}",
        ]), 0..6),
        knows in any::<bool>(),
    ) {
        let mut aws = Endpoint::new();
        let group = aws.target_group("web");
        let mut all: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if knows {
            all.push(("TargetGroupArn", &group));
        }
        let response = aws.elb_raw(action, &all);
        let document = xml_of(&response);
        prop_assert_eq!(response.status == 200, document.get("ErrorResponse").is_none(), "{}", document);
    }
}
