//! Task definitions as they are found in the field, and what a correct tool makes of each. The project's own files (tests/
//! fixtures/corpus) have the traits; where a collection of public ones stands beside the project, the same checks are run
//! over its files of the same numbers.

use Code::*;
use Severity::{Error, Note, Warning};
use portzero_core::base::finding::{Code, Finding, Hint, Severity};
use portzero_core::task_definition::{
    Document, DynamicPorts, Format, ImageChange, LoadBalancedPort, NetworkMode, RenderOptions, Rendered, check, render,
};
use serde_json::{Value, json};

use crate::support::evidence;
struct File {
    name: String,
    text: String,
    is_own: bool,
}

/// Runs the check on the project's own file of that number, and on the collected one where there is one.
fn each(number: &str, check: impl Fn(&File)) {
    for source in evidence::task_definitions() {
        let (name, text) = source.numbered(number);
        check(&File {
            name,
            text,
            is_own: source.is_own,
        });
    }
}

impl File {
    /// What differs between the two: names, values, places.
    fn pick<T>(&self, own: T, collected: T) -> T {
        if self.is_own { own } else { collected }
    }

    fn read(&self) -> Result<Document, Vec<Finding>> {
        Document::read(&self.text, &self.name, Format::of(&self.name))
    }

    fn document(&self) -> Document {
        self.read()
            .unwrap_or_else(|findings| panic!("{}: {findings:?}", self.name))
    }

    fn refusal(&self) -> Vec<Finding> {
        match self.read() {
            Ok(_) => panic!("{} was read", self.name),
            Err(findings) => findings,
        }
    }

    /// The file with its variables filled in and, for bare lists, a family.
    fn filled(&self, values: &[(&str, &str)]) -> Document {
        let text = values
            .iter()
            .fold(self.text.clone(), |text, (name, value)| text.replace(name, value));
        Document::read_with_family(&text, &self.name, Format::of(&self.name), Some("family"))
            .unwrap_or_else(|findings| panic!("{}: {findings:?}", self.name))
    }
}

/// Code, severity, line and column of each finding.
type Line = (Code, Severity, usize, usize);

fn lines(findings: &[Finding]) -> Vec<Line> {
    let line = |finding: &Finding| {
        let (line, column) = finding.location.as_ref().map_or((0, 0), |at| (at.line, at.column));
        (finding.code, finding.severity, line, column)
    };
    findings.iter().map(line).collect()
}

fn checked(document: &Document) -> Vec<Line> {
    lines(&check(document, None, false))
}

fn balanced(ports: &[(&str, u16)]) -> Vec<LoadBalancedPort> {
    let port = |(container, port): &(&str, u16)| LoadBalancedPort {
        container: (*container).to_owned(),
        port: *port,
        classic: false,
    };
    ports.iter().map(port).collect()
}

/// With an execution role, which a list of containers has no place for.
fn with_role(document: &Document) -> Document {
    let mut value = document.value().clone();
    value["executionRoleArn"] = json!("arn:aws:iam::111122223333:role/execution");
    Document::from_value(value, document.origin())
}

fn rendered(document: &Document, ports: &[(&str, u16)]) -> Rendered {
    let options = RenderOptions {
        load_balanced: &balanced(ports),
        ..Default::default()
    };
    render(document, &options).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn rendered_with_image(document: &Document, image: &str) -> Rendered {
    let images = [ImageChange {
        container: None,
        image: image.to_owned(),
    }];
    let options = RenderOptions {
        images: &images,
        ..Default::default()
    };
    render(document, &options).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn refused(document: &Document) -> Vec<Line> {
    lines(&render(document, &RenderOptions::default()).expect_err("rendering refuses"))
}

/// `hostPort` of every mapping, in order; None where it is absent.
fn host_ports(document: &Value) -> Vec<Option<u64>> {
    let containers = document["containerDefinitions"].as_array().expect("containers");
    let mappings = containers
        .iter()
        .flat_map(|c| c["portMappings"].as_array().into_iter().flatten());
    mappings
        .map(|mapping| mapping.get("hostPort").and_then(Value::as_u64))
        .collect()
}

fn dropped(rendered: &Rendered) -> Vec<&str> {
    let mut keys: Vec<&str> = rendered
        .changes
        .iter()
        .filter(|change| change.what.starts_with("dropped") && !change.path.is_empty())
        .map(|change| change.path.as_str())
        .collect();
    keys.sort_unstable();
    keys
}

fn has_nulls(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_nulls),
        Value::Object(map) => map.values().any(has_nulls),
        _ => false,
    }
}

