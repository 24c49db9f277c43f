//! From YAML nodes to JSON, by the types of the model.

use std::str::FromStr;

use serde_json::{Map, Number, Value};

use super::place::Place;
use crate::task_definition::check::model::{Model, Type};
use crate::task_definition::read::yaml_node::{Kind, Node};

pub(crate) fn convert(node: &Node, kind: &Type, model: &Model) -> (Value, Place) {
    let mut place = Place {
        value: node.mark,
        ..Place::default()
    };
    let value = match &node.kind {
        Kind::Scalar { text, plain: false } => Value::String(text.clone()),
        Kind::Scalar { text, plain: true } => plain_scalar(text, kind),
        Kind::List(items) => {
            let kind = Model::item(kind);
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                let (value, item_place) = convert(item, &kind, model);
                list.push(value);
                place.items.push(item_place);
            }
            Value::Array(list)
        }
        Kind::Map(members) => {
            let mut map = Map::new();
            for (key, at, member) in members {
                let (value, mut member_place) = convert(member, &model.member(kind, key), model);
                member_place.key = Some(*at);
                map.insert(key.clone(), value);
                place.members.insert(key.clone(), member_place);
            }
            Value::Object(map)
        }
    };
    (value, place)
}

/// A plain scalar where `kind` is wanted. What does not fit stays text, so that the check can name it.
fn plain_scalar(text: &str, kind: &Type) -> Value {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    let text_value = || Value::String(text.to_owned());
    match kind {
        Type::String(_) => text_value(),
        Type::Integer => number(text).unwrap_or_else(text_value),
        Type::Boolean => boolean(text).unwrap_or_else(text_value),
        _ => boolean(text).or_else(|| number(text)).unwrap_or_else(text_value),
    }
}

fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Only what JSON writes in the same way: `0x50`, `1_000` and `.5` stay text.
fn number(text: &str) -> Option<Value> {
    let starts_as_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let number = starts_as_number.then(|| Number::from_str(text).ok()).flatten()?;
    Some(Value::Number(number))
}
