//! Requests for the fuzzer: valid ones of every operation of the issue, their structured mutations, and raw noise.
//! Everything comes from one seed.

use portzero_sim::wire::HttpRequest;
use serde_json::{Map, Value, json};

const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef";

/// A valid body of each ECS operation that a deployment, or a tool for deployments, uses, served or not.
pub fn ecs_bodies() -> Vec<(&'static str, Value)> {
    let container = json!({
        "name": "web", "image": "web:2", "cpu": 64, "memory": 128, "memoryReservation": 64, "essential": true,
        "portMappings": [{"containerPort": 3000, "hostPort": 0, "protocol": "tcp"}],
        "environment": [{"name": "A", "value": "b"}], "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:x"}],
        "healthCheck": {"command": ["CMD", "true"], "interval": 5, "retries": 3, "startPeriod": 0},
        "dependsOn": [{"containerName": "web", "condition": "START"}], "stopTimeout": 30,
    });
    let configuration = json!({
        "maximumPercent": 200, "minimumHealthyPercent": 50, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": true, "rollback": true, "resetOnHealthyTask": false,
            "thresholdConfiguration": {"type": "COUNT", "value": 7}},
        "earlySuccessCriteria": {"enable": true, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"},
        "alarms": {"alarmNames": ["a"], "enable": true, "rollback": true},
        "lifecycleHooks": [{"hookTargetArn": "arn:aws:lambda:x", "roleArn": "arn:aws:iam::1:role/x", "lifecycleStages": ["BAKE_TIME"]}],
    });
    let balancers = json!([{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 3000}]);
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}});
    let tags = json!([{"key": "k", "value": "v"}]);
    let deployment = "arn:aws:ecs:us-east-1:111122223333:service-deployment/demo/web/abcdefghijklmnopqrstu";
    let revision = "arn:aws:ecs:us-east-1:111122223333:service-revision/demo/web/1234567890123456789";
    let arn = "arn:aws:ecs:us-east-1:111122223333:service/demo/web";
    vec![
        (
            "CreateCluster",
            json!({"clusterName": "more", "tags": tags, "settings": [{"name": "containerInsights", "value": "enabled"}]}),
        ),
        ("DeleteCluster", json!({"cluster": "more"})),
        (
            "DescribeClusters",
            json!({"clusters": ["demo", "nothing"], "include": ["TAGS", "STATISTICS", "SETTINGS"]}),
        ),
        ("ListClusters", json!({"maxResults": 1, "nextToken": "302064656d6f"})),
        (
            "RegisterTaskDefinition",
            json!({
                "family": "web", "networkMode": "bridge", "containerDefinitions": [container], "volumes": [{"name": "v", "host": {}}],
                "placementConstraints": [], "requiresCompatibilities": ["EC2"], "cpu": "256", "memory": "512", "tags": tags,
                "taskRoleArn": "arn:aws:iam::1:role/a", "executionRoleArn": "arn:aws:iam::1:role/b",
                "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
            }),
        ),
        (
            "DescribeTaskDefinition",
            json!({"taskDefinition": "web:1", "include": ["TAGS"]}),
        ),
        (
            "ListTaskDefinitions",
            json!({"familyPrefix": "web", "status": "ACTIVE", "sort": "DESC", "maxResults": 10}),
        ),
        (
            "ListTaskDefinitionFamilies",
            json!({"familyPrefix": "w", "status": "ALL"}),
        ),
        ("DeregisterTaskDefinition", json!({"taskDefinition": "web:1"})),
        ("DeleteTaskDefinitions", json!({"taskDefinitions": ["web:1"]})),
        (
            "CreateService",
            json!({
                "cluster": "demo", "serviceName": "new", "taskDefinition": "web:1", "desiredCount": 1, "launchType": "EC2",
                "loadBalancers": balancers, "deploymentConfiguration": configuration, "networkConfiguration": network,
                "healthCheckGracePeriodSeconds": 30, "schedulingStrategy": "REPLICA", "deploymentController": {"type": "ECS"},
                "placementStrategy": [{"type": "spread", "field": "instanceId"}], "placementConstraints": [{"type": "distinctInstance"}],
                "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}], "tags": tags, "clientToken": "t",
            }),
        ),
        (
            "UpdateService",
            json!({
                "cluster": "demo", "service": "web", "taskDefinition": "web", "desiredCount": 3, "forceNewDeployment": true,
                "deploymentConfiguration": configuration, "healthCheckGracePeriodSeconds": 60, "loadBalancers": balancers,
                "networkConfiguration": network, "deploymentController": {"type": "ECS"}, "availabilityZoneRebalancing": "ENABLED",
            }),
        ),
        (
            "DeleteService",
            json!({"cluster": "demo", "service": "web", "force": true}),
        ),
        (
            "DescribeServices",
            json!({"cluster": "demo", "services": ["web", arn, "nothing"], "include": ["TAGS"]}),
        ),
        (
            "ListServices",
            json!({"cluster": "demo", "launchType": "EC2", "schedulingStrategy": "REPLICA", "maxResults": 1}),
        ),
        (
            "ListTasks",
            json!({
                "cluster": "demo", "serviceName": "web", "desiredStatus": "STOPPED", "family": "web", "launchType": "EC2",
                "containerInstance": "a", "maxResults": 5,
            }),
        ),
        ("ListTasks", json!({"cluster": "demo", "startedBy": "ecs-svc/1"})),
        (
            "DescribeTasks",
            json!({"cluster": "demo", "tasks": ["a", "arn:aws:ecs:us-east-1:1:task/demo/b"], "include": ["TAGS"]}),
        ),
        ("StopTask", json!({"cluster": "demo", "task": "a", "reason": "why"})),
        (
            "RunTask",
            json!({
                "cluster": "demo", "taskDefinition": "web", "count": 2, "launchType": "EC2", "startedBy": "me",
                "overrides": {"containerOverrides": [{"name": "web", "command": ["a"], "environment": []}]}, "tags": tags,
                "networkConfiguration": network, "group": "g", "clientToken": "c",
            }),
        ),
        (
            "ListContainerInstances",
            json!({"cluster": "demo", "status": "ACTIVE", "filter": "running==true", "maxResults": 1}),
        ),
        (
            "DescribeContainerInstances",
            json!({"cluster": "demo", "containerInstances": ["a"], "include": ["TAGS"]}),
        ),
        (
            "UpdateContainerInstancesState",
            json!({"cluster": "demo", "containerInstances": ["a"], "status": "DRAINING"}),
        ),
        (
            "ListServiceDeployments",
            json!({
                "cluster": "demo", "service": "web", "status": ["SUCCESSFUL"], "createdAt": {"after": 1.0, "before": 2e9},
            }),
        ),
        (
            "DescribeServiceDeployments",
            json!({"serviceDeploymentArns": [deployment]}),
        ),
        ("DescribeServiceRevisions", json!({"serviceRevisionArns": [revision]})),
        (
            "StopServiceDeployment",
            json!({"serviceDeploymentArn": deployment, "stopType": "ROLLBACK"}),
        ),
        (
            "ContinueServiceDeployment",
            json!({"serviceDeploymentArn": deployment, "hookId": "h", "action": "CONTINUE"}),
        ),
        (
            "UpdateTaskProtection",
            json!({"cluster": "demo", "tasks": ["a"], "protectionEnabled": true, "expiresInMinutes": 5}),
        ),
        ("GetTaskProtection", json!({"cluster": "demo", "tasks": ["a"]})),
        ("TagResource", json!({"resourceArn": arn, "tags": tags})),
        ("UntagResource", json!({"resourceArn": arn, "tagKeys": ["k"]})),
        ("ListTagsForResource", json!({"resourceArn": arn})),
        (
            "CreateGateway",
            json!({
                "name": "g", "infrastructureRoleArn": "arn:aws:iam::1:role/x", "tags": tags,
                "configuration": {"hostSharedAlb": {"scheme": "internal", "port": 443}},
            }),
        ),
        (
            "AssociateGatewayWithCluster",
            json!({"gateway": "g", "cluster": "demo"}),
        ),
        ("DescribeGateway", json!({"gateway": "g"})),
        ("DescribeGatewayResources", json!({"gateway": "g"})),
        (
            "ListGateways",
            json!({"names": ["g"], "status": ["ACTIVE"], "maxResults": 1}),
        ),
        (
            "ListGatewayClusterAssociations",
            json!({"gateway": "g", "cluster": "demo", "status": ["ACTIVE"]}),
        ),
        (
            "ListGatewayRoutes",
            json!({"gateway": "g", "cluster": "demo", "service": "web", "status": ["ACTIVE"]}),
        ),
        ("DescribeGatewayRoute", json!({"gatewayRouteArn": arn})),
        (
            "DisassociateGatewayFromCluster",
            json!({"gateway": "g", "cluster": "demo"}),
        ),
        ("DeleteGateway", json!({"gateway": "g"})),
        (
            "CreateExpressGatewayService",
            json!({
                "cluster": "demo", "serviceName": "x", "infrastructureRoleArn": "arn:aws:iam::1:role/x",
                "executionRoleArn": "arn:aws:iam::1:role/y", "cpu": "256", "memory": "512", "tags": tags,
                "primaryContainer": {"image": "web:2", "containerPort": 80, "command": ["a"],
                    "awsLogsConfiguration": {"logGroup": "g"}, "environment": [{"name": "A", "value": "b"}]},
                "scalingTarget": {"minTaskCount": 1}, "networkConfiguration": {"subnets": ["subnet-1"]},
            }),
        ),
        (
            "DescribeExpressGatewayService",
            json!({"serviceArn": "arn:aws:ecs:us-east-1:111122223333:service/demo/x", "include": ["TAGS"]}),
        ),
        (
            "UpdateExpressGatewayService",
            json!({"serviceArn": "arn:aws:ecs:us-east-1:111122223333:service/demo/x", "healthCheckPath": "/"}),
        ),
        (
            "DeleteExpressGatewayService",
            json!({"serviceArn": "arn:aws:ecs:us-east-1:111122223333:service/demo/x"}),
        ),
    ]
}