fn placeholders(findings: &[Finding]) -> Vec<&str> {
    let evidence = findings.iter().flat_map(|finding| &finding.evidence);
    evidence
        .filter(|(label, _)| *label == "placeholders")
        .flat_map(|(_, names)| names.split(", "))
        .collect()
}

fn said(findings: &[Finding]) -> String {
    let words = |f: &Finding| {
        let evidence: String = f
            .evidence
            .iter()
            .map(|(label, text)| format!("{label} {text}\n"))
            .collect();
        format!(
            "{}\n{evidence}{}\n",
            f.summary,
            f.hints.iter().map(Hint::as_str).collect::<Vec<_>>().join("\n")
        )
    };
    findings.iter().map(words).collect()
}

#[test]
fn row_01_an_absent_host_port_in_bridge_is_dynamic_already() {
    each("01", |file| {
        let document = file.document();
        assert_eq!(document.network_mode(), NetworkMode::Bridge);
        assert_eq!(
            checked(&document),
            [(InvalidValue, Warning, 3, 17), (InvalidValue, Warning, 4, 22)]
        );
        let rendered = rendered(&document, &[file.pick(("router", 24224), ("fluentbit", 25888))]);
        assert_eq!((&rendered.document, rendered.changes.len()), (document.value(), 0));
    });
}

#[test]
fn row_02_a_dangling_link_and_unfilled_roles_are_named_with_their_places() {
    each("02", |file| {
        let document = file.document();
        let findings = check(&document, None, false);
        assert_eq!(
            lines(&findings),
            file.pick(
                [
                    (UnfilledPlaceholder, Error, 10, 18),
                    (UnfilledPlaceholder, Error, 11, 23),
                    (InvalidValue, Warning, 20, 28),
                    (DanglingReference, Error, 30, 9)
                ],
                [
                    (InvalidValue, Warning, 21, 30),
                    (DanglingReference, Error, 59, 11),
                    (UnfilledPlaceholder, Error, 63, 20),
                    (UnfilledPlaceholder, Error, 64, 25),
                ]
            )
        );
        assert!(
            said(&findings).contains(file.pick("did you mean `press-container`?", "did you mean `php-app-container`?"))
        );
        assert_eq!(
            refused(&document),
            file.pick(
                [
                    (UnfilledPlaceholder, Error, 18, 16),
                    (UnfilledPlaceholder, Error, 26, 16)
                ],
                [
                    (UnfilledPlaceholder, Error, 18, 18),
                    (UnfilledPlaceholder, Error, 40, 18)
                ]
            )
        );
        let filled = rendered(
            &file.filled(&[("<region>", "us-east-1")]),
            &file.pick(
                [("front-container", 8443), ("press-container", 7100)],
                [("nginx-web-container", 80), ("php-app-container", 9000)],
            ),
        );
        assert_eq!(host_ports(&filled.document), [Some(0), Some(0)]);
        assert_eq!(
            dropped(&filled),
            ["compatibilities", "requiresAttributes", "revision", "taskDefinitionArn"]
        );
        assert!(
            filled
                .changes
                .iter()
                .any(|change| change.what.starts_with("dropped: 3 nulls"))
        );
    });
}

#[test]
fn row_03_a_list_of_containers_needs_a_family() {
    each("03", |file| {
        assert_eq!(
            lines(&file.refusal()),
            file.pick(
                [(NotATaskDefinition, Error, 1, 1), (DanglingReference, Error, 13, 51)],
                [(NotATaskDefinition, Error, 1, 1), (DanglingReference, Error, 19, 70)]
            )
        );
        let document = file.filled(&[]);
        assert_eq!(
            (document.family(), document.network_mode()),
            (Some("family"), NetworkMode::Bridge)
        );
        assert!(!checked(&document).iter().any(|(code, ..)| *code == UnknownKey));
        let ports = [file.pick(("scanner", 6500), ("efs-app", 8000))];
        let rendered = rendered(&with_role(&document), &ports);
        assert_eq!(
            (host_ports(&rendered.document), rendered.changes.len()),
            (vec![Some(0)], 0)
        );
    });
}

