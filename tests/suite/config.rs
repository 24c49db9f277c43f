//! The configuration as a user meets it: what each file means, and what each mistake is answered with.

mod bad_input;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use portzero::config;
use portzero::config::{Config, DynamicPorts, ServiceConfig, TaskDefinitionSource, Until};
use portzero_core::aws_model::service::Balancer;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::policy::Leftover;
use serde_json::{Value, json};

fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn load(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap()
}

fn read(text: &str) -> Result<Config, Vec<Finding>> {
    config::read(text, "portzero.yml", &|_| None, &BTreeMap::new(), None, None)
}

/// Findings as `code line:column summary`.
fn said(text: &str) -> Vec<String> {
    let findings = read(text).map(|_| ()).unwrap_err();
    findings
        .iter()
        .map(|f| {
            let at = f.location.as_ref().map_or((0, 0), |l| (l.line, l.column));
            format!("{} {}:{} {}", f.code, at.0, at.1, f.summary)
        })
        .collect()
}

fn only(config: &Config) -> &ServiceConfig {
    assert_eq!(config.services.len(), 1);
    &config.services[0]
}

fn inline(service: &ServiceConfig) -> &Value {
    match &service.source {
        Some(TaskDefinitionSource::Inline(document)) => document,
        other => panic!("{other:?}"),
    }
}

/// The one container of a service whose container has these lines, and which keeps within `services:` alone.
fn container(lines: &str) -> String {
    let body: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "services:\n- name: web\n  cluster: c\n  family: web\n  containers:\n  - name: app\n    image: a:1\n    memory: 64\n{body}"
    )
}

fn read_container(lines: &str) -> Value {
    let config = read(&container(lines)).unwrap();
    inline(only(&config))["containerDefinitions"][0].clone()
}

#[test]
fn the_examples_are_read() {
    let config = read(&load("examples/users/portzero.yml")).unwrap();
    let users = only(&config);
    assert_eq!(users.cluster.as_ref().unwrap().as_str(), "users-staging");
    assert_eq!(
        users.images,
        [(
            "users-service".to_owned(),
            "111122223333.dkr.ecr.us-east-1.amazonaws.com/users:latest".to_owned()
        )]
    );
    let Some(TaskDefinitionSource::File { path: file, location }) = &users.source else {
        panic!("{:?}", users.source);
    };
    assert_eq!((file.as_str(), location.line), ("task-definition.json", 17));
    let document: Value = serde_json::from_str(&load(&format!("examples/users/{file}"))).unwrap();
    assert_eq!(
        document["containerDefinitions"][0]["portMappings"][0]["hostPort"],
        json!(80)
    );

    let config = read(&load("examples/hello-world/deployfish.yml")).unwrap();
    let hello = only(&config);
    assert_eq!((hello.name.as_str(), hello.count), ("hello-world", Some(2)));
    assert!(matches!(&hello.load_balancers[0].balancer, Balancer::TargetGroup(arn) if arn.name() == "hello-world"));
    assert_eq!(
        inline(hello)["containerDefinitions"][0]["portMappings"],
        json!([{"containerPort": 80, "protocol": "tcp"}])
    );
    assert_eq!(config.warnings, []);
}

#[test]
fn every_key_of_deployfish_is_known() {
    let config = read(&load("tests/fixtures/config/everything.yml")).unwrap();
    let service = &config.services[0];
    let wanted: Value = serde_json::from_str(&load("tests/fixtures/config/everything.json")).unwrap();
    assert_eq!(inline(service), &wanted);
    assert_eq!(
        (service.minimum_healthy_percent, service.maximum_percent),
        (Some(50), Some(150))
    );
    assert_eq!(service.health_check_grace_period, Some(Duration::from_secs(60)));
    assert_eq!(service.load_balancers.len(), 2);
    assert_eq!(config.region.as_deref(), Some("us-west-2"));
    let [warning] = config.warnings.as_slice() else {
        panic!("{:?}", config.warnings);
    };
    assert_eq!(warning.code, Code::IgnoredKey);
    for key in [
        "tunnels",
        "terraform",
        "aws.profile",
        "services[0].application_scaling",
        "services[0].env_file",
        "services[0].requires_compatibilities",
        "mysql",
    ] {
        assert!(
            warning.evidence[0].1.split(", ").any(|named| named == key),
            "{key}: {warning:?}"
        );
    }
    let classic = &config.services[1];
    assert_eq!(classic.load_balancers[0].balancer, Balancer::Classic("old-lb".into()));
    assert_eq!(classic.load_balancers[0].container_port, 8080);
}

