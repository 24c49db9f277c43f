//! The simulator's wire, request by request: what it refuses and how, its pages, its request ids.

mod creation;
mod endpoint;
mod fuzz;
mod lifecycle;
mod managed;
mod recorded;
mod shapes;

use endpoint::{Endpoint, json_of, text, xml_of};
use portzero_sim::wire::HttpRequest;
use serde_json::{Value, json};

pub use endpoint::SCENARIO;

#[test]
fn a_target_that_is_asked_for_and_not_registered_is_unused() {
    let mut aws = Endpoint::new();
    let arn = aws.target_group("web");
    let fields = [
        ("TargetGroupArn", arn.as_str()),
        ("Targets.member.1.Id", "i-0f76fade"),
        ("Targets.member.1.Port", "32999"),
    ];
    let health = aws.elb("DescribeTargetHealth", &fields);
    assert_eq!(
        health["TargetHealthDescriptions"],
        json!([{
            "HealthCheckPort": "32999",
            "TargetHealth": {
                "State": "unused",
                "Reason": "Target.NotRegistered",
                "Description": "Target is not registered to the target group",
            },
            "Target": {"Port": "32999", "Id": "i-0f76fade"},
        }])
    );
}

#[test]
fn refusals_are_in_the_words_of_aws() {
    let mut aws = Endpoint::new();
    let unknown_cluster = aws.raw("ListContainerInstances", r#"{"cluster":"nowhere"}"#);
    assert_eq!(
        String::from_utf8(unknown_cluster.body).unwrap(),
        r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#
    );
    let eleven: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    let said = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    for (operation, body, refusal) in [
        (
            "DescribeServices",
            json!({"cluster": "demo", "services": eleven}),
            said("InvalidParameterException", "service names can have at most 10 items."),
        ),
        (
            "DescribeTasks",
            json!({"cluster": "demo", "tasks": []}),
            said("InvalidParameterException", "Tasks cannot be empty."),
        ),
        (
            "UpdateService",
            json!({"cluster": "demo", "service": "nothing"}),
            said("ServiceNotFoundException", "Service not found."),
        ),
        (
            "DescribeTaskDefinition",
            json!({"taskDefinition": "nothing:1"}),
            said("ClientException", "Unable to describe task definition."),
        ),
        (
            "DescribeServices",
            json!({"cluster": 5, "services": ["web"]}),
            said(
                "SerializationException",
                "NUMBER_VALUE can not be converted to a String",
            ),
        ),
        (
            "ListTasks",
            json!({"cluster": "demo", "maxResults": 101}),
            said(
                "InvalidParameterException",
                "Value for maxResults must be between 1 and 100.",
            ),
        ),
    ] {
        assert_eq!(aws.ecs_refusal(operation, &body), refusal, "{operation} {body}");
    }
    let other = aws.target_group("web").replace("targetgroup/web", "targetgroup/wed");
    for (field, value, refusal) in [
        (
            "TargetGroupArns.member.1",
            other.as_str(),
            said("TargetGroupNotFound", "One or more target groups not found"),
        ),
        (
            "TargetGroupArns.member.1",
            "<web>",
            said("ValidationError", "'<web>' is not a valid target group ARN"),
        ),
        (
            "Names.member.1",
            "nothing",
            said("TargetGroupNotFound", "One or more target groups not found"),
        ),
    ] {
        assert_eq!(aws.elb_refusal("DescribeTargetGroups", &[(field, value)]), refusal);
    }
}

#[test]
fn u09_what_is_not_served_is_refused_in_words_and_noted() {
    let mut aws = Endpoint::new();
    let response = aws.raw("CreateTaskSet", "{}");
    let words = "the simulator does not serve ecs:CreateTaskSet";
    assert_eq!(
        json_of(&response),
        json!({"__type": "UnknownOperationException", "message": words})
    );
    assert_eq!(response.note.as_deref(), Some("not served: ecs:CreateTaskSet"));
    let response = aws.elb_raw("CreateTrustStore", &[]);
    assert_eq!(
        response.note.as_deref(),
        Some("not served: elasticloadbalancing:CreateTrustStore")
    );
    let classic = aws.form(&[("Action", "CreateLoadBalancer"), ("Version", "2012-06-01")]);
    assert_eq!(
        xml_of(&classic)["ErrorResponse"]["Error"]["Message"],
        "Could not find operation CreateLoadBalancer for version 2012-06-01"
    );
    let bucket = aws.send(&HttpRequest {
        method: "GET".into(),
        path: "/bucket".into(),
        ..HttpRequest::default()
    });
    assert_eq!(
        (bucket.status, bucket.note.as_deref()),
        (404, Some("not served: GET /bucket"))
    );
}

#[test]
fn parameters_without_effect_are_noted_and_shown() {
    let mut aws = Endpoint::new();
    let spread = json!([{"type": "spread", "field": "instanceId"}]);
    let body = json!({"cluster": "demo", "service": "web", "placementStrategy": spread});
    let response = aws.raw("UpdateService", body.to_string());
    assert_eq!(
        response.note.as_deref(),
        Some("ecs:UpdateService: kept and shown, without effect: placementStrategy")
    );
    assert_eq!(json_of(&response)["service"]["placementStrategy"], spread);
}

#[test]
fn lists_come_in_pages_that_join_up() {
    let mut aws = Endpoint::new();
    let whole = aws.ecs("ListTasks", &json!({"cluster": "demo"}));
    let mut joined = Vec::new();
    let mut token = Value::Null;
    loop {
        let page = aws.ecs(
            "ListTasks",
            &json!({"cluster": "demo", "maxResults": 1, "nextToken": token}),
        );
        let items = page["taskArns"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        joined.extend(items.iter().cloned());
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(json!(joined), whole["taskArns"]);
    assert_eq!(joined.len(), 3);
    let first = aws.elb("DescribeTargetGroups", &[("PageSize", "1")]);
    let marker = text(&first["NextMarker"]);
    let second = aws.elb("DescribeTargetGroups", &[("PageSize", "1"), ("Marker", &marker)]);
    assert_ne!(first["TargetGroups"], second["TargetGroups"]);
    assert_eq!(second.get("NextMarker"), None);
}

#[test]
fn anybody_may_ask_who_they_are() {
    let mut aws = Endpoint::new();
    let response = aws.form(&[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]);
    let identity = &xml_of(&response)["GetCallerIdentityResponse"]["GetCallerIdentityResult"];
    assert_eq!(identity["Account"], "111122223333");
}

/// `{"sub":"repo:o/r","aud":"sts.amazonaws.com","iss":"https://issuer.example"}` between a header and a signature.
const ID_TOKEN: &str =
    "e30.eyJzdWIiOiJyZXBvOm8vciIsImF1ZCI6InN0cy5hbWF6b25hd3MuY29tIiwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSJ9.c2ln";

fn assume(aws: &mut Endpoint, changed: &[(&str, &str)]) -> (u16, Value) {
    let mut fields = vec![
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::111122223333:role/ci/deploy"),
        ("RoleSessionName", "run-1"),
        ("WebIdentityToken", ID_TOKEN),
    ];
    fields.retain(|(name, _)| changed.iter().all(|(other, _)| name != other));
    fields.extend(changed);
    let response = aws.form(&fields);
    (response.status, xml_of(&response))
}

#[test]
fn a_role_is_given_for_whatever_has_the_form_of_a_token() {
    let mut aws = Endpoint::new();
    let (status, answer) = assume(&mut aws, &[("DurationSeconds", "900")]);
    assert_eq!(status, 200, "{answer:#}");
    let result = &answer["AssumeRoleWithWebIdentityResponse"]["AssumeRoleWithWebIdentityResult"];
    assert_eq!(result["SubjectFromWebIdentityToken"], "repo:o/r");
    assert_eq!(result["Provider"], "issuer.example");
    assert_eq!(
        result["AssumedRoleUser"]["Arn"],
        "arn:aws:sts::111122223333:assumed-role/deploy/run-1"
    );
    // The world begins at noon.
    assert_eq!(result["Credentials"]["Expiration"], "2026-01-01T12:15:00Z");

    // Where the clients live in another time, theirs counts; an hour is the default.
    aws.world.set_clients_now(portzero_sim::Timestamp::from_millis(0));
    let (_, answer) = assume(&mut aws, &[]);
    let result = &answer["AssumeRoleWithWebIdentityResponse"]["AssumeRoleWithWebIdentityResult"];
    assert_eq!(result["Credentials"]["Expiration"], "1970-01-01T01:00:00Z");
}

#[test]
fn a_role_is_refused_in_the_words_of_sts() {
    let no_token = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    for (changed, code, message) in [
        (
            ("WebIdentityToken", "an-access-token"),
            "InvalidIdentityToken",
            no_token,
        ),
        (("WebIdentityToken", "e30.e30."), "InvalidIdentityToken", no_token),
        (("WebIdentityToken", "e30.%%%%.c2ln"), "InvalidIdentityToken", no_token),
        (("WebIdentityToken", "e30.W10.c2ln"), "InvalidIdentityToken", no_token),
        (("RoleArn", "deploy"), "ValidationError", "Request ARN is invalid"),
        (
            ("RoleSessionName", "a/b"),
            "ValidationError",
            r"1 validation error detected: Value 'a/b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*",
        ),
        (
            ("DurationSeconds", "10"),
            "ValidationError",
            "1 validation error detected: Value '10' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
    ] {
        let (status, answer) = assume(&mut Endpoint::new(), &[changed]);
        let error = &answer["ErrorResponse"]["Error"];
        assert_eq!(
            (status, text(&error["Code"]), text(&error["Message"])),
            (400, code.to_owned(), message.to_owned()),
            "{changed:?}"
        );
    }
}

#[test]
fn the_same_requests_get_the_same_bytes_and_each_its_own_request_id() {
    let story = || {
        let mut aws = Endpoint::new();
        let update = json!({"cluster": "demo", "service": "web", "forceNewDeployment": true});
        [
            aws.raw("UpdateService", update.to_string()),
            aws.raw("DescribeServices", r#"{"cluster":"demo","services":["web"]}"#),
            aws.elb_raw("DescribeTargetHealth", &[]),
        ]
    };
    let (once, again) = (story(), story());
    assert_eq!(once, again);
    assert_ne!(once[0].headers, once[1].headers, "request ids");
}
