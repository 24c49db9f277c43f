//! The keys of a file, whichever of YAML and JSON it is written in, and with other tools' tags in it: enough to see whose
//! file it is.

use crate::base::position::{Lines, Position};
use crate::yaml::{self, Kind, Node, OtherTags, Reason, is_null};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};

/// Signs of all kinds stand in the first levels of a file.
const LEVELS: usize = 6;

/// One value, as far as it says what its file is.
#[derive(Debug)]
pub(super) struct Outline {
    pub at: Position,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Outline>),
    Map(Vec<Member>),
}

#[derive(Debug)]
pub(super) struct Member {
    pub key: String,
    pub at: Position,
    pub value: Outline,
}

/// Reads what can be read: of several documents the first one.
pub(super) fn of(text: &str) -> Option<Outline> {
    match yaml::read(text, OtherTags::Ignored) {
        Ok(root) => Some(of_yaml(&root, LEVELS)),
        Err(refused) if refused.reason == Reason::SeveralDocuments => {
            let ends = text.split_inclusive('\n').take(refused.at.line - 1).map(str::len).sum();
            let first = text.get(..ends)?;
            yaml::read(first, OtherTags::Ignored)
                .ok()
                .map(|root| of_yaml(&root, LEVELS))
        }
        Err(refused) if matches!(refused.reason, Reason::Syntax(_)) => of_json(text),
        Err(_) => None,
    }
}

fn of_yaml(node: &Node, levels: usize) -> Outline {
    let value = match &node.kind {
        _ if levels == 0 => Value::Null,
        Kind::Scalar { text, is_plain: true } if is_null(text) => Value::Null,
        Kind::Scalar { text, .. } => Value::Text(text.clone()),
        Kind::List(items) => Value::List(items.iter().map(|item| of_yaml(item, levels - 1)).collect()),
        Kind::Map(entries) => {
            let members = entries.iter().map(|entry| Member {
                key: entry.key.clone(),
                at: entry.key_at,
                value: of_yaml(&entry.value, levels - 1),
            });
            Value::Map(members.collect())
        }
    };
    Outline { at: node.at, value }
}

/// JSON that is indented with tabs is no YAML.
fn of_json(text: &str) -> Option<Outline> {
    let lines = Lines::of(text);
    let tree = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).ok()?;
    Some(of_tree(&tree.value?, &lines, LEVELS))
}

fn of_tree(node: &ast::Value<'_>, lines: &Lines<'_>, levels: usize) -> Outline {
    let value = match node {
        _ if levels == 0 => Value::Null,
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::StringLit(text) => Value::Text(text.value.to_string()),
        ast::Value::NumberLit(number) => Value::Text(number.value.to_owned()),
        ast::Value::BooleanLit(word) => Value::Text(word.value.to_string()),
        ast::Value::Array(array) => {
            let items = array.elements.iter();
            Value::List(items.map(|item| of_tree(item, lines, levels - 1)).collect())
        }
        ast::Value::Object(object) => {
            let members = object.properties.iter().map(|property| Member {
                key: property.name.as_str().to_owned(),
                at: lines.position(property.range.start),
                value: of_tree(&property.value, lines, levels - 1),
            });
            Value::Map(members.collect())
        }
    };
    Outline {
        at: lines.position(node.range().start),
        value,
    }
}

impl Outline {
    pub(super) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Outline] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Outline> {
        self.member(key).map(|member| &member.value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.member(key).is_some()
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// A list that has items, each of which has the key.
    pub(super) fn is_list_of(&self, key: &str) -> bool {
        !self.items().is_empty() && self.items().iter().all(|item| item.has(key))
    }
}
