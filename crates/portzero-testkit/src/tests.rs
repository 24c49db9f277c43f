//! The ports on the world, and the misbehaviour of the API.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portzero_core::aws_model::service::{DeploymentStatus, ServiceUpdate};
use portzero_core::aws_model::target::TargetState;
use portzero_core::base::id::{ClusterName, ServiceName};
use portzero_core::port::{ApiErrorKind, Clock, Ecs, LoadBalancing};
use portzero_sim::{Scenario, World};

use crate::{InProcessAws, Misbehaviour};

/// One service `web` of one container behind one target group, on one instance, with a dynamic host port.
const BRIDGE: &str = r#"
instances: [{ cpu: 2048 }]
target_groups: [{ name: web }]
services:
  - name: web
    desired_count: 1
    task_definition:
      family: web
      containerDefinitions:
        - { name: web, image: "web:1", memory: 128, cpu: 64, portMappings: [{ containerPort: 80, hostPort: 0 }] }
    load_balancers: [{ target_group: web, container_name: web, container_port: 80 }]
"#;

fn bridge() -> Scenario {
    Scenario::read(BRIDGE, "bridge.yml").expect("a scenario")
}

/// Nothing here waits for anything real, so one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the simulated ports never wait"),
    }
}

struct Api {
    direct: InProcessAws,
    cluster: ClusterName,
    name: ServiceName,
}

impl Api {
    fn new() -> Self {
        let direct = InProcessAws::new(World::new(&bridge()).expect("a world"));
        Self {
            direct,
            cluster: "default".into(),
            name: "web".into(),
        }
    }

    fn deploy(&self) -> portzero_core::aws_model::service::Service {
        let current = now(self.direct.describe_task_definition("web")).expect("described").arn;
        let update = ServiceUpdate {
            cluster: self.cluster.clone(),
            service: self.name.clone(),
            task_definition: current,
            force_new_deployment: true,
        };
        now(self.direct.update_service(&update)).expect("updated")
    }

    fn describe(&self) -> portzero_core::aws_model::service::Service {
        let found = now(self
            .direct
            .describe_services(&self.cluster, std::slice::from_ref(&self.name)));
        found.expect("described").services.remove(0)
    }
}

#[test]
fn a_rollout_is_seen_through_the_ports() {
    let api = Api::new();
    let ours = api.deploy().primary().expect("a PRIMARY deployment").id.clone();
    now(api.direct.clock().sleep(Duration::from_secs(600)));
    let service = api.describe();
    assert_eq!(service.deployments.len(), 1);
    assert_eq!(service.primary().map(|d| &d.id), Some(&ours));
    let tasks = now(api.direct.list_tasks(&api.cluster, &api.name)).expect("listed");
    let tasks = now(api.direct.describe_tasks(&api.cluster, &tasks)).expect("described");
    let new = tasks
        .iter()
        .find(|t| t.started_by.as_ref() == Some(&ours))
        .expect("our task");
    let port = new.containers[0].network_bindings[0].host_port;
    let health = now(api.direct.describe_target_health(&service.target_groups()[0])).expect("described");
    assert_eq!(
        health.iter().map(|h| (h.key.port, h.state.clone())).collect::<Vec<_>>(),
        [(port, TargetState::Healthy)]
    );
}

#[test]
fn a_deployment_that_is_too_new_is_not_listed_for_some_seconds() {
    let api = Api::new();
    api.direct.set_misbehaviour(Misbehaviour {
        unlisted_for: Duration::from_secs(4),
        ..Misbehaviour::default()
    });
    let made = api.deploy();
    let ours = made.primary().expect("in UpdateService's own answer").id.clone();
    assert!(api.describe().deployment(&ours).is_none());
    assert_eq!(api.describe().deployments[0].status, DeploymentStatus::Primary);
    now(api.direct.clock().sleep(Duration::from_secs(5)));
    assert!(api.describe().deployment(&ours).is_some());
}

#[test]
fn stale_answers_are_of_some_seconds_ago() {
    let api = Api::new();
    let direct = api.direct.clone().misbehaving(
        Misbehaviour {
            stale: 0.5,
            staleness: Duration::from_secs(5),
            ..Misbehaviour::default()
        },
        3,
    );
    api.describe();
    let ours = api.deploy().primary().expect("a PRIMARY deployment").id.clone();
    let seen: Vec<bool> = (0..20).map(|_| api.describe().deployment(&ours).is_some()).collect();
    assert!(seen.contains(&true) && seen.contains(&false), "{seen:?}");
    now(direct.clock().sleep(Duration::from_secs(6)));
    assert!(
        (0..20).all(|_| api.describe().deployment(&ours).is_some()),
        "nothing older than the staleness"
    );
}

#[test]
fn throttled_requests_pass_when_tried_again() {
    let api = Api::new();
    let direct = api.direct.clone().misbehaving(
        Misbehaviour {
            throttled: 0.5,
            ..Misbehaviour::default()
        },
        1,
    );
    let answers: Vec<_> = (0..20).map(|_| now(direct.list_clusters())).collect();
    let throttled = answers.iter().filter_map(|a| a.as_ref().err()).collect::<Vec<_>>();
    assert!(!throttled.is_empty() && throttled.len() < 20);
    assert!(
        throttled
            .iter()
            .all(|error| error.kind == ApiErrorKind::Throttled && error.is_passing())
    );
}

#[test]
fn what_is_missing_is_told_apart() {
    let api = Api::new();
    let elsewhere = ClusterName::from("nowhere");
    let error = now(api
        .direct
        .describe_services(&elsewhere, std::slice::from_ref(&api.name)))
    .expect_err("no cluster");
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ApiErrorKind::NotFound, Some("ClusterNotFoundException"))
    );
    let described = now(api.direct.describe_services(&api.cluster, &["wbe".into()])).expect("described");
    assert_eq!(described.missing, ["wbe"]);
}

#[test]
fn a_deleted_service_is_described_and_not_listed() {
    let api = Api::new();
    let listed = || now(api.direct.list_services(&api.cluster)).expect("listed");
    assert_eq!(listed(), std::slice::from_ref(&api.name));
    let world = api.direct.world();
    world
        .borrow_mut()
        .delete_service(Some("default"), "web", true)
        .expect("deleted");
    now(api.direct.clock().sleep(Duration::from_secs(600)));
    assert_eq!(listed(), [] as [ServiceName; 0]);
    assert_eq!(api.describe().name, api.name);
}