/// The same of Application Auto Scaling.
pub fn scaling_bodies() -> Vec<(&'static str, Value)> {
    let target = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/demo/web", "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 1, "MaxCapacity": 4,
    });
    let described = json!({"ServiceNamespace": "ecs", "ResourceIds": ["service/demo/web"], "MaxResults": 1});
    vec![
        ("RegisterScalableTarget", target),
        ("DescribeScalableTargets", described),
        (
            "DeregisterScalableTarget",
            json!({
                "ServiceNamespace": "ecs", "ResourceId": "service/demo/web", "ScalableDimension": "ecs:service:DesiredCount",
            }),
        ),
    ]
}

/// Bodies of CloudWatch Logs' requests.
pub fn log_bodies() -> Vec<(&'static str, Value)> {
    vec![(
        "GetLogEvents",
        json!({
            "logGroupName": "/ecs/web", "logStreamName": "web/web/0123456789abcdef0123456789abcdef", "limit": 10,
            "startFromHead": false, "startTime": 0, "endTime": 1_800_000_000_000_u64, "nextToken": "f/1/s",
        }),
    )]
}

type Fields = &'static [(&'static str, &'static str)];

/// Valid forms of both versions of Elastic Load Balancing and of STS: version, action, fields.
pub fn forms() -> Vec<(&'static str, &'static str, Fields)> {
    const V2: &str = "2015-12-01";
    const V1: &str = "2012-06-01";
    const BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/web/0123456789abcdef";
    const LISTENER: &str =
        "arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/app/web/0123456789abcdef/0123456789abcdef";
    const RULE: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:listener-rule/app/web/0/1/2";
    vec![
        (
            V2,
            "CreateTargetGroup",
            &[
                ("Name", "more"),
                ("Protocol", "HTTP"),
                ("Port", "80"),
                ("VpcId", "vpc-0a1b2c3d"),
                ("TargetType", "instance"),
                ("HealthCheckPath", "/"),
                ("HealthCheckIntervalSeconds", "10"),
                ("Matcher.HttpCode", "200-299"),
                ("Tags.member.1.Key", "k"),
                ("Tags.member.1.Value", "v"),
            ],
        ),
        (
            V2,
            "DescribeTargetGroups",
            &[("Names.member.1", "web"), ("PageSize", "1")],
        ),
        (V2, "DescribeTargetGroups", &[("TargetGroupArns.member.1", GROUP)]),
        (
            V2,
            "DescribeTargetGroups",
            &[("LoadBalancerArn", BALANCER), ("Marker", "30")],
        ),
        (
            V2,
            "ModifyTargetGroup",
            &[
                ("TargetGroupArn", GROUP),
                ("HealthCheckPath", "/x"),
                ("HealthyThresholdCount", "3"),
            ],
        ),
        (V2, "DeleteTargetGroup", &[("TargetGroupArn", GROUP)]),
        (V2, "DescribeTargetGroupAttributes", &[("TargetGroupArn", GROUP)]),
        (
            V2,
            "ModifyTargetGroupAttributes",
            &[
                ("TargetGroupArn", GROUP),
                ("Attributes.member.1.Key", "deregistration_delay.timeout_seconds"),
                ("Attributes.member.1.Value", "30"),
            ],
        ),
        (
            V2,
            "CreateLoadBalancer",
            &[
                ("Name", "more"),
                ("Subnets.member.1", "subnet-1"),
                ("Subnets.member.2", "subnet-2"),
                ("Type", "application"),
                ("Scheme", "internal"),
            ],
        ),
        (
            V2,
            "DescribeLoadBalancers",
            &[("Names.member.1", "web"), ("PageSize", "400")],
        ),
        (V2, "DeleteLoadBalancer", &[("LoadBalancerArn", BALANCER)]),
        (
            V2,
            "CreateListener",
            &[
                ("LoadBalancerArn", BALANCER),
                ("Protocol", "HTTP"),
                ("Port", "81"),
                ("DefaultActions.member.1.Type", "forward"),
                ("DefaultActions.member.1.TargetGroupArn", GROUP),
            ],
        ),
        (V2, "DescribeListeners", &[("LoadBalancerArn", BALANCER)]),
        (V2, "ModifyListener", &[("ListenerArn", LISTENER), ("Port", "82")]),
        (V2, "DeleteListener", &[("ListenerArn", LISTENER)]),
        (
            V2,
            "CreateRule",
            &[
                ("ListenerArn", LISTENER),
                ("Priority", "1"),
                ("Conditions.member.1.Field", "path-pattern"),
                ("Conditions.member.1.Values.member.1", "/x"),
                ("Actions.member.1.Type", "forward"),
                ("Actions.member.1.TargetGroupArn", GROUP),
            ],
        ),
        (V2, "DescribeRules", &[("ListenerArn", LISTENER)]),
        (
            V2,
            "ModifyRule",
            &[
                ("RuleArn", RULE),
                (
                    "Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn",
                    GROUP,
                ),
                ("Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight", "100"),
            ],
        ),
        (
            V2,
            "SetRulePriorities",
            &[
                ("RulePriorities.member.1.RuleArn", RULE),
                ("RulePriorities.member.1.Priority", "5"),
            ],
        ),
        (V2, "DeleteRule", &[("RuleArn", RULE)]),
        (V2, "DescribeLoadBalancerAttributes", &[("LoadBalancerArn", BALANCER)]),
        (
            V2,
            "ModifyLoadBalancerAttributes",
            &[
                ("LoadBalancerArn", BALANCER),
                ("Attributes.member.1.Key", "deletion_protection.enabled"),
                ("Attributes.member.1.Value", "true"),
            ],
        ),
        (
            V2,
            "AddTags",
            &[
                ("ResourceArns.member.1", GROUP),
                ("Tags.member.1.Key", "k"),
                ("Tags.member.1.Value", "v"),
            ],
        ),
        (
            V2,
            "RemoveTags",
            &[("ResourceArns.member.1", GROUP), ("TagKeys.member.1", "k")],
        ),
        (V2, "DescribeTags", &[("ResourceArns.member.1", GROUP)]),
        (
            V2,
            "RegisterTargets",
            &[
                ("TargetGroupArn", GROUP),
                ("Targets.member.1.Id", "i-0123"),
                ("Targets.member.1.Port", "32768"),
            ],
        ),
        (
            V2,
            "DeregisterTargets",
            &[
                ("TargetGroupArn", GROUP),
                ("Targets.member.1.Id", "i-0123"),
                ("Targets.member.1.Port", "32768"),
            ],
        ),
        (
            V2,
            "DescribeTargetHealth",
            &[
                ("TargetGroupArn", GROUP),
                ("Targets.member.1.Id", "i-0123"),
                ("Targets.member.1.Port", "32768"),
            ],
        ),
        (
            V1,
            "DescribeLoadBalancers",
            &[("LoadBalancerNames.member.1", "classic"), ("PageSize", "1")],
        ),
        (V1, "DescribeLoadBalancerAttributes", &[("LoadBalancerName", "classic")]),
        (
            V1,
            "DescribeInstanceHealth",
            &[
                ("LoadBalancerName", "classic"),
                ("Instances.member.1.InstanceId", "i-0123"),
            ],
        ),
        ("2011-06-15", "GetCallerIdentity", &[]),
        (
            "2011-06-15",
            "AssumeRoleWithWebIdentity",
            &[
                ("RoleArn", "arn:aws:iam::111122223333:role/deploy"),
                ("RoleSessionName", "fuzz"),
                (
                    "WebIdentityToken",
                    "e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImF1ZCI6ImEifQ.c2ln",
                ),
                ("DurationSeconds", "900"),
            ],
        ),
    ]
}