#[test]
fn text_stays_what_was_written() {
    let app = read_container(
        "environment:\n  A: 1.10\n  B: true\n  C: 0o17\n  D: '007'\n  E: yes\n  F: 1e3\n  G: .inf\n  H: 12:30\n  I: \"\"\n  J: 'a=b=c'\n  K: 0x1F # note\n  L: +1",
    );
    let env: Vec<String> = app["environment"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| !e["name"].as_str().unwrap().starts_with("DEPLOYFISH"))
        .map(|e| format!("{}={}", e["name"].as_str().unwrap(), e["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        env,
        [
            "A=1.10", "B=true", "C=0o17", "D=007", "E=yes", "F=1e3", "G=.inf", "H=12:30", "I=", "J=a=b=c", "K=0x1F",
            "L=+1"
        ]
    );
    let app = read_container(
        "environment: ['A=1.10', B, 'C=x=y']\ncommand: run --port 80 'a b'\nentrypoint: [sh, -c, 5]\nports: [22:22, 80]",
    );
    assert_eq!(app["environment"][1], json!({"name": "B", "value": ""}));
    assert_eq!(app["environment"][2], json!({"name": "C", "value": "x=y"}));
    assert_eq!(app["command"], json!(["run", "--port", "80", "a b"]));
    assert_eq!(app["entryPoint"], json!(["sh", "-c", "5"]));
    assert_eq!(app["portMappings"][0]["hostPort"], json!(22));
}

#[test]
fn deployfish_adds_its_three_variables_where_there_is_an_environment() {
    let app = read_container("environment: {A: b}");
    let names: Vec<&str> = app["environment"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "A",
            "DEPLOYFISH_SERVICE_NAME",
            "DEPLOYFISH_ENVIRONMENT",
            "DEPLOYFISH_CLUSTER_NAME"
        ]
    );
    assert_eq!(read_container("cpu: 10").get("environment"), None);
    let own = read(&format!("version: 1\n{}", container("environment: {A: b}"))).unwrap();
    assert_eq!(
        inline(only(&own))["containerDefinitions"][0]["environment"],
        json!([{"name": "A", "value": "b"}])
    );
}

#[test]
fn mistakes_are_answered_with_the_place_and_the_way_out() {
    assert_eq!(
        said(&container("cpu: two")),
        ["wrong-type 9:10 services[0].containers[0].cpu: expected a whole number, got \"two\""]
    );
    let findings = read("version: 1\nservices:\n- name: a\n  clutser: b\n").unwrap_err();
    assert_eq!(findings[0].code, Code::UnknownKey);
    assert_eq!(findings[0].location.as_ref().unwrap().to_string(), "portzero.yml:4:3");
    assert_eq!(findings[0].hints, ["did you mean `cluster`?"]);
    assert_eq!(
        said("version: 1\ndefaults: {timeout: 15, until: draned}\nservices: [{name: web, cluster: c}]\n"),
        [
            "invalid-value 2:21 defaults.timeout: expected a duration with a unit, got 15; did you mean 15m or 15s?",
            "invalid-value 2:32 defaults.until: expected one of registered, healthy, drained, stage:NAME, got \"draned\"; did you mean `drained`?",
        ]
    );
    assert_eq!(
        said(
            "services:\n- name: a\n  load_balancer: {target_group_arn: 'arn:aws:elasticloadbalancing:r:1:loadbalancer/app/x/1', container_name: a, container_port: '80'}\n"
        ),
        [
            "invalid-value 3:37 services[0].load_balancer.target_group_arn: this is the ARN of a load balancer; it wants the ARN of a target group (arn:aws:elasticloadbalancing:…:targetgroup/NAME/ID)"
        ]
    );
    for (lines, wanted) in [
        ("ports: ['127.0.0.1:8080:80']", "a host address is not supported"),
        ("ports: [8000-8010:8000-8010]", "port ranges are not supported"),
        ("ports: [80:80/sctp]", "sctp is not a protocol"),
        ("ports: [abc80]", "expected a port number"),
        ("command: \"a 'b\"", "a single quote is not closed"),
        ("essential: yes", "expected true or false"),
        ("volumes: [data]", "expected VOLUME:"),
        ("ulimits: {nofile: {soft: 1}}", "`hard` is missing"),
    ] {
        let all = said(&container(lines));
        assert!(all.len() == 1 && all[0].contains(wanted), "{lines}: {all:?}");
    }
}

#[test]
fn every_mistake_of_a_file_is_told_in_one_run_and_in_order() {
    let all = said("services:\n- name: a\n  count: many\n  bogus: 1\n- cluster: b\n");
    assert_eq!(
        all,
        [
            "wrong-type 3:10 services[0].count: expected a whole number, got \"many\"",
            "unknown-key 4:3 services[0]: unknown key `bogus`",
            "missing-key 5:3 services[1]: `name` is missing",
        ]
    );
}

#[test]
fn a_byte_order_mark_and_merge_keys_are_fine() {
    let text = "\u{feff}x-common: &common {cluster: c, count: 2}\nservices:\n- <<: *common\n  name: a\n";
    let config = read(text).unwrap();
    assert_eq!(
        (only(&config).count, only(&config).cluster.as_ref().unwrap().as_str()),
        (Some(2), "c")
    );
}

const TWO_PLACES: &str = "version: 1
vars: {TAG: main, NAME: 'web-${TAG}'}
environments:
  staging: {branch: staging, cluster: 'c-${SIDE:-left}', vars: {TAG: staging}}
  production: {branch: main, cluster: c-prod}
defaults: {timeout: 15m, on_failure: rollback}
services:
- name: web
  images: {app: 'r/app:${TAG}', side: '${NAME}'}
  timeout: 20m
  dynamic_ports: all
  until: 'stage:BAKE_TIME'
";

fn images(vars: &[(&str, &str)], environment: Option<&str>, branch: Option<&str>) -> (Config, [String; 2]) {
    let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let lookup = |name: &str| (name == "TAG").then(|| "from-environment".to_owned());
    let config = config::read(TWO_PLACES, "portzero.yml", &lookup, &vars, environment, branch).unwrap();
    let images = &only(&config).images;
    let images = [images[0].1.clone(), images[1].1.clone()];
    (config, images)
}

#[test]
fn the_environment_is_chosen_by_name_else_by_branch() {
    let (config, tags) = images(&[], None, Some("staging"));
    assert_eq!(config.environment.as_deref(), Some("staging"));
    assert_eq!(only(&config).cluster.as_ref().unwrap().as_str(), "c-left");
    assert_eq!(tags, ["r/app:staging", "web-main"]);

    let (config, tags) = images(&[("TAG", "by-hand")], Some("production"), Some("staging"));
    assert_eq!(config.environment.as_deref(), Some("production"));
    assert_eq!(tags, ["r/app:by-hand", "web-by-hand"]);

    let (config, tags) = images(&[], None, Some("feature"));
    assert_eq!((config.environment.as_deref(), tags[0].as_str()), (None, "r/app:main"));

    let settings = &only(&config).settings;
    let timeout = settings.timeout.as_ref().map(|said| said.value);
    assert_eq!(timeout, Some(Duration::from_secs(1200)));
    assert_eq!(
        (settings.on_failure, settings.dynamic_ports),
        (Some(Leftover::Rollback), Some(DynamicPorts::All))
    );
    assert_eq!(
        settings.until,
        Some(Until::Stage(portzero_core::aws_model::service::Stage::BakeTime))
    );
    assert_eq!(settings.settle, None);

    let findings = config::read(TWO_PLACES, "f", &|_| None, &BTreeMap::new(), Some("stagin"), None).unwrap_err();
    assert_eq!(findings[0].hints, ["did you mean `staging`?"]);
}

#[test]
fn a_services_other_name_is_no_environment() {
    let text = "services: [{name: web-prod, environment: prod, cluster: c}]\n";
    let findings = config::read(text, "f", &|_| None, &BTreeMap::new(), Some("prod"), None).unwrap_err();
    assert!(findings[0].hints[0].contains("name it as an argument"), "{findings:?}");
}

#[test]
fn a_cluster_of_its_own_is_refused_where_the_environment_names_another() {
    let text = "version: 1\nenvironments: {prod: {cluster: prod}}\nservices:\n- name: web\n  cluster: staging\n";
    let read = |environment| config::read(text, "f", &|_| None, &BTreeMap::new(), environment, None);
    let findings = read(Some("prod")).unwrap_err();
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.location.as_ref().unwrap().to_string(), "f:5:12");
    let evidence = [("service", "staging"), ("environment", "prod")].map(|(l, t)| (l.into(), t.to_owned()));
    assert_eq!(finding.evidence, evidence);
    assert_eq!(only(&read(None).unwrap()).cluster.as_ref().unwrap().as_str(), "staging");
}

