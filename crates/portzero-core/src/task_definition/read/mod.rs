//! Reading a file: what it is (a task definition, an answer of DescribeTaskDefinition, a list of containers, something
//! else), and the document in it.

pub(crate) mod json;
mod json_mistake;
pub(super) mod parsed;
pub(crate) mod place;
pub(crate) mod yaml;

use serde_json::{Map, Value};

use super::check;
use super::document::Document;
use crate::base::finding::{Code, Finding, Severity};
use crate::file_kind::{self, Wanted};
use crate::task_definition::read::parsed::Format;
use crate::task_definition::read::place::Place;

impl Document {
    /// Reads a task definition file. The findings of a refusal carry file, line and column.
    pub fn read(text: &str, file: &str, format: Format) -> Result<Self, Vec<Finding>> {
        Self::read_with_family(text, file, format, None)
    }

    /// Like `read`, with a family from elsewhere (configuration): it is used where the file names none, and a file that is
    /// only a list of containers is taken as `containerDefinitions` of that family.
    pub fn read_with_family(
        text: &str,
        file: &str,
        format: Format,
        family: Option<&str>,
    ) -> Result<Self, Vec<Finding>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let something_else = |is_read| {
            let found = file_kind::recognise(text, file, Wanted::TaskDefinition, is_read);
            found.map(|found| vec![found.finding(file, Wanted::TaskDefinition)])
        };
        let parsed = match format {
            Format::Json => json::read(text, file),
            Format::Yaml => yaml::read(text, file),
        };
        let parsed = parsed.map_err(|refusal| something_else(false).unwrap_or(refusal))?;
        let mut document = Document {
            file: file.to_owned(),
            value: parsed.value,
            places: parsed.has_places.then_some(parsed.places),
            warnings: parsed.warnings,
        };
        if !is_named_task_definition(&document.value)
            && let Some(findings) = something_else(true)
        {
            return Err(findings);
        }
        if document.value.is_array() {
            return from_containers(document, family);
        }
        unwrap_answer(&mut document);
        if !document.value.is_object() {
            return Err(vec![not_an_object(&document)]);
        }
        if let (Some(family), Some(object)) = (family, document.value.as_object_mut())
            && object.get("family").is_none_or(Value::is_null)
        {
            object.insert("family".to_owned(), family.into());
        }
        Ok(document)
    }
}

/// Whose file it is need not be asked then.
fn is_named_task_definition(value: &Value) -> bool {
    let has_family = value
        .get("family")
        .and_then(Value::as_str)
        .is_some_and(|family| !family.is_empty());
    has_family && value.get("containerDefinitions").is_some()
}

/// A list of containers (Terraform's `container_definitions`): a task definition once a family is known. Without one it is
/// refused, together with what else is wrong in it.
fn from_containers(document: Document, family: Option<&str>) -> Result<Document, Vec<Finding>> {
    let document = wrap_containers(document, family.unwrap_or("family"));
    if family.is_some() {
        return Ok(document);
    }
    let mut refusal = Finding::error(
        Code::NotATaskDefinition,
        format!(
            "`{}` is a list of containers, not a task definition: it names no `family`",
            document.file
        ),
    )
    .hint("write {\"family\": \"NAME\", \"containerDefinitions\": [the list]}, or name the `family` in portzero.yml");
    refusal.location = document.value_location(&["containerDefinitions".into()]);
    let others = check::check(&document, None, false);
    let errors = others.into_iter().filter(|finding| finding.severity == Severity::Error);
    Err(std::iter::once(refusal).chain(errors).collect())
}

fn wrap_containers(mut document: Document, family: &str) -> Document {
    let containers = std::mem::take(&mut document.value);
    let mut root = Map::new();
    root.insert("family".to_owned(), family.into());
    root.insert("containerDefinitions".to_owned(), containers);
    document.value = Value::Object(root);
    document.places = document.places.map(|places| Place {
        value: places.value,
        members: [("containerDefinitions".to_owned(), places)].into(),
        ..Place::default()
    });
    document
}

/// `{"taskDefinition": {…}, "tags": […]}`, the answer of DescribeTaskDefinition: the tags move in, the rest beside it is
/// the answer's own.
fn unwrap_answer(document: &mut Document) {
    let Some(root) = document.value.as_object_mut() else {
        return;
    };
    if root.contains_key("containerDefinitions") || !root.get("taskDefinition").is_some_and(Value::is_object) {
        return;
    }
    let tags = root.shift_remove("tags");
    let Some(inner) = root.shift_remove("taskDefinition") else {
        return;
    };
    document.value = inner;
    let mut outer = document.places.take();
    document.places = outer
        .as_mut()
        .and_then(|places| places.members.remove("taskDefinition"));
    let Some(tags) = tags.filter(|tags| tags.as_array().is_some_and(|list| !list.is_empty())) else {
        return;
    };
    if let Some(object) = document.value.as_object_mut() {
        object.entry("tags").or_insert(tags);
    }
    let tags_place = outer.and_then(|mut places| places.members.remove("tags"));
    if let (Some(places), Some(tags_place)) = (document.places.as_mut(), tags_place) {
        places.members.entry("tags".to_owned()).or_insert(tags_place);
    }
}

fn not_an_object(document: &Document) -> Finding {
    let what = match document.value {
        Value::Null => "empty",
        Value::String(_) => "one text",
        _ => "one value",
    };
    let finding = Finding::error(
        Code::NotATaskDefinition,
        format!("`{}` is {what}, not a task definition", document.file),
    )
    .hint("a task definition is an object with `family` and `containerDefinitions`");
    match document.value_location(&[]) {
        Some(location) => finding.at(location),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        let names = [
            "a.json",
            "a.yml",
            "ecs/a.YAML",
            "a.yml.tmpl",
            "a.json.tmpl",
            "a.yml.json",
            "yml",
        ];
        let yaml: Vec<&str> = names
            .into_iter()
            .filter(|name| Format::of(name) == Format::Yaml)
            .collect();
        assert_eq!(yaml, ["a.yml", "ecs/a.YAML", "a.yml.tmpl"]);
    }
}