/// What stands in the place of a value: names that the world knows, edges of numbers, and what no reader expects.
fn odd(rng: &mut fastrand::Rng) -> Value {
    const TEXTS: [&str; 30] = [
        "",
        "demo",
        "web",
        "api",
        "web:1",
        "web:0",
        "web:99999999999999999999",
        ":",
        "/",
        "a/b/c/d",
        "arn:aws:ecs:::",
        GROUP,
        "arn:aws:elasticloadbalancing:::listener",
        "RUNNING",
        "FARGATE",
        "awsvpc",
        "bridge",
        "host",
        "none",
        "DAEMON",
        "-1",
        "0",
        "65535",
        "65536",
        "4294967296",
        "9223372036854775807",
        "\u{0}",
        "é\u{202e}\u{1F600}",
        "%",
        "302064656d6f",
    ];
    match rng.u8(..12) {
        0 => Value::Null,
        1 => Value::from(rng.bool()),
        2 => json!(*pick(
            rng,
            &[
                0_i64,
                1,
                -1,
                2,
                80,
                65_535,
                65_536,
                2_147_483_647,
                4_294_967_295,
                i64::MAX,
                i64::MIN
            ]
        )),
        3 => json!(*pick(
            rng,
            &[0.5, -0.0, 1e300, -1e300, f64::MIN_POSITIVE, 1.620282875304E9]
        )),
        4 => Value::from("A".repeat(rng.usize(..3000))),
        5 => (0..rng.usize(..120)).map(|n| Value::from(format!("n{n}"))).collect(),
        6 => json!({}),
        7 => json!([[[[]]]]),
        8 => Value::from((0..rng.usize(..24)).map(|_| rng.char(..)).collect::<String>()),
        _ => Value::from(*pick(rng, &TEXTS)),
    }
}

