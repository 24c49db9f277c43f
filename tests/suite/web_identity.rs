//! A role that the program assumes itself: scripted servers stand in for GitHub's ID tokens and for STS, the simulator for
//! all of AWS.

use std::process::Command;
use std::time::Duration;

use portzero::adapters::aws::{
    Connection, ConnectionOptions, SessionDuration, SessionName, TokenRequest, TokenSource, WebIdentity,
};
use portzero::report;
use portzero_core::aws_model::service::ServiceUpdate;
use portzero_core::port::{ApiErrorKind, Clock, Ecs};
use serde_json::json;

use super::served::serve;
use super::wire::SCENARIO;
use crate::support::emulators::MotoServer;
use crate::support::loopback::{Answer, Loopback};
use crate::support::program::{Said, portzero, said};
use crate::support::{VirtualClock, run};

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
/// What must be seen nowhere: the bearer for tokens, the token's signature, the keys.
const SECRETS: [&str; 4] = ["be4rer-0f-the-job", "s1gnatur3", "secret-key-", "session-token-"];
const SUBJECT: &str = "repo:octo/shop:ref:refs/heads/main";

fn token(subject: &str) -> String {
    let claims = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "sub": subject,
    });
    let payload = aws_smithy_types::base64::encode(claims.to_string());
    let payload = payload.trim_end_matches('=').replace('+', "-").replace('/', "_");
    format!("eyJhbGciOiJSUzI1NiJ9.{payload}.{}", SECRETS[1])
}

fn tokens(subject: &str, count: usize) -> Loopback {
    let answer = Answer::json(json!({"count": 1, "value": token(subject)}).to_string());
    Loopback::answering(vec![answer; count])
}

/// STS's answer; `number` tells the credentials apart.
fn granted(number: u32, expiration: &str) -> Answer {
    Answer::xml(format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA{number}</AccessKeyId>\
         <SecretAccessKey>secret-key-{number}</SecretAccessKey><SessionToken>session-token-{number}</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
    ))
}

const LATER: &str = "2036-01-01T00:00:00Z";

fn refused(code: &str, message: &str) -> Answer {
    Answer::xml_error(
        if code == "AccessDenied" { 403 } else { 400 },
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

fn clusters() -> Answer {
    Answer::json(r#"{"clusterArns":[]}"#)
}

fn wish(url: &str) -> WebIdentity {
    WebIdentity {
        role: ROLE.parse().expect("an ARN"),
        session_name: SessionName::of_run(Some("7")),
        duration: SessionDuration::DEFAULT,
        audience: "sts.amazonaws.com".into(),
        token: TokenSource::Offered(TokenRequest::new(format!("{url}/token?api-version=2.0"), SECRETS[0])),
    }
}

async fn connect<'c>(wish: WebIdentity, aws: &str, clock: &'c VirtualClock) -> Connection<&'c VirtualClock> {
    let options = ConnectionOptions {
        region: Some("eu-west-1".into()),
        endpoint_url: Some(aws.to_owned()),
        web_identity: Some(wish),
        ..ConnectionOptions::default()
    };
    Connection::open(options, clock).await.expect("a region is given")
}

#[test]
fn the_token_of_the_run_is_exchanged_for_credentials_and_they_sign_the_calls() {
    let (github, aws) = (
        tokens(SUBJECT, 1),
        Loopback::answering([granted(1, LATER), clusters(), clusters()]),
    );
    let clock = VirtualClock::default();
    let counts = run(async {
        let aws = connect(wish(&github.url), &aws.url, &clock).await;
        aws.sign_in().await.expect("a role");
        aws.list_clusters().await.expect("clusters");
        aws.list_clusters().await.expect("clusters");
        aws.request_counts()
    });

    let asked = &github.requests()[0];
    assert_eq!(
        asked.line,
        "GET /token?api-version=2.0&audience=sts.amazonaws.com HTTP/1.1"
    );
    assert_eq!(asked.header("authorization"), format!("Bearer {}", SECRETS[0]));

    let requests = aws.requests();
    let exchange: Vec<(String, String)> = form_urlencoded::parse(requests[0].body.as_bytes())
        .into_owned()
        .collect();
    for (name, value) in [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "portzero-7"),
        ("DurationSeconds", "3600"),
        ("WebIdentityToken", &token(SUBJECT)),
    ] {
        assert!(exchange.contains(&(name.into(), value.into())), "{name}: {exchange:?}");
    }
    assert_eq!(requests[0].header("authorization"), "", "the exchange is not signed");
    for call in &requests[1..] {
        assert_eq!(call.header("x-amz-security-token"), "session-token-1");
        assert!(call.header("authorization").contains("Credential=ASIA1/"));
        assert!(call.header("authorization").contains("/eu-west-1/ecs/"));
    }
    assert_eq!(counts.by_action.get("AssumeRoleWithWebIdentity"), Some(&1));
}