#[test]
fn row_04_placeholders_where_numbers_belong_are_no_json() {
    each("04", |file| {
        let findings = file.refusal();
        assert_eq!(
            lines(&findings),
            file.pick([(Syntax, Error, 10, 28)], [(Syntax, Error, 8, 28)])
        );
        assert_eq!(
            placeholders(&findings),
            file.pick(
                ["<SERVICE>", "<ACCOUNT>", "<IMAGE>", "<MEGABYTES>", "<PORT>"],
                [
                    "<AWS_ACCOUNT_ID>",
                    "<APP_NAME>",
                    "<IMAGE_URI>",
                    "<MEMORY_RESV>",
                    "<SERVICE_PORT>"
                ],
            )
        );
        let as_yaml = Document::read(&file.text, "taskdef.yml", Format::Yaml).expect("YAML takes both for text");
        let checked = checked(&as_yaml);
        assert!(
            checked.contains(&file.pick((WrongType, Error, 10, 28), (WrongType, Error, 8, 28))),
            "{checked:?}"
        );
        assert!(
            checked.contains(&file.pick((WrongType, Error, 12, 42), (WrongType, Error, 13, 28))),
            "{checked:?}"
        );
        let filled = file.filled(&[
            (file.pick("<MEGABYTES>", "<MEMORY_RESV>"), "128"),
            (file.pick("<PORT>", "<SERVICE_PORT>"), "80"),
            (file.pick("<IMAGE>", "<IMAGE_URI>"), "web:1"),
        ]);
        assert_eq!(filled.network_mode(), NetworkMode::Bridge);
        assert_eq!(
            host_ports(&rendered(&filled, &[(file.pick("<SERVICE>", "<APP_NAME>"), 80)]).document),
            [Some(0)]
        );
    });
}

#[test]
fn row_05_a_template_variable_with_hyphens_is_one_name() {
    each("05", |file| {
        let findings = file.refusal();
        assert_eq!(
            (lines(&findings), placeholders(&findings).len()),
            (
                file.pick(vec![(Syntax, Error, 9, 41)], vec![(Syntax, Error, 12, 26)]),
                6
            )
        );
        assert!(placeholders(&findings).contains(&file.pick("${listen-port}", "${container-port}")));
        let filled = file.filled(&[
            (file.pick("${listen-port}", "${container-port}"), "80"),
            (file.pick("${service-name}", "${container-name}"), "api"),
            (file.pick("${registry-host}", "${repository-url}"), "api"),
            (file.pick("${log-group}", "${log-group-path}"), "/api"),
            (file.pick("${aws-region}", "${region}"), "us-east-1"),
            (
                file.pick("${table-parameter-arn}", "${dynamodb-table-name-arn}"),
                "arn:aws:ssm:us-east-1:111122223333:parameter/x",
            ),
        ]);
        assert_eq!(checked(&filled), []);
        let refusal = render(&filled, &RenderOptions::default()).expect_err("its secrets need a role");
        let at = file.pick((20, 16), (42, 16));
        assert_eq!(lines(&refusal), [(MissingKey, Error, at.0, at.1)]);
        assert_eq!(
            host_ports(&rendered(&with_role(&filled), &[("api", 80)]).document),
            [Some(0)]
        );
    });
}

#[test]
fn row_06_pascal_case_keys_get_their_camel_case_form() {
    each("06", |file| {
        let findings = file.refusal();
        assert_eq!(
            (lines(&findings), placeholders(&findings).len()),
            (
                file.pick(vec![(Syntax, Error, 6, 15)], vec![(Syntax, Error, 6, 15)]),
                11
            )
        );
        let filled = file.filled(&[
            (file.pick("${memory}", "${container_memory}"), "64"),
            (file.pick("${cpu_line}", "${container_cpu}"), "\"cpu\": 10,"),
            (file.pick("${port}", "${container_port}"), "80"),
            (file.pick("${variables}", "${environment_vars}"), ""),
            (file.pick("${logging}", "${logging_config}"), ""),
            (file.pick("${mounts}", "${mount_points}"), ""),
            (file.pick("${more}", "${extra_properties}"), ""),
            (file.pick("${app}", "${service_name}"), "web"),
        ]);
        let findings = check(&filled, None, false);
        assert_eq!(
            lines(&findings),
            file.pick(
                [(UnknownKey, Error, 8, 24), (UnknownKey, Error, 8, 45)],
                [(UnknownKey, Error, 9, 9), (UnknownKey, Error, 9, 24)]
            )
        );
        let said = said(&findings);
        assert!(
            said.contains("did you mean `hostPort`?") && said.contains("did you mean `containerPort`?"),
            "{said}"
        );
    });
}

