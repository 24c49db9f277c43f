//! The adapters read what AWS answers: the project's own answers, and, where they are at hand, recorded ones of real
//! accounts. Each is put back into its wire form (epoch numbers with exponents, XML) and served to the real SDK.

use std::time::Duration;

use portzero::adapters::aws::Connection;
use portzero_core::aws_model::service::{
    Balancer, Deployment, DeploymentController, DeploymentStatus, LaunchType, RolloutState, SchedulingStrategy,
    Service, ServiceDeployment, ServiceDeploymentStatus, ServiceStatus, ServiceUpdate,
};
use portzero_core::aws_model::target::{Address, Route, TargetGroup, TargetHealth, TargetState};
use portzero_core::aws_model::task::{ContainerInstance, NetworkBinding, Task, TaskStatus};
use portzero_core::base::id::{DeploymentId, TargetKey};
use portzero_core::base::time::Timestamp;
use portzero_core::port::{ApiErrorKind, Ecs, LoadBalancing};
use serde_json::{Value, json};

use crate::support::evidence;
use crate::support::loopback::{Answer, Loopback};
use crate::support::wire_form::{epochs, query, wire};
use crate::support::{VirtualClock, connect, run};

/// One answer.
struct Recorded {
    number: String,
    text: String,
    is_own: bool,
}

impl Recorded {
    /// What differs between the project's own answer and the recorded one: names and values.
    fn pick<T>(&self, own: T, recorded: T) -> T {
        if self.is_own { own } else { recorded }
    }
}

/// One group of answers: whether it knows the file, having asserted what the file tells.
type Reader = fn(&Recorded) -> bool;

const READERS: [Reader; 8] = [
    described_services,
    updated_services,
    task_definitions,
    tasks,
    container_instances,
    balancing,
    service_deployments,
    others,
];

#[test]
fn every_recorded_answer_is_read() {
    for source in evidence::answers() {
        let files = source.files();
        assert!(files.len() >= 53, "only {} answers", files.len());
        for (number, name, text) in files {
            let recorded = Recorded {
                number,
                text,
                is_own: source.is_own,
            };
            assert!(READERS.iter().any(|reader| reader(&recorded)), "nobody reads {name}");
        }
    }
}

