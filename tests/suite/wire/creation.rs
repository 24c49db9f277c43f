//! What somebody makes while the simulator runs: clusters and services.

use serde_json::{Value, json};

use super::endpoint::{Endpoint, text};

/// CreateService of a second service behind the target group `web`.
fn second(aws: &Endpoint) -> Value {
    json!({
        "cluster": "demo",
        "serviceName": "second",
        "taskDefinition": "web",
        "desiredCount": 2,
        "loadBalancers": [{"targetGroupArn": aws.target_group("web"), "containerName": "web", "containerPort": 3000}],
    })
}

fn service(aws: &mut Endpoint, name: &str) -> Value {
    let answer = aws.ecs("DescribeServices", &json!({"cluster": "demo", "services": [name]}));
    answer["services"][0].clone()
}

fn messages(service: &Value) -> Vec<String> {
    let events = service["events"].as_array().unwrap();
    events.iter().map(|event| text(&event["message"])).collect()
}

#[test]
fn a_created_service_starts_its_tasks_and_registers_them() {
    let mut aws = Endpoint::new();
    let body = second(&aws);
    let created = aws.ecs("CreateService", &body)["service"].clone();
    assert_eq!(created["status"], "ACTIVE");
    assert_eq!(created["desiredCount"], 2);
    assert_eq!(created["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert_eq!(created["deployments"].as_array().unwrap().len(), 1);
    aws.pass(6);
    let started = messages(&service(&mut aws, "second"));
    assert!(started[0].contains("has started 2 tasks"), "{started:?}");
    aws.pass(170);
    let done = service(&mut aws, "second");
    assert_eq!((&done["runningCount"], &done["pendingCount"]), (&json!(2), &json!(0)));
    assert_eq!(done["deployments"][0]["rolloutState"], "COMPLETED");
    assert!(
        messages(&done)
            .iter()
            .any(|words| words.ends_with("has reached a steady state."))
    );
    let group = aws.target_group("web");
    let health = aws.elb("DescribeTargetHealth", &[("TargetGroupArn", &group)]);
    let rows = health["TargetHealthDescriptions"].as_array().unwrap();
    assert_eq!(rows.len(), 4, "two of each service");
    assert!(
        rows.iter().all(|row| row["TargetHealth"]["State"] == "healthy"),
        "{rows:#?}"
    );
}

#[test]
fn the_same_creation_again_is_answered_and_another_one_of_that_name_is_refused() {
    let mut aws = Endpoint::new();
    let mut body = second(&aws);
    let first = aws.ecs("CreateService", &body);
    assert_eq!(aws.ecs("CreateService", &body), first);
    body["desiredCount"] = json!(3);
    let refused = (
        "InvalidParameterException".to_owned(),
        "Creation of service was not idempotent.".to_owned(),
    );
    assert_eq!(aws.ecs_refusal("CreateService", &body), refused);
    // A service of the scenario was made by nobody's request.
    body["serviceName"] = json!("web");
    assert_eq!(aws.ecs_refusal("CreateService", &body), refused);
}

#[test]
fn creations_are_refused_in_the_words_of_aws() {
    let mut aws = Endpoint::new();
    let (web, api) = (aws.target_group("web"), aws.target_group("api"));
    let body = second(&aws);
    for (pointer, value, words) in [
        (
            "/loadBalancers/0/containerName",
            json!("db"),
            "The container db does not exist in the task definition.".to_owned(),
        ),
        (
            "/loadBalancers/0/containerPort",
            json!(80),
            "The container web did not have a container port 80 defined.".to_owned(),
        ),
        (
            "/loadBalancers/0/targetGroupArn",
            json!(api),
            format!(
                "The provided target group {api} has target type ip, which is incompatible with the bridge network mode \
                 specified in the task definition."
            ),
        ),
        (
            "/loadBalancers/0/targetGroupArn",
            json!(web.replace("targetgroup/web", "targetgroup/wed")),
            "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role \
             being passed has the proper permissions."
                .to_owned(),
        ),
        (
            "/deploymentConfiguration",
            json!({"maximumPercent": 100, "minimumHealthyPercent": 100}),
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.".to_owned(),
        ),
        (
            "/networkConfiguration",
            json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}}),
            "Network Configuration is not valid for the given networkMode of this task definition.".to_owned(),
        ),
        (
            "/launchType",
            json!("FARGATE"),
            "Task definition does not support launch_type FARGATE.".to_owned(),
        ),
    ] {
        let mut body = body.clone();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[&pointer[1..]] = value,
        }
        let (code, said) = aws.ecs_refusal("CreateService", &body);
        assert_eq!(
            (code.as_str(), said.as_str()),
            ("InvalidParameterException", words.as_str())
        );
    }
    let without_network =
        json!({"cluster": "demo", "serviceName": "second", "taskDefinition": "api", "desiredCount": 1});
    assert_eq!(
        aws.ecs_refusal("CreateService", &without_network).1,
        "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    );
    let nowhere = json!({"cluster": "nowhere", "serviceName": "second", "taskDefinition": "web", "desiredCount": 1});
    assert_eq!(aws.ecs_refusal("CreateService", &nowhere).0, "ClusterNotFoundException");
    let unknown = json!({"cluster": "demo", "serviceName": "second", "taskDefinition": "none:3", "desiredCount": 1});
    assert_eq!(
        aws.ecs_refusal("CreateService", &unknown),
        ("ClientException".to_owned(), "TaskDefinition not found.".to_owned())
    );
}