#[test]
fn row_07_a_fixed_host_port_becomes_dynamic_and_the_image_is_filled() {
    each("07", |file| {
        let (name, port, fixed) = file.pick(("guestbook", 4567, 8080), ("flask-signup", 5000, 80));
        let (template, image) = file.pick(
            (
                "registry.example/guestbook:build-%BUILD_ID%",
                "registry.example/guestbook:build-7",
            ),
            ("example/flask-signup:v_%BUILD_NUMBER%", "example/flask-signup:v_7"),
        );
        let document = file.document();
        assert_eq!(checked(&document), []);
        assert_eq!(
            refused(&document),
            file.pick(
                [(UnfilledPlaceholder, Error, 6, 16)],
                [(UnfilledPlaceholder, Error, 5, 22)]
            )
        );
        let images = [ImageChange {
            container: None,
            image: image.into(),
        }];
        let ports = balanced(&[(name, port)]);
        let options = RenderOptions {
            images: &images,
            load_balanced: &ports,
            ..Default::default()
        };
        let rendered = render(&document, &options).expect("nothing is wrong with it");
        let mut wanted = document.value().clone();
        wanted["containerDefinitions"][0]["image"] = json!(image);
        wanted["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(0);
        assert_eq!(rendered.document.to_string(), wanted.to_string());
        let changes: Vec<String> = rendered.changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            changes,
            [
                format!("containerDefinitions[{name}].image: image {template} -> {image}"),
                format!(
                    "containerDefinitions[{name}].portMappings[{port}/tcp].hostPort: hostPort {fixed} -> 0: ECS picks a free port, so old and new tasks share an instance"
                ),
            ]
        );
    });
}

#[test]
fn row_08_nulls_of_the_console_count_as_absent() {
    each("08", |file| {
        let (cpu, memory) = file.pick(("512", "768"), ("1024", "1024"));
        let document = file.document();
        assert_eq!(
            (document.network_mode(), checked(&document)),
            (NetworkMode::Bridge, vec![])
        );
        let rendered = rendered(&document, &[file.pick(("orders-api", 4040), ("be", 3030))]);
        assert_eq!(host_ports(&rendered.document), [Some(0)]);
        assert_eq!(
            dropped(&rendered),
            [
                "compatibilities",
                "requiresAttributes",
                "revision",
                "status",
                "taskDefinitionArn"
            ]
        );
        assert!(
            rendered
                .changes
                .iter()
                .any(|change| change.what.starts_with("dropped: 35 nulls"))
        );
        assert!(!has_nulls(&rendered.document));
        assert_eq!(
            (&rendered.document["cpu"], &rendered.document["memory"]),
            (&json!(cpu), &json!(memory))
        );
        assert_eq!(rendered.document["containerDefinitions"][0]["entryPoint"], json!([]));
    });
}

#[test]
fn row_09_a_sidecars_port_is_dynamic_only_where_it_is_asked_for() {
    each("09", |file| {
        let document = file.document();
        assert_eq!(
            checked(&document),
            file.pick(
                [(3, 18), (4, 23), (23, 75), (37, 78)],
                [(3, 18), (4, 23), (32, 29), (57, 29)]
            )
            .map(|(line, column)| (UnfilledPlaceholder, Error, line, column))
        );
        let kept = rendered(&document, &[]);
        assert_eq!(
            (host_ports(&kept.document), dropped(&kept)),
            (vec![Some(file.pick(50123, 55680))], vec![])
        );
        // The port lies where instances hand out ports themselves.
        assert!(
            lines(&kept.findings)
                .contains(&file.pick((InvalidValue, Warning, 31, 34), (InvalidValue, Warning, 44, 11)))
        );
        assert_eq!(
            host_ports(&rendered(&document, &[file.pick(("collector", 50123), ("aoc-collector", 55680))]).document),
            [Some(0)]
        );
        let all = RenderOptions {
            dynamic_ports: DynamicPorts::All,
            ..Default::default()
        };
        let all = render(&document, &all).expect("it renders");
        assert_eq!(host_ports(&all.document), [Some(0)]);
        assert_eq!(
            lines(&all.findings),
            file.pick(
                [(UnfilledPlaceholder, Warning, 18, 44)],
                [(UnfilledPlaceholder, Warning, 24, 20)]
            )
        );
    });
}

