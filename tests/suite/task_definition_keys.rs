//! Every key of the bundled model passes, and every slip of a key is caught before a service is updated.

use std::collections::BTreeSet;
use std::path::Path;

use portzero_core::base::finding::Severity;
use portzero_core::task_definition::{Document, RenderOptions, check, check_kept, render};
use portzero_sim::{Scenario, World};
use serde_json::{Map, Value, json};

use crate::served::serve;
use crate::support::clients::variables;
use crate::support::program::{portzero, said};

fn model() -> Value {
    serde_json::from_str(include_str!(
        "../../crates/portzero-core/src/task_definition/check/model.json"
    ))
    .expect("JSON")
}

/// A task definition with every key of the model.
struct Filled<'m> {
    model: &'m Value,
    /// `Shape.key` of all that has been filled in.
    seen: BTreeSet<String>,
}

impl Filled<'_> {
    fn shape(&mut self, shape: &str) -> Value {
        let keys = self.model["shapes"][shape]["keys"].as_object().expect("a shape");
        let filled = keys.iter().map(|(key, kind)| {
            self.seen.insert(format!("{shape}.{key}"));
            let kind = kind.as_str().expect("a type");
            (key.clone(), self.value(shape, key, kind))
        });
        Value::Object(filled.collect())
    }

    fn value(&mut self, shape: &str, key: &str, kind: &str) -> Value {
        if let Some(value) = plausible(shape, key) {
            return value;
        }
        if let Some(item) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            return self.items(key, item);
        }
        if kind.starts_with('{') {
            return json!({"label": "x"});
        }
        if let Some(values) = kind.strip_prefix("string(") {
            return values.split(['|', ')']).next().expect("a value").into();
        }
        match kind {
            "string" => "x".into(),
            "integer" => 2.into(),
            "boolean" => true.into(),
            shape => self.shape(shape),
        }
    }

    /// What excludes each other stands in elements of its own.
    fn items(&mut self, key: &str, item: &str) -> Value {
        let one = self.value(key, "", item);
        let Value::Object(members) = &one else {
            return json!([one]);
        };
        let without = |gone: &[&str]| {
            let kept = members.iter().filter(|(key, _)| !gone.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        match key {
            "portMappings" => json!([
                without(&["containerPortRange"]),
                {"containerPortRange": "4000-4010", "protocol": "udp"}
            ]),
            "containerDefinitions" => json!([one, {"name": "db", "image": "example/db:1", "memory": 64}]),
            _ => json!([one]),
        }
    }
}

/// What is checked beyond its type, or names something else.
fn plausible(shape: &str, key: &str) -> Option<Value> {
    Some(match (shape, key) {
        ("RegisterTaskDefinitionRequest", "family") => json!("web"),
        ("RegisterTaskDefinitionRequest", "cpu") => json!("256"),
        ("RegisterTaskDefinitionRequest", "memory") => json!("512"),
        (_, "taskRoleArn" | "executionRoleArn") => json!("arn:aws:iam::111122223333:role/web"),
        ("ContainerDefinition", "name") | ("ProxyConfiguration", "containerName") => json!("web"),
        ("ContainerDefinition", "image") => json!("example/web:42"),
        ("ContainerDefinition", "memory") => json!(256),
        ("ContainerDefinition", "memoryReservation") => json!(128),
        ("ContainerDefinition", "links") => json!(["db"]),
        ("ContainerDependency", "containerName") | ("VolumeFrom", "sourceContainer") => json!("db"),
        ("MountPoint", "sourceVolume") | ("Volume", "name") => json!("data"),
        ("MountPoint" | "Tmpfs" | "Device", "containerPath") => json!("/data"),
        ("PortMapping", "containerPort") => json!(3000),
        ("PortMapping", "hostPort") => json!(0),
        ("Secret", "name") => json!("SECRET"),
        ("Secret", "valueFrom") => json!("arn:aws:ssm:us-east-1:111122223333:parameter/x"),
        ("KeyValuePair", "name") => json!("VARIABLE"),
        ("EphemeralStorage", "sizeInGiB") => json!(30),
        ("HealthCheck", "command") => json!(["CMD-SHELL", "true"]),
        ("HealthCheck", "interval") => json!(20),
        _ => return None,
    })
}

fn whole() -> Value {
    let model = model();
    let mut filled = Filled {
        model: &model,
        seen: BTreeSet::new(),
    };
    let document = filled.shape(model["root"].as_str().expect("a root"));
    let shapes = model["shapes"].as_object().expect("shapes");
    let all: BTreeSet<String> = shapes
        .iter()
        .flat_map(|(name, shape)| {
            let keys = shape["keys"].as_object().expect("keys");
            keys.keys().map(move |key| format!("{name}.{key}"))
        })
        .collect();
    assert!(all.len() >= 150, "{} keys", all.len());
    assert_eq!(filled.seen, all);
    document
}

/// What keeps a document from being deployed, before the service is updated.
#[derive(Debug, PartialEq)]
enum Caught {
    ByPlan,
    ByAws,
    ByAnswer,
    Not,
}

fn caught(document: Value) -> Caught {
    let document = Document::from_value(document, "web.json");
    let errs = |severity| severity == Severity::Error;
    if check(&document, None, false).iter().any(|f| errs(f.severity)) {
        return Caught::ByPlan;
    }
    let Ok(rendered) = render(&document, &RenderOptions::default()) else {
        return Caught::ByPlan;
    };
    let mut world = World::new(&Scenario::default()).expect("a world");
    let Ok(registered) = world.register_task_definition(&rendered.document) else {
        return Caught::ByAws;
    };
    let mut answer = registered.document;
    if !registered.tags.is_empty() {
        answer["tags"] = registered.tags.into();
    }
    let findings = check_kept(&document, &rendered.document, &answer, "web:1");
    if findings.is_empty() {
        Caught::Not
    } else {
        Caught::ByAnswer
    }
}

#[test]
fn a_task_definition_with_every_key_of_the_model_passes_and_is_kept_whole() {
    let whole = whole();
    let document = Document::from_value(whole.clone(), "web.json");
    let findings = check(&document, None, false);
    let bad: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(
        findings.iter().all(|f| f.code.as_str() != "unknown-key"),
        "{findings:#?}"
    );
    assert_eq!(caught(whole), Caught::Not);
}

#[test]
fn a_plan_of_a_task_definition_with_every_key_passes() {
    let url = serve(crate::wire::SCENARIO, 0);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("web.json"), whole().to_string()).unwrap();
    let mut command = portzero(folder.path());
    let arguments = "plan --cluster demo --service web --task-definition web.json";
    let planned = said(command.envs(variables(&url)).args(arguments.split_whitespace()));
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    assert!(!planned.stdout.contains("unknown-key") && !planned.stderr.contains("unknown-key"));
}