#[test]
fn other_load_balancers_are_a_deployment_and_another_count_is_none() {
    let mut aws = Endpoint::new();
    let body = json!({"cluster": "demo", "serviceName": "second", "taskDefinition": "web", "desiredCount": 1});
    aws.ecs("CreateService", &body);
    aws.pass(240);
    assert_eq!(
        service(&mut aws, "second")["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
    let changed = |aws: &mut Endpoint, members: Value| {
        let mut body = json!({"cluster": "demo", "service": "second"});
        body.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        aws.ecs("UpdateService", &body)["service"]["deployments"]
            .as_array()
            .unwrap()
            .len()
    };
    for still in [
        json!({"desiredCount": 2}),
        json!({"taskDefinition": "web:1"}),
        json!({"deploymentConfiguration": {"maximumPercent": 150}}),
        json!({"enableExecuteCommand": true, "propagateTags": "SERVICE"}),
        json!({"placementStrategy": [{"type": "random"}]}),
    ] {
        assert_eq!(changed(&mut aws, still.clone()), 1, "{still}");
    }
    let group = aws.target_group("web");
    let bound = json!({"loadBalancers": [{"targetGroupArn": group, "containerName": "web", "containerPort": 3000}]});
    assert_eq!(changed(&mut aws, bound.clone()), 2);
    aws.pass(400);
    let done = service(&mut aws, "second");
    assert_eq!(
        done["deployments"].as_array().unwrap().len(),
        1,
        "{:#?}",
        messages(&done)
    );
    assert_eq!(done["runningCount"], 2);
    let health = aws.elb("DescribeTargetHealth", &[("TargetGroupArn", &group)]);
    assert_eq!(health["TargetHealthDescriptions"].as_array().unwrap().len(), 4);
    assert_eq!(changed(&mut aws, bound), 1, "the same again");
    assert_eq!(changed(&mut aws, json!({"loadBalancers": []})), 2);
}

#[test]
fn a_cluster_is_made_once() {
    let mut aws = Endpoint::new();
    let body = json!({"clusterName": "blue", "tags": [{"key": "team", "value": "web"}]});
    let made = aws.ecs("CreateCluster", &body)["cluster"].clone();
    assert_eq!(made["status"], "ACTIVE");
    assert_eq!(made["tags"], body["tags"]);
    assert_eq!(
        aws.ecs("CreateCluster", &json!({"clusterName": "blue"}))["cluster"],
        made
    );
    let unnamed = aws.ecs("CreateCluster", &json!({}));
    assert_eq!(unnamed["cluster"]["clusterName"], "default");
    let listed = aws.ecs("ListClusters", &json!({}));
    assert_eq!(listed["clusterArns"].as_array().unwrap().len(), 3);
    assert_eq!(
        aws.ecs_refusal("CreateCluster", &json!({"clusterName": "two words"})).0,
        "InvalidParameterException"
    );
}

/// A listener rule over HTTP that forwards to the groups with these weights.
fn rule(aws: &mut Endpoint, priority: &str, host: &str, groups: [(&str, &str); 2]) -> String {
    let world = aws.world.account().load_balancers.values();
    let listener = world
        .flat_map(|balancer| &balancer.listeners)
        .next()
        .unwrap()
        .arn
        .clone();
    let forward = "Actions.member.1.ForwardConfig.TargetGroups.member";
    let names = [1, 2].map(|n| (format!("{forward}.{n}.TargetGroupArn"), format!("{forward}.{n}.Weight")));
    let mut fields = vec![
        ("ListenerArn", listener.as_str()),
        ("Priority", priority),
        ("Conditions.member.1.Field", "host-header"),
        ("Conditions.member.1.Values.member.1", host),
        ("Actions.member.1.Type", "forward"),
    ];
    for ((arn_name, weight_name), (arn, weight)) in names.iter().zip(groups) {
        fields.extend([(arn_name.as_str(), arn), (weight_name.as_str(), weight)]);
    }
    let answer = aws.elb("CreateRule", &fields);
    text(&answer["Rules"][0]["RuleArn"])
}

fn group(aws: &mut Endpoint, name: &str) -> String {
    let vpc = aws.world.account().target_groups[&aws.target_group("web")]
        .vpc_id
        .clone();
    let fields = [
        ("Name", name),
        ("Protocol", "HTTP"),
        ("Port", "80"),
        ("VpcId", vpc.as_str()),
        ("TargetType", "instance"),
    ];
    text(&aws.elb("CreateTargetGroup", &fields)["TargetGroups"][0]["TargetGroupArn"])
}

/// CreateService of a blue/green service over two target groups of its own, which pauses before its production traffic
/// shifts.
fn shifting(aws: &mut Endpoint) -> Value {
    let (blue, green) = (group(aws, "blue"), group(aws, "green"));
    let production = rule(aws, "10", "shop.example.com", [(&blue, "1"), (&green, "0")]);
    let test = rule(aws, "11", "test.example.com", [(&blue, "1"), (&green, "0")]);
    json!({
        "cluster": "demo",
        "serviceName": "shop",
        "taskDefinition": "web",
        "desiredCount": 1,
        "deploymentConfiguration": {
            "strategy": "BLUE_GREEN",
            "bakeTimeInMinutes": 1,
            "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
                "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"}}],
        },
        "loadBalancers": [{"targetGroupArn": blue, "containerName": "web", "containerPort": 3000,
            "advancedConfiguration": {"alternateTargetGroupArn": green, "productionListenerRule": production,
                "testListenerRule": test, "roleArn": "arn:aws:iam::111122223333:role/ecsInfrastructureRole"}}],
    })
}