#[test]
fn row_10_a_misplaced_network_mode_is_sent_to_the_task_level() {
    each("10", |file| {
        let (name, port) = file.pick(("jump", 8000), ("hello-world", 80));
        let web = u64::from(port);
        let refusal = file.refusal();
        assert_eq!(
            lines(&refusal),
            file.pick(
                [
                    (NotATaskDefinition, Error, 1, 1),
                    (MissingKey, Error, 2, 3),
                    (UnknownKey, Error, 6, 5),
                    (UnfilledPlaceholder, Error, 13, 63)
                ],
                [
                    (NotATaskDefinition, Error, 1, 1),
                    (MissingKey, Error, 2, 3),
                    (UnknownKey, Error, 5, 5),
                    (UnfilledPlaceholder, Error, 11, 29),
                ]
            )
        );
        assert!(said(&refusal).contains("`networkMode` belongs to the task definition, not to a container"));
        let filled = file.filled(&[(file.pick("${REGISTRY}", "${REPOSITORY_URL}"), "web")]);
        let kept = rendered(&filled, &[]);
        assert_eq!(host_ports(&kept.document), [Some(22), Some(web)]);
        assert!(said(&kept.findings).contains(&format!("host port 22 of container `{name}` is reserved")));
        let bridge = rendered(&filled, &[(name, 22), (name, port)]);
        assert_eq!(host_ports(&bridge.document), [Some(0), Some(0)]);
        let mut awsvpc = filled.value().clone();
        awsvpc["networkMode"] = json!("awsvpc");
        let awsvpc = rendered(&Document::from_value(awsvpc, "web"), &[(name, port)]);
        assert_eq!(
            (host_ports(&awsvpc.document), awsvpc.changes.len()),
            (vec![Some(22), Some(web)], 0)
        );
    });
}

#[test]
fn row_11_host_mode_without_ports_passes_unchanged() {
    each("11", |file| {
        let document = file.document();
        assert_eq!(
            (document.network_mode(), checked(&document)),
            (NetworkMode::Host, vec![])
        );
        assert!(document.containers()[0].is_essential());
        let unchanged = rendered(&document, &[]);
        assert_eq!(unchanged.document.to_string(), document.value().to_string());
        assert!(unchanged.changes.is_empty() && unchanged.findings.is_empty());
        let balanced = balanced(&[file.pick(("beacon", 8500), ("consulServer", 8500))]);
        let options = RenderOptions {
            load_balanced: &balanced,
            ..Default::default()
        };
        let refusal = render(&document, &options).expect_err("there is no port to send to");
        assert_eq!(
            lines(&refusal),
            file.pick(
                [(LoadBalancerMismatch, Error, 5, 9)],
                [(LoadBalancerMismatch, Error, 3, 7)]
            )
        );
    });
}

const WRITTEN_BY_AWS: [&str; 7] = [
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
];

#[test]
fn row_12_the_answer_of_describe_is_unwrapped() {
    each("12", |file| {
        let document = file.document();
        assert_eq!(
            (document.family(), checked(&document)),
            (Some(file.pick("gallery", "lyd-design-system")), vec![])
        );
        assert!(document.requires_fargate());
        let rendered = rendered(&document, &[file.pick(("pictures", 8088), ("design-system", 80))]);
        assert_eq!(host_ports(&rendered.document), [Some(file.pick(8088, 80))]);
        assert_eq!(dropped(&rendered), WRITTEN_BY_AWS);
        assert_eq!(rendered.document.get("tags"), None);
    });
}

