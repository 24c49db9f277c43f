//! One endpoint without a port, and its answers as values.

use std::time::Duration;

use portzero_sim::scenario::Scenario;
use portzero_sim::wire::{HttpRequest, HttpResponse, Wire};
use portzero_sim::world::World;
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

pub struct Endpoint {
    pub world: World,
    wire: Wire,
}

impl Endpoint {
    pub fn new() -> Self {
        Self::of(SCENARIO)
    }

    pub fn of(scenario: &str) -> Self {
        let scenario = Scenario::read(scenario, "wire.yml").expect("a scenario");
        Self {
            world: World::new(&scenario).expect("a world"),
            wire: Wire::new(),
        }
    }

    pub fn pass(&mut self, seconds: u64) {
        let later = self.world.now() + Duration::from_secs(seconds);
        self.world.advance(later);
    }

    pub fn send(&mut self, request: &HttpRequest) -> HttpResponse {
        self.wire.handle(&mut self.world, request)
    }

    pub fn raw(&mut self, operation: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
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
    pub fn ecs(&mut self, operation: &str, body: &Value) -> Value {
        let response = self.raw(operation, body.to_string());
        let document = json_of(&response);
        assert_eq!(response.status, 200, "{operation}: {document}");
        document
    }

    /// The code and the message that an ECS operation is refused with.
    pub fn ecs_refusal(&mut self, operation: &str, body: &Value) -> (String, String) {
        let response = self.raw(operation, body.to_string());
        assert_eq!(response.status, 400, "{operation}");
        let document = json_of(&response);
        (text(&document["__type"]), text(&document["message"]))
    }

    pub fn form(&mut self, fields: &[(&str, &str)]) -> HttpResponse {
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
    pub fn elb(&mut self, action: &str, fields: &[(&str, &str)]) -> Value {
        let response = self.elb_raw(action, fields);
        let document = xml_of(&response);
        assert_eq!(response.status, 200, "{action}: {document}");
        document[format!("{action}Response")][format!("{action}Result")].clone()
    }

    pub fn elb_refusal(&mut self, action: &str, fields: &[(&str, &str)]) -> (String, String) {
        let response = self.elb_raw(action, fields);
        assert_eq!(response.status, 400, "{action}");
        let error = &xml_of(&response)["ErrorResponse"]["Error"];
        assert_eq!(error["Type"], "Sender");
        (text(&error["Code"]), text(&error["Message"]))
    }

    pub fn elb_raw(&mut self, action: &str, fields: &[(&str, &str)]) -> HttpResponse {
        let all = [&[("Action", action), ("Version", "2015-12-01")], fields].concat();
        self.form(&all)
    }

    pub fn target_group(&self, name: &str) -> String {
        let mut groups = self.world.account().target_groups.values();
        groups.find(|group| group.name == name).expect(name).arn.clone()
    }

    pub fn tasks(&mut self, service: &str) -> Value {
        let arns = self.ecs("ListTasks", &json!({"cluster": "demo", "serviceName": service}));
        self.ecs("DescribeTasks", &json!({"cluster": "demo", "tasks": arns["taskArns"]}))
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn json_of(response: &HttpResponse) -> Value {
    serde_json::from_slice(&response.body).expect("JSON")
}

/// Elements as members, `<member>` lists as lists.
pub fn xml_of(response: &HttpResponse) -> Value {
    xml(std::str::from_utf8(&response.body).expect("UTF-8"))
}

pub fn xml(document: &str) -> Value {
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
