//! Task definition files of our own, with the traits of those in the field.

use std::path::PathBuf;

use portzero_core::base::finding::{Code, Finding, Hint, Severity};
use portzero_core::task_definition::{
    Document, DynamicPorts, EnvironmentChange, Format, ImageChange, LoadBalancedPort, RenderOptions, check, diff,
    is_same_content, render,
};
use serde_json::{Value, json};

fn text(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/task-definitions");
    std::fs::read_to_string(folder.join(name)).expect("a fixture can be read")
}

fn read(name: &str) -> Document {
    Document::read(&text(name), name, Format::of(name)).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn places(findings: &[Finding]) -> Vec<String> {
    let place = |f: &Finding| {
        let at = f.location.as_ref().map(|at| format!("{}:{} ", at.line, at.column));
        format!("{}{} {}", at.unwrap_or_default(), f.severity.as_str(), f.code)
    };
    findings.iter().map(place).collect()
}

fn port(container: &str, port: u16, classic: bool) -> LoadBalancedPort {
    LoadBalancedPort {
        container: container.to_owned(),
        port,
        classic,
    }
}

fn image(container: Option<&str>, image: &str) -> ImageChange {
    ImageChange {
        container: container.map(str::to_owned),
        image: image.to_owned(),
    }
}

#[test]
fn only_what_was_asked_for_changes_in_the_text() {
    let document = read("shop-bridge.json");
    let rendered = render(
        &document,
        &RenderOptions {
            images: &[image(None, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:abc")],
            load_balanced: &[port("shop", 4000, false)],
            ..Default::default()
        },
    )
    .expect("it renders");
    let plain: Value = serde_json::from_str(&text("shop-bridge.json")).expect("JSON");
    let wanted = plain
        .to_string()
        .replace("%GIT_SHA%", "abc")
        .replace("\"hostPort\":8088", "\"hostPort\":0");
    assert_eq!(rendered.document.to_string(), wanted);
    // Digits stay as they are; `1E3` is spelt `1e+3`, the one liberty that serde_json takes.
    for number in ["1.50", "1e+3", "123456789012345678901234567890"] {
        assert!(wanted.contains(number), "{number}: {wanted}");
    }
    assert_eq!(rendered.changes.len(), 2);
}

#[test]
fn a_key_that_the_running_revision_has_is_known() {
    let document = read("shop-bridge.json");
    for allow_unknown_keys in [false, true] {
        let findings = check(&document, None, allow_unknown_keys);
        assert_eq!(places(&findings), ["18:7 note unknown-key"]);
    }
    let running = json!({"containerDefinitions": [{"name": "other"}, {"name": "shop", "futureSetting": {}}]});
    assert_eq!(places(&check(&document, Some(&running), false)), Vec::<String>::new());
}

#[test]
fn an_answer_of_describe_keeps_its_tags_and_is_the_same_content_without_its_fillings() {
    let document = read("shop-described.json");
    assert_eq!(places(&check(&document, None, false)), Vec::<String>::new());
    let rendered = render(&document, &RenderOptions::default()).expect("it renders");
    assert_eq!(rendered.document["tags"], json!([{"key": "team", "value": "checkout"}]));
    let mine = json!({
        "family": "shop", "tags": [{"key": "team", "value": "checkout"}],
        "containerDefinitions": [{"name": "shop", "image": "shop:12", "memoryReservation": 200, "portMappings": [{"containerPort": 4000}]}]
    });
    assert!(
        is_same_content(&mine, &rendered.document),
        "{:?}",
        diff(&mine, &rendered.document, false)
    );
}

#[test]
fn yaml_scalars_mean_what_the_api_wants_of_them() {
    let document = read("shop.yml");
    let value = document.value();
    assert_eq!((&value["cpu"], &value["memory"]), (&json!("512"), &json!("1024")));
    let shop = &value["containerDefinitions"][0];
    assert_eq!((&shop["image"], &shop["cpu"]), (&json!("shop:1.10"), &json!(256)));
    let values: Vec<&str> = shop["environment"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["value"].as_str())
        .collect();
    assert_eq!(values, ["1.10", "off", "0123"]);
    assert_eq!(shop["dockerLabels"], json!({"enabled": "true", "build": "2026-11-21"}));
    assert_eq!(
        shop["logConfiguration"]["options"]["awslogs-create-group"],
        json!("true")
    );
    let worker = &value["containerDefinitions"][1];
    assert_eq!(
        (&worker["name"], &worker["essential"]),
        (&json!("worker"), &json!(false))
    );
    assert_eq!(
        (&worker["portMappings"], &worker["image"]),
        (&json!([]), &json!("shop:1.10"))
    );
    assert_eq!(places(&check(&document, None, false)), Vec::<String>::new());
}

#[test]
fn host_port_zero_in_awsvpc_is_removed_and_said() {
    let rendered = render(
        &read("shop.yml"),
        &RenderOptions {
            load_balanced: &[port("shop", 4000, false)],
            ..Default::default()
        },
    )
    .expect("it renders");
    let changes: Vec<String> = rendered.changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "containerDefinitions[shop].portMappings[4000/tcp].hostPort: hostPort 0 removed: in network mode `awsvpc` it is always the container port"
        ]
    );
    assert_eq!(
        rendered.document["containerDefinitions"][0]["portMappings"],
        json!([{"containerPort": 4000}])
    );
}

#[test]
fn misspelt_and_misplaced_keys_are_named_with_what_they_should_be() {
    let findings = check(&read("misspelt.json"), None, false);
    assert_eq!(
        places(&findings),
        [
            "3:3 error unknown-key",
            "6:7 error unknown-key",
            "9:7 error unknown-key",
            "10:17 error wrong-type",
            "11:40 error unknown-key",
            "12:7 error unknown-key",
            "15:3 error unknown-key",
        ]
    );
    let hints: Vec<&str> = findings
        .iter()
        .flat_map(|finding| finding.hints.first())
        .map(Hint::as_str)
        .collect();
    assert_eq!(
        hints,
        [
            "did you mean `networkMode`?",
            "did you mean `name`?",
            "did you mean `memory`?",
            "write 128 without quotes",
            "`valueFrom` belongs to `secrets`; a file of variables in S3 belongs to `environmentFiles`; `environment` takes `name` and `value`",
            "`requiresCompatibilities` belongs to the task definition, not to a container",
            "`portMappings` belongs to a container, not to the task definition",
        ]
    );
}

#[test]
fn a_classic_load_balancers_port_stays_fixed() {
    let document = read("classic.json");
    let all = |ports| RenderOptions {
        dynamic_ports: DynamicPorts::All,
        load_balanced: ports,
        ..Default::default()
    };
    let ports = [port("web", 80, true)];
    let rendered = render(&document, &all(&ports)).expect("its port is fixed");
    assert_eq!(
        (rendered.document.to_string(), rendered.changes.len()),
        (document.value().to_string(), 0)
    );
    let ports = [port("api", 81, true)];
    let refusal = render(&document, &all(&ports)).expect_err("a dynamic port cannot be behind it");
    assert_eq!(places(&refusal), ["6:94 error host-port-static"]);
}

#[test]
fn a_load_balanced_port_must_be_there() {
    let ports = [port("wep", 80, false), port("web", 8000, false)];
    let options = RenderOptions {
        load_balanced: &ports,
        ..Default::default()
    };
    let refusal = render(&read("classic.json"), &options).expect_err("neither is there");
    assert_eq!(
        places(&refusal),
        ["4:3 error load-balancer-mismatch", "5:54 error load-balancer-mismatch"]
    );
    assert_eq!(
        refusal
            .iter()
            .map(|finding| finding.hints[0].as_str())
            .collect::<Vec<_>>(),
        ["did you mean `web`?", "did you mean port 80?"]
    );
}

#[test]
fn host_mode_is_left_alone_and_explained() {
    let document = read("host.json");
    let ports = [port("edge", 443, false)];
    let options = RenderOptions {
        load_balanced: &ports,
        ..Default::default()
    };
    let rendered = render(&document, &options).expect("it renders");
    assert_eq!(&rendered.document, document.value());
    assert_eq!(places(&rendered.findings), ["5:73 warning host-port-static"]);
}

#[test]
fn a_key_with_two_values_is_refused_with_both_places() {
    let refusal = Document::read(&text("two-families.json"), "web.json", Format::Json).expect_err("which one?");
    assert_eq!(places(&refusal), ["4:3 error duplicate-key"]);
    assert_eq!(refusal[0].evidence, [("first".into(), "web.json:2:3".to_owned())]);
    let yaml = Document::read("family: a\nfamily: a\n", "web.yml", Format::Yaml).expect_err("YAML forbids it");
    assert_eq!(places(&yaml), ["2:1 error duplicate-key"]);
}

#[test]
fn an_image_without_a_container_needs_one_candidate() {
    let document = read("classic.json");
    let given = |images: &[ImageChange]| {
        render(
            &document,
            &RenderOptions {
                images,
                ..Default::default()
            },
        )
    };
    let refusal = given(&[image(None, "other:2")]).expect_err("which one?");
    assert_eq!(refusal[0].evidence, [("containers".into(), "web, api".to_owned())]);
    let refusal = given(&[image(Some("wbe"), "web:2")]).expect_err("no such container");
    assert_eq!(
        (refusal[0].code, refusal[0].hints[0].as_str()),
        (Code::ImageTarget, "did you mean `web`?")
    );
    let rendered = given(&[image(None, "api:2")]).expect("the same repository is a candidate");
    assert_eq!(rendered.document["containerDefinitions"][1]["image"], json!("api:2"));
}

#[test]
fn an_environment_value_is_set_and_never_shown() {
    let environment = [EnvironmentChange {
        container: "shop".into(),
        name: "EMPTY".into(),
        value: "hunter2".into(),
    }];
    let options = RenderOptions {
        images: &[image(Some("shop"), "shop:1")],
        environment: &environment,
        ..Default::default()
    };
    let document = read("shop-bridge.json");
    let rendered = render(&document, &options).expect("it renders");
    assert_eq!(
        rendered.document["containerDefinitions"][0]["environment"][0],
        json!({"name": "EMPTY", "value": "hunter2"})
    );
    let changes = format!(
        "{:?} {:?} {options:?}",
        rendered.changes,
        diff(document.value(), &rendered.document, false)
    );
    assert!(
        changes.contains("environment[EMPTY]") && !changes.contains("hunter2"),
        "{changes}"
    );
}

#[test]
fn hostile_files_are_refused_at_once() {
    let bomb: String = (0..20).fold("l0: &l0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}l{}: &l{} [*l{n}, *l{n}, *l{n}]\n", n + 1, n + 1)
    });
    let deep = "[".repeat(100_000);
    let long = format!("family: {}", "x".repeat(300_000));
    let nul = "family: a\0b".to_owned();
    let itself = "family: &a [*a]".to_owned();
    for text in [
        bomb,
        deep.clone(),
        long,
        nul,
        itself,
        String::new(),
        "--- a\n--- b\n".to_owned(),
    ] {
        let refusal = Document::read(&text, "web.yml", Format::Yaml).expect_err("not to be read");
        assert!(matches!(refusal[0].code, Code::Syntax), "{refusal:?}");
        assert_eq!(refusal[0].severity, Severity::Error);
    }
    for text in [
        deep,
        "{\"family\": \"a\0b\"}".to_owned(),
        " ".repeat(2_000_000),
        String::new(),
        "{} {}".to_owned(),
    ] {
        let refusal = Document::read(&text, "web.json", Format::Json).expect_err("not to be read");
        assert!(matches!(refusal[0].code, Code::Syntax), "{refusal:?}");
    }
}