#[test]
fn row_13_windows_on_fargate_keeps_its_named_port() {
    each("13", |file| {
        let document = file.document();
        assert_eq!(checked(&document), []);
        let rendered = rendered(
            &document,
            &[file.pick(("gate", 8090), ("container-my-tech-parking-meter", 80))],
        );
        let mut wanted = WRITTEN_BY_AWS.to_vec();
        wanted.insert(6, "tags");
        assert_eq!(dropped(&rendered), wanted);
        assert_eq!(
            rendered.document["containerDefinitions"],
            document.value()["containerDefinitions"]
        );
    });
}

#[test]
fn row_14_four_ports_of_two_containers_stay_as_they_are() {
    each("14", |file| {
        let document = file.document();
        assert_eq!(checked(&document), []);
        let rendered = rendered(
            &document,
            &file.pick(
                [("timetable", 7000), ("sidecar", 9000)],
                [("app", 9080), ("envoy", 9901)],
            ),
        );
        assert_eq!(rendered.document.to_string(), document.value().to_string());
        assert!(rendered.changes.is_empty());
        let mut renamed = document.value().clone();
        renamed["containerDefinitions"][2]["name"] = json!("proxy");
        let findings = check(&Document::from_value(renamed, "renamed"), None, false);
        assert_eq!(
            lines(&findings),
            [(DanglingReference, Error, 0, 0), (DanglingReference, Error, 0, 0)]
        );
    });
}

#[test]
fn row_15_a_wrapper_with_a_tab_in_it_is_json() {
    each("15", |file| {
        let document = file.document();
        assert_eq!(
            checked(&document),
            file.pick(
                [(InvalidValue, Warning, 4, 20), (InvalidValue, Warning, 5, 25)],
                [(InvalidValue, Warning, 4, 24), (InvalidValue, Warning, 5, 29)]
            )
        );
        let rendered = rendered(&document, &[file.pick(("shelf", 8181), ("nginx", 80))]);
        assert_eq!(rendered.document.to_string(), document.value().to_string());
        assert_eq!(host_ports(&rendered.document), [Some(file.pick(8181, 80))]);
        assert_eq!(
            rendered.document["volumes"][0]["efsVolumeConfiguration"]["fileSystemId"],
            json!(file.pick("fs-0abc1234", "fs-c3c9bcbb"))
        );
    });
}

#[test]
fn row_16_date_formats_and_backslashes_come_out_as_they_went_in() {
    each("16", |file| {
        let document = file.document();
        assert_eq!(checked(&document), []);
        assert_eq!(
            refused(&document),
            file.pick(
                [(UnfilledPlaceholder, Error, 12, 16)],
                [(UnfilledPlaceholder, Error, 79, 22)]
            )
        );
        let rendered = rendered_with_image(&document, "diary:1");
        let container = &rendered.document["containerDefinitions"][0];
        assert_eq!(
            container["logConfiguration"]["options"]["awslogs-datetime-format"],
            json!(file.pick(r"\{%d.%m.%Y %H:%M:%S\}", r"\[%Y-%m-%d %H:%M:%S\]"))
        );
        assert_eq!(
            (&container["image"], host_ports(&rendered.document)),
            (&json!("diary:1"), vec![Some(file.pick(3600, 8080))])
        );
        assert_eq!(
            container["secrets"],
            document.value()["containerDefinitions"][0]["secrets"]
        );
        assert_eq!((rendered.document.get("ipcMode"), dropped(&rendered)), (None, vec![]));
    });
}

