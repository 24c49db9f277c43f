//! JSON, strictly: serde_json is the judge and gives the value; jsonc-parser's tree, strict as well, tells where things
//! stand and which keys come twice (serde_json keeps only the last of them).

use std::collections::HashMap;

use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};
use serde_json::Value;

use super::place::Place;
use crate::base::finding::{Code, Finding, Severity};
use crate::base::position::{Lines, Position};
use crate::task_definition::read::json_mistake;
use crate::task_definition::read::parsed::Parsed;

/// AWS takes 64 KiB; above this a file is a mistake, and reading it would only cost time.
const BYTES_MAX: usize = 1024 * 1024;

pub(crate) fn read(text: &str, file: &str) -> Result<Parsed, Vec<Finding>> {
    if text.len() > BYTES_MAX {
        let summary = format!("`{file}` cannot be a task definition: it has {} bytes", text.len());
        return Err(vec![
            Finding::error(Code::Syntax, summary).evidence("limit", "1 MiB; AWS takes at most 64 KiB"),
        ]);
    }
    let lines = Lines::of(text);
    if let Some(at) = text.find('\0') {
        let summary = format!("`{file}` is not JSON: it holds a NUL byte");
        let finding = Finding::error(Code::Syntax, summary).at(lines.position(at).in_file(file));
        return Err(vec![finding.hint("save the file as UTF-8")]);
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| vec![json_mistake::finding(&error, text, file, &lines)])?;
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    // What serde_json has accepted goes on even where the second parser disagrees; only the positions are missing then.
    let tree = parse_to_ast(text, &CollectOptions::default(), &strict)
        .ok()
        .and_then(|result| result.value);
    let mut reader = Reader {
        lines: &lines,
        file,
        duplicates: Vec::new(),
    };
    let places = tree.as_ref().map(|tree| reader.place(tree, None));
    if reader.duplicates.iter().any(|f| f.severity == Severity::Error) {
        return Err(reader.duplicates);
    }
    Ok(Parsed {
        value,
        has_places: places.is_some(),
        places: places.unwrap_or_default(),
        warnings: reader.duplicates,
    })
}

struct Reader<'t> {
    lines: &'t Lines<'t>,
    file: &'t str,
    duplicates: Vec<Finding>,
}

impl Reader<'_> {
    fn place(&mut self, node: &ast::Value<'_>, key: Option<Position>) -> Place {
        let mut place = Place {
            key,
            value: self.lines.position(node.range().start),
            ..Place::default()
        };
        match node {
            ast::Value::Object(object) => place.members = self.members(object),
            ast::Value::Array(array) => {
                place.items = array.elements.iter().map(|item| self.place(item, None)).collect()
            }
            _ => {}
        }
        place
    }

    fn members(&mut self, object: &ast::Object<'_>) -> HashMap<String, Place> {
        let mut members: HashMap<String, Place> = HashMap::new();
        let mut seen: HashMap<&str, &ast::ObjectProp<'_>> = HashMap::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let key = self.lines.position(property.range.start);
            let place = self.place(&property.value, Some(key));
            members.insert(name.to_owned(), place);
            if let Some(first) = seen.insert(name, property) {
                self.report_duplicate(name, first, property);
            }
        }
        members
    }

    /// The same value twice loses nothing and is only untidy; two values are refused, because AWS's tools keep the last
    /// one without a word.
    fn report_duplicate(&mut self, name: &str, first: &ast::ObjectProp<'_>, second: &ast::ObjectProp<'_>) {
        let severity = if is_same(&first.value, &second.value) {
            Severity::Warning
        } else {
            Severity::Error
        };
        let (first, second) = (
            self.lines.position(first.range.start),
            self.lines.position(second.range.start),
        );
        self.duplicates
            .push(duplicate_key(self.file, name, first, second, severity));
    }
}

pub(crate) fn duplicate_key(file: &str, name: &str, first: Position, second: Position, severity: Severity) -> Finding {
    let what = match severity {
        Severity::Error => "with different values",
        _ => "with the same value",
    };
    Finding::new(
        Code::DuplicateKey,
        severity,
        format!(
            "`{name}` is written twice {what}: on line {} and on line {}",
            first.line, second.line
        ),
    )
    .at(second.in_file(file))
    .evidence("first", format!("{file}:{}:{}", first.line, first.column))
    .hint(format!("keep one `{name}`"))
}

/// Equality of two nodes by meaning, not by place.
fn is_same(a: &ast::Value<'_>, b: &ast::Value<'_>) -> bool {
    match (a, b) {
        (ast::Value::StringLit(a), ast::Value::StringLit(b)) => a.value == b.value,
        (ast::Value::NumberLit(a), ast::Value::NumberLit(b)) => a.value == b.value,
        (ast::Value::BooleanLit(a), ast::Value::BooleanLit(b)) => a.value == b.value,
        (ast::Value::NullKeyword(_), ast::Value::NullKeyword(_)) => true,
        (ast::Value::Array(a), ast::Value::Array(b)) => {
            a.elements.len() == b.elements.len() && a.elements.iter().zip(&b.elements).all(|(a, b)| is_same(a, b))
        }
        (ast::Value::Object(a), ast::Value::Object(b)) => {
            a.properties.len() == b.properties.len()
                && a.properties
                    .iter()
                    .zip(&b.properties)
                    .all(|(a, b)| a.name.as_str() == b.name.as_str() && is_same(&a.value, &b.value))
        }
        _ => false,
    }
}
