//! What AWS kept of a task definition that was registered: it drops a key that it does not know without a word.

use serde_json::Value;

use super::check::model::{Model, Type};
use super::check::suggest;
use super::document::{Document, at};
use super::normal::plain;
use super::path::{Step, describe, element_name};
use crate::base::finding::{Code, Finding};

/// A finding for each key that was sent and is not in the answer. `file`: the document as the user wrote it, for the
/// place; `revision`: what was registered.
pub fn check_kept(file: &Document, sent: &Value, answer: &Value, revision: &str) -> Vec<Finding> {
    let finding = |path: &Vec<Step>| {
        let place = describe(sent, path);
        let key = path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        let what = match (path.last(), key) {
            (Some(Step::Key(_)), Some(key)) => format!("AWS did not keep the key `{key}`: {place}"),
            _ => format!("AWS did not keep {place}"),
        };
        let finding = Finding::error(Code::KeyNotKept, what)
            .evidence("answer", format!("{revision} was registered without it"))
            .state(format!(
                "{revision} was registered and no service uses it; nothing that runs was changed"
            ));
        let finding = match (advice(path), key) {
            (Some(advice), _) => finding.hint(advice),
            (None, Some(key)) => finding.hint(format!("remove `{key}`")),
            (None, None) => finding,
        };
        at(finding, file.location(path))
    };
    not_kept(sent, answer).iter().map(finding).collect()
}

/// The paths of the keys of `sent` that the answer lacks. Values are not compared: AWS spells some in another way.
///
/// What says nothing (null, an empty text, list or object) is not missed, nor is what AWS means by its absence.
/// Elements of a list are found by what they are called, so their order does not matter.
fn not_kept(sent: &Value, answer: &Value) -> Vec<Vec<Step>> {
    let mut missing = Vec::new();
    let meant = plain(sent);
    compare(&mut Vec::new(), "", [sent, &meant], answer, &mut missing);
    missing
}

/// `sent` with what it means: a key that is gone from the second one has the value that its absence means.
fn compare(path: &mut Vec<Step>, list: &str, sent: [&Value; 2], answer: &Value, missing: &mut Vec<Vec<Step>>) {
    match (sent, answer) {
        ([Value::Object(members), Value::Object(meant)], Value::Object(answer)) => {
            for (key, member) in members {
                let Some(meant) = meant.get(key).filter(|_| !says_nothing(member)) else {
                    continue;
                };
                path.push(key.as_str().into());
                match answer.get(key).filter(|kept| !says_nothing(kept)) {
                    Some(kept) => compare(path, key, [member, meant], kept, missing),
                    None => missing.push(path.clone()),
                }
                path.pop();
            }
        }
        ([Value::Array(items), Value::Array(meant)], Value::Array(answer)) => {
            for (index, kept) in matched(list, items, answer).into_iter().enumerate() {
                let (Some(item), Some(meant)) = (items.get(index), meant.get(index)) else {
                    continue;
                };
                path.push(index.into());
                match kept {
                    Some(kept) => compare(path, "", [item, meant], kept, missing),
                    None if item.is_object() && !says_nothing(item) => missing.push(path.clone()),
                    None => {}
                }
                path.pop();
            }
        }
        _ => {}
    }
}