#[test]
fn row_17_unquoted_variables_are_no_json_and_omitted_ports_stay_omitted() {
    each("17", |file| {
        let findings = file.refusal();
        assert_eq!(
            (lines(&findings), placeholders(&findings).len()),
            (
                file.pick(vec![(Syntax, Error, 17, 28)], vec![(Syntax, Error, 17, 28)]),
                12
            )
        );
        let filled = file.filled(&[
            (file.pick("${VISION_WEB_HTTP}", "${DDN_FLASK_HTTP_PORT}"), "8080"),
            (file.pick("${VISION_WEB_GRPC}", "${DDN_FLASK_GRPC_PORT}"), "8081"),
            (file.pick("${VISION_MODEL_HTTP}", "${DDN_TRITON_HTTP_PORT}"), "8000"),
            (file.pick("${VISION_MODEL_GRPC}", "${DDN_TRITON_GRPC_PORT}"), "8001"),
            (file.pick("${VISION_FAMILY}", "${DDN_ECS_TASK_FAMILY}"), "gpu"),
            (file.pick("${VISION_CONTAINER}", "${DDN_ECS_CONTAINER}"), "triton"),
            (
                file.pick("${VISION_EXECUTION_ROLE}", "${DDN_ECS_EXECUTION_ROLE_ARN}"),
                "execution",
            ),
            (file.pick("${VISION_TASK_ROLE}", "${DDN_ECS_TASK_ROLE_ARN}"), "task"),
            (file.pick("${VISION_REGION}", "${AWS_REGION}"), "us-east-1"),
        ]);
        assert_eq!(checked(&filled), []);
        let rendered = rendered_with_image(&filled, "triton:1");
        assert_eq!(host_ports(&rendered.document), [None; 4]);
        assert_eq!(
            rendered.document["containerDefinitions"][0]["resourceRequirements"],
            json!([{"type": "GPU", "value": file.pick("2", "1")}])
        );
    });
}

