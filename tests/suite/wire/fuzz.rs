//! Nothing that anybody sends makes the wire panic, and whatever it says stays readable.

mod mutate;
mod scenario;
mod volley;

use std::collections::BTreeSet;

use portzero_sim::scenario::Scenario;
use portzero_sim::wire::{HttpRequest, served};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::endpoint::{Endpoint, json_of, xml_of};

fn operations() -> Vec<&'static str> {
    portzero_sim::wire::ecs_operations().collect()
}

const ACTIONS: [&str; 27] = [
    "AddTags",
    "CreateListener",
    "CreateLoadBalancer",
    "CreateRule",
    "CreateTargetGroup",
    "CreateTrustStore",
    "DeleteListener",
    "DeleteLoadBalancer",
    "DeleteRule",
    "DeleteTargetGroup",
    "DescribeInstanceHealth",
    "DescribeLoadBalancerAttributes",
    "ModifyListener",
    "ModifyLoadBalancerAttributes",
    "ModifyRule",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "RegisterTargets",
    "RemoveTags",
    "DescribeTargetGroups",
    "DescribeTargetGroupAttributes",
    "DescribeTargetHealth",
    "DescribeLoadBalancers",
    "DescribeListeners",
    "DescribeRules",
    "DescribeTags",
    "DeregisterTargets",
];

/// Bodies made of the names and values that operations look for, in places where they may not be.
fn bodies() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "cluster",
        "service",
        "services",
        "tasks",
        "task",
        "taskDefinition",
        "family",
        "containerDefinitions",
        "name",
        "image",
        "memory",
        "portMappings",
        "hostPort",
        "containerPort",
        "networkMode",
        "tags",
        "include",
        "maxResults",
        "nextToken",
        "desiredCount",
        "deploymentConfiguration",
        "maximumPercent",
        "deploymentCircuitBreaker",
        "serviceName",
        "startedBy",
        "desiredStatus",
        "serviceDeploymentArn",
        "serviceDeploymentArns",
        "serviceRevisionArns",
        "containerInstances",
        "createdAt",
        "after",
        "status",
        "stopType",
        "clusters",
        "healthCheckGracePeriodSeconds",
        "forceNewDeployment",
        "requiresCompatibilities",
        "cpu",
        "clusterName",
        "loadBalancers",
        "targetGroupArn",
        "containerName",
        "networkConfiguration",
        "awsvpcConfiguration",
        "subnets",
        "capacityProviderStrategy",
        "capacityProvider",
        "launchType",
        "placementStrategy",
        "overrides",
        "containerOverrides",
        "count",
        "clientToken",
        "resourceArn",
        "key",
        "value",
        "tagKeys",
        "containerInstance",
        "taskDefinitions",
        "protectionEnabled",
        "expiresInMinutes",
        "hookId",
        "force",
    ]);
    let scalars = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "demo", "web", "api", "web:1", "", "/", ":", "a/b/c", "awsvpc", "RUNNING", "FARGATE"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let values = scalars.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    });
    // Most of them reach the operation, and know the cluster.
    (values, any::<bool>()).prop_map(|(mut value, knows)| {
        if let (Value::Object(members), true) = (&mut value, knows) {
            members.insert("cluster".into(), "demo".into());
            members.entry("service").or_insert("web".into());
        }
        value
    })
}

/// The million is for `cargo run --release --example fuzz-wire -- --count 1000000`.
#[test]
fn no_volley_of_random_requests_makes_the_wire_panic() {
    let scenario = Scenario::read(scenario::SCENARIO, "fuzz.yml").expect("a scenario");
    let seeds = mutate::Seeds::new();
    let good: u64 = (0..6)
        .map(|seed| volley::send(&scenario, &seeds, seed, volley::VOLLEY, &|_| {}))
        .sum();
    // Requests that all fail would try nothing.
    assert!(good > 6 * volley::VOLLEY / 10, "{good}");
    let again: u64 = (0..6)
        .map(|seed| volley::send(&scenario, &seeds, seed, volley::VOLLEY, &|_| {}))
        .sum();
    assert_eq!(good, again, "a seed is a volley");
}

