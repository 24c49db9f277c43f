//! What proves the rows of the page: who one is, and where credentials come from.

use super::{Row, row};
use crate::aws_environment::trial::{CREDENTIALS, Trial};

/// Keys that every AWS tool takes for real.
const KEYS: &str = "aws_access_key_id = AKIDFILE\naws_secret_access_key = s\n";
pub fn keys() -> Vec<Row> {
    const YES: &str = "honoured";
    vec![
        row("AWS_ACCESS_KEY_ID", YES, || {
            Trial::new().sees(&["Credential=AKIDVARIABLE/"])
        }),
        row("AWS_SECRET_ACCESS_KEY", YES, || {
            let said = Trial::new().without("AWS_SECRET_ACCESS_KEY").said();
            assert!(said.stderr.contains("no AWS credentials were found"), "{said:#?}");
            assert!(
                said.stderr.contains("hint: name a profile with AWS_PROFILE"),
                "{said:#?}"
            );
        }),
        row("AWS_SESSION_TOKEN", YES, || {
            Trial::new()
                .with("AWS_SESSION_TOKEN", "tok1")
                .sees(&["x-amz-security-token: tok1"]);
        }),
        row("AWS_SECURITY_TOKEN", "honoured by way of `AWS_SESSION_TOKEN`", || {
            Trial::new()
                .with("AWS_SECURITY_TOKEN", "tok2")
                .sees(&["x-amz-security-token: tok2"]);
        }),
        row("AWS_REGION", YES, || {
            Trial::new()
                .with("AWS_DEFAULT_REGION", "us-west-2")
                .sees(&["/eu-west-1/ecs/"]);
        }),
        row("AWS_DEFAULT_REGION", "honoured by way of `AWS_REGION`", || {
            // As CI systems do it where a source has no value.
            Trial::new()
                .with("AWS_REGION", "")
                .with("AWS_DEFAULT_REGION", "us-west-2")
                .sees(&["/us-west-2/ecs/"]);
        }),
        row("aws_access_key_id", YES, || {
            Trial::keyless().profile(KEYS).sees(&["Credential=AKIDFILE/"])
        }),
        row("aws_secret_access_key", YES, || {
            let said = Trial::keyless().profile("aws_access_key_id = AKIDFILE").said();
            assert!(said.stderr.contains("aws_secret_access_key"), "{said:#?}");
        }),
        row("aws_session_token", YES, || {
            let text = format!("{KEYS}aws_session_token = tok3");
            Trial::keyless().profile(&text).sees(&["x-amz-security-token: tok3"]);
        }),
        row("region", YES, || {
            Trial::new()
                .without("AWS_REGION")
                .profile("region = us-west-2")
                .sees(&["/us-west-2/ecs/"]);
        }),
    ]
}

pub fn files() -> Vec<Row> {
    const YES: &str = "honoured";
    let own = || {
        Trial::keyless().file(
            "own",
            "[profile mine]\naws_access_key_id = AKIDOWN\naws_secret_access_key = s\n",
        )
    };
    vec![
        row("AWS_PROFILE", YES, || {
            Trial::keyless().profile(KEYS).with("AWS_PROFILE", "mnie").refused(&[
                "the AWS profile `mnie`, which AWS_PROFILE names, is not there",
                "~/.aws/config, ~/.aws/credentials (not there)",
                "did you mean `mine`?",
            ]);
            Trial::keyless()
                .with("AWS_PROFILE", "mine")
                .refused(&["~/.aws/config (not there)", "list-profiles"]);
            // An empty one is the default profile.
            let default = Trial::keyless().file(".aws/credentials", &format!("[default]\n{KEYS}"));
            default.with("AWS_PROFILE", "").sees(&["Credential=AKIDFILE/"]);
        }),
        row("AWS_DEFAULT_PROFILE", "honoured by way of `AWS_PROFILE`", || {
            let trial = Trial::keyless().profile(KEYS).without("AWS_PROFILE");
            trial
                .with("AWS_DEFAULT_PROFILE", "mine")
                .sees(&["Credential=AKIDFILE/"]);
        }),
        row("AWS_CONFIG_FILE", YES, move || {
            let trial = own().with("AWS_PROFILE", "mine").with("AWS_CONFIG_FILE", "HOME/own");
            trial.sees(&["Credential=AKIDOWN/"]);
            let broken = Trial::keyless().file("own", "[profile mine]\nregion eu-west-1\n");
            broken
                .with("AWS_CONFIG_FILE", "HOME/own")
                .refused(&["on line 2", "own"]);
        }),
        row("AWS_SHARED_CREDENTIALS_FILE", YES, || {
            let trial = Trial::keyless()
                .file("own", &format!("[mine]\n{KEYS}"))
                .with("AWS_PROFILE", "mine");
            trial
                .with("AWS_SHARED_CREDENTIALS_FILE", "HOME/own")
                .sees(&["Credential=AKIDFILE/"]);
        }),
    ]
}