/// For each element of a list the one of the answer's: of the same name, else the next that nobody else has.
fn matched<'a>(list: &str, sent: &[Value], answer: &'a [Value]) -> Vec<Option<&'a Value>> {
    let names: Vec<Option<String>> = answer.iter().map(|item| element_name(list, item)).collect();
    let mut is_taken = vec![false; answer.len()];
    let mut found: Vec<Option<usize>> = Vec::new();
    for item in sent {
        let same = |index: &usize| names[*index].is_some() && names[*index] == element_name(list, item);
        let free = (0..answer.len()).find(|index| same(index) && !is_taken[*index]);
        // Of two entries with one name AWS may keep the one that counts.
        let place = free.or_else(|| (0..answer.len()).find(same));
        if let Some(place) = place {
            is_taken[place] = true;
        }
        found.push(place);
    }
    let mut rest = (0..answer.len()).filter(|index| !is_taken[*index]);
    let found = found.into_iter().map(|place| place.or_else(|| rest.next()));
    found.map(|place| answer.get(place?)).collect()
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(members) => members.values().all(says_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Where a key that AWS does not know was probably meant to be. None for one that the model has at this place.
fn advice(path: &[Step]) -> Option<String> {
    let model = Model::bundled();
    let (last, above) = path.split_last()?;
    let Step::Key(key) = last else { return None };
    let kind = above.iter().fold(model.root(), |kind, step| match step {
        Step::Key(key) => model.member(&kind, key),
        Step::Index(_) => Model::item(&kind),
    });
    let Type::Shape(shape) = kind else { return None };
    let is_known = model.shape(&shape).is_some_and(|shape| shape.key(key).is_some());
    let list = above.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    (!is_known)
        .then(|| suggest::for_key(model, &shape, list.unwrap_or_default(), key))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hint::Hint;
    use serde_json::json;

    fn missing(sent: &Value, answer: &Value) -> Vec<String> {
        not_kept(sent, answer).iter().map(|path| describe(sent, path)).collect()
    }

    #[test]
    fn a_dropped_key_is_found_at_every_level_and_a_whole_object_once() {
        let sent = json!({
            "family": "web", "networkMode": "bridge", "newAtTheTop": {"a": {"b": 1}}, "tags": [{"key": "team", "value": "a"}],
            "containerDefinitions": [
                {"name": "web", "portMappings": [{"containerPort": 80, "hostPort": 0, "share": 1}], "memory": 64},
                {"name": "db", "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2", "kind": "x"}]}
            ]
        });
        let answer = json!({
            "family": "web", "revision": 7,
            "containerDefinitions": [
                {"name": "db", "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
                {"name": "web", "portMappings": [{"containerPort": 80, "protocol": "tcp"}], "memory": 64}
            ]
        });
        assert_eq!(
            missing(&sent, &answer),
            [
                "networkMode",
                "newAtTheTop",
                "tags",
                "containerDefinitions[web].portMappings[80/tcp].hostPort",
                "containerDefinitions[web].portMappings[80/tcp].share",
                "containerDefinitions[db].environment[B].kind",
            ]
        );
        assert_eq!(missing(&sent, &sent), Vec::<String>::new());
    }

    #[test]
    fn what_says_nothing_or_means_its_absence_is_not_missed() {
        let sent = json!({
            "family": "web", "taskRoleArn": "", "volumes": [], "ipcMode": null, "enableFaultInjection": false,
            "runtimePlatform": {"cpuArchitecture": ""},
            "containerDefinitions": [{"name": "web", "essential": true, "cpu": 0, "links": [],
                "environment": [{"name": "A", "value": ""}, {"name": "A", "value": "2"}]}]
        });
        let answer = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "environment": [{"name": "A", "value": "2"}]}
        ]});
        assert_eq!(missing(&sent, &answer), Vec::<String>::new());
    }

    #[test]
    fn an_element_that_is_gone_is_missed_and_a_renamed_one_is_not() {
        let sent = json!({"containerDefinitions": [{"name": "web", "mountPoints": [
            {"sourceVolume": "a", "containerPath": "/a"}, {"sourceVolume": "b", "containerPath": "/b"}
        ]}]});
        let one = json!({"containerDefinitions": [{"name": "web", "mountPoints": [
            {"sourceVolume": "b", "containerPath": "/b"}
        ]}]});
        assert_eq!(missing(&sent, &one), ["containerDefinitions[web].mountPoints[/a]"]);
        let other = json!({"containerDefinitions": [{"name": "web", "mountPoints": [
            {"sourceVolume": "b", "containerPath": "/b"}, {"sourceVolume": "a", "containerPath": "/a/"}
        ]}]});
        assert_eq!(missing(&sent, &other), Vec::<String>::new());
    }

    #[test]
    fn a_finding_says_where_the_key_stands_and_where_it_belongs() {
        let sent =
            json!({"family": "web", "containerDefinitions": [{"name": "web", "networkMode": "host", "gpuMode": 1}]});
        let answer = json!({"family": "web", "containerDefinitions": [{"name": "web"}]});
        let file = Document::from_value(sent.clone(), "web:42");
        let findings = check_kept(&file, &sent, &answer, "web:43");
        let told: Vec<_> = findings
            .iter()
            .map(|f| (f.summary.as_str(), f.hints.first().map(Hint::as_str)))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "AWS did not keep the key `networkMode`: containerDefinitions[web].networkMode",
                    Some("`networkMode` belongs to the task definition, not to a container")
                ),
                (
                    "AWS did not keep the key `gpuMode`: containerDefinitions[web].gpuMode",
                    Some("remove `gpuMode`")
                ),
            ]
        );
        assert_eq!(
            findings[0].state.as_deref(),
            Some("web:43 was registered and no service uses it; nothing that runs was changed")
        );
    }
}