#[test]
fn row_18_a_mismatch_in_awsvpc_is_refused_in_awss_words() {
    each("18", |file| {
        let document = file.document();
        let findings = check(&document, None, false);
        assert_eq!(
            lines(&findings),
            file.pick([(HostPortMismatch, Error, 15, 11)], [(HostPortMismatch, Error, 9, 16)])
        );
        let said = said(&findings);
        assert!(
            said.contains("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
                && said.contains("drop `hostPort`"),
            "{said}"
        );
        assert_eq!(
            refused(&document),
            file.pick([(HostPortMismatch, Error, 15, 11)], [(HostPortMismatch, Error, 9, 16)])
        );
        let mut dropped = document.value().clone();
        let mapping = dropped["containerDefinitions"][0]["portMappings"][0].as_object_mut();
        mapping.expect("a mapping").shift_remove("hostPort");
        let rendered = rendered(
            &Document::from_value(dropped, "kibana"),
            &[file.pick(("charts", 3300), ("kibana", 5601))],
        );
        assert_eq!(lines(&rendered.findings), [(UnfilledPlaceholder, Warning, 0, 0)]);
    });
}

#[test]
fn row_19_a_key_that_comes_twice_is_reported_with_both_lines() {
    each("19", |file| {
        let document = file.document();
        let findings = check(&document, None, false);
        assert_eq!(
            lines(&findings),
            file.pick([(DuplicateKey, Warning, 19, 3)], [(DuplicateKey, Warning, 8, 5)])
        );
        assert!(
            findings[0]
                .summary
                .contains(file.pick("on line 6 and on line 19", "on line 5 and on line 8"))
        );
        assert_eq!(
            refused(&document),
            file.pick(
                [(UnfilledPlaceholder, Error, 11, 16)],
                [(UnfilledPlaceholder, Error, 16, 18)]
            )
        );
        let rendered = rendered_with_image(&document, "newweb:1");
        assert_eq!(host_ports(&rendered.document), [Some(file.pick(8060, 80))]);
        assert_eq!(
            rendered.document["containerDefinitions"][0]["environment"][0],
            json!({"name": file.pick("STAMP", "ENV"), "value": ""})
        );
    });
}

#[test]
fn row_20_a_port_in_quotes_is_refused_with_its_place() {
    each("20", |file| {
        let document = file.document();
        assert_eq!(
            checked(&document),
            file.pick(
                [
                    (InvalidValue, Error, 10, 23),
                    (InvalidValue, Warning, 11, 18),
                    (WrongType, Error, 19, 27)
                ],
                [
                    (WrongType, Error, 14, 38),
                    (InvalidValue, Error, 25, 25),
                    (InvalidValue, Warning, 27, 20)
                ]
            )
        );
        let rendered = rendered(&document, &[]);
        assert_eq!(host_ports(&rendered.document), [None]);
        assert_eq!(rendered.document["inferenceAccelerators"], json!([]));
        assert_eq!(dropped(&rendered), ["taskRoleArn"]);
        assert!(!has_nulls(&rendered.document));
    });
}

#[test]
fn row_21_unknown_keys_of_a_yaml_file_are_led_home() {
    each("21", |file| {
        let document = file.document();
        let findings = check(&document, None, false);
        assert_eq!(
            lines(&findings),
            file.pick(
                [
                    (UnknownKey, Note, 1, 1),
                    (InvalidValue, Note, 9, 9),
                    (UnknownKey, Error, 22, 9),
                    (UnknownKey, Error, 26, 1)
                ],
                [
                    (UnknownKey, Note, 1, 1),
                    (UnknownKey, Error, 21, 9),
                    (InvalidValue, Note, 27, 9),
                    (UnknownKey, Error, 44, 1),
                ]
            )
        );
        let said = said(&findings);
        for words in [
            "`valueFrom` belongs to `secrets`; a file of variables in S3 belongs to `environmentFiles`",
            "`logConfiguration` belongs to a container",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!said.contains("proxyConfiguration"));
        let rendered = rendered(&document, &[file.pick(("postbox", 5050), ("upload-ms", 8080))]);
        assert_eq!(
            (host_ports(&rendered.document), dropped(&rendered)),
            (vec![None], vec!["revision"])
        );
        assert_eq!(
            (&rendered.document["cpu"], &rendered.document["memory"]),
            (&json!("2048"), &json!("3072"))
        );
    });
}

#[test]
fn row_22_trailing_commas_are_fine_in_yaml() {
    each("22", |file| {
        let (port, protocol, line) = file.pick((3131, "http2", 19), (3000, "http", 20));
        let (cpu, memory) = file.pick(("512", "1024"), ("256", "512"));
        let document = file.document();
        assert_eq!(checked(&document), []);
        let rendered = rendered(&document, &[file.pick(("puzzles", 3131), ("api", 3000))]);
        assert_eq!(
            rendered.document["containerDefinitions"][0]["portMappings"],
            json!([{"containerPort": port, "hostPort": port, "protocol": "tcp", "appProtocol": protocol}])
        );
        assert!(rendered.changes.is_empty());
        assert_eq!(
            (&rendered.document["cpu"], &rendered.document["memory"]),
            (&json!(cpu), &json!(memory))
        );
        let as_json = Document::read(&file.text, "x.json", Format::Json).expect_err("JSON has no trailing commas");
        assert_eq!(as_json[0].location.as_ref().map(|at| at.line), Some(line + 1));
        assert!(said(&as_json).contains(&format!("remove the comma at the end of line {line}")));
    });
}

#[test]
fn row_23_a_cloudformation_template_is_named_in_one_sentence() {
    each("23", |file| {
        let findings = file.refusal();
        assert_eq!(
            lines(&findings),
            file.pick(
                [(NotATaskDefinition, Error, 3, 1)],
                [(NotATaskDefinition, Error, 15, 1)]
            )
        );
        assert!(
            findings[0]
                .summary
                .contains("is a CloudFormation template, not a task definition")
        );
    });
}

#[test]
fn row_24_a_trailing_comma_in_json_is_refused_with_its_line() {
    each("24", |file| {
        let findings = file.refusal();
        assert_eq!(
            lines(&findings),
            file.pick([(Syntax, Error, 21, 7)], [(Syntax, Error, 26, 13)])
        );
        assert!(said(&findings).contains(file.pick(
            "remove the comma at the end of line 20",
            "remove the comma at the end of line 25"
        )));
        let mended = file
            .text
            .replace("},\n      ]", "}\n      ]")
            .replace("},\n            ]", "}\n            ]");
        let mended = Document::read(&mended, &file.name, Format::Json).expect("the comma was all");
        assert_eq!(
            checked(&mended),
            file.pick(
                [(UnfilledPlaceholder, Error, 2, 13)],
                [(UnfilledPlaceholder, Error, 2, 15)]
            )
        );
        let rendered = rendered(&mended, &[]);
        assert_eq!(
            lines(&rendered.findings),
            file.pick(
                [
                    (UnfilledPlaceholder, Warning, 15, 20),
                    (UnfilledPlaceholder, Warning, 19, 20)
                ],
                [
                    (UnfilledPlaceholder, Warning, 12, 30),
                    (UnfilledPlaceholder, Warning, 16, 30)
                ]
            )
        );
        assert!(rendered.changes.is_empty());
    });
}
