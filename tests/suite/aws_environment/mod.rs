//! docs/aws-environment.md and what the program does with each setting: every row is tried, against a server that says of
//! each request how it came.

mod credentials;
mod network;
mod tls;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use trial::{Trial, beside_the_simulator};

use crate::support::program::portzero;

type Check = Box<dyn Fn()>;

/// A row of the page: its name, how its second cell begins, and what proves it.
type Row = (&'static str, &'static str, Check);

fn row(name: &'static str, class: &'static str, check: impl Fn() + 'static) -> Row {
    (name, class, Box::new(check))
}

fn page() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/aws-environment.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let (name, class) = line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")?;
        Some((name.to_owned(), class.to_owned()))
    });
    rows.collect()
}

fn rows() -> Vec<Row> {
    let all = [
        credentials::keys(),
        credentials::files(),
        credentials::tokens(),
        credentials::roles(),
        credentials::sessions(),
        credentials::metadata(),
        credentials::ways_to_the_metadata(),
        network::addresses(),
        network::addresses_of_profiles(),
        network::other_services(),
        network::proxies(),
        network::authorities(),
        network::without_effect(),
    ];
    all.into_iter().flatten().collect()
}

#[test]
fn u08_every_row_of_the_page_is_tried_and_no_other() {
    let page = page();
    let rows = rows();
    let tried: BTreeSet<&str> = rows.iter().map(|(name, ..)| *name).collect();
    assert_eq!(tried.len(), rows.len(), "a row is tried twice");
    assert_eq!(page.keys().map(String::as_str).collect::<BTreeSet<_>>(), tried);
    for (name, class, _) in &rows {
        let rest = page[*name].strip_prefix(class);
        assert!(
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ':', ';', ' '])),
            "{name}: {class}"
        );
        let is_longer = *class == "honoured" && page[*name].starts_with("honoured by way");
        assert!(!is_longer, "{name}: {class}");
    }
}

#[track_caller]
fn try_all(rows: Vec<Row>) {
    for (name, _, check) in rows {
        println!("{name}");
        check();
    }
}

#[test]
fn keys_and_region() {
    try_all(credentials::keys());
}

#[test]
fn configuration_files() {
    try_all(credentials::files());
}

#[test]
fn roles_and_sessions() {
    try_all(credentials::tokens());
    try_all(credentials::roles());
    try_all(credentials::sessions());
}

#[test]
fn credentials_of_containers_and_instances() {
    try_all(credentials::metadata());
    try_all(credentials::ways_to_the_metadata());
}

#[test]
fn addresses_of_services() {
    try_all(network::addresses());
    try_all(network::addresses_of_profiles());
    try_all(network::other_services());
}

#[test]
fn a_services_section_names_the_balancers_by_their_service_id() {
    let trial = beside_the_simulator(|trial, simulator| {
        let section = format!(
            "services = dev\n[services dev]\necs =\n  endpoint_url = {simulator}\nelastic_load_balancing_v2 =\n  \
             endpoint_url = http://SERVER/elb-of-services"
        );
        trial.profile(&section)
    });
    assert!(
        trial.server.seen().contains("POST /elb-of-services"),
        "{}",
        trial.server.seen()
    );
}

#[test]
fn the_way_to_the_network() {
    try_all(network::proxies());
    try_all(network::authorities());
}

#[test]
fn settings_without_effect() {
    try_all(network::without_effect());
}

#[test]
fn u08_a_value_that_no_header_can_carry_is_refused_by_name() {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
    ] {
        let trial = Trial::new().with(name, "Swordfish\n");
        trial.refused(&[&format!("the value of {name} cannot stand in a request"), "a line end"]);
        assert!(!trial.said().stderr.contains("Swordfish"));
    }
    for key in ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"] {
        let keys = "aws_access_key_id = A\naws_secret_access_key = B\naws_session_token = C";
        let good = keys.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>();
        let trial = Trial::keyless().profile(&format!("{}\n{key} = Swordfishé", good.join("\n")));
        trial.refused(&[&format!(
            "the value of `{key}` of the AWS profile `mine` cannot stand in a request"
        )]);
        assert!(!trial.said().stderr.contains("Swordfish"));
    }
    Trial::new()
        .with("PORTZERO_REGION", "eu west")
        .refused(&["PORTZERO_REGION or `region:` of the configuration names no region: `eu west`"]);
}

#[test]
fn u08_a_host_that_keeps_silent_is_named_within_a_few_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let trial = Trial::new().with("AWS_ENDPOINT_URL", &format!("http://{address}"));
    let mut command = portzero(trial.folder.path());
    command
        .args("plan --cluster c --service w".split(' '))
        .envs(&trial.variables);
    let begun = Instant::now();
    let mut child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("portzero runs");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("a line");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(
        line,
        format!("connecting to {address} (region eu-west-1) … no answer for 3 seconds\n")
    );
    let _ = child.kill();
    let _ = child.wait();
}