fn described_services(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    if !("01"..="12").contains(&number) {
        return false;
    }
    let described = ask(vec![wire(text)], async |aws| {
        aws.describe_services(&"c".into(), &["s".into()])
            .await
            .expect("services")
    });
    if number == "12" {
        assert_eq!(
            (described.services.len(), described.missing),
            (0, vec![recorded.pick("lighthouse", "my-service").to_owned()])
        );
        return true;
    }
    let service = &described.services[0];
    match number {
        "01" => {
            assert_eq!(
                shape(service),
                recorded.pick(
                    "PRIMARY ferry:1 1/1 COMPLETED",
                    "PRIMARY mydockerlabs-web:1 1/1 COMPLETED"
                )
            );
            assert_eq!(service.events.len(), 4);
            assert_eq!(service.cluster.as_str(), recorded.pick("harbour", "mydockerlabs"));
            assert_eq!(
                service.deployments[0].created_at,
                Some(Timestamp::from_millis(
                    recorded.pick(1_772_000_000_125, 1_627_113_387_261)
                ))
            );
            assert_eq!(
                service.target_groups()[0].name(),
                recorded.pick("ferry", "mydoc-WebTC-4ZK29GGVX84S")
            );
            assert_eq!(service.health_check_grace_period, Some(Duration::ZERO));
        }
        "02" => {
            assert_eq!(
                shape(service),
                recorded.pick("PRIMARY pier:3 1/1 -", "PRIMARY console-sample-app-static:1 1/1 -")
            );
            assert_eq!(service.deployments[0].failed_tasks, None);
            assert_eq!(service.launch_type, Some(LaunchType::Ec2));
            assert_eq!(service.controller, DeploymentController::Ecs);
        }
        "03" => {
            assert_eq!(
                shape(service),
                recorded.pick(
                    "PRIMARY crane:12 0/0 IN_PROGRESS, ACTIVE crane:11 1/1 COMPLETED",
                    "PRIMARY dev-redash-server:77 0/0 IN_PROGRESS, ACTIVE dev-redash-server:75 1/1 COMPLETED"
                )
            );
            assert!(service.has_capacity_providers && service.launch_type.is_none());
        }
        "04" => {
            assert_eq!(
                (service.running_count, service.desired_count),
                recorded.pick((7, 4), (5, 3))
            );
            assert_eq!(
                shape(service),
                recorded.pick(
                    "PRIMARY buoy:6 4/4 IN_PROGRESS, ACTIVE buoy:6 3/0 COMPLETED",
                    "PRIMARY xxx:8 3/3 IN_PROGRESS, ACTIVE xxx:8 2/0 COMPLETED"
                )
            );
        }
        "05" => {
            assert_eq!(service.deployments[0].failed_tasks, Some(recorded.pick(6, 10)));
            let breaker = service.configuration.circuit_breaker.expect("a breaker");
            assert!(!breaker.enable && !breaker.rollback);
            assert_eq!(service.configuration.maximum_percent, Some(recorded.pick(125, 150)));
        }
        "06" => assert_eq!(service.deployments[0].failed_tasks, Some(recorded.pick(5, 4))),
        "07" => {
            let id = DeploymentId::from(recorded.pick("ecs-svc/3100000000000000061", "ecs-svc/1111111111111111111"));
            let reason = service.deployment(&id).and_then(|d| d.rollout_state_reason.as_deref());
            assert!(reason.is_some_and(|r| r.contains("rolling back to deploymentId")));
        }
        "08" => assert_eq!(
            shape(service),
            recorded.pick(
                "PRIMARY barge:4 0/0 IN_PROGRESS, ACTIVE barge:5 0/0 IN_PROGRESS",
                "PRIMARY web-app-task-definition:2 0/0 IN_PROGRESS, ACTIVE web-app-task-definition:3 0/0 IN_PROGRESS"
            )
        ),
        "09" => assert_eq!(service.deployments[0].rollout_state, Some(RolloutState::Failed)),
        "10" => {
            let name = recorded.pick("gates", "httpd");
            assert_eq!(service.load_balancers[0].balancer, Balancer::Classic(name.into()));
            assert_eq!(service.target_groups()[0].classic_name(), Some(name));
        }
        _ => {
            assert_eq!(service.controller, DeploymentController::CodeDeploy);
            assert!(service.deployments.is_empty() && service.primary().is_none());
        }
    }
    true
}

/// 13 is DeleteService's answer, which has the form of UpdateService's.
fn updated_services(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    if !("13"..="19").contains(&number) {
        return false;
    }
    let update = ServiceUpdate {
        cluster: "c".into(),
        service: "s".into(),
        task_definition: "web:2".into(),
        force_new_deployment: true,
    };
    let service = ask(vec![wire(text)], async |aws| {
        aws.update_service(&update).await.expect("a service")
    });
    match number {
        "13" => assert_eq!(
            (&service.status, service.running_count),
            (&ServiceStatus::Draining, recorded.pick(3, 2))
        ),
        "14" => assert_eq!(
            service.primary().map(|d| d.id.as_str()),
            Some(recorded.pick("ecs-svc/3100000000000000032", "ecs-svc/5219324069200109376"))
        ),
        "15" => {
            // The rollback's target keeps its first creation time, so it orders nothing.
            assert_eq!(
                service.deployments[1].created_at,
                Some(Timestamp::from_millis(
                    recorded.pick(1_771_100_000_500, 1_785_518_861_829)
                ))
            );
            assert_eq!(
                service.health_check_grace_period,
                Some(Duration::from_secs(recorded.pick(45, 30)))
            );
        }
        "16" => {
            let superseded = &service.deployments[2];
            assert_eq!(
                (&superseded.status, &superseded.rollout_state, superseded.failed_tasks),
                (
                    &DeploymentStatus::Active,
                    &Some(RolloutState::InProgress),
                    Some(recorded.pick(3, 2))
                )
            );
        }
        "17" => assert_eq!(
            shape(&service),
            recorded.pick(
                "PRIMARY mooring:5 0/0 IN_PROGRESS, ACTIVE mooring:5 2/3 COMPLETED",
                "PRIMARY fleetshell-gateway:14 0/0 IN_PROGRESS, ACTIVE fleetshell-gateway:14 1/2 COMPLETED"
            )
        ),
        "18" => assert_eq!(
            shape(&service),
            recorded.pick(
                "PRIMARY quay:8 0/3 -, ACTIVE quay:7 1/1 -",
                "PRIMARY web:5 0/2 -, ACTIVE web:4 1/1 -"
            )
        ),
        _ => {
            assert_eq!(service.scheduling, SchedulingStrategy::Replica);
            assert!(
                service
                    .events
                    .iter()
                    .any(|e| e.message.contains("already using a port"))
            );
        }
    }
    true
}

