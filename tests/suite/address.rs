//! The address of a service, from the load balancer to the surfaces; and that it is never in the way.

use portzero_core::aws_model::target::{Route, RouteCondition, Routing};
use portzero_core::port::{ApiErrorKind, LoadBalancing};
use serde_json::json;
use tempfile::TempDir;

use super::served::serve;
use super::wire::SCENARIO;
use crate::support::loopback::{Answer, Loopback};
use crate::support::program::{Said, portzero, run as program, said};
use crate::support::wire_form::query;
use crate::support::{VirtualClock, connect, run};

const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/1";
const OTHER: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/api/2";

fn balancer() -> Answer {
    let balancer = json!({
        "LoadBalancerArn": "arn:lb", "LoadBalancerName": "shop", "DNSName": "shop-1.elb.amazonaws.com",
        "Scheme": "internal", "Type": "application",
    });
    query(
        "DescribeLoadBalancers",
        &json!({ "LoadBalancers": [balancer] }).to_string(),
    )
}

#[test]
fn rules_that_forward_to_the_group_are_read_with_their_conditions() {
    let listeners = json!({"Listeners": [
        {"ListenerArn": "arn:l1", "Port": 443, "Protocol": "HTTPS"},
        {"ListenerArn": "arn:l2", "Port": 80, "Protocol": "HTTP"},
    ]});
    let weighted = |arn: &str, weight: u32| json!({"TargetGroupArn": arn, "Weight": weight});
    let forward = |groups: serde_json::Value| json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
    let rules = json!({"Rules": [
        {"Conditions": [
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["shop.example.com"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}},
         ],
         "Actions": forward(json!([weighted(OTHER, 1), weighted(GROUP, 9)]))},
        {"Conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}],
         "Actions": forward(json!([weighted(GROUP, 1)]))},
        {"Conditions": [], "Actions": forward(json!([weighted(OTHER, 1), weighted(GROUP, 0)]))},
    ]});
    let redirect = json!({"Rules": [{"Conditions": [], "Actions": [{"Type": "redirect"}], "IsDefault": true}]});
    let server = Loopback::answering([
        balancer(),
        query("DescribeListeners", &listeners.to_string()),
        query("DescribeRules", &rules.to_string()),
        query("DescribeRules", &redirect.to_string()),
    ]);
    let clock = VirtualClock::default();
    let routes =
        run(async { connect(&server.url, &clock).await.routing(&["arn:lb".to_owned()]).await }).expect("routes");
    let own = [GROUP.into()];
    let routes: Vec<Route> = routes.routes_to(&own).cloned().collect();

    let condition = |field: &str, values: &[&str]| RouteCondition {
        field: field.into(),
        values: values.iter().map(|v| (*v).into()).collect(),
    };
    let https = |conditions| Route {
        protocol: "HTTPS".into(),
        port: 443,
        dns_name: "shop-1.elb.amazonaws.com".into(),
        is_internal: true,
        conditions,
    };
    assert_eq!(
        routes,
        [
            https(vec![
                condition("host-header", &["shop.example.com"]),
                condition("path-pattern", &["/api/*"])
            ]),
            https(vec![condition("source-ip", &[])]),
        ]
    );
}

#[test]
fn a_group_without_a_load_balancer_costs_no_request() {
    let server = Loopback::answering([]);
    let clock = VirtualClock::default();
    let routing = run(async { connect(&server.url, &clock).await.routing(&[]).await });
    assert_eq!(
        (routing.expect("none"), server.requests().len()),
        (Routing::default(), 0)
    );
}

#[test]
fn a_denied_look_at_the_listeners_is_an_error_of_the_port() {
    let text = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let server = Loopback::answering([balancer(), Answer::xml_error(403, text)]);
    let clock = VirtualClock::default();
    let error =
        run(async { connect(&server.url, &clock).await.routing(&["arn:lb".to_owned()]).await }).expect_err("denied");
    assert_eq!(
        (error.kind, error.action),
        (ApiErrorKind::Denied, "elasticloadbalancing:DescribeListeners")
    );
}