#[test]
fn missing_variables_are_told_of_at_once_each_with_its_places() {
    let text = "version: 1\nservices:\n- name: web\n  cluster: ${CLUSTER}\n  images: {a: 'r:${TAG}', b: 's:${TAG}${SHA}'}\n  config: ['X=${NOT_LOOKED_AT}']\n";
    let findings = read(text).unwrap_err();
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.code, Code::MissingVariable);
    assert_eq!(finding.summary, "3 variables have no value: CLUSTER, TAG, SHA");
    let places: Vec<String> = finding
        .evidence
        .iter()
        .map(|(name, at)| format!("{name} {at}"))
        .collect();
    assert_eq!(
        places,
        [
            "CLUSTER portzero.yml:4:12",
            "TAG portzero.yml:5:15",
            "TAG portzero.yml:5:30",
            "SHA portzero.yml:5:30"
        ]
    );
}

#[test]
fn what_a_variable_holds_never_becomes_yaml_nor_part_of_a_message() {
    let lookup = |_: &str| Some("s3cret: [1]\nb: \"".to_owned());
    let read = |text: &str| config::read(text, "f", &lookup, &BTreeMap::new(), None, None);
    let config = read("services: [{name: web, images: {a: '${X}'}}]").unwrap();
    assert_eq!(only(&config).images[0].1, "s3cret: [1]\nb: \"");
    for text in [
        "services: [{name: web, count: '${X}'}]".to_owned(),
        "services: [{name: web, timeout: '${X}'}]".to_owned(),
        "version: 1\nenvironments: {e: {branch: b}}\nservices: [{name: web, launch_type: '${X}', until: '${X}'}]"
            .to_owned(),
        "services: [{name: web, load_balancer: {target_group_arn: '${X}', container_name: a, container_port: '${X}'}}]"
            .to_owned(),
        container(
            "ports: ['${X}']\nvolumes: ['${X}']\nextra_hosts: ['x']\ncommand: '\"${X}'\ncpu: '${X}'\nessential: '${X}'",
        ),
        container("environment:\n  A: [s3cret]\n  B: {s: s3cret}\n"),
        container("environment: s3cret\n"),
        container("environment: {A: 's3cret${s3cret'}\n"),
        container("environment: [A=s3cret, A=s3cret]\n"),
    ] {
        let findings = read(&text).unwrap_err();
        assert!(!format!("{findings:?}").contains("s3cret"), "{findings:?}");
    }
}