fn task_definitions(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    if !("20"..="22").contains(&number) {
        return false;
    }
    if number == "20" {
        let arn = ask(vec![wire(text)], async |aws| {
            aws.register_task_definition(&json!({"family": "x"}))
                .await
                .expect("registered")
                .revision
                .arn
        });
        assert_eq!(arn.short(), recorded.pick("crane:12", "dev-redash-server:77"));
    }
    let registered = ask(vec![wire(text)], async |aws| {
        aws.describe_task_definition("x").await.expect("a task definition")
    });
    // Every member of the answer is there, and the tags that stood beside it.
    let answer: Value = serde_json::from_str(&epochs(text)).expect("JSON");
    let mut expected = answer["taskDefinition"].clone();
    if number == "20" {
        expected["tags"] = answer["tags"].clone();
        assert_eq!(
            registered.document["tags"][0]["value"],
            recorded.pick("Docks", "Redash")
        );
    }
    assert_eq!(registered.document, expected);
    let ports = &registered.document["containerDefinitions"][0]["portMappings"];
    match number {
        "21" => assert_eq!(ports[0]["hostPort"], 0),
        "22" => assert_eq!(
            (&ports[0]["hostPort"], &ports[1]["hostPort"]),
            recorded.pick((&json!(4100), &json!(41000)), (&json!(3245), &json!(56839)))
        ),
        _ => assert_eq!(ports[0]["hostPort"], ports[0]["containerPort"]),
    }
    true
}

fn tasks(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    if !("23"..="27").contains(&number) {
        return false;
    }
    let tasks: Vec<Task> = ask(vec![wire(text)], async |aws| {
        aws.describe_tasks(&"c".into(), &["t".into()]).await.expect("tasks")
    });
    let task = &tasks[0];
    let binding = |task: &Task| task.containers[0].network_bindings.first().cloned();
    match number {
        "23" => {
            assert_eq!(
                binding(task),
                Some(NetworkBinding {
                    container_port: recorded.pick(8500, 80),
                    host_port: recorded.pick(33001, 32768)
                })
            );
            assert_eq!(
                task.started_by,
                Some(
                    recorded
                        .pick("ecs-svc/3100000000000000230", "ecs-svc/9223370511661104836")
                        .into()
                )
            );
            assert_eq!(
                task.started_at,
                Some(Timestamp::from_millis(
                    recorded.pick(1_772_000_009_375, 1_525_193_684_426)
                ))
            );
        }
        "24" => {
            let stopped = &tasks[2];
            assert!(stopped.is_stopped());
            assert_eq!(stopped.containers[0].exit_code, Some(137));
            // A stopped container still lists its port.
            assert_eq!(binding(stopped).map(|b| b.host_port), Some(recorded.pick(33004, 32788)));
            assert!(
                stopped
                    .stopped_reason
                    .as_deref()
                    .is_some_and(|r| r.contains("ELB health checks"))
            );
        }
        "25" => {
            assert_eq!(
                tasks[1].containers[0].addresses,
                [recorded.pick("10.1.0.21", "10.0.0.253")]
            );
            assert_eq!((binding(&tasks[1]), &tasks[1].container_instance), (None, &None));
        }
        "26" => assert_eq!(
            (
                &task.last_status,
                &tasks[1].last_status,
                task.container(recorded.pick("heron-box", "fargate-app-2")).is_some()
            ),
            (&TaskStatus::Provisioning, &TaskStatus::Pending, true)
        ),
        _ => {
            assert_eq!(task.stop_code.as_deref(), Some("TaskFailedToStart"));
            let reason = task.containers[0].reason.as_deref();
            assert!(reason.is_some_and(|r| r.starts_with("CannotPullContainerError")));
        }
    }
    true
}

