//! The routes below `/_portzero/`: what they show and change, and whom they refuse.

use serde_json::{Value, json};

use crate::served::serve;
use crate::support::http::{ask, control, ecs};
use crate::wire::SCENARIO;

const FORCE: &str = r#"{"cluster":"demo","service":"web","forceNewDeployment":true}"#;
const WEB: &str = r#"{"cluster":"demo","services":["web"]}"#;

fn refusal(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let answer = ask(url, method, path, headers, body).expect("an answer");
    (
        answer.status,
        answer.json()["error"].as_str().unwrap_or_default().to_owned(),
    )
}

fn service<'a>(truth: &'a Value, name: &str) -> &'a Value {
    let services = truth["services"].as_array().expect("services");
    services
        .iter()
        .find(|service| service["service"] == name)
        .expect("the service")
}

#[test]
fn time_passes_where_it_is_told_to_and_the_truth_shows_what_became_of_a_rollout() {
    let url = serve(SCENARIO, 0);
    ecs(&url, "UpdateService", FORCE).expect("an answer");
    let before = control(&url, "GET", "truth", "");
    let primary = &service(&before, "web")["deployments"][0];
    assert_eq!(
        (&primary["status"], &primary["done"]),
        (&json!("PRIMARY"), &json!(false))
    );
    assert_eq!(service(&before, "web")["deployments"][1]["status"], "ACTIVE");

    let answer = control(&url, "POST", "advance", r#"{"by": "10m"}"#);
    let after = control(&url, "GET", "truth", "");
    assert_eq!(after["now"], answer["now"]);
    assert_ne!(after["now"], before["now"]);
    assert_eq!(service(&after, "web")["deployments"][0]["done"], true);
    assert_eq!(
        after["target_groups"][0]["targets"].as_array().map(Vec::len),
        Some(1),
        "{after:#}"
    );
    assert_eq!(after["seed"], 7);
    assert!(after["instances"].as_array().is_some_and(|all| all.len() == 2));
}

#[test]
fn a_fault_is_switched_on_listed_and_switched_off() {
    let url = serve(SCENARIO, 0);
    let on = control(
        &url,
        "POST",
        "faults",
        r#"{"fault": "server-error", "action": "ecs:DescribeServices", "for": "30s"}"#,
    );
    assert_eq!((&on["number"], &on["state"]), (&json!(0), &json!("in force")));
    assert_eq!(ecs(&url, "DescribeServices", WEB).expect("an answer").status, 500);
    assert_eq!(
        ecs(&url, "ListClusters", "{}").expect("an answer").status,
        200,
        "not meant"
    );
    let listed = control(&url, "GET", "faults", "");
    assert_eq!(
        (&listed["faults"][0]["struck"], &listed["faults"][0]["fault"]),
        (&json!(1), &json!("server-error"))
    );

    control(&url, "POST", "advance", r#"{"by": "29s"}"#);
    assert_eq!(ecs(&url, "DescribeServices", WEB).expect("an answer").status, 500);
    control(&url, "POST", "advance", r#"{"by": "1s"}"#);
    assert_eq!(ecs(&url, "DescribeServices", WEB).expect("an answer").status, 200);
    assert_eq!(control(&url, "GET", "faults", "")["faults"][0]["state"], "over");

    let later = control(
        &url,
        "POST",
        "faults",
        r#"{"fault": "denied", "action": "ecs:List*", "at": "1m"}"#,
    );
    assert_eq!((&later["number"], &later["state"]), (&json!(1), &json!("ahead")));
    control(&url, "POST", "advance", r#"{"by": "1m"}"#);
    assert_eq!(
        ecs(&url, "ListServices", r#"{"cluster":"demo"}"#)
            .expect("an answer")
            .status,
        400
    );
    assert_eq!(control(&url, "DELETE", "faults/1", "")["state"], "switched off");
    assert_eq!(
        ecs(&url, "ListServices", r#"{"cluster":"demo"}"#)
            .expect("an answer")
            .status,
        200
    );
    let again = refusal(&url, "DELETE", "/_portzero/faults/1", &[], "");
    assert_eq!(
        again,
        (404, "no fault 1 is on; GET /_portzero/faults lists them".into())
    );
}

#[test]
fn a_fault_of_the_world_strikes_when_it_is_switched_on_at_run_time() {
    let url = serve(SCENARIO, 0);
    control(&url, "POST", "faults", r#"{"fault": "instance-loss"}"#);
    let lost = control(&url, "GET", "truth", "");
    assert_eq!(lost["instances"].as_array().map(Vec::len), Some(1));
    control(
        &url,
        "POST",
        "faults",
        r#"{"fault": "unhealthy", "revision": "any", "service": "api"}"#,
    );
    control(&url, "POST", "advance", r#"{"by": "2m"}"#);
    let sick = control(&url, "GET", "truth", "");
    let states: Vec<&Value> = sick["target_groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter(|group| group["name"] == "api")
        .flat_map(|group| group["targets"].as_array().expect("targets"))
        .map(|target| &target["state"])
        .collect();
    assert!(states.iter().any(|state| **state != "healthy"), "{states:?}");
}

#[test]
fn the_operations_that_are_served_are_listed_with_how_often_they_were_asked_for() {
    let url = serve(SCENARIO, 0);
    for _ in 0..3 {
        ecs(&url, "DescribeServices", WEB);
    }
    ecs(&url, "MakeCoffee", "{}");
    let operations = control(&url, "GET", "operations", "");
    let counts = &operations["operations"];
    assert_eq!(counts["ecs:DescribeServices"], 3);
    assert_eq!(counts["elasticloadbalancing:DescribeTargetHealth"], 0);
    assert_eq!(counts["ecs:(not served)"], 1);
    assert!(counts.get("ecs:MakeCoffee").is_none());
}

#[test]
fn the_routes_list_themselves() {
    let url = serve(SCENARIO, 0);
    let routes = control(&url, "GET", "", "");
    assert!(
        routes["routes"].as_array().is_some_and(|all| all.len() == 9),
        "{routes:#}"
    );
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let url = serve(SCENARIO, 0);
    for (method, route, body, status, words) in [
        ("POST", "faults", "{", 400, "the body is not JSON"),
        ("POST", "faults", "{}", 400, "a fault has a name"),
        (
            "POST",
            "faults",
            r#"{"fault":"unhealty"}"#,
            400,
            "did you mean `unhealthy`?",
        ),
        (
            "POST",
            "faults",
            r#"{"fault":"reset","shar":1}"#,
            400,
            "unknown key `shar`",
        ),
        (
            "POST",
            "faults",
            r#"{"fault":"reset","share":2}"#,
            400,
            "`2` is no share",
        ),
        (
            "POST",
            "faults",
            r#"{"fault":"unhealthy","share":1}"#,
            400,
            "does not read `share`",
        ),
        (
            "POST",
            "faults",
            r#"{"fault":"reset","for":"3"}"#,
            400,
            "`for`: expected a duration with a unit",
        ),
        ("DELETE", "faults/x", "", 400, "no number of a fault"),
        ("POST", "advance", r#"{"by":"8d"}"#, 400, "up to 7d"),
        ("POST", "advance", r#"{"by":5}"#, 400, "with a unit"),
        ("POST", "speed", r#"{"speed":"-1x"}"#, 400, "above 0"),
        ("POST", "speed", r#"{"speed":"10x"}"#, 409, "moved by the program"),
        ("PUT", "truth", "", 405, "PUT is not served here"),
        ("GET", "secrets", "", 404, "GET /_portzero/ lists the routes"),
    ] {
        let (code, why) = refusal(&url, method, &format!("/_portzero/{route}"), &[], body);
        assert_eq!(code, status, "{method} {route} {body}: {why}");
        assert!(why.contains(words), "{method} {route} {body}: {why}");
    }
}

#[test]
fn pages_of_other_origins_and_rebound_names_are_refused() {
    let url = serve(SCENARIO, 0);
    let own = url.trim_start_matches("http://").to_owned();
    let port = own.rsplit(':').next().expect("a port").to_owned();
    let localhost = format!("localhost:{port}");
    let good = |headers: &[(&str, &str)]| {
        ask(&url, "GET", "/_portzero/truth", headers, "")
            .expect("an answer")
            .status
    };
    assert_eq!(good(&[("host", &localhost)]), 200);
    assert_eq!(good(&[("origin", &url)]), 200);
    assert_eq!(good(&[("sec-fetch-site", "same-origin")]), 200);
    assert_eq!(good(&[("sec-fetch-site", "none")]), 200);
    for (header, value) in [
        ("host", "attacker.example"),
        ("host", "127.0.0.1.attacker.example"),
        ("host", "localhost.attacker.example:80"),
        ("origin", "https://attacker.example"),
        ("origin", "null"),
        ("origin", "http://localhost:3000"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for (method, route) in [("GET", "truth"), ("POST", "advance")] {
            let path = format!("/_portzero/{route}");
            let (status, why) = refusal(&url, method, &path, &[(header, value)], r#"{"by":"1h"}"#);
            assert_eq!(status, 403, "{header}: {value}: {why}");
            assert!(!why.is_empty());
        }
    }
    let preflight = ask(
        &url,
        "OPTIONS",
        "/_portzero/faults",
        &[("origin", "https://attacker.example")],
        "",
    );
    let preflight = preflight.expect("an answer");
    assert_eq!(preflight.status, 403);
    assert!(
        !preflight.head.to_ascii_lowercase().contains("access-control-allow"),
        "{}",
        preflight.head
    );
}

/// A page that a browser shows must not change a world, nor read it, by AWS's own calls either.
#[test]
fn s09_calls_of_aws_for_other_origins_and_rebound_names_are_refused() {
    let url = serve(SCENARIO, 0);
    let call = |headers: &[(&str, &str)]| {
        let aws = [
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters"),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        ask(&url, "POST", "/", &[&aws, headers].concat(), "{}").expect("an answer")
    };
    assert_eq!(call(&[]).status, 200);
    for stranger in [
        ("host", "attacker.example"),
        ("origin", "https://attacker.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let answer = call(&[stranger]);
        assert_eq!(answer.status, 403, "{stranger:?}");
        assert!(!answer.json()["message"].as_str().unwrap_or_default().is_empty());
    }
    let form = [
        ("origin", "https://attacker.example"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let query = ask(
        &url,
        "POST",
        "/",
        &form,
        "Action=DescribeTargetGroups&Version=2015-12-01",
    );
    assert_eq!(query.expect("an answer").status, 403);
}

/// More connections than the process may have open: those that find no room wait, and the server goes on.
#[cfg(unix)]
#[test]
fn s13_a_full_file_table_does_not_end_the_simulator() {
    use std::process::{Command, Stdio};
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a port")
        .port();
    let program = env!("CARGO_BIN_EXE_portzero");
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -n 24; exec {program} simulate --port {port}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let mut first = String::new();
    let stdout = child.stdout.as_mut().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut first).expect("a line");
    let address = format!("127.0.0.1:{port}");
    let idle: Vec<_> = (0..40).map(|_| std::net::TcpStream::connect(&address)).collect();
    assert!(idle.iter().all(Result::is_ok), "the kernel takes them in any case");
    assert_eq!(child.try_wait().expect("a child"), None, "it serves on");
    drop(idle);
    let answer = ask(&format!("http://{address}"), "GET", "/_portzero/truth", &[], "");
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(answer.expect("an answer").status, 200);
}
