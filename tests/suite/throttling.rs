//! AWS's published token buckets, as fifty clients meet them that call at the same moment of virtual time.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::served::serve;
use crate::support::http::{Answer, control, ecs, elb};
use crate::wire::SCENARIO;

const CLIENTS: usize = 50;

/// A world whose time stands still but for `/_portzero/advance`.
fn frozen() -> String {
    let url = serve(SCENARIO, 0);
    control(&url, "POST", "faults", r#"{"fault": "aws-throttling"}"#);
    url
}

/// How many of `each` calls of all fifty clients, who call at once, pass.
fn passing(each: usize, call: impl Fn() -> Answer + Sync) -> usize {
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                for _ in 0..each {
                    let answer = call();
                    if answer.status == 200 {
                        passed.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(answer.status, 400, "{}", answer.text());
                        assert!(answer.text().contains("Rate exceeded"), "{}", answer.text());
                        assert!(answer.text().contains("Throttling"), "{}", answer.text());
                    }
                }
            });
        }
    });
    passed.into_inner()
}

#[test]
fn fifty_clients_are_throttled_exactly_where_the_arithmetic_says() {
    let url = frozen();
    let describe = || ecs(&url, "DescribeServices", r#"{"cluster":"demo","services":["web"]}"#).expect("an answer");
    let force = || {
        ecs(
            &url,
            "UpdateService",
            r#"{"cluster":"demo","service":"web","forceNewDeployment":true}"#,
        )
    };
    let health = || elb(&url, "DescribeTargetGroups").expect("an answer");
    // Bucket 100, 20 a second; bucket 50, 5 a second; buckets 40, 10 a second, of the group and of the account.
    assert_eq!(passing(4, describe), 100, "of 200 at once");
    assert_eq!(
        passing(2, || force().expect("an answer")),
        50,
        "of 100 at once: a bucket of its own"
    );
    assert_eq!(passing(2, health), 40, "of 100 at once");
    for (seconds, reads, changes, checks) in [(1, 20, 5, 10), (3, 60, 15, 30), (100, 100, 50, 40)] {
        control(
            &url,
            "POST",
            "advance",
            &json!({"by": format!("{seconds}s")}).to_string(),
        );
        assert_eq!(passing(4, describe), reads, "after {seconds} s");
        assert_eq!(passing(2, || force().expect("an answer")), changes, "after {seconds} s");
        assert_eq!(passing(2, health), checks, "after {seconds} s");
    }
}

#[test]
fn a_throttled_call_has_no_effect_and_says_so_in_the_words_of_its_api() {
    let url = frozen();
    let list = || ecs(&url, "ListClusters", "{}").expect("an answer");
    let passed = (0..60).filter(|_| list().status == 200).count();
    assert_eq!(passed, 50);
    assert_eq!(
        list().json(),
        json!({"__type": "ThrottlingException", "message": "Rate exceeded"})
    );
    let describe = || elb(&url, "DescribeLoadBalancers").expect("an answer");
    (0..40).for_each(|_| assert_eq!(describe().status, 200));
    let refused = describe();
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .text()
            .contains("<Code>Throttling</Code><Message>Rate exceeded</Message>"),
        "{}",
        refused.text()
    );
    // Registering: 20 at once. The refused ones make no revision.
    let body = r#"{"family":"many","containerDefinitions":[{"name":"a","image":"b","memory":4}]}"#;
    let registered = passing(1, || ecs(&url, "RegisterTaskDefinition", body).expect("an answer"));
    assert_eq!(registered, 20);
    let listed = ecs(&url, "ListTaskDefinitions", r#"{"familyPrefix":"many"}"#).expect("an answer");
    assert_eq!(listed.json()["taskDefinitionArns"].as_array().map(Vec::len), Some(20));
}

#[test]
fn a_rate_of_the_scenario_holds_for_each_api() {
    let text = format!("throttling: 2/s burst 5\n{SCENARIO}");
    let url = serve(text.leak(), 0);
    let list = || ecs(&url, "ListClusters", "{}").expect("an answer");
    assert_eq!(passing(1, list), 5);
    control(&url, "POST", "advance", r#"{"by": "2s"}"#);
    assert_eq!(passing(1, list), 4);
    assert_eq!(passing(1, || elb(&url, "DescribeTargetGroups").expect("an answer")), 5);
}

#[test]
fn without_being_asked_for_nobody_is_throttled() {
    let url = serve(SCENARIO, 0);
    let list = || ecs(&url, "ListClusters", "{}").expect("an answer");
    assert_eq!(passing(4, list), 200);
}