/// The newest service deployment.
fn newest(aws: &mut Endpoint) -> Value {
    let list = aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "shop"}));
    let arn = list["serviceDeployments"][0]["serviceDeploymentArn"].clone();
    aws.ecs("DescribeServiceDeployments", &json!({"serviceDeploymentArns": [arn]}))["serviceDeployments"][0].clone()
}

fn weights(aws: &mut Endpoint, rule: &Value) -> Vec<String> {
    let answer = aws.elb("DescribeRules", &[("RuleArns.member.1", rule.as_str().unwrap())]);
    let groups = answer["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"].clone();
    groups.as_array().unwrap().iter().map(|g| text(&g["Weight"])).collect()
}

#[test]
fn a_blue_green_service_is_created_and_its_pause_is_continued() {
    let mut aws = Endpoint::new();
    let body = shifting(&mut aws);
    aws.ecs("CreateService", &body);
    for shifted in [["100", "0"], ["0", "100"]] {
        aws.pass(400);
        let paused = newest(&mut aws);
        let hook = paused["lifecycleHookDetails"][0].clone();
        assert_eq!(
            (&paused["lifecycleStage"], &hook["status"]),
            (&json!("POST_TEST_TRAFFIC_SHIFT"), &json!("AWAITING_ACTION"))
        );
        let go_on = json!({"serviceDeploymentArn": paused["serviceDeploymentArn"], "hookId": hook["hookId"]});
        let answer = aws.ecs("ContinueServiceDeployment", &go_on);
        assert_eq!(answer["serviceDeploymentArn"], paused["serviceDeploymentArn"]);
        aws.pass(400);
        let done = newest(&mut aws);
        assert_eq!(done["status"], "SUCCESSFUL", "{done:#}");
        assert_eq!(done["lifecycleHookDetails"][0]["status"], "SUCCEEDED");
        let again = aws.ecs_refusal("ContinueServiceDeployment", &go_on);
        assert_eq!(again.1, "The lifecycle hook is not awaiting an action.");
        let production = &body["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"];
        assert_eq!(weights(&mut aws, production), shifted);
        let force = json!({"cluster": "demo", "service": "shop", "forceNewDeployment": true});
        aws.ecs("UpdateService", &force);
    }
}

