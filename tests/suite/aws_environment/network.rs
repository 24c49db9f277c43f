//! What proves the rows of the page: addresses, proxies, certificates, and what has no effect.

use portzero::adapters::aws::{Connection, ConnectionOptions, Environment};
use portzero::adapters::clock::SystemClock;
use portzero_core::aws_model::task::LogStream;
use portzero_core::port::{LoadBalancing as _, Logs as _};

use super::{Row, row};
use crate::aws_environment::tls::{fixture, tls_server};
use crate::aws_environment::trial::{Trial, beside_the_simulator, proxied};
use crate::support::run;

/// What a proxy hears where ECS itself is called.
const AWS: &str = "CONNECT ecs.eu-west-1.amazonaws.com:443";

pub fn addresses() -> Vec<Row> {
    const YES: &str = "honoured";
    vec![
        row("AWS_ENDPOINT_URL", YES, || {
            Trial::new()
                .with("AWS_ENDPOINT_URL", "http://SERVER/all")
                .sees(&["POST /all"]);
            Trial::new()
                .with("AWS_ENDPOINT_URL", "localhost:4566")
                .refused(&["AWS_ENDPOINT_URL is no address"]);
            proxied().with("AWS_ENDPOINT_URL", "").sees(&[AWS]);
        }),
        row("AWS_ENDPOINT_URL_ECS", YES, || {
            Trial::new()
                .with("AWS_ENDPOINT_URL_ECS", "http://SERVER/ecs")
                .sees(&["POST /ecs"]);
        }),
        row("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", YES, move || {
            let trial = proxied().with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
            trial.with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").sees(&[AWS]);
        }),
        row("AWS_USE_FIPS_ENDPOINT", YES, || {
            let trial = proxied()
                .with("AWS_REGION", "us-east-1")
                .with("AWS_USE_FIPS_ENDPOINT", "true");
            trial.sees(&["CONNECT ecs-fips.us-east-1.amazonaws.com:443"]);
        }),
        row("AWS_USE_DUALSTACK_ENDPOINT", YES, || {
            proxied()
                .with("AWS_USE_DUALSTACK_ENDPOINT", "true")
                .sees(&["CONNECT ecs.eu-west-1.api.aws:443"]);
        }),
        row("AWS_ENDPOINT_URL_STS", YES, || {
            let trial = Trial::keyless()
                .with("AWS_ENDPOINT_URL_STS", "http://SERVER/sts")
                .file("token", "a-token");
            let trial = trial.with("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r");
            trial
                .with("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token")
                .sees(&["POST /sts"]);
        }),
    ]
}

pub fn addresses_of_profiles() -> Vec<Row> {
    const YES: &str = "honoured";
    let profile = |text: &str| Trial::new().without("AWS_ENDPOINT_URL").profile(text);
    vec![
        row("endpoint_url", YES, move || {
            profile("endpoint_url = http://SERVER/of-profile").sees(&["POST /of-profile"]);
            profile("endpoint_url = SERVER").refused(&["`endpoint_url` of the AWS profile `mine` is no address"]);
        }),
        row("services", YES, move || {
            let section = "services = dev\n[services dev]\necs =\n  endpoint_url = http://SERVER/of-services";
            profile(section).sees(&["POST /of-services"]);
            profile(&section.replace("http://", "")).refused(&["`endpoint_url` of ecs in [services dev]"]);
        }),
        row("ignore_configured_endpoint_urls", YES, move || {
            let text = "ignore_configured_endpoint_urls = true\nendpoint_url = http://127.0.0.1:1";
            proxied().profile(text).sees(&[AWS]);
        }),
        row("use_fips_endpoint", YES, || {
            proxied()
                .profile("use_fips_endpoint = true")
                .sees(&["CONNECT ecs-fips.eu-west-1.amazonaws.com:443"]);
        }),
        row("use_dualstack_endpoint", YES, || {
            proxied()
                .profile("use_dualstack_endpoint = true")
                .sees(&["CONNECT ecs.eu-west-1.api.aws:443"]);
        }),
    ]
}

pub fn other_services() -> Vec<Row> {
    const YES: &str = "honoured";
    let variable = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2";
    vec![
        row(variable, YES, move || {
            let trial = beside_the_simulator(|trial, simulator| {
                trial
                    .with("AWS_ENDPOINT_URL_ECS", simulator)
                    .with(variable, "http://SERVER/elb")
            });
            assert!(trial.server.seen().contains("POST /elb"), "{}", trial.server.seen());
        }),
        row("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING", YES, || {
            asked("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING", async |aws| {
                let denied = aws.describe_classic_load_balancers(&["old".to_owned()]).await;
                assert!(denied.is_err(), "{denied:?}");
            });
        }),
        row("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", YES, || {
            asked("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", async |aws| {
                let stream = LogStream {
                    group: "g".into(),
                    name: "s".into(),
                    region: None,
                };
                let denied = aws.last_lines(&stream, 5).await;
                assert!(denied.is_err(), "{denied:?}");
            });
        }),
    ]
}