fn pick<'a, T>(rng: &mut fastrand::Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

/// Changes something somewhere in a document.
fn mutate(rng: &mut fastrand::Rng, value: &mut Value, depth: usize) {
    let goes_deeper = depth < 6 && rng.u8(..4) > 0;
    match value {
        Value::Object(members) if goes_deeper && !members.is_empty() => {
            let place = rng.usize(..members.len());
            let key = members.keys().nth(place).cloned().unwrap_or_default();
            match rng.u8(..10) {
                0 => drop(members.remove(&key)),
                1 => {
                    let moved = members.remove(&key).unwrap_or_default();
                    let to = members.keys().next().cloned().unwrap_or_else(|| "x".into());
                    members.insert(to, moved);
                }
                _ => {
                    if let Some(inner) = members.get_mut(&key) {
                        mutate(rng, inner, depth + 1);
                    }
                }
            }
        }
        Value::Array(items) if goes_deeper && !items.is_empty() => {
            let place = rng.usize(..items.len());
            match rng.u8(..8) {
                0 => drop(items.remove(place)),
                1 => items.push(items[place].clone()),
                _ => mutate(rng, &mut items[place], depth + 1),
            }
        }
        other => *other = odd(rng),
    }
}

/// Breaks bytes.
fn garble(rng: &mut fastrand::Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.usize(1..4) {
        match (rng.u8(..4), bytes.len()) {
            (_, 0) => bytes.push(rng.u8(..)),
            (0, length) => bytes.truncate(rng.usize(..length)),
            (1, length) => bytes[rng.usize(..length)] = rng.u8(..),
            (2, length) => bytes.insert(rng.usize(..length), rng.u8(..)),
            (_, length) => {
                let (from, to) = (rng.usize(..length), rng.usize(..length));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.extend(piece);
            }
        }
    }
    bytes
}