#[test]
fn credentials_that_end_soon_are_renewed_between_calls() {
    let github = tokens(SUBJECT, 2);
    let aws = Loopback::answering([granted(1, LATER), clusters(), clusters(), granted(2, LATER), clusters()]);
    let clock = VirtualClock::default();
    run(async {
        let aws = connect(wish(&github.url), &aws.url, &clock).await;
        for minutes in [0, 54, 2] {
            (&clock).sleep(Duration::from_secs(minutes * 60)).await;
            aws.list_clusters().await.expect("clusters");
        }
        assert_eq!(
            aws.request_counts().by_action.get("AssumeRoleWithWebIdentity"),
            Some(&2)
        );
    });
    let used: Vec<String> = aws
        .requests()
        .iter()
        .filter(|request| request.header("x-amz-target").ends_with("ListClusters"))
        .map(|request| request.header("x-amz-security-token").to_owned())
        .collect();
    assert_eq!(used, ["session-token-1", "session-token-1", "session-token-2"]);
    assert_eq!(github.requests().len(), 2, "each exchange takes a fresh token");
}

#[test]
fn an_end_that_has_passed_already_is_taken_for_a_wrong_clock() {
    let (github, aws) = (
        tokens(SUBJECT, 1),
        Loopback::answering([granted(1, "1969-12-31T23:00:00Z"), clusters(), clusters()]),
    );
    let clock = VirtualClock::default();
    run(async {
        let aws = connect(wish(&github.url), &aws.url, &clock).await;
        aws.list_clusters().await.expect("clusters");
        (&clock).sleep(Duration::from_secs(50 * 60)).await;
        aws.list_clusters().await.expect("clusters with the same credentials");
    });
}

#[test]
fn a_renewal_that_fails_is_survived_while_the_old_credentials_are_good() {
    let github = tokens(SUBJECT, 1);
    let aws = Loopback::answering([granted(1, LATER), clusters(), clusters(), clusters()]);
    let clock = VirtualClock::default();
    run(async {
        let aws = connect(wish(&github.url), &aws.url, &clock).await;
        for minutes in [0, 56, 2] {
            (&clock).sleep(Duration::from_secs(minutes * 60)).await;
            aws.list_clusters()
                .await
                .expect("the old credentials are good for an hour");
        }
        let asked = github.requests().len();
        aws.list_clusters().await.expect_err("the script has no fourth answer");
        assert_eq!(github.requests().len(), asked, "not tried again within half a minute");
        (&clock).sleep(Duration::from_secs(3 * 60)).await;
        let error = aws.list_clusters().await.expect_err("they have ended");
        assert_eq!(error.kind, ApiErrorKind::Transient, "{error}");
        assert!(
            error
                .to_string()
                .contains("no usable answer to the request for an ID token"),
            "{error}"
        );
    });
}

