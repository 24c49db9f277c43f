//! What an unknown key was probably meant to be.

use crate::base::text::{is_misspelling, most_alike};

use super::model::{CONTAINER, Model};

/// Advice on an unknown key `key` in a value of the shape `shape`; `list` is the key under which that value stands.
pub(crate) fn for_key(model: &Model, shape: &str, list: &str, key: &str) -> Option<String> {
    if list == "environment" && key == "valueFrom" {
        return Some(
            "`valueFrom` belongs to `secrets`; a file of variables in S3 belongs to `environmentFiles`; `environment` takes `name` and `value`"
                .to_owned(),
        );
    }
    let keys = || {
        model
            .shape(shape)
            .into_iter()
            .flat_map(|shape| &shape.keys)
            .map(|(key, _)| key.as_str())
    };
    // PascalCase (CloudFormation) and snake_case (Terraform) forms of a key of this level.
    if let Some(known) = keys().find(|known| plain(known) == plain(key)) {
        return Some(format!("did you mean `{known}`?"));
    }
    if let Some(home) = home(model, shape, key) {
        return Some(home);
    }
    most_alike(key, keys().filter(|known| is_misspelling(key, known))).map(|known| format!("did you mean `{known}`?"))
}

fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect::<String>()
        .to_lowercase()
}

/// Where a key that is known elsewhere, perhaps in another form, belongs.
fn home(model: &Model, shape: &str, key: &str) -> Option<String> {
    let forms = model.keys().filter(|known| plain(known) == plain(key));
    let key = forms.min_by_key(|known| (*known != key, *known))?;
    let homes = model.shapes_with(key);
    let first = *homes.first()?;
    // A key of many small shapes (`name`, `type`, `value`) says nothing about where it belongs.
    if first != model.root_name() && first != CONTAINER && homes.len() > 1 {
        return None;
    }
    Some(format!(
        "`{key}` belongs {}, not {}",
        place(model, first),
        place(model, shape)
    ))
}

fn place(model: &Model, shape: &str) -> String {
    match shape {
        CONTAINER => "to a container".to_owned(),
        "PortMapping" => "to a port mapping".to_owned(),
        "KeyValuePair" => "to an environment entry".to_owned(),
        shape if shape == model.root_name() => "to the task definition".to_owned(),
        other => {
            let mut name: String = other.to_owned();
            if let Some(first) = name.get_mut(0..1) {
                first.make_ascii_lowercase();
            }
            format!("to `{name}`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(shape: &str, key: &str) -> Option<String> {
        for_key(Model::bundled(), shape, "", key)
    }

    #[test]
    fn a_key_is_led_back_to_its_level_or_its_spelling() {
        let root = "RegisterTaskDefinitionRequest";
        let said = |shape, key| advice(shape, key).unwrap_or_default();
        assert_eq!(said(CONTAINER, "memmory"), "did you mean `memory`?");
        assert_eq!(said("PortMapping", "HostPort"), "did you mean `hostPort`?");
        assert_eq!(
            said(CONTAINER, "networkMode"),
            "`networkMode` belongs to the task definition, not to a container"
        );
        assert_eq!(
            said(root, "logConfiguration"),
            "`logConfiguration` belongs to a container, not to the task definition"
        );
        assert_eq!(
            said(root, "log_configuration"),
            "`logConfiguration` belongs to a container, not to the task definition"
        );
        assert_eq!(advice(root, "version"), None);
    }

    #[test]
    fn a_name_that_holds_the_wanted_one_is_near() {
        let names = ["nginx-web-container", "php-app-container"];
        assert_eq!(most_alike("app-container", names), Some("php-app-container"));
        assert_eq!(most_alike("redis", names), None);
    }
}