/// What requests are made from; made once, for a million of them.
pub struct Seeds {
    json: Vec<(String, Value)>,
    forms: Vec<(&'static str, &'static str, Fields)>,
}

impl Seeds {
    pub fn new() -> Self {
        let ecs = ecs_bodies().into_iter();
        let ecs = ecs.map(|(name, body)| (format!("AmazonEC2ContainerServiceV20141113.{name}"), body));
        let scaling = scaling_bodies()
            .into_iter()
            .map(|(name, body)| (format!("AnyScaleFrontendService.{name}"), body));
        let logs = log_bodies()
            .into_iter()
            .map(|(name, body)| (format!("Logs_20140328.{name}"), body));
        Self {
            json: ecs.chain(scaling).chain(logs).collect(),
            forms: forms(),
        }
    }

    /// One request: a valid one, one with a few members changed, one with broken bytes, or noise. `known` are strings
    /// that the world really has: ids and ARNs.
    pub fn request(&self, rng: &mut fastrand::Rng, known: &[String]) -> HttpRequest {
        let changes = *pick(rng, &[0, 1, 1, 2, 4]);
        let (headers, body) = if rng.u8(..3) > 0 {
            self.json(rng, changes, known)
        } else {
            self.form(rng, changes, known)
        };
        let body = match rng.u8(..20) {
            0 => (0..rng.usize(..200)).map(|_| rng.u8(..)).collect(),
            1 | 2 => garble(rng, body),
            _ => body,
        };
        HttpRequest {
            method: "POST".into(),
            path: "/".into(),
            headers,
            body,
        }
    }