const ROLE: &str = "role_arn = arn:aws:iam::111122223333:role/r\n";

/// A role that is assumed with the keys of another profile.
fn by_source(more: &str) -> Trial {
    Trial::keyless().profile(&format!("{ROLE}{more}\nsource_profile = base\n[profile base]\n{KEYS}"))
}

pub fn tokens() -> Vec<Row> {
    const YES: &str = "honoured";
    let by_token = || {
        let trial = Trial::keyless().file("token", "a-token");
        let trial = trial.with("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r");
        trial
            .with("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token")
            .with("AWS_ROLE_SESSION_NAME", "me")
    };
    vec![
        row("AWS_CREDENTIAL_EXPIRATION", YES, || {
            let said = Trial::new().with("AWS_CREDENTIAL_EXPIRATION", "soon").said();
            assert!(
                said.stderr.contains("AWS_CREDENTIAL_EXPIRATION is ignored"),
                "{said:#?}"
            );
        }),
        row("AWS_ROLE_ARN", YES, move || {
            by_token().sees(&["role%2Fr", "Credential=AKIDGIVEN/"])
        }),
        row("AWS_WEB_IDENTITY_TOKEN_FILE", YES, move || {
            by_token().sees(&["WebIdentityToken=a-token"]);
            // Nothing is a file that is not given, and not one that cannot be read.
            let empty = by_token().with("AWS_WEB_IDENTITY_TOKEN_FILE", "").said();
            assert!(empty.stderr.contains("no AWS credentials were found"), "{empty:#?}");
        }),
        row("AWS_ROLE_SESSION_NAME", YES, move || {
            by_token().sees(&["RoleSessionName=me"])
        }),
        row("web_identity_token_file", YES, move || {
            let trial = Trial::keyless().file("token", "t4");
            trial
                .profile(&format!("{ROLE}web_identity_token_file = HOME/token"))
                .sees(&["WebIdentityToken=t4"]);
        }),
    ]
}

pub fn roles() -> Vec<Row> {
    const YES: &str = "honoured";
    let seen = ["Action=AssumeRole&", "Credential=AKIDGIVEN/"];
    vec![
        row("role_arn", YES, move || by_source("").sees(&seen)),
        row("source_profile", YES, move || {
            by_source("").sees(&["Credential=AKIDFILE/"]);
            let lost = Trial::keyless().profile(&format!("{ROLE}source_profile = bsae\n[profile base]\n{KEYS}"));
            lost.refused(&[
                "`bsae`, which `source_profile` of the AWS profile `mine` names",
                "`base`?",
            ]);
        }),
        row("credential_source", YES, move || {
            let trial = Trial::keyless().profile(&format!("{ROLE}credential_source = EcsContainer"));
            let trial = trial.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://SERVER/creds");
            trial.sees(&["GET /creds", "Action=AssumeRole&"]);
        }),
        row("external_id", YES, move || {
            by_source("external_id = e1").sees(&["ExternalId=e1"])
        }),
        row("role_session_name", YES, move || {
            by_source("role_session_name = n1").sees(&["RoleSessionName=n1"])
        }),
        row("duration_seconds", "not honoured", move || {
            by_source("duration_seconds = 43200").sees(&seen)
        }),
    ]
}

pub fn sessions() -> Vec<Row> {
    const YES: &str = "honoured";
    vec![
        row("credential_process", YES, || {
            let trial = Trial::keyless().file("creds.json", CREDENTIALS);
            trial
                .profile("credential_process = cat HOME/creds.json")
                .sees(&["Credential=AKIDGIVEN/"]);
        }),
        row("sso_session", YES, || {
            let text = "sso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n[sso-session s]\n\
                        sso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start";
            let said = Trial::keyless().profile(text).said();
            assert!(said.stderr.contains("hint: sign in: aws sso login"), "{said:#?}");
            let lost = text.replace("[sso-session s]", "[sso-session other]");
            Trial::keyless()
                .profile(&lost)
                .refused(&["lacks `sso_start_url` in [sso-session s]"]);
        }),
        sso("sso_start_url"),
        sso("sso_region"),
        sso("sso_account_id"),
        sso("sso_role_name"),
        row("login_session", "refused", || {
            let session = "login_session = arn:aws:iam::111122223333:user/Admin";
            let words = [
                "signs in by `aws login`",
                "aws configure export-credentials --profile mine --format env",
            ];
            Trial::keyless().profile(session).refused(&words);
            let source = format!("{ROLE}source_profile = base\n[profile base]\n{session}");
            Trial::keyless()
                .profile(&source)
                .refused(&["`base` signs in by `aws login`"]);
            // Credentials by variables need no profile.
            Trial::new().profile(session).changes_nothing();
        }),
        row("mfa_serial", "refused", move || {
            by_source("mfa_serial = arn:aws:iam::1:mfa/x").refused(&["second factor", "export-credentials"]);
        }),
    ]
}