/// Plain numbers from a seed, the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// JSON pointers of all keys that the API knows by name: not those of labels, options and the like.
fn keys(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                found.push((at.to_owned(), key.clone()));
                if !["dockerLabels", "options", "driverOpts", "labels"].contains(&key.as_str()) {
                    keys(member, &format!("{at}/{key}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                keys(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn misspelt(key: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = key.chars().collect();
    match chance.below(4) {
        0 => {
            let at = chance.below(letters.len() - 1);
            letters.swap(at, at + 1);
        }
        1 => {
            letters.remove(chance.below(letters.len()));
        }
        2 => letters[0] = letters[0].to_ascii_uppercase(),
        _ => {
            let snake = letters.iter().map(|letter| match letter {
                letter if letter.is_ascii_uppercase() => format!("_{}", letter.to_ascii_lowercase()),
                letter => letter.to_string(),
            });
            return snake.collect();
        }
    }
    letters.into_iter().collect()
}

/// The whole with one key misspelt, or moved to a level where it does not belong. `None`: the slip is none.
fn slip(whole: &Value, chance: &mut Chance) -> Option<(String, Value)> {
    let mut all = Vec::new();
    keys(whole, "", &mut all);
    let (at, key) = all[chance.below(all.len())].clone();
    let (to, name) = match chance.below(5) {
        0 => (all[chance.below(all.len())].0.clone(), key.clone()),
        _ => (at.clone(), misspelt(&key, chance)),
    };
    if to.starts_with(&format!("{at}/{key}")) {
        return None;
    }
    let mut document = whole.clone();
    let home: &mut Map<String, Value> = document.pointer_mut(&at)?.as_object_mut()?;
    let value = home.shift_remove(&key)?;
    let place = document.pointer_mut(&to)?.as_object_mut()?;
    // An element of a list may have what its neighbours have.
    let (list, index) = to.rsplit_once('/').unwrap_or_default();
    let neighbours = whole.pointer(list).filter(|_| index.parse::<usize>().is_ok());
    let neighbours = neighbours.and_then(Value::as_array).into_iter().flatten();
    let mut alike = neighbours.chain(whole.pointer(&to));
    if alike.any(|structure| structure.get(&name).is_some()) {
        return None;
    }
    place.insert(name.clone(), value);
    Some((format!("{at}/{key} as {to}/{name}"), document))
}

#[test]
fn each_of_two_hundred_slips_is_caught_before_the_service_is_updated() {
    let (mut by_plan, mut by_answer, mut by_aws) = (0, 0, 0);
    for (what, document) in slips(&whole()) {
        match caught(document) {
            Caught::ByPlan => by_plan += 1,
            Caught::ByAnswer => by_answer += 1,
            Caught::ByAws => by_aws += 1,
            Caught::Not => panic!("nobody has seen {what}"),
        }
    }
    println!("{by_plan} by the plan, {by_answer} by the answer, {by_aws} refused by AWS");
    assert!(by_plan >= 150 && by_answer >= 1, "{by_plan}, {by_answer}, {by_aws}");
}

/// Two hundred slips, the same in every run.
fn slips(whole: &Value) -> Vec<(String, Value)> {
    let mut chance = Chance(17);
    std::iter::from_fn(|| Some(slip(whole, &mut chance)))
        .flatten()
        .take(200)
        .collect()
}

#[test]
fn p17_the_program_updates_no_service_with_any_of_two_hundred_slips() {
    let url = &serve(crate::wire::SCENARIO, 0);
    let deployments = || {
        let folder = tempfile::tempdir().unwrap();
        let arguments = "status --cluster demo --service web --format json";
        let mut command = portzero(folder.path());
        let status = said(command.envs(variables(url)).args(arguments.split_whitespace()));
        let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
        status["services"][0]["deployments"].clone()
    };
    let before = deployments();
    assert_eq!(before.as_array().map(Vec::len), Some(1), "{before:#}");
    let slips = slips(&whole());
    let refuse = |(what, document): &(String, Value)| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("web.json"), document.to_string()).unwrap();
        let mut command = portzero(folder.path());
        let arguments = "deploy --cluster demo --service web --task-definition web.json";
        let refused = said(command.envs(variables(url)).args(arguments.split_whitespace()));
        assert!(matches!(refused.code, Some(2 | 3)), "{what}: {refused:#?}");
        assert!(!refused.stderr.contains("updated the service"), "{what}: {refused:#?}");
        refused.stderr.contains("error[key-not-kept]")
    };
    let by_answer: usize = std::thread::scope(|scope| {
        let parts = slips.chunks(50);
        let counts = parts.map(|part| scope.spawn(move || part.iter().filter(|slip| refuse(slip)).count()));
        let counts: Vec<_> = counts.collect();
        counts.into_iter().map(|count| count.join().expect("no panic")).sum()
    });
    assert!(by_answer >= 1, "the answer's comparison caught {by_answer}");
    assert_eq!(deployments(), before);
}

#[test]
fn the_model_is_of_the_version_that_the_table_of_operations_is() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/aws-model.json");
    let table: Value = serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap();
    let version = |value: &Value| {
        let source = value["source"].as_str().expect("a source").to_owned();
        source.split([',', ';']).next().map(str::to_owned)
    };
    assert_eq!(version(&table), version(&model()));
}
