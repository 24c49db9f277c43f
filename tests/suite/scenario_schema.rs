//! The schema of scenario files: that it knows what the reader knows, and nothing else; and that a mistake in a fault is
//! shown where it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portzero_sim::{SCHEMA, Scenario, fault_names};
use serde_json::{Value, json};

use crate::support::program::run;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("JSON")
}

/// The keys that the reader takes in a place, by its own refusal of another one.
fn read_keys(place: &dyn Fn(Value) -> Value) -> BTreeSet<String> {
    let document = place(json!({"no-such-key": 1}));
    let error = serde_json::from_value::<Scenario>(document)
        .expect_err("no such key")
        .to_string();
    let known = error
        .split_once("expected one of ")
        .map(|(_, known)| known)
        .expect("the reader lists its keys");
    let known = known.split(" at line").next().unwrap_or_default();
    // The word before the last comma may stand without one: "expected `a` or `b`".
    known
        .split([',', ' '])
        .filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'))
        .map(str::to_owned)
        .collect()
}

fn schema_keys(definition: &Value) -> BTreeSet<String> {
    definition["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .cloned()
        .collect()
}

/// A name, its definition, and a document with something in that place.
type Place<'a> = (&'a str, Value, &'a dyn Fn(Value) -> Value);

#[test]
fn every_key_of_the_reader_is_in_the_schema_and_no_other() {
    let schema = schema();
    let definition = |name: &str| schema["$defs"][name].clone();
    let places: [Place<'_>; 8] = [
        ("the scenario", schema.clone(), &|it| it),
        ("an instance", definition("instance"), &|it| json!({"instances": [it]})),
        (
            "a target group",
            definition("target_group"),
            &|it| json!({"target_groups": [it]}),
        ),
        (
            "a health check",
            definition("health_check"),
            &|it| json!({"target_groups": [{"health_check": it}]}),
        ),
        ("a service", definition("service"), &|it| json!({"services": [it]})),
        (
            "a load balancer",
            definition("load_balancer"),
            &|it| json!({"services": [{"load_balancers": [it]}]}),
        ),
        ("timings", definition("timings"), &|it| json!({"timings": it})),
        ("a fault", definition("fault"), &|it| json!({"faults": [it]})),
    ];
    for (name, definition, place) in places {
        assert_eq!(schema_keys(&definition), read_keys(place), "{name}");
        assert_eq!(definition["additionalProperties"], false, "{name}");
    }
    assert_eq!(
        schema_keys(&definition("circuit_breaker")),
        BTreeSet::from(["enable", "reset_on_healthy_task", "rollback", "threshold"].map(str::to_owned))
    );
}

#[test]
fn the_schema_lists_the_faults_of_the_program() {
    let listed: BTreeSet<String> =
        serde_json::from_value(schema()["$defs"]["fault"]["properties"]["fault"]["enum"].clone()).unwrap();
    let known: BTreeSet<String> = fault_names().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_program_prints_the_schema() {
    let printed = run(Path::new("."), "simulate --schema");
    assert_eq!((printed.code, printed.json()), (Some(0), schema()));
}

#[test]
fn every_scenario_of_the_repository_is_valid_and_one_with_a_wrong_key_is_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(root.join("tests/scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .collect();
    files.push(root.join("src/cli/command/demo.yml"));
    assert!(files.len() > 18);
    let schema = schema();
    for file in files {
        let document: Value = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let problems = problems(&schema, &schema, &document, "");
        assert!(problems.is_empty(), "{}: {problems:?}", file.display());
    }
    for (text, problem) in [
        ("sevices: []", "/sevices: no such key"),
        ("services: [{name: web, count: 2}]", "/services/0/count: no such key"),
        ("faults: [{fault: unhealty}]", "/faults/0/fault: not one of"),
        ("faults: [{code: 500}]", "/faults/0: `fault` is missing"),
        ("faults: [{fault: reset, share: 1.5}]", "/faults/0/share: beyond"),
        ("faults: [{fault: slow, delay: 10}]", "/faults/0/delay: not a string"),
        (
            "faults: [{fault: slow, delay: ten}]",
            "/faults/0/delay: not of the form",
        ),
        ("seed: -1", "/seed: beyond"),
        ("throttling: 5", "/throttling: not a string"),
    ] {
        let document: Value = serde_yaml::from_str(text).unwrap();
        let problems = problems(&schema, &schema, &document, "");
        assert!(problems.iter().any(|p| p.starts_with(problem)), "{text}: {problems:?}");
        assert!(
            Scenario::read(text, "a.yml").is_err() || problem.contains("missing"),
            "{text}"
        );
    }
}

#[test]
fn a_mistake_in_each_key_of_a_fault_is_shown_with_its_line_and_column() {
    let wrong: BTreeMap<&str, &str> = BTreeMap::from([
        ("fault", "unhealty"),
        ("at", "5"),
        ("for", "soon"),
        ("until", "1 fortnight"),
        ("since", "yesterday"),
        ("service", "[web]"),
        ("target_group", "[web]"),
        ("container", "[web]"),
        ("revision", "previous"),
        ("code", "teapot"),
        ("exit_code", "3000000000"),
        ("delay", "10"),
        ("kind", "luck"),
        ("desired_count", "-1"),
        ("instance", "[i-1]"),
        ("zone", "[a]"),
        ("message", "[a]"),
        ("log", "[a]"),
        ("action", "[a]"),
        ("count", "-1"),
        ("share", "1.5"),
        ("rate", "0"),
        ("burst", "-1"),
        ("status", "404"),
        ("body", "perhaps"),
        ("when", "during"),
        ("age", "5"),
        ("role", "[a]"),
    ]);
    let keys = schema_keys(&schema()["$defs"]["fault"]);
    assert_eq!(keys, wrong.keys().map(|key| (*key).to_owned()).collect());
    for (key, value) in wrong {
        let head = if key == "fault" { "" } else { "fault: reset\n    " };
        let text = format!("seed: 1\nfaults:\n  - {head}{key}: {value}\n");
        let findings = Scenario::read(&text, "a.yml").expect_err(&text);
        let line = if key == "fault" { 3 } else { 4 };
        let at = findings[0]
            .place
            .clone()
            .unwrap_or_else(|| panic!("{text}: {findings:?}"));
        assert_eq!(at.line, line, "{text}: {findings:?}");
        assert!((5..=5 + key.len() + 2).contains(&at.column), "{text}: {at:?}");
    }
    let findings = Scenario::read("faults:\n  - { fault: reset, wen: before }\n", "a.yml").expect_err("no such key");
    let at = findings[0].place.clone().expect("a place");
    assert_eq!((at.line, at.column), (2, 21), "{findings:?}");
}

#[test]
fn other_mistakes_have_their_place_too() {
    let text =
        "start: tomorrow\nthrottling: none\nservices:\n  - name: web\n    load_balancers: [{target_group: wbe}]\n";
    let findings = Scenario::read(text, "a.yml").expect_err("two mistakes");
    let places: Vec<_> = findings
        .iter()
        .map(|f| f.place.clone().map(|at| (at.line, at.column)))
        .collect();
    assert_eq!(places, [Some((1, 8)), Some((5, 37))], "{findings:?}");
    let findings = Scenario::read("seed: 1\nthrottling: sometimes\n", "a.yml").expect_err("no throttling");
    assert_eq!(
        findings[0].place.as_ref().map(|at| (at.line, at.column)),
        Some((2, 13)),
        "{findings:?}"
    );
}

/// As much of JSON Schema as the schema uses: what is wrong with a document, with its places.
fn problems(root: &Value, schema: &Value, document: &Value, place: &str) -> Vec<String> {
    let said = |what: &str| vec![format!("{}: {what}", if place.is_empty() { "/" } else { place })];
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).expect("a definition");
        return problems(root, target, document, place);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| problems(root, one, document, place).is_empty());
        return if fits {
            Vec::new()
        } else {
            said("none of the alternatives")
        };
    }
    match (schema["type"].as_str().expect("a type"), document) {
        ("object", Value::Object(members)) => {
            let mut found = Vec::new();
            for key in schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if !members.contains_key(key) {
                    found.extend(said(&format!("`{key}` is missing")));
                }
            }
            for (key, value) in members {
                let place = format!("{place}/{key}");
                match schema["properties"].get(key) {
                    Some(property) => found.extend(problems(root, property, value, &place)),
                    None if schema["additionalProperties"] == false => found.push(format!("{place}: no such key")),
                    None => {}
                }
            }
            found
        }
        ("array", Value::Array(items)) => {
            let each = items.iter().enumerate();
            each.flat_map(|(n, item)| problems(root, &schema["items"], item, &format!("{place}/{n}")))
                .collect()
        }
        ("string", Value::String(text)) => match (schema["enum"].as_array(), schema["pattern"].as_str()) {
            (Some(known), _) if !known.contains(document) => said("not one of those that are known"),
            (_, Some(pattern)) if !regex_lite::Regex::new(pattern).expect("a pattern").is_match(text) => {
                said("not of the form that is wanted")
            }
            _ => Vec::new(),
        },
        ("integer", Value::Number(number)) if number.is_f64() => said("not an integer"),
        ("integer" | "number", Value::Number(number)) => {
            let number = number.as_f64().expect("a number");
            let limit = |key: &str| schema[key].as_f64();
            let is_in = limit("minimum").is_none_or(|low| number >= low)
                && limit("exclusiveMinimum").is_none_or(|low| number > low)
                && limit("maximum").is_none_or(|high| number <= high);
            if is_in { Vec::new() } else { said("beyond its bounds") }
        }
        ("boolean", Value::Bool(_)) => Vec::new(),
        (kind, _) => said(&format!("not a {kind}")),
    }
}
