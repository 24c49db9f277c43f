//! What ECS manages by itself: gateways, Express services; and what a deployment is told of its circuit breaker.

use serde_json::{Value, json};

use super::endpoint::Endpoint;

const ROLE: &str = "arn:aws:iam::111122223333:role/ecsInfrastructureRole";

fn described(aws: &mut Endpoint, service: &str) -> Value {
    let answer = aws.ecs("DescribeServices", &json!({"cluster": "demo", "services": [service]}));
    answer["services"][0].clone()
}

/// What the revision that is deployed shows of ECS's own resources.
fn managed(aws: &mut Endpoint, service: &str) -> Value {
    let revision = described(aws, service)["currentServiceRevisions"][0]["arn"].clone();
    let answer = aws.ecs("DescribeServiceRevisions", &json!({"serviceRevisionArns": [revision]}));
    answer["serviceRevisions"][0]["ecsManagedResources"].clone()
}

fn registered(aws: &mut Endpoint, group: &Value) -> usize {
    let answer = aws.elb("DescribeTargetHealth", &[("TargetGroupArn", group.as_str().unwrap())]);
    answer["TargetHealthDescriptions"].as_array().map_or(0, Vec::len)
}

#[test]
fn t11_a_gateway_gives_a_service_a_target_group_that_only_its_revision_shows() {
    let mut aws = Endpoint::new();
    let definition = json!({"family": "behind", "networkMode": "bridge", "containerDefinitions": [{
        "name": "app", "image": "app:1", "cpu": 64, "memory": 128,
        "portMappings": [{"name": "http", "containerPort": 3000, "hostPort": 0}],
    }]});
    aws.ecs("RegisterTaskDefinition", &definition);
    let configuration = json!({"hostSharedAlb": {"scheme": "internet-facing"}});
    aws.ecs(
        "CreateGateway",
        &json!({"name": "g", "infrastructureRoleArn": ROLE, "configuration": configuration}),
    );
    aws.ecs(
        "AssociateGatewayWithCluster",
        &json!({"gateway": "g", "cluster": "demo"}),
    );
    let mut service = json!({
        "cluster": "demo", "serviceName": "behind", "taskDefinition": "behind", "desiredCount": 1,
        "gatewayConnectors": [{"portName": "grpc"}],
    });
    assert_eq!(
        aws.ecs_refusal("CreateService", &service).0,
        "InvalidParameterException"
    );
    service["gatewayConnectors"][0]["portName"] = json!("http");
    aws.ecs("CreateService", &service);
    assert_eq!(described(&mut aws, "behind")["loadBalancers"], json!([]));
    let connection = managed(&mut aws, "behind")["gatewayConnections"][0].clone();
    assert_eq!(connection["status"], "CREATE_IN_PROGRESS", "{connection:#}");
    aws.pass(120);
    let connection = managed(&mut aws, "behind")["gatewayConnections"][0].clone();
    assert_eq!(connection["status"], "ACTIVE");
    let group = &connection["resources"]["hostSharedAlb"][0]["targetGroupArn"];
    assert_eq!(registered(&mut aws, group), 1);
    let routes = aws.ecs("ListGatewayRoutes", &json!({"service": "behind"}));
    assert_eq!(
        routes["gatewayRoutes"][0]["gatewayRouteArn"],
        connection["gatewayRouteArn"]
    );
    let away = json!({"gateway": "g", "cluster": "demo"});
    assert_eq!(
        aws.ecs("DisassociateGatewayFromCluster", &away)["status"],
        "DISASSOCIATING"
    );
    assert_eq!(
        aws.ecs_refusal("DeleteGateway", &json!({"gateway": "g"})).0,
        "InvalidParameterException"
    );
}

#[test]
fn t11_an_express_service_has_its_target_group_from_ecs() {
    let mut aws = Endpoint::new();
    let container = json!({"image": "app:1", "containerPort": 8080});
    let made = aws.ecs(
        "CreateExpressGatewayService",
        &json!({
            "cluster": "demo", "serviceName": "express", "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
            "primaryContainer": container, "healthCheckPath": "/ready",
        }),
    );
    aws.pass(180);
    let shown = described(&mut aws, "express");
    assert_eq!(
        (&shown["resourceManagementType"], &shown["loadBalancers"]),
        (&json!("ECS"), &json!([]))
    );
    let path = managed(&mut aws, "express")["ingressPaths"][0].clone();
    let group = &path["targetGroups"][0];
    assert_eq!(
        (&group["status"], &group["port"], &group["healthCheckPath"]),
        (&json!("ACTIVE"), &json!(8080), &json!("/ready"))
    );
    assert_eq!(registered(&mut aws, &group["arn"]), 1);
    let active = &made["service"]["activeConfigurations"][0];
    assert_eq!(active["ingressPaths"][0]["endpoint"], path["endpoint"]);
}

#[test]
fn t26_an_update_keeps_and_shows_the_threshold_of_the_circuit_breaker() {
    let mut aws = Endpoint::new();
    let breaker = json!({
        "enable": true, "rollback": false, "resetOnHealthyTask": false,
        "thresholdConfiguration": {"type": "COUNT", "value": 7},
    });
    let update = |breaker: &Value| {
        json!({
            "cluster": "demo", "service": "web", "forceNewDeployment": true,
            "deploymentConfiguration": {"deploymentCircuitBreaker": breaker},
        })
    };
    aws.ecs("UpdateService", &update(&breaker));
    let shown = described(&mut aws, "web");
    assert_eq!(shown["deploymentConfiguration"]["deploymentCircuitBreaker"], breaker);
    let listed = aws.ecs("ListServiceDeployments", &json!({"cluster": "demo", "service": "web"}));
    let arn = &listed["serviceDeployments"][0]["serviceDeploymentArn"];
    let answer = aws.ecs("DescribeServiceDeployments", &json!({"serviceDeploymentArns": [arn]}));
    assert_eq!(
        answer["serviceDeployments"][0]["deploymentCircuitBreaker"]["threshold"],
        7
    );
    let mut wrong = breaker;
    wrong["thresholdConfiguration"]["type"] = json!("BY_THE_MOON");
    assert!(!aws.ecs_refusal("UpdateService", &update(&wrong)).0.is_empty());
}