#[test]
fn credentials_that_aws_takes_for_expired_are_replaced_and_the_update_is_sent_again() {
    let expired =
        r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;
    let updated = Answer::json(r#"{"service":{"serviceName":"web","status":"ACTIVE"}}"#);
    let script = [
        granted(1, LATER),
        Answer::error(400, expired),
        granted(2, LATER),
        updated,
    ];
    let (github, aws) = (tokens(SUBJECT, 2), Loopback::answering(script));
    let clock = VirtualClock::default();
    let update = ServiceUpdate {
        cluster: "staging".into(),
        service: "web".into(),
        task_definition: "web:7".into(),
        force_new_deployment: true,
    };
    run(async {
        let aws = connect(wish(&github.url), &aws.url, &clock).await;
        aws.update_service(&update).await.expect("updated");
    });
    assert_eq!(aws.requests()[3].header("x-amz-security-token"), "session-token-2");

    // A second time it is the answer.
    let twice = [
        granted(1, LATER),
        Answer::error(400, expired),
        granted(2, LATER),
        Answer::error(400, expired),
    ];
    let (github, aws) = (tokens(SUBJECT, 2), Loopback::answering(twice));
    let error = run(async {
        let aws = connect(wish(&github.url), &aws.url, &clock).await;
        aws.update_service(&update).await.expect_err("expired again")
    });
    assert_eq!(error.kind, ApiErrorKind::Credentials);
}

/// What the user reads where STS answers so to a token with that subject.
fn told(subject: &str, answer: Answer) -> String {
    let (github, aws) = (tokens(subject, 3), Loopback::answering(vec![answer; 3]));
    told_by(wish(&github.url), &aws.url)
}

fn told_by(wish: WebIdentity, aws: &str) -> String {
    let clock = VirtualClock::default();
    let finding = run(async { connect(wish, aws, &clock).await.sign_in().await.expect_err("refused") });
    let text = report::finding::render(&finding);
    assert_no_secret(&text);
    assert!(text.contains("state"), "{text}");
    text
}

fn assert_no_secret(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}

fn assert_words(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
}

#[test]
fn a_trust_policy_that_does_not_match_is_told_with_what_it_must_allow() {
    let denied = || {
        refused(
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )
    };
    assert_words(
        &told(SUBJECT, denied()),
        &[
            "error[role-not-assumed]: AWS does not let this run assume role `deploy`",
            "arn:aws:iam::111122223333:role/ci/deploy",
            "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "sub      repo:octo/shop:ref:refs/heads/main",
            "aud      sts.amazonaws.com",
            "state    nothing was changed",
            "`token.actions.githubusercontent.com:sub` = `repo:octo/shop:ref:refs/heads/main`",
            "`token.actions.githubusercontent.com:aud` = `sts.amazonaws.com`",
        ],
    );
    let plain = told(SUBJECT, denied());
    assert!(
        !plain.contains("15 July 2026") && !plain.contains("environment"),
        "{plain}"
    );
    let immutable = told("repo:octo@123/shop@456:environment:staging", denied());
    assert_words(&immutable, &["since 15 July 2026", "`environment: staging`"]);
    let pull = told("repo:octo/shop:pull_request", denied());
    assert_words(&pull, &["a run for a pull request has `pull_request`"]);
}

#[test]
fn every_other_refusal_of_sts_has_its_next_move() {
    for (code, message, words) in [
        (
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com",
            "aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com --client-id-list \
             sts.amazonaws.com",
        ),
        (
            "InvalidIdentityToken",
            "Incorrect token audience",
            "add `sts.amazonaws.com` to the audiences",
        ),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "hint: ask for `--role-duration 1h`, which every role allows",
        ),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "aws iam update-role --role-name deploy --max-session-duration 3600",
        ),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            "ask for one hour, `--role-duration 1h`",
        ),
        (
            "RegionDisabledException",
            "STS is not activated in this region",
            "activate STS for this region",
        ),
    ] {
        assert_words(&told(SUBJECT, refused(code, message)), &[message, words]);
    }
}

#[test]
fn an_outage_of_sts_is_tried_three_times_and_then_told() {
    let (github, aws) = (
        tokens(SUBJECT, 3),
        Loopback::answering(vec![Answer::xml_error(503, "busy"); 3]),
    );
    let text = told_by(wish(&github.url), &aws.url);
    assert_words(&text, &["STS gave no usable answer for role `deploy`", "503"]);
    assert_eq!((aws.requests().len(), github.requests().len()), (3, 3));

    let (github, aws) = (
        tokens(SUBJECT, 2),
        Loopback::answering([Answer::Reset, granted(1, LATER)]),
    );
    let clock = VirtualClock::default();
    run(async { connect(wish(&github.url), &aws.url, &clock).await.sign_in().await }).expect("the second try");
}