#[test]
fn services_are_chosen_by_name_or_alias() {
    let text = "services:\n- {name: web-prod, environment: prod}\n- {name: web-test, environment: test}\n- {name: db-test, environment: test}\n";
    let config = read(text).unwrap();
    let names = |wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        config
            .select(&wanted)
            .map(|found| found.iter().map(|s| s.name.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(names(&[]).unwrap().len(), 3);
    assert_eq!(names(&["web-test", "prod"]).unwrap(), ["web-prod", "web-test"]);
    assert_eq!(names(&["web-prd"]).unwrap_err()[0].hints, ["did you mean `web-prod`?"]);
    assert!(names(&["test"]).unwrap_err()[0].summary.contains("names 2 services"));
}

#[test]
fn an_order_that_leads_back_is_refused() {
    let text = "services:\n- {name: a, depends_on: [b]}\n- {name: b, depends_on: [a]}\n- {name: c, depends_on: [a]}\n- {name: d}\n";
    assert!(said(text)[0].contains("circle: a, b, c"), "{:?}", said(text));
    let findings = read("services:\n- {name: api, depends_on: [ap1]}\n").unwrap_err();
    assert_eq!(findings[0].code, Code::DanglingReference);
    assert_eq!(
        findings[0].location.as_ref().map(|at| (at.line, at.column)),
        Some((2, 28))
    );
    assert_eq!(findings[0].hints, ["did you mean `api`?"]);
    let circle = read(text).unwrap_err();
    assert_eq!(
        circle[0].location.as_ref().map(|at| (at.line, at.column)),
        Some((2, 26))
    );
}

#[test]
fn a_task_definition_is_a_file_a_family_or_what_runs() {
    let source = |text: &str| {
        only(&read(&format!("services: [{{name: a, task_definition: '{text}'}}]")).unwrap())
            .source
            .clone()
    };
    assert_eq!(source("current"), Some(TaskDefinitionSource::Current));
    for family in ["web", "web:42", "arn:aws:ecs:r:1:task-definition/web:42"] {
        assert_eq!(source(family), Some(TaskDefinitionSource::Family(family.into())));
    }
    for file in ["ecs/users.json", "users.yml", "./users"] {
        assert!(matches!(source(file), Some(TaskDefinitionSource::File { path, .. }) if path == file));
    }
    assert_eq!(only(&read("services: [{name: a}]").unwrap()).source, None);
    assert!(said("services: [{name: a, task_definition: x, family: y}]")[0].contains("cannot stand beside"));
}

/// Both parsers' view of a file, as JSON; numbers and booleans count by their values here.
#[test]
fn valid_files_mean_the_same_to_another_yaml_parser() {
    let files = [
        "examples/users/portzero.yml",
        "examples/hello-world/deployfish.yml",
        "tests/fixtures/config/everything.yml",
    ];
    for file in files {
        let text = load(file);
        let theirs: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let rewritten = serde_yaml::to_string(&theirs).unwrap();
        let (ours, again) = (read(&text).unwrap(), read(&rewritten).unwrap());
        assert_eq!(ours.services.len(), again.services.len(), "{file}");
        for (ours, again) in ours.services.iter().zip(&again.services) {
            let plain = |service: &ServiceConfig| {
                let mut service = service.clone();
                service.location = portzero_core::base::finding::Location {
                    file: String::new(),
                    line: 1,
                    column: 1,
                };
                let at = service.location.clone();
                let settings = &mut service.settings;
                for said in settings.timeout.iter_mut().chain(&mut settings.settle) {
                    said.at = at.clone();
                }
                if let Some(TaskDefinitionSource::File { location, .. }) = &mut service.source {
                    *location = service.location.clone();
                }
                service
            };
            assert_eq!(plain(ours), plain(again), "{file}");
        }
    }
}

#[test]
fn a_deployfish_file_keeps_its_double_dollars_and_hears_about_terraform() {
    let app = read_container("command: [sh, -c, 'echo $$ $HOME $${HOME} pa$$word']");
    assert_eq!(app["command"][2], json!("echo $$ $HOME ${HOME} pa$$word"));
    let all = said(&container("environment: {A: '${terraform.db-host}'}"));
    assert!(
        all.len() == 1 && all[0].contains("Terraform's state, which portzero does not open"),
        "{all:?}"
    );
}

/// As deployfish 1.18 names and places them.
#[test]
fn p09_config_of_deployfish_becomes_secrets_of_every_container() {
    let file = |service: &str| {
        format!(
            "services:\n- name: web\n  cluster: shop\n  family: web\n{service}  containers:\n  - {{ name: a, image: 'a:1', memory: 64 }}\n  - {{ name: b, image: 'b:1', memory: 64 }}\n"
        )
    };
    let role = "  execution_role: arn:aws:iam::111122223333:role/x\n";
    let config = "  config:\n  - PLAIN=${NOT_LOOKED_AT}\n  - DB_PASSWORD:secure=hunter2=x\n  - \"KEY:secure:arn:aws:kms:us-west-2:111122223333:key/1=v\"\n";
    let read_file = read(&file(&format!("{role}{config}"))).unwrap();
    assert_eq!(read_file.warnings, []);
    let secrets = serde_json::json!([
        {"name": "PLAIN", "valueFrom": "shop.web.PLAIN"},
        {"name": "DB_PASSWORD", "valueFrom": "shop.web.DB_PASSWORD"},
        {"name": "KEY", "valueFrom": "shop.web.KEY"},
    ]);
    let definition = inline(only(&read_file));
    for container in 0..2 {
        assert_eq!(definition["containerDefinitions"][container]["secrets"], secrets);
    }

    // Without an execution role deployfish leaves them out, and so does a file without containers.
    let without = read(&file(config)).unwrap();
    assert_eq!(inline(only(&without))["containerDefinitions"][0].get("secrets"), None);
    let why = &without.warnings[0].evidence[1].1;
    assert!(
        why.starts_with("services[0].config: it has no `execution_role`"),
        "{why}"
    );
    let elsewhere = "services: [{name: web, cluster: c, task_definition: web.json, config: ['A=b']}]";
    assert_eq!(read(elsewhere).unwrap().warnings[0].code, Code::IgnoredKey);

    for (entry, wanted) in [
        (
            "hunter2 x=y",
            "7:5 services[0].config[0]: the name before the `=` is none that Parameter Store takes: letters, digits, `_`, `-`, `.` and `/`",
        ),
        (
            "=hunter2",
            "7:5 services[0].config[0]: the name before the `=` is empty",
        ),
        (
            "shop.other.*",
            "7:5 services[0].config[0]: the external parameter `shop.other.*` cannot be rendered: deployfish looks such names up in AWS",
        ),
        (
            "A:external=hunter2",
            "7:5 services[0].config[0]: the external parameter `A` cannot be rendered: deployfish looks such names up in AWS",
        ),
        (
            "{ A: hunter2 }",
            "7:5 expected text and got a map at `services[0].config[0]`",
        ),
    ] {
        let all = said(&file(&format!("{role}  config:\n  - {entry}\n")));
        assert_eq!(
            all,
            [format!(
                "{} {wanted}",
                if entry.starts_with('{') {
                    "wrong-type"
                } else {
                    "invalid-value"
                }
            )],
            "{entry}"
        );
    }
    let twice = said(&file(&format!("{role}  config: [A=1, A=2]\n")));
    assert_eq!(twice, ["invalid-value 6:17 services[0].config[1]: A is there twice"]);
    let homeless = file(&format!("{role}  config: [A=1]\n")).replace("  cluster: shop\n", "");
    assert_eq!(
        said(&homeless),
        [
            "invalid-value 5:11 services[0].config: its parameters are named after the cluster, and the service has no `cluster`"
        ]
    );
}

#[test]
fn p10_the_accounts_of_a_file_are_a_guard() {
    let accounts = read(&load("tests/fixtures/config/everything.yml"))
        .unwrap()
        .accounts
        .unwrap();
    assert!(accounts.check("111122223333").is_ok() && accounts.check("444455556666").is_ok());
    let refused = accounts.check("777788889999").unwrap_err();
    assert_eq!(refused.location.map(|at| (at.line, at.column)), Some((5, 24)));
    let forbidden = |ids: &str| {
        let text = format!("aws: {{forbidden_account_ids: [{ids}]}}\nservices: [{{name: a}}]");
        read(&text).unwrap().accounts.unwrap()
    };
    assert!(forbidden("111122223333").check("111122223333").is_err());
    assert!(forbidden("111122223333").check("444455556666").is_ok());
    assert_eq!(
        said("aws: {allowed_account_ids: [1234]}\nservices: [{name: a}]"),
        ["wrong-type 1:29 aws.allowed_account_ids[0]: expected the twelve digits of an AWS account, got 1234"]
    );
}