    fn json(&self, rng: &mut fastrand::Rng, changes: usize, known: &[String]) -> (Vec<(String, String)>, Vec<u8>) {
        let (target, body) = pick(rng, &self.json);
        let mut body = body.clone();
        acquaint(rng, &mut body, known);
        for _ in 0..changes {
            mutate(rng, &mut body, 0);
        }
        (
            vec![("X-Amz-Target".into(), target.clone())],
            body.to_string().into_bytes(),
        )
    }

    fn form(&self, rng: &mut fastrand::Rng, changes: usize, known: &[String]) -> (Vec<(String, String)>, Vec<u8>) {
        let (version, action, fields) = pick(rng, &self.forms);
        let plain = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let mut body: Map<String, Value> = plain.collect();
        body.values_mut().for_each(|value| acquaint(rng, value, known));
        let mut body = Value::Object(body);
        for _ in 0..changes {
            mutate(rng, &mut body, 0);
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version);
        for (name, value) in body.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form.append_pair(name, &text);
        }
        let headers = vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())];
        (headers, form.finish().into_bytes())
    }
}

/// Puts names of the world where the examples have made-up ones, so that requests reach beyond `not found`.
fn acquaint(rng: &mut fastrand::Rng, value: &mut Value, known: &[String]) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|inner| acquaint(rng, inner, known)),
        Value::Array(items) => items.iter_mut().for_each(|inner| acquaint(rng, inner, known)),
        Value::String(text) if text == "a" || text.starts_with("arn:") || text.starts_with("i-") => {
            let kind = |text: &str| {
                text.split(':')
                    .nth(5)
                    .map(|last| last.split('/').next().unwrap_or_default().to_owned())
            };
            let like: Vec<&String> = known.iter().filter(|name| kind(name) == kind(text)).collect();
            if !like.is_empty() && rng.u8(..4) > 0 {
                text.clone_from(like[rng.usize(..like.len())]);
            }
        }
        _ => {}
    }
}