#[test]
fn the_fuzzer_knows_a_request_for_every_operation_that_is_served() {
    let mut known: BTreeSet<(&str, &str)> = mutate::ecs_bodies()
        .into_iter()
        .map(|(name, _)| ("ecs", name))
        .collect();
    known.extend(mutate::forms().into_iter().map(|(version, action, _)| match version {
        "2011-06-15" => ("sts", action),
        _ => ("elasticloadbalancing", action),
    }));
    let scaling = mutate::scaling_bodies().into_iter();
    known.extend(scaling.map(|(name, _)| ("application-autoscaling", name)));
    known.extend(mutate::log_bodies().into_iter().map(|(name, _)| ("logs", name)));
    let unknown: Vec<_> = served()
        .into_iter()
        .filter(|operation| !known.contains(operation))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Found by the fuzzer.
#[test]
fn numbers_at_the_end_of_their_range_are_no_end_of_the_world() {
    let mut aws = Endpoint::new();
    let largest = |key: &str| {
        serde_json::json!({"family": "web", "containerDefinitions": [{
            "name": "web", "image": "web:2", "memory": 4, key: i64::MAX,
            "portMappings": [{"containerPort": 3000, "hostPort": 0}],
            "healthCheck": {"command": ["CMD", "true"], "interval": u64::MAX, "retries": u32::MAX, "startPeriod": u64::MAX},
        }, {"name": "side", "image": "side:1", "memory": 4, key: i64::MAX}]})
    };
    let deploy = serde_json::json!({"cluster": "demo", "service": "web", "taskDefinition": "web", "desiredCount": 5});
    for key in ["cpu", "memory", "memoryReservation", "hostPort"] {
        aws.raw("RegisterTaskDefinition", largest(key).to_string());
        aws.raw("UpdateService", deploy.to_string());
        aws.world.advance(aws.world.now() + std::time::Duration::from_secs(120));
        let listed = json_of(&aws.raw("ListContainerInstances", r#"{"cluster":"demo"}"#));
        let body = serde_json::json!({"cluster": "demo", "containerInstances": listed["containerInstanceArns"]});
        assert_eq!(aws.raw("DescribeContainerInstances", body.to_string()).status, 200);
    }
}

proptest! {
    #[test]
    fn no_body_makes_an_ecs_operation_panic(
        calls in prop::collection::vec((prop::sample::select(operations()), bodies()), 1..6)
    ) {
        let mut aws = Endpoint::new();
        for (operation, body) in calls {
            let response = aws.raw(operation, body.to_string());
            let document = json_of(&response);
            prop_assert_eq!(response.status == 200, document.get("__type").is_none(), "{}", document);
        }
    }

    #[test]
    fn no_bytes_make_the_wire_panic(
        body in prop::collection::vec(any::<u8>(), 0..200), operation in prop::sample::select(operations())
    ) {
        let mut aws = Endpoint::new();
        json_of(&aws.raw(operation, body.clone()));
        aws.send(&HttpRequest { method: "POST".into(), path: "/".into(), headers: Vec::new(), body });
    }

    #[test]
    fn no_form_makes_a_query_action_panic(
        action in prop::sample::select(ACTIONS.to_vec()),
        fields in prop::collection::vec((prop::sample::select(vec![
            "TargetGroupArn", "TargetGroupArns.member.1", "Names.member.1", "LoadBalancerArn", "ListenerArn", "Marker",
            "LoadBalancerArns.member.1", "ListenerArns.member.1", "RuleArns.member.1", "ResourceArns.member.1",
            "PageSize", "Targets.member.1.Id", "Targets.member.1.Port", "Targets.member.2.", "Version", "Action",
            "Name", "Protocol", "Port", "VpcId", "Subnets.member.1", "Subnets.member.2", "RuleArn", "Priority",
            "DefaultActions.member.1.Type", "DefaultActions.member.1.TargetGroupArn", "Actions.member.1.Type",
            "Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight", "Conditions.member.1.Field",
            "Conditions.member.1.Values.member.1", "Attributes.member.1.Key", "Attributes.member.1.Value",
            "HealthCheckIntervalSeconds", "HealthCheckEnabled", "Matcher.HttpCode", "Tags.member.1.Key",
        ]), prop_oneof![
            prop::sample::select(vec![
                "web", "1", "0", "65536", "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/1",
                "arn:aws:elasticloadbalancing:::listener", "arn:aws:elasticloadbalancing:::::", "2011-06-15",
                "2012-06-01", "HTTP", "TCP", "forward", "redirect", "host-header", "vpc-0a1b2c3d", "true", "-1", "299-",
                "deregistration_delay.timeout_seconds", "4294967296", "i-0abc", "10.0.0.1",
            ]).prop_map(str::to_owned),
            ".{0,20}",
        ]), 0..6),
        knows in any::<bool>(),
    ) {
        let mut aws = Endpoint::new();
        let group = aws.target_group("web");
        let mut all: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if knows {
            all.push(("TargetGroupArn", &group));
        }
        let response = aws.elb_raw(action, &all);
        let document = xml_of(&response);
        prop_assert_eq!(response.status == 200, document.get("ErrorResponse").is_none(), "{}", document);
    }
}