#[test]
fn every_failure_of_the_token_has_its_words_and_reaches_no_sts() {
    let aws = Loopback::answering([]);
    let by = |answer: Answer| {
        let github = Loopback::answering(vec![answer; 3]);
        told_by(wish(&github.url), &aws.url)
    };
    let echo = json!({"message": format!("bad bearer {}", SECRETS[0])}).to_string();
    assert_words(
        &by(Answer::error(401, echo)),
        &[
            "error[id-token-unavailable]: GitHub gave no ID token",
            "HTTP status 401",
            "bad bearer …",
        ],
    );
    assert_words(&by(Answer::error(502, "x")), &["no usable answer", "HTTP status 502"]);
    assert_words(&by(Answer::json("{}")), &["the answer holds no token"]);
    assert_words(&by(Answer::json("<html>")), &["the answer holds no token"]);
    assert_words(&by(Answer::json("x".repeat(70_000))), &["far too long"]);
    assert_words(&by(Answer::Reset), &["no usable answer to the request for an ID token"]);
    let over_http = WebIdentity {
        token: TokenSource::Offered(TokenRequest::new("http://pipelines.example/token", SECRETS[0])),
        ..wish(&aws.url)
    };
    assert_words(&told_by(over_http, &aws.url), &["neither https nor on this machine"]);
    assert_eq!(aws.requests().len(), 0);
}

#[test]
fn the_token_is_asked_for_over_tls() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let first = std::thread::spawn(move || {
        let mut byte = [0];
        let (mut stream, _) = listener.accept().expect("a connection");
        std::io::Read::read_exact(&mut stream, &mut byte).expect("a byte");
        byte[0]
    });
    let aws = Loopback::answering([]);
    let text = told_by(wish(&format!("https://{address}")), &aws.url);
    assert_words(&text, &["no usable answer to the request for an ID token"]);
    assert_eq!(first.join().expect("a byte"), 0x16, "the record of a TLS handshake");
}

#[test]
fn nothing_secret_is_in_the_debug_form() {
    let wish = wish("http://127.0.0.1:1");
    assert_no_secret(&format!("{wish:?}"));
    let (github, aws) = (tokens(SUBJECT, 1), Loopback::answering([granted(1, LATER)]));
    let clock = VirtualClock::default();
    run(async {
        let aws = connect(super::web_identity::wish(&github.url), &aws.url, &clock).await;
        aws.sign_in().await.expect("a role");
        assert_no_secret(&format!("{aws:?}"));
    });
}

/// `portzero` in GitHub Actions with the permission for tokens, on that AWS, without any key of AWS's.
fn in_actions(folder: &std::path::Path, github: &str, aws: &str, arguments: &str) -> Command {
    let mut command = portzero(folder);
    command
        .envs([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_ID", "4711"),
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                &format!("{github}/token?api-version=2.0"),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRETS[0]),
            ("AWS_ENDPOINT_URL", aws),
            ("AWS_REGION", "us-east-1"),
            ("PORTZERO_COMMENT", "never"),
        ])
        .args(arguments.split_whitespace());
    command
}

fn told_without_secrets(command: &mut Command) -> Said {
    let said = said(command);
    assert_no_secret(&said.stdout);
    assert_no_secret(&said.stderr);
    said
}

const DEPLOY: &str =
    "deploy --cluster demo --service web --image web=registry.example/web:2 --format json --settle 1s --role-to-assume";

#[test]
fn a_deployment_needs_no_key_where_the_role_can_be_assumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let github = tokens(SUBJECT, 1);
    let aws = serve(SCENARIO, 100);
    let deployed = told_without_secrets(&mut in_actions(
        folder.path(),
        &github.url,
        &aws,
        &format!("{DEPLOY} {ROLE}"),
    ));
    assert_eq!(deployed.code, Some(0), "{deployed:#?}");
    assert_eq!(deployed.json()["requests"]["by_action"]["AssumeRoleWithWebIdentity"], 1);
}

#[test]
fn the_sts_of_others_gives_credentials_too() {
    let Some(moto) = MotoServer::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let github = tokens(SUBJECT, 1);
    let plan = format!("plan --cluster staging --service web --role-to-assume {ROLE}");
    let planned = told_without_secrets(&mut in_actions(folder.path(), &github.url, &moto.url, &plan));
    // The role was assumed, and moto's cluster is what is missing.
    assert_eq!(planned.code, Some(3), "{planned:#?}");
    assert_words(
        &planned.stderr,
        &["error[cluster-missing]: there is no cluster `staging`"],
    );
}