#[test]
fn a_slip_is_an_error_and_a_warning_where_unknown_keys_are_allowed() {
    let document = Document::read("{\"famly\": 1, \"family\": \"web\"}", "web", Format::Json).expect("it is read");
    for (allow_unknown_keys, said) in [(false, "1:2 error unknown-key"), (true, "1:2 warning unknown-key")] {
        let findings = check(&document, None, allow_unknown_keys);
        assert!(places(&findings).contains(&said.to_owned()), "{findings:?}");
    }
}

#[test]
fn a_byte_order_mark_changes_neither_value_nor_places() {
    for (format, text) in [
        (Format::Json, "\u{feff}{\"family\": 1}"),
        (Format::Yaml, "\u{feff}famly: web"),
    ] {
        let document = Document::read(text, "web", format).expect("it is read");
        let findings = check(&document, None, false);
        let first = findings.iter().find(|finding| finding.location.is_some());
        assert_eq!(
            first.and_then(|f| f.location.as_ref()).map(|at| at.line),
            Some(1),
            "{findings:?}"
        );
    }
    let document = Document::read("\u{feff}{\"famly\": 1}", "web", Format::Json).expect("it is read");
    assert!(places(&check(&document, None, false)).contains(&"1:2 error unknown-key".to_owned()));
}

