//! The world of the fuzzer: instances and Fargate, dynamic and fixed ports, two clusters, and faults that look at calls.

pub const SCENARIO: &str = r#"
cluster: demo
clusters: [other]
instances: [{count: 3}]
target_groups:
  - {name: web, deregistration_delay: 20s, health_check: {path: /healthz, interval: 5s}}
  - {name: api, deregistration_delay: 5s, target_type: ip}
services:
  - name: web
    desired_count: 2
    circuit_breaker: {enable: true, rollback: true}
    load_balancers: [{target_group: web, container_name: web, container_port: 3000}]
    task_definition:
      family: web
      containerDefinitions:
        - {name: web, image: "web:1", cpu: 64, memory: 128, portMappings: [{containerPort: 3000, hostPort: 0}]}
  - name: fixed
    desired_count: 1
    task_definition:
      family: fixed
      containerDefinitions:
        - {name: web, image: "web:1", memory: 128, portMappings: [{containerPort: 3000, hostPort: 8080}]}
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
faults:
  - {fault: hostile-text, share: 0.05}
  - {fault: stale, share: 0.02}
  - {fault: unlisted, share: 0.05}
  - {fault: unknown-enum, share: 0.05}
  - {fault: denied, action: "*", share: 0.02}
"#;