fn container_instances(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    if !["29", "30"].contains(&number) {
        return false;
    }
    let instances: Vec<ContainerInstance> = ask(vec![wire(text)], async |aws| {
        aws.describe_container_instances(&"c".into(), &["i".into()])
            .await
            .expect("instances")
    });
    let instance = &instances[0];
    if number == "29" {
        assert_eq!(
            instance.ec2_instance_id.as_deref(),
            Some(recorded.pick("i-01926c1f5ac0a2d88", "i-0d6f8d9a4508ea6f1"))
        );
        let port = recorded.pick(8700, 80);
        assert!(instance.remaining.reserved_ports.contains(&port));
        assert!(!instance.registered.reserved_ports.contains(&port));
        assert_eq!(
            (instance.remaining.cpu, instance.remaining.memory),
            recorded.pick((1990, 420), (2038, 159))
        );
    } else {
        assert_eq!((instance.status.as_str(), instance.agent_connected), ("DRAINING", true));
    }
    true
}

fn balancing(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    match number {
        "31" => assert_eq!(
            states(text),
            [(
                recorded
                    .pick("i-0f59a6d1f48ea4e19:33001", "i-007670c6b3c8e2ee0:32768")
                    .into(),
                TargetState::Healthy
            )]
        ),
        "32" => {
            let targets = health(text);
            assert_eq!(
                (&targets[0].state, &targets[1].state),
                (&TargetState::Draining, &TargetState::Healthy)
            );
            assert_eq!(targets[0].reason.as_deref(), Some("Target.DeregistrationInProgress"));
            assert_eq!(targets[1].reason, None);
        }
        "33" => assert_eq!(health(text)[0].reason.as_deref(), Some("Elb.RegistrationInProgress")),
        "34" => {
            let target = &health(text)[0];
            assert_eq!(
                (&target.key, &target.state),
                (
                    &recorded.pick(
                        TargetKey::new("i-0801e0110f548ab90", 8800),
                        TargetKey::new("i-0b314f9c31a99621c", 3000)
                    ),
                    &TargetState::Unhealthy
                )
            );
            assert_eq!(
                target.description.as_deref(),
                Some(recorded.pick(
                    "Health checks failed with these codes: [503]",
                    "Health checks failed with these codes: [500]"
                ))
            );
        }
        "35" => assert_eq!(health(text)[0].reason.as_deref(), Some("Target.NotInUse")),
        "36" => {
            let groups = groups(text, ATTRIBUTES);
            assert_eq!((groups[0].load_balancers.len(), groups[1].load_balancers.len()), (1, 0));
            assert_eq!(
                groups[0].health_check.interval,
                Duration::from_secs(recorded.pick(20, 30))
            );
            assert_eq!(
                groups[0].health_check.matcher.as_deref(),
                Some(recorded.pick("200-204", "200"))
            );
            assert_eq!(groups[1].port, Some(recorded.pick(8500, 8080)));
            assert!(groups[0].health_check.enabled);
        }
        "37" => {
            let group = &groups(text, ATTRIBUTES)[0];
            assert_eq!((&group.health_check.path, &group.health_check.matcher), (&None, &None));
            assert_eq!(group.health_check.protocol.as_deref(), Some("TCP"));
        }
        "38" => {
            let group = r#"{"TargetGroups":[{"TargetGroupArn":"a/web/1","TargetGroupName":"web"}]}"#;
            assert_eq!(
                groups(group, text)[0].deregistration_delay,
                Some(Duration::from_secs(recorded.pick(240, 300)))
            );
        }
        "39" => {
            let group = recorded.pick(
                "arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/swan/b21a1cecc6a0b04a",
                "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/alb-lambda/2c1de5e470189e33",
            );
            let of_a_network_balancer = |routes: &[Route]| -> Vec<String> {
                let shown = routes.iter().map(|route| format!("{} {}", route.protocol, route.port));
                shown.collect()
            };
            let asked = vec![
                query("DescribeLoadBalancers", &balancer("network")),
                query("DescribeListeners", text),
            ];
            assert_eq!(
                of_a_network_balancer(&routes(group, asked)),
                recorded.pick(["HTTP 8443", "HTTP 8081"], ["HTTP 443", "HTTP 80"])
            );
        }
        "40" => {
            let group = recorded.pick("arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/gull/032850f20fc105a8", "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/demo-Balan-6O2Y7D0PHCFF/387ff7d390b1f7a9");
            let listener = r#"{"Listeners":[{"ListenerArn":"a/b","Port":443,"Protocol":"HTTPS","DefaultActions":[]}]}"#;
            let asked = vec![
                query("DescribeLoadBalancers", &balancer("application")),
                query("DescribeListeners", listener),
                query("DescribeRules", text),
            ];
            let routes = routes(group, asked);
            assert_eq!(routes.len(), 2, "the default rule forwards to another group");
            assert_eq!(
                Address::best(&routes).map(|address| address.url()).as_deref(),
                Some(recorded.pick(
                    "https://gull.harbour.example",
                    "https://web.demo-httpd.demo-test.convox"
                ))
            );
        }
        "46" => {
            let targets = ask(vec![Answer::xml(text)], async |aws| {
                aws.describe_target_health(&"a/web/1".into()).await.expect("health")
            });
            assert_eq!(targets.len(), 2);
            assert_eq!(
                targets[0].key,
                recorded.pick(
                    TargetKey::new("i-0f85fe10498bac333", 8900),
                    TargetKey::new("i-0f76fade", 80)
                )
            );
        }
        _ => return false,
    }
    true
}

