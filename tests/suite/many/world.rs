//! Worlds with many services, and runs in them.

use std::cell::RefCell;
use std::rc::Rc;

use portzero::app::deploy;
use portzero::app::deploy::{Pace, Run, ServiceRun};
use portzero::app::ports::Ports;
use portzero_core::base::finding::Severity;
use portzero_core::base::id::DeploymentId;
use portzero_core::base::time::Moment;
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DefinitionSource, DeployRequest, Plan};
use portzero_core::port::{Clock, NeverInterrupted, Report};
use portzero_core::rollout::Until;
use portzero_core::task_definition::DynamicPorts;
use portzero_sim::World;
use portzero_sim::scenario::Scenario;
use portzero_testkit::InProcessAws;
use serde_json::{Value, json};

/// A service of a world: its name, its cluster, its target group, how many tasks it wants.
pub type Spec = (String, &'static str, Option<String>, u32);

pub fn spec(name: &str) -> Spec {
    (name.to_owned(), "c", Some(name.to_owned()), 1)
}

/// The text of a scenario with these services; instances have room for all.
pub fn text(services: &[Spec], more: &Value) -> String {
    let mut clusters: Vec<&str> = services.iter().map(|(_, cluster, ..)| *cluster).collect();
    clusters.dedup();
    let mut groups: Vec<&String> = services.iter().filter_map(|(_, _, group, _)| group.as_ref()).collect();
    groups.sort();
    groups.dedup();
    let group = |name| json!({"name": name, "health_check": {"interval": "10s"}, "deregistration_delay": "30s"});
    let mut scenario = json!({
        "cluster": clusters[0],
        "clusters": clusters[1..],
        "instances": clusters.iter().map(|c| json!({"cluster": c, "count": 4, "cpu": 100_000, "memory": 100_000})).collect::<Vec<_>>(),
        "target_groups": groups.into_iter().map(group).collect::<Vec<_>>(),
        "services": services.iter().map(service).collect::<Vec<_>>(),
    });
    let all = scenario.as_object_mut().unwrap();
    all.extend(more.as_object().cloned().unwrap_or_default());
    scenario.to_string()
}

fn service((name, cluster, group, desired_count): &Spec) -> Value {
    let balancers: Vec<Value> = group
        .iter()
        .map(|group| json!({"target_group": group, "container_name": "app", "container_port": 3000}))
        .collect();
    json!({
        "name": name,
        "cluster": cluster,
        "desired_count": desired_count,
        "load_balancers": balancers,
        "circuit_breaker": {"enable": true, "rollback": true},
        "task_definition": {
            "family": name,
            "networkMode": "bridge",
            "containerDefinitions": [{
                "name": "app", "image": format!("example/{name}:1"), "cpu": 64, "memory": 64, "essential": true,
                "portMappings": [{"containerPort": 3000, "hostPort": 0, "protocol": "tcp"}],
            }],
        },
    })
}

pub fn world(text: &str) -> World {
    World::new(&Scenario::read(text, "many.yml").unwrap_or_else(|found| panic!("{found:?}"))).unwrap()
}

/// What a run wants of one service: its running revision once more.
pub fn request((name, cluster, ..): &Spec, depends_on: &[&str]) -> DeployRequest {
    DeployRequest {
        policy: Default::default(),
        cluster: (*cluster).into(),
        service: name.as_str().into(),
        base: DefinitionSource::Running,
        images: Vec::new(),
        environment: Vec::new(),
        dynamic_ports: DynamicPorts::Keep,
        allow_unknown_keys: false,
        shows_values: false,
        load_balancers: Vec::new(),
        force_new_deployment: true,
        until: Until::Drained,
        settle: std::time::Duration::from_secs(10),
        timeout: None,
        poll_interval: None,
        fail_on: Severity::Error,
        allowed: Vec::new(),
        url: None,
        depends_on: depends_on.iter().map(|name| (*name).into()).collect(),
    }
}

/// What was told: when, of which service, what.
pub type Told = Vec<(Moment, String, EventKind)>;

#[derive(Clone, Debug, Default)]
pub struct Ears(pub Rc<RefCell<Told>>);

impl Report for Ears {
    fn event(&mut self, event: &RunEvent) {
        let told = (event.at, event.service.to_string(), event.kind.clone());
        self.0.borrow_mut().push(told);
    }
}

impl Ears {
    /// The deployment that UpdateService has made of the service.
    pub fn deployment(&self, service: &str) -> Option<DeploymentId> {
        let told = self.0.borrow();
        let mut made = told.iter().filter_map(|(_, name, kind)| match kind {
            EventKind::Updated { deployment, .. } if name == service => Some(deployment.clone()),
            _ => None,
        });
        made.next()
    }

    /// When that of the service was told first.
    pub fn at(&self, service: &str, is_it: impl Fn(&EventKind) -> bool) -> Option<Moment> {
        let told = self.0.borrow();
        let mut of_it = told.iter().filter(|(_, name, kind)| name == service && is_it(kind));
        of_it.next().map(|(at, ..)| *at)
    }
}

/// Plans all and executes them, on that clock.
pub async fn deploy<C: Clock>(
    aws: &InProcessAws,
    clock: &C,
    requests: Vec<DeployRequest>,
    mut ears: Ears,
) -> Vec<ServiceRun> {
    let mut plans: Vec<(Plan, Survey)> = Vec::new();
    for request in requests {
        plans.push(
            deploy::plan(aws, clock, request)
                .await
                .map_err(|(_, found)| found)
                .unwrap(),
        );
    }
    let ports = Ports {
        aws,
        clock,
        interrupts: &NeverInterrupted,
    };
    let mut run = Run::new(ports, &mut ears, Pace::even());
    run.execute(plans).await
}
