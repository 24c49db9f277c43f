//! The keys that `RegisterTaskDefinition` takes and their types, from the bundled table `model.json`.
//!
//! The table tells a misspelt key from a known one and says which type a YAML scalar stands for. It never decides what is
//! sent: a key that it lacks is a finding, not a loss.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

/// The type of a value. `Any` is what lies under a key that the table does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// With the values that the API lists; none listed means any text.
    String(Vec<String>),
    Integer,
    Boolean,
    List(Box<Type>),
    /// Any keys, values of one type (labels, options).
    Map(Box<Type>),
    Shape(String),
    /// The answer of DescribeTaskDefinition: a task definition with its tags beside it.
    Answer,
    Any,
}

#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub required: Vec<String>,
    /// In the API's order.
    pub keys: Vec<(String, Type)>,
}

impl Shape {
    pub(crate) fn key(&self, name: &str) -> Option<&Type> {
        self.keys.iter().find(|(key, _)| key == name).map(|(_, kind)| kind)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    shapes: HashMap<String, Shape>,
    root: String,
    output_only: Vec<String>,
}

pub(crate) const CONTAINER: &str = "ContainerDefinition";

impl Model {
    /// The bundled table, read once.
    pub(crate) fn bundled() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        // A table that could not be read would be empty and the tests below would fail, so there is nothing to report here.
        MODEL.get_or_init(|| {
            serde_json::from_str(include_str!("model.json"))
                .ok()
                .and_then(|table| Self::read(&table))
                .unwrap_or_default()
        })
    }

    pub(crate) fn root(&self) -> Type {
        Type::Shape(self.root.clone())
    }

    pub(crate) fn root_name(&self) -> &str {
        &self.root
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// Keys of DescribeTaskDefinition's answer that RegisterTaskDefinition does not take.
    pub(crate) fn output_only(&self) -> &[String] {
        &self.output_only
    }

    /// Every key of every shape, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.shapes
            .values()
            .flat_map(|shape| shape.keys.iter().map(|(key, _)| key.as_str()))
    }

    /// The names of the shapes that have the key: the task's first, then the container's, then the others by name.
    pub(crate) fn shapes_with(&self, key: &str) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .shapes
            .iter()
            .filter(|(_, shape)| shape.key(key).is_some())
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_by_key(|name| (*name != self.root, *name != CONTAINER, *name));
        names
    }

    /// The type of a member of a value of the type `kind`.
    pub(crate) fn member(&self, kind: &Type, key: &str) -> Type {
        match kind {
            Type::Shape(name) => self
                .shape(name)
                .and_then(|shape| shape.key(key))
                .cloned()
                .unwrap_or(Type::Any),
            Type::Map(item) => (**item).clone(),
            Type::Answer if key == "taskDefinition" => self.root(),
            Type::Answer => self.member(&self.root(), key),
            _ => Type::Any,
        }
    }

    /// The type of an element of a value of the type `kind`.
    pub(crate) fn item(kind: &Type) -> Type {
        match kind {
            Type::List(item) => (**item).clone(),
            _ => Type::Any,
        }
    }

    fn read(table: &Value) -> Option<Self> {
        let mut shapes = HashMap::new();
        for (name, shape) in table.get("shapes")?.as_object()? {
            let keys = shape.get("keys")?.as_object()?;
            let keys = keys
                .iter()
                .map(|(key, kind)| Some((key.clone(), read_type(kind.as_str()?))))
                .collect::<Option<_>>()?;
            let required = texts(shape.get("required")?)?;
            shapes.insert(name.clone(), Shape { required, keys });
        }
        Some(Self {
            shapes,
            root: table.get("root")?.as_str()?.to_owned(),
            output_only: texts(table.get("output_only")?)?,
        })
    }
}

fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array()?
        .iter()
        .map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn read_type(text: &str) -> Type {
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(item) = inside("[", "]") {
        return Type::List(Box::new(read_type(item)));
    }
    if let Some(item) = inside("{", "}") {
        return Type::Map(Box::new(read_type(item)));
    }
    if let Some(values) = inside("string(", ")") {
        return Type::String(values.split('|').map(str::to_owned).collect());
    }
    match text {
        "string" => Type::String(Vec::new()),
        "integer" => Type::Integer,
        "boolean" => Type::Boolean,
        shape => Type::Shape(shape.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_table_is_whole() {
        let model = Model::bundled();
        assert_eq!(model.output_only().len(), 9);
        for shape in model.shapes.values() {
            for (_, kind) in &shape.keys {
                let mut kind = kind;
                while let Type::List(item) | Type::Map(item) = kind {
                    kind = item;
                }
                if let Type::Shape(name) = kind {
                    assert!(model.shape(name).is_some(), "{name} is named and not there");
                }
            }
        }
        let container = model.shape(CONTAINER).expect("containers have a shape");
        assert_eq!(container.key("memory"), Some(&Type::Integer));
        assert_eq!(model.member(&model.root(), "memory"), Type::String(Vec::new()));
    }
}
