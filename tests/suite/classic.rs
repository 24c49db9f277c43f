//! A service behind a classic load balancer, as deployfish's first tutorials have it, rehearsed by the program.

use crate::support::program::run;

const CONFIGURATION: &str = "
services:
  - name: web
    cluster: staging
    environment: test
    family: web
    count: 2
    network_mode: bridge
    minimum_healthy_percent: 50
    maximum_percent: 100
    load_balancer: { load_balancer_name: front, container_name: web, container_port: 8080 }
    containers: [{ name: web, image: 'example/web:2', cpu: 128, memory: 128, ports: ['8080:8080'] }]
";

const SCENARIO: &str = "
cluster: staging
instances: [{ count: 2 }]
classic_load_balancers:
  - name: front
    health_check: { interval: 10s, timeout: 5s, healthy_threshold: 2, unhealthy_threshold: 2 }
    connection_draining: 20s
services:
  - name: web
    desired_count: 2
    minimum_healthy_percent: 50
    maximum_percent: 100
    load_balancers: [{ load_balancer_name: front, container_name: web, container_port: 8080 }]
    task_definition:
      family: web
      networkMode: bridge
      containerDefinitions:
        - { name: web, image: 'example/web:1', cpu: 128, memory: 128, portMappings: [{ containerPort: 8080, hostPort: 8080 }] }
";

#[test]
fn a_service_behind_a_classic_load_balancer_is_rehearsed_to_its_good_end() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("deployfish.yml"), CONFIGURATION).expect("written");
    std::fs::write(folder.path().join("front.yml"), SCENARIO).expect("written");
    let said = run(folder.path(), "rehearse web --scenario front.yml");
    assert_eq!(said.code, Some(0), "{said:#?}");
    // One instance after the other: each port is free only when its old task has ended.
    assert!(!said.stderr.contains("port is already allocated"), "{said:#?}");
}

#[test]
fn without_a_scenario_the_configuration_makes_one() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("deployfish.yml"), CONFIGURATION).expect("written");
    let said = run(folder.path(), "rehearse web --timeout 40m");
    assert_eq!(said.code, Some(0), "{said:#?}");
}
