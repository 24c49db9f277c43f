//! Paths into a document, and how people read them: `containerDefinitions[web].portMappings[5000/tcp].hostPort`.

use serde_json::Value;

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A path of keys and indexes: `steps!["containerDefinitions", 0, "image"]`.
macro_rules! steps {
    ($($step:expr),* $(,)?) => { [$($crate::task_definition::Step::from($step)),*] };
}
pub(crate) use steps;

/// The path in words, with list elements called by name where they have one.
pub fn describe(root: &Value, path: &[Step]) -> String {
    let mut text = String::new();
    let mut list = "";
    let mut value = Some(root);
    for step in path {
        match step {
            Step::Key(key) => {
                value = value.and_then(|value| value.get(key.as_str()));
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
                list = key;
            }
            Step::Index(index) => {
                value = value.and_then(|value| value.get(*index));
                let name = value.and_then(|item| element_name(list, item));
                text.push_str(&format!("[{}]", name.unwrap_or_else(|| index.to_string())));
            }
        }
    }
    text
}

/// What an element of the list `list` is called: a container by its name, a port mapping by `5000/tcp`.
pub(super) fn element_name(list: &str, item: &Value) -> Option<String> {
    let key = match list {
        "portMappings" => return port_name(item),
        "mountPoints" | "tmpfs" => "containerPath",
        "dependsOn" => "containerName",
        "volumesFrom" => "sourceContainer",
        "tags" => "key",
        "environmentFiles" => "value",
        "extraHosts" => "hostname",
        "systemControls" => "namespace",
        "devices" => "hostPath",
        "inferenceAccelerators" => "deviceName",
        "resourceRequirements" => "type",
        _ => "name",
    };
    item.get(key)?.as_str().map(str::to_owned)
}

fn port_name(mapping: &Value) -> Option<String> {
    let protocol = mapping.get("protocol").and_then(Value::as_str).unwrap_or("tcp");
    let port = match mapping.get("containerPort") {
        Some(Value::Number(port)) => port.to_string(),
        _ => mapping.get("containerPortRange")?.as_str()?.to_owned(),
    };
    Some(format!("{port}/{protocol}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_elements_are_called_by_name() {
        let root =
            serde_json::json!({"containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": 5000}]}]});
        let path = steps!["containerDefinitions", 0, "portMappings", 0, "hostPort"];
        assert_eq!(
            describe(&root, &path),
            "containerDefinitions[web].portMappings[5000/tcp].hostPort"
        );
    }
}