#[test]
fn short_credentials_are_exchanged_again_within_one_deployment() {
    let folder = tempfile::tempdir().expect("a folder");
    let github = tokens(SUBJECT, 40);
    let soon = std::time::SystemTime::now() + Duration::from_secs(3);
    let soon = jiff::Timestamp::try_from(soon).expect("a time").to_string();
    let sts = Loopback::answering((1..=40).map(|number| granted(number, &soon)));
    let aws = serve(SCENARIO, 25);
    let mut command = in_actions(folder.path(), &github.url, &aws, &format!("{DEPLOY} {ROLE}"));
    let deployed = told_without_secrets(command.env("AWS_ENDPOINT_URL_STS", &sts.url));
    assert_eq!(deployed.code, Some(0), "{deployed:#?}");
    let exchanges = sts.requests().len();
    assert!(exchanges >= 2, "{exchanges} exchanges");
    assert_eq!(
        deployed.json()["requests"]["by_action"]["AssumeRoleWithWebIdentity"],
        exchanges
    );
}

#[test]
fn a_run_without_a_token_is_refused_before_anything_is_asked_of_aws() {
    let folder = tempfile::tempdir().expect("a folder");
    let aws = Loopback::answering([]);
    let command = |arguments: &str| in_actions(folder.path(), "http://127.0.0.1:1", &aws.url, arguments);
    let withheld = said(command(&format!("{DEPLOY} {ROLE}")).env_remove("ACTIONS_ID_TOKEN_REQUEST_URL"));
    assert_eq!(withheld.code, Some(3), "{withheld:#?}");
    assert_eq!(
        withheld.json()["services"][0]["findings"][0]["code"],
        "id-token-unavailable"
    );
    assert_words(
        &withheld.stderr,
        &[
            "there is no ID token to assume role `deploy` with",
            "permissions: { id-token: write, contents: read }",
        ],
    );
    let elsewhere = said(
        command(&format!("{DEPLOY} {ROLE}"))
            .env_remove("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
            .env_remove("GITHUB_ACTIONS"),
    );
    assert_eq!(elsewhere.code, Some(3), "{elsewhere:#?}");
    assert_words(
        &elsewhere.stderr,
        &["this is not GitHub Actions: leave out `--role-to-assume`"],
    );

    for (arguments, words) in [
        (format!("{DEPLOY} deploy"), "expected the ARN of a role"),
        (
            format!("{DEPLOY} {ROLE} --role-duration 10m"),
            "STS gives credentials for 15m to 12h",
        ),
        (
            format!("{DEPLOY} {ROLE} --role-session-name a/b"),
            "a session name has 2 to 64",
        ),
    ] {
        let wrong = said(&mut command(&arguments));
        assert_eq!(wrong.code, Some(2), "{wrong:#?}");
        assert_words(&wrong.stderr, &[words]);
    }
    assert_eq!(aws.requests().len(), 0);
}

#[test]
fn credentials_that_end_before_the_forecast_are_told_before_the_first_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let aws = serve(SCENARIO, 1);
    let plan = |expiration: &str, arguments: &str| {
        let mut command = portzero(folder.path());
        command
            .envs([("AWS_ENDPOINT_URL", aws.as_str()), ("AWS_REGION", "us-east-1")])
            .envs([("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")])
            .env("AWS_CREDENTIAL_EXPIRATION", expiration)
            .args("plan --cluster demo --service web".split_whitespace())
            .args(arguments.split_whitespace());
        said(&mut command)
    };
    let after = |span: u64| {
        let at = std::time::SystemTime::now() + Duration::from_secs(span);
        jiff::Timestamp::try_from(at).expect("a time").to_string()
    };
    let early = plan(&after(60), "");
    assert_eq!(early.code, Some(0), "{early:#?}");
    assert_words(
        &early.stdout,
        &[
            "warning[credentials-end-early]: the credentials end before `web` is expected to have rolled out",
            "credentials  end in ",
            "forecast     ",
            "timeout      10m",
            "--role-to-assume",
        ],
    );
    assert_eq!(plan(&after(60), "--fail-on warning").code, Some(3));
    let tight = plan(&after(590), "");
    assert_words(
        &tight.stdout,
        &["note[credentials-end-early]: the credentials end before the timeout of `web` does"],
    );
    let given = format!("--credentials-expire-at \"{}\"", after(7200));
    let enough = plan(&after(60), &given);
    assert!(!enough.stdout.contains("credentials-end-early"), "{enough:#?}");
    let nonsense = plan("soon", "");
    assert_words(&nonsense.stderr, &["AWS_CREDENTIAL_EXPIRATION is ignored"]);
    assert_eq!(plan(&after(60), "--credentials-expire-at soon").code, Some(2));
}
