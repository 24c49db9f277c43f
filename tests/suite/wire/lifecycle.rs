//! What is deleted, run by hand, tagged, protected and drained while the simulator runs.

use serde_json::{Value, json};

use super::endpoint::{Endpoint, text};

fn service(aws: &mut Endpoint, name: &str) -> Value {
    let answer = aws.ecs("DescribeServices", &json!({"cluster": "demo", "services": [name]}));
    answer["services"][0].clone()
}

fn listed(aws: &mut Endpoint, filter: Value) -> usize {
    let mut body = json!({"cluster": "demo"});
    body.as_object_mut()
        .unwrap()
        .extend(filter.as_object().unwrap().clone());
    aws.ecs("ListTasks", &body)["taskArns"].as_array().unwrap().len()
}

fn refused(code: &str, words: &str) -> (String, String) {
    (code.to_owned(), words.to_owned())
}

#[test]
fn a_deleted_service_drains_its_tasks_and_is_inactive_when_none_serves_any_more() {
    let mut aws = Endpoint::new();
    let ask = json!({"cluster": "demo", "service": "web"});
    assert_eq!(
        aws.ecs_refusal("DeleteService", &ask),
        refused(
            "InvalidParameterException",
            "The service cannot be stopped while it is scaled above 0."
        )
    );
    let deleted = aws.ecs(
        "DeleteService",
        &json!({"cluster": "demo", "service": "web", "force": true}),
    )["service"]
        .clone();
    assert_eq!(
        (&deleted["status"], &deleted["desiredCount"], &deleted["runningCount"]),
        (&json!("DRAINING"), &json!(0), &json!(2))
    );
    assert_eq!(
        aws.ecs_refusal("UpdateService", &ask),
        refused("ServiceNotActiveException", "Service was not ACTIVE.")
    );
    let again = json!({"cluster": "demo", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1});
    assert_eq!(
        aws.ecs_refusal("CreateService", &again),
        refused(
            "InvalidParameterException",
            "Unable to Start a service that is still Draining."
        )
    );
    let arns = aws.ecs("ListServices", &json!({"cluster": "demo"}));
    assert_eq!(arns["serviceArns"].as_array().unwrap().len(), 1, "{arns}");
    aws.pass(20);
    assert_eq!(
        service(&mut aws, "web")["status"],
        "DRAINING",
        "the targets drain for 60 s"
    );
    aws.pass(150);
    let gone = service(&mut aws, "web");
    assert_eq!(
        (&gone["status"], &gone["deployments"]),
        (&json!("INACTIVE"), &json!([]))
    );
    assert_eq!(
        aws.ecs_refusal("DeleteService", &ask),
        refused("ServiceNotFoundException", "Service not found.")
    );
    let made = aws.ecs("CreateService", &again);
    assert_eq!(made["service"]["status"], "ACTIVE");
    assert_eq!(made["service"]["events"], json!([]));
}

#[test]
fn a_cluster_goes_when_nothing_is_left_in_it() {
    let mut aws = Endpoint::new();
    assert_eq!(
        aws.ecs_refusal("DeleteCluster", &json!({"cluster": "demo"})),
        refused(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining."
        )
    );
    aws.ecs("CreateCluster", &json!({"clusterName": "blue"}));
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    let body = json!({"cluster": "blue", "serviceName": "api", "taskDefinition": "api", "desiredCount": 0,
        "launchType": "FARGATE", "networkConfiguration": network});
    aws.ecs("CreateService", &body);
    let delete = json!({"cluster": "blue"});
    assert_eq!(
        aws.ecs_refusal("DeleteCluster", &delete),
        refused(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active."
        )
    );
    aws.ecs("DeleteService", &json!({"cluster": "blue", "service": "api"}));
    aws.pass(30);
    let run =
        json!({"cluster": "blue", "taskDefinition": "api", "launchType": "FARGATE", "networkConfiguration": network});
    let task = text(&aws.ecs("RunTask", &run)["tasks"][0]["taskArn"]);
    assert_eq!(
        aws.ecs_refusal("DeleteCluster", &delete),
        refused(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active."
        )
    );
    aws.ecs("StopTask", &json!({"cluster": "blue", "task": task}));
    aws.pass(60);
    assert_eq!(aws.ecs("DeleteCluster", &delete)["cluster"]["status"], "INACTIVE");
    assert_eq!(
        aws.ecs_refusal("ListTasks", &delete),
        refused("ClusterNotFoundException", "Cluster not found.")
    );
    let described = aws.ecs("DescribeClusters", &json!({"clusters": ["blue"]}));
    assert_eq!(described["clusters"][0]["status"], "INACTIVE");
    assert_eq!(
        aws.ecs("CreateCluster", &json!({"clusterName": "blue"}))["cluster"]["status"],
        "ACTIVE"
    );
}

