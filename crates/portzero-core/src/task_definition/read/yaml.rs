//! A task definition in YAML. What a plain scalar means is decided by the model, not by its looks: where the API wants a
//! string, `1.10` is "1.10" and `2048` is "2048"; where it wants an integer, `8080` is 8080 and a quoted "8080" stays the
//! string that it is.

use std::str::FromStr;

use serde_json::{Map, Number, Value};

use super::place::Place;
use crate::base::finding::{Code, Finding, Severity};
use crate::task_definition::check::model::{Model, Type};
use crate::task_definition::read::json::duplicate_key;
use crate::task_definition::read::parsed::Parsed;
use crate::yaml::{self, Entry, Kind, Node, OtherTags, Reason, Refused, boolean, is_null};

pub(crate) fn read(text: &str, file: &str) -> Result<Parsed, Vec<Finding>> {
    let root = yaml::read(text, OtherTags::Ignored).map_err(|refused| vec![refusal(&refused, file)])?;
    let model = Model::bundled();
    let kind = root_type(&root, model);
    let (value, places) = convert(&root, &kind, model);
    Ok(Parsed {
        value,
        places,
        has_places: true,
        warnings: Vec::new(),
    })
}

fn refusal(refused: &Refused, file: &str) -> Finding {
    let why = match &refused.reason {
        Reason::TooLarge(bytes) => {
            let summary = format!("`{file}` cannot be a task definition: it has {bytes} bytes");
            return Finding::error(Code::Syntax, summary).evidence("limit", "256 KiB; AWS takes at most 64 KiB");
        }
        Reason::DuplicateKey { key, first } => {
            return duplicate_key(file, key, *first, refused.at, Severity::Error);
        }
        Reason::NulByte => "it holds a NUL byte".to_owned(),
        Reason::Empty => "it is empty".to_owned(),
        Reason::TooDeep => format!("it is nested deeper than {} levels", yaml::DEPTH_MAX),
        Reason::TooManyNodes => format!("it stands for more than {} values", yaml::NODES_MAX),
        Reason::SeveralDocuments => "it holds more than one document".to_owned(),
        Reason::Tag(tag) => format!("the tag `{tag}` is none of YAML's own"),
        Reason::Syntax(mistake) => mistake.said.clone(),
    };
    let summary = format!("`{file}` cannot be read as YAML: {why}");
    let finding = Finding::error(Code::Syntax, summary).at(refused.at.in_file(file));
    match &refused.reason {
        Reason::Syntax(mistake) => mistake.hint.iter().cloned().fold(finding, Finding::hint),
        Reason::SeveralDocuments => finding.hint("keep one task definition in one file"),
        _ => finding,
    }
}

/// The root may be a task definition, the list of its containers, or (its members typed one level down) an answer.
fn root_type(root: &Node, model: &Model) -> Type {
    match &root.kind {
        Kind::List(_) => model.member(&model.root(), "containerDefinitions"),
        Kind::Map(entries) if entries.iter().any(|entry| entry.key == "taskDefinition") => Type::Answer,
        _ => model.root(),
    }
}

fn convert(node: &Node, kind: &Type, model: &Model) -> (Value, Place) {
    let mut place = Place {
        value: node.at,
        ..Place::default()
    };
    let value = match &node.kind {
        Kind::Scalar { text, is_plain: false } => Value::String(text.clone()),
        Kind::Scalar { text, is_plain: true } => plain_scalar(text, kind),
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
        Kind::Map(entries) => {
            let mut map = Map::new();
            for Entry { key, key_at, value } in entries {
                let (value, mut member_place) = convert(value, &model.member(kind, key), model);
                member_place.key = Some(*key_at);
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
    if is_null(text) {
        return Value::Null;
    }
    let text_value = || Value::String(text.to_owned());
    match kind {
        Type::String(_) => text_value(),
        Type::Integer => number(text).unwrap_or_else(text_value),
        Type::Boolean => boolean(text).map_or_else(text_value, Value::Bool),
        _ => boolean(text)
            .map(Value::Bool)
            .or_else(|| number(text))
            .unwrap_or_else(text_value),
    }
}

/// Only what JSON writes in the same way: `0x50`, `1_000` and `.5` stay text.
fn number(text: &str) -> Option<Value> {
    let starts_as_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let number = starts_as_number.then(|| Number::from_str(text).ok()).flatten()?;
    Some(Value::Number(number))
}
