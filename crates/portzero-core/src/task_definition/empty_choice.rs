//! Keys whose values AWS lists, left empty by a template or given back empty by an emulator. AWS refuses them; other tools
//! leave them out.

use serde_json::Value;

const CHOICES: &[&str] = &["pidMode", "ipcMode", "networkMode", "appProtocol", "versionConsistency"];

/// Takes them out, and gives their keys. The values of environment variables are nobody's keys.
pub(super) fn drop_all(value: &mut Value) -> Vec<String> {
    fn walk(value: &mut Value, dropped: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.retain(|key, member| {
                    let is_empty = CHOICES.contains(&key.as_str()) && *member == "";
                    dropped.extend(is_empty.then(|| key.clone()));
                    !is_empty
                });
                let members = map.iter_mut().filter(|(key, _)| *key != "environment");
                members.for_each(|(_, member)| walk(member, dropped));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, dropped)),
            _ => {}
        }
    }
    let mut dropped = Vec::new();
    walk(value, &mut dropped);
    dropped
}