#[test]
fn an_advanced_configuration_that_cannot_be_is_refused_in_the_words_of_aws() {
    let mut aws = Endpoint::new();
    let good = shifting(&mut aws);
    let advanced = &good["loadBalancers"][0]["advancedConfiguration"];
    let (blue, production) = (
        &good["loadBalancers"][0]["targetGroupArn"],
        &advanced["productionListenerRule"],
    );
    let listener = text(production).replacen("listener-rule", "listener", 1);
    let listener = listener.rsplit_once('/').unwrap().0;
    let (blue, production) = (blue.as_str().unwrap(), production.as_str().unwrap());
    let elsewhere = aws.target_group("web");
    let lost = format!("{production}0");
    for (member, value, words) in [
        ("alternateTargetGroupArn", blue, format!("Duplicate targetGroupArn found: {blue}")),
        (
            "alternateTargetGroupArn",
            &format!("{blue}0"),
            "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role \
             being passed has the proper permissions."
                .to_owned(),
        ),
        (
            "productionListenerRule",
            listener,
            format!(
                "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: \
                 {listener}"
            ),
        ),
        (
            "productionListenerRule",
            &lost,
            "Unable to assume role and validate the listeners configured on your load balancer. Please verify that the \
             ECS service role being passed has the proper permissions."
                .to_owned(),
        ),
        (
            "testListenerRule",
            production,
            format!("The following rules cannot be used as both production and test listener rules: {production}"),
        ),
    ] {
        let mut body = good.clone();
        body["loadBalancers"][0]["advancedConfiguration"][member] = json!(value);
        assert_eq!(aws.ecs_refusal("CreateService", &body), ("InvalidParameterException".to_owned(), words));
    }
    let mut body = good.clone();
    let advanced = body["loadBalancers"][0]["advancedConfiguration"]
        .as_object_mut()
        .unwrap();
    advanced.remove("testListenerRule");
    advanced["alternateTargetGroupArn"] = json!(elsewhere);
    assert_eq!(
        aws.ecs_refusal("CreateService", &body).1,
        "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not associated with \
         both targetGroup and alternateTargetGroup"
    );
}
