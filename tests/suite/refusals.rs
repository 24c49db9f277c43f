//! The rules on what AWS refuses of a task definition: each with a case that breaks it and one that nearly does, held against
//! the simulator's own judgement, and against docs/refusals.md.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portzero_core::base::finding::{Finding, Severity};
use portzero_core::task_definition::{Document, Format, RenderOptions, check, render, rules};
use portzero_sim::World;
use portzero_sim::scenario::Scenario;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One rule: what breaks it, and what nearly does. Both are changes to a task definition of two containers, `web` and
/// `helper`.
#[derive(Clone, Debug, Deserialize)]
struct Case {
    rule: String,
    on: Kind,
    breaks: Change,
    nearly: Change,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Bridge,
    Fargate,
}

/// What is set, of the task and of its containers; the others are made in numbers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    task: Map<String, Value>,
    web: Map<String, Value>,
    helper: Map<String, Value>,
    tags: usize,
    more_containers: usize,
    length: usize,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("refusals/cases.json")).expect("the cases")
}

impl Kind {
    fn base(self) -> Value {
        match self {
            Self::Bridge => json!({"family": "web", "networkMode": "bridge", "containerDefinitions": [
                {"name": "web", "image": "example/web:1", "memory": 64, "cpu": 64,
                 "portMappings": [{"containerPort": 3000, "hostPort": 0}]},
                {"name": "helper", "image": "example/helper:1", "memory": 64, "essential": false},
            ]}),
            Self::Fargate => json!({"family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
                "cpu": "256", "memory": "512", "containerDefinitions": [
                {"name": "web", "image": "example/web:1", "portMappings": [{"containerPort": 3000}]},
                {"name": "helper", "image": "example/helper:1", "essential": false},
            ]}),
        }
    }

    fn changed(self, change: &Change) -> Value {
        let mut document = self.base();
        change.apply(&mut document);
        document
    }
}

impl Change {
    fn apply(&self, document: &mut Value) {
        let set = |object: &mut Value, members: &Map<String, Value>| {
            let object = object.as_object_mut().expect("an object");
            object.extend(members.clone());
        };
        set(document, &self.task);
        set(&mut document["containerDefinitions"][0], &self.web);
        set(&mut document["containerDefinitions"][1], &self.helper);
        if self.tags > 0 {
            let tag = |number| json!({"key": format!("key-{number}"), "value": ""});
            document["tags"] = (0..self.tags).map(tag).collect();
        }
        let containers = document["containerDefinitions"].as_array_mut().expect("containers");
        let more = |number| json!({"name": format!("c{number}"), "image": "example/c:1", "memory": 8});
        containers.extend((0..self.more_containers).map(more));
        if self.length > 0 {
            document["containerDefinitions"][0]["environment"] = json!([{"name": "A", "value": ""}]);
            let left = self.length - document.to_string().len();
            document["containerDefinitions"][0]["environment"][0]["value"] = "x".repeat(left).into();
        }
    }
}

/// What portzero finds, before and after rendering.
fn found(document: &Value) -> Vec<Finding> {
    let text = serde_json::to_string_pretty(document).expect("JSON");
    let document = Document::read(&text, "web.json", Format::Json).expect("it is read");
    let mut findings = check(&document, None, false);
    match render(&document, &RenderOptions::default()) {
        Ok(rendered) => findings.extend(rendered.findings),
        Err(more) => findings.extend(more),
    }
    findings
}

fn is_refused(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// What the simulator answers to the same, once portzero's own clean-up is done.
fn simulated(document: &Value) -> Result<(), String> {
    let scenario = Scenario::read("cluster: shop\nservices: []\n", "world.yml").expect("a scenario");
    let mut world = World::new(&scenario).expect("a world");
    let mut document = document.clone();
    without_nulls(&mut document);
    let answer = world.register_task_definition(&document);
    answer.map(|_| ()).map_err(|refusal| refusal.message)
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[test]
fn p06_every_rule_finds_its_case_and_not_the_near_one() {
    let cases = cases();
    let named: BTreeSet<&str> = cases.iter().map(|case| case.rule.as_str()).collect();
    let known: BTreeSet<&str> = rules().map(|rule| rule.name).collect();
    assert_eq!(named, known, "each rule has its case");
    for base in [Kind::Bridge, Kind::Fargate].map(Kind::base) {
        assert_eq!((found(&base), simulated(&base)), (Vec::new(), Ok(())));
    }
    for case in &cases {
        let rule = rules().find(|rule| rule.name == case.rule).expect("it is known");
        let is_of_it = |finding: &Finding| finding.evidence.iter().any(|(_, text)| text == rule.words);
        let findings = found(&case.on.changed(&case.breaks));
        let finding = findings.iter().find(|finding| is_of_it(finding));
        let finding = finding.unwrap_or_else(|| panic!("{}: {findings:?}", rule.name));
        assert_eq!(finding.severity, rule.severity, "{}", rule.name);
        let has_place = finding
            .location
            .as_ref()
            .is_some_and(|at| at.line > 1 || rule.name.contains("bytes"));
        assert!(has_place, "{}: {finding:?}", rule.name);
        let near = found(&case.on.changed(&case.nearly));
        assert!(
            !near.iter().any(is_of_it) && !is_refused(&near),
            "{}: {near:?}",
            rule.name
        );
    }
}

/// RegisterTaskDefinition does not look at whether a registry can have the image.
fn is_of_registries(case: &Case) -> bool {
    case.rule.starts_with("an image that is no image reference")
}

/// Where portzero is sure of a refusal the simulator refuses, and where it is not the simulator takes it.
#[test]
fn p06_the_simulator_agrees_with_each_rule() {
    for case in cases().iter().filter(|case| !is_of_registries(case)) {
        let broken = case.on.changed(&case.breaks);
        let answer = simulated(&broken);
        assert_eq!(
            answer.is_err(),
            is_refused(&found(&broken)),
            "{}: {answer:?}",
            case.rule
        );
        assert_eq!(
            simulated(&case.on.changed(&case.nearly)),
            Ok(()),
            "nearly {}",
            case.rule
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The same of several breaches at once, in task definitions that are made of them.
    #[test]
    fn p06_the_simulator_agrees_where_several_rules_meet(
        is_fargate: bool,
        picks in prop::collection::vec((0_usize..64, any::<bool>()), 1..5),
    ) {
        let on = if is_fargate { Kind::Fargate } else { Kind::Bridge };
        let mut cases = cases();
        cases.retain(|case| case.on == on && !is_of_registries(case) && case.breaks.length + case.breaks.more_containers == 0);
        let mut document = on.base();
        let mut story = String::new();
        for (pick, breaks) in picks {
            let case = &cases[pick % cases.len()];
            let _ = write!(story, "{} ({breaks}); ", case.rule);
            (if breaks { &case.breaks } else { &case.nearly }).apply(&mut document);
        }
        let (findings, answer) = (found(&document), simulated(&document));
        prop_assert_eq!(answer.is_err(), is_refused(&findings), "{}{:?}\n{:?}", story, answer, findings);
    }
}

#[test]
fn the_page_has_the_rules_of_the_program() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/refusals.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let row = |rule: &portzero_core::task_definition::Rule| {
        let (name, certainty) = (rule.name, rule.certainty.as_str());
        let words = rule.words.replace('|', "\\|");
        format!(
            "| {name} | {} | {certainty} | {words} | {} |",
            rule.severity.as_str(),
            rule.source
        )
    };
    let rows: Vec<String> = rules().map(row).collect();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        println!("{}", rows.join("\n"));
    }
    assert_eq!(table, rows);
}
