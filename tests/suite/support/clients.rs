//! Other people's clients as child processes, with nothing of this machine's AWS configuration in them.

use std::process::Command;

use serde_json::Value;

use super::needs::other_program;

/// A program that sees the variables given and no other configuration of AWS.
pub fn client<K: AsRef<str>, V: AsRef<str>>(program: &str, variables: &[(K, V)]) -> Command {
    let mut command = other_program(program);
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("NO_PROXY", "127.0.0.1");
    command.envs(variables.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
    command
}

/// What a client needs to call a stand-in for AWS.
pub fn variables(url: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "simulator"),
        ("AWS_SECRET_ACCESS_KEY", "simulator"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Runs `aws ARGUMENTS`, split at blanks, and reads what it prints.
pub fn aws(variables: &[(String, String)], arguments: &str) -> Value {
    let output = client("aws", variables)
        .args(arguments.split_whitespace())
        .args(["--output", "json"])
        .output()
        .expect("aws runs");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "aws {arguments}: {stderr}");
    serde_json::from_str(&stdout).unwrap_or(Value::Null)
}

/// Runs a Python script or package of tests/clients to its good end; what it printed.
pub fn python(variables: &[(String, String)], script: &str, arguments: &[&str]) -> String {
    let path = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = client("python3", variables)
        .arg(path)
        .args(arguments)
        .output()
        .expect("python3 runs");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{script}: {stdout}{stderr}");
    stdout.into_owned()
}