fn service_deployments(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    let (list, description) = match number {
        "41" => (text.to_owned(), r#"{"serviceDeployments":[],"failures":[]}"#.to_owned()),
        "42" => (text.to_owned(), text.to_owned()),
        _ => return false,
    };
    let found: Vec<ServiceDeployment> = ask(vec![wire(&list), wire(&description)], async |aws| {
        aws.service_deployments(&"c".into(), &"s".into())
            .await
            .expect("deployments")
    });
    if number == "41" {
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].deployment_id(),
            Some(
                recorded
                    .pick("ecs-svc/3100000000000000412", "ecs-svc/3655491201181722786")
                    .into()
            )
        );
        assert_eq!(found[0].status, ServiceDeploymentStatus::InProgress);
        // The recording lost this one's status: that is no success.
        assert_eq!(found[1].status, ServiceDeploymentStatus::Unknown(String::new()));
    } else {
        assert_eq!(found[0].status, ServiceDeploymentStatus::Successful);
        let breaker = found[0].breaker.as_ref().expect("a breaker");
        assert_eq!((breaker.status.as_str(), breaker.threshold), ("MONITORING_COMPLETE", 3));
        assert_eq!(
            found[0].deployment_id(),
            Some(
                recorded
                    .pick("ecs-svc/3100000000000000421", "ecs-svc/1485800978477494678")
                    .into()
            )
        );
    }
    true
}