/// A service that only a failure, or a classic load balancer, would ask: through the connection itself.
fn asked(variable: &str, ask: impl AsyncFnOnce(&Connection<SystemClock>)) {
    let trial = Trial::new().with(variable, "http://SERVER/own");
    let variables = trial.variables.iter().map(|(name, value)| (name.into(), value.into()));
    let options = ConnectionOptions {
        environment: Environment::of(variables),
        ..ConnectionOptions::default()
    };
    run(async {
        let aws = Connection::open(options, SystemClock).await.expect("a connection");
        ask(&aws).await;
    });
    assert!(trial.server.seen().contains("POST /own"), "{}", trial.server.seen());
}

pub fn proxies() -> Vec<Row> {
    const YES: &str = "honoured";
    let by_http = || {
        Trial::new()
            .with("AWS_ENDPOINT_URL", "http://ecs.test.invalid")
            .with("HTTP_PROXY", "SERVER")
    };
    vec![
        row("HTTPS_PROXY", YES, || {
            proxied().sees(&[AWS]);
            let lower = proxied()
                .with("HTTPS_PROXY", "http://127.0.0.1:1")
                .with("https_proxy", "http://SERVER");
            lower.sees(&["CONNECT ecs."]);
            proxied()
                .with("HTTPS_PROXY", "socks5://SERVER")
                .refused(&["HTTPS_PROXY names no HTTP proxy"]);
        }),
        row("HTTP_PROXY", YES, move || {
            by_http().sees(&["POST http://ecs.test.invalid"])
        }),
        row("NO_PROXY", YES, move || {
            let trial = by_http().with("NO_PROXY", "localhost,.test.invalid");
            let said = trial.said();
            assert_eq!(trial.server.seen(), "");
            assert!(
                said.stderr
                    .contains("cannot connect to ecs.test.invalid (region eu-west-1): "),
                "{said:#?}"
            );
        }),
        row("ALL_PROXY", "not honoured", || {
            Trial::new().with("ALL_PROXY", "http://127.0.0.1:1").changes_nothing();
        }),
    ]
}

pub fn authorities() -> Vec<Row> {
    vec![
        row("AWS_CA_BUNDLE", "honoured", || {
            let bundle = fixture("authority.pem");
            let trusting = Trial::new()
                .with("AWS_CA_BUNDLE", &bundle)
                .with("AWS_ENDPOINT_URL", &tls_server());
            let said = trusting.said();
            assert!(said.stderr.contains("denied"), "{said:#?}");
            let doubting = Trial::new().with("AWS_ENDPOINT_URL", &tls_server()).said();
            assert!(
                doubting.stderr.contains("UnknownIssuer; where a proxy signs"),
                "{doubting:#?}"
            );
            Trial::new()
                .with("AWS_CA_BUNDLE", "HOME/lost.pem")
                .refused(&["AWS_CA_BUNDLE names", "lost.pem"]);
        }),
        row("REQUESTS_CA_BUNDLE", "honoured by way of `AWS_CA_BUNDLE`", || {
            let trial = Trial::new().with("REQUESTS_CA_BUNDLE", "HOME/lost.pem");
            trial.refused(&["REQUESTS_CA_BUNDLE names", "lost.pem"]);
            trial.with("AWS_CA_BUNDLE", &fixture("authority.pem")).changes_nothing();
        }),
        row("ca_bundle", "honoured by way of `AWS_CA_BUNDLE`", || {
            let text = format!("ca_bundle = {}", fixture("authority.pem"));
            let said = Trial::new()
                .with("AWS_ENDPOINT_URL", &tls_server())
                .profile(&text)
                .said();
            assert!(said.stderr.contains("denied"), "{said:#?}");
            Trial::new()
                .profile("ca_bundle = HOME/lost.pem")
                .refused(&["`ca_bundle` of the AWS profile `mine`"]);
        }),
    ]
}

pub fn without_effect() -> Vec<Row> {
    let names = [
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_DEFAULTS_MODE",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_SDK_UA_APP_ID",
        "AWS_EC2_METADATA_V1_DISABLED",
        "AWS_LOGIN_CACHE_DIRECTORY",
        "AWS_ACCOUNT_ID",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_AUTH_SCHEME_PREFERENCE",
        "AWS_SIGV4A_SIGNING_REGION_SET",
        "AWS_DISABLE_REQUEST_COMPRESSION",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "AWS_DEFAULT_OUTPUT",
        "AWS_PAGER",
        "AWS_CLI_AUTO_PROMPT",
        "AWS_CLI_FILE_ENCODING",
        "AWS_DATA_PATH",
        "max_attempts",
        "retry_mode",
        "defaults_mode",
        "sts_regional_endpoints",
        "sdk_ua_app_id",
        "output",
        "sso_registration_scopes",
        "metadata_service_timeout",
        "metadata_service_num_attempts",
        "ec2_metadata_v1_disabled",
        "aws_account_id",
        "account_id_endpoint_mode",
        "auth_scheme_preference",
        "sigv4a_signing_region_set",
        "disable_request_compression",
        "request_min_compression_size_bytes",
        "request_checksum_calculation",
        "response_checksum_validation",
        "cli_pager",
        "cli_auto_prompt",
        "cli_timestamp_format",
        "cli_binary_format",
        "parameter_validation",
        "tcp_keepalive",
    ];
    let row_of = |name: &'static str| {
        row(name, "not honoured", move || {
            let is_variable = name.starts_with("AWS_");
            let trial = if is_variable {
                Trial::new().with(name, "odd")
            } else {
                Trial::new().profile(&format!("{name} = odd"))
            };
            trial.changes_nothing();
        })
    };
    names.map(row_of).into()
}
