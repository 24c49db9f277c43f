//! Faults on the wire: byte for byte behind a port, and through the real program to its verdict.

use std::path::Path;

use portzero_sim::scenario::Scenario;
use portzero_sim::wire::{Delivery, HttpRequest, Wire};
use portzero_sim::world::World;
use serde_json::{Value, json};

use crate::served::serve;
use crate::support::http::{control, ecs, elb};
use crate::support::program::{Said, run};
use crate::wire::SCENARIO;

const WEB: &str = r#"{"cluster":"demo","services":["web"]}"#;
const FORCE: &str = r#"{"cluster":"demo","service":"web","forceNewDeployment":true}"#;

/// A world whose time stands still, with one fault that is on.
fn with(fault: &str) -> String {
    let url = serve(SCENARIO, 0);
    control(&url, "POST", "faults", fault);
    url
}

fn deployments(url: &str) -> Value {
    ecs(url, "DescribeServices", WEB).expect("an answer").json()["services"][0]["deployments"].clone()
}

fn count(list: &Value) -> usize {
    list.as_array().expect("a list").len()
}

#[test]
fn a_server_error_has_the_body_of_its_api_or_none() {
    let url = with(r#"{"fault": "server-error"}"#);
    let answer = ecs(&url, "DescribeServices", WEB).expect("an answer");
    assert_eq!(
        (answer.status, &answer.json()["__type"]),
        (500, &json!("ServerException"))
    );
    assert!(answer.head.contains("x-amzn-requestid"), "{}", answer.head);
    let answer = elb(&url, "DescribeTargetGroups").expect("an answer");
    assert!(
        answer.status == 500 && answer.text().contains("<Type>Receiver</Type>"),
        "{}",
        answer.text()
    );
    let url = with(r#"{"fault": "server-error", "status": 503, "body": false}"#);
    let answer = ecs(&url, "DescribeServices", WEB).expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (503, 0));
}

#[test]
fn a_page_of_a_proxy_comes_from_no_aws() {
    let url = with(r#"{"fault": "html", "status": 503, "action": "ecs:*"}"#);
    let answer = ecs(&url, "DescribeServices", WEB).expect("an answer");
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().starts_with("<html>") && answer.head.contains("text/html"),
        "{answer:?}"
    );
    assert!(!answer.head.contains("x-amzn-requestid"), "{}", answer.head);
    assert_eq!(elb(&url, "DescribeTargetGroups").expect("an answer").status, 200);
}

#[test]
fn a_truncated_answer_announces_more_than_comes() {
    let whole = ecs(&serve(SCENARIO, 0), "DescribeServices", WEB).expect("an answer");
    assert_eq!(whole.body.len(), whole.announced());
    let cut = ecs(&with(r#"{"fault": "truncated"}"#), "DescribeServices", WEB).expect("an answer");
    assert_eq!(cut.announced(), whole.announced());
    assert_eq!(cut.body, whole.body[..whole.body.len() / 2]);
}

#[test]
fn a_connection_is_closed_before_the_update_happened_or_after() {
    for (when, left) in [("before", 1), ("after", 2)] {
        let fault = json!({"fault": "reset", "action": "ecs:UpdateService", "count": 1, "when": when});
        let url = with(&fault.to_string());
        assert!(ecs(&url, "UpdateService", FORCE).is_none(), "{when}");
        assert_eq!(count(&deployments(&url)), left, "{when}");
        assert_eq!(
            ecs(&url, "UpdateService", FORCE).expect("only once").status,
            200,
            "{when}"
        );
    }
}

#[test]
fn a_late_answer_takes_virtual_time_and_one_that_is_too_late_never_comes() {
    let url = with(r#"{"fault": "slow", "delay": "7s", "action": "ecs:ListClusters"}"#);
    let now = || {
        control(&url, "GET", "truth", "")["now"]
            .as_str()
            .expect("a time")
            .to_owned()
    };
    assert!(now().ends_with("12:00:00.000Z"));
    assert_eq!(ecs(&url, "ListClusters", "{}").expect("an answer").status, 200);
    assert!(now().ends_with("12:00:07.000Z"), "{}", now());
    let url = with(r#"{"fault": "slow", "delay": "2m"}"#);
    assert!(
        ecs(&url, "UpdateService", FORCE).is_none(),
        "the client would have given up"
    );
    let truth = control(&url, "GET", "truth", "");
    assert!(
        truth["now"].as_str().is_some_and(|now| now.ends_with("12:00:20.000Z")),
        "{}",
        truth["now"]
    );
    assert_eq!(count(&truth["services"][1]["deployments"]), 2, "and yet it happened");
}

#[test]
fn a_stale_read_shows_what_was_and_an_update_answers_what_is() {
    let text = format!("{SCENARIO}faults: [{{fault: stale, age: 5s}}]\n");
    let url = serve(text.leak(), 0);
    control(&url, "POST", "advance", r#"{"by": "1m"}"#);
    let updated = ecs(&url, "UpdateService", FORCE).expect("an answer").json();
    assert_eq!(count(&updated["service"]["deployments"]), 2);
    assert_eq!(count(&deployments(&url)), 1);
    control(&url, "POST", "advance", r#"{"by": "4s"}"#);
    assert_eq!(count(&deployments(&url)), 1);
    control(&url, "POST", "advance", r#"{"by": "1s"}"#);
    assert_eq!(count(&deployments(&url)), 2);
}

#[test]
fn a_deployment_that_is_too_new_is_not_listed_and_the_one_before_looks_like_the_newest() {
    let url = with(r#"{"fault": "unlisted", "age": "10s"}"#);
    let before = deployments(&url);
    ecs(&url, "UpdateService", FORCE);
    control(&url, "POST", "advance", r#"{"by": "9s"}"#);
    let hidden = deployments(&url);
    assert_eq!((count(&hidden), &hidden[0]["status"]), (1, &json!("PRIMARY")));
    assert_eq!(hidden[0]["id"], before[0]["id"]);
    let listed = ecs(&url, "ListServiceDeployments", r#"{"cluster":"demo","service":"web"}"#).expect("an answer");
    assert_eq!(count(&listed.json()["serviceDeployments"]), 1);
    control(&url, "POST", "advance", r#"{"by": "1s"}"#);
    assert_eq!(count(&deployments(&url)), 2);
}

#[test]
fn credentials_clocks_and_permissions_are_refused_in_the_words_of_aws() {
    let refusal = |fault: &str, operation: &str, body: &str| {
        let answer = ecs(&with(fault), operation, body).expect("an answer");
        assert_eq!(answer.status, 400);
        answer.json()
    };
    assert_eq!(
        refusal(r#"{"fault": "expired-credentials"}"#, "DescribeServices", WEB),
        json!({"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"})
    );
    assert_eq!(
        refusal(r#"{"fault": "clock-skew"}"#, "DescribeServices", WEB)["message"],
        "Signature expired: 20260101T115400Z is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)"
    );
    assert_eq!(
        refusal(r#"{"fault": "denied"}"#, "UpdateService", FORCE),
        json!({
            "__type": "AccessDeniedException",
            "Message": "User: arn:aws:sts::111122223333:assumed-role/deployer/portzero is not authorized to perform: \
                        ecs:UpdateService on resource: arn:aws:ecs:us-east-1:111122223333:service/demo/web because no \
                        identity-based policy allows the ecs:UpdateService action",
        })
    );
    let body = r#"{"family":"a","executionRoleArn":"arn:aws:iam::1:role/x","containerDefinitions":[]}"#;
    let role = refusal(
        r#"{"fault": "denied", "action": "iam:PassRole"}"#,
        "RegisterTaskDefinition",
        body,
    );
    let words = role["Message"].as_str().expect("words");
    assert!(
        words.contains("perform: iam:PassRole on resource: arn:aws:iam::1:role/x because"),
        "{words}"
    );
    let answer = elb(
        &with(r#"{"fault": "denied", "action": "Describe*", "role": "arn:me"}"#),
        "DescribeTargetGroups",
    );
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 403);
    let action = "elasticloadbalancing:DescribeTargetGroups";
    assert!(answer.text().contains(&format!(
        "<Code>AccessDenied</Code><Message>User: arn:me is not authorized to perform: {action} because no identity-based \
         policy allows the {action} action</Message>"
    )), "{}", answer.text());
    let answer = elb(&with(r#"{"fault": "expired-credentials"}"#), "DescribeTargetGroups").expect("an answer");
    assert!(
        answer.status == 403 && answer.text().contains("<Code>ExpiredToken</Code>"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_rate_of_a_fault_is_a_bucket_of_its_own() {
    let url = with(r#"{"fault": "throttled", "action": "ecs:ListClusters", "rate": 0.5, "burst": 3}"#);
    let passing = || {
        (0..10)
            .filter(|_| ecs(&url, "ListClusters", "{}").expect("an answer").status == 200)
            .count()
    };
    assert_eq!(passing(), 3);
    control(&url, "POST", "advance", r#"{"by": "4s"}"#);
    assert_eq!(passing(), 2);
    assert_eq!(ecs(&url, "DescribeServices", WEB).expect("an answer").status, 200);
}

#[test]
fn unknown_spellings_and_hostile_texts_are_shown_and_the_world_stays_as_it_is() {
    let url = with(r#"{"fault": "unknown-enum", "kind": "rollout-state"}"#);
    assert_eq!(deployments(&url)[0]["rolloutState"], "CONVERGING");
    let url = with(r#"{"fault": "unknown-enum"}"#);
    let groups = elb(&url, "DescribeTargetGroups").expect("an answer").text();
    let arn = groups
        .split("<TargetGroupArn>")
        .nth(2)
        .and_then(|rest| rest.split('<').next())
        .expect("an ARN");
    let health = elb(&url, &format!("DescribeTargetHealth&TargetGroupArn={arn}"))
        .expect("an answer")
        .text();
    assert!(health.contains("<State>radiant</State>"), "{health}");
    let truth = control(&url, "GET", "truth", "");
    assert!(!truth.to_string().contains("radiant"));

    let url = with(r#"{"fault": "hostile-text"}"#);
    let service = ecs(&url, "DescribeServices", WEB).expect("an answer").json()["services"][0].clone();
    let events = service["events"].as_array().expect("events");
    let shown = |text: &str| {
        events
            .iter()
            .any(|event| event["message"].as_str().is_some_and(|m| m.contains(text)))
    };
    assert!(
        shown("\u{1b}]0;owned\u{7}") && shown("[click](javascript:"),
        "{events:?}"
    );
    assert!(!control(&url, "GET", "truth", "").to_string().contains("javascript"));
}

/// Calls one after the other, with what came of each.
fn fates(seed: u64, fault: &str, calls: usize) -> Vec<(u16, Delivery)> {
    let scenario = Scenario::read(&format!("faults: [{fault}]\n{SCENARIO}"), "a.yml").expect("a scenario");
    let mut world = World::new(&Scenario { seed, ..scenario }).expect("a world");
    let mut wire = Wire::new();
    let request = HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![(
            "x-amz-target".into(),
            "AmazonEC2ContainerServiceV20141113.ListClusters".into(),
        )],
        body: b"{}".to_vec(),
    };
    let still = |_: &mut World| {};
    (0..calls)
        .map(|_| wire.exchange(&mut world, &still, &request))
        .map(|exchange| (exchange.response.status, exchange.delivery))
        .collect()
}

#[test]
fn which_calls_a_share_strikes_the_seed_decides() {
    let fault = "{fault: server-error, share: 0.3, at: 0s}";
    let (once, again) = (fates(1, fault, 1000), fates(1, fault, 1000));
    assert_eq!(once, again);
    assert_ne!(once, fates(2, fault, 1000));
    let struck = once.iter().filter(|(status, _)| *status == 500).count();
    assert!((250..350).contains(&struck), "{struck}");
}

#[test]
fn a_count_is_kept_and_what_is_drawn_for_a_call_moves_nothing_in_the_world() {
    let struck = |fault: &str| fates(1, fault, 10).iter().filter(|(status, _)| *status != 200).count();
    assert_eq!(struck("{fault: server-error, count: 4}"), 4);
    assert_eq!(struck("{fault: denied, action: 'ecs:List*', count: 2}"), 2);
    assert_eq!(struck("{fault: server-error, action: UpdateService}"), 0);
    assert_eq!(struck("{fault: server-error, at: 1s}"), 0, "time stands still");
    let story = |faults: &str| {
        let scenario = Scenario::read(&format!("faults: [{faults}]\n{SCENARIO}"), "a.yml").expect("a scenario");
        let mut world = World::new(&scenario).expect("a world");
        let mut wire = Wire::new();
        for _ in 0..50 {
            let target = (
                "x-amz-target".into(),
                "AmazonEC2ContainerServiceV20141113.ListClusters".into(),
            );
            wire.handle(
                &mut world,
                &HttpRequest {
                    headers: vec![target],
                    ..HttpRequest::default()
                },
            );
        }
        world.advance(world.now() + std::time::Duration::from_secs(600));
        format!("{:?}", world.account())
    };
    assert_eq!(story(""), story("{fault: server-error, share: 0.5, at: 0s}"));
}

/// A rehearsal of the example of the README with these arguments more.
fn rehearse(arguments: &str) -> Said {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    run(
        root,
        &format!("rehearse --config examples/users/portzero.yml --format json {arguments}"),
    )
}

#[test]
fn each_fault_on_the_wire_ends_a_rehearsal_with_its_proper_verdict() {
    for (arguments, code, words) in [
        ("aws-throttling", 0, ""),
        ("throttled", 0, "Rate exceeded"),
        ("server-error", 0, "Service Unavailable"),
        ("html", 0, "502"),
        ("truncated", 0, "the connection broke"),
        ("reset", 0, "the connection broke"),
        ("slow", 0, ""),
        ("slow,delay=1m,at=10s,for=1m", 0, "the connection broke"),
        ("stale", 0, ""),
        ("unlisted", 0, ""),
        (
            "expired-credentials",
            6,
            "The security token included in the request is expired",
        ),
        (
            "denied",
            3,
            "is not authorized to perform: ecs:UpdateService on resource: ",
        ),
        (
            "denied,action=ecs:ListServiceDeployments",
            0,
            "ecs:ListServiceDeployments",
        ),
        ("clock-skew", 3, "because the clock of this machine is wrong"),
        ("clock-skew,kind=ahead", 3, "6m ahead of AWS's"),
        (
            "clock-skew,at=30s",
            6,
            "takes this machine's clock for wrong, giving up in 30s",
        ),
        ("concurrent-registration", 0, ""),
        (
            "denied,action=ecs:RegisterTaskDefinition",
            3,
            "task-definition/users:* because",
        ),
        ("service-role", 3, "Unable to assume role"),
        ("unknown-enum", 4, "radiant"),
        ("hostile-text", 0, ""),
        (
            "reset,action=ecs:UpdateService,count=1,when=before",
            6,
            "whether ECS took the update is not known",
        ),
        ("reset,action=ecs:UpdateService,count=1,when=after", 0, ""),
        ("server-error,action=ecs:Describe*,share=0.2,at=0s", 0, ""),
    ] {
        let said = rehearse(&format!("--fault {arguments}"));
        assert_eq!(said.code, Some(code), "{arguments}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{arguments}: {}", said.stderr);
        assert_eq!(
            rehearse(&format!("--fault {arguments}")).stderr,
            said.stderr,
            "{arguments}: another story"
        );
    }
}

#[test]
fn no_hostile_text_reaches_a_surface_as_it_is() {
    let said = rehearse("--fault hostile-text --fault unhealthy");
    for surface in [&said.stderr, &said.stdout] {
        for raw in [
            "\n::error",
            "\n::add-mask",
            "\u{1b}[",
            "\u{7}",
            "\u{0}",
            "\u{8}",
            "\u{9b}",
        ] {
            assert!(!surface.contains(raw), "{raw:?} in {surface}");
        }
    }
}