/// `portzero plan` where everything is answered by the simulator, but one operation of the load balancer's.
fn plan_without(operation: &str, arguments: &str) -> Said {
    let folder = tempfile::tempdir().expect("a folder");
    let elb = denying(serve(SCENARIO, 1), operation.to_owned());
    let mut command = portzero(folder.path());
    command
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", &elb)])
        .envs([("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")])
        .args("plan --cluster demo --service web --format json".split_whitespace())
        .args(arguments.split_whitespace());
    said(&mut command)
}

/// A server in front of another that denies one action of the Query protocol.
fn denying(behind: String, action: String) -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                match line.split_once(':') {
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.trim().parse().expect("a number");
                        head.push_str(&line);
                    }
                    Some((name, _)) if name.eq_ignore_ascii_case("connection") => {}
                    _ => head.push_str(&line),
                }
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            if String::from_utf8_lossy(&body).contains(&format!("Action={action}&")) {
                let body =
                    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
                let _ = write!(
                    stream,
                    "HTTP/1.1 403 No\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                continue;
            }
            let mut server = std::net::TcpStream::connect(behind.trim_start_matches("http://")).expect("a server");
            let _ = server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes());
            let _ = server.write_all(&body);
            let mut answer = Vec::new();
            let _ = server.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn an_address_that_may_not_be_read_is_a_note_and_refuses_nothing() {
    for operation in ["DescribeLoadBalancers", "DescribeListeners", "DescribeRules"] {
        let planned = plan_without(operation, "--fail-on warning");
        assert_eq!(planned.code, Some(0), "{operation}: {planned:#?}");
        let plan = &planned.json()["plans"][0];
        assert_eq!(plan["address"], json!(null));
        let findings = plan["findings"].as_array().expect("findings");
        assert_eq!(findings.len(), 1, "{findings:#?}");
        assert_eq!(
            (&findings[0]["code"], &findings[0]["severity"], &findings[0]["summary"]),
            (
                &json!("not-checked"),
                &json!("note"),
                &json!(format!("not checked: elasticloadbalancing:{operation}"))
            )
        );
    }
    let planned = plan_without("DescribeTags", "");
    assert_eq!(
        planned.json()["plans"][0]["address"],
        json!({"url": "http://web-1234567890.us-east-1.elb.amazonaws.com", "internal": false})
    );
}

fn folder_with(url: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!(
        "version: 1\nservices:\n- name: web\n  cluster: demo\n  url: {url}\n  family: web\n  containers:\n  - \
         {{name: web, image: \"example/web:1\", memory: 64, cpu: 64}}\n"
    );
    std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
    folder
}

#[test]
fn the_address_of_the_file_stands_in_every_result() {
    let folder = folder_with("https://shop.example.com/users");
    let planned = program(folder.path(), "rehearse --dry-run");
    assert!(
        planned.stdout.contains("address:  https://shop.example.com/users\n"),
        "{planned:#?}"
    );
    let rehearsed = program(folder.path(), "rehearse --format json");
    assert_eq!(rehearsed.json()["services"][0]["url"], "https://shop.example.com/users");
    assert!(
        rehearsed
            .stderr
            .contains("  address     https://shop.example.com/users\n"),
        "{rehearsed:#?}"
    );
}

#[test]
fn an_address_that_is_no_web_address_is_refused_with_its_place() {
    for url in [
        "shop.example.com",
        "tcp://shop.example.com",
        "https://",
        "\"https://a b\"",
    ] {
        let refused = program(folder_with(url).path(), "rehearse --dry-run");
        assert_eq!(refused.code, Some(2), "{url}: {refused:#?}");
        for words in ["portzero.yml:5:8", "an http or https URL"] {
            assert!(refused.stderr.contains(words), "{url}: {refused:#?}");
        }
    }
}
