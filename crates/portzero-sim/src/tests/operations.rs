//! What the simulated AWS refuses, and how it fills in what was registered.

use crate::model::status::ServiceDeploymentStatus;
use serde_json::{Value, json};

use super::super::World;
use super::{bridge, fargate};
use crate::model::state::{ServiceChange, TaskFilter};

fn world() -> World {
    World::new(&bridge(0, 1)).expect("a world")
}

fn change() -> ServiceChange {
    ServiceChange {
        cluster: "default".into(),
        service: "web".into(),
        ..ServiceChange::default()
    }
}

fn refusal_of(body: Value) -> String {
    world().register_task_definition(&body).expect_err("refused").message
}

#[test]
fn a_definition_comes_back_with_awss_defaults_and_without_unknown_keys() {
    let body = json!({"family": "api", "memmory": "1", "cpu": "0.5 vCPU", "memory": "1GB",
        "containerDefinitions": [{"name": "api", "image": "api:1", "portMappings": [{"containerPort": 80}]}]});
    let document = world().register_task_definition(&body).expect("registers").document;
    assert_eq!((&document["cpu"], &document["memory"]), (&json!("512"), &json!("1024")));
    assert_eq!(
        document["containerDefinitions"][0]["portMappings"][0],
        json!({"containerPort": 80, "hostPort": 0, "protocol": "tcp"})
    );
    assert_eq!(document["containerDefinitions"][0]["environment"], json!([]));
    assert!(document.get("memmory").is_none() && document.get("networkMode").is_none());
    assert_eq!(
        (&document["revision"], &document["status"]),
        (&json!(1), &json!("ACTIVE"))
    );
}

#[test]
fn awsvpc_fills_the_host_port_and_refuses_another() {
    let body = |mapping: Value| {
        json!({"family": "api", "networkMode": "awsvpc", "containerDefinitions":
        [{"name": "api", "image": "api:1", "memory": 64, "portMappings": [mapping]}]})
    };
    let document = world()
        .register_task_definition(&body(json!({"containerPort": 80})))
        .expect("registers")
        .document;
    assert_eq!(document["containerDefinitions"][0]["portMappings"][0]["hostPort"], 80);
    assert_eq!(
        refusal_of(body(json!({"containerPort": 80, "hostPort": 0}))),
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
    );
}

#[test]
fn a_container_without_memory_is_refused() {
    let body = json!({"family": "api", "containerDefinitions": [{"name": "api", "image": "api:1"}]});
    assert_eq!(
        refusal_of(body),
        "Invalid setting for container 'api'. At least one of 'memory' or 'memoryReservation' must be specified."
    );
}

#[test]
fn a_revision_has_the_number_that_the_scenario_gives_it() {
    let mut scenario = bridge(0, 1);
    scenario.services[0].revision = 41;
    let mut world = World::new(&scenario).expect("a world");
    assert_eq!(world.describe_task_definition("web").expect("described").revision, 41);
    let next = world
        .register_task_definition(&scenario.services[0].task_definition)
        .expect("registers");
    assert_eq!(next.revision, 42);
}

#[test]
fn only_a_new_definition_or_force_starts_a_deployment() {
    let mut world = world();
    let count =
        |world: &mut World, change: ServiceChange| world.update_service(&change).expect("updates").deployments.len();
    assert_eq!(
        count(
            &mut world,
            ServiceChange {
                task_definition: Some("web".into()),
                ..change()
            }
        ),
        1
    );
    assert_eq!(
        count(
            &mut world,
            ServiceChange {
                desired_count: Some(2),
                ..change()
            }
        ),
        1
    );
    assert_eq!(
        count(
            &mut world,
            ServiceChange {
                force_new_deployment: true,
                ..change()
            }
        ),
        2
    );
}

#[test]
fn a_target_group_of_the_wrong_type_is_refused() {
    let mut world = world();
    let registered = world
        .register_task_definition(&fargate().services[0].task_definition)
        .expect("registers");
    let refusal = world.update_service(&ServiceChange {
        task_definition: Some(registered.arn),
        ..change()
    });
    let message = refusal.expect_err("refused").message;
    assert!(
        message.contains("has target type instance, which is incompatible with the awsvpc network mode"),
        "{message}"
    );
}

#[test]
fn a_service_under_code_deploy_takes_no_deployment() {
    let mut scenario = bridge(0, 1);
    scenario.services[0].deployment_controller = "CODE_DEPLOY".into();
    let mut world = World::new(&scenario).expect("a world");
    let refusal = world
        .update_service(&ServiceChange {
            force_new_deployment: true,
            ..change()
        })
        .expect_err("refused");
    assert!(
        refusal.message.contains("CODE_DEPLOY deployment controller"),
        "{}",
        refusal.message
    );
}

#[test]
fn what_does_not_exist_is_refused_in_awss_words() {
    let mut world = world();
    let refused = |world: &mut World, change: ServiceChange| world.update_service(&change).expect_err("refused").code;
    assert_eq!(
        refused(
            &mut world,
            ServiceChange {
                cluster: "x".into(),
                ..change()
            }
        ),
        "ClusterNotFoundException"
    );
    assert_eq!(
        refused(
            &mut world,
            ServiceChange {
                service: "x".into(),
                ..change()
            }
        ),
        "ServiceNotFoundException"
    );
    assert_eq!(
        refused(
            &mut world,
            ServiceChange {
                task_definition: Some("x".into()),
                ..change()
            }
        ),
        "ClientException"
    );
}

#[test]
fn a_draining_task_is_listed_only_among_the_stopped_ones() {
    let mut world = world();
    let filter = TaskFilter {
        cluster: "default".into(),
        service: Some("web".into()),
        ..TaskFilter::default()
    };
    let running = world.list_tasks(&filter).expect("listed");
    assert_eq!(running.len(), 1);
    world.stop_task(None, &running[0], "by hand").expect("stopped");
    let stopped = TaskFilter {
        desired_status: Some("STOPPED".into()),
        ..filter.clone()
    };
    assert_eq!(world.list_tasks(&filter).expect("listed"), Vec::<String>::new());
    assert_eq!(world.list_tasks(&stopped).expect("listed"), running);
}

#[test]
fn a_stopped_service_deployment_rolls_back() {
    let mut world = world();
    let service = world
        .update_service(&ServiceChange {
            force_new_deployment: true,
            ..change()
        })
        .expect("updates");
    let ours = service.service_deployments[0].clone();
    world.stop_service_deployment(&ours.arn, true).expect("stops");
    world.advance(world.now() + std::time::Duration::from_secs(300));
    let service = &world.account().clusters["default"].services["web"];
    assert_eq!(
        service.service_deployments[0].status,
        ServiceDeploymentStatus::RollbackSuccessful
    );
    assert_ne!(service.deployments[0].id, ours.deployment_id);
    let again = world.stop_service_deployment(&ours.arn, true).expect_err("over");
    assert_eq!(again.code, "ConflictException");
}