#[test]
fn tasks_run_by_hand_keep_what_they_were_given() {
    let mut aws = Endpoint::new();
    let overrides = json!({"containerOverrides": [{"name": "web", "command": ["migrate"],
        "environment": [{"name": "STEP", "value": "1"}]}]});
    let body = json!({"cluster": "demo", "taskDefinition": "web", "count": 2, "startedBy": "ci-42", "overrides": overrides,
        "tags": [{"key": "job", "value": "migration"}], "clientToken": "once"});
    let run = aws.ecs("RunTask", &body);
    assert_eq!(run["failures"], json!([]));
    let tasks = run["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 2);
    assert_eq!(tasks[0]["group"], "family:web");
    assert_eq!(tasks[0]["lastStatus"], "PENDING");
    assert_eq!(
        tasks[0]["overrides"]["containerOverrides"],
        overrides["containerOverrides"]
    );
    let again = aws.ecs("RunTask", &body);
    assert_eq!(
        again["tasks"][1]["taskArn"], tasks[1]["taskArn"],
        "the token was used before"
    );
    assert_eq!(listed(&mut aws, json!({"startedBy": "ci-42"})), 2);
    assert_eq!(listed(&mut aws, json!({"family": "web"})), 4);
    assert_eq!(listed(&mut aws, json!({"serviceName": "web"})), 2);
    aws.pass(20);
    let ask = json!({"cluster": "demo", "tasks": [tasks[0]["taskArn"]], "include": ["TAGS"]});
    let described = aws.ecs("DescribeTasks", &ask)["tasks"][0].clone();
    assert_eq!(described["lastStatus"], "RUNNING");
    assert_eq!(described["tags"], body["tags"]);
    aws.ecs(
        "StopTask",
        &json!({"cluster": "demo", "task": tasks[0]["taskArn"], "reason": "enough"}),
    );
    aws.pass(10);
    let stopped = aws.ecs("DescribeTasks", &ask)["tasks"][0].clone();
    assert_eq!(
        (&stopped["lastStatus"], &stopped["stopCode"], &stopped["stoppedReason"]),
        (&json!("STOPPED"), &json!("UserInitiated"), &json!("enough"))
    );
}

#[test]
fn tasks_without_a_place_are_failures_and_no_error() {
    let mut aws = Endpoint::new();
    let big = json!({"family": "big", "containerDefinitions": [{"name": "big", "image": "big:1", "memory": 3000}]});
    aws.ecs("RegisterTaskDefinition", &big);
    let run = aws.ecs(
        "RunTask",
        &json!({"cluster": "demo", "taskDefinition": "big", "count": 3}),
    );
    assert_eq!(run["tasks"].as_array().unwrap().len(), 2, "one on each instance");
    let failures = run["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 2);
    assert!(
        failures.iter().all(|f| f["reason"] == "RESOURCE:MEMORY"),
        "{failures:?}"
    );
    for (change, code, words) in [
        (
            json!({"taskDefinition": "api"}),
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            json!({"taskDefinition": "none"}),
            "ClientException",
            "TaskDefinition not found.",
        ),
        (
            json!({"overrides": {"containerOverrides": [{"name": "db"}]}}),
            "InvalidParameterException",
            "Override for container named db is not a container in the TaskDefinition.",
        ),
        (
            json!({"launchType": "SPOT"}),
            "InvalidParameterException",
            "launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]",
        ),
        (
            json!({"count": 11}),
            "InvalidParameterException",
            "Count must be between 1 and 10.",
        ),
    ] {
        let mut body = json!({"cluster": "demo", "taskDefinition": "big"});
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        assert_eq!(aws.ecs_refusal("RunTask", &body), refused(code, words), "{change}");
    }
    aws.ecs("CreateCluster", &json!({"clusterName": "blue"}));
    assert_eq!(
        aws.ecs_refusal("RunTask", &json!({"cluster": "blue", "taskDefinition": "big"})),
        refused(
            "InvalidParameterException",
            "No Container Instances were found in your cluster."
        )
    );
    aws.ecs("DeregisterTaskDefinition", &json!({"taskDefinition": "big:1"}));
    assert_eq!(
        aws.ecs_refusal("RunTask", &json!({"cluster": "demo", "taskDefinition": "big:1"})),
        refused("InvalidParameterException", "TaskDefinition is inactive")
    );
}

#[test]
fn arns_are_read_in_both_formats_and_those_of_others_are_refused() {
    let mut aws = Endpoint::new();
    let arn = text(&service(&mut aws, "web")["serviceArn"]);
    let old = arn.replace("service/demo/web", "service/web");
    for reference in ["web", arn.as_str(), old.as_str()] {
        let answer = aws.ecs("DescribeServices", &json!({"cluster": "demo", "services": [reference]}));
        assert_eq!(answer["services"][0]["serviceArn"], arn, "{reference}");
        let by_arn = arn.replace("service/demo/web", "cluster/demo");
        assert_eq!(
            aws.ecs("DescribeServices", &json!({"cluster": by_arn, "services": [reference]})),
            answer
        );
    }
    for (reference, words) in [
        (
            arn.replace("/demo/", "/prod/"),
            "Invalid identifier: Identifier is for cluster prod. Your cluster is demo",
        ),
        (
            arn.replace("111122223333", "444455556666"),
            "Identifier is for 444455556666. Your accountId is 111122223333",
        ),
        (arn.replace(":service/", ":task/"), "Unsupported resource type: task"),
    ] {
        let said = refused("InvalidParameterException", words);
        let body = json!({"cluster": "demo", "services": [reference]});
        assert_eq!(aws.ecs_refusal("DescribeServices", &body), said);
        assert_eq!(
            aws.ecs_refusal("UpdateService", &json!({"cluster": "demo", "service": reference})),
            said
        );
        assert_eq!(
            aws.ecs_refusal("DeleteService", &json!({"cluster": "demo", "service": reference})),
            said
        );
    }
    assert_eq!(
        aws.ecs_refusal("ListTasks", &json!({"cluster": "my demo"})),
        refused(
            "InvalidParameterException",
            "Cluster must match ^[a-zA-Z0-9\\-_]{1,255}$, but was my demo"
        )
    );
}

#[test]
fn filters_of_tasks_that_do_not_go_together_are_refused() {
    let mut aws = Endpoint::new();
    for filter in [
        json!({"startedBy": "x", "family": "web"}),
        json!({"startedBy": "x", "launchType": "EC2"}),
        json!({"startedBy": "x", "serviceName": "web"}),
    ] {
        let mut body = json!({"cluster": "demo"});
        body.as_object_mut()
            .unwrap()
            .extend(filter.as_object().unwrap().clone());
        let said = refused(
            "InvalidParameterException",
            "cannot specify startedBy with other arguments",
        );
        assert_eq!(aws.ecs_refusal("ListTasks", &body), said);
    }
    let body = json!({"cluster": "demo", "serviceName": "web", "family": "web"});
    let said = refused(
        "InvalidParameterException",
        "cannot specify serviceName with other arguments",
    );
    assert_eq!(aws.ecs_refusal("ListTasks", &body), said);
    let body = json!({"cluster": "demo", "serviceName": "nothing"});
    let said = refused("ServiceNotFoundException", "Service not found.");
    assert_eq!(aws.ecs_refusal("ListTasks", &body), said);
    assert_eq!(listed(&mut aws, json!({"launchType": "FARGATE"})), 1);
    assert_eq!(listed(&mut aws, json!({"serviceName": "web", "launchType": "EC2"})), 2);
    assert_eq!(listed(&mut aws, json!({"desiredStatus": "STOPPED"})), 0);
    let instances = aws.ecs("ListContainerInstances", &json!({"cluster": "demo"}));
    let instance = text(&instances["containerInstanceArns"][0]);
    assert_eq!(
        listed(&mut aws, json!({"containerInstance": instance, "family": "web"})),
        1
    );
}

#[test]
fn service_tasks_leave_an_instance_that_is_drained() {
    let mut aws = Endpoint::new();
    let instances = aws.ecs("ListContainerInstances", &json!({"cluster": "demo"}));
    let instance = text(&instances["containerInstanceArns"][0]);
    let lone = json!({"cluster": "demo", "taskDefinition": "web", "count": 2});
    aws.ecs("RunTask", &lone);
    aws.pass(30);
    let ask = json!({"cluster": "demo", "containerInstances": [instance, "f".repeat(32)], "status": "DRAINING"});
    let drained = aws.ecs("UpdateContainerInstancesState", &ask);
    assert_eq!(drained["containerInstances"][0]["status"], "DRAINING");
    assert_eq!(drained["failures"][0]["reason"], "MISSING");
    aws.pass(240);
    assert_eq!(service(&mut aws, "web")["runningCount"], 2);
    let here = listed(&mut aws, json!({"containerInstance": instance}));
    assert_eq!(here, 1, "the task of no service stays");
    let back = json!({"cluster": "demo", "containerInstances": [instance], "status": "ACTIVE"});
    assert_eq!(
        aws.ecs("UpdateContainerInstancesState", &back)["containerInstances"][0]["status"],
        "ACTIVE"
    );
    let wrong = json!({"cluster": "demo", "containerInstances": [instance], "status": "REGISTERING"});
    assert_eq!(
        aws.ecs_refusal("UpdateContainerInstancesState", &wrong).1,
        "Container instance status should be one of [ACTIVE, DRAINING]"
    );
}

#[test]
fn tags_are_kept_on_everything_that_has_a_long_arn() {
    let mut aws = Endpoint::new();
    let task = text(&aws.tasks("web")["tasks"][0]["taskArn"]);
    let instances = aws.ecs("ListContainerInstances", &json!({"cluster": "demo"}));
    let instance = text(&instances["containerInstanceArns"][0]);
    let service_arn = text(&service(&mut aws, "web")["serviceArn"]);
    let (cluster, definition) = (service_arn.replace("service/demo/web", "cluster/demo"), "web:1");
    let definition = cluster.replace("cluster/demo", &format!("task-definition/{definition}"));
    for arn in [&task, &instance, &service_arn, &cluster, &definition] {
        let tags = json!([{"key": "team", "value": "web"}, {"key": "tier", "value": "1"}]);
        aws.ecs("TagResource", &json!({"resourceArn": arn, "tags": tags}));
        aws.ecs(
            "TagResource",
            &json!({"resourceArn": arn, "tags": [{"key": "tier", "value": "2"}]}),
        );
        aws.ecs(
            "UntagResource",
            &json!({"resourceArn": arn, "tagKeys": ["team", "none"]}),
        );
        let listed = aws.ecs("ListTagsForResource", &json!({"resourceArn": arn}));
        assert_eq!(listed["tags"], json!([{"key": "tier", "value": "2"}]), "{arn}");
    }
    let described = aws.ecs(
        "DescribeServices",
        &json!({"cluster": "demo", "services": ["web"], "include": ["TAGS"]}),
    );
    assert_eq!(described["services"][0]["tags"][0]["key"], "tier");
    let old = service_arn.replace("service/demo/web", "service/web");
    for (arn, code, words) in [
        (
            old.as_str(),
            "InvalidParameterException",
            "Long arn format must be used for tagging operations",
        ),
        ("web", "InvalidParameterException", "The ARN provided is invalid."),
        (
            &service_arn.replace("/web", "/wed"),
            "ResourceNotFoundException",
            "The specified resource was not found.",
        ),
        (
            &cluster.replace("/demo", "/domo"),
            "ClusterNotFoundException",
            "Cluster not found.",
        ),
    ] {
        let body = json!({"resourceArn": arn, "tags": [{"key": "team", "value": "web"}]});
        assert_eq!(aws.ecs_refusal("TagResource", &body), refused(code, words));
    }
}

#[test]
fn protected_tasks_are_not_scaled_in() {
    let mut aws = Endpoint::new();
    let tasks = aws.tasks("web");
    let arns: Vec<String> = tasks["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| text(&task["taskArn"]))
        .collect();
    let ask = json!({"cluster": "demo", "tasks": arns, "protectionEnabled": true, "expiresInMinutes": 30});
    let protected = aws.ecs("UpdateTaskProtection", &ask);
    assert_eq!(protected["protectedTasks"][0]["protectionEnabled"], true);
    let until = protected["protectedTasks"][0]["expirationDate"].as_f64().unwrap();
    assert!((until - aws.world.now().as_secs_f64() - 1800.0).abs() < 1.0);
    aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": "web", "desiredCount": 0}),
    );
    aws.pass(60);
    let held = service(&mut aws, "web");
    assert_eq!(held["runningCount"], 2);
    let words = text(&held["events"][0]["message"]);
    assert!(
        words.ends_with("was unable to scale in due to (reason 2 tasks under protection)"),
        "{words}"
    );
    aws.pass(1800);
    assert_eq!(service(&mut aws, "web")["runningCount"], 0, "the protection has ended");
    let asked = aws.ecs(
        "GetTaskProtection",
        &json!({"cluster": "demo", "tasks": ["f".repeat(32)]}),
    );
    assert_eq!(asked["failures"][0]["reason"], "MISSING");
    let lone = text(&aws.ecs("RunTask", &json!({"cluster": "demo", "taskDefinition": "web"}))["tasks"][0]["taskArn"]);
    let body = json!({"cluster": "demo", "tasks": [lone], "protectionEnabled": true});
    assert_eq!(
        aws.ecs("UpdateTaskProtection", &body)["failures"][0]["reason"],
        "TASK_NOT_VALID"
    );
}

#[test]
fn only_deregistered_task_definitions_are_deleted() {
    let mut aws = Endpoint::new();
    let ask = json!({"taskDefinitions": ["web:1", "web", "none:7"]});
    let refused_all = aws.ecs("DeleteTaskDefinitions", &ask);
    let reasons: Vec<String> = refused_all["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| text(&f["reason"]))
        .collect();
    assert_eq!(
        reasons,
        [
            "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.",
            "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
        ]
    );
    aws.ecs("DeregisterTaskDefinition", &json!({"taskDefinition": "web:1"}));
    let deleted = aws.ecs("DeleteTaskDefinitions", &json!({"taskDefinitions": ["web:1"]}));
    assert_eq!(deleted["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS");
    assert_eq!(
        aws.ecs_refusal("DeleteTaskDefinitions", &json!({"taskDefinitions": vec!["web:1"; 11]}))
            .1,
        "Size of TaskDefinition references list cannot exceed 10"
    );
    let ask = json!({"cluster": "demo", "service": "web", "taskDefinition": "web:1", "forceNewDeployment": true});
    assert_eq!(
        aws.ecs_refusal("UpdateService", &ask),
        refused("ClientException", "TaskDefinition is inactive")
    );
}

#[test]
fn a_deployment_without_a_hook_cannot_be_continued() {
    let mut aws = Endpoint::new();
    aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": "web", "forceNewDeployment": true}),
    );
    let list = aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "web"}));
    let arn = text(&list["serviceDeployments"][0]["serviceDeploymentArn"]);
    let body = json!({"serviceDeploymentArn": arn, "hookId": "ecs-pause-1"});
    assert_eq!(
        aws.ecs_refusal("ContinueServiceDeployment", &body).0,
        "InvalidParameterException"
    );
    let body = json!({"serviceDeploymentArn": format!("{arn}x"), "hookId": "ecs-pause-1"});
    assert_eq!(
        aws.ecs_refusal("ContinueServiceDeployment", &body),
        refused("ServiceDeploymentNotFoundException", "Service deployment not found.")
    );
}

#[test]
fn a_rollback_takes_the_load_balancers_back_too() {
    let mut aws = Endpoint::new();
    let bound = service(&mut aws, "web")["loadBalancers"].clone();
    let changed = aws.ecs(
        "UpdateService",
        &json!({"cluster": "demo", "service": "web", "loadBalancers": []}),
    );
    assert_eq!(changed["service"]["loadBalancers"], json!([]));
    let list = aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "web"}));
    let arn = text(&list["serviceDeployments"][0]["serviceDeploymentArn"]);
    aws.ecs(
        "StopServiceDeployment",
        &json!({"serviceDeploymentArn": arn, "stopType": "ROLLBACK"}),
    );
    aws.pass(120);
    assert_eq!(service(&mut aws, "web")["loadBalancers"], bound);
}
