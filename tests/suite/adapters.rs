//! The AWS adapters against a scripted server: what goes over the wire, and what becomes of every bad answer.

use portzero_core::aws_model::failed_call;
use portzero_core::aws_model::service::ServiceUpdate;
use portzero_core::base::id::{ClusterName, ServiceName, TargetGroupArn, TaskArn};
use portzero_core::base::time::Timestamp;
use portzero_core::port::{ApiErrorKind, Ecs, LoadBalancing};
use serde_json::{Value, json};

use crate::support::loopback::{Answer, Loopback};
use crate::support::{VirtualClock, connect, run};

const REVISION: &str = "arn:aws:ecs:us-east-1:111122223333:task-definition/web:7";
const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

fn registered() -> Answer {
    Answer::json(json!({"taskDefinition": {"taskDefinitionArn": REVISION, "family": "web"}}).to_string())
}

fn update() -> ServiceUpdate {
    ServiceUpdate {
        cluster: "staging".into(),
        service: "web".into(),
        task_definition: REVISION.into(),
        force_new_deployment: true,
    }
}

fn updated() -> Answer {
    Answer::json(r#"{"service":{"serviceName":"web","status":"ACTIVE"}}"#)
}

#[test]
fn a_registered_document_is_sent_byte_for_byte_and_signed() {
    let text = r#"{"zeta":{"unknown":1.50},"family":"web","containerDefinitions":[{"name":"ü","cpu":0}],"alpha":[]}"#;
    let document: Value = serde_json::from_str(text).expect("JSON");
    let server = Loopback::answering([registered()]);
    let clock = VirtualClock::default();
    let arn = run(async {
        connect(&server.url, &clock)
            .await
            .register_task_definition(&document)
            .await
    });

    assert_eq!(arn.expect("registered").revision.arn.as_str(), REVISION);
    let request = &server.requests()[0];
    assert_eq!(request.body, text);
    assert_eq!(request.header("content-length"), text.len().to_string());
    assert_eq!(
        request.header("x-amz-target"),
        "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition"
    );
    assert_eq!(request.header("content-type"), "application/x-amz-json-1.1");
    assert!(request.header("authorization").contains("/us-east-1/ecs/aws4_request"));
}

#[test]
fn an_update_sends_the_revision_and_the_force_and_nothing_else() {
    let server = Loopback::answering([updated()]);
    let clock = VirtualClock::default();
    run(async { connect(&server.url, &clock).await.update_service(&update()).await }).expect("updated");

    let sent: Value = serde_json::from_str(&server.requests()[0].body).expect("JSON");
    assert_eq!(
        sent,
        json!({"cluster": "staging", "service": "web", "taskDefinition": REVISION, "forceNewDeployment": true})
    );
}

#[test]
fn a_throttled_update_is_repeated_after_a_wait_and_counted() {
    let server = Loopback::answering([Answer::error(400, THROTTLED), Answer::error(400, THROTTLED), updated()]);
    let clock = VirtualClock::default();
    let counts = run(async {
        let aws = connect(&server.url, &clock).await;
        aws.update_service(&update()).await.expect("updated in the end");
        aws.request_counts()
    });

    assert_eq!(counts.by_action.get("UpdateService"), Some(&3));
    assert_eq!((counts.throttled, counts.retried), (2, 2));
    let waits = clock.slept.borrow();
    assert!(waits.len() == 2 && waits[0] < waits[1], "{waits:?}");
}

#[test]
fn an_update_whose_fate_is_unknown_is_not_repeated() {
    for broken in [
        Answer::Reset,
        Answer::error(500, r#"{"__type":"ServerException"}"#),
        Answer::error(503, "<html>busy</html>"),
        Answer::Truncated { body: "{\"serv".into() },
    ] {
        let server = Loopback::answering([broken.clone(), updated()]);
        let clock = VirtualClock::default();
        let error = run(async { connect(&server.url, &clock).await.update_service(&update()).await })
            .expect_err("nobody knows whether it was carried out");
        assert_eq!(
            (error.kind, server.requests().len()),
            (ApiErrorKind::Transient, 1),
            "{broken:?}"
        );
    }
}

#[test]
fn a_connection_that_was_never_made_is_tried_again_even_for_an_update() {
    let refusing = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let clock = VirtualClock::default();
    let (error, counts) = run(async {
        let aws = connect(&refusing, &clock).await;
        (
            aws.update_service(&update()).await.expect_err("nobody listens"),
            aws.request_counts(),
        )
    });
    assert_eq!(error.kind, ApiErrorKind::Transient);
    assert!(error.message.starts_with("cannot connect: "), "{error}");
    assert_eq!(counts.retried, 7);
}

#[test]
fn two_registrations_at_once_are_no_failure() {
    let busy = r#"{"__type":"ClientException","message":"Too many concurrent attempts to create a new revision of the specified family."}"#;
    let server = Loopback::answering([Answer::error(400, busy), Answer::Reset, registered()]);
    let clock = VirtualClock::default();
    let document = json!({"family": "web"});
    let arn = run(async {
        connect(&server.url, &clock)
            .await
            .register_task_definition(&document)
            .await
    });
    let made = arn.expect("registered in the end");
    assert_eq!((made.revision.arn.revision(), made.unanswered), (Some(7), 1));
}

#[test]
fn a_read_gives_up_after_its_second_try_and_says_what_came_back() {
    let html = "<html>\n<body>  Service   Unavailable</body></html>";
    let cases = [
        (
            Answer::error(500, html),
            Some(500),
            "HTTP status 500, which says `<html> <body> Service Unavailable",
        ),
        (Answer::json(html), Some(200), "the answer cannot be read: `<html>"),
        (
            Answer::Reset,
            None,
            "the connection broke before the answer was complete",
        ),
        (
            Answer::Truncated { body: "{}".into() },
            Some(200),
            "the connection broke before the answer was complete",
        ),
    ];
    for (answer, status, start) in cases {
        let server = Loopback::answering([answer.clone(), answer.clone(), answer.clone()]);
        let clock = VirtualClock::default();
        let error = run(async { connect(&server.url, &clock).await.list_clusters().await }).expect_err("not an answer");
        assert_eq!(
            (error.kind, error.status),
            (ApiErrorKind::Transient, status),
            "{answer:?}: {error}"
        );
        assert!(error.message.starts_with(start), "{answer:?}: {error}");
        assert_eq!(server.requests().len(), 2, "{answer:?}");
    }
}

#[test]
fn a_denial_with_a_capital_message_is_told_in_full() {
    let text = "User: arn:aws:sts::111122223333:assumed-role/ci/x is not authorized to perform: ecs:DescribeServices";
    let body = json!({"__type": "com.amazonaws.ecs#AccessDeniedException", "Message": text}).to_string();
    let server = Loopback::answering([Answer::error(400, body)]);
    let clock = VirtualClock::default();
    let error = run(async {
        let aws = connect(&server.url, &clock).await;
        aws.describe_services(&"staging".into(), &["web".into()]).await
    })
    .expect_err("denied");
    assert_eq!(
        (error.kind, error.request_id.as_deref()),
        (ApiErrorKind::Denied, Some("req-1"))
    );
    assert_eq!(
        error.to_string(),
        format!("ecs:DescribeServices on web: AccessDeniedException: {text}")
    );
}

#[test]
fn tasks_are_listed_running_and_stopped_over_all_pages_without_repetition() {
    let page =
        |arns: &[&str], token: Option<&str>| Answer::json(json!({"taskArns": arns, "nextToken": token}).to_string());
    let server = Loopback::answering([
        page(&["a", "b"], Some("2")),
        page(&["c"], None),
        page(&["c", "d"], None),
    ]);
    let clock = VirtualClock::default();
    let (cluster, service) = (ClusterName::from("staging"), ServiceName::from("web"));
    let tasks = run(async { connect(&server.url, &clock).await.list_tasks(&cluster, &service).await });

    let expected: Vec<TaskArn> = ["a", "b", "c", "d"].map(TaskArn::from).into();
    assert_eq!(tasks.expect("tasks"), expected);
    let asked: Vec<(Value, Value)> = server
        .requests()
        .iter()
        .map(|r| serde_json::from_str(&r.body).expect("JSON"))
        .map(|body: Value| (body["desiredStatus"].clone(), body["nextToken"].clone()))
        .collect();
    assert_eq!(
        asked,
        [
            (json!("RUNNING"), Value::Null),
            (json!("RUNNING"), json!("2")),
            (json!("STOPPED"), Value::Null)
        ]
    );
}

#[test]
fn services_are_described_ten_at_a_time_and_the_missing_are_named() {
    let server = Loopback::answering([
        Answer::json(r#"{"services":[{"serviceName":"s1","status":"PAUSED"}],"failures":[]}"#),
        Answer::json(
            r#"{"services":[],"failures":[{"arn":"arn:aws:ecs:r:a:service/staging/s11","reason":"MISSING"}]}"#,
        ),
    ]);
    let clock = VirtualClock::default();
    let names: Vec<ServiceName> = (1..=11).map(|n| ServiceName::new(format!("s{n}"))).collect();
    let described = run(async {
        let aws = connect(&server.url, &clock).await;
        aws.describe_services(&"staging".into(), &names).await
    })
    .expect("described");

    assert_eq!(described.services[0].status.as_str(), "PAUSED");
    assert_eq!(described.missing, ["s11"]);
    let asked: Vec<usize> = server
        .requests()
        .iter()
        .map(|r| {
            serde_json::from_str::<Value>(&r.body).expect("JSON")["services"]
                .as_array()
                .map_or(0, Vec::len)
        })
        .collect();
    assert_eq!(asked, [10, 1]);
}

#[test]
fn a_target_group_whose_attributes_are_denied_is_still_a_target_group() {
    let group = "<DescribeTargetGroupsResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
        <DescribeTargetGroupsResult><TargetGroups><member><TargetGroupArn>arn:aws:elasticloadbalancing:r:a:targetgroup/web/1</TargetGroupArn>\
        <TargetGroupName>web</TargetGroupName></member></TargetGroups></DescribeTargetGroupsResult></DescribeTargetGroupsResponse>";
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not authorized</Message>\
        </Error><RequestId>r</RequestId></ErrorResponse>";
    let server = Loopback::answering([Answer::xml(group), Answer::xml_error(403, denied)]);
    let clock = VirtualClock::default();
    let arn = TargetGroupArn::from("arn:aws:elasticloadbalancing:r:a:targetgroup/web/1");
    let (groups, delay) = run(async {
        let aws = connect(&server.url, &clock).await;
        let groups = aws.describe_target_groups(std::slice::from_ref(&arn)).await;
        (groups.expect("groups"), aws.deregistration_delay(&arn).await)
    });
    assert_eq!((groups[0].name.as_str(), groups[0].deregistration_delay), ("web", None));
    let denied = delay.expect_err("it is denied");
    assert_eq!(
        (denied.kind, denied.action),
        (
            ApiErrorKind::Denied,
            "elasticloadbalancing:DescribeTargetGroupAttributes"
        )
    );
}

/// AWS's refusal of a signature from a clock that is too slow.
const TOO_OLD: &str = r#"{"__type":"InvalidSignatureException","message":"Signature expired: 20260101T115000Z is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)"}"#;

fn signed_at(request: &crate::support::loopback::Request) -> Timestamp {
    Timestamp::parse(request.header("x-amz-date")).expect("a time")
}

#[test]
fn a_runner_whose_clock_is_ten_minutes_off_signs_by_awss_clock() {
    for (side, refusal) in [(600_i64, TOO_OLD), (-600, TOO_OLD)] {
        let dated = |answer| Answer::Dated {
            ahead_s: side,
            answer: Box::new(answer),
        };
        let listed = || dated(Answer::json(r#"{"clusterArns":[]}"#));
        let server = Loopback::answering([dated(Answer::error(400, refusal)), listed(), listed()]);
        let clock = VirtualClock::default();
        run(async {
            let aws = connect(&server.url, &clock).await;
            aws.list_clusters()
                .await
                .expect("the second request is signed by AWS's clock");
            aws.list_clusters().await.expect("and so is every later one");
        });
        let signed: Vec<i64> = server
            .requests()
            .iter()
            .map(|r| signed_at(r).as_millis() / 1000)
            .collect();
        assert_eq!(signed.len(), 3);
        for later in &signed[1..] {
            assert!((later - signed[0] - side).abs() < 60, "{side}: {signed:?}");
        }
    }
}

#[test]
fn a_wrong_clock_that_nothing_corrects_is_called_by_its_name() {
    let server = Loopback::answering([Answer::error(400, TOO_OLD), Answer::error(400, TOO_OLD)]);
    let clock = VirtualClock::default();
    let error = run(async { connect(&server.url, &clock).await.list_clusters().await }).expect_err("refused twice");
    assert_eq!(error.kind, ApiErrorKind::ClockSkew);
    let told = failed_call::finding(&error);
    assert!(
        told.summary.ends_with("because the clock of this machine is wrong"),
        "{told:?}"
    );
    assert!(
        told.evidence.contains(&("clock".into(), "10m behind AWS's".into())),
        "{told:?}"
    );
}

#[test]
fn a_member_of_another_type_than_the_models_takes_nothing_else_along() {
    let tasks = json!({"tasks": [{
        "taskArn": "arn:aws:ecs:us-east-1:1:task/staging/1", "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
        "cpu": 256, "tags": {"team": "web"},
        "containers": [{"name": "web", "cpu": 0, "exitCode": "137"}, {"name": "log", "cpu": "10"}],
    }], "failures": []});
    let registered = json!({"taskDefinition": {
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/web:1", "revision": "1", "requiresAttributes": {},
        "containerDefinitions": [{"name": "web", "cpu": "10", "environment": [{"name": "N", "value": 1}]}],
    }});
    let server = Loopback::answering([tasks, registered.clone()].map(|answer| Answer::json(answer.to_string())));
    let clock = VirtualClock::default();
    run(async {
        let aws = connect(&server.url, &clock).await;
        let read = aws.describe_tasks(&"staging".into(), &["1".into()]).await;
        let task = read.expect("tasks").remove(0);
        assert_eq!(task.last_status.as_str(), "RUNNING");
        assert_eq!((task.containers.len(), task.containers[0].exit_code), (2, Some(137)));
        let read = aws.describe_task_definition("web:1").await.expect("a revision");
        assert_eq!(
            (read.arn.short(), &read.document),
            ("web:1", &registered["taskDefinition"])
        );
    });
}

#[test]
fn what_a_verdict_rests_on_is_named_where_it_cannot_be_read_and_no_value_is_shown() {
    let uncounted = json!({"services": [{"serviceName": "web", "status": "ACTIVE", "runningCount": "s3cr3t"}]});
    let unlike = json!(["s3cr3t"]);
    for (answer, words) in [
        (
            uncounted,
            "the answer cannot be read: `services[].runningCount` has another JSON type than in AWS's model",
        ),
        (
            unlike,
            "the answer cannot be read: it is no answer of this operation in AWS's model",
        ),
    ] {
        let server = Loopback::answering([(); 2].map(|()| Answer::json(answer.to_string())));
        let clock = VirtualClock::default();
        let asked = async {
            connect(&server.url, &clock)
                .await
                .describe_services(&"staging".into(), &["web".into()])
                .await
        };
        let error = run(asked).expect_err("it decides");
        assert_eq!((error.kind, error.message.as_str()), (ApiErrorKind::Transient, words));
    }
}