#[test]
fn columns_count_characters() {
    let document = Document::read("{\"family\": \"é\", \"famly\": 1}", "web", Format::Json).expect("it is read");
    assert!(places(&check(&document, None, false)).contains(&"1:17 error unknown-key".to_owned()));
    let refusal = Document::read("{\"family\": \"é\", \"x\": !}", "web", Format::Json).expect_err("no JSON");
    assert_eq!(places(&refusal), ["1:22 error syntax"]);
}

#[test]
fn ports_that_cannot_be_are_refused() {
    let container =
        |name: &str, mapping: Value| json!({"name": name, "image": "web:1", "memory": 64, "portMappings": [mapping]});
    let document = json!({"family": "web", "networkMode": "awsvpc", "containerDefinitions": [
        container("web", json!({"containerPort": 80})),
        container("api", json!({"containerPort": 80})),
        container("far", json!({"containerPort": 70000})),
    ]});
    let document = Document::from_value(document, "web");
    let summaries = |findings: Vec<Finding>| findings.into_iter().map(|finding| finding.summary);
    let found = summaries(check(&document, None, false)).collect::<Vec<_>>();
    assert_eq!(found, ["`containerPort` 70000 of container `far` is no port"]);
    let valid = json!({"family": "web", "networkMode": "awsvpc", "containerDefinitions": [
        container("web", json!({"containerPort": 80})),
        container("api", json!({"containerPort": 80})),
    ]});
    let refusal = render(&Document::from_value(valid, "web"), &RenderOptions::default()).expect_err("one port");
    assert_eq!(
        summaries(refusal).collect::<Vec<_>>(),
        ["container port 80 is used twice in the task, the second time by container `api`"]
    );
}