fn others(recorded: &Recorded) -> bool {
    let (number, text) = (recorded.number.as_str(), recorded.text.as_str());
    match number {
        "45" => {
            let error = ask(vec![Answer::error(400, text)], async |aws| {
                aws.list_container_instances(&"c".into())
                    .await
                    .expect_err("no such cluster")
            });
            assert_eq!(error.kind, ApiErrorKind::NotFound);
            assert_eq!(
                error.to_string(),
                "ecs:ListContainerInstances on c: ClusterNotFoundException: Cluster not found."
            );
        }
        "47" => {
            // A fragment of a raw body, exponents included.
            let body = format!(r#"{{"services":[{{"serviceName":"s",{}]}}]}}"#, text.trim_end());
            let described = ask(vec![Answer::json(body)], async |aws| {
                aws.describe_services(&"c".into(), &["s".into()])
                    .await
                    .expect("services")
            });
            let times: Vec<Option<i64>> = described.services[0]
                .events
                .iter()
                .map(|e| e.created_at.map(Timestamp::as_millis))
                .collect();
            assert_eq!(
                times[..2],
                recorded.pick(
                    [Some(1_772_000_084_321), Some(1_772_000_062_120)],
                    [Some(1_620_282_875_304), Some(1_620_261_273_250)]
                )
            );
            assert_eq!(
                times.last(),
                Some(&Some(recorded.pick(1_772_000_020_700, 1_620_174_747_100)))
            );
        }
        // No answers of an API: an EventBridge event, and the event logs of whole rollouts, which people wrote down.
        "28" | "48" | "49" | "50" | "51" | "52" | "53" => {}
        "43" => {
            let arn = recorded.pick("arn:aws:ecs:eu-north-1:111122223333:service-revision/harbour/anchor/3100000000000000421", "arn:aws:ecs:us-east-1:111122223333:service-revision/example-cluster/example-service/1485800978477494678");
            let found = ask(vec![wire(text)], async |aws| {
                aws.service_revisions(&[arn.into()]).await.expect("revisions")
            });
            let revision = found.into_iter().next().expect("the one that was asked for");
            // No load balancer, so nothing was resolved.
            assert_eq!((revision.arn.as_str(), revision.target_groups), (arn, Vec::new()));
        }
        "44" => {
            let rows = ask(vec![query("DescribeInstanceHealth", text)], async |aws| {
                aws.describe_instance_health("front").await.expect("instances")
            });
            let target = rows[0].as_target().expect("it is registered");
            assert_eq!(
                (target.key, target.state),
                (
                    recorded.pick(
                        TargetKey::new("i-0968e0d78b8761ca4", 0),
                        TargetKey::new("i-7299c809", 0)
                    ),
                    TargetState::Unhealthy
                )
            );
        }
        _ => return false,
    }
    true
}

fn balancer(kind: &str) -> String {
    format!(
        r#"{{"LoadBalancers":[{{"LoadBalancerArn":"lb","LoadBalancerName":"lb","DNSName":"lb-1.elb.amazonaws.com","Type":"{kind}"}}]}}"#
    )
}

/// What forwards to the group, where AWS answers so.
fn routes(group: &str, answers: Vec<Answer>) -> Vec<Route> {
    let balancers = ["lb".to_owned()];
    let routing = ask(answers, async |aws| aws.routing(&balancers).await.expect("routes"));
    routing.routes_to(&[group.into()]).cloned().collect()
}

const ATTRIBUTES: &str = r#"{"Attributes":[]}"#;

/// `PRIMARY web:5 running/desired rollout state`, deployment by deployment.
fn shape(service: &Service) -> String {
    let one = |d: &Deployment| {
        let rollout = d.rollout_state.as_ref().map_or("-", RolloutState::as_str);
        let revision = d.task_definition.short();
        format!(
            "{} {revision} {}/{} {rollout}",
            d.status.as_str(),
            d.running_count,
            d.desired_count
        )
    };
    service.deployments.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn health(text: &str) -> Vec<TargetHealth> {
    ask(vec![query("DescribeTargetHealth", text)], async |aws| {
        aws.describe_target_health(&"a/web/1".into()).await.expect("health")
    })
}

fn states(text: &str) -> Vec<(String, TargetState)> {
    health(text).into_iter().map(|t| (t.key.to_string(), t.state)).collect()
}

fn groups(text: &str, attributes: &str) -> Vec<TargetGroup> {
    let answers = vec![
        query("DescribeTargetGroups", text),
        query("DescribeTargetGroupAttributes", attributes),
        query("DescribeTargetGroupAttributes", attributes),
    ];
    ask(answers, async |aws| {
        let mut groups = aws.describe_target_groups(&["a/web/1".into()]).await.expect("groups");
        for group in &mut groups {
            group.deregistration_delay = aws.deregistration_delay(&group.arn).await.expect("attributes");
        }
        groups
    })
}

/// Serves the answers and asks through the real adapters.
fn ask<T>(answers: Vec<Answer>, question: impl AsyncFnOnce(Connection<&VirtualClock>) -> T) -> T {
    let server = Loopback::answering(answers);
    let clock = VirtualClock::default();
    run(async { question(connect(&server.url, &clock).await).await })
}