/// Single sign-on without a section of its own: complete, the profile lacks only somebody who signs in.
fn sso(key: &'static str) -> Row {
    let lines = [
        "sso_start_url = https://x.awsapps.com/start",
        "sso_region = eu-west-1",
        "sso_account_id = 111122223333",
        "sso_role_name = r",
    ];
    row(key, "honoured", move || {
        let said = Trial::keyless().profile(&lines.join("\n")).said();
        assert!(said.stderr.contains("hint: sign in: aws sso login"), "{said:#?}");
        let without: Vec<&str> = lines.into_iter().filter(|line| !line.starts_with(key)).collect();
        let lack = format!("lacks `{key}`");
        Trial::keyless()
            .profile(&without.join("\n"))
            .refused(&[&lack, "aws configure sso --profile mine"]);
    })
}

pub fn metadata() -> Vec<Row> {
    const YES: &str = "honoured";
    let container = || Trial::keyless().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://SERVER/creds");
    let instance = || {
        let trial = Trial::keyless().with("AWS_EC2_METADATA_DISABLED", "");
        trial.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://SERVER")
    };
    vec![
        row("AWS_CONTAINER_CREDENTIALS_FULL_URI", YES, move || {
            container().sees(&["GET /creds", "Credential=AKIDGIVEN/"]);
            // A proxy does not hear of credentials.
            container()
                .with("HTTP_PROXY", "http://127.0.0.1:1")
                .sees(&["GET /creds"]);
        }),
        row("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", YES, || {
            let said = Trial::keyless()
                .with("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "no path")
                .said();
            assert!(
                said.stderr.contains("the AWS credentials cannot be loaded"),
                "{said:#?}"
            );
        }),
        row("AWS_CONTAINER_AUTHORIZATION_TOKEN", YES, move || {
            container()
                .with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "word1")
                .sees(&["authorization: word1"]);
        }),
        row("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", YES, move || {
            let trial = container().file("word", "word2");
            trial
                .with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "HOME/word")
                .sees(&["authorization: word2"]);
        }),
        row("AWS_EC2_METADATA_DISABLED", YES, move || {
            let trial = instance().with("AWS_EC2_METADATA_DISABLED", "true");
            trial.said();
            assert_eq!(trial.server.seen(), "");
        }),
        row("AWS_EC2_METADATA_SERVICE_ENDPOINT", YES, move || {
            instance().sees(&["/latest/api/token", "Credential=AKIDGIVEN/"]);
            instance().without("AWS_REGION").sees(&["/eu-west-1/ecs/"]);
        }),
        row("AWS_METADATA_SERVICE_TIMEOUT", "not honoured", || {
            Trial::new().with("AWS_METADATA_SERVICE_TIMEOUT", "x").changes_nothing();
        }),
        row("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "not honoured", || {
            Trial::new()
                .with("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "x")
                .changes_nothing();
        }),
    ]
}

pub fn ways_to_the_metadata() -> Vec<Row> {
    const YES: &str = "honoured";
    vec![
        row("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", YES, || {
            let trial = Trial::keyless().with("AWS_EC2_METADATA_DISABLED", "");
            let said = trial.with("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "odd").said();
            assert!(said.stderr.contains("`odd` is not a valid endpoint mode"), "{said:#?}");
        }),
        row("ec2_metadata_service_endpoint_mode", YES, || {
            let trial = Trial::keyless().with("AWS_EC2_METADATA_DISABLED", "");
            let said = trial.profile("ec2_metadata_service_endpoint_mode = odd").said();
            assert!(said.stderr.contains("`odd` is not a valid endpoint mode"), "{said:#?}");
        }),
        row("ec2_metadata_service_endpoint", YES, || {
            let trial = Trial::keyless().with("AWS_EC2_METADATA_DISABLED", "");
            trial
                .profile("ec2_metadata_service_endpoint = http://SERVER")
                .sees(&["/latest/api/token", "Credential=AKIDGIVEN/"]);
        }),
    ]
}