#[test]
fn a_positional_placeholder_in_an_image_is_unfilled() {
    let text = r#"{"family": "web", "containerDefinitions": [{"name": "web", "memory": 64, "image": "%s.dkr.ecr.us-east-1.amazonaws.com\/web:1"}]}"#;
    let document = Document::read(text, "web.json", Format::Json).expect("it is read");
    let refusal = render(&document, &RenderOptions::default()).expect_err("which account?");
    assert_eq!(places(&refusal), ["1:83 error unfilled-placeholder"]);
}

#[test]
fn the_default_of_a_variable_is_not_shown() {
    let text = r#"{"family": "web", "containerDefinitions": [{"name": "web", "memory": 64, "image": "web",
        "environment": [{"name": "KEY", "value": "${API_KEY:-hunter2}"}]}]}"#;
    let document = Document::read(text, "web.json", Format::Json).expect("it is read");
    let rendered = render(&document, &RenderOptions::default()).expect("a container may fill it in itself");
    let said = format!("{:?}", rendered.findings);
    assert!(
        said.contains("`${API_KEY}` is not filled in") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn tags_beside_a_yaml_task_definition_are_text() {
    let text = "taskDefinition: {family: web, containerDefinitions: []}\ntags: [{key: build, value: 12}]\n";
    let document = Document::read(text, "web.yml", Format::Yaml).expect("it is read");
    assert_eq!(document.value()["tags"], json!([{"key": "build", "value": "12"}]));
}

#[test]
fn all_ports_become_dynamic_but_ranges_which_are_already() {
    let mappings =
        json!([{"containerPort": 80, "hostPort": 80}, {"containerPortRange": "8000-8010"}, {"containerPort": 81}]);
    let document = json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "web:1", "memory": 64, "portMappings": mappings}]});
    let options = RenderOptions {
        dynamic_ports: DynamicPorts::All,
        ..Default::default()
    };
    let rendered = render(&Document::from_value(document, "web"), &options).expect("it renders");
    assert_eq!(
        rendered.document["containerDefinitions"][0]["portMappings"],
        json!([{"containerPort": 80, "hostPort": 0}, {"containerPortRange": "8000-8010"}, {"containerPort": 81}])
    );
}
