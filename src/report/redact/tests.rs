//! What is hidden, and what is not.

use proptest::prelude::*;
use regex_lite::Regex;
use serde_json::json;

use super::{ACCOUNT_PLACES, Redaction, SHAPES};

fn hidden(text: &str) -> String {
    Redaction::default().apply(text)
}

fn without_accounts(text: &str) -> String {
    let redaction = Redaction {
        hides_account_ids: true,
        ..Redaction::default()
    };
    redaction.apply(text)
}

#[test]
fn every_shape_is_understood() {
    for (_, shape, _) in SHAPES {
        let shape = Regex::new(shape).unwrap_or_else(|error| panic!("{shape}: {error}"));
        assert_eq!(shape.captures_len(), 2, "{shape}: the secret, and nothing else");
    }
    assert_eq!(Regex::new(ACCOUNT_PLACES).unwrap().captures_len(), 3);
}

#[test]
fn credentials_are_known_by_their_shape() {
    for (text, expected) in [
        ("key AKIAIOSFODNN7EXAMPLE.", "key ***."),
        ("ASIAIOSFODNN7EXAMPLE", "***"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = ***",
        ),
        (
            "AWS_SESSION_TOKEN=FwoGZXIvYXdzEBYaD+/=x next",
            "AWS_SESSION_TOKEN=*** next",
        ),
        (r#"{"SecretAccessKey": "wJalrXUtnFEMI"}"#, r#"{"SecretAccessKey": ***}"#),
        (
            "<SessionToken>FwoGZXIvYXdzEBYaDexampletoken</SessionToken>",
            "<SessionToken>***</SessionToken>",
        ),
        (
            "the secret access key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "the secret access key ***",
        ),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "***"),
        ("ghs_1234567890abcdef1234", "***"),
        ("github_pat_11ABCDEFG0abcdefghijkl_mnop", "***"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
            "***",
        ),
        (
            "postgres://shop:s3cr3t@db:5432/shop",
            "postgres://shop:***@db:5432/shop",
        ),
        ("https://u:p@ss@host/x@y", "https://u:***@host/x@y"),
        (
            "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=A%2Fb&X-Amz-Signature=0123abcd&x=1",
            "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***&x=1",
        ),
        ("X-Amz-Security-Token=IQoJb3JpZ2luX2VjE", "X-Amz-Security-Token=***"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic ***"),
        ("curl -H 'Bearer ya29.a0AfB_byC'", "curl -H 'Bearer ***'"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=***"),
        (
            "Server=db;Password=a,b!c;Database=x",
            "Server=db;Password=***;Database=x",
        ),
        (r#"token="with a blank" next"#, "token=*** next"),
        ("client_secret=abc&grant=x", "client_secret=***&grant=x"),
        ("password: hunter2", "password: ***"),
        ("xoxb-123456789012-abcdefABCDEF", "***"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\n\nMIIEow==\n-----END RSA PRIVATE KEY-----\nafter",
            "***\nafter",
        ),
        ("-----BEGIN PRIVATE KEY----- ⏎ MIIEvQIBADAN", "***"),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn what_portzero_prints_all_day_stays() {
    for text in [
        "example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 90ae400f3c1d2e4b5a69788796a5b4c3d2e1f001",
        "task 0123456789abcdef0123456789abcdef (web:42) on i-0123456789abcdef0: RUNNING",
        "updated the service: web:41 -> web:42, deployment ecs-svc/7462555754799541170",
        "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/73e2d6bc24d8a067",
        "2026-11-21T04:41:00.123Z 1763700000 1763700000000 10.0.12.34:32768",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/users:202611210441",
        "rejected: the security token included in the request is invalid",
        "basic authentication, Bearer certificates, secret store, token expired, no password",
        "containerDefinitions[web].secrets[DB_PASSWORD]: arn:aws:secretsmanager:us-east-1:1:secret:db",
        "export AWS_ACCESS_KEY_ID=portzero AWS_SECRET_ACCESS_KEY=portzero",
        "secret=arn:aws:ssm:us-east-1:111122223333:parameter/x",
        "https://host:443/a@b",
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "the circuit breaker's threshold is 3; --env CONTAINER:NAME=VALUE",
    ] {
        assert_eq!(hidden(text), text);
    }
}

#[test]
fn an_account_is_hidden_where_it_is_one_and_then_everywhere() {
    for (text, expected) in [
        (
            "arn:aws:ecs:us-east-1:111122223333:service/shop/web, 111122223333",
            "arn:aws:ecs:us-east-1:************:service/shop/web, ************",
        ),
        (
            "111122223333.dkr.ecr.us-east-1.amazonaws.com/users:202611210441",
            "************.dkr.ecr.us-east-1.amazonaws.com/users:202611210441",
        ),
        (
            "User: arn:aws:sts::111122223333:assumed-role/deploy/run is not authorized",
            "User: arn:aws:sts::************:assumed-role/deploy/run is not authorized",
        ),
        ("the role 111122223333:role/deploy", "the role ************:role/deploy"),
        (r#"{"Account": "111122223333"}"#, r#"{"Account": "************"}"#),
        (
            "account 111122223333, account-id: 444455556666",
            "account ************, account-id: ************",
        ),
    ] {
        assert_eq!(without_accounts(text), expected);
        assert_eq!(hidden(text), text, "only where it is asked for");
    }
    for text in [
        "ecs-svc/7462555754799541170",
        "1763700000000",
        "users:202611210441",
        "task 0123456789abcdef0123456789abcdef",
        "sha256:111122223333111122223333111122223333111122223333111122223333aaaa",
    ] {
        assert_eq!(without_accounts(text), text);
    }
    let inside = "arn:aws:ecs:r:111122223333:x 9111122223333 1111222233334 ecs-svc/1111222233335799541";
    let outside = "arn:aws:ecs:r:************:x 9111122223333 1111222233334 ecs-svc/1111222233335799541";
    assert_eq!(without_accounts(inside), outside);
}

#[test]
fn a_known_secret_is_hidden_in_every_form() {
    let redaction = Redaction {
        known: [
            "p&ss \"w/rd\" ä",
            "short",
            "portzero",
            "********",
            "first line x\nsecond line\n",
        ]
        .into_iter()
        .collect(),
        ..Redaction::default()
    };
    for (text, expected) in [
        ("a p&ss \"w/rd\" ä b", "a *** b"),
        ("a p%26ss+%22w%2Frd%22+%C3%A4 b", "a *** b"),
        ("a p%26ss%20%22w%2Frd%22%20%C3%A4 b", "a *** b"),
        (r#"a p&ss \"w/rd\" ä b"#, "a *** b"),
        ("a cCZzcyAidy9yZCIgw6Q= b", "a ***Q= b"), // the bits of the last sign belong to what follows, too
        ("short portzero", "short portzero"),
        ("xfirst line x\n second line\n", "x***\n"),
    ] {
        assert_eq!(redaction.apply(text), expected);
    }
    assert!(!format!("{redaction:?}").contains("w/rd"), "{redaction:?}");
}

#[test]
fn what_is_hidden_behind_characters_without_a_width_is_found() {
    let redaction = Redaction::default();
    assert_eq!(redaction.line("AKIA\u{200b}IOSFODNN7EXA\u{1b}[0mMPLE"), "***");
    assert_eq!(redaction.block("x\nghp_16C7e42F292c\u{ad}6912E7710c8\n"), "x\n***\n");
}

#[test]
fn a_document_is_redacted_in_its_texts_alone() {
    let mut document = json!({"password=x": ["token=abc", 111_122_223_333_u64, null, {"a": "AKIAIOSFODNN7EXAMPLE"}]});
    Redaction::default().apply_json(&mut document);
    assert_eq!(
        document,
        json!({"password=x": ["token=***", 111_122_223_333_u64, null, {"a": "***"}]})
    );
    let mut own = json!({"environment": [{"name": "TOKEN", "value": "token=abc"}, {"value": "x-known-secret"}]});
    let redaction = Redaction {
        known: ["known-secret"].into_iter().collect(),
        ..Redaction::default()
    };
    redaction.apply_json_known(&mut own);
    assert_eq!(
        own,
        json!({"environment": [{"name": "TOKEN", "value": "token=abc"}, {"value": "x-***"}]})
    );
}

proptest! {
    #[test]
    fn to_redact_twice_is_to_redact_once(
        parts in prop::collection::vec(prop::sample::select(vec![
            "password", "=", " = ", ": ", "token", "://", "user", "@", "/", "\"", "'", " ", "\n", "*", "***", "abc1",
            "Bearer ", "Basic ", "Authorization", "AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdef", "eyJhbGciOiJI", ".",
            "arn:aws:ecs:r:", "111122223333", ":role", "&sig=", "?", ";", "secret access key", "wJalrXUtnFEMI/K7MDENG",
            "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "portzero", "known-secret", "\\", ">", "xoxb-",
        ]), 0..24),
        hides_account_ids: bool,
    ) {
        let redaction = Redaction { hides_account_ids, known: ["known-secret"].into_iter().collect() };
        let once = redaction.apply(&parts.concat());
        prop_assert_eq!(redaction.apply(&once), once);
    }
}
